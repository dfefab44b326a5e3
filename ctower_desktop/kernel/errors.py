"""Every failure the tower can name, with its wire code and HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec


class Issue(msgspec.Struct, frozen=True):
    """One field that does not fit: where, why, and a stable code."""

    path: str
    message: str
    code: str


class TowerError(Exception):
    """A failure we understand; `code` is stable API, the message is for people.

    `retry_after` is in seconds. A door adds both to its own envelope (web/dialects.py); `also` are
    further keys of that failure's answer.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    also: ClassVar[Mapping[str, object]] = {}

    def __init__(
        self, message: str = "", /, *, issues: tuple[Issue, ...] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(message or (issues[0].message if issues else "") or _first_line(type(self)))
        self.issues = issues
        self.retry_after = retry_after


def _first_line(kind: type[TowerError]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


class Invalid(TowerError):
    """The request does not fit its declared shape."""

    code, status = "validation_error", 400


class InvalidJson(Invalid):
    """The body is not JSON."""

    code = "invalid_json"


class InvalidUuid(Invalid):
    """An id in the request is not a UUID."""

    code = "invalid_uuid"


class PayloadTooLarge(TowerError):
    """The body is larger than this door accepts."""

    code, status = "payload_too_large", 413


class UnsupportedMediaType(TowerError):
    """A body must be sent as application/json."""

    code, status = "unsupported_media_type", 415


class Misdirected(TowerError):
    """This server is not known under that host name."""

    code, status = "host_not_allowed", 421


class Unauthenticated(TowerError):
    """Sign in first, or send a valid API key."""

    code, status = "unauthorized", 401


class Forbidden(TowerError):
    """Your role does not allow this."""

    code, status = "forbidden", 403


class OriginNotAllowed(Forbidden):
    """Requests from that web page are not accepted."""

    code = "origin_not_allowed"


class CsrfInvalid(Forbidden):
    """The x-csrf-token header is missing or does not belong to this session."""

    code = "csrf_invalid"


class ScopeInsufficient(Forbidden):
    """This API key may only read."""

    code = "scope_insufficient"


class ProjectAccessDenied(Forbidden):
    """You are not assigned to this project."""

    code = "project_access_denied"


class NotFound(TowerError):
    """Nothing here has that name."""

    code, status = "not_found", 404


class MethodNotAllowed(TowerError):
    """This path does not answer to that method."""

    code, status = "method_not_allowed", 405


class Conflict(TowerError):
    """This contradicts what is already there."""

    code, status = "conflict", 409


class ActiveProjectRequired(Conflict):
    """Create or select a project first."""

    code = "active_project_required"


class Gone(TowerError):
    """This is no longer offered."""

    code, status = "gone", 410


class TooMany(TowerError):
    """Too many requests; wait a little."""

    code, status = "rate_limited", 429


class NotReady(TowerError):
    """The tower is not ready for this yet."""

    code, status = "not_ready", 503


class Upstream(TowerError):
    """A service the tower depends on did not do its part."""

    code, status = "upstream_failed", 502


class StorageFailure(TowerError):
    """The database cannot be used as it should; the environment is to blame, not the request."""

    code, status = "storage_failure", 503


class StorageFull(StorageFailure):
    """The disk is full. Nothing was lost; free some space and it goes on by itself."""

    code = "storage_full"


class StorageBusy(StorageFailure):
    """Another program holds the database. Close it and try again."""

    code = "storage_busy"


class StorageDamaged(StorageFailure):
    """The database file is damaged. Restore a backup with `ctower restore`."""

    code = "storage_damaged"


class DatabaseTooNew(StorageFailure):
    """The database was written by a newer version of the program; install that version."""

    code = "database_too_new"
