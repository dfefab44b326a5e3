"""Schedules of five fields: what was due last, and what is due next. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

_BOUNDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
)
_NAMES = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "day of week": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_FARTHEST = 366 * 8  # days looked through: a 29th of February comes at least every eighth year


class Cron(msgspec.Struct, frozen=True):
    """When something is due: the minutes, hours, days of month, months and days of week that count.

    With both kinds of day restricted, either one suffices, as cron has always done it. Sunday is 0.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def on(self, day: date) -> bool:
        """Whether something is due on that day."""
        if day.month not in self.months:
            return False
        by_date, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_date and by_weekday
        return by_date or by_weekday


def parse(text: str) -> Cron:
    """Five fields of `*`, numbers or names, ranges, lists and steps; raise ValueError saying what is not."""
    fields = text.split()
    if len(fields) != 5:
        raise ValueError("A schedule has five fields: minute, hour, day of month, month, day of week.")
    minutes, hours, days, months, weekdays = (
        frozenset(_field(field, *bounds)) for field, bounds in zip(fields, _BOUNDS, strict=True)
    )
    found = Cron(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        any_day=fields[2].startswith("*"),
        any_weekday=fields[4].startswith("*"),
    )
    if not any(found.on(date(2024, 1, 1) + timedelta(days=n)) for n in range(366)):
        raise ValueError("That date never comes.")
    return found


def _field(text: str, name: str, lowest: int, highest: int) -> Iterator[int]:
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, name) if slash else 1
        if step < 1:
            raise ValueError(f"The step {step_text!r} of the {name} is not a positive number.")
        first_text, dash, last_text = span.partition("-")
        if span == "*":
            first, last = lowest, highest
        else:
            first = _number(first_text, name)
            last = _number(last_text, name) if dash else (highest if slash else first)
        if not lowest <= first <= last <= highest:
            raise ValueError(f"{part!r} is not a {name} from {lowest} to {highest}.")
        yield from range(first, last + 1, step)


def _number(text: str, name: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    names = _NAMES.get(name, ())
    if text.lower() in names:
        return names.index(text.lower()) + (name == "month")
    raise ValueError(f"{text!r} is not a {name}.")


def latest(cron: Cron, after: datetime, until: datetime, zone: tzinfo) -> datetime | None:
    """The last time in (after, until] that was due on the clock of `zone`, in UTC; None without one."""
    day, first = until.astimezone(zone).date(), after.astimezone(zone).date()
    for _ in range(_FARTHEST):
        if day < first:
            return None
        if cron.on(day):
            for moment in reversed(_times(cron, day, zone)):
                if after < moment <= until:
                    return moment
        day -= timedelta(days=1)
    return None


def following(cron: Cron, after: datetime, zone: tzinfo) -> datetime:
    """The first time after `after` that is due on the clock of `zone`, in UTC."""
    day = after.astimezone(zone).date()
    for _ in range(_FARTHEST):
        if cron.on(day):
            for moment in _times(cron, day, zone):
                if moment > after:
                    return moment
        day += timedelta(days=1)
    raise ValueError("That time never comes.")


def _times(cron: Cron, day: date, zone: tzinfo) -> list[datetime]:
    """Each time of the day once, in order.

    What the change to summer time leaves out is due as much later; what comes twice is due the first time.
    """
    found = {
        datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
        for hour in cron.hours
        for minute in cron.minutes
    }
    return sorted(found)


def days_covered(cron: Cron) -> int:
    """How many days back a report of this schedule tells of: a week if the weekday is fixed, else one."""
    return 1 if cron.any_weekday else 7
