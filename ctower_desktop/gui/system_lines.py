"""Things that want somebody's hand, one below the other: what it is, how bad, and the button for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.gui.widgets import Badge, Button, Card, Label, clear, row


@dataclass(frozen=True)
class Line:
    """One of them; `does` is the word on the button, `run` what it does."""

    key: str
    token: str
    word: str
    text: str
    detail: str
    does: str = ""
    run: Callable[[], object] | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """All that is seen of it."""
        return (self.key, self.token, self.word, self.text, self.detail, self.does)


class Lines(QWidget):
    """A titled card of lines; away when there are none."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._told: list[tuple[str, ...]] = []
        self.buttons: dict[str, Button] = {}
        self.heading = Label(title, "label")
        self.card = Card(spacing=12)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.heading)
        column.addWidget(self.card)
        self.hide()

    def show_lines(self, found: Sequence[Line]) -> None:
        """Replace the lines, unless they are the same: a focused button keeps the focus."""
        told = [line.told for line in found]
        self.setVisible(bool(found))
        if told == self._told:
            return
        had = next((key for key, button in self.buttons.items() if button.hasFocus()), None)
        self._told, self.buttons = told, {}
        clear(self.card.body)
        for line in found:
            self.card.body.addWidget(self._line(line))
        if had in self.buttons:
            self.buttons[had].setFocus()

    @property
    def texts(self) -> list[str]:
        """What is on the list."""
        return [told[3] for told in self._told]

    def _line(self, line: Line) -> QWidget:
        text, detail = Label(line.text, wrap=True), Label(line.detail, "meta", "text_3", wrap=True)
        for label in (text, detail):
            label.setMinimumWidth(1)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(text)
        words.addWidget(detail)
        detail.setVisible(bool(line.detail))
        whole = row(spacing=12)
        whole.addWidget(Badge(line.word, line.token), 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(words, 1)
        run = line.run
        if run is not None:
            button = Button(line.does)
            button.setAccessibleName(f"{line.does}: {line.text}")
            button.clicked.connect(lambda: run())
            self.buttons[line.key] = button
            whole.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        found = QWidget()
        found.setLayout(whole)
        return found
