"""Continuity actions in SQL, and the deals and messages they follow from."""

from __future__ import annotations

from typing import Any, Literal

import apsw
import msgspec

from ctower_desktop.crm.mirroring_store import NEXT_STEP
from ctower_desktop.insight.continuity.model import (
    Action,
    IssueNow,
    ListActions,
    Proposed,
    SourceType,
    Status,
    Target,
)
from ctower_desktop.insight.continuity.proposals import Said, Sold, Sources
from ctower_desktop.insight.identity.link_store import deliveries
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef

_SOLD_MOST, _SAID_MOST = 5_000, 2_000


class _Row(msgspec.Struct, frozen=True):
    id: str
    source_type: SourceType
    source_ref: str
    title: str
    description: str
    due_date: str | None
    preview_payload: dict[str, Any]
    linear_issue_external_id: str | None
    issue_identifier: str | None
    issue_url: str | None
    target: Target | None
    status: Status
    error: str | None
    attempts: int
    evidence_refs: list[str]
    created_by: str
    applied_by: str | None
    applied_at: str | None
    created_at: str
    updated_at: str
    issue_id: str | None
    issue_now_identifier: str | None
    issue_title: str | None
    issue_now_url: str | None
    issue_state: str | None
    issue_state_type: str | None
    issue_assignee: str | None
    issue_due_date: str | None
    issue_completed_at: str | None
    issue_source: Literal["linear", "local"] | None
    issue_gone: bool


class _Known(msgspec.Struct, frozen=True):
    id: str
    dedupe_key: str
    status: Status
    begun: bool
    source_type: SourceType
    here: bool


class _Id(msgspec.Struct, frozen=True):
    id: str


_ROW = """
    SELECT a.id, a.source_type, a.source_ref, a.title, a.description, a.due_date, a.preview_payload,
           a.linear_issue_external_id, a.issue_identifier, a.issue_url, a.target, a.status, a.error,
           a.attempts, a.evidence_refs, a.created_by, a.applied_by, a.applied_at, a.created_at, a.updated_at,
           i.id AS issue_id, i.identifier AS issue_now_identifier, i.title AS issue_title,
           i.url AS issue_now_url, i.state AS issue_state, i.state_type AS issue_state_type,
           i.assignee_name AS issue_assignee, i.due_date AS issue_due_date,
           i.completed_at AS issue_completed_at, i.source AS issue_source,
           i.deleted_at IS NOT NULL AS issue_gone
    FROM continuity_action a
    LEFT JOIN issue i ON i.project_id = a.project_id AND i.external_id = a.linear_issue_external_id
"""
_PAGE = "ORDER BY a.updated_at DESC, a.id LIMIT :limit OFFSET :offset"
_ALL = Query(_Row, f"{_ROW} WHERE a.project_id = :project_id {_PAGE}")
_OF_STATUS = Query(_Row, f"{_ROW} WHERE a.project_id = :project_id AND a.status = :status {_PAGE}")
_BY_ID = Query(
    _Row,
    f"""{_ROW} WHERE a.id IN (SELECT value FROM json_each(:ids)) AND a.project_id = :project_id
    ORDER BY a.updated_at DESC, a.id""",
)

_OPPORTUNITIES = Query(
    Sold,
    """
    SELECT o.id AS ref, o.external_ref AS vendor_ref, o.title, o.stage, o.next_step,
           o.expected_close_date AS close_date, o.amount_estimate AS amount, o.currency,
           o.owner_username AS owner,
           a.name AS company, a.external_ref AS company_ref, o.updated_at,
           o.source_system <> 'attio' AS manual
    FROM crm_opportunity o JOIN crm_account a ON a.id = o.account_id
    WHERE o.project_id = :project_id AND o.deleted_at IS NULL AND o.stage NOT IN ('won', 'lost')
    ORDER BY o.updated_at DESC, o.id LIMIT :limit
    """,
)
_DEALS = Query(
    Sold,
    """
    SELECT d.id AS ref, d.external_id AS vendor_ref, d.title, d.stage, d.next_step,
           d.expected_close_date AS close_date, d.amount, d.currency, d.owner_name AS owner,
           d.company_name AS company,
           d.account_external_id AS company_ref, d.updated_at, 0 AS manual
    FROM deal d
    WHERE d.project_id = :project_id AND d.deleted_at IS NULL AND d.next_step IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM crm_opportunity o
                      WHERE o.project_id = :project_id AND o.external_ref = d.external_id)
    ORDER BY d.updated_at DESC, d.id LIMIT :limit
    """,
)
_SAID = Query(
    Said,
    """
    SELECT m.id, m.conversation_global_id AS conversation_id, c.contact_global_id AS contact_id,
           p.name AS contact_name, m.sender_name, m.content, m.created_at
    FROM message m
    JOIN conversation c ON c.id = m.conversation_global_id
    LEFT JOIN contact p ON p.id = c.contact_global_id
    WHERE m.project_id = :project_id AND m.deleted_at IS NULL AND m.created_at >= :since
      AND m.private = 0 AND lower(coalesce(m.sender_type, '')) IN ('user', 'agent', 'team')
      AND m.message_type NOT IN ('0', '2', '3') AND coalesce(m.content, '') <> '' AND c.deleted_at IS NULL
    ORDER BY m.created_at DESC, m.id LIMIT :limit
    """,
)
_KNOWN = Query(
    _Known,
    """
    SELECT a.id, a.dedupe_key, a.status, a.linear_issue_external_id IS NOT NULL AS begun, a.source_type,
           m.id IS NOT NULL AND m.created_at <= :since AS here
    FROM continuity_action a
    LEFT JOIN message m ON m.id = a.source_ref AND m.deleted_at IS NULL AND a.source_type = 'chatwoot'
    WHERE a.project_id = :project_id AND a.status IN ('previewed', 'failed')
    """,
)
_PUT = Query(
    _Id,
    """
    INSERT INTO continuity_action (id, project_id, account_scope_id, source_type, source_ref, title,
        description, due_date, preview_payload, evidence_refs, dedupe_key, created_by, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :source_type, :source_ref, :title, :description, :due_date,
        :preview_payload, :evidence_refs, :dedupe_key, :by, :at, :at)
    ON CONFLICT (project_id, dedupe_key) DO UPDATE
    SET source_type = excluded.source_type, source_ref = excluded.source_ref, title = excluded.title,
        description = excluded.description, due_date = excluded.due_date,
        preview_payload = excluded.preview_payload, evidence_refs = excluded.evidence_refs,
        updated_at = CASE
            WHEN (continuity_action.title, continuity_action.description, continuity_action.due_date)
                 IS (excluded.title, excluded.description, excluded.due_date)
            THEN continuity_action.updated_at ELSE excluded.updated_at END
    WHERE continuity_action.status IN ('previewed', 'failed')
    RETURNING id
    """,
)
_DROP = Command("""
    DELETE FROM continuity_action
    WHERE id IN (SELECT value FROM json_each(:ids)) AND project_id = :project_id AND status <> 'applied'
""")
_DISMISS = Query(
    _Id,
    """
    UPDATE continuity_action SET status = 'dismissed', error = NULL, updated_at = :at
    WHERE id IN (SELECT value FROM json_each(:ids)) AND project_id = :project_id
      AND status IN ('previewed', 'failed')
    RETURNING id
    """,
)


