"""What is checked before anybody asks who is calling: host, origin, type and size of the body."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from ctower_desktop.kernel.errors import (
    Invalid,
    Misdirected,
    OriginNotAllowed,
    PayloadTooLarge,
    TowerError,
    UnsupportedMediaType,
)

LARGEST_BODY = 64 * 1024
_SLOWEST_BODY = 20.0  # seconds from the first byte to the last
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PAGE = frozenset({"same-origin", "none"})


class ClientGone(ConnectionResetError):
    """The other end of the connection is no longer there; nobody needs an answer."""


class RequestTimeout(TowerError):
    """The body did not arrive in time."""

    code, status = "request_timeout", 408


@dataclass(frozen=True, slots=True)
class Edge:
    """The names this listener answers to, and the pages that may call it."""

    hosts: frozenset[str]
    origins: frozenset[str]

    @classmethod
    def of(cls, port: int, allowed_origin: str) -> Edge:
        """For a listener on `port` of this computer and one foreign page."""
        names = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
        own = {f"http://{name}" for name in names}
        return cls(frozenset(names), frozenset(own | ({allowed_origin} if allowed_origin else set())))

    def check_host(self, request: web.BaseRequest) -> None:
        """Refuse names that are not ours: a page elsewhere may have pointed its own name at this computer."""
        given = request.headers.getall(hdrs.HOST, [])
        if len(given) != 1 or given[0].strip().lower() not in self.hosts:
            raise Misdirected
        target = request.raw_path  # a path, `*`, or a whole address whose host must be ours as well
        if not target.startswith(("/", "*", *(f"http://{name}/" for name in self.hosts))):
            raise Misdirected

    def check_origin(self, request: web.BaseRequest, *, guarded: bool) -> None:
        """Refuse other pages where something is changed or `guarded`. Programs send neither header."""
        if request.method in _HARMLESS and not guarded:
            return
        origins = request.headers.getall(hdrs.ORIGIN, [])
        if origins:
            if len(origins) > 1 or origins[0].lower() not in self.origins:
                raise OriginNotAllowed
        elif request.headers.get("Sec-Fetch-Site", "none").lower() not in _OWN_PAGE:
            raise OriginNotAllowed


def unsafe(method: str) -> bool:
    """Whether a method may change something."""
    return method not in _HARMLESS


async def body_of(request: web.BaseRequest, largest: int = LARGEST_BODY) -> bytes:
    """The whole body of a JSON route, counted while it is read."""
    if (request.content_length or 0) > largest:
        raise PayloadTooLarge
    body = bytearray()
    try:
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        async with asyncio.timeout(_SLOWEST_BODY):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > largest:
                    raise PayloadTooLarge
    except TimeoutError:
        raise RequestTimeout from None
    except ConnectionError as error:
        raise ClientGone(str(error)) from error
    except web.RequestPayloadError as error:
        raise Invalid(f"The body is broken: {error}.") from None
    if body:
        _check_type(request)
    return bytes(body)


def _check_type(request: web.BaseRequest) -> None:
    if request.content_type != "application/json" or len(request.headers.getall(hdrs.CONTENT_TYPE, [])) != 1:
        raise UnsupportedMediaType
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise UnsupportedMediaType("The body must not be compressed.")


def query_of(request: web.BaseRequest, lists: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The query parameters; of a repeated one the first counts, unless it is one of `lists`."""
    found: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in lists:
            found.setdefault(name, []).append(value)
        found.setdefault(name, value)
    return found
