"""What pages are built of: facts changed in place, small forms, taking back, files, long lists."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from ctower_desktop.gui import tasks
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.commands import Commands
from ctower_desktop.gui.editing import Choice, InPlace, a_day, a_number, a_percentage, a_text
from ctower_desktop.gui.export import Sheet, as_csv, as_markdown
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.listing import PAGE, Listing
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.table import Column, StructTable
from ctower_desktop.gui.undo import undoable
from ctower_desktop.kernel.errors import Conflict, NotReady
from tests.gui.conftest import until


class Thing(msgspec.Struct, frozen=True):
    """A row."""

    id: str
    size: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a form asks for."""

    name: Annotated[str, Meta(min_length=2)]
    size: Annotated[float, Meta(ge=1)] = 1.0


class TestTyped:
    @pytest.mark.parametrize(
        ("typed", "value"),
        [
            ("1 234,5", 1234.5), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("1,234", 1234.0), ("0,5", 0.5),
            ("1\u00a0234", 1234.0), ("12.5", 12.5), ("12,5", 12.5), ("-3", -3.0), ("0,125", 0.125),
        ],
    )  # fmt: skip
    def test_numbers_of_both_languages(self, typed, value):
        assert a_number(typed) == value

    @pytest.mark.parametrize(
        ("typed", "value"),
        [("2026-12-31", "2026-12-31"), ("31.12.2026", "2026-12-31"), ("1.2.27", "2027-02-01"), ("", None)],
    )
    def test_days_of_both_languages(self, typed, value):
        assert a_day(typed) == value

    @pytest.mark.parametrize(
        ("parse", "typed"), [(a_number, "x"), (a_number, ""), (a_day, "31.02.2026"), (a_percentage, "101")]
    )
    def test_what_is_none_is_refused_with_a_sentence(self, parse, typed):
        with pytest.raises(ValueError, match=r"\w+ \w+"):
            parse(typed)

    def test_percent_is_a_share_of_one(self):
        assert a_percentage("40 %") == pytest.approx(0.4)


