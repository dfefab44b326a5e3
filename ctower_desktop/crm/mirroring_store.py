"""Our accounts and opportunities after the vendor's companies and deals, in the same transaction.

A field that a person changed here (`local_fields`) keeps what they wrote; the vendor's value is kept beside
it (`vendor`). What was archived here stays archived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import apsw
import msgspec

from ctower_desktop.crm.model import ARCHIVED
from ctower_desktop.crm.ownership import ACCOUNT_FIELDS, OPPORTUNITY_FIELDS, adopted
from ctower_desktop.crm.stages import account_stage, opportunity_stage
from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id

NEXT_STEP = "Agree on the next step"  # an opportunity always has one

Row = Mapping[str, Any]
Kind = Literal["account", "opportunity"]


class _Ref(msgspec.Struct, frozen=True):
    ref: str


class _Typed(msgspec.Struct, frozen=True):
    id: str
    name: str
    domain: str | None
    stage: str


class _Staged(msgspec.Struct, frozen=True):
    id: str
    ref: str
    stage: str


def _kept(table: str, column: str, field: str) -> str:
    """What `column` holds after the sync: a person's word where they own `field`."""
    owned = f"'{field}' IN (SELECT value FROM json_each({table}.local_fields))"
    return f"{column} = CASE WHEN {owned} THEN {table}.{column} ELSE excluded.{column} END"


def _after(table: str, columns: Iterable[tuple[str, str]], *more: str) -> str:
    """What a row that is known becomes; nothing is written when the vendor says what it said before."""
    back = f"CASE WHEN {table}.deleted_reason = '{ARCHIVED}' THEN {table}"
    changes = [
        *(_kept(table, column, field) for column, field in columns),
        *more,
        "vendor = excluded.vendor",
        f"updated_at = max({table}.updated_at, excluded.updated_at)",
        "written_at = excluded.written_at",
        f"deleted_at = {back}.deleted_at END",
        f"deleted_reason = {back}.deleted_reason END",
    ]
    return (
        f"SET {', '.join(changes)} WHERE {table}.vendor IS NOT excluded.vendor "
        f"OR {table}.deleted_reason <> '{ARCHIVED}'"
    )


_IN = "(SELECT value FROM json_each(:refs))"
_KNOWN = Query(
    _Ref,
    "SELECT external_ref AS ref FROM crm_account "
    f"WHERE project_id = :project_id AND external_ref IN {_IN} AND vendor IS NOT NULL",
)
_OF_THAT_REF = Query(
    _Typed,
    "SELECT id, name, domain, stage FROM crm_account WHERE project_id = :project_id AND external_ref = :ref",
)
_OF_THAT_NAME = Query(
    _Typed,
    """
    SELECT id, name, domain, stage FROM crm_account
    WHERE project_id = :project_id AND name_key = :name_key AND external_ref IS NULL AND deleted_at IS NULL
    ORDER BY created_at, id LIMIT 1
    """,
)
_ADOPT = Command("""
    UPDATE crm_account SET external_ref = :ref, source_system = 'attio', local_fields = :local WHERE id = :id
""")
_PUT_ACCOUNT = Command(f"""
    INSERT INTO crm_account (id, project_id, account_scope_id, name, name_key, domain, external_ref, stage,
                             source_system, vendor, created_at, updated_at, written_at)
    VALUES (:id, :project_id, :account_scope_id, :name, :name_key, :domain, :ref, :stage,
            'attio', :vendor, :created_at, :updated_at, :at)
    ON CONFLICT (project_id, external_ref) WHERE external_ref IS NOT NULL DO UPDATE
    {_after("crm_account", [*((f, f) for f in ACCOUNT_FIELDS), ("name_key", "name")])}
""")
_FOLLOWED = f"""
    account_id = excluded.account_id,
    {_kept("crm_opportunity", "owner_user_id", "owner_username")},
    stage_changed_at = CASE
        WHEN crm_opportunity.stage <> excluded.stage
         AND 'stage' NOT IN (SELECT value FROM json_each(crm_opportunity.local_fields))
        THEN excluded.stage_changed_at ELSE crm_opportunity.stage_changed_at END
"""
_PUT_OPPORTUNITY = Command(f"""
    INSERT INTO crm_opportunity (id, project_id, account_scope_id, account_id, title, title_key, stage,
        stage_changed_at, amount_estimate, currency, probability, expected_close_date, next_step,
        owner_username, external_ref, source_system, vendor, created_at, updated_at, written_at)
    SELECT :id, :project_id, :account_scope_id, a.id, :title, :title_key, :stage, :updated_at,
           :amount_estimate, :currency, :probability, :expected_close_date, :next_step, :owner_username, :ref,
           'attio', :vendor, :created_at, :updated_at, :at
    FROM crm_account a WHERE a.project_id = :project_id AND a.external_ref = :account_ref
    ON CONFLICT (project_id, external_ref) WHERE external_ref IS NOT NULL DO UPDATE
    {_after("crm_opportunity", [*((f, f) for f in OPPORTUNITY_FIELDS), ("title_key", "title")], _FOLLOWED)}
""")
_STAGED = Query(
    _Staged,
    "SELECT id, external_ref AS ref, stage FROM crm_opportunity "
    f"WHERE project_id = :project_id AND external_ref IN {_IN}",
)
_MOVED = Command("""
    INSERT INTO crm_stage_event (project_id, account_scope_id, opportunity_id, from_stage, to_stage, source,
                                 created_at)
    VALUES (:project_id, :account_scope_id, :id, :before, :stage, 'attio', :at)
""")
_BURY = {
    kind: Command(f"""
        UPDATE {table} SET deleted_at = :at, deleted_reason = :reason, written_at = :at
        WHERE project_id = :project_id AND external_ref IN {_IN} AND deleted_at IS NULL
    """)
    for kind, table in (("account", "crm_account"), ("opportunity", "crm_opportunity"))
}


