"""Ask: from the question to the message it was written in."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.gui import text
from ctower_desktop.gui.bubbles import Bubble
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.records import RecordView
from ctower_desktop.gui.thread import ConversationView
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.events import IndexProgress
from ctower_desktop.search import asking
from ctower_desktop.search.settings import SearchSettings
from tests.gui.conftest import until
from tests.gui.pages.conftest import fill

QUESTION = "когда запуск магазина"


async def asked(stage, question=QUESTION):
    """The page after an answer, its first evidence open."""
    await fill(stage)
    page = stage.show(AskPage)
    page.bar.ask(question)
    await until(lambda: page.answered is not None and page.detail.view is not None)
    return page


def empty_title(page):
    found = page.findChildren(EmptyState)
    shown = [one for one in found if one.isVisibleTo(page) and not page.detail.isAncestorOf(one)]
    return [label.text() for one in shown for label in one.findChildren(QLabel) if label.text()][:1]


def test_a_question_is_answered_and_its_evidence_opens_where_it_was_written(on_stage):
    async def body(stage):
        page = await asked(stage)
        assert "26 ноября" in page.answer.text
        first = page.evidence.current
        assert first.source_type == "chatwoot_message"
        assert page.answered.citations[0] == page.evidence.place + 1
        view = page.detail.view
        assert isinstance(view, ConversationView)
        assert view.anchor.text == first.snippet
        assert [b.text for b in view.findChildren(type(view.anchor)) if b.cited] == [first.snippet]

    on_stage(body)


def test_days_that_the_question_names_are_a_chip_that_can_be_taken_away(on_stage):
    async def body(stage):
        page = await asked(stage, "что говорили о запуске магазина сегодня")
        chip = page.bar.understood
        assert page.answered.period.first == page.answered.period.last == "2026-11-20"
        assert chip.isVisibleTo(page)
        assert "2026" not in chip.text()
        assert "сегодня" in chip.accessibleName()
        assert page.bar.narrowed
        QTest.mouseClick(chip, Qt.MouseButton.LeftButton)
        await until(lambda: page.answered is not None)
        assert page.answered.period is None
        assert not chip.isVisibleTo(page)
        page.bar.ask("что говорили о запуске вчера и сегодня")
        await until(lambda: page.answered is not None)
        assert page.answered.query.endswith("сегодня")
        assert not page.bar.query(stage.tower.clock.now()).any_time, "another question keeps its own days"

    on_stage(body)


def test_the_answer_grows_while_it_is_written(on_stage, monkeypatch):
    async def body(stage):
        await fill(stage)
        page = stage.show(AskPage)
        gate, real = asyncio.Event(), asking.AnswerPiece
        shown = []

        async def pieces(call, body):
            async for event in asking.answer_in_pieces(call, body):
                if isinstance(event, real):
                    yield real("Запуск ")
                    await gate.wait()
                else:
                    yield event

        monkeypatch.setattr("ctower_desktop.gui.pages.ask.stream_answer", pieces)
        page.bar.ask(QUESTION)
        await until(lambda: page.answer.text == "Запуск ")
        shown.append(len(page.evidence.cards))
        assert page.answered is None
        gate.set()
        await until(lambda: page.answered is not None)
        assert shown[0] > 0
        assert page.answer.text == page.answered.answer

    on_stage(body)


def test_a_citation_chooses_its_evidence(on_stage):
    async def body(stage):
        page = await asked(stage)
        last = len(page.evidence.cards)
        page.answer.words.linkActivated.emit(f"cite:{last}")
        assert page.evidence.place == last - 1
        page.answer.words.linkActivated.emit("cite:99")
        page.answer.words.linkActivated.emit("https://evil.example/")
        assert page.evidence.place == last - 1

    on_stage(body)


def test_arrow_keys_walk_through_the_evidence(on_stage):
    async def body(stage):
        page = await asked(stage)
        page.evidence.choose(1, focus=True)
        QTest.keyClick(page.evidence.cards[0], Qt.Key.Key_Down)
        assert page.evidence.place == 1
        QTest.keyClick(page.evidence.cards[1], Qt.Key.Key_End)
        assert page.evidence.place == len(page.evidence.cards) - 1
        QTest.keyClick(page.evidence.cards[page.evidence.place], Qt.Key.Key_Home)
        assert page.evidence.place == 0
        stops = [c for c in page.evidence.cards if c.focusPolicy() == Qt.FocusPolicy.StrongFocus]
        assert stops == [page.evidence.cards[0]]

    on_stage(body)


def test_issues_and_deals_open_with_what_was_said_about_them(on_stage):
    async def body(stage):
        page = await asked(stage, "терминал выдадут в среду")
        await until(lambda: page.detail.view.heading.text() == "Эквайринг")
        assert page.detail.view.anchor.text == "Терминал выдадут в среду."
        assert page.detail.vendor.isVisibleTo(page.detail)
        page.bar.ask("баллы просили трижды")
        await until(
            lambda: page.detail.view is not None and page.detail.view.heading.text() == "Программа лояльности"
        )
        assert "Баллы просили уже трижды." in page.detail.view.anchor.text

    on_stage(body)


def test_linked_records_open_and_lead_back(on_stage):
    async def body(stage):
        page = await asked(stage)
        conversation = page.detail.view
        links = [
            b for b in conversation.findChildren(QObject) if b.property("link") and "SEV-141" in b.text()
        ]
        assert len(links) == 1
        links[0].click()
        await until(lambda: page.detail.view is not None and page.detail.view.heading.text() == "Эквайринг")
        page.detail.back.click()
        await until(lambda: isinstance(page.detail.view, ConversationView))
        assert not page.detail.back.isVisibleTo(page.detail)

    on_stage(body)


def test_the_open_conversation_follows_the_database(on_stage):
    async def body(stage):
        page = await asked(stage)
        p = stage.project.id
        await stage.put(
            "UPDATE message SET content = 'Запуск магазина теперь 27 ноября' WHERE id = :id",
            id=f"cwmsg:{p}:1:2",
        )
        await until(lambda: any("27 ноября" in b.text for b in page.detail.view.findChildren(Bubble)))

    on_stage(body)


def test_private_notes_are_found_only_when_asked_for_and_are_marked(on_stage):
    async def body(stage):
        page = await asked(stage, "скидка за перенос запуска")
        assert not any(card.item.metadata.get("private") for card in page.evidence.cards)
        page.answered = None
        page.bar.private.click()
        await until(lambda: page.answered is not None)
        private = [card for card in page.evidence.cards if card.item.metadata.get("private")]
        assert private
        page.evidence.choose(private[0].number)
        await until(
            lambda: page.detail.view is not None and getattr(page.detail.view.anchor, "private", False)
        )

    on_stage(body)


def test_chips_narrow_the_search_and_the_way_out_is_offered(on_stage):
    async def body(stage):
        page = await asked(stage)
        page.answered = None
        page.bar.kinds["deals"].click()
        await until(lambda: page.answered is not None)
        assert all(card.item.source_type.startswith("attio") for card in page.evidence.cards)
        page.answered = None
        page.bar.ask("терминал")
        await until(lambda: page.answered is not None)
        assert empty_title(page) == ["Nothing within these limits"]
        page.answered = None
        page.bar.widen()
        await until(lambda: page.answered is not None)
        assert page.evidence.cards
        assert not page.bar.narrowed

    on_stage(body)


def test_the_period_becomes_a_first_day(on_stage):
    async def body(stage):
        page = stage.show(AskPage)
        page.bar.field.setText("x")
        assert page.bar.query(stage.tower.clock.now()).date_from is None
        page.bar.period.choose(1)
        assert page.bar.query(stage.tower.clock.now()).date_from == "2026-11-13"
        assert page.bar.period.text() == "Last 7 days"

    on_stage(body)


def test_a_judgement_reaches_the_search_and_can_be_taken_back(on_stage):
    async def body(stage):
        page = await asked(stage)

        async def ratings():
            return await stage.tower.db.read(
                lambda db: [row[0] for row in db.execute("SELECT rating FROM lightrag_feedback ORDER BY id")]
            )

        page.answer._useful.click()
        await until(lambda: stage.toasts)
        assert await ratings() == [1]
        page.detail.astray.click()
        await until(lambda: len(stage.toasts) == 2)
        words, undo, run = stage.toasts[1]
        assert (words, undo) == ("It will stand lower for questions with these words.", "Undo")
        run()
        await until(lambda: len(stage.toasts) == 3)
        assert await ratings() == [1, -1, 0]

    on_stage(body)


def test_copying_takes_the_sources_along(on_stage):
    async def body(stage):
        page = await asked(stage)
        stage.commands.run("ask.copy")
        copied = QGuiApplication.clipboard().text()
        assert copied.startswith(page.answered.answer)
        assert "[1] " in copied
        assert "Chatwoot No. 318" in copied

    on_stage(body)


def test_the_vendor_opens_in_the_browser(on_stage):
    class Browser(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.opened: list[str] = []

        @Slot("QUrl")
        def see(self, url):
            self.opened.append(url.toString())

    async def body(stage):
        await stage.tower.settings.change(ChatwootSettings, {"base_url": "https://chat.example"})
        page = await asked(stage)
        browser = Browser()
        QDesktopServices.setUrlHandler("https", browser, "see")
        try:
            page.detail.vendor.click()
        finally:
            QDesktopServices.unsetUrlHandler("https")
        assert browser.opened == ["https://chat.example/app/accounts/1/conversations/318"]

    on_stage(body)


def test_a_second_question_stops_the_first(on_stage, monkeypatch):
    async def body(stage):
        await fill(stage)
        page = stage.show(AskPage)
        stopped = []

        async def never(call, body):
            try:
                await asyncio.Event().wait()
                yield
            finally:
                stopped.append(body.query)

        with monkeypatch.context() as patched:
            patched.setattr("ctower_desktop.gui.pages.ask.stream_answer", never)
            page.bar.ask("первый вопрос")
            await until(lambda: page.waiting.isVisibleTo(page))  # told only after a moment of waiting
        page.bar.ask(QUESTION)
        await until(lambda: page.answered is not None)
        assert stopped == ["первый вопрос"]
        assert page.answered.query == QUESTION
        assert not page.waiting.isVisibleTo(page)
        assert page.bar.recent.choices == [QUESTION, "первый вопрос"]
        QTest.keyClick(page.bar.field, Qt.Key.Key_Up)
        QTest.keyClick(page.bar.field, Qt.Key.Key_Up)
        assert page.bar.text == "первый вопрос"

    on_stage(body)


def test_a_failure_is_said_and_can_be_tried_again(on_stage, monkeypatch):
    async def body(stage):
        await fill(stage)
        page = stage.show(AskPage)

        async def broken(call, body):
            raise Upstream("nobody there")
            yield

        with monkeypatch.context() as patched:
            patched.setattr("ctower_desktop.gui.pages.ask.stream_answer", broken)
            page.bar.ask(QUESTION)
            await until(lambda: empty_title(page) == ["The question was not answered"])
        page.ask()
        await until(lambda: page.answered is not None)
        assert empty_title(page) == []

    on_stage(body)


def test_without_a_project_and_without_data_the_next_step_is_named(on_stage):
    async def nothing(stage):
        page = stage.show(AskPage)
        await until(lambda: empty_title(page) == ["No project yet"])
        page.bar.ask("что нового")
        assert page.answered is None

    async def empty(stage):
        page = stage.show(AskPage)
        await until(lambda: empty_title(page) == ["Nothing to search yet"])
        await fill(stage)
        await until(lambda: empty_title(page) == ["What would you like to know?"])

    on_stage(nothing, project=False)
    on_stage(empty)


def test_progress_of_the_index_is_shown_until_it_is_done(on_stage):
    async def body(stage):
        page = stage.show(AskPage)
        await until(lambda: empty_title(page))
        at = stage.tower.clock.text()
        stage.tower.events.publish(IndexProgress(project_id=None, done=3, total=10, at=at))
        assert page.progress.isVisibleTo(page)
        stage.tower.events.publish(IndexProgress(project_id=None, done=10, total=10, at=at))
        assert not page.progress.isVisibleTo(page)

    on_stage(body)


def test_without_a_model_the_page_says_that_words_go_on(on_stage, tmp_path):
    async def body(stage):
        await stage.tower.settings.change(SearchSettings, {"model_folder": str(tmp_path / "none")})
        page = await asked(stage)
        assert page.evidence.cards
        await until(lambda: page.notice.isVisibleTo(page))
        assert page.notice.text().startswith("Search goes on by words only:")

    on_stage(body)


def test_another_project_begins_with_a_clean_page(on_stage):
    async def body(stage):
        page = await asked(stage)
        stage.project = None
        page.project_changed()
        assert page.evidence.cards == []
        assert page.answer.text == ""
        assert page.detail.view is None
        assert page.bar.recent.choices == []

    on_stage(body)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_hostile_text_is_shown_as_it_is(on_stage, language):
    async def body(stage):
        text.set_language(language)
        page = await asked(stage, "пришлите счёт")
        assert any("<img src=x>" in card.item.snippet for card in page.evidence.cards)
        await until(lambda: isinstance(page.detail.view, RecordView))
        rich = [
            label
            for label in page.findChildren(QLabel)
            if label.textFormat() != Qt.TextFormat.PlainText and label.text() and label.parent() is not None
        ]
        assert all(label is page.answer.words for label in rich)
        assert "<img" not in page.answer.words.text()
        assert "&lt;img" in page.answer.words.text()

    on_stage(body)


def test_leaving_the_page_while_it_asks_is_no_accident(on_stage, monkeypatch, qapp: QApplication):
    async def body(stage):
        await fill(stage)
        page = stage.show(AskPage)
        stopped = asyncio.Event()

        async def never(call, body):
            try:
                await asyncio.Event().wait()
                yield
            finally:
                stopped.set()

        monkeypatch.setattr("ctower_desktop.gui.pages.ask.stream_answer", never)
        page.bar.ask(QUESTION)
        await asyncio.sleep(0)
        page.deleteLater()
        await asyncio.wait_for(stopped.wait(), 5)

    on_stage(body)
