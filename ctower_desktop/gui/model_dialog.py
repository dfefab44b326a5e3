"""Asking whether a model is copied into the home or read where it lies."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ctower_desktop.gui.text import size, tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, row


class CopyDialog(QDialog):
    """Opened with `open()`; `take` is told whether the files stay where they are."""

    def __init__(self, parent: QWidget, folder: str, count: int, take: Callable[[bool], None]) -> None:
        super().__init__(parent)
        self._take = take
        self.setWindowTitle(tr("Add a model"))
        self.setMinimumWidth(460)
        about = tr(
            "The model takes {size}. Copied, it works without the disk it lies on; left there, it works as "
            "long as the folder is there.",
            size=size(count),
        )
        self.copy, self.leave = PrimaryButton(tr("Copy the model")), Button(tr("Leave it there"))
        cancel = Button(tr("Cancel"))
        self.copy.setDefault(True)
        self.copy.clicked.connect(lambda: self._decided(in_place=False))
        self.leave.clicked.connect(lambda: self._decided(in_place=True))
        cancel.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        for part in (Label(folder, "label", wrap=True), Label(about, "body", "text_2", wrap=True)):
            column.addWidget(part)
        column.addStretch(1)
        column.addLayout(row(0, cancel, self.leave, self.copy))

    def _decided(self, *, in_place: bool) -> None:
        self.accept()
        self._take(in_place)
