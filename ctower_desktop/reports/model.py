"""What a digest, a report template and a report are, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound, TowerError

Format = Literal["json", "html"]
ReportStatus = Literal["pending", "generating", "completed", "failed"]
SECTIONS = ("summary_stats", "connector_health", "project_activity", "embedding_coverage", "error_summary")
Section = Literal[
    "summary_stats", "connector_health", "project_activity", "embedding_coverage", "error_summary"
]
MailKind = Literal["daily_plan", "daily_results", "weekly_plan", "weekly_results"]
MAIL_KINDS: tuple[MailKind, ...] = ("daily_plan", "daily_results", "weekly_plan", "weekly_results")

Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$",
        description="The id of the thing",
    ),
]
Offset = Annotated[int, Meta(ge=0, le=1_000_000, description="How many to leave out")]
Day = Annotated[str, Meta(max_length=40, description="A day such as 2026-11-24")]


class TemplateIdRequired(Invalid):
    """template_id is missing."""

    code = "template_id_required"


class InvalidDateFormat(Invalid):
    """Days are written as YYYY-MM-DD, the first not after the last, at most 366 of them."""

    code = "invalid_date_format"


class TemplateInvalid(Invalid):
    """The report template does not make sense."""

    code = "template_validation_error"


class TemplateNotFound(NotFound):
    """There is no such report template in this project."""

    code = "template_not_found"


class TemplateNameTaken(Conflict):
    """Another report template of this project has that name."""

    code = "template_exists"


class TemplateBuiltin(Conflict):
    """A built-in template cannot be deleted; switch it off instead."""

    code = "template_builtin"


class ReportNotFound(NotFound):
    """There is no such report in this project."""

    code = "report_not_found"


class ReportNotReady(Conflict):
    """This report has no content: it failed, or it is still being made."""

    code = "report_not_ready"


class ReportGenerationFailed(TowerError):
    """The report could not be made; it is kept with the reason."""

    code, status = "report_generation_failed", 500


class DigestNotFound(NotFound):
    """There is no such digest in this project."""

    code = "digest_not_found"


class Template(msgspec.Struct, frozen=True):
    """What a report is made of, and when by itself: five fields on the user's clock."""

    id: str
    name: str
    description: str | None
    sections: list[str]
    format: Format
    schedule: str | None
    active: bool
    builtin: str | None
    created_at: str
    updated_at: str


class PlannedTemplate(Template, frozen=True):
    """A template, and when its next report is due."""

    next_run_at: str | None


class Templates(msgspec.Struct, frozen=True):
    """Report templates by name."""

    templates: list[PlannedTemplate]


class OneTemplate(msgspec.Struct, frozen=True):
    """A report template."""

    template: PlannedTemplate


class Deleted(msgspec.Struct, frozen=True):
    """What was deleted."""

    deleted: str


class PutTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A new template, or with `id` changes to one: what is left out stays as it is."""

    id: Uuid | None = None
    name: Annotated[str, Meta(max_length=1_000)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=2_000)] | UnsetType | None = UNSET
    sections: Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=50)] | UnsetType = UNSET
    format: Annotated[str, Meta(max_length=20)] | UnsetType = UNSET
    schedule: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class ReportLine(msgspec.Struct, frozen=True):
    """A report in the list."""

    id: str
    template_id: str | None
    template_name: str
    date_range_start: str
    date_range_end: str
    format: Format
    status: ReportStatus
    error: str | None
    created_at: str


class Report(ReportLine, frozen=True):
    """A report with its content as it was when it was made."""

    data: dict[str, Any] | None


class Reports(msgspec.Struct, frozen=True):
    """Reports, the newest first, and how many there are."""

    reports: list[ReportLine]
    total: int


class OneReport(msgspec.Struct, frozen=True):
    """A report."""

    report: Report


class ListReports(msgspec.Struct, frozen=True, kw_only=True):
    """Which reports: of a template, a status, made on these days."""

    template_id: str = ""
    status: str = ""
    date_from: str = ""
    date_to: str = ""
    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most")] = 50
    offset: Offset = 0


class GenerateReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report of a template over some days; the last seven days up to today unless said."""

    template_id: Annotated[str, Meta(max_length=100)] | None = None
    date_start: Day | None = None
    date_end: Day | None = None


class ReadDocument(msgspec.Struct, frozen=True, kw_only=True):
    """In which form."""

    format: str = ""


class DailyDigest(msgspec.Struct, frozen=True):
    """What a day was like; `evidence_refs` are ids of what it stands on."""

    id: str
    digest_date: str
    summary: dict[str, Any]
    evidence_refs: list[Any]
    created_at: str
    updated_at: str


class WeeklyDigest(msgspec.Struct, frozen=True):
    """What a week was like, from Monday on."""

    id: str
    week_start: str
    summary: dict[str, Any]
    evidence_refs: list[Any]
    created_at: str
    updated_at: str


class DailyDigests(msgspec.Struct, frozen=True):
    """Daily digests, the newest first."""

    digests: list[DailyDigest]


class WeeklyDigests(msgspec.Struct, frozen=True):
    """Weekly digests, the newest first."""

    digests: list[WeeklyDigest]


class OneDailyDigest(msgspec.Struct, frozen=True):
    """A daily digest."""

    digest: DailyDigest


class OneWeeklyDigest(msgspec.Struct, frozen=True):
    """A weekly digest."""

    digest: WeeklyDigest


class GeneratedDaily(msgspec.Struct, frozen=True):
    """The digest of a day, as it was just made."""

    id: str
    digest_date: str
    summary: dict[str, Any]
    evidence_refs: list[Any]


class GeneratedWeekly(msgspec.Struct, frozen=True):
    """The digest of a week, as it was just made."""

    id: str
    week_start: str
    summary: dict[str, Any]
    evidence_refs: list[Any]


class GenerateDaily(msgspec.Struct, frozen=True, kw_only=True):
    """Of which day; today unless said."""

    digest_date: Day | None = None


class GenerateWeekly(msgspec.Struct, frozen=True, kw_only=True):
    """Of which week, by any of its days; this week unless said."""

    week_start: Day | None = None


class ListDaily(msgspec.Struct, frozen=True, kw_only=True):
    """How many days."""

    limit: Annotated[int, Meta(ge=1, le=100, description="How many at most")] = 20
    offset: Offset = 0


class ListWeekly(msgspec.Struct, frozen=True, kw_only=True):
    """How many weeks."""

    limit: Annotated[int, Meta(ge=1, le=52, description="How many at most")] = 12
    offset: Offset = 0


class Mail(msgspec.Struct, frozen=True):
    """A digest that was due to be mailed, and what became of it.

    `uncertain` means that the program died between sending and noting it; it is not sent again by itself.
    """

    kind: MailKind
    due_date: str
    recipient: str
    status: Literal["sending", "sent", "failed", "uncertain"]
    detail: str
    attempts: int
    updated_at: str


class Mails(msgspec.Struct, frozen=True):
    """Digests that were due to be mailed, the newest first."""

    mails: list[Mail]
