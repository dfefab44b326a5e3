"""Days and moments relative to the demo's today, and dates spelled in the language of a text."""

import re
from datetime import UTC, date, datetime, time, timedelta

MOMENT = re.compile(r"(0|-[1-9]\d*) ([01]\d|2[0-3]):([0-5]\d)")
DAY = re.compile(r"0|[+-][1-9]\d*")
_DATE_TOKEN = re.compile(r"\{(0|[+-][1-9]\d*)(?::(num|on|day|month))?\}")
_MONTHS_RU_OF = (
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря".split()  # noqa: SIM905
)
_MONTHS_RU = "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь".split()  # noqa: SIM905
_MONTHS_EN = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_DAYS_RU = ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")
_ON_DAYS_RU = (
    "в понедельник",
    "во вторник",
    "в среду",
    "в четверг",
    "в пятницу",
    "в субботу",
    "в воскресенье",
)
_DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def moment(at: str, today: date) -> datetime:
    """`"-3 10:12"` as an aware UTC time."""
    match = MOMENT.fullmatch(at)
    if match is None:
        raise ValueError(f"not a moment: {at!r}")
    clock = time(int(match[2]), int(match[3]), tzinfo=UTC)
    return datetime.combine(today + timedelta(days=int(match[1])), clock)


def day(offset: str, today: date) -> date:
    """`"+4"` as a date."""
    if DAY.fullmatch(offset) is None:
        raise ValueError(f"not a day: {offset!r}")
    return today + timedelta(days=int(offset))


def spell_dates(text: str, today: date) -> str:
    """Replace `{+4}` (24 November), `{+4:num}` (24.11), `{+4:day}`, `{+4:on}` (weekday) and `{-30:month}`."""
    russian = _CYRILLIC.search(text) is not None

    def spell(match: re.Match[str]) -> str:
        that = day(match[1], today)
        form = match[2]
        if form == "num":
            return f"{that:%d.%m}" if russian else f"{that:%d/%m}"
        if form == "on":
            return _ON_DAYS_RU[that.weekday()] if russian else f"on {_DAYS_EN[that.weekday()]}"
        if form == "day":
            return (_DAYS_RU if russian else _DAYS_EN)[that.weekday()]
        if form == "month":
            return (_MONTHS_RU if russian else _MONTHS_EN)[that.month - 1]
        return f"{that.day} {(_MONTHS_RU_OF if russian else _MONTHS_EN)[that.month - 1]}"

    return _DATE_TOKEN.sub(spell, text)


def minute(at: str) -> int:
    """Minutes from the midnight that begins the demo's today; what moments are compared by."""
    match = MOMENT.fullmatch(at)
    if match is None:
        raise ValueError(f"not a moment: {at!r}")
    return (int(match[1]) * 24 + int(match[2])) * 60 + int(match[3])
