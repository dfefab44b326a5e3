"""What a question, a piece of evidence and an answer are, as asked and as served."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.kernel.errors import Invalid, NotFound, TowerError

SourceType = Literal["message", "issue", "comment", "deal", "note", "task"]
Kind = Literal["messages", "issues", "deals", "chunks"]
KINDS: dict[str, Kind] = {
    "messages": "messages",
    "issues": "issues",
    "deals": "deals",
    "opportunities": "deals",
    "chunks": "chunks",
}
KIND_OF: dict[SourceType, Kind] = {
    "message": "messages",
    "issue": "issues",
    "comment": "issues",
    "deal": "deals",
    "note": "deals",
    "task": "deals",
}
EVIDENCE_TYPES: dict[SourceType, str] = {
    "message": "chatwoot_message",
    "issue": "linear_issue",
    "comment": "linear_comment",
    "deal": "attio_opportunity",
    "note": "attio_note",
    "task": "attio_task",
}
MOST_EVIDENCE = 50


class InvalidDateRange(Invalid):
    """The first day lies after the last one."""

    code = "invalid_date_range"


class QueryRunNotFound(NotFound):
    """There is no such answer in this project."""

    code = "query_run_not_found"


class FeedbackFailed(Invalid):
    """This piece of evidence is not part of that answer."""

    code = "feedback_failed"


class EmbeddingsJobFailed(TowerError):
    """Texts could not be embedded; search goes on by words."""

    code, status = "embeddings_job_failed", 500


QueryText = Annotated[str, Meta(min_length=1, max_length=4000, description="The question, in words")]
TopK = Annotated[int, Meta(ge=1, le=50, description="How many chunks at most")]
SourceLimit = Annotated[
    int, Meta(ge=1, le=25, description="How many messages, issues and deals at most, each")
]
Moment = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"^\s*(\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?\s*$",
        description="A day (the last one counts whole) or a moment, ISO 8601",
    ),
]


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and how far the search may go."""

    query: QueryText
    top_k: TopK = msgspec.field(default=10, name="topK")
    source_limit: SourceLimit = msgspec.field(default=8, name="sourceLimit")
    date_from: Moment | None = None
    date_to: Moment | None = None
    include_private: bool = msgspec.field(default=False, name="includePrivate")


class LightragQuery(SearchQuery, frozen=True, kw_only=True):
    """A question to be answered from some or all sources."""

    source_filter: list[str] | None = msgspec.field(default=None, name="sourceFilter")
    any_time: bool = msgspec.field(default=False, name="anyTime")  # time words narrow nothing


