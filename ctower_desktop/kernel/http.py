"""The outbound client: where it may connect, how much it reads, and the failures of a connection by name.

Proxies and credentials of the environment are not used (`trust_env` is off): what leaves this machine goes
straight to the address that was checked. Redirects are never followed, because a redirect would carry a
vendor's token to an address nobody checked.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore
import httpx
import msgspec

from ctower_desktop.kernel.errors import Invalid, Upstream

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_LARGEST = 64 << 20  # bytes of one answer
_CONNECTIONS = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30.0)
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata", "instance-data"})
_METADATA = frozenset(
    ipaddress.ip_address(a) for a in ("169.254.169.254", "100.100.100.200", "fd00:ec2::254", "168.63.129.16")
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(Upstream):
    """The service does not answer; it will be tried again."""

    code, status = "upstream_unreachable", 502


class AddressRefused(Invalid):
    """The tower does not connect to that address."""

    code = "address_refused"


class Answer:
    """What a service answered, read whole."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


class Http:
    """Outbound HTTP of the tower. No redirects, bounded answers, certificates and addresses checked."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    @classmethod
    def open(cls, transport: httpx.AsyncBaseTransport | None = None) -> Http:
        """A client with a pool of its own; `transport` is for tests."""
        return cls(
            httpx.AsyncClient(
                timeout=_TIMEOUT,
                transport=transport or _Transport(),
                follow_redirects=False,
                trust_env=False,
            )
        )

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
        content, sent = None, dict(headers or {})
        if json is not None:
            content = msgspec.json.encode(json)
            sent.setdefault("content-type", "application/json")
        try:
            async with (
                asyncio.timeout(timeout or _whole(_TIMEOUT)),
                self.client.stream(
                    method, url, headers=sent, params=params, content=content, timeout=timeout or _TIMEOUT
                ) as answer,
            ):
                return Answer(answer.status_code, answer.headers, await _bounded(answer))
        except TimeoutError as error:
            raise Unreachable(f"{httpx.URL(url).host} does not answer in time.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{httpx.URL(url).host} does not answer: {_reason(error)}.") from error

    @asynccontextmanager
    async def lines(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        timeout: float | None = None,
    ) -> AsyncIterator[tuple[int, AsyncIterator[str]]]:
        """The status and the lines of a streamed answer as they come; `timeout` is the longest silence."""
        content, sent = None, dict(headers or {})
        if json is not None:
            content = msgspec.json.encode(json)
            sent.setdefault("content-type", "application/json")
        patience = httpx.Timeout(timeout, connect=_TIMEOUT.connect) if timeout else _TIMEOUT
        try:
            async with self.client.stream(
                method, url, headers=sent, content=content, timeout=patience
            ) as answer:
                yield answer.status_code, _lines(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{httpx.URL(url).host} does not answer: {_reason(error)}.") from error

    async def close(self) -> None:
        """Close the pool."""
        await self.client.aclose()


async def checked_url(url: str, *, private: bool = False) -> str:
    """`url` without its trailing slash; raise AddressRefused in words when the tower must not connect there.

    HTTPS everywhere except on this computer. Link-local, multicast and cloud-metadata addresses are
    never allowed, addresses of a private network only with `private`.
    """
    parts = _parsed(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not _is_local_name(host):
        raise AddressRefused(
            f"{host} must be reached by https: its token would cross the network in the open."
        )
    addresses = await _resolved(host, parts.port or (443 if parts.scheme == "https" else 80))
    loopback = all(a.is_loopback for a in addresses)
    _refuse(host, addresses)
    if not private and not loopback and any(_is_private(a) for a in addresses):
        raise AddressRefused(
            f"{host} is in a private network. Allow private addresses for this connection if that is meant."
        )
    return url.rstrip("/")


def _is_local_name(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise AddressRefused(f"{url[:200]!r} is not a web address.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressRefused(f"{url[:200]!r} is not a web address: it must begin with https://.")
    if parts.username or parts.password:
        raise AddressRefused(
            "An address with a user name in it is refused; the token has a field of its own."
        )
    if parts.query or parts.fragment:
        raise AddressRefused("The address must end with its path: no ? and no #.")
    return parts


async def _resolved(host: str, port: int) -> list[Address]:
    if host.lower().rstrip(".") in _METADATA_NAMES:
        raise AddressRefused(f"{host} is not a service the tower may ask.")
    try:
        return [ipaddress.ip_address(host.partition("%")[0])]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"The name {host} cannot be found: check the address and the network.") from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _refuse(host: str, addresses: Iterable[Address]) -> None:
    for address in addresses:
        plain = getattr(address, "ipv4_mapped", None) or address
        if plain in _METADATA or plain.is_link_local or plain.is_multicast or plain.is_unspecified:
            raise AddressRefused(f"{host} leads to {plain}, which is not a service the tower may ask.")


def _is_private(address: Address) -> bool:
    plain = getattr(address, "ipv4_mapped", None) or address
    return bool(plain.is_private and not plain.is_loopback)


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to the address it has just checked, so that a name cannot change between check and use."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await _resolved(host, port)
        except Unreachable as error:
            raise httpcore.ConnectError(str(error)) from error
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} is not found in time") from error
        _refuse(host, addresses)
        return await self._connect_any(addresses, port, timeout, local_address, socket_options)

    async def _connect_any(
        self,
        addresses: list[Address],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        last: Exception = httpcore.ConnectError("no address")
        for address in dict.fromkeys(addresses):
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("the tower speaks to no local sockets")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    """httpx's transport over a pool whose connections are checked."""

    def __init__(self) -> None:
        certificates = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=certificates, limits=_CONNECTIONS, trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=certificates,
            max_connections=_CONNECTIONS.max_connections,
            max_keepalive_connections=_CONNECTIONS.max_keepalive_connections,
            keepalive_expiry=_CONNECTIONS.keepalive_expiry,
            network_backend=_Checked(),
        )


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    """Lines end at a line feed only: other separators of Unicode may stand inside JSON."""
    held, size = b"", 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > _LARGEST:
            raise Upstream(f"{answer.url.host} sent more than {_LARGEST >> 20} MB in one answer.")
        *whole, held = (held + part).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode("utf-8", "replace")
    if held:
        yield held.rstrip(b"\r").decode("utf-8", "replace")


async def _bounded(answer: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > _LARGEST:
            raise Upstream(f"{answer.url.host} sent more than {_LARGEST >> 20} MB in one answer.")
        parts.append(part)
    return b"".join(parts)


def _whole(timeout: httpx.Timeout) -> float:
    """A whole exchange may take a little longer than one silence in it."""
    return 3 * (timeout.read or 20.0)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
