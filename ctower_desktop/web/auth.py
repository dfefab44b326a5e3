"""Who is calling over HTTP, and whether they may."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
from aiohttp import web

from ctower_desktop.accounts.credentials import Auth
from ctower_desktop.accounts.sessions import who_holds_key, who_holds_session
from ctower_desktop.kernel.endpoint import GRAPH, Door, Endpoint
from ctower_desktop.kernel.errors import CsrfInvalid, Forbidden, ScopeInsufficient, Unauthenticated
from ctower_desktop.kernel.tower import Anyone, Owner, OwnerSession, Tower, Who, outranks
from ctower_desktop.web.settings import Server

_CSRF_HEADER = "x-csrf-token"
_KEY_HEADER = "X-API-Key"
_HOLDER = Who(
    username="graph",
    role="pm",
    kind="api_key",
    key_id="graph",
    scopes=("read", "write"),
    sees_all_projects=True,
)


class Identity(msgspec.Struct, frozen=True):
    """Who is calling, or nobody; `stale` when the browser holds a session that is over."""

    who: Who | None = None
    stale: bool = False


async def identify(tower: Tower, request: web.BaseRequest, door: Door) -> Identity:
    """Who the API key stands for, or else who opened the session; with a key, cookies do not count."""
    key = request.headers.get(_KEY_HEADER)
    if key is not None:
        if door is GRAPH and _opens_graph(tower, key):
            return Identity(_HOLDER)
        try:
            return Identity(await who_holds_key(tower, key))
        except Unauthenticated:
            return Identity()
    token = request.cookies.get(tower.settings.get(Auth).session_cookie)
    if not token:
        return Identity()
    who = await who_holds_session(tower, token)
    return Identity(who, stale=who is None)


def _opens_graph(tower: Tower, key: str) -> bool:
    secret = tower.settings.get(Server).graph_key
    return bool(secret) and hmac.compare_digest(key.encode(errors="replace"), str(secret).encode())


def check_csrf(request: web.BaseRequest, who: Who, endpoint: Endpoint[..., Any] | None) -> None:
    """A session that changes something must show its token; an API key must be one that may write.

    Where anyone may call (signing out), a token is not required, but a wrong one is refused.
    """
    if endpoint is not None and not (endpoint.mutating and endpoint.csrf):
        return
    public = endpoint is not None and endpoint.caller is Anyone
    if who.kind == "api_key":
        if not public and not {"write", "admin"} & set(who.scopes):
            raise ScopeInsufficient
        return
    given = request.headers.get(_CSRF_HEADER)
    if given is None and public:
        return
    expected = (who.csrf_token or "").encode()
    if not expected or not hmac.compare_digest((given or "").encode(errors="replace"), expected):
        raise CsrfInvalid


def check_rights(endpoint: Endpoint[..., Any], who: Who) -> None:
    """Raise Forbidden unless the caller has the right that the endpoint asks for."""
    if endpoint.caller is Anyone:
        return
    if issubclass(endpoint.caller, Owner) and who.role != "owner":
        raise Forbidden
    if issubclass(endpoint.caller, OwnerSession) and who.kind == "api_key":
        raise Forbidden("API keys cannot do this; sign in.")
    if endpoint.mutating and not outranks(who.role, endpoint.role):
        raise Forbidden
