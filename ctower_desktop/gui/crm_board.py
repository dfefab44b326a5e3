"""The board: deals by stage, read in parts, carried by mouse and keyboard, narrowed by words and chips."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ctower_desktop.crm.actions import list_opportunities, read_crm_overview
from ctower_desktop.crm.model import ListOpportunities, Opportunity, OpportunityStage
from ctower_desktop.gui.crm_column import StageColumn
from ctower_desktop.gui.crm_deeds import Deeds
from ctower_desktop.gui.crm_states import nothing_there, nothing_with_this
from ctower_desktop.gui.crm_words import STAGES, is_late, is_soon
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.flow import side_by_side
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import number, tr
from ctower_desktop.gui.widgets import Button, Label, SearchField, ToggleChip
from ctower_desktop.kernel.errors import TowerError

_FIRST, _PART, _MOST = 60, 500, 2_000  # cards of a stage: at once, a read, in all
_PAUSE = 150  # milliseconds after a key


class Stages:
    """What was read: the deals of every stage, and whether there are more."""

    def __init__(self) -> None:
        self.deals: dict[OpportunityStage, list[Opportunity]] = {stage: [] for stage in STAGES}
        self.complete: dict[OpportunityStage, bool] = dict.fromkeys(STAGES, True)
        self.counts: dict[str, int] = {}
        self.empty: EmptyState | None = None


class Board(QWidget):
    """Six columns; `opened` tells the deal in front, `marked` how many are chosen."""

    opened = Signal(str)
    walked = Signal(str)  # the keyboard went on to another card
    marked = Signal(int)

    def __init__(self, page: Page, deeds: Deeds, new_deal: Callable[[], object]) -> None:
        super().__init__()
        self._page, self._deeds, self._new_deal = page, deeds, new_deal
        self._task: asyncio.Task[Any] | None = None
        self._read_stages = Stages()
        self.search = SearchField(tr("Find a deal by its title or account"))
        self.late = ToggleChip(tr("Late"))
        self.soon = ToggleChip(tr("Within 30 days"))
        self.archived = ToggleChip(tr("Archived"))
        self.owner = QComboBox()
        self.owner.setAccessibleName(tr("Owner"))
        self.owner.addItem(tr("All owners"), "")
        self.columns = {stage: StageColumn(stage, self._today) for stage in STAGES}
        self.chosen_words = Label("", "meta", "text_2")
        self.mover = Button(tr("Move to stage…"))
        self.away = Button(tr("Archive"))
        self.state: EmptyState | None = None
        self._stack = QStackedWidget()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self.refresh)
        self._build()
        self._connect()

    def _build(self) -> None:
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 12, 0)
        line.setSpacing(12)
        for column in self.columns.values():
            line.addWidget(column, 1)
        inside = QWidget()
        inside.setLayout(line)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setAccessibleName(tr("Board of deals"))
        area.setWidget(inside)
        self.area = area
        self._stack.addWidget(area)
        tools = side_by_side(self.late, self.soon, self.archived, self.owner)
        bulk = side_by_side(self.chosen_words, self.mover, self.away)
        self.bulk = bulk
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(10)
        whole.addWidget(self.search)
        whole.addWidget(tools)
        whole.addWidget(bulk)
        whole.addWidget(self._stack, 1)
        bulk.hide()

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _: self._pause.start())
        self.archived.toggled.connect(lambda _: self.refresh())
        for chip in (self.late, self.soon):
            chip.toggled.connect(lambda _: self._show_columns())
        self.owner.activated.connect(lambda _: self._show_columns())
        self.mover.clicked.connect(lambda: self._deeds.ask_stage(self.chosen))
        self.away.clicked.connect(self.put_away)
        for stage, column in self.columns.items():
            column.cards.dropped.connect(partial(self._dropped, stage))
            column.list.crossed.connect(partial(self._crossed, stage))
            column.list.opened.connect(partial(self._opened, stage))
            selection = column.list.selectionModel()
            selection.selectionChanged.connect(lambda *_, s=stage: self._marked(s))
            selection.currentChanged.connect(lambda *_, s=stage: self._walked(s))

    # -- what is chosen

    @property
    def chosen(self) -> list[Opportunity]:
        """The deals that are selected; they are of one stage."""
        return [deal for column in self.columns.values() for deal in column.chosen]

    @property
    def filtered(self) -> bool:
        """Whether words or chips leave something out."""
        chips = self.late.isChecked() or self.soon.isChecked() or self.archived.isChecked()
        return bool(self.search.text().strip() or chips or self.owner.currentData())

    @property
    def shown(self) -> list[Opportunity]:
        """Every deal on the board, stage by stage."""
        return [deal for column in self.columns.values() for deal in column.cards.deals]

    def _marked(self, stage: OpportunityStage) -> None:
        if self.columns[stage].chosen:
            for other, column in self.columns.items():
                if other != stage and column.chosen:
                    column.list.clearSelection()
        count = len(self.chosen)
        self.bulk.setVisible(count > 1)
        self.chosen_words.setText(tr("{n} chosen", n=number(count)))
        away = tr("Restore") if self.archived.isChecked() else tr("Archive")
        self.away.setText(away)
        self.away.setAccessibleName(away)
        self.mover.setVisible(not self.archived.isChecked())
        self.marked.emit(count)

    def _walked(self, stage: OpportunityStage) -> None:
        """With the detail open, walking through the cards shows them."""
        if self.columns[stage].list.hasFocus():
            self._tell(stage, only_open=True)

    def _opened(self, stage: OpportunityStage) -> None:
        self._tell(stage, only_open=False)

    def _tell(self, stage: OpportunityStage, *, only_open: bool) -> None:
        index = self.columns[stage].list.currentIndex()
        if index.isValid():
            deal = self.columns[stage].cards.deals[index.row()]
            (self.walked if only_open else self.opened).emit(deal.id)

    # -- reading

    def refresh(self) -> None:
        """Read the board again, as many cards as before at once."""
        if self._task is not None:
            self._task.cancel()
        self._task = start(self, self._read(), lambda _: None, self._failed)

    async def _read(self) -> None:
        """The first cards of every stage are on screen before the rest is read."""
        found = Stages()
        known = {stage: len(self._read_stages.deals[stage]) for stage in STAGES}
        plain = not (self.search.text().strip() or self.archived.isChecked())
        if plain:
            overview = await read_crm_overview(self._page.call())
            found.counts = {count.stage: count.count for count in overview.opportunity_by_stage}
        for stage in STAGES:
            await self._read_part(found, stage, max(_FIRST, min(known[stage], _PART)))
        if plain and not any(found.deals.values()):
            found.empty = await nothing_there(self._page, self._new_deal)
        self._show(found)
        for stage in STAGES:
            while not found.complete[stage] and len(found.deals[stage]) < _MOST:
                await self._read_part(found, stage, _PART)
                self._show(found)

    async def _read_part(self, found: Stages, stage: OpportunityStage, limit: int) -> None:
        query = ListOpportunities(
            q=self.search.text().strip(),
            stage=stage,
            archived=self.archived.isChecked(),
            limit=limit,
            offset=len(found.deals[stage]),
        )
        part = (await list_opportunities(self._page.call(), query)).opportunities
        found.deals[stage] += part
        found.complete[stage] = len(part) < limit

    def _failed(self, error: TowerError) -> None:
        title = tr("The board could not be read")
        self._say(EmptyState("failed", title, plain_words(error), tr("Try again"), self.refresh))

    def _show(self, found: Stages) -> None:
        self._read_stages = found
        self._show_owners()
        self._show_columns()

    def _show_owners(self) -> None:
        deals = (deal for deals in self._read_stages.deals.values() for deal in deals)
        names = sorted({deal.owner_username for deal in deals if deal.owner_username}, key=str.casefold)
        known = [self.owner.itemData(place) for place in range(1, self.owner.count())]
        if names != known:
            chosen = self.owner.currentData()
            self.owner.clear()
            self.owner.addItem(tr("All owners"), "")
            for name in names:
                self.owner.addItem(name, name)
            self.owner.setCurrentIndex(max(0, self.owner.findData(chosen)))

    def _show_columns(self) -> None:
        found, today = self._read_stages, self._today()
        for stage, column in self.columns.items():
            deals = [deal for deal in found.deals[stage] if self._fits(deal, today)]
            whole = len(deals) == len(found.deals[stage])
            total = found.counts.get(stage, len(deals)) if whole and found.counts else len(deals)
            column.show_deals(deals, max(total, len(deals)), complete=found.complete[stage])
        state = found.empty
        if state is None and not self.shown:
            state = nothing_with_this(self.widen)
        self._say(state)

    def _fits(self, deal: Opportunity, today: date) -> bool:
        owner = self.owner.currentData()
        return (
            (not self.late.isChecked() or is_late(deal, today))
            and (not self.soon.isChecked() or is_soon(deal, today))
            and (not owner or deal.owner_username == owner)
        )

    def widen(self) -> None:
        """Leave nothing out."""
        self.search.clear()
        self.owner.setCurrentIndex(0)
        for chip in (self.late, self.soon, self.archived):
            chip.setChecked(False)
        self.refresh()

    def _say(self, state: EmptyState | None) -> None:
        if self.state is not None and self.state is not state:
            self._stack.removeWidget(self.state)
            self.state.deleteLater()
        self.state = state
        if state is not None and self._stack.indexOf(state) < 0:
            self._stack.addWidget(state)
        self._stack.setCurrentWidget(state or self.area)

    def _today(self) -> date:
        return self._page.tower.clock.now().astimezone().date()

    # -- doing

    def _dropped(self, stage: OpportunityStage, ids: Sequence[str]) -> None:
        self.put([deal for deal in self.shown if deal.id in set(ids)], stage)

    def carry(self, step: int) -> None:
        """Carry what is chosen to the stage before or after its own."""
        chosen = self.chosen
        place = STAGES.index(chosen[0].stage) + step if chosen else -1
        if 0 <= place < len(STAGES):
            self.put(chosen, STAGES[place], follow=True)

    def put(self, deals: Sequence[Opportunity], stage: OpportunityStage, *, follow: bool = False) -> None:
        """Put deals into a stage: on screen at once, then for good."""
        moving = [deal for deal in deals if deal.stage != stage and not deal.archived]
        if not moving:
            return
        ids = {deal.id for deal in moving}
        if self._task is not None:
            self._task.cancel()  # what it read is older than what is on screen now
        known = self._read_stages
        for name in STAGES:
            known.counts[name] = known.counts.get(name, 0) - sum(deal.stage == name for deal in moving)
            known.deals[name] = [deal for deal in known.deals[name] if deal.id not in ids]
        known.counts[stage] += len(moving)
        known.deals[stage] = [*moving, *known.deals[stage]]
        self._show_columns()
        column = self.columns[stage]
        column.mark(ids, moving[0].id)
        if follow:
            column.list.setFocus()
            self.area.ensureWidgetVisible(column, 0, 0)
        self._deeds.move(moving, stage)

    def put_away(self) -> None:
        """Archive what is chosen, or bring it back."""
        self._deeds.put_away([deal.id for deal in self.chosen], back=self.archived.isChecked())

    def _crossed(self, stage: OpportunityStage, step: int) -> None:
        """The nearest stage with cards at that side."""
        row = self.columns[stage].list.currentIndex().row()
        place = STAGES.index(stage) + step
        while 0 <= place < len(STAGES):
            column = self.columns[STAGES[place]]
            if column.cards.deals:
                index = column.cards.index(max(0, min(row, len(column.cards.deals) - 1)))
                column.list.setFocus()
                column.list.setCurrentIndex(index)
                self.area.ensureWidgetVisible(column, 0, 0)
                return
            place += step

    def focus(self) -> None:
        """The first card, or the one that was in front."""
        for column in self.columns.values():
            if column.list.currentIndex().isValid():
                column.list.setFocus()
                return
        first = next((column for column in self.columns.values() if column.cards.deals), None)
        if first is None:
            self.search.setFocus()
        else:
            first.list.setFocus()
            first.list.setCurrentIndex(first.cards.index(0))
