"""Inbox: the list and its filters, a conversation, who it is with, the answer as a draft and its sending."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from ctower_desktop.gui import tasks, text, theme
from ctower_desktop.gui.asking import FieldsDialog
from ctower_desktop.gui.bubbles import Bubble
from ctower_desktop.gui.inbox_words import one_line
from ctower_desktop.gui.leaving import LeavingDialog, leave_for
from ctower_desktop.gui.pages.inbox import InboxPage
from ctower_desktop.gui.records import LinkLine
from ctower_desktop.gui.thread import file_words
from ctower_desktop.gui.widgets import LinkButton
from ctower_desktop.inbox.model import Attachment
from ctower_desktop.inbox.outbound.actions import list_outbound
from ctower_desktop.inbox.outbound.model import ListOutbound
from ctower_desktop.inbox.settings import InboxSettings
from ctower_desktop.insight.identity.actions import create_identity_link
from ctower_desktop.insight.identity.model import NewLink
from ctower_desktop.kernel.errors import StorageFull
from tests.gui.conftest import until
from tests.gui.pages.conftest import fill
from tests.gui.pages.test_fit import NARROW, WIDE, cut_off, settled
from tests.posting import posting


async def talk(stage, number, *, status="open", said="Слова", by="contact", **fields):
    """One more conversation of one message."""
    p, at = stage.project.id, f"2026-11-19T07:{number % 60:02}:00.000Z"
    conversation = f"cw:{p}:1:{number}"
    await stage.add(
        "conversation", id=conversation, account_id="1", conversation_id=str(number), status=status,
        created_at=at, updated_at=at, **fields,
    )  # fmt: skip
    await say(stage, conversation, number * 1000, said, by=by, at=at)
    return conversation


async def say(stage, conversation, number, words, *, by="contact", at="2026-11-20T08:00:00.000Z", **fields):
    """One more message."""
    p = stage.project.id
    await stage.add(
        "message", id=f"cwmsg:{p}:1:{number}", account_id="1", message_id=str(number),
        conversation_id=conversation.rpartition(":")[2], conversation_global_id=conversation,
        sender_type=by, sender_name="Кто-то", message_type="0" if by == "contact" else "1", content=words,
        created_at=at, updated_at=at, **fields,
    )  # fmt: skip


def rows(page):
    return [one.conversation_id for one in page.list.listing.model.rows]


def bubbles(page):
    view = page.thread_.view
    return [] if view is None else [bubble.text for bubble in view.findChildren(Bubble)]


def says(widget):
    return [label.text() for label in widget.findChildren(QLabel) if not label.isHidden()]


async def opened(page, number):
    await until(
        lambda: (
            page.thread_.thread_ is not None
            and page.thread_.thread_.conversation.conversation_id == str(number)
        )
    )


def test_the_first_conversation_opens_with_its_words_and_its_client(on_stage):
    async def body(stage):
        await fill(stage)
        await talk(stage, 5, by="user", assignee_name="Марина")
        page = stage.show(InboxPage)
        await opened(page, 318)
        assert rows(page) == ["318", "5"]
        row = page.list.listing.view.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert row.splitlines()[:2] == ["Ольга Ветрова", "no answer yet"]
        assert "<img src=x> Пришлите счёт, пожалуйста." in row
        second = page.list.listing.view.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
        assert "no answer yet" not in second
        assert "Кто-то: Слова" in second
        assert len(bubbles(page)) == 4
        notes = [one for one in page.thread_.view.findChildren(Bubble) if one.private]
        assert [note.text for note in notes] == ["Клиенту пока не говорим о скидке за перенос запуска."]
        await until(lambda: page.card.links)
        assert page.card.texts[0] == "Company: Север"
        assert {link.toolTip() for link in page.card.links} == {"Программа лояльности", "SEV-141 · Эквайринг"}

    on_stage(body)


def test_keys_walk_the_list_and_the_filters_narrow_it(on_stage, qtbot):
    async def body(stage):
        await fill(stage)
        await talk(stage, 5, by="user", subject="Вторая тема")
        await talk(stage, 6, status="resolved")
        page = stage.show(InboxPage)
        await opened(page, 318)
        assert rows(page) == ["318", "5"]
        await until(lambda: stage.window.activateWindow() or stage.window.isActiveWindow())
        page.list.listing.view.setFocus()
        qtbot.keyClick(page.list.listing.view, Qt.Key.Key_J)
        await opened(page, 5)
        qtbot.keyClick(page.list.listing.view, Qt.Key.Key_K)
        await opened(page, 318)
        qtbot.keyClick(page.list.listing.view, Qt.Key.Key_R)
        assert page.thread_.reply.text.hasFocus()
        qtbot.keyClick(page.thread_.reply.text, Qt.Key.Key_J)
        assert page.thread_.reply.text.toPlainText() == "j"
        page.thread_.reply.text.clear()
        qtbot.keyClick(page.thread_.reply.text, Qt.Key.Key_Escape)
        await until(page.list.listing.view.hasFocus)
        stage.commands.run("inbox.waiting")
        await until(lambda: rows(page) == ["318"])
        page.list.which.choose("")
        await until(lambda: len(rows(page)) == 3)
        page.list.search.setText("вторая")
        await until(lambda: rows(page) == ["5"])
        await opened(page, 5)
        page.list.search.setText("нет такого")
        await until(lambda: page.list.listing.state is not None)
        assert "Nothing fits these filters" in says(page.list.listing.state)
        assert page.thread_.thread_ is None
        page.list.show_all()
        await until(lambda: len(rows(page)) == 3)
        sheet = await page.list.sheet()
        assert [row[0] for row in sheet.rows] == ["318", "6", "5"]

    on_stage(body)


def test_my_conversations_are_those_of_my_name(on_stage):
    async def body(stage):
        await talk(stage, 1, assignee_name="Олег")
        await talk(stage, 2, assignee_name="Марина")
        page = stage.show(InboxPage)
        await until(lambda: len(rows(page)) == 2)
        page.list.which.choose("mine")
        await until(lambda: page.findChild(FieldsDialog) is not None)
        dialog = page.findChild(FieldsDialog)
        dialog.editors["my_name"].setCurrentIndex(dialog.editors["my_name"].findData("Марина"))
        dialog.send()
        await until(lambda: rows(page) == ["2"])
        assert stage.tower.settings.get(InboxSettings).my_name == "Марина"

    on_stage(body)


def test_new_words_come_in_while_one_reads(on_stage):
    async def body(stage):
        await fill(stage)
        page = stage.show(InboxPage)
        await opened(page, 318)
        await say(stage, f"cw:{stage.project.id}:1:318", 99, "Ещё вопрос")
        await until(lambda: bubbles(page)[-1:] == ["Ещё вопрос"])
        await until(lambda: page.list.listing.model.rows[0].last_said == "Ещё вопрос")

    on_stage(body)


def test_an_answer_is_drafted_approved_and_sent_each_by_itself(on_stage, clock, qtbot):
    async def body(stage):
        async with posting(stage.tower, clock, stage.call()) as post:
            made = post.vendor_talk("Где счёт?")
            contact = await post.contact(1)
            conversation = await post.talk(contact, made.id)
            await post.hear(conversation)
            clock.advance(60)
            page = stage.show(InboxPage)
            await opened(page, made.id)
            reply = page.thread_.reply
            stage.commands.run("inbox.answer")
            reply.text.setPlainText("Счёт отправили.")
            qtbot.keyClick(reply.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
            reply.make_draft()
            await until(lambda: reply.message.found is not None and reply.pending.isVisible())
            [draft] = (await list_outbound(stage.call(), ListOutbound())).outbound
            assert (draft.status, draft.channel, draft.payload["text"]) == (
                "draft",
                "chatwoot",
                "Счёт отправили.",
            )
            assert draft.recipient_name == "Анна"
            assert [ref.ref for ref in draft.evidence_refs] == [page.thread_.thread_.messages[0].id]
            assert reply.text.toPlainText() == ""
            assert "Waits for approval." in says(reply.message)
            sent_before = len(post.chatwoot.messages)
            stage.commands.run("inbox.send")
            stage.commands.run("inbox.approve")
            await until(lambda: reply.message.found.message.status == "approved")
            assert len(post.chatwoot.messages) == sent_before
            stage.commands.run("undo")
            await until(lambda: reply.message.found.message.status == "draft")
            stage.commands.run("inbox.approve")
            await until(lambda: reply.message.found.message.status == "approved")
            reply.message.buttons["send"].click()
            await until(lambda: reply.message.found.message.status == "sent")
            assert len(post.chatwoot.messages) == sent_before + 1
            assert stage.toasts[-1][0] == "Sent."

    on_stage(body)


def test_what_was_begun_is_there_again(on_stage):
    async def body(stage):
        await talk(stage, 1)
        await talk(stage, 2)
        page = stage.show(InboxPage)
        await opened(page, 2)
        page.thread_.reply.begin()
        page.thread_.reply.text.setPlainText("наполовину")
        page.list.step(1)
        await opened(page, 1)
        await until(lambda: page.thread_.reply.text.toPlainText() == "")
        page.list.step(-1)
        await opened(page, 2)
        await until(lambda: page.thread_.reply.text.toPlainText() == "наполовину")

    on_stage(body)


def test_files_open_only_after_their_host_was_shown(on_stage, monkeypatch):
    async def body(stage):
        went = []
        monkeypatch.setattr("ctower_desktop.gui.leaving.open_link", went.append)
        conversation = await talk(stage, 1)
        p = stage.project.id
        url = "https://good.example@evil.example/files/%D1%81%D1%87%D1%91%D1%82.pdf"
        await stage.add(
            "attachment", id=f"cwa:{p}:1:1", message_global_id=f"cwmsg:{p}:1:1000",
            conversation_global_id=conversation, content_type="file", file_size=214_000, file_url=url,
        )  # fmt: skip
        page = stage.show(InboxPage)
        await opened(page, 1)
        [link] = [one for one in page.thread_.view.findChildren(LinkButton) if "счёт.pdf" in one.text()]
        assert link.text() == "счёт.pdf · 214 KB"
        link.click()
        dialog = page.findChild(LeavingDialog)
        assert dialog.host == "evil.example"
        assert "evil.example" in says(dialog)
        assert went == []
        dialog.go.click()
        assert went == [url]
        for bad in ("file:///etc/passwd", "javascript:alert(1)", "ctower://x", "", "https://"):
            assert leave_for(page, bad) is None

    on_stage(body)


def test_a_card_shows_what_the_client_is_linked_to_and_opens_it(on_stage):
    async def body(stage):
        await fill(stage)
        p, at = stage.project.id, "2026-11-01T00:00:00.000Z"
        await stage.add(
            "company", id=f"attioacct:{p}:w:c1", workspace_id="w", external_id="c1", name="ООО «Север»",
            url="https://app.attio.com/x", created_at=at, updated_at=at,
        )  # fmt: skip
        link = NewLink(
            left_entity_type="cw_contact", left_entity_id=f"cwc:{p}:1:5",
            right_entity_type="attio_account", right_entity_id=f"attioacct:{p}:w:c1",
        )  # fmt: skip
        await create_identity_link(stage.call(), link)
        await talk(stage, 7, contact_global_id=f"cwc:{p}:1:5", subject="Другая", status="resolved")
        page = stage.show(InboxPage)
        await opened(page, 318)
        await until(lambda: "company · ООО «Север»" in page.card.texts)
        assert "Другая · resolved" in page.card.texts
        issue = next(one for one in page.card.links if one.toolTip().startswith("SEV-141"))
        issue.click()
        await until(lambda: page.source.view is not None)
        assert page.beside.currentIndex() == 1
        page.close_record()
        assert page.beside.currentIndex() == 0
        other = next(one for one in page.card.links if one.toolTip().startswith("Другая"))
        other.click()
        await opened(page, 7)

    on_stage(body)


@pytest.mark.parametrize(
    ("project", "title"), [(True, "No conversations have come in yet"), (False, "No project yet")]
)
def test_an_empty_inbox_says_why(on_stage, project, title):
    async def body(stage):
        page = stage.show(InboxPage)
        await until(lambda: page.list.listing.state is not None)
        assert title in says(page.list.listing.state)

    on_stage(body, project=project)


def test_everybody_has_an_answer(on_stage):
    async def body(stage):
        await talk(stage, 1, by="user")
        page = stage.show(InboxPage)
        await until(lambda: rows(page) == ["1"])
        page.list.which.choose("waiting")
        await until(lambda: page.list.listing.state is not None)
        assert "Everybody has an answer" in says(page.list.listing.state)

    on_stage(body)


def test_failures_are_said_where_they_happen(on_stage, monkeypatch):
    async def body(stage):
        await talk(stage, 1)

        async def fail(*_):
            raise StorageFull

        page = stage.show(InboxPage)
        await opened(page, 1)
        monkeypatch.setattr("ctower_desktop.gui.inbox_reply.draft_outbound", fail)
        page.thread_.reply.text.setPlainText("Ответ")
        page.thread_.reply.make_draft()
        await until(lambda: not page.thread_.reply.problem.isHidden())
        assert page.thread_.reply.text.toPlainText() == "Ответ"
        monkeypatch.setattr("ctower_desktop.gui.inbox_thread.read_conversation", fail)
        page.thread_.reload()
        await until(lambda: page.thread_.thread_ is None)
        monkeypatch.setattr("ctower_desktop.gui.inbox_list.list_conversations", fail)
        page.list.listing.start_over()
        await until(lambda: page.list.listing.state is not None)
        assert any("disk is full" in each for each in says(page.list.listing.state))

    on_stage(body)


def test_many_conversations_are_read_as_they_come_into_sight(on_stage):
    async def body(stage):
        p = stage.project.id

        def write(db):
            db.executemany(
                "INSERT INTO conversation (id, project_id, account_scope_id, account_id, conversation_id,"
                " status, created_at) VALUES (?, ?, ?, '1', ?, 'open', '2026-11-01T00:00:00.000Z')",
                [
                    (f"cw:{p}:1:{n:05}", p, "00000000-0000-4000-8000-000000000001", f"{n:05}")
                    for n in range(1000)
                ],
            )

        await stage.tower.db.write(write)
        page = stage.show(InboxPage)
        await until(lambda: len(rows(page)) == 200)
        page.list.listing.view.scrollToBottom()
        page.list.listing.model.fetchMore(page.list.listing.view.rootIndex())
        await until(lambda: len(rows(page)) == 400)
        assert rows(page) == sorted(rows(page))
        assert len(await page.list.listing.everything()) == 1000

    on_stage(body)


def test_hostile_words_stay_one_line_of_plain_text():
    assert one_line("a\u202egnp.exe\n\tb\u2066c\x00") == "a gnp.exe b c"
    given = Attachment("1", "m", "file", 3_000_000, "https://x.example/a\u202egpj.exe", None)
    assert "\u202e" not in file_words(given)
    assert file_words(Attachment("1", "m", "image", None, "javascript:alert(1)", None))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_everything_that_takes_the_focus_has_a_name(on_stage, language):
    async def body(stage):
        text.set_language(language)
        await fill(stage)
        page = stage.show(InboxPage)
        await opened(page, 318)
        await until(lambda: page.card.links)
        await tasks.settle()
        await asyncio.sleep(0.05)
        for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, LinkLine):
            for found in page.findChildren(kind):
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
        async with posting(stage.tower, clock, stage.call()) as post:
            conversation = await post.talk(await post.contact(1, company_name="Очень " * 20), 1)
            await say(stage, conversation, 99, f"https://shop.example/{'x' * 300} " * 3)
            await post.draft(
                to=conversation, channel="chatwoot", payload={"text": "Ответ " * 80, "conversation_id": "1"}
            )
            page = stage.show(InboxPage)
            stage.window.resize(width, 852)
            await opened(page, 1)
            await until(page.thread_.reply.pending.isVisible)
            await until(lambda: page.card.texts)
            await settled(page)
            assert cut_off(page) == []

    on_stage(body)


class _Windows(QObject):
    """Notes every widget that shows itself as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = []

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(type(watched).__name__)
        return False


def test_no_piece_flashes_up_as_a_window_of_its_own(on_stage, qapp):
    async def body(stage):
        await fill(stage)
        await talk(stage, 5)
        watch = _Windows()
        qapp.installEventFilter(watch)
        page = stage.show(InboxPage)
        await opened(page, 318)
        await until(lambda: page.card.links)
        page.list.step(1)
        await opened(page, 5)
        await tasks.settle()
        qapp.removeEventFilter(watch)
        assert watch.seen == ["QWidget"], "the stage, and nothing else"

    on_stage(body)
