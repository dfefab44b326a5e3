"""By when something is promised («до пятницы», "by the end of next week"), as a day that lies ahead."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

from ctower_desktop.search.quantities import MONTH, month_number
from ctower_desktop.search.words import fold

_WEEKDAYS = (
    r"понедельник[ауи]?|monday|mon", r"вторник[ауи]?|tuesday|tue|tues", r"сред[ыуе]|wednesday|wed",
    r"четверг[ауи]?|thursday|thu|thurs", r"пятниц[ыуе]|friday|fri", r"суббот[ыуе]|saturday|sat",
    r"воскресень[еяю]|sunday|sun",
)  # fmt: skip
_WEEKDAY = "|".join(_WEEKDAYS)
_BY = r"(?:к|ко|до|в|во|на|by|before|until|till|on|for|not later than|no later than|не позднее|не позже)"
_NUMBERS: dict[str, int] = {
    "один": 1, "одного": 1, "пару": 2, "пары": 2, "два": 2, "две": 2, "двух": 2, "три": 3, "трех": 3,
    "четыре": 4, "четырех": 4, "пять": 5, "пяти": 5, "шесть": 6, "семь": 7, "десять": 10, "десяти": 10,
    "полтора": 2, "полторы": 2, "a": 1, "an": 1, "one": 1, "a couple of": 2, "couple of": 2, "two": 2,
    "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10,
}  # fmt: skip
_COUNT = r"\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_FRIDAY = 4
_FAR = 366  # days: what lies further ahead was not meant

Reading = Callable[[re.Match[str], date], date]


def deadline(text: str, said: date) -> date | None:
    """The first day named by when something is to be done, seen from the day it was said; None for none."""
    plain = fold(text)
    found = [
        (match.start(), -match.end(), match, reading)
        for pattern, reading in _READINGS
        if (match := pattern.search(plain)) is not None
    ]
    for _, _, match, reading in sorted(found, key=lambda one: one[:2]):
        try:
            day = reading(match, said)
        except (ValueError, OverflowError):
            continue
        if 0 <= (day - said).days <= _FAR:
            return day
    return None


def _in_days(days: int) -> Reading:
    return lambda _, said: said + timedelta(days=days)


def _counted(match: re.Match[str], said: date) -> date:
    told = match["n"] or "1"
    count = int(told) if told.isdigit() else _NUMBERS[told]
    unit = match["unit"]
    if unit.startswith(("час", "hour", "hr", "мин", "min")):
        minutes = unit.startswith(("мин", "min"))
        return said if minutes or count < 12 else said + timedelta(days=-(-count // 24))
    if unit.startswith(("нед", "week")):
        return said + timedelta(weeks=count)
    if unit.startswith(("мес", "month")):
        return _months_later(said, count)
    if match["working"]:
        return _working_days_later(said, count)
    return said + timedelta(days=count)


def _months_later(said: date, count: int) -> date:
    month = said.month - 1 + count
    year, month = said.year + month // 12, month % 12 + 1
    return date(year, month, min(said.day, monthrange(year, month)[1]))


def _working_days_later(said: date, count: int) -> date:
    day = said
    for _ in range(count):
        day += timedelta(days=1)
        while day.weekday() > _FRIDAY:
            day += timedelta(days=1)
    return day


def _weekday(match: re.Match[str], said: date) -> date:
    """The next such day, never the day itself; with «следующий» that of the week after this one."""
    wanted = next(n for n, names in enumerate(_WEEKDAYS) if re.fullmatch(names, match["day"]))
    if match["next"]:
        return said - timedelta(days=said.weekday()) + timedelta(days=7 + wanted)
    return said + timedelta(days=(wanted - said.weekday() - 1) % 7 + 1)


def _week(weeks: int, day: int = _FRIDAY) -> Reading:
    def read(_: re.Match[str], said: date) -> date:
        found = said - timedelta(days=said.weekday()) + timedelta(days=7 * weeks + day)
        return found if found >= said else found + timedelta(days=6 - day)

    return read


def _month_end(months: int) -> Reading:
    def read(_: re.Match[str], said: date) -> date:
        first = _months_later(said.replace(day=1), months)
        return first.replace(day=monthrange(first.year, first.month)[1])

    return read


def _day_of_month(match: re.Match[str], said: date) -> date:
    day = said.replace(day=int(match["d"]))
    return day if day >= said else _months_later(day, 1)


def _dated(match: re.Match[str], said: date) -> date:
    groups = match.groupdict()
    named = groups.get("month")
    month = month_number(named) if named and not named.isdigit() else int(match["m"])
    year = groups.get("y")
    if year:
        return date(int(year) if len(year) == 4 else 2000 + int(year), month, int(match["d"]))
    day = date(said.year, month, int(match["d"]))
    return day if day >= said else day.replace(year=said.year + 1)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{text})(?!\w)")


_NEXT = r"(?P<next>следующ\w+ |next )?"
_UNIT = (
    r"(?P<unit>минут\w*|час\w*|дн\w+|день|сут\w+|недел\w+|месяц\w*|minutes?|hours?|hrs?|days?|weeks?|months?)"
)
_READINGS: tuple[tuple[re.Pattern[str], Reading], ...] = (
    (_pattern(r"послезавтра|(?:the )?day after tomorrow"), _in_days(2)),
    (_pattern(r"завтра|tomorrow"), _in_days(1)),
    (
        _pattern(
            r"сегодня|вечером|полчаса|до конца дня|к концу дня|today|tonight|this (?:afternoon|evening)"
            r"|(?:by )?(?:the )?end of (?:the )?day|eod|within the hour"
        ),
        _in_days(0),
    ),
    (_pattern(r"в начале следующей недели|early next week"), _week(1, 0)),
    (_pattern(r"(?:(?:на|до конца|к концу) следующей недел[еи]|(?:the )?(?:end of )?next week)"), _week(1)),
    (
        _pattern(
            r"(?:на|до конца|к концу) (?:этой |текущей )?недел[еи]|(?:later )?this week"
            r"|(?:the )?end of (?:the |this )?week|eow"
        ),
        _week(0),
    ),
    (
        _pattern(
            r"(?:до конца|к концу) (?:этого |текущего )?месяца|в этом месяце"
            r"|(?:the )?end of (?:the |this )?month|this month"
        ),
        _month_end(0),
    ),
    (_pattern(r"(?:в|до конца) следующе(?:м|го) месяц[еа]|(?:the )?(?:end of )?next month"), _month_end(1)),
    (
        _pattern(
            rf"(?:через|за|в течение|in|within) (?:the next )?(?:(?P<n>{_COUNT}) )?"
            rf"(?P<working>рабочи\w+ |working |business )?{_UNIT}"
        ),
        _counted,
    ),
    (_pattern(rf"{_BY} (?:the )?{_NEXT}(?P<day>{_WEEKDAY})"), _weekday),
    (
        _pattern(r"(?<!since )(?<!from )(?<!last )(?P<next>next )?(?P<day>(?:mon|tues|wednes|thurs|fri)day)"),
        _weekday,
    ),
    (
        _pattern(rf"(?P<d>\d{{1,2}})(?:-?го|st|nd|rd|th)?(?: of)? (?P<month>{MONTH})(?: (?P<y>20\d\d))?"),
        _dated,
    ),
    (
        _pattern(
            rf"(?<!i )(?<!we )(?<!you )(?P<month>{MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?"
            r"(?:,? (?P<y>20\d\d))?"
        ),
        _dated,
    ),
    (_pattern(r"(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)"), _dated),
    (_pattern(rf"(?:{_BY} )?(?P<d>\d{{1,2}})\.(?P<m>\d\d)(?:\.(?P<y>20\d\d|\d\d))?(?!\.\d)"), _dated),
    (_pattern(r"(?:до|к|не позднее) (?P<d>\d{1,2})(?:-?го)?(?: числа)?(?! ?[\w%:.,/])"), _day_of_month),
    (_pattern(r"(?:by|before|on) the (?P<d>\d{1,2})(?:st|nd|rd|th)"), _day_of_month),
)
