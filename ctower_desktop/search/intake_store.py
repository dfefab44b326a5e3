"""What there is to index, in SQL: the queue of changed texts and the texts themselves, all in ctower.db."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.search.model import SourceTotals, SourceType


class Queued(msgspec.Struct, frozen=True):
    """A text that was added, changed or removed."""

    seq: int
    source_type: SourceType
    source_pk: str
    project_id: str


class Source(msgspec.Struct, frozen=True):
    """A text by its kind and id."""

    source_type: SourceType
    source_pk: str
    project_id: str


class SourceText(msgspec.Struct, frozen=True):
    """A text as it is to be found: `body` is cut into chunks, `context` is found by words only."""

    source_pk: str
    project_id: str
    source_ref: str | None
    parent_pk: str | None
    contact_pk: str | None
    title: str | None
    body: str
    context: str
    files: str  # names of attachments as addresses have them, one a line
    private: bool
    occurred_at: str
    updated_at: str
    metadata: str  # JSON


class _Number(msgspec.Struct, frozen=True):
    value: int


_WAITING = Query(
    Queued,
    "SELECT seq, source_type, source_pk, project_id FROM index_queue ORDER BY seq LIMIT :limit",
)
_WAITING_OF_PROJECT = Query(
    Queued,
    """
    SELECT seq, source_type, source_pk, project_id FROM index_queue
    WHERE project_id = :project_id ORDER BY seq LIMIT :limit
    """,
)
_QUEUED = Query(_Number, "SELECT count(*) AS value FROM index_queue WHERE project_id = :project_id")
_QUEUED_ANYWHERE = Query(_Number, "SELECT count(*) AS value FROM index_queue")
_NEWEST = Query(
    _Number,
    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'index_queue'), 0) AS value",
)
_DONE = Command("DELETE FROM index_queue WHERE seq IN (SELECT value FROM json_each(:seqs))")
_FILL: tuple[Command, ...] = tuple(
    Command(f"""
        INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
        SELECT '{table}', id, project_id, :at FROM {table}
        WHERE deleted_at IS NULL AND project_id IN (SELECT id FROM project)
        ON CONFLICT (source_type, source_pk) DO NOTHING
    """)
    for table in ("message", "issue", "comment", "deal", "note", "task")
)
_ENQUEUE = Command("""
    INSERT INTO index_queue (source_type, source_pk, project_id, queued_at)
    VALUES (:source_type, :source_pk, :project_id, :at)
    ON CONFLICT (source_type, source_pk) DO NOTHING
