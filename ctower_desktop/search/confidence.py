"""Enough or not enough: how sure it is that the answer was found, and what of the question is lacking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ctower_desktop.search.matching import Said, Sought, coverage, said

# Confidence from which a question is answered; on the tuning half 5 % of what has an answer lies under it.
ENOUGH = 0.27
_TOP = 5  # pieces of evidence that an answer rests on
_BIAS, _BEST, _UNION, _RAREST, _PINNED = -2.2, 2.6, 1.6, 1.2, 2.0


class Standing(NamedTuple):
    """What confidence needs to know of one piece of evidence."""

    said: Said  # by the text
    around: Said  # who said it, its title
    covered: float  # of the question by the text and what was said around it
    rarest: float  # how surely it says the most telling thing
    pinned: bool


def confidence(sought: Sequence[Sought], found: Sequence[Standing]) -> float:
    """Between 0 and 1: 0 when nothing was found."""
    top = found[:_TOP]
    if not top or not sought:
        return 0.0
    union = coverage(sought, *(part for one in top for part in (one.said, one.around)))
    best = max(one.covered for one in top)
    rarest = max(one.rarest for one in top)
    pinned = any(one.pinned for one in top)
    told = _BIAS + _BEST * best + _UNION * union + _RAREST * rarest + _PINNED * pinned
    return round(1 / (1 + math.exp(-told)), 4)


def lacking(sought: Sequence[Sought], texts: Sequence[str]) -> list[str]:
    """Words of the question that none of the texts says in any way, the most telling first."""
    told = [said(text) for text in texts[:_TOP]]
    missing = [one for one in sought if one.word and not coverage([one], *told)]
    return [one.word for one in sorted(missing, key=lambda one: -one.weight)][:_TOP]
