"""How much of what a question asks for a text says, and how closely together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ctower_desktop.search.terms import terms_of

_WINDOW = 24  # terms that are read as said together
_MEAN_LENGTH = 40  # terms of a usual chunk
_SATURATION, _LENGTH_COUNTS = 1.2, 0.75  # k1 and b of BM25
_QUESTION = re.compile(r"\?\s*$")


@dataclass(frozen=True, slots=True)
class Sought:
    """A concept of a question with how telling it is, and every way to say it, the surest first."""

    weight: float
    ways: tuple[tuple[str, float], ...]
    word: str = ""  # as it was asked


class Match(NamedTuple):
    """How a text stands to what is sought, each between 0 and 1."""

    covered: float  # the share of it that is said, in whatever way
    own: float  # the share said in the question's own words
    together: float  # the most that is said in one place
    dense: float  # as BM25 has it: said often in a short text
    rarest: float  # how surely the most telling concept is said


class Said(NamedTuple):
    """The terms of a text: where each stands, and how many there are."""

    places: Mapping[str, Sequence[int]]
    length: int


NOTHING = Match(0.0, 0.0, 0.0, 0.0, 0.0)
SILENT = Said({}, 0)
_NOWHERE: Sequence[int] = ()


def said(text: str) -> Said:
    """What a text says."""
    return _placed(terms_of(text))


@lru_cache(maxsize=4_096)
def said_by(terms: str) -> Said:
    """What a text says whose terms are known, with spaces between."""
    return _placed(terms.split())


def _placed(terms: Sequence[str]) -> Said:
    found: dict[str, list[int]] = {}
    for place, term in enumerate(terms):
        found.setdefault(term, []).append(place)
    return Said(found, len(terms))


def matched(sought: Sequence[Sought], text: Said, around: Said = SILENT) -> Match:
    """Hold a text against what is sought; `around` (who said it, its title) counts but is in no place."""
    whole = sum(one.weight for one in sought)
    if not whole:
        return NOTHING
    places, length, beside = text.places, text.length, around.places
    norm = _SATURATION * (1 - _LENGTH_COUNTS + _LENGTH_COUNTS * length / _MEAN_LENGTH)
    covered = own = dense = 0.0
    uttered: list[tuple[int, int, float]] = []
    rarest, rarest_weight = 0.0, -1.0
    for number, one in enumerate(sought):
        sure, often = 0.0, 0
        for place, (way, how) in enumerate(one.ways):
            found = _found(places, way)
            if found:
                often += len(found)
                uttered.extend((at, number, how * one.weight) for at in found[:8])
            if (found or _found(beside, way)) and how > sure:
                sure = how
            if place == 0 and (found or _found(beside, way)):
                own += one.weight
        often = often or (1 if sure else 0)
        covered += one.weight * sure
        dense += one.weight * sure * often * (_SATURATION + 1) / (often + norm) / (_SATURATION + 1)
        if one.weight > rarest_weight:
            rarest, rarest_weight = sure, one.weight
    return Match(
        min(covered / whole, 1.0),
        min(own / whole, 1.0),
        min(_together(uttered) / whole, 1.0),
        dense / whole,
        rarest,
    )


def coverage(sought: Sequence[Sought], *texts: Said) -> float:
    """Which share of what is sought the texts say together, the rarer counting more; 0 for nothing sought."""
    whole = sum(one.weight for one in sought)
    if not whole:
        return 0.0
    found = 0.0
    for one in sought:
        sure = 0.0
        for way, how in one.ways:
            if how <= sure:
                break  # the surest ways come first
            if any(_found(text.places, way) for text in texts):
                sure = how
        found += one.weight * sure
    return min(found / whole, 1.0)


def says(text: Said, way: str) -> bool:
    """Whether a text has these terms, one after the other."""
    return bool(_found(text.places, way))


def asks(text: str) -> bool:
    """Whether a text ends with a question."""
    return _QUESTION.search(text) is not None


def _found(places: Mapping[str, Sequence[int]], way: str) -> Sequence[int]:
    if " " not in way:
        return places.get(way, _NOWHERE)
    first, *rest = way.split(" ")
    return [
        place
        for place in places.get(first, _NOWHERE)
        if all(place + n in places.get(term, _NOWHERE) for n, term in enumerate(rest, 1))
    ]


def _together(uttered: list[tuple[int, int, float]]) -> float:
    """The most weight of different concepts within one window."""
    uttered.sort()
    best = 0.0
    for start, (place, _, _) in enumerate(uttered):
        inside: dict[int, float] = {}
        for at, number, weight in uttered[start:]:
            if at - place >= _WINDOW:
                break
            inside[number] = max(inside.get(number, 0.0), weight)
        best = max(best, sum(inside.values()))
    return best
