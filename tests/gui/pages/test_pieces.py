"""The pieces of the pages by themselves: marks in snippets, rich text of answers, sides of bubbles, links."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QTextDocument

from ctower_desktop.gui import text
from ctower_desktop.gui.answer import level_of, marked_up
from ctower_desktop.gui.bubbles import Bubble, BubbleColumn
from ctower_desktop.gui.evidence import matches, shortened, source_line
from ctower_desktop.gui.links import is_web
from ctower_desktop.gui.thread import side_of
from ctower_desktop.inbox.model import ThreadMessage
from ctower_desktop.search.model import EvidenceItem, LightragAnswer, ScoreBreakdown
from tests.conftest import START

MESSAGE = ThreadMessage(
    id="1", sender_type="contact", sender_id=None, sender_name="A", private=False, message_type="0",
    content="x", created_at="2026-11-20T10:00:00.000Z", updated_at="2026-11-20T10:00:00.000Z", attachments=[],
)  # fmt: skip
ITEM = EvidenceItem(
    source_type="chatwoot_message", source_pk="m", source_ref="1", title=None, snippet="s",
    created_at="2026-11-20T07:12:00.000Z",
    metadata={"sender_name": "Ольга Ветрова", "conversation_global_id": "cw:p:1:318", "private": False},
)  # fmt: skip


def found(quality=80, semantic=(0.9,), confidence=0.8):
    items = [
        msgspec.to_builtins(
            msgspec.structs.replace(ITEM, score=0.5, score_breakdown=ScoreBreakdown(near, 0.1, 0.9))
        )
        for near in semantic
    ]
    return msgspec.convert(
        {
            "query": "q", "topK": 10, "query_run_id": "1", "embedding_model": "", "quality_score": quality,
            "search_config": {"vectors": "off", "degraded": None}, "source_diversity": 1, "answer": "a",
            "confidence": confidence, "period": None,
            "answered_by": "extract", "citations": [], "chunks": [], "evidence": items, "duration_ms": 1,
            "entities": {"messages": [], "issues": [], "opportunities": []},
            "stats": {"chunks": 0, "messages": 0, "issues": 0, "opportunities": 0},
            "ranking_stats": {"avgScore": 0, "maxScore": 0, "minScore": 0, "count": 0},
        },
        LightragAnswer,
    )  # fmt: skip


def test_words_are_marked_in_any_form():
    said = "Перенесли запуски магазинов. Launches are late; ёлки."
    marked = [said[at : at + length] for at, length in matches(said, "когда запуск магазина, елка и launch")]
    assert marked == ["запуски", "магазинов", "Launches", "ёлки"]


@given(st.text(max_size=900), st.text(max_size=60))
def test_marks_survive_shortening(said, question):
    spans = matches(said, question)
    shown, kept = shortened(said, spans)
    assert len(shown) <= 290
    originals = [said[at : at + length] for at, length in spans]
    for at, length in kept:
        assert 0 <= at <= at + length <= len(shown)
        assert shown[at : at + length] in originals


def test_a_long_text_is_cut_around_what_was_found():
    said = "слово " * 100 + "запуск магазина " + "слово " * 100
    shown, kept = shortened(said, matches(said, "запуск"))
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert [shown[at : at + length] for at, length in kept] == ["запуск"]


@given(st.text(max_size=200))
def test_the_answer_is_text_whatever_it_says(said):
    document = QTextDocument()
    document.setHtml(marked_up(f"{said}<b>x</b>", "#123456", 28))
    shown = document.toPlainText().replace("\u200b", "")
    assert "<b>x</b>" in shown


def test_citations_are_links_and_nothing_else_is():
    shown = marked_up('Так [1], и <a href="cite:9">так</a> [2, 3]. [x]', "#123456", 28)
    assert [shown.count(f'<a href="cite:{n}"') for n in (1, 2, 3, 9)] == [1, 1, 1, 0]
    assert shown.count("<a ") == 3
    assert "[x]" in shown


@pytest.mark.parametrize(
    ("quality", "semantic", "confidence", "level"),
    [
        (80, (0.9,), 0.8, "high"),
        (40, (0.9,), 0.8, "fair"),
        (80, (0.4,), 0.4, "fair"),
        (90, (0.9, 0.1), 0.1, "thin"),
        (0, (), 0.0, "none"),
    ],
)
def test_how_far_the_evidence_carries(quality, semantic, confidence, level):
    assert level_of(found(quality, semantic, confidence)) == level


def test_the_source_is_named_in_the_language_of_the_user(monkeypatch):
    assert source_line(ITEM, START).startswith("Ольга Ветрова · Chatwoot No. 318 · today ")
    text.set_language("ru")
    assert source_line(ITEM, START).startswith("Ольга Ветрова · Chatwoot № 318 · сегодня ")
    private = msgspec.structs.replace(ITEM, metadata=ITEM.metadata | {"private": True})
    assert "внутренняя заметка" in source_line(private, START)


@pytest.mark.parametrize(
    ("sender", "kind", "side"),
    [
        ("contact", "0", "left"),
        ("user", "1", "right"),
        (None, "0", "left"),
        (None, "1", "right"),
        (None, "2", "middle"),
        ("agent_bot", "3", "right"),
    ],
)
def test_who_stands_where(sender, kind, side):
    message = msgspec.structs.replace(MESSAGE, sender_type=sender, message_type=kind)
    assert side_of(message) == side


@pytest.mark.parametrize(
    ("url", "web"),
    [
        ("https://linear.app/x/issue/SEV-141", True),
        ("http://localhost:3000/app", True),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("ctower://issue/1", False),
        ("https://", False),
        ("\\\\host\\share", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_pages_are_opened(url, web):
    assert is_web(url) is web


def test_a_bubble_is_as_wide_as_its_text_and_never_wider_than_the_pane(qtbot):
    column = BubbleColumn()
    qtbot.addWidget(column)
    short, long = (
        Bubble("Да", "Анна · 10:12", "left"),
        Bubble("очень " * 80 + "х" * 300, "Анна · 10:12", "right"),
    )
    column.add(short)
    column.add(long)
    for width in (380, 300, 520):
        column.resize(width, 600)
        column.show()
        assert short._text.width() < 120
        assert long._text.width() <= width
        assert long._text.height() >= long._text.heightForWidth(long._text.width())
