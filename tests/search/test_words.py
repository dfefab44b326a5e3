"""Words: tokens, stems, identifiers and safe full-text queries."""

import pytest

from ctower_desktop.search import words


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Что обещал клиент?", ["что", "обещал", "клиент"]),
        ("a bb ccc", ["ccc"]),
        ("one two three four five six seven", ["one", "two", "three", "four", "five", "six"]),
        ("API_KEY api_key", ["api_key"]),
        ("", []),
        ("ещё счёт", ["еще", "счет"]),
    ],
)
def test_the_contracts_tokens(query, expected):
    assert words.stats_tokens(query) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ошибками", "ошибка"),
        ("оплатой", "оплата"),
        ("обновление", "обновления"),
        ("Счёт", "счета"),
        ("payments", "payment"),
        ("launching", "launched"),
    ],
)
def test_inflected_forms_share_a_stem(one, other):
    assert words.stems(one) == words.stems(other)


def test_both_languages_in_one_text():
    assert words.stems("Deploy сломался, откатили релизы") == ["deploy", "слома", "откат", "релиз"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 500 руб", ["12500"]),
        ("$12,500.00", ["12500"]),
        ("1 234 567", ["1234567"]),
        ("10.11.2026", []),
        ("12", []),
    ],
)
def test_grouped_numbers(text, expected):
    assert list(words.numbers(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("что с ENG-42?", ["eng-42"]),
        ("заказ №10432 и #77", ["№10432", "#77"]),
        ("письмо от Anna.Lee+x@acme.co.uk!", ["anna.lee+x@acme.co.uk"]),
        ("см. https://a.io/b?c=1.", ["https://a.io/b?c=1"]),
        ("инвойс INV2041 и 20417", ["inv2041", "20417"]),
        ("релиз 14 октября", []),
        ("стоит 12.5 или 1200.50", []),
    ],
)
def test_identifiers(text, expected):
    assert words.identifiers(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Когда релиз?", "ru"),
        ("When is the launch?", "en"),
        ("ENG-42", "en"),
        ("что с https://example.com/some/long/path", "ru"),
        ("статус deployment", "ru"),
        ("", "en"),
        ("42", "en"),
    ],
)
def test_language(text, expected):
    assert words.language(text) == expected


def test_a_question_drops_stop_words_and_keeps_phrases():
    found = words.question("Что клиент говорил про «срок оплаты» в ENG-42?")
    assert found.language == "ru"
    assert found.tokens == ("клиент", "говорил", "срок", "оплаты", "eng", "42")
    assert found.phrases == ("срок оплаты",)
    assert found.identifiers == ("eng-42",)


def test_a_question_of_stop_words_only_keeps_them():
    assert words.question("что это?").tokens == ("что", "это")