def mirror_accounts(db: apsw.Connection, rows: Sequence[Row], at: str) -> None:
    """Our accounts after the vendor's companies: one known by reference, else by name, else new."""
    for project_id, own in _by_project(rows).items():
        known = {
            row.ref
            for row in _KNOWN.all(db, project_id=project_id, refs=as_json([r["external_id"] for r in own]))
        }
        for row in own:
            ref, name = row["external_id"], row["name"] or row["external_id"]
            vendor = {"name": name, "domain": row["domain"], "stage": account_stage(row["stage"])}
            if ref not in known:
                _adopt(db, project_id, ref, vendor)
            _PUT_ACCOUNT.run(db, **_written(row, vendor, at), name_key=searchable(name))


def _adopt(db: apsw.Connection, project_id: str, ref: str, vendor: dict[str, Any]) -> None:
    typed = _OF_THAT_REF.first(db, project_id=project_id, ref=ref) or _OF_THAT_NAME.first(
        db, project_id=project_id, name_key=searchable(vendor["name"])
    )
    if typed is not None:
        local = adopted(msgspec.structs.asdict(typed), vendor)
        _ADOPT.run(db, id=typed.id, ref=ref, local=as_json(local))


def mirror_opportunities(db: apsw.Connection, rows: Sequence[Row], at: str) -> None:
    """Our opportunities after the vendor's deals, where the company is one of our accounts.

    A stage that changes by it is noted as a move.
    """
    for project_id, own in _by_project(r for r in rows if r["account_external_id"]).items():
        refs = as_json([row["external_id"] for row in own])
        before = {row.id: row.stage for row in _STAGED.all(db, project_id=project_id, refs=refs)}
        _PUT_OPPORTUNITY.run_many(
            db,
            [
                _written(row, _opportunity(row), at)
                | {"account_ref": row["account_external_id"], "title_key": searchable(row["title"])}
                for row in own
            ],
        )
        scope = own[0]["account_scope_id"]
        _MOVED.run_many(
            db,
            [
                {
                    "project_id": project_id, "account_scope_id": scope, "id": row.id,
                    "before": before[row.id], "stage": row.stage, "at": at,
                }
                for row in _STAGED.all(db, project_id=project_id, refs=refs)
                if before.get(row.id, row.stage) != row.stage
            ],
        )  # fmt: skip


def _opportunity(row: Row) -> dict[str, Any]:
    return {
        "title": row["title"],
        "stage": opportunity_stage(row["stage"]),
        "amount_estimate": max(0.0, row["amount"] or 0.0),
        "currency": (row["currency"] or "").strip().upper()[:6] or None,
        "probability": row["probability"],
        "expected_close_date": row["expected_close_date"],
        "next_step": row["next_step"] or NEXT_STEP,
        "owner_username": row["owner_name"],
    }


def _written(row: Row, vendor: dict[str, Any], at: str) -> dict[str, Any]:
    return vendor | {
        "id": new_id(),
        "project_id": row["project_id"],
        "account_scope_id": row["account_scope_id"],
        "ref": row["external_id"],
        "vendor": as_json(vendor),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "at": at,
    }


def bury(
    db: apsw.Connection,
    kind: Kind,
    project_id: str,
    external_ids: Sequence[str],
    *,
    at: str,
    reason: str,
) -> None:
    """Mark what mirrors records that are gone at the vendor, or no longer belong to the project."""
    _BURY[kind].run(db, project_id=project_id, refs=as_json(list(external_ids)), at=at, reason=reason)


def _by_project(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["project_id"]].append(row)
    return found
