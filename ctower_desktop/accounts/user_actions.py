"""What owners do with the people who may sign in."""

from __future__ import annotations

from typing import Any

import msgspec

from ctower_desktop.accounts import store, user_store
from ctower_desktop.accounts.credentials import configured_owner, normal_name
from ctower_desktop.accounts.model import EmailTaken, User, UsernameTaken
from ctower_desktop.accounts.passwords import Passwords
from ctower_desktop.accounts.user_model import (
    LastOwner,
    NewRole,
    NewUser,
    NoChanges,
    SelfDelete,
    SelfDemote,
    SignedOut,
    UserAnswer,
    UserChanges,
    UserDeleted,
    UserId,
    UserNotFound,
    UsersAnswer,
    UsersQuery,
)
from ctower_desktop.accounts.users import add_user
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.events import AccessChanged
from ctower_desktop.kernel.tower import OwnerSession, Role


@TOWER.get("/users")
async def list_users(call: OwnerSession, query: UsersQuery) -> UsersAnswer:
    """Everybody who signs in with a password of their own, the oldest first."""
    return UsersAnswer(await call.tower.db.read(user_store.listed, query.limit, query.offset))


@TOWER.post("/users", raises=(UsernameTaken, EmailTaken), status=201, audit="user.create", role="owner")
async def create_user(call: OwnerSession, body: NewUser) -> UserAnswer:
    """Add somebody; they see no project until they are assigned to one."""
    name = normal_name(body.username)
    owner = configured_owner(call.tower.settings)
    if owner is not None and owner.username == name:  # a user of that name would lock the owner out
        raise UsernameTaken
    user = await add_user(call.tower, name, body.password, body.role, body.email or None)
    _note(call, user, role=user.role)
    return UserAnswer(user_store.shown(user))


@TOWER.post("/users/{user_id}/role", raises=(UserNotFound, SelfDemote), audit="user.update", role="owner")
async def change_role(call: OwnerSession, user_id: UserId, body: NewRole) -> UserAnswer:
    """Give somebody another role; with a lower one their sessions end at once."""
    return await _change(call, user_id, role=body.role)


@TOWER.post(
    "/users/{user_id}/update",
    raises=(UserNotFound, NoChanges, SelfDemote, EmailTaken),
    audit="user.update",
    role="owner",
)
async def update_user(call: OwnerSession, user_id: UserId, body: UserChanges) -> UserAnswer:
    """Change role, e-mail address or password of somebody; what was not given stays."""
    changes: dict[str, Any] = {}
    if body.email is not msgspec.UNSET:
        changes["email"] = normal_name(body.email) if body.email else None
    if body.password is not None:
        passwords = await call.tower.part(Passwords)
        changes["password_hash"] = await passwords.hash(body.password)
    if not changes and body.role is None:
        raise NoChanges
    return await _change(call, user_id, role=body.role, **changes)


@TOWER.post(
    "/users/{user_id}/delete",
    raises=(UserNotFound, SelfDelete, LastOwner),
    audit="user.delete",
    role="owner",
)
async def delete_user(call: OwnerSession, user_id: UserId) -> UserDeleted:
    """Delete somebody; their sessions and assignments end with them, what they did stays in the trail."""
    if user_id.lower() == call.user.user_id:
        raise SelfDelete
    beside = configured_owner(call.tower.settings) is not None
    gone = await call.tower.db.write_durably(user_store.delete, user_id.lower(), owner_beside=beside)
    call.tower.events.publish(AccessChanged(project_id=None))
    _note(call, gone, role=gone.role)
    return UserDeleted()


@TOWER.post("/users/{user_id}/sign-out", raises=(UserNotFound,), audit="user.sign_out", role="owner")
async def sign_user_out(call: OwnerSession, user_id: UserId) -> SignedOut:
    """End all sessions of somebody, wherever they are signed in."""
    db = call.tower.db
    user = await db.read(user_store.found, user_id.lower())
    ended = await db.write_durably(store.end_sessions, user.id, user.username)
    call.tower.events.publish(AccessChanged(project_id=None))
    _note(call, user, revoked=ended)
    return SignedOut(ended)


async def _change(call: OwnerSession, user_id: str, *, role: Role | None, **changes: Any) -> UserAnswer:
    tower = call.tower
    before = await tower.db.read(user_store.found, user_id.lower())
    if before.id == call.user.user_id and before.role == "owner" and role not in (None, "owner"):
        raise SelfDemote
    wanted = msgspec.structs.replace(
        before, role=role or before.role, updated_at=tower.clock.text(), **changes
    )
    beside = configured_owner(tower.settings) is not None
    ended = await tower.db.write_durably(user_store.change, wanted, owner_beside=beside)
    if ended:
        tower.events.publish(AccessChanged(project_id=None))
    fields = [name for name, given in (("role", role), *changes.items()) if name != "role" or given]
    changed = ["password" if name == "password_hash" else name for name in fields]
    _note(call, wanted, changed=changed, role=wanted.role, previous_role=before.role)
    return UserAnswer(user_store.shown(wanted))


def _note(call: OwnerSession, user: User, **payload: Any) -> None:
    call.noted.unbound = True
    call.noted.about("user", user.id, username=user.username, **payload)
