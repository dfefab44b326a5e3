"""Accounts in SQL."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from ctower_desktop.crm.model import (
    ARCHIVED,
    Account,
    AccountArchived,
    AccountExists,
    AccountInUse,
    AccountNotFound,
    ListAccounts,
    NotMirrored,
    UnknownField,
)
from ctower_desktop.crm.ownership import ACCOUNT_FIELDS, owned_here
from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef


class _Stored(msgspec.Struct, frozen=True):
    """An account as it is written."""

    name: str
    domain: str | None
    stage: str
    owner_user_id: str | None
    owner_username: str | None
    evidence_refs: list[Any]
    vendor: dict[str, Any] | None
    local_fields: list[str]
    deleted_at: str | None


class _Known(msgspec.Struct, frozen=True):
    id: str


class _User(msgspec.Struct, frozen=True):
    username: str


_COLUMNS = """id, name, domain, external_ref, stage, owner_user_id, owner_username, evidence_refs,
              source_system, vendor, local_fields, created_at, updated_at,
              deleted_at IS NOT NULL AS archived"""
_FITS = """
    (:stage = '' OR stage = :stage)
    AND (:q = '' OR instr(name_key, :q) > 0 OR instr(lower(domain), :q) > 0)
    ORDER BY updated_at DESC, id LIMIT :limit OFFSET :offset
"""
_OF = "FROM crm_account WHERE project_id = :project_id"
_LIST = Query(Account, f"SELECT {_COLUMNS} {_OF} AND deleted_at IS NULL AND {_FITS}")
_ARCHIVED = Query(Account, f"SELECT {_COLUMNS} {_OF} AND deleted_at IS NOT NULL AND {_FITS}")
_ONE = Query(Account, f"SELECT {_COLUMNS} {_OF} AND id = :id", missing=AccountNotFound)
_STORED = Query(
    _Stored,
    "SELECT name, domain, stage, owner_user_id, owner_username, evidence_refs, vendor, local_fields, "
    f"deleted_at {_OF} AND id = :id",
    missing=AccountNotFound,
)
_NAMESAKE = Query(
    _Known, f"SELECT id {_OF} AND name_key = :name_key AND id <> :id AND deleted_at IS NULL LIMIT 1"
)
_OF_REF = Query(_Known, f"SELECT id {_OF} AND external_ref = :ref LIMIT 1")
_OPEN = Query(
    _Known,
    "SELECT id FROM crm_opportunity WHERE account_id = :id AND stage NOT IN ('won', 'lost') "
    "AND deleted_at IS NULL LIMIT 1",
)
_USER = Query(_User, "SELECT username FROM app_user WHERE id = :id")
_ADD = Command("""
    INSERT INTO crm_account (id, project_id, account_scope_id, name, name_key, domain, external_ref, stage,
        owner_user_id, owner_username, evidence_refs, created_at, updated_at, written_at)
    VALUES (:id, :project_id, :account_scope_id, :name, :name_key, :domain, :external_ref, :stage,
        :owner_user_id, :owner_username, :evidence_refs, :at, :at, :at)
""")
_SET = Command("""
    UPDATE crm_account SET name = :name, name_key = :name_key, domain = :domain, stage = :stage,
        owner_user_id = :owner_user_id, owner_username = :owner_username, evidence_refs = :evidence_refs,
        local_fields = :local_fields, updated_at = :at, written_at = :at
    WHERE id = :id
""")
_PUT_AWAY = Command("""
    UPDATE crm_account SET deleted_at = :gone, deleted_reason = :reason, updated_at = :at, written_at = :at
    WHERE id = :id
