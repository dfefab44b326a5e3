"""Suggestions and links in SQL, and the rows they are made of."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from ctower_desktop.insight.identity.link_store import Ties, active
from ctower_desktop.insight.identity.matching import (
    Company,
    Contact,
    Delivery,
    Person,
    Rows,
    says_more,
)
from ctower_desktop.insight.identity.model import (
    Candidate,
    LeftType,
    Link,
    LinkNotFound,
    LinkSource,
    LinkStatus,
    ListLinks,
    ListSuggestions,
    RightType,
    Side,
    Suggestion,
    SuggestionStatus,
)
from ctower_desktop.insight.identity.names import domain_of
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef

_CONTACTS = Query(
    Contact,
    """
    SELECT id, name, email, phone_number, company_name FROM contact
    WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY updated_at DESC, id
    """,
)
_COMPANIES = Query(
    Company,
    """
    SELECT id, external_id, name, domain FROM company
    WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY name, id
    """,
)
_PEOPLE = Query(
    Person,
    """
    SELECT id, account_external_id, full_name, email, phone_number FROM person
    WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY full_name, id
    """,
)
_PROJECTS = Query(
    Delivery,
    """
    SELECT id, name FROM work_project
    WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY name, id
    """,
)


class _Known(msgspec.Struct, frozen=True):
    id: str
    dedupe_key: str
    evidence_key: str
    status: SuggestionStatus


class _Sides(msgspec.Struct, frozen=True):
    """Both ends as the join finds them; what the vendor no longer has is null or gone."""

    left_name: str | None
    left_email: str | None
    left_phone: str | None
    left_domain: str | None
    left_company: str | None
    left_url: str | None
    left_here: bool
    right_name: str | None
    right_email: str | None
    right_phone: str | None
    right_domain: str | None
    right_url: str | None
    right_here: bool


class _Suggested(_Sides, frozen=True):
    id: str
    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str
    confidence: float
    reason: str
    status: SuggestionStatus
    evidence_refs: list[str]
    meta: dict[str, Any]
    created_at: str
    updated_at: str


class _Linked(_Sides, frozen=True):
    id: str
    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str
    status: LinkStatus
    source: LinkSource
    evidence_refs: list[str]
    created_by: str
    created_at: str
    updated_at: str


_SIDES = """
    coalesce(c.name, a.name) AS left_name, c.email AS left_email, c.phone_number AS left_phone,
    a.domain AS left_domain, c.company_name AS left_company, a.url AS left_url,
    coalesce(c.deleted_at IS NULL AND c.id IS NOT NULL OR a.deleted_at IS NULL AND a.id IS NOT NULL, 0)
        AS left_here,
    coalesce(b.name, p.full_name, w.name) AS right_name, p.email AS right_email,
    p.phone_number AS right_phone, b.domain AS right_domain, coalesce(b.url, p.url, w.url) AS right_url,
    coalesce(b.deleted_at IS NULL AND b.id IS NOT NULL OR p.deleted_at IS NULL AND p.id IS NOT NULL
             OR w.deleted_at IS NULL AND w.id IS NOT NULL, 0) AS right_here
"""
_ENDS = """
    LEFT JOIN contact c ON x.left_entity_type = 'cw_contact' AND c.id = x.left_entity_id
    LEFT JOIN company a ON x.left_entity_type = 'attio_account' AND a.id = x.left_entity_id
    LEFT JOIN company b ON x.right_entity_type = 'attio_account' AND b.id = x.right_entity_id
    LEFT JOIN person p ON x.right_entity_type = 'attio_person' AND p.id = x.right_entity_id
    LEFT JOIN work_project w ON x.right_entity_type = 'linear_project' AND w.id = x.right_entity_id
"""
_SUGGESTION = f"""
    SELECT {_SIDES}, x.id, x.left_entity_type, x.left_entity_id, x.right_entity_type, x.right_entity_id,
           x.confidence, x.reason, x.status, x.evidence_refs, x.meta, x.created_at, x.updated_at
    FROM identity_suggestion x {_ENDS}
