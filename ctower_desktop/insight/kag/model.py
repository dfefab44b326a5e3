"""What is computed from the event log, as stored and as served."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound

SignalKey = Literal[
    "waiting_on_client_days",
    "response_time_avg",
    "blockers_age",
    "stage_overdue",
    "agreement_overdue_count",
    "sentiment_trend",
    "scope_creep_rate",
    "budget_burn_rate",
    "margin_risk",
    "activity_drop",
]
SignalStatus = Literal["ok", "warn", "critical"]
ScoreType = Literal["project_health", "risk", "client_value", "upsell_likelihood"]
Level = Literal["low", "medium", "high", "critical"]
RiskType = Literal["delivery_risk", "finance_risk", "client_risk", "scope_risk"]
RISK_TYPES: tuple[RiskType, ...] = ("client_risk", "delivery_risk", "finance_risk", "scope_risk")
Category = Literal[
    "waiting_on_client",
    "scope_creep_change_request",
    "delivery_risk",
    "finance_risk",
    "upsell_opportunity",
    "winback",
]
OldStatus = Literal["proposed", "accepted", "dismissed", "done"]
Status = Literal["new", "acknowledged", "done", "dismissed"]
STATUSES: tuple[str, ...] = ("new", "acknowledged", "done", "dismissed")
Helpful = Literal["helpful", "not_helpful", "unknown"]
HELPFUL: tuple[str, ...] = ("helpful", "not_helpful", "unknown")
ActionType = Literal["create_or_update_task", "send_message", "set_reminder"]
WINDOWS: tuple[int, ...] = (7, 14, 30)


class RecommendationNotFound(NotFound):
    """There is no such recommendation in this project."""

    code = "recommendation_not_found"


class InvalidStatus(Invalid):
    """A recommendation is new, acknowledged, done or dismissed."""

    code = "invalid_status"


class InvalidFeedback(Invalid):
    """Feedback is helpful, not_helpful or unknown."""

    code = "invalid_feedback"


class ActionInvalid(Invalid):
    """That cannot be done about this recommendation."""

    code = "recommendation_action_invalid"


class ActionFailed(Conflict):
    """It was tried and did not succeed."""

    code = "recommendation_action_failed"


class RetryInvalid(Invalid):
    """Only what failed can be tried again, and not for ever."""

    code = "recommendation_action_retry_invalid"


class ActionNotFound(NotFound):
    """Nothing was done under that id in this project."""

    code = "recommendation_action_not_found"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement stands on: at least one of the first five is given."""

    message_id: str | None = None
    linear_issue_id: str | None = None
    attio_record_id: str | None = None
    doc_url: str | None = None
    rag_chunk_id: str | None = None
    source_table: str | None = None
    source_pk: str | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which kinds of sources it names; the first four are primary."""
        named = {
            "message": self.message_id,
            "linear": self.linear_issue_id,
            "attio": self.attio_record_id,
            "doc": self.doc_url,
            "chunk": self.rag_chunk_id,
        }
        return tuple(kind for kind, value in named.items() if value)


class LogEvent(msgspec.Struct, frozen=True):
    """A line of the connectors' event log."""

    id: str
    event_type: str
    occurred_at: str
    actor: str
    source: str
    source_ref: str
    source_url: str | None
    source_message_id: str | None
    source_linear_issue_id: str | None
    source_attio_record_id: str | None
    payload_json: dict[str, Any]
    created_at: str


class Signal(msgspec.Struct, frozen=True):
    """A measured sign, and how bad it is."""

    signal_key: SignalKey
    value: float
    status: SignalStatus
    threshold_warn: float
    threshold_critical: float
    details: dict[str, Any]
    evidence_refs: list[Evidence]
    computed_at: str
    updated_at: str


class Score(msgspec.Struct, frozen=True):
    """Signs weighed together, 0 to 100."""

    score_type: ScoreType
    score: float
    level: Level
    weights: dict[str, float]
    thresholds: dict[str, float]
    factors: list[dict[str, Any]]
    evidence_refs: list[Evidence]
    computed_at: str
    updated_at: str


class OldRecommendation(msgspec.Struct, frozen=True):
    """What to do, of the first kind."""

    id: str
    category: Category
    priority: int
    status: OldStatus
    title: str
    rationale: str
    suggested_template_key: str
    suggested_template: str
    evidence_refs: list[Evidence]
    signal_snapshot: dict[str, Any]
    score_snapshot: dict[str, Any]
    created_at: str
    updated_at: str


class Snapshot(msgspec.Struct, frozen=True):
    """How a day ended."""

    id: str
    snapshot_date: str
    signals_json: list[dict[str, Any]]
    normalized_signals_json: dict[str, float]
    scores_json: list[dict[str, Any]]
    key_aggregates_json: dict[str, Any]
    evidence_refs: list[Evidence]
    publishable: bool
    created_at: str


class Outcome(msgspec.Struct, frozen=True):
    """Something that went wrong."""

    id: str
    outcome_type: RiskType
    occurred_at: str
    severity: int
    notes: str
    evidence_refs: list[Evidence]
    source_event_id: str | None
    created_at: str


class Case(msgspec.Struct, frozen=True):
    """Another project that looked like this one."""

    case_project_id: str
    case_project_name: str
    similarity_score: float
    why_similar: list[str]
    key_shared_patterns: list[str]
    outcomes_seen: list[dict[str, Any]]
    computed_at: str


class Forecast(msgspec.Struct, frozen=True):
    """How likely a risk is to come true within 7, 14 and 30 days."""

    risk_type: RiskType
    probability_7d: float
    probability_14d: float
    probability_30d: float
    expected_time_to_risk_days: float
    confidence: float
    top_drivers: list[dict[str, Any]]
    similar_cases: list[Case]
    evidence_refs: list[Evidence]
    publishable: bool
    generated_at: str
    updated_at: str


class Recommendation(msgspec.Struct, frozen=True):
    """What to do, why now, and what became of it."""

    id: str
    project_id: str
    category: Category
    priority: int
    due_date: str
    owner_role: str
    status: Status
    title: str
    rationale: str
    why_now: str
    expected_impact: str
    evidence_refs: list[Evidence]
    links: list[str]
    suggested_template_key: str
    suggested_template: str
    helpful_feedback: Helpful
    feedback_note: str | None
    signal_snapshot: dict[str, Any]
    forecast_snapshot: dict[str, Any]
    evidence_count: int
    evidence_quality_score: float
    evidence_gate_status: Literal["visible", "hidden"]
    evidence_gate_reason: str | None
    first_shown_at: str | None
    last_shown_at: str | None
    shown_count: int
    acknowledged_at: str | None
    dismissed_at: str | None
    completed_at: str | None
    created_at: str
    updated_at: str
    project_name: str
    project_badge_color: str


class ActionRun(msgspec.Struct, frozen=True):
    """Something that was done about a recommendation, or tried."""

    id: str
    recommendation_id: str
    action_type: ActionType
    status: Literal["pending", "running", "succeeded", "failed"]
    action_payload: dict[str, Any]
    result: dict[str, Any]
    dedupe_key: str
    correlation_id: str
    attempts: int
    max_retries: int
    next_retry_at: str | None
    error: str | None
    created_by: str
    created_at: str
    updated_at: str
    finished_at: str | None


class KagSummary(msgspec.Struct, frozen=True):
    """What a project's overview shows of all this."""

    health: float | None
    risk: float | None
    signals: list[Signal]  # that are not ok
    forecasts: list[Forecast]  # that stand on evidence
    recommendations: list[Recommendation]  # that wait for somebody, the most urgent first
    reminders_due: int
    computed_at: str | None
