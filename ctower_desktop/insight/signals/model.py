"""What a signal, a next best action and a chance to sell more are, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.kernel.errors import Invalid, NotFound

SignalType = Literal[
    "delivery_risk",
    "commercial_pressure",
    "upsell_intent",
    "urgency_increase",
    "delivery_overdue",
    "deal_without_next_step",
    "communication_gap",
    "silence",
    "scope_change",
    "approval_request",
    "sentiment_trend",
]
SignalStatus = Literal["proposed", "accepted", "dismissed", "done"]
ActionStatus = Literal["proposed", "accepted", "dismissed", "done", "cancelled"]
UpsellStatus = Literal["proposed", "accepted", "dismissed", "converted"]
SourceKind = Literal["conversation", "crm", "linear", "campaign", "system"]
Language = Literal["ru", "en"]

OPEN = ("proposed", "accepted")
MOST_EVIDENCE = 50

Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$",
        description="The id of the thing",
    ),
]
Limit = Annotated[int, Meta(ge=1, le=400, description="How many at most")]
Offset = Annotated[int, Meta(ge=0, le=1_000_000, description="How many to leave out")]


class SignalNotFound(NotFound):
    """There is no such signal in this project."""

    code = "signal_not_found"


class ActionNotFound(NotFound):
    """There is no such next best action in this project."""

    code = "nba_not_found"


class UpsellNotFound(NotFound):
    """There is no such chance to sell more in this project."""

    code = "upsell_not_found"


class DueDateInvalid(Invalid):
    """A due date is a day such as 2026-11-24, or null."""

    code = "invalid_due_date"


class Signal(msgspec.Struct, frozen=True):
    """Something that needs attention; `evidence_refs` are ids, the newest first.

    `created_at` is when it was first seen here; `started_at` and `last_seen_at` are the times of the oldest
    and the newest evidence; `reopened_at` says that new evidence came after it had been closed.
    """

    id: str
    signal_type: SignalType
    severity: int
    confidence: float
    summary: str
    status: SignalStatus
    source_kind: SourceKind
    source_ref: str
    evidence_refs: list[str]
    started_at: str
    last_seen_at: str
    reopened_at: str | None
    created_at: str
    updated_at: str


class Evidence(msgspec.Struct, frozen=True):
    """One sentence a signal stands on."""

    ref: str
    author: str | None
    quote: str
    said_at: str


class Settled(msgspec.Struct, frozen=True):
    """When a signal was closed last, by whom (`system`: the cause was gone), and with what evidence."""

    at: str
    by: str
    evidence_refs: list[str]


class NextAction(msgspec.Struct, frozen=True):
    """What to do about a signal, by when, and who."""

    id: str
    signal_id: str | None
    action_type: str
    priority: int
    status: ActionStatus
    summary: str
    due_date: str | None
    owner_username: str | None
    evidence_refs: list[str]
    created_at: str
    updated_at: str


class Upsell(msgspec.Struct, frozen=True):
    """A chance to sell more, with an offer and a message to begin with."""

    id: str
    account_external_id: str | None
    source_ref: str
    title: str
    rationale: str
    score: float
    status: UpsellStatus
    suggested_offer_payload: dict[str, Any]
    suggested_outbound_payload: dict[str, Any]
    evidence_refs: list[str]
    created_at: str
    updated_at: str


class ListSignals(msgspec.Struct, frozen=True, kw_only=True):
    """Which signals: of a status, a type, a severity, or at least a severity."""

    status: str = ""
    type: str = ""
    severity: Annotated[int, Meta(ge=0, le=5, description="Exactly this severity; 0: any")] = 0
    severity_min: Annotated[int, Meta(ge=1, le=5, description="At least this severity")] = 1
    limit: Limit = 100
    offset: Offset = 0


class ListByStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Which of them: those of a status."""

    status: str = ""
    limit: Limit = 100
    offset: Offset = 0


class SetSignalStatus(msgspec.Struct, frozen=True):
    """The new status of a signal."""

    status: SignalStatus


class SetActionStatus(msgspec.Struct, frozen=True):
    """The new status of a next best action."""

    status: ActionStatus


class SetUpsellStatus(msgspec.Struct, frozen=True):
    """The new status of a chance to sell more."""

    status: UpsellStatus


class EditAction(msgspec.Struct, frozen=True, kw_only=True):
    """Another day or another owner; what is left out stays as it is, null takes it away."""

    due_date: Annotated[str, Meta(max_length=40)] | UnsetType | None = UNSET
    owner_username: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET


class Signals(msgspec.Struct, frozen=True):
    """Signals, the worst first."""

    signals: list[Signal]


class OneSignal(msgspec.Struct, frozen=True):
    """One signal."""

    signal: Signal


class SignalInFull(msgspec.Struct, frozen=True, kw_only=True):
    """One signal, the sentences it stands on, what to do about it, and how it was closed last."""

    signal: Signal
    evidence: list[Evidence]
    actions: list[NextAction]
    settled: Settled | None


class NextActions(msgspec.Struct, frozen=True):
    """Next best actions, the most pressing first."""

    items: list[NextAction]


class OneAction(msgspec.Struct, frozen=True):
    """One next best action."""

    item: NextAction


class Upsells(msgspec.Struct, frozen=True):
    """Chances to sell more, the best first."""

    opportunities: list[Upsell]


class OneUpsell(msgspec.Struct, frozen=True):
    """One chance to sell more."""

    item: Upsell


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """What extraction found.

    `generated_candidates` and `touched_signals` count the stories that stand now, new or old, `touched_nba`
    what is to be done about them; the others say what this run changed.
    """

    generated_candidates: int
    touched_signals: int
    touched_nba: int
    messages_read: int
    created: int
    reopened: int
    closed: int


class Extracted(msgspec.Struct, frozen=True):
    """How extraction ended."""

    result: Extraction


class RadarResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the radar found: chances that stand now, and those of them nobody has decided against."""

    generated_candidates: int
    touched: int
    created: int
    closed: int


class RadarRefreshed(msgspec.Struct, frozen=True):
    """How refreshing the radar ended."""

    result: RadarResult
