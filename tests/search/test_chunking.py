"""Chunks: whole sentences, bounded, complete, stable."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.search import chunking

LETTERS = st.text(alphabet="абвгдАБВГДxyzXYZ0123456789.,!?…»«\n\t ()-", max_size=400)


def texts(text, size=1000):
    return [piece.text for piece in chunking.chunks(text, size)]


@pytest.mark.parametrize(
    ("text", "size", "expected"), [("", 1000, []), (" \n\t ", 1000, []), ("a  b\n c", 200, ["a b c"])]
)
def test_the_contracts_vectors(text, size, expected):
    assert texts(text, size) == expected


def test_a_text_without_spaces_is_cut_at_the_limit():
    assert [len(piece) for piece in texts("x" * 2500)] == [1000, 1000, 500]


@given(LETTERS, st.integers(5, 60))
def test_nothing_is_lost_and_nothing_is_too_long(text, size):
    found = chunking.chunks(text, size)
    assert all(0 < len(piece.text) <= size for piece in found)
    assert [piece.index for piece in found] == list(range(len(found)))
    assert "".join(piece.text for piece in found).replace(" ", "") == chunking.normalised(text).replace(
        " ", ""
    )


@given(LETTERS)
def test_a_text_that_fits_stays_one_piece(text):
    expected = [chunking.normalised(text)] if text.strip() else []
    assert texts(text, 1000) == expected


@given(st.text(max_size=200))
def test_white_space_does_not_change_the_hash(text):
    spaced = "  " + chunking.normalised(text).replace(" ", " \n ") + "\t"
    assert [p.text_hash for p in chunking.chunks(spaced)] == [
        p.text_hash for p in chunking.chunks(chunking.normalised(text))
    ]


def test_the_hash_tells_texts_apart_and_the_tokens_are_a_quarter_of_the_length():
    (piece,) = chunking.chunks("Привет, мир")
    assert piece.text_hash == hashlib.blake2b("Привет, мир".encode(), digest_size=12).hexdigest()
    assert piece.tokens == 3
    assert chunking.chunks("x")[0].tokens == 1


def test_chunks_end_where_sentences_end():
    text = "Первое предложение о сроках. " * 5 + "Второе, подлиннее, о деньгах и договоре! " * 5
    found = texts(text, 120)
    assert len(found) > 2
    assert all(piece[-1] in ".!" for piece in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Договор подписан. Ждём оплату.", ["Договор подписан.", "Ждём оплату."]),
        ("Логотип, шрифты и т.д. Пришлём завтра", ["Логотип, шрифты и т.д. Пришлём завтра"]),
        ("Стоит 12.5 тыс. руб. за этап. Ок?", ["Стоит 12.5 тыс. руб. за этап.", "Ок?"]),
        ("Смотри https://a.io/x.y?z=1. Потом ответь!", ["Смотри https://a.io/x.y?z=1.", "Потом ответь!"]),
        ("Mr. Smith agreed. Great!", ["Mr. Smith agreed.", "Great!"]),
        ("1. Дизайн главной. 2. Каталог.", ["1. Дизайн главной.", "2. Каталог."]),
        ("Релиз в 2025. Потом отпуск.", ["Релиз в 2025.", "Потом отпуск."]),
        ("А. С. Пушкин одобрил. Делаем", ["А. С. Пушкин одобрил.", "Делаем"]),
        ("Он спросил: «Когда?» Я ответил.", ["Он спросил: «Когда?»", "Я ответил."]),
        ("строка одна\nстрока два", ["строка одна", "строка два"]),
        ("Подождите... Сейчас!", ["Подождите...", "Сейчас!"]),
        ("e.g. this one. And that.", ["e.g. this one.", "And that."]),
    ],
)
def test_sentences(text, expected):
    assert chunking.sentences(text) == expected


def test_short_texts_are_not_embedded():
    assert not chunking.embeddable("ок, спасибо")
    assert not chunking.embeddable("x" * 29)
    assert chunking.embeddable("x" * 30)
    assert not chunking.embeddable("x          " + " " * 30)
