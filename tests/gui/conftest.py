"""Windows off screen on Qt's own loop: `run(coroutine)` runs one to its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from ctower_desktop.gui import icons, tasks, text, theme
from ctower_desktop.gui.garbage import Collector

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run(qapp: QApplication) -> Iterator[Run]:
    """Run a coroutine on Qt's loop; what it started is finished or cancelled before the loop closes."""
    collector = Collector()
    loop = QEventLoop(qapp, already_running=False)
    asyncio.set_event_loop(loop)

    async def whole(work: Coroutine[Any, Any, Any]) -> Any:
        try:
            async with asyncio.timeout(30):
                return await work
        finally:
            tasks.cancel_all()
            await asyncio.sleep(0)

    yield lambda work: loop.run_until_complete(whole(work))
    asyncio.set_event_loop(None)
    loop.close()
    collector.stop()


@pytest.fixture(autouse=True)
def _plain_looks(qapp: QApplication) -> None:
    """English, light, 100 %, whatever the test before left."""
    icons.load()
    text.load()
    theme.load()
    text.set_language("en")
    theme.apply(qapp, "light")


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
