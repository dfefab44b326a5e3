"""Health by its formula, causes in facts, and when a closed risk opens again."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.risk.causes import Budget, Cause, Facts, OpenSignal, Settled, causes, reopens
from ctower_desktop.insight.risk.health import health_of, rounded


@pytest.mark.parametrize(
    ("total", "overdue", "health"), [(0, 0, 100), (32.6, 1, 94.74), (50, 0, 95), (500, 20, 30)]
)
def test_health_of_the_vectors(total, overdue, health):
    found = health_of([total], overdue, 0)
    assert found.health_score == health
    assert found.total_pressure == rounded(100 - health)


def test_factors_have_ceilings_and_failed_runs_do_not_count():
    found = health_of([4.0] * 300, 99, 50)
    assert [(f.key, f.value, f.operational_only) for f in found.factors] == [
        ("signal_pressure", 40.0, False),
        ("overdue_pressure", 30.0, False),
        ("failed_job_pressure", 20.0, True),
    ]
    assert found.health_score == 30.0
    assert health_of([], 0, 3).health_score == 100.0


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [(2.675, 2, 2.68), (0.125, 2, 0.13), (-2.5, 0, -3.0), (1.005, 2, 1.01), (3.26, 2, 3.26), (2.5, 0, 3.0)],
)
def test_halves_are_rounded_up(value, places, expected):
    assert rounded(value, places) == expected


def facts(**changes):
    base = {
        "signals": [], "overdue": 0, "overdue_ids": [], "blocked": 0, "blocked_ids": [], "budgets": [],
        "entry_ids": [], "failed_runs": 0,
    }  # fmt: skip
    return Facts(**(base | changes))


def test_no_facts_no_causes():
    assert causes(facts(failed_runs=9), 0.0, "en") == []


def test_pressure_is_one_cause_with_the_severity_and_probability_of_the_contract():
    signals = [OpenSignal(f"s{n}", "delivery_risk", 4, 0.8) for n in range(30)]
    (cause,) = causes(facts(signals=signals, overdue=1, overdue_ids=["i1"]), 5.26, "en")
    assert (cause.key, cause.severity, cause.weight) == ("delivery_risk_cluster", 1, 0.0526)
    assert len(cause.evidence_refs) == 25
    assert causes(facts(), 70.0, "en")[0].severity == 4
    assert causes(facts(), 30.0, "en")[0].severity == 2, "1.5 is rounded up"


@pytest.mark.parametrize(
    ("changes", "key", "severity"),
    [
        ({"overdue": 3, "overdue_ids": ["i"]}, "deadline_slippage", 3),
        ({"overdue": 40, "overdue_ids": ["i"]}, "deadline_slippage", 5),
        ({"blocked": 3, "blocked_ids": ["i"]}, "blocked_work", 3),
        ({"budgets": [Budget("EUR", 1000, 800), Budget("USD", 1000, 10)]}, "budget_overrun", 3),
        ({"budgets": [Budget("EUR", 1000, 1200)]}, "budget_overrun", 5),
        ({"signals": [OpenSignal("s", "scope_change", 4, 0.9)]}, "scope_growth", 4),
    ],
)
def test_every_other_cause_is_a_risk_of_its_own(changes, key, severity):
    (cause,) = causes(facts(**changes), 0.0, "en")
    assert (cause.key, cause.severity) == (key, severity)
    assert 0 < cause.weight <= 1


def test_what_is_little_is_no_cause():
    little = facts(overdue=2, blocked=2, budgets=[Budget("EUR", 1000, 799), Budget("USD", 0, 50)])
    assert causes(little, 0.0, "en") == []


@pytest.mark.parametrize(
    ("past", "severity", "expected"),
    [
        (Settled("open", None, None, None, 0), 3, False),
        (Settled("closed", "system", 3, "2026-11-01", 0), 1, True),
        (Settled("closed", "user", 3, None, 0), 3, False),
        (Settled("closed", "user", 3, None, 0), 4, True),
        (Settled("closed", "user", 3, "2026-11-02", 0), 1, True),
    ],
)
def test_a_closed_risk_opens_again_only_when_its_cause_returned_or_grew(past, severity, expected):
    assert reopens(past, Cause("deadline_slippage", "x", severity, 0.5, [], ["x"])) is expected


@pytest.mark.parametrize(
    ("changes", "english", "russian"),
    [
        (
            {"signals": [OpenSignal("m", "silence", 2, 0.7)] * 2, "overdue": 1},
            "Delivery pressure 4.28 of 70: 2 open signals, 1 overdue issue",
            "Давление на проект 4,28 из 70: 2 открытых сигнала, 1 просроченная задача",
        ),
        ({"overdue": 5}, "Deadlines slip: 5 issues overdue", "Сроки срываются: 5 задач просрочено"),
        ({"blocked": 4}, "Work is stuck: 4 issues blocked", "Работа стоит: 4 задачи заблокированы"),
        ({"blocked": 21}, "Work is stuck: 21 issues blocked", "Работа стоит: 21 задача заблокирована"),
        (
            {"budgets": [Budget("RUB", 400_000, 380_000)]},
            "Budget: 95% of 400,000 RUB spent",
            "Бюджет: потрачено 95\N{NO-BREAK SPACE}% от 400\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}RUB",
        ),
        (
            {"signals": [OpenSignal("m", "scope_change", 3, 0.7)]},
            "Scope grows: 1 request beyond the agreement",
            "Объём растёт: 1 просьба сверх договорённости",
        ),
    ],
)
def test_risks_are_told_in_the_language_of_the_user(changes, english, russian):
    total = 4.28 if english.startswith("Delivery") else 0.0
    for language, title in (("en", english), ("ru", russian)):
        (cause,) = causes(facts(**changes), total, language)
        assert cause.title == title
        assert len(cause.playbook) == 4
    assert causes(facts(overdue=3), 0.0, "ru")[0].playbook != causes(facts(overdue=3), 0.0, "en")[0].playbook
