"""Sessions and API keys: from what a request carries to who is asking."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from ctower_desktop.accounts import store
from ctower_desktop.accounts.credentials import configured_owner
from ctower_desktop.accounts.model import Session, User
from ctower_desktop.kernel.errors import Unauthenticated
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Asking, Role, Tower, Who

LIFETIME = timedelta(days=14)
_TOUCH = timedelta(seconds=30)  # how exactly we know when somebody was last here
_LONGEST_KEY = 200


def hashed(token: str) -> str:
    """What is stored of a token that has at least 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def csrf_token(token: str) -> str:
    """The CSRF token of a session: 48 hex digits that follow from its secret and reveal nothing of it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()[:48]


def _stamp(token: str, secret: str) -> str:
    return hmac.new(token.encode(), secret.encode(), hashlib.sha256).hexdigest()


async def open_session(
    tower: Tower, username: str, user: User | None, secret: str, asking: Asking | None = None
) -> tuple[str, Who]:
    """Start a session; return what the browser is to keep, and who it then is.

    `secret` is the hash or the configured password that was right: when it changes, the session is over.
    `asking` says where the browser is.
    """
    token, now = secrets.token_hex(32), tower.clock.now()
    role: Role = user.role if user else "owner"
    new = Session(
        id=hashed(token),
        user_id=user.id if user else None,
        username=username,
        stamp=_stamp(token, secret),
        active_project_id=None,
        created_at=as_text(now),
        last_seen_at=as_text(now),
        role=role,
        password_hash=None,
        address=asking.address[:100] if asking else "",
        agent=asking.agent[:300] if asking else "",
    )
    await tower.db.write_durably(store.open_session, new, as_text(now - LIFETIME))
    return token, _who(new, role, token)


async def who_holds_session(tower: Tower, token: str) -> Who | None:
    """Who opened the session, or None when it is unknown, too old, or its password has changed."""
    now = tower.clock.now()
    found = await tower.db.read(store.session, hashed(token), as_text(now - LIFETIME))
    if found is None:
        return None
    if found.user_id is None:
        owner = configured_owner(tower.settings)
        secret = owner.password if owner and owner.username == found.username else None
    else:
        secret = found.password_hash
    if secret is None or not hmac.compare_digest(found.stamp, _stamp(token, secret)):
        return None
    if now - from_text(found.last_seen_at) >= _TOUCH:
        await tower.db.write(store.touch_session, found.id, as_text(now))
    return _who(found, found.role or "owner", token)


def _who(session: Session, role: Role, token: str) -> Who:
    return Who(
        username=session.username,
        role=role,
        kind="session",
        user_id=session.user_id,
        session_id=session.id,
        csrf_token=csrf_token(token),
        project_id=session.active_project_id,
        sees_all_projects=role == "owner",
    )


async def who_holds_key(tower: Tower, key: str) -> Who:
    """Who an API key stands for; raise Unauthenticated when it is unknown or expired."""
    found = await tower.db.read(store.key_hashed, hashed(key[:_LONGEST_KEY]))
    now = tower.clock.now()
    if found is None or (found.expires_at is not None and from_text(found.expires_at) <= now):
        raise Unauthenticated
    if found.last_used_at is None or now - from_text(found.last_used_at) >= _TOUCH:
        await tower.db.write(store.use_key, found.id, as_text(now))
    return Who(
        username=f"apikey:{found.name}",
        role="owner" if "admin" in found.scopes else "pm",
        kind="api_key",
        key_id=found.id,
        scopes=tuple(found.scopes),
        project_id=found.project_id,
    )


async def standing(tower: Tower, who: Who) -> tuple[str, ...] | None:
    """What somebody's right to be here rests upon, None when it has ended.

    For what stays open for long: when this changes, it must be closed.
    """
    now = tower.clock.now()
    if who.key_id is not None:
        there = await tower.db.read(store.key_exists, who.key_id, as_text(now))
        return ("key",) if there else None
    if who.session_id is None:
        return ("here",)
    found = await tower.db.read(store.session, who.session_id, as_text(now - LIFETIME))
    if found is None:
        return None
    if found.user_id is not None:
        return (found.role or "", found.password_hash or "")
    owner = configured_owner(tower.settings)
    return (owner.username, owner.password) if owner is not None else None
