"""What a project looked like over some days, and how alike two projects are. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from ctower_desktop.insight.kag.model import SignalKey
from ctower_desktop.insight.kag.scores import clamp
from ctower_desktop.kernel.regional import Language
from ctower_desktop.kernel.sql import as_json

MOST_PATTERNS = 1_000
_SHARED = 5
_BUDGETS = ((200_000, "xl"), (100_000, "lg"), (50_000, "md"), (10_000, "sm"))
_TYPES = ("support", "growth", "migration", "integration")
_STAGES = ("proposal", "negotiation", "won", "lost")
FEATURES = (
    "waiting", "blockers", "stage", "scope", "burn", "margin", "activity", "sentiment", "risk", "ill_health",
    "events", "risk_trend", "waiting_trend", "scope_trend",
)  # fmt: skip
_REASONS: dict[Language, dict[str, str]] = {
    "en": {
        "features": "similar figures: {0}",
        "patterns": "{0} of the same sequences of events",
        "budget": "deals of the same size",
        "type": "the same kind of project",
        "stage": "the same stage of the deal",
    },
    "ru": {
        "features": "похожие показатели: {0}",
        "patterns": "одинаковых последовательностей событий: {0}",
        "budget": "сделки того же размера",
        "type": "проект того же вида",
        "stage": "та же стадия сделки",
    },
}
_NAMES: dict[Language, dict[str, str]] = {
    "en": {"waiting": "waiting for the client", "blockers": "blockers", "stage": "late stages",
           "scope": "growing scope", "burn": "spent budget", "margin": "thin margin",
           "activity": "falling activity", "sentiment": "worsening tone", "risk": "risk",
           "ill_health": "health"},
    "ru": {"waiting": "ожидание клиента", "blockers": "блокеры", "stage": "опоздание этапов",
           "scope": "рост объёма", "burn": "расход бюджета", "margin": "тонкая маржа",
           "activity": "спад активности", "sentiment": "ухудшение тона", "risk": "риск",
           "ill_health": "здоровье"},
}  # fmt: skip


class Day(msgspec.Struct, frozen=True):
    """The figures of a day that count here."""

    signals: dict[SignalKey, float]
    risk: float
    health: float
    events_7d: int


class Context(msgspec.Struct, frozen=True):
    """What kind of project it is."""

    budget: str
    type: str
    stage: str


class Signature(msgspec.Struct, frozen=True):
    """What a project looked like: fourteen figures, what followed what, what kind of project it is."""

    features: list[float]
    patterns: list[str]
    context: Context

    @property
    def hash(self) -> str:
        """The same for the same signature."""
        return hashlib.sha256(as_json(self).encode()).hexdigest()


def features(days: Sequence[Day]) -> list[float]:
    """Fourteen figures out of a stretch of days, the oldest first: eleven means and three trends."""

    def mean(of: Iterable[float]) -> float:
        values = [clamp(value, 0.0, 1.0) for value in of]
        return sum(values) / len(values)

    def signal(key: SignalKey, scale: float) -> float:
        return mean(day.signals[key] / scale for day in days)

    first, last = days[0], days[-1]

    def moved(before: float, after: float, scale: float) -> float:
        return clamp((after - before) / scale, -1.0, 1.0)

    waiting: SignalKey = "waiting_on_client_days"
    scope: SignalKey = "scope_creep_rate"
    found = [
        signal(waiting, 7),
        signal("blockers_age", 7),
        signal("stage_overdue", 5),
        signal(scope, 0.5),
        mean((day.signals["budget_burn_rate"] - 1) / 0.5 for day in days),
        signal("margin_risk", 1),
        signal("activity_drop", 1),
        mean(abs(min(day.signals["sentiment_trend"], 0.0)) / 0.4 for day in days),
        mean(day.risk / 100 for day in days),
        mean(1 - day.health / 100 for day in days),
        mean(day.events_7d / 50 for day in days),
        moved(first.risk, last.risk, 40),
        moved(first.signals[waiting], last.signals[waiting], 7),
        moved(first.signals[scope], last.signals[scope], 0.4),
    ]
    return [round(value, 5) for value in found]


def patterns(event_types: Sequence[str]) -> list[str]:
    """Which kind of event followed which, of the last thousand pairs; each once."""
    pairs = [f"{one}>{other}" for one, other in pairwise(event_types)]
    return sorted(set(pairs[-MOST_PATTERNS:]))


def context(pipeline: float, project_name: str, deal_stage: str) -> Context:
    """The size of the deals, the kind of project by its name, the stage of the newest deal."""
    name, stage = project_name.lower(), deal_stage.lower()
    return Context(
        next((bucket for least, bucket in _BUDGETS if pipeline >= least), "xs"),
        next((kind for kind in _TYPES if kind in name), "delivery"),
        next((known for known in _STAGES if known in stage), "discovery"),
    )


def similarity(one: Signature, other: Signature) -> float:
    """From 0 to 1: how alike in figures, in what followed what, and in kind."""
    apart = math.dist(one.features, other.features)
    ours, theirs = set(one.patterns), set(other.patterns)
    together = ours | theirs
    shared = len(ours & theirs) / len(together) if together else 0.0
    kind = (
        0.4 * (one.context.budget == other.context.budget)
        + 0.3 * (one.context.type == other.context.type)
        + 0.3 * (one.context.stage == other.context.stage)
    )
    return round(0.6 / (1 + apart) + 0.3 * shared + 0.1 * kind, 4)


def shared_patterns(one: Signature, other: Signature) -> list[str]:
    """What followed what in both."""
    return sorted(set(one.patterns) & set(other.patterns))[:_SHARED]


def why(one: Signature, other: Signature, language: Language) -> list[str]:
    """In words, what makes two projects alike."""
    say, names = _REASONS[language], _NAMES[language]
    near = [
        names[name]
        for name, ours, theirs in zip(FEATURES, one.features, other.features, strict=True)
        if name in names and max(ours, theirs) >= 0.1 and abs(ours - theirs) <= 0.15
    ]
    found = [say["features"].format(", ".join(near))] if near else []
    same = len(set(one.patterns) & set(other.patterns))
    if same:
        found.append(say["patterns"].format(same))
    kinds: Mapping[str, bool] = {
        "budget": one.context.budget == other.context.budget,
        "type": one.context.type == other.context.type,
        "stage": one.context.stage == other.context.stage,
    }
    return found + [say[name] for name, alike in kinds.items() if alike]
