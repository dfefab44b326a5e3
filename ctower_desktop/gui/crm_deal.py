"""A deal in full: facts changed in place, how it came to its stage, its offers, and what it rests on."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Signal

from ctower_desktop.crm.actions import list_deals, read_opportunity, release_opportunity
from ctower_desktop.crm.model import (
    Deal,
    ListDeals,
    Opportunity,
    OpportunityAnswer,
    OpportunityWithEvents,
    ReleaseFields,
    StageEvent,
)
from ctower_desktop.crm.offers.actions import list_offers
from ctower_desktop.crm.offers.model import ListOffers, Offer
from ctower_desktop.gui.asking import what_is_wrong
from ctower_desktop.gui.crm_deeds import DAY_HINT, Deeds
from ctower_desktop.gui.crm_pane import RecordPane, Section
from ctower_desktop.gui.crm_words import (
    STAGES,
    amount_of,
    by_and_when,
    closes,
    day_words,
    offer_line,
    percent,
    stage_words,
    vendor_says,
)
from ctower_desktop.gui.editing import Choice, InPlace, a_day, a_number, a_percentage, a_text
from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.flow import side_by_side
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.records import LinkLine
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import money, tr
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Badge, Button, row
from ctower_desktop.kernel.errors import Invalid, TowerError

_MOST = 500


class DealInFull(msgspec.Struct, frozen=True):
    """What the pane shows of a deal."""

    found: OpportunityWithEvents
    offers: list[Offer]
    at_vendor: Deal | None


class DealPane(RecordPane):
    """The open deal; asks the page to open what hangs together with it."""

    account_wanted = Signal(str)
    offer_wanted = Signal(str)
    new_offer_wanted = Signal(object)

    def __init__(self, page: Page, deeds: Deeds) -> None:
        super().__init__(page, tr("Deal"), tr("Choose a deal to see and change it."))
        self._deeds = deeds
        self.deal: Opportunity | None = None
        self.archived = Badge(tr("Archived"), "warning")
        self.account = LinkLine(tr("Account"))
        self.account.clicked.connect(
            lambda: self.account_wanted.emit(self.deal.account_id if self.deal else "")
        )
        self.stage = Choice(tr("Stage"), [(stage, stage_words(stage)) for stage in STAGES])
        self.facts = {
            "title": InPlace(tr("Title"), a_text),
            "amount_estimate": InPlace(tr("Amount"), a_number),
            "currency": InPlace(tr("Currency"), a_text),
            "probability": InPlace(tr("Probability"), a_percentage),
            "expected_close_date": InPlace(tr("Closes"), a_day, hint=DAY_HINT),
            "next_step": InPlace(tr("Next step"), a_text),
            "owner_username": InPlace(tr("Owner"), a_text),
        }
        self.mover = Button(tr("Move to stage…"))
        self.offer = Button(tr("New offer…"), icon="plus")
        self.away = Button(tr("Archive"))
        self.vendor = Button(tr("Notes and tasks in Attio"), icon="link")
        self.events = Section(tr("How it got here"))
        self.offers = Section(tr("Offers"))
        self._at_vendor: Deal | None = None
        self._build()

    def _build(self) -> None:
        self.column.addLayout(row(self.heading, self.archived))
        self.column.addWidget(self.account)
        self.column.addWidget(side_by_side(self.mover, self.offer, self.away))
        self.column.addSpacing(8)
        self.column.addWidget(self.stage)
        for name, fact in self.facts.items():
            self.column.addWidget(fact)
            fact.entered.connect(partial(self._edit, name))
            fact.released.connect(partial(self._release, name))
        self.column.addLayout(row(self.vendor, 0))
        for section in (self.offers, self.events, self.evidence):
            self.column.addWidget(section)
        self.column.addStretch(1)
        self.stage.entered.connect(lambda stage: self._deeds.move([self.deal], stage) if self.deal else None)
        self.stage.released.connect(partial(self._release, "stage"))
        self.mover.clicked.connect(lambda: self._deeds.ask_stage([self.deal] if self.deal else []))
        self.offer.clicked.connect(lambda: self.new_offer_wanted.emit(self.deal))
        self.away.clicked.connect(self.put_away)
        self.vendor.clicked.connect(self._open_vendor)

    # -- showing

    async def read(self) -> DealInFull:
        """The deal, its stages, its offers, and what the vendor has beside it."""
        found = await read_opportunity(self.page.call(), self.record_id)
        offers = await list_offers(self.page.call(), ListOffers(opportunity_id=self.record_id))
        return DealInFull(found, offers.offers, await self._vendors(found.opportunity))

    async def _vendors(self, deal: Opportunity) -> Deal | None:
        if deal.external_ref is None:
            return None
        title = str((deal.vendor or {}).get("title") or deal.title)
        listed = await list_deals(self.page.call(), ListDeals(q=title, limit=_MOST))
        return next((one for one in listed.deals if one.external_id == deal.external_ref), None)

    def show_record(self, found: DealInFull) -> None:
        """Show all of it; what is being typed stays."""
        deal = self.deal = found.found.opportunity
        self._at_vendor = found.at_vendor
        today = self.page.tower.clock.now().astimezone().date()
        self.heading.setText(deal.title)
        self.archived.setVisible(deal.archived)
        self.account.set_words(deal.account_name)
        self.stage.show_value(deal.stage)
        shown = {
            "title": (deal.title, deal.title),
            "amount_estimate": (amount_of(deal), f"{deal.amount_estimate:g}"),
            "currency": (deal.currency or "", deal.currency or ""),
            "probability": (percent(deal.probability), f"{deal.probability * 100:g}"),
            "expected_close_date": (closes(deal, today), (deal.expected_close_date or "")[:10]),
            "next_step": (deal.next_step, deal.next_step),
            "owner_username": (deal.owner_username or "", deal.owner_username or ""),
        }
        for name, (words, raw) in shown.items():
            self.facts[name].show_value(words, raw)
        every: dict[str, InPlace | Choice] = {**self.facts, "stage": self.stage}
        for name, fact in every.items():
            own = name in deal.local_fields
            fact.show_note(vendor_says(name, deal.vendor, self._vendor_words(name, deal)) if own else "")
            fact.set_fixed(fixed=deal.archived)
        self.mover.setEnabled(not deal.archived)
        self.offer.setEnabled(not deal.archived)
        away = tr("Restore") if deal.archived else tr("Archive")
        self.away.setText(away)
        self.away.setAccessibleName(away)
        self.vendor.setVisible(found.at_vendor is not None)
        now = self.page.tower.clock.now()
        self.events.show_lines([(self._event_words(event, now), None) for event in found.found.events])
        self.offers.show_lines([(offer_line(o), partial(self.offer_wanted.emit, o.id)) for o in found.offers])
        self.show_evidence(deal.evidence_refs)

    def _vendor_words(self, field: str, deal: Opportunity) -> str:
        value = (deal.vendor or {}).get(field)
        if value is None:
            return ""
        match field:
            case "stage":
                return stage_words(str(value))
            case "amount_estimate":
                return money(float(value), str((deal.vendor or {}).get("currency") or ""))
            case "probability":
                return percent(float(value))
            case "expected_close_date":
                return day_words(str(value), self.page.tower.clock.now().astimezone().date())
            case _:
                return str(value)

    def _event_words(self, event: StageEvent, now: Any) -> str:
        where = tr(
            "{before} → {after}", before=stage_words(event.from_stage), after=stage_words(event.to_stage)
        )
        who = event.actor_username or (tr("in Attio") if event.source != "manual" else None)
        return " · ".join(
            part for part in (where, event.reason, by_and_when(who, event.created_at, now)) if part
        )

    # -- changing

    def put_away(self) -> None:
        """Archive it, or bring it back."""
        if self.deal is not None:
            self._deeds.put_away([self.deal.id], back=self.deal.archived)

    def _edit(self, field: str, value: Any) -> None:
        deal = self.deal
        if deal is None:
            return
        before: dict[str, Any] = {field: getattr(deal, field)}
        if field == "owner_username" and deal.owner_user_id:
            before = {"owner_user_id": deal.owner_user_id}
        if field == "expected_close_date":
            before = {field: (deal.expected_close_date or "")[:10] or None}
        name = self.facts[field].name

        def done(answer: OpportunityAnswer) -> None:
            said = tr("{title}: {name} changed", title=answer.opportunity.title, name=name)
            undoable(self.page, said, lambda: self._deeds.edit_deal(deal.id, before))
            self.refresh()

        start(self, self._deeds.edit_deal(deal.id, {field: value}), done, partial(self._refused, field))

    def _refused(self, field: str, error: TowerError) -> None:
        known = isinstance(error, Invalid) and error.issues
        self.facts[field].reopen(what_is_wrong(error.issues[0]) if known else plain_words(error))

    def _release(self, field: str) -> None:
        deal = self.deal
        if deal is None:
            return
        value = getattr(deal, field)

        async def give() -> OpportunityAnswer:
            return await release_opportunity(self.page.call(), deal.id, ReleaseFields([field]))

        def done(_: OpportunityAnswer) -> None:
            said = tr("{title}: Attio decides again", title=deal.title)
            undoable(self.page, said, lambda: self._taken_back(deal, field, value))
            self.refresh()

        start(self, give(), done)

    async def _taken_back(self, deal: Opportunity, field: str, value: Any) -> None:
        if field == "stage":
            await self._deeds.to_stage(deal.id, value, tr("taken back"))
        else:
            await self._deeds.edit_deal(deal.id, {field: value})

    def _open_vendor(self) -> None:
        if self._at_vendor is not None:
            self.open_source("deal", self._at_vendor.id)
