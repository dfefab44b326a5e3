"""The SQL of figures: how many rows a project has, what they take, how far sources are; retention."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.operations.model import EntityCounts, Watermark


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
_OLD_WORKER_RUNS = Command("""
    DELETE FROM worker_run WHERE id IN (
        SELECT id FROM worker_run AS old
        WHERE project_id = :project_id AND started_at < :before AND status <> 'running'
            AND id < (SELECT max(id) FROM worker_run WHERE scheduled_job_id = old.scheduled_job_id)
        LIMIT :batch)
""")
_OLD_QUESTIONS = Command("""
    DELETE FROM lightrag_query_runs WHERE id IN (
        SELECT id FROM lightrag_query_runs WHERE project_id = :project_id AND created_at < :before
        ORDER BY created_at LIMIT :batch)
""")
_OLD_SEARCHES = Command("""
    DELETE FROM search_analytics WHERE id IN (
        SELECT id FROM search_analytics WHERE project_id = :project_id AND created_at < :before
        ORDER BY created_at LIMIT :batch)
""")
_OLD_JOB_RUNS = Command("""
    DELETE FROM job_run WHERE id IN (
        SELECT id FROM job_run AS old
        WHERE project_id = :project_id AND started_at < :before AND status <> 'running'
            AND id < (SELECT max(id) FROM job_run WHERE project_id = :project_id AND job_name = old.job_name)
        LIMIT :batch)
""")


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


def delete_old_runs(db: apsw.Connection, project_id: str, before: str, batch: int) -> dict[str, int]:
    """Delete runs begun before a time, at most `batch` of each kind; the newest of every job stays."""
    return {
        "worker_run": _OLD_WORKER_RUNS.run(db, project_id=project_id, before=before, batch=batch),
        "job_run": _OLD_JOB_RUNS.run(db, project_id=project_id, before=before, batch=batch),
    }


def delete_old_questions(db: apsw.Connection, project_id: str, before: str, batch: int) -> int:
    """Delete at most `batch` questions asked before a time, with their ratings."""
    return _OLD_QUESTIONS.run(db, project_id=project_id, before=before, batch=batch)


def delete_old_searches(db: apsw.Connection, project_id: str, before: str, batch: int) -> int:
    """Delete at most `batch` search statistics from before a time."""
    return _OLD_SEARCHES.run(db, project_id=project_id, before=before, batch=batch)
