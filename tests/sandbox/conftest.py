"""Stand-in vendors on loopback ports, and a client for each."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import hosted
from ctower_desktop.sandbox.linear import Linear
from ctower_desktop.sandbox.loops import Loops
from tests.conftest import SetClock


class Shop:
    """A Chatwoot account with an inbox and a contact, and its client."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.vendor = Chatwoot(clock.now)
        self.inbox = self.vendor.add_inbox("Site")
        self.contact = self.vendor.add_contact("Anna", "anna@north.example")
        self.client: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ids(self, path: str = "/conversations", **query: Any) -> list[int]:
        found = await self.get(path, **query)
        return [row["id"] for row in found.get("data", found)["payload"]]

    def talk(self, messages: int = 1, **fields: Any) -> Any:
        """A conversation with so many messages, a second apart, all of them in the past."""
        made = self.vendor.add_conversation(self.inbox.id, self.contact.id, **fields)
        for index in range(messages):
            self.clock.advance(1)
            self.vendor.add_message(made.id, f"message {index}")
        return made


@pytest.fixture
async def shop(clock: SetClock) -> AsyncIterator[Shop]:
    shop = Shop(clock)
    async with hosted(chatwoot=shop.vendor) as urls:
        headers = {"api_access_token": shop.vendor.token}
        base = f"{urls['chatwoot']}/api/v1/accounts/1"
        async with httpx.AsyncClient(base_url=base, headers=headers) as shop.client:
            yield shop


class Workshop:
    """A Linear workspace with a team, and its client."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.vendor = Linear(clock.now)
        self.team = self.vendor.add_team("ENG", "Engineering")
        self.client: httpx.AsyncClient

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        return await self.client.post("/graphql", json={"query": query, "variables": variables})

    async def ask(self, query: str, **variables: Any) -> Any:
        answer = await self.post(query, **variables)
        assert answer.status_code == 200, answer.text
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    async def titles(self, arguments: str) -> list[str]:
        found = await self.ask(f"{{ issues({arguments}) {{ nodes {{ title }} }} }}")
        return [row["title"] for row in found["issues"]["nodes"]]

    def issues(self, *titles: str) -> list[Any]:
        """Issues a minute apart."""
        made = []
        for title in titles:
            self.clock.advance(60)
            made.append(self.vendor.add_issue(self.team, title))
        return made


@pytest.fixture
async def workshop(clock: SetClock) -> AsyncIterator[Workshop]:
    workshop = Workshop(clock)
    async with hosted(linear=workshop.vendor) as urls:
        headers = {"Authorization": workshop.vendor.token}
        async with httpx.AsyncClient(base_url=urls["linear"], headers=headers) as workshop.client:
            yield workshop


class Office:
    """An Attio workspace and its client."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.vendor = Attio(clock.now)
        self.client: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def query(self, kind: str, **body: Any) -> Any:
        answer = await self.client.post(f"/objects/{kind}/records/query", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def names(self, **body: Any) -> list[str]:
        return [row["values"]["name"][0]["value"] for row in await self.query("companies", **body)]

    def companies(self, *names: str) -> list[Any]:
        """Companies a minute apart, the last of them now."""
        start = self.clock.now() - timedelta(minutes=len(names) - 1)
        return [
            self.vendor.add_company(name, f"{name}.example", at=start + timedelta(minutes=index))
            for index, name in enumerate(names)
        ]


@pytest.fixture
async def office(clock: SetClock) -> AsyncIterator[Office]:
    office = Office(clock)
    async with hosted(attio=office.vendor) as urls:
        headers = {"Authorization": f"Bearer {office.vendor.token}"}
        async with httpx.AsyncClient(base_url=f"{urls['attio']}/v2", headers=headers) as office.client:
            yield office


class Mailer:
    """A Loops team and its client."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock
        self.vendor = Loops(clock.now)
        self.client: httpx.AsyncClient

    async def send(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = await self.client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def find(self, email: str) -> Any:
        return await self.send("GET", "/contacts/find", params={"email": email})


@pytest.fixture
async def mailer(clock: SetClock) -> AsyncIterator[Mailer]:
    mailer = Mailer(clock)
    async with hosted(loops=mailer.vendor) as urls:
        headers = {"Authorization": f"Bearer {mailer.vendor.token}"}
        async with httpx.AsyncClient(base_url=f"{urls['loops']}/api/v1", headers=headers) as mailer.client:
            yield mailer
