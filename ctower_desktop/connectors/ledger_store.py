"""How each connector does in each project: state, errors, watermarks, events, quarantine."""

from __future__ import annotations

import hashlib
from typing import Any

import apsw
import msgspec

from ctower_desktop.connectors import ledger
from ctower_desktop.connectors.events import Event
from ctower_desktop.connectors.model import ConnectorError, ErrorNotFound, Quarantined, SyncState, Watermark
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef

MODE = "http"
_LONGEST_MESSAGE = 4_000
_LONGEST_STATE = 2_000
_LONGEST_ROW = 256 << 10  # bytes of a quarantined row that are kept


class KeptRow(msgspec.Struct, frozen=True):
    """A quarantined row to be tried again."""

    id: int
    stream: str
    external_id: str
    body: str


class Newest(msgspec.Struct, frozen=True):
    """The newest row of a source."""

    cursor_ts: str | None
    cursor_id: str | None


class _Count(msgspec.Struct, frozen=True):
    n: int


_ERROR = """CAST(id AS TEXT) AS id, connector, mode, operation, source_ref, error_kind, error_message,
           payload_json,
           attempt, next_retry_at, status, dedupe_key, created_at, updated_at, resolved_at"""
_STATES = Query(
    SyncState,
    """
    SELECT connector, mode, status, cursor_ts, cursor_id, page_cursor, last_success_at, last_attempt_at,
           retry_count, last_error, meta, updated_at
    FROM connector_sync_state WHERE project_id = :project_id ORDER BY connector
    """,
)
_RUNNING = Command("""
    INSERT INTO connector_sync_state (project_id, account_scope_id, connector, mode, status,
    last_attempt_at, updated_at)
    VALUES (:project_id, :account_scope_id, :connector, :mode, 'running', :at, :at)
    ON CONFLICT (project_id, connector) DO UPDATE
    SET status = 'running', last_attempt_at = excluded.last_attempt_at, updated_at = excluded.updated_at
""")
_OK = Command("""
    UPDATE connector_sync_state
    SET status = 'ok', cursor_ts = :cursor_ts, cursor_id = :cursor_id, page_cursor = NULL,
    last_success_at = :at,
        retry_count = 0, last_error = NULL, meta = :meta, updated_at = :at
    WHERE project_id = :project_id AND connector = :connector
""")
_FAILED = Command("""
    UPDATE connector_sync_state
    SET status = 'failed', retry_count = retry_count + 1, last_error = :error, updated_at = :at
    WHERE project_id = :project_id AND connector = :connector
""")
_STOPPED = Command("""
    UPDATE connector_sync_state
    SET status = CASE WHEN last_success_at IS NULL THEN 'idle' ELSE 'ok' END, updated_at = :at
    WHERE project_id = :project_id AND connector = :connector AND status = 'running'
""")
_INTERRUPTED = Command("""
    UPDATE connector_sync_state SET status = 'failed', last_error = 'interrupted', updated_at = :at
    WHERE status = 'running'
""")
_WATERMARK = Command("""
    INSERT INTO sync_watermark (project_id, account_scope_id, source, cursor_ts, cursor_id, meta, updated_at)
    VALUES (:project_id, :account_scope_id, :source, :cursor_ts, :cursor_id, :meta, :at)
    ON CONFLICT (project_id, source) DO UPDATE SET cursor_ts = excluded.cursor_ts,
        cursor_id = excluded.cursor_id, meta = excluded.meta, updated_at = excluded.updated_at
""")
_WATERMARKS = Query(
    Watermark,
    """
    SELECT source, cursor_ts, cursor_id, updated_at, meta FROM sync_watermark
    WHERE project_id = :project_id ORDER BY updated_at DESC, id DESC LIMIT :limit
    """,
)
_OPEN = Query(
    _Count,
    """
    SELECT attempt AS n FROM connector_error
    WHERE project_id = :project_id AND connector = :connector AND dedupe_key = :key
      AND status IN ('pending', 'retrying')
    """,
)
_AGAIN = Command("""
    UPDATE connector_error SET error_message = :message, payload_json = :payload, attempt = :attempt,
        next_retry_at = :next, status = :status, updated_at = :at
    WHERE project_id = :project_id AND connector = :connector AND dedupe_key = :key
      AND status IN ('pending', 'retrying')
""")
_REGISTER = Command("""
    INSERT INTO connector_error (project_id, account_scope_id, connector, mode, operation, source_ref,
    error_kind,
        error_message, payload_json, attempt, next_retry_at, status, dedupe_key, created_at, updated_at)
    VALUES (:project_id, :account_scope_id, :connector, :mode, 'sync', :connector, 'sync_failed', :message,
            :payload, :attempt, :next, :status, :key, :at, :at)
""")
_RESOLVE = Command("""
    UPDATE connector_error SET status = 'resolved', resolved_at = :at, updated_at = :at
    WHERE project_id = :project_id AND connector = :connector AND status IN ('pending', 'retrying')
""")
_ERRORS = Query(
    ConnectorError,
    f"""
    SELECT {_ERROR} FROM connector_error
    WHERE project_id = :project_id AND (:status = '' OR status = :status)
      AND (:connector = '' OR connector = :connector)
    ORDER BY updated_at DESC, id DESC LIMIT :limit
    """,
)
_DUE = Query(
    ConnectorError,
    f"""
    SELECT {_ERROR} FROM connector_error
    WHERE project_id = :project_id AND status IN ('pending', 'retrying') AND next_retry_at <= :now
    ORDER BY next_retry_at, connector_error.id LIMIT :limit
    """,
)
_REVIVE = Query(
    ConnectorError,
    f"""
    UPDATE connector_error SET status = 'pending', attempt = 0, next_retry_at = :at, updated_at = :at
    WHERE id = :id AND project_id = :project_id AND status = 'dead_letter'
      AND NOT EXISTS (SELECT 1 FROM connector_error o WHERE o.project_id = connector_error.project_id
                        AND o.connector = connector_error.connector
                        AND o.dedupe_key = connector_error.dedupe_key
                        AND o.status IN ('pending', 'retrying'))
    RETURNING {_ERROR}
    """,
    missing=ErrorNotFound,
)
_EVENT = Command("""
    INSERT OR IGNORE INTO connector_event (project_id, account_scope_id, event_type, occurred_at, actor,
    source,
        source_ref, source_url, source_message_id, source_linear_issue_id, source_attio_record_id,
        payload_json,
        dedupe_key, created_at)
    VALUES (:project_id, :account_scope_id, :event_type, :occurred_at, :actor, :source, :source_ref,
    :source_url,
        :source_message_id, :source_linear_issue_id, :source_attio_record_id, :payload_json, :dedupe_key, :at)
""")
_QUARANTINE = Command("""
    INSERT INTO quarantined_row (connector, account, stream, external_id, reason, content_hash, body,
                                 first_seen_at, last_seen_at)
    VALUES (:connector, :account, :stream, :external_id, :reason, :hash, :body, :at, :at)
    ON CONFLICT (connector, account, stream, external_id) DO UPDATE SET reason = excluded.reason,
        body = excluded.body, content_hash = excluded.content_hash, last_seen_at = excluded.last_seen_at,
        times = times + 1, status = 'open'
""")
_RELEASE = Command("""
    UPDATE quarantined_row SET status = 'resolved', last_seen_at = :at
    WHERE connector = :connector AND account = :account AND stream = :stream AND status = 'open'
      AND external_id IN (SELECT value FROM json_each(:ids))
""")
_QUARANTINED = Query(
    Quarantined,
    """
    SELECT CAST(id AS TEXT) AS id, connector, stream, external_id, reason, times, first_seen_at, last_seen_at,
           substr(body, 1, 500) AS sample
    FROM quarantined_row WHERE status = 'open' AND (:connector = '' OR connector = :connector)
    ORDER BY quarantined_row.last_seen_at DESC LIMIT :limit
    """,
)
_KEPT = Query(
    KeptRow,
    """
    SELECT id, stream, external_id, body FROM quarantined_row
    WHERE connector = :connector AND status = 'open'
    """,
)
_OPEN_ROWS = Query(
    _Count,
    "SELECT count(*) AS n FROM quarantined_row WHERE connector = :connector AND status = 'open'",
)
_NEWEST = {
    "chatwoot": Query(
        Newest,
        """
        SELECT created_at AS cursor_ts, id AS cursor_id FROM message
        WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY created_at DESC, id LIMIT 1
        """,
    ),
    "linear": Query(
        Newest,
        """
        SELECT updated_at AS cursor_ts, id AS cursor_id FROM issue
        WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY updated_at DESC, id LIMIT 1
        """,
    ),
    "attio": Query(
        Newest,
        """
        SELECT updated_at AS cursor_ts, id AS cursor_id FROM deal
        WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY updated_at DESC, id LIMIT 1
        """,
    ),
}


