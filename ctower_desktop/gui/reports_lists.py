"""The lists of the page Reports: digests of days and weeks, reports, templates, mails; read in parts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.export import Sheet
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.reports_schedule import schedule_of
from ctower_desktop.gui.reports_words import (
    day_of,
    format_words,
    mail_kind_words,
    mail_status_words,
    range_of,
    report_status_words,
    week_of,
)
from ctower_desktop.gui.sieve import Sieve
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.text import number, tr, when
from ctower_desktop.gui.widgets import SearchField
from ctower_desktop.reports.digest_actions import (
    list_daily_digests,
    list_digest_mails,
    list_weekly_digests,
)
from ctower_desktop.reports.model import (
    DailyDigest,
    ListDaily,
    ListReports,
    ListWeekly,
    Mail,
    PlannedTemplate,
    ReportLine,
    WeeklyDigest,
)
from ctower_desktop.reports.report_actions import list_report_templates, list_reports

Read = Callable[[int, int], Coroutine[Any, Any, Sequence[Any]]]
_DAYS, _WEEKS, _REPORTS = 100, 52, 200  # as many as the actions give at a time


class Shelf(QWidget):
    """A list with its search and at most one group of chips."""

    def __init__(
        self,
        page: Page,
        name: str,
        columns: Sequence[Column[Any]],
        read: Read,
        *,
        most: int,
        nothing: Callable[[], EmptyState],
        key: Callable[[Any], str] = lambda row: str(row.id),
        chips: Chips | None = None,
    ) -> None:
        super().__init__()
        self._page, self._read, self._most, self._nothing = page, read, most, nothing
        self.name, self.columns, self.chips = name, columns, chips
        self.search = SearchField(tr("Search: {what}", what=name), "/")
        self.listing = Listing(name, columns, self._rows(), key, self._empty)
        self.search.textChanged.connect(self.listing.search)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 8, 12)
        column.setSpacing(8)
        column.addWidget(self.search)
        if chips is not None:
            chips.changed.connect(self.listing.start_over)
            column.addWidget(chips)
        column.addWidget(self.listing, 1)

    def _rows(self) -> Sieve:
        return Sieve(self._part, self._passes, self._most)

    async def _part(self, offset: int, limit: int) -> list[Any]:
        return list(await self._read(offset, limit)) if self._page.context.has_project() else []

    def _passes(self, row: Any) -> bool:
        words = self.search.text().casefold().split()
        told = " ".join(column.text(row) for column in self.columns).casefold() if words else ""
        return all(word in told for word in words)

    async def _empty(self) -> EmptyState:
        if not self._page.context.has_project():
            return EmptyState(
                "no_data",
                tr("No project yet"),
                tr("Everything here belongs to a project; open one first."),
                tr("New project…"),
                lambda: self._page.context.commands.run("project.new"),
            )
        if self.search.text().strip() or (self.chips is not None and self.chips.value):
            return EmptyState(
                "filtered",
                tr("Nothing fits"),
                tr("The search or a filter leaves everything out."),
                tr("Show everything"),
                self.show_all,
            )
        return self._nothing()

    def show_all(self) -> None:
        """Take search and filter away."""
        self.search.clear()
        if self.chips is not None:
            self.chips.choose(self.chips.first)
        self.listing.start_over()

    async def sheet(self) -> Sheet:
        """All rows that fit, for a file."""
        rows, read = list[list[Any]](), self._rows()
        while found := await read(len(rows), self._most):
            rows += [[column.text(row) for column in self.columns] for row in found]
        return Sheet(self.name, [column.title for column in self.columns], rows)


def days_shelf(page: Page, make: Callable[[], object]) -> Shelf:
    """Digests of days."""
    columns: list[Column[DailyDigest]] = [
        Column(tr("Day"), lambda d: day_of(d.digest_date), lambda d: d.digest_date, stretch=True),
        Column(tr("Signals"), lambda d: _highlight(d, "proposed_signals"), right=True),
        Column(tr("Overdue"), lambda d: _highlight(d, "overdue_issues"), right=True),
        Column(tr("Made"), lambda d: when(d.updated_at, _now(page)), lambda d: d.updated_at),
    ]

    async def read(offset: int, limit: int) -> list[DailyDigest]:
        return (await list_daily_digests(page.call(), ListDaily(limit=limit, offset=offset))).digests

    def nothing() -> EmptyState:
        sentence = tr("A digest is made by itself every day; you can make one now.")
        return EmptyState("no_data", tr("No digests yet"), sentence, tr("Make today's digest"), make)

    return Shelf(page, tr("Days"), columns, read, most=_DAYS, nothing=nothing)


def _highlight(digest: DailyDigest, name: str) -> str:
    value = digest.summary.get("highlights", {}).get(name)
    return number(value) if isinstance(value, int) else ""


def weeks_shelf(page: Page, make: Callable[[], object]) -> Shelf:
    """Digests of weeks."""
    columns: list[Column[WeeklyDigest]] = [
        Column(tr("Week"), lambda d: week_of(d.week_start), lambda d: d.week_start, stretch=True),
        Column(tr("Made"), lambda d: when(d.updated_at, _now(page)), lambda d: d.updated_at),
    ]

    async def read(offset: int, limit: int) -> list[WeeklyDigest]:
        return (await list_weekly_digests(page.call(), ListWeekly(limit=limit, offset=offset))).digests

    def nothing() -> EmptyState:
        sentence = tr("A digest is made by itself every week; you can make one now.")
        return EmptyState("no_data", tr("No digests yet"), sentence, tr("Make this week's digest"), make)

    return Shelf(page, tr("Weeks"), columns, read, most=_WEEKS, nothing=nothing)


def reports_shelf(page: Page, make: Callable[[], object]) -> Shelf:
    """Reports as they were made."""
    chips = Chips(tr("State"), [("", tr("All")), ("completed", tr("Made")), ("failed", tr("Failed"))])
    columns: list[Column[ReportLine]] = [
        Column(tr("Report"), lambda r: r.template_name, stretch=True),
        Column(
            tr("Days"), lambda r: range_of(r.date_range_start, r.date_range_end), lambda r: r.date_range_start
        ),
        Column(tr("State"), lambda r: report_status_words(r.status)),
        Column(tr("Made"), lambda r: when(r.created_at, _now(page)), lambda r: r.created_at),
    ]

    async def read(offset: int, limit: int) -> list[ReportLine]:
        query = ListReports(status=chips.value, limit=limit, offset=offset)
        return (await list_reports(page.call(), query)).reports

    def nothing() -> EmptyState:
        sentence = tr("Templates make them by themselves as their schedules say; you can make one now.")
        return EmptyState("no_data", tr("No reports yet"), sentence, tr("Make a report…"), make)

    return Shelf(page, tr("Reports"), columns, read, most=_REPORTS, nothing=nothing, chips=chips)


def templates_shelf(page: Page, make: Callable[[], object]) -> Shelf:
    """Templates with their schedules in words."""
    columns: list[Column[PlannedTemplate]] = [
        Column(tr("Template"), lambda t: t.name, stretch=True),
        Column(tr("By itself"), lambda t: schedule_of(t.schedule).words if t.active else tr("switched off")),
        Column(
            tr("Next"),
            lambda t: when(t.next_run_at, _now(page)) if t.next_run_at else "",
            lambda t: t.next_run_at or "",
        ),
        Column(tr("Kept as"), lambda t: format_words(t.format)),
    ]

    async def read(offset: int, limit: int) -> list[PlannedTemplate]:
        return (await list_report_templates(page.call())).templates[offset : offset + limit]

    def nothing() -> EmptyState:
        sentence = tr("A template says what a report holds and when it is made.")
        return EmptyState("no_data", tr("No templates yet"), sentence, tr("New template…"), make)

    return Shelf(page, tr("Templates"), columns, read, most=_REPORTS, nothing=nothing)


def mails_shelf(page: Page, settings: Callable[[], object]) -> Shelf:
    """What became of mailed digests."""
    columns: list[Column[Mail]] = [
        Column(tr("Digest"), lambda m: mail_kind_words(m.kind)),
        Column(tr("For"), lambda m: day_of(m.due_date), lambda m: m.due_date),
        Column(tr("To"), lambda m: m.recipient, stretch=True),
        Column(tr("State"), mail_status_words),
        Column(tr("Changed"), lambda m: when(m.updated_at, _now(page)), lambda m: m.updated_at),
    ]

    async def read(offset: int, limit: int) -> list[Mail]:
        return (await list_digest_mails(page.call())).mails[offset : offset + limit]

    def nothing() -> EmptyState:
        sentence = tr("With recipients in the settings, plans and results are mailed on working days.")
        return EmptyState(
            "no_data", tr("Nothing was mailed yet"), sentence, tr("Open the settings"), settings
        )

    def key(mail: Mail) -> str:
        return f"{mail.kind}:{mail.due_date}:{mail.recipient}"

    return Shelf(page, tr("Mails"), columns, read, most=_REPORTS, nothing=nothing, key=key)


def _now(page: Page) -> datetime:
    return page.tower.clock.now()
