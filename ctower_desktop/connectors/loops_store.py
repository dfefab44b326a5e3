"""Who is pushed to Loops, and what was pushed last, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json


class Candidate(msgspec.Struct, frozen=True):
    """A person with an e-mail address, in one or more projects."""

    email: str
    name: str | None
    projects: list[str]


class Address(msgspec.Struct, frozen=True):
    """An e-mail address."""

    email: str


class Pushed(msgspec.Struct, frozen=True):
    """What Loops was told last about an address."""

    email: str
    payload_hash: str | None
    status: str


_CANDIDATES = Query(
    Candidate,
    """
    WITH chosen AS (
        SELECT DISTINCT lower(email) AS email FROM contact
        WHERE project_id IN (SELECT value FROM json_each(:projects)) AND deleted_at IS NULL AND email <> '')
    SELECT e.email, max(c.name) AS name, json_group_array(DISTINCT p.name) AS projects
    FROM chosen e
    JOIN project p ON p.account_scope_id = :scope
    JOIN contact c ON c.project_id = p.id AND lower(c.email) = e.email
    WHERE c.email IS NOT NULL AND c.deleted_at IS NULL
    GROUP BY e.email ORDER BY max(c.updated_at) DESC, e.email LIMIT 5000
    """,
)
_UNWILLING = Query(
    Address,
    """
    SELECT lower(c.email) AS email FROM project o
    JOIN channel_policy p ON p.project_id = o.id AND p.opted_out = 1 AND p.channel IN ('email', 'loops')
    JOIN contact c ON c.id = p.contact_global_id
    WHERE o.account_scope_id = :scope AND c.email <> ''
    UNION
    SELECT lower(p.contact_global_id) FROM project o
    JOIN channel_policy p ON p.project_id = o.id AND p.opted_out = 1 AND p.channel IN ('email', 'loops')
    WHERE o.account_scope_id = :scope AND instr(p.contact_global_id, '@') > 0
    """,
)
_LEDGER = Query(
    Pushed,
    """
    SELECT email, payload_hash, status FROM loops_contact
    WHERE account_scope_id = :scope AND email IN (SELECT value FROM json_each(:emails))
    """,
)
_NOTE = Command("""
    INSERT INTO loops_contact (account_scope_id, email, payload_hash, loops_id, status, last_error,
    pushed_at, checked_at)
    VALUES (:scope, :email, :hash, :loops_id, :status, :error, :pushed_at, :at)
    ON CONFLICT (account_scope_id, email) DO UPDATE SET payload_hash = excluded.payload_hash,
        loops_id = coalesce(excluded.loops_id, loops_id), status = excluded.status,
        last_error = excluded.last_error, pushed_at = coalesce(excluded.pushed_at, pushed_at),
        checked_at = excluded.checked_at
""")


def candidates(db: apsw.Connection, scope: str, projects: list[str]) -> list[Candidate]:
    """People of these projects, one for each address, the last changed first.

    They are named with all their projects of the scope, whichever of them is being pushed.
    """
    return _CANDIDATES.all(db, scope=scope, projects=as_json(sorted(projects)))


def unwilling(db: apsw.Connection, scope: str) -> set[str]:
    """Addresses whose owners want no e-mail, in any project of the scope."""
    return {row.email for row in _UNWILLING.all(db, scope=scope)}


def ledger(db: apsw.Connection, scope: str, emails: list[str]) -> dict[str, Pushed]:
    """What Loops was told about these addresses."""
    return {row.email: row for row in _LEDGER.all(db, scope=scope, emails=as_json(emails))}


def note(
    db: apsw.Connection,
    scope: str,
    email: str,
    status: str,
    at: str,
    *,
    payload_hash: str | None = None,
    loops_id: str | None = None,
    error: str | None = None,
) -> None:
    """Remember what became of an address."""
    _NOTE.run(
        db, scope=scope, email=email, status=status, hash=payload_hash, loops_id=loops_id, error=error, at=at,
        pushed_at=at if status == "pushed" else None,
    )  # fmt: skip