def _of(project: ProjectRef) -> dict[str, str]:
    return {"project_id": project.id, "account_scope_id": project.account_scope_id}


def states(db: apsw.Connection, project_id: str) -> list[SyncState]:
    """Connectors that ran in a project, by name."""
    return _STATES.all(db, project_id=project_id)


def state(db: apsw.Connection, project_id: str, connector: str) -> SyncState | None:
    """One of them."""
    return next((s for s in states(db, project_id) if s.connector == connector), None)


def running(db: apsw.Connection, project: ProjectRef, connector: str, at: str) -> None:
    """A sync begins."""
    _RUNNING.run(db, **_of(project), connector=connector, mode=MODE, at=at)


def succeeded(  # noqa: PLR0917
    db: apsw.Connection, project: ProjectRef, connector: str, source: str, meta: dict[str, Any], at: str
) -> tuple[int, Newest]:
    """A sync ended well: state, watermark, and all its open errors are over; return how many, and how far."""
    newest = _NEWEST[connector].first(db, project_id=project.id) or Newest(None, None)
    cursor = msgspec.structs.asdict(newest)
    _OK.run(db, project_id=project.id, connector=connector, meta=as_json(meta), at=at, **cursor)
    _WATERMARK.run(db, **_of(project), source=source, meta="{}", at=at, **cursor)
    return _RESOLVE.run(db, project_id=project.id, connector=connector, at=at), newest


