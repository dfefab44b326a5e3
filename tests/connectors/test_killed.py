"""Killed with SIGKILL while it reads: nothing stored is lost, nothing doubled, the next run completes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import apsw
import pytest

from ctower_desktop import app
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.syncing import sync_one
from ctower_desktop.kernel.system import Clock, Home
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import hosted_aside

CONVERSATIONS, EACH = 300, 10
CHILD = """
import asyncio, sys
from pathlib import Path
from ctower_desktop import app
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.syncing import sync_one
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import ProjectRef, desktop

async def main(home, project, scope):
    tower = await app.open_tower(Home(Path(home)), secrets="file")
    print("open", flush=True)
    await sync_one(desktop(tower, "child", ProjectRef(project, "", scope)), CONNECTORS["chatwoot"])

asyncio.run(main(*sys.argv[1:]))
"""


def counted(path: Path, sql: str) -> int:
    db = apsw.Connection(str(path))
    try:
        return next(iter(db.execute(sql)))[0]
    finally:
        db.close()


def check_whole(path: Path) -> None:
    """Every covered conversation has all its messages, and every stored message its row in the room."""
    db = apsw.Connection(str(path))
    assert db.pragma("quick_check") == "ok"
    torn = list(
        db.execute(
            "SELECT r.external_id, count(m.id) FROM remote_row r "
            "LEFT JOIN message m ON m.conversation_id = r.external_id "
            "WHERE r.stream = 'conversations' AND r.covered_version = r.version "
            f"GROUP BY r.external_id HAVING count(m.id) <> {EACH}"
        )
    )
    assert torn == []
    sides = next(
        db.execute(
            "SELECT (SELECT count(*) FROM remote_row WHERE stream = 'messages'), "
            "(SELECT count(*) FROM message)"
        )
    )
    assert sides[0] == sides[1]
    db.close()


@pytest.fixture
def killed_home(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.mark.slow
def test_sigkill_at_any_moment(killed_home):
    vendor = Chatwoot(Clock().now)
    vendor.generate(CONVERSATIONS, EACH)
    with hosted_aside(chatwoot=vendor) as aside:
        environment = {
            "CHATWOOT_BASE_URL": aside.urls["chatwoot"], "CHATWOOT_API_TOKEN": vendor.token,
            "CHATWOOT_ACCOUNT_ID": "1",
        }  # fmt: skip
        made = asyncio.run(prepare(killed_home, environment))
        kills = 0
        for delay in (0.0, 0.08, 0.15, 0.25):
            kills += _run_and_kill(killed_home, environment, made, delay)
            check_whole(killed_home.database)
        assert kills >= 2, "the child was too fast to be killed"
        asyncio.run(complete(killed_home, environment, made))
    check_whole(killed_home.database)
    assert counted(killed_home.database, "SELECT count(*) FROM message") == CONVERSATIONS * EACH
    assert (
        counted(killed_home.database, "SELECT count(DISTINCT message_id) FROM message")
        == CONVERSATIONS * EACH
    )


async def prepare(home, environment):
    """A home with a project."""
    tower = await app.open_tower(home, environment=environment, secrets="file")
    made = (await create_project(desktop(tower, "t"), NewProject(name="Project"))).project
    await app.close_tower(tower)
    return made


async def complete(home, environment, project):
    """One sync that nobody kills."""
    tower = await app.open_tower(home, environment=environment, secrets="file")
    call = desktop(tower, "t", ProjectRef(project.id, project.name, project.account_scope_id))
    await sync_one(call, CONNECTORS["chatwoot"])
    await app.close_tower(tower)


def _run_and_kill(home, environment, project, delay) -> bool:
    """Start a sync in a process of its own and kill it `delay` seconds after it began to write."""
    before = home.database.with_name("ctower.db-wal")
    size = before.stat().st_size if before.exists() else 0
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home.path), project.id, project.account_scope_id],
        env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    watchdog = threading.Timer(30, child.kill)
    watchdog.start()
    try:
        assert child.stdout is not None
        child.stdout.readline()
        while child.poll() is None and (before.stat().st_size if before.exists() else 0) <= size + 50_000:
            time.sleep(0.002)
        time.sleep(delay)
        running = child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        return running
    finally:
        watchdog.cancel()
        child.stdout.close()
