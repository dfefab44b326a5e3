"""The outbound client: where it connects, what it refuses, what it makes of bad answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpcore
import pytest

from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import AddressRefused, Http, Unreachable, checked_url


class Server:
    """A raw server on loopback that says what it is told to say and counts who came."""

    def __init__(self) -> None:
        self.says = b""
        self.asked: list[bytes] = []
        self.hang = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.says)
        await writer.drain()
        if self.hang:
            await reader.read()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    listener = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield found


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    found = Http.open()
    yield found
    await found.close()


async def test_an_answer_is_read_whole(server, http):
    server.says = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\nhi"
    answer = await http.request("GET", server.url, headers={"x-q": "1"}, params={"p": "ё"})
    assert (answer.status, answer.body, answer.headers["X-A"]) == (200, b"hi", "b")
    assert b"p=%D1%91" in server.asked[0]


async def test_a_redirect_is_an_answer_and_is_not_followed(server, http):
    server.says = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    assert (await http.request("GET", server.url)).status == 302
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhi", b"garbage\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",],
)  # fmt: skip
async def test_a_torn_answer_is_none(server, http, says):
    server.says = says
    with pytest.raises(Unreachable):
        await http.request("GET", server.url)


async def test_silence_ends(server, http):
    server.says, server.hang = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nh", True
    with pytest.raises(Unreachable, match=r"time|Timeout"):
        await http.request("GET", server.url, timeout=0.2)


async def test_nobody_there(http):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable):
        await http.request("GET", f"http://127.0.0.1:{port}")


async def test_an_answer_without_end_is_cut(server, http, monkeypatch):
    monkeypatch.setattr("ctower_desktop.kernel.http._LARGEST", 1_000)
    server.says = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + b"x" * 5_000
    with pytest.raises(Upstream, match="more than"):
        await http.request("GET", server.url)


async def test_the_environment_has_no_say(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server.says = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    http = Http.open()
    assert (await http.request("GET", server.url)).status == 200
    await http.close()


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "224.0.0.1", "[::ffff:169.254.169.254]"]
)
async def test_a_connection_to_a_forbidden_address_is_refused_where_it_is_made(http, host):
    with pytest.raises((AddressRefused, Unreachable)):
        await http.request("GET", f"http://{host}/")


async def test_a_name_that_leads_there_later_is_refused_too(http, monkeypatch):
    """The name passes the check and points elsewhere when it is used."""
    loop = asyncio.get_running_loop()

    async def rebound(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr(loop, "getaddrinfo", rebound)
    with pytest.raises(AddressRefused):
        await http.request("GET", "https://vendor.example/")


@pytest.mark.parametrize(
    "url",
    ["http://vendor.example", "ftp://vendor.example", "https://", "vendor.example",
    "https://a:b@vendor.example",
     "https://127.0.0.1/?x=1", "https://vendor.example:99999", "https://10.1.2.3", "https://[fd00::1]",
     "https://metadata.google.internal", "https://100.100.100.200"],
)  # fmt: skip
async def test_addresses_that_are_refused(url):
    with pytest.raises(AddressRefused):
        await checked_url(url)


async def test_addresses_that_are_taken(monkeypatch):
    assert await checked_url("http://127.0.0.1:8000/") == "http://127.0.0.1:8000"
    assert await checked_url("http://localhost:8000/x/") == "http://localhost:8000/x"
    assert await checked_url("https://10.1.2.3", private=True) == "https://10.1.2.3"
    assert await checked_url("https://93.184.216.34") == "https://93.184.216.34"


async def test_an_unknown_name_is_told_as_such(monkeypatch):
    async def nobody(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nobody)
    with pytest.raises(Unreachable, match="cannot be found"):
        await checked_url("https://no.such.example")


def test_the_backend_is_a_backend():
    assert issubclass(
        type(Http.open().client._transport._pool._network_backend), httpcore.AsyncNetworkBackend
    )