class TestInPlace:
    @pytest.fixture
    def fact(self, qtbot):
        found = InPlace("Amount", a_number)
        qtbot.addWidget(found)
        found.show_value("€5", "5")
        found.show()
        return found

    def test_enter_keeps_once_and_escape_leaves(self, fact):
        got = []
        fact.entered.connect(got.append)
        QTest.keyClick(fact.value, Qt.Key.Key_Return)
        assert fact.editor.text() == "5"
        fact.editor.setText("7")
        QTest.keyClick(fact.editor, Qt.Key.Key_Return)
        assert got == [7.0]
        fact.begin()
        fact.editor.setText("8")
        QTest.keyClick(fact.editor, Qt.Key.Key_Escape)
        fact.begin()
        QTest.keyClick(fact.editor, Qt.Key.Key_Return)  # as it was: nothing to tell
        assert got == [7.0]

    def test_what_was_typed_comes_back_with_the_reason(self, fact):
        fact.begin()
        fact.editor.setText("9")
        fact.keep()
        fact.reopen("Too much.")
        assert (fact.editor.text(), fact.problem.text()) == ("9", "Too much.")

    def test_a_long_text_keeps_its_lines(self, qtbot):
        fact, got = InPlace("Terms", a_text, long=True), []
        qtbot.addWidget(fact)
        fact.entered.connect(got.append)
        fact.show()
        fact.begin()
        QTest.keyClicks(fact.editor, "a")
        QTest.keyClick(fact.editor, Qt.Key.Key_Return)
        QTest.keyClicks(fact.editor, "b")
        QTest.keyClick(fact.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert got == ["a\nb"]

    def test_a_choice_tells_only_what_differs(self, qtbot):
        fact, got = Choice("Stage", [("a", "A"), ("b", "B")]), []
        qtbot.addWidget(fact)
        fact.entered.connect(got.append)
        fact.show_value("b")
        fact.box.activated.emit(1)
        fact.box.setCurrentIndex(0)
        fact.box.activated.emit(0)
        assert got == ["a"]


class TestDialog:
    def build(self, qtbot, send, got):
        self.parent = QWidget()
        qtbot.addWidget(self.parent)
        fields = [
            Field("name", "Name"),
            Field("size", "Size", parse=a_number),
            Field("kind", "Kind", "b", choices=[("a", "A"), ("b", "B")]),
            Field("notes", "Notes", long=True),
        ]
        return FieldsDialog(self.parent, "New", fields, Wanted, send=send, then=got.append, does="Create")

    def test_problems_stand_beside_their_fields(self, run, qtbot):
        async def body():
            async def send(wanted):
                return wanted

            got = []
            form = self.build(qtbot, send, got)
            form.open()
            assert isinstance(form.editors["kind"], QComboBox)
            assert form.typed("kind") == "b"
            form.does.click()
            assert form._problems["name"].text() == "That is too short or too small."
            form.editors["name"].setText("Север")
            form.editors["size"].setText("много")
            form.does.click()
            assert form._problems["size"].text() == "This is not a number."
            form.editors["size"].setText("0,5")
            form.does.click()
            assert form._problems["size"].text() == "That is too short or too small."
            form.editors["size"].setText("2")
            form.does.click()
            await until(lambda: got)
            assert got == [Wanted(name="Север", size=2.0)]
            assert not any(one.isVisible() for one in self.parent.findChildren(FieldsDialog))

        run(body())

    def test_a_refusal_leaves_what_was_typed(self, run, qtbot):
        async def body():
            async def send(_):
                raise Conflict("That name is taken.")

            form = self.build(qtbot, send, [])
            form.open()
            form.editors["name"].setText("Север")
            form.does.click()
            await until(form.problem.text)
            assert form.problem.text() == "That name is taken."
            assert form.isVisible()
            assert form.does.isEnabled()

        run(body())


class TestUndo:
    def test_the_last_goes_first_and_each_once(self, run, qtbot):
        async def body():
            toasts, commands, done = [], Commands(), []
            context = WindowContext(
                tower=None, call=None, commands=commands, toast=lambda *given: toasts.append(given),
                open_page=None, has_project=None,
            )  # fmt: skip
            page = _page(context)
            qtbot.addWidget(page)

            def back(name):
                async def work():
                    done.append(name)

                return work

            for name in ("first", "second", "third"):
                undoable(page, name, back(name))
            assert commands._shortcuts["undo"].key().toString() == "Ctrl+Z"
            commands.run("undo")
            await until(lambda: done == ["third"])
            toasts[0][2]()  # the button of an older toast
            await until(lambda: done == ["third", "first"])
            toasts[0][2]()
            commands.run("undo")
            commands.run("undo")
            await tasks.settle()
            assert done == ["third", "first", "second"]

        run(body())

    def test_what_cannot_be_taken_back_is_told(self, run, qtbot):
        async def body():
            toasts, commands = [], Commands()
            context = WindowContext(
                tower=None, call=None, commands=commands, toast=lambda *given: toasts.append(given),
                open_page=None, has_project=None,
            )  # fmt: skip
            page = _page(context)
            qtbot.addWidget(page)

            async def bad():
                raise NotReady

            undoable(page, "done", bad)
            commands.run("undo")
            await tasks.settle()
            assert len(toasts) == 1  # not a word of having been taken back

        run(body())


def _page(context):
    class Plain(Page):
        """A page."""

    return Plain(context)


class TestFiles:
    SHEET = Sheet("Deals", ["Title", "Sum"], [["=1+1", 5.0], ["a|b\nc", -2.5], [None, 3]])

    def test_no_cell_is_a_formula(self):
        lines = as_csv(self.SHEET).decode("utf-8-sig").split("\r\n")
        assert lines == ["Title,Sum", "'=1+1,5.0", '"a|b\nc",-2.5', ",3", ""]

    def test_markdown_has_one_line_a_row(self):
        lines = as_markdown(self.SHEET).decode().splitlines()
        assert lines[:4] == ["# Deals", "", "| Title | Sum |", "| --- | --- |"]
        assert lines[5] == "| a\\|b c | -2.5 |"
        assert lines[6] == "|  | 3 |"


class TestListing:
    def build(self, qtbot, rows):
        calls = []

        async def load(offset, limit):
            calls.append((offset, limit))
            await asyncio.sleep(0)
            return rows[offset : offset + limit]

        async def empty():
            return EmptyState("no_data", "Nothing", "Nothing at all")

        columns = [
            Column("Id", lambda row: row.id, stretch=True),
            Column("Size", lambda row: str(row.size), lambda row: row.size),
        ]
        found = Listing("Things", columns, load, lambda row: row.id, empty)
        qtbot.addWidget(found)
        found.resize(400, 300)
        found.show()
        return found, calls

    def test_parts_are_read_as_they_come_into_sight(self, run, qtbot):
        async def body():
            rows = [Thing(str(n), n) for n in range(PAGE * 3)]
            found, calls = self.build(qtbot, rows)
            found.start_over()
            await until(lambda: found.model.rows)
            assert len(found.model.rows) == PAGE
            assert not found.view.isSortingEnabled()
            for count in (2, 3):
                found.view.scrollToBottom()
                await until(lambda n=count: len(found.model.rows) == PAGE * n)
            found.view.scrollToBottom()
            await until(lambda: found.model.complete)
            assert found.model.rows == rows
            assert found.view.isSortingEnabled()
            assert calls[:2] == [(0, PAGE), (PAGE, PAGE)]

        run(body())

    def test_choice_outlasts_refresh_and_sorting(self, run, qtbot):
        async def body():
            rows = [Thing(str(n), n % 7) for n in range(20)]
            found, _ = self.build(qtbot, rows)
            opened = []
            found.opened.connect(opened.append)
            found.start_over()
            await until(lambda: found.model.rows)
            found.view.selectRow(3)
            assert opened == [rows[3]]
            rows.insert(0, Thing("new", 0))
            found.refresh()
            await until(lambda: len(found.model.rows) == 21)
            assert [row.id for row in found.chosen] == ["3"]
            found.view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
            assert [row.id for row in found.chosen] == ["3"]
            assert found.front.id == "3"
            assert opened == [rows[4]]

        run(body())

    def test_nothing_and_failures_have_their_words(self, run, qtbot):
        async def body():
            rows = []
            found, _ = self.build(qtbot, rows)
            found.start_over()
            await until(lambda: found.state is not None)
            good = found._load

            async def bad(_offset, _limit):
                raise NotReady

            found._load = bad
            found.start_over()
            await until(lambda: found.state.findChild(QPushButton) is not None)
            found._load = good
            rows.append(Thing("1", 1))
            found.state.findChild(QPushButton).click()
            await until(lambda: found.model.rows)
            assert found.state is None
            assert await found.everything() == rows

        run(body())


def test_a_sorted_table_keeps_what_is_held():
    model = StructTable([Column("Size", lambda row: str(row.size), lambda row: row.size)])
    model.show_rows([Thing("a", 3), Thing("b", 1), Thing("c", 2)])
    kept = QPersistentModelIndex(model.index(0, 0))
    model.sort(0, Qt.SortOrder.AscendingOrder)
    assert kept.row() == 2
    assert model.row(kept).id == "a"
