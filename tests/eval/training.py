"""`python -m tests.eval.training`: fit the weights of the ranking on the tuning half, and print them.

A logistic model over the features of every text found for a question: 1 for those that answer it. Positive
and negative texts of a question weigh alike, so that long lists of wrong texts do not drown the right one.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctower_desktop.search import weighing
from ctower_desktop.search.model import LightragQuery
from ctower_desktop.search.retrieval import retrieve
from tests.eval.home import Judged, judged_home
from tests.eval.question import Question, load_questions

Numbers = NDArray[np.float64]
_RIGHT_SHARE = 0.25  # of the weight of a question


async def examples(judged: Judged, questions: list[Question]) -> tuple[Numbers, Numbers, Numbers]:
    """Features, labels and weights of everything found for the questions."""
    rows: list[tuple[float, ...]] = []
    labels: list[float] = []
    weights: list[float] = []
    for question in questions:
        call = judged.calls[question.project]
        ask = LightragQuery(query=question.text, top_k=50, source_limit=25, include_private=question.notes)
        found = await retrieve(judged.tower, call.project_id, ask)
        right = {name for group in question.answers for name in group}
        seen = {candidate.chunk.id: candidate for candidate in (*found.chunks, *found.evidence)}
        mine = [float(judged.names.get(c.chunk.source_pk, "") in right) for c in seen.values()]
        rows.extend(candidate.features for candidate in seen.values())
        labels.extend(mine)
        rights = max(sum(mine), 1.0)
        wrongs = max(len(mine) - sum(mine), 1.0)
        weights.extend(_RIGHT_SHARE / rights if label else (1 - _RIGHT_SHARE) / wrongs for label in mine)
    return np.array(rows), np.array(labels), np.array(weights)


def fitted(rows: Numbers, labels: Numbers, weights: Numbers, ridge: float) -> Numbers:
    """Newton's method with a ridge on everything but the bias."""
    found: Numbers = np.zeros(rows.shape[1])
    punished = np.full(rows.shape[1], ridge)
    punished[0] = 0.0
    for _ in range(50):
        likely = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weights * (likely - labels)) + punished * found
        curve: Any = (rows * (weights * likely * (1 - likely))[:, None]).T @ rows + np.diag(punished + 1e-9)
        step = np.linalg.solve(curve, slope)
        found = found - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return found


async def train(ridge: float, half: str) -> Numbers:
    """The weights for one half of the questions that have an answer."""
    questions = [q for q in load_questions() if q.half == half and q.expect == "answer"]
    with tempfile.TemporaryDirectory() as folder:
        async with judged_home(Path(folder)) as judged:
            rows, labels, weights = await examples(judged, questions)
    return fitted(rows, labels, weights, ridge)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.eval.training", description=__doc__)
    parser.add_argument("--ridge", type=float, default=0.1, help="how much large weights are punished")
    given = parser.parse_args()
    for name, weight in zip(weighing.NAMES, asyncio.run(train(given.ridge, "tune")), strict=True):
        print(f"{name:10} {weight:7.2f}")


if __name__ == "__main__":
    main()
