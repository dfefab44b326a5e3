"""Users, sessions, API keys and remembered answers in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.accounts.model import (
    ApiKey,
    EmailTaken,
    KeyNotFound,
    KeyShown,
    Remembered,
    Scope,
    Session,
    SessionNotFound,
    SessionShown,
    User,
    UsernameTaken,
    WrongPassword,
)
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef


class _Id(msgspec.Struct, frozen=True):
    id: str


_USER = "SELECT id, username, password_hash, role, email, created_at, updated_at FROM app_user "
_USER_NAMED = Query(User, _USER + "WHERE username = :username")
_USER_WITH_EMAIL = Query(User, _USER + "WHERE email = :email")
_ADD_USER = Command("""
    INSERT INTO app_user (id, username, password_hash, role, email, created_at, updated_at)
    VALUES (:id, :username, :password_hash, :role, :email, :created_at, :updated_at)
""")
_SET_PASSWORD = Command("""
    UPDATE app_user SET password_hash = :password_hash, updated_at = :at
    WHERE id = :id AND password_hash = :before
""")

_SESSION = Query(
    Session,
    """
    SELECT s.id, s.user_id, s.username, s.stamp, s.active_project_id, s.created_at, s.last_seen_at,
           u.role, u.password_hash, s.address, s.agent
    FROM session AS s LEFT JOIN app_user AS u ON u.id = s.user_id
    WHERE s.id = :id AND s.last_seen_at > :seen_after
    """,
)
_OPEN_SESSION = Command("""
    INSERT INTO session (id, user_id, username, stamp, address, agent, created_at, last_seen_at)
    VALUES (:id, :user_id, :username, :stamp, :address, :agent, :at, :at)
""")
_TOUCH_SESSION = Command("UPDATE session SET last_seen_at = :at WHERE id = :id AND last_seen_at < :at")
_CLOSE_SESSION = Command("DELETE FROM session WHERE id = :id")
_SESSIONS = Query(
    SessionShown,
    """
    SELECT id, id IS :current AS current, created_at, last_seen_at, address, agent
    FROM session
    WHERE user_id IS :user_id AND username = :username AND last_seen_at > :seen_after
    ORDER BY last_seen_at DESC, rowid DESC
    """,
)
_END_SESSION = Command("DELETE FROM session WHERE id = :id AND user_id IS :user_id AND username = :username")
_END_SESSIONS = Command(
    "DELETE FROM session WHERE user_id IS :user_id AND username = :username AND id IS NOT :but"
)
_FORGET_SESSIONS = Command("DELETE FROM session WHERE last_seen_at <= :seen_before")
_SELECT_PROJECT = Command("UPDATE session SET active_project_id = :project_id WHERE id = :id")

_KEY = Query(
    ApiKey,
    """
    SELECT id, project_id, account_scope_id, name, scopes, expires_at, last_used_at
    FROM api_key WHERE key_hash = :key_hash
    """,
)
_KEY_THERE = Query(_Id, "SELECT id FROM api_key WHERE id = :id AND (expires_at IS NULL OR expires_at > :at)")
_KEYS = Query(
    KeyShown,
    """
    SELECT id, key_prefix, name, scopes, expires_at, last_used_at, created_at FROM api_key
    WHERE project_id = :project_id AND account_scope_id = :account_scope_id
    ORDER BY created_at DESC, rowid DESC
    """,
)
_ADD_KEY = Command("""
    INSERT INTO api_key (id, project_id, account_scope_id, key_hash, key_prefix, name, scopes,
                         expires_at, created_at)
    VALUES (:id, :project_id, :account_scope_id, :key_hash, :key_prefix, :name, :scopes,
            :expires_at, :created_at)
""")
_USE_KEY = Command("UPDATE api_key SET last_used_at = :at WHERE id = :id")
_REVOKE_KEY = Command("DELETE FROM api_key WHERE id = :id AND project_id = :project_id")

_REMEMBERED = Query(
    Remembered,
    """
    SELECT route, body_hash, status, response FROM idempotency_key
    WHERE project_id = :project_id AND key = :key AND expires_at > :at
    """,
)
_REMEMBER = Command("""
    INSERT INTO idempotency_key (project_id, account_scope_id, key, route, body_hash, status, response,
                                 expires_at)
    VALUES (:project_id, :account_scope_id, :key, :route, :body_hash, :status, :response, :expires_at)
    ON CONFLICT (project_id, key) DO NOTHING
