"""Questions: their concepts in both languages, names, numbers, days, and the keyboard layout."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.understanding import retyped, understand
from ctower_desktop.search.words import stem

TODAY = date(2026, 11, 20)


def understood(text):
    return understand(text, TODAY, lexicon())


def ways(text):
    return {way: sure for concept in understood(text).concepts for way, sure in concept.ways.items()}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ghbdtn", "привет"),
        ("lj;lm", "дождь"),
        ("vzurbq pfgecr", "мягкий запуск"),
        ("зфньуте", "payment"),
        ("договор оплаты", "договор оплаты"),
        ("payment terms", "payment terms"),
        ("ENG-42", "ENG-42"),
        ("qqq zzz", "qqq zzz"),
    ],
)
def test_the_layout_that_makes_sense(typed, meant):
    assert retyped(typed, lexicon()) == meant


def test_words_of_the_other_language_count_less_than_the_own_ones():
    found = ways("скидка")
    assert found[stem("скидка")] == 1.0
    assert 0 < found["discount"] < 1.0
    assert stem("скидка") in ways("Which discount?")


def test_names_are_looked_for_by_their_sound():
    assert set(ways("Что писал Хенрик?")) & set(ways("What did Henrik try?"))


def test_numbers_and_days_are_one_concept():
    found = understood("счёт на 12 500 рублей от 27 ноября").concepts
    assert {"n12500", "d1127"} <= {concept.own for concept in found}
    assert ways("12,500")["12500"] == 1.0


def test_time_words_are_days_and_nothing_to_look_for():
    found = understood("Что Лена ответила вчера?")
    assert found.period.first == date(2026, 11, 19)
    assert "вчера" not in {concept.word for concept in found.concepts}


def test_words_of_asking_are_left_out_unless_there_is_nothing_else():
    assert {c.word for c in understood("Сколько стоит доставка?").concepts} == {"стоит", "доставка"}
    assert understood("сколько?").concepts


@given(st.text(min_size=1, max_size=80))
def test_any_text_is_understood(text):
    for concept in understood(text).concepts:
        assert concept.ways[concept.own] == 1.0
        assert all(0 < sure <= 1 for sure in concept.ways.values())
