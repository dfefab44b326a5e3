"""How much of what a question asks for a text says, and how closely together.

Texts are held against a question as their terms (see terms.py), in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_WINDOW = 24  # terms that are read as said together
_MEAN_LENGTH = 40  # terms of a usual chunk
_SATURATION, _LENGTH_COUNTS = 1.2, 0.75  # k1 and b of BM25
_OFTEN = 8  # times a way of saying something counts as said
_QUESTION = re.compile(r"\?\s*$")

Terms = Sequence[str]


@dataclass(frozen=True, slots=True)
class Sought:
    """A concept of a question with how telling it is, and every way to say it, the surest first."""

    weight: float
    ways: tuple[tuple[str, float], ...]
    word: str = ""  # as it was asked


class _Way(NamedTuple):
    """A way to say a concept, found by its first term."""

    concept: int
    sure: float
    own: bool  # the question's own word
    rest: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """All that a question asks for, ready to be held against many texts."""

    concepts: tuple[Sought, ...]
    absent: frozenset[int] = frozenset()  # those that no text of the project says in any way
    whole: float = field(init=False)  # the weight of all concepts
    _ways: Mapping[str, Sequence[_Way]] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[str, list[_Way]] = {}
        for number, one in enumerate(self.concepts):
            for place, (way, sure) in enumerate(one.ways):
                first, *rest = way.split(" ")
                found.setdefault(first, []).append(_Way(number, sure, place == 0, tuple(rest)))
        object.__setattr__(self, "whole", sum(one.weight for one in self.concepts))
        object.__setattr__(self, "_ways", found)

    def said(self, terms: Terms) -> Iterable[tuple[int, _Way]]:
        """Every place where a text says something of it, and how."""
        ways = self._ways
        for place, term in enumerate(terms):
            for way in ways.get(term, ()):
                if not way.rest or tuple(terms[place + 1 : place + 1 + len(way.rest)]) == way.rest:
                    yield place, way


class Match(NamedTuple):
    """How a text stands to what is sought, each between 0 and 1."""

    covered: float  # the share of it that is said, in whatever way
    own: float  # the share said in the question's own words
    together: float  # the most that is said in one place
    dense: float  # as BM25 has it: said often in a short text
    rarest: float  # how surely the most telling concept is said


NOTHING = Match(0.0, 0.0, 0.0, 0.0, 0.0)


def matched(target: Target, text: Terms, around: Terms = ()) -> Match:
    """Hold a text against what is sought; `around` (who said it, its title) counts but is in no place."""
    concepts, whole = target.concepts, target.whole
    if not whole:
        return NOTHING
    sure, often, own = [0.0] * len(concepts), [0] * len(concepts), [False] * len(concepts)
    uttered: list[tuple[int, int, float]] = []
    for place, way in target.said(text):
        number = way.concept
        often[number] += 1
        if often[number] <= _OFTEN:
            uttered.append((place, number, way.sure * concepts[number].weight))
        sure[number] = max(sure[number], way.sure)
        own[number] = own[number] or way.own
    for _, way in target.said(around):
        sure[way.concept] = max(sure[way.concept], way.sure)
        own[way.concept] = own[way.concept] or way.own
    norm = _SATURATION * (1 - _LENGTH_COUNTS + _LENGTH_COUNTS * len(text) / _MEAN_LENGTH)
    covered = dense = 0.0
    for one, how, count in zip(concepts, sure, often, strict=True):
        covered += one.weight * how
        times = count or (1 if how else 0)
        dense += one.weight * how * times / (times + norm)
    rarest = max(range(len(concepts)), key=lambda number: concepts[number].weight)
    return Match(
        min(covered / whole, 1.0),
        min(sum(one.weight for one, mine in zip(concepts, own, strict=True) if mine) / whole, 1.0),
        min(_together(uttered) / whole, 1.0),
        dense / whole,
        sure[rarest],
    )


def coverage(target: Target, *texts: Terms) -> float:
    """Which share of what is sought the texts say together, the rarer counting more; 0 for nothing sought."""
    return share(target, sureness(target, *texts))


def sureness(target: Target, *texts: Terms) -> list[float]:
    """How surely the texts say each concept."""
    sure = [0.0] * len(target.concepts)
    for text in texts:
        for _, way in target.said(text):
            sure[way.concept] = max(sure[way.concept], way.sure)
    return sure


def share(target: Target, *said: Sequence[float]) -> float:
    """Which share of what is sought is said when each concept is as sure as the surest of these have it."""
    if not target.whole:
        return 0.0
    surest: Iterable[float] = (max(how) for how in zip(*said, strict=True))
    told = sum(one.weight * how for one, how in zip(target.concepts, surest, strict=True))
    return min(told / target.whole, 1.0)


def says(text: Terms, phrase: Terms) -> bool:
    """Whether a text has these terms, one after the other."""
    size, wanted = len(phrase), tuple(phrase)
    return any(tuple(text[place : place + size]) == wanted for place in range(len(text) - size + 1))


def asks(text: str) -> bool:
    """Whether a text ends with a question."""
    return _QUESTION.search(text) is not None


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
