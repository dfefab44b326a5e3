"""Words on screen in the user's language: translation with plurals, numbers, money, times, sizes."""

from __future__ import annotations

import html
import tomllib
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

from PySide6.QtCore import QLocale

from ctower_desktop.kernel.system import from_text, resources

Language = Literal["ru", "en"]
LANGUAGES: dict[Language, str] = {"ru": "Русский", "en": "English"}

_MONTHS_RU = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "GBP": "£"}


class _Chosen:
    language: Language = "en"


def set_language(language: Language) -> None:
    """Speak this language from now on; pages built before keep theirs until they are built again."""
    _Chosen.language = language


def language() -> Language:
    """The language in use."""
    return _Chosen.language


def system_language() -> Language:
    """What the computer speaks: Russian, or English for every other language."""
    return "ru" if QLocale.system().language() == QLocale.Language.Russian else "en"


def tr(source: str, **values: object) -> str:
    """The English `source` in the user's language; `{name}` is replaced by its value."""
    text = source
    if _Chosen.language == "ru":
        found = load().get(source, source)
        text = found if isinstance(found, str) else found[0]
    return text.format(**values) if values else text


def said(declared: str) -> str:
    """A text that a declaration carries, such as a setting's title, in the user's language."""
    found = load().get(declared, declared) if _Chosen.language == "ru" else declared
    return found if isinstance(found, str) else declared


def counterpart(shown: str) -> str:
    """A whole text on screen in the other language, or nothing when it has no translation of its own."""
    if _Chosen.language == "en":
        found = load().get(shown, "")
        return found if isinstance(found, str) else found[0]
    return _sources().get(shown, "")


@lru_cache(maxsize=1)
def _sources() -> dict[str, str]:
    return {value: key for key, value in load().items() if isinstance(value, str)}


def trn(one: str, many: str, count: int, **values: object) -> str:
    """The form that fits `count`, which the text shows as `{n}`."""
    if _Chosen.language == "ru":
        forms = load().get(many, [one, many, many])
        text = forms if isinstance(forms, str) else forms[russian_form(count)]
    else:
        text = one if count == 1 else many
    return text.format(n=number(count), **values)


def russian_form(count: int) -> int:
    """Which of the three Russian plural forms fits: 0 один, 1 два, 2 пять (Unicode CLDR plural rules)."""
    tail, tens = abs(count) % 10, abs(count) % 100
    if tail == 1 and tens != 11:
        return 0
    if 2 <= tail <= 4 and not 12 <= tens <= 14:
        return 1
    return 2


@lru_cache(maxsize=1)
def load() -> dict[str, Any]:
    """Read the translations; called before the loop runs, so that nothing waits for the disk later."""
    found: dict[str, Any] = {}
    for path in sorted((resources() / "translations").glob("*.toml")):
        found.update(tomllib.loads(path.read_text("utf-8"))["ru"])
    return found


def number(value: float, digits: int = 0) -> str:
    """A number with the language's separators: 1 234,5 or 1,234.5."""
    text = f"{value:,.{digits}f}"
    if _Chosen.language == "ru":
        return text.replace(",", "\u00a0").replace(".", ",")
    return text


def money(amount: float, currency: str) -> str:
    """An amount with its currency as the language writes it; kopecks and cents only when there are any."""
    text = number(amount, 0 if float(amount).is_integer() else 2)
    sign = _SIGNS.get(currency, currency)
    return f"{text}\u00a0{sign}" if _Chosen.language == "ru" or len(sign) > 1 else f"{sign}{text}"


def size(count: int) -> str:
    """A number of bytes for people."""
    if count < 1_000_000:
        return tr("{n} KB", n=number(max(1, round(count / 1_000))))
    if count < 1_000_000_000:
        return tr("{n} MB", n=number(round(count / 1_000_000)))
    return tr("{n} GB", n=number(count / 1_000_000_000, 1))


def seconds(count: float) -> str:
    """A length of time in its largest whole unit."""
    whole = max(0, round(count))
    if whole < 60:
        return trn("{n} s", "{n} s", whole)
    if whole < 3_600:
        return trn("{n} min", "{n} min", whole // 60)
    if whole < 86_400:
        return trn("{n} h", "{n} h", whole // 3_600)
    return trn("{n} day", "{n} days", whole // 86_400)


def ago(moment: str, now: datetime) -> str:
    """How long a stored time is past: just now, 2 min ago."""
    passed = (now - from_text(moment)).total_seconds()
    return tr("just now") if passed < 60 else tr("{time} ago", time=seconds(passed))


def when(moment: str, now: datetime) -> str:
    """A stored time as people name it, in the computer's time zone: today 10:12, 19 November 18:40."""
    here, today = from_text(moment).astimezone(), now.astimezone().date()
    clock = f"{here:%H:%M}"
    if here.date() == today:
        return tr("today {time}", time=clock)
    if here.date() == today - timedelta(days=1):
        return tr("yesterday {time}", time=clock)
    if here.year == today.year:
        return f"{day(here)} {clock}"
    return f"{day(here)} {here.year}"


def day(moment: datetime) -> str:
    """A day and its month."""
    if _Chosen.language == "ru":
        return f"{moment.day} {_MONTHS_RU[moment.month - 1]}"
    return f"{moment.day} {_MONTHS_EN[moment.month - 1]}"


def tip(text: str) -> str:
    """A text as a tool tip has to be given it: shown as it is, never taken for markup."""
    return f"<span>{html.escape(text).replace(chr(10), '<br>')}</span>" if "<" in text else text
