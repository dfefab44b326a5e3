"""What a connector's state, an error, a watermark and a quarantined row are, as stored and as served."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ctower_desktop.kernel.errors import NotFound


class ErrorNotFound(NotFound):
    """There is no such error waiting for a retry in this project."""

    code = "error_not_found"


class SyncState(msgspec.Struct, frozen=True):
    """How a connector does in a project."""

    connector: str
    mode: str
    status: Literal["idle", "running", "ok", "partial", "failed"]
    cursor_ts: str | None
    cursor_id: str | None
    page_cursor: str | None
    last_success_at: str | None
    last_attempt_at: str | None
    retry_count: int
    last_error: str | None
    meta: dict[str, Any]
    updated_at: str


class ConnectorError(msgspec.Struct, frozen=True):
    """A failed sync that is tried again, given up or over."""

    id: str
    connector: str
    mode: str
    operation: str
    source_ref: str
    error_kind: str
    error_message: str
    payload_json: dict[str, Any]
    attempt: int
    next_retry_at: str
    status: Literal["pending", "retrying", "dead_letter", "resolved"]
    dedupe_key: str
    created_at: str
    updated_at: str
    resolved_at: str | None


class Watermark(msgspec.Struct, frozen=True):
    """How far a source of a project was read."""

    source: str
    cursor_ts: str | None
    cursor_id: str | None
    updated_at: str
    meta: dict[str, Any]


class Quarantined(msgspec.Struct, frozen=True):
    """A row that could not be understood; `sample` is its beginning."""

    id: str
    connector: str
    stream: str
    external_id: str
    reason: str
    times: int
    first_seen_at: str
    last_seen_at: str
    sample: str
