"""What is told by itself: digests of days and weeks, mailed at their times, and scheduled reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Self

from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.kernel.jobs import Again, job
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Desktop, Tower
from ctower_desktop.reports import kept_store, rendering
from ctower_desktop.reports.digest_document import Kind, day_document, week_document
from ctower_desktop.reports.digests import make_day, make_week, monday_of, today_of
from ctower_desktop.reports.document import Document
from ctower_desktop.reports.mailing import (
    Letter,
    Mailed,
    Slot,
    daily_slots,
    days_ahead,
    deliver,
    is_open,
    next_look,
    weekly_slots,
)
from ctower_desktop.reports.reporting import make_due, speech
from ctower_desktop.reports.settings import DigestSettings

log = logging.getLogger(__name__)

Slots = Callable[[DigestSettings, date, Regional], list[Slot]]


class DigestRun(Again, frozen=True, kw_only=True):
    """Which digests were made, and what became of mailing them."""

    made: list[str]
    mailed: Mailed


class ReportRun(Again, frozen=True, kw_only=True):
    """Which reports were made, and which could not be."""

    completed: list[str]
    failed: list[str]


class Rescheduler:
    """Makes what has a time of day due at once when that time changes, so that it plans itself anew."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._telling: set[asyncio.Task[None]] = set()
        tower.settings.changed.append(self._on_change)

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Begin to watch the settings."""
        return cls(tower)

    async def stop(self) -> None:
        """Watch no longer, and end what is being told."""
        self._tower.settings.changed.remove(self._on_change)
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until the schedule knows of every change."""
        await asyncio.gather(*self._telling)

    def _on_change(self, page: str) -> None:
        if page in ("digests", "regional"):
            task = asyncio.ensure_future(self._tell())
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self) -> None:
        try:
            await self._tower.db.write(kept_store.wake_jobs, self._tower.clock.text())
        except StorageFailure as error:
            log.warning("the schedule does not know of the new times yet: %s", error)


@job("daily_digest", every=86_400)
async def digest_days(call: Desktop) -> DigestRun:
    """Make the digest of today, finish that of yesterday, and mail plan or results when it is time."""
    await call.tower.part(Rescheduler)
    today = today_of(call)
    made = [today - timedelta(days=1), today]
    if not await call.tower.db.read(kept_store.day_unfinished, call.project_id, made[0].isoformat()):
        made = [today]
    digests = [await make_day(call, day) for day in made]

    def document(kind: Kind) -> Document:
        return day_document(digests[-1].summary, call.project_ref.name, speech(call), kind)

    mailed, again_at = await _mail(call, daily_slots, document)
    return DigestRun(made=[day.isoformat() for day in made], mailed=mailed, again_at=again_at)


@job("weekly_digest", every=604_800)
async def digest_weeks(call: Desktop) -> DigestRun:
    """Make the digest of this week, finish that of the last, and mail plan or results when it is time."""
    await call.tower.part(Rescheduler)
    db, today = call.tower.db, today_of(call)
    this_week = monday_of(today)
    last_week = this_week - timedelta(days=7)
    made = [this_week]
    last = await db.read(kept_store.week_of, call.project_id, last_week.isoformat())
    begun = last is None and today == this_week  # the plan on a Monday tells of the week before
    if begun or await db.read(kept_store.week_unfinished, call.project_id, last_week.isoformat()):
        last = await make_week(call, last_week)
        made.insert(0, last_week)
    current = await make_week(call, this_week)
    ended = last or current

    def document(kind: Kind) -> Document:
        chosen = ended if kind == "plan" else current
        return week_document(chosen.summary, call.project_ref.name, speech(call), kind)

    mailed, again_at = await _mail(call, weekly_slots, document)
    return DigestRun(made=[day.isoformat() for day in made], mailed=mailed, again_at=again_at)


@job("report_generation", every=3_600)
async def generate_reports(call: Desktop) -> ReportRun:
    """Make the reports whose time has come on the user's clock, to the minute."""
    await call.tower.part(Rescheduler)
    made = await make_due(call)
    return ReportRun(completed=made.completed, failed=made.failed, again_at=made.next_at)


async def _mail(
    call: Desktop, slots_of: Slots, document: Callable[[Kind], Document]
) -> tuple[Mailed, str | None]:
    """Mail what is due now; also say when to look again."""
    settings, regional = call.tower.settings.get(DigestSettings), call.tower.settings.get(Regional)
    now = call.tower.clock.now()
    slots = [slot for day in days_ahead(now, regional, 8) for slot in slots_of(settings, day, regional)]
    mailed = Mailed(note="not_due: nothing is to be mailed at this time")
    for slot in slots:
        if is_open(slot, now):
            mailed = await deliver(call, slot, await asyncio.to_thread(_letter, document, _kind(slot)))
    again = next_look(slots, now, mailed)
    return mailed, as_text(again) if again is not None else None


def _letter(document_of: Callable[[Kind], Document], kind: Kind) -> Letter:
    document = document_of(kind)
    return Letter(
        subject=f"{document.title} · {document.subtitle}",
        text=rendering.markdown(document).decode(),
        html=rendering.html(document).decode(),
    )


def _kind(slot: Slot) -> Kind:
    return "plan" if slot.kind.endswith("plan") else "results"
