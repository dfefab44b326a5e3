"""Where the user lives: time zone, language of what the tower writes, working and quiet hours."""

from __future__ import annotations

import locale
import logging
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import tzlocal
from msgspec import Meta

from ctower_desktop.kernel.errors import Invalid, Issue
from ctower_desktop.kernel.settings import page

log = logging.getLogger(__name__)

Language = Literal["ru", "en"]
_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"
_SYSTEM = "system"
_WEEKS: Mapping[str, frozenset[int]] = {
    "mon-fri": frozenset(range(5)),
    "mon-sat": frozenset(range(6)),
    "sun-thu": frozenset((6, 0, 1, 2, 3)),
    "all": frozenset(range(7)),
}


@page("regional")
class Regional(msgspec.Struct, frozen=True, kw_only=True):
    """Time zone, language of what is written, working and quiet hours."""

    time_zone: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            title="Time zone",
            description="A name such as Europe/Moscow; `system` follows the computer.",
        ),
    ] = _SYSTEM
    language: Annotated[
        Literal["auto", "ru", "en"],
        Meta(
            title="Language of what is written",
            description="Digests, reports and drafts: Russian, English, or as the computer speaks.",
        ),
    ] = "auto"
    working_week: Annotated[
        Literal["mon-fri", "mon-sat", "sun-thu", "all"],
        Meta(title="Working week", description="The days on which somebody answers clients."),
    ] = "mon-fri"
    work_begins: Annotated[
        str, Meta(pattern=_TIME, title="Work begins", description="Local time, such as 09:00.")
    ] = "09:00"
    work_ends: Annotated[
        str, Meta(pattern=_TIME, title="Work ends", description="Local time, such as 18:00.")
    ] = "18:00"
    quiet_begins: Annotated[
        str,
        Meta(
            pattern=_TIME,
            title="Quiet hours begin",
            description="Nothing is sent to clients from this local time on.",
        ),
    ] = "21:00"
    quiet_ends: Annotated[
        str,
        Meta(
            pattern=_TIME,
            title="Quiet hours end",
            description="Until this local time; the same as the beginning means no quiet hours.",
        ),
    ] = "08:00"

    def __post_init__(self) -> None:
        try:
            _zone(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            issue = Issue(
                "time_zone", "There is no such time zone; write one like Europe/Moscow.", "invalid_value"
            )
            raise Invalid(issues=(issue,)) from None


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    if name != _SYSTEM:
        return ZoneInfo(name)
    try:
        return tzlocal.get_localzone()
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        fixed = datetime.now(UTC).astimezone().tzinfo or UTC
        log.warning("the computer's time zone has no name (%s); its offset of now, %s, is used", error, fixed)
        return fixed


def zone(regional: Regional) -> tzinfo:
    """The user's time zone."""
    return _zone(regional.time_zone)


def local(moment: datetime, regional: Regional) -> datetime:
    """A moment on the user's clock."""
    return moment.astimezone(zone(regional))


def moment_at(day: date, time_of_day: str, regional: Regional) -> datetime:
    """When the user's clock shows `HH:MM` on a day, in UTC.

    A time that the change to summer time leaves out is as much later; of one that comes twice, the first.
    """
    hour, minute = map(int, time_of_day.split(":"))
    return datetime.combine(day, time(hour, minute), zone(regional)).astimezone(UTC)


def day_bounds(day: date, regional: Regional) -> tuple[datetime, datetime]:
    """When a day begins and ends for the user, in UTC: 23, 24 or 25 hours."""
    return moment_at(day, "00:00", regional), moment_at(day + timedelta(days=1), "00:00", regional)


def is_working(moment: datetime, regional: Regional) -> bool:
    """Whether somebody is expected to be at work."""
    days = _WEEKS[regional.working_week]
    at = local(moment, regional)
    begins, ends, now = regional.work_begins, regional.work_ends, at.strftime("%H:%M")
    if begins < ends:
        return at.weekday() in days and begins <= now < ends
    if now >= begins:  # a shift through the night belongs to the day on which it begins
        return at.weekday() in days
    return now < ends and (at.weekday() - 1) % 7 in days


def is_quiet(moment: datetime, regional: Regional) -> bool:
    """Whether clients are to be left in peace."""
    begins, ends = regional.quiet_begins, regional.quiet_ends
    now = local(moment, regional).strftime("%H:%M")
    return begins <= now < ends if begins <= ends else now >= begins or now < ends


def quiet_until(moment: datetime, regional: Regional) -> datetime | None:
    """When the quiet hours around a moment end, in UTC; None outside of them."""
    if not is_quiet(moment, regional):
        return None
    today = local(moment, regional).date()
    ends = moment_at(today, regional.quiet_ends, regional)
    return ends if ends > moment else moment_at(today + timedelta(days=1), regional.quiet_ends, regional)


def language(regional: Regional, environment: Mapping[str, str] | None = None) -> Language:
    """The language to write in."""
    if regional.language != "auto":
        return regional.language
    given = os.environ if environment is None else environment
    names = (given.get("LC_ALL"), given.get("LC_MESSAGES"), given.get("LANG"))
    spoken = next(filter(None, names), None) or locale.getlocale()[0] or ""
    return "ru" if spoken.lower().startswith("ru") else "en"
