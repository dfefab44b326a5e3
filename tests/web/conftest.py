"""A tower behind a real listener on the loopback interface, and clients that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from ctower_desktop import app
from ctower_desktop.accounts.users import add_user
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER, Door
from ctower_desktop.kernel.errors import Conflict
from ctower_desktop.kernel.system import Clock, new_id
from ctower_desktop.kernel.tower import ProjectRef, Role, Scoped, Tower, desktop
from ctower_desktop.projects import assignment_store
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.web.listener import Listener

OWNER, PASSWORD = "boss", "correct horse: battery"


class Ticking(Clock):
    """A minute passes with every look, so that no pace is ever exceeded."""

    counter = 0.0

    def monotonic(self) -> float:
        self.counter += 61.0
        return self.counter


class Client(httpx.AsyncClient):
    """A client that remembers its CSRF token once it has signed in."""

    async def sign_in(self, username: str = OWNER, password: str = PASSWORD) -> dict[str, Any]:
        answer = await self.post("/auth/login", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        self.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return answer.json()


@dataclass
class Site:
    """One tower, its listener, and what tests need to fill it."""

    tower: Tower
    listener: Listener

    @property
    def url(self) -> str:
        return self.listener.url

    def client(self, **headers: str) -> Client:
        return Client(base_url=self.url, headers=headers, timeout=10, trust_env=False, verify=False)

    async def project(self, name: str = "Acme") -> ProjectRef:
        made = (await create_project(desktop(self.tower, "test"), NewProject(name=name))).project
        return ProjectRef(made.id, made.name, made.account_scope_id)

    async def user(self, username: str, role: Role, *assigned: ProjectRef) -> str:
        user = await add_user(self.tower, username, PASSWORD, role)
        for project in assigned:
            await self.assign(user.id, project)
        return user.id

    async def assign(self, user_id: str, project: ProjectRef) -> None:
        at = self.tower.clock.text()
        await self.tower.db.write(
            assignment_store.assign, user_id, project.id, assignment_id=new_id(), at=at, by="test"
        )


@asynccontextmanager
async def site_of(home, clock, door: Door = TOWER, heartbeat: float = 30.0, **environment: str):
    environment.setdefault("AUTH_CREDENTIALS", f"{OWNER}:{PASSWORD}")
    tower = await app.open_tower(home, clock=clock, environment=environment, secrets="file")
    listener = await Listener.start(tower, door, 0, heartbeat=heartbeat)
    try:
        yield Site(tower, listener)
    finally:
        await listener.stop()
        await app.close_tower(tower)


class Count(msgspec.Struct):
    """How often the probe has run."""

    count: int


class Wanted(msgspec.Struct):
    """What a probe is asked."""

    text: str = ""
    fail: bool = False


@pytest.fixture
def declared() -> Iterator[None]:
    """Endpoints a test declares for itself leave the registry with it."""
    before = dict(ENDPOINTS)
    yield
    for name in ENDPOINTS.keys() - before.keys():
        del ENDPOINTS[name]


@pytest.fixture
def probes(declared) -> list[str]:
    """Three endpoints that note in the list that they ran: plain, expensive, and safe to send twice."""
    ran: list[str] = []

    @TOWER.post("/probe/act")
    async def act(call: Scoped, body: Wanted) -> Count:
        """Act."""
        ran.append(call.project_id)
        return Count(len(ran))

    @TOWER.post("/probe/work", pace="expensive")
    async def work(call: Scoped, body: Wanted) -> Count:
        """Work hard."""
        ran.append(call.project_id)
        return Count(len(ran))

    @TOWER.post("/probe/{name}/once", idempotent=True, status=201)
    async def act_once(call: Scoped, name: str, body: Wanted) -> Count:
        """Act, once."""
        ran.append(name)
        await asyncio.sleep(0)
        if body.fail:
            raise Conflict
        return Count(len(ran))

    return ran


@pytest.fixture
async def site(home, clock, probes) -> AsyncIterator[Site]:
    async with site_of(home, clock) as found:
        yield found


@pytest.fixture
async def anonymous(site) -> AsyncIterator[Client]:
    async with site.client() as client:
        yield client


@pytest.fixture
async def owner(site) -> AsyncIterator[Client]:
    """The owner, signed in; no project exists yet."""
    async with site.client() as client:
        await client.sign_in()
        yield client


@dataclass
class Plain:
    """An answer read off a bare socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def talk(site: Site, text: str | bytes) -> Plain:
    """Send bytes as they are and read one answer; `HOST` stands for our name."""
    data = text.encode() if isinstance(text, str) else text
    reader, writer = await asyncio.open_connection("127.0.0.1", site.listener.port)
    try:
        writer.write(data.replace(b"HOST", f"127.0.0.1:{site.listener.port}".encode()))
        async with asyncio.timeout(10):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.strip().split("\r\n")
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Plain(int(status.split()[1]), headers, body)
    finally:
        writer.close()
        await writer.wait_closed()
