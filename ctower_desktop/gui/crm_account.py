"""An account in full: facts changed in place, its deals and offers, and what it rests on."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Signal

from ctower_desktop.crm.actions import read_account, release_account
from ctower_desktop.crm.model import Account, AccountAnswer, AccountWithOpportunities, ReleaseFields
from ctower_desktop.crm.offers.actions import list_offers
from ctower_desktop.crm.offers.model import ListOffers, Offer
from ctower_desktop.gui.asking import what_is_wrong
from ctower_desktop.gui.crm_deeds import Deeds
from ctower_desktop.gui.crm_pane import RecordPane, Section
from ctower_desktop.gui.crm_words import (
    ACCOUNT_STAGES,
    account_words,
    deal_line,
    is_open,
    offer_line,
    sums,
    vendor_says,
)
from ctower_desktop.gui.editing import Choice, InPlace, a_text
from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.flow import side_by_side
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Badge, Button, Label, row
from ctower_desktop.kernel.errors import Invalid, TowerError


class AccountInFull(msgspec.Struct, frozen=True):
    """What the pane shows of an account."""

    found: AccountWithOpportunities
    offers: list[Offer]


class AccountPane(RecordPane):
    """The open account; asks the page to open its deals and offers."""

    deal_wanted = Signal(str)
    offer_wanted = Signal(str)
    new_deal_wanted = Signal(str)
    new_offer_wanted = Signal(object)

    def __init__(self, page: Page, deeds: Deeds) -> None:
        super().__init__(page, tr("Account"), tr("Choose an account to see its deals and offers."))
        self._deeds = deeds
        self.account: Account | None = None
        self.archived = Badge(tr("Archived"), "warning")
        self.summary = Label("", "meta", "text_2", wrap=True)
        self.summary.setMinimumWidth(1)
        self.facts: dict[str, InPlace | Choice] = {
            "name": InPlace(tr("Name"), a_text),
            "domain": InPlace(tr("Domain"), a_text, hint="north.example"),
            "stage": Choice(tr("Stage"), [(stage, account_words(stage)) for stage in ACCOUNT_STAGES]),
            "owner_username": InPlace(tr("Owner"), a_text),
        }
        self.deal = Button(tr("New deal…"), icon="plus")
        self.offer = Button(tr("New offer…"), icon="plus")
        self.away = Button(tr("Archive"))
        self.deals = Section(tr("Deals"))
        self.offers = Section(tr("Offers"))
        self._build()

    def _build(self) -> None:
        self.column.addLayout(row(self.heading, self.archived))
        self.column.addWidget(self.summary)
        self.column.addWidget(side_by_side(self.deal, self.offer, self.away))
        self.column.addSpacing(8)
        for name, fact in self.facts.items():
            self.column.addWidget(fact)
            fact.entered.connect(partial(self._edit, name))
            fact.released.connect(partial(self._release, name))
        for section in (self.deals, self.offers, self.evidence):
            self.column.addWidget(section)
        self.column.addStretch(1)
        self.deal.clicked.connect(lambda: self.new_deal_wanted.emit(self.record_id))
        self.offer.clicked.connect(lambda: self.new_offer_wanted.emit(self.account))
        self.away.clicked.connect(self.put_away)

    # -- showing

    async def read(self) -> AccountInFull:
        """The account, its deals and its offers."""
        found = await read_account(self.page.call(), self.record_id)
        offers = await list_offers(self.page.call(), ListOffers(account_id=self.record_id))
        return AccountInFull(found, offers.offers)

    def show_record(self, found: AccountInFull) -> None:
        """Show all of it; what is being typed stays."""
        account = self.account = found.found.account
        deals = found.found.opportunities
        now = self.page.tower.clock.now()
        open_ = [deal for deal in deals if is_open(deal)]
        self.heading.setText(account.name)
        self.archived.setVisible(account.archived)
        told = (
            trn("{n} open deal", "{n} open deals", len(open_)),
            sums(open_),
            tr("changed {time}", time=when(account.updated_at, now)),
        )
        self.summary.setText(" · ".join(part for part in told if part))
        for name, fact in self.facts.items():
            value = getattr(account, name) or ""
            if isinstance(fact, Choice):
                fact.show_value(value)
            else:
                fact.show_value(value, value)
            vendors = str((account.vendor or {}).get(name) or "")
            vendors = account_words(vendors) if name == "stage" else vendors
            own = name in account.local_fields
            fact.show_note(vendor_says(name, account.vendor, vendors) if own else "")
            fact.set_fixed(fixed=account.archived)
        self.deal.setEnabled(not account.archived)
        self.offer.setEnabled(not account.archived)
        away = tr("Restore") if account.archived else tr("Archive")
        self.away.setText(away)
        self.away.setAccessibleName(away)
        self.deals.show_lines([(deal_line(deal), partial(self.deal_wanted.emit, deal.id)) for deal in deals])
        self.offers.show_lines([(offer_line(o), partial(self.offer_wanted.emit, o.id)) for o in found.offers])
        self.show_evidence(account.evidence_refs)

    # -- changing

    def put_away(self) -> None:
        """Archive it, or bring it back."""
        if self.account is not None:
            self._deeds.put_accounts_away([self.account.id], back=self.account.archived)

    def _edit(self, field: str, value: Any) -> None:
        account = self.account
        if account is None:
            return
        before: dict[str, Any] = {field: getattr(account, field)}
        if field == "owner_username" and account.owner_user_id:
            before = {"owner_user_id": account.owner_user_id}
        name = self.facts[field].name

        def done(answer: AccountAnswer) -> None:
            said = tr("{title}: {name} changed", title=answer.account.name, name=name)
            undoable(self.page, said, lambda: self._deeds.edit_account(account.id, before))
            self.refresh()

        work = self._deeds.edit_account(account.id, {field: value})
        start(self, work, done, partial(self._refused, field))

    def _refused(self, field: str, error: TowerError) -> None:
        fact = self.facts[field]
        known = isinstance(error, Invalid) and error.issues
        sentence = what_is_wrong(error.issues[0]) if known else plain_words(error)
        if isinstance(fact, InPlace):
            fact.reopen(sentence)
        else:
            fact.show_value(getattr(self.account, field))
            self.page.context.toast(sentence)

    def _release(self, field: str) -> None:
        account = self.account
        if account is None:
            return
        value = getattr(account, field)

        async def give() -> AccountAnswer:
            return await release_account(self.page.call(), account.id, ReleaseFields([field]))

        def done(_: AccountAnswer) -> None:
            said = tr("{title}: Attio decides again", title=account.name)
            undoable(self.page, said, lambda: self._deeds.edit_account(account.id, {field: value}))
            self.refresh()

        start(self, give(), done)
