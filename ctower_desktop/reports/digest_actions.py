"""/digests: make, list, read and show what a day or a week was like."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from ctower_desktop.kernel.endpoint import TOWER, Text
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.reports import kept_store, rendering
from ctower_desktop.reports.digest_document import day_document, week_document
from ctower_desktop.reports.digests import make_day, make_week, monday_of, today_of
from ctower_desktop.reports.document import Document
from ctower_desktop.reports.model import (
    DailyDigests,
    DigestNotFound,
    GenerateDaily,
    GeneratedDaily,
    GeneratedWeekly,
    GenerateWeekly,
    InvalidDateFormat,
    ListDaily,
    ListWeekly,
    Mails,
    OneDailyDigest,
    OneWeeklyDigest,
    ReadDocument,
    Uuid,
    WeeklyDigests,
)
from ctower_desktop.reports.reporting import speech

_MAILS = 100


@TOWER.post(
    "/digests/daily/generate", raises=(InvalidDateFormat,), audit="digest.daily.generate", pace="expensive"
)
async def generate_daily_digest(call: Scoped, body: GenerateDaily) -> GeneratedDaily:
    """Make the digest of today, or of a day gone by, anew; there is one a day."""
    day = _past_day(call, body.digest_date)
    found = await make_day(call, day)
    call.noted.about(
        "daily_digest", found.id, evidence_refs=found.evidence_refs, digest_date=found.digest_date
    )
    return GeneratedDaily(found.id, found.digest_date, found.summary, found.evidence_refs)


@TOWER.get("/digests/daily")
async def list_daily_digests(call: Scoped, query: ListDaily) -> DailyDigests:
    """Digests of days, the newest first."""
    found = await call.tower.db.read(kept_store.days, call.project_id, query.limit, query.offset)
    return DailyDigests(found)


@TOWER.get("/digests/daily/{digest_id}", raises=(DigestNotFound,))
async def read_daily_digest(call: Scoped, digest_id: Uuid) -> OneDailyDigest:
    """The digest of one day."""
    return OneDailyDigest(await call.tower.db.read(kept_store.day, call.project_id, digest_id.lower()))


@TOWER.get("/digests/daily/{digest_id}/document", raises=(DigestNotFound,))
async def show_daily_digest(call: Scoped, digest_id: Uuid, query: ReadDocument) -> Text:
    """The digest of one day as a page (`format=html`) or as Markdown, in the language of the settings."""
    found = await call.tower.db.read(kept_store.day, call.project_id, digest_id.lower())
    return await _shown(call, day_document, found.summary, query.format)


@TOWER.post(
    "/digests/weekly/generate", raises=(InvalidDateFormat,), audit="digest.weekly.generate", pace="expensive"
)
async def generate_weekly_digest(call: Scoped, body: GenerateWeekly) -> GeneratedWeekly:
    """Make the digest of this week, or of one gone by, anew; there is one a week."""
    day = _past_day(call, body.week_start)
    found = await make_week(call, monday_of(day))
    call.noted.about(
        "weekly_digest", found.id, evidence_refs=found.evidence_refs, week_start=found.week_start
    )
    return GeneratedWeekly(found.id, found.week_start, found.summary, found.evidence_refs)


@TOWER.get("/digests/weekly")
async def list_weekly_digests(call: Scoped, query: ListWeekly) -> WeeklyDigests:
    """Digests of weeks, the newest first."""
    found = await call.tower.db.read(kept_store.weeks, call.project_id, query.limit, query.offset)
    return WeeklyDigests(found)


@TOWER.get("/digests/weekly/{digest_id}", raises=(DigestNotFound,))
async def read_weekly_digest(call: Scoped, digest_id: Uuid) -> OneWeeklyDigest:
    """The digest of one week."""
    return OneWeeklyDigest(await call.tower.db.read(kept_store.week, call.project_id, digest_id.lower()))


@TOWER.get("/digests/weekly/{digest_id}/document", raises=(DigestNotFound,))
async def show_weekly_digest(call: Scoped, digest_id: Uuid, query: ReadDocument) -> Text:
    """The digest of one week as a page (`format=html`) or as Markdown, in the language of the settings."""
    found = await call.tower.db.read(kept_store.week, call.project_id, digest_id.lower())
    return await _shown(call, week_document, found.summary, query.format)


@TOWER.get("/digests/mails")
async def list_digest_mails(call: Scoped) -> Mails:
    """Digests that were due to be mailed, and what became of each, the newest first."""
    return Mails(await call.tower.db.read(kept_store.mails, call.project_id, _MAILS))


def _past_day(call: Scoped, text: str | None) -> date:
    """The day that is meant, today without one; raise InvalidDateFormat for what is none or is to come."""
    today = today_of(call)
    if not text:
        return today
    day = read_day(text)
    if day > today or day.year < 1970:
        raise InvalidDateFormat("That day has not come yet." if day > today else "")
    return day


def read_day(text: str) -> date:
    """A day written as YYYY-MM-DD; raise InvalidDateFormat."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InvalidDateFormat from None
    if text != found.isoformat():
        raise InvalidDateFormat
    return found


async def _shown(
    call: Scoped, document_of: Callable[..., Document], summary: dict[str, Any], form: str
) -> Text:
    """A digest as a page or as Markdown, made off the loop."""
    name, say = call.project_ref.name, speech(call)

    def made() -> Text:
        document = document_of(summary, name, say)
        if form == "markdown":
            return Text(rendering.markdown(document), rendering.MARKDOWN)
        return Text(rendering.html(document), rendering.HTML)

    return await asyncio.to_thread(made)
