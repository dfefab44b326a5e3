"""A signal in full: what it stands on, and what to do about it by when and by whom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from ctower_desktop.gui.detail import Target
from ctower_desktop.gui.editing import Choice, InPlace, a_day, a_text
from ctower_desktop.gui.records import LinkLine, RecordView
from ctower_desktop.gui.signals_words import (
    confidence_sentence,
    day_words,
    severity_sentence,
    status_words,
    target_of_ref,
    type_words,
)
from ctower_desktop.gui.text import tr, when
from ctower_desktop.gui.widgets import Card, Label
from ctower_desktop.insight.signals.actions import (
    edit_next_action,
    read_signal,
    set_next_action_status,
    set_signal_status,
)
from ctower_desktop.insight.signals.model import (
    OPEN,
    ActionStatus,
    EditAction,
    NextAction,
    SetActionStatus,
    SetSignalStatus,
    SignalInFull,
)
from ctower_desktop.kernel.tower import Desktop, Tower

_SHOWN_REFS = 12


class Around(Protocol):
    """The list a signal is shown beside: it opens evidence, and changes what can be taken back."""

    tower: Tower

    def call(self) -> Desktop:
        """A call in the project of the signal."""

    def open_source(self, target: Target) -> None:
        """Show where something was said or written."""

    def change(self, work: Any, said: str, back: Callable[[], Any]) -> None:
        """Change something of a next action; it can be taken back."""


async def restore_signal(call: Callable[[], Desktop], before: SignalInFull) -> None:
    """A signal and what is to be done about it become what they were."""
    signal = before.signal
    await set_signal_status(call(), signal.id, SetSignalStatus(signal.status))
    now = {one.id: one.status for one in (await read_signal(call(), signal.id)).actions}
    for action in before.actions:
        if now.get(action.id, action.status) != action.status:
            await set_next_action_status(call(), action.id, SetActionStatus(action.status))


class SignalDetail(RecordView):
    """A signal in full."""

    def __init__(self, view: Around, found: SignalInFull) -> None:
        signal, now = found.signal, view.tower.clock.now()
        super().__init__(
            " · ".join((type_words(signal.signal_type), status_words(signal.status))), signal.summary
        )
        self.found = found
        for sentence in (severity_sentence(signal.severity), confidence_sentence(signal.confidence)):
            self.column.addWidget(Label(sentence, "meta", "text_2", wrap=True))
        self.fact(tr("First seen"), when(signal.started_at, now))
        self.fact(tr("Last evidence"), when(signal.last_seen_at, now))
        if signal.reopened_at:
            self.fact(tr("Came back"), when(signal.reopened_at, now))
        if found.settled is not None and signal.status not in OPEN:
            by = tr("by itself: the cause was gone") if found.settled.by == "system" else found.settled.by
            self.fact(tr("Closed"), f"{when(found.settled.at, now)} · {by}")
        if found.actions:
            self.section(tr("What to do"))
        self.cards = {action.id: ActionCard(view, action) for action in found.actions}
        for card in self.cards.values():
            self.column.addWidget(card)
        self._evidence(view, found)
        self.column.addStretch(1)

    def _evidence(self, view: Around, found: SignalInFull) -> None:
        talk = found.signal.source_ref
        self.section(tr("Evidence"))
        self.links: list[LinkLine] = []
        quoted = {one.ref for one in found.evidence}
        for one in found.evidence:
            head = " · ".join(
                part for part in (one.author, when(one.said_at, view.tower.clock.now())) if part
            )
            self.text(f"{head}\n{one.quote}")
            self._link(view, one.ref, talk, tr("Read it where it was written"))
        rest = [ref for ref in found.signal.evidence_refs if ref not in quoted]
        for ref in rest[:_SHOWN_REFS]:
            self._link(view, ref, talk, _open_words(ref))
        if not self.links:
            words = tr("It follows from what did not happen; there is nothing to open.")
            self.column.addWidget(Label(words, "meta", "text_2", wrap=True))

    def _link(self, view: Around, ref: str, talk: str, text: str) -> None:
        target = target_of_ref(ref, talk)
        if target is not None:
            line = LinkLine(text)
            line.clicked.connect(partial(view.open_source, target))
            self.links.append(line)
            self.column.addWidget(line)

    def goes_on_with(self, found: SignalInFull) -> bool:
        """Whether the same can stay on screen; what is being typed is not lost."""
        same = found.signal == self.found.signal and found.evidence == self.found.evidence
        if not same or set(self.cards) != {action.id for action in found.actions}:
            return False
        for action in found.actions:
            self.cards[action.id].show_action(action)
        self.found = found
        return True


def _open_words(ref: str) -> str:
    known = {
        "cw": tr("Open the conversation"),
        "cwmsg": tr("Read the message"),
        "attiodeal": tr("Open the deal"),
        "deal": tr("Open the deal"),
    }
    return known.get(ref.partition(":")[0], tr("Open the issue"))


class ActionCard(Card):
    """What to do about a signal, by when, and who: day, owner and state are changed here."""

    def __init__(self, view: Around, action: NextAction) -> None:
        super().__init__(margin=12, spacing=4)
        self._view, self._action = view, action
        self.said = Label(action.summary, wrap=True)
        self.said.setMinimumWidth(1)
        self.due = InPlace(tr("Due"), a_day, hint="2026-11-30")
        self.owner = InPlace(tr("Owner"), a_text)
        states = ("proposed", "accepted", "done", "dismissed", "cancelled")
        self.state = Choice(tr("State"), [(one, status_words(one)) for one in states])
        self.due.entered.connect(self._due)
        self.owner.entered.connect(self._owner)
        self.state.entered.connect(self._state)
        for part in (self.said, self.due, self.owner, self.state):
            self.body.addWidget(part)
        self.show_action(action)

    def show_action(self, action: NextAction) -> None:
        """Show how it stands; what is being typed stays."""
        self._action = action
        self.said.setText(action.summary)
        self.due.show_value(day_words(action.due_date), action.due_date or "")
        self.owner.show_value(action.owner_username or tr("nobody yet"), action.owner_username or "")
        self.state.show_value(action.status)

    def _due(self, day: str | None) -> None:
        self._edit(
            EditAction(due_date=day), EditAction(due_date=self._action.due_date), tr("Due day changed")
        )

    def _owner(self, owner: str) -> None:
        back = EditAction(owner_username=self._action.owner_username)
        self._edit(EditAction(owner_username=owner or None), back, tr("Owner changed"))

    def _edit(self, body: EditAction, back: EditAction, said: str) -> None:
        view, action_id = self._view, self._action.id
        view.change(
            edit_next_action(view.call(), action_id, body),
            said,
            lambda: edit_next_action(view.call(), action_id, back),
        )

    def _state(self, status: ActionStatus) -> None:
        view, action_id, before = self._view, self._action.id, self._action.status
        view.change(
            set_next_action_status(view.call(), action_id, SetActionStatus(status)),
            tr("The action is now: {state}", state=status_words(status)),
            lambda: set_next_action_status(view.call(), action_id, SetActionStatus(before)),
        )
