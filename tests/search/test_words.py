"""Words: tokens, stems, identifiers and safe full-text queries."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.fixture(scope="module")
def table():
    db = apsw.Connection(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(exact, stems, tokenize='unicode61 remove_diacritics 2')")
    rows = ["Ошибка оплаты на сайте ENG-42", "The payment failed", "перенесём релизы, подъезд", "ёлки и йод"]
    for row in rows:
        db.execute("INSERT INTO t VALUES (?, ?)", (" ".join(words.tokens(row)), " ".join(words.stems(row))))
    yield db
    db.close()


def found(table, match):
    return [row[0] for row in table.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rowid", (match,))]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("ошибками", [1]),
        ("оплатой payments", [1, 2]),
        ("релиз", [3]),
        ("елка", [4]),
        ("ЁЛКА", [4]),
        ("нет", []),
    ],
)
def test_words_are_found_in_any_form(table, query, rows):
    asked = words.question(query)
    assert found(table, words.match_any(asked.tokens, asked.stems)) == rows


def test_identifiers_are_found_whole(table):
    assert found(table, words.match_phrases(["eng-42"])) == [1]
    assert found(table, words.match_phrases(["eng-4"])) == []


def test_the_last_word_may_be_unfinished(table):
    assert found(table, words.match_any((), (), prefix="paym")) == [2]


def test_all_words_must_be_there_when_asked(table):
    assert found(table, words.match_all(words.stems("ошибки сайта"))) == [1]
    assert found(table, words.match_all(words.stems("ошибки релиза"))) == []


@given(st.text(max_size=60))
def test_no_query_breaks_the_full_text_syntax(table, text):
    asked = words.question(text)
    for match in (
        words.match_any(asked.tokens, asked.stems, prefix=text),
        words.match_phrases([*asked.identifiers, *asked.phrases]),
        words.match_all(asked.stems),
    ):
        if match:
            found(table, match)
