"""Whom a message is for: an address, a number, a chat, or a contact chosen by name while typing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QStringListModel, Qt, QTimer
from PySide6.QtWidgets import QCompleter, QLineEdit

from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.inbox.actions import list_contacts
from ctower_desktop.inbox.model import Contact, ListContacts
from ctower_desktop.kernel.tower import Desktop

_PAUSE = 150  # milliseconds after a key before contacts are looked for
_OFFERED = 12


class RecipientField(QLineEdit):
    """Offers contacts by what is typed; `ref` is what a message is addressed to."""

    def __init__(self, call: Callable[[], Desktop]) -> None:
        super().__init__()
        self._call = call
        self._ref = ""
        self._known: dict[str, Contact] = {}
        self._offers = QStringListModel(self)
        self.setPlaceholderText(tr("A name, an e-mail address, a chat…"))
        self.setAccessibleName(tr("Recipient"))
        completer = QCompleter(self._offers, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.activated.connect(self._chosen)
        self.setCompleter(completer)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._look)
        self.textEdited.connect(self._edited)

    @property
    def ref(self) -> str:
        """What a message is addressed to: a contact's id, or what was typed."""
        return self._ref or self.text().strip()

    def show_ref(self, ref: str, name: str | None) -> None:
        """Show whom a message is for."""
        self._ref = ref if name else ""
        self.setText(name or ref)
        self.setToolTip("")

    def _edited(self, _text: str) -> None:
        self._ref = ""
        self._pause.start()

    def _look(self) -> None:
        typed = self.text().strip()
        if len(typed) > 1:
            start(self, self._found(typed), self._offer)

    async def _found(self, typed: str) -> list[Contact]:
        return (await list_contacts(self._call(), ListContacts(q=typed, limit=_OFFERED))).contacts

    def _offer(self, contacts: list[Contact]) -> None:
        self._known = {_words(each): each for each in contacts}
        self._offers.setStringList(list(self._known))
        if contacts and self.hasFocus() and not self._ref:
            self.completer().complete()

    def _chosen(self, words: str) -> None:
        found = self._known.get(words)
        if found is not None:
            QTimer.singleShot(0, self, lambda: self.show_ref(found.id, found.name or found.email or found.id))


def _words(contact: Contact) -> str:
    parts = (contact.name, contact.email, contact.phone_number, contact.company_name)
    return " · ".join(part for part in parts if part) or contact.id
