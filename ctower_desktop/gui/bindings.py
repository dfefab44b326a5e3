"""What feeds a project: which parts of a vendor's account belong to it, chosen from a list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ctower_desktop.connectors.answers import ListBindings, SetBindings, UnitRef
from ctower_desktop.connectors.connecting import list_bindings, list_units, set_bindings
from ctower_desktop.connectors.contract import CONNECTORS, Unit
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, SearchField, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop

_UNIT = Qt.ItemDataRole.UserRole
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


def kind_words(kind: str) -> str:
    """What a kind of unit is called on screen."""
    known = {
        "account": tr("Whole account"),
        "workspace": tr("Whole workspace"),
        "inbox": tr("Chatwoot inbox"),
        "team": tr("Team"),
        "project": tr("Project"),
        "company": tr("Company"),
    }
    return known.get(kind, kind)


class BindingsDialog(QDialog):
    """Check what belongs to the project; the whole account includes everything else."""

    bound = Signal()

    def __init__(self, parent: QWidget, call: Callable[[], Desktop], name: str) -> None:
        super().__init__(parent)
        self._call, self._connector = call, CONNECTORS[name]
        project = call().project_ref.name
        self.setWindowTitle(
            tr("What of {vendor} feeds “{project}”", vendor=self._connector.title, project=project)
        )
        self.setMinimumSize(560, 480)
        self.search = SearchField(tr("Find a part of the account"))
        self.search.textChanged.connect(self._filter)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Parts of the account"))
        self.list.itemChanged.connect(lambda _: self._whole_or_parts())
        self.note = Label("", "meta", "text_2", wrap=True)
        self.save = PrimaryButton(tr("Save"))
        self.save.setEnabled(False)
        cancel = Button(tr("Cancel"))
        self.save.clicked.connect(self._save)
        cancel.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        about = tr("One part can feed several projects, and several parts one project.")
        column.addWidget(Label(self.windowTitle(), "section", wrap=True))
        column.addWidget(Label(about, "meta", "text_2", wrap=True))
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addWidget(self.note)
        column.addLayout(row(0, cancel, self.save))
        start(self, self._read(), self._show, self._failed)

    @property
    def chosen(self) -> list[Unit]:
        """What is checked; the whole account alone when it is."""
        checked = [item.data(_UNIT) for item in self._items() if item.checkState() == _CHECKED]
        whole = [unit for unit in checked if unit.kind == self._connector.account_unit]
        return whole or checked

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(place) for place in range(self.list.count())]

    async def _read(self) -> tuple[list[Unit], set[tuple[str, str]]]:
        name = self._connector.name
        units = (await list_units(self._call(), name)).units
        bound = (await list_bindings(self._call(), ListBindings(connector=name))).bindings
        return units, {(b.unit_kind, b.unit_id) for b in bound}

    def _show(self, found: tuple[list[Unit], set[tuple[str, str]]]) -> None:
        units, bound = found
        self.list.blockSignals(True)
        for unit in units:
            item = QListWidgetItem(f"{kind_words(unit.kind)}: {unit.name or unit.id}")
            item.setData(_UNIT, unit)
            item.setCheckState(_CHECKED if (unit.kind, unit.id) in bound else _UNCHECKED)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._whole_or_parts()
        self.save.setEnabled(bool(units))
        self.search.setVisible(len(units) > 8)
        if not units:
            self.note.setText(tr("Nothing of the account was read yet. Sync first, then choose."))
        self.list.setFocus()

    def _whole_or_parts(self) -> None:
        """The whole account includes its parts: they cannot be chosen beside it."""
        account = self._connector.account_unit
        items = self._items()
        whole = any(i.checkState() == _CHECKED and i.data(_UNIT).kind == account for i in items)
        self.list.blockSignals(True)
        for item in items:
            if item.data(_UNIT).kind != account:
                free = item.flags() | Qt.ItemFlag.ItemIsEnabled
                item.setFlags(free & ~Qt.ItemFlag.ItemIsEnabled if whole else free)
        self.list.blockSignals(False)
        nothing = tr("Nothing chosen: {vendor} will feed this project no more.", vendor=self._connector.title)
        self.note.setText("" if self.chosen or not items else nothing)

    def _filter(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.casefold().strip() not in item.text().casefold())

    def _save(self) -> None:
        self.save.setEnabled(False)
        start(self, self._store(self.chosen), lambda _: self._saved(), self._failed)

    async def _store(self, units: list[Unit]) -> None:
        refs = [UnitRef(unit.kind, unit.id) for unit in units]
        await set_bindings(self._call(), SetBindings(connector=self._connector.name, units=refs))

    def _saved(self) -> None:
        self.bound.emit()
        self.accept()

    def _failed(self, error: TowerError) -> None:
        self.save.setEnabled(self.list.count() > 0)
        self.note.set_token("danger")
        self.note.setText(str(error))
