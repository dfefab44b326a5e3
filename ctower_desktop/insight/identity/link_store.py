"""Links in SQL: made, undone, and what each leaves no room for."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import msgspec

from ctower_desktop.insight.identity.matching import dedupe_key
from ctower_desktop.insight.identity.model import (
    Candidate,
    Clash,
    EntityNotFound,
    LeftType,
    LinkConflict,
    LinkExists,
    LinkInactive,
    LinkNotFound,
    LinkSource,
    LinkStatus,
    RightType,
    SuggestionStatus,
)
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef


class Pair(msgspec.Struct, frozen=True):
    """The two ends of a link."""

    id: str
    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str


class _Open(msgspec.Struct, frozen=True):
    id: str
    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str
    evidence_refs: list[str]


class _Stated(msgspec.Struct, frozen=True):
    id: str
    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str
    status: LinkStatus


class Delivered(msgspec.Struct, frozen=True):
    """A company and the delivery project it is linked to, by our id and by the vendors'."""

    company_id: str
    company_external_id: str
    project_external_id: str


_ACTIVE = Query(
    Pair,
    """
    SELECT id, left_entity_type, left_entity_id, right_entity_type, right_entity_id FROM identity_link
    WHERE project_id = :project_id AND status = 'active' ORDER BY created_at DESC, id
    """,
)
_OPEN = Query(
    _Open,
    """
    SELECT id, left_entity_type, left_entity_id, right_entity_type, right_entity_id, evidence_refs
    FROM identity_suggestion
    WHERE id IN (SELECT value FROM json_each(:ids)) AND project_id = :project_id AND status = 'proposed'
    ORDER BY confidence DESC, id
    """,
)
_DECIDE = Command("""
    UPDATE identity_suggestion SET status = :status, decided_by = :by, updated_at = :at
    WHERE id IN (SELECT value FROM json_each(:ids)) AND project_id = :project_id AND status = 'proposed'
""")
_STATED = Query(
    _Stated,
    """
    SELECT id, left_entity_type, left_entity_id, right_entity_type, right_entity_id, status
    FROM identity_link WHERE id = :id AND project_id = :project_id
    """,
    missing=LinkNotFound,
)
_BETWEEN = Query(
    _Stated,
    """
    SELECT id, left_entity_type, left_entity_id, right_entity_type, right_entity_id, status
    FROM identity_link
    WHERE project_id = :project_id AND left_entity_type = :left_type AND left_entity_id = :left_id
      AND right_entity_type = :right_type AND right_entity_id = :right_id
    """,
)
_MARK = Command("""
    UPDATE identity_suggestion SET status = :status, decided_by = :by, updated_at = :at
    WHERE project_id = :project_id AND dedupe_key = :dedupe_key AND status <> :status
""")
_TIE = Query(
    Pair,
    """
    INSERT INTO identity_link (id, project_id, account_scope_id, left_entity_type, left_entity_id,
        right_entity_type, right_entity_id, status, source, evidence_refs, created_by, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :left_type, :left_id, :right_type, :right_id, 'active',
        :source, :evidence_refs, :by, :at, :at)
    ON CONFLICT (project_id, left_entity_type, left_entity_id, right_entity_type, right_entity_id)
    DO UPDATE SET status = 'active', source = excluded.source, evidence_refs = excluded.evidence_refs,
        created_by = excluded.created_by, created_at = excluded.created_at, updated_at = excluded.updated_at
    RETURNING id, left_entity_type, left_entity_id, right_entity_type, right_entity_id
    """,
)
_UNTIE = Command("""
    UPDATE identity_link SET status = 'inactive', updated_at = :at WHERE id = :id AND status = 'active'
""")
_DELIVERIES = Query(
    Delivered,
    """
    SELECT x.left_entity_id AS company_id, c.external_id AS company_external_id,
           w.external_id AS project_external_id
    FROM identity_link x
    JOIN company c ON c.id = x.left_entity_id
    JOIN work_project w ON w.id = x.right_entity_id
    WHERE x.project_id = :project_id AND x.status = 'active' AND x.right_entity_type = 'linear_project'
      AND w.deleted_at IS NULL
    ORDER BY x.created_at, x.id
    """,
)


class _Id(msgspec.Struct, frozen=True):
    id: str


_HERE: dict[str, Query[_Id]] = {
    kind: Query(
        _Id,
        f"SELECT id FROM {table} WHERE id = :id AND project_id = :project_id AND deleted_at IS NULL",
        missing=EntityNotFound,
    )
    for kind, table in (
        ("cw_contact", "contact"),
        ("attio_account", "company"),
        ("attio_person", "person"),
        ("linear_project", "work_project"),
    )
}


class Ties:
    """Active links, and what they leave no room for.

    A contact has one company and is one person; a delivery project has one company.
    """

    def __init__(self, links: Iterable[Pair]) -> None:
        self._of: dict[tuple[str, str, str], Pair] = {}
        for link in links:
            self.add(link)

    def add(self, link: Pair) -> None:
        """Count a link that was just made."""
        for end in _ends(link):
            self._of[end] = link

    def against(self, one: Candidate | Pair) -> Pair | None:
        """The link to something else that a pair contradicts."""
        for end in _ends(one):
            link = self._of.get(end)
            if link is not None and not _same(link, one):
                return link
        return None


