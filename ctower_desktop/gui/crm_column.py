"""One stage of the board: its cards, painted; dragged by the mouse, moved by the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import msgspec
from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from ctower_desktop.crm.model import Opportunity, OpportunityStage
from ctower_desktop.gui import theme
from ctower_desktop.gui.crm_words import amount_of, card_words, closes, is_late, percent, stage_words, sums
from ctower_desktop.gui.table import Index
from ctower_desktop.gui.text import number, tr, trn
from ctower_desktop.gui.widgets import Label, row

DEALS = "application/x-ctower-deals"
NARROWEST = 156
_ROOT = QModelIndex()
_PAD, _GAP = 10, 6
_DEAL = Qt.ItemDataRole.UserRole


class Cards(QAbstractListModel):
    """The deals of a stage; what is dropped on them is told, not moved."""

    dropped = Signal(list)  # ids

    def __init__(self, today: Callable[[], date]) -> None:
        super().__init__()
        self._today = today
        self.deals: list[Opportunity] = []

    def show_deals(self, deals: Sequence[Opportunity]) -> None:
        """Replace all."""
        self.beginResetModel()
        self.deals = list(deals)
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many there are."""
        return 0 if parent.isValid() else len(self.deals)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The deal, and its words for a screen reader."""
        deal = self.deals[index.row()]
        if role == _DEAL:
            return deal
        if role == Qt.ItemDataRole.DisplayRole:
            return deal.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return card_words(deal, self._today())
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{deal.title}\n{deal.account_name}\n{tr('next step: {step}', step=deal.next_step)}"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Cards are dragged; the column itself is dropped on."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        """They move."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Only our own deals."""
        return [DEALS]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The ids of what is dragged."""
        found = QMimeData()
        found.setData(DEALS, msgspec.json.encode([self.deals[index.row()].id for index in indexes]))
        return found

    def canDropMimeData(
        self, data: QMimeData, _action: Qt.DropAction, _row: int, _column: int, _parent: Index
    ) -> bool:
        """Wherever in the column."""
        return data.hasFormat(DEALS)

    def dropMimeData(
        self, data: QMimeData, _action: Qt.DropAction, _row: int, _column: int, _parent: Index
    ) -> bool:
        """Tell what was dropped; nothing is removed where it came from before it is stored."""
        if data.hasFormat(DEALS):
            self.dropped.emit(msgspec.json.decode(data.data(DEALS).data(), type=list[str]))
        return False


class CardPainter(QStyledItemDelegate):
    """Paints a card: title, account, money and chance, day and owner, next step."""

    def __init__(self, today: Callable[[], date]) -> None:
        super().__init__()
        self._today = today

    def sizeHint(self, option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Every card is as high as every other."""
        label, meta = theme.font("label"), theme.font("meta")
        lines = 2 * label.pixelSize() + 4 * meta.pixelSize()
        return QSize(option.rect.width(), round(lines * 1.4) + 2 * _PAD + _GAP + 14)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The card, then its lines."""
        deal = index.data(_DEAL)
        colors, state = theme.current(), option.state
        chosen, focused = state & QStyle.StateFlag.State_Selected, state & QStyle.StateFlag.State_HasFocus
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(1, 1, -2, -1 - _GAP)
        pen = painter.pen()
        pen.setColor(colors.color("focus" if focused else "accent" if chosen else "border"))
        pen.setWidth(2 if focused else 1)
        painter.setPen(pen)
        hovered = state & QStyle.StateFlag.State_MouseOver
        painter.setBrush(colors.color("selected" if chosen else "hover" if hovered else "surface"))
        painter.drawRoundedRect(box, theme.RADIUS_CONTROL, theme.RADIUS_CONTROL)
        self._lines(painter, box.adjusted(_PAD, _PAD, -_PAD, -_PAD), deal)
        painter.restore()

    def _lines(self, painter: QPainter, box: QRect, deal: Opportunity) -> None:
        today = self._today()
        late = is_late(deal, today)
        pen = _Pen(painter, box)
        pen.title(deal.title)
        pen.line(deal.account_name, "text_2")
        pen.y += 4
        pen.line(amount_of(deal), "text_1", right=percent(deal.probability), bold=True)
        pen.line(closes(deal, today), "danger" if late else "text_2", right=deal.owner_username or "")
        pen.line(f"→ {deal.next_step}", "text_2")


class _Pen:
    """Writes lines one below the other."""

    def __init__(self, painter: QPainter, box: QRect) -> None:
        self._painter, self._box = painter, box
        self.y = box.top()

    def title(self, text: str) -> None:
        """At most two lines, the second left out at its end."""
        self._painter.setFont(theme.font("label"))
        metrics = self._painter.fontMetrics()
        words, first = text.split(), ""
        while words and metrics.horizontalAdvance(f"{first} {words[0]}".strip()) <= self._box.width():
            first = f"{first} {words.pop(0)}".strip()
        if not first and words:
            self._write(text, "text_1", self._box.width())
            words = []
        else:
            self._write(first, "text_1", self._box.width())
        self._next()
        if words:
            self._write(" ".join(words), "text_1", self._box.width())
        self._next()

    def line(self, text: str, token: str, *, right: str = "", bold: bool = False) -> None:
        """A line, with something at its right end."""
        self._painter.setFont(theme.font("meta", bold=bold))
        room = self._box.width()
        if right:
            wide = self._painter.fontMetrics().horizontalAdvance(right) + 2  # advances are rounded down
            taken = min(room // 2, wide)
            room -= taken + 8
            place = QRect(self._box.right() - taken + 1, self.y, taken, self._height())
            self._draw(place, right, "text_2", Qt.AlignmentFlag.AlignRight)
        self._write(text, token, room)
        self._next()

    def _write(self, text: str, token: str, room: int) -> None:
        place = QRect(self._box.left(), self.y, room, self._height())
        self._draw(place, text, token, Qt.AlignmentFlag.AlignLeft)

    def _draw(self, place: QRect, text: str, token: str, side: Qt.AlignmentFlag) -> None:
        self._painter.setPen(theme.current().color(token))
        line = " ".join(text.split())
        shown = self._painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, place.width())
        self._painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, shown)

    def _height(self) -> int:
        return round(self._painter.font().pixelSize() * 1.4)

    def _next(self) -> None:
        self.y += self._height()


class CardList(QListView):
    """The cards of a stage; arrows walk among them and to the stages beside."""

    crossed = Signal(int)  # the focus goes to a neighbour: -1 to the stage before, 1 to the one after
    opened = Signal()

    def __init__(self, cards: Cards, painter: CardPainter) -> None:
        super().__init__()
        self.setModel(cards)
        self.setItemDelegate(painter)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(False)
        self.setTabKeyNavigation(False)
        self.setSpacing(0)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.clicked.connect(lambda _: self.opened.emit())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows to the sides, Enter."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and not event.modifiers():
            self.crossed.emit(step)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)


class StageColumn(QFrame):
    """A stage: its name, how many deals, what they sum up to, and their cards."""

    def __init__(self, stage: OpportunityStage, today: Callable[[], date]) -> None:
        super().__init__()
        self.stage = stage
        self.cards = Cards(today)
        self._painter = CardPainter(today)
        self.list = CardList(self.cards, self._painter)
        self.list.setAccessibleName(stage_words(stage))
        self.count = Label("", "meta", "text_3")
        self.sums = Label("", "meta", "text_2", wrap=True)
        self.sums.setMinimumWidth(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row(Label(stage_words(stage), "label"), self.count, 0, spacing=6))
        column.addWidget(self.sums)
        column.addWidget(self.list, 1)
        self._restyle()
        theme.signals().changed.connect(self._restyle)

    def _restyle(self) -> None:
        """Larger type, wider columns."""
        self.setMinimumWidth(round(NARROWEST * theme.scale()))
        self.list.doItemsLayout()

    @property
    def chosen(self) -> list[Opportunity]:
        """The deals that are selected."""
        places = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        return [self.cards.deals[place] for place in places]

    def show_deals(self, deals: Sequence[Opportunity], total: int, *, complete: bool) -> None:
        """Show the deals; choice and place stay where they were."""
        if list(deals) != self.cards.deals:
            marked = {deal.id for deal in self.chosen}
            current = self.list.currentIndex()
            front = self.cards.deals[current.row()].id if current.isValid() else ""
            place = self.list.verticalScrollBar().value()
            self.cards.show_deals(deals)
            self.mark(marked, front)
            self.list.verticalScrollBar().setValue(place)
        self.count.setText(number(total))
        words = sums(deals)
        self.sums.setText(words if complete else tr("at least {sum}", sum=words))
        self.sums.setToolTip(self.sums.text())
        told = trn(
            "{stage}: {n} deal, {sum}",
            "{stage}: {n} deals, {sum}",
            total,
            stage=stage_words(self.stage),
            sum=words,
        )
        self.list.setAccessibleDescription(told)

    def mark(self, ids: set[str], front: str = "") -> None:
        """Select deals; the one in front gets the keyboard's place."""
        selection = self.list.selectionModel()
        selection.clearSelection()
        for place, deal in enumerate(self.cards.deals):
            if deal.id == front:
                selection.setCurrentIndex(self.cards.index(place), selection.SelectionFlag.NoUpdate)
            if deal.id in ids:
                selection.select(self.cards.index(place), selection.SelectionFlag.Select)
