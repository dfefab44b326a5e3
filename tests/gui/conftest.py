"""Windows off screen on Qt's own loop: `run(coroutine)` runs one to its end."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from ctower_desktop import app
from ctower_desktop.gui import icons, tasks, text, theme
from ctower_desktop.gui.appearance import Appearance
from ctower_desktop.gui.garbage import Collector
from ctower_desktop.gui.outside import Outside
from ctower_desktop.gui.window import MainWindow
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import Tower, desktop
from ctower_desktop.projects.actions import create_project
from ctower_desktop.projects.model import NewProject

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run(qapp: QApplication) -> Iterator[Run]:
    """Run a coroutine on Qt's loop; what it started is finished or cancelled before the loop closes."""
    collector = Collector()
    loop = QEventLoop(qapp, already_running=False)
    asyncio.set_event_loop(loop)

    async def whole(work: Coroutine[Any, Any, Any]) -> Any:
        try:
            async with asyncio.timeout(90):
                return await work
        finally:
            tasks.cancel_all()
            await asyncio.sleep(0)

    yield lambda work: loop.run_until_complete(whole(work))
    asyncio.set_event_loop(None)
    loop.close()
    collector.stop()


@pytest.fixture(autouse=True, scope="module")
def _no_widgets_left() -> Iterator[None]:
    """What is left of windows goes here, not in a thread of whatever test comes later."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _plain_looks(qapp: QApplication) -> None:
    """English, light, 100 %, whatever the test before left."""
    icons.load()
    text.load()
    theme.load()
    text.set_language("en")
    theme.apply(qapp, "light")


async def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def on_window(run: Run, qapp: QApplication, tmp_path: Path, clock: Any) -> Callable[..., Any]:
    """Run `body(window, tower)` with the real window over a real tower, on Qt's loop.

    The home stays from one call to the next, so that a second call is a second start.
    """
    qapp.setQuitOnLastWindowClosed(False)

    def go(
        body: Callable[[MainWindow, Tower], Coroutine[Any, Any, Any]],
        *,
        projects: tuple[str, ...] = (),
        outside: Outside | None = None,
        language: str = "en",
    ) -> Any:
        async def whole() -> Any:
            home = Home(tmp_path / "home")
            tower = await app.open_tower(home, clock=clock, environment={}, secrets="file")
            try:
                await tower.settings.change(Appearance, {"language": language, "theme": "light"})
                for name in projects:
                    await create_project(desktop(tower, "test"), NewProject(name=name))
                window = MainWindow(tower, lambda: None, outside)
                window.resize(1440, 900)
                window.show()
                try:
                    return await body(window, tower)
                finally:
                    tasks.cancel_all()
                    await tasks.settle()
                    window.put_away()
                    await asyncio.sleep(0)
            finally:
                await app.close_tower(tower)

        return run(whole())

    return go
