"""Ten signs of how a project does, measured from what is remembered of it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from ctower_desktop.insight.kag.model import Evidence, Signal, SignalKey, SignalStatus
from ctower_desktop.insight.kag.state import MOST_EVIDENCE, Open, State
from ctower_desktop.kernel.system import as_text, from_text

_WEEK = timedelta(days=7)


class Rule(msgspec.Struct, frozen=True):
    """From which value on a sign is a warning, or critical; `negative` ones get worse downwards."""

    warn: float
    critical: float
    negative: bool = False


class Finance(msgspec.Struct, frozen=True):
    """Money of a project, all in one currency."""

    planned_budget: float = 0.0
    actual_cost: float = 0.0
    revenue: float = 0.0
    currency: str = ""
    evidence: list[Evidence] = []


RULES: dict[SignalKey, Rule] = {
    "waiting_on_client_days": Rule(2, 4),
    "response_time_avg": Rule(240, 720),
    "blockers_age": Rule(3, 5),
    "stage_overdue": Rule(1, 3),
    "agreement_overdue_count": Rule(1, 2),
    "sentiment_trend": Rule(-0.15, -0.3, negative=True),
    "scope_creep_rate": Rule(0.2, 0.35),
    "budget_burn_rate": Rule(1.1, 1.2),
    "margin_risk": Rule(0.25, 0.4),
    "activity_drop": Rule(0.3, 0.5),
}


class Measured(msgspec.Struct, frozen=True):
    """A value with what it was made of."""

    value: float
    details: dict[str, Any]
    evidence: list[Evidence]


def status_of(key: SignalKey, value: float) -> SignalStatus:
    """How bad a value is."""
    rule = RULES[key]
    if rule.negative:
        return "critical" if value <= rule.critical else "warn" if value <= rule.warn else "ok"
    return "critical" if value >= rule.critical else "warn" if value >= rule.warn else "ok"


def measure(state: State, finance: Finance, now: datetime) -> list[Signal]:
    """All ten, in order."""
    found: dict[SignalKey, Measured] = {
        "waiting_on_client_days": _waiting(state, now),
        "response_time_avg": _response(state),
        "blockers_age": _blockers(state, now),
        "stage_overdue": _stage(state, now),
        "agreement_overdue_count": _agreements(state, now),
        "sentiment_trend": _sentiment(state),
        "scope_creep_rate": _scope(state, now),
        "budget_burn_rate": _burn(finance),
        "margin_risk": _margin(finance),
        "activity_drop": _activity(state, now),
    }
    at = as_text(now)
    signals = []
    for key, rule in RULES.items():
        measured = found[key]
        value = round(measured.value, 4)
        evidence = measured.evidence[:MOST_EVIDENCE]
        signals.append(
            Signal(
                key,
                value,
                status_of(key, value),
                rule.warn,
                rule.critical,
                measured.details,
                evidence,
                at,
                at,
            )
        )
    return signals


def _kept(state: State, key: str, since: str = "") -> list[Evidence]:
    newest = sorted(state.evidence.get(key, ()), key=lambda each: each.at, reverse=True)
    return [each.evidence for each in newest if each.at >= since]


def _days(now: datetime, since: str) -> float:
    return max(0.0, (now - from_text(since)).total_seconds() / 86_400)


def _running(state: State) -> tuple[str, Open] | None:
    """The stage that is due first; one without a day only if none has one."""
    return min(state.stages.items(), key=lambda item: (item[1].due_at or "9999", item[0]), default=None)


def _waiting(state: State, now: datetime) -> Measured:
    waiting = bool(state.team_at) and state.team_at > state.client_at
    stage = _running(state)
    details = {
        "waiting_on_client": waiting,
        "last_client_message_at": state.client_at or None,
        "last_team_message_at": state.team_at or None,
        "stage_name": stage[1].name if stage else None,
        "approval_pending": bool(state.agreements),
    }
    if not waiting:
        return Measured(0.0, details, [])
    asked = [each.evidence for each in state.agreements.values() if each.evidence]
    written = [*_kept(state, "waiting_on_client_days", state.client_at), *asked, *_kept(state, "client")[:1]]
    return Measured(_days(now, state.team_at), details, list(dict.fromkeys(written)))


def _response(state: State) -> Measured:
    samples = sum(day.n for day in state.answers.values())
    minutes = sum(day.minutes for day in state.answers.values())
    details = {"samples": samples, "total_minutes": round(minutes, 2)}
    return Measured(minutes / samples if samples else 0.0, details, _kept(state, "response_time_avg"))


def _blockers(state: State, now: datetime) -> Measured:
    ages = [_days(now, each.since) for each in state.blockers.values()]
    oldest = sorted(state.blockers.values(), key=lambda each: each.since)
    evidence = [each.evidence for each in oldest if each.evidence]
    return Measured(sum(ages) / len(ages) if ages else 0.0, {"open_blockers": len(ages)}, evidence)


def over_since(due_at: str) -> datetime:
    """When something due is late: a day has to be over first."""
    if len(due_at) == 10:
        return from_text(f"{due_at}T00:00:00.000Z") + timedelta(days=1)
    return from_text(due_at)


def _stage(state: State, now: datetime) -> Measured:
    found = _running(state)
    name, stage = found if found else ("", Open(""))
    late = (now - over_since(stage.due_at)).total_seconds() / 86_400 if stage.due_at else 0.0
    details = {
        "stage_id": name or None,
        "stage_name": stage.name or None,
        "due_at": stage.due_at,
        "stage_status": "active" if found else None,
        "approval_pending": bool(state.agreements),
    }
    return Measured(max(0.0, late), details, [stage.evidence] if stage.evidence and late > 0 else [])


def _agreements(state: State, now: datetime) -> Measured:
    late = [each for each in state.agreements.values() if each.due_at and over_since(each.due_at) < now]
    late.sort(key=lambda each: each.since)
    details = {"open_agreements": len(state.agreements)}
    return Measured(float(len(late)), details, [each.evidence for each in late if each.evidence])


def _sentiment(state: State) -> Measured:
    now, before = state.ewma, state.ewma_before
    trend = now - before if now is not None and before is not None else 0.0
    details = {"ewma": _rounded(now), "prev_ewma": _rounded(before), "samples": state.moods}
    return Measured(trend, details, _kept(state, "sentiment_trend"))


def _rounded(value: float | None) -> float:
    return round(value, 4) if value is not None else 0.0


def _scope(state: State, now: datetime) -> Measured:
    since = as_text(now - _WEEK)
    asked = sum(at >= since for at in state.scope)
    wrote = sum(hour.client for at, hour in state.hours.items() if at >= since[:13])
    details = {
        "scope_requests_7d": asked,
        "client_requests_7d": wrote,
        "needs_7d": sum(at >= since for at in state.needs),
    }
    evidence = _kept(state, "scope_creep_rate", since)
    return Measured(asked / max(1, wrote), details, evidence)


def needs(state: State, now: datetime) -> list[Evidence]:
    """Where clients said within a week what more they need."""
    return _kept(state, "needs", as_text(now - _WEEK))


def _burn(finance: Finance) -> Measured:
    planned, cost = finance.planned_budget, finance.actual_cost
    value = cost / planned if planned > 0 else (1.5 if cost > 0 else 0.0)
    details = {"planned_budget": planned, "actual_cost": cost, "currency": finance.currency or None}
    return Measured(value, details, finance.evidence if cost > 0 else [])


def _margin(finance: Finance) -> Measured:
    revenue, cost = finance.revenue, finance.actual_cost
    if revenue > 0:
        value = min(1.0, max(0.0, (0.35 - (revenue - cost) / revenue) / 0.35))
    else:
        value = 1.0 if cost > 0 else 0.0
    details = {"revenue": revenue, "actual_cost": cost, "currency": finance.currency or None}
    return Measured(value, details, finance.evidence if value > 0 else [])


def _activity(state: State, now: datetime) -> Measured:
    week, before = as_text(now - _WEEK)[:13], as_text(now - 2 * _WEEK)[:13]
    totals = {at: sum(hour.sources.values()) for at, hour in state.hours.items()}
    current = sum(n for at, n in totals.items() if at >= week)
    previous = sum(n for at, n in totals.items() if before <= at < week)
    value = min(1.0, max(0.0, (previous - current) / previous)) if previous else 0.0
    details = {"activity_current_7d": current, "activity_prev_7d": previous}
    return Measured(value, details, _kept(state, "activity_drop") if value > 0 else [])
