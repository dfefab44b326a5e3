"""Server-sent events: the first, the heartbeat, what comes, the limits, the end (contract T9, T22, §9.6)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import ClassVar

import httpx
import msgspec
import pytest

from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import NotReady
from ctower_desktop.kernel.events import IndexProgress, JobCompleted, SyncProgress
from ctower_desktop.kernel.jobs import JOBS, job
from ctower_desktop.kernel.tower import Desktop, Scoped
from ctower_desktop.web import stream
from tests.web.conftest import site_of


class Tick(msgspec.Struct):
    """A plain event."""

    n: int


class Named(msgspec.Struct):
    """An event with a name of its own."""

    event: ClassVar[str] = "own_name"
    text: str


class Reader:
    """Events of one open stream, one at a time."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> list[str]:
        """The lines of the next event."""
        found: list[str] = []
        async with asyncio.timeout(10):
            async for line in self._lines:
                if not line:
                    return found
                found.append(line)
        return found


@asynccontextmanager
async def opened(client, path="/events/stream", **options) -> AsyncIterator[Reader]:
    async with client.stream("GET", path, **options) as answer:
        assert answer.status_code == 200, await answer.aread()
        yield Reader(answer)


@pytest.fixture
async def project(site):
    return await site.project()


async def gauge(client, name: str) -> float:
    text = (await client.get("/metrics")).text
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))


async def eventually(check) -> None:
    """Wait until `check` holds; it is what happens at the other end of a connection."""
    async with asyncio.timeout(10):
        while not await check():
            await asyncio.sleep(0.01)


async def test_says_first_which_project_it_is_about(owner, project):
    async with opened(owner) as events:
        headers = events.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-cache"
        assert headers["x-accel-buffering"] == "no"
        assert headers["x-request-id"]
        assert headers["x-frame-options"] == "DENY"
        assert await events.next() == ["event: connected", f'data: {{"project_id":"{project.id}"}}']


async def test_a_job_that_ends_is_told_to_its_project_only(site, owner, project, clock):
    clock.advance(1)
    other = await site.project("Other")
    await owner.post(f"/projects/{project.id}/select")
    async with opened(owner) as events:
        await events.next()
        for at in (other, project):
            site.tower.events.publish(
                JobCompleted(
                    project_id=at.id, job_type="embeddings_run", status="ok", at=site.tower.clock.text()
                )
            )
        name, data = await events.next()
        assert name == "event: job_completed"
        body = msgspec.json.decode(data.removeprefix("data: "))
        assert body["project_id"] == project.id
        assert (body["job_type"], body["status"]) == ("embeddings_run", "ok")
        assert body["at"] == "2026-11-20T10:00:01.000Z"


@pytest.fixture
def one_job(monkeypatch) -> Iterator[str]:
    """The only job there is."""
    for name in list(JOBS):
        monkeypatch.delitem(JOBS, name)

    @job("probe_job", every=60)
    async def probe(call: Desktop) -> None:
        """Probe."""

    yield "probe_job"
    del JOBS["probe_job"]


async def test_a_tick_over_http_is_seen_in_the_stream(owner, project, one_job):
    async with opened(owner) as events:
        await events.next()
        answer = await owner.post("/jobs/scheduler/tick")
        assert answer.status_code == 200, answer.text
        name, data = await events.next()
        assert name == "event: job_completed"
        body = msgspec.json.decode(data.removeprefix("data: "))
        assert (body["job_type"], body["status"]) == (one_job, "ok")


async def test_an_api_key_opens_a_stream_too(site, owner, project):
    key = (await owner.post("/api-keys", json={})).json()["data"]["key"]
    async with site.client(**{"X-API-Key": key}) as client, opened(client) as events:
        assert (await events.next())[0] == "event: connected"


async def test_a_quiet_stream_shows_that_it_lives(home, clock):
    async with site_of(home, clock, heartbeat=0.05) as site, site.client() as client:
        await client.sign_in()
        await site.project()
        async with opened(client) as events:
            await events.next()
            assert [await events.next() for _ in range(3)] == [[": heartbeat"]] * 3


