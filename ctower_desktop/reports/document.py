"""A document before it has a form: headings, facts, tables and lists, the same for HTML, Markdown and CSV."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Cell: TypeAlias = "str | int | float | bool | None"
Tone = Literal["plain", "good", "warning", "bad"]


class Fact(msgspec.Struct, frozen=True):
    """A figure with its name, and what it was before, if that is known."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "plain"
    key: str = ""
    raw: Cell = None


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """Figures that belong together."""

    facts: list[Fact]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """Rows under columns; `keys` name the columns for programs, `raw` are the cells before wording."""

    columns: list[str]
    rows: list[list[str]]
    keys: list[str]
    raw: list[list[Cell]]


class Point(msgspec.Struct, frozen=True):
    """A line of a list: what it is, what is to be known of it, and what it stands on."""

    text: str
    note: str = ""
    evidence: list[str] = []
    tone: Tone = "plain"


class Points(msgspec.Struct, frozen=True, tag="points"):
    """A list."""

    points: list[Point]


class Words(msgspec.Struct, frozen=True, tag="words"):
    """A sentence, such as that there is nothing to tell."""

    text: str


Block: TypeAlias = "Facts | Table | Points | Words"


class Part(msgspec.Struct, frozen=True):
    """A part of a document under its heading; `key` names it for programs."""

    key: str
    heading: str
    blocks: list[Block]


class Document(msgspec.Struct, frozen=True):
    """A whole document: title, what it is about, parts, and one line at its foot."""

    language: Literal["ru", "en"]
    title: str
    subtitle: str
    parts: list[Part]
    foot: str
