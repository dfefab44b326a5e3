"""Chances to sell more: what a deal or a client's words are worth, and an offer and a message for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from ctower_desktop.insight.signals import telling
from ctower_desktop.insight.signals.model import Evidence, Language, UpsellStatus
from ctower_desktop.search.words import language as language_of

WINDOW_DAYS = 21
STAGES = ("qualified", "proposal", "negotiation")
_DISCOUNT = 5  # per cent
_SAID = 0.72
_EACH_MORE = 0.02
_MOST_SAID = 0.82
_TIERS = ((20_000, 0.85), (10_000, 0.78), (5_000, 0.70))
_LEAST = 0.60
# What the tiers are multiplied by where a unit of the currency buys little: orders of magnitude, not rates.
_UNITS = {
    "AMD": 400, "CNY": 7, "CZK": 20, "DKK": 7, "HUF": 350, "INR": 80, "JPY": 150, "KGS": 90, "KRW": 1_300,
    "KZT": 500, "NOK": 10, "PLN": 4, "RSD": 100, "RUB": 100, "SEK": 10, "THB": 35, "TRY": 40, "UAH": 40,
    "UZS": 12_000, "ZAR": 18,
}  # fmt: skip
_STAGES: dict[Language, dict[str, str]] = {
    "en": {"qualified": "qualified", "proposal": "the offer is out", "negotiation": "in negotiation"},
    "ru": {"qualified": "интерес подтверждён", "proposal": "предложение отправлено",
           "negotiation": "идут переговоры"},
}  # fmt: skip


class OpenDeal(msgspec.Struct, frozen=True):
    """A deal as the vendor has it."""

    id: str
    external_id: str
    account_external_id: str | None
    company_name: str | None
    title: str
    stage: str
    amount: float | None
    currency: str | None
    updated_at: str


@dataclass(frozen=True, slots=True)
class Chance:
    """A chance to sell more, as the radar sees it now."""

    source_kind: str
    source_ref: str
    account_external_id: str | None
    title: str
    rationale: str
    score: float
    offer: dict[str, Any]
    outbound: dict[str, Any]
    refs: tuple[str, ...]
    seen_at: str


def tier(amount: float | None, currency: str | None = None) -> float:
    """What a deal of this amount is worth to the radar."""
    worth = (amount or 0.0) / _UNITS.get(currency or "", 1)
    return next((score for above, score in _TIERS if worth > above), _LEAST)


def said_score(messages: int) -> float:
    """What a client who asked so many times is worth."""
    return round(min(_MOST_SAID, _SAID + _EACH_MORE * (messages - 1)), 4)


def decided(stage: str) -> UpsellStatus | None:
    """What became of a chance whose deal is over."""
    return "converted" if stage == "won" else "dismissed" if stage == "lost" else None


def of_words(conversation_id: str, who: str | None, evidence: Evidence, earlier: tuple[str, ...]) -> Chance:
    """The chance a client's words open; `earlier` are messages that asked before."""
    language = language_of(evidence.quote)
    refs = tuple(dict.fromkeys((evidence.ref, *earlier)))
    name = who or ("Клиент" if language == "ru" else "The client")
    quote = telling.quoted(evidence.quote, language)
    if language == "ru":
        title, rationale = f"Расширение: {name}", f"{name} спрашивает о большем: {quote}"
        hello = (
            "Здравствуйте! Вы упоминали, что хотите расширить работы. "
            "Подготовили короткое предложение, когда удобно обсудить?"
        )
    else:
        title, rationale = f"More for {name}", f"{name} asks for more: {quote}"
        hello = "Hello! You mentioned wanting more. We have a short proposal ready: when may we call you?"
    return Chance(
        source_kind="conversation",
        source_ref=conversation_id,
        account_external_id=None,
        title=title,
        rationale=rationale,
        score=said_score(len(refs)),
        offer=_offer("expansion_offer_v1", title=title),
        outbound={"channel": "chatwoot", "message": hello, "conversation_global_id": conversation_id},
        refs=(*refs[:49], conversation_id),
        seen_at=evidence.said_at,
    )


def of_deal(deal: OpenDeal, stage: str) -> Chance:
    """The chance an open deal is."""
    language = language_of(deal.title)
    quoted = telling.quoted(deal.title, language)
    money = telling.money(deal.amount, deal.currency, language) if deal.amount else ""
    standing = _STAGES[language][stage]
    if language == "ru":
        worth = f" на {money}" if money else ""
        rationale = f"Сделка {quoted}{worth} в работе, {standing}: время предложить больше."
        hello = f"Здравствуйте! По {quoted} есть идея, как получить больше. Показать короткое предложение?"
        heading = f"Расширение сделки: {deal.title}"
    else:
        worth = f" of {money}" if money else ""
        rationale = f"The deal {quoted}{worth} is open, {standing}: a good time to offer more."
        hello = f"Hello! We have an idea how to get more out of {quoted}. May we show you a short proposal?"
        heading = f"Expand the deal: {deal.title}"
    title = f"{deal.company_name}: {deal.title}" if deal.company_name else deal.title
    offer = _offer("attio_expansion_track", title=title)
    return Chance(
        source_kind="deal",
        source_ref=deal.id,
        account_external_id=deal.account_external_id,
        title=heading,
        rationale=rationale,
        score=tier(deal.amount, deal.currency),
        offer=offer | {"anchor_opportunity_id": deal.external_id},
        outbound={"channel": "email", "message": hello},
        refs=(deal.id,),
        seen_at=deal.updated_at,
    )


def _offer(template: str, *, title: str) -> dict[str, Any]:
    return {
        "template": template,
        "title": title,
        "discount_recommendation_pct": _DISCOUNT,
        "discount_pct": _DISCOUNT,
    }
