"""The SQL of figures: how many rows a project has, what they take, how far sources are; retention."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.operations.model import Watermark


class Share(msgspec.Struct, frozen=True):
    """What a project has of one kind of row: how many, and the bytes of their text."""

    rows: int
    bytes: int


class _Bytes(msgspec.Struct, frozen=True):
    bytes: int


_CONTACTS = Query(
    Share,
    """
    SELECT count(*) AS rows, coalesce(sum(
        octet_length(coalesce(name, '')) + octet_length(coalesce(email, ''))
        + octet_length(coalesce(phone_number, '')) + octet_length(custom_attributes)), 0) AS bytes
    FROM contact WHERE project_id = :project_id AND deleted_at IS NULL
    """,
)
_CONVERSATIONS = Query(
    Share,
    """
    SELECT count(*) AS rows, coalesce(sum(
        octet_length(coalesce(subject, '')) + octet_length(labels)
        + octet_length(coalesce(assignee_name, ''))), 0) AS bytes
    FROM conversation WHERE project_id = :project_id AND deleted_at IS NULL
    """,
)
_MESSAGES = Query(
    Share,
    """
    SELECT count(*) AS rows, coalesce(sum(
        octet_length(coalesce(content, '')) + octet_length(coalesce(sender_name, ''))), 0) AS bytes
    FROM message WHERE project_id = :project_id AND deleted_at IS NULL
    """,
)
_PAGES = Query(
    _Bytes,
    "SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name = :name AND aggregate = TRUE",
)
_INDEX_PAGES = Query(
    _Bytes,
    "SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name = :name AND aggregate = TRUE",
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
_OLD_JOB_RUNS = Command("""
    DELETE FROM job_run WHERE id IN (
        SELECT id FROM job_run AS old
        WHERE project_id = :project_id AND started_at < :before AND status <> 'running'
            AND id < (SELECT max(id) FROM job_run WHERE project_id = :project_id AND job_name = old.job_name)
        LIMIT :batch)
""")


def shares(db: apsw.Connection, project_id: str) -> dict[str, Share]:
    """What a project has, by table."""
    return {
        "contact": _CONTACTS.one(db, project_id=project_id),
        "conversation": _CONVERSATIONS.one(db, project_id=project_id),
        "message": _MESSAGES.one(db, project_id=project_id),
    }


def table_bytes(db: apsw.Connection, names: tuple[str, ...]) -> dict[str, int]:
    """The bytes tables take in ctower.db, whole pages, all projects."""
    return {name: _PAGES.one(db, name=name).bytes for name in names}


def index_table_bytes(db: apsw.Connection, name: str) -> int:
    """The bytes a table takes in index.db."""
    return _INDEX_PAGES.one(db, name=name).bytes


def watermarks(db: apsw.Connection, project_id: str) -> list[Watermark]:
    """The five sources read last, the newest first."""
    return _WATERMARKS.all(db, project_id=project_id)


def delete_old_runs(db: apsw.Connection, project_id: str, before: str, batch: int) -> dict[str, int]:
    """Delete runs begun before a time, at most `batch` of each kind; the newest of every job stays."""
    return {
        "worker_run": _OLD_WORKER_RUNS.run(db, project_id=project_id, before=before, batch=batch),
        "job_run": _OLD_JOB_RUNS.run(db, project_id=project_id, before=before, batch=batch),
    }
