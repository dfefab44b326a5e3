"""The document of an offer: Markdown from a template, and the same as PDF. Slow: never on the loop.

Texts of customers stand in it letter by letter: what means something in Markdown is escaped, what could make
a line read other than it is (control characters, changes of direction) is left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import jinja2
import msgspec

from ctower_desktop.crm.offers.content import Source
from ctower_desktop.crm.offers.model import Language
from ctower_desktop.kernel.system import resources

NO_BREAK = "\u00a0"
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#])")
_AT_LINE_START = re.compile(r"^([-+=]|\d+(?=[.)]))")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_TITLES: dict[Language, str] = {"ru": "Коммерческое предложение", "en": "Offer"}


class Rendered(msgspec.Struct, frozen=True):
    """Both forms of one document, and what they were made of."""

    source: Source
    markdown: bytes
    pdf: bytes
    pages: int


def rendered(source: Source, made: datetime) -> Rendered:
    """The document of an offer, always the same for the same source and time."""
    from ctower_desktop.crm.offers.layout import Labels, laid_out  # loads the PDF library

    text = markdown(source)
    content = source.content
    labels = Labels(
        title=f"{_TITLES[content.language]}: {plain(content.title)}",
        author=plain(source.seller.name),
        language=content.language,
        footer=f"{'№' if content.language == 'ru' else 'No.'} {content.number}",
    )
    pdf, pages = laid_out(text, labels, made)
    return Rendered(source, text.encode(), pdf, pages)


def markdown(source: Source) -> str:
    """The document as Markdown."""
    language = source.content.language
    template = _templates().get_template(f"offer_{language}.md.jinja")
    words: dict[str, Callable[..., str]] = {
        "money": lambda value: money(value, language),
        "number": lambda value: number(value, language),
        "on": lambda day: long_day(day, language),
    }
    text = template.render(
        c=source.content, seller=source.seller, day=source.day, draft=source.draft, **words
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def plain(text: str) -> str:
    """Text on one line without what is not seen."""
    return " ".join(_visible(text).split())


def escaped(text: str) -> str:
    """Text that Markdown shows letter by letter, on one line."""
    found = _SPECIAL.sub(r"\\\1", plain(text))
    return _AT_LINE_START.sub(_guarded, found)


def paragraphs(text: str) -> str:
    """Text that Markdown shows letter by letter, in its lines and paragraphs."""
    blocks = re.split(r"\n\s*\n", _visible(text).strip())
    lines = ([escaped(line) for line in block.splitlines() if line.strip()] for block in blocks)
    return "\n\n".join("\\\n".join(block) for block in lines)


def money(value: float, language: Language) -> str:
    """An amount with two places as the language writes it."""
    return _written(Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP), language)


def number(value: float, language: Language) -> str:
    """A number with as many places as it has."""
    exact = Decimal(str(value)).normalize()
    return _written(exact if exact.as_tuple().exponent < 0 else exact.quantize(Decimal(1)), language)  # type: ignore[operator]


def long_day(day: str, language: Language) -> str:
    """A day as the language writes it."""
    found = date.fromisoformat(day)
    if language == "ru":
        return found.strftime("%d.%m.%Y")
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def _written(value: Decimal, language: Language) -> str:
    text = f"{abs(value):,f}"
    if language == "ru":
        text = text.replace(",", NO_BREAK).replace(".", ",")
    return f"−{text}" if value < 0 else text


def _guarded(match: re.Match[str]) -> str:
    """What begins a list or a heading only at the start of a line: the mark gets a backslash."""
    return f"\\{match[1]}" if not match[1][0].isdigit() else f"{match[1]}\\"


def _visible(text: str) -> str:
    kept = (c for c in text if c not in _TURNING and (c in "\n\t" or unicodedata.category(c) != "Cc"))
    return "".join(kept)


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources() / "templates"),
        autoescape=False,  # noqa: S701 - not HTML; every text goes through `md` or `block`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {"md": escaped, "block": paragraphs}
    environment.filters.update(filters)
    return environment
