"""Connectors: connecting, syncing, binding and repairing, at stand-in vendors."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget

from ctower_desktop.connectors.actions import list_dead_letters
from ctower_desktop.connectors.answers import ListDeadLetters
from ctower_desktop.connectors.settings import ChatwootSettings, ConnectorSettings
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.gui import text
from ctower_desktop.gui.bindings import BindingsDialog
from ctower_desktop.gui.connect import ConnectForm, DisconnectDialog
from ctower_desktop.gui.connection import state_of
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.pages.connectors import ConnectorsPage
from ctower_desktop.kernel.events import SyncProgress
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import hosted
from tests.gui.conftest import until
from tests.gui.pages.conftest import fill


class Shop:
    """A page beside a Chatwoot account with two inboxes and a message."""

    def __init__(self, stage, clock) -> None:
        self.stage, self.vendor = stage, Chatwoot(clock.now)
        self.inbox, self.other = self.vendor.add_inbox("Сайт"), self.vendor.add_inbox("Телеграм")
        contact = self.vendor.add_contact("Анна", "anna@north.example")
        self.talk = self.vendor.add_conversation(self.inbox.id, contact.id)
        clock.advance(1)
        self.vendor.add_message(self.talk.id, "Когда запуск?")
        clock.advance(2)

    async def open(self, urls):
        self.urls = urls
        sync = await self.stage.tower.part(Sync)

        async def sleep(_seconds: float) -> None:
            await asyncio.sleep(0)

        sync.sleep = sleep
        self.page = self.stage.show(ConnectorsPage)
        self.card = self.page.cards["chatwoot"]
        await until(self.card.state.text)

    async def connect(self):
        await self.stage.tower.settings.change(
            ChatwootSettings,
            {"base_url": self.urls["chatwoot"], "account_id": "1", "api_token": self.vendor.token},
        )
        self.page.refresh()
        await until(lambda: self.card.sync.isVisibleTo(self.card))

    async def sync(self):
        before = len(self.stage.toasts)
        self.card.sync.click()
        await until(lambda: len(self.stage.toasts) > before and not self.page._syncs)


@asynccontextmanager
async def shop(stage, clock):
    made = Shop(stage, clock)
    async with hosted(chatwoot=made.vendor) as urls:
        await made.open(urls)
        yield made
        await stage.tower.http.close()


def dialog(page, kind):
    found = [one for one in page.findChildren(kind) if one.isVisible()]
    return found[0] if found else None


def enter(form, **values):
    for name, value in values.items():
        editor = form.editor(name)
        assert isinstance(editor, QLineEdit)
        editor.setText(value)


def test_an_account_is_connected_only_after_the_vendor_accepts_it(on_stage, clock):
    async def body(stage):
        async with shop(stage, clock) as s:
            assert s.card.state.text() == "Not connected"
            s.card.connect_.click()
            form = dialog(s.page, ConnectForm)
            enter(form.form, base_url=s.urls["chatwoot"], account_id="1", api_token="wrong")
            form.test.click()
            await until(lambda: "does not accept" in form.outcome.text())
            assert form.advice.text()
            form.keep.click()
            await until(lambda: form.outcome.text().startswith("It does not work yet"))
            assert stage.tower.settings.get(ChatwootSettings).api_token == ""
            enter(form.form, api_token=s.vendor.token)
            form.test.click()
            await until(lambda: form.outcome.text().startswith("It works"))
            assert stage.tower.settings.get(ChatwootSettings).api_token == ""
            form.keep.click()
            await until(
                lambda: len(stage.toasts) >= 2 and not s.page._syncs
            )  # connected, then synced at once
            assert stage.tower.settings.get(ChatwootSettings).api_token == s.vendor.token
            await until(lambda: s.card.state.text() == "Works")
            assert "last sync just now" in s.card.facts.text()
            assert "next" in s.card.facts.text()

    on_stage(body)


def test_a_stored_token_is_never_shown(on_stage, clock):
    async def body(stage):
        async with shop(stage, clock) as s:
            await s.connect()
            s.card.change.click()
            form = dialog(s.page, ConnectForm)
            editor = form.form.editor("api_token")
            assert editor.text() == ""
            assert editor.echoMode() == QLineEdit.EchoMode.Password
            form.keep.click()
            await until(lambda: stage.toasts)
            assert stage.tower.settings.get(ChatwootSettings).api_token == s.vendor.token

    on_stage(body)


def test_a_vendor_that_is_down_is_told_with_the_next_step_and_recovers(on_stage, clock):
    async def body(stage):
        async with shop(stage, clock) as s:
            await s.connect()
            await s.sync()
            await s.urls.stop("chatwoot")
            clock.advance(5)
            s.card.sync.click()
            await until(lambda: not s.page._syncs and s.card.trouble.text())
            assert s.card.trouble.text() in (
                "Chatwoot could not be reached.",
                "Chatwoot does not answer at the moment.",
            )
            assert s.card.step.text()
            assert s.card.sync.text() == "Try again"
            await s.urls.start("chatwoot")
            clock.advance(600)
            await s.sync()
            await until(lambda: not s.card.trouble.isVisibleTo(s.card))
            assert s.card.sync.text() == "Sync now"

    on_stage(body)


def test_a_refused_token_asks_for_the_user(on_stage, clock):
    async def body(stage):
        async with shop(stage, clock) as s:
            await s.connect()
            await s.sync()
            s.vendor.token = "another"
            clock.advance(5)
            s.card.sync.click()
            await until(lambda: s.card.state.text() == "Waits for you")
            assert s.card.step.text() == "Open the connection, correct it, and test it again."

    on_stage(body)


def test_progress_is_shown_while_it_runs_and_can_be_stopped_here(on_stage, clock, monkeypatch):
    async def body(stage):
        async with shop(stage, clock) as s:
            await s.connect()
            at = stage.tower.clock.text()
            stage.tower.events.publish(
                SyncProgress(
                    project_id=None, connector="chatwoot", phase="messages", done=40, total=None, at=at
                )
            )
            assert s.card.progress.isVisibleTo(s.card)  # started elsewhere: nothing to stop here
            assert not s.card.own_progress.isVisibleTo(s.card)

            async def forever(call, name):
                await asyncio.Event().wait()

            monkeypatch.setattr("ctower_desktop.gui.pages.connectors.sync_connector", forever)
            s.card.sync.click()
            assert s.card.own_progress.isVisibleTo(s.card)
            assert not s.card.sync.isEnabled()
            next(b for b in s.card.own_progress.findChildren(QAbstractButton)).click()
            await until(lambda: not s.page._syncs)
            await until(s.card.sync.isEnabled)
            assert not s.card.own_progress.isVisibleTo(s.card)

    on_stage(body)


def test_what_feeds_a_project_is_chosen_from_a_list(on_stage, clock):
    async def body(stage):
        async with shop(stage, clock) as s:
            await s.connect()
            await s.sync()

            async def messages():
                return await stage.tower.db.read(
                    lambda db: db.execute("SELECT count(*) FROM message WHERE deleted_at IS NULL").fetchone()[
                        0
                    ]
                )

            assert await messages() == 1
            s.card.bindings.click()
            form = dialog(s.page, BindingsDialog)
            await until(lambda: form.list.count() == 3)
            items = {form.list.item(n).text(): form.list.item(n) for n in range(3)}
            whole = next(item for name, item in items.items() if name.startswith("Whole account"))
            parts = [item for item in items.values() if item is not whole]
            assert whole.checkState() == Qt.CheckState.Checked
            assert not any(item.flags() & Qt.ItemFlag.ItemIsEnabled for item in parts)
            whole.setCheckState(Qt.CheckState.Unchecked)
            assert all(item.flags() & Qt.ItemFlag.ItemIsEnabled for item in parts)
            assert "will feed this project no more" in form.note.text()
            items["Chatwoot inbox: Телеграм"].setCheckState(Qt.CheckState.Checked)
            assert [unit.name for unit in form.chosen] == ["Телеграм"]
            form.save.click()
            await until(lambda: dialog(s.page, BindingsDialog) is None)
            assert await messages() == 0

    on_stage(body)


def test_disconnecting_can_take_everything_along(on_stage, clock):
    async def body(stage):
        async with shop(stage, clock) as s:
            await s.connect()
            await s.sync()
            s.card.disconnect_.click()
            form = dialog(s.page, DisconnectDialog)
            form.forget.setChecked(True)
            form.go.click()
            await until(lambda: s.card.state.text() == "Not connected")
            assert stage.tower.settings.get(ChatwootSettings).api_token == ""
            left = await stage.tower.db.read(
                lambda db: db.execute("SELECT count(*) FROM message WHERE deleted_at IS NULL").fetchone()[0]
            )
            assert left == 0

    on_stage(body)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_error_that_was_given_up_gets_another_chance(on_stage, clock, language):
    async def body(stage):
        text.set_language(language)
        await stage.tower.settings.change(ConnectorSettings, {"max_retries": 1})
        async with shop(stage, clock) as s:
            await s.connect()
            await s.urls.stop("chatwoot")
            s.card.sync.click()
            await until(lambda: s.page.given_up.buttons)
            assert "Chatwoot" in s.page.given_up.texts[0]
            await s.urls.start("chatwoot")
            clock.advance(600)
            s.page.given_up.buttons[0].click()
            await until(lambda: not s.page.given_up.isVisibleTo(s.page))
            assert (await list_dead_letters(stage.call(), ListDeadLetters())).errors == []

    on_stage(body)


def test_rows_that_were_put_aside_are_listed_and_tried_again(on_stage, clock):
    async def body(stage):
        async with shop(stage, clock) as s:
            await s.connect()
            await s.sync()
            await stage.put(
                "INSERT INTO quarantined_row (connector, account, stream, external_id, reason, content_hash,"
                " body, first_seen_at, last_seen_at)"
                " VALUES ('chatwoot', '1', 'messages', '77', 'no text', 'x', '[]', :at, :at)",
                at="2026-11-20T09:00:00.000Z",
            )
            await until(lambda: s.page.put_aside.texts == ["Chatwoot · messages · 77"])
            await until(lambda: "1 row put aside" in s.card.facts.text())
            s.page.put_aside.buttons[0].click()
            await until(lambda: any("understood now" in toast[0] for toast in stage.toasts))

    on_stage(body)


def test_without_a_project_there_is_nothing_to_feed(on_stage):
    async def body(stage):
        page = stage.show(ConnectorsPage)
        assert page.no_project.isVisibleTo(page)
        assert not any(card.isVisibleTo(page) for card in page.cards.values())
        page.sync_all()
        assert not page._syncs

    on_stage(body, project=False)


def test_every_state_has_its_words(on_stage, clock):
    async def body(stage):
        page = stage.show(ConnectorsPage)
        await until(lambda: all(card.state.text() for card in page.cards.values()))
        assert {state_of(one)[0] for one in (await page._read()).connections} == {"Not connected"}
        assert [card.facts.text() for card in page.cards.values()] == [
            "Conversations with clients come from here.",
            "Issues, comments and projects come from here.",
            "Companies, people, deals, notes and tasks come from here.",
            "Contacts with an e-mail address go there.",
        ]

    on_stage(body)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_everything_that_takes_the_focus_has_a_name(on_stage, clock, language):
    async def body(stage):
        text.set_language(language)
        await fill(stage)
        ask = stage.show(AskPage)
        ask.bar.ask("когда запуск магазина")
        await until(lambda: ask.detail.view is not None)
        async with shop(stage, clock) as s:
            await s.connect()
            s.card.change.click()
            await s.sync()
            s.card.bindings.click()
            s.card.disconnect_.click()
            kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QListWidget)
            nameless = [
                widget
                for kind in kinds
                for widget in stage.window.findChildren(kind)
                if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
                and not widget.accessibleName()
                and not isinstance(widget.parent(), QAbstractSpinBox)
            ]
            assert nameless == []

    on_stage(body)
