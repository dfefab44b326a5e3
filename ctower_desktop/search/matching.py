"""How much of what a question asks for a text says, and how closely together."""

from __future__ import annotations

import re
from collections.abc import Sequence
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


NOTHING = Match(0.0, 0.0, 0.0, 0.0, 0.0)


def matched(sought: Sequence[Sought], text: str, around: str = "") -> Match:
    """Hold a text against what is sought; `around` (who said it, its title) counts but is in no place."""
    whole = sum(one.weight for one in sought)
    if not whole:
        return NOTHING
    places, length = _places(text)
    beside, _ = _places(around)
    norm = _SATURATION * (1 - _LENGTH_COUNTS + _LENGTH_COUNTS * length / _MEAN_LENGTH)
    covered = own = dense = 0.0
    said: list[tuple[int, int, float]] = []
    rarest, rarest_weight = 0.0, -1.0
    for number, one in enumerate(sought):
        sure, often = 0.0, 0
        for place, (way, how) in enumerate(one.ways):
            found = _found(places, way)
            if found:
                often += len(found)
                said.extend((at, number, how * one.weight) for at in found[:8])
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
        min(_together(said) / whole, 1.0),
        dense / whole,
        rarest,
    )


def coverage(sought: Sequence[Sought], text: str) -> float:
    """Which share of what is sought a text says, the rarer counting more; 0 when nothing is sought."""
    whole = sum(one.weight for one in sought)
    if not whole:
        return 0.0
    places, _ = _places(text)
    found = (
        one.weight * max((how for way, how in one.ways if _found(places, way)), default=0.0) for one in sought
    )
    return min(sum(found) / whole, 1.0)


def asks(text: str) -> bool:
    """Whether a text ends with a question."""
    return _QUESTION.search(text) is not None


@lru_cache(maxsize=8_192)
def _places(text: str) -> tuple[dict[str, list[int]], int]:
    terms = terms_of(text)
    found: dict[str, list[int]] = {}
    for place, term in enumerate(terms):
        found.setdefault(term, []).append(place)
    return found, len(terms)


def _found(places: dict[str, list[int]], way: str) -> list[int]:
    first, _, rest = way.partition(" ")
    at = places.get(first, [])
    if not rest or not at:
        return at
    following = rest.split(" ")
    return [
        place for place in at if all(place + n in places.get(term, ()) for n, term in enumerate(following, 1))
    ]


def _together(said: list[tuple[int, int, float]]) -> float:
    """The most weight of different concepts within one window."""
    said.sort()
    best = 0.0
    for start, (place, _, _) in enumerate(said):
        inside: dict[int, float] = {}
        for at, number, weight in said[start:]:
            if at - place >= _WINDOW:
                break
            inside[number] = max(inside.get(number, 0.0), weight)
        best = max(best, sum(inside.values()))
    return best
