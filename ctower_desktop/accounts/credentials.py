"""The owner as configured: settings, the environment, or a password made at the first start."""

from __future__ import annotations

import logging
import re
import secrets
from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.accounts.user_model import PasswordFromEnvironment
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.settings import Settings, fields, page
from ctower_desktop.kernel.tower import Tower

log = logging.getLogger(__name__)

_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|1\d)\$[./A-Za-z0-9]{53}")
_COOKIE_NAME = r"^[A-Za-z0-9_.-]+$"


@page("auth")
class Auth(msgspec.Struct, frozen=True):
    """Who may sign in over HTTP, and how signing in behaves."""

    credentials: Annotated[
        str | None,
        Meta(
            title="Credentials",
            description="The owner as `name:password`; everything after the first colon is the password.",
            extra={"env": ["AUTH_CREDENTIALS"], "secret": True, "verbatim": True},
        ),
    ] = None
    username: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=200,
            title="User name",
            description="The owner's user name, when no credentials are given in one.",
            extra={"env": ["AUTH_USERNAME", "ADMIN_USERNAME"]},
        ),
    ] = "owner"
    password: Annotated[
        str | None,
        Meta(
            title="Password",
            description="The owner's password, or a bcrypt hash of it; made at the first start when missing.",
            extra={"env": ["AUTH_PASSWORD", "ADMIN_PASSWORD"], "secret": True, "verbatim": True},
        ),
    ] = None
    session_cookie: Annotated[
        str,
        Meta(
            pattern=_COOKIE_NAME,
            title="Session cookie",
            description="The name of the session cookie.",
            extra={"env": ["SESSION_COOKIE_NAME"]},
        ),
    ] = "lp_session"
    csrf_cookie: Annotated[
        str,
        Meta(
            pattern=_COOKIE_NAME,
            title="CSRF cookie",
            description="The name of the cookie a page reads the CSRF token from.",
            extra={"env": ["CSRF_COOKIE_NAME"]},
        ),
    ] = "csrf_token"
    login_attempts: Annotated[
        int,
        Meta(
            ge=3,
            le=100,
            title="Failed sign-ins",
            description="How often one user may fail to sign in before waiting.",
            extra={"env": ["LOGIN_RATE_LIMIT_MAX_ATTEMPTS"]},
        ),
    ] = 10
    login_window_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=1440,
            title="Waiting time",
            description="Minutes, from the first failure, in which failed sign-ins are counted.",
            extra={"env": ["LOGIN_RATE_LIMIT_WINDOW_MINUTES"]},
        ),
    ] = 15


class Configured(msgspec.Struct, frozen=True):
    """The owner that the settings name: no row of the database."""

    username: str
    password: str

    @property
    def hashed(self) -> bool:
        """Whether `password` is a bcrypt hash of the password."""
        return _BCRYPT.fullmatch(self.password) is not None


def normal_name(username: str) -> str:
    """A user name as it is compared."""
    return username.strip().lower()


def configured_owner(settings: Settings) -> Configured | None:
    """The configured owner, or None when there is no password yet; raise Invalid for unusable credentials."""
    auth = settings.get(Auth)
    if auth.credentials:
        name, colon, password = auth.credentials.partition(":")
        if not (colon and name.strip() and password):
            raise Invalid("Setting auth.credentials (AUTH_CREDENTIALS) must be `name:password`.")
        return Configured(normal_name(name), password)
    return Configured(normal_name(auth.username), auth.password) if auth.password else None


async def ensure_owner(tower: Tower) -> str | None:
    """Make sure that an owner can sign in. Return the new password at the first start, afterwards None.

    The password is kept as a secret of the home; the caller shows it, this once.
    """
    owner = configured_owner(tower.settings)
    if owner is not None:
        if not owner.hashed and tower.settings.get(Auth).credentials:
            log.warning("AUTH_CREDENTIALS holds a plain password; a bcrypt hash of it works too")
        return None
    password = secrets.token_urlsafe(15)
    await tower.settings.change(Auth, {"password": password})
    return password


async def change_owner_password(tower: Tower, password: str) -> None:
    """Keep a new password (or its bcrypt hash) of the configured owner where the old one is kept.

    Raise PasswordFromEnvironment when that is not ours to change.
    """
    settings, owner = tower.settings, configured_owner(tower.settings)
    named = {field.name: field for field in fields("auth")}
    together = bool(settings.get(Auth).credentials)
    if settings.source(named["credentials" if together else "password"]) == "environment":
        raise PasswordFromEnvironment
    changes = (
        {"credentials": f"{owner.username}:{password}"} if together and owner else {"password": password}
    )
    await settings.change(Auth, changes)
