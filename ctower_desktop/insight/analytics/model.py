"""Snapshots of revenue, delivery and communication, costs, days and evidence, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import Invalid, NotFound

EntryType = Literal["budget", "cost", "revenue"]
HORIZONS = (30, 60, 90)
PERIOD_DAYS = 30

EntryId = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        ),
        description="The id of an entry",
    ),
]
Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most")]
Offset = Annotated[int, Meta(ge=0, le=1_000_000, description="How many to leave out")]


class EntryNotFound(NotFound):
    """There is no such entry in this project."""

    code = "cost_entry_not_found"


class InvalidDate(Invalid):
    """A date is a day such as 2026-11-20."""

    code = "invalid_date"


class RefreshAnalytics(msgspec.Struct, frozen=True):
    """Over how many days, up to now."""

    period_days: Annotated[int, Meta(ge=1, le=120)] = PERIOD_DAYS


class CurrencyRevenue(msgspec.Struct, frozen=True):
    """A forecast in one currency."""

    currency: str
    pipeline_amount: float
    commit_amount: float
    won_amount: float
    expected_revenue: float
    costs_amount: float
    gross_margin: float


class Revenue(msgspec.Struct, frozen=True):
    """What is to be expected within a horizon, in the main currency and in every other.

    The pipeline are open deals expected to close within `horizon_days` (those that are late too); `expected`
    and `commit` weigh them by probability. Won, costs and margin are those of the month from `period_start`.
    """

    period_start: str
    horizon_days: int
    currency: str
    pipeline_amount: float
    commit_amount: float
    won_amount: float
    expected_revenue: float
    costs_amount: float
    gross_margin: float
    by_currency: list[CurrencyRevenue]
    generated_at: str


class Delivery(msgspec.Struct, frozen=True):
    """Work in a period: created and completed within it, open and overdue at its end.

    `throughput` is completed a week; `lead_time_days` is the mean from created to completed.
    """

    period_start: str
    period_end: str
    open_issues: int
    overdue_issues: int
    created_issues: int
    completed_issues: int
    throughput: float
    lead_time_days: float | None
    created_at: str


class Comms(msgspec.Struct, frozen=True):
    """What was said in a period, private notes left out.

    `avg_response_minutes` counts each row of client messages once, by its first answer; rows that wait for
    one now are `unanswered`. The median tells more where some last words needed no answer.
    """

    period_start: str
    period_end: str
    inbound_messages: int
    outbound_messages: int
    unique_contacts: int
    answered: int
    unanswered: int
    avg_response_minutes: float | None
    median_response_minutes: float | None
    created_at: str


class OpenPipeline(msgspec.Struct, frozen=True):
    """All open deals of a currency, whenever they are expected to close; some say no date."""

    currency: str
    deals: int
    pipeline_amount: float
    expected_revenue: float
    undated_deals: int


class AnalyticsOverview(msgspec.Struct, frozen=True):
    """The newest snapshots, and the open pipeline as it is now."""

    revenue: list[Revenue]
    delivery: Delivery | None
    comms: Comms | None
    pipeline: list[OpenPipeline]


class RefreshResult(msgspec.Struct, frozen=True, kw_only=True):
    """The figures found just now; money is the whole open pipeline, in `currency` and by currency."""

    period_start: str
    period_end: str
    currency: str
    pipeline_amount: float
    expected_revenue: float
    open_issues: int
    overdue_issues: int
    completed_issues: int
    inbound_messages: int
    outbound_messages: int
    avg_response_minutes: float | None
    median_response_minutes: float | None
    by_currency: list[OpenPipeline]


class RefreshAnswer(msgspec.Struct, frozen=True):
    """What the refresh found."""

    result: RefreshResult


class DrillDown(msgspec.Struct, frozen=True, kw_only=True):
    """Which evidence: of a type or of a table."""

    source: str = ""
    limit: Limit = 50
    offset: Offset = 0


class Evidence(msgspec.Struct, frozen=True):
    """Something figures and decisions point at."""

    id: int
    source_type: str
    source_table: str
    source_pk: str
    snippet: str | None
    payload: dict[str, Any]
    created_at: str


class EvidenceFound(msgspec.Struct, frozen=True):
    """Evidence, the newest first."""

    evidence: list[Evidence]


class ReadDays(msgspec.Struct, frozen=True):
    """How many days, up to today."""

    days: Annotated[int, Meta(ge=1, le=366, description="How many days, up to today")] = 30


class Day(msgspec.Struct, frozen=True):
    """Figures of one UTC day; days on which nothing happened are left out."""

    day: str
    inbound: int
    outbound: int
    answers: int
    avg_response_minutes: float | None
    issues_created: int
    issues_completed: int
    lead_time_days: float | None


class DayMoney(msgspec.Struct, frozen=True):
    """Money of one UTC day in one currency."""

    day: str
    currency: str
    won_count: int
    won_amount: float
    lost_count: int
    lost_amount: float
    costs: float
    budget: float
    revenue: float


class Days(msgspec.Struct, frozen=True):
    """Figures by day, oldest first."""

    days: list[Day]
    money: list[DayMoney]


class ListUnanswered(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of what waits."""

    limit: Limit = 50
    offset: Offset = 0


class Waiting(msgspec.Struct, frozen=True):
    """A client who waits for an answer since `since`; `messages` were written meanwhile."""

    conversation_global_id: str
    contact_global_id: str | None
    contact_name: str | None
    message_global_id: str
    snippet: str
    messages: int
    since: str
    waiting_minutes: float
    assignee_name: str | None


class Unanswered(msgspec.Struct, frozen=True):
    """Clients who wait, the longest first, and how many there are."""

    total: int
    waiting: list[Waiting]


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Money planned, spent or received, typed in by a person."""

    entry_type: EntryType
    amount: Annotated[float, Meta(ge=0.01, le=1e9)]
    currency: Annotated[
        str, Meta(pattern=r"^([A-Za-z]{3})?$", description="Three letters; the main one when empty")
    ] = ""
    date: Annotated[
        str,
        Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="A day such as 2026-11-20; today when empty"),
    ] = ""
    note: Annotated[str, Meta(max_length=1000)] | None = None


class ListEntries(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries: of a type, or all."""

    entry_type: str = ""
    limit: Limit = 100
    offset: Offset = 0


class Entry(msgspec.Struct, frozen=True):
    """An entry of a project's budget, costs or revenue."""

    id: str
    entry_type: EntryType
    amount: float
    currency: str
    date: str
    note: str | None
    created_by: str
    created_at: str


class EntryTotal(msgspec.Struct, frozen=True):
    """All entries of a type in a currency."""

    entry_type: EntryType
    currency: str
    amount: float
    entries: int


class Entries(msgspec.Struct, frozen=True):
    """Entries, the newest day first, and what all of them add up to."""

    entries: list[Entry]
    totals: list[EntryTotal]


class EntryAnswer(msgspec.Struct, frozen=True):
    """One entry."""

    entry: Entry


class Deleted(msgspec.Struct, frozen=True):
    """What was deleted."""

    deleted: str
