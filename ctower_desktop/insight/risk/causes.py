"""Why something may go wrong: causes found in facts, and what becomes of the risk of each cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from ctower_desktop.insight.risk import wording
from ctower_desktop.insight.risk.health import rounded
from ctower_desktop.insight.risk.model import RiskStatus
from ctower_desktop.kernel.regional import Language

MOST_EVIDENCE = 25
_SLIPPING = 3  # overdue issues that are a risk of their own
_STUCK = 3  # blocked issues that are
_NEARLY_SPENT = 0.8  # of the budget

Key = Literal["delivery_risk_cluster", "deadline_slippage", "blocked_work", "budget_overrun", "scope_growth"]
CAUSES: tuple[Key, ...] = (
    "delivery_risk_cluster", "deadline_slippage", "blocked_work", "budget_overrun", "scope_growth",
)  # fmt: skip


class OpenSignal(msgspec.Struct, frozen=True):
    """A signal that is proposed or accepted; `ref` is the newest of what it stands on."""

    ref: str
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
    """A cause that is there now, its weight is 0 to 1, and what helps against it."""

    key: Key
    title: str
    severity: int
    weight: float
    evidence_refs: list[str]
    playbook: list[str]


class Settled(msgspec.Struct, frozen=True):
    """What a risk knows of its own past: enough to decide whether its cause opens it again."""

    status: RiskStatus
    closed_by: str | None
    closed_severity: int | None
    gone_at: str | None
    reopened_count: int


def causes(facts: Facts, total_pressure: float, language: Language) -> list[Cause]:
    """The causes that are there now, at most one of each kind, told in `language`."""
    found = (
        _pressure(facts, total_pressure, language),
        _deadlines(facts, language),
        _blocked(facts, language),
        _budget(facts, language),
        _scope(facts, language),
    )
    return [cause for cause in found if cause is not None]


def _cause(
    key: Key, title: str, severity: float, weight: float, refs: Iterable[str], *, language: Language
) -> Cause:
    found: Sequence[str] = list(dict.fromkeys(refs))
    return Cause(
        key,
        title,
        max(1, min(5, int(rounded(severity, 0)))),
        rounded(weight, 4),
        list(found[:MOST_EVIDENCE]),
        wording.playbook(key, language),
    )


def _pressure(facts: Facts, total: float, language: Language) -> Cause | None:
    if total <= 0:
        return None
    refs = [*(signal.ref for signal in facts.signals), *facts.overdue_ids]
    title = wording.pressure(total, len(facts.signals), facts.overdue, language)
    return _cause("delivery_risk_cluster", title, total / 20, total / 100, refs, language=language)


def _deadlines(facts: Facts, language: Language) -> Cause | None:
    if facts.overdue < _SLIPPING:
        return None
    weight = min(0.95, 0.5 + 0.05 * (facts.overdue - _SLIPPING))
    title = wording.slippage(facts.overdue, language)
    return _cause(
        "deadline_slippage", title, 2 + facts.overdue / 5, weight, facts.overdue_ids, language=language
    )


def _blocked(facts: Facts, language: Language) -> Cause | None:
    if facts.blocked < _STUCK:
        return None
    weight = min(0.9, 0.4 + 0.05 * (facts.blocked - _STUCK))
    title = wording.stuck(facts.blocked, language)
    return _cause("blocked_work", title, 2 + facts.blocked / 5, weight, facts.blocked_ids, language=language)


def _budget(facts: Facts, language: Language) -> Cause | None:
    planned = [one for one in facts.budgets if one.budget > 0]
    if not planned:
        return None
    worst = max(planned, key=lambda one: one.costs / one.budget)
    spent = worst.costs / worst.budget
    if spent < _NEARLY_SPENT:
        return None
    title = wording.spent(rounded(spent * 100, 0), worst.budget, worst.currency, language)
    severity = 5 if spent >= 1 else 4 if spent >= 0.9 else 3
    return _cause("budget_overrun", title, severity, min(1.0, spent), facts.entry_ids, language=language)


def _scope(facts: Facts, language: Language) -> Cause | None:
    grown = [signal for signal in facts.signals if signal.signal_type == "scope_change"]
    if not grown:
        return None
    worst = max(signal.severity for signal in grown)
    weight = min(0.9, 0.4 + 0.1 * len(grown))
    title = wording.growth(len(grown), language)
    return _cause("scope_growth", title, worst, weight, (signal.ref for signal in grown), language=language)


def reopens(before: Settled, cause: Cause) -> bool:
    """Whether a closed risk opens again now that its cause is there.

    It does when the cause had gone since, or has grown beyond what it was when a person closed the risk.
    """
    if before.status != "closed":
        return False
    if before.closed_by == "system" or before.gone_at is not None:
        return True
    return before.closed_severity is not None and cause.severity > before.closed_severity
