"""The question and how far the search may go: the field, the chips under it, and what was asked before."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ctower_desktop.gui import icons, theme
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.text import day, tr, trn
from ctower_desktop.gui.widgets import SearchField, ToggleChip
from ctower_desktop.search.model import Days, LightragQuery

_PERIODS = (0, 7, 30, 90, 365)  # days; 0 is any time
_REMEMBERED = 20
_TOP_K = 12


class MenuChip(QPushButton):
    """A small filter with a list to choose from."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setProperty("chip", True)
        self.setAccessibleName(name)
        self.setFont(theme.font("meta"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow stands behind the words
        self._menu = QMenu(self)
        self.clicked.connect(self.open_menu)
        self._restyle()
        theme.signals().changed.connect(self._restyle)

    def add(self, text: str, run: Callable[[], object]) -> None:
        """One more line to choose."""
        shown = text if len(text) <= 80 else f"{text[:79]}…"
        self._menu.addAction(shown.replace("&", "&&")).triggered.connect(lambda: run())

    def empty(self) -> None:
        """Take every line away."""
        self._menu.clear()

    def open_menu(self) -> None:
        """Show what there is to choose."""
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    @property
    def choices(self) -> list[str]:
        """What there is to choose, in words."""
        return [action.text() for action in self._menu.actions()]

    def choose(self, place: int) -> None:
        """Choose a line."""
        self._menu.actions()[place].trigger()

    def _restyle(self) -> None:
        self.setIcon(icons.icon("chevron-down", "text_3", 12))


class PeriodChip(QPushButton):
    """The days that the question's own words name; a click takes them away."""

    removed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.days: Days | None = None
        self.setProperty("chip", True)
        self.setCheckable(True)
        self.setFont(theme.font("meta"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the cross stands behind the words
        self.clicked.connect(self.removed)
        self.setAccessibleName(tr("Days that the question names"))
        self._restyle()
        theme.signals().changed.connect(self._restyle)
        self.hide()

    def show_days(self, days: Days | None) -> None:
        """The days that a search kept to; None hides the chip."""
        self.days = days
        self.setVisible(days is not None)
        if days is not None:
            self.setChecked(True)
            first, last = (day(datetime.fromisoformat(one)) for one in (days.first, days.last))
            self.setText(first if first == last else f"{first} – {last}")
            told = tr(
                "Only {days}, because the question says “{words}”. Click to search at any time.",
                days=self.text(),
                words=days.words,
            )
            self.setToolTip(html.escape(told))
            self.setAccessibleName(told)

    def _restyle(self) -> None:
        self.setIcon(icons.icon("close", "text_3", 12))


class _Field(SearchField):
    """The arrow up brings back what was asked before."""

    earlier = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up walks back through the questions."""
        if event.key() == Qt.Key.Key_Up:
            self.earlier.emit()
            return
        super().keyPressEvent(event)


class QuestionBar(QWidget):
    """Where one asks. `asked` tells that there is a question; `query` is what it is."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._days = 0
        self._untimed = ""  # the question whose time words are to be passed over
        self._past: list[str] = []
        self._back = -1
        self.field = _Field(tr("Ask about anything that was said, done or sold…"), tr("Enter ↵"), large=True)
        self.field.setMaxLength(4_000)
        self.field.returnPressed.connect(self._entered)
        self.field.earlier.connect(self._earlier)
        self.field.textEdited.connect(lambda _: self._typed())
        self.kinds = {
            "messages": ToggleChip(tr("Messages")),
            "issues": ToggleChip(tr("Issues")),
            "deals": ToggleChip(tr("Deals")),
        }
        self.private = ToggleChip(tr("With private notes"))
        self.period = MenuChip(_period(0))
        for days in _PERIODS:
            self.period.add(_period(days), partial(self._set_period, days))
        self.understood = PeriodChip()
        self.understood.removed.connect(self._at_any_time)
        self.recent = MenuChip(tr("Asked before"))
        self.recent.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.field)
        limits = (*self.kinds.values(), self.period, self.understood, self.private, self.recent)
        column.addLayout(FlowLayout(*limits))
        for chip in (*self.kinds.values(), self.private):
            chip.clicked.connect(self._narrowed)

    @property
    def text(self) -> str:
        """The question as typed."""
        return self.field.text().strip()

    @property
    def narrowed(self) -> bool:
        """Whether the chips leave anything out."""
        return bool(self._chosen()) or self._days > 0 or self.understood.days is not None

    def query(self, now: datetime) -> LightragQuery:
        """The question with its limits."""
        since = (now - timedelta(days=self._days)).date().isoformat() if self._days else None
        return LightragQuery(
            query=self.text,
            top_k=_TOP_K,
            source_filter=self._chosen() or None,
            date_from=since,
            include_private=self.private.isChecked(),
            any_time=self.text == self._untimed,
        )

    def ask(self, text: str) -> None:
        """Ask this."""
        self.field.setText(text)
        self._entered()

    def widen(self) -> None:
        """Take every limit away and ask again."""
        for chip in self.kinds.values():
            chip.setChecked(False)
        self._days = 0
        self._show_period()
        self._untimed = self.text
        self._narrowed()

    def remember(self, text: str) -> None:
        """Put a question on top of those that were asked."""
        self._past = [text, *(past for past in self._past if past != text)][:_REMEMBERED]
        self._back = -1
        self.recent.empty()
        for past in self._past:
            self.recent.add(past, partial(self.ask, past))
        self.recent.setVisible(bool(self._past))

    def forget(self) -> None:
        """Another project: other questions."""
        self._past, self._back, self._untimed = [], -1, ""
        self.recent.empty()
        self.recent.hide()
        self.understood.show_days(None)
        self.field.clear()

    def _chosen(self) -> list[str]:
        chosen = [kind for kind, chip in self.kinds.items() if chip.isChecked()]
        return chosen if len(chosen) < len(self.kinds) else []

    def _set_period(self, days: int) -> None:
        self._days = days
        self._show_period()
        self._narrowed()

    def _show_period(self) -> None:
        self.period.setText(_period(self._days))
        self.period.setAccessibleName(self.period.text())

    def _at_any_time(self) -> None:
        self._untimed = self.text
        self.understood.show_days(None)
        self._entered()

    def _entered(self) -> None:
        if self.text:
            self.asked.emit()

    def _narrowed(self) -> None:
        """Other limits, another answer, if there is a question."""
        self._entered()

    def _typed(self) -> None:
        self._back = -1

    def _earlier(self) -> None:
        if self._back + 1 < len(self._past):
            self._back += 1
            self.field.setText(self._past[self._back])


def _period(days: int) -> str:
    return trn("Last {n} day", "Last {n} days", days) if days else tr("Any time")
