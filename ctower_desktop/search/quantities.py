"""Numbers, money and days of the year as tokens, alike in figures and in words, in Russian and in English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

_MONTH_BEGINNINGS: dict[str, int] = {
    "январ": 1, "феврал": 2, "март": 3, "апрел": 4, "мая": 5, "май": 5, "мае": 5, "июн": 6, "июл": 7,
    "август": 8, "сентябр": 9, "октябр": 10, "ноябр": 11, "декабр": 12,
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10,
    "nov": 11, "dec": 12,
}  # fmt: skip
MONTH = (
    r"(?:январ[ьяею]|феврал[ьяею]|март[ае]?|апрел[ьяею]|ма[йяе]|июн[ьяею]|июл[ьяею]|август[ае]?|"
    r"сентябр[ьяею]|октябр[ьяею]|ноябр[ьяею]|декабр[ьяею]|january|february|march|april|may|june|july|august|"
    r"september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)"
)
_DAYS = re.compile(
    rf"(?<![\w.,])(?P<d1>\d{{1,2}})(?:-?го|st|nd|rd|th)?(?:\s+of)?\s+(?P<m1>{MONTH})\b"
    rf"|\b(?P<m2>{MONTH})\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:]|[.,]\d)"
    r"|(?<![\w.,/-])(?P<y3>\d{4})-(?P<m3>\d{2})-(?P<d3>\d{2})(?!\d)"
    r"|(?<![\w.,/-])(?P<d4>\d{1,2})\.(?P<m4>\d{2})(?:\.\d{2,4})?(?![\w%]|[.,]\d|\s*(?:млн|тыс|млрд|%|k\b|m\b))",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"(?<![\w.,])(?P<whole>\d{1,3}(?:[ \u00a0\u202f,']\d{3})+|\d+)(?:[.,](?P<part>\d{1,2}))?(?![\d]|[.,]\d)"
    r"\s?(?P<size>тыс\w*\.?|тысяч\w*|т\.\s?р\.|млн|миллион\w*|млрд|миллиард\w*|thousand|million|billion|[kкmм](?!\w)|mln|bn)?",
    re.IGNORECASE,
)
_SIZES = (
    (("тыс", "т.", "thousand", "k", "к"), 1_000),
    (("млн", "миллион", "million", "m", "м"), 1_000_000),
    (("млрд", "миллиард", "billion", "bn"), 1_000_000_000),
)
_UNITS: dict[str, int] = {
    word: number
    for number, told in enumerate(
        (
            "ноль zero", "один одна одного одну одно одной one", "два две двух двое двумя two",
            "три трех трое тремя three", "четыре четырех четверо four", "пять пяти five", "шесть шести six",
            "семь семи seven", "восемь восьми eight", "девять девяти nine", "десять десяти ten",
            "одиннадцать одиннадцати eleven", "двенадцать двенадцати twelve",
            "тринадцать тринадцати thirteen", "четырнадцать четырнадцати fourteen",
            "пятнадцать пятнадцати fifteen", "шестнадцать шестнадцати sixteen",
            "семнадцать семнадцати seventeen", "восемнадцать восемнадцати eighteen",
            "девятнадцать девятнадцати nineteen",
        )
    )
    for word in told.split()
}  # fmt: skip
_TENS: dict[str, int] = {
    word: number
    for number, told in (
        (20, "двадцать двадцати twenty"), (30, "тридцать тридцати thirty"), (40, "сорок сорока forty"),
        (50, "пятьдесят пятидесяти fifty"), (60, "шестьдесят шестидесяти sixty"),
        (70, "семьдесят семидесяти seventy"), (80, "восемьдесят восьмидесяти eighty"),
        (90, "девяносто девяноста ninety"), (100, "сто ста"), (200, "двести двухсот"),
        (300, "триста трехсот"), (400, "четыреста четырехсот"), (500, "пятьсот пятисот"),
        (600, "шестьсот шестисот"), (700, "семьсот семисот"), (800, "восемьсот восьмисот"),
        (900, "девятьсот девятисот"),
    )
    for word in told.split()
}  # fmt: skip
_GREAT = re.compile(r"(тысяч\w*|thousand|миллион\w*|million|млн|тыс)$")
_WORDS = re.compile(r"[^\W_]+")
_HALF = {"полтора": 1.5, "полторы": 1.5, "полутора": 1.5}


class Quantity(NamedTuple):
    """A number or a day that a text names, as a token, and where it stands."""

    token: str
    start: int
    end: int


def quantities(text: str) -> list[Quantity]:
    """Every number of two digits or more and every day of the year, in order."""
    plain = text.replace("ё", "е").replace("Ё", "Е")
    found = list(_days(plain))
    taken = [(day.start, day.end) for day in found]
    for number in (*_figures(plain), *_spelt(plain)):
        if not any(start < number.end and number.start < end for start, end in taken):
            found.append(number)
    return sorted(found, key=lambda quantity: quantity.start)


def month_number(name: str) -> int:
    """The month of a name in any case; raise KeyError."""
    folded = name.lower()
    return next(number for beginning, number in _MONTH_BEGINNINGS.items() if folded.startswith(beginning))


def _days(text: str) -> Iterator[Quantity]:
    for match in _DAYS.finditer(text):
        group = match.lastgroup or ""
        which = group[-1]
        named = match[f"m{which}"]
        month = int(named) if named.isdigit() else month_number(named)
        day = int(match[f"d{which}"])
        if _is_day(month, day):
            yield Quantity(f"d{month:02}{day:02}", match.start(), match.end())


def _is_day(month: int, day: int) -> bool:
    try:
        date(2024, month, day)
    except ValueError:
        return False
    return True


def _figures(text: str) -> Iterator[Quantity]:
    for match in _FIGURE.finditer(text):
        whole = "".join(c for c in match["whole"] if c.isdigit())
        if len(whole) > 13:
            continue
        part, size = match["part"] or "", _size(match["size"] or "")
        value = round(float(f"{whole}.{part or 0}") * size, 2)
        if value >= 10 or part:
            yield Quantity(_token(value), match.start(), match.end())


def _size(told: str) -> int:
    folded = told.lower()
    return next((size for names, size in _SIZES if folded and folded.startswith(names)), 1)


def _token(value: float) -> str:
    if value == int(value):
        return f"n{int(value)}"
    return f"n{value:.2f}".rstrip("0").replace(".", "p")


def _spelt(text: str) -> Iterator[Quantity]:
    """Numbers in words: «сорок пять тысяч», "one and a half million", «треть миллиона» is none."""
    run: list[re.Match[str]] = []
    for match in _WORDS.finditer(text):
        word = match[0].lower()
        gap = text[run[-1].end() : match.start()] if run else ""
        joins = word in {"and", "a", "half", "hundred"} and bool(run)
        is_number = word in _UNITS or word in _TENS or word in _HALF or bool(_GREAT.match(word)) or joins
        if run and (not is_number or gap.strip(" -\u00a0")):
            yield from _read(run)
            run = []
        if (is_number and not joins) or (joins and run):
            run.append(match)
    if run:
        yield from _read(run)


def _read(run: list[re.Match[str]]) -> Iterator[Quantity]:
    total, held, said = 0.0, 0.0, False
    for match in run:
        word = match[0].lower()
        if word in _UNITS or word in _TENS or word in _HALF:
            held, said = held + _UNITS.get(word, 0) + _TENS.get(word, 0) + _HALF.get(word, 0.0), True
        elif word == "hundred":
            held *= 100
        elif word == "half":
            held += 0.5
        elif _GREAT.match(word) and said:
            total, held = total + (held or 1) * _size(word), 0.0
    value = total + held
    if said and value >= 10:
        yield Quantity(_token(value), run[0].start(), run[-1].end())
