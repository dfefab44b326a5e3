"""Connecting an account: a form that tries the credentials with the vendor before anything is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QVBoxLayout, QWidget

from ctower_desktop.connectors.answers import Disconnect, Tried, TryConnection
from ctower_desktop.connectors.connecting import connect, disconnect, try_connection
from ctower_desktop.connectors.contract import CONNECTORS, Connector
from ctower_desktop.connectors.loops import LOOPS, Loops
from ctower_desktop.gui.connection import what_happened, what_to_do
from ctower_desktop.gui.forms import StructForm
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.settings import fields
from ctower_desktop.kernel.tower import Desktop

_WIDTH = 560


class ConnectForm(QWidget):
    """The settings of one connection with what the vendor says of them. Only what it accepts is stored."""

    connected = Signal(str)  # what the vendor calls the account

    def __init__(self, call: Callable[[], Desktop], name: str) -> None:
        super().__init__()
        self._call, self._name = call, name
        self._vendor = vendor_named(name)
        self._task: asyncio.Task[Any] | None = None
        settings, shape = call().tower.settings, self._vendor.settings
        declared = fields(name)
        self.form = StructForm(
            shape,
            msgspec.structs.asdict(settings.get(shape)),
            stored_secrets=frozenset(
                f.name for f in declared if f.secret and settings.source(f) != "default"
            ),
            fixed=frozenset(f.name for f in declared if settings.source(f) == "environment"),
        )
        self.outcome = Label("", "body", "text_2", wrap=True)
        self.advice = Label("", "meta", "text_2", wrap=True)
        kind, _, path = settings.secrets_place().partition(" ")
        where = (
            tr("The key is kept in the system's keyring.")
            if kind == "keyring"
            else tr("The key is kept in a file only you can read: {path}", path=path)
        )
        self.place = Label(where, "meta", "text_3", wrap=True)
        self.test = Button(tr("Test"))
        self.keep = PrimaryButton(tr("Connect"))
        self.test.clicked.connect(lambda: self._send(self._try(), self._tried))
        self.keep.clicked.connect(lambda: self._send(self._connect(), self._connected))
        self.foot = row(self.test, 0, self.keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self.form, self.outcome, self.advice, self.place):
            column.addWidget(part)
        column.addStretch(1)
        column.addLayout(self.foot)

    def _send(self, work: Any, then: Callable[[Tried], None]) -> None:
        self._busy(busy=True)
        self._say(tr("Asking {vendor}…", vendor=self._vendor.title), "text_2")
        self._task = start(self, work, then, self._failed)

    def _given(self) -> TryConnection:
        return TryConnection(settings=self.form.values())

    async def _try(self) -> Tried:
        return await try_connection(self._call(), self._name, self._given())

    async def _connect(self) -> Tried:
        return await connect(self._call(), self._name, self._given())

    def _tried(self, tried: Tried) -> None:
        self._busy(busy=False)
        if tried.works:
            self._works(tried)
        else:
            happened = what_happened(tried.code, self._vendor.title)
            self._say(happened, "danger", f"{what_to_do(tried.code)}\n{tried.message}")

    def _works(self, tried: Tried) -> None:
        account = tried.account.name if tried.account else self._vendor.title
        self._say(tr("It works: {account}.", account=account), "success")

    def _connected(self, tried: Tried) -> None:
        self._busy(busy=False)
        self._works(tried)
        self.connected.emit(tried.account.name if tried.account else self._vendor.title)

    def _failed(self, error: TowerError) -> None:
        self._busy(busy=False)
        self._say(tr("It does not work yet; nothing was stored."), "danger", str(error))

    def _say(self, outcome: str, token: str, advice: str = "") -> None:
        self.outcome.set_token(token)
        self.outcome.setText(outcome)
        self.advice.setText(advice)
        self.advice.setVisible(bool(advice))

    def _busy(self, *, busy: bool) -> None:
        self.test.setEnabled(not busy)
        self.keep.setEnabled(not busy)

    def stop(self) -> None:
        """Whatever is still being asked is asked no more."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._busy(busy=False)
            self._say("", "text_2")


class ConnectDialog(QDialog):
    """The form of a connection in a dialog of its own."""

    connected = Signal(str)  # what the vendor calls the account

    def __init__(self, parent: QWidget, call: Callable[[], Desktop], name: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Connect {vendor}", vendor=vendor_named(name).title))
        self.setMinimumWidth(_WIDTH)
        self.inside = ConnectForm(call, name)
        self.inside.connected.connect(self._connected)
        self.inside.keep.setDefault(True)
        cancel = Button(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self.inside.foot.insertWidget(2, cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(8)
        column.addWidget(Label(self.windowTitle(), "title"))
        column.addWidget(self.inside, 1)

    def _connected(self, account: str) -> None:
        self.connected.emit(account)
        self.accept()

    def done(self, result: int) -> None:
        """Whatever is still being asked is asked no more."""
        self.inside.stop()
        super().done(result)


class DisconnectDialog(QDialog):
    """Asks whether what came from the vendor stays."""

    disconnected = Signal()

    def __init__(self, parent: QWidget, call: Callable[[], Desktop], name: str) -> None:
        super().__init__(parent)
        self._call, self._name = call, name
        title = vendor_named(name).title
        self.setWindowTitle(tr("Disconnect {vendor}", vendor=title))
        self.setMinimumWidth(_WIDTH)
        about = tr(
            "The credentials are removed from this computer. Nothing changes at {vendor}.", vendor=title
        )
        self.forget = QCheckBox(tr("Also remove what came from {vendor} from this computer", vendor=title))
        self.forget.setAccessibleName(self.forget.text())
        self.forget.setVisible(name != LOOPS.name)
        self.note = Label("", "meta", "danger", wrap=True)
        self.go = PrimaryButton(tr("Disconnect"))
        cancel = Button(tr("Cancel"))
        self.go.clicked.connect(self._go)
        cancel.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        for part in (Label(self.windowTitle(), "title"), Label(about, wrap=True), self.forget, self.note):
            column.addWidget(part)
        column.addStretch(1)
        column.addLayout(row(0, cancel, self.go))

    def _go(self) -> None:
        self.go.setEnabled(False)
        start(self, self._disconnect(), lambda _: self._gone(), self._failed)

    async def _disconnect(self) -> None:
        await disconnect(self._call(), self._name, Disconnect(forget=self.forget.isChecked()))

    def _gone(self) -> None:
        self.disconnected.emit()
        self.accept()

    def _failed(self, error: TowerError) -> None:
        self.go.setEnabled(True)
        self.note.setText(str(error))


def vendor_named(name: str) -> Connector | Loops:
    """The vendor of a card."""
    return LOOPS if name == LOOPS.name else CONNECTORS[name]
