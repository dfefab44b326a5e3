"""Asking for a new message; it becomes a draft."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout

from ctower_desktop.gui.outbound_editor import MessageEditor
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Label
from ctower_desktop.inbox.outbound.actions import draft_outbound
from ctower_desktop.inbox.outbound.model import NewOutbound, Outbound
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.system import new_id


class NewMessageDialog(QDialog):
    """Asks for a message and makes a draft of it."""

    made = Signal(object)

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._page, self._key = page, new_id()
        self.setWindowTitle(tr("New message"))
        self.setMinimumWidth(560)
        self.editor = MessageEditor(page.call)
        self.editor.kept.connect(self.send)
        self.editor.left.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(Label(tr("New message"), "section"))
        about = tr("It becomes a draft. It goes nowhere before somebody approves it.")
        column.addWidget(Label(about, "meta", "text_2", wrap=True))
        column.addWidget(self.editor)
        self.finished.connect(self.deleteLater)

    def send(self) -> None:
        """Make the draft; the same key for every press, so that two presses make one."""
        if self.editor.keep.isEnabled():
            self.editor.keep.setEnabled(False)
            start(self, self._draft(), self._made, self._refused)

    async def _draft(self) -> Outbound:
        body = NewOutbound(
            channel=self.editor.chosen_channel,
            recipient_ref=self.editor.recipient.ref,
            idempotency_key=self._key,
            payload=self.editor.payload,
        )
        return (await draft_outbound(self._page.call(), body)).outbound

    def _made(self, message: Outbound) -> None:
        self.accept()
        self.made.emit(message)

    def _refused(self, error: TowerError) -> None:
        self.editor.keep.setEnabled(True)
        self.editor.say(error)
