"""How long the loop is held during a sync, embedding and questions, all at once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ctower_desktop import app
from ctower_desktop.connectors.actions import sync_all
from ctower_desktop.kernel.system import Home, new_id
from ctower_desktop.kernel.tower import Desktop, ProjectRef, desktop
from ctower_desktop.kernel.watchdog import Stall, watch
from ctower_desktop.projects.actions import create_project
from ctower_desktop.projects.model import NewProject
from ctower_desktop.search.actions import query_lightrag, read_lightrag_status
from ctower_desktop.search.model import LightragQuery

QUESTIONS = ("when is the delivery", "что с оплатой", "invoice 120", "who approved it", "сроки запуска")
_LONGEST = 120.0  # seconds the whole may take


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """Sync from a vendor in another process while questions are asked and chunks are embedded."""
    stalls, counts = asyncio.run(measure(20 if tiny else 200, 20))
    longest = max((stall.seconds for stall in stalls), default=0.0) * 1_000
    over = sum(1 for stall in stalls if stall.seconds > 0.020)
    name = f"loop: longest stall, {counts['messages']} messages + {counts['questions']} questions"
    return [
        {"name": name, "value": longest, "unit": "ms", "target": "<= 50", "ok": longest <= 50},
        {"name": "loop: callbacks over 20 ms", "value": over, "unit": "times", "target": "", "ok": None},
    ]


async def measure(conversations: int, each: int) -> tuple[list[Stall], dict[str, int]]:
    """Every callback over 5 ms, and how much was done meanwhile."""
    command = [sys.executable, "-m", "ctower_desktop.sandbox", "bulk", str(conversations), str(each)]
    vendor = await asyncio.to_thread(subprocess.Popen, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert vendor.stdout is not None
        where = json.loads(await asyncio.to_thread(vendor.stdout.readline))
        environment = {
            "CHATWOOT_BASE_URL": where["urls"]["chatwoot"],
            "CHATWOOT_API_TOKEN": where["tokens"]["chatwoot"],
            "CHATWOOT_ACCOUNT_ID": str(where["accounts"]["chatwoot"]),
        }
        with tempfile.TemporaryDirectory() as folder:
            return await _busy(Path(folder), environment)
    finally:
        await asyncio.to_thread(vendor.communicate)


async def _busy(folder: Path, environment: dict[str, str]) -> tuple[list[Stall], dict[str, int]]:
    tower = await app.open_tower(Home(folder), environment=environment, secrets="file")
    stalls: list[Stall] = []
    try:
        closed = dict.fromkeys(("tower", "graph", "agents", "dashboard"))
        running = await app.start(tower, closed, lambda _: None)
        made = (await create_project(desktop(tower, new_id()), NewProject(name="Bench"))).project
        call = desktop(tower, new_id(), ProjectRef(made.id, made.name, made.account_scope_id))
        await query_lightrag(call, LightragQuery(query="warm up"))  # the libraries are imported by then
        with watch(stalls.append, over=0.005, stacks=True):
            asked, _ = await asyncio.gather(_ask_until_embedded(call), sync_all(call))
        status = await read_lightrag_status(call)
        await running.stop()
        return stalls, {"messages": status.sources.messages_total, "questions": asked}
    finally:
        await app.close_tower(tower)


async def _ask_until_embedded(call: Desktop) -> int:
    asked, began = 0, time.monotonic()
    while time.monotonic() - began < _LONGEST:
        await query_lightrag(call, LightragQuery(query=f"{QUESTIONS[asked % len(QUESTIONS)]} {asked}"))
        asked += 1
        status = await read_lightrag_status(call)
        waiting = status.embeddings.pending + status.embeddings.processing + status.index.queued
        if status.sources.messages_total and not waiting:
            return asked
        await asyncio.sleep(0.05)
    return asked
