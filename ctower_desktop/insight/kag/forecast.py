"""How likely four risks are, from signals now and from what similar projects went through. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ctower_desktop.insight.kag.model import RISK_TYPES, Case, Evidence, RiskType, SignalKey
from ctower_desktop.insight.kag.scores import clamp

MOST_EVIDENCE = 60
_BASELINES: dict[RiskType, dict[str, float]] = {
    "delivery_risk": {"blockers": 0.32, "stage": 0.28, "response": 0.12, "activity": 0.10, "risk": 0.18},
    "finance_risk": {"burn": 0.40, "margin": 0.35, "risk": 0.25},
    "client_risk": {"waiting": 0.32, "sentiment": 0.24, "response": 0.12, "activity": 0.12, "risk": 0.20},
    "scope_risk": {"scope": 0.48, "stage": 0.18, "waiting": 0.14, "risk": 0.20},
}
_SIGNALS: dict[str, SignalKey] = {
    "waiting": "waiting_on_client_days",
    "response": "response_time_avg",
    "blockers": "blockers_age",
    "stage": "stage_overdue",
    "scope": "scope_creep_rate",
    "burn": "budget_burn_rate",
    "margin": "margin_risk",
    "sentiment": "sentiment_trend",
    "activity": "activity_drop",
}
BEHIND: dict[RiskType, tuple[SignalKey, ...]] = {  # whose evidence speaks of a risk
    risk: tuple(_SIGNALS[name] for name in parts if name in _SIGNALS) for risk, parts in _BASELINES.items()
}


class Outlook(msgspec.Struct, frozen=True):
    """What is expected of one risk."""

    risk_type: RiskType
    probability_7d: float
    probability_14d: float
    probability_30d: float
    expected_time_to_risk_days: float
    confidence: float
    top_drivers: list[dict[str, Any]]
    publishable: bool


def norms(values: Mapping[SignalKey, float], risk_score: float) -> dict[str, float]:
    """Signals as shares of what is as bad as it gets."""
    raw = {
        "waiting": values["waiting_on_client_days"] / 6,
        "response": values["response_time_avg"] / 720,
        "blockers": values["blockers_age"] / 7,
        "stage": values["stage_overdue"] / 5,
        "scope": values["scope_creep_rate"] / 0.5,
        "burn": (values["budget_burn_rate"] - 1) / 0.5,
        "margin": values["margin_risk"],
        "sentiment": max(0.0, -values["sentiment_trend"]) / 0.4,
        "activity": values["activity_drop"],
        "risk": risk_score / 100,
    }
    return {name: clamp(value, 0.0, 1.0) for name, value in raw.items()}


def floor(risk: RiskType, values: Mapping[SignalKey, float], open_blockers: int) -> float:
    """The least that a plain fact makes of a risk."""
    if risk == "client_risk":
        if values["waiting_on_client_days"] >= 4:
            return 0.62
        return 0.55 if values["sentiment_trend"] <= -0.25 else 0.0
    if risk == "delivery_risk":
        if values["blockers_age"] >= 5 and open_blockers >= 3:
            return 0.62
        return 0.58 if values["stage_overdue"] >= 3 else 0.0
    if risk == "finance_risk":
        return 0.62 if values["budget_burn_rate"] >= 1.2 or values["margin_risk"] >= 0.4 else 0.0
    return 0.60 if values["scope_creep_rate"] >= 0.35 else 0.0


def precedent(risk: RiskType, cases: Sequence[Case]) -> float:
    """How bad this risk became in similar projects, 0 to 1, the more similar counting more."""
    total = sum(case.similarity_score for case in cases)
    if total <= 0:
        return 0.0
    weighed = 0.0
    for case in cases:
        seen = [float(o["severity"]) for o in case.outcomes_seen if o["outcome_type"] == risk]
        weighed += case.similarity_score * (sum(seen) / len(seen) / 5 if seen else 0.0)
    return weighed / total


def outlook(
    risk: RiskType,
    baseline: float,
    *,
    similar: float = 0.0,
    cases: int = 0,
    evidence: int = 0,
    drivers: Mapping[str, float],
) -> Outlook:
    """Probabilities for three horizons out of where it stands and what became of others."""
    p7 = 0.75 * baseline + 0.25 * similar
    p14 = p7 + (0.12 + 0.18 * similar) * (1 - p7)
    p30 = p14 + (0.18 + 0.22 * similar) * (1 - p14)
    days = 60.0 if p30 < 0.05 else clamp((1 - p30) * 40 + 2, 2, 60)
    confidence = 0.35 + min(0.45, 0.08 * cases) + min(0.2, 0.01 * evidence)
    largest = sorted(drivers.items(), key=lambda item: (-item[1], item[0]))[:4]
    return Outlook(
        risk, round(p7, 4), round(p14, 4), round(p30, 4), round(days, 2), round(confidence, 4),
        [{"driver": name, "value": round(value, 4)} for name, value in largest], evidence > 0,
    )  # fmt: skip


def forecast(
    values: Mapping[SignalKey, float],
    risk_score: float,
    open_blockers: int,
    cases: Sequence[Case],
    evidence: Mapping[RiskType, Sequence[Evidence]],
) -> list[Outlook]:
    """What is expected of all four risks, by name."""
    shares = norms(values, risk_score)
    found = []
    for risk in RISK_TYPES:
        weights = _BASELINES[risk]
        baseline = sum(weight * shares[name] for name, weight in weights.items())
        baseline = max(baseline, floor(risk, values, open_blockers))
        drivers = {name: shares[name] for name in weights}
        similar = precedent(risk, cases)
        found.append(
            outlook(
                risk,
                baseline,
                similar=similar,
                cases=len(cases),
                evidence=len(evidence[risk]),
                drivers=drivers,
            )
        )
    return found
