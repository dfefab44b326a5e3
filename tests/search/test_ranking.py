"""Ranking: the contract's figures exactly, and a fusion that knows whom to believe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.search import ranking


@pytest.mark.parametrize(
    ("distance", "age", "authority", "expected"),
    [
        (None, 0, 1, 0.4),
        (None, 7, 1, 0.3),
        (0.2, 0, 0.85, 0.85),
        (0.5, 14, 0.85, 0.52),
        (None, 7, 0.7, 0.24),
        (None, 70, 0.5, 0.1002),
    ],
)
def test_the_contracts_evidence_scores(distance, age, authority, expected):
    assert ranking.evidence_score(ranking.semantic(distance), age, authority).score == expected


@pytest.mark.parametrize(
    ("evidence", "kinds", "chunks", "expected"),
    [
        (0, 3, 5, 0),
        (1, 1, 0, 16),
        (4, 2, 2, 49),
        (5, 1, 5, 57),
        (8, 1, 0, 44),
        (10, 3, 5, 100),
        (25, 4, 10, 100),
    ],
)
def test_the_contracts_quality(evidence, kinds, chunks, expected):
    assert ranking.quality_score(evidence, kinds, chunks) == expected


def test_authority():
    kinds = ("chatwoot_message", "rag_chunk", "linear_issue", "attio_opportunity", "linear_comment")
    assert [ranking.authority(kind) for kind in kinds] == [1, 0.85, 0.7, 0.5, 0.3]


def test_recency_of_the_future_and_of_no_date():
    assert (ranking.recency(-3), ranking.recency(None)) == (1.0, 0.0)


def test_ranking_stats():
    found = ranking.ranking_stats([0.3941, 0.3816, 0.3878])
    assert (found.avg_score, found.max_score, found.min_score, found.count) == (0.3878, 0.3941, 0.3816, 3)
    assert ranking.ranking_stats([]).count == 0


def test_fusion_prefers_what_both_sides_found():
    assert ranking.fused([1, 2, 3], [3, 4], "en", {}, ["en"])[0] == 3


def test_a_model_without_russian_only_fills_up_the_end():
    languages = dict.fromkeys(range(1, 8), "ru")
    assert ranking.fused([1, 2, 3], [7, 6, 5], "ru", languages, ["en"]) == [1, 2, 3, 7, 6, 5]
    assert ranking.fused([1, 2, 3], [7, 6, 5], "ru", languages, None)[1] == 7, (
        "a multilingual model is believed"
    )


def test_a_model_may_know_both_languages_and_not_the_way_between_them():
    both = {1: "ru", 2: "en"}
    assert ranking.trust("ru", "ru", ["ru", "en"]).vectors == 1
    assert ranking.trust("ru", "en", ["ru", "en"]).vectors < 0.1
    assert ranking.trust("ru", "en", ["ru", "en", "ru-en"]).vectors == 1
    assert ranking.trust("en", "ru", ["ru", "en", "ru-en"]).vectors < 0.1
    assert ranking.fused([3], [2, 1], "ru", both | {3: "ru"}, []) == [3, 2, 1], "one that knows nothing"


def test_an_english_question_does_not_believe_vectors_of_russian_texts():
    assert ranking.fused([1], [2, 3], "en", {1: "en", 2: "ru", 3: "en"}, ["en"]) == [1, 3, 2]


@given(st.lists(st.integers(0, 99), unique=True), st.lists(st.integers(0, 99), unique=True))
def test_fusion_keeps_everything_once(one, other):
    assert sorted(ranking.fused(one, other, "ru", {}, None)) == sorted({*one, *other})


def test_feedback_sinks_and_lifts():
    assert ranking.judged(0.8) == 0.8
    assert ranking.judged(0.8, -1.0) == pytest.approx(0.2)
    assert 0.8 < ranking.judged(0.8, 1.0) <= 1.0
    assert ranking.judged(0.8, -9.0) > 0


@given(st.floats(0, 1), st.floats(-9, 9))
def test_relevance_stays_in_bounds(relevance, verdict):
    assert 0 <= ranking.judged(relevance, verdict) <= 1
