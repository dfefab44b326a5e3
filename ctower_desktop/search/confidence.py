"""Enough or not enough: how sure it is that the answer was found, and what of the question is lacking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ctower_desktop.search.matching import Target, Terms, coverage
from ctower_desktop.search.terms import terms_of

# Confidence from which a question is answered; on the tuning half 5 % of what has an answer lies under it.
ENOUGH = 0.27
_TOP = 5  # pieces of evidence that an answer rests on
_BIAS, _BEST, _UNION, _RAREST, _PINNED = -2.2, 2.6, 1.6, 1.2, 2.0


class Standing(NamedTuple):
    """What confidence needs to know of one piece of evidence."""

    terms: Terms  # of the text, and of who said it and its title
    covered: float  # of the question by the text and what was said around it
    rarest: float  # how surely it says the most telling thing
    pinned: bool


def confidence(target: Target, found: Sequence[Standing]) -> float:
    """Between 0 and 1: 0 when nothing was found."""
    top = found[:_TOP]
    if not top or not target.concepts:
        return 0.0
    union = coverage(target, *(one.terms for one in top))
    best = max(one.covered for one in top)
    rarest = max(one.rarest for one in top)
    pinned = any(one.pinned for one in top)
    told = _BIAS + _BEST * best + _UNION * union + _RAREST * rarest + _PINNED * pinned
    return round(1 / (1 + math.exp(-told)), 4)


def lacking(target: Target, texts: Sequence[str]) -> list[str]:
    """Words of the question that none of the texts says in any way, the most telling first."""
    told = {way.concept for text in texts[:_TOP] for _, way in target.said(terms_of(text))}
    missing = [one for number, one in enumerate(target.concepts) if one.word and number not in told]
    return [one.word for one in sorted(missing, key=lambda one: -one.weight)][:_TOP]
