"""Which recommendations follow from signals, scores and forecasts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from ctower_desktop.insight.kag.forecast import BEHIND
from ctower_desktop.insight.kag.model import (
    Case,
    Category,
    Evidence,
    Forecast,
    RiskType,
    Score,
    ScoreType,
    Signal,
    SignalKey,
)
from ctower_desktop.insight.kag.wording import TEMPLATES, Words, number, percent, said
from ctower_desktop.kernel.regional import Language

RESUMED_WITHIN = timedelta(days=1)  # a cause that comes back so soon was never gone
_MOST_EVIDENCE = 60


class View(msgspec.Struct, frozen=True):
    """A project as recommendations see it."""

    client_name: str
    language: Language
    signals: dict[SignalKey, Signal]
    scores: dict[ScoreType, Score]
    forecasts: dict[RiskType, Forecast] = {}
    cases: list[Case] = []

    def value(self, key: SignalKey) -> float:
        return self.signals[key].value

    def detail(self, key: SignalKey, name: str) -> Any:
        return self.signals[key].details.get(name)

    def chance(self, risk: RiskType, days: int) -> float:
        found = self.forecasts.get(risk)
        return float(getattr(found, f"probability_{days}d")) if found else 0.0

    @property
    def needs(self) -> int:
        """How often something new was asked for within a week."""
        return int(self.detail("scope_creep_rate", "needs_7d") or 0)


class Draft(msgspec.Struct, frozen=True):
    """A recommendation that is due, before it is stored."""

    category: Category
    priority: int
    due_days: int
    owner_role: str
    words: Words
    template_key: str
    evidence: list[Evidence]
    signals: dict[str, Any]
    forecasts: dict[str, Any]
    scores: dict[str, Any]


_BEHIND: dict[Category, tuple[SignalKey, ...]] = {
    "waiting_on_client": ("waiting_on_client_days", "agreement_overdue_count"),
    "scope_creep_change_request": ("scope_creep_rate",),
    "delivery_risk": ("blockers_age", "stage_overdue"),
    "finance_risk": ("budget_burn_rate", "margin_risk"),
    "upsell_opportunity": (),
    "winback": ("waiting_on_client_days", "sentiment_trend", "activity_drop", "response_time_avg"),
}
_FORESEEN: dict[Category, RiskType] = {
    "waiting_on_client": "client_risk",
    "scope_creep_change_request": "scope_risk",
    "delivery_risk": "delivery_risk",
    "finance_risk": "finance_risk",
    "winback": "client_risk",
}
_OWNERS: dict[Category, tuple[int, str]] = {  # days until due, and whose it is
    "waiting_on_client": (1, "pm"),
    "scope_creep_change_request": (2, "pm"),
    "delivery_risk": (1, "pm"),
    "finance_risk": (2, "finance_lead"),
    "upsell_opportunity": (3, "account_manager"),
    "winback": (1, "account_manager"),
}


def first_kind(view: View) -> list[Draft]:
    """Recommendations of the first kind; one that stands on nothing is dropped."""
    return [draft for draft in _drafts(view, _OLD) if draft.evidence]


class Due(msgspec.Struct, frozen=True):
    """Recommendations that are due, and how many were dropped because they stand on nothing."""

    drafts: list[Draft]
    dropped: int


def second_kind(view: View) -> Due:
    """Recommendations with a life of their own."""
    found = list(_drafts(view, _NEW))
    good = [draft for draft in found if draft.evidence]
    return Due(good, len(found) - len(good))


def _drafts(view: View, triggers: Mapping[Category, Callable[[View], int]]) -> Iterable[Draft]:
    for category, trigger in triggers.items():
        priority = trigger(view)
        if priority:
            yield _draft(view, category, priority)


def _draft(view: View, category: Category, priority: int) -> Draft:
    days, owner = _OWNERS[category]
    risk = _FORESEEN.get(category)
    foreseen = view.forecasts.get(risk) if risk else None
    keys = _BEHIND[category] or tuple(view.signals)
    return Draft(
        category=category,
        priority=priority,
        due_days=days,
        owner_role=owner,
        words=said(
            category,
            view.language,
            _facts(view, category),
            stage=str(view.detail("stage_overdue", "stage_name") or ""),
            approval=bool(view.detail("waiting_on_client_days", "approval_pending")),
        ),
        template_key=TEMPLATES[category],
        evidence=_evidence(view, category),
        signals={key: view.value(key) for key in keys if key in view.signals},
        forecasts={
            foreseen.risk_type: {
                "probability_7d": foreseen.probability_7d,
                "probability_14d": foreseen.probability_14d,
                "probability_30d": foreseen.probability_30d,
            }
        }
        if foreseen
        else {},
        scores={kind: score.score for kind, score in view.scores.items()},
    )


def _evidence(view: View, category: Category) -> list[Evidence]:
    found: dict[Evidence, None] = {}
    keys: tuple[SignalKey, ...] = _BEHIND[category]
    if category == "upsell_opportunity":
        found.update(dict.fromkeys(view.scores["upsell_likelihood"].evidence_refs))
    risk = _FORESEEN.get(category)
    if risk is not None:
        keys = tuple(dict.fromkeys((*keys, *BEHIND[risk])))
    for key in keys:
        signal = view.signals[key]
        if key in _BEHIND[category] or signal.status != "ok":
            found.update(dict.fromkeys(signal.evidence_refs))
    return list(found)[:_MOST_EVIDENCE]


def _facts(view: View, category: Category) -> dict[str, str]:
    days = 14 if category in ("winback", "scope_creep_change_request") else 7
    risk = _FORESEEN.get(category)
    stricken = [case for case in view.cases if _lost_clients(case)]
    return {
        "client_name": view.client_name,
        "waiting_days": number(view.value("waiting_on_client_days")),
        "out_of_scope_count": str(view.detail("scope_creep_rate", "scope_requests_7d") or 0),
        "client_requests": str(view.detail("scope_creep_rate", "client_requests_7d") or 0),
        "blockers_count": str(view.detail("blockers_age", "open_blockers") or 0),
        "blockers_age": number(view.value("blockers_age")),
        "stage_overdue": number(view.value("stage_overdue")),
        "burn": percent(view.value("budget_burn_rate")),
        "margin": percent(view.value("margin_risk")),
        "actual_cost": number(float(view.detail("budget_burn_rate", "actual_cost") or 0)),
        "planned_budget": number(float(view.detail("budget_burn_rate", "planned_budget") or 0)),
        "currency": str(view.detail("budget_burn_rate", "currency") or ""),
        "needs_count": str(view.needs),
        "upsell_score": number(view.scores["upsell_likelihood"].score),
        "probability": percent(view.chance(risk, days)) if risk else "",
        "cases_count": str(len(stricken)),
    }


def _lost_clients(case: Case) -> bool:
    return any(o["outcome_type"] == "client_risk" and o.get("evidence_count") for o in case.outcomes_seen)


def _old_waiting(view: View) -> int:
    days = view.value("waiting_on_client_days")
    if days < 2:
        return 0
    return 5 if days >= 4 or view.detail("waiting_on_client_days", "approval_pending") else 4


def _old_scope(view: View) -> int:
    rate, asked = (
        view.value("scope_creep_rate"),
        int(view.detail("scope_creep_rate", "scope_requests_7d") or 0),
    )
    if rate < 0.2 and asked < 2:
        return 0
    return 5 if rate >= 0.35 or asked >= 3 else 4


def _old_delivery(view: View) -> int:
    blocked = int(view.detail("blockers_age", "open_blockers") or 0) > 3 and view.value("blockers_age") > 5
    return 5 if blocked else 4 if view.value("stage_overdue") > 1 else 0


def _old_finance(view: View) -> int:
    burn, margin = view.value("budget_burn_rate"), view.value("margin_risk")
    if burn <= 1.1 and margin < 0.25:
        return 0
    return 5 if burn >= 1.2 or margin >= 0.4 else 4


def _old_upsell(view: View) -> int:
    score = view.scores["upsell_likelihood"].score
    if score < 65 or view.needs == 0:
        return 0
    return 5 if score >= 80 else 4


def _waiting(view: View) -> int:
    p7 = view.chance("client_risk", 7)
    return 0 if view.value("waiting_on_client_days") < 2 and p7 < 0.45 else 5 if p7 > 0.65 else 4


def _scope(view: View) -> int:
    if view.value("scope_creep_rate") < 0.2 and view.chance("scope_risk", 14) < 0.5:
        return 0
    return 5 if view.chance("scope_risk", 7) > 0.6 else 4


def _delivery(view: View) -> int:
    p7 = view.chance("delivery_risk", 7)
    return 0 if p7 < 0.45 and view.value("blockers_age") <= 5 else 5 if p7 >= 0.7 else 4


def _finance(view: View) -> int:
    p7 = view.chance("finance_risk", 7)
    return 0 if p7 < 0.45 and view.value("budget_burn_rate") < 1.2 else 5 if p7 >= 0.7 else 4


def _upsell(view: View) -> int:
    score = view.scores["upsell_likelihood"].score
    if score < 65 or view.chance("client_risk", 30) >= 0.75:
        return 0
    return 5 if score >= 80 else 4


def _winback(view: View) -> int:
    stricken = any(_lost_clients(case) for case in view.cases)
    return 5 if stricken and view.chance("client_risk", 14) >= 0.65 else 0


_OLD: dict[Category, Callable[[View], int]] = {
    "waiting_on_client": _old_waiting,
    "scope_creep_change_request": _old_scope,
    "delivery_risk": _old_delivery,
    "finance_risk": _old_finance,
    "upsell_opportunity": _old_upsell,
}
_NEW: dict[Category, Callable[[View], int]] = {
    "waiting_on_client": _waiting,
    "scope_creep_change_request": _scope,
    "delivery_risk": _delivery,
    "finance_risk": _finance,
    "upsell_opportunity": _upsell,
    "winback": _winback,
}
