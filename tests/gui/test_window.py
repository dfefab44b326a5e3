"""The window: travelling, links, a second start, what it remembers, looks that change under it."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QSplitter

from ctower_desktop import app
from ctower_desktop.gui import tasks
from ctower_desktop.gui.appearance import Appearance
from ctower_desktop.gui.outside import Outside
from ctower_desktop.gui.pages import PAGES
from ctower_desktop.gui.run import Window, hand_over
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.projects.actions import create_project
from ctower_desktop.projects.model import NewProject
from tests.gui.conftest import until

ONE = ("Кофейня «Север»",)


async def known(window):
    await until(lambda: window._project)


async def add_issue(window, tower):
    p, scope = window._project.id, window._project.account_scope_id

    def write(db):
        db.execute(
            "INSERT INTO issue (id, project_id, account_scope_id, workspace_id, external_id, identifier,"
            " title, state, created_at, updated_at) VALUES ('linissue:x:w:i1', ?, ?, 'w', 'i1', 'SEV-141',"
            " 'Эквайринг', 'In Progress', '2026-11-20T07:12:00.000Z', '2026-11-20T07:12:00.000Z')",
            (p, scope),
        )

    await tower.db.write(write)


def press(window, button):
    """A button of the mouse, as the system tells the window of it."""
    at = QPointF(400, 400)
    event = QMouseEvent(QEvent.Type.MouseButtonPress, at, at, button, button, Qt.KeyboardModifier.NoModifier)
    QGuiApplication.sendEvent(window.windowHandle(), event)


def test_back_and_forward_by_keys_buttons_and_mouse(on_window, qtbot):
    async def body(window, tower):
        await known(window)
        for page in ("settings", "system", "ask"):
            window.open_page(page)
        assert not window.bar.forward.isEnabled()
        qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        assert window.stack.name == "system"
        window.bar.back.click()
        assert window.stack.name == "settings"
        qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
        assert window.stack.name == "system"
        press(window, Qt.MouseButton.BackButton)
        assert window.stack.name == "settings"
        press(window, Qt.MouseButton.ForwardButton)
        assert window.stack.name == "system"

    on_window(body, projects=ONE)


def test_a_record_opens_over_the_page_and_is_a_place(on_window, qtbot):
    async def body(window, tower):
        await known(window)
        await add_issue(window, tower)
        window.open_page("settings")
        window.open_link("ctower://issue/linissue:x:w:i1")
        peek = window.stack.peek
        assert peek.isVisible()
        await until(lambda: peek.pane.view)
        assert "SEV-141" in peek.pane.view.accessibleName()
        window.commands.run("link")
        assert QGuiApplication.clipboard().text() == "ctower://issue/linissue%3Ax%3Aw%3Ai1"
        qtbot.keyClick(peek.pane.area, Qt.Key.Key_Escape)
        assert not peek.isVisible()
        assert window.stack.name == "settings"
        window.go_back()
        assert peek.isVisible(), "the record was a place"
        window.open_page("ask")
        assert not peek.isVisible()

    on_window(body, projects=ONE)


def test_a_link_that_leads_nowhere_is_told(on_window):
    async def body(window, tower):
        await known(window)
        front = window.stack.name
        for link in ("ctower://page/nothing", "ctower://page/../../etc", "https://evil.example"):
            window.error_bar.hide()
            window.open_link(link)
            assert "leads nowhere" in window.error_bar.text
            assert window.stack.name == front

    on_window(body, projects=ONE)


def test_the_window_opens_at_its_link(on_window):
    async def body(window, tower):
        await until(lambda: window.stack.name == "system")

    on_window(body, projects=ONE, outside=Outside(link="ctower://page/system"))


def test_pages_are_built_one_by_one_after_the_first_picture(on_window):
    async def body(window, tower):
        assert list(window.stack.pages) == ["today"]
        await until(lambda: len(window.stack.pages) == len(PAGES))
        for entry in PAGES:
            assert entry.title() == window.stack.pages[entry.id].title
        assert "system.sync" in [command.id for command in window.commands.all()]

    on_window(body, projects=ONE)


def test_page_size_and_splitters_are_kept_in_the_home(on_window, tmp_path):
    sizes = []

    async def first(window, tower):
        await known(window)
        window.resize(1200, 760)
        window.open_page("ask")
        await asyncio.sleep(0.05)
        splitter = window.page.findChildren(QSplitter)[0]
        splitter.setSizes([400, 560])
        sizes.extend(splitter.sizes())

    async def second(window, tower):
        assert window.stack.name == "ask"
        window.resize(1200, 760)
        await asyncio.sleep(0.05)
        assert window.page.findChildren(QSplitter)[0].sizes() == sizes

    on_window(first, projects=ONE)
    assert (tmp_path / "home" / "window.ini").exists()
    on_window(second)


def test_a_broken_memory_is_no_memory(on_window, tmp_path):
    async def body(window, tower):
        await known(window)
        assert window.isVisible()

    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "window.ini").write_bytes(
        b"[General]\ngeometry=@ByteArray(broken)\npage=gone\nproject=@Invalid()\nfirst_run=\x00\xff\n"
    )
    on_window(body, projects=ONE)


@pytest.mark.parametrize("theme", ["dark", "contrast", "system", "light"])
def test_colours_change_without_building_anew(on_window, theme):
    async def body(window, tower):
        await known(window)
        page = window.page
        await tower.settings.change(Appearance, {"theme": theme})
        assert window.page is page

    on_window(body, projects=ONE)


def test_language_and_size_build_anew_at_the_same_place(on_window):
    async def body(window, tower):
        await known(window)
        window.open_page("settings")
        window.open_page("system")
        await tower.settings.change(Appearance, {"language": "ru", "text_scale": 150})
        assert window.stack.name == "system"
        assert window.bar.title.text() == "Система"
        window.go_back()
        assert window.stack.name == "settings"
        await tasks.settle()

    on_window(body, projects=ONE)


@pytest.mark.qt_log_ignore("does not support raise")
def test_a_second_start_hands_its_link_to_the_first_window(run, qapp, tmp_path, clock):
    qapp.setQuitOnLastWindowClosed(False)

    home = Home(tmp_path / "home")
    assert not hand_over(home, "")
    shown = Window(home)

    async def body():
        tower = await app.open_tower(home, clock=clock, environment={}, secrets="file")
        await create_project(desktop(tower, "test"), NewProject(name="Кофейня"))
        try:
            shown.open(tower, lambda: None, Outside())
            await known(shown._shown)
            assert await asyncio.to_thread(hand_over, home, "ctower://page/system")
            await until(lambda: shown._shown.stack.name == "system")
            shown._shown.showMinimized()
            assert await asyncio.to_thread(hand_over, home, "")
            await until(lambda: not shown._shown.isMinimized())
            assert shown._shown.stack.name == "system"
            assert await asyncio.to_thread(hand_over, home, "ctower://page/" + "x" * 5_000)
            await until(lambda: "leads nowhere" in shown._shown.error_bar.text)
        finally:
            tasks.cancel_all()
            await tasks.settle()
            shown.close()
            await asyncio.sleep(0)
            await app.close_tower(tower)

    run(body())
