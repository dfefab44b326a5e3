"""Today: health and trend at a glance, and below them one queue of everything that needs somebody."""

from __future__ import annotations

from functools import partial
from typing import Literal

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.export import export_button, export_sheet
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.today_tiles import Figure, Tiles, read_figures
from ctower_desktop.gui.today_view import QueueView, counts_words
from ctower_desktop.gui.widgets import Label
from ctower_desktop.reports.overview_store import TABLES
from ctower_desktop.reports.queue import Queue


class TodayPage(Page):
    """Tiles above, the queue below."""

    id = "today"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self.tiles = Tiles()
        self.tiles.asked.connect(context.open_page)
        self.tiles.hide()
        self.queue = QueueView(self)
        self.queue.counted.connect(self._counted)
        self.summary = Label("", "meta", "text_2", wrap=True)
        self.summary.setContentsMargins(16, 10, 16, 0)
        self._read = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tiles)
        column.addWidget(self.summary)
        column.addWidget(self.queue, 1)
        follow(self, self.tower, set(TABLES) | {"connector_sync_state"}, self.refresh_tiles)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Today")

    def activate(self) -> None:
        """Read everything; the queue takes the focus."""
        self.refresh_tiles()
        if self._read:
            self.queue.refresh()
        else:
            self._read = True
            self.queue.listing.start_over()
        self.queue.listing.view.setFocus()

    def project_changed(self) -> None:
        """What is of "this project" is of another one now."""
        self.queue.start_over()
        if self.isVisible():
            self.refresh_tiles()

    def refresh_tiles(self) -> None:
        """Read the figures again."""
        start(self, read_figures(self.call()), self._show)

    def _show(self, figures: list[Figure]) -> None:
        self.tiles.setVisible(bool(figures))
        self.tiles.show_figures(figures)

    def _counted(self, found: Queue) -> None:
        self.summary.setText(counts_words(found.counts, put_aside=found.put_aside))

    def commands(self) -> list[Command]:
        """What one can do here; bare letters work while the page is in front."""
        deeds = (
            ("accept", tr("Today: accept what is chosen"), "A", "accept принять"),
            ("done", tr("Today: done with what is chosen"), "E", "done готово"),
            ("tomorrow", tr("Today: put aside until tomorrow"), "H", "snooze отложить завтра"),
            ("next_week", tr("Today: put aside until next week"), "W", "snooze отложить неделя"),
            ("dismiss", tr("Today: dismiss what is chosen"), "D", "dismiss отклонить"),
            ("back", tr("Today: back to the queue"), "U", "wake вернуть"),
        )
        groups = (
            ("", tr("Today: everything"), "1"),
            ("clients", tr("Today: clients who wait"), "2"),
            ("signals", tr("Today: signals and tasks"), "3"),
            ("approvals", tr("Today: approvals"), "4"),
            ("overdue", tr("Today: overdue issues"), "5"),
            ("system", tr("Today: alerts of the system"), "6"),
        )
        return [
            *(
                Command(f"today.{name}", title, partial(self._do, name), key, also, within=self)
                for name, title, key, also in deeds
            ),
            *(
                Command(
                    f"today.show.{name or 'all'}", title, partial(self._turn, name), key, name, within=self
                )
                for name, title, key in groups
            ),
            Command("today.next", tr("Today: the next one"), partial(self.queue.step, 1), "J", within=self),
            Command(
                "today.before", tr("Today: the one before"), partial(self.queue.step, -1), "K", within=self
            ),
            Command("today.search", tr("Today: search"), self._search, "/", "find найти", within=self),
            Command(
                "today.csv", tr("Today: export as a table (CSV)"), partial(self._export, "csv"), "", "csv"
            ),
            Command(
                "today.md",
                tr("Today: export as text (Markdown)"),
                partial(self._export, "md"),
                "",
                "markdown",
            ),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        return [export_button(self, self.id, self.queue.sheet)]

    def _do(self, deed: str) -> None:
        if self.isVisible():
            self.queue.do(deed)
        else:
            self.context.open_page(self.id)

    def _turn(self, group: str) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        self.queue.group.choose(group)

    def _search(self) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        self.queue.search.setFocus()
        self.queue.search.selectAll()

    def _export(self, form: Literal["csv", "md"]) -> None:
        export_sheet(self, self.id, form, self.queue.sheet)