def stopped(db: apsw.Connection, project: ProjectRef, connector: str, at: str) -> None:
    """A sync was stopped, or there was nothing it may do: neither success nor failure."""
    _STOPPED.run(db, project_id=project.id, connector=connector, at=at)


def interrupted(db: apsw.Connection, at: str) -> None:
    """Syncs that were running when the program ended are not running."""
    _INTERRUPTED.run(db, at=at)


def failed(  # noqa: PLR0917
    db: apsw.Connection,
    project: ProjectRef,
    connector: str,
    message: str,
    payload: dict[str, Any],
    at: str,
    next_at: dict[int, str],
    most: int,
) -> None:
    """A sync failed: state and error ledger. `next_at` gives the next try for each attempt."""
    _FAILED.run(db, project_id=project.id, connector=connector, error=message[:_LONGEST_STATE], at=at)
    key = ledger.identity(connector, MODE, "sync", connector, "sync_failed")
    open_one = _OPEN.first(db, project_id=project.id, connector=connector, key=key)
    attempt = (open_one.n if open_one else 0) + 1
    values = {
        "project_id": project.id, "connector": connector, "key": key, "message": message[:_LONGEST_MESSAGE],
        "payload": as_json(payload), "attempt": attempt, "next": next_at[min(attempt, max(next_at))],
        "status": ledger.status_of(attempt, most), "at": at,
    }  # fmt: skip
    if open_one is not None:
        _AGAIN.run(db, **values)
    else:
        _REGISTER.run(db, **values, account_scope_id=project.account_scope_id, mode=MODE)


def errors(
    db: apsw.Connection, project_id: str, status: str, connector: str, limit: int
) -> list[ConnectorError]:
    """Errors, the last touched first."""
    return _ERRORS.all(db, project_id=project_id, status=status, connector=connector, limit=limit)


def due(db: apsw.Connection, project_id: str, now: str, limit: int) -> list[ConnectorError]:
    """Errors whose next try has come, the oldest first."""
    return _DUE.all(db, project_id=project_id, now=now, limit=limit)


def revive(db: apsw.Connection, project_id: str, error_id: int, at: str) -> ConnectorError:
    """Give an error that was given up another chance; raise ErrorNotFound."""
    return _REVIVE.one(db, id=error_id, project_id=project_id, at=at)


def watermarks(db: apsw.Connection, project_id: str, limit: int) -> list[Watermark]:
    """How far the sources of a project were read, the last first."""
    return _WATERMARKS.all(db, project_id=project_id, limit=limit)


def put_events(db: apsw.Connection, found: list[Event], at: str) -> int:
    """Write events that are not there yet; return how many."""
    inserted = 0
    for event in found:
        values = msgspec.structs.asdict(event) | {"payload_json": as_json(event.payload_json)}
        inserted += _EVENT.run(db, **values, dedupe_key=event.dedupe_key, at=at)
    return inserted


def quarantine(  # noqa: PLR0917
    db: apsw.Connection,
    connector: str,
    account: str,
    stream: str,
    external_id: str,
    reason: str,
    raw: bytes,
    at: str,
) -> None:
    """Put a row aside."""
    digest = hashlib.blake2b(raw, digest_size=16).hexdigest()
    _QUARANTINE.run(
        db, connector=connector, account=account, stream=stream, external_id=external_id or f"?{digest}",
        reason=reason[:1_000], hash=digest, body=raw[:_LONGEST_ROW].decode("utf-8", "replace"), at=at,
    )  # fmt: skip


def release(db: apsw.Connection, connector: str, account: str, stream: str, ids: list[str], at: str) -> None:  # noqa: PLR0917
    """Rows that were put aside are understood now."""
    _RELEASE.run(db, connector=connector, account=account, stream=stream, ids=as_json(ids), at=at)


def quarantined(db: apsw.Connection, connector: str, limit: int) -> list[Quarantined]:
    """Rows that are put aside, the last seen first."""
    return _QUARANTINED.all(db, connector=connector, limit=limit)


def kept(db: apsw.Connection, connector: str) -> list[KeptRow]:
    """The same rows whole, to be tried again."""
    return _KEPT.all(db, connector=connector)


def open_rows(db: apsw.Connection, connector: str) -> int:
    """How many rows of a connector are put aside."""
    return _OPEN_ROWS.one(db, connector=connector).n
