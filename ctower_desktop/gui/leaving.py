"""Leaving for somebody else's address: the host it really leads to is shown before anything opens."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.links import is_web, open_link
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, row

_WIDTH, _LONGEST = 460, 600


def host_of(url: str) -> str:
    """The host an address leads to, foreign letters spelled out so that none passes for another."""
    return QUrl(url, QUrl.ParsingMode.StrictMode).host(QUrl.ComponentFormattingOption.FullyEncoded)


class LeavingDialog(QDialog):
    """Shows where an address leads; opens it only when told."""

    def __init__(self, parent: QWidget, url: str) -> None:
        super().__init__(parent)
        self._url, self.host = url, host_of(url)
        self.setWindowTitle(tr("Open in the browser"))
        self.setMinimumWidth(_WIDTH)
        go, copy, stay = PrimaryButton(tr("Open it")), Button(tr("Copy the address")), Button(tr("Stay here"))
        self.go = go
        go.clicked.connect(self._open)
        copy.clicked.connect(self._copy)
        stay.clicked.connect(self.reject)
        host = Label(self.host, "section", wrap=True)
        host.setMinimumWidth(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(8)
        column.addWidget(Label(tr("This opens in your browser, at:"), "body", "text_2", wrap=True))
        column.addWidget(host)
        address = url if len(url) <= _LONGEST else f"{url[:_LONGEST]}…"
        column.addWidget(PlainText(address, "meta", "text_2", fluid=True))
        if url.casefold().startswith("http:"):
            warning = tr("The way there is not encrypted.")
            column.addWidget(Label(warning, "meta", "warning", wrap=True))
        column.addSpacing(8)
        column.addLayout(row(copy, 0, stay, go))
        self.finished.connect(self.deleteLater)
        self.setAccessibleDescription(self.host)

    def _open(self) -> None:
        open_link(self._url)
        self.accept()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._url)
        self.accept()


def leave_for(owner: QWidget, url: str) -> LeavingDialog | None:
    """Ask before opening an address somebody else wrote; nothing but web pages is ever asked for."""
    if not is_web(url):
        return None
    dialog = LeavingDialog(owner, url)
    dialog.open()
    return dialog
