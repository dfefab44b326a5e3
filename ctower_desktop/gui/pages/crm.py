"""CRM: deals on a board by stage, accounts, and offers from the first line to the signature."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.crm.model import Account, Opportunity, OpportunityStage
from ctower_desktop.crm.offers.model import Offer
from ctower_desktop.gui import theme
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.crm_account import AccountPane
from ctower_desktop.gui.crm_board import Board
from ctower_desktop.gui.crm_deal import DealPane
from ctower_desktop.gui.crm_deeds import Deeds
from ctower_desktop.gui.crm_lists import AccountList, OfferList
from ctower_desktop.gui.crm_offer import OfferPane
from ctower_desktop.gui.crm_pane import RecordPane
from ctower_desktop.gui.crm_sheets import accounts_sheet, deals_sheet, offers_sheet
from ctower_desktop.gui.crm_states import no_project
from ctower_desktop.gui.crm_steps import ask_offer
from ctower_desktop.gui.crm_words import STAGES, stage_words
from ctower_desktop.gui.export import Sheet, export_button, export_sheet
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, PrimaryButton, SearchField, ToggleChip, row

View = Literal["board", "accounts", "offers"]

_TABLES = {
    "crm_account",
    "crm_opportunity",
    "crm_stage_event",
    "offer",
    "offer_item",
    "offer_approval",
    "deal",
}
_WIDTHS: dict[View, tuple[int, int]] = {
    "board": (660, theme.DETAIL),
    "accounts": (560, theme.DETAIL),
    "offers": (548, 500),
}


class CrmPage(Page):
    """Three views of sales, each a list with the open record beside it."""

    id = "crm"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self.deeds = Deeds(self, self.refresh)
        self.view: View = "board"
        self.board = Board(self, self.deeds, self.new_deal)
        self.no_project = no_project(self)
        self.switch: dict[View, ToggleChip] = {
            "board": ToggleChip(tr("Board"), checked=True),
            "accounts": ToggleChip(tr("Accounts")),
            "offers": ToggleChip(tr("Offers")),
        }
        self._stack = QStackedWidget()
        self._splits: dict[View, QSplitter] = {}
        self._panes: dict[View, RecordPane] = {}
        self._build()
        self.board.opened.connect(self.open_deal)
        self.board.walked.connect(self._walked)
        follow(self, self.tower, _TABLES, self.refresh)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("CRM")

    def activate(self) -> None:
        """Show how things are now; the list takes the focus."""
        self.refresh()
        self._focus()

    def project_changed(self) -> None:
        """Another project: nothing of the one before stays on screen."""
        for pane in self._panes.values():
            pane.clear()
        if "board" in self._panes:
            self.deal.hide()
        self.refresh()

    def commands(self) -> list[Command]:
        """What one can do here; keys of one letter work on this page only."""
        there: list[tuple[str, str, Callable[[], object], str, str]] = [
            ("board", tr("Board of deals"), partial(self.show_view, "board"), "Alt+1", "kanban доска"),
            ("accounts", tr("Accounts"), partial(self.show_view, "accounts"), "Alt+2", "клиенты"),
            ("offers", tr("Offers"), partial(self.show_view, "offers"), "Alt+3", "offers кп"),
            ("search", tr("Search in sales"), self.search, "Ctrl+F", "find найти"),
            ("deal.new", tr("New deal…"), self.new_deal, "C", "create deal сделка"),
            ("account.new", tr("New account…"), self.new_account, "Shift+C", "create клиент"),
            ("offer.new", tr("New offer…"), self.new_offer, "O", "create offer предложение"),
            ("archive", tr("Archive or restore"), self.put_away, "E", "archive архив"),
            ("csv", tr("Export as a table (CSV)"), partial(self._export, "csv"), "", "csv excel"),
            ("markdown", tr("Export as text (Markdown)"), partial(self._export, "md"), "", "markdown"),
        ]
        on_board: list[tuple[str, str, Callable[[], object], str, str]] = [
            ("move", tr("Move to stage…"), self.ask_stage, "S", "stage status этап"),
            ("before", tr("Carry to the stage before"), partial(self.board.carry, -1), "Shift+Left", ""),
            ("after", tr("Carry to the stage after"), partial(self.board.carry, 1), "Shift+Right", ""),
        ]
        on_board += [
            (
                f"stage.{stage}",
                tr("Move to: {stage}", stage=stage_words(stage)),
                partial(self._put, stage),
                "",
                "",
            )
            for stage in STAGES
        ]
        whole: list[tuple[QWidget, list[tuple[str, str, Callable[[], object], str, str]]]] = [
            (self, there),
            (self.board.area, on_board),
        ]
        return [
            Command(f"crm.{name}", title, run, key, also, within)
            for within, found in whole
            for name, title, run, key, also in found
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        account, offer, deal = (
            Button(tr("New account…")),
            Button(tr("New offer…")),
            PrimaryButton(tr("New deal…")),
        )
        account.clicked.connect(self.new_account)
        offer.clicked.connect(lambda: self.new_offer())
        deal.clicked.connect(lambda: self.new_deal())
        return [export_button(self, "crm", self.sheet), account, offer, deal]

    # -- building: what was not looked at yet is not there yet

    def _build(self) -> None:
        self._stack.addWidget(self.no_project)
        top = row(*self.switch.values(), 0, spacing=4)
        top.setContentsMargins(20, 14, 20, 0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(10)
        whole.addLayout(top)
        whole.addWidget(self._stack, 1)
        for name, chip in self.switch.items():
            chip.clicked.connect(partial(self._switched, name))

    @cached_property
    def deal(self) -> DealPane:
        """The deal beside the board; away until one is opened."""
        pane = DealPane(self, self.deeds)
        pane.account_wanted.connect(self.open_account)
        pane.offer_wanted.connect(self.open_offer)
        pane.new_offer_wanted.connect(self.new_offer)
        pane.hide()
        self._beside("board", pane)
        return pane

    @cached_property
    def accounts(self) -> AccountList:
        """The list of accounts."""
        return AccountList(self, self.deeds, self.new_deal)

    @cached_property
    def account(self) -> AccountPane:
        """The account beside them."""
        pane = AccountPane(self, self.deeds)
        pane.deal_wanted.connect(self.open_deal)
        pane.offer_wanted.connect(self.open_offer)
        pane.new_deal_wanted.connect(self.new_deal)
        pane.new_offer_wanted.connect(self.new_offer)
        self.accounts.list.opened.connect(lambda account: pane.open(account.id))
        self._beside("accounts", pane)
        return pane

    @cached_property
    def offers(self) -> OfferList:
        """The list of offers."""
        return OfferList(self, self.new_offer)

    @cached_property
    def offer(self) -> OfferPane:
        """The offer beside them."""
        pane = OfferPane(self)
        pane.deal_wanted.connect(self.open_deal)
        pane.account_wanted.connect(self.open_account)
        pane.offer_wanted.connect(self.open_offer)
        self.offers.list.opened.connect(lambda offer: pane.open(offer.id))
        self._beside("offers", pane)
        return pane

    def _beside(self, view: View, pane: RecordPane) -> None:
        split = self._split(view)
        split.addWidget(pane)
        split.setStretchFactor(0, 1)
        split.setSizes(list(_WIDTHS[view]))
        self._panes[view] = pane

    def _split(self, view: View) -> QSplitter:
        """A view, made when it is first looked at."""
        if view not in self._splits:
            parts: dict[View, Callable[[], QWidget]] = {
                "board": lambda: self.board,
                "accounts": lambda: self.accounts,
                "offers": lambda: self.offers,
            }
            inside = QWidget()
            column = QVBoxLayout(inside)
            column.setContentsMargins(20, 0, 16, 12)
            column.addWidget(parts[view]())
            split = self._splits[view] = QSplitter()
            split.setHandleWidth(1)
            split.setChildrenCollapsible(False)
            split.addWidget(inside)
            self._stack.addWidget(split)
        return self._splits[view]

    def _pane(self, view: View) -> RecordPane | None:
        """The record beside a view; beside the board only once a deal was opened."""
        if view == "board":
            return self._panes.get("board")
        return self.account if view == "accounts" else self.offer

    # -- views

    def show_view(self, view: View) -> None:
        """Change to another view."""
        self.context.open_page(self.id)
        self._turn(view)
        self.refresh()
        self._focus()

    def _switched(self, name: View, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        self._turn(name)
        self.refresh()

    def _turn(self, view: View) -> None:
        self.view = view
        for name, chip in self.switch.items():
            chip.setChecked(name == view)
        if not self.context.has_project():
            self._stack.setCurrentWidget(self.no_project)
            return
        self._pane(view)
        self._stack.setCurrentWidget(self._split(view))

    def _focus(self) -> None:
        if not self.context.has_project():
            return
        if self.view == "board":
            self.board.focus()
        else:
            (self.accounts if self.view == "accounts" else self.offers).list.view.setFocus()

    def refresh(self) -> None:
        """Read the view in front and what is open beside it."""
        self._turn(self.view)
        if not self.context.has_project():
            return
        lists: dict[View, Callable[[], object]] = {
            "board": lambda: self.board.refresh(),
            "accounts": lambda: self.accounts.list.refresh(),
            "offers": lambda: self.offers.list.refresh(),
        }
        lists[self.view]()
        pane = self._pane(self.view)
        if pane is not None:
            pane.refresh()

    def open_deal(self, deal_id: str) -> None:
        """A deal beside the board."""
        self._come("board")
        self.deal.show()
        self.deal.open(deal_id)

    def open_account(self, account_id: str) -> None:
        """An account beside the others."""
        self._come("accounts")
        self.account.open(account_id)
        self.accounts.list.choose(account_id)

    def open_offer(self, offer_id: str) -> None:
        """An offer beside the others."""
        self._come("offers")
        self.offer.open(offer_id)
        self.offers.list.choose(offer_id)

    def _come(self, view: View) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        if self.view != view:
            self._turn(view)
            self.refresh()

    @property
    def _deal_is_open(self) -> bool:
        return self.view == "board" and "board" in self._panes and self.deal.isVisible()

    def _walked(self, deal_id: str) -> None:
        if self._deal_is_open:
            self.deal.open(deal_id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes the deal beside the board."""
        if event.key() == Qt.Key.Key_Escape and self._deal_is_open:
            self.deal.hide()
            self.deal.clear()
            self.board.focus()
            return
        super().keyPressEvent(event)

    # -- doing

    def search(self) -> None:
        """The search of the view in front."""
        field = self._search_field
        field.setFocus()
        field.selectAll()

    @property
    def _search_field(self) -> SearchField:
        if self.view == "board":
            return self.board.search
        return self.accounts.search if self.view == "accounts" else self.offers.search

    def ask_stage(self) -> None:
        """Ask where what is chosen goes."""
        self.deeds.ask_stage(self.board.chosen)

    def _put(self, stage: OpportunityStage) -> None:
        self.board.put(self.board.chosen, stage)

    def put_away(self) -> None:
        """Archive what is chosen, or what is open when the focus is there; or bring it back."""
        focused = self.focusWidget()
        pane = self._pane(self.view)
        inside = pane is not None and focused is not None and pane.isAncestorOf(focused)
        if isinstance(pane, DealPane | AccountPane) and inside:
            pane.put_away()
        elif self.view == "board":
            self.board.put_away()
        elif self.view == "accounts":
            self.accounts.put_away()

    def new_deal(self, account_id: str = "") -> None:
        """Ask for a new deal and open it."""
        if self.context.has_project():
            self.deeds.ask_deal(self._made_deal, account_id)

    def _made_deal(self, deal: Opportunity) -> None:
        self.open_deal(deal.id)

    def new_account(self) -> None:
        """Ask for a new account and open it."""
        if self.context.has_project():
            self.deeds.ask_account(lambda account: self.open_account(account.id))

    def new_offer(self, about: Opportunity | Account | None = None) -> None:
        """Ask for a new offer and open it."""
        if self.context.has_project():
            ask_offer(self, about, self._made_offer)

    def _made_offer(self, offer: Offer) -> None:
        self.open_offer(offer.id)

    async def sheet(self) -> Sheet:
        """What the view in front shows, as a table."""
        if self.view == "board":
            return deals_sheet(self.board.shown)
        if self.view == "accounts":
            return accounts_sheet(await self.accounts.list.everything())
        return offers_sheet(await self.offers.list.everything())

    def _export(self, form: Literal["csv", "md"]) -> None:
        export_sheet(self, "crm", form, self.sheet)
