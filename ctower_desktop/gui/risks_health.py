"""Health: the figure with what presses on it, and how it went, as a line with its table."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from PySide6.QtWidgets import QFrame, QProgressBar, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.chartcard import ChartCard
from ctower_desktop.gui.charts import Data, Series
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.export import Sheet
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.risks_words import (
    factor_most,
    factor_sentence,
    factor_words,
    health_token,
    health_word,
)
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import day, number, tr, when
from ctower_desktop.gui.widgets import Badge, Card, Label, PrimaryButton, clear, row
from ctower_desktop.insight.risk.actions import read_risk_overview, refresh_risk
from ctower_desktop.insight.risk.model import Factor, Health, RiskOverview
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.reports.actions import read_portfolio_overview
from ctower_desktop.reports.portfolio import Charts, OverviewQuery

_WIDEST = 760


class HealthView(QWidget):
    """How healthy the project is, and why."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page, self.tower, self.name = page, page.tower, tr("Health")
        self.points: list[tuple[str, float]] = []
        self.shown: list[tuple[str, float]] = []
        self.figure = Label("", "page")
        self.word = Badge("")
        self.at = Label("", "meta", "text_3")
        about = tr(
            "Health is 100 less the pressure on the project, which comes from open signals and overdue work."
        )
        self.factors = QVBoxLayout()
        self.factors.setSpacing(12)
        self.period = Chips(
            tr("Period"), [("30", tr("30 days")), ("90", tr("90 days")), ("366", tr("A year"))]
        )
        self.period.changed.connect(self._show_points)
        self.trend = ChartCard("health")
        self.trend.setMinimumHeight(280)
        self.trend.asked.connect(lambda _: page.context.open_page("signals"))
        now, factors = Card(), Card()
        now.body.addWidget(Label(self.name, "section"))
        now.body.addLayout(row(self.figure, self.word, 0, self.at, spacing=12))
        now.body.addWidget(Label(about, "meta", "text_2", wrap=True))
        factors.body.addWidget(Label(tr("What presses on it"), "section"))
        factors.body.addLayout(self.factors)
        inside = QWidget()
        inside.setMaximumWidth(_WIDEST)
        column = QVBoxLayout(inside)
        column.setContentsMargins(20, 12, 20, 20)
        column.setSpacing(12)
        for part in (now, factors, self.period, self.trend):
            column.addWidget(part)
        column.addStretch(1)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(self.name)
        self.area.setWidget(inside)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.area)
        self.state: EmptyState | None = None
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)
        follow(self, self.tower, {"health_score"}, self.refresh)

    # -- reading

    def start_over(self) -> None:
        """Another project: its health."""
        self.refresh()

    def refresh(self) -> None:
        """Read everything again."""
        start(self, self._read(), self._show, self._failed)

    async def _read(self) -> tuple[RiskOverview | None, list[tuple[str, float]]]:
        if not self.page.context.has_project():
            return None, []
        call = self.page.call()
        found = await read_risk_overview(call)
        query = OverviewQuery(project_ids=call.project_ref.id)
        charts = (await read_portfolio_overview(call, query)).dashboard.charts
        values = charts.health_score if isinstance(charts, Charts) else []
        return found, [(one.point, one.value) for one in values]

    def _show(self, found: tuple[RiskOverview | None, list[tuple[str, float]]]) -> None:
        overview, self.points = found
        if overview is None:
            self._say(
                EmptyState(
                    "no_data",
                    tr("No project yet"),
                    tr("Everything here belongs to a project; open one first."),
                    tr("New project…"),
                    lambda: self.page.context.commands.run("project.new"),
                )
            )
        elif overview.health is None:
            self._say(
                EmptyState(
                    "no_data",
                    tr("Health was not counted yet"),
                    tr("It is counted every day by itself, or now."),
                    tr("Count it now"),
                    self.look_again,
                )
            )
        else:
            self._say(None)
            self._show_health(overview.health)
            self._show_points()

    def _show_health(self, health: Health) -> None:
        self.figure.setText(tr("{score} of 100", score=number(health.score, _digits(health.score))))
        self.word.setText(health_word(health.score))
        self.word.set_token(health_token(health.score))
        self.at.setText(when(health.generated_at, self.tower.clock.now()))
        clear(self.factors)
        for factor in health.factors:
            self.factors.addWidget(FactorRow(factor))

    def _show_points(self) -> None:
        since = self.tower.clock.now().date() - timedelta(days=int(self.period.value))
        self.shown = [one for one in self.points if date.fromisoformat(one[0]) > since]
        self.trend.show_data(
            Data(
                title=tr("Health by day"),
                meaning=tr("The mean of every day's figures; 100 is no pressure at all."),
                labels=[day(datetime.fromisoformat(one)) for one, _ in self.shown],
                series=[Series(tr("Health"), [value for _, value in self.shown])],
                form=lambda value: number(value, _digits(value)),
            )
        )

    def _failed(self, error: TowerError) -> None:
        title = tr("Health could not be read")
        self._say(EmptyState("failed", title, plain_words(error), tr("Try again"), self.refresh))

    def _say(self, state: EmptyState | None) -> None:
        if self.state is not None:
            self._stack.removeWidget(self.state)
            self.state.deleteLater()
        self.state = state
        if state is not None:
            self._stack.addWidget(state)
        self._stack.setCurrentWidget(state or self.area)

    # -- doing

    def look_again(self) -> None:
        """Count it now."""

        async def count() -> str:
            result = (await refresh_risk(self.page.call())).result
            return tr("Health is {score} of 100", score=number(result.health_score))

        start(self, count(), self._counted)

    def _counted(self, said: str) -> None:
        self.page.context.toast(said)
        self.refresh()

    async def sheet(self) -> Sheet:
        """Health by day, for a file."""
        return Sheet(self.name, [tr("Day"), tr("Health")], [list(one) for one in self.shown])

    def focus(self) -> None:
        """Where work begins."""
        button = self.state.findChild(PrimaryButton) if self.state is not None else None
        (button or self.trend.chart).setFocus()


class FactorRow(QWidget):
    """One pressure: its figure over a bar of its share, and how it is counted."""

    def __init__(self, factor: Factor) -> None:
        super().__init__()
        most = factor_most(factor)
        figure = tr("{value} of {most}", value=number(factor.value, _digits(factor.value)), most=number(most))
        bar = QProgressBar()
        bar.setTextVisible(False)
        bar.setFixedHeight(6)
        bar.setRange(0, round(most * 100))
        bar.setValue(round(min(most, factor.value) * 100))
        bar.setAccessibleName(tr("{name}: {value}", name=factor_words(factor), value=figure))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        parts = row(Label(factor_words(factor), "label"), 0, Label(figure))
        column.addLayout(parts)
        column.addWidget(bar)
        column.addWidget(Label(factor_sentence(factor), "meta", "text_2", wrap=True))


def _digits(value: float) -> int:
    return 0 if float(value).is_integer() else 1
