"""The palette: verbs, things by name, what was used last; the sheet of keys."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt

from ctower_desktop.gui import tasks
from ctower_desktop.gui.keysheet import KeySheet, in_order
from tests.gui.conftest import until
from tests.gui.pages.conftest import Stage, fill

ONE = ("Кофейня «Север»",)


async def filled(window, tower):
    """The window over a project with a conversation, an issue and a deal."""
    await until(lambda: window._project)
    stage = Stage(tower, window._project)
    await fill(stage)
    await stage.put("UPDATE contact SET haystack = 'ольга ветрова север'")


async def typed(window, text):
    palette = window.palette_
    palette.open()
    palette.field.setText(text)
    await until(lambda: palette._lookup is not None)
    await tasks.settle()
    return palette


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("SEV-141", "SEV-141 Эквайринг"),
        ("ыум-141", "SEV-141 Эквайринг"),
        ("эквайр", "SEV-141 Эквайринг"),
        ("'rdfqh", "SEV-141 Эквайринг"),
        ("лояльности", "Программа лояльности"),
        ("Ветрова", "Ольга Ветрова"),
        ("dtnhjdf", "Ольга Ветрова"),
    ],
)
def test_things_are_found_by_name_in_either_layout(on_window, text, title):
    async def body(window, tower):
        await filled(window, tower)
        palette = await typed(window, text)
        assert title in [line.title for line in palette.lines]

    on_window(body, projects=ONE)


def test_an_issue_opens_over_the_page_by_keys_alone(on_window, qtbot):
    async def body(window, tower):
        await filled(window, tower)
        window.open_page("settings")
        palette = await typed(window, "SEV-141")
        place = [line.title for line in palette.lines].index("SEV-141 Эквайринг")
        for _ in range(place):
            qtbot.keyClick(palette.field, Qt.Key.Key_Down)
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)
        assert palette.isHidden()
        await until(lambda: window.stack.peek.pane.view)
        assert "Эквайринг" in window.stack.peek.pane.view.accessibleName()

    on_window(body, projects=ONE)


def test_somebody_leads_to_the_newest_conversation(on_window):
    async def body(window, tower):
        await filled(window, tower)
        palette = await typed(window, "Ветрова")
        line = next(line for line in palette.lines if line.detail.startswith("Contact"))
        palette.list.setCurrentRow(palette.lines.index(line))
        palette._run()
        await until(lambda: window.stack.place.kind == "conversation")

    on_window(body, projects=ONE)


def test_what_was_used_last_stands_first_also_after_a_start(on_window, qtbot):
    async def first(window, tower):
        await until(lambda: window._project)
        palette = await typed(window, "high contrast")
        assert palette.lines[0].title == "High contrast"
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)

    async def second(window, tower):
        await until(lambda: window._project)
        window.palette_.open()
        assert window.palette_.lines[0].title == "High contrast"
        assert window.palette_.lines[0].detail == "used last"
        assert len({line.title for line in window.palette_.lines}) == len(window.palette_.lines)

    on_window(first, projects=ONE)
    on_window(second)


def test_markup_in_names_is_only_text(on_window):
    async def body(window, tower):
        await filled(window, tower)
        await Stage(tower, window._project).put(
            "UPDATE issue SET title = '<b>x</b><img src=file:///etc/passwd>'"
        )
        palette = await typed(window, "SEV-141")
        assert any("<img src=file" in line.title for line in palette.lines)
        palette.grab()

    on_window(body, projects=ONE)


def test_it_opens_and_filters_at_once(on_window):
    async def body(window, tower):
        await until(lambda: window._project)
        window.palette_.open()
        times = []
        for text in ("", "п", "по", "под", "подк", "connect", "zzzqqq", "настр"):
            began = time.perf_counter()
            window.palette_.field.setText(text)
            window.palette_.grab()
            times.append(time.perf_counter() - began)
        assert sorted(times)[len(times) // 2] < 0.1, times

    on_window(body, projects=ONE)


def test_the_sheet_shows_every_key_and_fits(on_window, qtbot):
    async def body(window, tower):
        await until(lambda: window._project)
        window.resize(900, 600)
        window.show_keys()
        sheet = window.findChild(KeySheet)
        assert len(sheet.shown) == len([c for c in window.commands.all() if c.shortcut])
        assert window.rect().contains(sheet.geometry())
        qtbot.keyClick(sheet, Qt.Key.Key_Down)
        assert sheet.isVisible()
        qtbot.keyClick(sheet, Qt.Key.Key_Escape)
        await until(lambda: window.findChild(KeySheet) is None)
        firsts = [command.within is None for command in in_order(window.commands)]
        assert firsts == sorted(firsts, reverse=True), "what works everywhere stands first"

    on_window(body, projects=ONE)
