"""Offers, their lines and who approved them, in SQL."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from ctower_desktop.accounts.model import EvidenceRef
from ctower_desktop.crm import account_store, opportunity_store
from ctower_desktop.crm.model import AccountArchived, OpportunityArchived
from ctower_desktop.crm.offers.content import Content, content_of
from ctower_desktop.crm.offers.model import (
    AccountMismatch,
    Action,
    Approval,
    DiscountNeedsOwner,
    FourEyesRequired,
    Item,
    ListOffers,
    NewItem,
    Offer,
    OfferInFull,
    OfferInvalidState,
    OfferNotFound,
    OfferStatus,
    OfferVersionExists,
)
from ctower_desktop.crm.offers.pricing import first_status, priced
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef

_OPEN: tuple[OfferStatus, ...] = ("draft", "approved")
_LEADS_TO: dict[Action, OfferStatus] = {
    "approve_discount": "approved",
    "approve_send": "sent",
    "sign": "signed",
    "reject": "rejected",
}
_ALLOWED: dict[Action, tuple[OfferStatus, ...]] = {
    "approve_discount": ("draft",),
    "approve_send": ("approved",),
    "sign": ("sent",),
    "reject": ("draft", "approved", "sent"),
}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody takes an offer a step further; `most` is the discount they may let off, None for any.

    `in_person`: not by a key, behind which nobody knows whose eyes are.
    """

    action: Action
    actor: str
    comment: str | None
    evidence_refs: list[EvidenceRef]
    request_id: str
    at: str
    four_eyes: bool = False
    in_person: bool = True
    most: float | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote of an offer."""

    title: str
    account_id: str | None
    opportunity_id: str | None
    currency: str
    subtotal: float
    discount_pct: float
    items: list[NewItem]
    language: str
    valid_until: str | None
    notes: str
    evidence_refs: list[EvidenceRef]


class _Known(msgspec.Struct, frozen=True):
    id: str


_COLUMNS = """
    o.id, o.account_id, a.name AS account_name, o.opportunity_id, o.title, o.currency, o.subtotal,
    o.discount_pct, o.total, o.granted_pct, o.status, o.language, o.valid_until, o.notes, o.version,
    o.previous_id, o.generated_doc_url, o.evidence_refs, o.created_by, o.updated_by,
    o.created_at, o.updated_at, o.sent_at, o.signed_at, o.rejected_at
"""
_FROM = "FROM offer AS o LEFT JOIN crm_account AS a ON a.id = o.account_id WHERE o.project_id = :project_id"
_FITS = """
    (:account_id = '' OR o.account_id = :account_id)
    AND (:opportunity_id = '' OR o.opportunity_id = :opportunity_id)
    ORDER BY o.updated_at DESC, o.id LIMIT :limit OFFSET :offset
"""
_LIST = Query(Offer, f"SELECT {_COLUMNS} {_FROM} AND {_FITS}")
_IN_STATUS = Query(Offer, f"SELECT {_COLUMNS} {_FROM} AND o.status = :status AND {_FITS}")
_ONE = Query(Offer, f"SELECT {_COLUMNS} {_FROM} AND o.id = :id", missing=OfferNotFound)
_ITEMS = Query(
    Item,
    """
    SELECT kind, title, description, quantity, unit_price, amount FROM offer_item
    WHERE offer_id = :id ORDER BY position
    """,
)
_APPROVALS = Query(
    Approval,
    """
    SELECT id, action, actor_username, comment, evidence_refs, request_id, created_at FROM offer_approval
    WHERE offer_id = :id ORDER BY id DESC
    """,
)
_NEXT = Query(_Known, "SELECT id FROM offer WHERE previous_id = :id")
_ADD = Command("""
    INSERT INTO offer (id, project_id, account_scope_id, account_id, opportunity_id, title, currency,
        subtotal, discount_pct, total, granted_pct, status, language, valid_until, notes, version,
        previous_id, generated_doc_url, evidence_refs, created_by, updated_by, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :account_id, :opportunity_id, :title, :currency, :subtotal,
        :discount_pct, :total, :granted_pct, :status, :language, :valid_until, :notes, :version, :previous_id,
        '/offers/' || :id || '/document?format=pdf', :evidence_refs, :by, :by, :at, :at)
