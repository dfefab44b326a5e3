"""System, Jobs: what runs by itself, when, how it went; running, pausing and resuming it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QSplitter, QVBoxLayout

from ctower_desktop.gui import theme
from ctower_desktop.gui.export import Sheet, export_button
from ctower_desktop.gui.feed import listen
from ctower_desktop.gui.feedback import EmptyState, show_error
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_job import JobPane
from ctower_desktop.gui.system_lines import Line, Lines
from ctower_desktop.gui.system_pictures import RunsDelegate, cell_points, runs_words
from ctower_desktop.gui.system_section import Section, scrolled
from ctower_desktop.gui.system_words import job_state, job_title, took
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, seconds, tr, trn
from ctower_desktop.gui.undo import Back, undoable
from ctower_desktop.gui.widgets import Button, SearchField, ToggleChip, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.events import JobCompleted
from ctower_desktop.kernel.system import from_text
from ctower_desktop.operations.actions import list_scheduled_jobs, pause_job, resume_job, run_job
from ctower_desktop.operations.history_store import DeadJob
from ctower_desktop.operations.model import JobDetail
from ctower_desktop.operations.scheduling import (
    History,
    SchedulerMetrics,
    clean_up_dead_job,
    list_dead_jobs,
    read_scheduler_metrics,
)
from ctower_desktop.operations.system import read_system_jobs
from ctower_desktop.operations.system_model import SystemJob

_DAYS = (1, 7, 30, 90)
_RUNS = 5  # the column of the sparkline


class Extra(msgspec.Struct, frozen=True):
    """What stands beside the table: dead jobs, and how long runs took."""

    dead: list[DeadJob]
    metrics: SchedulerMetrics


class JobsSection(Section):
    """The jobs of the project as a table, the one in front beside it."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, {"scheduled_job", "worker_run"})
        self._metrics: SchedulerMetrics | None = None
        self._ours: set[str] = set()  # jobs that were started here
        self.search = SearchField(tr("Find a job"))
        self.failed, self.paused = ToggleChip(tr("Failed")), ToggleChip(tr("Paused"))
        self.days = QComboBox()
        self.days.setAccessibleName(tr("Over how many days"))
        for days in _DAYS:
            self.days.addItem(trn("{n} day", "{n} days", days), days)
        self.days.setCurrentIndex(_DAYS.index(7))
        self.run_, self.pause, self.resume = (
            Button(tr("Run now"), icon="retry"),
            Button(tr("Pause")),
            Button(tr("Resume")),
        )
        self.export = export_button(page, "jobs", self._sheet)
        self.dead = Lines(tr("Jobs that need you"))
        self.listing = Listing(tr("Jobs"), self._columns(), self._load, lambda job: job.job_type, self._empty)
        self.listing.view.horizontalHeader().setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self.pane = JobPane()
        self._build()
        self.search.textChanged.connect(self.listing.search)
        for chip in (self.failed, self.paused):
            chip.toggled.connect(self.listing.start_over)
        self.days.currentIndexChanged.connect(self.refresh)
        self.run_.clicked.connect(lambda: self.run_jobs(self._names()))
        self.pause.clicked.connect(self._pause)
        self.resume.clicked.connect(self._resume)
        self.listing.marked.connect(lambda _: self._offer())
        self.listing.opened.connect(lambda _: self._open())
        self.listing.shown.connect(self._open)
        listen(self, self.tower, JobCompleted, lambda _: self.refresh())

    def _build(self) -> None:
        delegate = RunsDelegate(self.listing.view, cell_points(lambda: self.listing.model.rows))
        self.listing.view.setItemDelegateForColumn(_RUNS, delegate)
        header = self.listing.view.horizontalHeader()
        for place, width in ((1, 150), (2, 100), (3, 100), (4, 96), (5, 140)):
            header.resizeSection(place, round(width * theme.scale()))
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.listing)
        split.addWidget(scrolled(self.pane, tr("The job in front")))
        split.setStretchFactor(0, 1)
        split.setSizes([340, 240])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row(self.search, self.failed, self.paused, self.days))
        column.addLayout(row(self.run_, self.pause, self.resume, 0, self.export))
        column.addWidget(self.dead)
        column.addWidget(split, 1)

    def _columns(self) -> list[Column[SystemJob]]:
        return [
            Column(tr("Job"), lambda job: job_title(job.job_type), stretch=True),
            Column(tr("State"), lambda job: job_state(job.status)[0]),
            Column(tr("Last run"), self._last, lambda job: job.last_run_at or ""),
            Column(tr("Next run"), self._next, lambda job: job.next_run_at),
            Column(tr("ok / failed"), _counts, lambda job: (job.failed, job.ok), right=True),
            Column(tr("Runs"), lambda job: runs_words(job.sparkline), lambda job: job.avg_ms or 0.0),
        ]

    # -- reading

    def refresh(self) -> None:
        """Read and show everything again."""
        self.listing.refresh()
        start(self, self._extra(), self._show_extra)

    def start_over(self) -> None:
        """Another project."""
        self._metrics = None
        self.listing.start_over()
        start(self, self._extra(), self._show_extra)

    async def _load(self, offset: int, _limit: int) -> list[SystemJob]:
        return [] if offset else await self._jobs()

    async def _jobs(self) -> list[SystemJob]:
        await list_scheduled_jobs(self.call())  # a new project gets its jobs with the first look
        jobs = (await read_system_jobs(self.call(), History(days=self._over()))).jobs
        wanted, words = self.search.text().strip().casefold(), job_title
        return sorted(
            (
                job
                for job in jobs
                if wanted in f"{words(job.job_type)} {job.job_type}".casefold()
                and (not self.failed.isChecked() or job.last_status == "failed")
                and (not self.paused.isChecked() or job.status in ("paused", "suspended"))
            ),
            key=lambda job: words(job.job_type).casefold(),
        )

    async def _extra(self) -> Extra:
        dead = (await list_dead_jobs(self.call())).dead_jobs
        return Extra(dead, await read_scheduler_metrics(self.call(), History(days=self._over())))

    async def _empty(self) -> EmptyState:
        title, about = tr("No job fits"), tr("Nothing here fits the search and the filters.")
        return EmptyState("filtered", title, about, tr("Show all"), self._show_all)

    async def _sheet(self) -> Sheet:
        rows = [
            [
                job_title(job.job_type), job_state(job.status)[0], job.last_run_at, job.next_run_at,
                job.ok, job.failed, job.avg_ms, job.max_ms, job.last_error,
            ]
            for job in await self._jobs()
        ]  # fmt: skip
        columns = [
            tr("Job"), tr("State"), tr("Last run"), tr("Next run"), tr("Went well"), tr("Failed"),
            tr("Average, ms"), tr("Longest, ms"), tr("Last error"),
        ]  # fmt: skip
        return Sheet(tr("Jobs"), columns, rows)

    def _over(self) -> int:
        return int(self.days.currentData())

    def _show_extra(self, found: Extra) -> None:
        self._metrics = found.metrics
        self.dead.show_lines([self._dead_line(job) for job in found.dead])
        self._open()

    def _open(self) -> None:
        job = self.listing.front
        if job is None and self.listing.model.rows:
            self.listing.choose(self.listing.model.rows[0].job_type)
            job = self.listing.front
        histogram = self._metrics.histogram.get(job.job_type, []) if job and self._metrics else []
        self.pane.show_job(job, histogram, self.now)
        self._offer()

    def _show_all(self) -> None:
        for chip in (self.failed, self.paused):
            chip.setChecked(False)
        self.search.clear()
        self.listing.start_over()

    def _last(self, job: SystemJob) -> str:
        return ago(job.last_run_at, self.now) if job.last_run_at else tr("never")

    def _next(self, job: SystemJob) -> str:
        if job.status in ("paused", "suspended"):
            return "—"
        left = (from_text(job.next_run_at) - self.now).total_seconds()
        return tr("in {time}", time=seconds(left)) if left > 0 else tr("due now")

    # -- doing

    def _chosen(self) -> list[SystemJob]:
        found = self.listing.chosen
        return found or ([self.listing.front] if self.listing.front else [])

    def _names(self) -> list[str]:
        return [job.job_type for job in self._chosen()]

    def _offer(self) -> None:
        """Only what makes sense for the chosen jobs can be pressed."""
        jobs = self._chosen()
        self.run_.setEnabled(any(job.status != "running" and job.job_type not in self._ours for job in jobs))
        self.pause.setEnabled(any(job.status in ("active", "running") for job in jobs))
        self.resume.setEnabled(any(job.status in ("paused", "suspended") for job in jobs))

    def run_jobs(self, names: Sequence[str]) -> None:
        """Run jobs now, side by side, and say of each how it went."""
        for name in names:
            if name not in self._ours:
                self._ours.add(name)
                task = start(self, self._run(name), partial(self._ran, name), partial(show_error, self))
                task.add_done_callback(partial(self._ended, name))
        self._offer()

    def _ended(self, name: str, _task: object) -> None:
        self._ours.discard(name)

    async def _run(self, name: str) -> JobDetail:
        return (await run_job(self.call(), name)).result

    def _ran(self, name: str, detail: JobDetail) -> None:
        title, time = job_title(name), took(detail.duration_ms)
        if detail.status == "ok":
            self.context.toast(tr("{job}: done in {time}", job=title, time=time))
        else:
            reason = detail.error if isinstance(detail.error, str) else ""
            show_error(self, TowerError(tr("{job} failed: {reason}", job=title, reason=reason)))
        self.refresh()

    def _pause(self) -> None:
        names = [job.job_type for job in self._chosen() if job.status in ("active", "running")]
        said = trn("{n} job is paused", "{n} jobs are paused", len(names))
        self._change(pause_job, names, said, partial(self._each, resume_job, names))

    def _resume(self) -> None:
        jobs = [job for job in self._chosen() if job.status in ("paused", "suspended")]
        said = trn("{n} job goes on", "{n} jobs go on", len(jobs))
        back = partial(self._each, pause_job, [job.job_type for job in jobs if job.status == "paused"])
        self._change(resume_job, [job.job_type for job in jobs], said, back)

    def _change(self, do: Any, names: Sequence[str], said: str, back: Back) -> None:
        start(self, self._each(do, names), lambda _: undoable(self.page, said, back))

    async def _each(self, do: Any, names: Sequence[str]) -> None:
        for name in names:
            await do(self.call(), name)

    def _dead_line(self, job: DeadJob) -> Line:
        title = job_title(job.job_type)
        if job.status == "running":
            word, text = (
                tr("Stuck"),
                tr("{job} has not ended for {time}", job=title, time=seconds((job.stuck_minutes or 0) * 60)),
            )
        else:
            word = tr("Stopped")
            text = trn(
                "{job} failed and was stopped", "{job} failed {n} times in a row and was stopped",
                job.consecutive_failures, job=title,
            )  # fmt: skip
        return Line(
            job.id, "danger", word, text, job.last_error or "", tr("Clean up"), partial(self._clean_up, job)
        )

    def _clean_up(self, job: DeadJob) -> None:
        said = tr("{job} is tried again in half a minute", job=job_title(job.job_type))
        start(self, self._cleaned(job), lambda _: self.context.toast(said))

    async def _cleaned(self, job: DeadJob) -> None:
        await clean_up_dead_job(self.call(), job.id)


def _counts(job: SystemJob) -> str:
    return tr("{ok} / {failed}", ok=number(job.ok), failed=number(job.failed))
