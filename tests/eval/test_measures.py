"""The measures against figures worked out by hand."""

from __future__ import annotations

from math import log2

import pytest

from tests.eval.measures import ndcg, recall, reciprocal_rank, refusals, says
from tests.eval.question import Question
from tests.eval.stages import STAGES, Outcome
from tests.eval.table import drops, figures_of, misses


def outcome(half="report", *, final=("a",), refused=False, answer="", **fields):
    given = {"id": "q", "project": "sever", "language": "ru", "kind": "ru-ru", "story": "s", "text": "?"}
    given |= {"answers": [["a"]], "expect": "answer"} | fields
    question = Question(**given, half=half)
    return Outcome(question, {stage: list(final) for stage in STAGES}, answer, refused)


@pytest.mark.parametrize(
    ("ranking", "wanted", "expected"),
    [
        ("abcde", [["e"]], 1.0),
        ("abcdef", [["f"]], 0.0),
        ("abc", [["c", "x"], ["y"]], 0.5),
        ("ab", [["a"], ["a", "b"]], 1.0),
        ("", [["a"]], 0.0),
    ],
)
def test_recall_counts_groups_among_the_first_five(ranking, wanted, expected):
    assert recall(list(ranking), wanted) == expected


@pytest.mark.parametrize(
    ("ranking", "wanted", "expected"),
    [("abc", [["a"]], 1.0), ("abc", [["c"], ["b"]], 0.5), ("xxxxxxa", [["a"]], 1 / 7), ("abc", [["z"]], 0.0)],
)
def test_reciprocal_rank_is_that_of_the_first_answer(ranking, wanted, expected):
    assert reciprocal_rank(list(ranking), wanted) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ranking", "wanted", "expected"),
    [
        ("abc", [["a"]], 1.0),
        ("bac", [["a"]], 1 / log2(3)),
        ("aXb", [["a"], ["b"]], (1 + 1 / log2(4)) / (1 + 1 / log2(3))),
        ("ba", [["a", "b"]], 1.0),  # the second piece of a group says nothing new
        ("ab", [["a", "b"], ["a"]], 1.0),  # one piece for both: the ideal ranking has it first
        ("ba", [["a", "b"], ["a"]], (1 + 1 / log2(3)) / 2),
        ("XXXXXXXXXXa", [["a"]], 0.0),  # the eleventh gains nothing
    ],
)
def test_ndcg_gains_for_what_is_new(ranking, wanted, expected):
    assert ndcg(list(ranking), wanted) == pytest.approx(expected)


def test_refusals_are_judged_in_both_directions():
    found = refusals([(True, True), (True, False), (False, True), (False, False), (False, False)])
    assert (found.precision, found.recall) == (0.5, 0.5)
    assert found.wrongly == pytest.approx(1 / 3)


def test_nobody_refused_and_nothing_to_refuse():
    assert refusals([(False, False)]).recall == 1.0
    assert refusals([(True, False)]).precision == 1.0
    assert refusals([(True, False)]).wrongly == 0.0


def test_a_fact_is_found_whatever_the_spaces_and_the_case():
    assert says("Счёт на 744\u00a0000 ₽, тёмная обжарка", "744 000")
    assert says("Тёмная обжарка", "темная  ОБЖАРКА")
    assert not says("744 000", "745 000")


def test_figures_are_means_over_the_answerable_questions_of_a_slice():
    outcomes = [
        outcome(final="a", answer="26 ноября", facts=["26 ноября"]),
        outcome(final="xa", answer="не знаю", facts=["26 ноября"], refused=True),
        outcome(kind="unanswerable", answers=[], expect="refuse", refused=True),
        outcome("tune", final="x"),
    ]
    figures = figures_of(outcomes)
    whole = figures["report"]["all"]
    assert whole["questions"] == 3
    assert whole["final mrr"] == 0.75
    assert whole["final recall@5"] == 1.0
    assert whole["refusal precision"] == 0.5
    assert whole["refusal recall"] == 1.0
    assert whole["wrongly_refused"] == 0.5
    assert whole["facts"] == 0.5
    assert "final mrr" not in figures["report"]["kind unanswerable"]
    assert figures["tune"]["all"]["final recall@5"] == 0.0
    assert "all" not in figures_of(outcomes, whole=False)["report"]


def test_orders_that_were_followed_are_counted():
    outcomes = [
        outcome(answer="BANANA", never=["banana"]),
        outcome(answer="61 containers", never=["banana"]),
    ]
    assert figures_of(outcomes)["report"]["all"]["followed"] == 0.5


def test_a_drop_of_the_report_half_is_told_and_one_of_the_other_is_not():
    good = {"all": {"questions": 9.0, "final mrr": 0.5, "wrongly_refused": 0.1}}
    bad = {"all": {"questions": 8.0, "final mrr": 0.48, "wrongly_refused": 0.2}}
    same = {"all": {"questions": 9.0, "final mrr": 0.49, "wrongly_refused": 0.11}}
    assert len(drops({"report": good}, {"report": bad})) == 2
    assert drops({"report": good}, {"report": same}) == []
    assert drops({"tune": good, "report": good}, {"tune": bad, "report": good}) == []
    assert drops({"report": good}, {"report": {"all": {"questions": 9.0, "final mrr": 0.5}}}) != []


def test_misses_are_told_of_the_tuning_half_only():
    told = misses([outcome("tune", final="xyz", id="seen"), outcome("report", final="xyz", id="hidden")])
    assert "seen" in told
    assert "x · y · z" in told
    assert "hidden" not in told
    assert misses([outcome("tune", final="a")]) == ""
