"""Sales in words: stages, states of offers, fields, sums by currency, and how late a deal is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, get_args

from ctower_desktop.crm.model import CLOSED, AccountStage, Opportunity, OpportunityStage
from ctower_desktop.crm.offers.model import Action, ItemKind, Offer, OfferStatus
from ctower_desktop.gui.text import day, money, number, tr, when

STAGES: tuple[OpportunityStage, ...] = get_args(OpportunityStage)
ACCOUNT_STAGES: tuple[AccountStage, ...] = get_args(AccountStage)
STATUSES: tuple[OfferStatus, ...] = get_args(OfferStatus)
_SOON = timedelta(days=30)


def stage_words(stage: str) -> str:
    """What a stage of a deal is called."""
    known = {
        "discovery": tr("Discovery"),
        "qualified": tr("Qualified"),
        "proposal": tr("Proposal"),
        "negotiation": tr("Negotiation"),
        "won": tr("Won"),
        "lost": tr("Lost"),
    }
    return known.get(stage, stage)


def stage_token(stage: str) -> str:
    """The colour of a stage; its word stands beside it."""
    return {"won": "success", "lost": "danger", "negotiation": "warning"}.get(stage, "info")


def account_words(stage: str) -> str:
    """What a stage of an account is called."""
    known = {"active": tr("Active"), "inactive": tr("Inactive"), "prospect": tr("Prospect")}
    return known.get(stage, stage)


def status_words(status: str) -> str:
    """What a state of an offer is called."""
    known = {
        "draft": tr("Draft"),
        "approved": tr("Approved"),
        "sent": tr("Sent"),
        "signed": tr("Signed"),
        "rejected": tr("Rejected"),
    }
    return known.get(status, status)


def status_token(status: str) -> str:
    """The colour of a state of an offer."""
    known = {"approved": "info", "sent": "warning", "signed": "success", "rejected": "danger"}
    return known.get(status, "text_2")


def action_words(action: Action) -> str:
    """What somebody did to an offer."""
    known = {
        "approve_discount": tr("Discount approved"),
        "approve_send": tr("Approved and sent"),
        "sign": tr("Signed by the client"),
        "reject": tr("Rejected"),
    }
    return known[action]


def kind_words(kind: ItemKind) -> str:
    """What a kind of line is called."""
    return {"package": tr("Package"), "addon": tr("Add-on"), "discount": tr("Discount")}[kind]


def language_words(language: str) -> str:
    """In which language a document is written."""
    return {"ru": "Русский", "en": "English"}.get(language, language)


def percent(share: float) -> str:
    """A share of one in per cent."""
    return tr("{percent} %", percent=number(share * 100))


def amount_of(deal: Opportunity) -> str:
    """What a deal may bring."""
    return money(deal.amount_estimate, deal.currency or "") if deal.amount_estimate else tr("no amount")


def sums(deals: Iterable[Opportunity]) -> str:
    """Sums by currency, the largest first."""
    found: defaultdict[str, float] = defaultdict(float)
    for deal in deals:
        found[deal.currency or ""] += deal.amount_estimate
    ordered = sorted(found.items(), key=lambda pair: -pair[1])
    return " · ".join(money(amount, currency) for currency, amount in ordered if amount)


def date_of(moment: str | None) -> date | None:
    """The day of a stored day or time."""
    return date.fromisoformat(moment[:10]) if moment else None


def day_words(moment: str | None, today: date) -> str:
    """A day; the year when it is another."""
    found = date_of(moment)
    if found is None:
        return ""
    name = day(datetime(found.year, found.month, found.day))  # noqa: DTZ001 - a day has no zone
    return name if found.year == today.year else f"{name} {found.year}"


def is_open(deal: Opportunity) -> bool:
    """Whether it is still to be won."""
    return deal.stage not in CLOSED and not deal.archived


def is_late(deal: Opportunity, today: date) -> bool:
    """Whether it should have been closed by now."""
    expected = date_of(deal.expected_close_date)
    return is_open(deal) and expected is not None and expected < today


def is_soon(deal: Opportunity, today: date) -> bool:
    """Whether it should be closed within a month; what is late is too."""
    expected = date_of(deal.expected_close_date)
    return is_open(deal) and expected is not None and expected <= today + _SOON


def closes(deal: Opportunity, today: date) -> str:
    """When a deal closes, and that it is late."""
    named = day_words(deal.expected_close_date, today)
    if not named:
        return tr("no date")
    return tr("late: {day}", day=named) if is_late(deal, today) else named


def card_words(deal: Opportunity, today: date) -> str:
    """A card in one sentence, for a screen reader."""
    parts = (
        deal.title, deal.account_name, stage_words(deal.stage), amount_of(deal), percent(deal.probability),
        closes(deal, today), tr("next step: {step}", step=deal.next_step), deal.owner_username,
    )  # fmt: skip
    return ", ".join(part for part in parts if part)


def vendor_says(field: str, vendor: dict[str, Any] | None, words: str) -> str:
    """That a field is a person's own here, and what the vendor has."""
    if vendor is None or field not in vendor:
        return ""
    return tr("yours; Attio says: {value}", value=words or "—")


def offer_line(offer: Offer) -> str:
    """An offer on one line."""
    parts = (offer.title, status_words(offer.status), money(offer.total, offer.currency))
    return " · ".join(parts) if offer.version == 1 else " · ".join((*parts, version_words(offer.version)))


def version_words(version: int) -> str:
    """Which version it is."""
    return tr("version {number}", number=number(version))


def deal_line(deal: Opportunity) -> str:
    """A deal on one line."""
    return " · ".join((deal.title, stage_words(deal.stage), amount_of(deal)))


def by_and_when(name: str | None, at: str, now: datetime) -> str:
    """Who did it and when."""
    return " · ".join(part for part in (name, when(at, now)) if part)
