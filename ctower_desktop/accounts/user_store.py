"""People in SQL: listing, changing, deleting; a last owner always stays."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.accounts import store
from ctower_desktop.accounts.model import EmailTaken, User
from ctower_desktop.accounts.user_model import LastOwner, SelfDemote, UserListed, UserNotFound, UserShown
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.tower import outranks

_LISTED = Query(
    UserListed,
    """
    SELECT u.id, u.username, u.role, u.email, u.created_at, u.updated_at,
           (SELECT count(*) FROM project_assignment AS a WHERE a.user_id = u.id) AS project_count
    FROM app_user AS u ORDER BY u.created_at, u.rowid LIMIT :limit OFFSET :offset
    """,
)
_ONE = Query(
    User,
    """
    SELECT id, username, password_hash, role, email, created_at, updated_at FROM app_user WHERE id = :id
    """,
    missing=UserNotFound,
)


class _Found(msgspec.Struct, frozen=True):
    id: str


_OTHER_OWNER = Query(_Found, "SELECT id FROM app_user WHERE role = 'owner' AND id <> :id LIMIT 1")
_WITH_EMAIL = Query(_Found, "SELECT id FROM app_user WHERE email = :email AND id <> :id")
_CHANGE = Command("""
    UPDATE app_user SET role = :role, email = :email, password_hash = :password_hash, updated_at = :at
    WHERE id = :id
""")
_DELETE = Command("DELETE FROM app_user WHERE id = :id")


def shown(user: User) -> UserShown:
    """What is told of somebody."""
    return UserShown(user.id, user.username, user.role, user.email, user.created_at, user.updated_at)


def listed(db: apsw.Connection, limit: int, offset: int) -> list[UserListed]:
    """Everybody, the oldest first."""
    return _LISTED.all(db, limit=limit, offset=offset)


def found(db: apsw.Connection, user_id: str) -> User:
    """Somebody; raise UserNotFound."""
    return _ONE.one(db, id=user_id)


def change(db: apsw.Connection, wanted: User, *, owner_beside: bool) -> bool:
    """Store role, e-mail and password of somebody; return whether their sessions were ended for it.

    They end with a new password and with a lower role. `owner_beside` says that there is an owner who is
    no user. Raise UserNotFound, SelfDemote for the last owner, or EmailTaken.
    """
    before = found(db, wanted.id)
    if before.role == "owner" != wanted.role and not _owner_left(db, wanted.id, beside=owner_beside):
        raise SelfDemote
    if wanted.email is not None and _WITH_EMAIL.first(db, email=wanted.email, id=wanted.id) is not None:
        raise EmailTaken
    _CHANGE.run(
        db,
        id=wanted.id,
        role=wanted.role,
        email=wanted.email,
        password_hash=wanted.password_hash,
        at=wanted.updated_at,
    )
    if outranks(wanted.role, before.role) and wanted.password_hash == before.password_hash:
        return False
    store.end_sessions(db, wanted.id, wanted.username)
    return True


def delete(db: apsw.Connection, user_id: str, *, owner_beside: bool) -> User:
    """Delete somebody with their sessions and assignments; raise UserNotFound or LastOwner."""
    before = found(db, user_id)
    if before.role == "owner" and not _owner_left(db, user_id, beside=owner_beside):
        raise LastOwner
    _DELETE.run(db, id=user_id)
    return before


def _owner_left(db: apsw.Connection, user_id: str, *, beside: bool) -> bool:
    return beside or _OTHER_OWNER.first(db, id=user_id) is not None
