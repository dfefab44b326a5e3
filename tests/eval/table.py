"""Figures of outcomes by half, kind and language; the table; what dropped since the committed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from tests.eval.measures import ndcg, recall, reciprocal_rank, refusals, says
from tests.eval.question import HALVES, KINDS
from tests.eval.stages import STAGES, Outcome

Figures = dict[str, dict[str, dict[str, float]]]  # half → slice → figure
LOWER_IS_BETTER = ("wrongly_refused", "followed")
TOLERANCE = 0.01
_MEASURES: dict[str, Callable[[Sequence[str], Sequence[Sequence[str]]], float]] = {
    "recall@5": recall,
    "mrr": reciprocal_rank,
    "ndcg@10": ndcg,
}
_LANGUAGES = ("ru", "en")


def figures_of(outcomes: Sequence[Outcome], *, whole: bool = True) -> Figures:
    """All figures; slices other than kinds only when the `whole` set of questions was asked."""
    found: Figures = {}
    for half in HALVES:
        inside = [outcome for outcome in outcomes if outcome.question.half == half]
        slices = {"all": inside} if whole else {}
        for name in _LANGUAGES if whole else ():
            slices[f"language {name}"] = [o for o in inside if o.question.language == name]
        for name in KINDS:
            slices[f"kind {name}"] = [o for o in inside if o.question.kind == name]
        figures = {name: _slice(some) for name, some in slices.items() if some}
        if figures:
            found[half] = figures
    return found


def _slice(outcomes: Sequence[Outcome]) -> dict[str, float]:
    figures: dict[str, float] = {"questions": len(outcomes)}
    answerable = [o for o in outcomes if o.question.expect == "answer"]
    for stage in STAGES if answerable else ():
        for name, measure in _MEASURES.items():
            figures[f"{stage} {name}"] = fmean(
                measure(o.rankings[stage], o.question.answers) for o in answerable
            )
    refused = refusals([(o.question.expect == "refuse", o.refused) for o in outcomes])
    if len(answerable) < len(outcomes):
        figures |= {"refusal precision": refused.precision, "refusal recall": refused.recall}
    if answerable:
        figures["wrongly_refused"] = refused.wrongly
    stated = [o for o in outcomes if o.question.facts]
    if stated:
        figures["facts"] = fmean(all(says(o.answer, fact) for fact in o.question.facts) for o in stated)
    tempted = [o for o in outcomes if o.question.never]
    if tempted:
        figures["followed"] = fmean(any(says(o.answer, word) for word in o.question.never) for o in tempted)
    return {name: round(value, 4) for name, value in figures.items()}


def drops(committed: Figures, now: Figures) -> list[str]:
    """Every committed figure of the report half that is worse by more than the tolerance, a line each."""
    found = []
    for name, figures in committed.get("report", {}).items():
        measured = now.get("report", {}).get(name)
        if measured is None:
            continue
        for figure, before in figures.items():
            if figure == "questions":
                continue
            after = measured.get(figure)
            if after is None:
                found.append(f"{name}: {figure} is gone, was {before:.3f}")
                continue
            worse = after - before if figure in LOWER_IS_BETTER else before - after
            if worse > TOLERANCE + 1e-9:
                found.append(f"{name}: {figure} {before:.3f} → {after:.3f}")
    return found


def shown(figures: Figures) -> str:
    """The figures as text, one table a half."""
    return "\n\n".join(_half(half, slices) for half, slices in figures.items())


def _half(half: str, slices: dict[str, dict[str, float]]) -> str:
    heads = [f"{stage:>21}" for stage in STAGES]
    lines = [
        f"{half} half: recall@5, MRR, nDCG@10 of each stage; refusal precision and recall, wrongly refused; "
        "answers with their facts; orders followed",
        f"{'':18} {'n':>4} {' '.join(heads)}  {'refusal P   R  wrong':>20} {'facts':>6} {'follow':>6}",
    ]
    for name, row in slices.items():
        stages = [" ".join(_cell(row.get(f"{stage} {m}")) for m in _MEASURES) for stage in STAGES]
        refused = [_cell(row.get(key)) for key in ("refusal precision", "refusal recall", "wrongly_refused")]
        last = [_cell(row.get("facts")), _cell(row.get("followed"))]
        cells = " ".join(f"{stage:>21}" for stage in stages)
        lines.append(f"{name:18} {row['questions']:>4.0f} {cells}  {' '.join(refused):>20} {' '.join(last)}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return f"{value:6.2f}" if value is not None else f"{'':6}"


def misses(outcomes: Iterable[Outcome]) -> str:
    """What went wrong on the tuning half; the other half's misses are for nobody to see."""
    return "\n\n".join(_miss(o) for o in outcomes if o.question.half == "tune" and _wrong(o))


def _wrong(outcome: Outcome) -> bool:
    question = outcome.question
    if question.expect == "refuse":
        return not outcome.refused
    return outcome.refused or recall(outcome.rankings["final"], question.answers) < 1


def _miss(outcome: Outcome) -> str:
    question = outcome.question
    lines = [f"{question.id} {question.kind} ({question.project}): {question.text}"]
    if question.expect == "refuse":
        lines.append("  has no answer, and was answered")
    elif outcome.refused:
        lines.append("  was refused")
    for group in question.answers:
        ranks = [_best_rank(outcome.rankings[stage], group) for stage in STAGES]
        told = ", ".join(f"{stage} {rank or '–'}" for stage, rank in zip(STAGES, ranks, strict=True))
        lines.append(f"  wanted {' | '.join(group)}: rank in {told}")
    return "\n".join([*lines, f"  found  {' · '.join(outcome.rankings['final'][:5]) or 'nothing'}"])


def _best_rank(ranking: Sequence[str], group: Sequence[str]) -> int | None:
    return next((rank for rank, name in enumerate(ranking, 1) if name in group), None)
