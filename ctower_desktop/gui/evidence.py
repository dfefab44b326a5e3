"""Evidence as numbered cards: what was found, who said it where and when, and how well it fits."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import UNSET
from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.text import money, tr, when
from ctower_desktop.gui.widgets import Card, Label, ScoreBar, clear
from ctower_desktop.search import words
from ctower_desktop.search.model import EvidenceItem

Span = tuple[int, int]  # where it begins, how long it is

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 280  # characters of a snippet on a card
_LEAD = 90  # of them before the first word that was found


def matches(text: str, question: str) -> list[Span]:
    """Where the words of the question stand in a text, in any of their forms."""
    wanted = set(words.question(question).stems)
    return [
        (found.start(), found.end() - found.start())
        for found in _WORD.finditer(text)
        if words.stem(words.fold(found[0])) in wanted
    ]


def shortened(text: str, spans: list[Span]) -> tuple[str, list[Span]]:
    """The stretch of a text around the first word that was found, cut between words."""
    if len(text) <= _LONGEST:
        return text, spans
    begin = max(0, min(spans[0][0] - _LEAD if spans else 0, len(text) - _LONGEST))
    if begin:
        begin = text.find(" ", begin) + 1 or begin
    end = begin + _LONGEST
    if end < len(text):
        end = max(text.rfind(" ", begin, end), begin + _LONGEST // 2)
    before, after = "… " if begin else "", " …" if end < len(text) else ""
    kept = [(at - begin + len(before), length) for at, length in spans if begin <= at and at + length <= end]
    return before + text[begin:end] + after, kept


def number_of(global_id: object) -> str:
    """The vendor's own number of a thing, which our id of it ends with."""
    return str(global_id or "").rpartition(":")[2]


def source_line(item: EvidenceItem, now: datetime) -> str:
    """Who said it, where, and when."""
    return " · ".join(part for part in (_who(item), _where(item), _at(item, now)) if part)


def _who(item: EvidenceItem) -> str:
    about = item.metadata
    return str(about.get("sender_name") or about.get("author_name") or about.get("company_name") or "")


def _where(item: EvidenceItem) -> str:
    about = item.metadata
    match item.source_type:
        case "chatwoot_message":
            place = tr("Chatwoot No. {number}", number=number_of(about.get("conversation_global_id")))
            return f"{place} · {tr('private note')}" if about.get("private") else place
        case "linear_issue":
            return " · ".join(str(part) for part in (item.source_ref, about.get("state")) if part)
        case "linear_comment":
            return tr("comment on {issue}", issue=item.source_ref or "")
        case "attio_opportunity":
            amount = about.get("amount")
            worth = money(float(amount), str(about.get("currency") or "")) if amount is not None else ""
            return " · ".join(str(part) for part in (tr("Attio deal"), about.get("stage"), worth) if part)
        case "attio_task":
            return tr("Attio task")
        case _:
            return tr("Attio note")


def _at(item: EvidenceItem, now: datetime) -> str:
    return when(item.created_at, now) if item.created_at else ""


