"""System, Synchronisation: when each source was read, how often it went well, and what went wrong."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.loops import LOOPS
from ctower_desktop.gui import theme
from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.connection import code_of, what_happened, what_to_do
from ctower_desktop.gui.export import Sheet, export_button
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_pictures import Lane
from ctower_desktop.gui.system_pictures import Timeline as Picture
from ctower_desktop.gui.system_section import Section
from ctower_desktop.gui.system_words import run_state, took
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.text import number, tr, trn, when
from ctower_desktop.gui.widgets import Badge, Card, Label, SearchField, ToggleChip, clear, row
from ctower_desktop.operations.system import read_connector_timeline
from ctower_desktop.operations.system_model import Hours, Timeline
from ctower_desktop.operations.timeline import SuccessRate, SyncRun
from ctower_desktop.reports.document import Cell

_HOURS = (1, 6, 24, 72, 168)
_GOOD, _FAIR = 99.0, 90.0  # per cent that went well


def source_title(name: str) -> str:
    """What a source is called."""
    if name in CONNECTORS:
        return CONNECTORS[name].title
    return LOOPS.title if name == LOOPS.name else name


class SyncSection(Section):
    """A picture of the last hours, rates beside it, and every run as a table below."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, {"connector_event", "connector_sync_state"})
        self._found = Timeline([], [], 24)
        self.search = SearchField(tr("Find a source or an error"))
        self.failed = ToggleChip(tr("Failed"))
        self.hours = QComboBox()
        self.hours.setAccessibleName(tr("Over how many hours"))
        for hours in _HOURS:
            words = (
                trn("{n} hour", "{n} hours", hours) if hours < 72 else trn("{n} day", "{n} days", hours // 24)
            )
            self.hours.addItem(words, hours)
        self.hours.setCurrentIndex(_HOURS.index(24))
        self.picture = Picture()
        self.rates = QVBoxLayout()
        self.rates.setSpacing(4)
        self.card = Card(spacing=12)
        self.card.body.addWidget(self.picture)
        self.card.body.addLayout(self.rates)
        self.listing = Listing(tr("Synchronisations"), self._columns(), self._load, _key, self._empty)
        self.listing.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.what = Label("", "body", wrap=True)
        self.step = Label("", "meta", "text_2", wrap=True)
        self._error = QVBoxLayout()
        self._build(page)
        self.search.textChanged.connect(self.listing.search)
        self.failed.toggled.connect(self.listing.start_over)
        self.hours.currentIndexChanged.connect(self.listing.start_over)
        self.listing.opened.connect(self._open)
        self.listing.shown.connect(self._draw)

    def _build(self, page: Page) -> None:
        header = self.listing.view.horizontalHeader()
        for place, width in ((0, 120), (1, 140), (2, 90), (3, 114)):
            header.resizeSection(place, round(width * theme.scale()))
        self.detail = Card(spacing=4)
        for label in (self.what, self.step):
            label.setMinimumWidth(1)
            self.detail.body.addWidget(label)
        self.detail.body.addLayout(self._error)
        self.detail.hide()
        self.export = export_button(page, "synchronisations", self._sheet)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row(self.search, self.failed, self.hours, 0, self.export))
        parts: tuple[QWidget, ...] = (self.card, self.listing, self.detail)
        for part in parts:
            column.addWidget(part, int(part is self.listing))

    def _columns(self) -> list[Column[SyncRun]]:
        return [
            Column(tr("Source"), lambda run: source_title(run.connector)),
            Column(tr("Began"), lambda run: when(run.started_at, self.now), lambda run: run.started_at),
            Column(
                tr("Took"), lambda run: took(run.duration_ms), lambda run: run.duration_ms or 0, right=True
            ),
            Column(tr("Outcome"), lambda run: run_state(run.status)[0]),
            Column(tr("Error"), _error_words, stretch=True),
        ]

    def refresh(self) -> None:
        """Read and show everything again."""
        self.listing.refresh()

    def start_over(self) -> None:
        """Another project."""
        self.detail.hide()
        self.listing.start_over()

    async def _load(self, offset: int, _limit: int) -> list[SyncRun]:
        if offset:
            return []
        self._found = await read_connector_timeline(self.call(), Hours(hours=int(self.hours.currentData())))
        return self._fitting()

    def _fitting(self) -> list[SyncRun]:
        wanted = self.search.text().strip().casefold()
        return [
            run
            for run in self._found.timeline
            if (not self.failed.isChecked() or run.status == "failed")
            and wanted in f"{source_title(run.connector)} {run.connector} {run.error or ''}".casefold()
        ]

    async def _empty(self) -> EmptyState:
        if self._found.timeline:
            title, about = tr("No synchronisation fits"), tr("Nothing here fits the search and the filters.")
            return EmptyState("filtered", title, about, tr("Show all"), self._show_all)
        title = tr("No source was read in this time")
        about = tr("Connect a source, or sync what is connected.")
        return EmptyState(
            "not_synced", title, about, tr("Open Connectors"), lambda: self.context.open_page("connectors")
        )

    async def _sheet(self) -> Sheet:
        rows: list[list[Cell]] = [
            [
                source_title(run.connector), run.started_at, run.finished_at, run.duration_ms,
                run_state(run.status)[0], run.error,
            ]
            for run in self._fitting()
        ]  # fmt: skip
        columns = [tr("Source"), tr("Began"), tr("Ended"), tr("Took, ms"), tr("Outcome"), tr("Error")]
        return Sheet(tr("Synchronisations"), columns, rows)

    def _show_all(self) -> None:
        self.failed.setChecked(False)
        self.search.clear()
        self.listing.start_over()

    def _draw(self) -> None:
        found = self._found
        self.card.setVisible(bool(found.timeline))
        names = sorted({run.connector for run in found.timeline})
        lanes = [Lane(source_title(n), [run for run in found.timeline if run.connector == n]) for n in names]
        self.picture.show_lanes(lanes, self.now - timedelta(hours=found.hours), self.now)
        clear(self.rates)
        for rate in found.success_rate:
            self.rates.addLayout(row(Label(source_title(rate.connector), "meta", "text_2"), _rate(rate), 0))
        if self.listing.front is None:
            self.detail.hide()

    def _open(self, run: SyncRun) -> None:
        self.detail.setVisible(bool(run.error))
        if run.error:
            code = code_of(run.error)
            self.what.setText(what_happened(code, source_title(run.connector)))
            self.step.setText(what_to_do(code))
            clear(self._error)
            self._error.addWidget(PlainText(run.error, "meta", "text_3", fluid=True))


def _key(run: SyncRun) -> str:
    return f"{run.connector} {run.started_at}"


def _error_words(run: SyncRun) -> str:
    return what_happened(code_of(run.error), source_title(run.connector)) if run.error else ""


def _rate(rate: SuccessRate) -> Badge:
    token = "success" if rate.pct >= _GOOD else "warning" if rate.pct >= _FAIR else "danger"
    words = tr(
        "{percent} % went well ({ok} of {all})",
        percent=number(rate.pct, 1),
        ok=number(rate.ok),
        all=number(rate.ok + rate.failed),
    )
    return Badge(words, token)
