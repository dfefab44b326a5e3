"""The figures of the contract's appendix B for KAG, and the tables of formulas around them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ctower_desktop.insight.kag.action_store import wait_minutes
from ctower_desktop.insight.kag.forecast import floor, forecast, norms, outlook, precedent
from ctower_desktop.insight.kag.gate import Demands, judge, links, quality
from ctower_desktop.insight.kag.model import RISK_TYPES, Case, Evidence
from ctower_desktop.insight.kag.scores import (
    HEALTH_WEIGHTS,
    RISK_WEIGHTS,
    components,
    health_level,
    risk_level,
    upsell_level,
    value_level,
    weigh,
)
from ctower_desktop.insight.kag.signals import RULES, Finance, measure, status_of
from ctower_desktop.insight.kag.state import State
from ctower_desktop.kernel.system import as_text

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
CALM = dict.fromkeys(RULES, 0.0)


def values(**more):
    return {**CALM, **more}


def waiting(days: float):
    return State(team_at=as_text(NOW - timedelta(days=days)))


def scores_of(state=None, finance=None):
    found = weigh(measure(state or State(), finance or Finance(), NOW), [])
    return {score.score_type: score for score in found}


def test_waiting_four_days_only():
    signals = {s.signal_key: s for s in measure(waiting(4), Finance(), NOW)}
    assert (signals["waiting_on_client_days"].value, signals["waiting_on_client_days"].status) == (
        4,
        "critical",
    )
    found = scores_of(waiting(4))
    assert found["project_health"].score == 93.33
    assert found["risk"].score == 4.0


def test_weights_add_up():
    assert sum(HEALTH_WEIGHTS.values()) == pytest.approx(1)
    assert sum(RISK_WEIGHTS.values()) == pytest.approx(1)
    assert HEALTH_WEIGHTS.keys() == RISK_WEIGHTS.keys() == RULES.keys()


@pytest.mark.parametrize(
    ("baseline", "similar", "cases", "evidence", "expected"),
    [
        (0.62, 0.0, 0, 1, (0.465, 0.5292, 0.6139, 17.44, 0.36)),
        (0.0, 0.0, 0, 0, (0.0, 0.12, 0.2784, 30.86, 0.35)),
        (0.62, 0.8, 3, 10, (0.665, 0.7534, 0.8412, 8.35, 0.69)),
    ],
)
def test_three_horizons(baseline, similar, cases, evidence, expected):
    found = outlook("client_risk", baseline, similar=similar, cases=cases, evidence=evidence, drivers={})
    assert (
        found.probability_7d,
        found.probability_14d,
        found.probability_30d,
        found.expected_time_to_risk_days,
        found.confidence,
    ) == expected
    assert found.publishable is (evidence > 0)


def test_a_forecast_takes_the_floor_where_a_plain_fact_says_more_than_the_sum():
    evidence = {risk: [Evidence(message_id="m")] if risk == "client_risk" else [] for risk in RISK_TYPES}
    found = {f.risk_type: f for f in forecast(values(waiting_on_client_days=4), 4.0, 0, [], evidence)}
    assert found["client_risk"].probability_7d == 0.465
    assert found["client_risk"].top_drivers[0] == {"driver": "waiting", "value": 0.6667}
    assert len(found["client_risk"].top_drivers) == 4
    assert [found[risk].publishable for risk in RISK_TYPES] == [True, False, False, False]


@pytest.mark.parametrize(
    ("risk", "facts", "blockers", "least"),
    [
        ("client_risk", {"waiting_on_client_days": 4}, 0, 0.62),
        ("client_risk", {"waiting_on_client_days": 3.9}, 0, 0.0),
        ("client_risk", {"sentiment_trend": -0.25}, 0, 0.55),
        ("delivery_risk", {"blockers_age": 5}, 3, 0.62),
        ("delivery_risk", {"blockers_age": 5}, 2, 0.0),
        ("delivery_risk", {"stage_overdue": 3}, 0, 0.58),
        ("finance_risk", {"budget_burn_rate": 1.2}, 0, 0.62),
        ("finance_risk", {"margin_risk": 0.4}, 0, 0.62),
        ("scope_risk", {"scope_creep_rate": 0.35}, 0, 0.60),
        ("scope_risk", {"scope_creep_rate": 0.34}, 0, 0.0),
    ],
)
def test_floors(risk, facts, blockers, least):
    assert floor(risk, values(**facts), blockers) == least


def test_norms_are_shares_of_the_worst():
    found = norms(values(waiting_on_client_days=12, response_time_avg=360, budget_burn_rate=1.25,
                         sentiment_trend=-0.2, scope_creep_rate=0.25, margin_risk=0.3), 50)  # fmt: skip
    assert found == {
        "waiting": 1.0, "response": 0.5, "blockers": 0.0, "stage": 0.0, "scope": 0.5, "burn": 0.5,
        "margin": 0.3, "sentiment": 0.5, "activity": 0.0, "risk": 0.5,
    }  # fmt: skip
    assert norms(values(sentiment_trend=0.4), 0)["sentiment"] == 0, "a better mood is no risk"


def case(similarity: float, *outcomes: tuple[str, int]) -> Case:
    seen = [{"outcome_type": kind, "severity": severity, "evidence_count": 1} for kind, severity in outcomes]
    return Case("p", "P", similarity, [], [], seen, "")


def test_precedents_count_by_likeness():
    assert precedent("client_risk", []) == 0
    assert precedent("client_risk", [case(0.5, ("client_risk", 4))]) == 0.8
    assert precedent("client_risk", [case(0.5, ("scope_risk", 4))]) == 0
    found = precedent("client_risk", [case(0.6, ("client_risk", 5), ("client_risk", 4)), case(0.3)])
    assert found == pytest.approx(0.6 * 0.9 / 0.9)


@pytest.mark.parametrize(
    ("count", "kinds", "primary", "good", "status"),
    [
        (1, 1, True, 0.3917, "hidden"),
        (2, 1, True, 0.5167, "visible"),
        (2, 1, False, 0.3667, "hidden"),
        (4, 3, True, 1.0, "visible"),
    ],
)
def test_the_gate(count, kinds, primary, good, status):
    assert quality(count, kinds, primary=primary) == good
    names = ["message_id", "linear_issue_id", "attio_record_id"] if primary else ["rag_chunk_id"]
    refs = [Evidence(**{names[n % kinds]: str(n)}) for n in range(count)]
    verdict = judge(refs, Demands())
    assert (verdict.status, verdict.quality, verdict.count) == (status, good, count)


def test_the_gate_says_why():
    one, chunk = Evidence(message_id="m"), Evidence(rag_chunk_id="c")
    assert judge([one], Demands()).reason == "insufficient_evidence_count_1_lt_2"
    assert judge([chunk, chunk], Demands()).reason == "missing_primary_source"
    assert judge([chunk, chunk], Demands(secondary_only=True)).status == "visible"
    strict = Demands(min_quality=0.6)
    assert judge([one, one], strict).reason == "low_evidence_quality_0.5167_lt_0.6"


def test_links_lead_to_the_evidence():
    refs = [
        Evidence(message_id="cwmsg:1"),
        Evidence(linear_issue_id="abc"),
        Evidence(attio_record_id="d1"),
        Evidence(doc_url="https://linear.app/p"),
        Evidence(rag_chunk_id="c"),
    ]
    assert links(refs) == [
        "chatwoot://message/cwmsg:1",
        "linear://issue/abc",
        "attio://record/d1",
        "https://linear.app/p",
    ]
    assert len(links([Evidence(message_id=str(n)) for n in range(30)])) == 20


@pytest.mark.parametrize(
    ("key", "steps"),
    [
        ("waiting_on_client_days", [(1.9, "ok"), (2, "warn"), (4, "critical")]),
        ("response_time_avg", [(239, "ok"), (240, "warn"), (720, "critical")]),
        ("blockers_age", [(2.9, "ok"), (3, "warn"), (5, "critical")]),
        ("stage_overdue", [(0.9, "ok"), (1, "warn"), (3, "critical")]),
        ("agreement_overdue_count", [(0, "ok"), (1, "warn"), (2, "critical")]),
        ("sentiment_trend", [(-0.14, "ok"), (-0.15, "warn"), (-0.3, "critical"), (0.9, "ok")]),
        ("scope_creep_rate", [(0.19, "ok"), (0.2, "warn"), (0.35, "critical")]),
        ("budget_burn_rate", [(1.09, "ok"), (1.1, "warn"), (1.2, "critical")]),
        ("margin_risk", [(0.24, "ok"), (0.25, "warn"), (0.4, "critical")]),
        ("activity_drop", [(0.29, "ok"), (0.3, "warn"), (0.5, "critical")]),
    ],
)
def test_thresholds(key, steps):
    assert [status_of(key, value) for value, _ in steps] == [status for _, status in steps]


def test_components_of_risk():
    found = components(
        values(waiting_on_client_days=3, response_time_avg=72, blockers_age=3.5, stage_overdue=1,
               agreement_overdue_count=2, sentiment_trend=-0.1, scope_creep_rate=0.2, budget_burn_rate=1.1,
               margin_risk=0.5, activity_drop=0.25)
    )  # fmt: skip
    assert {key: round(part, 6) for key, part in found.items()} == {
        "waiting_on_client_days": 50, "response_time_avg": 10, "blockers_age": 50, "stage_overdue": 20,
        "agreement_overdue_count": 80, "sentiment_trend": 30, "scope_creep_rate": 50, "budget_burn_rate": 50,
        "margin_risk": 50, "activity_drop": 25,
    }  # fmt: skip
    assert components(values(sentiment_trend=0.5))["sentiment_trend"] == 0
    assert components(values(agreement_overdue_count=9))["agreement_overdue_count"] == 100


def test_client_value_and_the_chance_to_sell_more():
    found = scores_of(finance=Finance(revenue=50_000, actual_cost=10_000, planned_budget=20_000))
    # .30·50 + .25·100 + .20·100 + .10·50 + .15·100
    assert found["client_value"].score == 80.0
    # .40·80 + .35·0 + .25·100
    assert found["upsell_likelihood"].score == 57.0
    assert (found["client_value"].level, found["upsell_likelihood"].level) == ("high", "medium")
    assert found["client_value"].thresholds == {"warning_from": 60, "critical_from": 75}
    assert found["project_health"].thresholds == {"warning_below": 70, "critical_below": 50}


def test_levels():
    assert [health_level(s) for s in (39, 40, 59, 60, 74, 75)] == [
        "critical", "high", "high", "medium", "medium", "low"]  # fmt: skip
    assert [risk_level(s) for s in (44, 45, 65, 80)] == ["low", "medium", "high", "critical"]
    assert [value_level(s) for s in (24, 25, 60, 80)] == ["critical", "low", "medium", "high"]
    assert [upsell_level(s) for s in (39, 40, 65, 80)] == ["low", "medium", "high", "critical"]


@pytest.mark.parametrize(
    ("finance", "burn", "margin"),
    [
        (Finance(), 0, 0),
        (Finance(actual_cost=10), 1.5, 1),
        (Finance(planned_budget=100, actual_cost=120), 1.2, 1),
        (Finance(planned_budget=100, actual_cost=80, revenue=100), 0.8, 0.4286),
        (Finance(revenue=100, actual_cost=10), 1.5, 0),
    ],
)
def test_money(finance, burn, margin):
    found = {s.signal_key: s.value for s in measure(State(), finance, NOW)}
    assert (found["budget_burn_rate"], found["margin_risk"]) == (burn, margin)


def test_the_wait_for_another_try_doubles_up_to_two_hours():
    assert [wait_minutes(n) for n in (0, 1, 2, 3, 6, 7, 50)] == [1, 2, 4, 8, 64, 120, 120]
