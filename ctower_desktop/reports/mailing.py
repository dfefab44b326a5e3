"""Mailing digests at the chosen local times, through the e-mail channel: once each, or it says why not."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

import msgspec

from ctower_desktop.connectors.channels import registry  # noqa: F401 - fills CHANNELS
from ctower_desktop.inbox.outbound.channel import (
    CHANNELS,
    Channel,
    DeliveryFailed,
    DeliveryUncertain,
    Parcel,
)
from ctower_desktop.inbox.outbound.model import Rendered
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.kernel.regional import Regional, is_working, local, moment_at
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Scoped, Tower
from ctower_desktop.reports import kept_store
from ctower_desktop.reports.kept_store import MailDue
from ctower_desktop.reports.model import MailKind
from ctower_desktop.reports.settings import DigestSettings, addresses

log = logging.getLogger(__name__)

_MONDAY, _FRIDAY = 0, 4
_TRY_AGAIN = timedelta(minutes=15)
_LOST_AFTER = timedelta(minutes=15)
_LOST = "The program ended while this was being sent; whether it arrived is not known."


class Mailed(msgspec.Struct, frozen=True):
    """What became of mailing: how many left, did not, may have; and why nothing was tried, if so."""

    sent: int = 0
    failed: int = 0
    uncertain: int = 0
    note: str = ""


class Letter(msgspec.Struct, frozen=True):
    """What is mailed."""

    subject: str
    text: str
    html: str


class Slot(msgspec.Struct, frozen=True):
    """A digest to be mailed on a local day, from one moment up to another."""

    kind: MailKind
    day: date
    opens: datetime
    closes: datetime


def daily_slots(settings: DigestSettings, day: date, regional: Regional) -> list[Slot]:
    """Plan and results of a working day; a plan is of no use once the results are due."""
    if not is_working(moment_at(day, regional.work_begins, regional), regional):
        return []
    return _slots(
        ("daily_plan", settings.daily_plan_at), ("daily_results", settings.daily_results_at), day, regional
    )


def weekly_slots(settings: DigestSettings, day: date, regional: Regional) -> list[Slot]:
    """The plan on Mondays, the results on Fridays."""
    if day.weekday() == _MONDAY:
        return _slots(("weekly_plan", settings.weekly_plan_at), None, day, regional)
    if day.weekday() == _FRIDAY:
        return _slots(None, ("weekly_results", settings.weekly_results_at), day, regional)
    return []


def _slots(
    plan: tuple[MailKind, str] | None, results: tuple[MailKind, str] | None, day: date, regional: Regional
) -> list[Slot]:
    end = moment_at(day + timedelta(days=1), "00:00", regional)
    found: list[Slot] = []
    if results is not None and results[1]:
        found.append(Slot(results[0], day, moment_at(day, results[1], regional), end))
    if plan is not None and plan[1]:
        opens = moment_at(day, plan[1], regional)
        later = [slot.opens for slot in found if slot.opens > opens]
        found.insert(0, Slot(plan[0], day, opens, min(later, default=end)))
    return found


def is_open(slot: Slot, now: datetime) -> bool:
    """Whether it is time for it."""
    return slot.opens <= now < slot.closes


async def deliver(call: Scoped, slot: Slot, letter: Letter) -> Mailed:
    """Mail a letter to everybody who has not got it yet, and note what became of each."""
    tower = call.tower
    recipients = addresses(tower.settings.get(DigestSettings))
    if not recipients:
        return Mailed(note="no_recipients: nobody is named in the settings of digests")
    channel = CHANNELS.get("email")
    if (refusal := _refusal(tower, channel)) is not None or channel is None:
        return Mailed(note=refusal or "")
    await _lose(call)
    counts = {"sent": 0, "failed": 0, "uncertain": 0}
    for address in recipients:
        outcome = await _send(call, channel, MailDue(slot.kind, slot.day.isoformat(), address), letter)
        if outcome is not None:
            counts[outcome] += 1
    return Mailed(counts["sent"], counts["failed"], counts["uncertain"])


def _refusal(tower: Tower, channel: Channel | None) -> str | None:
    """Why nothing can be mailed, in words; None when it can."""
    outbound = tower.settings.get(OutboundSettings)
    if not outbound.enabled:
        return "outbound_disabled: sending is switched off for the whole program"
    if outbound.dry_run:
        return "dry_run: sending is only rehearsed; nothing was mailed"
    if channel is None:
        return "channel_not_configured: there is no e-mail channel"
    missing = channel.missing(tower)
    return f"channel_not_configured: {missing}" if missing is not None else None


async def _send(call: Scoped, channel: Channel, due: MailDue, letter: Letter) -> str | None:
    """Send one mail: noted before it leaves and after; None when there was nothing to do."""
    tower, db = call.tower, call.tower.db
    now = tower.clock.now()
    mail_id = await db.write_durably(
        kept_store.begin_mail, call.project_ref, due, as_text(now), as_text(now - _TRY_AGAIN)
    )
    if mail_id is None:
        return None
    rendered = Rendered(
        channel="email",
        to=due.recipient,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        sender=channel.sender(tower),
    )
    key = channel.wire_key(tower, mail_id)
    parcel = Parcel(outbound_id=mail_id, wire_key=key, rendered=rendered, account="")
    status, detail = "sent", ""
    try:
        detail = (await channel.send(tower, parcel)).provider_message_id
    except DeliveryUncertain as error:
        status, detail = "uncertain", str(error)
    except DeliveryFailed as error:
        status, detail = "failed", str(error)
    if status != "sent":
        log.warning("the digest for %s was not mailed for certain: %s", due.due_date, detail)
    await db.write_durably(kept_store.end_mail, mail_id, status, detail, tower.clock.text())
    return status


async def _lose(call: Scoped) -> None:
    """Tell what a crash left half done; it is not sent again by itself."""
    now = call.tower.clock.now()
    await call.tower.db.write(
        kept_store.lose_mails, call.project_id, as_text(now - _LOST_AFTER), as_text(now), _LOST
    )


def next_look(slots: list[Slot], now: datetime, mailed: Mailed) -> datetime | None:
    """When mailing should be looked at again: at the next time, or soon after a failure."""
    moments = [slot.opens for slot in slots if slot.opens > now]
    if mailed.failed:
        moments.append(now + _TRY_AGAIN)
    return min(moments, default=None)


def days_ahead(now: datetime, regional: Regional, count: int) -> list[date]:
    """The user's day and those that follow."""
    today = local(now, regional).date()
    return [today + timedelta(days=n) for n in range(count)]