def test_the_heartbeat_of_the_contract():
    assert stream.HEARTBEAT == 30.0


async def test_counts_who_watches(owner, project):
    assert await gauge(owner, "app_sse_connections_total") == 0
    async with opened(owner) as first, opened(owner) as second:
        await first.next()
        await second.next()
        assert await gauge(owner, "app_sse_connections_total") == 2
        assert await gauge(owner, "app_sse_projects_subscribed") == 1

    async def nobody() -> bool:
        return await gauge(owner, "app_sse_connections_total") == 0

    await eventually(nobody)
    assert await gauge(owner, "app_sse_projects_subscribed") == 0


async def test_one_more_than_allowed_is_refused(owner, project, monkeypatch):
    monkeypatch.setattr(stream, "MOST_OF_A_PROJECT", 2)
    async with opened(owner) as first, opened(owner) as second:
        await first.next()
        await second.next()
        answer = await owner.get("/events/stream")
        assert (answer.status_code, answer.json()["error"]) == (429, "sse_limit")
        assert (await owner.get("/projects")).status_code == 200


async def test_and_so_is_one_more_over_all_projects(site, owner, project, clock, monkeypatch):
    monkeypatch.setattr(stream, "MOST", 1)
    clock.advance(1)
    other = await site.project("Other")
    async with opened(owner) as events:
        await events.next()
        await owner.post(f"/projects/{other.id}/select")
        assert (await owner.get("/events/stream")).json()["error"] == "sse_limit"


async def test_a_client_that_left_makes_room(owner, project, monkeypatch):
    monkeypatch.setattr(stream, "MOST_OF_A_PROJECT", 1)
    for _ in range(3):

        async def again() -> bool:
            async with owner.stream("GET", "/events/stream") as answer:
                return answer.status_code == 200

        await eventually(again)


async def test_closing_the_door_ends_streams_at_once(home, clock):
    async with site_of(home, clock) as site, site.client() as client:
        await client.sign_in()
        await site.project()
        async with opened(client) as one, opened(client) as two:
            await one.next()
            await two.next()
            began = time.monotonic()
            await site.listener.stop()
            assert time.monotonic() - began < 1.0
            assert await one.next() == []
            assert await two.next() == []


