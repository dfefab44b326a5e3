"""The training questions keep the judge's rules and touch nothing of the half that is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.eval import test_questions as rules
from tests.eval.corpus import CLIENTS
from tests.eval.question import FOLDER, KINDS, Question, load_questions

TRAINING = load_questions(FOLDER / "training")
REPORTED = [question for question in rules.QUESTIONS if question.half == "report"]
SAME_RULES = (
    rules.test_ids_and_texts_are_told_apart,
    rules.test_every_piece_is_in_the_corpus_of_its_project,
    rules.test_a_question_is_refused_exactly_when_nothing_answers_it,
    rules.test_private_notes_answer_only_those_who_ask_for_them,
    rules.test_facts_stand_in_the_pieces_and_forbidden_words_do_not,
    rules.test_several_hops_need_several_groups,
    rules.test_inflected_questions_use_other_forms_of_the_words_of_an_answer,
    rules.test_languages_are_what_they_say,
    rules.test_some_questions_come_in_the_wrong_layout,
)


def of_kind(kind: str) -> list[Question]:
    return [question for question in TRAINING if question.kind == kind]


@pytest.fixture
def judged(monkeypatch):
    """The judge's rules, reading the training questions instead of the judge's own."""
    monkeypatch.setattr(rules, "QUESTIONS", TRAINING)


@pytest.mark.parametrize("rule", SAME_RULES, ids=lambda rule: rule.__name__)
def test_the_rules_of_the_judge_hold(rule: Callable[[], None], judged):
    rule()


@pytest.mark.parametrize("kind", ["ru-ru", "en-en", "ru-en", "en-ru"])
def test_questions_and_answers_have_the_languages_of_their_kind(kind, judged):
    rules.test_questions_and_answers_have_the_languages_of_their_kind(kind)


@pytest.mark.parametrize("question", of_kind("paraphrase"), ids=rules.named)
def test_a_paraphrase_shares_few_words_with_its_answer(question):
    rules.test_a_paraphrase_shares_few_words_with_its_answer(question)


def test_there_are_enough_of_every_kind_in_every_project():
    assert {question.project for question in TRAINING} == set(CLIENTS)
    counts = Counter(question.kind for question in TRAINING)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 6
    assert counts["unanswerable"] >= 60
    assert {question.expect for question in of_kind("injected")} == {"answer", "refuse"}


def test_nothing_of_the_reported_half_is_trained_on():
    assert {question.half for question in TRAINING} == {"tune"}
    stories = {question.story for question in REPORTED}
    pieces = {name for question in REPORTED for name in rules.answering(question)}
    for question in TRAINING:
        assert question.story not in stories, question.id
        assert pieces.isdisjoint(rules.answering(question)), question.id


def test_ids_and_texts_are_not_the_judges():
    assert {question.id for question in rules.QUESTIONS}.isdisjoint(question.id for question in TRAINING)
    texts = {question.text.casefold() for question in rules.QUESTIONS}
    assert texts.isdisjoint(question.text.casefold() for question in TRAINING)
