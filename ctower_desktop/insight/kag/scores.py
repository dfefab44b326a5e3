"""Signals weighed into four scores from 0 to 100. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ctower_desktop.insight.kag.model import Evidence, Level, Score, ScoreType, Signal, SignalKey

MOST_EVIDENCE = 60
HEALTH_WEIGHTS: dict[SignalKey, float] = {
    "waiting_on_client_days": 0.10,
    "response_time_avg": 0.08,
    "blockers_age": 0.15,
    "stage_overdue": 0.15,
    "agreement_overdue_count": 0.10,
    "sentiment_trend": 0.08,
    "scope_creep_rate": 0.10,
    "budget_burn_rate": 0.10,
    "margin_risk": 0.08,
    "activity_drop": 0.06,
}
RISK_WEIGHTS: dict[SignalKey, float] = {
    "blockers_age": 0.18,
    "stage_overdue": 0.18,
    "budget_burn_rate": 0.16,
    "margin_risk": 0.16,
    "scope_creep_rate": 0.10,
    "agreement_overdue_count": 0.08,
    "waiting_on_client_days": 0.06,
    "response_time_avg": 0.04,
    "sentiment_trend": 0.02,
    "activity_drop": 0.02,
}
VALUE_WEIGHTS = {"revenue": 0.30, "margin": 0.25, "activity": 0.20, "sentiment": 0.10, "health": 0.15}
UPSELL_WEIGHTS = {"client_value": 0.40, "needs": 0.35, "stability": 0.25}
THRESHOLDS: dict[ScoreType, dict[str, float]] = {
    "project_health": {"warning_below": 70.0, "critical_below": 50.0},
    "risk": {"warning_from": 60.0, "critical_from": 75.0},
    "client_value": {"warning_from": 60.0, "critical_from": 75.0},
    "upsell_likelihood": {"warning_from": 55.0, "critical_from": 70.0},
}
_Made: TypeAlias = "tuple[ScoreType, float, Level, Mapping[Any, float], Mapping[Any, float]]"


def clamp(value: float, low: float = 0.0, high: float = 100.0) -> float:
    """`value`, or the nearest bound."""
    return min(high, max(low, value))


def components(values: Mapping[SignalKey, float]) -> dict[SignalKey, float]:
    """How much each sign speaks of risk, 0 to 100."""
    sentiment = values["sentiment_trend"]
    burn = values["budget_burn_rate"]
    return {
        "waiting_on_client_days": clamp(values["waiting_on_client_days"] / 6 * 100),
        "response_time_avg": clamp(values["response_time_avg"] / 720 * 100),
        "blockers_age": clamp(values["blockers_age"] / 7 * 100),
        "stage_overdue": clamp(values["stage_overdue"] / 5 * 100),
        "agreement_overdue_count": clamp(values["agreement_overdue_count"] * 40),
        "sentiment_trend": clamp(-sentiment * 300) if sentiment < 0 else 0.0,
        "scope_creep_rate": clamp(values["scope_creep_rate"] * 250),
        "budget_burn_rate": clamp((burn - 1) * 500) if burn > 1 else 0.0,
        "margin_risk": clamp(values["margin_risk"] * 100),
        "activity_drop": clamp(values["activity_drop"] * 100),
    }


def weigh(signals: list[Signal], needs: list[Evidence]) -> list[Score]:
    """The four scores; `needs` is where clients said what more they want."""
    values = {signal.signal_key: signal.value for signal in signals}
    details = {signal.signal_key: signal.details for signal in signals}
    parts = components(values)
    health = clamp(100 - sum(HEALTH_WEIGHTS[key] * part for key, part in parts.items()))
    risk = clamp(sum(RISK_WEIGHTS[key] * part for key, part in parts.items()))
    worth = {
        "revenue": clamp(details["margin_risk"]["revenue"] / 1_000),
        "margin": 100 - parts["margin_risk"],
        "activity": 100 - parts["activity_drop"],
        "sentiment": clamp((details["sentiment_trend"]["ewma"] + 1) * 50),
        "health": health,
    }
    value = clamp(sum(VALUE_WEIGHTS[name] * part for name, part in worth.items()))
    scope, wanted = (details["scope_creep_rate"][name] for name in ("scope_requests_7d", "needs_7d"))
    chances = {
        "client_value": value,
        "needs": min(100.0, 35.0 * wanted + 12.0 * scope),
        "stability": 0.6 * (100 - risk) + 0.4 * health,
    }
    upsell = clamp(sum(UPSELL_WEIGHTS[name] * part for name, part in chances.items()))
    at, evidence = signals[0].computed_at, _evidence(signals)
    asked = next(s.evidence_refs for s in signals if s.signal_key == "scope_creep_rate")
    wishes = list(dict.fromkeys([*needs, *asked]))[:MOST_EVIDENCE]

    found: list[_Made] = [
        ("project_health", health, health_level(health), HEALTH_WEIGHTS, parts),
        ("risk", risk, risk_level(risk), RISK_WEIGHTS, parts),
        ("client_value", value, value_level(value), VALUE_WEIGHTS, worth),
        ("upsell_likelihood", upsell, upsell_level(upsell), UPSELL_WEIGHTS, chances),
    ]
    return [
        Score(
            kind,
            round(total, 2),
            level,
            {str(name): weight for name, weight in weights.items()},
            THRESHOLDS[kind],
            _factors(weights, made_of),
            wishes if kind == "upsell_likelihood" else evidence,
            at,
            at,
        )
        for kind, total, level, weights, made_of in found
    ]


def _factors(weights: Mapping[Any, float], parts: Mapping[Any, float]) -> list[dict[str, Any]]:
    found = [
        {
            "key": str(name),
            "weight": weight,
            "component": round(parts[name], 2),
            "contribution": round(weight * parts[name], 2),
        }
        for name, weight in weights.items()
    ]
    return sorted(found, key=lambda factor: (-float(str(factor["contribution"])), str(factor["key"])))


def _evidence(signals: list[Signal]) -> list[Evidence]:
    """What the signals that are not well stand on, each once."""
    speaking = [s for s in signals if s.status != "ok"] or signals
    found = dict.fromkeys(each for signal in speaking for each in signal.evidence_refs)
    return list(found)[:MOST_EVIDENCE]


def health_level(score: float) -> Level:
    """How bad a health score is."""
    return "critical" if score < 40 else "high" if score < 60 else "medium" if score < 75 else "low"


def risk_level(score: float) -> Level:
    """How bad a risk score is."""
    return "critical" if score >= 80 else "high" if score >= 65 else "medium" if score >= 45 else "low"


def value_level(score: float) -> Level:
    """How much a client is worth; `critical` is next to nothing."""
    return "high" if score >= 80 else "medium" if score >= 60 else "critical" if score < 25 else "low"


def upsell_level(score: float) -> Level:
    """How likely more can be sold."""
    return "critical" if score >= 80 else "high" if score >= 65 else "medium" if score >= 40 else "low"
