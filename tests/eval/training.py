"""`python -m tests.eval.training ranking|confidence`: fit the weights of one of two models, and print them.

Both learn from the tuning half and from the questions in `questions/training`, never from the report half.
The ranking learns what makes the right text come first in the order that is served, the contract's score:
the likelihood that a softmax over the candidates of a question picks a right one. The confidence learns
whether one of the first five answers; fit it after the ranking's weights are in place.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctower_desktop.search import confidence, presenting, weighing
from ctower_desktop.search.model import LightragQuery
from ctower_desktop.search.retrieval import Retrieved, retrieve
from tests.eval.home import Judged, judged_home
from tests.eval.question import FOLDER, Question, load_questions

Numbers = NDArray[np.float64]
_SEMANTIC = 0.6  # what relevance counts in the contract's score
_SHARPNESS = 12.0  # how much of the softmax's weight a difference in score makes
_STEPS, _PACE = 800, 0.05


@dataclass(frozen=True, slots=True)
class Example:
    """The candidates of a question: what is known of each, the rest of its score, and whether it answers."""

    known: Numbers
    rest: Numbers
    right: Numbers


def learned_from() -> list[Question]:
    """The questions of the tuning half and those that are there for training only."""
    return [q for q in (*load_questions(), *load_questions(FOLDER / "training")) if q.half == "tune"]


async def found_for(judged: Judged, question: Question, *, deep: bool) -> Retrieved:
    call = judged.calls[question.project]
    depth = {"top_k": 50, "source_limit": 25} if deep else {}
    ask = LightragQuery(query=question.text, include_private=question.notes, **depth)
    return await retrieve(judged.tower, call.project_id, ask)


def example(judged: Judged, question: Question, found: Retrieved) -> Example | None:
    """None when nothing that was found answers."""
    right = {name for group in question.answers for name in group}
    seen = {candidate.chunk.id: candidate for candidate in (*found.chunks, *found.evidence)}.values()
    answers = np.array([float(judged.names.get(c.chunk.source_pk, "") in right) for c in seen])
    if not answers.any():
        return None
    rest = [0.2 * (c.scored.parts.recency + c.scored.parts.authority) for c in seen]
    return Example(np.array([c.features for c in seen]), np.array(rest), answers)


def ranking_weights(examples: Sequence[Example], ridge: float) -> Numbers:
    """Gradient descent with Adam on the mean negative log likelihood, a ridge on all but the bias."""
    weights: Numbers = np.zeros(examples[0].known.shape[1])
    weights[0] = -1.0
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, _STEPS + 1):
        slope = sum((_slope(one, weights) for one in examples), np.zeros_like(weights)) / len(examples)
        slope[1:] += ridge * weights[1:]
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        weights = weights - _PACE * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return weights


def _slope(one: Example, weights: Numbers) -> Numbers:
    likely = 1 / (1 + np.exp(-one.known @ weights))
    score = _SHARPNESS * (_SEMANTIC * likely + one.rest)
    share = np.exp(score - score.max())
    share /= share.sum()
    wanted = share * one.right
    wanted /= wanted.sum() or 1.0
    turned: Numbers = one.known.T @ ((share - wanted) * _SHARPNESS * _SEMANTIC * likely * (1 - likely))
    return turned


def logistic(rows: Numbers, labels: Numbers, ridge: float) -> Numbers:
    """Newton's method with a ridge on all but the bias."""
    weights: Numbers = np.zeros(rows.shape[1])
    punished = np.full(rows.shape[1], ridge)
    punished[0] = 1e-9
    for _ in range(50):
        likely = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (likely - labels) + punished * weights
        curve = (rows * (likely * (1 - likely))[:, None]).T @ rows + np.diag(punished)
        weights = weights - np.linalg.solve(curve, slope)
    return weights


async def train_ranking(ridge: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with judged_home(Path(folder)) as judged:
            asked = [q for q in learned_from() if q.expect == "answer"]
            made = [example(judged, q, await found_for(judged, q, deep=True)) for q in asked]
    weights = ranking_weights([one for one in made if one is not None], ridge)
    for name, weight in zip(weighing.NAMES, weights, strict=True):
        print(f"{name:10} {weight:7.2f}")
    print(", ".join(f"{weight:.2f}" for weight in weights))


async def train_confidence(ridge: float) -> None:
    rows, labels, answerable = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        async with judged_home(Path(folder)) as judged:
            for question in learned_from():
                found = await found_for(judged, question, deep=False)
                standings = presenting.standings(found)
                if not standings or not found.target.concepts:
                    continue
                right = {name for group in question.answers for name in group}
                first = {judged.names.get(c.chunk.source_pk, "") for c in found.evidence[:5]}
                rows.append(confidence.signs(found.target, standings))
                labels.append(float(bool(right & first)))
                answerable.append(question.expect == "answer")
    _report_confidence(np.array(rows), np.array(labels), np.array(answerable), ridge)


def _report_confidence(rows: Numbers, labels: Numbers, answerable: NDArray[np.bool_], ridge: float) -> None:
    weights = logistic(rows, labels, ridge)
    for name, weight in zip(confidence.NAMES, weights, strict=True):
        print(f"{name:10} {weight:7.2f}")
    print(", ".join(f"{weight:.2f}" for weight in weights))
    likely = 1 / (1 + np.exp(-rows @ weights))
    enough = float(np.quantile(likely[answerable], 0.05))
    refused = (likely[~answerable] < enough).mean()
    print(f"5 % of what has an answer lie under {enough:.3f}; of the rest {refused:.0%}")
    for low in np.arange(0, 1, 0.2):
        inside = (likely >= low) & (likely < low + 0.2)
        if inside.any():
            told, true = likely[inside].mean(), labels[inside].mean()
            print(f"from {low:.1f}: {inside.sum():4} questions, told {told:.2f}, true {true:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.eval.training", description=__doc__)
    parser.add_argument("part", choices=("ranking", "confidence"))
    parser.add_argument("--ridge", type=float, help="how much large weights are punished")
    given = parser.parse_args()
    if given.part == "ranking":
        asyncio.run(train_ranking(0.005 if given.ridge is None else given.ridge))
    else:
        asyncio.run(train_confidence(3.0 if given.ridge is None else given.ridge))


if __name__ == "__main__":
    main()