"""
_BEST = "ORDER BY x.confidence DESC, x.updated_at DESC, x.id LIMIT :limit OFFSET :offset"
_SUGGESTIONS = Query(
    _Suggested, f"{_SUGGESTION} WHERE x.project_id = :project_id AND x.status = :status {_BEST}"
)
_ALL_SUGGESTIONS = Query(_Suggested, f"{_SUGGESTION} WHERE x.project_id = :project_id {_BEST}")
_SUGGESTIONS_BY_ID = Query(
    _Suggested,
    f"""{_SUGGESTION} WHERE x.id IN (SELECT value FROM json_each(:ids)) AND x.project_id = :project_id
    ORDER BY x.confidence DESC, x.id""",
)
_LINK = f"""
    SELECT {_SIDES}, x.id, x.left_entity_type, x.left_entity_id, x.right_entity_type, x.right_entity_id,
           x.status, x.source, x.evidence_refs, x.created_by, x.created_at, x.updated_at
    FROM identity_link x {_ENDS}
"""
_NEWEST = "ORDER BY x.created_at DESC, x.id LIMIT :limit OFFSET :offset"
_LINKS = Query(_Linked, f"{_LINK} WHERE x.project_id = :project_id AND x.status = :status {_NEWEST}")
_ALL_LINKS = Query(_Linked, f"{_LINK} WHERE x.project_id = :project_id {_NEWEST}")
_ONE_LINK = Query(_Linked, f"{_LINK} WHERE x.id = :id AND x.project_id = :project_id", missing=LinkNotFound)

_KNOWN = Query(
    _Known,
    """
    SELECT id, dedupe_key, evidence_key, status FROM identity_suggestion
    WHERE project_id = :project_id ORDER BY confidence DESC, updated_at DESC, id
    """,
)
_PUT = Command("""
    INSERT INTO identity_suggestion (id, project_id, account_scope_id, left_entity_type, left_entity_id,
        right_entity_type, right_entity_id, confidence, reason, evidence_refs, meta, dedupe_key, evidence_key,
        created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :left_type, :left_id, :right_type, :right_id, :confidence,
        :reason, :evidence_refs, :meta, :dedupe_key, :evidence_key, :at, :at)
    ON CONFLICT (project_id, dedupe_key) DO UPDATE
    SET confidence = excluded.confidence, reason = excluded.reason, evidence_refs = excluded.evidence_refs,
        meta = excluded.meta, evidence_key = excluded.evidence_key, status = 'proposed', decided_by = NULL,
        updated_at = excluded.updated_at
    WHERE (identity_suggestion.confidence, identity_suggestion.reason, identity_suggestion.meta,
           identity_suggestion.evidence_key, identity_suggestion.status)
        IS NOT (excluded.confidence, excluded.reason, excluded.meta, excluded.evidence_key, 'proposed')
""")
_WITHDRAW = Command("""
    DELETE FROM identity_suggestion
    WHERE id IN (SELECT value FROM json_each(:ids)) AND project_id = :project_id AND status = 'proposed'
