"""Which of the things found come first: fusion, the contract's evidence score, and the figures about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ctower_desktop.search.model import RankingStats, ScoreBreakdown
from ctower_desktop.search.words import Language

RRF_K = 60
HALF_LIFE_DAYS = 7.0
AUTHORITY: Mapping[str, float] = {
    "chatwoot_message": 1.0,
    "rag_chunk": 0.85,
    "linear_issue": 0.7,
    "attio_opportunity": 0.5,
}
OTHER_AUTHORITY = 0.3
_SEMANTIC, _RECENCY, _AUTHORITY = 0.6, 0.2, 0.2
_MISTRUST = 0.05  # what a vector counts in a language its model does not know: it only fills up the end
_LEAST_VERDICT, _MOST_VERDICT = -3.0, 1.0


class Trust(NamedTuple):
    """How far each side of the search is to be believed, between 0 and 1."""

    words: float
    vectors: float


class Scored(NamedTuple):
    """A score and what it is made of."""

    score: float
    parts: ScoreBreakdown


def trust(asked: Language, text: Language, known: Iterable[str] | None) -> Trust:
    """How far to believe words and vectors for a question and a text in these languages.

    `known` are the languages, and the ways between them, in which the model was measured to be good; None
    is a model that is believed in all of them.
    """
    way = asked if asked == text else f"{asked}-{text}"
    if known is None or way in set(known):
        return Trust(1.0, 1.0)
    return Trust(1.0, _MISTRUST)


def fused(
    by_words: Sequence[int],
    by_vectors: Sequence[int],
    asked: Language,
    language_of: Mapping[int, Language],
    known: Iterable[str] | None,
) -> list[int]:
    """Both lists as one, by weighted reciprocal ranks; ties go to the one found by words."""
    ways = None if known is None else tuple(known)
    scores: dict[int, float] = {}
    for side, found in enumerate((by_words, by_vectors)):
        for rank, item in enumerate(found, 1):
            weight = trust(asked, language_of.get(item, asked), ways)[side]
            scores[item] = scores.get(item, 0.0) + weight / (RRF_K + rank)
    return sorted(scores, key=lambda item: -scores[item])


def judged(relevance: float, verdict: float = 0.0) -> float:
    """How much a text bears on a question after what people said of it for questions of the same words."""
    known = min(max(verdict, _LEAST_VERDICT), _MOST_VERDICT)
    return min(relevance * (1 + 0.25 * known if known >= 0 else 4.0**known), 1.0)


def semantic(distance: float | None) -> float:
    """Nearness of vectors between 0 and 1; 0 when there is no distance."""
    return 0.0 if distance is None else min(max(1.0 - distance, 0.0), 1.0)


def recency(age_days: float | None) -> float:
    """Half as much every seven days; 1 for the future, 0 without a date."""
    if age_days is None:
        return 0.0
    return 1.0 if age_days <= 0 else 2.0 ** (-age_days / HALF_LIFE_DAYS)


def authority(source_type: str) -> float:
    """How much the word of a source counts."""
    return AUTHORITY.get(source_type, OTHER_AUTHORITY)


def evidence_score(nearness: float, age_days: float | None, weight: float) -> Scored:
    """The contract's score: six parts nearness, two parts recency, two parts authority."""
    recent = recency(age_days)
    score = _SEMANTIC * nearness + _RECENCY * recent + _AUTHORITY * weight
    return Scored(
        rounded(score, 4), ScoreBreakdown(rounded(nearness, 4), rounded(recent, 4), rounded(weight, 4))
    )


def quality_score(evidence: int, kinds: int, chunks: int) -> int:
    """How well an answer is founded, 0–100: much evidence, of several kinds, with chunks."""
    if evidence <= 0:
        return 0
    parts = min(1, evidence / 10) * 40 + min(1, kinds / 3) * 35 + min(1, chunks / 5) * 25
    return int(rounded(parts, 0))


def ranking_stats(scores: Sequence[float]) -> RankingStats:
    """Average, highest and lowest score; zeros when there is none."""
    if not scores:
        return RankingStats(0.0, 0.0, 0.0, 0)
    average = rounded(sum(scores) / len(scores), 4)
    return RankingStats(average, max(scores), min(scores), len(scores))


def rounded(value: float, places: int) -> float:
    """Rounded half up, as the contract's figures are."""
    factor = 10.0**places
    return math.floor(value * factor + 0.5 + 1e-9) / factor