""")
_TEXTS: dict[SourceType, Query[SourceText]] = {
    "message": Query(
        SourceText,
        """
        SELECT m.id AS source_pk, m.project_id, m.message_id AS source_ref, m.conversation_global_id
            AS parent_pk,
               m.contact_global_id AS contact_pk, NULL AS title, coalesce(m.content, '') AS body,
               coalesce(m.sender_name, '') AS context,
               coalesce((
                   SELECT group_concat(
                       replace(a.file_url, rtrim(a.file_url, replace(a.file_url, '/', '')), ''), char(10))
                   FROM attachment AS a WHERE a.message_global_id = m.id
               ), '') AS files,
               m.private, m.created_at AS occurred_at, m.updated_at,
               json_object('sender_type', m.sender_type, 'sender_name', m.sender_name,
                           'conversation_global_id', m.conversation_global_id,
                           'contact_global_id', m.contact_global_id) AS metadata
        FROM json_each(:pks) AS wanted CROSS JOIN message AS m ON m.id = wanted.value
        WHERE m.deleted_at IS NULL AND m.message_type <> '2'
        """,
    ),
    "issue": Query(
        SourceText,
        """
        SELECT i.id AS source_pk, i.project_id, i.identifier AS source_ref, i.id AS parent_pk, NULL
            AS contact_pk,
               i.title, i.identifier || ' ' || i.title || char(10) || coalesce(i.description, '') AS body,
               coalesce(i.assignee_name, '') || ' ' || coalesce(i.state, '') AS context,
               '' AS files, 0 AS private,
               i.updated_at AS occurred_at, i.updated_at,
               json_object('state', i.state, 'priority', i.priority, 'assignee_name', i.assignee_name,
                           'due_date', i.due_date, 'url', i.url) AS metadata
        FROM json_each(:pks) AS wanted CROSS JOIN issue AS i ON i.id = wanted.value WHERE i.deleted_at IS NULL
        """,
    ),
    "comment": Query(
        SourceText,
        """
        SELECT c.id AS source_pk, c.project_id, i.identifier AS source_ref, c.issue_id AS parent_pk,
               NULL AS contact_pk, i.title, c.body,
               coalesce(c.author_name, '') || ' ' || i.identifier || ' ' || i.title AS context,
               '' AS files, 0 AS private,
               c.created_at AS occurred_at, c.updated_at,
               json_object('issue_id', c.issue_id, 'identifier', i.identifier, 'author_name', c.author_name,
                           'url', c.url) AS metadata
        FROM json_each(:pks) AS wanted CROSS JOIN comment AS c ON c.id = wanted.value JOIN issue
            AS i ON i.id = c.issue_id
        WHERE c.deleted_at IS NULL AND i.deleted_at IS NULL
        """,
    ),
    "deal": Query(
        SourceText,
        """
        SELECT d.id AS source_pk, d.project_id, d.external_id AS source_ref, d.external_id AS parent_pk,
               NULL AS contact_pk,
               d.title,
               d.title || char(10) || coalesce(d.next_step, '') AS body,
               coalesce(d.company_name, '') || ' ' || coalesce(d.owner_name, '') || ' ' || d.stage || ' ' ||
               coalesce(CAST(CAST(d.amount AS INTEGER) AS TEXT), '') AS context,
               '' AS files, 0 AS private,
               d.updated_at AS occurred_at, d.updated_at,
               json_object('stage', d.stage, 'amount', d.amount, 'currency', d.currency,
                           'probability', d.probability, 'expected_close_date', d.expected_close_date,
                           'company_name', d.company_name, 'url', d.url) AS metadata
        FROM json_each(:pks) AS wanted CROSS JOIN deal AS d ON d.id = wanted.value WHERE d.deleted_at IS NULL
        """,
    ),
    "note": Query(
        SourceText,
        """
        SELECT n.id AS source_pk, n.project_id, n.external_id AS source_ref, n.parent_external_id
            AS parent_pk,
               NULL AS contact_pk, n.title, coalesce(n.title || char(10), '') || n.content AS body,
               coalesce(n.author_name, '') || ' ' || coalesce(d.title, c.name, '') AS context,
               '' AS files, 0 AS private, n.created_at AS occurred_at,
               n.updated_at,
               json_object('parent_kind', n.parent_kind, 'parent_external_id', n.parent_external_id,
                           'parent_title', coalesce(d.title, c.name), 'author_name', n.author_name)
                   AS metadata
        FROM json_each(:pks) AS wanted CROSS JOIN note AS n ON n.id = wanted.value
        LEFT JOIN deal AS d
            ON d.id = 'attiodeal:' || n.project_id || ':' || n.workspace_id || ':' || n.parent_external_id
        LEFT JOIN company AS c
            ON c.id = 'attioacct:' || n.project_id || ':' || n.workspace_id || ':' || n.parent_external_id
        WHERE n.deleted_at IS NULL
        """,
    ),
    "task": Query(
        SourceText,
        """
        SELECT t.id AS source_pk, t.project_id, t.external_id AS source_ref, t.parent_external_id
            AS parent_pk,
               NULL AS contact_pk, NULL AS title, t.content AS body,
               coalesce(t.assignee_name, '') || ' ' || coalesce(d.title, '') AS context,
               '' AS files, 0 AS private, t.created_at AS occurred_at,
               t.updated_at,
               json_object('deadline_at', t.deadline_at, 'is_completed', t.is_completed,
                           'parent_title', d.title, 'assignee_name', t.assignee_name) AS metadata
        FROM json_each(:pks) AS wanted CROSS JOIN task AS t ON t.id = wanted.value
        LEFT JOIN deal AS d
            ON d.id = 'attiodeal:' || t.project_id || ':' || t.workspace_id || ':' || t.parent_external_id
        WHERE t.deleted_at IS NULL
        """,
    ),
}
_TOTALS = Query(
    SourceTotals,
    """
    SELECT (SELECT count(*) FROM message WHERE project_id = :project_id AND deleted_at IS NULL)
        AS messages_total,
           (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL)
               AS linear_issues_total,
           (SELECT count(*) FROM deal WHERE project_id = :project_id AND deleted_at IS NULL)
               AS opportunities_total
    """,
)


def waiting(
    db: apsw.Connection, limit: int, project_id: str | None = None
) -> tuple[list[Queued], dict[SourceType, dict[str, SourceText]]]:
    """The oldest lines of the queue, and the texts they are about that still exist, by kind and id."""
    if project_id is None:
        lines = _WAITING.all(db, limit=limit)
    else:
        lines = _WAITING_OF_PROJECT.all(db, project_id=project_id, limit=limit)
    texts: dict[SourceType, dict[str, SourceText]] = {}
    for kind in {line.source_type for line in lines}:
        wanted = as_json([line.source_pk for line in lines if line.source_type == kind])
        texts[kind] = {text.source_pk: text for text in _TEXTS[kind].rows(db, pks=wanted)}
    return lines, texts


def done(db: apsw.Connection, lines: Iterable[Queued]) -> None:
    """Take lines off the queue; a text that changed meanwhile stands there under a newer number."""
    _DONE.run(db, seqs=as_json([line.seq for line in lines]))


def fill(db: apsw.Connection, indexed: Iterable[Source], at: str) -> int:
    """Queue every text there is or was indexed; return the newest number given so far."""
    for command in _FILL:
        command.run(db, at=at)
    _ENQUEUE.run_many(db, ({**msgspec.structs.asdict(source), "at": at} for source in indexed))
    return newest(db)


def newest(db: apsw.Connection) -> int:
    """The newest number the queue ever gave."""
    return _NEWEST.one(db).value


def queued(db: apsw.Connection, project_id: str | None) -> int:
    """How many texts wait for their words."""
    if project_id is None:
        return _QUEUED_ANYWHERE.one(db).value
    return _QUEUED.one(db, project_id=project_id).value


def totals(db: apsw.Connection, project_id: str) -> SourceTotals:
    """How many texts of the three main kinds a project has."""
    return _TOTALS.one(db, project_id=project_id)
