"""What digests and reports say, in Russian and in English: labels, numbers, money, days, how long."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, tzinfo
from functools import lru_cache

from ctower_desktop.kernel.regional import Language
from ctower_desktop.kernel.system import resources

_LANGUAGES: tuple[Language, ...] = ("en", "ru")
_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "GBP": "£"}
_MONTHS = {
    "ru": ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября",
           "ноября", "декабря"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip
_SPACE = "\u00a0"
NOTHING = "—"


class Speech:
    """One language, on one clock."""

    def __init__(self, language: Language, zone: tzinfo) -> None:
        self.language, self.zone = language, zone
        self._place = _LANGUAGES.index(language)

    def __call__(self, key: str, **values: object) -> str:
        """The words for a key; a key without words is shown as it is, spaced."""
        found = _words().get(key)
        text = found[self._place] if found is not None else key.replace("_", " ")
        return text.format(**values) if values else text

    def knows(self, key: str) -> bool:
        """Whether there are words for a key."""
        return key in _words()

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with its thousands apart; a dash for none."""
        if value is None:
            return NOTHING
        text = f"{value:,.{digits}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if text == "-0":
            text = "0"
        if self.language == "ru":
            return text.replace(",", _SPACE).replace(".", ",")
        return text

    def money(self, amount: float, currency: str) -> str:
        """An amount with its currency, if one is known."""
        text, sign = self.number(amount, 2), _SIGNS.get(currency, currency)
        if not sign:
            return text
        if self.language == "en" and len(sign) == 1 and currency != "RUB":
            return f"-{sign}{text[1:]}" if text.startswith("-") else f"{sign}{text}"
        return f"{text}{_SPACE}{sign}"

    def percent(self, value: float | None) -> str:
        """A share; a dash for none."""
        if value is None:
            return NOTHING
        return f"{self.number(value, 1)}{_SPACE if self.language == 'ru' else ''}%"

    def minutes(self, value: float | None) -> str:
        """How long, in days, hours or minutes; a dash for never."""
        if value is None:
            return NOTHING
        if value >= 48 * 60:
            return self("span_days", n=self.number(value / 1_440, 1))
        if value >= 90:
            return self("span_hours", n=self.number(value / 60, 1))
        return self("span_minutes", n=self.number(round(value)))

    def day(self, day: str | date) -> str:
        """A day in words."""
        found = date.fromisoformat(day) if isinstance(day, str) else day
        month = _MONTHS[self.language][found.month - 1]
        return f"{found.day} {month} {found.year}"

    def moment(self, text: str | None) -> str:
        """A stored time on the reader's clock; a dash for none."""
        if text is None:
            return NOTHING
        try:
            here = datetime.fromisoformat(text).astimezone(self.zone)
        except ValueError:
            return text
        return f"{self.day(here.date())}, {here:%H:%M}"


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, str]]:
    text = (resources() / "templates" / "words.toml").read_text("utf-8")
    return {key: (pair[0], pair[1]) for key, pair in tomllib.loads(text).items()}
