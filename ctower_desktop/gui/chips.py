"""Small words side by side of which exactly one is on: filters, and the views of a page."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QWidget

from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import ToggleChip


class Chips(QWidget):
    """One of several small words is on; `changed` tells that another one is."""

    changed = Signal()

    def __init__(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._chips: dict[str, ToggleChip] = {}
        for value, word in choices:
            chip = ToggleChip(word)
            chip.setAccessibleName(tr("{name}: {value}", name=name, value=word))
            self._group.addButton(chip)
            self._chips[value] = chip
        self.first = choices[0][0]
        self._chips[self.first].setChecked(True)
        self.setLayout(FlowLayout(*self._chips.values(), spacing=4))
        self._group.buttonClicked.connect(lambda _: self.changed.emit())

    @property
    def value(self) -> str:
        """Which one is on."""
        return next(value for value, chip in self._chips.items() if chip.isChecked())

    def choose(self, value: str) -> None:
        """Put another one on."""
        if value != self.value and value in self._chips:
            self._chips[value].setChecked(True)
            self.changed.emit()
