"""Why something may go wrong: causes found in facts, and what becomes of the risk of each cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from ctower_desktop.insight.risk.health import rounded
from ctower_desktop.insight.risk.model import RiskStatus

MOST_EVIDENCE = 25
_SLIPPING = 3  # overdue issues that are a risk of their own
_STUCK = 3  # blocked issues that are
_NEARLY_SPENT = 0.8  # of the budget

Key = Literal["delivery_risk_cluster", "deadline_slippage", "blocked_work", "budget_overrun", "scope_growth"]
CAUSES: tuple[Key, ...] = (
    "delivery_risk_cluster", "deadline_slippage", "blocked_work", "budget_overrun", "scope_growth",
)  # fmt: skip


class OpenSignal(msgspec.Struct, frozen=True):
    """A signal that is proposed or accepted."""

    id: str
    signal_type: str
    severity: int
    confidence: float


class Budget(msgspec.Struct, frozen=True):
    """What is planned and spent in a currency."""

    currency: str
    budget: float
    costs: float


class Facts(msgspec.Struct, frozen=True):
    """What causes are looked for in; lists of ids are the newest or the latest few."""

    signals: list[OpenSignal]
    overdue: int
    overdue_ids: list[str]
    blocked: int
    blocked_ids: list[str]
    budgets: list[Budget]
    entry_ids: list[str]
    failed_runs: int


class Cause(msgspec.Struct, frozen=True):
    """A cause that is there now; its weight is 0 to 1."""

    key: Key
    title: str
    severity: int
    weight: float
    evidence_refs: list[str]


class Settled(msgspec.Struct, frozen=True):
    """What a risk knows of its own past: enough to decide whether its cause opens it again."""

    status: RiskStatus
    closed_by: str | None
    closed_severity: int | None
    gone_at: str | None
    reopened_count: int


PLAYBOOKS: dict[Key, list[str]] = {
    "delivery_risk_cluster": [
        "Go through the open signals and confirm the real ones",
        "Agree with the team on the two issues that unblock most",
        "Tell the client what changes and by when, in writing",
        "Look at health again in two days",
    ],
    "deadline_slippage": [
        "Re-plan every overdue issue: a new date, or out of scope",
        "Ask assignees what they wait for",
        "Tell the client about dates that moved before they ask",
        "Keep a daily check until nothing is overdue",
    ],
    "blocked_work": [
        "List what blocks and who can remove it",
        "Escalate blockers older than two days",
        "Give people who wait other work",
        "Check blockers at every stand-up",
    ],
    "budget_overrun": [
        "Compare what was spent with what was delivered",
        "Stop work that was not agreed on",
        "Prepare a change request or a smaller scope",
        "Agree on the next budget limit with the client",
    ],
    "scope_growth": [
        "Write down every request beyond the agreement",
        "Estimate each one in hours and money",
        "Offer a change request or a later phase",
        "Start extra work only after approval",
    ],
}


def causes(facts: Facts, total_pressure: float) -> list[Cause]:
    """The causes that are there now, at most one of each kind."""
    found = (
        _pressure(facts, total_pressure),
        _deadlines(facts),
        _blocked(facts),
        _budget(facts),
        _scope(facts),
    )
    return [cause for cause in found if cause is not None]


def _pressure(facts: Facts, total: float) -> Cause | None:
    if total <= 0:
        return None
    refs = [*(signal.id for signal in facts.signals), *facts.overdue_ids]
    return Cause(
        "delivery_risk_cluster",
        f"Delivery pressure {total:g} of 70: {_n(len(facts.signals), 'open signal')}, "
        f"{_n(facts.overdue, 'overdue issue')}",
        _clamped(total / 20),
        rounded(total / 100, 4),
        _few(refs),
    )


def _deadlines(facts: Facts) -> Cause | None:
    if facts.overdue < _SLIPPING:
        return None
    weight = min(0.95, 0.5 + 0.05 * (facts.overdue - _SLIPPING))
    title = f"Deadlines slip: {_n(facts.overdue, 'issue')} overdue"
    return Cause(
        "deadline_slippage",
        title,
        _clamped(2 + facts.overdue / 5),
        rounded(weight, 4),
        _few(facts.overdue_ids),
    )


def _blocked(facts: Facts) -> Cause | None:
    if facts.blocked < _STUCK:
        return None
    weight = min(0.9, 0.4 + 0.05 * (facts.blocked - _STUCK))
    title = f"Work is stuck: {_n(facts.blocked, 'issue')} blocked"
    return Cause(
        "blocked_work", title, _clamped(2 + facts.blocked / 5), rounded(weight, 4), _few(facts.blocked_ids)
    )


def _budget(facts: Facts) -> Cause | None:
    planned = [one for one in facts.budgets if one.budget > 0]
    if not planned:
        return None
    worst = max(planned, key=lambda one: one.costs / one.budget)
    spent = worst.costs / worst.budget
    if spent < _NEARLY_SPENT:
        return None
    title = f"Budget: {rounded(spent * 100, 0):g} % of {worst.budget:,.2f} {worst.currency} spent"
    severity = 5 if spent >= 1 else 4 if spent >= 0.9 else 3
    return Cause("budget_overrun", title, severity, rounded(min(1.0, spent), 4), _few(facts.entry_ids))


def _scope(facts: Facts) -> Cause | None:
    grown = [signal for signal in facts.signals if signal.signal_type == "scope_change"]
    if not grown:
        return None
    worst = max(signal.severity for signal in grown)
    weight = min(0.9, 0.4 + 0.1 * len(grown))
    title = f"Scope grows: {_n(len(grown), 'request')} beyond the agreement"
    return Cause("scope_growth", title, worst, rounded(weight, 4), _few(signal.id for signal in grown))


def reopens(before: Settled, cause: Cause) -> bool:
    """Whether a closed risk opens again now that its cause is there.

    It does when the cause had gone since, or has grown beyond what it was when a person closed the risk.
    """
    if before.status != "closed":
        return False
    if before.closed_by == "system" or before.gone_at is not None:
        return True
    return before.closed_severity is not None and cause.severity > before.closed_severity


def _few(refs: Iterable[str]) -> list[str]:
    found: Sequence[str] = list(dict.fromkeys(refs))
    return list(found[:MOST_EVIDENCE])


def _clamped(severity: float) -> int:
    return max(1, min(5, int(rounded(severity, 0))))


def _n(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