def _ends(one: Candidate | Pair) -> list[tuple[str, str, str]]:
    """The ends of a pair that can have one partner only, with the kind of the partner."""
    left = (one.left_entity_type, one.left_entity_id, one.right_entity_type)
    right = (one.right_entity_type, one.right_entity_id, one.left_entity_type)
    kinds: dict[str, list[tuple[str, str, str]]] = {
        "attio_account": [left],
        "attio_person": [left, right],
        "linear_project": [right],
    }
    return kinds[one.right_entity_type]


def _same(link: Pair, one: Candidate | Pair) -> bool:
    return (link.left_entity_id, link.right_entity_id) == (one.left_entity_id, one.right_entity_id)


def active(db: apsw.Connection, project_id: str) -> list[Pair]:
    """Every active link of a project."""
    return _ACTIVE.all(db, project_id=project_id)


def deliveries(db: apsw.Connection, project_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """The one delivery project of a company by its vendor id, and of a contact by our id.

    A company with several delivery projects has none here: which is meant cannot be known.
    """
    linked: dict[str, list[Delivered]] = {}
    for row in _DELIVERIES.all(db, project_id=project_id):
        linked.setdefault(row.company_id, []).append(row)
    sole = {company: found[0] for company, found in linked.items() if len(found) == 1}
    of_contact = {
        pair.left_entity_id: sole[pair.right_entity_id].project_external_id
        for pair in active(db, project_id)
        if pair.left_entity_type == "cw_contact" and pair.right_entity_id in sole
    }
    return {row.company_external_id: row.project_external_id for row in sole.values()}, of_contact


def apply(
    db: apsw.Connection, project: ProjectRef, ids: list[str], by: str, at: str
) -> tuple[list[str], list[Clash]]:
    """Make links of suggestions, the surest first; return the links' ids and what contradicts a link."""
    ties, made, clashes = Ties(active(db, project.id)), [], []
    for one in _OPEN.all(db, ids=as_json(ids), project_id=project.id):
        pair = Pair(
            one.id, one.left_entity_type, one.left_entity_id, one.right_entity_type, one.right_entity_id
        )
        other = ties.against(pair)
        if other is not None:
            clashes.append(
                Clash(
                    suggestion_id=one.id,
                    link_id=other.id,
                    error=LinkConflict.code,
                    message=str(LinkConflict()),
                )
            )
            continue
        link = _tie(db, project, pair, one.evidence_refs, source="suggestion", by=by, at=at)
        ties.add(link)
        made.append(link.id)
        _DECIDE.run(db, ids=as_json([one.id]), project_id=project.id, status="applied", by=by, at=at)
    return made, clashes


def dismiss(db: apsw.Connection, project_id: str, ids: list[str], by: str, at: str) -> list[str]:
    """Dismiss suggestions that are still open; return which."""
    found = [one.id for one in _OPEN.all(db, ids=as_json(ids), project_id=project_id)]
    _DECIDE.run(db, ids=as_json(found), project_id=project_id, status="dismissed", by=by, at=at)
    return found


def link_by_hand(db: apsw.Connection, project: ProjectRef, pair: Pair, by: str, at: str) -> str:
    """Link two that somebody knows to be one; return the link's id.

    Raise EntityNotFound, LinkExists or LinkConflict.
    """
    ends = (
        (pair.left_entity_type, pair.left_entity_id),
        (pair.right_entity_type, pair.right_entity_id),
    )
    for kind, entity_id in ends:
        _HERE[kind].one(db, id=entity_id, project_id=project.id)
    known = _BETWEEN.first(db, project_id=project.id, **_columns(pair))
    if known is not None and known.status == "active":
        raise LinkExists
    if Ties(active(db, project.id)).against(pair) is not None:
        raise LinkConflict
    refs = [pair.left_entity_id, pair.right_entity_id]
    link = _tie(db, project, pair, refs, source="manual", by=by, at=at)
    _mark(db, project.id, pair, "applied", by=by, at=at)
    return link.id


def undo(db: apsw.Connection, project_id: str, link_id: str, at: str) -> None:
    """End a link; its suggestion is open again. Raise LinkNotFound or LinkInactive."""
    found = _STATED.one(db, id=link_id, project_id=project_id)
    if found.status != "active":
        raise LinkInactive
    _UNTIE.run(db, id=link_id, at=at)
    _mark(db, project_id, found, "proposed", by=None, at=at)


def _tie(
    db: apsw.Connection,
    project: ProjectRef,
    pair: Pair,
    evidence_refs: list[str],
    *,
    source: LinkSource,
    by: str,
    at: str,
) -> Pair:
    return _TIE.one(
        db, id=new_id(), project_id=project.id, account_scope_id=project.account_scope_id, source=source,
        evidence_refs=as_json(evidence_refs), by=by, at=at, **_columns(pair),
    )  # fmt: skip


def _mark(
    db: apsw.Connection,
    project_id: str,
    pair: Pair | _Stated,
    status: SuggestionStatus,
    *,
    by: str | None,
    at: str,
) -> None:
    key = dedupe_key(pair.left_entity_type, pair.left_entity_id, pair.right_entity_type, pair.right_entity_id)
    _MARK.run(db, project_id=project_id, dedupe_key=key, status=status, by=by, at=at)


def _columns(pair: Pair) -> dict[str, str]:
    return {
        "left_type": pair.left_entity_type,
        "left_id": pair.left_entity_id,
        "right_type": pair.right_entity_type,
        "right_id": pair.right_entity_id,
    }
