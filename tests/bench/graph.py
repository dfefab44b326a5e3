"""The knowledge graph at 100,000 triples: taking in, linking with retrieval, and browsing."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctower_desktop import app
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import ProjectRef, Tower, desktop
from ctower_desktop.knowledge import asking, browse_store, ingesting, store
from ctower_desktop.knowledge.door_model import TripleBody
from ctower_desktop.projects.actions import NewProject, create_project

_STEP = 500
_RELATIONS = ("assigned_to", "part_of", "blocks", "works_at", "leads", "has_status", "promised", "worth")
_PARTS = ("North", "River", "Stone", "Silver", "Green", "Harbour", "Cedar", "Amber", "Delta", "Falcon")


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """One project, names of two words and a number, a few hubs; seeds are fixed."""
    return asyncio.run(_run(2_000 if tiny else 100_000, 10 if tiny else 60))


async def _run(count: int, questions: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        tower = await app.open_tower(Home(Path(folder)), environment={}, secrets="file")
        try:
            made = (await create_project(desktop(tower, "bench"), NewProject(name="Bench"))).project
            project = ProjectRef(made.id, made.name, made.account_scope_id)
            triples = list(_triples(count))
            rate = await _ingest(tower, project, triples)
            # facts of things that many others speak of are asked about as well
            chosen = random.Random(2).sample(triples, questions)
            times, hits = await _ask(tower, project, chosen)
            pages = await _browse(tower, project, count)
        finally:
            await app.close_tower(tower)
    name = f"{count:,} triples"
    times.sort()
    p95 = times[int(len(times) * 0.95)]
    return [
        _row(f"{name}: taken in", rate, "1/s", 3_000, least=True),
        _row(f"{name}: linking and retrieval, p50", statistics.median(times), "ms", 60),
        _row(f"{name}: linking and retrieval, p95", p95, "ms", 120),
        _row(f"{name}: the asked fact is retrieved", hits, "", 0.95, least=True),
        _row(f"{name}: a page of 500, p50", statistics.median(pages), "ms", 30),
    ]


def _triples(count: int) -> Iterator[TripleBody]:
    chance = random.Random(1)
    things = [f"{chance.choice(_PARTS)} {chance.choice(_PARTS)} {number}" for number in range(count // 4)]
    hubs = things[:20]
    seen = set()
    while len(seen) < count:
        tail = chance.choice(hubs) if chance.random() < 0.2 else chance.choice(things)
        triple = (chance.choice(things), chance.choice(_RELATIONS), tail)
        if triple not in seen:
            seen.add(triple)
            yield TripleBody(*triple)


async def _ingest(tower: Tower, project: ProjectRef, triples: list[TripleBody]) -> float:
    began = time.perf_counter()
    for start in range(0, len(triples), _STEP):
        facts, _ = ingesting.facts(triples[start : start + _STEP])
        await tower.db.write_durably(store.add, ingesting.told(project, facts), tower.clock.text())
    return len(triples) / (time.perf_counter() - began)


async def _ask(tower: Tower, project: ProjectRef, chosen: list[TripleBody]) -> tuple[list[float], float]:
    words = {
        "has_status": "status",
        "assigned_to": "assigned to",
        "part_of": "part of",
        "works_at": "work at",
    }
    times, hits = [], 0
    for triple in [chosen[0], *chosen]:  # the first reads the word lists
        question = f"What does {triple.head} {words.get(triple.relation, triple.relation)}?"
        began = time.perf_counter()
        linked = await asking.link(tower, project.id, question)
        found = await asking.retrieve(tower, project.id, linked)
        times.append(1_000 * (time.perf_counter() - began))
        wanted = (triple.head, triple.relation, triple.tail)
        hits += any((s.triple.head, s.triple.relation, s.triple.tail) == wanted for s in found.triples)
    return times[1:], hits / len(times)


async def _browse(tower: Tower, project: ProjectRef, count: int) -> list[float]:
    times = []
    for page in range(1, max(2, min(20, count // 500))):
        began = time.perf_counter()
        await tower.db.read(browse_store.page, project.id, browse_store.Wanted(), page * 5, 500)
        times.append(1_000 * (time.perf_counter() - began))
    return times


def _row(name: str, value: float, unit: str, target: float, *, least: bool = False) -> dict[str, Any]:
    ok = value >= target if least else value <= target
    sign = "≥" if least else "≤"
    return {"name": name, "value": value, "unit": unit, "target": f"{sign} {target:g}", "ok": ok}
