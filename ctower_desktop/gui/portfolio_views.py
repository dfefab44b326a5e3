"""The wider views of the portfolio: the dashboard, finances by currency, offers with their policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UnsetType
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.export import Sheet
from ctower_desktop.gui.portfolio_cards import Cards, ChartGrid
from ctower_desktop.gui.portfolio_charts import dashboard_pictures, finance_pictures
from ctower_desktop.gui.portfolio_lists import discounts_list, offers_list, upsell_list
from ctower_desktop.gui.portfolio_words import meaning, title_words
from ctower_desktop.gui.table import Column, StructTable, StructTableView
from ctower_desktop.gui.text import money, number, tr, trn
from ctower_desktop.gui.today_tiles import Figure, Tiles
from ctower_desktop.gui.widgets import Label
from ctower_desktop.insight.analytics.money import Finances
from ctower_desktop.reports.portfolio import FinanceRow, Overview


class Dashboard(ChartGrid):
    """Four tiles and nine charts."""

    figure_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__(tr("Dashboard"))
        self.tiles = Tiles(inset=False)
        self.tiles.asked.connect(self.figure_asked)
        self.column.insertWidget(0, self.tiles)

    def show_overview(self, found: Overview) -> None:
        """Show other figures."""
        totals, charts = found.dashboard.totals, found.dashboard.charts
        if totals is None or isinstance(charts, UnsetType):
            return
        complete = [p.completeness_pct for p in charts.sync_reconciliation_completeness]
        self.tiles.show_figures(
            [
                _tile("value", tr("Projects"), number(totals.selected_projects),
                      note=tr("client value {n} on average", n=number(totals.avg_client_value_score))),
                _tile("messages", title_words("messages"), number(totals.messages_7d)),
                _tile("risks", title_words("risks"), number(totals.risks_open),
                      [float(p.count) for p in charts.risks_trend]),
                _tile("completeness", title_words("completeness"),
                      tr("{percent} %", percent=number(totals.sync_completeness_pct, 1)), complete),
            ]
        )  # fmt: skip
        self.show_pictures(dashboard_pictures(found))


def _tile(figure: str, title: str, value: str, course: Sequence[float] = (), note: str = "") -> Figure:
    words = tr("{name}: from {first} to {last}", name=title, first=number(course[0], 1),
               last=number(course[-1], 1)) if course else ""  # fmt: skip
    return Figure(title, value, note, "text_1", course, words, meaning(figure), figure)


class Money(ChartGrid):
    """Money of every currency by itself, money by project, and charts in the main currency."""

    row_picked = Signal(object)

    def __init__(self) -> None:
        super().__init__(tr("Finances"))
        self._by_currency: list[Column[Finances]] = [
            Column(tr("Currency"), lambda r: r.currency, stretch=True),
            *(_amount(title, name) for title, name in _sums()),
        ]
        self._by_project: list[Column[FinanceRow]] = [
            Column(tr("Project"), lambda r: r.project_name, stretch=True),
            *(_amount(title, name) for title, name in _sums()),
        ]
        self.currencies: StructTable[Finances] = StructTable(self._by_currency)
        self.projects: StructTable[FinanceRow] = StructTable(self._by_project)
        words = tr("Nothing is added across currencies. Expected is each open deal by its probability.")
        tables = [
            _small(self.currencies, self._by_currency, tr("By currency")),
            _small(self.projects, self._by_project, tr("By project, each in its own main currency")),
        ]
        self.views = tables
        tables[1].activated.connect(lambda index: self.row_picked.emit(self.projects.row(index)))
        tables[1].clicked.connect(lambda index: self.row_picked.emit(self.projects.row(index)))
        parts: list[QWidget] = [Label(words, "meta", "text_2", wrap=True)]
        for table in tables:
            parts += [Label(table.accessibleName(), "label"), table]
        for place, part in enumerate(parts):
            self.column.insertWidget(place, part)

    def show_overview(self, found: Overview) -> None:
        """Show other sums."""
        self.currencies.show_rows(found.finances.by_currency)
        self.projects.show_rows(found.finances.by_project)
        for view in self.views:
            rows = min(8, view.model().rowCount())
            view.setFixedHeight(view.horizontalHeader().sizeHint().height() + rows * theme.ROW + 6)
        self.show_pictures(finance_pictures(found))

    def sheet(self) -> Sheet:
        """Money by project and by currency, for a file."""
        rows: list[list[Any]] = [
            [row.project_name, row.currency, *(getattr(row, name) for _, name in _sums())]
            for row in (self.projects.row(self.projects.index(n, 0)) for n in range(self.projects.rowCount()))
        ]
        rows += [
            [tr("All projects"), row.currency, *(getattr(row, name) for _, name in _sums())]
            for row in (
                self.currencies.row(self.currencies.index(n, 0)) for n in range(self.currencies.rowCount())
            )
        ]
        return Sheet(self.accessibleName(), [tr("Project"), tr("Currency"), *(t for t, _ in _sums())], rows)


def _sums() -> list[tuple[str, str]]:
    return [
        (tr("Won"), "deal_amount"),
        (tr("Open deals"), "pipeline_amount"),
        (tr("Expected"), "expected_revenue"),
        (tr("Signed"), "signed_total"),
        (tr("Costs"), "costs_amount"),
        (tr("Margin"), "gross_margin"),
    ]


def _amount(title: str, name: str) -> Column[Any]:
    return Column(
        title,
        lambda row: money(round(getattr(row, name)), row.currency),
        lambda row: getattr(row, name),
        right=True,
    )


def _small(model: StructTable[Any], columns: Sequence[Column[Any]], name: str) -> StructTableView:
    view = StructTableView(model, columns, name)
    view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    for place in range(1, len(columns)):
        view.horizontalHeader().resizeSection(place, round(116 * theme.scale()))
    return view


class Offers(QWidget):
    """Chances, offers and how far discounts may go, one at a time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.lists: dict[str, Cards] = {
            "upsell": upsell_list(),
            "offers": offers_list(now),
            "discounts": discounts_list(),
        }
        self.which = Chips(tr("What"), [(name, one.name) for name, one in self.lists.items()])
        self.which.setContentsMargins(16, 0, 16, 0)
        self.people = Label("", "meta", "text_2", wrap=True)
        self.people.setContentsMargins(16, 0, 16, 0)
        self._stack = QStackedWidget()
        for one in self.lists.values():
            self._stack.addWidget(one)
        self.which.changed.connect(lambda: self._stack.setCurrentWidget(self.front))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(4)
        for part in (self.which, self.people, self._stack):
            column.addWidget(part)

    @property
    def front(self) -> Cards:
        """The list in front."""
        return self.lists[self.which.value]

    def show_overview(self, found: Overview) -> None:
        """Show other rows."""
        people = trn(
            "{n} contact with an e-mail", "{n} contacts with an e-mail", found.loops.contacts_with_email
        )
        addresses = trn("{n} address", "{n} addresses", found.loops.unique_emails)
        self.people.setText(tr("{people} · {addresses}", people=people, addresses=addresses))
        for one in self.lists.values():
            one.show_overview(found)

    def sheet(self) -> Sheet:
        """The list in front, for a file."""
        return self.front.sheet()
