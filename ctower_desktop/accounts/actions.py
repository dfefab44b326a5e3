"""Signing in and out, the audit trail, API keys."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from ctower_desktop.accounts import (
    audit_store,
    own_actions,  # noqa: F401 - declares endpoints
    store,
    user_actions,  # noqa: F401 - declares endpoints
)
from ctower_desktop.accounts.attempts import LoginAttempts
from ctower_desktop.accounts.audit import record_coming_and_going
from ctower_desktop.accounts.credentials import Auth, configured_owner, normal_name
from ctower_desktop.accounts.keys import PREFIX, key_expiry, key_name, key_scopes, new_key
from ctower_desktop.accounts.model import (
    AuditAnswer,
    AuditEvent,
    AuditExport,
    AuditFilter,
    AuditQuery,
    IdRequired,
    InvalidCredentials,
    InvalidExpiresAt,
    KeyMade,
    KeyMadeAnswer,
    KeyNotFound,
    KeysAnswer,
    KeyShown,
    Login,
    LoginAnswer,
    LoginRateLimited,
    Me,
    NewKey,
    Nothing,
    ProjectRequired,
    RevokeKey,
    SignupDisabled,
    TelegramDisabled,
)
from ctower_desktop.accounts.passwords import Passwords
from ctower_desktop.accounts.reading import as_csv, window_of
from ctower_desktop.accounts.sessions import LIFETIME, hashed, open_session
from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.endpoint import TOWER, Cookie, Reply, Text
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.events import AccessChanged
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import Anyone, OwnerSession, ProjectRef, Scoped


@TOWER.post(
    "/auth/login", raises=(InvalidCredentials, LoginRateLimited), pace="auth", role="viewer", csrf=False
)
async def sign_in(call: Anyone, body: Login) -> Reply[LoginAnswer]:
    """Sign in with user name and password; the answer sets the session cookie and names the CSRF token."""
    tower, username = call.tower, normal_name(body.username)
    auth, attempts = tower.settings.get(Auth), await tower.part(LoginAttempts)
    key = f"{call.asking.address}:{username}"
    attempts.take(key, auth.login_attempts, auth.login_window_minutes * 60)
    user = await tower.db.read(store.user_named, username)
    user_hash = user.password_hash if user else None
    configured = configured_owner(tower.settings)
    is_owner = user is None and configured is not None and configured.username == username
    passwords = await tower.part(Passwords)
    right = await passwords.matches(body.password, user_hash, configured, is_owner=is_owner)
    secret = user_hash or (configured.password if configured and is_owner else None)
    if not right or secret is None:
        await record_coming_and_going(call, "auth.login_failed", username, status="failed")
        raise InvalidCredentials
    attempts.forget(key)
    token, who = await open_session(tower, username, user, secret, call.asking)
    await record_coming_and_going(replace(call, who=who), "auth.login", username)
    assert who.csrf_token is not None, "a session has a token"
    return Reply(
        LoginAnswer(username, who.user_id, who.role, None, auth.csrf_cookie, who.csrf_token),
        cookies=(
            Cookie(auth.session_cookie, token),
            Cookie(auth.csrf_cookie, who.csrf_token, http_only=False),
        ),
    )


@TOWER.post("/auth/logout", pace="auth", role="viewer")
async def sign_out(call: Anyone) -> Reply[Nothing]:
    """End the session, if there is one, and clear both cookies."""
    auth = call.tower.settings.get(Auth)
    if call.who is not None and call.who.session_id is not None:
        await call.tower.db.write_durably(store.close_session, call.who.session_id)
        call.tower.events.publish(AccessChanged(project_id=None))
        await record_coming_and_going(call, "auth.logout", call.who.username)
    cookies = (Cookie(auth.session_cookie, None), Cookie(auth.csrf_cookie, None, http_only=False))
    return Reply(Nothing(), cookies=cookies)


@TOWER.get("/auth/me", pace="auth")
async def read_me(call: Anyone) -> Me:
    """Who is signed in, with which project active; `authenticated: false` when nobody is."""
    who = call.who
    if who is None:
        return Me(authenticated=False)
    me = Me(
        authenticated=True,
        username=who.username,
        user_id=who.user_id,
        role=who.role,
        active_project_id=call.project.id if call.project else None,
        account_scope_id=call.project.account_scope_id if call.project else None,
        csrf_cookie_name=call.tower.settings.get(Auth).csrf_cookie,
        csrf_token=who.csrf_token,
    )
    if who.session_id is None:
        return me
    oldest = as_text(call.tower.clock.now() - LIFETIME)
    session = await call.tower.db.read(store.session, who.session_id, oldest)
    if session is None:
        return Me(authenticated=False)
    return msgspec.structs.replace(me, created_at=session.created_at, last_seen_at=session.last_seen_at)


@TOWER.get("/auth/signup/status", raises=(SignupDisabled,), pace="auth")
async def read_signup(call: Anyone) -> Nothing:
    """Whether people can sign up by themselves: they cannot."""
    raise SignupDisabled


@TOWER.post("/auth/signup/start", raises=(SignupDisabled,), pace="auth", role="viewer", csrf=False)
async def start_signup(call: Anyone) -> Nothing:
    """Signing up by oneself is not offered."""
    raise SignupDisabled


@TOWER.post("/auth/signup/confirm", raises=(SignupDisabled,), pace="auth", role="viewer", csrf=False)
async def confirm_signup(call: Anyone) -> Nothing:
    """Signing up by oneself is not offered."""
    raise SignupDisabled


@TOWER.post("/auth/telegram/webhook", raises=(TelegramDisabled,), pace="auth", role="viewer", csrf=False)
async def take_telegram(call: Anyone) -> Nothing:
    """The Telegram bot is not offered."""
    raise TelegramDisabled


@TOWER.get("/audit")
async def list_audit(call: Scoped, query: AuditQuery) -> AuditAnswer:
    """Who did what in the active project, the newest first; owners also see who signed in and out."""
    window = _window(call, query, query.limit, query.offset)
    rows = await call.tower.db.read(audit_store.listed, window)
    return AuditAnswer(
        [msgspec.convert({**msgspec.structs.asdict(row), "id": str(row.id)}, AuditEvent) for row in rows]
    )


@TOWER.get("/audit/export", pace="expensive")
async def export_audit(call: Scoped, query: AuditExport) -> Text:
    """The same lines as a table in CSV, at most 10,000, for table programs."""
    window = _window(call, query, query.limit)
    table = await call.tower.db.read(lambda db: as_csv(audit_store.listed(db, window)))
    return Text(table, "text/csv; charset=utf-8")


def _window(call: Scoped, asked: AuditFilter, limit: int, offset: int = 0) -> audit_store.Window:
    regional, owner = call.tower.settings.get(Regional), call.user.sees_all_projects
    return window_of(asked, regional, call.project_id, owner=owner, limit=limit, offset=offset)


@TOWER.get("/api-keys", raises=(ProjectRequired,))
async def list_api_keys(call: OwnerSession) -> KeysAnswer:
    """The API keys of the active project, the newest first."""
    return KeysAnswer(await call.tower.db.read(store.keys, _project(call)))


@TOWER.post(
    "/api-keys", raises=(ProjectRequired, InvalidExpiresAt), status=201, audit="api_key.create", role="owner"
)
async def create_api_key(call: OwnerSession, body: NewKey) -> KeyMadeAnswer:
    """Make an API key for the active project; the key itself is shown this one time."""
    project, key = _project(call), new_key()
    scopes = key_scopes(body.scopes)
    shown = KeyShown(
        id=new_id(),
        key_prefix=key[:PREFIX],
        name=key_name(body.name),
        scopes=scopes,
        expires_at=key_expiry(body.expires_at, call.tower.clock.now()),
        last_used_at=None,
        created_at=call.tower.clock.text(),
    )
    await call.tower.db.write_durably(store.add_key, project, shown, hashed(key), scopes)
    call.noted.about("api_key", shown.id, name=shown.name, scopes=list(scopes))
    return KeyMadeAnswer(KeyMade(key, shown.key_prefix, shown.name, scopes, shown.expires_at))


@TOWER.post(
    "/api-keys/revoke",
    raises=(ProjectRequired, IdRequired, InvalidUuid, KeyNotFound),
    audit="api_key.revoke",
    role="owner",
)
async def revoke_api_key(call: OwnerSession, body: RevokeKey) -> Nothing:
    """Revoke an API key: requests that carry it are refused from now on."""
    if not body.id:
        raise IdRequired
    if not is_uuid(body.id):
        raise InvalidUuid
    await call.tower.db.write_durably(store.revoke_key, _project(call).id, body.id.lower())
    call.tower.events.publish(AccessChanged(project_id=None))
    call.noted.about("api_key", body.id.lower())
    return Nothing()


def _project(call: OwnerSession) -> ProjectRef:
    if call.project is None:
        raise ProjectRequired
    return call.project
