"""Opportunities, their moves from stage to stage, and sales at a glance, in SQL."""

from __future__ import annotations

from typing import Any, get_args

import apsw
import msgspec

from ctower_desktop.accounts.audit_store import quoted_by
from ctower_desktop.accounts.model import EvidenceRef
from ctower_desktop.crm import account_store
from ctower_desktop.crm.model import (
    ARCHIVED,
    AccountArchived,
    ListOpportunities,
    NotMirrored,
    Opportunity,
    OpportunityArchived,
    OpportunityNotFound,
    OpportunityStage,
    OpportunityWithEvents,
    Overview,
    StageCount,
    StageEvent,
    StatusCount,
    UnknownField,
)
from ctower_desktop.crm.ownership import OPPORTUNITY_FIELDS, owned_here
from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A change of stage by a person."""

    stage: OpportunityStage
    reason: str | None
    evidence_refs: list[EvidenceRef]
    actor: str
    request_id: str
    at: str


class Moved(msgspec.Struct, frozen=True):
    """An opportunity after a move, and the stage it was in."""

    opportunity: Opportunity
    before: str


class _Stored(msgspec.Struct, frozen=True):
    """An opportunity as it is written."""

    title: str
    stage: str
    stage_changed_at: str
    amount_estimate: float
    currency: str | None
    probability: float
    expected_close_date: str | None
    next_step: str
    owner_user_id: str | None
    owner_username: str | None
    evidence_refs: list[Any]
    vendor: dict[str, Any] | None
    local_fields: list[str]
    deleted_at: str | None


class _Count(msgspec.Struct, frozen=True):
    n: int


_MIDNIGHT = "|| 'T00:00:00.000Z'"
_VENDOR = f"""
    CASE WHEN o.vendor ->> 'expected_close_date' IS NULL THEN o.vendor ELSE
    json_set(o.vendor, '$.expected_close_date', (o.vendor ->> 'expected_close_date') {_MIDNIGHT}) END
"""
_COLUMNS = f"""
    o.id, o.account_id, a.name AS account_name, o.title, o.stage, o.stage_changed_at, o.amount_estimate,
    o.currency, o.probability, o.expected_close_date {_MIDNIGHT} AS expected_close_date, o.next_step,
    o.owner_user_id, o.owner_username, o.evidence_refs, o.external_ref, o.source_system, {_VENDOR} AS vendor,
    o.local_fields, o.created_at, o.updated_at, o.deleted_at IS NOT NULL AS archived
"""
_FROM = "FROM crm_opportunity AS o CROSS JOIN crm_account AS a ON a.id = o.account_id"
_OF = "WHERE o.project_id = :project_id"
_FITS = """
    (:account_id = '' OR o.account_id = :account_id)
    AND (:q = '' OR instr(o.title_key, :q) > 0 OR instr(a.name_key, :q) > 0)
    ORDER BY o.updated_at DESC, o.id LIMIT :limit OFFSET :offset
"""
_LIST = Query(Opportunity, f"SELECT {_COLUMNS} {_FROM} {_OF} AND o.deleted_at IS NULL AND {_FITS}")
_IN_STAGE = Query(
    Opportunity,
    f"SELECT {_COLUMNS} {_FROM} {_OF} AND o.stage = :stage AND o.deleted_at IS NULL AND {_FITS}",
)
_ARCHIVED = Query(
    Opportunity,
    f"SELECT {_COLUMNS} {_FROM} {_OF} AND o.deleted_at IS NOT NULL "
    f"AND (:stage = '' OR o.stage = :stage) AND {_FITS}",
)
_OF_ACCOUNT = Query(
    Opportunity,
    f"SELECT {_COLUMNS} {_FROM} WHERE o.account_id = :account_id AND o.deleted_at IS NULL "
    "ORDER BY o.updated_at DESC LIMIT 500",
)
_ONE = Query(Opportunity, f"SELECT {_COLUMNS} {_FROM} {_OF} AND o.id = :id", missing=OpportunityNotFound)
quoted_by(
    "",
    """
    SELECT substr(title, 1, 500) AS text FROM crm_opportunity
    WHERE id = :ref AND project_id = :project_id AND deleted_at IS NULL
    """,
)
_STORED = Query(
    _Stored,
    f"""
    SELECT title, stage, stage_changed_at, amount_estimate, currency, probability, expected_close_date,
           next_step, owner_user_id, owner_username, evidence_refs, vendor, local_fields, deleted_at
    FROM crm_opportunity AS o {_OF} AND o.id = :id
    """,
    missing=OpportunityNotFound,
)
_EVENTS = Query(
    StageEvent,
    """
    SELECT id, from_stage, to_stage, reason, source, actor_username, evidence_refs, request_id, created_at
    FROM crm_stage_event WHERE opportunity_id = :id ORDER BY id DESC LIMIT 500
    """,
)
_ADD = Command("""
    INSERT INTO crm_opportunity (id, project_id, account_scope_id, account_id, title, title_key, stage,
        stage_changed_at, amount_estimate, currency, probability, expected_close_date, next_step,
        owner_user_id, owner_username, evidence_refs, created_at, updated_at, written_at)
    VALUES (:id, :project_id, :account_scope_id, :account_id, :title, :title_key, :stage, :at,
        :amount_estimate, :currency, :probability, :expected_close_date, :next_step, :owner_user_id,
        :owner_username, :evidence_refs, :at, :at, :at)
