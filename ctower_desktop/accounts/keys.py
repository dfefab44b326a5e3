"""Making API keys: what was asked for, made sane."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from ctower_desktop.accounts.model import SCOPES, InvalidExpiresAt, Scope
from ctower_desktop.kernel.system import as_text

_LONGEST_NAME = 100
PREFIX = 11  # characters of a key that are kept readable


def new_key() -> str:
    """`lp_` and 43 characters that carry 256 random bits."""
    return f"lp_{secrets.token_urlsafe(32)}"


def key_name(given: str | None) -> str:
    return (given or "").strip()[:_LONGEST_NAME].strip() or "Unnamed key"


def key_scopes(given: Sequence[str] | None) -> list[Scope]:
    """The known scopes among those given, each once; reading when there is none."""
    wanted = {scope.strip().lower() for scope in given or ()}
    return [scope for scope in SCOPES if scope in wanted] or ["read"]


def key_expiry(given: str | None, now: datetime) -> str | None:
    """When the key ends, as stored; raise InvalidExpiresAt for what is no moment to come."""
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
        ends = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidExpiresAt from None
    if ends <= now:
        raise InvalidExpiresAt
    return as_text(ends)
