"""One door over HTTP: the steps every request goes through, in order."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ctower_desktop.accounts.credentials import Auth
from ctower_desktop.accounts.sessions import LIFETIME
from ctower_desktop.insight.kag import settings as kag
from ctower_desktop.kernel import check, errors
from ctower_desktop.kernel.endpoint import ENDPOINTS, GRAPH, Cookie, Door, Endpoint
from ctower_desktop.kernel.log import request_id as current_request
from ctower_desktop.kernel.tower import Anyone, Asking, ProjectRef, Scoped, Tower, Who
from ctower_desktop.projects.resolution import Resolution, hints_in, resolve_project
from ctower_desktop.web import (
    auth,
    edge,
    openapi,  # noqa: F401 - declares /openapi.json
)
from ctower_desktop.web.counts import Counts
from ctower_desktop.web.dialects import DIALECTS, JSON, Rendered, rendered
from ctower_desktop.web.headers import headers_for, request_id_from
from ctower_desktop.web.idempotency import HEADER as IDEMPOTENCY
from ctower_desktop.web.idempotency import Replays
from ctower_desktop.web.limits import EXPENSIVE, Limits
from ctower_desktop.web.routes import Found, Routes
from ctower_desktop.web.settings import Server
from ctower_desktop.web.stream import HEARTBEAT, Streams

log = logging.getLogger(__name__)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Unreadable(errors.Invalid):
    """The request is not valid HTTP."""

    code = "bad_request"


@dataclass(slots=True)
class Exchange:
    """One request on its way to an answer."""

    request: web.BaseRequest
    id: str
    found: Found
    who: Who | None = None
    stale_session: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return self.request.remote or ""


def _method(request: web.BaseRequest) -> str:
    """The method as a label: clients may make up others, without end."""
    return request.method if request.method in _METHODS else "OTHER"


class Front:
    """What answers the requests of one listener."""

    def __init__(
        self, tower: Tower, door: Door, port: int, counts: Counts, *, heartbeat: float = HEARTBEAT
    ) -> None:
        self._tower, self._counts, self._dialect, self._door = tower, counts, DIALECTS[door], door
        self._routes = Routes(door, [e for e in ENDPOINTS.values() if e.door is door])
        self._port = port
        self._limits = Limits(tower.clock.monotonic)
        self._replays = Replays(tower)
        self.streams = Streams(counts, heartbeat)

    @property
    def _settings(self) -> Server:
        return self._tower.settings.get(Server)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to any request, whatever is wrong with it."""
        exchange = Exchange(
            request, request_id_from(request.headers.get("x-request-id")), self._found(request)
        )
        mark = current_request.set(exchange.id)
        began = self._tower.clock.monotonic()
        self._counts.arrived()
        response: web.StreamResponse | None = None
        try:
            response = await self._answer(exchange)
        finally:
            streamed = response is not None and not isinstance(response, web.Response)
            elapsed = None if streamed else (self._tower.clock.monotonic() - began) * 1_000
            status = response.status if response else 499
            self._counts.answered(exchange.found.label, status, elapsed)
            if self._door is GRAPH:
                seconds = self._tower.clock.monotonic() - began
                self._counts.graph_answered(_method(request), exchange.found.label, status, seconds)
            current_request.reset(mark)
        return response

    def _found(self, request: web.BaseRequest) -> Found:
        found = self._routes.find(request.method, request.rel_url.raw_path)
        closed = kag.is_under(found.path) and kag.refusal(self._tower.settings) is not None
        return Found(found.path) if closed else found

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        try:
            return await self._steps(exchange)
        except edge.ClientGone:
            raise  # aiohttp closes what is left of the connection
        except errors.TowerError as error:
            if error.status >= 500:
                log.warning("%s failed: %s: %s", exchange.found.label, error.code, error)
            return self._refusal(exchange, error)
        except Exception:  # the last net: the cause goes to the log, the client gets the request id
            log.exception("%s %s failed", exchange.request.method, exchange.found.label)
            return self._refusal(exchange, errors.TowerError("Something broke on our side."))

    async def _steps(self, exchange: Exchange) -> web.StreamResponse:
        request, endpoint = exchange.request, exchange.found.endpoint
        door = edge.Edge.of(self._port, self._settings.cors_origin)
        door.check_host(request)
        if request.method == "OPTIONS":
            return self._response(exchange, Rendered(204, b""), preflight=True)
        # A page elsewhere must neither act, nor hold streams, nor use up the attempts to sign in.
        guarded = endpoint is not None and (endpoint.stream or endpoint.pace == "auth")
        door.check_origin(request, guarded=guarded)
        if endpoint is not None and endpoint.pace == "auth":
            self._limits.signing_in(exchange.address)
        await self._identify(exchange)
        if exchange.who is not None and edge.unsafe(request.method):
            auth.check_csrf(request, exchange.who, endpoint)
        if endpoint is None:
            raise self._unknown(exchange)
        if exchange.who is not None:
            auth.check_rights(endpoint, exchange.who)
        self._pace(exchange, endpoint)
        body = await edge.body_of(request, self._door.largest_body) if endpoint.mutating else b""
        query = edge.query_of(request, endpoint.lists)
        given = exchange.found.values, query, body
        long = len(body) > edge.LARGEST_BODY  # looking through it would hold up everybody else
        arguments = (
            await asyncio.to_thread(endpoint.arguments, *given) if long else endpoint.arguments(*given)
        )
        project = await self._project(exchange, endpoint, query, b"" if long else body)
        hints = hints_in(query, None)
        asking = Asking(
            request_id=exchange.id,
            address=exchange.address,
            agent=request.headers.get("User-Agent", ""),
            accept=request.headers.get("Accept", ""),
            project_hints=hints,
        )
        call = endpoint.caller(self._tower, asking, exchange.who, project)
        if endpoint.stream:
            return await self._stream(exchange, endpoint, call, arguments)
        return self._response(exchange, await self._call(exchange, endpoint, call, arguments, body))

    async def _identify(self, exchange: Exchange) -> None:
        """Who is calling; nobody is told anything of what is not public, not even that it does not exist."""
        identity = await auth.identify(self._tower, exchange.request, self._door)
        exchange.who, exchange.stale_session = identity.who, identity.stale
        if exchange.who is not None:
            if self._door is GRAPH:
                self._pace_graph(exchange, exchange.who)
            else:
                self._limits.identified(exchange.who)
            return
        asked = exchange.found.endpoint
        there = (asked,) if asked is not None else exchange.found.methods.values()
        if not any(endpoint.caller is Anyone for endpoint in there):
            self._limits.anonymous(exchange.address)
            raise errors.Unauthenticated

    def _unknown(self, exchange: Exchange) -> errors.TowerError:
        found = exchange.found
        if found.methods:
            exchange.headers["Allow"] = ", ".join(sorted({*found.methods, "OPTIONS"}))
            return errors.MethodNotAllowed()
        closed = kag.refusal(self._tower.settings) if kag.is_under(found.path) else None
        return closed or errors.NotFound()

    def _pace_graph(self, exchange: Exchange, who: Who) -> None:
        """Every answer says how many more may be asked for; what anyone may see is free."""
        if exchange.found.endpoint is not None and exchange.found.endpoint.caller is Anyone:
            return
        most = self._settings.graph_requests_per_minute
        taken = self._limits.graph(who, most)
        ends = math.ceil(self._tower.clock.now().timestamp() + taken.ends_in)
        exchange.headers["X-RateLimit-Limit"] = str(most)
        exchange.headers["X-RateLimit-Remaining"] = str(taken.left)
        exchange.headers["X-RateLimit-Reset"] = str(ends)
        if not taken.allowed:
            raise errors.TooMany(retry_after=taken.ends_in)

    def _pace(self, exchange: Exchange, endpoint: Endpoint[..., Any]) -> None:
        if endpoint.pace != "expensive":
            return
        exchange.headers["X-RateLimit-Limit"] = str(EXPENSIVE)
        exchange.headers["X-RateLimit-Remaining"] = "0"
        taken = self._limits.expensive(exchange.address, exchange.found.route)
        exchange.headers["X-RateLimit-Remaining"] = str(taken.left)

    async def _project(
        self, exchange: Exchange, endpoint: Endpoint[..., Any], query: dict[str, str], body: bytes
    ) -> ProjectRef | None:
        """The project the call is about; one that must have a project is refused without."""
        if exchange.who is None:
            return None
        hints: tuple[str, ...] = ()
        if exchange.who.project_id is None:
            hints = hints_in(query, check.decoded(body))
        found: Resolution = await resolve_project(self._tower, exchange.who, hints)
        if found.refusal is not None and issubclass(endpoint.caller, Scoped):
            raise found.refusal
        return found.project

    async def _call(
        self,
        exchange: Exchange,
        endpoint: Endpoint[..., Any],
        call: Anyone,
        arguments: dict[str, Any],
        body: bytes,
    ) -> Rendered:
        async def run() -> Rendered:
            result = await endpoint(call, **arguments)
            return rendered(endpoint, result, self._dialect, exchange.id)

        key = exchange.request.headers.get(IDEMPOTENCY)
        if key is None or not endpoint.idempotent or call.project is None:
            return await run()
        route = f"{endpoint.method} {exchange.found.route}"
        return await self._replays.once(key, call.project, route, body, run)

    async def _stream(
        self, exchange: Exchange, endpoint: Endpoint[..., Any], call: Anyone, arguments: dict[str, Any]
    ) -> web.StreamResponse:
        project_id = call.project.id if call.project else ""
        events = endpoint(call, **arguments)
        return await self.streams.serve(exchange.request, events, project_id, self._headers(exchange))

    def _refusal(self, exchange: Exchange, error: errors.TowerError) -> web.Response:
        self._counts.refused(error)
        if error.retry_after is not None:
            exchange.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
        endpoint = exchange.found.endpoint
        status = error.status if endpoint is None else endpoint.refused_with(error)
        return self._response(exchange, Rendered(status, self._dialect.failure(error, exchange.id)))

    def _response(self, exchange: Exchange, answer: Rendered, *, preflight: bool = False) -> web.Response:
        headers = self._headers(exchange, preflight=preflight)
        if answer.body or answer.status != 204:
            headers["Content-Type"] = answer.media_type
        response = web.Response(body=answer.body, status=answer.status, headers=headers)
        for cookie in (*self._over(exchange), *answer.cookies):
            self._set(response, cookie)
        return response

    def _headers(self, exchange: Exchange, *, preflight: bool = False) -> dict[str, str]:
        origin = exchange.request.headers.get("Origin")
        allowed = self._settings.cors_origin
        return {**headers_for(exchange.id, origin, allowed, preflight=preflight), **exchange.headers}

    def _over(self, exchange: Exchange) -> tuple[Cookie, ...]:
        """Both cookies cleared, when the browser holds a session that is over."""
        if not exchange.stale_session:
            return ()
        names = self._tower.settings.get(Auth)
        return (Cookie(names.session_cookie, None), Cookie(names.csrf_cookie, None, http_only=False))

    def _set(self, response: web.Response, cookie: Cookie) -> None:
        response.set_cookie(
            cookie.name,
            cookie.value or "",
            max_age=int(LIFETIME.total_seconds()) if cookie.value is not None else 0,
            path="/",
            httponly=cookie.http_only,
            samesite="Lax",
        )

    def unreadable(self, status: int) -> web.Response:
        """The answer to what cannot be read as HTTP."""
        request_id = request_id_from(None)
        body = self._dialect.failure(Unreadable(), request_id)
        headers = {**headers_for(request_id, None, ""), "Content-Type": JSON}
        return web.Response(body=body, status=status if 400 <= status < 500 else 400, headers=headers)
