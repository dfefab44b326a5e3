"""The furniture: tasks and their ends, the feed, forms, tables, the palette."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ctower_desktop import app
from ctower_desktop.gui import tasks, text
from ctower_desktop.gui.commands import Command, Commands, score
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import ErrorBar
from ctower_desktop.gui.forms import StructForm
from ctower_desktop.gui.palette import Palette
from ctower_desktop.gui.table import Column, StructTable
from ctower_desktop.kernel.errors import Conflict, Issue
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.projects.actions import NewProject, create_project
from tests.gui.conftest import until


class Example(msgspec.Struct):
    """An example."""

    name: Annotated[str, Meta(min_length=2, title="Name", description="What it is called.")] = "x"
    count: Annotated[int, Meta(ge=1, le=9, title="Count", description="How many.")] = 3
    on: Annotated[bool, Meta(title="On", description="Whether it is on.")] = False
    mode: Annotated[Literal["a", "b"], Meta(title="Mode", description="Which one.")] = "a"
    token: Annotated[str | None, Meta(title="Token", description="The key.", extra={"secret": True})] = None


def _window() -> tuple[QWidget, ErrorBar]:
    window, bar = QWidget(), ErrorBar()
    QVBoxLayout(window).addWidget(bar)
    return window, bar


class TestTasks:
    def test_gives_the_result(self, run, qtbot):
        window, _ = _window()
        qtbot.addWidget(window)
        got = []

        async def body():
            tasks.start(window, asyncio.sleep(0, "done"), got.append)
            await until(lambda: got)

        run(body())
        assert got == ["done"]

    def test_a_failure_we_understand_is_shown_in_the_bar(self, run, qtbot):
        window, bar = _window()
        qtbot.addWidget(window)

        async def fail():
            raise Conflict("That name is taken.")

        async def body():
            tasks.start(window, fail())
            await until(lambda: not bar.isHidden())

        run(body())
        assert bar.text == "That name is taken."

    @pytest.mark.logs_errors
    def test_our_own_bug_is_logged_and_told(self, run, qtbot, caplog):
        window, bar = _window()
        qtbot.addWidget(window)

        async def fail():
            raise ZeroDivisionError

        async def body():
            tasks.start(window, fail())
            await until(lambda: not bar.isHidden())

        run(body())
        assert "log" in bar.text
        assert "ZeroDivisionError" in caplog.text

    def test_ends_with_its_owner(self, run, qtbot):
        window, _ = _window()
        ended = []

        async def work():
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(True)

        async def body():
            task = tasks.start(window, work(), lambda _: ended.append("wrong"))
            await asyncio.sleep(0)
            window.deleteLater()
            await until(task.done)
            assert task.cancelled()

        run(body())
        assert ended == [True]


def test_a_page_follows_the_database_while_it_is_seen(run, qtbot, tmp_path):
    async def body():
        tower = await app.open_tower(Home(tmp_path / "home"), environment={}, secrets="file")
        page, seen = QWidget(), []
        qtbot.addWidget(page)
        follow(page, tower, {"project"}, lambda: seen.append(True))
        page.show()
        await create_project(desktop(tower, "t"), NewProject(name="One"))
        await until(lambda: seen)
        page.hide()
        await create_project(desktop(tower, "t"), NewProject(name="Two"))
        await asyncio.sleep(0.3)
        assert len(seen) == 1
        page.show()
        await until(lambda: len(seen) == 2)
        await app.close_tower(tower)

    run(body())


class TestForms:
    def test_shows_and_reads_back(self, qtbot):
        form = StructForm(Example, {"name": "Acme", "count": 5, "on": True, "mode": "b"})
        qtbot.addWidget(form)
        assert form.values() == {"name": "Acme", "count": 5, "on": True, "mode": "b"}

    def test_defaults_are_the_declarations(self, qtbot):
        form = StructForm(Example)
        qtbot.addWidget(form)
        assert form.values() == {"name": "x", "count": 3, "on": False, "mode": "a"}

    def test_a_secret_is_hidden_and_kept_when_left_alone(self, qtbot):
        form = StructForm(Example, stored_secrets=frozenset({"token"}))
        qtbot.addWidget(form)
        field = form.editor("token")
        assert isinstance(field, QLineEdit)
        assert field.echoMode() == QLineEdit.EchoMode.Password
        assert "stored" in field.placeholderText()
        assert "token" not in form.values()
        field.setText("new")
        assert form.values()["token"] == "new"

    def test_problems_stand_beside_their_fields(self, qtbot):
        form = StructForm(Example)
        qtbot.addWidget(form)
        rest = form.show_issues([Issue("name", "Too short.", "too_small"), Issue("other", "What?", "custom")])
        assert [issue.path for issue in rest] == ["other"]
        shown = [line.problem.text() for line in form._lines.values() if not line.problem.isHidden()]
        assert shown == ["Too short."]

    def test_what_the_environment_sets_is_fixed(self, qtbot):
        form = StructForm(Example, fixed=frozenset({"count"}))
        qtbot.addWidget(form)
        assert not form.editor("count").isEnabled()
        assert "count" not in form.values()


class Row(msgspec.Struct):
    """A row."""

    name: str
    size: int


def test_a_table_sorts_by_value_and_speaks():
    columns = [Column("Name", lambda r: r.name), Column("Size", lambda r: f"{r.size} MB", lambda r: r.size)]
    table = StructTable(columns)
    table.show_rows([Row("b", 9), Row("a", 10)])
    table.sort(1, Qt.SortOrder.DescendingOrder)
    assert [table.row(table.index(i, 0)).size for i in range(2)] == [10, 9]
    table.show_rows([Row("c", 1), Row("d", 2)])
    assert table.index(0, 1).data() == "2 MB", "the chosen order stays"
    assert table.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "d"


class TestPalette:
    @pytest.mark.parametrize("typed", ["Подкл", "подк", "conn", "gjlr", "сщтт", "подлкючения"])
    def test_finds_in_both_languages_and_layouts(self, typed):
        commands = Commands()
        window = QWidget()
        commands.add(
            window,
            Command("go.ask", "Перейти: Спросить", lambda: None, also="ask"),
            Command("go.connectors", "Перейти: Подключения", lambda: None, also="connectors"),
        )
        assert commands.find(typed)[0].id == "go.connectors"

    @pytest.mark.parametrize(("language", "title"), [("en", "Light colours"), ("ru", "Светлое оформление")])
    @pytest.mark.parametrize("typed", ["светл", "light", "cdtnk"])
    def test_finds_what_is_shown_in_the_other_language(self, language, title, typed):
        text.set_language(language)
        commands, window = Commands(), QWidget()
        commands.add(
            window, Command("theme.light", title, lambda: None), Command("quit", "Quit", lambda: None)
        )
        assert commands.find(typed)[0].id == "theme.light"

    def test_nonsense_finds_nothing(self):
        assert score("zzzzqqq", "Перейти: Подключения connectors") < 62

    def test_runs_what_is_chosen_and_gives_the_focus_back(self, qtbot):
        window, field, done = QWidget(), QLineEdit(), []
        QVBoxLayout(window).addWidget(field)
        qtbot.addWidget(window)
        commands = Commands()
        commands.add(
            window,
            Command("a", "Alpha", lambda: done.append("a")),
            Command("b", "Beta", lambda: done.append("b")),
        )
        palette = Palette(window, commands)
        window.resize(800, 600)
        window.show()
        field.setFocus()
        palette.open()
        qtbot.keyClicks(palette.field, "bet")
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)
        assert done == ["b"]
        assert palette.isHidden()
        palette.open()
        qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
        assert palette.isHidden()
        assert done == ["b"]