class ChunkHit(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk that answers the question; `distance` is null for one found by its words only."""

    id: str
    conversation_global_id: str | None
    message_global_id: str | None
    source_type: str
    source_pk: str
    chunk_index: int
    text: str
    created_at: str
    distance: float | None


class ScoreBreakdown(msgspec.Struct, frozen=True):
    """What a score is made of, each part between 0 and 1."""

    semantic: float
    recency: float
    authority: float


class EvidenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that bears on the question; its place in the list is the number answers cite it by."""

    source_type: str
    source_pk: str
    source_ref: str | None
    title: str | None
    snippet: str
    created_at: str | None
    metadata: dict[str, Any]
    score: float | UnsetType = msgspec.field(default=UNSET, name="_score")
    score_breakdown: ScoreBreakdown | UnsetType = msgspec.field(default=UNSET, name="_scoreBreakdown")


class MessageHit(msgspec.Struct, frozen=True, kw_only=True):
    """A message with the words of the question."""

    id: str
    source_ref: str | None
    snippet: str
    created_at: str
    metadata: dict[str, Any]


class TitledHit(msgspec.Struct, frozen=True, kw_only=True):
    """An issue or a deal with the words of the question."""

    id: str
    source_ref: str | None
    title: str | None
    snippet: str
    updated_at: str
    metadata: dict[str, Any]


class Entities(msgspec.Struct, frozen=True):
    """What was found by words, by kind."""

    messages: list[MessageHit]
    issues: list[TitledHit]
    opportunities: list[TitledHit]


class Stats(msgspec.Struct, frozen=True):
    """How much was found, by kind."""

    chunks: int
    messages: int
    issues: int
    opportunities: int


class RankingStats(msgspec.Struct, frozen=True, rename="camel"):
    """The scores of the evidence in four figures."""

    avg_score: float
    max_score: float
    min_score: float
    count: int


class Days(msgspec.Struct, frozen=True):
    """Days that the question's own words name and that the search kept to, both within."""

    first: str
    last: str
    words: str


class SearchConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How the search went: the contract's two knobs, and what took part."""

    ivfflat_probes: int = 10
    hnsw_ef_search: int = 40
    vectors: Literal["used", "off", "unavailable"]
    degraded: str | None  # why vectors did not take part, in words


class LightragAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with its evidence."""

    query: str
    top_k: int = msgspec.field(name="topK")
    query_run_id: str
    embedding_model: str
    search_config: SearchConfig
    quality_score: int
    source_diversity: int
    confidence: float  # how sure it is that the evidence holds the answer, between 0 and 1
    period: Days | None
    answer: str
    answered_by: str  # "extract", or the chat model's name
    citations: list[int]
    chunks: list[ChunkHit]
    evidence: list[EvidenceItem]
    entities: Entities
    stats: Stats
    ranking_stats: RankingStats
    duration_ms: int
    cached: bool | UnsetType = UNSET


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, with a short answer."""

    query: str
    top_k: int = msgspec.field(name="topK")
    mode: Literal["lightrag"] = "lightrag"
    query_run_id: str
    embedding_model: str
    search_config: SearchConfig
    quality_score: int
    source_diversity: int
    confidence: float
    period: Days | None
    answer: str
    answered_by: str
    citations: list[int]
    results: list[ChunkHit]
    chunks: list[ChunkHit]
    evidence: list[EvidenceItem]
    entities: Entities
    stats: Stats


class EmbeddingCounts(msgspec.Struct, frozen=True):
    """How many chunks wait for a vector, are getting one, have one, cannot get one."""

    pending: int
    processing: int
    ready: int
    failed: int


class SourceTotals(msgspec.Struct, frozen=True):
    """How many texts there are to find."""

    messages_total: int
    linear_issues_total: int
    opportunities_total: int


class IndexStatus(msgspec.Struct, frozen=True):
    """How far the index is: texts that wait for their words, the model in use, and why vectors are off."""

    queued: int
    chunks: int
    model: str | None
    building: str | None
    problem: str | None


class LightragStatus(msgspec.Struct, frozen=True):
    """How complete the index of a project is."""

    project_id: str
    account_scope_id: str
    embeddings: EmbeddingCounts
    sources: SourceTotals
    index: IndexStatus


class EmbeddingsResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one run of the embedder did."""

    processed: int
    failed: int
    status: Literal["idle", "ok", "partial"]
    model: str | UnsetType = UNSET
    total_tokens: int | UnsetType = msgspec.field(default=UNSET, name="totalTokens")


class EmbeddingsAnswer(msgspec.Struct, frozen=True):
    """What one run of the embedder did, as served."""

    result: EmbeddingsResult


class RefreshResult(msgspec.Struct, frozen=True):
    """A run of the embedder, and where that leaves the index."""

    embeddings: EmbeddingsResult
    status: LightragStatus


class RefreshAnswer(msgspec.Struct, frozen=True):
    """A run of the embedder, as served."""

    result: RefreshResult


class NewFeedback(msgspec.Struct, frozen=True):
    """How good an answer was; with `source_pk`, how good one piece of its evidence was."""

    query_run_id: Annotated[int, Meta(gt=0, le=2**63 - 1)]
    rating: Literal[-1, 0, 1]
    comment: Annotated[str, Meta(max_length=2000)] | None = None
    source_pk: Annotated[str, Meta(max_length=500)] | None = None


class Feedback(msgspec.Struct, frozen=True):
    """One judgement, as kept and served."""

    id: str
    query_run_id: str
    rating: int
    comment: str | None
    created_at: str


class EvidenceQuery(msgspec.Struct, frozen=True):
    """Which evidence, and how much of it."""

    q: Annotated[str, Meta(max_length=4000)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 30


class EvidenceRow(msgspec.Struct, frozen=True):
    """Something that was pointed at as evidence, as stored and served."""

    id: str
    source_type: str
    source_table: str
    source_pk: str
    conversation_global_id: str | None
    message_global_id: str | None
    contact_global_id: str | None
    snippet: str | None
    payload: dict[str, Any]
    created_at: str


class EvidenceAnswer(msgspec.Struct, frozen=True):
    """Evidence, the newest first."""

    evidence: list[EvidenceRow]
