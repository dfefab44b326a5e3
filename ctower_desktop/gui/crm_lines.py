"""The lines of an offer: a table one types in, with the sums of what is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import msgspec
from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ctower_desktop.crm.offers.model import MOST_ITEMS, Item, ItemKind, NewItem
from ctower_desktop.gui import theme
from ctower_desktop.gui.crm_words import kind_words
from ctower_desktop.gui.editing import a_number
from ctower_desktop.gui.flow import side_by_side
from ctower_desktop.gui.table import Index
from ctower_desktop.gui.text import number, tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton

KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
FIELDS = ("title", "kind", "quantity", "unit_price", "description")
_NUMBERS = ("quantity", "unit_price")
_ROOT = QModelIndex()
_HIGHEST = 8  # rows without scrolling


class Lines(QAbstractTableModel):
    """Lines as they are typed; `refused` says what could not be understood."""

    changed = Signal()
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[NewItem] = []
        self.fixed = False

    def show_lines(self, lines: Sequence[NewItem]) -> None:
        """Replace all."""
        self.beginResetModel()
        self.lines = list(lines)
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many lines."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """How many fields."""
        return 0 if parent.isValid() else len(FIELDS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """What a field is called."""
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return (tr("Item"), tr("Kind"), tr("Quantity"), tr("Price"), tr("Description"))[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A field in words, or as it is typed."""
        field = FIELDS[index.column()]
        value = getattr(self.lines[index.row()], field)
        if role == Qt.ItemDataRole.EditRole:
            return f"{value:g}" if field in _NUMBERS else value
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            if field in _NUMBERS:
                return number(value, 0 if float(value).is_integer() else 2)
            return kind_words(value) if field == "kind" else value
        if role == Qt.ItemDataRole.TextAlignmentRole and field in _NUMBERS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Everything is typed in, unless the offer is sent."""
        found = super().flags(index)
        return found if self.fixed else found | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: Any, _role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take what was typed; a number that is none, or a bound that is broken, is refused."""
        field, line = FIELDS[index.column()], self.lines[index.row()]
        try:
            typed = a_number(str(value)) if field in _NUMBERS else str(value).strip()
            known = msgspec.structs.asdict(line) | {field: typed}
            self.lines[index.row()] = msgspec.convert(known, NewItem)
        except (ValueError, msgspec.ValidationError):
            self.refused.emit(tr("“{value}” cannot stand here.", value=str(value)))
            return False
        self.dataChanged.emit(index, index)
        self.changed.emit()
        return True

    def add(self) -> None:
        """One more at the end."""
        place = len(self.lines)
        self.beginInsertRows(_ROOT, place, place)
        self.lines.append(NewItem(title=tr("New line")))
        self.endInsertRows()
        self.changed.emit()

    def remove(self, place: int) -> None:
        """Take a line out."""
        self.beginRemoveRows(_ROOT, place, place)
        del self.lines[place]
        self.endRemoveRows()
        self.changed.emit()


class _Kinds(QStyledItemDelegate):
    """The kind of a line is chosen from three."""

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index) -> QWidget:
        """A list of kinds."""
        box = QComboBox(parent)
        box.setAccessibleName(tr("Kind"))
        for kind in KINDS:
            box.addItem(kind_words(kind), kind)
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """The kind it has."""
        assert isinstance(editor, QComboBox)
        editor.setCurrentIndex(editor.findData(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: Any, index: Index) -> None:
        """The kind that was chosen."""
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentData())


class LinesEditor(QWidget):
    """Lines, and buttons to add, remove and keep them; `kept` gives them all."""

    kept = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.model = Lines()
        self._stored: list[NewItem] = []
        self.view = QTableView()
        self.view.setModel(self.model)
        self._kinds = _Kinds()
        self.view.setItemDelegateForColumn(FIELDS.index("kind"), self._kinds)
        self.view.setAccessibleName(tr("Lines of the offer"))
        self.view.setShowGrid(False)
        self.view.setTabKeyNavigation(False)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(theme.ROW)
        header = self.view.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(len(FIELDS) - 1, QHeaderView.ResizeMode.Stretch)
        for place, width in ((1, 84), (2, 76), (3, 88)):
            header.resizeSection(place, width)
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()
        self.add = Button(tr("Add a line"), icon="plus")
        self.remove = Button(tr("Remove the line"))
        self.keep = PrimaryButton(tr("Keep the lines"))
        self.leave = Button(tr("As it was"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.view)
        column.addWidget(self.problem)
        column.addWidget(side_by_side(self.add, self.remove))
        column.addWidget(side_by_side(self.keep, self.leave))
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        self.keep.clicked.connect(self._keep)
        self.leave.clicked.connect(lambda: self.show_items(self._stored, fixed=self.model.fixed, force=True))
        self.model.changed.connect(self._changed)
        self.model.refused.connect(self.refuse)

    @property
    def dirty(self) -> bool:
        """Whether something was typed that is not kept yet."""
        return self.model.lines != self._stored

    @property
    def stored(self) -> list[NewItem]:
        """The lines as they were kept last."""
        return list(self._stored)

    def show_items(self, items: Sequence[Item | NewItem], *, fixed: bool, force: bool = False) -> None:
        """Show the lines as stored, unless somebody is typing."""
        if self.dirty and not force and not fixed:
            return
        self._stored = [as_written(item) for item in items]
        self.model.fixed = fixed
        self.model.show_lines(self._stored)
        self.problem.hide()
        self._changed()

    def _add(self) -> None:
        self.model.add()
        index = self.model.index(len(self.model.lines) - 1, 0)
        self.view.setCurrentIndex(index)
        self.view.edit(index)

    def _remove(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.model.remove(index.row())

    def _keep(self) -> None:
        self.problem.hide()
        self.kept.emit(list(self.model.lines))

    def refuse(self, sentence: str) -> None:
        """Say what cannot be."""
        self.problem.setText(sentence)
        self.problem.show()

    def _changed(self) -> None:
        shown = min(_HIGHEST, max(1, len(self.model.lines)))
        self.view.setFixedHeight(self.view.horizontalHeader().sizeHint().height() + shown * theme.ROW + 4)
        fixed = self.model.fixed
        self.add.setVisible(not fixed)
        self.add.setEnabled(len(self.model.lines) < MOST_ITEMS)
        self.remove.setVisible(not fixed and bool(self.model.lines))
        self.keep.setVisible(self.dirty)
        self.leave.setVisible(self.dirty)


def as_written(item: Item | NewItem) -> NewItem:
    """A line as it is sent."""
    if isinstance(item, NewItem):
        return item
    return NewItem(
        title=item.title,
        kind=item.kind,
        description=item.description,
        quantity=item.quantity,
        unit_price=item.unit_price,
    )
