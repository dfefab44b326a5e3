"""What is on screen as a file: a table as CSV or Markdown, a document as it is; written off the loop."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from PySide6.QtWidgets import QFileDialog, QMenu

from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.reports.document import Cell
from ctower_desktop.reports.rendering import escaped, harmless

Format = Literal["csv", "md", "pdf", "html"]
_PATTERNS: dict[Format, str] = {
    "csv": "CSV (*.csv)",
    "md": "Markdown (*.md)",
    "pdf": "PDF (*.pdf)",
    "html": "HTML (*.html)",
}


class NotWritten(TowerError):
    """The file could not be written."""

    code = "file_not_written"


class Sheet(msgspec.Struct, frozen=True):
    """A table as it stands on screen: a title, the names of the columns, the cells."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]


def as_csv(sheet: Sheet) -> bytes:
    """The table for spreadsheets; no cell is ever a formula."""
    out = io.StringIO()
    out.write("\ufeff")  # tells Excel that this is UTF-8
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    writer.writerows([harmless(cell) for cell in row] for row in sheet.rows)
    return out.getvalue().encode()


def as_markdown(sheet: Sheet) -> bytes:
    """The table as Markdown; what customers wrote is never markup."""
    lines = [
        f"# {escaped(sheet.title)}",
        "",
        _line(sheet.columns),
        _line(["---"] * len(sheet.columns), raw=True),
    ]
    lines += [_line([_written(cell) for cell in row], raw=True) for row in sheet.rows]
    return ("\n".join(lines) + "\n").encode()


def _line(cells: list[str], *, raw: bool = False) -> str:
    return "| " + " | ".join(cell if raw else escaped(cell) for cell in cells) + " |"


def _written(cell: Cell) -> str:
    """Text letter by letter; whole numbers without a fraction."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, int | float):
        return str(cell)
    return escaped(cell or "")


def export_button(page: Page, name: str, read: Callable[[], Coroutine[Any, Any, Sheet]]) -> Button:
    """A button with a menu of formats; `read` gives what is on screen, in its order and with its filters."""
    button = Button(tr("Export"))
    menu = QMenu(button)
    menu.setAccessibleName(tr("Export"))
    for form in ("csv", "md"):
        menu.addAction(_title(form), partial(export_sheet, page, name, form, read))
    button.setMenu(menu)
    return button


def export_sheet(page: Page, name: str, form: Format, read: Callable[[], Coroutine[Any, Any, Sheet]]) -> None:
    """Read a table and ask where it goes."""

    async def content() -> bytes:
        sheet = await read()
        return await asyncio.to_thread(as_csv if form == "csv" else as_markdown, sheet)

    def ask(found: bytes) -> None:
        save_as(page, name, form, found)

    start(page, content(), ask)


def save_as(page: Page, name: str, form: Format, content: bytes) -> QFileDialog:
    """Ask where a file goes and write it there."""
    dialog = QFileDialog(page, tr("Save as"), f"{name}.{form}", _PATTERNS[form])
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(form)
    dialog.fileSelected.connect(lambda path: _write(page, Path(path), content))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def _write(page: Page, path: Path, content: bytes) -> None:
    async def write() -> None:
        try:
            await asyncio.to_thread(path.write_bytes, content)
        except OSError as error:
            raise NotWritten(
                tr("{file} could not be written: {reason}", file=path.name, reason=error.strerror or "")
            ) from error

    start(page, write(), lambda _: page.context.toast(tr("Saved: {file}", file=path.name)))


def _title(form: Format) -> str:
    return tr("As a table (CSV)") if form == "csv" else tr("As text (Markdown)")
