"""The first run: at most five steps inside the window, from nothing to the first question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui import icons, theme
from ctower_desktop.gui.page import WindowContext
from ctower_desktop.gui.text import number, tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, row

_WIDEST = 620


@dataclass(frozen=True)
class Beginning:
    """What the window gives the first run.

    `project_made(id, then)` looks at a project and goes on; `sample` is there when sample data can be shown.
    """

    context: WindowContext
    look: Callable[..., None]
    project_made: Callable[[str, Callable[[], None]], None]
    sample: Callable[[], None] | None


class Step(QWidget):
    """One step. `proceed` is asked when the user goes on; `ready` answers that she may."""

    ready = Signal()
    asked = Signal(str)  # the first question
    worded = Signal()  # the words of the button that goes on are others now

    def __init__(self, given: Beginning) -> None:
        super().__init__()
        self.given = given
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(12)

    @property
    def title(self) -> str:
        """What is done here, in two words."""
        raise LookupError(f"{type(self).__name__} has no title")

    @property
    def next_words(self) -> str:
        """What the button that goes on says."""
        return tr("Next")

    def enter(self) -> None:
        """The step came to the front: put the focus where work begins."""

    def proceed(self) -> None:
        """Do what is needed before the next step, then say `ready`."""
        self.ready.emit()


class FirstRun(QFrame):
    """The steps at the left, the one in front beside them, the way on and back below."""

    done = Signal(str)  # the first question; may be empty
    stepped = Signal(int)

    def __init__(self, given: Beginning, kinds: tuple[type[Step], ...], step: int = 0) -> None:
        super().__init__()
        self.setAccessibleName(tr("Setting up"))
        self.steps = [kind(given) for kind in kinds]
        self._stack = QStackedWidget()
        for one in self.steps:
            one.ready.connect(self._go_on)
            one.worded.connect(self._dress)
            one.asked.connect(self.finish)
            self._stack.addWidget(self._scrolled(one))
        self._marks = [_Mark(place, one.title) for place, one in enumerate(self.steps, 1)]
        self.back, self.next = Button(tr("Back")), PrimaryButton(tr("Next"))
        self.count = Label("", "meta", "text_2")
        self.back.clicked.connect(lambda: self.show_step(self.place - 1))
        self.next.clicked.connect(lambda: self.steps[self.place].proceed())
        self._build()
        self._fresh = True
        self._stack.setCurrentIndex(min(max(step, 0), len(self.steps) - 1))
        self._dress()

    def _build(self) -> None:
        left = QFrame()
        left.setProperty("sidebar", True)
        left.setFixedWidth(theme.SIDEBAR)
        names = QVBoxLayout(left)
        names.setContentsMargins(24, 32, 16, 24)
        names.setSpacing(12)
        sign = Label()
        sign.setPixmap(icons.pixmap("tower", "accent_text", 20))
        names.addLayout(row(sign, Label("Control Tower", "section"), 0))
        names.addSpacing(12)
        for mark in self._marks:
            names.addWidget(mark)
        names.addStretch(1)
        foot = row(self.count, 0, self.back, self.next)
        foot.setContentsMargins(32, 12, 32, 16)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.addWidget(self._stack, 1)
        right.addLayout(foot)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(0)
        line.addWidget(left)
        line.addLayout(right, 1)

    def _scrolled(self, step: Step) -> QScrollArea:
        inside = QWidget()
        inside.setMaximumWidth(_WIDEST + 64)
        column = QVBoxLayout(inside)
        column.setContentsMargins(32, 32, 32, 16)
        column.addWidget(step)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        return area

    @property
    def place(self) -> int:
        """Which step is in front, from 0."""
        return self._stack.currentIndex()

    def show_step(self, place: int) -> None:
        """Bring a step to the front."""
        self._stack.setCurrentIndex(min(max(place, 0), len(self.steps) - 1))
        self._dress()
        self.stepped.emit(self.place)
        self.steps[self.place].enter()

    def finish(self, question: str = "") -> None:
        """The tower is set up."""
        self.done.emit(question)

    def _go_on(self) -> None:
        if self.place + 1 < len(self.steps):
            self.show_step(self.place + 1)
        else:
            self.finish()

    def _dress(self) -> None:
        for place, mark in enumerate(self._marks):
            mark.show_state("done" if place < self.place else "now" if place == self.place else "ahead")
        words = self.steps[self.place].next_words
        self.next.setText(words)
        self.next.setAccessibleName(words)
        self.back.setVisible(self.place > 0)
        step = tr("Step {n} of {all}", n=number(self.place + 1), all=number(len(self.steps)))
        self.count.setText(step)

    def showEvent(self, event: QShowEvent) -> None:
        """The step in front takes the focus when the window appears."""
        super().showEvent(event)
        if self._fresh:
            self._fresh = False
            self.steps[self.place].enter()


class _Mark(QWidget):
    """A step in the list at the left: its number or a tick, and its name."""

    def __init__(self, place: int, title: str) -> None:
        super().__init__()
        self._number = Label(number(place), "label", "text_3")
        self._tick = Label()
        self._tick.setPixmap(icons.pixmap("check", "success"))
        self._name = Label(title, "body", "text_2", wrap=True)
        for sign in (self._number, self._tick):
            sign.setFixedWidth(20)
        line = row(self._number, self._tick)
        line.addWidget(self._name, 1)
        self.setLayout(line)

    def show_state(self, state: str) -> None:
        """Done, now, or ahead."""
        self._tick.setVisible(state == "done")
        self._number.setVisible(state != "done")
        self._name.set_token("text_1" if state == "now" else "text_2")
        self._number.set_token("accent_text" if state == "now" else "text_3")
        words = {"done": tr("done"), "now": tr("in front"), "ahead": tr("to come")}
        self.setAccessibleName(f"{self._name.text()}: {words[state]}")
