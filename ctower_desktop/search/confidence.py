"""Enough or not enough: how likely the answer was found, and what of the question is lacking.

A logistic model whose value is a probability: that one of the first five pieces of evidence answers the
question. `python -m tests.eval.training` fits it and prints how well its values agree with what happened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ctower_desktop.search.generic import generic
from ctower_desktop.search.matching import Target, Terms, coverage, matched
from ctower_desktop.search.terms import terms_of

# Confidence from which a question is answered; of the training questions with an answer 5 % lie under it.
ENOUGH = 0.37
_TOP = 5  # pieces of evidence that an answer rests on
NAMES = (
    "bias", "relevance", "union", "best", "missing", "absent", "own", "near", "pinned", "replies",
)  # fmt: skip
WEIGHTS: tuple[float, ...] = (-1.42, 1.07, 0.30, 1.40, -0.59, -0.05, 0.06, 0.72, 0.08, 0.30)
_SAID = 0.3  # how surely a concept must be said not to be missing


class Standing(NamedTuple):
    """What confidence needs to know of one piece of evidence."""

    terms: Terms  # of the text, of who said it and its title
    nearby: Terms  # and of what was said around it
    relevance: float
    near: float  # by meaning
    pinned: bool
    replies: float  # how much of the question was asked just before it


def signs(target: Target, found: Sequence[Standing]) -> tuple[float, ...]:
    """What tells whether the answer was found, in the order of NAMES; `found` is the best first."""
    top = found[:_TOP]
    around = [(*one.terms, *one.nearby) for one in top]
    sure = [0.0] * len(target.concepts)
    for text in around:
        for _, way in target.said(text):
            sure[way.concept] = max(sure[way.concept], way.sure)
    telling = [n for n, one in enumerate(target.concepts) if one.ways[0][0] not in generic()]
    missing = sum(sure[n] < _SAID for n in telling)
    return (
        1.0,
        max(one.relevance for one in top),
        coverage(target, *around),
        max(coverage(target, text) for text in around),
        missing / max(len(telling), 1),
        float(sum(n in target.absent for n in telling)),
        max(matched(target, text).own for text in around),
        max(one.near for one in top),
        float(any(one.pinned for one in top)),
        max(one.replies for one in top),
    )


def confidence(target: Target, found: Sequence[Standing], weights: Sequence[float] = WEIGHTS) -> float:
    """Between 0 and 1: 0 when nothing was found or nothing is asked for."""
    if not found or not target.concepts:
        return 0.0
    told = sum(sign * weight for sign, weight in zip(signs(target, found), weights, strict=True))
    return round(1 / (1 + math.exp(-told)), 4)


def lacking(target: Target, texts: Sequence[str]) -> list[str]:
    """Words of the question that none of the texts says in any way, the most telling first."""
    told = {way.concept for text in texts[:_TOP] for _, way in target.said(terms_of(text))}
    missing = [one for number, one in enumerate(target.concepts) if one.word and number not in told]
    return [one.word for one in sorted(missing, key=lambda one: -one.weight)][:_TOP]
