"""Server-sent events: framing, heartbeats, limits, and an end when the tower stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import msgspec
from aiohttp import web

from ctower_desktop.kernel.errors import TooMany, TowerError
from ctower_desktop.web.counts import Counts
from ctower_desktop.web.edge import ClientGone

log = logging.getLogger(__name__)

HEARTBEAT = 30.0  # seconds
MOST_OF_A_PROJECT = 20
MOST = 500
_FIRST_EVENT = 1.0  # seconds a refusal may take to be an answer instead of an event
_LOOK = 1.0  # seconds between looks whether the client is still there
_SLOWEST_CLIENT = 30.0  # seconds a client may leave what was sent unread
_LAST_WORDS = 0.3  # seconds to say that the stream ends

_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "X-Accel-Buffering": "no",
}
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class SseLimit(TooMany):
    """Too many streams are open; close one."""

    code = "sse_limit"


class _Failed(msgspec.Struct, frozen=True):
    error: str
    message: str


def frame(event: msgspec.Struct) -> bytes:
    """One event as it is sent, named after its type or the type's `event`."""
    return _frame(event_name(type(event)), event)


def event_name(kind: type[msgspec.Struct]) -> str:
    """How events of a type are called."""
    name: str = getattr(kind, "event", None) or _WORD.sub("_", kind.__name__).lower()
    return name


def _frame(name: str, data: msgspec.Struct) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"


class Streams:
    """The streams of one door. `heartbeat` is how many seconds may pass without a sign of life."""

    def __init__(self, counts: Counts, heartbeat: float = HEARTBEAT) -> None:
        self._counts, self._heartbeat = counts, heartbeat
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every stream now."""
        self._closing.set()

    async def serve(
        self,
        request: web.BaseRequest,
        events: AsyncIterator[msgspec.Struct],
        project_id: str,
        headers: Mapping[str, str],
    ) -> web.StreamResponse:
        """Send events until there are no more, the client has gone, or the door closes.

        What fails before the first event is raised; raise SseLimit when too many are open.
        """
        if self._counts.streams_of(project_id) >= MOST_OF_A_PROJECT or self._counts.streams >= MOST:
            raise SseLimit
        self._counts.stream_opened(project_id)
        source = _Source(events)
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            waiting = {source.following, closing}
            await asyncio.wait(waiting, timeout=_FIRST_EVENT, return_when=asyncio.FIRST_COMPLETED)
            source.raise_refusal()
            response = web.StreamResponse(headers={**headers, **_HEADERS})
            await _begin(request, response)
            await self._pump(request, response, source, closing)
        finally:
            self._counts.stream_closed(project_id)
            closing.cancel()
            await source.end()
        await _finish(request, response)
        return response

    async def _pump(
        self,
        request: web.BaseRequest,
        response: web.StreamResponse,
        source: _Source,
        closing: asyncio.Future[Any],
    ) -> None:
        """Forward until the end, and say so when the end is a failure."""
        try:
            await self._forward(request, response, source, closing)
        except (StopAsyncIteration, ClientGone):
            return
        except TowerError as error:
            failure = _Failed(error.code, str(error))
        except Exception:  # what an action did not foresee must not look like an end
            log.exception("a stream broke")
            failure = _Failed("internal_error", "Something broke on our side.")
        else:
            return
        with contextlib.suppress(ClientGone):
            await _send(response, _frame("error", failure))

    async def _forward(
        self,
        request: web.BaseRequest,
        response: web.StreamResponse,
        source: _Source,
        closing: asyncio.Future[Any],
    ) -> None:
        now = asyncio.get_running_loop().time
        beat_at = now() + self._heartbeat
        while True:
            if source.following.done():
                await _send(response, frame(source.take()))
            wait = max(0.0, min(_LOOK, beat_at - now()))
            waiting = {source.following, closing}
            await asyncio.wait(waiting, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            if closing.done() or request.transport is None or request.transport.is_closing():
                return
            if now() >= beat_at:
                await _send(response, b": heartbeat\n\n")
                beat_at = now() + self._heartbeat


class _Source:
    """The events of an action, the next of them always on its way."""

    def __init__(self, events: AsyncIterator[msgspec.Struct]) -> None:
        self._events = events
        self.following = asyncio.ensure_future(anext(events))

    def take(self) -> msgspec.Struct:
        """The event that has come; raise what the action raised, or StopAsyncIteration."""
        event = self.following.result()
        self.following = asyncio.ensure_future(anext(self._events))
        return event

    def raise_refusal(self) -> None:
        """Raise what the action raised instead of a first event."""
        if self.following.done() and not isinstance(self.following.exception(), StopAsyncIteration | None):
            self.following.result()

    async def end(self) -> None:
        """Let the action clean up behind itself."""
        self.following.cancel()
        await asyncio.wait({self.following})
        if isinstance(self._events, AsyncGenerator):
            await self._events.aclose()


async def _begin(request: web.BaseRequest, response: web.StreamResponse) -> None:
    try:
        await response.prepare(request)
    except ConnectionError as error:
        raise ClientGone(str(error)) from error


async def _send(response: web.StreamResponse, data: bytes) -> None:
    try:
        async with asyncio.timeout(_SLOWEST_CLIENT):
            await response.write(data)
    except (ConnectionError, TimeoutError) as error:
        raise ClientGone(str(error)) from error


async def _finish(request: web.BaseRequest, response: web.StreamResponse) -> None:
    try:
        async with asyncio.timeout(_LAST_WORDS):
            await response.write_eof()
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
