"""A tower that knows the whole demo agency, filled by the real connectors from the stand-in vendors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from ctower_desktop import app
from ctower_desktop.cli.demo import Vendors
from ctower_desktop.connectors import binding_store
from ctower_desktop.connectors.actions import sync_all
from ctower_desktop.connectors.contract import Unit
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.kernel.system import Clock, Home
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import create_project
from ctower_desktop.projects.model import NewProject
from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.demo import Demo, Placed, fill
from ctower_desktop.sandbox.host import hosted
from ctower_desktop.sandbox.linear import Linear
from ctower_desktop.sandbox.linear_model import Comment
from ctower_desktop.sandbox.loops import Loops
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.models import Models
from tests.eval.corpus import CLIENTS, NOW, told

_ACTIVITY = 2  # a line of Chatwoot's own about the conversation
_ALL_FRESH = 3_600.0  # seconds: one pull of the shared accounts serves all projects
_KEYS = {
    "message": "message_id",
    "issue": "external_id",
    "comment": "external_id",
    "deal": "external_id",
    "note": "external_id",
    "task": "external_id",
}


class StandingClock(Clock):
    """The judge's moment: time words mean the same in every run."""

    def __init__(self, at: datetime = NOW) -> None:
        self._at, self._counter = at, 1_000.0

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._counter

    def set(self, at: datetime) -> None:
        self._at = at

    async def sleep(self, seconds: float) -> None:
        """Nobody waits for a vendor's pace: the clock is moved instead."""
        self._at += timedelta(seconds=seconds)
        self._counter += seconds
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Judged:
    """The tower, a call into each client's project, and the piece behind every text in it."""

    tower: Tower
    calls: dict[str, Desktop]
    names: dict[str, str]  # by the id of the text's row


@asynccontextmanager
async def judged_home(folder: Path) -> AsyncIterator[Judged]:
    """Fill a home in `folder` with everything the agency said, did and sold, indexed and embedded."""
    clock = StandingClock()
    chatwoot, linear = Chatwoot(clock.now), Linear(clock.now)
    attio, loops = Attio(clock.now), Loops(clock.now)
    demo = fill(told(), chatwoot, linear, attio, loops, now=NOW)
    async with hosted(chatwoot=chatwoot, linear=linear, attio=attio, loops=loops) as urls:
        tokens = {
            "chatwoot": chatwoot.token,
            "linear": linear.token,
            "attio": attio.token,
            "loops": loops.token,
        }
        vendors = Vendors(dict(urls), tokens, {"chatwoot": chatwoot.account_id}, [])
        home = Home(folder / "home")
        tower = await app.open_tower(home, clock=clock, environment=vendors.environment, secrets="file")
        try:
            (await tower.part(Sync)).sleep = clock.sleep
            calls = [await _project(tower, placed) for placed in demo.placed]
            for number, call in enumerate(calls):
                await _sync(call, fresh_within=_ALL_FRESH if number else 0.0)
            clock.set(NOW)
            names = await tower_names(tower, demo)
            await tower.db.write(_put_in_order, names)
            await _index(tower)
            yield Judged(tower, dict(zip(CLIENTS, calls, strict=True)), names)
        finally:
            await app.close_tower(tower)


async def _project(tower: Tower, placed: Placed) -> Desktop:
    made = (await create_project(desktop(tower, "judge"), NewProject(name=placed.project))).project
    project = ProjectRef(made.id, made.name, made.account_scope_id)
    units = {
        "chatwoot": [Unit("inbox", str(id_), "") for id_ in placed.inbox_ids],
        "linear": [Unit("team", placed.team_id, "")],
        "attio": [Unit("company", id_, "") for id_ in placed.company_ids],
    }
    for connector, bound in units.items():
        await tower.db.write(binding_store.replace, project, connector, bound, tower.clock.text())
    return desktop(tower, "judge", project)


