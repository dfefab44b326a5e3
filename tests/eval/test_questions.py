"""The questions hold together: their pieces exist, halves share nothing, kinds are what they say."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from ctower_desktop.search import words
from tests.eval.corpus import CLIENTS, pieces
from tests.eval.measures import says
from tests.eval.question import HALVES, KINDS, Question, load_questions

QUESTIONS = load_questions()
PIECES = pieces()
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
LATIN = re.compile("[a-z]", re.IGNORECASE)
EN_KEYS, RU_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё"
OTHER_LAYOUT = {"en": str.maketrans(EN_KEYS, RU_KEYS), "ru": str.maketrans(RU_KEYS, EN_KEYS)}


def answering(question: Question) -> list[str]:
    return [name for group in question.answers for name in group]


def content(text: str) -> set[str]:
    """The stems of the words that carry meaning."""
    return {words.stem(token) for token in words.tokens(text) if token not in words.STOP_WORDS}


def of_kind(*kinds: str) -> list[Question]:
    return [question for question in QUESTIONS if question.kind in kinds]


def named(question: Question) -> str:
    return question.id


def test_there_are_enough_of_every_kind_in_both_halves():
    assert len(QUESTIONS) >= 210
    assert {question.project for question in QUESTIONS} == set(CLIENTS)
    counts = Counter(question.kind for question in QUESTIONS)
    assert set(counts) == set(KINDS)
    assert min(counts.values()) >= 14
    for kind in KINDS:
        halves = Counter(question.half for question in QUESTIONS if question.kind == kind)
        assert min(halves[half] for half in HALVES) >= 0.4 * counts[kind], (kind, halves)


def test_ids_and_texts_are_told_apart():
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)
    assert len({(question.project, question.text) for question in QUESTIONS}) == len(QUESTIONS)


def test_every_piece_is_in_the_corpus_of_its_project():
    for question in QUESTIONS:
        for name in answering(question):
            assert name in PIECES, (question.id, name)
            assert PIECES[name].client == question.project, (question.id, name)
        assert all(question.answers), question.id


def test_a_question_is_refused_exactly_when_nothing_answers_it():
    for question in QUESTIONS:
        assert (question.expect == "refuse") == (not question.answers), question.id
        if question.kind == "unanswerable":
            assert question.expect == "refuse", question.id
        elif question.kind != "injected":
            assert question.expect == "answer", question.id


def test_stories_stay_in_one_half_and_so_do_pieces():
    story_halves, piece_halves = defaultdict(set), defaultdict(set)
    for question in QUESTIONS:
        story_halves[question.story].add(question.half)
        for name in answering(question):
            piece_halves[name].add(question.half)
    assert [story for story, halves in story_halves.items() if len(halves) > 1] == []
    assert [name for name, halves in piece_halves.items() if len(halves) > 1] == []


def test_private_notes_answer_only_those_who_ask_for_them():
    assert any(question.notes for question in QUESTIONS)
    for question in QUESTIONS:
        private = [PIECES[name].private for name in answering(question)]
        assert all(private) if question.notes else not any(private), question.id


def test_facts_stand_in_the_pieces_and_forbidden_words_do_not():
    for question in QUESTIONS:
        texts = [PIECES[name].text for name in answering(question)]
        for fact in question.facts:
            assert any(says(text, fact) for text in texts), (question.id, fact)
        for word in question.never:
            assert not any(says(text, word) for text in texts), (question.id, word)


def test_several_hops_need_several_groups():
    for question in QUESTIONS:
        assert (len(question.answers) > 1) == (question.kind == "hops"), question.id


@pytest.mark.parametrize("question", of_kind("paraphrase"), ids=named)
def test_a_paraphrase_shares_few_words_with_its_answer(question):
    asked = content(question.text)
    for name in answering(question):
        shared = asked & content(PIECES[name].text)
        assert len(shared) <= 0.6 * len(asked), (name, shared)


def test_inflected_questions_use_other_forms_of_the_words_of_an_answer():
    for question in of_kind("inflected"):
        asked = {token for token in words.tokens(question.text) if token not in words.STOP_WORDS}
        there = [set(words.tokens(PIECES[name].text)) for name in answering(question)]
        other = [
            token
            for token in asked
            for tokens in there
            if token not in tokens and words.stem(token) in {words.stem(each) for each in tokens}
        ]
        assert other, question.id


def test_languages_are_what_they_say():
    for question in QUESTIONS:
        text = question.text
        if question.kind == "typos" and not CYRILLIC.search(text) and question.language == "ru":
            text = text.translate(OTHER_LAYOUT["en"])
        elif question.kind == "typos" and CYRILLIC.search(text) and question.language == "en":
            text = text.translate(OTHER_LAYOUT["ru"])
        if question.kind == "exact" and not CYRILLIC.search(text):
            continue  # an identifier has no language
        assert question.language == ("ru" if CYRILLIC.search(text) else "en"), question.id


@pytest.mark.parametrize("kind", ["ru-ru", "en-en", "ru-en", "en-ru"])
def test_questions_and_answers_have_the_languages_of_their_kind(kind):
    asked, answered = kind.split("-")
    for question in of_kind(kind):
        assert question.language == asked, question.id
        for name in answering(question):
            text = PIECES[name].text
            ours, theirs = (CYRILLIC, LATIN) if answered == "ru" else (LATIN, CYRILLIC)
            assert len(ours.findall(text)) > len(theirs.findall(text)), (question.id, name)


def test_some_questions_come_in_the_wrong_layout():
    wrong = [q for q in of_kind("typos") if q.language != ("ru" if CYRILLIC.search(q.text) else "en")]
    assert len(wrong) >= 3
    assert {question.language for question in wrong} == {"ru", "en"}
