"""The connectors' event log in SQL, and how far each project has read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import apsw
import msgspec

from ctower_desktop.insight.kag.days import Moved
from ctower_desktop.insight.kag.model import Evidence, LogEvent
from ctower_desktop.insight.kag.reading import Mood, meaning
from ctower_desktop.insight.kag.state import Open, State, apply, compare, forget
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import ProjectRef

A_STEP = 1_000  # events read in one transaction
_MOST_OPEN = 500  # blocked issues and running stages that are followed
_MOST_BOOKED = 10  # pieces of evidence about money


class Progress(msgspec.Struct, frozen=True):
    """How far the log was read, and what is remembered now."""

    processed: int
    last_event_id: int
    state: State


class _Remembered(msgspec.Struct, frozen=True):
    last_event_id: int
    state: State


class _Kind(msgspec.Struct, frozen=True):
    event_type: str


class _Stage(msgspec.Struct, frozen=True):
    stage: str


class _Open(msgspec.Struct, frozen=True):
    """A blocked issue or a running stage as its row has it."""

    id: str
    name: str
    since: str
    due_at: str | None
    url: str | None


class _Booked(msgspec.Struct, frozen=True):
    """Where money comes from: an entry, or a deal that was won."""

    entry_id: str | None
    record_id: str | None


_EVENT = """CAST(id AS TEXT) AS id, event_type, occurred_at, actor, source, source_ref, source_url,
            source_message_id, source_linear_issue_id, source_attio_record_id, payload_json, created_at"""
_NEWEST = "ORDER BY connector_event.occurred_at DESC, connector_event.id DESC LIMIT :limit OFFSET :offset"
_ALL = Query(LogEvent, f"SELECT {_EVENT} FROM connector_event WHERE project_id = :project_id {_NEWEST}")
_OF_SOURCE = Query(
    LogEvent,
    f"SELECT {_EVENT} FROM connector_event WHERE project_id = :project_id AND source = :source {_NEWEST}",
)
_OF_TYPE = Query(
    LogEvent,
    f"""
    SELECT {_EVENT} FROM connector_event
    WHERE project_id = :project_id AND event_type = :type AND (:source = '' OR source = :source) {_NEWEST}
    """,
)
_AFTER = Query(
    LogEvent,
    f"""
    SELECT {_EVENT} FROM connector_event WHERE project_id = :project_id AND connector_event.id > :after
    ORDER BY connector_event.id LIMIT :limit
    """,
)
_REMEMBERED = Query(_Remembered, "SELECT last_event_id, state FROM kag_state WHERE project_id = :project_id")
_REMEMBER = Command("""
    INSERT INTO kag_state (project_id, account_scope_id, last_event_id, state, updated_at)
    VALUES (:project_id, :account_scope_id, :last_event_id, :state, :at)
    ON CONFLICT (project_id) DO UPDATE SET last_event_id = excluded.last_event_id, state = excluded.state,
        updated_at = excluded.updated_at
