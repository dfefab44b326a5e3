"""One job beside the table: what it does, how it went, how long its runs took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.system_pictures import Bin, Histogram, bins
from ctower_desktop.gui.system_words import job_state, job_title, run_state, took
from ctower_desktop.gui.table import Column, StructTable, StructTableView
from ctower_desktop.gui.text import seconds, tr, when
from ctower_desktop.gui.widgets import Label, StatusDot, clear, row
from ctower_desktop.operations.history_store import Point
from ctower_desktop.operations.scheduling import Bucket
from ctower_desktop.operations.system_model import SystemJob

_ROWS = 8  # lines of the table of runs that are seen at once


class JobPane(QWidget):
    """The job in front; empty until one is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._now: datetime | None = None
        self._shown: tuple[SystemJob, list[Bin]] | None = None
        self.title = Label("", "section", wrap=True)
        self.dot, self.state = StatusDot("text_3", ""), Label("", "meta", "text_2")
        self.facts = Label("", "meta", "text_2", wrap=True)
        self.error_title = Label(tr("Last error"), "label")
        self._error = QVBoxLayout()
        self.histogram_title = Label(tr("How long runs took"), "label")
        self.histogram = Histogram()
        self.runs_title = Label(tr("Newest runs"), "label")
        columns: list[Column[Point]] = [
            Column(tr("When"), self._when, lambda point: point.at, stretch=True),
            Column(
                tr("Took"),
                lambda point: took(point.duration_ms),
                lambda point: point.duration_ms or 0,
                right=True,
            ),
            Column(tr("Outcome"), lambda point: run_state(point.status)[0]),
        ]
        self.runs: StructTable[Point] = StructTable(columns)
        self.table = StructTableView(self.runs, columns, tr("Newest runs"))
        self.table.horizontalHeader().setSortIndicator(0, Qt.SortOrder.DescendingOrder)
        for place, width in ((1, 76), (2, 112)):
            self.table.horizontalHeader().resizeSection(place, round(width * theme.scale()))
        self.table.setFixedHeight(self.table.verticalHeader().defaultSectionSize() * _ROWS)
        self.none = Label(tr("No run in this time."), "meta", "text_2")
        left, right = QVBoxLayout(), QVBoxLayout()
        left.setSpacing(8)
        right.setSpacing(8)
        left.addWidget(self.title)
        left.addLayout(row(self.dot, self.state, 0))
        left.addWidget(self.facts)
        left.addWidget(self.error_title)
        left.addLayout(self._error)
        for part in (self.histogram_title, self.histogram, self.none):
            left.addWidget(part)
        left.addStretch(1)
        right.addWidget(self.runs_title)
        right.addWidget(self.table)
        right.addStretch(1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 8, 8, 0)
        whole.setSpacing(24)
        whole.addLayout(left, 3)
        whole.addLayout(right, 2)
        self.hide()

    def show_job(self, job: SystemJob | None, buckets: Sequence[Bucket], now: datetime) -> None:
        """Show how a job is now."""
        self._now = now
        found = bins(buckets)
        if job is not None and (job, found) != self._shown:
            self._shown = job, found
            self._fill(job, found)
        self.setVisible(job is not None)

    def _fill(self, job: SystemJob, found: list[Bin]) -> None:
        words, token = job_state(job.status)
        self.title.setText(job_title(job.job_type))
        self.dot.set_state(token, words)
        self.state.setText(words)
        self.state.set_token(token)
        self.facts.setText(self._facts(job))
        self._show_error(job.last_error if job.last_status == "failed" else None)
        self.histogram.show_bins(found)
        self.none.setVisible(not found)
        for part in (self.runs_title, self.table):
            part.setVisible(bool(job.sparkline))
        self.runs.show_rows(job.sparkline)

    def _facts(self, job: SystemJob) -> str:
        assert self._now is not None
        facts = [tr("Every {time}", time=seconds(job.cadence_seconds))]
        if job.last_run_at:
            facts.append(tr("last run {time}", time=when(job.last_run_at, self._now)))
        if job.status in ("active", "running"):
            facts.append(tr("next run {time}", time=when(job.next_run_at, self._now)))
        if job.avg_ms is not None:
            facts.append(
                tr(
                    "{average} on average, {longest} at most",
                    average=took(job.avg_ms),
                    longest=took(job.max_ms),
                )
            )
        return " · ".join(facts)

    def _show_error(self, error: str | None) -> None:
        clear(self._error)
        self.error_title.setVisible(bool(error))
        if error:
            self._error.addWidget(PlainText(error, "meta", "text_2", fluid=True))

    def _when(self, point: Point) -> str:
        return when(point.at, self._now) if self._now else ""
