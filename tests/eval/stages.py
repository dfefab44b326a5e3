"""One question through every stage alone; the only module here that knows how the search is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.search import chunk_store, confidence, ranking, vector_store, word_store
from ctower_desktop.search.actions import query_lightrag
from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.model import LightragAnswer, LightragQuery
from ctower_desktop.search.models import Models
from ctower_desktop.search.understanding import understand
from ctower_desktop.search.vector_store import Filter
from tests.eval.corpus import NOW
from tests.eval.home import Judged
from tests.eval.question import Question

STAGES = ("words", "vectors", "fusion", "final")
_DEPTH = 50  # chunks of one stage that are looked at


@dataclass(frozen=True, slots=True)
class Outcome:
    """What every stage found for a question, as names of pieces, and what was answered."""

    question: Question
    rankings: dict[str, list[str]]
    answer: str
    refused: bool


async def outcome_of(judged: Judged, question: Question) -> Outcome:
    """Ask one question."""
    call = judged.calls[question.project]
    answer = await query_lightrag(call, LightragQuery(query=question.text, include_private=question.notes))
    rankings = await _stages(judged, call, question)
    rankings["final"] = _named(judged, [item.source_pk for item in answer.evidence])
    return Outcome(question, rankings, answer.answer, refused(answer))


def refused(answer: LightragAnswer) -> bool:
    """Whether an answer is a refusal: the search is not sure enough, or it has nothing to cite."""
    return answer.confidence < confidence.ENOUGH or not answer.citations


async def _stages(judged: Judged, call: Desktop, question: Question) -> dict[str, list[str]]:
    tower = judged.tower
    wanted = Filter(project_id=call.project_id, include_private=question.notes)
    meant = understand(question.text, NOW.date(), lexicon())
    asked = meant.asked
    found = await tower.index.read(word_store.search, meant, wanted)
    exact = set(found.exact)
    by_words = [*found.exact, *(hit for hit in found.hits if hit not in exact)]
    ready = await (await tower.part(Models)).serving()
    if ready is None:
        raise RuntimeError("no text has a vector")
    vector = await ready.embedder.embed_query(asked.text)
    near = await tower.index.read(vector_store.search, ready.model.id, vector, wanted, _DEPTH)
    by_vectors = [chunk for chunk, _ in near]
    chunks = await tower.index.read(chunk_store.read, list(dict.fromkeys([*by_words, *by_vectors])))
    languages = {chunk.id: chunk.language for chunk in chunks}
    fused = ranking.fused(by_words, by_vectors, asked.language, languages, ready.model.languages)
    sources = {chunk.id: chunk.source_pk for chunk in chunks}
    return {
        stage: _named(judged, [sources[chunk] for chunk in ranked[:_DEPTH]])
        for stage, ranked in (("words", by_words), ("vectors", by_vectors), ("fusion", fused))
    }


def _named(judged: Judged, source_pks: Sequence[str]) -> list[str]:
    """Each text once, by its name in the corpus; a line that a vendor wrote itself keeps its own id."""
    return list(dict.fromkeys(judged.names.get(pk, pk) for pk in source_pks))
