"""What every part of the System page is, and the small forms they share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop

_WIDTH = 460


class Section(QWidget):
    """One part of the page: reads when it comes to the front, and again when one of `tables` changes."""

    needs_project = True

    def __init__(self, page: Page, tables: set[str] | None = None) -> None:
        super().__init__()
        self.page, self.tower, self.context = page, page.tower, page.context
        if tables:
            follow(self, self.tower, tables, self.refresh)

    def call(self) -> Desktop:
        """A call of the person at the screen."""
        return self.page.call()

    @property
    def now(self) -> datetime:
        """The time by the tower's clock."""
        return self.tower.clock.now()

    def refresh(self) -> None:
        """Read and show everything again."""
        raise LookupError(f"{type(self).__name__} shows nothing")

    def start_over(self) -> None:
        """Another project: what was chosen before is not there."""
        self.refresh()


def scrolled(inside: QWidget, name: str) -> QScrollArea:
    """A widget that may be longer than the window."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setAccessibleName(name)
    area.setWidget(inside)
    return area


class ConfirmDialog(QDialog):
    """Says what cannot be taken back, and does it when that is wanted; opened with `open()`."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        about: str,
        does: str,
        *,
        send: Callable[[], Coroutine[Any, Any, Any]],
        then: Callable[[Any], object],
    ) -> None:
        super().__init__(parent)
        self._send, self._then = send, then
        self.setWindowTitle(title)
        self.setMinimumWidth(_WIDTH)
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()
        self.does, cancel = Button(does), PrimaryButton(tr("Cancel"))
        self.does.clicked.connect(self._go)
        self.does.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        cancel.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        for part in (Label(title, "section", wrap=True), Label(about, wrap=True), self.problem):
            column.addWidget(part)
        column.addLayout(row(0, self.does, cancel))
        self.finished.connect(self.deleteLater)

    def _go(self) -> None:
        self.does.setEnabled(False)
        start(self, self._send(), self._done, self._refused)

    def _done(self, answer: Any) -> None:
        self.accept()
        self._then(answer)

    def _refused(self, error: TowerError) -> None:
        self.does.setEnabled(True)
        self.problem.setText(plain_words(error))
        self.problem.show()


class ShownOnceDialog(QDialog):
    """A secret that is shown this one time, to be copied now; opened with `open()`."""

    def __init__(self, parent: QWidget, title: str, about: str, secret: str) -> None:
        super().__init__(parent)
        self._secret = secret
        self.setWindowTitle(title)
        self.setMinimumWidth(_WIDTH)
        self.secret = Label(secret, "section", wrap=True)
        self.secret.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.secret.setAccessibleName(title)
        self.said = Label("", "meta", "success")
        self.copy = Button(tr("Copy"), icon="copy")
        self.copy.clicked.connect(self._copy)
        done = PrimaryButton(tr("Done"))
        done.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        for part in (Label(title, "section", wrap=True), Label(about, wrap=True), self.secret):
            column.addWidget(part)
        column.addLayout(row(self.copy, self.said, 0, done))
        self.finished.connect(self.deleteLater)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._secret)
        self.said.setText(tr("Copied."))
