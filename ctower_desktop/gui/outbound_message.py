"""One outbound message: where it stands, exactly what goes out, what is looked at before, every try."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.outbound_deeds import Deeds
from ctower_desktop.gui.outbound_editor import MessageEditor
from ctower_desktop.gui.outbound_words import (
    EDITABLE,
    SENDABLE,
    attempt_words,
    channel_words,
    check_words,
    recipient_words,
    state_sentence,
    status_look,
    status_words,
    waits,
)
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, when
from ctower_desktop.gui.widgets import Badge, Button, Label, PrimaryButton, clear, row
from ctower_desktop.inbox.outbound.actions import (
    edit_outbound,
    list_channels,
    preview_outbound,
    read_outbound,
)
from ctower_desktop.inbox.outbound.channel import CHANNELS
from ctower_desktop.inbox.outbound.model import (
    Attempt,
    Channels,
    Check,
    EditOutbound,
    Outbound,
    PreviewAnswer,
    Rendered,
)
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop

_OVER = ("sent", "cancelled", "blocked_opt_out")


class MessageInFull(msgspec.Struct, frozen=True):
    """A message with all that is shown of it, read at one time."""

    message: Outbound
    attempts: list[Attempt]
    preview: PreviewAnswer | None
    channels: Channels


async def read_in_full(call: Desktop, outbound_id: str) -> MessageInFull:
    """Read a message; one that may still go out with its checks and what exactly would go."""
    found = await read_outbound(call, outbound_id)
    preview = await preview_outbound(call, outbound_id) if found.outbound.status in EDITABLE else None
    return MessageInFull(found.outbound, found.attempts, preview, await list_channels(call))


class MessageView(QWidget):
    """Shows a message and what can be done with it; stays the same while the message changes."""

    def __init__(self, page: Page, deeds: Deeds, *, brief: bool = False) -> None:
        super().__init__()
        self.page, self.deeds, self._brief = page, deeds, brief
        self.found: MessageInFull | None = None
        self.buttons = self._made_buttons()
        self.head = QVBoxLayout()
        self.parts = QVBoxLayout()
        for layout in (self.head, self.parts):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(6)
        self.editor = MessageEditor(page.call)
        self.editor.hide()
        self.editor.kept.connect(self._keep)
        self.editor.left.connect(self._leave)
        bar = QWidget()
        bar.setLayout(FlowLayout(*self.buttons.values()))
        column = QVBoxLayout(self)
        column.setContentsMargins(*((0, 0, 0, 0) if brief else (20, 12, 20, 16)))
        column.setSpacing(10)
        column.addLayout(self.head)
        column.addWidget(bar)
        column.addWidget(self.editor)
        column.addLayout(self.parts)
        column.addStretch(1)

    def _made_buttons(self) -> dict[str, Button]:
        found: dict[str, Button] = {
            "approve": PrimaryButton(tr("Approve"), "A"),
            "send": PrimaryButton(tr("Send now"), "S"),
            "edit": Button(tr("Change"), "E"),
            "call_off": Button(tr("Call off"), "X"),
            "check": PrimaryButton(tr("Ask the vendor")),
            "was_sent": Button(tr("It was sent")),
            "not_sent": Button(tr("It was not sent")),
            "again": Button(tr("Write it again")),
        }
        for name, button in found.items():
            button.clicked.connect(partial(self._press, name))
        return found

    def _press(self, name: str, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        self.do(name)

    # -- showing

    def show_message(self, found: MessageInFull) -> None:
        """Show a message, or the same as it is now; what is being typed stays."""
        other = self.found is None or self.found.message.id != found.message.id
        same = found == self.found
        self.found = found
        if other or found.message.status not in EDITABLE:
            self.editor.hide()
        self._choose_buttons()
        if same:
            return
        now = self.page.tower.clock.now()
        clear(self.head)
        clear(self.parts)
        self._show_head(found, now)
        self._show_content(found)
        if found.preview is not None:
            self._section(tr("Looked at before it goes"))
            for check in found.preview.checks:
                self.parts.addWidget(CheckLine(check, check_words(check, now)))
        if found.attempts and not self._brief:
            self._section(tr("Tries"))
            for attempt in found.attempts:
                self._line(attempt_words(attempt, now))
        if not self._brief:
            self._show_facts(found.message, now)

    def _show_head(self, found: MessageInFull, now: datetime) -> None:
        message = found.message
        figure, token = status_look(message.status)
        badge = Badge(f"{figure} {status_words(message.status)}", token)
        self.head.addLayout(row(badge, Label(channel_words(message.channel), "meta", "text_2"), 0))
        if not self._brief:
            title = Label(recipient_words(message), "section", wrap=True)
            title.setMinimumWidth(1)
            self.head.addWidget(title)
        by_itself = found.channels.sends_approved_by_itself and found.channels.enabled
        words = state_sentence(message, now, by_itself=by_itself, dry_run=found.channels.dry_run)
        self.head.addWidget(_wrapped(words, "text_1"))
        if found.channels.dry_run and message.status in EDITABLE:
            self.head.addWidget(_wrapped(tr("Rehearsal is on: sending sends nothing."), "warning"))

    def _show_content(self, found: MessageInFull) -> None:
        rendered = found.preview.rendered if found.preview is not None else None
        if found.preview is None and found.attempts:
            self._section(tr("Exactly what was handed over"))
            rendered = msgspec.convert(found.attempts[-1].rendered, Rendered, strict=False)
        elif rendered is not None:
            self._section(tr("Exactly what goes out"))
        if rendered is None:
            self._section(tr("What it says"))
            words = str(found.message.payload.get("text") or "")
            self.parts.addWidget(PlainText(words or tr("Nothing yet."), fluid=True))
            return
        self._fact(tr("To"), " · ".join(part for part in (rendered.to_name, rendered.to) if part))
        self._fact(tr("From"), rendered.sender)
        self._fact(tr("Subject"), rendered.subject)
        self._fact(tr("Template"), rendered.template)
        for name, value in rendered.variables.items():
            self._fact(name, str(value))
        if rendered.text:
            self.parts.addWidget(PlainText(rendered.text, fluid=True))
        if rendered.html:
            self._line(tr("With an HTML part, shown here as it is written:"))
            self.parts.addWidget(PlainText(rendered.html, "meta", "text_2", fluid=True))

    def _show_facts(self, message: Outbound, now: datetime) -> None:
        self._section(tr("History"))
        self._fact(tr("Written by"), f"{message.created_by} · {when(message.created_at, now)}")
        if message.approved_by and message.approved_at:
            self._fact(tr("Approved by"), f"{message.approved_by} · {when(message.approved_at, now)}")
        if message.evidence_refs:
            self._fact(tr("Evidence"), ", ".join(ref.ref for ref in message.evidence_refs))

    def _section(self, title: str) -> None:
        self.parts.addSpacing(4)
        self.parts.addWidget(Label(title, "label"))

    def _line(self, words: str) -> None:
        self.parts.addWidget(_wrapped(words, "text_2"))

    def _fact(self, name: str, value: str | None) -> None:
        if value:
            self._line(tr("{name}: {value}", name=name, value=value))

    # -- doing

    def can(self, name: str) -> bool:
        """Whether that can be done with the message as it is."""
        if self.found is None or self.editing:
            return False
        message = self.found.message
        fits: dict[str, bool] = {
            "approve": message.status == "draft",
            "send": message.status in SENDABLE and message.id not in self.deeds.sending,
            "edit": message.status in EDITABLE,
            "call_off": message.status in EDITABLE,
            "check": message.status == "uncertain" and _can_be_asked(message),
            "was_sent": message.status == "uncertain",
            "not_sent": message.status == "uncertain",
            "again": message.status in _OVER,
        }
        return fits[name]

    @property
    def editing(self) -> bool:
        """Whether somebody is changing it."""
        return self.editor.isVisibleTo(self)

    def _choose_buttons(self) -> None:
        for name, button in self.buttons.items():
            button.setVisible(self.can(name))

    def do(self, name: str) -> None:
        """Do it, if it can be done now."""
        if not self.can(name) or self.found is None:
            return
        message = self.found.message
        deeds: dict[str, Callable[[], object]] = {
            "approve": lambda: self.deeds.approve([message]),
            "send": lambda: self.deeds.send(message),
            "edit": self._edit,
            "call_off": lambda: self.deeds.call_off([message]),
            "check": lambda: self.deeds.resolve(message, "check"),
            "was_sent": lambda: self.deeds.resolve(message, "sent"),
            "not_sent": lambda: self.deeds.resolve(message, "not_sent"),
            "again": lambda: self.deeds.write_again(message),
        }
        deeds[name]()

    def _edit(self) -> None:
        assert self.found is not None
        self.editor.show_message(self.found.message)
        self.editor.show()
        self._choose_buttons()
        self.editor.text.setFocus()

    def _leave(self) -> None:
        self.editor.hide()
        self._choose_buttons()
        self.buttons["edit"].setFocus()

    def _keep(self) -> None:
        if self.found is not None and self.editor.keep.isEnabled():
            self.editor.keep.setEnabled(False)
            body = EditOutbound(recipient_ref=self.editor.recipient.ref or None, payload=self.editor.payload)
            start(self, self._change(self.found.message.id, body), self._kept, self._refused)

    async def _change(self, outbound_id: str, body: EditOutbound) -> MessageInFull:
        await edit_outbound(self.page.call(), outbound_id, body)
        return await read_in_full(self.page.call(), outbound_id)

    def _kept(self, found: MessageInFull) -> None:
        self.editor.keep.setEnabled(True)
        self._leave()
        if self.found is not None and self.found.message.id == found.message.id:
            self.show_message(found)

    def _refused(self, error: TowerError) -> None:
        self.editor.keep.setEnabled(True)
        self.editor.say(error)


def _can_be_asked(message: Outbound) -> bool:
    channel = CHANNELS.get(message.channel)
    return channel is not None and channel.can_look


class CheckLine(QWidget):
    """One thing looked at: a figure, a word and a sentence; never the colour alone."""

    def __init__(self, check: Check, words: str) -> None:
        super().__init__()
        figure, token = ("…", "text_2") if waits(check) else ("✓", "success")
        if not check.passed and not waits(check):
            figure, token = "✗", "danger"
        verdict = tr("fits") if check.passed else tr("waits") if waits(check) else tr("stands in the way")
        self.words = words
        sign = Label(figure, "label", token)
        sign.setFixedWidth(18)
        line = row(sign, spacing=4)
        line.addWidget(_wrapped(words, "text_2" if check.passed else "text_1"), 1)
        self.setLayout(line)
        self.setAccessibleName(tr("{name}: {value}", name=verdict, value=words))
        self.setToolTip(verdict)


def _wrapped(words: str, token: str) -> Label:
    label = Label(words, "meta", token, wrap=True)
    label.setMinimumWidth(1)
    return label
