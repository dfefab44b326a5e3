"""/reports: templates with their schedules, reports made from them, and their documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import UnsetType

from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.endpoint import TOWER, Reply, Text
from ctower_desktop.kernel.errors import InvalidUuid, Issue
from ctower_desktop.kernel.regional import Regional, day_bounds
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import AuditLine, Scoped
from ctower_desktop.reports import cron, rendering, report_store, template_store
from ctower_desktop.reports.digest_actions import read_day
from ctower_desktop.reports.digests import today_of
from ctower_desktop.reports.model import (
    SECTIONS,
    Deleted,
    Format,
    GenerateReport,
    InvalidDateFormat,
    ListReports,
    OneReport,
    OneTemplate,
    PutTemplate,
    ReadDocument,
    ReportGenerationFailed,
    ReportNotFound,
    ReportNotReady,
    Reports,
    Template,
    TemplateBuiltin,
    TemplateIdRequired,
    TemplateInvalid,
    TemplateNameTaken,
    TemplateNotFound,
    Templates,
    Uuid,
)
from ctower_desktop.reports.report_document import report_document
from ctower_desktop.reports.reporting import make_report, planned, speech
from ctower_desktop.reports.words import Speech

T = TypeVar("T")

_LONGEST_RANGE, _LONGEST_NAME = 366, 200
_FORMATS: tuple[Format, ...] = ("json", "html")


@TOWER.get("/reports")
async def list_reports(call: Scoped, query: ListReports) -> Reports:
    """Reports of the project, the newest first."""
    regional, db = call.tower.settings.get(Regional), call.tower.db
    first, last = _filter_day(query.date_from), _filter_day(query.date_to)
    since = as_text(day_bounds(first, regional)[0]) if first else ""
    until = as_text(day_bounds(last, regional)[1]) if last else ""
    return await db.read(report_store.listed, call.project_id, query, since, until)


@TOWER.post(
    "/reports/generate",
    raises=(TemplateIdRequired, InvalidUuid, TemplateNotFound, InvalidDateFormat, ReportGenerationFailed),
    status=201,
    audit="report.generate",
    pace="expensive",
)
async def generate_report(call: Scoped, body: GenerateReport) -> OneReport:
    """Make a report of a template now and keep it; one that could not be made is kept with the reason."""
    if not body.template_id:
        raise TemplateIdRequired
    if not is_uuid(body.template_id):
        raise InvalidUuid(f"{body.template_id[:80]!r} is not a UUID.")
    template = await call.tower.db.read(template_store.one, call.project_id, body.template_id.lower())
    end = read_day(body.date_end) if body.date_end else today_of(call)
    start = read_day(body.date_start) if body.date_start else end - timedelta(days=7)
    if not timedelta(0) <= end - start < timedelta(days=_LONGEST_RANGE):
        raise InvalidDateFormat
    call.noted.about("report_template", template.id, template_name=template.name)
    report = await make_report(call, template, start, end)
    assert report is not None, "only a time of a schedule can have been served before"
    call.noted.about("report", report.id)
    return OneReport(report)


@TOWER.get("/reports/templates")
async def list_report_templates(call: Scoped) -> Templates:
    """Templates of the project by name; a project without any gets the three that are built in."""
    tower = call.tower
    if not await tower.db.read(template_store.has_any, call.project_id):
        await tower.db.write(template_store.ensure_builtins, call.project_ref, tower.clock.text())
    now, regional = tower.clock.now(), tower.settings.get(Regional)
    found = await tower.db.read(template_store.listed, call.project_id)
    return Templates([planned(template, now, regional) for template in found])


@TOWER.post(
    "/reports/templates",
    raises=(TemplateInvalid, TemplateNotFound, TemplateNameTaken),
)
async def put_report_template(call: Scoped, body: PutTemplate) -> Reply[OneTemplate]:
    """Add a template, or with `id` change one."""
    tower, db, at = call.tower, call.tower.db, call.tower.clock.text()
    await db.write(template_store.ensure_builtins, call.project_ref, at)
    if body.id is None:
        kept = await db.write_durably(template_store.add, call.project_ref, _new(body, at))
    else:
        before = await db.read(template_store.one, call.project_id, body.id.lower())
        kept = await db.write_durably(template_store.change, call.project_id, _changed(before, body), at)
    line = AuditLine(
        action="report_template.create" if body.id is None else "report_template.update",
        entity_type="report_template",
        entity_id=kept.id,
        payload={
            "name": kept.name,
            "sections": kept.sections,
            "schedule": kept.schedule,
            "active": kept.active,
        },
    )
    await tower.audit(call, line)
    answer = OneTemplate(planned(kept, tower.clock.now(), tower.settings.get(Regional)))
    return Reply(answer, status=201 if body.id is None else 200)


@TOWER.post(
    "/reports/templates/{template_id}/delete",
    raises=(TemplateNotFound, TemplateBuiltin),
    audit="report_template.delete",
)
async def delete_report_template(call: Scoped, template_id: Uuid) -> Deleted:
    """Delete a template that is not built in; its reports stay."""
    found = await call.tower.db.write_durably(template_store.delete, call.project_id, template_id.lower())
    call.noted.about("report_template", found.id, name=found.name)
    return Deleted(found.id)


@TOWER.get("/reports/{report_id}", raises=(ReportNotFound,))
async def read_report(call: Scoped, report_id: Uuid) -> OneReport:
    """A report as it was when it was made."""
    return OneReport(await call.tower.db.read(report_store.one, call.project_id, report_id.lower()))


@TOWER.get("/reports/{report_id}/document", raises=(ReportNotFound, ReportNotReady))
async def show_report(call: Scoped, report_id: Uuid, query: ReadDocument) -> Text:
    """A report as a page (`format=html`), as a table (`csv`) or as Markdown."""
    report = await call.tower.db.read(report_store.one, call.project_id, report_id.lower())
    if report.data is None:
        raise ReportNotReady
    return await asyncio.to_thread(_shown, report.data, call.project_ref.name, speech(call), query.format)


def _shown(data: dict[str, Any], project: str, say: Speech, form: str) -> Text:
    """A report in a form; off the loop, as templates are read from files."""
    if form not in ("csv", "markdown") and isinstance(kept := data.get("html"), str):
        return Text(kept.encode(), rendering.HTML)  # the page as it was made
    document = report_document(data, project, say)
    if form == "csv":
        return Text(rendering.csv_table(document), rendering.CSV)
    if form == "markdown":
        return Text(rendering.markdown(document), rendering.MARKDOWN)
    return Text(rendering.html(document), rendering.HTML)


def _filter_day(text: str) -> date | None:
    """A day to filter by; what is none filters nothing."""
    try:
        return date.fromisoformat(text.strip()[:10]) if text else None
    except ValueError:
        return None


def _new(body: PutTemplate, at: str) -> Template:
    blank = Template(
        new_id(), "", None, [], "json", None, active=True, builtin=None, created_at=at, updated_at=at
    )
    return _changed(blank, body)


def _changed(before: Template, body: PutTemplate) -> Template:
    """The template with what the body says; raise TemplateInvalid when the whole makes no sense."""
    name = _or(body.name, before.name)
    description = before.description if isinstance(body.description, UnsetType) else body.description or None
    schedule = before.schedule if isinstance(body.schedule, UnsetType) else body.schedule or None
    sections = list(dict.fromkeys(_or(body.sections, before.sections)))
    found = msgspec.structs.replace(
        before,
        name=name,
        description=description,
        sections=sections,
        schedule=" ".join(schedule.split()) if schedule else None,
        active=_or(body.active, before.active),
    )
    wanted = _or(body.format, before.format)
    chosen = next((form for form in _FORMATS if form == wanted), None)
    issues = tuple(_issues(found, wanted if chosen is None else None))
    if issues or chosen is None:
        raise TemplateInvalid(issues=issues)
    return msgspec.structs.replace(found, format=chosen)


def _or(given: T | UnsetType, otherwise: T) -> T:
    return otherwise if isinstance(given, UnsetType) else given


def _issues(template: Template, wrong_format: str | None) -> Iterator[Issue]:
    if not 1 <= len(template.name) <= _LONGEST_NAME:
        yield Issue("name", f"A template has a name of at most {_LONGEST_NAME} characters.", "invalid_value")
    unknown = [section for section in template.sections if section not in SECTIONS]
    if unknown:
        yield Issue("sections", f"There is no section {unknown[0][:80]!r}.", "invalid_value")
    if not template.sections:
        yield Issue("sections", "A template has at least one section.", "too_small")
    if wrong_format is not None:
        yield Issue("format", "The format is json or html.", "invalid_value")
    if template.schedule is not None:
        try:
            cron.parse(template.schedule)
        except ValueError as error:
            yield Issue("schedule", str(error), "invalid_format")
