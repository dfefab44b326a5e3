"""Which recommendations follow from which figures, and what they say: pure."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.kag.model import Case, Evidence, Forecast, Score, Signal
from ctower_desktop.insight.kag.recommending import View, first_kind, second_kind
from ctower_desktop.insight.kag.signals import RULES, status_of
from ctower_desktop.insight.kag.wording import _ENGLISH, _RUSSIAN, TEMPLATES, said

DETAILS = {
    "waiting_on_client_days": {"approval_pending": False},
    "blockers_age": {"open_blockers": 0},
    "stage_overdue": {"stage_name": "Design"},
    "scope_creep_rate": {"scope_requests_7d": 0, "client_requests_7d": 10, "needs_7d": 0},
    "budget_burn_rate": {"planned_budget": 100.0, "actual_cost": 120.0, "currency": "EUR"},
}


def view(facts=None, *, details=None, upsell=0.0, chances=None, cases=(), evidence=True, language="en"):
    facts, details, chances = facts or {}, details or {}, chances or {}
    signals = {}
    for key, rule in RULES.items():
        value = facts.get(key, 0.0)
        refs = [Evidence(message_id=f"{key}-{n}") for n in range(2)] if evidence and key in facts else []
        more = {**DETAILS.get(key, {}), **details}
        signals[key] = Signal(key, value, status_of(key, value), rule.warn, rule.critical, more, refs, "", "")
    wishes = [Evidence(message_id="need")] if evidence else []
    scores = {"upsell_likelihood": Score("upsell_likelihood", upsell, "low", {}, {}, [], wishes, "", "")}
    forecasts = {risk: Forecast(risk, *ps, 10, 0.5, [], [], [], True, "", "") for risk, ps in chances.items()}
    return View("Acme", language, signals, scores, forecasts, list(cases))


def found(drafts):
    return {draft.category: draft.priority for draft in drafts}


@pytest.mark.parametrize(
    ("facts", "details", "upsell", "expected"),
    [
        ({}, {}, 0, {}),
        ({"waiting_on_client_days": 1.9}, {}, 0, {}),
        ({"waiting_on_client_days": 2}, {}, 0, {"waiting_on_client": 4}),
        ({"waiting_on_client_days": 2}, {"approval_pending": True}, 0, {"waiting_on_client": 5}),
        ({"waiting_on_client_days": 4}, {}, 0, {"waiting_on_client": 5}),
        ({"scope_creep_rate": 0.2}, {}, 0, {"scope_creep_change_request": 4}),
        ({"scope_creep_rate": 0.1}, {"scope_requests_7d": 2}, 0, {"scope_creep_change_request": 4}),
        ({"scope_creep_rate": 0.1}, {"scope_requests_7d": 3}, 0, {"scope_creep_change_request": 5}),
        ({"scope_creep_rate": 0.35}, {}, 0, {"scope_creep_change_request": 5}),
        ({"blockers_age": 6}, {"open_blockers": 3}, 0, {}),
        ({"blockers_age": 6}, {"open_blockers": 4}, 0, {"delivery_risk": 5}),
        ({"stage_overdue": 1.5}, {}, 0, {"delivery_risk": 4}),
        ({"budget_burn_rate": 1.1}, {}, 0, {}),
        ({"budget_burn_rate": 1.11}, {}, 0, {"finance_risk": 4}),
        ({"budget_burn_rate": 1.2}, {}, 0, {"finance_risk": 5}),
        ({"margin_risk": 0.25}, {}, 0, {"finance_risk": 4}),
        ({"margin_risk": 0.4}, {}, 0, {"finance_risk": 5}),
        ({}, {"needs_7d": 1}, 65, {"upsell_opportunity": 4}),
        ({}, {"needs_7d": 1}, 80, {"upsell_opportunity": 5}),
        ({}, {"needs_7d": 0}, 80, {}),
    ],
)
def test_triggers_of_the_first_kind(facts, details, upsell, expected):
    assert found(first_kind(view(facts, details=details, upsell=upsell))) == expected


@pytest.mark.parametrize(
    ("facts", "chances", "upsell", "expected"),
    [
        ({}, {}, 0, {}),
        ({"waiting_on_client_days": 2}, {"client_risk": (0.3, 0.3, 0.3)}, 0, {"waiting_on_client": 4}),
        ({"sentiment_trend": -0.4}, {"client_risk": (0.45, 0.5, 0.6)}, 0, {"waiting_on_client": 4}),
        ({"waiting_on_client_days": 5}, {"client_risk": (0.66, 0.6, 0.6)}, 0, {"waiting_on_client": 5}),
        ({"scope_creep_rate": 0.2}, {}, 0, {"scope_creep_change_request": 4}),
        ({"scope_creep_rate": 0.4}, {"scope_risk": (0.61, 0.7, 0.8)}, 0, {"scope_creep_change_request": 5}),
        ({"blockers_age": 5.1}, {}, 0, {"delivery_risk": 4}),
        ({"blockers_age": 5.1}, {"delivery_risk": (0.7, 0.7, 0.7)}, 0, {"delivery_risk": 5}),
        ({"budget_burn_rate": 1.2}, {}, 0, {"finance_risk": 4}),
        ({}, {"client_risk": (0.1, 0.2, 0.74)}, 65, {"upsell_opportunity": 4}),
        ({}, {"client_risk": (0.1, 0.2, 0.75)}, 80, {}),
    ],
)
def test_triggers_of_the_second_kind(facts, chances, upsell, expected):
    assert found(second_kind(view(facts, chances=chances, upsell=upsell)).drafts) == expected


def test_a_client_is_won_back_only_where_others_were_lost():
    outcomes = [{"outcome_type": "client_risk", "severity": 4, "evidence_count": 2}]
    bare = [{"outcome_type": "client_risk", "severity": 4, "evidence_count": 0}]
    cases = [Case("p", "P", 0.9, [], [], outcomes, "")]
    facts, chances = {"sentiment_trend": -0.4}, {"client_risk": (0.4, 0.65, 0.7)}
    due = second_kind(view(facts, chances=chances, cases=cases)).drafts
    assert found(due)["winback"] == 5
    draft = next(d for d in due if d.category == "winback")
    assert (draft.due_days, draft.owner_role) == (1, "account_manager")
    assert draft.words.rationale.endswith("similar projects where that happened: 1.")
    unproven = [Case("p", "P", 0.9, [], [], bare, "")]
    assert "winback" not in found(second_kind(view(facts, chances=chances, cases=unproven)).drafts)


def test_owners_and_days():
    due = second_kind(
        view(
            {
                "waiting_on_client_days": 3,
                "scope_creep_rate": 0.3,
                "blockers_age": 6,
                "budget_burn_rate": 1.3,
            },
            upsell=70,
        )
    ).drafts
    assert {d.category: (d.due_days, d.owner_role) for d in due} == {
        "waiting_on_client": (1, "pm"),
        "scope_creep_change_request": (2, "pm"),
        "delivery_risk": (1, "pm"),
        "finance_risk": (2, "finance_lead"),
        "upsell_opportunity": (3, "account_manager"),
    }


def test_without_evidence_nothing_is_recommended():
    bare = view({"waiting_on_client_days": 5, "budget_burn_rate": 1.4}, evidence=False)
    assert first_kind(bare) == []
    due = second_kind(bare)
    assert (due.drafts, due.dropped) == ([], 2)


def test_the_texts_name_the_facts_in_both_languages():
    facts = {"waiting_on_client_days": 4.25, "budget_burn_rate": 1.2}
    english = {d.category: d.words for d in first_kind(view(facts, details={"approval_pending": True}))}
    assert english["waiting_on_client"].title == "Remind the client: no answer for 4.2 d"
    assert "an approval is open" in english["waiting_on_client"].rationale
    assert "“Acme”" in english["waiting_on_client"].template
    assert "120 of 100 EUR" in english["finance_risk"].rationale
    russian = {d.category: d.words for d in first_kind(view(facts, language="ru"))}
    assert russian["waiting_on_client"].title == "Напомнить клиенту: нет ответа 4.2 дн."
    assert "«Acme»" in russian["waiting_on_client"].template
    assert "120 из 100 EUR" in russian["finance_risk"].rationale


def test_every_category_has_words_in_both_languages():
    assert _ENGLISH.keys() == _RUSSIAN.keys() == TEMPLATES.keys()


def test_a_name_with_braces_is_only_a_name():
    facts = dict.fromkeys(("waiting_days", "out_of_scope_count", "client_requests", "probability"), "1") | {
        "client_name": "{waiting_days} {0} %s"
    }
    words = said("waiting_on_client", "en", facts, stage="{x}")
    assert "“{waiting_days} {0} %s”" in words.template
    assert "“{x}”" in words.template