def sources(db: apsw.Connection, project_id: str, since: str) -> Sources:
    """Open deals of both kinds, what the team wrote since, and where the work for whom is done."""
    of_company, of_contact = deliveries(db, project_id)
    said = _SAID.all(db, project_id=project_id, since=since, limit=_SAID_MOST)
    return Sources(
        sold=[
            *_OPPORTUNITIES.all(db, project_id=project_id, limit=_SOLD_MOST),
            *_DEALS.all(db, project_id=project_id, limit=_SOLD_MOST),
        ],
        said=said,
        since=said[-1].created_at if len(said) == _SAID_MOST else since,
        project_of_company=of_company,
        project_of_contact=of_contact,
        filler=NEXT_STEP,
    )


def keep(
    db: apsw.Connection, project: ProjectRef, found: list[Proposed], *, since: str, by: str, at: str
) -> list[str]:
    """Store what was found, withdraw what no longer follows; return the ids that stand to be applied."""
    valid = {one.dedupe_key for one in found}
    stale = [
        row.id
        for row in _KNOWN.all(db, project_id=project.id, since=since)
        if row.dedupe_key not in valid and not row.begun and not row.here
    ]
    _DROP.run(db, ids=as_json(stale), project_id=project.id)
    touched = []
    for one in found:
        row = _PUT.first(
            db, id=new_id(), project_id=project.id, account_scope_id=project.account_scope_id,
            source_type=one.source_type, source_ref=one.source_ref, title=one.title,
            description=one.description, due_date=one.due_date, preview_payload=as_json(one.preview_payload),
            evidence_refs=as_json(one.evidence_refs), dedupe_key=one.dedupe_key, by=by, at=at,
        )  # fmt: skip
        if row is not None:
            touched.append(row.id)
    return touched


def actions(db: apsw.Connection, project_id: str, query: ListActions) -> list[Action]:
    """Actions of a status, or all, the last touched first."""
    page: dict[str, Any] = {"project_id": project_id, "limit": query.limit, "offset": query.offset}
    if not query.status or query.status == "all":
        return [_action(row) for row in _ALL.all(db, **page)]
    return [_action(row) for row in _OF_STATUS.all(db, status=query.status, **page)]


def actions_by_id(db: apsw.Connection, project_id: str, ids: list[str]) -> list[Action]:
    """These actions as far as they are of the project, the last touched first."""
    return [_action(row) for row in _BY_ID.all(db, project_id=project_id, ids=as_json(ids))]


def dismiss(db: apsw.Connection, project_id: str, ids: list[str], at: str) -> list[str]:
    """Dismiss what is not applied; return which."""
    return [row.id for row in _DISMISS.all(db, ids=as_json(ids), project_id=project_id, at=at)]


def _action(row: _Row) -> Action:
    own = {name: getattr(row, name) for name in _OWN}
    return Action(**own, issue=_issue(row))


_OWN = tuple(f.name for f in msgspec.structs.fields(Action) if f.name != "issue")


def _issue(row: _Row) -> IssueNow | None:
    if row.issue_id is None:
        return None
    return IssueNow(
        id=row.issue_id,
        identifier=row.issue_now_identifier or "",
        title=row.issue_title or "",
        url=row.issue_now_url,
        state=row.issue_state,
        state_type=row.issue_state_type,
        assignee_name=row.issue_assignee,
        due_date=row.issue_due_date,
        completed_at=row.issue_completed_at,
        local=row.issue_source == "local",
        gone=row.issue_gone,
    )
