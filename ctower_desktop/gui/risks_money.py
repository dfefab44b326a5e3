"""Budget, costs and revenue: entries typed in by hand, their sums by currency, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.editing import a_day, a_number
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import RecordView
from ctower_desktop.gui.risks_words import entry_token, entry_words, total_words
from ctower_desktop.gui.rowlines import RowLine
from ctower_desktop.gui.signals_words import day_words
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import money, number, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Label
from ctower_desktop.gui.worklist import Deed, WorkList
from ctower_desktop.insight.analytics.actions import add_cost, delete_cost, list_costs
from ctower_desktop.insight.analytics.model import Entry, EntryAnswer, ListEntries, NewEntry
from ctower_desktop.insight.risk.actions import refresh_risk
from ctower_desktop.kernel.errors import TowerError

_SIGNS = {"budget": "=", "cost": "−", "revenue": "+"}


class MoneyView(WorkList):
    """The entries of a project, the newest day first."""

    def __init__(self, page: Page) -> None:
        self.kind = Chips(
            tr("Kind"),
            [
                ("", tr("All")),
                ("budget", entry_words("budget")),
                ("cost", entry_words("cost")),
                ("revenue", entry_words("revenue")),
            ],
        )
        deeds = (Deed("dismiss", tr("Delete"), self._delete, lambda _: True, "D"),)
        super().__init__(
            page, tr("Budget and costs"), tables={"cost_entry"}, deeds=deeds, chips=(self.kind,), most=200
        )

    async def read(self, offset: int, limit: int) -> list[Any]:
        """Entries, the newest day first."""
        query = ListEntries(entry_type=self.kind.value, limit=limit, offset=offset)
        return list((await list_costs(self.call(), query)).entries)

    def line(self, row_: Entry) -> RowLine:
        """What kind of money, how much, for what, when."""
        return RowLine(
            mark=_SIGNS[row_.entry_type],
            token=entry_token(row_.entry_type),
            title=f"{entry_words(row_.entry_type)} · {money(row_.amount, row_.currency)}",
            meta=" · ".join(part for part in (row_.note, row_.created_by) if part),
            aside=day_words(row_.date),
        )

    def columns(self) -> Sequence[Column[Entry]]:
        """The columns of a file."""
        return (
            Column(tr("Day"), lambda e: e.date),
            Column(tr("Kind"), lambda e: entry_words(e.entry_type)),
            Column(tr("Amount"), lambda e: number(e.amount, 2)),
            Column(tr("Currency"), lambda e: e.currency),
            Column(tr("Note"), lambda e: e.note or ""),
            Column(tr("Written by"), lambda e: e.created_by),
        )

    def nothing(self) -> EmptyState:
        """Nobody has typed anything in."""
        return EmptyState(
            "no_data",
            tr("No budget or costs yet"),
            tr("What is planned, spent and received feeds the risk of an overrun and the margin."),
            tr("Add an entry…"),
            self.add,
        )

    async def detail(self, row_: Entry) -> QWidget:
        """An entry, and what all of them add up to."""
        totals = (await list_costs(self.call(), ListEntries(limit=1))).totals
        found = RecordView(day_words(row_.date), f"{entry_words(row_.entry_type)} · {_worth(row_)}")
        if row_.note:
            found.text(row_.note)
        found.fact(tr("Written down"), when(row_.created_at, self.tower.clock.now()))
        found.fact(tr("Written by"), row_.created_by)
        found.section(tr("All entries together"))
        for line in total_words(totals):
            found.column.addWidget(Label(line, wrap=True))
        words = tr("Currencies are never added to each other.")
        found.column.addWidget(Label(words, "meta", "text_3", wrap=True))
        found.column.addStretch(1)
        return found

    # -- doing

    def look_again(self) -> None:
        """Find anew what the entries mean for health and risks."""

        async def look() -> str:
            result = (await refresh_risk(self.call())).result
            return tr("Health is {score} of 100", score=number(result.health_score))

        start(self, look(), self.page.context.toast)

    def add(self) -> None:
        """Write down money planned, spent or received."""
        kinds = [(kind, entry_words(kind)) for kind in ("cost", "budget", "revenue")]
        fields = (
            Field("entry_type", tr("Kind"), "cost", choices=kinds),
            Field("amount", tr("Amount"), parse=a_number),
            Field("currency", tr("Currency"), parse=str.upper, hint=tr("the main one, when empty")),
            Field("date", tr("Day"), parse=a_day, hint=tr("today, when empty")),
            Field("note", tr("Note"), long=True),
        )
        FieldsDialog(
            self,
            tr("Add an entry"),
            fields,
            NewEntry,
            send=self._written,
            then=self._added,
            does=tr("Add"),
        ).open()

    async def _written(self, body: NewEntry) -> EntryAnswer:
        return await add_cost(self.call(), body)

    def _added(self, answer: EntryAnswer) -> None:
        self.listing.choose(answer.entry.id)
        said = tr("Added: {what}", what=f"{entry_words(answer.entry.entry_type)} {_worth(answer.entry)}")
        undoable(self.page, said, lambda: delete_cost(self.call(), answer.entry.id))
        self.refresh()

    def _delete(self, rows: list[Entry]) -> None:
        start(self, self._deleted(rows), self.told)

    async def _deleted(self, rows: list[Entry]) -> TowerError | None:
        done: list[Entry] = []
        problem: TowerError | None = None
        for each in rows:
            try:
                await delete_cost(self.call(), each.id)
                done.append(each)
            except TowerError as error:
                problem = error
        if done:
            said = trn("{n} entry deleted", "{n} entries deleted", len(done))
            undoable(self.page, said, partial(self._back, done))
        return problem

    async def _back(self, done: list[Entry]) -> None:
        for one in done:
            entry = NewEntry(
                entry_type=one.entry_type,
                amount=one.amount,
                currency=one.currency,
                date=one.date,
                note=one.note,
            )
            await add_cost(self.call(), entry)


def _worth(entry: Entry) -> str:
    return money(entry.amount, entry.currency)
