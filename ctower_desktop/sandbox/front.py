"""The front of a stand-in vendor: counts every request, applies faults, shows exchanges to observers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from aiohttp import web

from ctower_desktop.sandbox.faults import Asked, Cut, Down, Faults, body_of, served

Clock = Callable[[], datetime]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Seen(msgspec.Struct, frozen=True):
    """One request as it was counted; status 0 means that the connection was dropped."""

    method: str
    path: str
    query: dict[str, str]
    operation: str
    status: int


class Exchange(msgspec.Struct, frozen=True):
    """One request and its answer in full, for observers; `faulty` answers were made wrong on purpose."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer_headers: dict[str, str]
    answer: bytes
    faulty: bool


class GraphqlPeek(msgspec.Struct, frozen=True):
    """As much of a GraphQL request as tells its operation's name."""

    operationName: str | None = None


@dataclass
class Front:
    """What all vendors do with a request before and after they answer it."""

    clock: Clock
    faults: Faults
    always: Callable[[web.Request], Mapping[str, str]] = lambda _: {}
    requests: list[Seen] = field(default_factory=list)
    observers: list[Callable[[Exchange], None]] = field(default_factory=list)

    def application(self, routes: list[web.RouteDef]) -> web.Application:
        """The vendor's program: its routes behind this front."""

        @web.middleware
        async def front(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.pass_through(request, handler)

        application = web.Application(middlewares=[front], client_max_size=2**24)
        application.add_routes(routes)
        return application

    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Counts, spoils where told to, stamps the vendor's clock and headers, tells the observers."""
        body = await request.read()
        asked = Asked(request.method, request.path, dict(request.query), operation_of(request, body), body)

        async def answer() -> web.Response:
            return await answered(handler, request)

        try:
            response, faulty = await served(self.faults.rules, asked, answer)
        except Cut as cut:
            self._seen(asked, cut.response.status)
            return await self._send_half(request, cut)
        except Down:
            self._seen(asked, 0)
            return drop(request)
        self._stamp(request, response)
        self._seen(asked, response.status)
        self._show(request, body, response, faulty=faulty)
        return response

    def count(self, on: str) -> int:
        """How many requests had this operation or this part of a path."""
        return sum(on == seen.operation or on in seen.path for seen in self.requests)

    def _seen(self, asked: Asked, status: int) -> None:
        self.requests.append(Seen(asked.method, asked.path, asked.query, asked.operation, status))

    def _stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = http_date(self.clock())
        for name, value in self.always(request).items():
            response.headers.setdefault(name, value)

    def _show(self, request: web.Request, body: bytes, response: web.Response, *, faulty: bool) -> None:
        if self.observers:
            exchange = Exchange(
                request.method,
                str(request.url),
                dict(request.headers),
                body,
                response.status,
                dict(response.headers),
                body_of(response),
                faulty,
            )
            for observer in self.observers:
                observer(exchange)

    async def _send_half(self, request: web.Request, cut: Cut) -> web.StreamResponse:
        body = body_of(cut.response)
        half = web.StreamResponse(status=cut.response.status)
        half.content_type = cut.response.content_type
        half.content_length = len(body)
        self._stamp(request, half)
        await half.prepare(request)
        await half.write(body[: cut.keep])
        if request.transport is not None:
            request.transport.close()
        return half


async def answered(handler: Handler, request: web.Request) -> web.Response:
    """The handler's answer, an HTTP error of the router included."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        return web.Response(status=error.status, text=error.reason)
    if not isinstance(response, web.Response):
        raise TypeError("a stand-in vendor answers with whole responses")
    return response


def drop(request: web.Request) -> web.Response:
    """Ends the connection with nothing sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def operation_of(request: web.Request, body: bytes) -> str:
    """The name of the GraphQL operation, empty for anything else."""
    if not request.path.endswith("/graphql"):
        return ""
    try:
        return msgspec.json.decode(body, type=GraphqlPeek).operationName or ""
    except msgspec.MsgspecError:
        return ""


ENCODER = msgspec.json.Encoder()


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON as all four vendors send it."""
    return web.Response(
        body=ENCODER.encode(data),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


def http_date(at: datetime) -> str:
    """An instant in the form of HTTP's Date and Retry-After."""
    return format_datetime(at, usegmt=True)


@dataclass
class Window:
    """A fixed window of requests per key: what is left of it, and when it begins anew."""

    clock: Clock
    seconds: float
    started: dict[str, tuple[float, int]] = field(default_factory=dict)

    def count(self, key: str = "") -> int:
        """Counts one more request and returns how many this window has seen with it."""
        now = self.clock().timestamp()
        began, seen = self.started.get(key, (now, 0))
        if now - began >= self.seconds:
            began, seen = now, 0
        self.started[key] = (began, seen + 1)
        return seen + 1
