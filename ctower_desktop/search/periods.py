"""Time words of a question («вчера», "since Monday", «в октябре») as the days that are meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from ctower_desktop.search.quantities import MONTH, month_number

_WEEKDAYS = (
    r"понедельник[ау]?|monday", r"вторник[ау]?|tuesday", r"сред[ыуа]|wednesday", r"четверг[ау]?|thursday",
    r"пятниц[ыуа]|friday", r"суббот[ыуа]|saturday", r"воскресень[ея]|sunday",
)  # fmt: skip
_WEEKDAY = "|".join(_WEEKDAYS)
_NUMBERS = {
    "две": 2,
    "два": 2,
    "три": 3,
    "четыре": 4,
    "пять": 5,
    "two": 2,
    "three": 3,
    "four": 4,
    "a": 1,
    "one": 1,
}
_COUNT = r"\d{1,3}|две|два|три|четыре|пять|two|three|four|one|a"
_LATEST = date(9999, 12, 30)


class Period(NamedTuple):
    """The first day and the last one, both within, and the words that say so."""

    first: date
    last: date
    words: str


Reading = Callable[[re.Match[str], date], tuple[date, date]]


def period_of(text: str, today: date) -> Period | None:
    """The days a question asks about, or None when it names none that has begun."""
    plain = text.replace("ё", "е").replace("Ё", "Е")
    for pattern, reading in _READINGS:
        match = pattern.search(plain)
        if match is None:
            continue
        try:
            first, last = reading(match, today)
        except (OverflowError, ValueError):
            return None
        return Period(first, last, text[match.start() : match.end()].strip()) if first <= today else None
    return None


def _days_ago(first: int, last: int | None = None) -> Reading:
    until = first if last is None else last
    return lambda _, today: (today - timedelta(days=first), today - timedelta(days=until))


def _weeks_ago(weeks: int) -> Reading:
    def read(_: re.Match[str], today: date) -> tuple[date, date]:
        monday = today - timedelta(days=today.weekday() + 7 * weeks)
        return monday, min(monday + timedelta(days=6), today)

    return read


def _counted_weeks_ago(match: re.Match[str], today: date) -> tuple[date, date]:
    return _weeks_ago(_counted(match["n"]))(match, today)


def _counted_days_ago(match: re.Match[str], today: date) -> tuple[date, date]:
    return _days_ago(_counted(match["n"]))(match, today)


def _last_days(match: re.Match[str], today: date) -> tuple[date, date]:
    days = _counted(match["n"]) * (7 if match["unit"].lower().startswith(("нед", "week")) else 1)
    return today - timedelta(days=days), today


def _counted(told: str) -> int:
    return int(told) if told.isdigit() else _NUMBERS[told.lower()]


def _months_ago(months: int) -> Reading:
    def read(_: re.Match[str], today: date) -> tuple[date, date]:
        first = today.replace(day=1)
        for _month in range(months):
            first = (first - timedelta(days=1)).replace(day=1)
        return first, min(_month_end(first), today)

    return read


def _month_end(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _weekday(match: re.Match[str], today: date) -> tuple[date, date]:
    """The latest such day; with «прошлый» the one of the week before when this week's has been."""
    wanted = next(n for n, names in enumerate(_WEEKDAYS) if re.fullmatch(names, match["day"], re.IGNORECASE))
    back = (today.weekday() - wanted) % 7
    if match["last"] and back == 0:
        back = 7
    day = today - timedelta(days=back)
    return day, day


def _since(match: re.Match[str], today: date) -> tuple[date, date]:
    return _weekday(match, today)[0], today


def _since_yesterday(_: re.Match[str], today: date) -> tuple[date, date]:
    return today - timedelta(days=1), today


def _month(match: re.Match[str], today: date) -> tuple[date, date]:
    number = month_number(match["month"])
    year = int(match["year"]) if match["year"] else today.year - (number > today.month)
    first = date(year, number, 1)
    return first, min(_month_end(first), today)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{text})(?!\w)", re.IGNORECASE)


_READINGS: tuple[tuple[re.Pattern[str], Reading], ...] = (
    (_pattern(r"со вчерашнего дня|since yesterday"), _since_yesterday),
    (_pattern(r"позавчера|the day before yesterday"), _days_ago(2)),
    (_pattern(r"вчера|вчерашн\w+|yesterday"), _days_ago(1)),
    (_pattern(r"сегодня|сегодняшн\w+|today|this morning|сегодня утром"), _days_ago(0)),
    (_pattern(rf"(?P<n>{_COUNT}) недел[иьюя] назад"), _counted_weeks_ago),
    (_pattern(rf"(?P<n>{_COUNT}) weeks? ago"), _counted_weeks_ago),
    (_pattern(r"неделю назад"), _weeks_ago(1)),
    (_pattern(rf"(?P<n>{_COUNT}) (?:дня|дней|день|days?) (?:назад|ago)"), _counted_days_ago),
    (
        _pattern(rf"(?:за|в) последние (?P<n>{_COUNT}) (?P<unit>дня|дней|недели|недель)"),
        _last_days,
    ),
    (
        _pattern(rf"(?:in |during |over )?(?:the )?(?:last|past) (?P<n>{_COUNT}) (?P<unit>days?|weeks?)"),
        _last_days,
    ),
    (_pattern(r"на прошлой неделе|last week"), _weeks_ago(1)),
    (_pattern(r"на позапрошлой неделе|the week before last"), _weeks_ago(2)),
    (_pattern(r"на (?:этой|текущей) неделе|this week"), _weeks_ago(0)),
    (_pattern(r"в прошлом месяце|last month"), _months_ago(1)),
    (_pattern(r"в (?:этом|текущем) месяце|this month"), _months_ago(0)),
    (
        _pattern(rf"(?:since|с|со) (?P<last>last |прошл\w+ )?(?P<day>{_WEEKDAY})"),
        _since,
    ),
    (
        _pattern(rf"(?:(?:в|во|on) )(?P<last>last |прошл\w+ )?(?P<day>{_WEEKDAY})"),
        _weekday,
    ),
    (_pattern(rf"(?P<last>last |прошл\w+ )(?P<day>{_WEEKDAY})"), _weekday),
    (
        _pattern(rf"(?<!\d )(?:в|in|during|back in) (?P<month>{MONTH})(?: (?P<year>20\d\d))?(?! \d)"),
        _month,
    ),
)
