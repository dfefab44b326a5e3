"""Signals: what needs attention, what it stands on, and what to do about it by when."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

from PySide6.QtWidgets import QComboBox, QWidget

from ctower_desktop.gui.detail import Target
from ctower_desktop.gui.editing import Choice, InPlace, a_day, a_text
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine, RecordView
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.signals_words import (
    TYPES,
    confidence_sentence,
    day_words,
    percent,
    severity_sentence,
    severity_token,
    severity_words,
    status_words,
    target_of_ref,
    type_words,
)
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Card, Label
from ctower_desktop.gui.worklist import Chips, Deed, WorkList
from ctower_desktop.insight.signals.actions import (
    edit_next_action,
    extract_signals,
    list_signals,
    read_signal,
    set_next_action_status,
    set_signal_status,
)
from ctower_desktop.insight.signals.model import (
    OPEN,
    ActionStatus,
    EditAction,
    ListSignals,
    NextAction,
    SetActionStatus,
    SetSignalStatus,
    Signal,
    SignalInFull,
    SignalStatus,
)
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop, Tower

_SHOWN_REFS = 12


class SignalsView(WorkList):
    """The list of signals with their evidence and next actions."""

    def __init__(self, page: Page) -> None:
        self.status = Chips(
            tr("State"),
            [
                ("open", tr("Open")),
                ("proposed", tr("New")),
                ("accepted", tr("Accepted")),
                ("done", tr("Done")),
                ("dismissed", tr("Dismissed")),
                ("", tr("All")),
            ],
        )
        self.severity = Chips(
            tr("Severity"), [("1", tr("Any severity")), ("3", tr("3 and more")), ("4", tr("4 and more"))]
        )
        deeds = (
            Deed("accept", tr("Accept"), self._accept, lambda s: s.status == "proposed", "A", primary=True),
            Deed("done", tr("Done"), partial(self._move, "done"), lambda s: s.status in OPEN, "E"),
            Deed("dismiss", tr("Dismiss"), partial(self._move, "dismissed"), lambda s: s.status in OPEN, "D"),
            Deed(
                "reopen",
                tr("Open again"),
                partial(self._move, "proposed"),
                lambda s: s.status not in OPEN,
                "U",
            ),
        )
        super().__init__(
            page,
            tr("Signals"),
            tables={"signal", "signal_evidence", "next_action"},
            deeds=deeds,
            chips=(self.status, self.severity),
        )
        self.type = QComboBox()
        self.type.setAccessibleName(tr("Kind of signal"))
        self.type.addItem(tr("Any kind"), "")
        for kind in TYPES:
            self.type.addItem(type_words(kind), kind)
        self.type.activated.connect(lambda _: self.listing.start_over())
        left = self.listing.parentWidget().layout()
        assert left is not None
        left.insertWidget(1, self.type)  # type: ignore[attr-defined]

    # -- the list

    @property
    def filtered(self) -> bool:
        """Whether something was asked for that is not the first choice of every filter."""
        return super().filtered or bool(self.type.currentData())

    def show_all(self) -> None:
        """Take all filters away."""
        self.type.setCurrentIndex(0)
        super().show_all()

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Signals, the worst first."""
        status = "" if self.status.value == "open" else self.status.value
        query = ListSignals(
            status=status,
            type=str(self.type.currentData() or ""),
            severity_min=int(self.severity.value),
            limit=limit,
            offset=offset,
        )
        return list((await list_signals(self.call(), query)).signals)

    def fits(self, row_: Signal) -> bool:
        """Open ones are new or accepted."""
        return self.status.value != "open" or row_.status in OPEN

    def line(self, row_: Signal) -> RowLine:
        """Severity, what happened, and how sure that is."""
        count = len(row_.evidence_refs)
        parts = (
            type_words(row_.signal_type),
            severity_words(row_.severity),
            percent(row_.confidence),
            trn("{n} piece of evidence", "{n} pieces of evidence", count),
            status_words(row_.status),
        )
        return RowLine(
            mark=str(row_.severity),
            token=severity_token(row_.severity),
            title=row_.summary,
            meta=" · ".join(parts),
            aside=ago(row_.last_seen_at, self.tower.clock.now()),
            strong=row_.status == "proposed",
        )

    def columns(self) -> Sequence[Column[Signal]]:
        """The columns of a file."""
        return (
            Column(tr("Kind"), lambda s: type_words(s.signal_type)),
            Column(tr("Severity"), lambda s: str(s.severity)),
            Column(tr("Confidence"), lambda s: percent(s.confidence)),
            Column(tr("What happened"), lambda s: s.summary),
            Column(tr("State"), lambda s: status_words(s.status)),
            Column(tr("Last evidence"), lambda s: s.last_seen_at),
            Column(tr("Evidence"), lambda s: str(len(s.evidence_refs))),
        )

    def nothing(self) -> EmptyState:
        """All is calm."""
        return EmptyState(
            "no_data",
            tr("Nothing needs attention"),
            tr("What clients write, what is overdue and who waits for an answer shows up here by itself."),
            tr("Look again now"),
            self.look_again,
        )

    # -- the one in front

    async def detail(self, row_: Signal) -> QWidget:
        """A signal with its evidence and what to do about it."""
        found = await read_signal(self.call(), row_.id)
        shown = self.facts.widget()
        if isinstance(shown, SignalDetail) and shown.goes_on_with(found):
            return shown
        return SignalDetail(self, found)

    # -- doing

    def look_again(self) -> None:
        """Read what is new and bring signals up to date."""

        async def look() -> str:
            result = (await extract_signals(self.call())).result
            return trn(
                "Looked again: {n} new signal, {closed} closed",
                "Looked again: {n} new signals, {closed} closed",
                result.created,
                closed=number(result.closed),
            )

        start(self, look(), self._looked)

    def _looked(self, said: str) -> None:
        self.page.context.toast(said)
        self.refresh()

    def _accept(self, rows: list[Signal]) -> None:
        self._move("accepted", rows)

    def _move(self, status: SignalStatus, rows: list[Signal]) -> None:
        start(self, self._moved(status, rows), self.told)

    async def _moved(self, status: SignalStatus, rows: list[Signal]) -> TowerError | None:
        done: list[SignalInFull] = []
        problem: TowerError | None = None
        for each in rows:
            try:
                before = await read_signal(self.call(), each.id)
                await set_signal_status(self.call(), each.id, SetSignalStatus(status))
                done.append(before)
            except TowerError as error:
                problem = error
        if done:
            undoable(self.page, _said(status, len(done)), partial(self._back, done))
        return problem

    async def _back(self, done: list[SignalInFull]) -> None:
        for before in done:
            await restore_signal(self.call, before)

    def change(self, work: Coroutine[Any, Any, object], said: str, back: Callable[[], Any]) -> None:
        """Change something of a next action; it can be taken back."""
        start(self, work, lambda _: undoable(self.page, said, back))


