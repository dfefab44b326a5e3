"""Finding by words in a real index: forms, identifiers, quotations, scopes, days, and hostile questions."""

from datetime import date

import apsw
import pytest
import sqlite_vec
from hypothesis import given, settings
from hypothesis import strategies as st

from ctower_desktop import app
from ctower_desktop.kernel.database import migrate
from ctower_desktop.search import chunk_store, word_store
from ctower_desktop.search.indexing import chunks_of
from ctower_desktop.search.intake_store import SourceText
from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.understanding import understand
from ctower_desktop.search.vector_store import Filter

TEXTS = (  # kind, project, private, day, text, who said it
    ("message", "north", False, "2026-11-02", "Ошибка оплаты на сайте, см. ENG-42", "Анна Петрова"),
    ("message", "north", False, "2026-11-03", "The payment failed again", "Bob"),
    ("message", "north", False, "2026-11-04", "Перенесём релизы, новый подъезд", "Анна Петрова"),
    ("message", "north", True, "2026-11-05", "Ёлки и йод: заметка про маржу", "Илья"),
    ("issue", "north", False, "2026-11-06", "Оплата картой и возвраты", "Саня"),
    ("message", "south", False, "2026-11-02", "Ошибка оплаты у соседей", "Вера"),
)


@pytest.fixture(scope="module")
def index():
    db = apsw.Connection(":memory:")
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    migrate(db, app.INDEX_MIGRATIONS)
    for number, (kind, project, private, day, text, who) in enumerate(TEXTS, 1):
        at = f"{day}T10:00:00.000Z"
        told = SourceText(
            str(number), project, None, None, None, None, text, who, "", private, at, at, f'{{"who":"{who}"}}'
        )
        made = chunks_of(kind, told, SearchSettings())
        chunk_store.replace_sources(db, [(kind, str(number), made)], number)
    yield db
    db.close()


def search(index, question, **more):
    meant = understand(question, date(2026, 11, 20), lexicon())
    return word_store.search(index, meant, Filter(project_id="north", **more))


@pytest.mark.parametrize(
    ("question", "found"),
    [("ошибками", {1}), ("оплатой", {1, 2, 5}), ("релиз", {3}), ("подъездов", {3}), ("погода", set())],
)
def test_words_are_found_in_any_form_and_language(index, question, found):
    assert set(search(index, question).hits) == found


def test_what_says_more_of_the_question_comes_first(index):
    assert search(index, "ошибка оплаты на сайте").hits[0] == 1
    assert search(index, "возвраты оплаты").hits[0] == 5


def test_who_said_it_is_found_too(index):
    assert set(search(index, "Петрова").hits) == {1, 3}


def test_identifiers_are_found_whole(index):
    assert search(index, "что с ENG-42?").exact == [1]
    assert search(index, "что с ENG-4?").exact == []
    assert search(index, "что с 42-ENG?").exact == [], "the words of an identifier keep their order"


def test_quotations_are_found_word_for_word_in_any_form(index):
    assert search(index, "«ошибка оплаты»").exact == [1]
    assert search(index, "«оплаты ошибка»").exact == []
    assert search(index, "«Анна Петрова»").exact == [3, 1], "the newest first"


def test_private_texts_are_found_only_when_asked(index):
    assert search(index, "ёлка").hits == []
    assert search(index, "ёлка", include_private=True).hits == [4]
    assert search(index, "«Ёлки и йод»", include_private=True).exact == [4]


def test_kinds_and_days_narrow_the_search(index):
    assert search(index, "оплата", kinds=("issue", "comment")).hits == [5]
    assert search(index, "оплата", kinds=()).hits == []
    within = {"first": "2026-11-03T00:00:00.000Z", "last": "2026-11-06T00:00:00.000Z"}
    assert search(index, "оплата", **within).hits == [2]
    assert search(index, "«ошибка оплаты»", **within).exact == []


def test_another_project_is_never_found_nor_counted(index):
    elsewhere = word_store.search(
        index, understand("оплата", date(2026, 11, 20), lexicon()), Filter(project_id="south")
    )
    assert elsewhere.hits == [6]
    nowhere = word_store.search(
        index, understand("оплата", date(2026, 11, 20), lexicon()), Filter(project_id="west")
    )
    assert (nowhere.hits, nowhere.exact) == ([], [])


def test_a_removed_text_leaves_its_scope(index):
    index.execute("SAVEPOINT before")
    chunk_store.replace_sources(index, [("issue", "5", [])], 9)
    assert search(index, "возвраты").hits == []
    assert list(index.execute("SELECT chunks FROM scope WHERE name = 'issues'")) == [(0,)]
    index.execute("ROLLBACK TO before")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_question_breaks_the_full_text_syntax(index, text):
    search(index, text)
    search(index, f"«{text}» {text}-42")
