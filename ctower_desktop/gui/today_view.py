"""The queue of the day: what needs somebody, the one in front beside it, and what to do with it by key."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ctower_desktop.crm.offers.model import Decision
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import number, tr
from ctower_desktop.gui.today_deeds import approve_offer, aside, back, do, in_project_of, said, step_words
from ctower_desktop.gui.today_detail import queue_detail
from ctower_desktop.gui.today_words import about_words, count_words, due_words, kind_words, line_of
from ctower_desktop.gui.undo import Back, undoable
from ctower_desktop.gui.worklist import Deed as Choice
from ctower_desktop.gui.worklist import WorkList
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.reports.queue import Deed, Kind, KindCount, QueueItem, ReadQueue, Until
from ctower_desktop.reports.queue_actions import read_queue

TABLES = {
    *("project", "message", "conversation", "client_burst", "signal", "next_action", "offer", "issue"),
    *("outbound_message", "alert", "queue_mark"),
}
_GROUPS: dict[str, tuple[Kind, ...]] = {
    "clients": ("waiting",),
    "signals": ("signal", "action"),
    "approvals": ("offer", "outbound"),
    "overdue": ("issue",),
    "system": ("alert",),
}
_MOST = 500


class QueueView(WorkList):
    """What needs somebody, the most urgent first; `counted` tells the counts after every reading."""

    counted = Signal(object)

    def __init__(self, page: Page) -> None:
        self.group = Chips(
            tr("What"),
            [
                ("", tr("Everything")),
                ("clients", tr("Clients")),
                ("signals", tr("Signals and tasks")),
                ("approvals", tr("Approvals")),
                ("overdue", tr("Overdue")),
                ("system", tr("System")),
            ],
        )
        self.scope = Chips(
            tr("Where"),
            [("", tr("All projects")), ("this", tr("This project")), ("aside", tr("Put aside"))],
        )
        self._front: QueueItem | None = None
        super().__init__(
            page,
            tr("What needs me"),
            tables=TABLES,
            deeds=self._made_deeds(),
            chips=(self.group, self.scope),
            most=_MOST,
        )

    def _made_deeds(self) -> tuple[Choice, ...]:
        return (
            Choice("accept", tr("Accept"), self._accept, _can("accept"), "A", primary=True),
            Choice("done", tr("Done"), partial(self._run, "done"), _can("done"), "E"),
            Choice("tomorrow", tr("Tomorrow"), partial(self._aside, "tomorrow"), _in_queue, "H"),
            Choice("next_week", tr("Next week"), partial(self._aside, "next_week"), _in_queue, "W"),
            Choice("dismiss", tr("Dismiss"), partial(self._run, "dismiss"), _can("dismiss"), "D"),
            Choice("back", tr("Back to the queue"), self._back, lambda item: item.put_aside, "U"),
        )

    # -- the list

    def call(self) -> Desktop:
        """A call in the project of the one in front."""
        return in_project_of(self.page, self._front)() if self._front is not None else self.page.call()

    def key(self, row_: QueueItem) -> str:
        """Ids are of their rooms; the kind says which."""
        return f"{row_.kind}:{row_.id}"

    async def read(self, offset: int, limit: int) -> list[Any]:
        """The queue, the most urgent first."""
        aside = self.scope.value == "aside"
        project = self.page.call().project
        query = ReadQueue(
            project_id=project.id if project is not None and self.scope.value == "this" else "",
            put_aside=aside,
            limit=limit,
            offset=offset,
        )
        found = await read_queue(self.page.call(), query)
        self.counted.emit(found)
        return list(found.items)

    def fits(self, row_: QueueItem) -> bool:
        """Of the group that was asked for."""
        return row_.kind in _GROUPS.get(self.group.value, (row_.kind,))

    def line(self, row_: QueueItem) -> RowLine:
        """What, for whom, since when."""
        return line_of(row_, self.tower.clock.now())

    def columns(self) -> Sequence[Column[QueueItem]]:
        """The columns of a file."""
        return (
            Column(tr("Urgency"), lambda i: str(i.urgency)),
            Column(tr("What"), lambda i: kind_words(i.kind)),
            Column(tr("Words"), lambda i: i.title),
            Column(tr("For whom"), about_words),
            Column(tr("Project"), lambda i: i.project_name or ""),
            Column(tr("Since"), lambda i: i.since),
            Column(tr("By when"), due_words),
        )

    def nothing(self) -> EmptyState:
        """Nothing waits."""
        return EmptyState(
            "no_data",
            tr("Nothing needs you"),
            tr("Clients are answered, signals are looked at, nothing is late. What is new comes by itself."),
            tr("Look at the portfolio"),
            lambda: self.page.context.open_page("portfolio"),
        )

    # -- the one in front

    async def detail(self, row_: QueueItem) -> QWidget:
        """What it is about, where it was written."""
        self._front = row_
        return await queue_detail(self, row_)

    # -- doing

    def _accept(self, items: list[QueueItem]) -> None:
        offers = [item for item in items if item.kind == "offer"]
        rest = [item for item in items if item.kind != "offer"]
        if rest:
            self._run("accept", rest)
        if offers:
            self.ask_offer(offers[0])

    def ask_offer(self, item: QueueItem) -> FieldsDialog:
        """An offer's next step cannot be taken back: ask first."""
        call = in_project_of(self.page, item)
        does, about = step_words(item)

        async def send(decision: Decision) -> None:
            await approve_offer(call, item, decision)

        dialog = FieldsDialog(
            self,
            tr("{step}: {title}", step=does, title=item.title),
            [Field("comment", tr("Comment"), long=True)],
            Decision,
            send=send,
            then=lambda _: self._decided(),
            does=does,
            about=about,
        )
        dialog.open()
        return dialog

    def _decided(self) -> None:
        self.page.context.toast(tr("Decided."))
        self.refresh()

    def _run(self, deed: Deed, items: list[QueueItem]) -> None:
        start(self, self._each(deed, items, lambda call, item: do(call, item, deed)), self.told)

    def _aside(self, until: Until, items: list[QueueItem]) -> None:
        start(self, self._each(until, items, lambda call, item: aside(call, item, until)), self.told)

    def _back(self, items: list[QueueItem]) -> None:
        start(self, self._each("back", items, back), self.told)

    async def _each(
        self,
        name: str,
        items: list[QueueItem],
        work: Callable[[Callable[[], Desktop], QueueItem], Coroutine[Any, Any, Back | None]],
    ) -> TowerError | None:
        """Do it with each; what worked can be taken back together, what did not is said."""
        backs: list[Back] = []
        done, problem = 0, None
        for item in items:
            try:
                way_back = await work(in_project_of(self.page, item), item)
                done += 1
                if way_back is not None:
                    backs.append(way_back)
            except TowerError as error:
                problem = error
        if backs:
            undoable(self.page, said(name, done), partial(_all_back, backs))
        elif done:
            self.page.context.toast(said(name, done))
        return problem


async def _all_back(backs: list[Back]) -> None:
    for way_back in reversed(backs):
        await way_back()


def _can(deed: Deed) -> Callable[[QueueItem], bool]:
    return lambda item: deed in item.deeds and not item.put_aside


def _in_queue(item: QueueItem) -> bool:
    return not item.put_aside


def counts_words(counts: Sequence[KindCount], *, put_aside: int) -> str:
    """How much waits, by kind, and how much was put aside."""
    parts = [count_words(one.kind, one.count) + ("+" if one.more else "") for one in counts]
    if put_aside:
        parts.append(tr("{n} put aside", n=number(put_aside)))
    return " · ".join(parts) or tr("Nothing needs you")