""")


def rows(db: apsw.Connection, project_id: str) -> Rows:
    """Everything of a project that may be the same client."""
    return Rows(
        _CONTACTS.all(db, project_id=project_id),
        _COMPANIES.all(db, project_id=project_id),
        _PEOPLE.all(db, project_id=project_id),
        _PROJECTS.all(db, project_id=project_id),
    )


def keep(
    db: apsw.Connection, project: ProjectRef, found: list[Candidate], limit: int, at: str
) -> tuple[list[Candidate], int]:
    """Store the surest of what may be decided, withdraw what no longer holds; return it, and how many."""
    known = {row.dedupe_key: row for row in _KNOWN.all(db, project_id=project.id)}
    valid = {one.dedupe_key for one in found}
    stale = [row.id for row in known.values() if row.status == "proposed" and row.dedupe_key not in valid]
    ties = Ties(active(db, project.id))
    possible = [one for one in found if not ties.against(one)]
    stale += [
        known[one.dedupe_key].id
        for one in found
        if one.dedupe_key in known and known[one.dedupe_key].status == "proposed" and ties.against(one)
    ]
    _WITHDRAW.run(db, ids=as_json(stale), project_id=project.id)
    open_ones = [one for one in possible if _to_decide(known.get(one.dedupe_key), one)]
    open_keys = {one.dedupe_key for one in open_ones}
    decided = [one for one in possible if one.dedupe_key not in open_keys]
    chosen = [*open_ones[:limit], *decided[: max(0, limit - len(open_ones))]]
    _PUT.run_many(db, [_stored(project, one, at) for one in open_ones[:limit]])
    chosen.sort(key=lambda one: (-one.confidence, one.dedupe_key))
    return chosen, len(open_ones[:limit])


def _to_decide(known: _Known | None, found: Candidate) -> bool:
    """What was dismissed comes again only with evidence that was not there then."""
    if known is None or known.status == "proposed":
        return True
    return known.status == "dismissed" and says_more(found.evidence_key, known.evidence_key)


def _stored(project: ProjectRef, one: Candidate, at: str) -> dict[str, Any]:
    return {
        "id": new_id(), "project_id": project.id, "account_scope_id": project.account_scope_id,
        "left_type": one.left_entity_type, "left_id": one.left_entity_id,
        "right_type": one.right_entity_type, "right_id": one.right_entity_id,
        "confidence": one.confidence, "reason": one.reason, "evidence_refs": as_json(one.evidence_refs),
        "meta": as_json(one.meta), "dedupe_key": one.dedupe_key, "evidence_key": one.evidence_key, "at": at,
    }  # fmt: skip


def suggestions(db: apsw.Connection, project_id: str, query: ListSuggestions) -> list[Suggestion]:
    """Suggestions of a status, or all, the surest first."""
    page: dict[str, Any] = {"project_id": project_id, "limit": query.limit, "offset": query.offset}
    if query.status == "all":
        return [_suggestion(row) for row in _ALL_SUGGESTIONS.all(db, **page)]
    return [_suggestion(row) for row in _SUGGESTIONS.all(db, status=query.status, **page)]


def suggestions_by_id(db: apsw.Connection, project_id: str, ids: list[str]) -> list[Suggestion]:
    """These suggestions as far as they are of the project, the surest first."""
    found = _SUGGESTIONS_BY_ID.all(db, project_id=project_id, ids=as_json(ids))
    return [_suggestion(row) for row in found]


def links(db: apsw.Connection, project_id: str, query: ListLinks) -> list[Link]:
    """Links of a status, or all, the newest first."""
    page: dict[str, Any] = {"project_id": project_id, "limit": query.limit, "offset": query.offset}
    if query.status == "all":
        return [_link(row) for row in _ALL_LINKS.all(db, **page)]
    return [_link(row) for row in _LINKS.all(db, status=query.status, **page)]


def link(db: apsw.Connection, project_id: str, link_id: str) -> Link:
    """One link; raise LinkNotFound."""
    return _link(_ONE_LINK.one(db, id=link_id, project_id=project_id))


def _suggestion(row: _Suggested) -> Suggestion:
    return Suggestion(
        id=row.id,
        left_entity_type=row.left_entity_type,
        left_entity_id=row.left_entity_id,
        right_entity_type=row.right_entity_type,
        right_entity_id=row.right_entity_id,
        confidence=row.confidence,
        reason=row.reason,
        status=row.status,
        evidence_refs=row.evidence_refs,
        meta=row.meta,
        created_at=row.created_at,
        updated_at=row.updated_at,
        left=_left(row),
        right=_right(row),
    )


def _link(row: _Linked) -> Link:
    return Link(
        id=row.id,
        left_entity_type=row.left_entity_type,
        left_entity_id=row.left_entity_id,
        right_entity_type=row.right_entity_type,
        right_entity_id=row.right_entity_id,
        status=row.status,
        source=row.source,
        evidence_refs=row.evidence_refs,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        left=_left(row),
        right=_right(row),
    )


def _left(row: _Suggested | _Linked) -> Side:
    return Side(
        entity_type=row.left_entity_type,
        entity_id=row.left_entity_id,
        name=row.left_name,
        email=row.left_email,
        phone_number=row.left_phone,
        domain=row.left_domain or domain_of(row.left_email) or None,
        company_name=row.left_company,
        url=row.left_url,
        gone=not row.left_here,
    )


def _right(row: _Suggested | _Linked) -> Side:
    return Side(
        entity_type=row.right_entity_type,
        entity_id=row.right_entity_id,
        name=row.right_name,
        email=row.right_email,
        phone_number=row.right_phone,
        domain=row.right_domain or domain_of(row.right_email) or None,
        url=row.right_url,
        gone=not row.right_here,
    )
