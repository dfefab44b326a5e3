"""People, sessions, API keys and audit lines, as stored and as served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.kernel.errors import Conflict, Gone, Invalid, NotFound, TooMany, Unauthenticated
from ctower_desktop.kernel.tower import Role

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")


class InvalidCredentials(Unauthenticated):
    """User name or password is wrong."""

    code = "invalid_credentials"


class LoginRateLimited(TooMany):
    """Too many failed attempts for this user; wait and try again."""

    code = "login_rate_limited"


class WrongPassword(Invalid):
    """The current password is not right."""

    code = "wrong_password"


class SignupDisabled(Gone):
    """Nobody signs up by themselves: an owner adds people."""

    code = "signup_disabled"
    also: ClassVar[Mapping[str, object]] = {
        "enabled": False,
        "has_telegram_token": False,
        "owner_bound": False,
        "reason": "signup_disabled",
    }


class TelegramDisabled(Gone):
    """The Telegram bot is not part of this program."""

    code = "telegram_disabled"


class ProjectRequired(Invalid):
    """Create or select a project first."""

    code = "project_required"


class InvalidExpiresAt(Invalid):
    """expires_at must be a date or a time that is still to come."""

    code = "invalid_expires_at"


class IdRequired(Invalid):
    """The id of the key to revoke is missing."""

    code = "id_required"


class UsernameTaken(Conflict):
    """Somebody already has that user name."""

    code = "username_taken"


class EmailTaken(Conflict):
    """Somebody already has that e-mail address."""

    code = "email_taken"


class SessionNotFound(NotFound):
    """You have no such session."""

    code = "session_not_found"


class IdempotencyKeyReuse(Conflict):
    """This x-idempotency-key was used for a different request."""

    code = "idempotency_key_reuse"


class KeyNotFound(NotFound):
    """There is no such API key in this project."""


class User(msgspec.Struct, frozen=True):
    """Somebody with a password of their own."""

    id: str
    username: str
    password_hash: str
    role: Role
    email: str | None
    created_at: str
    updated_at: str


class Session(msgspec.Struct, frozen=True):
    """A browser that signed in; `role` and `password_hash` are those of its user, if one of ours."""

    id: str
    user_id: str | None
    username: str
    stamp: str
    active_project_id: str | None
    created_at: str
    last_seen_at: str
    role: Role | None
    password_hash: str | None
    address: str = ""
    agent: str = ""


class SessionShown(msgspec.Struct, frozen=True):
    """A session in the list of its owner; `agent` is what the browser calls itself."""

    id: str
    current: bool
    created_at: str
    last_seen_at: str
    address: str
    agent: str


class ApiKey(msgspec.Struct, frozen=True):
    """An API key as it is checked: its hash stays in the database."""

    id: str
    project_id: str
    account_scope_id: str
    name: str
    scopes: list[Scope]
    expires_at: str | None
    last_used_at: str | None


class Login(msgspec.Struct, frozen=True):
    """User name and password."""

    username: Annotated[str, Meta(min_length=1, max_length=200)]
    password: Annotated[str, Meta(min_length=1, max_length=1024, extra={"verbatim": True})]


class LoginAnswer(msgspec.Struct, frozen=True):
    """Who came in, and the token their next requests must carry."""

    username: str
    user_id: str | None
    role: Role
    active_project_id: str | None
    csrf_cookie_name: str
    csrf_token: str


class Nothing(msgspec.Struct, frozen=True):
    """There is nothing more to say than that it was done."""


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking; only `authenticated` when nobody is signed in."""

    authenticated: bool
    username: str | UnsetType = UNSET
    user_id: str | UnsetType | None = UNSET
    role: Role | UnsetType = UNSET
    active_project_id: str | UnsetType | None = UNSET
    account_scope_id: str | UnsetType | None = UNSET
    csrf_cookie_name: str | UnsetType = UNSET
    csrf_token: str | UnsetType | None = UNSET
    created_at: str | UnsetType = UNSET
    last_seen_at: str | UnsetType = UNSET


class EvidenceRef(msgspec.Struct, frozen=True):
    """What an act rests upon: a message, a conversation, a contact, a chunk, or something outside."""

    source: str
    ref: str
    snippet: str | None = None
    meta: dict[str, Any] = {}


class AuditRow(msgspec.Struct, frozen=True):
    """One line of the audit trail as stored."""

    id: int
    actor_username: str
    actor_user_id: str | None
    action: str
    entity_type: str
    entity_id: str
    status: str
    request_id: str
    payload: dict[str, Any]
    evidence_refs: list[EvidenceRef]
    created_at: str


class AuditEvent(msgspec.Struct, frozen=True):
    """One line of the audit trail as served."""

    id: str
    actor_username: str
    actor_user_id: str | None
    action: str
    entity_type: str
    entity_id: str
    status: str
    request_id: str
    payload: dict[str, Any]
    evidence_refs: list[EvidenceRef]
    created_at: str


_Short = Annotated[str, Meta(max_length=200)]


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines: `action` is exact or, with a dot at its end, a beginning such as `offer.`.

    `date_from` and `date_to` are days or moments; a day named last counts whole.
    """

    action: _Short | None = None
    actor: _Short | None = None
    status: _Short | None = None
    entity_type: _Short | None = None
    entity_id: _Short | None = None
    date_from: _Short | None = None
    date_to: _Short | None = None


class AuditQuery(AuditFilter, frozen=True, kw_only=True):
    """Which lines, and how many."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class AuditExport(AuditFilter, frozen=True, kw_only=True):
    """Which lines, and how many at most."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 10_000


class AuditAnswer(msgspec.Struct, frozen=True):
    """Lines of the audit trail, the newest first."""

    events: list[AuditEvent]


class KeyShown(msgspec.Struct, frozen=True):
    """An API key in the list: enough to recognise it, not enough to use it."""

    id: str
    key_prefix: str
    name: str
    scopes: list[Scope]
    expires_at: str | None
    last_used_at: str | None
    created_at: str


class KeysAnswer(msgspec.Struct, frozen=True):
    """The keys of the active project, the newest first."""

    data: list[KeyShown]


class NewKey(msgspec.Struct, frozen=True):
    """What a new API key is for."""

    name: str | None = None
    scopes: list[str] | None = None
    expires_at: str | None = None


class KeyMade(msgspec.Struct, frozen=True):
    """A new API key; `key` is shown this one time."""

    key: str
    prefix: str
    name: str
    scopes: list[Scope]
    expires_at: str | None


class KeyMadeAnswer(msgspec.Struct, frozen=True):
    """The new key."""

    data: KeyMade


class RevokeKey(msgspec.Struct, frozen=True):
    """Which key to revoke."""

    id: str | None = None


class Remembered(msgspec.Struct, frozen=True):
    """The first answer to a request that may be sent twice."""

    route: str
    body_hash: str
    status: int
    response: bytes
