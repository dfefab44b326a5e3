"""How a day ended: signals as shares of what is critical, and what went wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ctower_desktop.insight.kag.model import Evidence, RiskType, Score, Signal, SignalKey
from ctower_desktop.insight.kag.scores import clamp
from ctower_desktop.insight.kag.signals import RULES

MOST_EVIDENCE = 80
_LOST = ("lost", "churn", "frozen", "stalled")


class Wrong(msgspec.Struct, frozen=True):
    """Something that went wrong on a day; `cause` tells two of a kind apart."""

    outcome_type: RiskType
    severity: int
    notes: str
    cause: str
    evidence: list[Evidence]
    event_id: int | None = None


class Moved(msgspec.Struct, frozen=True):
    """A deal that moved to another stage on that day."""

    id: int
    stage: str
    title: str
    record_id: str | None


def normalised(signals: Iterable[Signal]) -> dict[str, float]:
    """Signals as risk, 0 to 1."""
    found: dict[str, float] = {}
    for signal in signals:
        rule = RULES[signal.signal_key]
        if rule.negative:
            share = (rule.warn - signal.value) / (rule.warn - rule.critical)
        else:
            share = signal.value / rule.critical
        found[signal.signal_key] = round(clamp(share, 0.0, 1.0), 4)
    return found


def evidence_of(signals: Iterable[Signal]) -> list[Evidence]:
    """What the signals of a day stand on, each once."""
    return list(dict.fromkeys(e for signal in signals for e in signal.evidence_refs))[:MOST_EVIDENCE]


def went_wrong(signals: Iterable[Signal], scores: Iterable[Score], moved: Iterable[Moved]) -> list[Wrong]:
    """What a day's figures show to have gone wrong, and every deal that was lost."""
    by_key = {signal.signal_key: signal for signal in signals}
    values = {key: signal.value for key, signal in by_key.items()}
    totals = {score.score_type: score.score for score in scores}
    risk, health = totals["risk"], totals["project_health"]
    burn, margin = values["budget_burn_rate"], values["margin_risk"]
    waiting, rate = values["waiting_on_client_days"], values["scope_creep_rate"]
    found: list[Wrong] = []

    def add(kind: RiskType, severity: int, keys: tuple[SignalKey, ...], **more: float) -> None:
        facts: Mapping[str, Any] = {**{key: values[key] for key in keys}, **more}
        notes = ", ".join(f"{name} {value:g}" for name, value in facts.items())
        evidence = list(dict.fromkeys(e for key in keys for e in by_key[key].evidence_refs))
        found.append(Wrong(kind, severity, notes, "signals", evidence[:MOST_EVIDENCE]))

    if values["blockers_age"] > 5 or values["stage_overdue"] > 3 or risk >= 75:
        add("delivery_risk", 5 if risk >= 85 else 4, ("blockers_age", "stage_overdue"), risk=risk)
    if burn >= 1.2 or margin >= 0.4:
        add("finance_risk", 5 if burn >= 1.3 else 4, ("budget_burn_rate", "margin_risk"))
    if waiting >= 4 or values["sentiment_trend"] <= -0.3 or health <= 45:
        keys: tuple[SignalKey, ...] = ("waiting_on_client_days", "sentiment_trend")
        add("client_risk", 5 if waiting >= 6 else 4, keys, health=health)
    if rate >= 0.35:
        add("scope_risk", 5 if rate >= 0.5 else 4, ("scope_creep_rate",))
    return [*found, *(_lost(deal) for deal in moved if any(word in deal.stage.lower() for word in _LOST))]


def _lost(deal: Moved) -> Wrong:
    evidence = Evidence(
        attio_record_id=deal.record_id, source_table="connector_events", source_pk=str(deal.id)
    )
    return Wrong(
        "client_risk",
        4,
        f"{deal.title}: {deal.stage}"[:500],
        f"event:{deal.id}",
        [evidence] if evidence.kinds else [],
        deal.id,
    )
