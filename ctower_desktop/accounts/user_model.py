"""People as owners manage them, and what somebody may change of their own sign-in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.accounts.model import SessionShown
from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound
from ctower_desktop.kernel.tower import Role

UserId = Annotated[
    str,
    Meta(
        pattern=(
            r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
        ),
        description="A user's id.",
    ),
]
UserName = Annotated[str, Meta(min_length=2, max_length=200)]
Password = Annotated[str, Meta(min_length=8, max_length=200, extra={"verbatim": True})]
Email = Annotated[str, Meta(max_length=320, pattern=r"^([^@\s]+@[^@\s]+)?$")]


class UserNotFound(NotFound):
    """There is no such user."""

    code = "user_not_found"


class NoChanges(Invalid):
    """Nothing to change was given."""

    code = "no_changes"


class SelfDemote(Invalid):
    """You cannot take the role of an owner from yourself or from the last owner; another owner must."""

    code = "self_demote"


class SelfDelete(Invalid):
    """You cannot delete yourself; another owner must."""

    code = "self_delete"


class LastOwner(Conflict):
    """The last owner cannot be deleted: nobody could manage the tower any more."""

    code = "last_owner"


class PasswordFromEnvironment(Conflict):
    """The owner's password comes from the environment; change it there."""

    code = "password_from_environment"


class UserShown(msgspec.Struct, frozen=True):
    """Somebody who signs in with a password of their own."""

    id: str
    username: str
    role: Role
    email: str | None
    created_at: str
    updated_at: str


class UserListed(msgspec.Struct, frozen=True):
    """Somebody in the list, with the number of projects they are assigned to."""

    id: str
    username: str
    role: Role
    email: str | None
    created_at: str
    updated_at: str
    project_count: int


class UsersQuery(msgspec.Struct, frozen=True):
    """Which part of the list."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 200
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class UsersAnswer(msgspec.Struct, frozen=True):
    """Everybody, the oldest first."""

    users: list[UserListed]


class UserAnswer(msgspec.Struct, frozen=True):
    """Somebody."""

    user: UserShown


class NewUser(msgspec.Struct, frozen=True):
    """Who is to be added."""

    username: UserName
    password: Password
    role: Role = "pm"
    email: Email | None = None


class NewRole(msgspec.Struct, frozen=True):
    """The role somebody is to have."""

    role: Role


class UserChanges(msgspec.Struct, frozen=True):
    """What is to change; an empty `email` takes the address away."""

    role: Role | None = None
    email: Email | UnsetType | None = UNSET
    password: Password | None = None


class UserDeleted(msgspec.Struct, frozen=True):
    """They are gone."""

    deleted: bool = True


class SignedOut(msgspec.Struct, frozen=True):
    """How many sessions were ended."""

    revoked: int


class NewPassword(msgspec.Struct, frozen=True):
    """The password as it is and as it is to be."""

    current_password: Annotated[str, Meta(min_length=1, max_length=1024, extra={"verbatim": True})]
    new_password: Password


class PasswordChanged(msgspec.Struct, frozen=True):
    """The session goes on with a new token; the others are over."""

    csrf_cookie_name: str
    csrf_token: str | None
    revoked: int


class SessionsAnswer(msgspec.Struct, frozen=True):
    """Where the caller is signed in, what was used last first."""

    sessions: list[SessionShown]


class RevokeSession(msgspec.Struct, frozen=True):
    """Which session to end: one by its id, or all others."""

    id: str | None = None
    others: bool = False
