"""What an offer's document says, and the fingerprint that tells whether it still says so."""

from __future__ import annotations

import hashlib

import msgspec

from ctower_desktop.crm.offers.model import Item, Language, Offer


class Seller(msgspec.Struct, frozen=True):
    """Who offers."""

    name: str
    details: str


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that stands on the document, the marks of its state aside."""

    number: str
    version: int
    language: Language
    title: str
    client: str
    currency: str
    subtotal: float
    discount_pct: float
    total: float
    valid_until: str | None
    notes: str
    items: list[Item]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a document is made of: a draft says that it is one."""

    content: Content
    seller: Seller
    day: str  # YYYY-MM-DD
    draft: bool


def content_of(offer: Offer, items: list[Item]) -> Content:
    """What the document of an offer says."""
    return Content(
        number=offer.id.partition("-")[0].upper(),
        version=offer.version,
        language=offer.language,
        title=offer.title,
        client=offer.account_name or "",
        currency=offer.currency,
        subtotal=offer.subtotal,
        discount_pct=offer.discount_pct,
        total=offer.total,
        valid_until=offer.valid_until,
        notes=offer.notes,
        items=items,
    )


def fingerprint(source: Source | Content) -> str:
    """Another one for everything that differs."""
    return hashlib.blake2b(msgspec.json.encode(source), digest_size=20).hexdigest()
