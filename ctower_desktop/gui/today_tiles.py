"""Health and trend at a glance: a tile for each figure with its newest value, its course, its meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import UnsetType
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.gui import theme
from ctower_desktop.gui.charts import Sparkline
from ctower_desktop.gui.portfolio_read import read_overview
from ctower_desktop.gui.risks_words import HEALTHY, UNWELL
from ctower_desktop.gui.text import ago, money, number, seconds, tr, trn
from ctower_desktop.gui.widgets import Card, Label
from ctower_desktop.insight.analytics.series_store import Value
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.reports.portfolio import Charts, Overview

_NARROWEST = 158  # pixels a tile needs at 100 %


@dataclass(frozen=True)
class Figure:
    """What a tile shows. `page` is where there is more of it."""

    title: str
    value: str
    note: str
    look: str
    course: Sequence[float]
    course_words: str
    meaning: str
    page: str


class Tile(Card):
    """One figure; Enter or a click goes where there is more of it."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(margin=12, spacing=2)
        self._page = ""
        self.title = Label("", "meta", "text_2")
        self.value = Label("", "title")
        self.note = Label("", "caption", "text_3", wrap=True)
        self.spark = Sparkline()
        self.spark.setMinimumWidth(40)
        for label in (self.title, self.value, self.note):
            label.setMinimumWidth(1)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            self.body.addWidget(label)
        self.body.addWidget(self.spark)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_figure(self, figure: Figure) -> None:
        """Show another value."""
        self._page = figure.page
        self.title.setText(figure.title)
        self.value.setText(figure.value)
        self.value.set_token(figure.look)
        self.note.setText(figure.note)
        self.spark.show_values(figure.course, figure.course_words)
        said = tr("{name}: {value}", name=figure.title, value=figure.value)
        self.setAccessibleName(", ".join(part for part in (said, figure.note) if part))
        self.setAccessibleDescription(figure.meaning)
        self.setToolTip(
            "\n".join(part for part in (figure.meaning, figure.note, figure.course_words) if part)
        )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click goes there."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.wanted.emit(self._page)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """So do Enter and Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.wanted.emit(self._page)
            return
        super().keyPressEvent(event)


