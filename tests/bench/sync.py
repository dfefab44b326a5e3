"""How fast 20,000 messages come into the database, and what that costs in memory, requests and stalls."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ctower_desktop import app
from ctower_desktop.connectors.chatwoot import CONTACTS_PER_PAGE, CONVERSATIONS_PER_PAGE, MESSAGES_PER_PAGE
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.syncing import sync_one
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project

_BEAT = 0.001


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """One first sync and one with nothing new, from a stand-in that is a program of its own."""
    conversations, each = (20, 20) if tiny else (1_000, 20)
    command = [sys.executable, "-m", "ctower_desktop.sandbox", "bulk", str(conversations), str(each)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as vendor:
        assert vendor.stdout is not None
        assert vendor.stdin is not None
        told = json.loads(vendor.stdout.readline())
        found = asyncio.run(_measured(told["urls"]["chatwoot"], told["tokens"]["chatwoot"]))
        vendor.stdin.close()
    messages = conversations * each
    forced = (
        math.ceil(conversations / CONVERSATIONS_PER_PAGE)
        + math.ceil(conversations / CONTACTS_PER_PAGE)
        + conversations * math.ceil((each + 1) / MESSAGES_PER_PAGE)
        + 4  # agents, inboxes, and the empty page that ends each of the two walks
    )
    speed = messages / found["seconds"]
    return [
        _row(
            "sync: messages into the database, projection included", speed, "1/s", ">= 1500", speed >= 1_500
        ),
        _row("sync: memory growth", found["memory"], "MB", "<= 100", found["memory"] <= 100),
        _row("sync: requests", found["requests"], "", f"<= {forced}", found["requests"] <= forced),
        _row("sync: requests when nothing is new", found["again"], "", "<= 5", found["again"] <= 5),
        _row("sync: longest stall of the loop", found["stall"], "ms", "<= 50", found["stall"] <= 50),
        _row("sync: messages that arrived", found["rows"], "", f"= {messages}", found["rows"] == messages),
    ]


def _row(name: str, value: float, unit: str, target: str, ok: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}


async def _measured(url: str, token: str) -> dict[str, float]:
    environment = {
        "CHATWOOT_BASE_URL": url,
        "CHATWOOT_API_TOKEN": token,
        "CHATWOOT_ACCOUNT_ID": "1",
        "CTOWER_CHATWOOT_REQUESTS_PER_MINUTE": "30000",  # the stand-in has no limit to respect
    }
    with tempfile.TemporaryDirectory() as folder:
        tower = await app.open_tower(Home(Path(folder)), environment=environment, secrets="file")
        made = (await create_project(desktop(tower, "bench"), NewProject(name="Bench"))).project
        call = desktop(tower, "bench", ProjectRef(made.id, made.name, made.account_scope_id))
        gc.collect()
        before = _peak()
        watch = asyncio.create_task(_stalls())
        began = time.perf_counter()
        first = await sync_one(call, CONNECTORS["chatwoot"])
        seconds = time.perf_counter() - began
        memory = _peak() - before
        watch.cancel()
        await sync_one(call, CONNECTORS["chatwoot"])  # learns what the server can do
        idle = await sync_one(call, CONNECTORS["chatwoot"])
        rows = await tower.db.read(lambda db: next(iter(db.execute("SELECT count(*) FROM message")))[0])
        await app.close_tower(tower)
    return {
        "seconds": seconds, "memory": memory, "requests": first.result["requests"],
        "again": idle.result["requests"], "rows": rows,
        "stall": _worst[0] * 1_000,
    }  # fmt: skip


_worst = [0.0]


async def _stalls() -> None:
    """The longest time the loop was late for a beat of a millisecond."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_BEAT)
        _worst[0] = max(_worst[0], time.perf_counter() - began - _BEAT)


def _peak() -> float:
    """The largest resident size so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
