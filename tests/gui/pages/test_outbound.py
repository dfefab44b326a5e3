"""Outbound: drafts approved and sent at stand-in vendors, taken back, blocked, uncertain; rules; channels."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLabel, QLineEdit, QPlainTextEdit

from ctower_desktop.connectors.channels.settings import TelegramSettings
from ctower_desktop.gui import tasks, text, theme
from ctower_desktop.gui.outbound_message import CheckLine
from ctower_desktop.gui.outbound_new import NewMessageDialog
from ctower_desktop.gui.pages.outbound import OutboundPage
from ctower_desktop.kernel.errors import StorageFull
from ctower_desktop.sandbox.smtp import Fault
from tests.gui.conftest import until
from tests.gui.pages.test_fit import NARROW, WIDE, cut_off, settled
from tests.posting import ANNA, posting


class Desk:
    """The page with channels that lead to stand-ins."""

    def __init__(self, stage, post) -> None:
        self.stage, self.post = stage, post
        self.page = stage.show(OutboundPage)
        self.view = self.page.messages
        self.listing = self.view.listing

    @property
    def titles(self):
        return [self.view.line(row).title for row in self.listing.model.rows]

    @property
    def states(self):
        return [row.status for row in self.listing.model.rows]

    @property
    def shown(self):
        """The message in front as the detail shows it."""
        message = self.view.message
        return message.found.message if message is not None and message.found is not None else None

    @property
    def texts(self):
        return [label.text() for label in self.view.message.findChildren(QLabel) if not label.isHidden()]

    @property
    def checks(self):
        lines = self.view.message.findChildren(CheckLine)
        return {line.words: line.toolTip() for line in lines if not line.isHidden()}

    def visible(self):
        found = self.view.message.buttons.items()
        return [name for name, button in found if not button.isHidden()]

    async def front(self, message):
        self.listing.choose(message.id)
        await until(lambda: self.shown is not None and self.shown.id == message.id)

    async def status(self, expected):
        await until(lambda: self.shown is not None and self.shown.status == expected)
        await tasks.settle()


@asynccontextmanager
async def desk(stage, clock):
    async with posting(stage.tower, clock, stage.call()) as post:
        yield post, lambda: Desk(stage, post)


def test_a_draft_is_looked_at_approved_and_sent_in_separate_steps(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            draft = await post.draft(payload={"subject": "Счёт", "text": "Добрый <b>день</b>"})
            at = opened()
            await until(lambda: at.shown is not None)
            assert at.titles == [ANNA]
            assert at.visible() == ["approve", "edit", "call_off"]
            assert at.checks["Waits for approval."] == "waits"
            assert at.checks[f"Goes to {ANNA}."] == "fits"
            assert "A draft. It goes nowhere before somebody approves it." in at.texts
            assert "Subject: Счёт" in at.texts
            stage.commands.run("outbound.approve")
            await at.status("approved")
            assert post.smtp.inbox == []
            assert stage.toasts[-1][0] == "1 message approved, not sent yet"
            assert any("within five minutes" in text for text in at.texts)
            assert at.visible() == ["send", "edit", "call_off"]
            at.view.message.buttons["send"].click()
            await at.status("sent")
            assert [letter.message["Subject"] for letter in post.smtp.inbox] == ["Счёт"]
            assert stage.toasts[-1][0] == "Sent."
            assert "Exactly what was handed over" in at.texts
            assert at.visible() == ["again"]
            assert (await post.now(draft)).status == "sent"

    on_stage(body)


def test_an_approval_is_taken_back_and_what_went_out_stays_out(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            message = await post.draft()
            at = opened()
            await until(lambda: at.shown is not None)
            at.view.message.do("approve")
            await at.status("approved")
            stage.commands.run("undo")
            await at.status("draft")
            at.view.message.do("approve")
            await at.status("approved")
            await post.send(message)
            stage.commands.run("undo")
            await until(lambda: not stage.bar.isHidden())
            assert stage.bar.text == "It is in another state meanwhile; look at it again."
            await at.status("sent")

    on_stage(body)


def test_many_drafts_are_approved_at_once_and_come_back(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            for n in range(3):
                await post.draft(to=f"c{n}@x.example")
            sent = await post.approved(to="c9@x.example")
            await post.send(sent)
            at = opened()
            await until(lambda: len(at.states) == 4)
            at.listing.view.selectAll()
            await until(lambda: not at.view.buttons["approve"].isHidden())
            at.view.buttons["approve"].click()
            await until(lambda: at.states.count("approved") == 3)
            assert stage.toasts[-1][0] == "3 messages approved, not sent yet"
            assert len(post.smtp.inbox) == 1
            stage.commands.run("undo")
            await until(lambda: at.states.count("draft") == 3)
            assert at.states.count("sent") == 1

    on_stage(body)


def test_a_message_is_called_off_and_written_again(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            message = await post.approved()
            at = opened()
            await until(lambda: at.shown is not None)
            stage.commands.run("outbound.call_off")
            await at.status("cancelled")
            assert "Called off; it was not sent." in at.texts
            stage.commands.run("undo")
            await until(lambda: len(at.states) == 2)
            assert sorted(at.states) == ["cancelled", "draft"]
            assert (await post.now(message)).status == "cancelled"
            assert post.smtp.inbox == []

    on_stage(body)


def test_a_failure_is_never_called_sent(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            message = await post.approved()
            post.smtp.faults.append(Fault("RCPT", "550 5.1.1 no such user"))
            at = opened()
            await until(lambda: at.shown is not None)
            at.view.message.do("send")
            await at.status("failed")
            assert "no such user" in stage.bar.text
            assert stage.bar.text.startswith("Not sent:")
            assert not any(toast[0] == "Sent." for toast in stage.toasts)
            assert at.visible() == ["send", "edit", "call_off"]
            assert (await post.now(message)).sent_at is None

    on_stage(body)


def test_what_nobody_knows_waits_for_a_word(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            message = await post.approved()
            post.smtp.faults.append(Fault("TEXT", takes=True))
            at = opened()
            await until(lambda: at.shown is not None)
            at.view.message.do("send")
            await at.status("uncertain")
            assert stage.bar.text.startswith("Nobody knows whether it was sent")
            assert at.visible() == ["was_sent", "not_sent"]
            at.view.message.buttons["not_sent"].click()
            await at.status("failed")
            assert stage.toasts[-1][0] == "Noted: it was not sent."
            assert (await post.now(message)).status == "failed"

    on_stage(body)


def test_who_opted_out_gets_nothing(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            await post.approved()
            await post.rule(opted_out=True)
            at = opened()
            await until(lambda: at.shown is not None)
            assert at.checks["The recipient wants no messages on this channel."] == "stands in the way"
            at.view.message.do("send")
            await at.status("blocked_opt_out")
            assert stage.bar.text == "Not sent: the recipient wants no messages on this channel."
            assert post.smtp.inbox == []

    on_stage(body)


def test_a_rehearsal_says_that_nothing_left(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            await post.set(dry_run=True)
            await post.approved()
            at = opened()
            await until(lambda: at.shown is not None)
            assert "Rehearsal is on: sending sends nothing." in at.texts
            at.view.message.do("send")
            await until(lambda: stage.toasts)
            assert stage.toasts[-1][0] == "Rehearsed: nothing left this computer."
            await until(lambda: any(text.startswith("Rehearsed") for text in at.texts))
            assert post.smtp.inbox == []

    on_stage(body)


def test_a_message_is_changed_and_needs_approval_again(on_stage, clock, qtbot):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            message = await post.approved(
                payload={"subject": "А", "text": "Было {{x}}", "variables": {"x": 1}}
            )
            at = opened()
            await until(lambda: at.shown is not None)
            at.view.message.do("edit")
            editor = at.view.message.editor
            assert editor.text.toPlainText() == "Было {{x}}"
            assert at.visible() == []
            editor.text.setPlainText("Стало {{x}}")
            editor.subject.setText("Б")
            editor.recipient.show_ref("x@y@z", None)
            qtbot.keyClick(editor.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
            await until(lambda: not editor.problem.isHidden())
            assert editor.problem.text() == "Recipient: This does not look right."
            editor.recipient.show_ref(ANNA, None)
            qtbot.keyClick(editor.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
            await at.status("draft")
            known = await post.now(message)
            assert known.payload["text"] == "Стало {{x}}"
            assert known.payload["variables"] == {"x": 1}
            assert editor.isHidden()

    on_stage(body)


def test_a_new_message_finds_its_recipient_by_name(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            contact = await post.contact(1, haystack="анна")
            at = opened()
            await until(lambda: at.listing.state is not None)
            assert "No messages yet" in [label.text() for label in at.listing.state.findChildren(QLabel)]
            stage.commands.run("outbound.new")
            dialog = at.page.findChild(NewMessageDialog)
            dialog.editor.recipient.insert("анн")
            dialog.editor.recipient.textEdited.emit("анн")
            await until(dialog.editor.recipient._offers.stringList)
            dialog.editor.recipient.completer().activated.emit(
                dialog.editor.recipient._offers.stringList()[0]
            )
            await until(lambda: dialog.editor.recipient.ref == contact)
            dialog.editor.subject.setText("Привет")
            dialog.editor.text.setPlainText("Текст")
            dialog.editor.keep.click()
            dialog.send()
            await until(lambda: at.shown is not None and at.shown.payload.get("text") == "Текст")
            assert at.titles == ["Анна"]
            assert len(at.states) == 1

    on_stage(body)


def test_the_list_follows_filters_and_says_why_it_is_empty(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            await post.draft()
            at = opened()
            await until(lambda: len(at.states) == 1)
            await post.approved(to="other@x.example", text="Скидка")
            await until(lambda: len(at.states) == 2)
            at.view.status.choose("approved")
            await until(lambda: at.titles == ["other@x.example"])
            at.view.search.setText("скидка")
            await tasks.settle()
            await until(lambda: at.titles == ["other@x.example"])
            at.view.status.choose("sent")
            await until(lambda: at.listing.state is not None)
            at.view.show_all()
            await until(lambda: len(at.states) == 2)
            sheet = await at.view.sheet()
            assert sheet.columns[0] == "Recipient"
            assert len(sheet.rows) == 2

    on_stage(body)


def test_a_list_that_cannot_be_read_says_so(on_stage, clock, monkeypatch):
    async def body(stage):
        async with desk(stage, clock) as (_, opened):

            async def fail(*_):
                raise StorageFull

            monkeypatch.setattr("ctower_desktop.gui.outbound_list.list_outbound", fail)
            at = opened()
            await until(lambda: at.listing.state is not None)
            assert any("disk is full" in label.text() for label in at.listing.state.findChildren(QLabel))

    on_stage(body)


def test_without_a_project_the_page_asks_for_one(on_stage):
    async def body(stage):
        page = stage.show(OutboundPage)
        await until(lambda: page.messages.listing.state is not None)
        page.tabs.choose("channels")
        await tasks.settle()
        assert "No project yet" in [label.text() for label in page.channels.findChildren(QLabel)]

    on_stage(body, project=False)


def test_rules_are_changed_where_they_stand_and_taken_back(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            await post.contact(1)
            await post.rule(frequency_cap=5)
            at = opened()
            at.page.tabs.choose("rules")
            rules = at.page.rules
            await until(lambda: hasattr(rules.facts.widget(), "policy"))
            form = rules.facts.widget()
            assert form.title.text() == "Анна"
            assert form.cap.value() == 5
            form.out.setChecked(True)
            await until(lambda: rules.listing.model.rows[0].opted_out)
            stage.commands.run("undo")
            await until(lambda: not rules.listing.model.rows[0].opted_out)
            rules.who.choose("out")
            await until(lambda: rules.listing.state is not None)

    on_stage(body)


def test_channels_are_tested_without_sending(on_stage, clock):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            at = opened()
            at.page.tabs.choose("channels")
            card = at.page.channels.cards["email"]
            await until(lambda: card.badge.text() == "set up")
            assert card.result.text() == "Never tested. A test sends nothing to anybody."
            card.test.click()
            await until(lambda: card.result.text().startswith("Tested"))
            assert post.smtp.inbox == []
            await stage.tower.settings.change(TelegramSettings, {"bot_token": "1:wrong"})
            telegram = at.page.channels.cards["telegram"]
            telegram.test.click()
            await until(lambda: telegram.badge.text() == "fails")
            telegram.set_up.click()
            assert stage.opened[-1] == "settings"

    on_stage(body)


@pytest.mark.parametrize("tab", ["messages", "rules", "channels"])
def test_everything_that_takes_the_focus_has_a_name(on_stage, clock, tab):
    async def body(stage):
        async with desk(stage, clock) as (post, opened):
            await post.draft()
            await post.rule(opted_out=True)
            at = opened()
            at.page.tabs.choose(tab)
            await tasks.settle()
            kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit)
            for kind in kinds:
                for found in at.page.findChildren(kind):
                    own = isinstance(found.parent(), QAbstractSpinBox | QComboBox)
                    if found.isVisible() and found.focusPolicy() != Qt.FocusPolicy.NoFocus and not own:
                        assert found.accessibleName(), found

    on_stage(body)


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_nothing_is_cut_off(on_stage, qapp, clock, language, scale, width):
    async def body(stage):
        text.set_language(language)
        theme.apply(qapp, "light", scale)
        async with desk(stage, clock) as (post, opened):
            await post.draft(payload={"subject": "Счёт " * 30, "text": f"https://shop.example/{'x' * 300}"})
            await post.rule(opted_out=True)
            at = opened()
            stage.window.resize(width, 852)
            await until(lambda: at.shown is not None)
            await settled(at.page)
            assert cut_off(at.page) == []
            at.view.message.do("edit")
            await settled(at.page)
            assert cut_off(at.page) == []
            for tab in ("rules", "channels"):
                at.page.tabs.choose(tab)
                await tasks.settle()
                await settled(at.page)
                assert cut_off(at.page) == []

    on_stage(body)