class TestOtherStreams:
    @pytest.fixture
    async def streaming(self, home, clock, declared):
        ended: list[str] = []

        @TOWER.stream("/probe/count")
        async def count(call: Scoped) -> AsyncIterator[Tick]:
            """Two, and an end."""
            yield Tick(1)
            yield Tick(2)

        @TOWER.stream("/probe/refuse")
        async def refuse(call: Scoped) -> AsyncIterator[Tick]:
            """Refuses."""
            raise NotReady
            yield Tick(0)

        @TOWER.stream("/probe/nothing")
        async def say_nothing(call: Scoped) -> AsyncIterator[Tick]:
            """An end without a beginning."""
            return
            yield Tick(0)

        @TOWER.stream("/probe/fail")
        async def fail(call: Scoped) -> AsyncIterator[Named]:
            """Fails on the way."""
            yield Named("первый\nвторой")
            raise NotReady

        @TOWER.stream("/probe/break")
        async def break_down(call: Scoped) -> AsyncIterator[Tick]:
            """Breaks on the way."""
            yield Tick(1)
            raise RuntimeError("the cause")

        @TOWER.stream("/probe/flood")
        async def flood(call: Scoped) -> AsyncIterator[Named]:
            """More than anybody reads."""
            try:
                while True:
                    yield Named("x" * 100_000)
            finally:
                ended.append("ended")

        @TOWER.stream("/probe/wait")
        async def wait(call: Scoped) -> AsyncIterator[Tick]:
            """Waits for ever and says when it was ended."""
            try:
                yield Tick(1)
                await asyncio.Event().wait()
            finally:
                ended.append("ended")

        async with site_of(home, clock) as site, site.client() as client:
            await client.sign_in()
            await site.project()
            client.ended = ended
            yield client

    async def test_an_end_is_an_end(self, streaming):
        async with opened(streaming, "/probe/count") as events:
            assert await events.next() == ["event: tick", 'data: {"n":1}']
            assert await events.next() == ["event: tick", 'data: {"n":2}']
            assert await events.next() == []
        async with opened(streaming, "/probe/nothing") as events:
            assert await events.next() == []

    async def test_a_refusal_is_an_answer(self, streaming):
        answer = await streaming.get("/probe/refuse")
        assert (answer.status_code, answer.json()["error"]) == (503, "not_ready")

    async def test_a_failure_on_the_way_is_an_event(self, streaming):
        async with opened(streaming, "/probe/fail") as events:
            assert await events.next() == ["event: own_name", 'data: {"text":"первый\\nвторой"}']
            name, data = await events.next()
            assert name == "event: error"
            assert msgspec.json.decode(data.removeprefix("data: "))["error"] == "not_ready"
            assert await events.next() == []

    @pytest.mark.logs_errors
    async def test_a_bug_on_the_way_is_told_without_its_cause(self, streaming, caplog):
        with caplog.at_level(logging.ERROR):
            async with opened(streaming, "/probe/break") as events:
                await events.next()
                lines = "".join(await events.next())
                assert "internal_error" in lines
                assert "the cause" not in lines
        assert "the cause" in caplog.text

    async def test_a_client_that_does_not_read_is_let_go(self, streaming, monkeypatch):
        monkeypatch.setattr(stream, "_SLOWEST_CLIENT", 0.05)
        async with streaming.stream("GET", "/probe/flood") as answer:
            assert answer.status_code == 200

            async def let_go() -> bool:
                return streaming.ended == ["ended"]

            await eventually(let_go)

    async def test_a_client_that_resets_at_once_is_no_error(self, streaming, caplog):
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", streaming.base_url.port)
            del reader
            cookie = f"Cookie: lp_session={streaming.cookies['lp_session']}"
            host = f"Host: 127.0.0.1:{streaming.base_url.port}"
            writer.write(f"GET /probe/wait HTTP/1.1\r\n{host}\r\n{cookie}\r\n\r\n".encode())
            await writer.drain()
            writer.transport.abort()

        async def all_ended() -> bool:
            return await gauge(streaming, "app_sse_connections_total") == 0

        await eventually(all_ended)
        assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []

    async def test_the_action_cleans_up_when_its_client_leaves(self, streaming):
        async with opened(streaming, "/probe/wait") as events:
            await events.next()
            assert streaming.ended == []

        async def cleaned_up() -> bool:
            return streaming.ended == ["ended"]

        await eventually(cleaned_up)


async def test_counts_of_all_projects_are_for_those_who_see_all(site, owner):
    """Fault absent: progress without a project told a key, or a PM, how much there is in all accounts."""
    project = await site.project()
    made = (await owner.post("/api-keys", json={"scopes": ["admin"]})).json()["data"]
    wide = SyncProgress(project_id=None, connector="linear", phase="issues", done=7, total=9_000, at="t")
    own = SyncProgress(project_id=project.id, connector="linear", phase="bound", done=1, total=2, at="t")
    async with site.client(**{"X-API-Key": made["key"]}) as key, site.client() as anna:
        await site.user("anna", "pm", project)
        await anna.sign_in("anna")
        for client, phases in ((key, ["bound"]), (anna, ["bound"]), (owner, ["issues", "bound"])):
            async with client.stream("GET", "/events/stream") as answer, asyncio.timeout(5):
                lines = answer.aiter_lines()
                while await anext(lines):
                    pass  # the first event
                for event in (wide, IndexProgress(project_id=None, done=1, total=2, at="t"), own):
                    site.tower.events.publish(event)
                heard: list[str] = []
                while not heard or heard[-1] != "bound":
                    line = await anext(lines)
                    if "phase" in line:
                        heard.append(msgspec.json.decode(line.removeprefix("data: "))["phase"])
                assert heard == phases
