"""How likely a text is to be the one that answers: a logistic model over what is known of it.

`python -m tests.eval.training` fits the weights on the tuning half of the judge's questions and prints them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ctower_desktop.search.matching import Match

NAMES = (
    "bias", "covered", "own", "together", "dense", "rarest", "near", "glossed", "pinned", "asks",
    "issue", "comment", "sale", "short", "beside", "replies", "in_words", "in_vectors",
)  # fmt: skip
WEIGHTS: tuple[float, ...] = (
    -3.23, 1.58, 0.40, -0.15, 0.89, 0.67, -0.06, 0.91, 0.56, -0.93,
    0.01, 0.32, 0.66, -0.86, 2.69, 1.94, 2.47, 1.33,
)  # fmt: skip
_SHORT = 8  # words under which a text is hardly an answer


def features(
    match: Match,
    *,
    near: float,
    glossed: float,
    pinned: bool,
    asks: bool,
    source_type: str,
    words: int,
    beside: float,
    replies: float,
    rank: int | None,
    near_rank: int | None,
) -> tuple[float, ...]:
    """What is known of a text, in the order of NAMES."""
    return (
        1.0,
        *match,
        near,
        glossed,
        float(pinned),
        float(asks),
        float(source_type == "issue"),
        float(source_type == "comment"),
        float(source_type in {"deal", "note", "task"}),
        float(words < _SHORT),
        beside,
        replies,
        _place(rank),
        _place(near_rank),
    )


def _place(rank: int | None) -> float:
    return 0.0 if rank is None else 1 / (1 + rank / 3)


def likelihood(found: Sequence[float], weights: Sequence[float] = WEIGHTS) -> float:
    """Between 0 and 1."""
    return 1 / (1 + math.exp(-sum(value * weight for value, weight in zip(found, weights, strict=True))))
