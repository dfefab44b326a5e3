"""What a message says by its words."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.signals import wording
from ctower_desktop.insight.signals.wording import clean, parsed, read, sentences
from tests.insight.signals import measure


def kinds(text: str, who: str = "client") -> set[str]:
    return {hit.kind for hit in read(text, who)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("delay", "delivery_risk"), ("blocked", "delivery_risk"), ("a blocker", "delivery_risk"),
        ("we are stuck", "delivery_risk"), ("it slipped", "delivery_risk"), ("it is late", "delivery_risk"),
        ("задержка", "delivery_risk"), ("есть блокер", "delivery_risk"), ("проект застрял", "delivery_risk"),
        ("сорвал срок", "delivery_risk"), ("это срыв", "delivery_risk"), ("опоздание", "delivery_risk"),
        ("проблема с дедлайном", "delivery_risk"), ("budget", "commercial_pressure"),
        ("pricing", "commercial_pressure"), ("a discount?", "commercial_pressure"),
        ("the cost", "commercial_pressure"), ("expensive", "commercial_pressure"),
        ("наш бюджет", "commercial_pressure"), ("стоимость", "commercial_pressure"),
        ("какая цена?", "commercial_pressure"), ("дорого", "commercial_pressure"),
        ("скидка", "commercial_pressure"), ("расходы", "commercial_pressure"), ("upgrade", "upsell_intent"),
        ("an add-on", "upsell_intent"), ("addon", "upsell_intent"), ("we expand", "upsell_intent"),
        ("cross-sell", "upsell_intent"), ("upsell", "upsell_intent"), ("расширить", "upsell_intent"),
        ("дополнительно", "upsell_intent"), ("апгрейд", "upsell_intent"), ("кросс-продажа", "upsell_intent"),
        ("допродажа", "upsell_intent"), ("новый модуль", "upsell_intent"), ("доработка", "upsell_intent"),
        ("urgent", "urgency_increase"), ("asap", "urgency_increase"), ("critical", "urgency_increase"),
        ("a priority", "urgency_increase"), ("срочно", "urgency_increase"), ("критично", "urgency_increase"),
        ("приоритет", "urgency_increase"), ("дедлайн горит", "urgency_increase"),
        ("немедленно", "urgency_increase"),
    ],
)  # fmt: skip
def test_the_words_of_the_contract_are_known(text, expected):
    """T23: every trigger word of the rules, in both languages."""
    assert expected in kinds(text)


@pytest.mark.parametrize("text", ["delayed", "delays", "delaying", "задержали", "задержек", "задерживается"])
def test_forms_of_a_word_are_the_word(text):
    """Fault absent: whole-word matching misses forms ("delayed" is not "delay")."""
    assert kinds(f"{text} it") == {"delivery_risk"}


@pytest.mark.parametrize(
    "text",
    [
        "no delay", "There won't be any delays.", "We're not blocked.", "not urgent", "It isn't expensive.",
        "без задержек", "задержек нет", "Задержек не будет.", "не горит", "Это не срочно.", "недорого",
        "no delays, blockers or surprises", "никаких задержек", "not a priority",
        "нет никаких задержек и срывов",
    ],
)  # fmt: skip
def test_what_is_denied_is_not_said(text):
    """Fault absent: negation is ignored."""
    assert kinds(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "No answer, and it is late.", "It is not only urgent but critical.", "We cannot accept delays.",
        "Нет ответа, а сроки срываются.", "Не понимаю, почему задержали макеты.",
        "Это не только дорого, но и срочно.",
        "We don't know why it is delayed.", "Мы без вас застряли.",
    ],
)  # fmt: skip
def test_a_not_about_something_else_takes_nothing_away(text):
    assert kinds(text)


def test_the_teams_words_raise_no_signal_of_the_client():
    """Fault absent: the team's own words raise signals."""
    text = "Срочно! Задержка, бюджет вырос, хотим расширить. It is urgent, blocked, expensive, upgrade."
    assert {"delivery_risk", "urgency_increase", "commercial_pressure", "upsell_intent"} <= kinds(text)
    assert kinds(text, "team") == set()


def test_the_team_asks_for_approval_and_names_changes_of_scope():
    assert kinds("Please approve the mockups.", "team") == {"approval_request"}
    assert kinds("Это вне ТЗ, посчитаем отдельно.", "team") == {"scope_change"}


def test_what_is_replied_to_is_not_what_is_said():
    mail = "Thanks, all fine.\n\n> it is delayed\nOn Mon, 16 Nov 2026 at 10:00, Anna wrote:\nurgent urgent"
    assert kinds(mail) == set()
    assert kinds("Ок.\n16.11.2026, Павел Иванов пишет:\nэто срочно") == set()


def test_addresses_and_labels_claim_nothing():
    assert kinds("See https://shop.example/pricing/upgrade?late=1 and price@urgent.example") == set()
    assert kinds("The button says «Срочно», is that right?") == set()


def test_a_quote_is_the_sentence_that_says_it():
    (hit,) = read("Hello! All is well. Only the launch is delayed, alas. Bye.", "client")
    assert hit.quote == "Only the launch is delayed, alas."


def test_a_long_sentence_is_quoted_by_its_beginning():
    (hit,) = read("delay " + "so " * 300, "client")
    assert len(hit.quote) == 240
    assert hit.quote.endswith("…")


def test_several_kinds_in_one_message():
    assert kinds("Срочно нужна скидка, бюджет на исходе") == {"urgency_increase", "commercial_pressure"}


@pytest.mark.parametrize(
    "text", ["", "   ", "👍", "...", "\n\n>", "—", "a" * 100_000, "не " * 5_000, "\u0000"]
)
def test_odd_texts_are_no_bugs(text):
    assert kinds(text) == set()


def test_reading_is_bounded_by_the_length():
    assert kinds("x. " * 2_000 + "delay") == set(), "beyond what is read"
    assert len(clean("x" * 10_000)) == wording.LONGEST


def test_sentences_end_where_they_end():
    assert sentences("Раз. Два! Три?\nЧетыре") == ["Раз.", "Два!", "Три?", "Четыре"]


@pytest.mark.parametrize(
    "line", ["nonsense\tclient\tx", "delivery_risk\tnobody\tx", "delivery_risk\tclient\t~ x",
    "delivery_risk\tclient\tab*"]
)  # fmt: skip
def test_a_bad_line_of_the_list_is_refused(line):
    with pytest.raises(ValueError, match=r".+"):
        parsed(line)


class TestFigures:
    def test_there_are_enough_sentences_of_both_kinds(self):
        for half in ("tune", "held_out"):
            listed = measure.sentences(half)
            assert len(listed) >= 90
            assert sum(not labels for _, _, labels in listed) >= 30, "sentences that tell of nothing"
            assert sum(any("а" <= c <= "я" for c in text) for _, text, _ in listed) >= 40

    def test_no_sentence_stands_in_both_halves(self):
        halves = [{text for _, text, _ in measure.sentences(half)} for half in ("tune", "held_out")]
        assert not halves[0] & halves[1]

    def test_sentences_the_lists_were_not_fitted_to_are_read_well(self):
        figures = measure.measured("held_out")
        assert figures["all"].precision >= 0.93
        assert figures["all"].recall >= 0.93
        for kind, found in figures.items():
            assert found.precision >= 0.85, kind
            assert found.recall >= 0.8, kind

    def test_sentences_the_lists_were_fitted_to_stay_read(self):
        mistakes: list[str] = []
        measure.measured("tune", mistakes)
        assert mistakes == []