""")


def listed(db: apsw.Connection, project_id: str, query: ListAccounts) -> list[Account]:
    """Accounts, the last changed first."""
    found = _ARCHIVED if query.archived else _LIST
    return found.all(
        db,
        project_id=project_id,
        stage=query.stage,
        q=searchable(query.q),
        limit=query.limit,
        offset=query.offset,
    )


def one(db: apsw.Connection, project_id: str, account_id: str) -> Account:
    """An account; raise AccountNotFound."""
    return _ONE.one(db, project_id=project_id, id=account_id)


def username(db: apsw.Connection, user_id: str) -> str | None:
    """What a user is called, None when there is no such user."""
    found = _USER.first(db, id=user_id)
    return found.username if found else None


def add(
    db: apsw.Connection, project: ProjectRef, account_id: str, values: dict[str, Any], at: str
) -> Account:
    """Add an account; raise AccountExists."""
    _refuse_namesake(db, project.id, account_id, values["name"])
    ref = values["external_ref"]
    if ref is not None and _OF_REF.first(db, project_id=project.id, ref=ref) is not None:
        raise AccountExists
    _ADD.run(
        db,
        **values | {"evidence_refs": as_json(values["evidence_refs"])},
        id=account_id,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        name_key=searchable(values["name"]),
        at=at,
    )
    return one(db, project.id, account_id)


def edit(db: apsw.Connection, project_id: str, account_id: str, changes: dict[str, Any], at: str) -> Account:
    """Change an account; what a person changed of the vendor's becomes theirs. Raise AccountExists."""
    before = _live(db, project_id, account_id)
    if "name" in changes and searchable(changes["name"]) != searchable(before.name):
        _refuse_namesake(db, project_id, account_id, changes["name"])
    known = msgspec.structs.asdict(before)
    after = msgspec.structs.replace(
        before, **changes, local_fields=owned_here(before.local_fields, known, changes, before.vendor or {})
    )
    return _written(db, project_id, account_id, after, at)


def release(db: apsw.Connection, project_id: str, account_id: str, fields: list[str], at: str) -> Account:
    """Let the vendor decide fields again, all when none is named; raise NotMirrored, UnknownField."""
    before = _live(db, project_id, account_id)
    if before.vendor is None:
        raise NotMirrored
    if set(fields) - set(ACCOUNT_FIELDS):
        raise UnknownField
    given = set(fields or before.local_fields)
    back = {field: before.vendor[field] for field in given & before.vendor.keys()}
    kept = [field for field in before.local_fields if field not in given]
    return _written(
        db, project_id, account_id, msgspec.structs.replace(before, **back, local_fields=kept), at
    )


def archive(db: apsw.Connection, project_id: str, account_id: str, at: str) -> Account:
    """Put an account away; raise AccountInUse while something may still be sold to it."""
    if one(db, project_id, account_id).archived:
        return one(db, project_id, account_id)
    if _OPEN.first(db, id=account_id) is not None:
        raise AccountInUse
    _PUT_AWAY.run(db, id=account_id, gone=at, reason=ARCHIVED, at=at)
    return one(db, project_id, account_id)


def restore(db: apsw.Connection, project_id: str, account_id: str, at: str) -> Account:
    """Bring an account back; raise AccountExists when its name is taken meanwhile."""
    found = one(db, project_id, account_id)
    if found.archived:
        _refuse_namesake(db, project_id, account_id, found.name)
        _PUT_AWAY.run(db, id=account_id, gone=None, reason=None, at=at)
    return one(db, project_id, account_id)


def _live(db: apsw.Connection, project_id: str, account_id: str) -> _Stored:
    found = _STORED.one(db, project_id=project_id, id=account_id)
    if found.deleted_at is not None:
        raise AccountArchived
    return found


def _refuse_namesake(db: apsw.Connection, project_id: str, account_id: str, name: str) -> None:
    if _NAMESAKE.first(db, project_id=project_id, id=account_id, name_key=searchable(name)) is not None:
        raise AccountExists


def _written(db: apsw.Connection, project_id: str, account_id: str, row: _Stored, at: str) -> Account:
    _SET.run(
        db,
        id=account_id,
        name=row.name,
        name_key=searchable(row.name),
        domain=row.domain,
        stage=row.stage,
        owner_user_id=row.owner_user_id,
        owner_username=row.owner_username,
        evidence_refs=as_json(row.evidence_refs),
        local_fields=as_json(row.local_fields),
        at=at,
    )
    return one(db, project_id, account_id)