async def restore_signal(call: Callable[[], Desktop], before: SignalInFull) -> None:
    """A signal and what is to be done about it become what they were."""
    signal = before.signal
    await set_signal_status(call(), signal.id, SetSignalStatus(signal.status))
    now = {one.id: one.status for one in (await read_signal(call(), signal.id)).actions}
    for action in before.actions:
        if now.get(action.id, action.status) != action.status:
            await set_next_action_status(call(), action.id, SetActionStatus(action.status))


def _said(status: SignalStatus, count: int) -> str:
    known = {
        "accepted": lambda: trn("{n} signal accepted", "{n} signals accepted", count),
        "done": lambda: trn("{n} signal done", "{n} signals done", count),
        "dismissed": lambda: trn("{n} signal dismissed", "{n} signals dismissed", count),
        "proposed": lambda: trn("{n} signal open again", "{n} signals open again", count),
    }
    return known[status]()


class Around(Protocol):
    """The list a signal is shown beside: it opens evidence, and changes what can be taken back."""

    tower: Tower

    def call(self) -> Desktop:
        """A call in the project of the signal."""

    def open_source(self, target: Target) -> None:
        """Show where something was said or written."""

    def change(self, work: Any, said: str, back: Callable[[], Any]) -> None:
        """Change something of a next action; it can be taken back."""


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
        self.actions = {action.id: ActionCard(view, action) for action in found.actions}
        for card in self.actions.values():
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
        if not same or set(self.actions) != {action.id for action in found.actions}:
            return False
        for action in found.actions:
            self.actions[action.id].show_action(action)
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
