"""The document of an offer as it will be read: rendered text that fetches nothing and opens nothing."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QResizeEvent, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFrame, QTextBrowser, QVBoxLayout, QWidget

from ctower_desktop.crm.offers.actions import read_offer_document
from ctower_desktop.crm.offers.model import Format, Offer, ReadDocument
from ctower_desktop.gui import theme
from ctower_desktop.gui.export import save_as
from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.flow import side_by_side
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label
from ctower_desktop.kernel.endpoint import Text
from ctower_desktop.kernel.errors import TowerError

_LONGEST_NAME = 60
_NOT_IN_NAMES = re.compile(r"[^\w .-]+")


class Sheet(QTextBrowser):
    """Markdown as text with headings and tables; no picture is loaded, no link leads anywhere."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(name)
        self.setMinimumHeight(120)

    def loadResource(self, _kind: int, _name: QUrl | str) -> Any:
        """Nothing is ever loaded."""
        return None

    def show_markdown(self, text: str) -> None:
        """Show a document; tags in it are text."""
        features = QTextDocument.MarkdownFeature
        document = self.document()
        document.setDefaultFont(theme.font("body"))
        document.setMarkdown(text, features.MarkdownNoHTML | features.MarkdownDialectGitHub)
        self._without_links()
        self._fit()

    def _without_links(self) -> None:
        """An address that stands in the text reads as text."""
        plain = QTextCharFormat()
        plain.setAnchor(False)
        plain.setAnchorHref("")
        plain.setFontUnderline(False)
        plain.setForeground(theme.current().color("text_1"))
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.mergeCharFormat(plain)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As high as its text: the pane around it scrolls."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.document().setTextWidth(self.viewport().width())
        self.setFixedHeight(max(120, round(self.document().size().height()) + 8))


class DocumentView(QWidget):
    """The document of the open offer, and saving it as PDF or Markdown."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._offer: Offer | None = None
        self._reading: asyncio.Task[Text] | None = None
        self.sheet = Sheet(tr("Document"))
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()
        self.pdf, self.markdown = Button(tr("Save PDF…")), Button(tr("Save Markdown…"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(side_by_side(self.pdf, self.markdown))
        column.addWidget(self.problem)
        column.addWidget(self.sheet)
        self.pdf.clicked.connect(lambda: self.save("pdf"))
        self.markdown.clicked.connect(lambda: self.save("markdown"))
        theme.signals().changed.connect(self._again)

    def show_document(self, offer: Offer) -> None:
        """Read and show the document, if it says something else now."""
        if offer != self._offer:
            self._offer = offer
            self._again()

    def save(self, form: Format) -> None:
        """Ask where the document goes."""
        offer = self._offer
        if offer is None:
            return

        def ask(found: Text) -> None:
            name = _NOT_IN_NAMES.sub(" ", offer.title).strip()[:_LONGEST_NAME] or tr("Offer")
            save_as(self._page, name, "pdf" if form == "pdf" else "md", found.content)

        start(self, self._read(form), ask)

    async def _read(self, form: Format) -> Text:
        assert self._offer is not None
        return await read_offer_document(self._page.call(), self._offer.id, ReadDocument(form))

    def _again(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        if self._offer is not None:
            self._reading = start(self, self._read("markdown"), self._show, self._failed)

    def _show(self, found: Text) -> None:
        self.problem.hide()
        self.sheet.show_markdown(found.content.decode())

    def _failed(self, error: TowerError) -> None:
        self.sheet.clear()
        self.problem.setText(plain_words(error))
        self.problem.show()