async def _sync(call: Desktop, *, fresh_within: float) -> None:
    found = await sync_all(call, fresh_within=fresh_within, quietly=True)
    wrong = [f"{one.connector}: {one.error}" for one in found.results if one.status != "ok"]
    if wrong or not found.results:
        raise RuntimeError(f"the agency did not arrive: {'; '.join(wrong) or 'nothing was synced'}")


def _put_in_order(db: apsw.Connection, names: dict[str, str]) -> None:
    """Queue the texts in the order of their names, so that every run numbers and embeds them alike.

    Which connector answers first, and the ids of projects, differ from run to run; an int8 model rounds a
    text a little differently in another batch.
    """
    lines = db.execute("SELECT source_type, source_pk, project_id, queued_at FROM index_queue").fetchall()
    lines.sort(key=lambda line: names.get(str(line[1])) or str(line[1]).rpartition(":")[2])
    db.execute("DELETE FROM index_queue")
    db.executemany(
        "INSERT INTO index_queue (source_type, source_pk, project_id, queued_at) VALUES (?, ?, ?, ?)", lines
    )


async def _index(tower: Tower) -> None:
    """Make words and vectors of everything, step by step, with nothing going on beside it."""
    indexer = Indexer(tower, await tower.part(Models))
    while await indexer.index_words():
        pass
    while await indexer.embed_some() is not None:
        pass


async def tower_names(tower: Tower, demo: Demo) -> dict[str, str]:
    """The name of the piece behind every row; raise KeyError when a text of the agency did not arrive."""
    found: dict[str, str] = {}
    vendor_ids = {
        "message": _messages(demo),
        "issue": _issues(demo),
        "comment": _comments(demo),
        **_sales(demo),
    }
    for table, column in _KEYS.items():
        sql = f"SELECT {column}, id FROM {table} WHERE deleted_at IS NULL"
        rows = dict(await tower.db.read(_pairs, sql))
        found |= {rows[vendor_id]: name for vendor_id, name in vendor_ids[table].items()}
    return found


def _pairs(db: apsw.Connection, sql: str) -> list[tuple[str, str]]:
    return list(db.execute(sql))


def _messages(demo: Demo) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, made in demo.conversations.items():
        said = [message for message in made.messages if message.message_type != _ACTIVITY]
        found |= {str(message.id): f"conv:{key}#{place}" for place, message in enumerate(said)}
    return found


def _issues(demo: Demo) -> dict[str, str]:
    return {made.id: f"issue:{key}" for key, made in demo.issues.items()}


def _comments(demo: Demo) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, made in demo.issues.items():
        under = [
            row for row in demo.linear.rows.values() if isinstance(row, Comment) and row.issue_id == made.id
        ]
        found |= {comment.id: f"issue:{key}#{place}" for place, comment in enumerate(under)}
    return found


def _sales(demo: Demo) -> dict[str, dict[str, str]]:
    """Deals, notes and tasks: on each record they stand in the order they were added in."""
    titles = {deal.name: deal.key for client in demo.agency.clients for deal in client.deals}
    deals = {
        record.id: f"deal:{titles[record.values['name'][0]['value']]}"
        for record in demo.attio.records.values()
        if record.object == "deals"
    }
    records = deals | {made.id: f"company:{key}" for key, made in demo.companies.items()}
    notes: dict[str, str] = {}
    tasks: dict[str, str] = {}
    met: dict[str, int] = {}
    for note in demo.attio.notes.values():
        _count(notes, met, note.id, f"{records[note.parent_record_id]}/note")
    for task in demo.attio.tasks.values():
        deal = next(deals[record] for kind, record in task.linked if kind == "deals")
        _count(tasks, met, task.id, f"{deal}/task")
    return {"deal": deals, "note": notes, "task": tasks}


def _count(found: dict[str, str], met: dict[str, int], vendor_id: str, name: str) -> None:
    found[vendor_id] = f"{name}#{met.get(name, 0)}"
    met[name] = met.get(name, 0) + 1
