"""What a digest holds: a day or a week of one project, figures and the things behind them."""

from __future__ import annotations

import msgspec

from ctower_desktop.insight.analytics.model import Comms, Delivery, Revenue
from ctower_desktop.reports.tower_view import SignalCard, TopAction


class Highlights(msgspec.Struct, frozen=True):
    """What waits for somebody, as it is now."""

    proposed_signals: int
    overdue_issues: int
    outbound_draft: int
    outbound_approved: int
    outbound_failed: int


class Period(msgspec.Struct, frozen=True):
    """From one moment up to another, and the days they are on the user's clock."""

    start: str
    end: str
    first_day: str
    last_day: str


class TaskLine(msgspec.Struct, frozen=True):
    """An issue."""

    id: str
    identifier: str
    title: str
    assignee_name: str | None
    due_date: str | None
    url: str | None


class TaskCounts(msgspec.Struct, frozen=True):
    """Issues of the period (closed, created), and as they are now."""

    closed: int
    created: int
    overdue: int
    blocked: int
    due_today: int


class Tasks(msgspec.Struct, frozen=True, kw_only=True):
    """Work: how much, and the first of each kind."""

    counts: TaskCounts
    closed: list[TaskLine]
    created: list[TaskLine]
    overdue: list[TaskLine]
    blocked: list[TaskLine]
    due_today: list[TaskLine]


class TalkCounts(msgspec.Struct, frozen=True):
    """What was said in a period; response time counts every row of client messages once."""

    inbound: int
    outbound: int
    answered: int
    avg_response_minutes: float | None


class Before(msgspec.Struct, frozen=True):
    """The figures of the period before."""

    closed: int
    created: int
    messages: TalkCounts


class WaitingLine(msgspec.Struct, frozen=True):
    """A client who waits for an answer."""

    conversation_global_id: str
    message_global_id: str
    contact_name: str | None
    snippet: str
    since: str
    waiting_minutes: float


class Talks(msgspec.Struct, frozen=True):
    """What was said, and who waits: rows of client messages that nobody has answered."""

    counts: TalkCounts
    unanswered: int
    waiting: list[WaitingLine]


class DealLine(msgspec.Struct, frozen=True):
    """A deal that was won or lost."""

    ref: str
    title: str
    stage: str
    amount: float
    currency: str
    closed_at: str


class MoveLine(msgspec.Struct, frozen=True):
    """A deal that went from one stage to another."""

    opportunity_id: str
    title: str
    from_stage: str
    to_stage: str
    at: str


class Sum(msgspec.Struct, frozen=True):
    """How many, and what they are worth, in one currency."""

    currency: str
    count: int
    amount: float


class Deals(msgspec.Struct, frozen=True):
    """Deals of the period: won, lost, moved on."""

    won: list[DealLine]
    lost: list[DealLine]
    moved: list[MoveLine]


class DaySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A day. `before` are the figures of the day before."""

    project_id: str
    account_scope_id: str
    generated_at: str
    period: Period
    highlights: Highlights
    tasks: Tasks
    messages: Talks
    deals: Deals
    critical_signals: list[SignalCard]
    top_nba: list[TopAction]
    before: Before


class Pipeline(msgspec.Struct, frozen=True):
    """Open deals in one currency at the end of the week, and a week before."""

    currency: str
    amount: float
    amount_before: float
    expected: float


class Sales(msgspec.Struct, frozen=True, kw_only=True):
    """What was won and lost in the week and the one before, and how much of what was decided was won."""

    won: list[Sum]
    won_before: list[Sum]
    lost: list[Sum]
    lost_before: list[Sum]
    pipeline: list[Pipeline]
    win_rate_pct: float | None
    win_rate_before_pct: float | None
    win_rate_90d_pct: float | None


class OfferSums(msgspec.Struct, frozen=True):
    """Offers sent and signed in the week and the one before."""

    sent: list[Sum]
    sent_before: list[Sum]
    signed: list[Sum]
    signed_before: list[Sum]


class Velocity(msgspec.Struct, frozen=True):
    """Issues closed and created in the week and the one before."""

    closed: int
    created: int
    closed_before: int
    created_before: int


class PortfolioPart(msgspec.Struct, frozen=True):
    """Open deals, and the newest snapshots of revenue, delivery and communication."""

    open_pipeline: int
    revenue: list[Revenue]
    delivery: Delivery | None
    comms: Comms | None


class HealthPart(msgspec.Struct, frozen=True):
    """The newest health score, and that of a week before."""

    score: float
    generated_at: str
    before: float | None


class RiskLine(msgspec.Struct, frozen=True):
    """A live risk."""

    id: str
    title: str
    severity: int
    probability: float
    status: str
    mitigation_action: str | None
    evidence_refs: list[str]


class PatternLine(msgspec.Struct, frozen=True):
    """An open pattern of risks."""

    pattern_key: str
    title: str
    weight: float


class RiskPart(msgspec.Struct, frozen=True):
    """Health, the worst risks, patterns."""

    health: HealthPart | None
    top_risks: list[RiskLine]
    patterns: list[PatternLine]


class GrowthPart(msgspec.Struct, frozen=True):
    """What to do next."""

    top_nba: list[TopAction]


class WeekSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A week. `before` are the figures of the week before."""

    project_id: str
    account_scope_id: str
    generated_at: str
    period: Period
    portfolio: PortfolioPart
    risk: RiskPart
    growth: GrowthPart
    sales: Sales
    offers: OfferSums
    velocity: Velocity
    messages: Talks
    deals: Deals
    critical_signals: list[SignalCard]
    before: Before
