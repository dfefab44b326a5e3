"""The running program: `ctower`, `ctower serve` and `ctower demo`, from the lock to the last goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ctower_desktop import app
from ctower_desktop.kernel import log as tower_log
from ctower_desktop.kernel.errors import Conflict
from ctower_desktop.kernel.system import FileLock, Home, write_private

log = logging.getLogger(__name__)

_GOODBYE = 4.5  # seconds a stop may take before the process ends hard


@dataclass(frozen=True, slots=True)
class Launch:
    """How the program was started; `ports` holds what was asked for: a number, 0 for any, None for closed.

    `link` is where the window is to open.
    """

    mode: Literal["desktop", "serve", "demo"]
    home: Home | None  # None: a throw-away home (demo)
    ports: Mapping[str, int | None]
    link: str = ""
    own: Launch | None = None  # the run that the sample data were asked for from


class Course:
    """One run, and what the user wants instead of it: sample data, or her own home again."""

    def __init__(self, asked: Launch) -> None:
        self.asked = asked
        self.next: Launch | None = None
        self.stop = asyncio.Event()

    def change(self, to: Launch) -> None:
        """End this run and begin that one."""
        self.next = to
        self.stop.set()


def launch(asked: Launch) -> int:
    """Run until the window is closed or a signal says stop."""
    wanted: Launch | None = asked
    result = 0
    while wanted is not None:
        course = Course(wanted)
        result = _run(course)
        wanted = course.next if result == 0 else None
    return result


def _run(course: Course) -> int:
    asked = course.asked
    with contextlib.ExitStack() as cleanup:
        home = asked.home
        if home is None:
            home = Home(Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="ctower-demo-"))))
        home.prepare()
        windowed = asked.mode != "serve" and _has_display()
        if asked.mode != "serve" and not windowed:
            _say("no display: going on as `ctower serve`")
        lock = FileLock.acquire(home.lock)
        if lock is None:
            return _already_running(home, asked.link, windowed=windowed)
        cleanup.callback(lock.release)
        if asked.mode == "demo":
            _only_a_demo(home)
        tower_log.start(home.logs, os.environ.get("LOG_LEVEL", "info"), to_screen=not windowed)
        if windowed:
            from ctower_desktop.gui.run import run_window

            return run_window(lambda window: _live(course, home, window), home)
        return asyncio.run(_live(course, home, None))


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _only_a_demo(home: Home) -> None:
    """The accounts of the demo would take the place of real ones, and the rows of those would go."""
    mark = home.path / "demo"
    if home.database.exists() and not mark.exists():
        raise Conflict(f"{home.path} holds data of its own. Give the demo another --home, or none.")
    write_private(mark, b"made up")


def _already_running(home: Home, link: str, *, windowed: bool) -> int:
    holder = home.lock.read_text("utf-8").strip()
    if windowed:
        from ctower_desktop.gui.run import raise_running

        if raise_running(home, link):
            _say(f"the tower already runs here (process {holder}); its window was brought to the front")
            return 0
    _say(f"the tower already runs in {home.path}: process {holder} holds the lock", error=True)
    return 1


async def _live(course: Course, home: Home, window: Any) -> int:
    """Everything between opening and closing, on the loop that was chosen."""
    asked, stop = course.asked, course.stop
    _stop_on_signals(stop)
    async with _environment(asked) as (environment, prepare):
        tower = await app.open_tower(home, environment=environment, secrets=app.secrets_place(environment))
        try:
            running = await app.start(tower, asked.ports, _say)
            try:
                if prepare is not None:
                    await prepare(tower)
                if window is not None:
                    window.open(tower, stop.set, _outside(course))
                _say(f"ready {running.addresses['tower']}" if "tower" in running.addresses else "ready")
                await stop.wait()
            finally:
                hurry = asyncio.get_running_loop().call_later(_GOODBYE, _end_hard)
                if window is not None:
                    window.close()
                await running.stop()
        finally:
            await app.close_tower(tower)
        hurry.cancel()
    return 0


def _outside(course: Course) -> Any:
    """What the window can do with the program: a first look at sample data, and the way back from there."""
    from ctower_desktop.gui.outside import Outside

    asked = course.asked
    if asked.mode == "demo":
        own = asked.own or Launch("desktop", Home.default(), asked.ports)
        return Outside(own=lambda: course.change(own), link=asked.link)
    sample = Launch("demo", None, asked.ports, own=asked)
    return Outside(sample=lambda: course.change(sample), link=asked.link)


@asynccontextmanager
async def _environment(asked: Launch) -> AsyncIterator[tuple[dict[str, str], Any]]:
    """The environment the tower reads, and what is to be done once it runs."""
    if asked.mode != "demo":
        yield dict(os.environ), None
        return
    from ctower_desktop.cli.demo import demo

    async with demo() as (environment, prepare):
        yield {**os.environ, **environment}, prepare


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # Windows: only the interrupt of the console exists
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))


def _end_hard() -> None:
    log.error("the tower did not stop in %.1f s; ending it", _GOODBYE)
    os._exit(0)


def _say(text: str, *, error: bool = False) -> None:
    stream = sys.stderr if error else sys.stdout
    stream.write(text + "\n")
    stream.flush()


Work = Coroutine[Any, Any, int]
