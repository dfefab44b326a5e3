"""Deals, opportunities and what the team wrote, and a tower that is connected to a stand-in Linear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.connectors.syncing import sync_one
from ctower_desktop.crm.actions import create_account, create_opportunity
from ctower_desktop.crm.model import NewAccount, NewOpportunity
from ctower_desktop.inbox import store as inbox
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Desktop, Tower
from ctower_desktop.sandbox.host import hosted
from ctower_desktop.sandbox.linear import Linear
from tests.conftest import SetClock
from tests.insight.identity.conftest import Clients
from tests.upstream import watched


class Agency(Clients):
    """Clients, and what was sold and said to them."""

    def __init__(self, call: Desktop, clock: SetClock) -> None:
        super().__init__(call)
        self.clock, self.n = clock, 0

    async def opportunity(self, title: str, next_step: str, **more: Any) -> str:
        """One typed in here; with `ref` as it is when the CRM of the vendor has it."""
        self.n += 1
        account = NewAccount(
            name=more.get("account", f"Account {self.n}"), external_ref=more.get("account_ref")
        )
        company = (await create_account(self.call, account)).account
        new = NewOpportunity(
            title=title, account_id=company.id, next_step=next_step, stage=more.get("stage", "proposal")
        )
        found = (await create_opportunity(self.call, new)).opportunity.id
        if "ref" in more:
            sql = "UPDATE crm_opportunity SET external_ref = :ref, source_system = 'attio' WHERE id = :id"
            await self.run(sql, ref=more["ref"], id=found)
        return found

    async def run(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        return await self.call.tower.db.write(lambda db: list(db.execute(sql, params)))

    async def said(
        self, content: str, *, contact: str | None = None, days_ago: float = 0, **more: Any
    ) -> str:
        """A message of the team in a conversation of its own."""
        self.n += 1
        at = as_text(self.clock.now() - timedelta(days=days_ago))
        talk = await self.put(
            inbox.CONVERSATION, "cw", self.n, conversation_id=str(self.n), contact_global_id=contact,
            status="open", labels="[]", created_at=at, updated_at=at,
        )  # fmt: skip
        row = {
            "message_id": str(self.n), "conversation_id": str(self.n), "conversation_global_id": talk,
            "sender_type": "user", "sender_name": "Марина", "private": 0, "message_type": "1",
            "content": content, "created_at": at, "updated_at": at,
        } | more  # fmt: skip
        return await self.put(inbox.MESSAGE, "cwmsg", self.n, **row)


@pytest.fixture
def agency(call: Desktop, clock: SetClock) -> Agency:
    return Agency(call, clock)


@pytest.fixture
async def linear(tower: Tower, clock: SetClock, call: Desktop) -> AsyncIterator[Linear]:
    """A workspace with one team, read once; every exchange is held against the vendor's schema."""
    vendor = Linear(clock.now)
    vendor.add_team("WEB", "Web")
    with watched(linear=vendor):
        async with hosted(linear=vendor) as urls:
            settings = {"base_url": urls["linear"] + "/graphql", "api_token": vendor.token}
            await tower.settings.change(CONNECTORS["linear"].settings, settings)
            sync = await tower.part(Sync)

            async def sleep(seconds: float) -> None:
                clock.advance(seconds)
                await asyncio.sleep(0)

            sync.sleep = sleep
            clock.advance(2)
            await sync_one(call, CONNECTORS["linear"])
            clock.advance(2)
            yield vendor
            await tower.stop_parts()
            await tower.http.close()
