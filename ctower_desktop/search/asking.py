"""A question from its retrieval to its kept answer, whole or word by word."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ctower_desktop.kernel.errors import StorageDamaged, Upstream
from ctower_desktop.kernel.tower import Scoped, Tower
from ctower_desktop.search import presenting, ranking, store, words
from ctower_desktop.search.answering import Answered, Citations, Evidence, extract, prompt, refusal
from ctower_desktop.search.chat import chat
from ctower_desktop.search.confidence import ENOUGH, lacking
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.model import EvidenceItem, LightragAnswer, LightragQuery, Stats
from ctower_desktop.search.retrieval import Retrieved, retrieve
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.store import By, NewRun
from ctower_desktop.search.words import language

_KEPT_SECONDS = 300.0
_KEPT_ANSWERS = 200
EXTRACT = "extract"


class AnswerBegun(msgspec.Struct, frozen=True):
    """What was found; the words of the answer follow. Its answer is empty so far."""

    found: LightragAnswer


class AnswerPiece(msgspec.Struct, frozen=True):
    """The next words of the answer, their citations already checked."""

    text: str


class AnswerDone(msgspec.Struct, frozen=True):
    """The whole answer, as it was kept; `problem` says why the chat model that is set up did not write it."""

    answer: LightragAnswer
    problem: str | None


AnswerEvent = AnswerBegun | AnswerPiece | AnswerDone


@dataclass(slots=True)
class _Draft:
    """An answer in the making."""

    started: float
    found: Retrieved
    evidence: list[EvidenceItem]
    told: list[Evidence]
    answer: LightragAnswer


class Recent:
    """Answers of the last five minutes, as long as nothing that they rest on has changed."""

    def __init__(self, tower: Tower, indexer: Indexer) -> None:
        self._tower, self._indexer = tower, indexer
        self._kept: OrderedDict[tuple[Any, ...], tuple[float, LightragAnswer]] = OrderedDict()

    @classmethod
    async def start(cls, tower: Tower) -> Recent:
        """Nothing is kept at first."""
        return cls(tower, await tower.part(Indexer))

    async def stop(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def key(self, project_id: str, ask: LightragQuery) -> tuple[Any, ...]:
        """Everything an answer depends on; take it before the search begins."""
        settings = self._tower.settings.get(SearchSettings)
        chat_model = (settings.chat_url, settings.chat_model)
        return (project_id, msgspec.json.encode(ask), self._indexer.version, chat_model)

    def get(self, key: tuple[Any, ...]) -> LightragAnswer | None:
        """The answer kept under a key, if it is young enough."""
        kept = self._kept.get(key)
        if kept is None or self._tower.clock.monotonic() - kept[0] > _KEPT_SECONDS:
            return None
        return kept[1]

    def put(self, key: tuple[Any, ...], answer: LightragAnswer) -> None:
        """Keep an answer."""
        self._kept[key] = (self._tower.clock.monotonic(), answer)
        while len(self._kept) > _KEPT_ANSWERS:
            self._kept.popitem(last=False)

    def forget(self, project_id: str) -> None:
        """Forget the answers of a project."""
        for key in [key for key in self._kept if key[0] == project_id]:
            del self._kept[key]


async def answer_question(call: Scoped, ask: LightragQuery, *, scored: bool = True) -> LightragAnswer:
    """Search, answer, and keep the run."""
    async for event in answer_in_pieces(call, ask, scored=scored):
        if isinstance(event, AnswerDone):
            return event.answer
    raise AssertionError("a stream of an answer ends with the whole of it")


async def answer_in_pieces(
    call: Scoped, ask: LightragQuery, *, scored: bool = True
) -> AsyncIterator[AnswerEvent]:
    """What was found, then the answer as it is written, then the whole of it as kept."""
    draft = await _draft(call, ask, scored=scored)
    yield AnswerBegun(draft.answer)
    settings = call.tower.settings.get(SearchSettings)
    written, by, problem = None, EXTRACT, None
    if settings.chats and draft.told:
        checked = Citations(draft.found.asked.language, frozenset(e.number for e in draft.told))
        shown = ""
        try:
            async for piece in _chatted(call.tower, settings, ask.query, draft.told, checked):
                shown += piece
                yield AnswerPiece(piece)
        except Upstream as error:
            problem = str(error)
        if problem is None and checked.cited:
            written, by = Answered(shown.strip(), checked.cited), settings.chat_model
        elif problem is None:
            problem = "The chat model cited no evidence, so its answer was not used."
    if written is None:
        written = _extracted(ask, draft)
        if problem is None:
            yield AnswerPiece(written.text)
    yield AnswerDone(await _keep(call, ask, draft, written, by=by), problem)


def _extracted(ask: LightragQuery, draft: _Draft) -> Answered:
    """Without a chat model: the best sentences, or what is lacking."""
    if draft.answer.confidence >= ENOUGH:
        return extract(ask.query, draft.found.target, draft.told)
    lacks = lacking(draft.found.target, [item.text for item in draft.told])
    return refusal(language(ask.query), draft.told, lacks, draft.answer.period)


async def _chatted(
    tower: Tower, settings: SearchSettings, question: str, told: list[Evidence], checked: Citations
) -> AsyncIterator[str]:
    messages = prompt(question, told, secrets.token_hex(8))
    async for piece in chat(tower.http, settings, messages):
        if shown := checked.feed(piece):
            yield shown
    if rest := checked.finish():
        yield rest


async def _draft(call: Scoped, ask: LightragQuery, *, scored: bool) -> _Draft:
    tower = call.tower
    started = tower.clock.monotonic()
    try:
        found = await retrieve(tower, call.project_id, ask)
    except StorageDamaged as error:
        await (await tower.part(Indexer)).repair(error)
        found = await retrieve(tower, call.project_id, ask)
    evidence = presenting.evidence_items(found, scored=scored)
    chunks, entities = presenting.chunk_hits(found), presenting.entities(found)
    kinds = len({item.source_type for item in evidence})
    scores = [c.scored.score for c in found.evidence[: len(evidence)]]
    answer = LightragAnswer(
        query=ask.query,
        top_k=ask.top_k,
        query_run_id="",
        embedding_model=found.near.ready.model.model_id if found.near.ready else "",
        search_config=presenting.config(found),
        quality_score=ranking.quality_score(len(evidence), kinds, len(chunks)),
        source_diversity=kinds,
        confidence=presenting.confidence_of(found),
        period=presenting.days(found),
        answer="",
        answered_by=EXTRACT,
        citations=[],
        chunks=chunks,
        evidence=evidence,
        entities=entities,
        stats=Stats(len(chunks), len(entities.messages), len(entities.issues), len(entities.opportunities)),
        ranking_stats=ranking.ranking_stats(scores),
        duration_ms=0,
    )
    return _Draft(started, found, evidence, presenting.to_answer_from(found), answer)


async def _keep(
    call: Scoped, ask: LightragQuery, draft: _Draft, written: Answered, *, by: str
) -> LightragAnswer:
    tower, answer = call.tower, draft.answer
    duration = round((tower.clock.monotonic() - draft.started) * 1_000)
    run = NewRun(
        query_text=ask.query,
        top_k=ask.top_k,
        chunk_hits=len(answer.chunks),
        source_hits=answer.stats.messages + answer.stats.issues + answer.stats.opportunities,
        evidence=draft.evidence,
        answer=written.text,
        quality_score=answer.quality_score,
        source_diversity=answer.source_diversity,
        duration_ms=duration,
        filters=filters_of(ask),
    )
    number = await tower.db.write(store.add_run, call.project_ref, run, who(call))
    return msgspec.structs.replace(
        answer,
        query_run_id=str(number),
        answer=written.text,
        answered_by=by,
        citations=written.citations,
        duration_ms=duration,
    )


def who(call: Scoped) -> By:
    """The caller, now."""
    return By(call.user.username, call.user.user_id, call.tower.clock.text())


def filters_of(ask: LightragQuery) -> dict[str, Any]:
    """What a search was narrowed to, for the statistics of searches."""
    return {
        "tokens": words.stats_tokens(ask.query),
        "sources": ask.source_filter,
        "date_from": ask.date_from,
        "date_to": ask.date_to,
    }
