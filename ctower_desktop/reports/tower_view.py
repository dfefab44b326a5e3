"""What the control tower of one project holds."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from ctower_desktop.insight.analytics.model import AnalyticsOverview
from ctower_desktop.insight.kag.model import KagSummary
from ctower_desktop.insight.risk.model import RiskOverview


class Watermark(msgspec.Struct, frozen=True):
    """How far a source has been read."""

    source: str
    cursor_ts: str | None
    cursor_id: str | None
    updated_at: str


class LinearPart(msgspec.Struct, frozen=True):
    """Issues: all, unfinished, unfinished and late."""

    issues_total: int
    issues_open: int
    issues_overdue: int


class MoneyByCurrency(msgspec.Struct, frozen=True):
    """The open pipeline in one currency."""

    currency: str
    pipeline_amount: float
    expected_revenue: float


class AttioPart(msgspec.Struct, frozen=True):
    """Companies, and what is still open of their deals; won and lost ones are no pipeline."""

    accounts: int
    annual_revenue: float
    pipeline_amount: float
    currency: str
    by_currency: list[MoneyByCurrency]


class ChatwootPart(msgspec.Struct, frozen=True):
    """Conversations, what was said in the last seven days, and how many clients wait for an answer."""

    conversations: int
    messages_7d: int
    unanswered: int


class Integrations(msgspec.Struct, frozen=True):
    """What the sources hold."""

    sync_watermarks: list[Watermark]
    linear: LinearPart
    attio: AttioPart
    chatwoot: ChatwootPart


class TopAction(msgspec.Struct, frozen=True):
    """What to do next."""

    id: str
    signal_id: str | None
    action_type: str
    priority: int
    status: str
    summary: str
    due_date: str | None
    owner_username: str | None
    evidence_refs: list[str]
    updated_at: str


class SignalCard(msgspec.Struct, frozen=True):
    """A severe signal."""

    id: str
    signal_type: str
    severity: int
    confidence: float
    summary: str
    status: str
    evidence_refs: list[str]
    created_at: str


class EvidenceCard(msgspec.Struct, frozen=True):
    """Something that was pointed at."""

    id: int
    source_type: str
    source_table: str
    source_pk: str
    snippet: str | None
    created_at: str


class ControlTower(msgspec.Struct, frozen=True, kw_only=True):
    """One project at a glance; `kag` is there while KAG is live."""

    project_id: str
    account_scope_id: str
    integrations: Integrations
    top_nba: list[TopAction]
    critical_signals: list[SignalCard]
    risk: RiskOverview
    analytics: AnalyticsOverview
    evidence: list[EvidenceCard]
    kag: KagSummary | UnsetType = UNSET
