"""The outbound client: one pool, limits, and the failures of a connection by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from ctower_desktop.kernel.errors import Upstream

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_LARGEST = 64 << 20  # bytes of one answer


class Unreachable(Upstream):
    """The service does not answer; it will be tried again."""

    code, status = "upstream_unreachable", 502


class Answer:
    """What a service answered, read whole."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


class Http:
    """Outbound HTTP of the tower. No redirects, bounded answers, certificates checked."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    @classmethod
    def open(cls, transport: httpx.AsyncBaseTransport | None = None) -> Http:
        """A client with a pool of its own; `transport` is for tests."""
        return cls(httpx.AsyncClient(timeout=_TIMEOUT, transport=transport, follow_redirects=False))

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: float | None = None,
    ) -> Answer:
        """One exchange; raise Unreachable when there was none."""
        try:
            async with self.client.stream(
                method, url, headers=headers, params=params, json=json, timeout=timeout or _TIMEOUT
            ) as answer:
                return Answer(answer.status_code, answer.headers, await _bounded(answer))
        except httpx.HTTPError as error:
            raise Unreachable(f"{httpx.URL(url).host} does not answer: {_reason(error)}.") from error

    @asynccontextmanager
    async def lines(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout: httpx.Timeout | None = None,
    ) -> AsyncIterator[tuple[int, AsyncIterator[str]]]:
        """The status and the lines of a streamed answer as they come."""
        try:
            async with self.client.stream(
                method, url, headers=headers, json=json, timeout=timeout or _TIMEOUT
            ) as answer:
                yield answer.status_code, answer.aiter_lines()
        except httpx.HTTPError as error:
            raise Unreachable(f"{httpx.URL(url).host} does not answer: {_reason(error)}.") from error

    async def close(self) -> None:
        """Close the pool."""
        await self.client.aclose()


async def _bounded(answer: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > _LARGEST:
            raise Upstream(f"{answer.url.host} sent more than {_LARGEST >> 20} MB in one answer.")
        parts.append(part)
    return b"".join(parts)


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