""")
_SET = Command("""
    UPDATE offer SET account_id = :account_id, opportunity_id = :opportunity_id, title = :title,
        currency = :currency, subtotal = :subtotal, discount_pct = :discount_pct, total = :total,
        granted_pct = :granted_pct, status = :status, language = :language, valid_until = :valid_until,
        notes = :notes, evidence_refs = :evidence_refs, updated_by = :by, updated_at = :at
    WHERE id = :id
""")
_DROP_ITEMS = Command("DELETE FROM offer_item WHERE offer_id = :id")
_ADD_ITEM = Command("""
    INSERT INTO offer_item (project_id, account_scope_id, offer_id, position, kind, title, description,
                            quantity, unit_price, amount)
    VALUES (:project_id, :account_scope_id, :id, :position, :kind, :title, :description,
            :quantity, :unit_price, :amount)
""")
_STEP = Command("""
    UPDATE offer SET status = :status, updated_at = :at,
        sent_at = CASE WHEN :status = 'sent' THEN :at ELSE sent_at END,
        signed_at = CASE WHEN :status = 'signed' THEN :at END,
        rejected_at = CASE WHEN :status = 'rejected' THEN :at END
    WHERE id = :id
""")
_APPROVE = Command("""
    INSERT INTO offer_approval (project_id, account_scope_id, offer_id, action, actor_username, comment,
                                evidence_refs, request_id, created_at)
    VALUES (:project_id, :account_scope_id, :id, :action, :actor, :comment, :evidence_refs, :request_id, :at)
