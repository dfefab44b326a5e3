"""Opening and closing a door: loopback only, ports, the end (launch contract; S1)."""

from __future__ import annotations

import asyncio
import socket
import time

import httpx
import pytest

from ctower_desktop import app
from ctower_desktop.kernel.endpoint import AGENTS, GRAPH, TOWER
from ctower_desktop.kernel.tower import Anyone
from ctower_desktop.web.listener import Listener, PortInUse
from tests.web.conftest import Count, site_of


@pytest.fixture
def taken():
    """A port another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def test_listens_on_this_computer_only(site):
    port = site.listener.port
    assert site.listener.url == f"http://127.0.0.1:{port}"
    names = socket.gethostbyname_ex(socket.gethostname())[2]
    for address in {name for name in names if not name.startswith("127.")}:
        with pytest.raises(OSError):  # noqa: PT011 - refused or unreachable, as the system likes
            await asyncio.open_connection(address, port)


async def test_an_asked_port_that_is_taken_is_an_error_in_words(tower, taken):
    with pytest.raises(PortInUse, match=f"Port {taken} is used"):
        await Listener.start(tower, TOWER, taken)


async def test_a_configured_port_that_is_taken_gives_way(home, clock, taken):
    tower = await app.open_tower(home, clock=clock, environment={"PORT": str(taken)}, secrets="file")
    try:
        listener = await Listener.start(tower, TOWER)
        assert listener.port > taken
        assert listener.wanted == taken
        await listener.stop()
    finally:
        await app.close_tower(tower)


async def test_any_free_port_is_nobodys_default(tower):
    listener = await Listener.start(tower, TOWER, 0)
    assert listener.wanted is None
    await listener.stop()
    again = await Listener.start(tower, TOWER, listener.port)
    assert again.port == listener.port, "a port is free again as soon as its door is closed"
    await again.stop()


async def test_several_doors_of_one_tower(site, owner):
    graph = await Listener.start(site.tower, GRAPH, 0)
    agents = await Listener.start(site.tower, AGENTS, 0)
    async with httpx.AsyncClient(trust_env=False) as client:
        for listener in (graph, agents):
            assert (await client.get(f"{listener.url}/health")).status_code == 401
        answer = await client.get(f"{graph.url}/health", headers={"Host": f"127.0.0.1:{site.listener.port}"})
        assert answer.status_code == 421, "each door answers to its own port"
    await graph.stop()
    await agents.stop()


async def test_a_running_request_may_finish(home, clock, declared):
    begun, go_on = asyncio.Event(), asyncio.Event()

    @TOWER.get("/probe/slow")
    async def read_slowly(call: Anyone) -> Count:
        """Takes its time."""
        begun.set()
        await go_on.wait()
        return Count(1)

    async with site_of(home, clock) as site, site.client() as client:
        running = asyncio.ensure_future(client.get("/probe/slow"))
        await begun.wait()
        stopping = asyncio.ensure_future(site.listener.stop())
        await asyncio.sleep(0)
        go_on.set()
        assert (await running).json()["count"] == 1
        await stopping


async def test_one_that_does_not_finish_cannot_hold_the_door(home, clock, declared):
    begun, cancelled = asyncio.Event(), []

    @TOWER.get("/probe/endless")
    async def read_endlessly(call: Anyone) -> Count:
        """Never ends."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)
        return Count(1)

    async with site_of(home, clock) as site, site.client() as client:
        running = asyncio.ensure_future(client.get("/probe/endless"))
        await begun.wait()
        began = time.monotonic()
        await site.listener.stop()
        assert time.monotonic() - began < 1.5
        with pytest.raises(httpx.HTTPError):
            await running
    assert cancelled == [True]


async def test_a_client_that_stalls_its_body_cannot_hold_the_door(site, owner):
    reader, writer = await asyncio.open_connection("127.0.0.1", site.listener.port)
    lines = (
        *("POST /projects HTTP/1.1", f"Host: 127.0.0.1:{site.listener.port}", "Content-Length: 100"),
        f"Cookie: lp_session={owner.cookies['lp_session']}",
        f"x-csrf-token: {owner.headers['x-csrf-token']}",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\n{").encode())
    await writer.drain()
    assert (await owner.get("/projects")).status_code == 200, "others are served meanwhile"
    began = time.monotonic()
    await site.listener.stop()
    assert time.monotonic() - began < 1.5
    writer.close()
    del reader
