"""Numbers and days: one token however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.search.quantities import quantities


def told(text):
    return [quantity.token for quantity in quantities(text)]


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("1 860 000 ₽", "n1860000"), ("1.86 млн", "n1860000"), ("1,86 млн руб.", "n1860000"),
        ("1,860,000", "n1860000"), ("сорок пять тысяч", "n45000"), ("45 тыс. руб.", "n45000"),
        ("45k", "n45000"), ("28.52k", "n28520"), ("€28,520", "n28520"),
        ("one and a half million", "n1500000"), ("полтора миллиона", "n1500000"), ("0,35 млн", "n350000"),
        ("тридцать семь", "n37"), ("fifty percent", "n50"), ("двести сорок", "n240"), ("15 %", "n15"),
        ("two hundred", "n200"), ("7.2", "n7p2"),
        ("27 ноября", "d1127"), ("November 27", "d1127"), ("27th of November", "d1127"), ("27.11", "d1127"),
        ("27.11.2026", "d1127"), ("2026-11-27", "d1127"), ("1 мая", "d0501"), ("May 1st", "d0501"),
    ],
)  # fmt: skip
def test_forms_of_one_thing_are_one_token(text, token):
    assert told(text) == [token]


@pytest.mark.parametrize("text", ["один", "5 дней", "may we go", "v1.2.3", "я", "половина", "тысяча"])
def test_what_is_too_small_or_no_number_has_no_token(text):
    assert told(text) == []


def test_several_in_one_text_keep_their_order_and_places():
    text = "Скидка 15 % от 1 860 000 ₽ до 27 ноября"
    found = quantities(text)
    assert [q.token for q in found] == ["n15", "n1860000", "d1127"]
    assert [text[q.start : q.end].strip() for q in found] == ["15", "1 860 000", "27 ноября"]


@given(st.integers(1_000, 999_999_999))
def test_groups_and_plain_digits_are_one(number):
    forms = (str(number), f"{number:,}", f"{number:,}".replace(",", " "))
    assert {tuple(told(form)) for form in forms} == {(f"n{number}",)}


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    for quantity in quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
        assert quantity.token.isalnum()
