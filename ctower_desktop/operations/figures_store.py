"""The SQL of figures: how many rows a project has, what they take, how far sources are."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query
from ctower_desktop.operations.model import EntityCounts, Watermark
from ctower_desktop.operations.timeline import Process


class _Counts(msgspec.Struct, frozen=True):
    contacts: int
    conversations: int
    messages: int


class _Bytes(msgspec.Struct, frozen=True):
    bytes: int


_COUNTS = Query(
    _Counts,
    """
    SELECT
        (SELECT count(*) FROM contact WHERE project_id = :project_id AND deleted_at IS NULL) AS contacts,
        (SELECT count(*) FROM conversation WHERE project_id = :project_id AND deleted_at IS NULL)
            AS conversations,
        (SELECT count(*) FROM message WHERE project_id = :project_id AND deleted_at IS NULL) AS messages
    """,
)
_TEXT = Query(
    _Bytes,
    """
    SELECT coalesce(sum(bytes), 0) AS bytes FROM (
        SELECT sum(octet_length(coalesce(name, '')) + octet_length(coalesce(email, ''))
            + octet_length(coalesce(phone_number, '')) + octet_length(custom_attributes)) AS bytes
        FROM contact WHERE project_id = :project_id AND deleted_at IS NULL
        UNION ALL
        SELECT sum(octet_length(coalesce(subject, '')) + octet_length(labels)
            + octet_length(coalesce(assignee_name, '')))
        FROM conversation WHERE project_id = :project_id AND deleted_at IS NULL
        UNION ALL
        SELECT sum(octet_length(coalesce(content, '')) + octet_length(coalesce(sender_name, '')))
        FROM message WHERE project_id = :project_id AND deleted_at IS NULL)
    """,
)
_PAGES = Query(
    _Bytes,
    "SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name = :name AND aggregate = TRUE",
)
_CHUNK_PAGES = Query(
    _Bytes,
    "SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name = 'chunk' AND aggregate = TRUE",
    file="index",
)
_CHUNK_TEXT = Query(
    _Bytes,
    "SELECT coalesce(sum(octet_length(text)), 0) AS bytes FROM chunk WHERE project_id = :project_id",
    file="index",
)
_WATERMARKS = Query(
    Watermark,
    """
    SELECT source, cursor_ts, cursor_id, updated_at, meta FROM sync_watermark
    WHERE project_id = :project_id ORDER BY updated_at DESC LIMIT 5
    """,
)
_PROCESSES = Query(
    Process,
    """
    SELECT source AS connector, event_type, occurred_at AS at, json_extract(payload_json, '$.error') AS error
    FROM connector_event
    WHERE project_id = :project_id AND occurred_at >= :since AND event_type <> 'process_warning'
        AND event_type IN ('process_started', 'process_finished', 'process_failed', 'process_warning')
    ORDER BY occurred_at, id
    """,
)


def answer(db: apsw.Connection) -> None:
    """The smallest question there is; raise what the database raises when it does not answer."""
    db.pragma("schema_version")


def counts(db: apsw.Connection, project_id: str, rag_chunks: int) -> EntityCounts:
    """How many rows a project has of what people say."""
    found = _COUNTS.one(db, project_id=project_id)
    return EntityCounts(found.contacts, found.conversations, found.messages, rag_chunks)


def text_bytes(db: apsw.Connection, project_id: str) -> int:
    """The bytes of what a project's contacts, conversations and messages say."""
    return _TEXT.one(db, project_id=project_id).bytes


def table_bytes(db: apsw.Connection, names: tuple[str, ...]) -> dict[str, int]:
    """The bytes tables take in ctower.db, whole pages, all projects."""
    return {name: _PAGES.one(db, name=name).bytes for name in names}


def chunk_table_bytes(db: apsw.Connection) -> int:
    """The bytes the chunks of all projects take in index.db, whole pages."""
    return _CHUNK_PAGES.one(db).bytes


def chunk_text_bytes(db: apsw.Connection, project_id: str) -> int:
    """The bytes of a project's chunks of text."""
    return _CHUNK_TEXT.one(db, project_id=project_id).bytes


def watermarks(db: apsw.Connection, project_id: str) -> list[Watermark]:
    """The five sources read last, the newest first."""
    return _WATERMARKS.all(db, project_id=project_id)


def processes(db: apsw.Connection, project_id: str, since: str) -> list[Process]:
    """Starts and ends of synchronisations of a project since a time, in the order of time."""
    return _PROCESSES.all(db, project_id=project_id, since=since)
