"""A tower whose event log is read, and short words to fill that log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from ctower_desktop import app
from ctower_desktop.connectors import ledger_store
from ctower_desktop.connectors.events import Event
from ctower_desktop.insight.kag.settings import Kag
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import Home, as_text
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from tests.conftest import SetClock


@pytest.fixture
async def tower(home: Home, clock: SetClock) -> AsyncIterator[Tower]:
    """A live tower that writes English."""
    opened = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    await opened.settings.change(Kag, {"mode": "live"})
    await opened.settings.change(Regional, {"language": "en", "time_zone": "UTC"})
    yield opened
    await app.close_tower(opened)


class Log:
    """The event log of a project, written by hand."""

    def __init__(self, tower: Tower, project: ProjectRef, clock: SetClock) -> None:
        self.tower, self.project, self.clock, self.count = tower, project, clock, 0

    async def add(
        self, kind: str, *, days_ago: float = 0, at: datetime | None = None, actor: str = "system",
        source: str = "chatwoot", **fields: Any,
    ) -> None:  # fmt: skip
        self.count += 1
        when = at or self.clock.now() - timedelta(days=days_ago)
        payload = fields.pop("payload", {})
        event = Event(
            project_id=self.project.id,
            account_scope_id=self.project.account_scope_id,
            event_type=kind,
            occurred_at=as_text(when),
            actor=actor,
            source=source,
            source_ref=fields.pop("ref", f"ref-{self.count}"),
            payload_json=payload,
            **fields,
        )
        await self.tower.db.write(ledger_store.put_events, [event], self.clock.text())

    async def said(
        self, actor: str, text: str = "", *, days_ago: float = 0, talk: str = "cw:1", **more
    ) -> None:
        """A message in a conversation."""
        self.count += 1
        await self.add(
            "message_sent",
            days_ago=days_ago,
            actor=actor,
            source_message_id=f"cwmsg:{self.project.id}:1:{self.count}",
            payload={"conversation_global_id": talk, "snippet": text, "private": False, **more},
        )

    async def scope(self, *, days_ago: float = 0) -> None:
        """The client asks for more than was agreed."""
        self.count += 1
        await self.add(
            "scope_change_detected",
            days_ago=days_ago,
            actor="client",
            source_message_id=f"cwmsg:{self.project.id}:1:{self.count}",
            payload={"conversation_global_id": "cw:1"},
        )

    async def silence(self, days: float, words: int = 1) -> None:
        """The client wrote, the team answered, and nobody has written since."""
        await self.said("client", "hello", days_ago=days + 0.1)
        for _ in range(words):
            await self.said("team", "our answer", days_ago=days)


@pytest.fixture
def log(tower: Tower, project: ProjectRef, clock: SetClock) -> Log:
    return Log(tower, project, clock)


@pytest.fixture
async def elsewhere(tower: Tower, clock: SetClock):
    """Make another project: `call, log = await elsewhere("Name", scope="default")`."""

    async def make(name: str, scope: str | None = None) -> tuple[Desktop, Log]:
        body = NewProject(name=name, account_scope_key=scope)
        made = (await create_project(desktop(tower, "test"), body)).project
        project = ProjectRef(made.id, made.name, made.account_scope_id)
        return desktop(tower, "test", project), Log(tower, project, clock)

    return make
