"""Draw pictures of the window over the demo: every page, light and dark, in Russian and English.

    python -m tests.gui.screenshots [FOLDER] [PAGE …]

Runs off screen; the demo's vendors, connectors, index and answers are the real ones.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from ctower_desktop import app
from ctower_desktop.cli.demo import demo
from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.gui import icons, tasks, text
from ctower_desktop.gui import theme as theme_
from ctower_desktop.gui.appearance import Appearance
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.window import MainWindow
from ctower_desktop.kernel.system import Home, resources
from ctower_desktop.kernel.tower import ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import list_projects
from ctower_desktop.search.actions import read_lightrag_status

SIZE = QSize(1440, 900)
REST = 1.5  # seconds: what was asked for is read and drawn
PATIENCE = 300  # seconds for any one thing
QUESTIONS = {  # language: a part of the project's name, and what is asked about it
    "ru": ("Север", "Когда запуск интернет-магазина и что его задерживает?"),
    "en": ("Tidewater", "What discount did Henrik ask for on phase 2?"),
}


async def until(what: str, condition: Callable[[], Awaitable[Any] | Any]) -> None:
    """Wait for a condition; raise TimeoutError naming it."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = condition()
                if await found if isinstance(found, Awaitable) else found:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise TimeoutError(f"waited {PATIENCE} s in vain for {what}") from None


async def draw(folder: Path, pages: Sequence[str]) -> None:
    """Start the demo, let it settle, and draw every picture."""
    with tempfile.TemporaryDirectory(prefix="ctower-pictures-") as place:
        async with demo() as (environment, prepare):
            tower = await app.open_tower(Home(Path(place)), environment=environment, secrets="file")
            try:
                await prepare(tower)
                await settled(tower)
                window = MainWindow(tower, lambda: None)
                window.resize(SIZE)
                window.show()
                for language in QUESTIONS:
                    for theme in ("light", "dark"):
                        await pictures(tower, window, folder, language, theme, pages)
                tasks.cancel_all()
                await tasks.settle()
                window.put_away()
            finally:
                await app.close_tower(tower)


async def settled(tower: Tower) -> None:
    """Every source is read and everything is indexed."""
    projects = (await list_projects(desktop(tower, "pictures"))).projects

    async def complete() -> bool:
        for project in projects:
            call = desktop(tower, "pictures", ProjectRef(project.id, project.name, project.account_scope_id))
            states = [one.last_success_at for one in (await list_connections(call)).connections]
            status = await read_lightrag_status(call)
            waits = status.embeddings.pending + status.embeddings.processing + status.index.queued
            if sum(state is not None for state in states) < 3 or waits or not status.index.chunks:
                return False
        return True

    await until("the first sync and its index", complete)


async def pictures(
    tower: Tower, window: MainWindow, folder: Path, language: str, theme: str, pages: Sequence[str]
) -> None:
    """The pages in one language and one set of colours."""
    name, question = QUESTIONS[language]
    await tower.settings.change(Appearance, {"language": language, "theme": theme})
    projects = (await list_projects(desktop(tower, "pictures"))).projects
    chosen = next(project for project in projects if name in project.name)
    window.choose_project(chosen.id)
    await until(
        "the project", lambda: window.call().project is not None and window.call().project_id == chosen.id
    )
    for wanted in pages or window.stack.names:
        window.open_page(wanted)
        page = window.page
        if isinstance(page, AskPage):
            page.bar.ask(question)
            await until("the answer", lambda page=page: page.answered is not None)
            await until("the source", lambda page=page: page.detail.view is not None)
        else:
            await until("a quiet moment", lambda: quiet(window))
        await shoot(window, folder / f"{wanted}-{theme}-{language}.png")


async def quiet(window: MainWindow) -> bool:
    """No sync is running."""
    found = (await list_connections(window.call())).connections
    return all(one.status != "running" for one in found)


async def shoot(window: MainWindow, target: Path) -> None:
    """Let the layout come to rest and keep what is on screen."""
    window.resize(SIZE)
    await asyncio.sleep(REST)
    if not window.grab().save(str(target)):
        raise OSError(f"{target} could not be written")
    print(target)


def main() -> int:
    """Draw into the folder that is named, or into resources/screenshots."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else resources() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    for drawn in (icons, text, theme_):
        drawn.load()
    loop = QEventLoop(application)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(draw(folder, sys.argv[2:]))
    finally:
        loop.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
