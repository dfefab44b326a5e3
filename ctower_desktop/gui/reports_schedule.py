"""A schedule of five fields as people say it: never, daily, weekly, monthly, every few hours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ctower_desktop.gui.text import number, tr, trn

Kind = Literal["never", "daily", "workdays", "weekly", "monthly", "hours", "own"]
KINDS: tuple[Kind, ...] = ("never", "daily", "workdays", "weekly", "monthly", "hours", "own")

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NUMBER = re.compile(r"\d{1,2}")
_EVERY = re.compile(r"\*/(\d{1,2})")
_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True)
class Schedule:
    """A schedule in its parts; `fields` are the five fields of one that fits no simple words."""

    kind: Kind
    time: str = "09:00"
    weekday: int = 1  # Sunday is 0
    day: int = 1
    hours: int = 6
    fields: str = ""

    @property
    def cron(self) -> str | None:
        """The five fields; None for never."""
        hour, _, minute = self.time.partition(":")
        at = f"{int(minute or 0)} {int(hour)}"
        known = {
            "never": None,
            "daily": f"{at} * * *",
            "workdays": f"{at} * * 1-5",
            "weekly": f"{at} * * {self.weekday}",
            "monthly": f"{at} {self.day} * *",
            "hours": f"0 */{self.hours} * * *",
            "own": self.fields,
        }
        return known[self.kind]

    @property
    def words(self) -> str:
        """The schedule as a sentence."""
        match self.kind:
            case "never":
                return tr("only when somebody asks")
            case "daily":
                return tr("every day at {time}", time=self.time)
            case "workdays":
                return tr("on working days, Monday to Friday, at {time}", time=self.time)
            case "weekly":
                return tr("{day} at {time}", day=weekday_words(self.weekday), time=self.time)
            case "monthly":
                return tr("every month on day {n} at {time}", n=number(self.day), time=self.time)
            case "hours":
                return trn("every hour", "every {n} hours", self.hours)
            case _:
                return tr("by the five fields {fields}", fields=self.fields)


def weekday_words(day: int) -> str:
    """On which day of the week; Sunday is 0."""
    return (
        tr("on Sundays"),
        tr("on Mondays"),
        tr("on Tuesdays"),
        tr("on Wednesdays"),
        tr("on Thursdays"),
        tr("on Fridays"),
        tr("on Saturdays"),
    )[day % 7]


def kind_words(kind: Kind) -> str:
    """What a kind of schedule is called."""
    known = {
        "never": tr("Only when somebody asks"),
        "daily": tr("Every day"),
        "workdays": tr("On working days"),
        "weekly": tr("Every week"),
        "monthly": tr("Every month"),
        "hours": tr("Every few hours"),
        "own": tr("Five fields of cron"),
    }
    return known[kind]


def schedule_of(cron: str | None) -> Schedule:
    """What five fields mean, as far as simple words say it."""
    if not cron:
        return Schedule("never")
    fields = cron.lower().split()
    own = Schedule("own", fields=" ".join(cron.split()))
    if len(fields) != 5:
        return own
    minute, hour, day, month, weekday = fields
    every = _EVERY.fullmatch(hour)
    if every and minute == "0" and (day, month, weekday) == ("*", "*", "*") and 24 % int(every[1] or 1) == 0:
        return Schedule("hours", hours=int(every[1]))
    if not (_NUMBER.fullmatch(minute) and _NUMBER.fullmatch(hour) and month == "*"):
        return own
    time = f"{int(hour):02}:{int(minute):02}"
    if not _TIME.fullmatch(time):
        return own
    if day == "*":
        return _weekly(time, weekday) or own
    if weekday == "*" and _NUMBER.fullmatch(day) and 1 <= int(day) <= 31:
        return Schedule("monthly", time, day=int(day))
    return own


def _weekly(time: str, weekday: str) -> Schedule | None:
    if weekday == "*":
        return Schedule("daily", time)
    if weekday in ("1-5", "mon-fri"):
        return Schedule("workdays", time)
    if weekday in _NAMES:
        return Schedule("weekly", time, weekday=_NAMES.index(weekday))
    if _NUMBER.fullmatch(weekday) and int(weekday) <= 7:
        return Schedule("weekly", time, weekday=int(weekday) % 7)
    return None


def a_time(typed: str) -> str:
    """A time of day such as 9:00; raise ValueError with a sentence."""
    found = _TIME.fullmatch(typed.strip())
    if not found:
        raise ValueError(tr("A time, please, such as {time}.", time="09:00"))
    return f"{int(found[1]):02}:{found[2]}"


def a_count(most: int) -> Callable[[str], int]:
    """A reader of whole numbers from 1 to `most`."""

    def read(typed: str) -> int:
        if not typed.strip().isdigit() or not 1 <= int(typed) <= most:
            raise ValueError(tr("A number from 1 to {most}, please.", most=number(most)))
        return int(typed)

    return read
