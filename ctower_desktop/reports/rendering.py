"""From a document to HTML, Markdown or CSV. What customers wrote stays text: nothing of it is ever markup."""

from __future__ import annotations

import csv
import io
import re
from functools import lru_cache

import jinja2

from ctower_desktop.kernel.system import resources
from ctower_desktop.reports.document import Cell, Document, Facts, Points, Table, Words

HTML, MARKDOWN, CSV = "text/html; charset=utf-8", "text/markdown; charset=utf-8", "text/csv; charset=utf-8"

_SPECIAL = re.compile(r"([\\`*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)|^[-+#=](?=[-+#=\s]|$))")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")
_SPACES = re.compile(r"[^\S\u00a0]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for a formula
_CSV_COLUMNS = ("section", "row", "field", "value")


def html(document: Document) -> bytes:
    """One page that needs nothing from anywhere: no script, no picture, no font."""
    return _templates().get_template("document.html.jinja").render(document=document).encode()


def markdown(document: Document) -> bytes:
    """Plain Markdown."""
    return _templates().get_template("document.md.jinja").render(document=document).encode()


def csv_table(document: Document) -> bytes:
    """One line for every figure: section, row, field, value. Opens in any spreadsheet, harms none."""
    out = io.StringIO()
    out.write("\ufeff")  # tells Excel that this is UTF-8
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_CSV_COLUMNS)
    for part in document.parts:
        number = 0
        for block in part.blocks:
            if isinstance(block, Facts):
                writer.writerows(
                    (part.key, "", fact.key, harmless(fact.raw)) for fact in block.facts if fact.key
                )
            elif isinstance(block, Table):
                for row in block.raw:
                    number += 1
                    writer.writerows(
                        (part.key, number, key, harmless(cell))
                        for key, cell in zip(block.keys, row, strict=True)
                    )
            elif isinstance(block, Points):
                for point in block.points:
                    number += 1
                    writer.writerow((part.key, number, "text", harmless(point.text)))
            elif isinstance(block, Words):
                writer.writerow((part.key, "", "text", harmless(block.text)))
    return out.getvalue().encode()


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet runs: text that looks like a formula is quoted; numbers stay numbers."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str) and cell.lstrip(" \u00a0\ufeff").startswith(_FORMULA):
        return "'" + cell
    return cell


def escaped(text: str) -> str:
    """Text as Markdown shows it letter by letter, on one line."""
    line = _SPECIAL.sub(r"\\\1", _SPACES.sub(" ", text).strip())
    return _NUMBERED.sub(r"\1\\\2", line)


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources() / "templates"),
        autoescape=jinja2.select_autoescape(("html", "html.jinja"), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = escaped
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    return environment
