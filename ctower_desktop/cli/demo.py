"""`ctower demo`: an agency that never was, at stand-in vendors, pulled through the real connectors."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from ctower_desktop.connectors import binding_store
from ctower_desktop.connectors.actions import sync_all
from ctower_desktop.connectors.contract import Unit
from ctower_desktop.kernel.errors import NotReady, TowerError
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import create_project, list_projects
from ctower_desktop.projects.model import NewProject

log = logging.getLogger(__name__)

_FRESH = 60.0  # seconds: one pull of the shared accounts serves all three projects
_LIVE = 20.0  # seconds between syncs, so that the life of the agency shows

Prepare = Callable[[Tower], Awaitable[None]]


class Placed(msgspec.Struct, frozen=True):
    """Where a client project is at the vendors."""

    project: str
    inbox_ids: list[int]
    team_id: str
    company_ids: list[str]


class Vendors(msgspec.Struct, frozen=True):
    """Where the stand-in vendors are."""

    urls: dict[str, str]
    tokens: dict[str, str]
    accounts: dict[str, int]
    placed: list[Placed]

    @property
    def environment(self) -> dict[str, str]:
        """The settings that connect a tower to them."""
        return {
            "CHATWOOT_BASE_URL": self.urls["chatwoot"],
            "CHATWOOT_API_TOKEN": self.tokens["chatwoot"],
            "CHATWOOT_ACCOUNT_ID": str(self.accounts["chatwoot"]),
            "LINEAR_BASE_URL": f"{self.urls['linear']}/graphql",
            "LINEAR_API_TOKEN": self.tokens["linear"],
            "ATTIO_BASE_URL": self.urls["attio"],
            "ATTIO_API_TOKEN": self.tokens["attio"],
            "LOOPS_API_BASE_URL": f"{self.urls['loops']}/api/v1",
            "LOOPS_SECRET_KEY": self.tokens["loops"],
        }


@asynccontextmanager
async def demo() -> AsyncIterator[tuple[dict[str, str], Prepare]]:
    """Run the vendors for the length of the block; what is given out connects a tower and fills it."""
    process = await asyncio.to_thread(_start)
    try:
        vendors = await asyncio.to_thread(_where, process)
        syncing: list[asyncio.Task[None]] = []

        async def prepare(tower: Tower) -> None:
            calls = await _projects(tower, vendors.placed)
            syncing.append(asyncio.create_task(_keep_syncing(calls), name="demo"))

        try:
            yield vendors.environment, prepare
        finally:
            for task in syncing:
                task.cancel()
                await asyncio.wait([task])
    finally:
        await asyncio.to_thread(_end, process)


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ctower_desktop.sandbox", "demo"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _where(process: subprocess.Popen[bytes]) -> Vendors:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise NotReady("The stand-in vendors of the demo did not start; the lines above say why.")
    return msgspec.json.decode(line, type=Vendors)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The vendors end when their standard input does."""
    try:
        process.communicate(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


async def _projects(tower: Tower, placed: list[Placed]) -> list[Desktop]:
    """One project for each client, fed by its inboxes, its team and its companies."""
    anywhere = desktop(tower, new_id())
    known = {p.name: p for p in (await list_projects(anywhere)).projects}
    calls = []
    for place in reversed(placed):  # the newest project is looked at first
        found = known.get(place.project)
        if found is None:
            found = (await create_project(anywhere, NewProject(name=place.project))).project
        project = ProjectRef(found.id, found.name, found.account_scope_id)
        units = {
            "chatwoot": [Unit("inbox", str(id_), "") for id_ in place.inbox_ids],
            "linear": [Unit("team", place.team_id, "")],
            "attio": [Unit("company", id_, "") for id_ in place.company_ids],
        }
        for connector, bound in units.items():
            await tower.db.write(binding_store.replace, project, connector, bound, tower.clock.text())
        calls.append(desktop(tower, new_id(), project))
    return calls[::-1]


async def _keep_syncing(calls: list[Desktop]) -> None:
    """Sync more often than a real tower would: the demo's vendors do not mind."""
    while True:
        for number, call in enumerate(calls):
            try:
                await sync_all(call, fresh_within=_FRESH if number else 0.0, quietly=True)
            except TowerError as error:
                log.warning("the demo could not sync: %s", error)
        await asyncio.sleep(_LIVE)
