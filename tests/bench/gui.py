"""The window over a large home, off screen: how soon it is there, how fast pages and palette follow."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ctower_desktop import app
from ctower_desktop.kernel.system import Home
from tests.bench.overview import Size, fill_home
from tests.bench.start import ANY_PORTS, resident

_STARTS, _ROUNDS = 4, 8
_WORDS = ("с", "се", "сев", "connect", "cnhf", "нас", "наст", "zzqq")


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """Fill a home, start the program in it several times, and drive its window the last time."""
    size = Size(3, 120, 20, 8, 3) if tiny else Size(20, 10_000, 1_000, 250, 12)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_filled(Path(folder), size))
        starts = [_driven(folder, rounds=0) for _ in range(1 if tiny else _STARTS)]
        found = _driven(folder, rounds=2 if tiny else _ROUNDS)
    shown = sorted(one["shown"] for one in [*starts, found])
    return [
        _row(
            "window: from the start of the process to its first picture, median",
            shown[len(shown) // 2],
            1,
            "s",
        ),
        _row("window: a page for the first time, slowest", max(found["first"]), 100),
        _row("window: a page again, painted, p95", _p95(found["again"]), 100),
        _row("window: a page again, with all that was read for it, p95", _p95(found["whole"]), None),
        _row("palette: opens, p95", _p95(found["opens"]), 60),
        _row("palette: filters, a key, p95", _p95(found["keys"]), 50),
        _row("window: memory after all of it, without the model", found["memory"], 250, "MB"),
        _row("window: memory grown over the last half of the switches", found["grown"], 5, "MB"),
    ]


def _row(name: str, value: float, most: float | None, unit: str = "ms") -> dict[str, Any]:
    target = f"<= {most:g}" if most is not None else ""
    ok = value <= most if most is not None else None
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


async def _filled(folder: Path, size: Size) -> None:
    tower = await app.open_tower(Home(folder), environment={}, secrets="file")
    try:
        await fill_home(tower, size)
    finally:
        await app.close_tower(tower)


def _driven(folder: str, *, rounds: int) -> dict[str, Any]:
    """Start the program as a user would; what it measured of its window comes back as the last line."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.gui", str(rounds), "--home", folder, *ANY_PORTS],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "CTOWER_SECRETS": "file", "LOG_LEVEL": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=600,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "shown": found["shown"] - began}


# -- inside the started program


def _drive(rounds: int, arguments: list[str]) -> int:
    """The program with a window that measures itself, then closes."""
    from PySide6.QtGui import QPaintEvent

    from ctower_desktop.cli.main import main
    from ctower_desktop.gui import run as program
    from ctower_desktop.gui import tasks
    from ctower_desktop.gui.window import MainWindow

    figures: dict[str, Any] = {"shown": 0.0, "first": [], "again": [], "whole": [], "opens": [], "keys": []}

    class Measured(MainWindow):
        def paintEvent(self, event: QPaintEvent) -> None:
            super().paintEvent(event)
            if not figures["shown"]:
                figures["shown"] = time.monotonic()
                tasks.start(self, self.measure(), lambda _: self.close())

        async def measure(self) -> None:
            if not rounds:
                return
            async with asyncio.timeout(300):
                while self._project is None or self.first_run is not None:
                    await asyncio.sleep(0.01)
                while len(self.stack.pages) < len(self.stack.names):
                    await asyncio.sleep(0.01)
                for turn in range(rounds):
                    await self.switches(turn)
                    if turn == rounds // 2:
                        half = resident(os.getpid())
                figures["grown"] = max(0.0, resident(os.getpid()) - half)
                for _ in range(rounds):
                    await self.palettes()
                figures["memory"] = resident(os.getpid())

        async def switches(self, turn: int) -> None:
            for name in self.stack.names:
                began = time.perf_counter()
                self.open_page(name)
                self.repaint()
                self.page.repaint()
                painted = 1_000 * (time.perf_counter() - began)
                figures["again" if turn else "first"].append(painted)
                others = len(tasks.running()) - 1  # this measuring is one
                while others > 0 and time.perf_counter() - began < 5:
                    await asyncio.sleep(0)
                    others = len(tasks.running()) - 1
                if turn:
                    figures["whole"].append(1_000 * (time.perf_counter() - began))

        async def palettes(self) -> None:
            began = time.perf_counter()
            self.open_palette()
            self.palette_.repaint()
            figures["opens"].append(1_000 * (time.perf_counter() - began))
            for word in _WORDS:
                began = time.perf_counter()
                self.palette_.field.setText(word)
                self.palette_.repaint()
                figures["keys"].append(1_000 * (time.perf_counter() - began))
                await asyncio.sleep(0.01)
            self.palette_.close_palette()

    program.MainWindow = Measured  # type: ignore[misc]
    code = main(arguments)
    sys.stdout.write(json.dumps(figures) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(_drive(int(sys.argv[1]), sys.argv[2:]))
