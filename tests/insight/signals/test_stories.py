"""What stories are worth, by when something is due, how clients sound, whose turn it is: all pure."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ctower_desktop.insight.signals import sentiment, stories, telling, threads
from ctower_desktop.insight.signals.intake_store import Said
from ctower_desktop.insight.signals.model import Evidence
from ctower_desktop.insight.signals.stories import Worth


@pytest.mark.parametrize(
    ("kind", "severity", "confidence"),
    [
        ("delivery_risk", 4, 0.82), ("commercial_pressure", 3, 0.74), ("upsell_intent", 2, 0.70),
        ("urgency_increase", 4, 0.76), ("deal_without_next_step", 3, 0.72), ("communication_gap", 3, 0.90),
    ],
)  # fmt: skip
def test_one_message_is_worth_what_the_rules_say(kind, severity, confidence):
    assert stories.heard(kind, 1) == Worth(severity, confidence)


@pytest.mark.parametrize(("issues", "worth"), [(1, Worth(3, 0.73)), (2, Worth(4, 0.76)), (3, Worth(5, 0.79)),
                                               (10, Worth(5, 0.9)), (100, Worth(5, 0.9))])  # fmt: skip
def test_overdue_issues(issues, worth):
    """The numeric vectors of the rules."""
    assert stories.overdue(issues) == worth


def test_a_story_grows_with_its_evidence():
    grown = [stories.heard("delivery_risk", n) for n in (1, 2, 3, 8, 100)]
    assert [one.severity for one in grown] == [4, 4, 5, 5, 5]
    assert [one.confidence for one in grown] == [0.82, 0.85, 0.88, 0.98, 0.98]
    assert Worth(3, 0.9).at_least(Worth(4, 0.7)) == Worth(4, 0.9)


@pytest.mark.parametrize(("days", "wrote", "severity"), [(7.5, True, 4), (14, True, 4),
                                             (15, True, 5), (6, True, 3),
                                                         (30, False, 3)])  # fmt: skip
def test_a_gap(days, wrote, severity):
    assert stories.gap(days, ever_wrote=wrote) == Worth(severity, 0.9)


@pytest.mark.parametrize(("hours", "severity"), [(24, 3), (49, 4), (97, 5)])
def test_an_unanswered_message(hours, severity):
    assert stories.unanswered(hours, 24, asked=True) == Worth(severity, 0.9)
    assert stories.unanswered(hours, 24, asked=False) == Worth(severity - 1, 0.7)


@pytest.mark.parametrize(
    ("priority", "severity", "due"),
    [
        (5, 3, "2026-11-23"),
        (3, 5, "2026-11-23"),
        (4, 3, "2026-11-24"),
        (3, 4, "2026-11-24"),
        (3, 3, "2026-11-27"),
    ],
)
def test_what_is_pressing_is_due_sooner_on_a_working_day(priority, severity, due):
    friday = date(2026, 11, 20)
    assert stories.due(friday, priority, severity) == due


def test_weekends_do_not_count():
    friday, monday = datetime(2026, 11, 20, 18, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert stories.working_hours(friday, monday) == 15
    assert stories.working_hours(monday, friday) == 0


def test_fifty_references_at_most():
    refs = stories.references(tuple(map(str, range(80))), ("cw:1",))
    assert len(refs) == 50
    assert refs[-1] == "cw:1"


class TestTelling:
    def told(self, count, language):
        quotes = ("Опять задержка", "It is delayed")
        quote = quotes[language == "en"]
        evidence = [
            Evidence(str(n), "Анна", quote, f"2026-11-{20 - n:02}T10:00:00.000Z") for n in range(count)
        ]
        return telling.heard("delivery_risk", evidence, language)

    def test_in_the_language_of_the_evidence(self):
        assert self.told(1, "ru") == "Анна пишет о задержке или о том, что мешает работе: «Опять задержка»"
        assert self.told(3, "en").endswith("“It is delayed” (3 messages since 18 Nov)")
        assert self.told(2, "ru").endswith("(2 сообщения с 19 ноября)")

    @pytest.mark.parametrize(("count", "words"), [(1, "1 сообщение"), (3, "3 сообщения"), (5, "5 сообщений"),
                                                  (11, "11 сообщений"), (21, "21 сообщение")])  # fmt: skip
    def test_numbers_agree(self, count, words):
        assert telling.messages(count, "ru") == words


class TestSentiment:
    @pytest.mark.parametrize("text", ["This is terrible and unprofessional.", "Ужасно, мы очень недовольны.",
                                      "I'm not happy with it.", "Мне не нравится."])  # fmt: skip
    def test_bad(self, text):
        assert sentiment.tone(text) < 0

    @pytest.mark.parametrize(
        "text", ["Thank you, it looks great!", "Отличная работа, спасибо!", "Not bad at all."]
    )
    def test_good(self, text):
        assert sentiment.tone(text) > 0

    @pytest.mark.parametrize("text", ["The file is attached.", "Макет во вложении.", ""])
    def test_plain(self, text):
        assert sentiment.tone(text) is None

    def test_a_trend_needs_several_messages(self):
        bad = [("1", "Ужасно."), ("2", "This is unacceptable.")]
        assert not sentiment.mood(bad).sour
        found = sentiment.mood([*bad, ("3", "Мы разочарованы.")])
        assert found.sour
        assert found.refs == ("3", "2", "1")

    def test_good_words_end_it(self):
        bad = [(str(n), "Ужасно.") for n in range(4)]
        good = [(str(n), "Отлично, спасибо, всё супер!") for n in range(4, 7)]
        assert sentiment.mood(bad).sour
        assert not sentiment.mood([*bad, *good]).sour


def said(who, text, minute):
    return Said(
        str(minute), "c", who, "0" if who == "contact" else "1", None, text, f"2026-11-20T10:{minute:02}"
    )


class TestTurns:
    def turn(self, *lines):
        return threads.turn([said(who, text, n) for n, (who, text) in enumerate(lines)][::-1])

    def test_a_client_who_asks_waits_for_us_since_the_first_question(self):
        found = self.turn(("user", "Привет"), ("contact", "Когда готово?"), ("contact", "Ау?"))
        assert (found.who, found.since, found.about) == ("team", "2026-11-20T10:01", "2")

    @pytest.mark.parametrize(
        "thanks", ["Спасибо!", "ok, thanks", "Отлично, спасибо большое!", "👍", "Договорились"]
    )
    def test_thanks_need_no_answer(self, thanks):
        assert self.turn(("user", "Готово"), ("contact", thanks)) is None

    def test_a_file_without_a_word_does(self):
        assert self.turn(("user", "Пришлите логотип"), ("contact", "")).who == "team"

    def test_the_question_is_what_waits_to_be_answered(self):
        found = self.turn(
            ("user", "Привет"), ("contact", "Когда готово?"), ("contact", "Я на связи до шести")
        )
        assert found.about == "1"

    def test_after_the_team_it_is_the_clients_turn_since_we_spoke_first(self):
        found = self.turn(("contact", "Привет"), ("user", "Смотрите"), ("user", "Посмотрели?"))
        assert (found.who, found.since) == ("client", "2026-11-20T10:01")

    def test_bots_and_events_take_no_turn(self):
        lines = [said("contact", "Когда готово?", 1), said("agent_bot", "Мы ответим", 2)]
        assert threads.turn(lines[::-1]).who == "team"
        assert threads.turn([]) is None

    @pytest.mark.parametrize(
        ("sender", "kind", "speaker"),
        [("contact", "0", "client"), ("Customer", "0", "client"), ("user", "1", "team"), ("agent",
        "1", "team"),
         ("agent_bot", "1", None), (None, "0", "client"), (None, "1", None), ("contact", "2", None)],
    )  # fmt: skip
    def test_who_speaks(self, sender, kind, speaker):
        assert threads.speaker(sender, kind) == speaker
