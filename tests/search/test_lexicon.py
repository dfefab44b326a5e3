"""The lexicon: both directions, turns of phrase, glosses, and names by their sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.search import lexicon as module
from ctower_desktop.search.lexicon import lexicon, read, sound
from ctower_desktop.search.words import stem


@pytest.fixture
def small(tmp_path):
    (tmp_path / "b.tsv").write_text(
        "# a comment\nскидка\tdiscount\nуступка\tconcession|discount\nгенеральный директор\tCEO\n"
        "директор\tdirector\nна\ton\nдоговор\tcontract|agreement\n",
        "utf-8",
    )
    return read(tmp_path)


def test_words_are_found_in_both_directions(small):
    assert set(small.meant(stem("скидки"))) == {"discount"}
    assert set(small.meant(stem("discounts"))) == {stem("скидка"), stem("уступка")}
    assert small.meant("квант") == {}


def test_the_first_meaning_is_surest(small):
    meant = small.meant(stem("договор"))
    assert meant["contract"] > meant[stem("agreement")] > 0


def test_kin_share_a_meaning(small):
    assert set(small.kin(stem("скидка"))) == {stem("уступка")}


def test_a_gloss_takes_the_longest_turn_of_phrase(small):
    assert small.gloss("Генеральный директор просит скидку 5% (ENG-42)") == "CEO prosit discount 5% (eng-42)"
    assert small.gloss("Already English, 5%") == "Already English, 5%"


@pytest.mark.parametrize(
    ("russian", "english"),
    [("хенрик", "henrik"), ("йонас", "jonas"), ("маркус", "marcus"), ("элеонор", "eleanor"),
     ("полина", "polina"), ("филипп", "philip"), ("александр", "alexandr")],
)  # fmt: skip
def test_names_sound_alike_in_both_alphabets(russian, english):
    assert sound(russian) == sound(english)


def test_different_names_sound_different():
    assert len({sound(name) for name in ("лена", "анна", "берг", "хенрик", "полина", "алина")}) == 6


def test_what_comes_with_the_program_is_large_and_read_alike_each_time():
    found = lexicon()
    assert len(found.glosses) >= 8_000
    assert found.knows("договором")
    assert not found.knows("эквайрнг")
    assert read(module.resources() / "lexicon").meanings == found.meanings


@given(st.text(max_size=80))
def test_a_gloss_has_no_russian_letters(text):
    found = lexicon().gloss(text)
    assert not any("а" <= letter <= "я" for letter in found.lower())
