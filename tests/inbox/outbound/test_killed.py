"""Killed with SIGKILL between the wire and the record: the message is of unknown fate, and goes out once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading

from ctower_desktop import app
from ctower_desktop.inbox.outbound.actions import approve_outbound, draft_outbound, read_outbound
from ctower_desktop.inbox.outbound.jobs import send_due_messages
from ctower_desktop.inbox.outbound.model import ApproveOutbound, NewOutbound
from ctower_desktop.kernel.tower import ProjectRef, by_job, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.sandbox.smtp import Fault, Smtp

CHILD = """
import asyncio, sys
from pathlib import Path
from ctower_desktop import app
from ctower_desktop.inbox.outbound.actions import send_outbound
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import ProjectRef, desktop

async def main(home, project, scope, message):
    tower = await app.open_tower(Home(Path(home)), secrets="file")
    await send_outbound(desktop(tower, "child", ProjectRef(project, "", scope)), message)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_sigkill_between_the_wire_and_the_record(home):
    server = Smtp(faults=[Fault("TEXT", "250 taken", seconds=60, takes=True)])
    async with server.running():
        environment = {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "none",
            "SMTP_FROM": "pm@agency.example",
        }  # fmt: skip
        tower = await app.open_tower(home, environment=environment, secrets="file")
        made = (await create_project(desktop(tower, "t"), NewProject(name="Project"))).project
        project = ProjectRef(made.id, made.name, made.account_scope_id)
        call = desktop(tower, "t", project)
        body = NewOutbound(
            channel="email", recipient_ref="anna@north.example", idempotency_key="k", payload={"text": "once"}
        )
        message = (await draft_outbound(call, body)).outbound
        await approve_outbound(call, message.id, ApproveOutbound())
        await app.close_tower(tower)

        await _sent_and_killed(server, home, environment, project, message.id)
        assert [letter.message.get_content().strip() for letter in server.inbox] == ["once"]

        tower = await app.open_tower(home, environment=environment, secrets="file")
        running = await app.start(
            tower, dict.fromkeys(("tower", "graph", "agents", "dashboard"), None), print
        )
        try:
            call = desktop(tower, "t", project)
            found = await read_outbound(call, message.id)
            assert (found.outbound.status, found.outbound.sent_at) == ("uncertain", None)
            assert [a.status for a in found.attempts] == ["uncertain"]
            done = await send_due_messages(by_job(tower, "t", project))
            assert done.processed == 0
            assert len(server.inbox) == 1
        finally:
            await running.stop()
            await app.close_tower(tower)


async def _sent_and_killed(server, home, environment, project, message) -> None:
    """A program of its own sends, and is killed when the server has the text and has not said so."""
    arguments = [str(home.path), project.id, project.account_scope_id, message]
    child = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-c", CHILD, *arguments], env={**os.environ, **environment}
    )
    watchdog = threading.Timer(30, child.kill)
    watchdog.start()
    try:
        await asyncio.wait_for(server.taken.wait(), 30)
        child.send_signal(signal.SIGKILL)
        assert await asyncio.to_thread(child.wait) == -signal.SIGKILL
    finally:
        watchdog.cancel()