""")
_SET = Command("""
    UPDATE crm_opportunity SET title = :title, title_key = :title_key, stage = :stage,
        stage_changed_at = :stage_changed_at, amount_estimate = :amount_estimate, currency = :currency,
        probability = :probability, expected_close_date = :expected_close_date, next_step = :next_step,
        owner_user_id = :owner_user_id, owner_username = :owner_username, evidence_refs = :evidence_refs,
        local_fields = :local_fields, updated_at = :at, written_at = :at
    WHERE id = :id
""")
_PUT_AWAY = Command("""
    UPDATE crm_opportunity
    SET deleted_at = :gone, deleted_reason = :reason, updated_at = :at, written_at = :at
    WHERE id = :id
""")
_MOVED = Command("""
    INSERT INTO crm_stage_event (project_id, account_scope_id, opportunity_id, from_stage, to_stage, reason,
                                 source, actor_username, evidence_refs, request_id, created_at)
    VALUES (:project_id, :account_scope_id, :id, :before, :stage, :reason, :source, :actor, :evidence_refs,
            :request_id, :at)
""")
_ACCOUNTS = Query(
    _Count, "SELECT count(*) AS n FROM crm_account WHERE project_id = :project_id AND deleted_at IS NULL"
)
_STAGES = Query(
    StageCount,
    "SELECT stage, count(*) AS count FROM crm_opportunity "
    "WHERE project_id = :project_id AND deleted_at IS NULL GROUP BY stage",
)
_LINKS = Query(
    StatusCount,
    "SELECT status, count(*) AS count FROM identity_link WHERE project_id = :project_id "
    "GROUP BY status ORDER BY status",
)


def listed(db: apsw.Connection, project_id: str, query: ListOpportunities) -> list[Opportunity]:
    """Opportunities, the last changed first."""
    params = msgspec.structs.asdict(query) | {"project_id": project_id, "q": searchable(query.q)}
    if params.pop("archived"):
        return _ARCHIVED.all(db, **params)
    return (_IN_STAGE if query.stage else _LIST).all(db, **params)


def of_account(db: apsw.Connection, account_id: str) -> list[Opportunity]:
    """What may be, or was, sold to an account."""
    return _OF_ACCOUNT.all(db, account_id=account_id)


def one(db: apsw.Connection, project_id: str, opportunity_id: str) -> Opportunity:
    """An opportunity; raise OpportunityNotFound."""
    return _ONE.one(db, project_id=project_id, id=opportunity_id)


def with_events(db: apsw.Connection, project_id: str, opportunity_id: str) -> OpportunityWithEvents:
    """An opportunity with its moves, the last first; raise OpportunityNotFound."""
    found = one(db, project_id, opportunity_id)
    return OpportunityWithEvents(opportunity=found, events=_EVENTS.all(db, id=found.id))


def add(
    db: apsw.Connection, project: ProjectRef, opportunity_id: str, values: dict[str, Any], at: str
) -> Opportunity:
    """Add an opportunity; raise AccountNotFound, AccountArchived."""
    if account_store.one(db, project.id, values["account_id"]).archived:
        raise AccountArchived
    _ADD.run(
        db,
        **values | {"evidence_refs": as_json(values["evidence_refs"])},
        id=opportunity_id,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        title_key=searchable(values["title"]),
        at=at,
    )
    return one(db, project.id, opportunity_id)


def edit(
    db: apsw.Connection, project_id: str, opportunity_id: str, changes: dict[str, Any], at: str
) -> Opportunity:
    """Change an opportunity; what the vendor knows too and a person changed becomes theirs."""
    before = _live(db, project_id, opportunity_id)
    known = msgspec.structs.asdict(before)
    local = owned_here(before.local_fields, known, changes, before.vendor or {})
    return _written(
        db, project_id, opportunity_id, msgspec.structs.replace(before, **changes, local_fields=local), at
    )


def move(db: apsw.Connection, project: ProjectRef, opportunity_id: str, move: Move) -> Moved:
    """Put an opportunity into a stage and note it, also when it was there already."""
    before = _live(db, project.id, opportunity_id)
    local = owned_here(
        before.local_fields, {"stage": before.stage}, {"stage": move.stage}, before.vendor or {}
    )
    since = before.stage_changed_at if before.stage == move.stage else move.at
    after = msgspec.structs.replace(before, stage=move.stage, stage_changed_at=since, local_fields=local)
    found = _written(db, project.id, opportunity_id, after, move.at)
    _note(db, project, found.id, before.stage, move)
    return Moved(found, before.stage)


def release(
    db: apsw.Connection, project: ProjectRef, opportunity_id: str, fields: list[str], by: Move
) -> Opportunity:
    """Let the vendor decide fields again, all when none is named; raise NotMirrored, UnknownField."""
    before = _live(db, project.id, opportunity_id)
    if before.vendor is None:
        raise NotMirrored
    if set(fields) - set(OPPORTUNITY_FIELDS):
        raise UnknownField
    given = set(fields or before.local_fields)
    back = {field: before.vendor[field] for field in given & before.vendor.keys()}
    if "owner_username" in given & set(before.local_fields):
        back["owner_user_id"] = None
    stage = back.get("stage", before.stage)
    if stage != before.stage:
        back["stage_changed_at"] = by.at
        _note(db, project, opportunity_id, before.stage, msgspec.structs.replace(by, stage=stage))
    kept = [field for field in before.local_fields if field not in given]
    after = msgspec.structs.replace(before, **back, local_fields=kept)
    return _written(db, project.id, opportunity_id, after, by.at)


def put_away(
    db: apsw.Connection, project_id: str, opportunity_id: str, at: str, *, back: bool = False
) -> Opportunity:
    """Archive an opportunity, or bring it `back`."""
    if one(db, project_id, opportunity_id).archived is back:
        _PUT_AWAY.run(
            db, id=opportunity_id, gone=None if back else at, reason=None if back else ARCHIVED, at=at
        )
    return one(db, project_id, opportunity_id)


def overview(db: apsw.Connection, project_id: str) -> Overview:
    """Sales at a glance; stages in the order a sale goes through them."""
    order = get_args(OpportunityStage)
    return Overview(
        accounts=_ACCOUNTS.one(db, project_id=project_id).n,
        opportunity_by_stage=sorted(
            _STAGES.all(db, project_id=project_id), key=lambda row: order.index(row.stage)
        ),
        links_by_status=_LINKS.all(db, project_id=project_id),
    )


def _live(db: apsw.Connection, project_id: str, opportunity_id: str) -> _Stored:
    found = _STORED.one(db, project_id=project_id, id=opportunity_id)
    if found.deleted_at is not None:
        raise OpportunityArchived
    return found


def _note(db: apsw.Connection, project: ProjectRef, opportunity_id: str, before: str, move: Move) -> None:
    _MOVED.run(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        id=opportunity_id,
        before=before,
        stage=move.stage,
        reason=move.reason,
        source="manual",
        actor=move.actor,
        evidence_refs=as_json(move.evidence_refs),
        request_id=move.request_id,
        at=move.at,
    )


def _written(db: apsw.Connection, project_id: str, opportunity_id: str, row: _Stored, at: str) -> Opportunity:
    values = msgspec.structs.asdict(row)
    del values["vendor"], values["deleted_at"]
    values |= {"evidence_refs": as_json(row.evidence_refs), "local_fields": as_json(row.local_fields)}
    _SET.run(db, **values, id=opportunity_id, title_key=searchable(row.title), at=at)
    return one(db, project_id, opportunity_id)
