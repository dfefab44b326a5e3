"""Companies, people, deals, notes and tasks in SQL, and the accounts and opportunities mirrored from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import apsw
import msgspec

from ctower_desktop.crm.model import Deal, DealNotFound, DealWithNotes, ListDeals, Note, Task
from ctower_desktop.kernel.mirror import Mirror, searchable
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id

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

NEXT_STEP = "Agree on the next step"  # an opportunity always has one


class Staged(msgspec.Struct, frozen=True):
    """The stage a deal was in."""

    id: str
    stage: str


class _Known(msgspec.Struct, frozen=True):
    id: str


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

_ADOPT = Query(
    _Known,
    """
    UPDATE crm_account SET external_ref = :ref, source_system = 'attio', updated_at = :at
    WHERE id = (SELECT id FROM crm_account WHERE project_id = :project_id AND lower(name) = lower(:name)
                  AND external_ref IS NULL ORDER BY created_at LIMIT 1)
    RETURNING id
    """,
)
_MIRRORED = Query(_Known, "SELECT id FROM crm_account WHERE project_id = :project_id AND external_ref = :ref")
_PUT_ACCOUNT = Command("""
    INSERT INTO crm_account (id, project_id, account_scope_id, name, domain, external_ref, stage,
    source_system,
                             created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :name, :domain, :ref, :stage, 'attio', :at, :at)
    ON CONFLICT (project_id, external_ref) WHERE external_ref IS NOT NULL DO UPDATE
    SET name = excluded.name, domain = excluded.domain, stage = excluded.stage,
    updated_at = excluded.updated_at
""")
_PUT_OPPORTUNITY = Command("""
    INSERT INTO crm_opportunity (id, project_id, account_scope_id, account_id, title, stage, amount_estimate,
        probability, expected_close_date, next_step, owner_username, external_ref, source_system,
        created_at, updated_at)
    SELECT :id, :project_id, :account_scope_id, a.id, :title, :stage, :amount, :probability, :close,
    :next_step,
           :owner, :ref, 'attio', :at, :at
    FROM crm_account a WHERE a.project_id = :project_id AND a.external_ref = :account_ref
    ON CONFLICT (project_id, external_ref) WHERE external_ref IS NOT NULL DO UPDATE
    SET account_id = excluded.account_id, title = excluded.title, stage = excluded.stage,
        amount_estimate = excluded.amount_estimate, probability = excluded.probability,
        expected_close_date = excluded.expected_close_date, next_step = excluded.next_step,
        owner_username = excluded.owner_username, updated_at = excluded.updated_at
""")

_ACCOUNT_STAGES = {
    "active": ("active", "customer", "won", "closed-won"),
    "inactive": ("inactive", "churned", "lost", "closed-lost"),
}
_DEAL_STAGES = {
    "won": ("won", "closed-won"),
    "lost": ("lost", "closed-lost"),
    "proposal": ("proposal", "proposal-sent"),
    "negotiation": ("negotiation",),
    "qualified": ("qualified",),
}


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


def mirror_accounts(db: apsw.Connection, rows: Sequence[Mapping[str, Any]], at: str) -> None:
    """Our accounts after the vendor's companies: one known by reference, else by name, else new."""
    for row in rows:
        ref, name, project_id = row["external_id"], row["name"], row["project_id"]
        known = _MIRRORED.first(db, project_id=project_id, ref=ref)
        if known is None:
            _ADOPT.all(db, project_id=project_id, ref=ref, name=name, at=at)
        _PUT_ACCOUNT.run(
            db, id=new_id(), project_id=project_id, account_scope_id=row["account_scope_id"], name=name,
            domain=row["domain"], ref=ref, stage=account_stage(row["stage"]), at=at,
        )  # fmt: skip


def mirror_opportunities(db: apsw.Connection, rows: Sequence[Mapping[str, Any]], at: str) -> None:
    """Our opportunities after the vendor's deals, where the company is one of our accounts."""
    _PUT_OPPORTUNITY.run_many(
        db,
        [
            {
                "id": new_id(), "project_id": row["project_id"], "account_scope_id": row["account_scope_id"],
                "title": row["title"], "stage": opportunity_stage(row["stage"]),
                "amount": row["amount"] or 0.0,
                "probability": row["probability"], "close": row["expected_close_date"],
                "next_step": row["next_step"] or NEXT_STEP, "owner": row["owner_name"],
                "ref": row["external_id"], "account_ref": row["account_external_id"], "at": at,
            }
            for row in rows if row["account_external_id"]
        ],
    )  # fmt: skip


def account_stage(raw: str | None) -> str:
    """Our stage of an account for the vendor's word."""
    return _stage(raw, _ACCOUNT_STAGES, "prospect")


def opportunity_stage(raw: str | None) -> str:
    """Our stage of an opportunity for the vendor's word."""
    return _stage(raw, _DEAL_STAGES, "discovery")


def _stage(raw: str | None, stages: Mapping[str, tuple[str, ...]], default: str) -> str:
    word = "-".join((raw or "").lower().replace("_", " ").replace("-", " ").split())
    return next((stage for stage, words in stages.items() if word in words), default)
