"""`ctower doctor`: looks at everything the tower stands on and says what to do about what is wrong."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from ctower_desktop.connectors.answers import TryConnection
from ctower_desktop.connectors.connecting import try_connection
from ctower_desktop.connectors.contract import CONNECTORS, NotConfigured
from ctower_desktop.connectors.loops import LOOPS
from ctower_desktop.kernel.database import inspect_file
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.settings import SETTINGS
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Tower, desktop

Verdict = Literal["ok", "warning", "failed"]

_LOW_DISK = 1 << 30


class Finding(msgspec.Struct, frozen=True):
    """What one look showed; `advice` says what to do, and is empty when nothing is."""

    about: str
    verdict: Verdict
    detail: str
    advice: str = ""


def _check_database(tower: Tower) -> Finding:
    try:
        version = inspect_file(tower.db.path)
    except TowerError as error:
        return Finding(
            "database",
            "failed",
            str(error),
            "Run `ctower restore FILE` with a backup from the backups folder.",
        )
    size = tower.db.path.stat().st_size
    return Finding("database", "ok", f"sound, version {version}, {size / 1e6:.1f} MB in {tower.db.path}")


def _check_disk(tower: Tower) -> Finding:
    free = shutil.disk_usage(tower.home.path).free
    if free < _LOW_DISK:
        return Finding(
            "disk",
            "warning",
            f"{free / 1e6:.0f} MB free",
            "Free some space: syncing pauses when the disk is full.",
        )
    return Finding("disk", "ok", f"{free / 1e9:.0f} GB free")


def _check_backups(tower: Tower) -> Finding:
    copies = sorted(tower.home.backups.glob("*.db"), key=lambda p: p.stat().st_mtime)
    if not copies:
        return Finding("backups", "warning", "none yet", "Run `ctower backup`.")
    return Finding("backups", "ok", f"{len(copies)}, newest {copies[-1].name}")


def _check_secrets(tower: Tower) -> Finding:
    place = tower.settings.secrets_place()
    if place.startswith("file"):
        return Finding(
            "secrets",
            "warning",
            f"no system keyring; kept in {place}",
            "Install and unlock a Secret Service (such as GNOME Keyring).",
        )
    return Finding("secrets", "ok", f"kept in the system {place}")


def _check_ports(tower: Tower) -> Finding:
    from ctower_desktop.kernel.endpoint import AGENTS, GRAPH, TOWER

    busy = [
        f"{door.default_port} ({door.title})"
        for door in (TOWER, GRAPH, AGENTS)
        if not _free(door.default_port)
    ]
    if busy:
        return Finding(
            "ports",
            "warning",
            f"in use: {', '.join(busy)}",
            "The next free port is taken; or choose one with --port.",
        )
    return Finding("ports", "ok", "the default ports are free")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


async def _check_model(tower: Tower) -> Finding:
    from ctower_desktop.search.embedder import Embedder, ModelUnavailable

    try:
        embedder = await tower.part(Embedder)
        vector = await embedder.embed_query("проверка связи / a quick check")
    except ModelUnavailable as error:
        return Finding(
            "model",
            "warning",
            str(error),
            "Search goes on by words. Install the program again, or choose a model folder in the settings.",
        )
    return Finding("model", "ok", f"{embedder.model_id}, {len(vector)} dimensions")


async def _check_vendor(tower: Tower, name: str) -> Finding:
    tried = await try_connection(desktop(tower, new_id()), name, TryConnection())
    if tried.works:
        return Finding(name, "ok", tried.message)
    if tried.code == NotConfigured.code:
        advice = "Connect it on the Connectors page, or set its variables."
        return Finding(name, "warning", "not connected", advice)
    return Finding(name, "failed", tried.message, "Open the Connectors page: it says what to change.")


async def examine(tower: Tower) -> list[Finding]:
    """Everything that can be looked at without changing anything."""
    blocking: list[Callable[[Tower], Finding]] = [
        _check_database,
        _check_disk,
        _check_backups,
        _check_secrets,
        _check_ports,
    ]
    findings = [await asyncio.to_thread(look, tower) for look in blocking]
    waiting: list[Awaitable[Finding]] = [
        _check_model(tower),
        *(_check_vendor(tower, name) for name in (*CONNECTORS, LOOPS.name)),
    ]
    findings.extend(await asyncio.gather(*waiting))
    findings.append(Finding("settings", "ok", f"{len(SETTINGS)} pages, none contradicts itself"))
    return findings


def report(findings: list[Finding]) -> str:
    """The findings as lines for a terminal."""
    marks = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}
    lines = []
    for finding in findings:
        lines.append(f"{marks[finding.verdict]} {finding.about}: {finding.detail}")
        if finding.advice:
            lines.append(f"        → {finding.advice}")
    return "\n".join(lines)
