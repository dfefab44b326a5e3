"""What is the case now, in SQL: overdue work, deals without a next step, whose turn it is, sour tones."""

from __future__ import annotations

from dataclasses import dataclass

import apsw
import msgspec

from ctower_desktop.crm.mirroring_store import NEXT_STEP
from ctower_desktop.insight.signals.model import Language
from ctower_desktop.insight.signals.sentiment import FEWEST, SOUR
from ctower_desktop.kernel.sql import Query, as_json

_SAMPLE = 40  # issues of a delivery project that are named as evidence


class Overdue(msgspec.Struct, frozen=True):
    """Issues of one delivery project that should be done."""

    linear_project_external_id: str
    name: str
    issues: int


class OverdueIssue(msgspec.Struct, frozen=True):
    """One issue that should be done."""

    id: str
    identifier: str
    title: str
    due_date: str
    assignee_name: str | None


class WeakDeal(msgspec.Struct, frozen=True):
    """An open opportunity nobody knows how to go on with."""

    id: str
    title: str
    owner_username: str | None
    updated_at: str


class Waiting(msgspec.Struct, frozen=True):
    """A conversation in which one side waits for the other."""

    conversation_id: str
    since: str
    about: str
    client_last_at: str | None
    language: Language
    contact_name: str | None
    assignee_name: str | None
    author: str | None
    content: str


class Sour(msgspec.Struct, frozen=True):
    """A conversation whose tone gets worse."""

    conversation_id: str
    language: Language
    mood: float
    moods: int
    mood_refs: list[str]
    contact_name: str | None
    assignee_name: str | None


class SourMessage(msgspec.Struct, frozen=True):
    """A message that sounds bad."""

    id: str
    author: str | None
    content: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """The moments between which things count."""

    today: str
    forgotten: str  # conversations without a word since wait for nobody
    unanswered: str  # clients who wait since then or longer
    silent: str  # clients who are silent since then or longer
    sour_since: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is the case now: with overdue issues the oldest, with sour tones what sounded bad."""

    overdue: list[tuple[Overdue, list[OverdueIssue]]]
    weak_deals: list[WeakDeal]
    waiting_for_us: list[Waiting]
    waiting_for_client: list[Waiting]  # who are silent in every conversation
    sour: list[tuple[Sour, list[SourMessage]]]


_LATE = """project_id = :project_id AND due_date IS NOT NULL AND due_date < :today AND completed_at IS NULL
      AND canceled_at IS NULL AND archived_at IS NULL AND deleted_at IS NULL
      AND coalesce(state_type, '') NOT IN ('completed', 'canceled', 'duplicate')"""
_OVERDUE = Query(
    Overdue,
    f"""
    SELECT coalesce(linear_project_external_id, '') AS linear_project_external_id,
           coalesce(max(linear_project_name), '') AS name, count(*) AS issues
    FROM issue WHERE {_LATE} GROUP BY 1 ORDER BY 3 DESC, 1
    """,
)
_OVERDUE_ISSUES = Query(
    OverdueIssue,
    f"""
    SELECT id, identifier, title, due_date, assignee_name FROM issue
    WHERE {_LATE} AND coalesce(linear_project_external_id, '') = :linear_project
    ORDER BY due_date, id LIMIT :limit
    """,
)
_WEAK_DEALS = Query(
    WeakDeal,
    """
    SELECT id, title, owner_username, updated_at FROM crm_opportunity
    WHERE project_id = :project_id AND stage IN ('discovery', 'qualified', 'proposal', 'negotiation')
      AND deleted_at IS NULL
      AND (length(trim(next_step)) < 6 OR (next_step = :placeholder AND source_system <> 'manual'))
    ORDER BY updated_at DESC LIMIT 200
    """,
)
_WAIT = """t.conversation_id, t.since, t.about, t.client_last_at, t.language, c.name AS contact_name,
           v.assignee_name, m.sender_name AS author, coalesce(m.content, '') AS content
    FROM signal_thread AS t JOIN conversation AS v ON v.id = t.conversation_id
    JOIN message AS m ON m.id = t.about LEFT JOIN contact AS c ON c.id = v.contact_global_id
    WHERE t.project_id = :project_id AND t.open = 1 AND t.since >= :since AND t.since <= :until"""
_WAITING_FOR_US = Query(Waiting, f"SELECT {_WAIT} AND t.turn = 'team' ORDER BY t.since LIMIT 1000")
_WAITING_FOR_CLIENT = Query(
    Waiting,
    f"""
    SELECT {_WAIT} AND t.turn = 'client' AND NOT EXISTS (
        SELECT 1 FROM conversation AS other JOIN signal_thread AS o ON o.conversation_id = other.id
        WHERE other.project_id = :project_id AND other.contact_global_id = v.contact_global_id
          AND o.client_last_at > t.since)
    ORDER BY t.since LIMIT 1000
    """,
)
_SOUR = Query(
    Sour,
    """
    SELECT t.conversation_id, t.language, t.mood, t.moods, t.mood_refs, c.name AS contact_name,
           v.assignee_name
    FROM signal_thread AS t JOIN conversation AS v ON v.id = t.conversation_id
    LEFT JOIN contact AS c ON c.id = v.contact_global_id
    WHERE t.project_id = :project_id AND t.open = 1 AND t.moods > 0 AND t.mood <= :mood AND t.moods >= :fewest
      AND t.client_last_at >= :since
    ORDER BY t.mood LIMIT 1000
    """,
)
_SOUR_MESSAGES = Query(
    SourMessage,
    """
    SELECT m.id, m.sender_name AS author, coalesce(m.content, '') AS content, m.created_at
    FROM json_each(:ids) AS wanted CROSS JOIN message AS m ON m.id = wanted.value
    WHERE m.deleted_at IS NULL ORDER BY m.created_at DESC
    """,
)


def facts(db: apsw.Connection, project_id: str, bounds: Bounds) -> Facts:
    """What is the case now."""
    groups = _OVERDUE.all(db, project_id=project_id, today=bounds.today)
    since = bounds.forgotten
    sour = _SOUR.all(
        db, project_id=project_id, mood=SOUR, fewest=FEWEST, since=bounds.sour_since
    )  # fmt: skip
    return Facts(
        overdue=[(group, _issues(db, project_id, bounds.today, group)) for group in groups],
        weak_deals=_WEAK_DEALS.all(db, project_id=project_id, placeholder=NEXT_STEP),
        waiting_for_us=_WAITING_FOR_US.all(db, project_id=project_id, since=since, until=bounds.unanswered),
        waiting_for_client=_WAITING_FOR_CLIENT.all(
            db, project_id=project_id, since=since, until=bounds.silent
        ),
        sour=[(one, _SOUR_MESSAGES.all(db, ids=as_json(one.mood_refs))) for one in sour],
    )


def _issues(db: apsw.Connection, project_id: str, today: str, group: Overdue) -> list[OverdueIssue]:
    return _OVERDUE_ISSUES.all(
        db, project_id=project_id, today=today, limit=_SAMPLE, linear_project=group.linear_project_external_id
    )
