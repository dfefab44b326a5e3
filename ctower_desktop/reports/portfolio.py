"""What the overview of several projects holds."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.insight.analytics.money import Finances
from ctower_desktop.insight.analytics.series_store import (
    Agreements,
    Burn,
    Completeness,
    RiskPoint,
    Value,
)
from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound
from ctower_desktop.projects.model import Project


class AccountScopeRequired(Conflict):
    """Create or select a project first: it says which account scope the overview is of."""

    code = "account_scope_required"


class AccountScopeMismatch(Conflict):
    """One of these projects belongs to another account scope than the active project."""

    code = "account_scope_mismatch"


class ProjectsNotFound(NotFound):
    """None of these projects is one that you may see."""

    code = "projects_not_found"


class ProjectIdRequired(Invalid):
    """project_id is missing."""

    code = "project_id_required"


class OverviewQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which projects, as ids parted by commas, and how many messages and cards of each kind."""

    project_ids: str = ""
    message_limit: Annotated[int, Meta(ge=5, le=200, description="How many messages")] = 40
    card_limit: Annotated[int, Meta(ge=4, le=80, description="How many cards of each kind")] = 16


class ProjectRow(msgspec.Struct, frozen=True):
    """One project, money in its own main currency; `expected_revenue` is the pipeline by probability."""

    project_id: str
    project_name: str
    messages_7d: int
    linear_open_issues: int
    linear_overdue_issues: int
    attio_pipeline_amount: float
    crm_pipeline_amount: float
    attio_expected_revenue: float
    expected_revenue: float
    currency: str
    health_score: float
    risks_open: int
    unanswered: int
    client_value_score: int


class Totals(msgspec.Struct, frozen=True):
    """All chosen projects together; money is in `currency`."""

    selected_projects: int
    messages_7d: int
    linear_open_issues: int
    expected_revenue: float
    currency: str
    risks_open: int
    avg_health_score: float
    avg_client_value_score: float
    sync_completeness_pct: float


class TrendRow(msgspec.Struct, frozen=True):
    """A month."""

    period_start: str
    expected_revenue: float
    pipeline_amount: float
    costs_amount: float


class Charts(msgspec.Struct, frozen=True):
    """Series over time; weeks are named by their Monday."""

    health_score: list[Value]
    velocity_completed_issues: list[Value]
    overdue_issues_count: list[Value]
    client_responsiveness_minutes: list[Value]
    agreements_vs_signed_offers: list[Agreements]
    risks_trend: list[RiskPoint]
    burn_vs_budget: list[Burn]
    upsell_potential_score: list[Value]
    sync_reconciliation_completeness: list[Completeness]


class Dashboard(msgspec.Struct, frozen=True):
    """Figures by project, together, and over time; without projects there are no charts."""

    by_project: list[ProjectRow]
    totals: Totals | None
    trend: list[TrendRow]
    charts: Charts | UnsetType = UNSET


class MessageCard(msgspec.Struct, frozen=True):
    """Something that was said; private notes never are."""

    id: str
    project_id: str
    project_name: str
    sender_type: str | None
    contact_global_id: str | None
    conversation_global_id: str
    created_at: str
    content: str


class AgreementCard(msgspec.Struct, frozen=True):
    """Something that speaks of an agreement; a message names its conversation."""

    id: str
    project_id: str
    project_name: str
    source_table: str
    source_pk: str
    summary: str
    created_at: str
    conversation_global_id: str | None


class RiskCard(msgspec.Struct, frozen=True):
    """A risk, a severe signal or a pattern of risks."""

    id: str
    project_id: str
    project_name: str
    title: str
    severity: int
    probability: float
    status: str
    updated_at: str
    source: str


class FinanceTotals(msgspec.Struct, frozen=True):
    """Money of all chosen projects in one currency."""

    currency: str
    deal_amount: float
    pipeline_amount: float
    expected_revenue: float
    signed_total: float
    costs_amount: float
    gross_margin: float


