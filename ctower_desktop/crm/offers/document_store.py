"""The documents that were made of offers, in SQL."""

from __future__ import annotations

import hashlib

import apsw
import msgspec

from ctower_desktop.crm.offers import store
from ctower_desktop.crm.offers.content import fingerprint
from ctower_desktop.crm.offers.document import Rendered
from ctower_desktop.crm.offers.model import DocumentInfo, Format, Offer, OfferChanged, OfferInFull
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.tower import ProjectRef


class Kept(msgspec.Struct, frozen=True):
    """A document as it is kept."""

    source_hash: str
    content: bytes
    frozen: bool


_KEPT = Query(
    Kept,
    "SELECT source_hash, content, frozen FROM offer_document WHERE offer_id = :id AND format = :format",
)
_INFO = Query(
    DocumentInfo,
    """
    SELECT format, sha256, pages, length(content) AS size, frozen, rendered_at FROM offer_document
    WHERE offer_id = :id ORDER BY format
    """,
)
_PUT = Command("""
    INSERT INTO offer_document (project_id, account_scope_id, offer_id, format, source_hash, sha256, pages,
                                content, frozen, rendered_at)
    VALUES (:project_id, :account_scope_id, :id, :format, :source_hash, :sha256, :pages,
            :content, :frozen, :at)
    ON CONFLICT (offer_id, format) DO UPDATE SET
        source_hash = excluded.source_hash, sha256 = excluded.sha256, pages = excluded.pages,
        content = excluded.content, frozen = excluded.frozen, rendered_at = excluded.rendered_at
    WHERE NOT offer_document.frozen
""")


def kept(db: apsw.Connection, offer_id: str, wanted: Format) -> Kept | None:
    """The document that was made last."""
    return _KEPT.first(db, id=offer_id, format=wanted)


def in_full(db: apsw.Connection, project_id: str, offer_id: str) -> OfferInFull:
    """An offer with everything about it; raise OfferNotFound."""
    found = store.in_full(db, project_id, offer_id)
    return msgspec.structs.replace(found, documents=_INFO.all(db, id=found.offer.id))


def send(db: apsw.Connection, project: ProjectRef, offer_id: str, step: store.Step, made: Rendered) -> Offer:
    """Send an offer with this document, for good; raise OfferChanged when it says something else now."""
    _, content = store.content(db, project.id, offer_id)
    if content != made.source.content:
        raise OfferChanged
    offer = store.step(db, project, offer_id, step)
    keep(db, project, offer_id, made, at=step.at, frozen=True)
    return offer


def keep(
    db: apsw.Connection,
    project: ProjectRef,
    offer_id: str,
    made: Rendered,
    *,
    at: str,
    frozen: bool = False,
) -> None:
    """Keep both forms in the place of those before; what is frozen stays."""
    forms: tuple[tuple[Format, bytes], ...] = (("pdf", made.pdf), ("markdown", made.markdown))
    name = fingerprint(made.source)
    for form, content in forms:
        _PUT.run(
            db,
            project_id=project.id,
            account_scope_id=project.account_scope_id,
            id=offer_id,
            format=form,
            source_hash=name,
            sha256=hashlib.sha256(content).hexdigest(),
            pages=made.pages if form == "pdf" else 0,
            content=content,
            frozen=frozen,
            at=at,
        )
