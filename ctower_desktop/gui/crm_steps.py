"""The steps an offer takes, and writing a new one: each asks for a word and says what follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from ctower_desktop.crm.model import Account, Opportunity
from ctower_desktop.crm.offers.actions import (
    approve_discount,
    approve_sending,
    create_offer,
    reject_offer,
    sign_offer,
)
from ctower_desktop.crm.offers.model import Decision, NewOffer, Offer, OfferAnswer, OfferStatus
from ctower_desktop.crm.settings import Crm
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.crm_deeds import DAY_HINT
from ctower_desktop.gui.crm_words import language_words
from ctower_desktop.gui.editing import a_day, a_number
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.text import language, money, tr

Send = Callable[[Any, str, Decision], Awaitable[OfferAnswer]]


@dataclass(frozen=True)
class StepKind:
    """A step: from which states, what its button says, and what follows from it."""

    id: str
    states: tuple[OfferStatus, ...]
    title: Callable[[], str]
    about: Callable[[], str]
    said: Callable[[], str]
    send: Send
    primary: bool = False


STEPS = (
    StepKind(
        "approve_discount",
        ("draft",),
        lambda: tr("Approve the discount…"),
        lambda: tr("The offer can be sent afterwards."),
        lambda: tr("The discount is approved."),
        approve_discount,
        primary=True,
    ),
    StepKind(
        "approve_send",
        ("approved",),
        lambda: tr("Approve and send…"),
        lambda: tr("From then on the offer and its document stay as they are. This cannot be taken back."),
        lambda: tr("The offer is sent; its document is kept."),
        approve_sending,
        primary=True,
    ),
    StepKind(
        "sign",
        ("sent",),
        lambda: tr("Signed…"),
        lambda: tr("Notes that the client signed. This cannot be taken back."),
        lambda: tr("The offer is signed."),
        sign_offer,
        primary=True,
    ),
    StepKind(
        "reject",
        ("draft", "approved", "sent"),
        lambda: tr("Reject…"),
        lambda: tr("A rejected offer can be written anew as another version."),
        lambda: tr("The offer is rejected."),
        reject_offer,
    ),
)


def ask_step(page: Page, offer: Offer, step: StepKind, then: Callable[[OfferAnswer], object]) -> FieldsDialog:
    """Ask for a comment and take the step."""

    async def send(body: Decision) -> OfferAnswer:
        return await step.send(page.call(), offer.id, body)

    def done(answer: OfferAnswer) -> None:
        page.context.toast(step.said())
        then(answer)

    dialog = FieldsDialog(
        page,
        f"{offer.title} · {money(offer.total, offer.currency)}",
        [Field("comment", tr("Comment"), long=True, hint=tr("May be left out"))],
        Decision,
        send=send,
        then=done,
        does=step.title().rstrip("…"),
        about=step.about(),
    )
    dialog.open()
    return dialog


def ask_offer(
    page: Page, about: Opportunity | Account | None, then: Callable[[Offer], object]
) -> FieldsDialog:
    """Ask for a new offer, about a deal, to an account, or by itself."""
    deal = about if isinstance(about, Opportunity) else None
    account = about if isinstance(about, Account) else None
    usual = page.tower.settings.get(Crm).currency

    async def send(body: NewOffer) -> OfferAnswer:
        whole = msgspec.structs.replace(
            body,
            opportunity_id=deal.id if deal else None,
            account_id=account.id if account else None,
        )
        return await create_offer(page.call(), whole)

    def done(answer: OfferAnswer) -> None:
        page.context.toast(tr("Offer written: {title}", title=answer.offer.title))
        then(answer.offer)

    price = f"{deal.amount_estimate:g}" if deal and deal.amount_estimate else ""
    dialog = FieldsDialog(
        page,
        tr("New offer"),
        [
            Field("title", tr("Title"), deal.title if deal else ""),
            Field("subtotal", tr("Price"), price, parse=a_number),
            Field("currency", tr("Currency"), (deal.currency if deal else None) or usual),
            Field("discount_pct", tr("Discount, %"), parse=a_number),
            Field("valid_until", tr("Valid until"), parse=a_day, hint=DAY_HINT),
            Field(
                "language",
                tr("Language"),
                language(),
                choices=[(code, language_words(code)) for code in ("ru", "en")],
            ),
            Field("notes", tr("Terms"), long=True),
        ],
        NewOffer,
        send=send,
        then=done,
        does=tr("Create"),
        about=deal.account_name if deal else account.name if account else tr("Lines are added afterwards."),
    )
    dialog.open()
    return dialog