class FinanceRow(FinanceTotals, frozen=True):
    """Money of one project in its own main currency, and in how many days its deals may close."""

    project_id: str
    project_name: str
    forecast_days: float


class ProjectValue(msgspec.Struct, frozen=True):
    """A figure of a project."""

    project_id: str
    project_name: str
    value: float


class ActualPoint(msgspec.Struct, frozen=True):
    """A week: what was planned to be spent and what was."""

    point: str
    budget: float
    actual: float


class UnitRow(msgspec.Struct, frozen=True):
    """What a client is worth beside the money expected."""

    project_id: str
    project_name: str
    client_value_score: int
    expected_revenue: float


class FunnelNode(msgspec.Struct, frozen=True):
    """A stage of the funnel, in one currency."""

    stage: str
    opportunities: int
    amount: float


class FinanceCharts(msgspec.Struct, frozen=True):
    """Money by project, over time, and by stage: all of it in the main currency of the chosen projects."""

    revenue_by_project: list[ProjectValue]
    costs_by_project: list[ProjectValue]
    margin_by_project: list[ProjectValue]
    forecast_completion_days: list[ProjectValue]
    burn_rate_trend: list[Burn]
    budget_vs_actual: list[ActualPoint]
    unit_economics_proxy: list[UnitRow]
    funnel_nodes: list[FunnelNode]


class FinancesPart(msgspec.Struct, frozen=True):
    """Money in the main currency; `by_currency` has every currency, nothing is added across."""

    totals: FinanceTotals | None
    by_project: list[FinanceRow]
    by_currency: list[Finances]
    charts: FinanceCharts | UnsetType = UNSET


class UpsellCard(msgspec.Struct, frozen=True):
    """A chance to sell more."""

    id: str
    project_id: str
    project_name: str
    title: str
    rationale: str
    score: float
    status: str
    created_at: str
    suggested_discount_pct: float


class OfferCard(msgspec.Struct, frozen=True):
    """An offer."""

    id: str
    project_id: str
    project_name: str
    title: str
    status: str
    discount_pct: float
    total: float
    currency: str
    updated_at: str


class DiscountPolicy(msgspec.Struct, frozen=True):
    """The greatest discount that fits a client."""

    project_id: str
    project_name: str
    client_value_score: int
    max_discount_pct: int


class OffersPart(msgspec.Struct, frozen=True):
    """Chances to sell more, offers, and how far discounts may go."""

    upsell: list[UpsellCard]
    recent_offers: list[OfferCard]
    discount_policy: list[DiscountPolicy]


class LoopsPart(msgspec.Struct, frozen=True):
    """People with an e-mail address."""

    contacts_with_email: int
    unique_emails: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Several projects at a glance."""

    projects: list[Project]
    selected_project_ids: list[str]
    dashboard: Dashboard
    messages: list[MessageCard]
    agreements: list[AgreementCard]
    risks: list[RiskCard]
    finances: FinancesPart
    offers: OffersPart
    loops: LoopsPart


class MessagesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which project and person, and how many of the newest messages."""

    project_id: str = ""
    contact_global_id: str = ""
    limit: Annotated[int, Meta(ge=20, le=500, description="How many messages")] = 200


class ProjectCard(msgspec.Struct, frozen=True):
    """A project."""

    id: str
    name: str
    account_scope_id: str


class PersonCard(msgspec.Struct, frozen=True):
    """Somebody who writes to the agency."""

    contact_global_id: str
    person_name: str
    email: str | None


class File(msgspec.Struct, frozen=True):
    """A file that came with a message; it stays at the vendor."""

    id: str
    name: str
    url: str | None
    content_type: str | None


class TalkMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the talk with a person."""

    id: str
    project_id: str
    project_name: str
    contact_global_id: str | None
    conversation_global_id: str
    sender_type: str | None
    author_name: str | None
    channel: str
    created_at: str
    content: str
    attachments: list[File]


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """People of a project, and the newest messages with one of them in the order they were written."""

    project: ProjectCard
    persons: list[PersonCard]
    selected_contact_global_id: str | None
    messages: list[TalkMessage]
