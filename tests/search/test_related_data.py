"""The groups of related words: their format, their size, and that no word is spread over too many of them."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

RELATED = Path(__file__).parents[2] / "resources" / "lexicon" / "related"

# Words of letters and digits, joined by hyphens; at most three of them.
MEMBER = re.compile(
    r"[A-Za-zА-ЯЁа-яё0-9]+(?:-[A-Za-zА-ЯЁа-яё0-9]+)*(?: [A-Za-zА-ЯЁа-яё0-9]+(?:-[A-Za-zА-ЯЁа-яё0-9]+)*){0,2}"
)
CYRILLIC = re.compile(r"[А-ЯЁа-яё]")
LATIN = re.compile(r"[A-Za-z]")

# Words so general that a group with one of them would lead anywhere.
TOO_GENERAL = {
    *("делать", "сделать", "вещь", "быть", "иметь", "мочь", "стать", "это", "дело", "штука", "человек"),
    *("get", "thing", "do", "make", "be", "have", "go", "stuff", "way", "person"),
}


class Group(NamedTuple):
    """One line of one file."""

    where: str
    members: list[str]


def folded(member: str) -> str:
    """The member as a search index sees it: without letter case and without the dots of ё."""
    return member.casefold().replace("ё", "е")


def lines() -> list[tuple[str, str]]:
    found = []
    for path in sorted(RELATED.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
            found.append((f"{path.name}:{number}", line))
    return found


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    return [Group(where, line.split(" | ")) for where, line in lines() if line and not line.startswith("#")]


def test_files_are_plain_utf8_lines_that_begin_with_their_topic() -> None:
    paths = sorted(RELATED.glob("*.txt"))
    assert len(paths) >= 20
    for path in paths:
        raw = path.read_bytes()
        assert raw.startswith(b"# "), path.name
        assert raw.endswith(b"\n"), path.name
        assert b"\r" not in raw, path.name


def test_spacing_is_normal() -> None:
    for where, line in lines():
        assert line == line.strip(), where
        assert "  " not in line, where
        assert not re.search(r"[^\S ]", line), where  # tabs, no-break spaces and their kin


def test_there_are_enough_groups(groups: list[Group]) -> None:
    assert len(groups) >= 2500


def test_a_group_has_three_to_fourteen_members(groups: list[Group]) -> None:
    for group in groups:
        assert 3 <= len(group.members) <= 14, group


def test_a_member_is_at_most_three_words(groups: list[Group]) -> None:
    for group in groups:
        for member in group.members:
            assert MEMBER.fullmatch(member), (group.where, member)


def test_no_word_mixes_the_scripts(groups: list[Group]) -> None:
    for group in groups:
        for member in group.members:
            for word in re.split(r"[ -]", member):
                assert not (CYRILLIC.search(word) and LATIN.search(word)), (group.where, member)


def test_no_member_stands_twice_in_a_group(groups: list[Group]) -> None:
    for group in groups:
        members = [folded(member) for member in group.members]
        assert len(set(members)) == len(members), (
            group.where,
            sorted(member for member in set(members) if members.count(member) > 1),
        )


def test_a_word_is_in_at_most_four_groups(groups: list[Group]) -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        for member in group.members:
            places[folded(member)].append(group.where)
    assert {word: where for word, where in places.items() if len(where) > 4} == {}


def test_no_group_is_written_twice_or_lies_within_another(groups: list[Group]) -> None:
    sets = [(group.where, frozenset(folded(member) for member in group.members)) for group in groups]
    holding: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for where, members in sets:
        for member in members:
            holding[member].append((where, members))
    within = {
        (where, other)
        for where, members in sets
        for other, larger in holding[min(members)]
        if where != other and members <= larger
    }
    assert within == set()


def test_very_general_words_lead_nowhere(groups: list[Group]) -> None:
    for group in groups:
        general = TOO_GENERAL & {folded(member) for member in group.members}
        assert not general, (group.where, general)


def test_both_languages_are_well_represented(groups: list[Group]) -> None:
    members = [member for group in groups for member in group.members]
    assert sum(bool(CYRILLIC.search(member)) for member in members) >= 8000
    assert sum(bool(LATIN.search(member)) for member in members) >= 3000
    mixed = sum(
        any(CYRILLIC.search(member) for member in group.members)
        and any(LATIN.search(member) for member in group.members)
        for group in groups
    )
    assert mixed >= 0.8 * len(groups)
