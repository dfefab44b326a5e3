"""System, Log: the newest lines of this process; filter, search, follow, copy, export."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QSplitter, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.export import Sheet, export_button
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_section import Section, scrolled
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.widgets import Button, Label, SearchField, ToggleChip, clear, row
from ctower_desktop.kernel.log import Line, ring
from ctower_desktop.kernel.system import from_text
from ctower_desktop.operations.system import list_log_lines
from ctower_desktop.operations.system_model import LogsQuery

_EVERY = 1_000  # milliseconds between looks while following


class Entry(msgspec.Struct, frozen=True):
    """A line and its place among lines that are alike."""

    line: Line
    twin: int

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return f"{self.line.at} {self.line.source} {self.twin} {self.line.message}"


class LogSection(Section):
    """The log as a table, the whole line below it."""

    needs_project = False

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._seen: Line | None = None
        self.search = SearchField(tr("Find in the log"))
        self.level = QComboBox()
        self.level.setAccessibleName(tr("Least level"))
        for level, words in _levels().items():
            self.level.addItem(words, level)
        self.follow = ToggleChip(tr("Follow"))
        self.copy = Button(tr("Copy"), icon="copy")
        self.folder = Button(tr("Open the folder"), icon="folder")
        self.export = export_button(page, "log", self._sheet)
        self.listing = Listing(tr("Log"), self._columns(), self._load, lambda entry: entry.key, self._empty)
        self.listing.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._lines: list[Entry] = []
        self.head = Label("", "meta", "text_2", wrap=True)
        self._whole = QVBoxLayout()
        self._build()
        self.search.textChanged.connect(self.listing.search)
        self.level.currentIndexChanged.connect(self.listing.start_over)
        self.follow.toggled.connect(lambda on: self.refresh() if on else None)
        self.copy.clicked.connect(self._copy)
        self.folder.clicked.connect(self._open_folder)
        self.listing.opened.connect(self._open)
        self.listing.shown.connect(self._shown)
        keys = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.listing.view)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self._copy)
        self._clock = QTimer(self)
        self._clock.setInterval(_EVERY)
        self._clock.timeout.connect(self._look)
        self._clock.start()

    def _build(self) -> None:
        header = self.listing.view.horizontalHeader()
        for place, width in ((0, 124), (1, 130), (2, 220)):
            header.resizeSection(place, round(width * theme.scale()))
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 8, 8, 0)
        self.head.setMinimumWidth(1)
        column.addWidget(self.head)
        column.addLayout(self._whole)
        column.addStretch(1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.listing)
        split.addWidget(scrolled(inside, tr("The whole line")))
        split.setSizes([480, 160])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(12)
        whole.addLayout(row(self.search, self.level, self.follow))
        whole.addLayout(row(self.copy, self.folder, 0, self.export))
        whole.addWidget(split, 1)

    def _columns(self) -> list[Column[Entry]]:
        return [
            Column(tr("When"), _clock_words, lambda entry: entry.line.at),
            Column(tr("Level"), lambda entry: _level_words(entry.line.level)),
            Column(tr("Place in the program"), lambda entry: entry.line.source),
            Column(tr("Message"), lambda entry: entry.line.message, stretch=True),
        ]

    def refresh(self) -> None:
        """Read and show everything again."""
        self.listing.refresh()

    async def _load(self, offset: int, limit: int) -> list[Entry]:
        if not offset:  # the ring turns while one reads: all pages come from one look
            query = LogsQuery(level=self.level.currentData(), q=self.search.text().strip(), limit=1_000)
            self._lines = _entries((await list_log_lines(self.call(), query)).logs)
        return self._lines[offset : offset + limit]

    async def _empty(self) -> EmptyState:
        if self.search.text().strip() or self.level.currentData():
            title, about = tr("No line fits"), tr("Nothing here fits the search and the filters.")
            return EmptyState("filtered", title, about, tr("Show all"), self._show_all)
        return EmptyState("no_data", tr("The log is empty"), tr("Nothing was worth a line yet."))

    async def _sheet(self) -> Sheet:
        columns = [
            tr("When"),
            tr("Level"),
            tr("Place in the program"),
            tr("Message"),
            tr("Context"),
            tr("Request"),
        ]
        lines = [entry.line for entry in self._lines]
        return Sheet(
            tr("Log"),
            columns,
            [
                [line.at, line.level, line.source, line.message, line.context, line.request_id]
                for line in lines
            ],
        )

    def _show_all(self) -> None:
        self.search.clear()
        self.level.setCurrentIndex(0)
        self.listing.start_over()

    # -- following

    def _look(self) -> None:
        """Read again when there is a new line, as long as somebody looks."""
        lines = ring().lines
        newest = lines[-1] if lines else None
        if self.follow.isChecked() and self.isVisible() and newest is not self._seen:
            self._seen = newest
            self.refresh()

    def _shown(self) -> None:
        if self.follow.isChecked():
            self.listing.view.scrollToTop()
        self.copy.setEnabled(bool(self.listing.model.rows))

    # -- one line

    def _open(self, entry: Entry) -> None:
        line = entry.line
        parts = (_level_words(line.level), _clock_words(entry), line.source, line.request_id)
        self.head.setText(" · ".join(part for part in parts if part))
        clear(self._whole)
        for text in filter(None, (line.message, line.context)):
            self._whole.addWidget(PlainText(text, "body" if text is line.message else "meta", fluid=True))

    def _copy(self) -> None:
        """The chosen lines, or all that are shown, to the clipboard."""
        chosen = self.listing.chosen or self._lines
        text = "\n".join(
            " ".join(
                part
                for part in (e.line.at, e.line.level, e.line.source, e.line.message, e.line.context)
                if part
            )
            for e in chosen
        )
        QGuiApplication.clipboard().setText(text)
        self.context.toast(trn("{n} line copied", "{n} lines copied", len(chosen)))

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.tower.home.logs)))


def _entries(lines: list[Line]) -> list[Entry]:
    """Every line with how many equal ones are older."""
    found, met = [], dict[Line, int]()
    for line in reversed(lines):
        met[line] = met.get(line, -1) + 1
        found.append(Entry(line, met[line]))
    return found[::-1]


def _levels() -> dict[str, str]:
    return {
        "": tr("All levels"),
        "info": tr("From information"),
        "warning": tr("From warnings"),
        "error": tr("Errors only"),
    }


def _level_words(level: str) -> str:
    known = {
        "debug": tr("detail"),
        "info": tr("information"),
        "warning": tr("warning"),
        "error": tr("error"),
        "critical": tr("serious error"),
    }
    return known.get(level, level)


def _clock_words(entry: Entry) -> str:
    return f"{from_text(entry.line.at).astimezone():%d.%m. %H:%M:%S}"
