"""Signals: what needs attention, what it stands on, and what to do about it by when."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.savedviews import State
from ctower_desktop.gui.signals_view import SignalDetail, restore_signal
from ctower_desktop.gui.signals_words import (
    TYPES,
    percent,
    severity_token,
    severity_words,
    status_words,
    type_words,
)
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, tr, trn
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.insight.signals.actions import (
    extract_signals,
    list_signals,
    read_signal,
    set_signal_status,
)
from ctower_desktop.insight.signals.model import (
    OPEN,
    ListSignals,
    SetSignalStatus,
    Signal,
    SignalInFull,
    SignalStatus,
)
from ctower_desktop.kernel.errors import TowerError


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
        beside = self.listing.parentWidget()
        left = beside.layout() if beside is not None else None
        assert isinstance(left, QVBoxLayout)
        left.insertWidget(1, self.type)

    # -- the list

    @property
    def filtered(self) -> bool:
        """Whether something was asked for that is not the first choice of every filter."""
        return super().filtered or bool(self.type.currentData())

    def state(self) -> State:
        """What the filters say now, the kind among them."""
        return super().state() | {"type": str(self.type.currentData())}

    def restore(self, state: State) -> None:
        """Filter as it was kept."""
        self.type.setCurrentIndex(max(0, self.type.findData(state.get("type", ""))))
        super().restore(state)

    def words(self, row_: Signal) -> str:
        """What the search looks through."""
        return f"{type_words(row_.signal_type)} {row_.summary}"

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


def _said(status: SignalStatus, count: int) -> str:
    known = {
        "accepted": lambda: trn("{n} signal accepted", "{n} signals accepted", count),
        "done": lambda: trn("{n} signal done", "{n} signals done", count),
        "dismissed": lambda: trn("{n} signal dismissed", "{n} signals dismissed", count),
        "proposed": lambda: trn("{n} signal open again", "{n} signals open again", count),
    }
    return known[status]()