""")
_BLOCKED = Query(
    _Open,
    """
    SELECT external_id AS id, identifier AS name, updated_at AS since, NULL AS due_at, url FROM issue
    WHERE project_id = :project_id AND blocked = 1 AND deleted_at IS NULL AND archived_at IS NULL
      AND completed_at IS NULL AND canceled_at IS NULL
    ORDER BY updated_at LIMIT :limit
    """,
)
_STAGES = Query(
    _Open,
    """
    SELECT external_id AS id, name, coalesce(start_date, updated_at) AS since, target_date AS due_at, url
    FROM work_project WHERE project_id = :project_id AND state = 'started' AND deleted_at IS NULL
    ORDER BY target_date IS NULL, target_date LIMIT :limit
    """,
)
_SINCE = Query(
    _Kind,
    """
    SELECT event_type FROM (
        SELECT event_type, occurred_at, id FROM connector_event
        WHERE project_id = :project_id AND occurred_at >= :since AND event_type NOT LIKE 'process%'
        ORDER BY occurred_at DESC LIMIT :limit
    ) ORDER BY occurred_at, id
    """,
)
_MOVED = Query(
    Moved,
    """
    SELECT id, coalesce(json_extract(payload_json, '$.to_stage'), '') AS stage,
           coalesce(json_extract(payload_json, '$.title'), '') AS title, source_attio_record_id AS record_id
    FROM connector_event
    WHERE project_id = :project_id AND event_type = 'deal_stage_changed'
      AND occurred_at >= :begins AND occurred_at < :ends
    ORDER BY occurred_at, id LIMIT 200
    """,
)
_STAGE = Query(
    _Stage,
    """
    SELECT stage FROM deal WHERE project_id = :project_id AND deleted_at IS NULL
    ORDER BY updated_at DESC, id LIMIT 1
    """,
)
_BOOKED = Query(
    _Booked,
    """
    SELECT * FROM (SELECT id AS entry_id, NULL AS record_id FROM cost_entry
                   WHERE project_id = :project_id ORDER BY date DESC, created_at DESC, id LIMIT :limit)
    UNION ALL
    SELECT * FROM (SELECT NULL AS entry_id, source_ref AS record_id FROM revenue_line
                   WHERE project_id = :project_id AND closed_at IS NOT NULL AND stage = 'won'
                     AND source = 'attio'
                   ORDER BY closed_at DESC LIMIT :limit)
    """,
)


def events(  # noqa: PLR0917
    db: apsw.Connection, project_id: str, event_type: str, source: str, limit: int, offset: int
) -> list[LogEvent]:
    """Lines of the log, the newest first."""
    page = {"project_id": project_id, "limit": limit, "offset": offset}
    if event_type:
        return _OF_TYPE.all(db, **page, type=event_type, source=source)
    return _OF_SOURCE.all(db, **page, source=source) if source else _ALL.all(db, **page)


def advance(db: apsw.Connection, project: ProjectRef, now: datetime, mood: Mood) -> Progress:
    """Read the next thousand lines of the log into what is remembered of a project."""
    known = _REMEMBERED.first(db, project_id=project.id)
    state, last = (known.state, known.last_event_id) if known else (State(), 0)
    found = _AFTER.all(db, project_id=project.id, after=last, limit=A_STEP)
    for event in found:
        last = int(event.id)
        for happening in meaning(event, mood):
            apply(state, happening)
    compare(state, _open(db, _BLOCKED, project.id), _open(db, _STAGES, project.id))
    forget(state, now)
    _REMEMBER.run(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        last_event_id=last,
        state=as_json(state),
        at=as_text(now),
    )
    return Progress(len(found), last, state)


def _open(db: apsw.Connection, query: Query[_Open], project_id: str) -> dict[str, Open]:
    stages = query is _STAGES
    found = {}
    for row in query.all(db, project_id=project_id, limit=_MOST_OPEN):
        evidence = Evidence(
            linear_issue_id=None if stages else row.id,
            doc_url=row.url if stages else None,
            source_table="work_projects" if stages else "linear_issues",
            source_pk=row.id,
        )
        since = f"{row.since}T00:00:00.000Z" if len(row.since) == 10 else row.since
        found[row.id] = Open(since, row.name, row.due_at, evidence if evidence.kinds else None)
    return found


def remembered(db: apsw.Connection, project_id: str) -> State:
    """What is remembered of a project."""
    known = _REMEMBERED.first(db, project_id=project_id)
    return known.state if known else State()


def kinds_since(db: apsw.Connection, project_id: str, since: str, limit: int) -> list[str]:
    """What kinds of events happened since then, the oldest first; the newest `limit` of them."""
    return [row.event_type for row in _SINCE.all(db, project_id=project_id, since=since, limit=limit)]


def moved(db: apsw.Connection, project_id: str, day: datetime) -> list[Moved]:
    """Deals that moved to another stage on a day."""
    ends = as_text(day + timedelta(days=1))
    return _MOVED.all(db, project_id=project_id, begins=as_text(day), ends=ends)


def newest_stage(db: apsw.Connection, project_id: str) -> str:
    """The stage of the deal that changed last, or nothing."""
    found = _STAGE.first(db, project_id=project_id)
    return found.stage if found else ""


def booked(db: apsw.Connection, project_id: str) -> Sequence[Evidence]:
    """What figures of money stand on: entries made here, deals that were won."""
    return [
        Evidence(
            doc_url=f"ctower://costs/{row.entry_id}" if row.entry_id else None,
            attio_record_id=row.record_id,
            source_table="cost_entries" if row.entry_id else "attio_opportunities",
            source_pk=row.entry_id or row.record_id,
        )
        for row in _BOOKED.all(db, project_id=project_id, limit=_MOST_BOOKED)
    ]
