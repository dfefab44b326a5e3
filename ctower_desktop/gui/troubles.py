"""What did not come in: errors that were given up, rows that were put aside, and trying them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.connectors.model import ConnectorError, Quarantined
from ctower_desktop.gui.connection import code_of, stream_words, what_happened
from ctower_desktop.gui.text import ago, tr, trn
from ctower_desktop.gui.widgets import Button, Card, Label, clear, row


@dataclass(frozen=True)
class Trouble:
    """One line: what it is, what is known of it, and what the button beside it does."""

    key: str
    text: str
    detail: str
    run: Callable[[], object] | None


class TroubleList(QWidget):
    """A titled list; away when there is nothing on it."""

    def __init__(self, title: str, about: str) -> None:
        super().__init__()
        self._shown: tuple[tuple[str, str, str], ...] = ()
        self.buttons: list[Button] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(8)
        column.addWidget(Label(title, "label"))
        column.addWidget(Label(about, "meta", "text_2", wrap=True))
        self.card = Card(spacing=12)
        column.addWidget(self.card)
        self.hide()

    def show_troubles(self, found: Sequence[Trouble]) -> None:
        """Replace the lines, unless they are the same: a focused button keeps the focus."""
        told = tuple((trouble.key, trouble.text, trouble.detail) for trouble in found)
        if told == self._shown:
            return
        self._shown = told
        clear(self.card.body)
        self.buttons = []
        for trouble in found:
            self.card.body.addWidget(self._line(trouble))
        self.setVisible(bool(found))

    @property
    def texts(self) -> list[str]:
        """What is on the list."""
        return [text for _, text, _ in self._shown]

    def _line(self, trouble: Trouble) -> QWidget:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(Label(trouble.text, "body", wrap=True))
        detail = Label(trouble.detail, "meta", "text_3", wrap=True)
        detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(detail)
        line = row()
        line.addLayout(words, 1)
        if trouble.run is not None:
            button = Button(tr("Try again"), icon="retry")
            button.setAccessibleName(tr("Try again: {what}", what=trouble.text))
            button.clicked.connect(trouble.run)
            self.buttons.append(button)
            line.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        found = QWidget()
        found.setLayout(line)
        return found


def given_up(
    errors: Sequence[ConnectorError],
    titles: dict[str, str],
    now: datetime,
    retry: Callable[[ConnectorError], object],
) -> list[Trouble]:
    """Errors that wait for somebody."""
    return [
        Trouble(
            error.id,
            what_happened(code_of(error.error_message), titles.get(error.connector, error.connector)),
            " · ".join(
                (
                    trn("{n} attempt", "{n} attempts", error.attempt),
                    ago(error.updated_at, now),
                    error.error_message.partition(":")[2].strip() or error.error_message,
                )
            ),
            partial(retry, error),
        )
        for error in errors
    ]


def put_aside(
    rows: Sequence[Quarantined],
    titles: dict[str, str],
    now: datetime,
    retry: Callable[[str], object],
) -> list[Trouble]:
    """Rows that were not understood; one button for all rows of a connector, beside the first of them."""
    found, offered = [], set()
    for one in sorted(rows, key=lambda one: one.connector):
        run = None if one.connector in offered else partial(retry, one.connector)
        offered.add(one.connector)
        place = (titles.get(one.connector, one.connector), stream_words(one.stream), one.external_id)
        seen = (trn("seen {n} time", "seen {n} times", one.times), ago(one.last_seen_at, now))
        found.append(Trouble(one.id, " · ".join(place), " · ".join((*seen, one.reason)), run))
    return found
