"""A tower connected to stand-in vendors; every exchange is checked against the vendors' documents."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.loops import Pusher
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.connectors.syncing import Synced, sync_one
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, by_job, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import Hosted, hosted
from ctower_desktop.sandbox.linear import Linear
from ctower_desktop.sandbox.loops import Loops
from tests.conftest import SetClock
from tests.posting import Post, posting
from tests.upstream import watched


class Bench:
    """The tower, the vendors, and short words for what tests do with them."""

    def __init__(self, tower: Tower, clock: SetClock, call: Desktop) -> None:
        self.tower, self.clock, self.call = tower, clock, call
        self.chatwoot, self.linear = Chatwoot(clock.now), Linear(clock.now)
        self.attio, self.loops = Attio(clock.now), Loops(clock.now)
        self.hosted: Hosted
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """No test waits: the clock is moved instead."""
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    async def connect(self, urls: Hosted) -> None:
        self.hosted = urls
        change, settings = self.tower.settings.change, {n: c.settings for n, c in CONNECTORS.items()}
        token = {"base_url": urls["chatwoot"], "account_id": "1", "api_token": self.chatwoot.token}
        await change(settings["chatwoot"], token)
        await change(
            settings["linear"], {"base_url": urls["linear"] + "/graphql", "api_token": self.linear.token}
        )
        await change(settings["attio"], {"base_url": urls["attio"], "api_token": self.attio.token})
        sync = await self.tower.part(Sync)
        sync.sleep, sync.chance = self.sleep, random.Random(1)
        pusher = await self.tower.part(Pusher)
        pusher.sleep = self.sleep

    async def sync(self, name: str, call: Desktop | None = None, **how: Any) -> Synced:
        """Sync a second later, so that the vendor's clock, which counts whole seconds, has moved on."""
        self.clock.advance(2)
        return await sync_one(call or self.call, CONNECTORS[name], **how)

    def by_schedule(self) -> Desktop:
        return by_job(self.tower, "test", self.call.project_ref)

    async def project(self, name: str) -> Desktop:
        made = (await create_project(desktop(self.tower, "test"), NewProject(name=name))).project
        return desktop(self.tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))

    async def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """Rows of the main database."""
        return await self.tower.db.read(lambda db: list(db.execute(sql, params)))

    async def column(self, sql: str, **params: Any) -> list[Any]:
        return [row[0] for row in await self.rows(sql, **params)]

    async def one(self, sql: str, **params: Any) -> Any:
        found = await self.column(sql, **params)
        assert len(found) == 1, found
        return found[0]

    def talk(self, *texts: str, contact: Any = None, inbox: Any = None, **fields: Any) -> Any:
        """A conversation with these messages from the customer, a second apart."""
        vendor = self.chatwoot
        inbox = inbox or next(iter(vendor.inboxes.values()), None) or vendor.add_inbox("Site")
        contact = contact or next(iter(vendor.contacts.values()), None)
        contact = contact or vendor.add_contact("Анна Петрова", "anna@north.example")
        made = vendor.add_conversation(inbox.id, contact.id, **fields)
        for text in texts:
            self.clock.advance(1)
            vendor.add_message(made.id, text)
        return made


@pytest.fixture
async def bench(tower: Tower, clock: SetClock, call: Desktop) -> AsyncIterator[Bench]:
    found = Bench(tower, clock, call)
    vendors = {"chatwoot": found.chatwoot, "linear": found.linear, "attio": found.attio, "loops": found.loops}
    with watched(**vendors):
        async with hosted(**vendors) as urls:
            await found.connect(urls)
            yield found
            await tower.stop_parts()
            await tower.http.close()


@pytest.fixture
async def post(tower: Tower, clock: SetClock, call: Desktop) -> AsyncIterator[Post]:
    """A tower whose outbound channels lead to stand-ins."""
    async with posting(tower, clock, call) as found:
        yield found
