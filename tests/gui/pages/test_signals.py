"""The page Signals & links: four lists over real rows, decided by key, taken back, followed live."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.asking import FieldsDialog
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.pages.signals import SignalsPage
from ctower_desktop.gui.signals_identity import IdentityDetail
from ctower_desktop.gui.signals_view import SignalDetail
from ctower_desktop.insight.continuity.actions import list_continuity_actions, preview_continuity
from ctower_desktop.insight.continuity.model import ListActions
from ctower_desktop.insight.identity.actions import list_identity_links, preview_identity
from ctower_desktop.insight.identity.model import Link, ListLinks, PreviewIdentity
from ctower_desktop.insight.signals.actions import (
    extract_signals,
    list_signals,
    list_upsell_chances,
    read_signal,
    refresh_upsell_radar,
    set_signal_status,
)
from ctower_desktop.insight.signals.model import ListByStatus, ListSignals, SetSignalStatus
from ctower_desktop.kernel.errors import StorageFailure
from tests.gui.conftest import until
from tests.insight.identity.conftest import Clients
from tests.insight.signals.conftest import Sources


async def filled(stage, clock) -> Sources:
    """A home with signals of several kinds, chances, tasks that follow and clients that are the same."""
    sources = Sources(stage.call(), clock)
    talk = await sources.talk(1, contact=await sources.contact(1, "Анна Петрова"))
    await sources.say(talk, "У нас задержка, сроки горят, всё заблокировано!", hours=3)
    await sources.say(talk, "Это срочно, нужно сегодня!", hours=2)
    await sources.say(talk, "Хотим добавить новый модуль, сколько будет стоить расширение?", hours=1)
    other = await sources.talk(2)
    await sources.say(other, "<b>Слишком дорого</b>, бюджет не позволяет", hours=50)
    await sources.say(other, "Пришлём смету до пятницы, обещаю.", who="user", hours=4)
    await sources.deal(1, amount=48_000.0, next_step="Отправить договор до 27 ноября")
    await sources.issue(1, due="2026-11-01")
    clients = Clients(stage.call())
    await clients.company(7, "Север", "sever.example")
    await clients.contact(7, "Ольга Ветрова", "olga@sever.example")
    await extract_signals(stage.call())
    await refresh_upsell_radar(stage.call())
    await preview_continuity(stage.call())
    await preview_identity(stage.call(), PreviewIdentity())
    return sources


async def ready(view) -> None:
    """Until a list and its detail have been read."""
    await until(lambda: view.listing.model.rows and view._shown_key is not None)


async def press(view, key, where=None) -> None:
    """A key, as from the keyboard: shortcuts see it only in the active window."""
    await until(lambda: view.window().activateWindow() or view.window().isActiveWindow())
    widget = where or view.listing.view
    widget.setFocus()
    QTest.keyClick(widget, key)


class TestSignals:
    def test_the_worst_first_with_evidence_that_opens(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            rows = view.listing.model.rows
            assert [row.severity for row in rows] == sorted((row.severity for row in rows), reverse=True)
            spoken = view.listing.model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
            assert rows[0].summary in spoken
            assert "evidence" in spoken
            detail = view.facts.widget()
            assert isinstance(detail, SignalDetail)
            detail.links[0].click()
            await until(lambda: view.source.view is not None)
            assert view.beside.currentIndex() == 1
            await press(view, Qt.Key.Key_Escape, view.source.area)
            assert view.beside.currentIndex() == 0

        on_stage(body)

    def test_keys_decide_and_undo_restores_what_was(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            first = view.listing.front
            before = (await read_signal(stage.call(), first.id)).actions
            await press(view, Qt.Key.Key_A)
            await until(lambda: stage.toasts)
            await press(view, Qt.Key.Key_E)
            await until(lambda: len(stage.toasts) == 2)
            await until(lambda: first.id not in {row.id for row in view.listing.model.rows})
            now = await read_signal(stage.call(), first.id)
            assert now.signal.status == "done"
            assert view.listing.front is not None, "the next one is in front"
            stage.commands.run("undo")
            stage.commands.run("undo")
            await until(lambda: first.id in {row.id for row in view.listing.model.rows})
            await until(lambda: len(stage.toasts) == 4)
            now = await read_signal(stage.call(), first.id)
            assert now.signal.status == "proposed"
            assert [one.status for one in now.actions] == [one.status for one in before]

        on_stage(body)

    def test_letters_are_letters_while_typing(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            elsewhere = []
            stage.commands.add(stage.window, Command("ask.x", "Ask", lambda: elsewhere.append(1), "/"))
            await press(view, Qt.Key.Key_Slash)
            assert elsewhere == [], "here the key means what it means here"
            assert view.search.hasFocus()
            QTest.keyClicks(view.search, "dear")
            assert view.search.text() == "dear"
            assert stage.toasts == []
            view.search.clear()
            await until(lambda: view.listing.state is None)
            await press(view, Qt.Key.Key_J)
            assert view.listing.view.currentIndex().row() == 1
            await press(view, Qt.Key.Key_K)
            assert view.listing.view.currentIndex().row() == 0

        on_stage(body)

    def test_many_at_once(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            count = len(view.listing.model.rows)
            view.listing.view.selectAll()
            assert str(count) in view.count.text()
            view.buttons["dismiss"].click()
            await until(lambda: view.listing.state is not None)
            dismissed = (await list_signals(stage.call(), ListSignals(status="dismissed"))).signals
            assert len(dismissed) == count
            stage.commands.run("undo")
            await until(lambda: len(view.listing.model.rows) == count)

        on_stage(body)

    def test_filters_and_search_and_the_way_back(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            everything = len(view.listing.model.rows)
            view.search.setText("дорого")
            await until(lambda: len(view.listing.model.rows) == 1)
            assert "<b>" in view.listing.model.rows[0].summary, "markup of clients is text"
            view.search.setText("no such words")
            await until(lambda: view.listing.state is not None)
            view.show_all()
            await until(lambda: len(view.listing.model.rows) == everything)
            view.severity.choose("4")
            await until(lambda: 0 < len(view.listing.model.rows) < everything)
            assert all(row.severity >= 4 for row in view.listing.model.rows)

        on_stage(body)

    def test_filters_are_kept_under_a_name(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            everything = len(view.listing.model.rows)
            view.severity.choose("4")
            view.type.setCurrentIndex(view.type.findData("urgency_increase"))
            dialog = view.views.ask()
            dialog.editors["name"].setText("R&D, срочное")
            dialog.does.click()
            await until(lambda: view.views.kept)
            view.show_all()
            await until(lambda: len(view.listing.model.rows) == everything)
            view.views.fill()
            view.views.menu_.actions()[0].trigger()
            await until(lambda: 0 < len(view.listing.model.rows) < everything)
            assert view.severity.value == "4"
            assert view.type.currentData() == "urgency_increase"
            again = SignalsPage(page.context)
            assert set(again.view.views.kept) == {"R&D, срочное"}, "the next window knows it too"
            again.deleteLater()
            view.views.forget("R&D, срочное")
            assert view.views.kept == {}

        on_stage(body)

    def test_due_day_and_owner_are_changed_in_place(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            card = next(iter(view.facts.widget().cards.values()))
            card.due.begin()
            card.due.editor.setText("whenever")
            card.due.keep()
            assert card.due.problem.text()
            card.due.editor.setText("30.11.2026")
            card.due.keep()
            await until(lambda: "30 November" in card.due.value.words)
            card.owner.begin()
            card.owner.editor.setText("polina")
            card.owner.keep()
            await until(lambda: card.owner.value.words == "polina")
            stage.commands.run("undo")
            await until(lambda: card.owner.value.words != "polina")

        on_stage(body)

    def test_it_follows_what_happens(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            view = page.view
            await ready(view)
            last = view.listing.model.rows[-1]
            await set_signal_status(stage.call(), last.id, SetSignalStatus("done"))
            await until(lambda: last.id not in {row.id for row in view.listing.model.rows})

        on_stage(body)

    def test_nothing_came_in_yet(self, on_stage):
        async def body(stage):
            page = stage.show(SignalsPage)
            await until(lambda: page.view.listing.state is not None)
            page.view.listing.state.findChildren(type(page.view.buttons["accept"]))[0].click()
            assert stage.opened == ["connectors"]

        on_stage(body)

    def test_without_a_project(self, on_stage):
        async def body(stage):
            page = stage.show(SignalsPage)
            await until(lambda: page.view.listing.state is not None)

        on_stage(body, project=False)

    def test_a_failure_says_so_and_can_be_tried_again(self, on_stage, clock, monkeypatch):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            await ready(page.view)

            async def broken(*_):
                raise StorageFailure("The disk does not answer.")

            monkeypatch.setattr(page.view, "read", broken)
            page.view.refresh()
            await until(lambda: page.view.listing.state is not None)
            monkeypatch.undo()
            page.view.listing.start_over()
            await until(lambda: page.view.listing.state is None)

        on_stage(body)


class TestUpsell:
    def test_a_chance_becomes_an_offer(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            page.turn_to("upsell")
            view = page.view
            await ready(view)
            chance = view.listing.front
            await press(view, Qt.Key.Key_O)
            dialog = view.findChild(FieldsDialog)
            dialog.editors["subtotal"].setText("12 000")
            dialog.editors["currency"].setText("eur")
            dialog.does.click()
            await until(lambda: stage.toasts)
            found = (await list_upsell_chances(stage.call(), ListByStatus(status="converted"))).opportunities
            assert [one.id for one in found] == [chance.id]
            await until(lambda: chance.id not in {row.id for row in view.listing.model.rows})

        on_stage(body)

    def test_dismissing_is_taken_back(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            page.turn_to("upsell")
            view = page.view
            await ready(view)
            count = len(view.listing.model.rows)
            await press(view, Qt.Key.Key_D)
            await until(lambda: len(view.listing.model.rows) < count or view.listing.state is not None)
            stage.commands.run("undo")
            await until(lambda: len(view.listing.model.rows) == count and view.listing.state is None)

        on_stage(body)


class TestContinuity:
    def test_chosen_tasks_become_issues_here(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            page.turn_to("continuity")
            view = page.view
            await ready(view)
            view.listing.view.selectAll()
            count = len(view.listing.chosen)
            await press(view, Qt.Key.Key_A)
            await until(lambda: view.findChild(FieldsDialog))
            dialog = view.findChild(FieldsDialog)
            words = [label.text() for label in dialog.findChildren(type(view.count))]
            assert any("on this computer" in text for text in words)
            dialog.does.click()
            await until(lambda: stage.toasts)
            found = (await list_continuity_actions(stage.call(), ListActions(status="applied"))).actions
            assert len(found) == count
            view.status.choose("applied")
            await until(lambda: len(view.listing.model.rows) == count)

        on_stage(body)

    def test_what_failed_says_why_and_is_tried_again(self, on_stage, clock):
        async def body(stage):
            sources = await filled(stage, clock)
            await sources.run("UPDATE continuity_action SET status = 'failed', attempts = 1, "
                              "error = 'team_unknown: several teams of Linear are possible'")  # fmt: skip
            page = stage.show(SignalsPage)
            page.turn_to("continuity")
            view = page.view
            await ready(view)
            words = [label.text() for label in view.facts.widget().findChildren(type(view.count))]
            assert any(text.startswith("Several teams of Linear") for text in words)
            task = view.listing.front
            assert not view.buttons["accept"].isEnabled()
            await press(view, Qt.Key.Key_R)
            await until(lambda: view.findChild(FieldsDialog))
            view.findChild(FieldsDialog).does.click()
            await until(lambda: stage.toasts)
            found = (await list_continuity_actions(stage.call(), ListActions(status="applied"))).actions
            assert [one.id for one in found] == [task.id]
            await until(lambda: task.id not in {row.id for row in view.listing.model.rows})

        on_stage(body)

    def test_dismissing_asks_first(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            page.turn_to("continuity")
            view = page.view
            await ready(view)
            await press(view, Qt.Key.Key_D)
            view.findChild(FieldsDialog).does.click()
            await until(lambda: stage.toasts)
            found = (await list_continuity_actions(stage.call(), ListActions(status="dismissed"))).actions
            assert len(found) == 1

        on_stage(body)


class TestIdentity:
    def test_both_sides_then_linked_then_undone(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(SignalsPage)
            page.turn_to("identity")
            view = page.view
            await ready(view)
            detail = view.facts.widget()
            assert isinstance(detail, IdentityDetail)
            await press(view, Qt.Key.Key_A)
            await until(lambda: stage.toasts)
            assert (await list_identity_links(stage.call(), ListLinks())).links
            view.which.choose("links")
            await until(lambda: view.listing.model.rows and isinstance(view.listing.model.rows[0], Link))
            await ready(view)
            await press(view, Qt.Key.Key_U)
            await until(lambda: len(stage.toasts) == 2)
            assert not (await list_identity_links(stage.call(), ListLinks())).links
            stage.commands.run("undo")
            await until(lambda: len(stage.toasts) == 3)
            assert (await list_identity_links(stage.call(), ListLinks())).links

        on_stage(body)


@pytest.mark.parametrize("name", ["signals", "upsell", "continuity", "identity"])
def test_every_list_becomes_a_file(on_stage, clock, name):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(SignalsPage)
        page.turn_to(name)
        await ready(page.view)
        sheet = await page.view.sheet()
        assert len(sheet.rows) == len(page.view.listing.model.rows)
        assert all(len(row) == len(sheet.columns) for row in sheet.rows)

    on_stage(body)


def test_every_widget_that_takes_focus_is_named(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(SignalsPage)
        for name in page.names:
            page.turn_to(name)
            await ready(page.view)
            await asyncio.sleep(0.05)
            nameless = [
                widget
                for widget in page.findChildren(QWidget)
                if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
                and widget.isVisible()
                and not widget.accessibleName()
            ]
            assert nameless == []

    on_stage(body)
