"""Companies, people, deals, notes and tasks of the vendor in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.accounts.audit_store import quoted_by
from ctower_desktop.crm.model import Deal, DealNotFound, DealWithNotes, ListDeals, Note, Task
from ctower_desktop.kernel.mirror import Mirror, searchable
from ctower_desktop.kernel.sql import Command, Query, as_json

COMPANY = Mirror(
    "company", "workspace_id", "external_id", "name", "domain", "description", "annual_revenue", "stage",
    "url", "created_at", "updated_at",
)  # fmt: skip
PERSON = Mirror(
    "person", "workspace_id", "external_id", "account_external_id", "full_name", "email", "phone_number",
    "role", "url", "created_at", "updated_at",
)  # fmt: skip
DEAL = Mirror(
    "deal", "workspace_id", "external_id", "account_external_id", "company_name", "title", "stage", "amount",
    "currency", "probability", "expected_close_date", "next_step", "owner_name", "url", "haystack",
    "created_at", "updated_at",
)  # fmt: skip
NOTE = Mirror(
    "note", "workspace_id", "external_id", "parent_kind", "parent_external_id", "title", "content",
    "author_name", "created_at", "updated_at",
)  # fmt: skip
TASK = Mirror(
    "task", "workspace_id", "external_id", "parent_external_id", "linked_external_ids", "content",
    "deadline_at", "is_completed", "completed_at", "assignee_name", "created_at", "updated_at",
)  # fmt: skip


class Staged(msgspec.Struct, frozen=True):
    """The stage a deal was in."""

    id: str
    stage: str


_DEAL = """id, external_id, account_external_id, company_name, title, stage, amount, currency, probability,
           expected_close_date, next_step, owner_name, url, created_at, updated_at"""
_LIST = Query(
    Deal,
    f"""
    SELECT {_DEAL} FROM deal
    WHERE project_id = :project_id AND deleted_at IS NULL AND (:stage = '' OR stage = :stage)
      AND (:q = '' OR instr(haystack, :q) > 0)
    ORDER BY updated_at DESC, id LIMIT :limit
    """,
)
_ONE = Query(
    Deal, f"SELECT {_DEAL} FROM deal WHERE id = :id AND project_id = :project_id", missing=DealNotFound
)
_NOTES = Query(
    Note,
    """
    SELECT id, parent_kind, parent_external_id, title, content, author_name, created_at FROM note
    WHERE project_id = :project_id AND parent_external_id IN (:deal, :company) AND deleted_at IS NULL
    ORDER BY created_at DESC, id
    """,
)
_TASKS = Query(
    Task,
    """
    SELECT id, parent_external_id, content, deadline_at, is_completed, assignee_name, created_at FROM task
    WHERE project_id = :project_id AND parent_external_id IN (:deal, :company) AND deleted_at IS NULL
    ORDER BY is_completed, deadline_at IS NULL, deadline_at, created_at DESC
    """,
)
_STAGES = Query(Staged, "SELECT id, stage FROM deal WHERE id IN (SELECT value FROM json_each(:ids))")
_BURY_NOTES = Command("""
    UPDATE note SET deleted_at = :at, deleted_reason = :reason
    WHERE project_id = :project_id AND parent_external_id IN (SELECT value FROM json_each(:external_ids))
      AND deleted_at IS NULL
""")

for _beginning, _table, _name in (
    ("attiodeal:", "deal", "title"),
    ("attioacct:", "company", "name"),
    ("attioperson:", "person", "full_name"),
):
    quoted_by(
        _beginning,
        f"""
        SELECT substr({_name}, 1, 500) AS text FROM {_table}
        WHERE id = :ref AND project_id = :project_id AND deleted_at IS NULL AND {_name} <> ''
        """,
    )


def deals(db: apsw.Connection, project_id: str, query: ListDeals) -> list[Deal]:
    """Deals, the last changed first."""
    return _LIST.all(db, project_id=project_id, q=searchable(query.q), stage=query.stage, limit=query.limit)


def deal(db: apsw.Connection, project_id: str, deal_id: str) -> DealWithNotes:
    """One deal with what was noted about it and its company; raise DealNotFound."""
    found = _ONE.one(db, id=deal_id, project_id=project_id)
    about = {"deal": found.external_id, "company": found.account_external_id}
    return DealWithNotes(
        deal=found,
        notes=_NOTES.all(db, project_id=project_id, **about),
        tasks=_TASKS.all(db, project_id=project_id, **about),
    )


def stages(db: apsw.Connection, ids: list[str]) -> dict[str, str]:
    """The stages these deals are in."""
    return {row.id: row.stage for row in _STAGES.all(db, ids=as_json(ids))}


def bury_notes_of(
    db: apsw.Connection, project_id: str, external_ids: list[str], at: str, reason: str
) -> None:
    """Mark notes about records as gone with them."""
    _BURY_NOTES.run(db, project_id=project_id, external_ids=as_json(external_ids), at=at, reason=reason)
