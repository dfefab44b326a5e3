"""How urgent a thing of the queue is, what can be done with it, and when what was put aside comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import msgspec

from ctower_desktop.kernel.regional import Regional, local, moment_at
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.reports.queue import Deed, Kind, Mark, QueueItem, Until, Waits

MOST, LEAST = 5, 1
_WAITS_LONG, _WAITS_TOO_LONG = timedelta(hours=8), timedelta(hours=48)
_LATE_A_WEEK, _LATE_A_MONTH = 7, 30  # days
_HIGH = (1, 2)  # of Linear's priorities: urgent, high
_ORDER: Mapping[Kind, int] = {
    "alert": 0, "waiting": 1, "action": 2, "signal": 3, "outbound": 4, "offer": 5, "issue": 6,
}  # fmt: skip


def judged(waits: Waits, mark: Mark | None, now: datetime, today: str) -> QueueItem:
    """A thing as it stands in the queue. `mark` is what somebody put on it, whether it still holds or not."""
    holds = mark is not None and is_aside(waits, mark, now)
    return QueueItem(
        **msgspec.structs.asdict(waits),
        urgency=max(LEAST, min(MOST, _urgency(waits, now, today))),
        late=_is_late(waits, now, today),
        deeds=deeds_of(waits),
        put_aside=holds,
        until=mark.until if mark is not None and holds else None,
    )


def is_aside(waits: Waits, mark: Mark, now: datetime) -> bool:
    """Whether a mark still holds: nothing about the thing changed, and its time has not come."""
    return mark.stamp == waits.stamp and (mark.until is None or from_text(mark.until) > now)


def in_order(items: Iterable[QueueItem]) -> list[QueueItem]:
    """The most urgent first; of equal ones what is late, then people before things, then the older."""
    return sorted(items, key=lambda one: (-one.urgency, not one.late, _ORDER[one.kind], one.since, one.id))


def deeds_of(waits: Waits) -> list[Deed]:
    """What can be done with it; putting it aside always can be."""
    match waits.kind:
        case "signal":
            return ["accept", "done", "dismiss"]
        case "action":
            return ["accept", "done", "dismiss"] if waits.status == "proposed" else ["done", "dismiss"]
        case "offer":
            return ["accept", "dismiss"]
        case "outbound":
            return ["accept", "dismiss"] if waits.status == "draft" else ["dismiss"]
        case "issue":
            return ["done", "dismiss"] if waits.status == "local" else ["dismiss"]
        case "alert":
            return ["done"]
        case _:
            return ["done", "dismiss"]


def comes_back(until: Until, now: datetime, regional: Regional) -> str | None:
    """When what is put aside is in the queue again: as work begins; None is when it changes."""
    if until == "changed":
        return None
    today = local(now, regional).date()
    day = today + timedelta(days=1 if until == "tomorrow" else 7 - today.weekday())
    return as_text(moment_at(day, regional.work_begins, regional))


def _urgency(waits: Waits, now: datetime, today: str) -> int:
    match waits.kind:
        case "waiting":
            span = now - from_text(waits.since)
            return 5 if span >= _WAITS_TOO_LONG else 4 if span >= _WAITS_LONG else 3
        case "action":
            late = _days_late(waits.due, today)
            return waits.weight + (1 if late is not None and late > 0 else 0)
        case "offer":
            late = _days_late(waits.due, today)
            return 4 if late is not None and late >= -1 else 3
        case "outbound":
            return 3 if waits.status == "draft" else 4
        case "issue":
            days = _days_late(waits.due, today) or 0
            by_age = 4 if days > _LATE_A_MONTH else 3 if days > _LATE_A_WEEK else 2
            return by_age + (1 if waits.weight in _HIGH else 0)
        case _:
            return waits.weight


def _is_late(waits: Waits, now: datetime, today: str) -> bool:
    if waits.kind == "waiting":
        return now - from_text(waits.since) >= _WAITS_LONG
    late = _days_late(waits.due, today)
    return late is not None and late > 0


def _days_late(due: str | None, today: str) -> int | None:
    return (date.fromisoformat(today) - date.fromisoformat(due[:10])).days if due else None
