"""Asking, judging answers, and keeping the index complete."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.kernel.runs import recorded
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.search import (
    asking,
    chunk_store,
    intake_store,
    model_actions,  # noqa: F401 - declares /search/models
    store,
    words,
)
from ctower_desktop.search.asking import AnswerEvent, Recent, answer_in_pieces, answer_question
from ctower_desktop.search.embedder import ModelUnavailable
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.model import (
    EmbeddingCounts,
    EmbeddingsAnswer,
    EmbeddingsJobFailed,
    EmbeddingsResult,
    EvidenceAnswer,
    EvidenceQuery,
    Feedback,
    FeedbackFailed,
    IndexStatus,
    InvalidDateRange,
    LightragAnswer,
    LightragQuery,
    LightragStatus,
    NewFeedback,
    QueryRunNotFound,
    RefreshAnswer,
    RefreshResult,
    SearchAnswer,
    SearchQuery,
)
from ctower_desktop.search.store import NewRun

_NO_MODEL = -1  # the number of no model: nothing has a vector of it
_JUDGED = 5  # pieces of evidence a judgement of the whole answer is about when it cites none


@TOWER.post("/lightrag/query", raises=(InvalidDateRange,), pace="expensive", role="viewer")
async def query_lightrag(call: Scoped, body: LightragQuery) -> LightragAnswer:
    """Answer a question from everything that was said, done and sold in the project, with evidence."""
    recent = await call.tower.part(Recent)
    key = recent.key(call.project_id, body)
    kept = recent.get(key)
    if kept is None:
        answer = await answer_question(call, body)
        recent.put(key, answer)
        return answer
    seen = NewRun(
        query_text=body.query,
        top_k=body.top_k,
        chunk_hits=len(kept.chunks),
        source_hits=0,
        evidence=kept.evidence,
        answer=kept.answer,
        quality_score=kept.quality_score,
        source_diversity=kept.source_diversity,
        duration_ms=0,
        filters={**asking.filters_of(body), "cached": True},
    )
    await call.tower.db.write(store.count_search, call.project_ref, seen, asking.who(call))
    return msgspec.structs.replace(kept, cached=True)


async def stream_answer(call: Scoped, body: LightragQuery) -> AsyncIterator[AnswerEvent]:
    """The same, word by word: what was found, the answer as it is written, and the whole of it."""
    async for event in answer_in_pieces(call, body):
        yield event


@TOWER.post("/search", raises=(InvalidDateRange,), pace="expensive", role="viewer")
async def search(call: Scoped, body: SearchQuery) -> SearchAnswer:
    """Find chunks, messages, issues and deals; the same search without ranking figures."""
    ask = LightragQuery(**msgspec.structs.asdict(body))
    found = await answer_question(call, ask, scored=False)
    return SearchAnswer(
        query=found.query,
        top_k=found.top_k,
        query_run_id=found.query_run_id,
        embedding_model=found.embedding_model,
        search_config=found.search_config,
        quality_score=found.quality_score,
        source_diversity=found.source_diversity,
        confidence=found.confidence,
        period=found.period,
        answer=found.answer,
        answered_by=found.answered_by,
        citations=found.citations,
        results=found.chunks,
        chunks=found.chunks,
        evidence=found.evidence,
        entities=found.entities,
        stats=found.stats,
    )


@TOWER.get("/lightrag/status")
async def read_lightrag_status(call: Scoped) -> LightragStatus:
    """How complete the index of the project is."""
    tower, project = call.tower, call.project_ref
    indexer = await tower.part(Indexer)
    model = await indexer.newest_model()
    counts = await tower.index.read(chunk_store.counts, project.id, model.id if model else _NO_MODEL)
    busy = min(indexer.in_work.get(project.id, 0), counts.pending)
    building = model.model_id if model is not None and model.state == "building" else None
    return LightragStatus(
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        embeddings=EmbeddingCounts(counts.pending - busy, busy, counts.ready, counts.failed),
        sources=await tower.db.read(intake_store.totals, project.id),
        index=IndexStatus(
            queued=await tower.db.read(intake_store.queued, project.id),
            chunks=await tower.index.read(chunk_store.chunks_of, project.id),
            model=model.model_id if model else None,
            building=building,
            problem=indexer.problem,
        ),
    )


@TOWER.post(
    "/jobs/embeddings/run", raises=(EmbeddingsJobFailed,), pace="expensive", audit="job.embeddings_run"
)
async def run_embeddings(call: Scoped) -> EmbeddingsAnswer:
    """Index what is new and give every chunk of the project its vector."""
    async with recorded(call, "embeddings_run") as progress:
        result = await embed_project(call)
        progress.processed = result.processed
        progress.meta = msgspec.to_builtins(result)
    call.noted.about("job", "embeddings_run", processed=result.processed, failed=result.failed)
    return EmbeddingsAnswer(result)


@TOWER.post("/lightrag/refresh", raises=(EmbeddingsJobFailed,), pace="expensive", audit="lightrag.refresh")
async def refresh_lightrag(call: Scoped) -> RefreshAnswer:
    """Bring the index of the project up to date, and say how complete it is."""
    result = await embed_project(call)
    status = "partial" if result.status == "partial" else "ok"
    call.noted.about("lightrag", call.project_id, status=status, processed=result.processed)
    return RefreshAnswer(RefreshResult(result, await read_lightrag_status(call)))


async def embed_project(call: Scoped) -> EmbeddingsResult:
    """Index and embed what waits in the project; raise EmbeddingsJobFailed when there is no model for it."""
    try:
        return await (await call.tower.part(Indexer)).run(call.project_id)
    except (ModelUnavailable, StorageFailure) as error:
        raise EmbeddingsJobFailed(str(error)) from error


@TOWER.post("/lightrag/feedback", raises=(QueryRunNotFound, FeedbackFailed), role="viewer")
async def rate_answer(call: Scoped, body: NewFeedback) -> Feedback:
    """Say how good an answer was; texts that were judged sink or rise for questions of the same words."""
    tower = call.tower
    run = await tower.db.read(store.run, call.project_id, body.query_run_id)
    offered = [item.source_pk for item in run.evidence]
    if body.source_pk is not None and body.source_pk not in offered:
        raise FeedbackFailed
    cited = [offered[n - 1] for n in words.cited(run.answer) if n <= len(offered)]
    judged = [body.source_pk] if body.source_pk is not None else cited or offered[:_JUDGED]
    stems = words.question(run.query_text).stems
    kept = await tower.db.write_durably(
        store.add_feedback, call.project_ref, body, asking.who(call), judged=judged, stems=stems
    )
    (await tower.part(Recent)).forget(call.project_id)
    return kept


@TOWER.get("/evidence/search")
async def search_evidence(call: Scoped, query: EvidenceQuery) -> EvidenceAnswer:
    """Evidence that decisions point at, with all the words asked for, the newest first."""
    match = " AND ".join(filter(None, (words.phrase(word) for word in query.q.split())))
    if not match:
        return EvidenceAnswer([])
    return EvidenceAnswer(await call.tower.db.read(store.evidence, call.project_id, match, query.limit))
