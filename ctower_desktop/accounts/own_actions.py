"""What everybody may change of their own sign-in: the password, and where they are signed in."""

from __future__ import annotations

import asyncio

from ctower_desktop.accounts import store, user_store
from ctower_desktop.accounts.attempts import LoginAttempts
from ctower_desktop.accounts.credentials import Auth, change_owner_password, configured_owner
from ctower_desktop.accounts.model import IdRequired, LoginRateLimited, SessionNotFound, User, WrongPassword
from ctower_desktop.accounts.passwords import Passwords
from ctower_desktop.accounts.sessions import LIFETIME, open_session
from ctower_desktop.accounts.user_model import (
    NewPassword,
    PasswordChanged,
    PasswordFromEnvironment,
    RevokeSession,
    SessionsAnswer,
    SignedOut,
)
from ctower_desktop.kernel.endpoint import TOWER, Cookie, Reply
from ctower_desktop.kernel.errors import Forbidden
from ctower_desktop.kernel.events import AccessChanged
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Caller, Who

_KEYS_HAVE_NONE = "API keys have neither a password nor sessions; sign in."


@TOWER.post(
    "/auth/password",
    raises=(WrongPassword, PasswordFromEnvironment, LoginRateLimited),
    pace="auth",
    audit="auth.password_change",
    role="viewer",
)
async def change_password(call: Caller, body: NewPassword) -> Reply[PasswordChanged]:
    """Change one's own password; every other session ends, this one goes on with new cookies."""
    tower, (user_id, username) = call.tower, _person(call)
    await _prove(call, user_id, username, body.current_password)
    passwords = await tower.part(Passwords)
    user: User | None = None
    if user_id is None:
        secret = await passwords.hash_for_settings(body.new_password)
        await change_owner_password(tower, secret)
    else:
        user = await tower.db.read(user_store.found, user_id)
        secret = await passwords.hash(body.new_password)
        await tower.db.write_durably(
            store.set_password, user.id, user.password_hash, secret, tower.clock.text()
        )
    ended = await tower.db.write_durably(store.end_sessions, user_id, username)
    call.noted.unbound = True
    call.noted.about("user", user_id or username, username=username, revoked=ended)
    auth, current = tower.settings.get(Auth), call.user.session_id
    who, cookies = Who(username=username, role="viewer", kind="session"), tuple[Cookie, ...]()
    if current is not None:
        token, who = await open_session(tower, username, user, secret, call.asking)
        cookies = _cookies(auth, token, who.csrf_token)
    tower.events.publish(AccessChanged(project_id=None))
    return Reply(
        PasswordChanged(auth.csrf_cookie, who.csrf_token, max(0, ended - (current is not None))),
        cookies=cookies,
    )


@TOWER.get("/auth/sessions", pace="auth")
async def list_sessions(call: Caller) -> SessionsAnswer:
    """Where the caller is signed in, what was used last first."""
    user_id, username = _person(call)
    oldest = as_text(call.tower.clock.now() - LIFETIME)
    return SessionsAnswer(
        await call.tower.db.read(store.sessions, user_id, username, call.user.session_id, oldest)
    )


@TOWER.post(
    "/auth/sessions/revoke",
    raises=(IdRequired, SessionNotFound),
    pace="auth",
    audit="auth.session_revoke",
    role="viewer",
)
async def revoke_session(call: Caller, body: RevokeSession) -> Reply[SignedOut]:
    """End one of one's own sessions, or all others; ending the present one signs out."""
    db, (user_id, username) = call.tower.db, _person(call)
    if body.others:
        ended = await db.write_durably(store.end_sessions, user_id, username, call.user.session_id)
    elif body.id:
        await db.write_durably(store.end_session, user_id, username, body.id)
        ended = 1
    else:
        raise IdRequired("Say which session to end, or that all others shall.")
    call.tower.events.publish(AccessChanged(project_id=None))
    call.noted.unbound = True
    call.noted.about("session", username, revoked=ended, others=body.others)
    here = body.id is not None and not body.others and body.id == call.user.session_id
    auth = call.tower.settings.get(Auth)
    return Reply(SignedOut(ended), cookies=_cookies(auth, None, None) if here else ())


def _person(call: Caller) -> tuple[str | None, str]:
    """Who is meant by "I": the screen and the configured owner are the same person."""
    if call.user.kind == "session":
        return call.user.user_id, call.user.username
    owner = configured_owner(call.tower.settings)
    if call.user.kind != "desktop" or owner is None:
        raise Forbidden(_KEYS_HAVE_NONE)
    return None, owner.username


async def _prove(call: Caller, user_id: str | None, username: str, password: str) -> None:
    """Raise WrongPassword unless `password` is theirs, LoginRateLimited after too many tries."""
    tower, auth = call.tower, call.tower.settings.get(Auth)
    attempts, passwords = await asyncio.gather(tower.part(LoginAttempts), tower.part(Passwords))
    key = f"password:{username}"
    attempts.take(key, auth.login_attempts, auth.login_window_minutes * 60)
    user = await tower.db.read(user_store.found, user_id) if user_id is not None else None
    right = await passwords.matches(
        password,
        user.password_hash if user else None,
        configured_owner(tower.settings),
        is_owner=user is None,
    )
    if not right:
        raise WrongPassword
    attempts.forget(key)


def _cookies(auth: Auth, token: str | None, csrf: str | None) -> tuple[Cookie, ...]:
    return Cookie(auth.session_cookie, token), Cookie(auth.csrf_cookie, csrf, http_only=False)
