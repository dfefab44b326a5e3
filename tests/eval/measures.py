"""The measures of retrieval and of refusal, each with the source of its formula.

A ranking is a list of names of pieces, the best first. What is wanted is a list of groups of names: any
name of a group finds that group.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

Groups = Sequence[Sequence[str]]
_MOST_GAIN = 10


def recall(ranking: Sequence[str], wanted: Groups, depth: int = 5) -> float:
    """The share of groups with a piece among the first `depth`.

    Recall at a cut-off as in Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008),
    8.4, over groups instead of documents: pieces that say the same are found when one of them is, like the
    nuggets of Voorhees, "Overview of the TREC 2003 Question Answering Track".
    """
    first = set(ranking[:depth])
    return sum(1 for group in wanted if first.intersection(group)) / len(wanted)


def reciprocal_rank(ranking: Sequence[str], wanted: Groups) -> float:
    """One divided by the rank of the first piece that answers anything; 0 without one.

    Its mean over questions is the MRR of Voorhees, "The TREC-8 Question Answering Track Report" (1999).
    """
    any_of = {name for group in wanted for name in group}
    return next((1 / rank for rank, name in enumerate(ranking, 1) if name in any_of), 0.0)


def ndcg(ranking: Sequence[str], wanted: Groups, depth: int = _MOST_GAIN) -> float:
    """Normalised discounted cumulated gain: a piece gains one for every group it is the first to find.

    Discount and normalisation of Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques"
    (2002), with the discount log2(rank + 1) of Burges et al., "Learning to Rank using Gradient Descent"
    (2005); gain by novelty and an ideal ranking chosen greedily as in Clarke et al., "Novelty and diversity
    in information retrieval evaluation" (2008), at alpha = 1.
    """
    return _cumulated(_gains(ranking[:depth], wanted)) / _cumulated(_ideal(wanted, depth))


def _gains(ranking: Sequence[str], wanted: Groups) -> list[int]:
    open_groups = [set(group) for group in wanted]
    gains = []
    for name in ranking:
        left = [group for group in open_groups if name not in group]
        gains.append(len(open_groups) - len(left))
        open_groups = left
    return gains


def _ideal(wanted: Groups, depth: int) -> list[int]:
    open_groups = [set(group) for group in wanted]
    gains: list[int] = []
    while open_groups and len(gains) < depth:
        names = sorted(set().union(*open_groups))
        best = max(names, key=lambda name: sum(name in group for group in open_groups))
        left = [group for group in open_groups if best not in group]
        gains.append(len(open_groups) - len(left))
        open_groups = left
    return gains


def _cumulated(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


@dataclass(frozen=True, slots=True)
class Refusals:
    """How refusing went: of what was refused, how much should have been, and the other way round.

    Precision and recall as in van Rijsbergen, "Information Retrieval" (1979), 7, with the questions that have
    no answer as the relevant ones, as in Rajpurkar, Jia and Liang, "Know What You Don't Know" (2018).
    """

    precision: float
    recall: float
    wrongly: float  # the share of the questions with an answer that were refused


def refusals(judged: Sequence[tuple[bool, bool]]) -> Refusals:
    """From pairs of (should be refused, was refused); without any case, nothing was done wrong."""
    right = sum(1 for should, did in judged if should and did)
    did_all = sum(1 for _, did in judged if did)
    should_all = sum(1 for should, _ in judged if should)
    answerable = len(judged) - should_all
    return Refusals(
        precision=right / did_all if did_all else 1.0,
        recall=right / should_all if should_all else 1.0,
        wrongly=(did_all - right) / answerable if answerable else 0.0,
    )


def says(text: str, fact: str) -> bool:
    """Whether a fact stands in a text, whatever the case and the kind of its spaces."""
    return plain(fact) in plain(text)


def plain(text: str) -> str:
    """Composed, lower case, `ё` as `е`, every run of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().replace("ё", "е").split())
