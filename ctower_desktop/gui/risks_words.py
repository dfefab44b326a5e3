"""Risks, health and money in words, with what their figures mean."""

from __future__ import annotations

from typing import Any

from ctower_desktop.gui.text import money, number, tr
from ctower_desktop.insight.analytics.model import EntryTotal
from ctower_desktop.insight.risk.model import Factor, Risk

HEALTHY, UNWELL = 75, 50  # from here on the words change; the figure is the same everywhere


def risk_status_words(status: str) -> str:
    """What a state of a risk or of a pattern is called."""
    known = {
        "open": tr("open"),
        "mitigating": tr("being handled"),
        "closed": tr("closed"),
        "mitigated": tr("mitigated"),
        "ignored": tr("ignored"),
    }
    return known.get(status, status)


def likely_words(probability: float) -> str:
    """How likely it is."""
    return tr("{percent} % likely", percent=number(probability * 100))


def likely_sentence(probability: float) -> str:
    """How likely it is, and whose estimate that is."""
    return tr(
        "{percent} % likely to happen, as estimated by its cause or by who wrote it down.",
        percent=number(probability * 100),
    )


def weight_sentence(weight: float) -> str:
    """How heavy a pattern weighs, and what that means."""
    return tr(
        "Weight {percent} of 100: how much of its worst case is there now.", percent=number(weight * 100)
    )


def source_words_of(risk: Risk) -> str:
    """Who saw it."""
    return tr("found by its cause") if risk.source == "cause" else tr("written down")


def factor_words(factor: Factor) -> str:
    """What a factor of health is called."""
    known = {
        "signal_pressure": tr("Pressure of signals"),
        "overdue_pressure": tr("Pressure of overdue work"),
        "failed_job_pressure": tr("Failed runs of this program"),
    }
    return known.get(factor.key, factor.key)


def factor_sentence(factor: Factor) -> str:
    """How a factor is counted."""
    known = {
        "signal_pressure": tr(
            "Severity times confidence of every open signal, a tenth of the sum, at most 40."
        ),
        "overdue_pressure": tr("Two points for every overdue issue, at most 30."),
        "failed_job_pressure": tr(
            "Three points for every failed run of the last seven days, at most 20. Shown only: it says "
            "something of this program, not of the project."
        ),
    }
    return known.get(factor.key, "")


def factor_most(factor: Factor) -> float:
    """The most a factor can be."""
    return {"signal_pressure": 40.0, "overdue_pressure": 30.0, "failed_job_pressure": 20.0}.get(
        factor.key, 100.0
    )


def health_word(score: float) -> str:
    """A health in a word."""
    if score >= HEALTHY:
        return tr("healthy")
    return tr("needs attention") if score >= UNWELL else tr("in trouble")


def health_token(score: float) -> str:
    """The colour of a health; its word stands beside it."""
    return "success" if score >= HEALTHY else "warning" if score >= UNWELL else "danger"


def entry_words(kind: str) -> str:
    """What a kind of entry is called."""
    return {"budget": tr("Budget"), "cost": tr("Costs"), "revenue": tr("Revenue")}.get(kind, kind)


def entry_token(kind: str) -> str:
    """The colour of a kind of entry; its word stands beside it."""
    return {"budget": "info", "cost": "warning", "revenue": "success"}.get(kind, "text_2")


def total_words(totals: list[EntryTotal]) -> list[str]:
    """Sums by currency, and how much of the budget is spent."""
    found = []
    for currency in sorted({one.currency for one in totals}):
        sums = {one.entry_type: one.amount for one in totals if one.currency == currency}
        parts = [
            tr("{name}: {value}", name=entry_words(kind), value=money(sums[kind], currency))
            for kind in ("budget", "cost", "revenue")
            if kind in sums
        ]
        if sums.get("budget"):
            spent = sums.get("cost", 0.0) / sums["budget"] * 100
            parts.append(tr("{percent} % of the budget is spent", percent=number(spent)))
        found.append(" · ".join(parts))
    return found


def steps_of(playbook: dict[str, Any]) -> list[str]:
    """The steps of a playbook in their order."""
    return [str(step) for steps in playbook.values() for step in steps]
