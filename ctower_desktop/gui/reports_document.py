"""A digest or a report to be read, and saved as PDF, page, text or table; nothing in it is loaded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.crm_document import Sheet
from ctower_desktop.gui.export import Format, save_as
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label
from ctower_desktop.kernel.endpoint import Text
from ctower_desktop.kernel.errors import TowerError

Read = Callable[[str], Coroutine[Any, Any, Text]]  # the document in a form: html, markdown, csv

_LONGEST_NAME = 80
_NOT_IN_NAMES = re.compile(r"[^\w .–-]+")
_MARGIN, _POINTS = 18, 10  # millimetres of paper left free, size of its type
_EVIDENCE = re.compile(r" `\[[^`]*\]`")


class DocumentPane(QFrame):
    """One document; `read` gives it in any form."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._read: Read | None = None
        self._name = ""
        self._task: asyncio.Task[Any] | None = None
        self.setProperty("panel", True)
        self.setMinimumWidth(360)
        self.heading = Label("", "section", wrap=True)
        self.heading.setMinimumWidth(1)
        self.note = Label("", "meta", "text_2", wrap=True)
        self.note.setMinimumWidth(1)
        self.buttons: dict[Format, Button] = {
            "pdf": Button(tr("Save PDF…"), "P"),
            "html": Button(tr("Save as a page…")),
            "md": Button(tr("Save Markdown…")),
            "csv": Button(tr("Save as a table…")),
        }
        for form, button in self.buttons.items():
            button.clicked.connect(partial(self._press, form))
        self.sheet = Sheet(tr("Document"))
        self.area = QScrollArea()
        self.stack = QStackedWidget()
        self.state: EmptyState | None = None
        self._build()
        theme.signals().changed.connect(self.refresh)
        self.rest()

    def _build(self) -> None:
        bar = QWidget()
        bar.setLayout(FlowLayout(*self.buttons.values()))
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        for part in (self.heading, self.note, bar, self.sheet):
            column.addWidget(part)
        column.addStretch(1)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(tr("Document"))
        self.area.setWidget(inside)
        self.stack.addWidget(self.area)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)
        whole.addWidget(self.stack)

    def rest(self) -> None:
        """No document is open."""
        self._stop()
        sentence = tr("Choose one at the left to read and save it.")
        self._say(EmptyState("no_data", tr("Documents open here"), sentence))

    def show_document(self, name: str, note: str, read: Read, *, table: bool) -> None:
        """Open a document; `table` says whether it can be saved as one."""
        fresh = name != self._name
        self._name, self._read = name, read
        self.heading.setText(name)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.buttons["csv"].setVisible(table)
        if fresh:
            self.area.verticalScrollBar().setValue(0)
        self.refresh()

    def show_state(self, state: EmptyState) -> None:
        """Say why there is no document."""
        self._stop()
        self._say(state)

    def _stop(self) -> None:
        self._read = None
        if self._task is not None:
            self._task.cancel()

    def refresh(self) -> None:
        """Read the open document again."""
        if self._task is not None:
            self._task.cancel()
        if self._read is not None:
            read = self._read
            self._task = start(self, read("markdown"), partial(self._show, read), self._failed)

    def save(self, form: Format) -> None:
        """Ask where the document goes."""
        if self._read is not None:
            name = _NOT_IN_NAMES.sub(" ", self._name).strip()[:_LONGEST_NAME] or tr("Document")

            def ask(found: bytes) -> None:
                save_as(self._page, name, form, found)

            start(self, self._content(form), ask)

    async def _content(self, form: Format) -> bytes:
        assert self._read is not None
        if form == "pdf":
            told = await self._read("markdown")
            return await asyncio.to_thread(pdf_of, told.content.decode(), self._name)
        forms = {"md": "markdown", "html": "html", "csv": "csv"}
        return (await self._read(forms[form])).content

    def _press(self, form: Format, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        self.save(form)

    def _show(self, read: Read, found: Text) -> None:
        if read is not self._read:
            return  # another one was chosen while this one was on its way
        self._say(None)
        self.sheet.show_markdown(_EVIDENCE.sub("", found.content.decode()))

    def _failed(self, error: TowerError) -> None:
        title = tr("The document could not be read")
        self._say(EmptyState("failed", title, plain_words(error), tr("Try again"), self.refresh))

    def _say(self, state: EmptyState | None) -> None:
        if self.state is not None:
            self.stack.removeWidget(self.state)
            self.state.deleteLater()
        self.state = state
        if state is not None:
            self.stack.addWidget(state)
        self.stack.setCurrentWidget(state or self.area)


def pdf_of(markdown: str, title: str) -> bytes:
    """A document on A4 pages; made off the loop."""
    found = QByteArray()
    buffer = QBuffer(found)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(title)
    writer.setResolution(300)
    margins = QMarginsF(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4),
            QPageLayout.Orientation.Portrait,
            margins,
            QPageLayout.Unit.Millimeter,
        )
    )
    document = QTextDocument()
    font = QFont(theme.font("body").family())
    font.setPointSize(_POINTS)
    document.setDefaultFont(font)
    features = QTextDocument.MarkdownFeature
    document.setMarkdown(
        _EVIDENCE.sub("", markdown), features.MarkdownNoHTML | features.MarkdownDialectGitHub
    )
    document.print_(writer)
    buffer.close()
    return bytes(found.data())