""")


def listed(db: apsw.Connection, project_id: str, query: ListOffers) -> list[Offer]:
    """Offers, the last changed first."""
    params = msgspec.structs.asdict(query) | {"project_id": project_id}
    return (_IN_STATUS if query.status else _LIST).all(db, **params)


def one(db: apsw.Connection, project_id: str, offer_id: str) -> Offer:
    """An offer; raise OfferNotFound."""
    return _ONE.one(db, project_id=project_id, id=offer_id)


def in_full(db: apsw.Connection, project_id: str, offer_id: str) -> OfferInFull:
    """An offer with its lines and approvals; raise OfferNotFound."""
    found = one(db, project_id, offer_id)
    return OfferInFull(found, _ITEMS.all(db, id=found.id), _APPROVALS.all(db, id=found.id), [])


def content(db: apsw.Connection, project_id: str, offer_id: str) -> tuple[Offer, Content]:
    """An offer, and what its document says; raise OfferNotFound."""
    found = one(db, project_id, offer_id)
    return found, content_of(found, _ITEMS.all(db, id=found.id))


def draft(db: apsw.Connection, project_id: str, offer_id: str) -> tuple[Offer, Draft]:
    """An offer as it was written; raise OfferNotFound."""
    found = one(db, project_id, offer_id)
    items = [_as_written(item) for item in _ITEMS.all(db, id=found.id)]
    known = msgspec.structs.asdict(found)
    return found, Draft(items=items, **{f: known[f] for f in Draft.__struct_fields__ if f != "items"})


def add(
    db: apsw.Connection, project: ProjectRef, offer_id: str, written: Draft, *, by: str, at: str
) -> Offer:
    """Write an offer; raise AccountNotFound, OpportunityNotFound and their kin, or Invalid."""
    return _add(db, project, offer_id, _referring(db, project.id, written), by=by, at=at)


def edit(
    db: apsw.Connection, project: ProjectRef, offer_id: str, changes: dict[str, Any], *, by: str, at: str
) -> Offer:
    """Change an offer that is not sent; what was approved must be approved anew. Raise OfferInvalidState."""
    found, before = draft(db, project.id, offer_id)
    if found.status not in _OPEN:
        raise OfferInvalidState
    if "opportunity_id" in changes:
        changes = {"account_id": None, **changes}  # the account follows, unless one is named
    written = msgspec.structs.replace(before, **changes)
    if changes.keys() & {"account_id", "opportunity_id"}:
        written = _referring(db, project.id, written)
    _SET.run(db, **_sums(written), id=offer_id, by=by, at=at)
    if "items" in changes:
        _DROP_ITEMS.run(db, id=offer_id)
        _add_items(db, project, offer_id, written)
    return one(db, project.id, offer_id)


def renew(db: apsw.Connection, project: ProjectRef, offer_id: str, new_id: str, *, by: str, at: str) -> Offer:
    """A new version of a rejected offer; raise OfferInvalidState, OfferVersionExists."""
    found, written = draft(db, project.id, offer_id)
    if found.status != "rejected":
        raise OfferInvalidState
    if _NEXT.first(db, id=offer_id) is not None:
        raise OfferVersionExists
    return _add(db, project, new_id, written, by=by, at=at, after=found)


def step(db: apsw.Connection, project: ProjectRef, offer_id: str, step: Step) -> Offer:
    """Take an offer a step further.

    An approval of what is in another state: OfferNotFound, as clients know it; else OfferInvalidState.
    Raise FourEyesRequired, DiscountNeedsOwner.
    """
    found = one(db, project.id, offer_id)
    approval = step.action in ("approve_discount", "approve_send")
    if found.status not in _ALLOWED[step.action]:
        raise OfferNotFound if approval else OfferInvalidState
    own = not step.in_person or step.actor in (found.created_by, found.updated_by)
    if approval and step.four_eyes and own:
        raise FourEyesRequired
    if approval and step.most is not None and found.granted_pct > step.most:
        raise DiscountNeedsOwner
    _STEP.run(db, id=offer_id, status=_LEADS_TO[step.action], at=step.at)
    _APPROVE.run(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        id=offer_id,
        action=step.action,
        actor=step.actor,
        comment=step.comment,
        evidence_refs=as_json(step.evidence_refs),
        request_id=step.request_id,
        at=step.at,
    )
    return one(db, project.id, offer_id)


def _add(
    db: apsw.Connection,
    project: ProjectRef,
    offer_id: str,
    written: Draft,
    *,
    by: str,
    at: str,
    after: Offer | None = None,
) -> Offer:
    _ADD.run(
        db,
        **_sums(written),
        id=offer_id,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        version=after.version + 1 if after else 1,
        previous_id=after.id if after else None,
        by=by,
        at=at,
    )
    _add_items(db, project, offer_id, written)
    return one(db, project.id, offer_id)


def _add_items(db: apsw.Connection, project: ProjectRef, offer_id: str, written: Draft) -> None:
    sums = priced(written.items, written.subtotal, written.discount_pct)
    _ADD_ITEM.run_many(
        db,
        [
            {
                **msgspec.structs.asdict(item), "project_id": project.id, "id": offer_id,
                "account_scope_id": project.account_scope_id, "position": position, "amount": amount,
            }
            for position, (item, amount) in enumerate(zip(written.items, sums.amounts, strict=True))
        ],
    )  # fmt: skip


def _sums(written: Draft) -> dict[str, Any]:
    """What is stored of a draft beside its lines."""
    sums = priced(written.items, written.subtotal, written.discount_pct)
    values = msgspec.structs.asdict(written)
    del values["items"]
    return values | {
        "subtotal": sums.subtotal,
        "total": sums.total,
        "granted_pct": sums.granted_pct,
        "status": first_status(sums.granted_pct),
        "evidence_refs": as_json(written.evidence_refs),
    }


def _referring(db: apsw.Connection, project_id: str, written: Draft) -> Draft:
    """The draft with the account of its opportunity, once both are found to be there and to fit."""
    account_id = written.account_id
    if written.opportunity_id is not None:
        opportunity = opportunity_store.one(db, project_id, written.opportunity_id)
        if opportunity.archived:
            raise OpportunityArchived
        if account_id not in (None, opportunity.account_id):
            account_store.one(db, project_id, account_id)
            raise AccountMismatch
        account_id = opportunity.account_id
    if account_id is not None and account_store.one(db, project_id, account_id).archived:
        raise AccountArchived
    return msgspec.structs.replace(written, account_id=account_id)


def _as_written(item: Item) -> NewItem:
    return NewItem(
        kind=item.kind,
        title=item.title,
        description=item.description,
        quantity=item.quantity,
        unit_price=item.unit_price,
    )