""")
_FORGET_REMEMBERED = Command("DELETE FROM idempotency_key WHERE expires_at <= :at")


def user_named(db: apsw.Connection, username: str) -> User | None:
    return _USER_NAMED.first(db, username=username)


def add_user(db: apsw.Connection, user: User) -> None:
    """Add somebody; raise UsernameTaken or EmailTaken."""
    if _USER_NAMED.first(db, username=user.username) is not None:
        raise UsernameTaken
    if user.email is not None and _USER_WITH_EMAIL.first(db, email=user.email) is not None:
        raise EmailTaken
    _ADD_USER.run(
        db,
        id=user.id,
        username=user.username,
        password_hash=user.password_hash,
        role=user.role,
        email=user.email,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


def set_password(db: apsw.Connection, user_id: str, before: str, password_hash: str, at: str) -> None:
    """Replace somebody's password; raise WrongPassword when it was changed meanwhile."""
    if not _SET_PASSWORD.run(db, id=user_id, before=before, password_hash=password_hash, at=at):
        raise WrongPassword


def session(db: apsw.Connection, session_id: str, seen_after: str) -> Session | None:
    """The session, unless it has not been used since `seen_after`."""
    return _SESSION.first(db, id=session_id, seen_after=seen_after)


def open_session(db: apsw.Connection, new: Session, seen_before: str) -> None:
    """Keep a new session; those not used since `seen_before` go."""
    _FORGET_SESSIONS.run(db, seen_before=seen_before)
    _OPEN_SESSION.run(
        db,
        id=new.id,
        user_id=new.user_id,
        username=new.username,
        stamp=new.stamp,
        address=new.address,
        agent=new.agent,
        at=new.created_at,
    )


def touch_session(db: apsw.Connection, session_id: str, at: str) -> None:
    _TOUCH_SESSION.run(db, id=session_id, at=at)


def close_session(db: apsw.Connection, session_id: str) -> None:
    _CLOSE_SESSION.run(db, id=session_id)


def sessions(
    db: apsw.Connection, user_id: str | None, username: str, current: str | None, seen_after: str
) -> list[SessionShown]:
    """Where somebody is signed in, what was used last first; the configured owner has no `user_id`."""
    return _SESSIONS.all(db, user_id=user_id, username=username, current=current, seen_after=seen_after)


def end_session(db: apsw.Connection, user_id: str | None, username: str, session_id: str) -> None:
    """End one session of somebody; raise SessionNotFound."""
    if not _END_SESSION.run(db, id=session_id, user_id=user_id, username=username):
        raise SessionNotFound


def end_sessions(db: apsw.Connection, user_id: str | None, username: str, but: str | None = None) -> int:
    """End all sessions of somebody, except one; return how many there were."""
    return _END_SESSIONS.run(db, user_id=user_id, username=username, but=but)


def key_exists(db: apsw.Connection, key_id: str, at: str) -> bool:
    """Whether a key is neither revoked nor expired."""
    return _KEY_THERE.first(db, id=key_id, at=at) is not None


def select_project(db: apsw.Connection, session_id: str, project_id: str) -> None:
    """Make a project the active one of a session."""
    _SELECT_PROJECT.run(db, id=session_id, project_id=project_id)


def key_hashed(db: apsw.Connection, key_hash: str) -> ApiKey | None:
    return _KEY.first(db, key_hash=key_hash)


def use_key(db: apsw.Connection, key_id: str, at: str) -> None:
    _USE_KEY.run(db, id=key_id, at=at)


def keys(db: apsw.Connection, project: ProjectRef) -> list[KeyShown]:
    """The keys of a project, the newest first."""
    return _KEYS.all(db, project_id=project.id, account_scope_id=project.account_scope_id)


def add_key(
    db: apsw.Connection, project: ProjectRef, new: KeyShown, key_hash: str, scopes: list[Scope]
) -> None:
    _ADD_KEY.run(
        db,
        id=new.id,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        key_hash=key_hash,
        key_prefix=new.key_prefix,
        name=new.name,
        scopes=as_json(scopes),
        expires_at=new.expires_at,
        created_at=new.created_at,
    )


def revoke_key(db: apsw.Connection, project_id: str, key_id: str) -> None:
    """Delete a key of the project; raise KeyNotFound."""
    if not _REVOKE_KEY.run(db, id=key_id, project_id=project_id):
        raise KeyNotFound


def remembered(db: apsw.Connection, project_id: str, key: str, at: str) -> Remembered | None:
    """The answer kept under an idempotency key, unless its time is over."""
    return _REMEMBERED.first(db, project_id=project_id, key=key, at=at)


def remember(
    db: apsw.Connection, project: ProjectRef, key: str, answer: Remembered, *, at: str, expires_at: str
) -> None:
    """Keep the first answer given under a key; those whose time is over go."""
    _FORGET_REMEMBERED.run(db, at=at)
    _REMEMBER.run(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        key=key,
        route=answer.route,
        body_hash=answer.body_hash,
        status=answer.status,
        response=answer.response,
        expires_at=expires_at,
    )
