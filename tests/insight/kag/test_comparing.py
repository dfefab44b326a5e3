"""Days, signatures, likeness: pure."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.kag.days import Moved, normalised, went_wrong
from ctower_desktop.insight.kag.model import Evidence, Score, Signal
from ctower_desktop.insight.kag.signals import RULES
from ctower_desktop.insight.kag.similarity import (
    Context,
    Day,
    Signature,
    context,
    features,
    patterns,
    shared_patterns,
    similarity,
    why,
)

CALM = dict.fromkeys(RULES, 0.0)


def day(risk=0.0, health=100.0, events=0, **signals):
    return Day({**CALM, **signals}, risk, health, events)


def signature(features_=(0.0,) * 14, patterns_=(), kind=("sm", "delivery", "discovery")):
    return Signature(list(features_), list(patterns_), Context(*kind))


def test_fourteen_features():
    found = features(
        [
            day(risk=20, health=80, events=25, waiting_on_client_days=0, scope_creep_rate=0.1),
            day(risk=40, health=60, events=75, waiting_on_client_days=7, scope_creep_rate=0.3,
                blockers_age=3.5, stage_overdue=10, budget_burn_rate=1.5, margin_risk=0.4, activity_drop=0.2,
                sentiment_trend=-0.2),
        ]
    )  # fmt: skip
    assert found == [0.5, 0.25, 0.5, 0.4, 0.5, 0.2, 0.1, 0.25, 0.3, 0.3, 0.75, 0.5, 1.0, 0.5]
    assert features([day(sentiment_trend=0.9)])[7] == 0


def test_patterns_are_pairs_in_order_each_once():
    assert patterns(["a", "b", "a", "b", "c"]) == ["a>b", "b>a", "b>c"]
    assert patterns(["a"]) == []
    long = ["x", "y"] + ["a", "b"] * 600
    assert "x>y" not in patterns(long), "only the last thousand pairs count"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((250_000, "Acme support", "Proposal sent"), Context("xl", "support", "proposal")),
        ((100_000, "Growth for North", "negotiation"), Context("lg", "growth", "negotiation")),
        ((50_000, "Data migration", "Closed won"), Context("md", "migration", "won")),
        ((10_000, "CRM integration", "lost"), Context("sm", "integration", "lost")),
        ((9_999, "Кофейня «Север»", ""), Context("xs", "delivery", "discovery")),
    ],
)
def test_kinds_of_projects(given, expected):
    assert context(*given) == expected


def test_likeness():
    one = signature((0.5,) * 14, ("a>b", "b>c"))
    assert similarity(one, one) == 1.0
    other = signature((0.5,) * 13 + (1.0,), ("a>b", "c>d"), ("sm", "support", "won"))
    # .6/1.5 + .3·(1/3) + .1·.4
    assert similarity(one, other) == 0.54
    assert similarity(signature(), signature()) == 0.7, "two empty histories share no patterns"
    assert shared_patterns(one, other) == ["a>b"]


def test_why_is_said_in_words():
    one = signature((0.5,) + (0.0,) * 13, ("a>b",))
    assert why(one, one, "en") == [
        "similar figures: waiting for the client",
        "1 of the same sequences of events",
        "deals of the same size",
        "the same kind of project",
        "the same stage of the deal",
    ]
    assert why(one, signature(kind=("xl", "support", "won")), "ru") == []


def signals(**values):
    return [
        Signal(
            key,
            {**CALM, **values}[key],
            "ok",
            rule.warn,
            rule.critical,
            {},
            [Evidence(message_id=key)],
            "",
            "",
        )
        for key, rule in RULES.items()
    ]


def scores(risk=0.0, health=100.0):
    return [
        Score(kind, value, "low", {}, {}, [], [], "", "")
        for kind, value in (("risk", risk), ("project_health", health))
    ]


def test_signals_as_shares_of_what_is_critical():
    found = normalised(signals(waiting_on_client_days=2, blockers_age=50, sentiment_trend=-0.225))
    assert (found["waiting_on_client_days"], found["blockers_age"], found["sentiment_trend"]) == (0.5, 1, 0.5)
    assert normalised(signals(sentiment_trend=0.5))["sentiment_trend"] == 0


@pytest.mark.parametrize(
    ("facts", "totals", "expected"),
    [
        ({}, {}, []),
        ({"blockers_age": 5.1}, {}, [("delivery_risk", 4)]),
        ({"stage_overdue": 3.1}, {}, [("delivery_risk", 4)]),
        ({}, {"risk": 75}, [("delivery_risk", 4)]),
        ({}, {"risk": 85}, [("delivery_risk", 5)]),
        ({"budget_burn_rate": 1.2}, {}, [("finance_risk", 4)]),
        ({"budget_burn_rate": 1.3}, {}, [("finance_risk", 5)]),
        ({"margin_risk": 0.4}, {}, [("finance_risk", 4)]),
        ({"waiting_on_client_days": 4}, {}, [("client_risk", 4)]),
        ({"waiting_on_client_days": 6}, {}, [("client_risk", 5)]),
        ({"sentiment_trend": -0.3}, {}, [("client_risk", 4)]),
        ({}, {"health": 45}, [("client_risk", 4)]),
        ({"scope_creep_rate": 0.35}, {}, [("scope_risk", 4)]),
        ({"scope_creep_rate": 0.5}, {}, [("scope_risk", 5)]),
    ],
)
def test_what_went_wrong(facts, totals, expected):
    found = went_wrong(signals(**facts), scores(**totals), [])
    assert [(each.outcome_type, each.severity) for each in found] == expected
    assert all(each.evidence for each in found)


def test_a_lost_deal_is_a_lost_client():
    moved = [
        Moved(1, "Closed Lost", "Redesign", "d1"),
        Moved(2, "Churned", "Support", None),
        Moved(3, "Won", "x", "d3"),
    ]
    found = went_wrong(signals(), scores(), moved)
    assert [(e.outcome_type, e.severity, e.event_id, len(e.evidence)) for e in found] == [
        ("client_risk", 4, 1, 1),
        ("client_risk", 4, 2, 0),
    ]