class Snippet(QWidget):
    """Wrapped plain text with some words marked; drawn as it is, never understood as markup."""

    def __init__(self, text: str, spans: list[Span]) -> None:
        super().__init__()
        self.text = text
        self.spans = spans
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.signals().changed.connect(self.updateGeometry)

    def hasHeightForWidth(self) -> bool:
        """The text is wrapped."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As many lines as it takes."""
        return round(self._laid_out(width)[1]) + 2

    def sizeHint(self) -> QSize:
        """Readable, not too narrow."""
        return QSize(480, self.heightForWidth(480))

    def minimumSizeHint(self) -> QSize:
        """Still readable."""
        return QSize(160, theme.font("body").pixelSize() + 8)

    def _laid_out(self, width: int) -> tuple[QTextLayout, float]:
        layout = QTextLayout(self.text.replace("\n", "\u2028"), theme.font("body"))
        marked = QTextCharFormat()
        marked.setBackground(theme.current().color("selected"))
        found = []
        for at, length in self.spans:
            place = QTextLayout.FormatRange()
            place.start, place.length, place.format = at, length, marked
            found.append(place)
        layout.setFormats(found)
        wrapped = QTextOption()
        wrapped.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(wrapped)
        layout.beginLayout()
        height, step = 0.0, theme.font("body").pixelSize() * 1.5
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1, width))
            line.setPosition(QPointF(0, height + (step - line.height()) / 2))
            height += step
        layout.endLayout()
        return layout, height

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The text in the colours of the theme in use."""
        painter = QPainter(self)
        painter.setPen(theme.current().color("text_1"))
        self._laid_out(self.width())[0].draw(painter, QPointF(0, 0))


class EvidenceCard(Card):
    """One piece of evidence under the number it is cited by."""

    def __init__(self, number: int, item: EvidenceItem, question: str, now: datetime) -> None:
        super().__init__(choosable=True, margin=14, spacing=4)
        self.number, self.item = number, item
        text, spans = shortened(item.snippet, matches(item.snippet, question))
        source = source_line(item, now)
        sign = Label(str(number), "label", "accent_text")
        sign.setFixedWidth(20)
        sign.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(4)
        if item.title and item.source_type != "chatwoot_message":
            column.addWidget(Label(item.title, "label", wrap=True))
        column.addWidget(Snippet(text, spans))
        column.addWidget(Label(source, "meta", "text_3", wrap=True))
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(column, 1)
        if item.score is not UNSET:
            line.addSpacing(8)
            line.addWidget(ScoreBar(item.score), 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(line)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(tr("Evidence {number}: {about}", number=number, about=source))
        self.setAccessibleDescription(text)


class EvidenceList(QWidget):
    """The cards; one is chosen, by mouse, arrow keys or its citation."""

    chosen = Signal(object)  # EvidenceItem

    def __init__(self) -> None:
        super().__init__()
        self.cards: list[EvidenceCard] = []
        self._current = -1
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)

    @property
    def current(self) -> EvidenceItem | None:
        """The chosen one."""
        return self.cards[self._current].item if self._current >= 0 else None

    @property
    def place(self) -> int:
        """Which of the cards it is, from 0; -1 when none is chosen."""
        return self._current

    def show_items(self, items: list[EvidenceItem], question: str, now: datetime) -> None:
        """Replace the cards; none is chosen."""
        clear(self._column)
        self._current = -1
        self.cards = [EvidenceCard(number, item, question, now) for number, item in enumerate(items, 1)]
        for card in self.cards:
            card.chosen.connect(lambda number=card.number: self.choose(number))
            self._column.addWidget(card)
        if self.cards:
            self.cards[0].setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # Tab reaches one card, arrows the rest

    def choose(self, number: int, *, focus: bool = False) -> None:
        """Choose the card of that number, if there is one."""
        if not 1 <= number <= len(self.cards):
            return
        same = number - 1 == self._current
        for card in self.cards:
            here = card.number == number
            if here or card.focusPolicy() != Qt.FocusPolicy.ClickFocus:
                card.set_chosen(chosen=here)
                card.setFocusPolicy(Qt.FocusPolicy.StrongFocus if here else Qt.FocusPolicy.ClickFocus)
        self._current = number - 1
        if focus:
            self.cards[self._current].setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not same:
            self.chosen.emit(self.cards[self._current].item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys go from card to card."""
        last = len(self.cards)
        moves = {
            Qt.Key.Key_Down: min(self._current + 2, last),
            Qt.Key.Key_Up: max(self._current, 1),
            Qt.Key.Key_Home: 1,
            Qt.Key.Key_End: last,
        }
        wanted = moves.get(Qt.Key(event.key()))
        if wanted is None:
            super().keyPressEvent(event)
        else:
            self.choose(wanted, focus=True)
