"""One connection as a card: how it does in words, how fresh and complete it is, what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ctower_desktop.connectors.answers import Overview
from ctower_desktop.gui.feedback import ProgressRow
from ctower_desktop.gui.text import ago, number, seconds, tr, trn
from ctower_desktop.gui.widgets import Button, Card, Label, PrimaryButton, StatusDot, row
from ctower_desktop.kernel.events import SyncProgress
from ctower_desktop.kernel.system import from_text

_STREAMS: dict[str, Callable[[], str]] = {
    "conversations": lambda: tr("conversations"),
    "messages": lambda: tr("messages"),
    "contacts": lambda: tr("contacts"),
    "inboxes": lambda: tr("inboxes"),
    "agents": lambda: tr("colleagues"),
    "users": lambda: tr("colleagues"),
    "members": lambda: tr("colleagues"),
    "issues": lambda: tr("issues"),
    "comments": lambda: tr("comments"),
    "projects": lambda: tr("projects"),
    "cycles": lambda: tr("cycles"),
    "states": lambda: tr("states"),
    "teams": lambda: tr("teams"),
    "labels": lambda: tr("labels"),
    "relations": lambda: tr("relations"),
    "companies": lambda: tr("companies"),
    "people": lambda: tr("people"),
    "deals": lambda: tr("deals"),
    "notes": lambda: tr("notes"),
    "tasks": lambda: tr("tasks"),
}


def stream_words(name: str) -> str:
    """What a stream of rows is called on screen."""
    words = _STREAMS.get(name)
    return words() if words else name


def code_of(error: str) -> str:
    """The code an error begins with, as it is kept."""
    return error.partition(":")[0].strip()


def what_happened(code: str, vendor: str) -> str:
    """A failure as a sentence for people."""
    known = {
        "connector_needs_user": tr("{vendor} does not accept what the connection is set to.", vendor=vendor),
        "connector_not_configured": tr("{vendor} is not connected yet.", vendor=vendor),
        "vendor_unavailable": tr("{vendor} does not answer at the moment.", vendor=vendor),
        "vendor_circuit_open": tr(
            "{vendor} failed several times in a row and is left alone for a while.", vendor=vendor
        ),
        "upstream_unreachable": tr("{vendor} could not be reached.", vendor=vendor),
        "vendor_partial_data": tr("{vendor} gave only a part of the rows.", vendor=vendor),
        "vendor_bad_payload": tr("What answered is not what {vendor} answers.", vendor=vendor),
        "vendor_refused": tr("{vendor} does not understand what it is asked.", vendor=vendor),
        "address_refused": tr("This address is not asked for reasons of safety."),
        "interrupted": tr("The last sync was interrupted; nothing was lost."),
    }
    return known.get(code, tr("The last sync of {vendor} failed.", vendor=vendor))


def what_to_do(code: str) -> str:
    """The next step after a failure."""
    known = {
        "connector_needs_user": tr("Open the connection, correct it, and test it again."),
        "connector_not_configured": tr("Open the connection and enter what is missing."),
        "vendor_unavailable": tr("Nothing to do: it is tried again by itself."),
        "vendor_circuit_open": tr("Nothing to do: it is tried again by itself."),
        "vendor_partial_data": tr("Nothing to do: the missing part comes with the next sync."),
        "upstream_unreachable": tr("Check the network and the address; it is tried again by itself."),
        "vendor_bad_payload": tr("Check the address: something else may be answering there."),
        "vendor_refused": tr("Update the program; if that does not help, report the error."),
        "address_refused": tr("Enter a public address with https, or allow a private network."),
    }
    return known.get(code, tr("Try again."))


def state_of(one: Overview) -> tuple[str, str]:
    """The state in words, and the token of its colour."""
    if not one.configured:
        return tr("Not connected"), "text_3"
    if one.status == "running":
        return tr("Syncing"), "info"
    if one.breaker == "blocked":
        return tr("Waits for you"), "danger"
    if one.status == "failed":
        return tr("Failed; will be tried again"), "warning"
    if one.connector != "loops" and not one.bound:
        return tr("Feeds no project of yours yet"), "warning"
    if one.status == "partial" or one.held_deletes or one.quarantined:
        return tr("Works, with something to look at"), "warning"
    if one.last_success_at is None and one.connector != "loops":
        return tr("Connected, not synced yet"), "info"
    return tr("Works"), "success"


class ConnectionCard(Card):
    """A vendor: its state, its figures, its buttons. Tells what the user wants of it."""

    sync_wanted = Signal()
    cancel_wanted = Signal()
    connect_wanted = Signal()
    disconnect_wanted = Signal()
    bindings_wanted = Signal()
    confirm_wanted = Signal()

    def __init__(self, name: str, title: str) -> None:
        super().__init__(spacing=6)
        self.name, self.vendor = name, title
        self.own = False  # whether the running sync was started here and can be stopped here
        self._running = False
        self.dot = StatusDot("text_3", "")
        self.state = Label("", "meta", "text_2")
        self.facts = Label("", "meta", "text_2", wrap=True)
        self.trouble = Label("", "body", "text_1", wrap=True)
        self.step = Label("", "meta", "text_2", wrap=True)
        self.detail = Label("", "meta", "text_3", wrap=True)
        self.progress = ProgressRow()
        self.own_progress = ProgressRow(cancel=self.cancel_wanted.emit)
        self.sync = Button(tr("Sync now"), icon="sync")
        self.bindings = Button(tr("What feeds this project…"), icon="link")
        self.connect_ = PrimaryButton(tr("Connect…"))
        self.change = Button(tr("Connection…"), icon="settings")
        self.disconnect_ = Button(tr("Disconnect…"))
        self.confirm = Button(tr("They were deleted there"), icon="check")
        for button, wanted in (
            (self.sync, self.sync_wanted),
            (self.bindings, self.bindings_wanted),
            (self.connect_, self.connect_wanted),
            (self.change, self.connect_wanted),
            (self.disconnect_, self.disconnect_wanted),
            (self.confirm, self.confirm_wanted),
        ):
            what = button.accessibleName()
            button.setAccessibleName(tr("{vendor}: {what}", vendor=title, what=what))
            button.clicked.connect(wanted)
            button.hide()  # until it is known what can be done
        head = row(self.dot, Label(title, "section"), self.state, 0, self.connect_, self.sync)
        self.body.addLayout(head)
        parts: tuple[QWidget, ...] = (
            self.facts, self.progress, self.own_progress, self.trouble, self.step, self.detail,
        )  # fmt: skip
        for part in parts:
            self.body.addWidget(part)
        self.body.addLayout(row(self.confirm, self.bindings, self.change, self.disconnect_, 0))
        self.setAccessibleName(title)

    def show_overview(
        self, one: Overview, now: datetime, *, next_run: str | None, complete: float | None
    ) -> None:
        """Show how the connection does now."""
        words, color = state_of(one)
        self.dot.set_state(color, words)
        self.state.setText(words)
        self.state.set_token(color)
        self._show_facts(one, now, next_run, complete)
        self._show_trouble(one)
        running = one.status == "running" or self.own
        self._running = running
        pulls = one.connector != "loops"
        self.sync.setText(
            tr("Try again") if one.status == "failed" else tr("Sync now") if pulls else tr("Push contacts")
        )
        self.sync.setVisible(one.configured)
        self.sync.setEnabled(not running)
        self.connect_.setVisible(not one.configured)
        self.change.setVisible(one.configured)
        self.disconnect_.setVisible(one.configured)
        self.bindings.setVisible(one.configured and pulls)
        self.confirm.setVisible(one.held_deletes > 0)
        self.confirm.setEnabled(not running)
        self._show_progress_rows()

    def begin(self) -> None:
        """A sync was started here."""
        self.own = self._running = True
        self.own_progress.show_progress(tr("Starting…"), 0, None)
        self.sync.setEnabled(False)
        self._show_progress_rows()

    def end(self) -> None:
        """It is over, one way or another."""
        self.own = self._running = False
        self.sync.setEnabled(True)
        self._show_progress_rows()

    def show_progress(self, event: SyncProgress) -> None:
        """How far the running sync is."""
        text = tr("Reading {what}", what=stream_words(event.phase))
        for bar in (self.progress, self.own_progress):
            bar.show_progress(text, event.done, event.total)
        self._running = True
        self._show_progress_rows()

    def _show_progress_rows(self) -> None:
        self.own_progress.setVisible(self._running and self.own)
        self.progress.setVisible(self._running and not self.own)

    def _show_facts(self, one: Overview, now: datetime, next_run: str | None, complete: float | None) -> None:
        facts = []
        if one.account is not None and one.configured:
            facts.append(tr("Account: {name}", name=one.account.name or one.account.id))
        if one.last_success_at:
            facts.append(tr("last sync {time}", time=ago(one.last_success_at, now)))
        if next_run and one.configured:
            left = (from_text(next_run) - now).total_seconds()
            facts.append(tr("next in {time}", time=seconds(left)) if left > 0 else tr("next one is due now"))
        if complete is not None and one.configured:
            facts.append(tr("{percent} % complete", percent=number(complete, 1)))
        if one.quarantined:
            facts.append(trn("{n} row put aside", "{n} rows put aside", one.quarantined))
        self.facts.setText(" · ".join(facts) if facts else what_it_is(one.connector))

    def _show_trouble(self, one: Overview) -> None:
        happened = step = detail = ""
        if one.last_error and one.configured:
            code = code_of(one.last_error)
            happened, step = what_happened(code, self.vendor), what_to_do(code)
            detail = one.last_error.partition(":")[2].strip()
        elif one.held_deletes:
            happened = trn(
                "{n} row vanished at {vendor} at once and was kept here.",
                "{n} rows vanished at {vendor} at once and were kept here.",
                one.held_deletes,
                vendor=self.vendor,
            )
            step = tr("If they were really deleted there, confirm it.")
        elif one.configured and not one.bound:
            happened = tr("Nothing of this account belongs to this project.")
            step = tr("Choose what of it feeds this project.")
        for label, text in ((self.trouble, happened), (self.step, step), (self.detail, detail)):
            label.setText(text)
            label.setVisible(bool(text))


def what_it_is(name: str) -> str:
    """What a connection is good for, while there is nothing else to say of it."""
    known = {
        "chatwoot": tr("Conversations with clients come from here."),
        "linear": tr("Issues, comments and projects come from here."),
        "attio": tr("Companies, people, deals, notes and tasks come from here."),
        "loops": tr("Contacts with an e-mail address go there."),
    }
    return known.get(name, "")
