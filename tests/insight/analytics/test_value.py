"""Client value, discount tiers, and rows of messages with their answers: pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.insight.analytics.bursts import Said, bursts
from ctower_desktop.insight.analytics.money import finances, primary_currency
from ctower_desktop.insight.analytics.standing_store import Money
from ctower_desktop.insight.analytics.value import client_value, max_discount_pct


@pytest.mark.parametrize(
    ("given_", "value"),
    [
        ((0, 0, 0, 0), 22), ((0, 0, 100, 0), 64), ((5000, 10, 80, 1), 84), ((12000, 8, 98, 1), 92),
        ((20000, 20, 95, 0), 100), ((100000, 5, 60, 4), 57), ((0, 0, 0, 10), 0), ((1e6, 50, 100, 0), 100),
        ((-5, 0, 0, 0), 22),
    ],
)  # fmt: skip
def test_client_value_of_the_vectors(given_, value):
    """T32: the value of an empty project is 22."""
    assert client_value(*given_) == value


@pytest.mark.parametrize(
    ("value", "discount"),
    [
        (84, 14), (85, 18), (70, 14), (69, 10), (55, 10), (54, 7), (40, 7), (39, 5), (22, 5), ("85", 5),
        (None, 5), (float("nan"), 5), (True, 5),
    ],
)  # fmt: skip
def test_discount_of_the_vectors(value, discount):
    assert max_discount_pct(value) == discount


@given(st.floats(0, 1e12), st.integers(0, 10**6), st.floats(0, 100), st.integers(0, 1000), st.integers(0, 50))
def test_a_further_risk_never_makes_a_client_worth_more(revenue, messages, health, risks, more):
    value = client_value(revenue, messages, health, risks)
    assert 0 <= client_value(revenue, messages, health, risks + more) <= value <= 100


def said(*lines):
    types = {"in": ("0", "contact"), "out": ("1", "user"), "bot": ("1", "agent_bot"), "event": ("2", None)}
    return [Said(str(n), "c", *types[kind], f"2026-11-10T{at}:00.000Z") for n, (kind, at) in enumerate(lines)]


def test_a_row_of_client_messages_is_answered_once():
    """Fault absent: every incoming message counted as a question of its own."""
    found = bursts(
        said(("in", "10:00"), ("in", "10:30"), ("in", "10:59"), ("out", "11:00"), ("out", "11:30"))
    )
    assert [(b.messages, b.minutes) for b in found] == [(3, 60.0)]


def test_what_waits_is_told_apart():
    found = bursts(said(("in", "10:00"), ("out", "10:05"), ("in", "12:00"), ("in", "12:01")))
    assert [(b.messages, b.minutes, b.answered_at is None) for b in found] == [
        (1, 5.0, False),
        (2, None, True),
    ]


def test_a_machines_words_and_events_answer_nothing():
    found = bursts(said(("in", "10:00"), ("bot", "10:00"), ("event", "10:01"), ("out", "10:10")))
    assert [b.minutes for b in found] == [10.0]
    assert bursts(said(("out", "10:00"), ("event", "10:01"))) == []


@given(st.lists(st.sampled_from(["in", "out", "bot", "event"]), max_size=30))
def test_every_client_message_is_in_exactly_one_row(kinds):
    found = bursts(said(*((kind, f"{n // 60:02}:{n % 60:02}") for n, kind in enumerate(kinds))))
    assert sum(b.messages for b in found) == kinds.count("in")
    assert all(b.answered_at is not None for b in found[:-1])
    assert all(b.minutes >= 0 for b in found if b.minutes is not None)


def money(currency, *, project="p", **sums):
    zero = dict.fromkeys(Money.__struct_fields__, 0.0)
    return Money(**(zero | {"project_id": project, "currency": currency, "deals": 1} | sums))


def test_the_main_currency_is_the_one_most_deals_are_in():
    rows = [money("USD", deals=2), money("EUR", deals=3), money("", deals=9)]
    assert primary_currency(rows) == "EUR"
    assert primary_currency(rows, "RUB") == "RUB"
    assert primary_currency([money("GBP", deals=0)]) == "GBP"
    assert primary_currency([]) == "USD"


def test_nothing_is_added_across_currencies():
    """Fault absent: sums of money ignored the currency."""
    rows = [
        money("EUR", attio_pipeline=100.0, won=50.0, costs=20.0),
        money("USD", crm_pipeline=30.0),
        money("", crm_pipeline=1.0, project="q", revenue=10.0, won=99.0),
    ]
    eur, usd = finances(rows, "EUR")
    assert (eur.currency, eur.pipeline_amount, eur.gross_margin) == ("EUR", 101.0, 40.0)
    assert (usd.currency, usd.pipeline_amount, usd.gross_margin) == ("USD", 30.0, 0.0)
    assert finances([], "EUR")[0].pipeline_amount == 0.0
