"""From a question to ranked evidence: words and vectors side by side, one ranking over both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search import chunk_store, ranking, store, vector_store, word_store, words
from ctower_desktop.search.chunk_store import Chunk
from ctower_desktop.search.embedder import EmbeddingFailed, ModelUnavailable
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
from ctower_desktop.search.ranking import Scored
from ctower_desktop.search.vector_store import Filter

_ENTITY_KINDS: tuple[Kind, ...] = ("messages", "issues", "deals")
_NOISE = 0.05  # relevance under which a text is no evidence of anything
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
    weights: Mapping[str, float]
    corrected: Mapping[str, str]
    chunks: list[Candidate]
    entities: dict[Kind, list[Candidate]]
    evidence: list[Candidate]
    near: Near


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
    """Find and rank; raise InvalidDateRange. Without a model that can be used, words do it alone."""
    first, last = period(ask)
    kinds, with_chunks = chosen(ask)
    wanted = Filter(
        project_id=project_id, kinds=kinds, include_private=ask.include_private, first=first, last=last
    )
    asked = words.question(ask.query)
    found, near, verdicts = await asyncio.gather(
        tower.index.read(word_store.search, asked, wanted),
        _near(tower, ask, wanted) if with_chunks else _nothing(),
        tower.db.read(store.verdicts, project_id, asked.stems),
    )
    by_vectors = [item for item, _ in near.hits]
    pool = list(dict.fromkeys([*found.exact, *found.hits, *by_vectors]))
    depth = ask.top_k + 3 * ask.source_limit
    chunks, distances = await tower.index.read(
        chunk_store.gathered,
        pool,
        dict(near.hits),
        depth,
        model=near.ready.model.id if near.ready else None,
        vector=near.vector,
    )
    known = near.ready.model.languages if near.ready else ()
    pinned, worded = set(found.exact), {*found.exact, *found.hits}
    ranked = _ranked(
        [chunk for chunk in chunks.values() if _visible(chunk, wanted)],
        tower.clock.now(),
        _Judge(asked, found.weights, known, distances, verdicts, pinned, worded),
    )
    fused = ranking.fused(
        [*found.exact, *(hit for hit in found.hits if hit not in pinned)],
        by_vectors,
        asked.language,
        {number: chunk.language for number, chunk in chunks.items()},
        known,
    )
    by_id = {candidate.chunk.id: candidate for candidate in ranked}
    first_chunks = [by_id[number] for number in fused if number in by_id][: ask.top_k] if with_chunks else []
    entities = _entities(ranked, ask, kinds)
    best_chunks = sorted(first_chunks, key=lambda candidate: -candidate.relevance)
    evidence = _evidence(entities, best_chunks)
    return Retrieved(asked, found.weights, found.corrected, best_chunks, entities, evidence, near)


async def _nothing() -> Near:
    return Near()


async def _near(tower: Tower, ask: LightragQuery, wanted: Filter) -> Near:
    models = await tower.part(Models)
    try:
        ready = await models.serving()
        if ready is None:
            return Near(problem="No text has a vector yet; they are being made in the background.")
        vector = await ready.embedder.embed_query(ask.query)
    except (ModelUnavailable, EmbeddingFailed) as error:
        return Near(problem=str(error))
    top = max(2 * ask.top_k, 20)
    hits = await tower.index.read(vector_store.search, ready.model.id, vector, wanted, top)
    return Near(hits, ready, vector)


@dataclass(frozen=True, slots=True)
class _Judge:
    """All that is known when a chunk is weighed."""

    asked: words.Question
    weights: Mapping[str, float]
    known: Sequence[str]
    distances: Mapping[int, float]
    verdicts: Mapping[str, float]
    pinned: set[int]
    worded: set[int]


def _ranked(chunks: Iterable[Chunk], now: datetime, judge: _Judge) -> list[Candidate]:
    found = []
    for chunk in chunks:
        distance = judge.distances.get(chunk.id)
        verdict = judge.verdicts.get(chunk.source_pk, 0.0)
        said_by = chunk.metadata.get("sender_name") or ""
        covered = ranking.coverage(judge.weights, f"{chunk.title or ''} {chunk.text} {said_by}")
        believed = ranking.trust(judge.asked.language, chunk.language, judge.known)
        near = ranking.relevance(covered, distance, believed, verdict)
        if chunk.id in judge.pinned and verdict >= 0:
            near = max(near, _PINNED + (1 - _PINNED) * near)
        by_words = chunk.id in judge.worded
        plain_chunk = chunk.source_type == "message" and not by_words
        kind = "rag_chunk" if plain_chunk else EVIDENCE_TYPES[chunk.source_type]
        age = (now - from_text(chunk.occurred_at)).total_seconds() / 86_400
        scored = ranking.evidence_score(near, age, ranking.authority(kind))
        found.append(Candidate(chunk, distance, near, by_words, scored, kind))
    return sorted(found, key=lambda candidate: -candidate.relevance)


def _visible(chunk: Chunk, wanted: Filter) -> bool:
    """Whether a chunk may be shown: what was found by an index is checked against the row itself."""
    return (
        chunk.project_id == wanted.project_id
        and (wanted.include_private or not chunk.private)
        and (wanted.kinds is None or chunk.source_type in wanted.kinds)
        and (wanted.first is None or chunk.occurred_at >= wanted.first)
        and (wanted.last is None or chunk.occurred_at < wanted.last)
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
