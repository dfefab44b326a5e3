"""From a question to ranked evidence: words and vectors side by side, one ranking over both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from ctower_desktop.kernel.regional import Regional, day_bounds, local
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search import (
    link_store,
    ranking,
    store,
    vector_store,
    weighing,
    word_store,
    words,
)
from ctower_desktop.search.candidate_store import Gathered, Space
from ctower_desktop.search.chunk_store import Chunk
from ctower_desktop.search.embedder import EmbeddingFailed, ModelUnavailable
from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.matching import Target, asks, matched, share, sureness
from ctower_desktop.search.model import (
    EVIDENCE_TYPES,
    KIND_OF,
    KINDS,
    InvalidDateRange,
    Kind,
    LightragQuery,
    SourceType,
)
from ctower_desktop.search.models import Models, Ready
from ctower_desktop.search.periods import Period
from ctower_desktop.search.ranking import Scored
from ctower_desktop.search.terms import terms_of
from ctower_desktop.search.understanding import Understood, understand
from ctower_desktop.search.vector_store import Filter

_ENTITY_KINDS: tuple[Kind, ...] = ("messages", "issues", "deals")
_NOISE = 0.05  # relevance under which a text is no evidence of anything
_FITS = 0.2  # relevance from which the days that a question names are believed to be the right ones
_FOLLOWED = 4  # texts that words or vectors bring first, whose links are followed
_NEAREST = 40  # chunks that vectors bring at least
_AROUND = ("parent_title", "sender_name", "author_name", "assignee_name", "company_name", "stage")
_PINNED = 0.95  # least relevance of a text that holds an identifier or a quotation of the question


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that was found, and how it stands to the question."""

    chunk: Chunk
    distance: float | None
    relevance: float
    by_words: bool
    scored: Scored
    evidence_type: str
    features: tuple[float, ...]  # what its relevance was made of
    nearby: tuple[str, ...]  # terms of what was said just before and after


