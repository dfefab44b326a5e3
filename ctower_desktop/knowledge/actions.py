"""The knowledge graph's door: ask it, browse it, feed it, judge its answers, see whether it is well."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

from ctower_desktop.kernel.endpoint import GRAPH, Reply, Text
from ctower_desktop.kernel.errors import ActiveProjectRequired, StorageFailure
from ctower_desktop.kernel.metrics import MEDIA_TYPE
from ctower_desktop.kernel.tower import Anyone, Caller, ProjectRef, desktop
from ctower_desktop.knowledge import asking, browse_store, ingesting, showing, store, verdict_store
from ctower_desktop.knowledge.answering import Answer
from ctower_desktop.knowledge.asking import Linked
from ctower_desktop.knowledge.door_model import (
    Alive,
    AmbiguousEntities,
    Answered,
    BrowseFilter,
    BrowsePage,
    CitationData,
    EmptyQuery,
    EmptyTriples,
    FeedbackAnswer,
    FeedbackBody,
    Found,
    GraphData,
    IngestAnswer,
    IngestBody,
    LlmToken,
    NoEntityMatch,
    NoRelevantTriples,
    QueryFailed,
    QueryOptions,
    QuestionBody,
    Readiness,
    StreamEnd,
)
from ctower_desktop.projects.actions import create_project
from ctower_desktop.projects.model import NewProject
from ctower_desktop.search import vector_store
from ctower_desktop.search.model_folder import ModelUnavailable, chosen_folder
from ctower_desktop.search.settings import SearchSettings

_A_STEP = 500  # triples of one transaction: nobody else who writes waits for long
_TIMES = "http_request_duration_seconds"
_SEEN = ("http_requests_total", f"{_TIMES}_bucket", f"{_TIMES}_count", f"{_TIMES}_sum")

Event = Found | GraphData | LlmToken | CitationData | Answered | QueryFailed | StreamEnd


@GRAPH.stream(
    "/query",
    raises=(EmptyQuery, NoEntityMatch, AmbiguousEntities, NoRelevantTriples),
    method="POST",
)
async def query_graph(
    call: Caller, query: QueryOptions, body: QuestionBody
) -> AsyncIterator[Found | GraphData | LlmToken | CitationData | Answered | QueryFailed | StreamEnd]:
    """Answer a question from the graph, with the facts the answer rests on.

    Events: metadata, graph_data, llm_token, citation_data, metadata, end. A refusal is an `error` event
    before `end`; it is the status of the answer with `strict_status=1` or when the client takes JSON.
    """
    if not body.question.strip():
        raise EmptyQuery
    strict = query.strict_status or call.asking.accept.strip().startswith("application/json")
    try:
        async for event in _answered(call, body):
            yield event
    except (NoEntityMatch, AmbiguousEntities, NoRelevantTriples) as error:
        if strict:
            raise
        unclear = error.candidates if isinstance(error, AmbiguousEntities) else None
        yield QueryFailed(error.code.upper(), str(error), unclear)
    except StorageFailure as error:
        yield QueryFailed("INTERNAL_ERROR", str(error))
    yield StreamEnd("Stream ended")


async def _answered(call: Caller, body: QuestionBody) -> AsyncIterator[Event]:
    tower, began = call.tower, call.tower.clock.monotonic()
    project = call.project
    if project is None:
        raise NoEntityMatch

    def latency() -> int:
        return round((tower.clock.monotonic() - began) * 1_000)

    linked = await asking.link(tower, project.id, body.question)
    _check(linked)
    found = await asking.retrieve(tower, project.id, linked)
    if not found.triples:
        raise NoRelevantTriples
    answer = await asyncio.to_thread(asking.answer, linked, found, body.question)
    query_id = f"q_{secrets.token_hex(4)}_{int(tower.clock.now().timestamp())}"
    await tower.db.write(
        verdict_store.add_query, project, _kept(call, query_id, body.question, linked, answer)
    )
    yield Found(query_id, latency(), len(found.triples), len(linked.topics), showing.unclear(linked))
    if body.visualize_graph:
        yield showing.graph_data(linked, found, answer)
    for piece in answer.pieces:
        yield LlmToken(piece)
    for triple in answer.cited:
        yield CitationData(showing.relation_id(triple.id), triple.text)
    yield Answered(answer.trust, latency(), query_id, answer.answered, answer.parts)


def _check(linked: Linked) -> None:
    """Raise what is wrong when no mention is clear; one clear mention is enough."""
    if linked.topics:
        return
    if not linked.unclear:
        raise NoEntityMatch
    raise AmbiguousEntities(showing.candidates(linked.unclear[0]))


def _kept(call: Caller, query_id: str, question: str, linked: Linked, answer: Answer) -> verdict_store.Asked:
    return verdict_store.Asked(
        id=query_id,
        question=question,
        entities=sorted(linked.topics),
        triples=[triple.id for triple in answer.cited],
        answer=answer.text,
        trust=answer.trust,
        asked_by=call.user.username,
        created_at=call.tower.clock.text(),
    )


@GRAPH.get("/graph/browse")
async def browse_graph(call: Caller, query: BrowseFilter) -> BrowsePage:
    """A page of the graph: links with their ends, in an order that stays.

    Filters narrow each other. A type filter keeps links whose both ends are of one of the types; a search
    looks into names, other names and relations. Things without links are on the last page.
    """
    wanted = browse_store.Wanted(
        types=query.node_types_filter,
        relations=query.relation_types_filter,
        center=None if query.center_node_id is None else showing.entity_number(query.center_node_id),
        hops=query.hops if query.center_node_id is not None else 1,
        term=query.search_term,
    )
    part = browse_store.Part([], {}, 0, 0)
    if call.project is not None:
        part = await call.tower.db.read(browse_store.page, call.project.id, wanted, query.page, query.limit)
    return BrowsePage(
        nodes=showing.nodes(part.entities),
        links=showing.links(part.triples),
        page=query.page,
        limit=query.limit,
        total_nodes_in_filter=part.nodes,
        total_links_in_filter=part.links,
        has_more=query.page * query.limit < part.links,
    )


@GRAPH.post("/ingest", raises=(EmptyTriples,), audit="graph.ingest", misshapen=400)
async def ingest_triples(call: Caller, body: IngestBody) -> IngestAnswer:
    """Add facts to the graph; they can be asked about as soon as the answer is there."""
    if not body.triples:
        raise EmptyTriples
    project = await _place(call)
    taken, errors = await asyncio.to_thread(ingesting.facts, body.triples)
    duplicates = 0
    for start in range(0, len(taken), _A_STEP):
        told = ingesting.told(project, taken[start : start + _A_STEP])
        duplicates += await call.tower.db.write_durably(store.add, told, call.tower.clock.text())
    call.noted.about("graph", project.id, triples=len(taken), duplicates=duplicates)
    return IngestAnswer(
        status="accepted",
        triples_staged=len(taken),
        errors=errors,
        message=f"Staged {len(taken)} triples for ingestion",
        duplicates=duplicates,
    )


@GRAPH.post("/feedback", audit="graph.feedback")
async def give_graph_feedback(call: Caller, body: FeedbackBody) -> FeedbackAnswer:
    """Say whether an answer was right: the facts it rests on count more, or less, from now on."""
    project = await _place(call)
    verdict = verdict_store.Verdict(
        query_id=body.query_id,
        is_correct=body.is_correct,
        comment=body.comment,
        expected_answer=body.expected_answer,
        given_by=call.user.username,
        created_at=call.tower.clock.text(),
    )
    await call.tower.db.write_durably(verdict_store.add_verdict, project, verdict)
    call.noted.about("graph_query", body.query_id, is_correct=body.is_correct)
    return FeedbackAnswer("accepted", "Feedback recorded successfully")


async def _place(call: Caller) -> ProjectRef:
    """The project of a call; who may see everything gets one when there is none yet."""
    if call.project is not None:
        return call.project
    if not call.user.sees_all_projects:
        raise ActiveProjectRequired
    made = (
        await create_project(desktop(call.tower, call.asking.request_id), NewProject(name="Knowledge graph"))
    ).project
    return ProjectRef(made.id, made.name, made.account_scope_id)


@GRAPH.get("/healthz")
async def read_liveness(call: Anyone) -> Alive:
    """Whether the door answers at all; nothing else is looked at."""
    return Alive("ok")


@GRAPH.get("/readyz")
async def read_readiness(call: Anyone) -> Reply[Readiness]:
    """Whether every part does its work. Without a model, questions are still answered by their words."""
    graph = await _works(call)
    model = "ok"
    try:
        await asyncio.to_thread(chosen_folder, call.tower.settings.get(SearchSettings))
    except ModelUnavailable:
        model = "failed"
    vectors = "ok"
    try:
        await call.tower.index.read(vector_store.models)
    except StorageFailure:
        vectors = "failed"
    checks = {
        "sqlite": graph,
        "neo4j": graph,
        "faiss_index": vectors,
        "llm_backend": "ok",  # answers are composed of the facts themselves
        "graph_store": graph,
        "embedder": model,
    }
    ready = set(checks.values()) == {"ok"}
    return Reply(Readiness("ready" if ready else "not_ready", checks), status=200 if ready else 503)


async def _works(call: Anyone) -> str:
    try:
        await call.tower.db.read(browse_store.page, "", browse_store.Wanted(), 1, 1)
    except StorageFailure:
        return "failed"
    return "ok"


@GRAPH.get("/metrics")
async def read_graph_metrics(call: Anyone) -> Text:
    """How often the door was asked and how long it took, in the text format of Prometheus."""
    return Text(call.tower.metrics.text(*_SEEN), MEDIA_TYPE)
