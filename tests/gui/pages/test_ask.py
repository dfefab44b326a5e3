"""Ask: from the question to the message it was written in."""

from __future__ import annotations

from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.thread import ConversationView
from tests.gui.conftest import until
from tests.gui.pages.conftest import fill


def test_a_question_is_answered_and_its_evidence_opens_where_it_was_written(on_stage):
    async def body(stage):
        await fill(stage)
        page = stage.show(AskPage)
        page.bar.ask("когда запуск магазина")
        await until(lambda: page.answered is not None)
        await until(lambda: isinstance(page.detail.view, ConversationView))
        assert "26 ноября" in page.answer.text
        first = page.evidence.cards[0]
        assert first.item.source_type == "chatwoot_message"
        assert page.detail.view.anchor.text == page.evidence.current.snippet

    on_stage(body)
