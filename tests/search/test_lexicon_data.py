"""The Russian–English lexicon: its format, its size, and that what it says can be relied upon."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import Stemmer

LEXICON = Path(__file__).parents[2] / "resources" / "lexicon"

# Letters, digits and hyphens; a slash only inside a word (А/Б-тест); up to three words.
RUSSIAN = re.compile(r"[А-ЯЁа-яё0-9]+(?:[-/][А-ЯЁа-яё0-9]+)*(?: [А-ЯЁа-яё0-9]+(?:-[А-ЯЁа-яё0-9]+)*){0,2}")
ENGLISH = re.compile(r"[A-Za-z0-9]+(?:[-/.'&][A-Za-z0-9]+)*(?: [A-Za-z0-9]+(?:[-/.'&][A-Za-z0-9]+)*){0,2}")

# Different words whose only difference is the two dots.
SAME_WITHOUT_DOTS = {"все", "перед"}


class Entry(NamedTuple):
    """One line of one file."""

    where: str
    russian: str
    english: list[str]


def lines() -> list[tuple[str, str]]:
    found = []
    for path in sorted(LEXICON.glob("*.tsv")):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
            found.append((f"{path.name}:{number}", line))
    return found


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    found = []
    for where, line in lines():
        if line and not line.startswith("#"):
            assert line.count("\t") == 1, where
            russian, english = line.split("\t")
            found.append(Entry(where, russian, english.split("|")))
    return found


@pytest.fixture(scope="module")
def meanings(entries: list[Entry]) -> dict[str, list[str]]:
    return {entry.russian.lower(): entry.english for entry in entries}


def test_files_are_plain_utf8_lines() -> None:
    paths = sorted(LEXICON.glob("*.tsv"))
    assert len(paths) >= 12
    for path in paths:
        raw = path.read_bytes()
        assert raw.endswith(b"\n"), path.name
        assert b"\r" not in raw, path.name
        assert not raw.startswith(b"\xef\xbb\xbf"), path.name


def test_spacing_is_normal() -> None:
    for where, line in lines():
        assert line == line.strip(), where
        assert "  " not in line, where
        if not line.startswith("#"):
            assert not re.search(r"[^\S \t]", line), where  # no-break spaces and their kin
            assert not re.search(r" [\t|]|[\t|] ", line), where


def test_russian_is_cyrillic_and_at_most_three_words(entries: list[Entry]) -> None:
    for entry in entries:
        assert RUSSIAN.fullmatch(entry.russian), entry
        assert re.search(r"[А-ЯЁа-яё]", entry.russian), entry


def test_english_is_latin_and_at_most_three_words(entries: list[Entry]) -> None:
    for entry in entries:
        assert 1 <= len(entry.english) <= 4, entry
        for word in entry.english:
            assert ENGLISH.fullmatch(word), entry
            assert re.search(r"[A-Za-z]", word), entry


def test_no_translation_is_given_twice(entries: list[Entry]) -> None:
    for entry in entries:
        assert len({word.lower() for word in entry.english}) == len(entry.english), entry


def test_a_russian_lemma_stands_once(entries: list[Entry]) -> None:
    counted = Counter(entry.russian.lower() for entry in entries)
    assert [lemma for lemma, count in counted.items() if count > 1] == []


def test_yo_is_spelled_the_same_way_everywhere(entries: list[Entry]) -> None:
    """A word written once with ё and once with е would be two entries of one word."""
    folded = Counter(entry.russian.lower().replace("ё", "е") for entry in entries)
    assert {lemma for lemma, count in folded.items() if count > 1} == SAME_WITHOUT_DOTS


def test_there_are_enough_entries_in_every_field(entries: list[Entry]) -> None:
    assert len(entries) >= 8_000
    by_file = Counter(entry.where.split(":")[0] for entry in entries)
    assert min(by_file.values()) >= 200, by_file


def test_the_readme_counts_what_is_there(entries: list[Entry]) -> None:
    text = (LEXICON / "README.md").read_text(encoding="utf-8")
    said = {name: int(count) for name, count in re.findall(r"^\| `(\S+\.tsv)` \| (\d+) \|$", text, re.M)}
    assert said == Counter(entry.where.split(":")[0] for entry in entries)
    total = re.search(r"^\| total \| (\d+) \|$", text, re.M)
    assert total is not None
    assert int(total[1]) == len(entries)


@pytest.mark.parametrize(
    ("russian", "english"),
    [
        ("срок сдачи", "deadline"),
        ("дедлайн", "deadline"),
        ("созвон", "call"),
        ("баг", "bug"),
        ("макет", "mockup"),
        ("вёрстка", "layout"),
        ("деплой", "deploy"),
        ("прод", "production"),
        ("эквайринг", "acquiring"),
        ("чекаут", "checkout"),
        ("промокод", "promo code"),
        ("тз", "specification"),
        ("кп", "quote"),
        ("ндс", "VAT"),
        ("лк", "personal account"),
        ("цод", "data center"),
        ("счёт", "invoice"),
        ("договор", "contract"),
        ("отпуск", "vacation"),
        ("согласование", "approval"),
        ("жалоба", "complaint"),
        ("обещание", "promise"),
        ("таможня", "customs"),
        ("обжарка", "roasting"),
        ("запись на приём", "appointment"),
        ("телеграм", "Telegram"),
    ],
)
def test_words_of_the_trade_are_there(meanings: dict[str, list[str]], russian: str, english: str) -> None:
    assert english in meanings[russian]


@pytest.mark.parametrize(
    ("imperfective", "perfective"),
    [
        ("делать", "сделать"),
        ("отправлять", "отправить"),
        ("оплачивать", "оплатить"),
        ("проверять", "проверить"),
        ("согласовывать", "согласовать"),
        ("переносить", "перенести"),
        ("подписывать", "подписать"),
        ("исправлять", "исправить"),
    ],
)
def test_both_aspects_of_a_verb_say_the_same(
    meanings: dict[str, list[str]], imperfective: str, perfective: str
) -> None:
    assert set(meanings[imperfective]) & set(meanings[perfective])


@pytest.mark.parametrize(
    ("british", "american"),
    [("colour", "color"), ("centre", "center"), ("licence", "license"), ("behaviour", "behavior")],
)
def test_both_spellings_of_an_english_word_are_given(
    entries: list[Entry], british: str, american: str
) -> None:
    ours = [entry for entry in entries if british in entry.english]
    assert ours
    assert all(american in entry.english for entry in ours)


def forms(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (LEXICON / "forms" / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            lemma, listed = line.split("\t")
            assert lemma not in found, lemma
            found[lemma] = listed.split("|")
    return found


@pytest.mark.parametrize(
    ("name", "language", "letters", "least"),
    [("ru.tsv", "russian", "[а-яё]+", 2_000), ("en.tsv", "english", "[a-z]+", 150)],
)
def test_every_irregular_form_has_a_stem_of_its_own(
    name: str, language: str, letters: str, least: int
) -> None:
    """A form that stems to its lemma, or like another form of it, would be dead weight."""
    stem = Stemmer.Stemmer(language).stemWord
    listed = forms(name)
    assert len(listed) >= least
    for lemma, its in listed.items():
        assert re.fullmatch(letters, lemma), lemma
        assert all(re.fullmatch(letters, form) and "ё" not in form for form in its), lemma
        stems = [stem(word.replace("ё", "е")) for word in (lemma, *its)]
        assert len(set(stems)) == len(stems), lemma


def test_irregular_forms_lead_to_words_of_the_lexicon(entries: list[Entry]) -> None:
    russian = {entry.russian for entry in entries}
    english = {word for entry in entries for term in entry.english for word in term.lower().split()}
    assert set(forms("ru.tsv")) - russian == set()
    assert set(forms("en.tsv")) - english == set()


@pytest.mark.parametrize(
    ("name", "lemma", "form"),
    [
        ("ru.tsv", "оплатить", "оплачу"),
        ("ru.tsv", "отправить", "отправлю"),
        ("ru.tsv", "согласовать", "согласует"),
        ("ru.tsv", "прийти", "пришел"),
        ("ru.tsv", "звонок", "звонка"),
        ("ru.tsv", "день", "дней"),
        ("ru.tsv", "заметить", "замечу"),
        ("en.tsv", "pay", "paid"),
        ("en.tsv", "send", "sent"),
        ("en.tsv", "woman", "women"),
    ],
)
def test_irregular_forms_of_common_words_are_there(name: str, lemma: str, form: str) -> None:
    assert form in forms(name)[lemma]