class Tiles(QWidget):
    """As many side by side as there is room for; `asked` tells which page has more."""

    asked = Signal(str)

    def __init__(self, *, inset: bool = True) -> None:
        super().__init__()
        self.tiles: list[Tile] = []
        self.figures: list[Figure] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(*((16, 12, 16, 0) if inset else (0, 0, 0, 0)))
        self._grid.setSpacing(8)
        self.setAccessibleName(tr("Health and trend"))

    def show_figures(self, figures: Sequence[Figure]) -> None:
        """Show what was read last."""
        self.figures = list(figures)
        while len(self.tiles) < len(figures):
            tile = Tile()
            tile.wanted.connect(self.asked)
            self.tiles.append(tile)
        for place, figure in enumerate(figures):
            self.tiles[place].show_figure(figure)
        self._arrange(force=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another number fits."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self, *, force: bool = False) -> None:
        margins = self._grid.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        fit = max(1, room // round((_NARROWEST + 8) * theme.scale()))
        count = len(self.tiles) or 1
        columns = max(one for one in range(1, count + 1) if count % one == 0 and one <= fit)  # full rows
        if columns == self._columns and not force:
            return
        self._columns = columns
        for place, tile in enumerate(self.tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
        for place in range(self._grid.columnCount()):
            self._grid.setColumnStretch(place, 1 if place < columns else 0)


async def read_figures(call: Desktop) -> list[Figure]:
    """Figures of all projects of the scope; nothing where there is no project."""
    found = await read_overview(call)
    if found is None or found.dashboard.totals is None:
        return []
    connections = (await list_connections(call)).connections
    last = max((one.last_success_at for one in connections if one.last_success_at), default=None)
    synced = ago(last, call.tower.clock.now()) if last else tr("not yet")
    return figures_of(found, synced)


def figures_of(found: Overview, synced: str) -> list[Figure]:
    """The six tiles."""
    totals, rows = found.dashboard.totals, found.dashboard.by_project
    assert totals is not None
    charts = None if isinstance(found.dashboard.charts, UnsetType) else found.dashboard.charts
    return [
        _health(totals.avg_health_score, _course(charts, lambda c: c.health_score)),
        _waiting(sum(r.unanswered for r in rows), _course(charts, lambda c: c.client_responsiveness_minutes)),
        _overdue(
            sum(r.linear_overdue_issues for r in rows), _course(charts, lambda c: c.velocity_completed_issues)
        ),
        _risks(totals.risks_open, [float(p.count) for p in charts.risks_trend] if charts else []),
        _revenue(
            totals.expected_revenue, totals.currency, [r.expected_revenue for r in found.dashboard.trend]
        ),
        _sync(
            totals.sync_completeness_pct,
            synced,
            [p.completeness_pct for p in charts.sync_reconciliation_completeness] if charts else [],
        ),
    ]


def _course(charts: Charts | None, of: Callable[[Charts], list[Value]]) -> list[float]:
    return [point.value for point in of(charts)] if charts is not None else []


def _health(score: float, course: list[float]) -> Figure:
    counted = bool(course) or score > 0  # the overview says 0 for what has no score yet
    token = "success" if score >= HEALTHY else "warning" if score >= UNWELL else "danger"
    words = {"success": tr("good"), "warning": tr("worth a look"), "danger": tr("bad")}
    return Figure(
        title=tr("Health"),
        value=number(score, 1) if counted else "—",
        note=tr("of 100, {word}", word=words[token]) if counted else tr("not counted yet"),
        look=token if counted else "text_1",
        course=course,
        course_words=_course_words(tr("Health by day"), [number(v, 1) for v in course]),
        meaning=tr(
            "100 less what presses on the projects: severe signals and overdue issues; their average."
        ),
        page="portfolio",
    )


def _waiting(count: int, course: list[float]) -> Figure:
    note = tr("answers take {time}", time=seconds(course[-1] * 60)) if course else ""
    return Figure(
        title=tr("Clients who wait"),
        value=number(count),
        note=note,
        look="warning" if count else "text_1",
        course=course,
        course_words=_course_words(tr("Time to an answer by week"), [seconds(v * 60) for v in course]),
        meaning=tr("Rows of client messages in open conversations that nobody has answered."),
        page="inbox",
    )


def _overdue(count: int, course: list[float]) -> Figure:
    done = round(course[-1]) if course else 0
    return Figure(
        title=tr("Overdue issues"),
        value=number(count),
        note=trn("{n} finished last week", "{n} finished last week", done) if course else "",
        look="danger" if count else "text_1",
        course=course,
        course_words=_course_words(tr("Finished issues by week"), [number(v) for v in course]),
        meaning=tr("Unfinished issues whose due day is over."),
        page="portfolio",
    )


def _risks(count: int, course: list[float]) -> Figure:
    return Figure(
        title=tr("Open risks"),
        value=number(count),
        note="",
        look="warning" if count else "text_1",
        course=course,
        course_words=_course_words(tr("New risks by week"), [number(v) for v in course]),
        meaning=tr("Risks on the radar that are not closed."),
        page="portfolio",
    )


def _revenue(amount: float, currency: str, course: list[float]) -> Figure:
    return Figure(
        title=tr("Expected revenue"),
        value=money(round(amount), currency),
        note="",
        look="text_1",
        course=course,
        course_words=_course_words(tr("By month"), [money(round(v), currency) for v in course]),
        meaning=tr("Open deals, each by its probability, in the main currency."),
        page="portfolio",
    )


def _sync(percent: float, synced: str, course: list[float]) -> Figure:
    return Figure(
        title=tr("Sync"),
        value=tr("{percent} %", percent=number(percent, 1 if percent % 1 else 0)),
        note=tr("last: {time}", time=synced),
        look="text_1" if percent >= 99 else "warning",
        course=course,
        course_words=_course_words(tr("Completeness by day"), [number(v, 1) for v in course]),
        meaning=tr("How much of what the sources hold is here, when it was counted last."),
        page="connectors",
    )


def _course_words(name: str, values: Sequence[str]) -> str:
    if not values:
        return ""
    return tr("{name}: from {first} to {last}", name=name, first=values[0], last=values[-1])
