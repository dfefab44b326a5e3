"""Accounts and offers as lists: searched, narrowed by chips, changed several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ctower_desktop.crm.actions import list_accounts
from ctower_desktop.crm.model import Account, ListAccounts
from ctower_desktop.crm.offers.actions import list_offers
from ctower_desktop.crm.offers.model import ListOffers, Offer
from ctower_desktop.gui.crm_deeds import Deeds
from ctower_desktop.gui.crm_states import nothing_there, nothing_with_this
from ctower_desktop.gui.crm_words import (
    ACCOUNT_STAGES,
    STATUSES,
    account_words,
    day_words,
    status_words,
    version_words,
)
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.flow import side_by_side
from ctower_desktop.gui.listing import MOST, Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.text import money, number, tr
from ctower_desktop.gui.widgets import Button, Label, SearchField, ToggleChip


class OneOf:
    """Chips of which at most one is on; `value` is its name, or nothing."""

    def __init__(self, choices: Sequence[tuple[str, str]], changed: Callable[[], None]) -> None:
        self._changed = changed
        self.chips = {value: ToggleChip(words) for value, words in choices}
        for value, chip in self.chips.items():
            chip.clicked.connect(lambda on, name=value: self._clicked(name, on=on))

    @property
    def value(self) -> str:
        """Which is on."""
        return next((value for value, chip in self.chips.items() if chip.isChecked()), "")

    def clear(self) -> None:
        """None is on."""
        for chip in self.chips.values():
            chip.setChecked(False)

    def _clicked(self, name: str, *, on: bool) -> None:
        self.clear()
        self.chips[name].setChecked(on)
        self._changed()


class AccountList(QWidget):
    """The accounts of the project."""

    def __init__(self, page: Page, deeds: Deeds, new: Callable[[], object]) -> None:
        super().__init__()
        self._page, self._deeds, self._new = page, deeds, new
        self.search = SearchField(tr("Find an account by its name or domain"))
        self.stages = OneOf([(stage, account_words(stage)) for stage in ACCOUNT_STAGES], self.start_over)
        self.archived = ToggleChip(tr("Archived"))
        self.away = Button(tr("Archive"))
        self.chosen_words = Label("", "meta", "text_2")
        columns: list[Column[Account]] = [
            Column(tr("Name"), lambda row: row.name, stretch=True),
            Column(tr("Stage"), lambda row: account_words(row.stage)),
            Column(tr("Domain"), lambda row: row.domain or ""),
            Column(tr("Owner"), lambda row: row.owner_username or ""),
            Column(tr("Changed"), lambda row: self._day(row.updated_at), lambda row: row.updated_at),
        ]
        self.list = Listing(tr("Accounts"), columns, self._load, lambda row: row.id, self._empty)
        _widths(self.list, 112, 112, 96, 80)
        _arrange(
            self, self.search, [*self.stages.chips.values(), self.archived], self.chosen_words, self.away
        )
        self.search.textChanged.connect(self.list.search)
        self.archived.toggled.connect(lambda _: self.start_over())
        self.list.marked.connect(self._marked)
        self.away.clicked.connect(self.put_away)
        self._marked(0)

    def start_over(self) -> None:
        """Read from the first."""
        self.list.start_over()

    def put_away(self) -> None:
        """Archive what is chosen, or bring it back."""
        ids = [account.id for account in self.list.chosen]
        self._deeds.put_accounts_away(ids, back=self.archived.isChecked())

    def _marked(self, count: int) -> None:
        words = tr("Restore") if self.archived.isChecked() else tr("Archive")
        self.away.setText(words)
        self.away.setAccessibleName(words)
        self.away.setVisible(count > 0)
        self.chosen_words.setText(tr("{n} chosen", n=number(count)))
        self.chosen_words.setVisible(count > 1)

    async def _load(self, offset: int, limit: int) -> list[Account]:
        query = ListAccounts(
            q=self.search.text().strip(),
            stage=self.stages.value,
            archived=self.archived.isChecked(),
            limit=limit,
            offset=offset,
        )
        return (await list_accounts(self._page.call(), query)).accounts

    async def _empty(self) -> EmptyState:
        if self.search.text().strip() or self.stages.value or self.archived.isChecked():
            return nothing_with_this(self.widen)
        return await nothing_there(self._page, self._new)

    def widen(self) -> None:
        """Leave nothing out."""
        self.search.clear()
        self.stages.clear()
        self.archived.setChecked(False)
        self.start_over()

    def _day(self, moment: str) -> str:
        return day_words(moment, _today(self._page))


class OfferList(QWidget):
    """The offers of the project."""

    def __init__(self, page: Page, new: Callable[[], object]) -> None:
        super().__init__()
        self._page, self._new = page, new
        self.search = SearchField(tr("Find an offer by its title or account"))
        self.states = OneOf([(state, status_words(state)) for state in STATUSES], self.start_over)
        columns: list[Column[Offer]] = [
            Column(tr("Title"), self._title, stretch=True),
            Column(tr("Account"), lambda row: row.account_name or ""),
            Column(tr("State"), lambda row: status_words(row.status)),
            Column(
                tr("Total"), lambda row: money(row.total, row.currency), lambda row: row.total, right=True
            ),
            Column(
                tr("Valid until"), lambda row: self._day(row.valid_until), lambda row: row.valid_until or ""
            ),
        ]
        self.list = Listing(tr("Offers"), columns, self._load, lambda row: row.id, self._empty)
        _widths(self.list, 104, 96, 96, 92)
        _arrange(self, self.search, list(self.states.chips.values()))
        self.search.textChanged.connect(self.list.search)

    def start_over(self) -> None:
        """Read from the first."""
        self.list.start_over()

    async def _load(self, offset: int, limit: int) -> list[Offer]:
        words = self.search.text().casefold().split()
        if not words:
            return await self._part(offset, limit)
        found: list[Offer] = []
        place = 0
        while len(found) < offset + limit:
            part = await self._part(place, MOST)
            found += [offer for offer in part if _said_in(words, offer)]
            place += len(part)
            if len(part) < MOST:
                break
        return found[offset : offset + limit]

    async def _part(self, offset: int, limit: int) -> list[Offer]:
        query = ListOffers(status=self.states.value, limit=limit, offset=offset)
        return (await list_offers(self._page.call(), query)).offers

    async def _empty(self) -> EmptyState:
        if self.search.text().strip() or self.states.value:
            return nothing_with_this(self.widen)
        title, sentence = tr("No offers yet"), tr("Write one here, or from a deal.")
        return EmptyState("no_data", title, sentence, tr("New offer…"), self._new)

    def widen(self) -> None:
        """Leave nothing out."""
        self.search.clear()
        self.states.clear()
        self.start_over()

    def _title(self, offer: Offer) -> str:
        if offer.version == 1:
            return offer.title
        return " · ".join((offer.title, version_words(offer.version)))

    def _day(self, moment: str | None) -> str:
        return day_words(moment, _today(self._page))


def _said_in(words: Sequence[str], offer: Offer) -> bool:
    text = f"{offer.title} {offer.account_name or ''}".casefold()
    return all(word in text for word in words)


def _today(page: Page) -> date:
    return page.tower.clock.now().astimezone().date()


def _widths(listing: Listing, *widths: int) -> None:
    """Of the columns after the first, which takes what is left."""
    for place, width in enumerate(widths, 1):
        listing.view.horizontalHeader().resizeSection(place, width)


def _arrange(whole: Any, search: SearchField, chips: Sequence[QWidget], *bulk: QWidget) -> None:
    tools = side_by_side(*chips, *bulk)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(10)
    for part in (search, tools):
        column.addWidget(part)
    column.addWidget(whole.list, 1)
