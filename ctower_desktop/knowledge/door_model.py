"""What goes in and out of the knowledge graph's door."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound

LONGEST_TEXT = 20_000
MOST_TRIPLES = 20_000

Long = Annotated[str, Meta(max_length=LONGEST_TEXT)]


class EmptyQuery(Invalid):
    """The question is empty."""

    code = "empty_query"


class EmptyTriples(Invalid):
    """No triples provided."""

    code = "empty_triples"


class NoEntityMatch(NotFound):
    """No entities found matching the query terms."""

    code = "no_entity_match"


class NoRelevantTriples(NotFound):
    """What the question speaks of is known, but nothing is said of it."""

    code = "no_relevant_triples"


class AmbiguousEntities(Conflict):
    """The question may mean several things; choose one of them."""

    code = "ambiguous_entities"

    def __init__(self, candidates: list[CandidateShown]) -> None:
        super().__init__()
        self.candidates = candidates
        self.also = {"candidates": candidates}  # type: ignore[misc]


class QuestionBody(msgspec.Struct, frozen=True):
    """A question to the graph."""

    question: Long
    visualize_graph: bool = True


class QueryOptions(msgspec.Struct, frozen=True):
    """How refusals are told: as an event, or as the status of the answer."""

    strict_status: bool = False


class CandidateShown(msgspec.Struct, frozen=True):
    """What an unclear mention may mean."""

    id: str
    name: str
    type: str
    score: float


class UnclearShown(msgspec.Struct, frozen=True):
    """A mention that may mean several things."""

    mention: str
    candidates: list[CandidateShown]


class Found(msgspec.Struct, frozen=True):
    """What was retrieved, before the answer begins."""

    event: ClassVar[str] = "metadata"

    query_id: str
    latency_ms: int
    triple_count: int
    entity_count: int
    ambiguous: list[UnclearShown]


class NodeShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A thing of the graph."""

    id: str
    name: str
    type: str
    properties: dict[str, Any]
    relevance_score: float | None = None
    inclusion_reasons: list[str] | None = None


class LinkShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fact of the graph."""

    source: str
    target: str
    relation_id: str
    relation_name: str
    properties: dict[str, Any]
    relevance_score: float | None = None
    inclusion_reasons: list[str] | None = None


class PathShown(msgspec.Struct, frozen=True, rename={"start": "from", "goal": "to"}):
    """How a thing of the question leads to a thing of the answer."""

    nodes: list[str]
    links: list[str]
    score: float
    length: int
    start: str
    goal: str


class GraphData(msgspec.Struct, frozen=True):
    """The retrieved sub-graph."""

    event: ClassVar[str] = "graph_data"

    nodes: list[NodeShown]
    links: list[LinkShown]
    relevant_paths: list[PathShown]


class LlmToken(msgspec.Struct, frozen=True):
    """A piece of the answer."""

    event: ClassVar[str] = "llm_token"

    token: str


class CitationData(msgspec.Struct, frozen=True):
    """A fact that the answer rests on."""

    event: ClassVar[str] = "citation_data"

    id: str
    text: str


class Answered(msgspec.Struct, frozen=True):
    """How far the answer can be trusted, and why."""

    event: ClassVar[str] = "metadata"

    trust_score: float
    latency_ms: int
    query_id: str
    answered: bool
    trust: dict[str, float]


class QueryFailed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why there is no answer."""

    event: ClassVar[str] = "error"

    code: str
    message: str
    candidates: list[CandidateShown] | None = None


class StreamEnd(msgspec.Struct, frozen=True):
    """Nothing more comes."""

    event: ClassVar[str] = "end"

    message: str


class BrowseFilter(msgspec.Struct, frozen=True):
    """Which part of the graph to show."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Meta(ge=1, le=2_000)] = 500
    node_types_filter: list[str] | None = None
    relation_types_filter: list[str] | None = None
    center_node_id: str | None = None
    hops: Annotated[int, Meta(ge=1, le=3)] = 1
    search_term: Annotated[str, Meta(min_length=3, max_length=200)] | None = None


class BrowsePage(msgspec.Struct, frozen=True):
    """A page of the graph; the totals count everything that the filters let through."""

    nodes: list[NodeShown]
    links: list[LinkShown]
    page: int
    limit: int
    total_nodes_in_filter: int
    total_links_in_filter: int
    has_more: bool


class TripleBody(msgspec.Struct, frozen=True):
    """A fact in words."""

    head: str
    relation: str
    tail: str


class IngestBody(msgspec.Struct, frozen=True):
    """Facts for the graph."""

    triples: Annotated[list[TripleBody], Meta(max_length=MOST_TRIPLES)]


class IngestError(msgspec.Struct, frozen=True):
    """A triple that was left out, and why."""

    index: int
    triple: TripleBody
    code: str
    error: str


class IngestAnswer(msgspec.Struct, frozen=True):
    """What was taken in."""

    status: str
    triples_staged: int
    errors: list[IngestError]
    message: str
    duplicates: int


class FeedbackBody(msgspec.Struct, frozen=True):
    """A verdict on an answer."""

    query_id: Annotated[str, Meta(min_length=1, max_length=200)]
    is_correct: bool
    comment: Long | None = None
    expected_answer: Long | None = None


class FeedbackAnswer(msgspec.Struct, frozen=True):
    """The verdict is kept."""

    status: str
    message: str


class Alive(msgspec.Struct, frozen=True):
    """The door answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether every part does its work."""

    status: str
    checks: dict[str, str]
