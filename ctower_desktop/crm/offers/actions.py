"""/offers: written, approved, sent, signed or rejected; and the documents made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import UNSET

from ctower_desktop.accounts.evidence import normalised
from ctower_desktop.crm.dates import day
from ctower_desktop.crm.model import (
    AccountArchived,
    AccountNotFound,
    OpportunityArchived,
    OpportunityNotFound,
    Uuid,
)
from ctower_desktop.crm.offers import document_store, store
from ctower_desktop.crm.offers.content import Content, Seller, Source, fingerprint
from ctower_desktop.crm.offers.model import (
    AccountMismatch,
    Action,
    Decision,
    DiscountNeedsOwner,
    EditOffer,
    Format,
    FourEyesRequired,
    ListOffers,
    NewOffer,
    Offer,
    OfferAnswer,
    OfferChanged,
    OfferInFull,
    OfferInvalidState,
    OfferNotFound,
    OffersAnswer,
    OfferVersionExists,
    ReadDocument,
)
from ctower_desktop.crm.offers.press import Press
from ctower_desktop.crm.offers.settings import Offers
from ctower_desktop.crm.settings import Crm
from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.endpoint import TOWER, Text
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.regional import Regional, language, local
from ctower_desktop.kernel.system import from_text, new_id
from ctower_desktop.kernel.tower import Scoped

_REFERENCES = (
    AccountNotFound, AccountArchived, OpportunityNotFound, OpportunityArchived, AccountMismatch, InvalidUuid,
)  # fmt: skip
_MEDIA: dict[Format, str] = {"pdf": "application/pdf", "markdown": "text/markdown; charset=utf-8"}


@TOWER.get("/offers")
async def list_offers(call: Scoped, query: ListOffers) -> OffersAnswer:
    """Offers of the project, the last changed first."""
    return OffersAnswer(await call.tower.db.read(store.listed, call.project_id, query))


@TOWER.get("/offers/{offer_id}", raises=(OfferNotFound,))
async def read_offer(call: Scoped, offer_id: Uuid) -> OfferInFull:
    """One offer with its lines, who approved it, and the documents made of it."""
    return await call.tower.db.read(document_store.in_full, call.project_id, offer_id.lower())


@TOWER.post("/offers", raises=_REFERENCES, status=201, audit="offer.create", idempotent=True)
async def create_offer(call: Scoped, body: NewOffer) -> OfferAnswer:
    """Write an offer: a draft if it lets something off, else approved already.

    With lines, the subtotal follows from them. An opportunity brings its account along.
    """
    written = store.Draft(
        title=body.title,
        account_id=_id(body.account_id, "account_id"),
        opportunity_id=_id(body.opportunity_id, "opportunity_id"),
        currency=_currency(call, body.currency),
        subtotal=body.subtotal,
        discount_pct=body.discount_pct,
        items=body.items,
        language=body.language or language(call.tower.settings.get(Regional)),
        valid_until=day(body.valid_until, "valid_until"),
        notes=body.notes,
        evidence_refs=normalised(body.evidence_refs or ()),
    )
    offer = await call.tower.db.write_durably(
        store.add, call.project_ref, new_id(), written, by=call.user.username, at=call.tower.clock.text()
    )
    call.noted.about("offer", offer.id, evidence_refs=offer.evidence_refs, **_sums(offer))
    return OfferAnswer(offer)


@TOWER.post(
    "/offers/{offer_id}", raises=(OfferNotFound, OfferInvalidState, *_REFERENCES), audit="offer.update"
)
async def edit_offer(call: Scoped, offer_id: Uuid, body: EditOffer) -> OfferAnswer:
    """Change an offer that is not sent yet; if it lets something off it must be approved anew."""
    changes = _changes(call, body)
    offer = await call.tower.db.write_durably(
        store.edit,
        call.project_ref,
        offer_id.lower(),
        changes,
        by=call.user.username,
        at=call.tower.clock.text(),
    )
    call.noted.about(
        "offer", offer.id, evidence_refs=body.evidence_refs, fields=sorted(changes), **_sums(offer)
    )
    return OfferAnswer(offer)


@TOWER.post(
    "/offers/{offer_id}/approve-discount",
    raises=(OfferNotFound, FourEyesRequired, DiscountNeedsOwner),
    audit="offer.approve_discount",
    role="pm",
)
async def approve_discount(call: Scoped, offer_id: Uuid, body: Decision) -> OfferAnswer:
    """Agree to what a draft lets off; above the largest discount of the settings only an owner may."""
    return await _stepped(call, offer_id, "approve_discount", body)


@TOWER.post(
    "/offers/{offer_id}/approve-send",
    raises=(OfferNotFound, FourEyesRequired, OfferChanged),
    audit="offer.approve_send",
    role="pm",
)
async def approve_sending(call: Scoped, offer_id: Uuid, body: Decision) -> OfferAnswer:
    """Send an approved offer: from now on its document stays as it is."""
    own = offer_id.lower()
    found, content = await call.tower.db.read(store.content, call.project_id, own)
    if found.status != "approved":
        raise OfferNotFound
    step, now = _step(call, "approve_send", body), call.tower.clock.now()
    source = _source(call, content, now, is_draft=False)
    made = await (await call.tower.part(Press)).make(source, now)
    offer = await call.tower.db.write_durably(document_store.send, call.project_ref, own, step, made)
    call.noted.about(
        "offer", offer.id, evidence_refs=step.evidence_refs, comment=step.comment, **_sums(offer)
    )
    return OfferAnswer(offer)


@TOWER.post(
    "/offers/{offer_id}/sign", raises=(OfferNotFound, OfferInvalidState), audit="offer.sign", role="pm"
)
async def sign_offer(call: Scoped, offer_id: Uuid, body: Decision) -> OfferAnswer:
    """Note that the client signed a sent offer."""
    return await _stepped(call, offer_id, "sign", body)


@TOWER.post(
    "/offers/{offer_id}/reject", raises=(OfferNotFound, OfferInvalidState), audit="offer.reject", role="pm"
)
async def reject_offer(call: Scoped, offer_id: Uuid, body: Decision) -> OfferAnswer:
    """Note that the client, or one of us, said no to an offer that is not signed."""
    return await _stepped(call, offer_id, "reject", body)


@TOWER.post(
    "/offers/{offer_id}/new-version",
    raises=(OfferNotFound, OfferInvalidState, OfferVersionExists),
    status=201,
    audit="offer.new_version",
)
async def renew_offer(call: Scoped, offer_id: Uuid) -> OfferAnswer:
    """Write a rejected offer anew, beginning with what it said."""
    by, at = call.user.username, call.tower.clock.text()
    offer = await call.tower.db.write_durably(
        store.renew, call.project_ref, offer_id.lower(), new_id(), by=by, at=at
    )
    call.noted.about("offer", offer.id, previous_id=offer.previous_id, version=offer.version)
    return OfferAnswer(offer)


@TOWER.get("/offers/{offer_id}/document", raises=(OfferNotFound,))
async def read_offer_document(call: Scoped, offer_id: Uuid, query: ReadDocument) -> Text:
    """The document of an offer as PDF or Markdown; of a sent one, exactly what was sent.

    Kept until the offer says something else.
    """
    db, own = call.tower.db, offer_id.lower()
    offer, content = await db.read(store.content, call.project_id, own)
    kept = await db.read(document_store.kept, own, query.format)
    if kept is None or not kept.frozen:
        changed = from_text(offer.updated_at)
        source = _source(call, content, changed, is_draft=True)
        name = fingerprint(source)
        if kept is None or kept.source_hash != name:
            made = await (await call.tower.part(Press)).make(source, changed)
            at = call.tower.clock.text()
            await db.write(document_store.keep, call.project_ref, own, made, at=at)
            return Text(made.pdf if query.format == "pdf" else made.markdown, _MEDIA[query.format])
    return Text(kept.content, _MEDIA[query.format])


async def _stepped(call: Scoped, offer_id: str, action: Action, body: Decision) -> OfferAnswer:
    step = _step(call, action, body)
    offer = await call.tower.db.write_durably(store.step, call.project_ref, offer_id.lower(), step)
    call.noted.about(
        "offer", offer.id, evidence_refs=step.evidence_refs, comment=step.comment, **_sums(offer)
    )
    return OfferAnswer(offer)


def _step(call: Scoped, action: Action, body: Decision) -> store.Step:
    page = call.tower.settings.get(Offers)
    bounded = action == "approve_discount" and call.user.role != "owner"
    return store.Step(
        action=action,
        actor=call.user.username,
        comment=body.comment or None,
        evidence_refs=normalised(body.evidence_refs or ()),
        request_id=call.asking.request_id,
        at=call.tower.clock.text(),
        four_eyes=page.four_eyes,
        in_person=call.user.kind != "api_key",
        most=page.max_discount_pct if bounded else None,
    )


def _source(call: Scoped, content: Content, moment: datetime, *, is_draft: bool) -> Source:
    page = call.tower.settings.get(Offers)
    today = local(moment, call.tower.settings.get(Regional)).date().isoformat()
    seller = Seller(page.seller_name, page.seller_details)
    return Source(content=content, seller=seller, day=today, draft=is_draft)


def _changes(call: Scoped, body: EditOffer) -> dict[str, Any]:
    """What an edit says, as it is stored."""
    given = {
        field: getattr(body, field)
        for field in body.__struct_fields__
        if field != "evidence_refs" and getattr(body, field) is not UNSET
    }
    for field in ("account_id", "opportunity_id"):
        if field in given:
            given[field] = _id(given[field], field)
    if "currency" in given:
        given["currency"] = _currency(call, given["currency"])
    if "valid_until" in given:
        given["valid_until"] = day(given["valid_until"], "valid_until")
    if body.evidence_refs is not None:
        given["evidence_refs"] = normalised(body.evidence_refs)
    return given


def _id(given: str | None, field: str) -> str | None:
    if not given:
        return None
    if not is_uuid(given):
        raise InvalidUuid(f"{field} is not a UUID.")
    return given.lower()


def _currency(call: Scoped, given: str | None) -> str:
    return (given or call.tower.settings.get(Crm).currency).upper()


def _sums(offer: Offer) -> dict[str, Any]:
    """What the audit trail tells of an offer."""
    return {"offer_status": offer.status, "total": offer.total, "discount_pct": offer.discount_pct}
