"""The synced rows as the rules read them, and the queue of those that changed, in SQL."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.knowledge.model import SourceTable


class Queued(msgspec.Struct, frozen=True):
    """A row that was added, changed or removed."""

    seq: int
    source_table: SourceTable
    source_pk: str
    project_id: str


class SourceRow(msgspec.Struct, frozen=True):
    """A row that is there: what rules read of it."""

    pk: str
    project_id: str
    account_scope_id: str
    at: str
    data: dict[str, Any]


class _Number(msgspec.Struct, frozen=True):
    value: int


def _rows(table: str, at: str, columns: str, more: str = "", where: str = "AND r.deleted_at IS NULL") -> Any:
    """The statement for rows of one table; `columns` and `more` are constants of this module."""
    pairs = []
    for column in columns.split():
        name, _, source = column.partition("=")
        pairs.append(f"'{name}', {source or 'r.' + name}")
    return Query(
        SourceRow,
        f"""
        SELECT CAST(r.id AS TEXT) AS pk, r.project_id, r.account_scope_id, {at} AS at,
               json_object({", ".join(pairs)}) AS data
        FROM json_each(:pks) AS wanted CROSS JOIN {table} AS r ON r.id = wanted.value {more}
        WHERE true {where}
        """,
    )


_COMPANY = "LEFT JOIN company AS c ON c.project_id = r.project_id AND c.external_id = r.account_external_id"
_ACCOUNT = "LEFT JOIN crm_account AS c ON c.id = r.account_id AND c.deleted_at IS NULL"
_SOURCES: dict[SourceTable, Query[SourceRow]] = {
    "contact": _rows("contact", "r.updated_at", "id name email company_name"),
    "conversation": _rows(
        "conversation",
        "coalesce(r.updated_at, r.created_at)",
        "id conversation_id subject assignee_name status contact_pk=c.id contact_name=c.name"
        " contact_email=c.email",
        "LEFT JOIN contact AS c ON c.id = r.contact_global_id AND c.deleted_at IS NULL",
    ),
    "company": _rows("company", "r.updated_at", "name domain"),
    "person": _rows(
        "person",
        "r.updated_at",
        "id full_name email role company_name=c.name",
        f"{_COMPANY} AND c.deleted_at IS NULL",
    ),
    "deal": _rows(
        "deal",
        "r.updated_at",
        "external_id title stage owner_name amount currency company_name=coalesce(c.name,r.company_name)",
        f"{_COMPANY} AND c.deleted_at IS NULL",
    ),
    "task": _rows(
        "task",
        "r.updated_at",
        "id content assignee_name deadline_at deal_ref=d.external_id deal_title=d.title",
        "LEFT JOIN deal AS d ON d.id = 'attiodeal:' || r.project_id || ':' || r.workspace_id || ':'"
        " || r.parent_external_id AND d.deleted_at IS NULL",
    ),
    "issue": _rows(
        "issue",
        "r.updated_at",
        "external_id identifier title assignee_name linear_project_external_id linear_project_name"
        " cycle_external_id cycle_name parent_external_id parent_title=p.title state due_date",
        "LEFT JOIN issue AS p ON p.project_id = r.project_id AND p.external_id = r.parent_external_id",
    ),
    "issue_relation": _rows(
        "issue_relation",
        "r.updated_at",
        "type issue_external_id related_external_id identifier=a.identifier title=a.title"
        " related_title=b.title",
        "JOIN issue AS a ON a.project_id = r.project_id AND a.external_id = r.issue_external_id"
        " AND a.deleted_at IS NULL"
        " JOIN issue AS b ON b.project_id = r.project_id AND b.external_id = r.related_external_id"
        " AND b.deleted_at IS NULL",
    ),
    "cycle": _rows("cycle", "r.updated_at", "external_id number name starts_at ends_at"),
    "work_project": _rows("work_project", "r.updated_at", "external_id name lead_name state target_date"),
    "crm_account": _rows("crm_account", "r.updated_at", "name domain stage owner_username"),
    "crm_opportunity": _rows(
        "crm_opportunity",
        "r.updated_at",
        "id external_ref title stage owner_username amount=r.amount_estimate currency company_name=c.name",
        _ACCOUNT,
    ),
    "offer": _rows(
        "offer",
        "r.updated_at",
        "id title status total currency opportunity_id company_name=c.name deal_ref=o.external_ref"
        " deal_title=o.title",
        f"{_ACCOUNT} LEFT JOIN crm_opportunity AS o ON o.id = r.opportunity_id",
        "",
    ),
    "offer_document": _rows(
        "offer_document",
        "r.rendered_at",
        "id offer_id format title=o.title",
        "JOIN offer AS o ON o.id = r.offer_id",
        "",
    ),
}
_WAITING = Query(
    Queued, "SELECT seq, source_table, source_pk, project_id FROM graph_queue ORDER BY seq LIMIT :limit"
)
_QUEUED = Query(_Number, "SELECT count(*) AS value FROM graph_queue")
_DONE = Command("DELETE FROM graph_queue WHERE seq IN (SELECT value FROM json_each(:seqs))")


def _again(source: str, dependent: str, on: str) -> Command:
    return Command(f"""
        INSERT INTO graph_queue (source_table, source_pk, project_id)
        SELECT '{dependent}', d.id, d.project_id
        FROM json_each(:pks) AS wanted CROSS JOIN {source} AS s ON s.id = wanted.value
        CROSS JOIN {dependent} AS d ON {on}
        WHERE true ON CONFLICT (source_table, source_pk) DO NOTHING
    """)


_BY_COMPANY = "d.project_id = s.project_id AND d.account_external_id = s.external_id"
# rows that say something in the words of another row are read again with it
_DEPENDENT: dict[SourceTable, tuple[Command, ...]] = {
    "company": tuple(_again("company", each, _BY_COMPANY) for each in ("person", "deal")),
    "crm_account": tuple(
        _again("crm_account", each, "d.account_id = s.id") for each in ("crm_opportunity", "offer")
    ),
    "contact": (
        _again(
            "contact",
            "conversation",
            "d.project_id = s.project_id AND d.contact_global_id = s.id",
        ),
    ),
    "issue": tuple(
        _again("issue", "issue_relation", f"d.project_id = s.project_id AND d.{end} = s.external_id")
        for end in ("issue_external_id", "related_external_id")
    ),
    "offer": (_again("offer", "offer_document", "d.offer_id = s.id"),),
}


def waiting(db: apsw.Connection, limit: int) -> tuple[list[Queued], dict[SourceTable, dict[str, SourceRow]]]:
    """The oldest lines of the queue, and the rows they are about that still exist, by table and id."""
    lines = _WAITING.all(db, limit=limit)
    found: dict[SourceTable, dict[str, SourceRow]] = {}
    for table in {line.source_table for line in lines}:
        found[table] = {row.pk: row for row in _SOURCES[table].rows(db, pks=_pks(lines, table))}
    return lines, found


def done(db: apsw.Connection, lines: list[Queued]) -> None:
    """Take lines off the queue, and put those on it that speak of the same things."""
    _DONE.run(db, seqs=as_json([line.seq for line in lines]))
    for table in {line.source_table for line in lines}:
        for command in _DEPENDENT.get(table, ()):
            command.run(db, pks=_pks(lines, table))


def queued(db: apsw.Connection) -> int:
    """How many rows wait to be read."""
    return _QUEUED.one(db).value


def _pks(lines: list[Queued], table: SourceTable) -> str:
    return as_json([line.source_pk for line in lines if line.source_table == table])
