"""What a story is worth: severity and confidence of each kind, how they grow, what to do about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ctower_desktop.insight.signals.model import MOST_EVIDENCE, Evidence, Language, SignalType, SourceKind

WINDOW = timedelta(days=14)  # messages this old still tell of now; a later one begins another story
_MOST_SURE = 0.98
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of signal is worth by itself, and what is to be done about it."""

    severity: int
    confidence: float
    source: SourceKind
    action: str = "triage_signal"
    priority: int = 3


KINDS: dict[SignalType, Kind] = {
    "delivery_risk": Kind(4, 0.82, "conversation", "review_delivery_blockers", 5),
    "commercial_pressure": Kind(3, 0.74, "conversation", "prepare_pricing_response", 4),
    "upsell_intent": Kind(2, 0.70, "conversation", "prepare_upsell_offer", 4),
    "urgency_increase": Kind(4, 0.76, "conversation", "align_priority_and_timeline", 4),
    "scope_change": Kind(3, 0.70, "conversation", "agree_scope_change", 4),
    "approval_request": Kind(2, 0.72, "conversation", "follow_up_approval", 3),
    "delivery_overdue": Kind(3, 0.70, "linear", "review_delivery_blockers", 5),
    "deal_without_next_step": Kind(3, 0.72, "crm"),
    "communication_gap": Kind(3, 0.90, "system"),
    "silence": Kind(3, 0.90, "system", "answer_client", 5),
    "sentiment_trend": Kind(3, 0.65, "system", "talk_to_client", 4),
}
SAID: tuple[SignalType, ...] = (  # what is heard in messages; the others are states that come and go
    "delivery_risk",
    "commercial_pressure",
    "upsell_intent",
    "urgency_increase",
    "scope_change",
    "approval_request",
)


@dataclass(frozen=True, slots=True)
class Worth:
    """How bad, and how sure."""

    severity: int
    confidence: float

    def at_least(self, other: Worth) -> Worth:
        """The greater of each: a story that goes on only grows."""
        return Worth(max(self.severity, other.severity), max(self.confidence, other.confidence))


@dataclass(frozen=True, slots=True)
class State:
    """Something that is the case now, and what shows it."""

    kind: SignalType
    source_ref: str
    worth: Worth
    summary: str
    language: Language
    evidence: tuple[Evidence, ...]
    more_refs: tuple[str, ...] = ()  # what else to look at, such as the conversation
    owner: str | None = None


def heard(kind: SignalType, messages: int) -> Worth:
    """What a story told by so many messages is worth: one is the kind's own, three and eight weigh more."""
    own = KINDS[kind]
    severity = own.severity + (messages >= 3) + (messages >= 8)
    confidence = own.confidence + min(0.2, 0.03 * (messages - 1))
    return Worth(min(5, severity), round(min(_MOST_SURE, confidence), 4))


def overdue(issues: int) -> Worth:
    """Overdue issues of one delivery project."""
    return Worth(min(5, 2 + issues), round(0.7 + min(0.2, 0.03 * issues), 4))


def gap(days: float, *, ever_wrote: bool) -> Worth:
    """A client who has not written for so many days."""
    if not ever_wrote:
        return Worth(3, 0.9)
    return Worth(5 if days > 14 else 4 if days > 7 else 3, 0.9)


def unanswered(hours: float, limit: int, *, asked: bool) -> Worth:
    """A client who waits for our answer, `hours` without weekends; less so when nothing was asked."""
    severity = 5 if hours > 4 * limit else 4 if hours > 2 * limit else 3
    return Worth(severity, 0.9) if asked else Worth(severity - 1, 0.7)


def sour(value: float, messages: int, bitter: float) -> Worth:
    """A client whose messages sound worse and worse."""
    return Worth(4 if value <= bitter else 3, round(min(0.85, 0.65 + 0.03 * (messages - 3)), 4))


def plain(kind: SignalType) -> Worth:
    """What a kind is worth by itself."""
    return Worth(KINDS[kind].severity, KINDS[kind].confidence)


def working_hours(start: datetime, end: datetime) -> float:
    """Hours between two moments, Saturdays and Sundays left out."""
    hours, at = 0.0, start
    while at < end:
        midnight = datetime.combine(at.date() + timedelta(days=1), datetime.min.time(), at.tzinfo)
        until = min(midnight, end)
        if at.weekday() < _SATURDAY:
            hours += (until - at).total_seconds() / 3_600
        at = until
    return hours


def due(today: date, priority: int, severity: int) -> str:
    """By when: a working day ahead for what is most pressing, five for what may wait."""
    days = 1 if priority >= 5 or severity >= 5 else 2 if priority >= 4 or severity >= 4 else 5
    day = today
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day.isoformat()


def key(*parts: str) -> str:
    """What makes a row the only one of its kind in a project."""
    return hashlib.sha1(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def references(evidence: tuple[str, ...], more: tuple[str, ...]) -> list[str]:
    """What a signal points at: its evidence, the newest first, then what else to look at; fifty at most."""
    return list(dict.fromkeys((*evidence[: MOST_EVIDENCE - len(more)], *more)))
