"""Making reports: when somebody asks, and when a template's time has come. Each is a snapshot."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from ctower_desktop.kernel.regional import Regional, day_bounds, local, zone
from ctower_desktop.kernel.regional import language as language_of
from ctower_desktop.kernel.runs import reason
from ctower_desktop.kernel.system import as_text, from_text, new_id
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.reports import cron, rendering, report_store, sections, template_store
from ctower_desktop.reports.model import PlannedTemplate, Report, ReportGenerationFailed, Template
from ctower_desktop.reports.report_document import report_document
from ctower_desktop.reports.report_store import Begun
from ctower_desktop.reports.section_store import Range
from ctower_desktop.reports.words import Speech

log = logging.getLogger(__name__)

_GIVEN_UP_AFTER = timedelta(minutes=15)


class Made(msgspec.Struct, frozen=True):
    """Reports made because their time had come."""

    completed: list[str]
    failed: list[str]
    next_at: str | None


def speech(call: Scoped) -> Speech:
    """The language and clock of the user."""
    regional = call.tower.settings.get(Regional)
    return Speech(language_of(regional), zone(regional))


def span_of(call: Scoped, start: date, end: date) -> Range:
    """The time from the beginning of a day to the end of another, on the user's clock."""
    regional = call.tower.settings.get(Regional)
    return Range(
        project_id=call.project_id,
        since=as_text(day_bounds(start, regional)[0]),
        until=as_text(day_bounds(end, regional)[1]),
        today=local(call.tower.clock.now(), regional).date().isoformat(),
    )


async def make_report(
    call: Scoped, template: Template, start: date, end: date, scheduled_for: str | None = None
) -> Report | None:
    """Make a report and keep it; None when that time of the schedule was served already.

    Raise ReportGenerationFailed when it could not be made; it is kept with the reason.
    """
    db, at = call.tower.db, call.tower.clock.text()
    begun = Begun(new_id(), start.isoformat(), end.isoformat(), at, scheduled_for)
    if not await db.write(report_store.begin, call.project_ref, template, begun):
        return None
    try:
        data = await _data(call, template, start, end, at)
        return await db.write(report_store.complete, call.project_id, begun.id, data)
    except Exception as error:  # whatever went wrong, the report says so and no other is held up
        log.exception("report %s could not be made", template.name)
        await db.write(report_store.fail, begun.id, reason(error))
        raise ReportGenerationFailed(f"The report could not be made: {reason(error)[:300]}") from error


async def _data(call: Scoped, template: Template, start: date, end: date, at: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "template_name": template.name,
        "date_range": {"start": start.isoformat(), "end": end.isoformat()},
        "generated_at": at,
        "sections": await sections.built(call, template.sections, span_of(call, start, end)),
    }
    if template.format == "html":
        data["html"] = await asyncio.to_thread(_page, data, call.project_ref.name, speech(call))
    return data


def _page(data: dict[str, Any], project: str, say: Speech) -> str:
    return rendering.html(report_document(data, project, say)).decode()


async def make_due(call: Scoped) -> Made:
    """Make the reports whose time has come, each once; what was missed while off collapses into one."""
    tower, db, regional = call.tower, call.tower.db, call.tower.settings.get(Regional)
    now, here = tower.clock.now(), zone(regional)
    await db.write(template_store.ensure_builtins, call.project_ref, as_text(now))
    await db.write(report_store.abandon, call.project_id, as_text(now - _GIVEN_UP_AFTER))
    completed: list[str] = []
    failed: list[str] = []
    upcoming: list[datetime] = []
    for one in await db.read(template_store.scheduled, call.project_id):
        schedule = cron.parse(one.schedule)
        due = cron.latest(schedule, from_text(one.since), now, here)
        upcoming.append(cron.following(schedule, now, here))
        if due is None:
            continue
        template = await db.read(template_store.one, call.project_id, one.id)
        end = local(due, regional).date()
        start = end - timedelta(days=cron.days_covered(schedule))
        try:
            if await make_report(call, template, start, end, as_text(due)) is not None:
                completed.append(template.name)
        except ReportGenerationFailed:
            failed.append(template.name)
    next_at = as_text(min(upcoming)) if upcoming else None
    return Made(completed, failed, next_at)


def planned(template: Template, now: datetime, regional: Regional) -> PlannedTemplate:
    """A template with the time of its next report."""
    following = None
    if template.active and template.schedule is not None:
        following = as_text(
            cron.following(cron.parse(template.schedule), now, zone(regional)).astimezone(UTC)
        )
    return PlannedTemplate(**msgspec.structs.asdict(template), next_run_at=following)
