"""Matching: what of a question a text says; weighing and confidence over it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.search import confidence as confidence_module
from ctower_desktop.search import weighing
from ctower_desktop.search.confidence import Standing, confidence, lacking
from ctower_desktop.search.matching import Sought, Target, asks, coverage, matched, says
from ctower_desktop.search.terms import terms_of

CONTRACT = Sought(3.0, (("договор", 1.0), ("contract", 0.8)), word="договор")
TERM = Sought(1.0, (("срок", 1.0), ("due date", 0.5)), word="срок")
BOTH = Target((CONTRACT, TERM))


def test_coverage_counts_rare_words_more():
    assert coverage(BOTH, terms_of("Подписали договоры")) == 0.75
    assert coverage(BOTH, terms_of("сроки договора")) == 1.0
    assert coverage(Target(()), terms_of("что угодно")) == 0.0


def test_another_way_of_saying_counts_less():
    assert coverage(Target((CONTRACT,)), terms_of("The contract is signed")) == pytest.approx(0.8)
    assert coverage(Target((TERM,)), terms_of("the due date is near")) == 0.5
    assert coverage(Target((TERM,)), terms_of("the date is due")) == 0.0, (
        "a turn of phrase is said in its order"
    )


def test_own_words_and_translations_are_told_apart():
    match = matched(BOTH, terms_of("сроки of the contract"))
    assert match.own == 0.25
    assert match.covered == pytest.approx((1 + 3 * 0.8) / 4)


def test_what_is_said_far_apart_is_not_said_together():
    apart = "договор " + "слово " * 60 + "срок"
    assert matched(BOTH, terms_of(apart)).covered == 1.0
    assert matched(BOTH, terms_of(apart)).together == 0.75
    assert matched(BOTH, terms_of("срок договора")).together == 1.0


def test_who_said_it_counts_but_stands_in_no_place():
    match = matched(BOTH, terms_of("просто текст"), terms_of("договор срок"))
    assert (match.covered, match.together) == (1.0, 0.0)


@given(st.text(max_size=120), st.text(max_size=40))
def test_a_match_stays_in_bounds(text, around):
    assert all(0 <= value <= 1 for value in matched(BOTH, terms_of(text), terms_of(around)))
    assert 0 <= coverage(BOTH, terms_of(text)) <= 1


def test_a_phrase_is_said_in_its_order():
    text = terms_of("договор о поставке")
    assert says(text, terms_of("о поставке"))
    assert not says(text, terms_of("поставке о"))
    assert says(text, ())


@pytest.mark.parametrize(("text", "expected"), [("Когда?", True), ("Когда? Завтра.", False), ("Да? ", True)])
def test_questions_are_told_from_answers(text, expected):
    assert asks(text) is expected


def weighed(**more):
    known = {
        "near": 0.0, "glossed": 0.0, "pinned": False, "asks": False, "source_type": "message", "words": 20,
        "beside": 0.0, "replies": 0.0, "rank": None, "near_rank": None,
    }  # fmt: skip
    return weighing.likelihood(
        weighing.features(matched(BOTH, terms_of(more.pop("text"))), **{**known, **more})
    )


def test_more_of_the_question_is_likelier():
    nothing, half, whole = (weighed(text=text) for text in ("пусто", "срок", "срок договора"))
    assert 0 < nothing < half < whole < 1
    assert weighed(text="срок договора", rank=0) > weighed(text="срок договора", rank=9) > whole
    assert weighed(text="срок договора", asks=True) < whole
    assert weighed(text="срок", beside=0.75) > half


def test_every_weight_has_a_name():
    found = weighing.features(
        matched(BOTH, ()), near=0, glossed=0, pinned=False, asks=False, source_type="issue", words=0,
        beside=0, replies=0, rank=None, near_rank=None,
    )  # fmt: skip
    assert len(found) == len(weighing.NAMES) == len(weighing.WEIGHTS)


def standing(text, **more):
    known = {"nearby": (), "relevance": 0.5, "near": 0.0, "pinned": False, "replies": 0.0}
    return Standing(terms_of(text), **{**known, **more})


def test_confidence_grows_with_what_is_said():
    def sure(text, **more):
        return confidence(BOTH, [standing(text, **more)])

    assert confidence(BOTH, []) == confidence(Target(()), [standing("срок")]) == 0.0
    assert 0 < sure("пусто") < sure("срок") < sure("срок договора") < 1
    assert sure("срок", relevance=0.9) > sure("срок", relevance=0.2)
    assert sure("срок", nearby=("договор",)) > sure("срок")
    nowhere = Target(BOTH.concepts, frozenset([0]))
    assert confidence(nowhere, [standing("срок")]) <= sure("срок")


def test_every_sign_has_a_name_and_a_weight():
    found = confidence_module.signs(BOTH, [standing("срок")])
    assert len(found) == len(confidence_module.NAMES) == len(confidence_module.WEIGHTS)


def test_what_is_lacking_is_named_the_most_telling_first():
    assert lacking(BOTH, ["ничего"]) == ["договор", "срок"]
    assert lacking(BOTH, ["the contract"]) == ["срок"]
    assert lacking(BOTH, ["сроки договора"]) == []
