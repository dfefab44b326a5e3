"""Offers, their lines, approvals and documents, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.accounts.model import EvidenceRef
from ctower_desktop.crm.model import Amount, Currency, Id, Offset
from ctower_desktop.kernel.errors import Conflict, Forbidden, NotFound

OfferStatus = Literal["draft", "approved", "sent", "signed", "rejected"]
ItemKind = Literal["package", "addon", "discount"]
Format = Literal["pdf", "markdown"]
Action = Literal["approve_discount", "approve_send", "sign", "reject"]
MOST_ITEMS = 200

Title = Annotated[str, Meta(min_length=1, max_length=500)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Notes = Annotated[str, Meta(max_length=5000)]
Language = Literal["ru", "en"]


class OfferNotFound(NotFound):
    """There is no such offer here, or it is not in the state this needs."""

    code = "offer_not_found"


class OfferInvalidState(Conflict):
    """The offer is not in a state that allows this."""

    code = "offer_invalid_state"


class OfferVersionExists(Conflict):
    """A new version of this offer exists already."""

    code = "offer_version_exists"


class OfferChanged(Conflict):
    """The offer was changed while it was being sent; look at it again."""

    code = "offer_changed"


class FourEyesRequired(Conflict):
    """Somebody who neither wrote nor changed the offer must approve it."""

    code = "four_eyes_required"


class AccountMismatch(Conflict):
    """The opportunity belongs to another account."""

    code = "opportunity_of_another_account"


class DiscountNeedsOwner(Forbidden):
    """A discount this large is approved by an owner only."""

    code = "discount_needs_owner"


class NewItem(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an offer; one of kind `discount` takes its amount away."""

    title: Title
    kind: ItemKind = "package"
    description: Annotated[str, Meta(max_length=1000)] = ""
    quantity: Annotated[float, Meta(ge=0.001, le=1e6)] = 1.0
    unit_price: Amount = 0.0


class Item(msgspec.Struct, frozen=True):
    """A line of an offer as it stands; the amount of a discount is below zero."""

    kind: ItemKind
    title: str
    description: str
    quantity: float
    unit_price: float
    amount: float


class Offer(msgspec.Struct, frozen=True):
    """What was offered to a client. `granted_pct` is all that is let off, lines included."""

    id: str
    account_id: str | None
    account_name: str | None
    opportunity_id: str | None
    title: str
    currency: str
    subtotal: float
    discount_pct: float
    total: float
    granted_pct: float
    status: OfferStatus
    language: Language
    valid_until: str | None
    notes: str
    version: int
    previous_id: str | None
    generated_doc_url: str | None
    evidence_refs: list[EvidenceRef]
    created_by: str
    updated_by: str
    created_at: str
    updated_at: str
    sent_at: str | None
    signed_at: str | None
    rejected_at: str | None


class Approval(msgspec.Struct, frozen=True):
    """Who took an offer a step further. `request_id` is that of the audit line."""

    id: int
    action: Action
    actor_username: str
    comment: str | None
    evidence_refs: list[EvidenceRef]
    request_id: str
    created_at: str


class DocumentInfo(msgspec.Struct, frozen=True):
    """A document that was made of an offer; a frozen one stays as it was sent."""

    format: Format
    sha256: str
    pages: int
    size: int
    frozen: bool
    rendered_at: str


class ListOffers(msgspec.Struct, frozen=True, kw_only=True):
    """Which offers: in a status, of an account, of an opportunity."""

    status: str = ""
    account_id: str = ""
    opportunity_id: str = ""
    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most")] = 150
    offset: Offset = 0


class OffersAnswer(msgspec.Struct, frozen=True):
    """Offers, the last changed first."""

    offers: list[Offer]


class OfferAnswer(msgspec.Struct, frozen=True):
    """One offer."""

    offer: Offer


class OfferInFull(msgspec.Struct, frozen=True):
    """One offer with its lines, who approved it, and the documents made of it."""

    offer: Offer
    items: list[Item]
    approvals: list[Approval]
    documents: list[DocumentInfo]


class NewOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to write an offer. With lines, the subtotal follows from them."""

    title: Title
    account_id: Id | None = None
    opportunity_id: Id | None = None
    currency: Currency | None = None
    subtotal: Amount = 0.0
    discount_pct: Percent = 0.0
    items: Annotated[list[NewItem], Meta(max_length=MOST_ITEMS)] = []
    language: Language | None = None
    valid_until: str | None = None
    notes: Notes = ""
    evidence_refs: list[Any] | None = None


class EditOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of an offer that is not sent yet; what is left out stays. It is approved anew."""

    title: Title | UnsetType = UNSET
    account_id: Id | UnsetType | None = UNSET
    opportunity_id: Id | UnsetType | None = UNSET
    currency: Currency | UnsetType = UNSET
    subtotal: Amount | UnsetType = UNSET
    discount_pct: Percent | UnsetType = UNSET
    items: Annotated[list[NewItem], Meta(max_length=MOST_ITEMS)] | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    valid_until: str | UnsetType | None = UNSET
    notes: Notes | UnsetType = UNSET
    evidence_refs: list[Any] | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step is taken, and on what evidence."""

    comment: Annotated[str, Meta(max_length=2000)] | None = None
    evidence_refs: list[Any] | None = None


class ReadDocument(msgspec.Struct, frozen=True):
    """In which format."""

    format: Format = "pdf"
