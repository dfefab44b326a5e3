"""Whether a message may go to somebody now: opt-out, reply, frequency, retries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ctower_desktop.inbox.outbound.model import Policy
from ctower_desktop.kernel.system import as_text, from_text

CAP_DELAY = timedelta(hours=1)
WINDOW_HOURS, CAP = 24, 3
_E_MAIL = ("email", "loops")


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a recipient: everything that stands under any of their names, taken together."""

    opted_out: bool = False
    stop_on_reply: bool = True
    window_hours: int = WINDOW_HOURS
    cap: int = CAP
    sent_in_window: int = 0
    last_inbound_at: str | None = None


def covers(channel: str) -> tuple[str, ...]:
    """The channels whose opt-out holds for this one: whoever wants no e-mail wants none through Loops."""
    return _E_MAIL if channel in _E_MAIL else (channel,)


def ruling(channel: str, rows: Sequence[Policy], key: str, now: datetime) -> Ruling:
    """One ruling out of all rules of a recipient.

    An opt-out counts wherever it stands. The rest is what a person said last on this channel; counters
    add up as far as their windows have not ended.
    """
    own = [row for row in rows if row.channel == channel]
    said = max(own, key=lambda row: (row.ruled_at or "", row.contact_global_id == key), default=None)
    hours = said.frequency_window_hours if said else WINDOW_HOURS
    return Ruling(
        opted_out=any(row.opted_out for row in rows),
        stop_on_reply=said.stop_on_reply if said else True,
        window_hours=hours,
        cap=said.frequency_cap if said else CAP,
        sent_in_window=sum(row.sent_in_window for row in own if running(row.window_started_at, hours, now)),
        last_inbound_at=max((row.last_inbound_at for row in own if row.last_inbound_at), default=None),
    )


def running(started: str | None, hours: int, now: datetime) -> bool:
    """Whether a window that started then has not ended."""
    return started is not None and now < from_text(started) + timedelta(hours=hours)


def counted(row: Policy, hours: int, now: datetime) -> tuple[int, str]:
    """Counter and start of the window after one more message was really sent."""
    if row.window_started_at is not None and running(row.window_started_at, hours, now):
        return row.sent_in_window + 1, row.window_started_at
    return 1, as_text(now)


def clamped_hours(hours: int) -> int:
    """A window as long as allowed: 1 to 720 hours."""
    return max(1, min(720, hours))


def clamped_cap(cap: int) -> int:
    """A cap as high as allowed: 1 to 200 messages."""
    return max(1, min(200, cap))


class Failure(msgspec.Struct, frozen=True):
    """What a message is after it failed once more."""

    status: str
    retry_count: int
    next_attempt_at: datetime | None


def after_failure(
    retry_count: int,
    max_retries: int,
    now: datetime,
    *,
    final: bool = False,
    retry_after: float | None = None,
) -> Failure:
    """After failure k the next try is 2k minutes later, or later still if the vendor says so."""
    failures = retry_count + 1
    if final or failures >= max_retries:
        return Failure("failed", failures, None)
    wait = max(timedelta(minutes=2 * failures), timedelta(seconds=retry_after or 0))
    return Failure("approved", failures, now + wait)