@dataclass(frozen=True, slots=True)
class Near:
    """What the vectors brought."""

    hits: list[tuple[int, float]] = field(default_factory=list)
    ready: Ready | None = None
    vector: vector_store.Vectors | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Everything an answer is made of, the best first in every list."""

    asked: words.Question
    target: Target
    corrected: Mapping[str, str]
    chunks: list[Candidate]
    entities: dict[Kind, list[Candidate]]
    evidence: list[Candidate]
    near: Near
    period: Period | None = None  # days that the question's own words name and that the search kept to


def period(ask: LightragQuery) -> tuple[str | None, str | None]:
    """The first moment and the one after the last, as stored; raise InvalidDateRange."""
    first, last = _moment(ask.date_from), _moment(ask.date_to)
    if first is not None and last is not None and first > last:
        raise InvalidDateRange
    if last is not None:
        whole_day = len((ask.date_to or "").strip()) == 10
        last += timedelta(days=1) if whole_day else timedelta(milliseconds=1)
    return as_text(first) if first else None, as_text(last) if last else None


def _moment(text: str | None) -> datetime | None:
    given = (text or "").strip()
    if not given:
        return None
    try:
        return from_text(given if len(given) > 10 else f"{given}T00:00:00+00:00")
    except (ValueError, OverflowError):
        raise InvalidDateRange(f"{given[:40]!r} is not a date.") from None


def chosen(ask: LightragQuery) -> tuple[tuple[SourceType, ...] | None, bool]:
    """The kinds of texts to look through (None: all), and whether chunks are asked for."""
    if ask.source_filter is None:
        return None, True
    named = {KINDS[name] for name in ask.source_filter if name in KINDS}
    texts = tuple(kind for kind, group in KIND_OF.items() if group in named)
    with_chunks = "chunks" in named
    return (None if with_chunks and not texts else texts), with_chunks


async def retrieve(tower: Tower, project_id: str, ask: LightragQuery) -> Retrieved:
    """Find and rank; raise InvalidDateRange. Without a model that can be used, words do it alone.

    Time words of the question, on the user's calendar, narrow the search unless it has dates of its own or
    asks for any time, or nothing fits in them.
    """
    first, last = period(ask)
    kinds, with_chunks = chosen(ask)
    wanted = Filter(
        project_id=project_id, kinds=kinds, include_private=ask.include_private, first=first, last=last
    )
    regional = tower.settings.get(Regional)
    today = local(tower.clock.now(), regional).date()
    meant = await asyncio.to_thread(lambda: understand(ask.query, today, lexicon()))
    search = _Search(tower, ask, meant, kinds, with_chunks)
    if ask.any_time or meant.period is None or first is not None or last is not None:
        return await search.within(wanted)
    narrow = msgspec.structs.replace(
        wanted,
        first=as_text(day_bounds(meant.period.first, regional)[0]),
        last=as_text(day_bounds(meant.period.last, regional)[1]),
    )
    found = await search.within(narrow, applied=True)
    if max((candidate.relevance for candidate in found.evidence), default=0.0) >= _FITS:
        return found
    return await search.within(wanted)


@dataclass(frozen=True, slots=True)
class _Search:
    """One question, to be looked for within one period or another."""

    tower: Tower
    ask: LightragQuery
    meant: Understood
    kinds: tuple[SourceType, ...] | None
    with_chunks: bool

    async def within(self, wanted: Filter, *, applied: bool = False) -> Retrieved:
        """Everything found in a period, ranked."""
        tower, ask, asked = self.tower, self.ask, self.meant.asked
        found, near, verdicts = await asyncio.gather(
            tower.index.read(word_store.search, self.meant, wanted),
            self._near(wanted) if self.with_chunks else _nothing(),
            tower.db.read(store.verdicts, wanted.project_id, asked.stems),
        )
        by_vectors = [item for item, _ in near.hits]
        nearest = {number: rank for rank, number in enumerate(by_vectors)}
        known = near.ready.model.languages if near.ready else ()
        judge = _Judge(asked, found, known, verdicts, nearest)
        depth = ask.top_k + 2 * ask.source_limit
        space = Space(near.ready.model.id, near.vector) if near.ready and near.vector is not None else None
        hits, pool = dict(near.hits), list(dict.fromkeys([*found.exact, *found.hits, *by_vectors]))
        leading = {*found.exact[:_FOLLOWED], *found.hits[:_FOLLOWED], *by_vectors[:_FOLLOWED]}
        gathered = await tower.index.read(
            link_store.gathered, pool, hits, leading, wanted, depth=depth, space=space
        )
        ranked = await asyncio.to_thread(_ranked, tower.clock.now(), judge, gathered)
        best = sorted(ranked, key=lambda candidate: -candidate.relevance)[: ask.top_k]
        entities = _entities(ranked, ask, self.kinds)
        return Retrieved(
            asked,
            found.target,
            {**self.meant.retyped, **found.corrected},
            best if self.with_chunks else [],
            entities,
            _evidence(entities, best if self.with_chunks else []),
            near,
            self.meant.period if applied else None,
        )

    async def _near(self, wanted: Filter) -> Near:
        models = await self.tower.part(Models)
        try:
            ready = await models.serving()
            if ready is None:
                return Near(problem="No text has a vector yet; they are being made in the background.")
            vector = await ready.embedder.embed_query(self.meant.asked.text)
        except (ModelUnavailable, EmbeddingFailed) as error:
            return Near(problem=str(error))
        top = max(2 * self.ask.top_k, _NEAREST)
        hits = await self.tower.index.read(vector_store.search, ready.model.id, vector, wanted, top)
        return Near(hits, ready, vector)


async def _nothing() -> Near:
    return Near()


@dataclass(frozen=True, slots=True)
class _Judge:
    """All that is known when a chunk is weighed."""

    asked: words.Question
    found: word_store.Found
    known: Sequence[str]
    verdicts: Mapping[str, float]
    nearest: Mapping[int, int]  # places among those that vectors brought


def _ranked(now: datetime, judge: _Judge, gathered: Gathered) -> list[Candidate]:
    worded = {number: rank for rank, number in enumerate(judge.found.hits)}
    pinned = set(judge.found.exact)
    found = []
    for chunk in gathered.chunks:
        verdict = judge.verdicts.get(chunk.source_pk, 0.0)
        known = _features(chunk, judge, gathered, worded.get(chunk.id), pinned=chunk.id in pinned)
        near = ranking.judged(weighing.likelihood(known), verdict)
        if chunk.id in pinned and verdict >= 0:
            near = max(near, _PINNED + (1 - _PINNED) * near)
        by_words = chunk.id in worded or chunk.id in pinned
        plain_chunk = chunk.source_type == "message" and not by_words
        kind = "rag_chunk" if plain_chunk else EVIDENCE_TYPES[chunk.source_type]
        age = (now - from_text(chunk.occurred_at)).total_seconds() / 86_400
        scored = ranking.evidence_score(near, age, ranking.authority(kind))
        distance = gathered.distances.get(chunk.id)
        nearby = tuple(term for one in gathered.beside.get(chunk.id, ()) for term in one.terms.split())
        found.append(Candidate(chunk, distance, near, by_words, scored, kind, known, nearby))
    return sorted(found, key=lambda candidate: -candidate.relevance)


def around(chunk: Chunk) -> str:
    """Who said a text and what it belongs to, in words."""
    said_by = (chunk.metadata.get(key) for key in _AROUND)
    return " ".join(str(part) for part in (chunk.title, *said_by) if part)


def _features(
    chunk: Chunk, judge: _Judge, gathered: Gathered, rank: int | None, *, pinned: bool
) -> tuple[float, ...]:
    target = judge.found.target
    told, beyond = chunk.terms.split(), terms_of(around(chunk))
    match = matched(target, told, beyond)
    around_it = sureness(target, beyond)
    nearby = [(one, sureness(target, one.terms.split())) for one in gathered.beside.get(chunk.id, ())]
    beside = share(target, sureness(target, told), around_it, *(said for _, said in nearby)) - match.covered
    asked = (share(target, said, around_it) for one, said in nearby if one.before and one.asks)
    semantic = ranking.semantic(gathered.distances.get(chunk.id))
    sure = ranking.trust(judge.asked.language, chunk.language, judge.known).vectors == 1.0
    return weighing.features(
        match,
        near=semantic if sure else 0.0,
        glossed=0.0 if sure else semantic,
        pinned=pinned,
        asks=asks(chunk.text),
        source_type=chunk.source_type,
        words=len(told),
        beside=beside,
        replies=max(asked, default=0.0),
        rank=rank,
        near_rank=judge.nearest.get(chunk.id),
    )


def _entities(
    ranked: Sequence[Candidate], ask: LightragQuery, kinds: tuple[SourceType, ...] | None
) -> dict[Kind, list[Candidate]]:
    """What words found, by kind, each text once; nothing when only chunks are asked for."""
    found: dict[Kind, dict[str, Candidate]] = {kind: {} for kind in _ENTITY_KINDS}
    if ask.source_filter is None or kinds is not None:
        for candidate in ranked:
            of_kind = found[KIND_OF[candidate.chunk.source_type]]
            if candidate.by_words and len(of_kind) < ask.source_limit:
                of_kind.setdefault(candidate.chunk.source_pk, candidate)
    return {kind: list(of_kind.values()) for kind, of_kind in found.items()}


def _evidence(entities: Mapping[Kind, Sequence[Candidate]], chunks: Sequence[Candidate]) -> list[Candidate]:
    """Everything found, each text once, by the contract's score."""
    once: dict[tuple[str, str], Candidate] = {}
    for candidate in (*(c for found in entities.values() for c in found), *chunks):
        key = (candidate.chunk.source_type, candidate.chunk.source_pk)
        if candidate.relevance >= _NOISE and (key not in once or once[key].relevance < candidate.relevance):
            once[key] = candidate
    return sorted(once.values(), key=lambda candidate: -candidate.scored.score)
