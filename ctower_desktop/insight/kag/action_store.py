"""What was done about recommendations, and reminders of them, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import apsw
import msgspec

from ctower_desktop.insight.kag.model import ActionNotFound, ActionRun, ActionType, RetryInvalid
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text, from_text, new_id
from ctower_desktop.kernel.tower import ProjectRef

LOST_AFTER = timedelta(minutes=10)  # a run nobody reported on
INTERRUPTED = "interrupted: nobody knows how far it got; look before you try again"
_LONGEST_WAIT = 120  # minutes


class Wanted(msgspec.Struct, frozen=True):
    """What is to be done."""

    recommendation_id: str
    action_type: ActionType
    payload: dict[str, Any]
    dedupe_key: str
    correlation_id: str
    max_retries: int
    by: str


class Begun(msgspec.Struct, frozen=True):
    """A run, and whether it was there before."""

    run: ActionRun
    known: bool


class Reminder(msgspec.Struct, frozen=True):
    """When to bring a recommendation up again."""

    recommendation_id: str
    every_seconds: int
    note: str | None
    next_at: str
    reminded_at: str | None
    reminded_count: int


class _Due(msgspec.Struct, frozen=True):
    recommendation_id: str
    every_seconds: int
    next_at: str


class _Id(msgspec.Struct, frozen=True):
    id: str


class _Count(msgspec.Struct, frozen=True):
    n: int


_COLUMNS = """id, recommendation_id, action_type, status, action_payload, result, dedupe_key, correlation_id,
              attempts, max_retries, next_retry_at, error, created_by, created_at, updated_at, finished_at"""
_KNOWN = Query(
    ActionRun,
    f"""
    SELECT {_COLUMNS} FROM kag_action_run
    WHERE recommendation_id = :recommendation_id AND dedupe_key = :dedupe_key
    """,
)
_ADD = Command("""
    INSERT INTO kag_action_run (id, project_id, account_scope_id, recommendation_id, action_type, status,
        action_payload, dedupe_key, correlation_id, attempts, max_retries, created_by, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :recommendation_id, :action_type, 'running', :payload,
        :dedupe_key, :correlation_id, 1, :max_retries, :by, :at, :at)
""")
_ONE = Query(
    ActionRun,
    f"""
    SELECT {_COLUMNS} FROM kag_action_run
    WHERE id = :id AND project_id IN (SELECT value FROM json_each(:ids))
    """,
    missing=ActionNotFound,
)
_LISTED = Query(
    ActionRun,
    f"""
    SELECT {_COLUMNS} FROM kag_action_run WHERE recommendation_id = :recommendation_id
    ORDER BY created_at DESC, kag_action_run.rowid DESC LIMIT :limit
    """,
)
_TASKS = Query(
    ActionRun,
    f"""
    SELECT {_COLUMNS} FROM kag_action_run
    WHERE recommendation_id = :recommendation_id AND action_type = 'create_or_update_task'
    ORDER BY created_at, kag_action_run.rowid
    """,
)
_AGAIN = Command("""
    UPDATE kag_action_run SET status = 'running', attempts = attempts + 1, error = NULL, next_retry_at = NULL,
        finished_at = NULL, updated_at = :at
    WHERE id = :id
""")
_SUCCEEDED = Command("""
    UPDATE kag_action_run SET status = 'succeeded', result = :result, error = NULL, next_retry_at = NULL,
        updated_at = :at, finished_at = :at
    WHERE id = :id
""")
_NOTE = Command("UPDATE kag_action_run SET result = :result WHERE id = :id")
_FAILED = Command("""
    UPDATE kag_action_run SET status = 'failed', error = :error, next_retry_at = :next, updated_at = :at,
        finished_at = :at
    WHERE id = :id
""")
_FAILED_DUE = Query(
    _Id,
    """
    SELECT a.id FROM kag_action_run AS a JOIN kag_recommendation_v2 AS r ON r.id = a.recommendation_id
    WHERE a.project_id = :project_id AND a.status = 'failed' AND a.next_retry_at <= :now
      AND r.status IN ('new', 'acknowledged') AND r.ended_at IS NULL
    ORDER BY a.next_retry_at LIMIT 20
    """,
)
_LOST = Command("""
    UPDATE kag_action_run SET status = 'failed', error = :error, updated_at = :at, finished_at = :at
    WHERE project_id = :project_id AND status = 'running' AND updated_at < :before
""")
_ACKNOWLEDGE = Command("""
    UPDATE kag_recommendation_v2 SET status = 'acknowledged', acknowledged_at = :at, updated_at = :at
    WHERE id = :id AND status = 'new'
""")
_SET_REMINDER = Command("""
    INSERT INTO kag_reminder (recommendation_id, project_id, account_scope_id, every_seconds, note, next_at,
        created_at)
    VALUES (:recommendation_id, :project_id, :account_scope_id, :every, :note, :next, :at)
    ON CONFLICT (recommendation_id) DO UPDATE SET every_seconds = excluded.every_seconds,
        note = excluded.note, next_at = excluded.next_at
""")
_REMINDER = Query(
    Reminder,
    """
    SELECT recommendation_id, every_seconds, note, next_at, reminded_at, reminded_count FROM kag_reminder
    WHERE recommendation_id = :id
    """,
)
_DUE = Query(
    _Due,
    """
    SELECT recommendation_id, every_seconds, next_at FROM kag_reminder
    WHERE project_id = :project_id AND next_at <= :now ORDER BY next_at LIMIT 200
    """,
)
_REMIND = Command("""
    UPDATE kag_reminder SET reminded_at = :at, reminded_count = reminded_count + 1, next_at = :next
    WHERE recommendation_id = :id
""")
_RAISE = Command("UPDATE kag_recommendation_v2 SET updated_at = :at WHERE id = :id")
_SETTLED = Command("""
    DELETE FROM kag_reminder WHERE project_id = :project_id AND recommendation_id IN (
        SELECT id FROM kag_recommendation_v2
        WHERE project_id = :project_id AND (status IN ('done', 'dismissed') OR ended_at IS NOT NULL))
""")
_UNSEEN = Query(
    _Count,
    """
    SELECT count(*) AS n FROM kag_reminder AS m JOIN kag_recommendation_v2 AS r ON r.id = m.recommendation_id
    WHERE m.project_id = :project_id AND m.reminded_at > coalesce(r.last_shown_at, '')
      AND r.status IN ('new', 'acknowledged')
    """,
)


def begin(db: apsw.Connection, project: ProjectRef, wanted: Wanted, at: str) -> Begun:
    """Note what is about to be done, unless the same was begun before."""
    known = _KNOWN.first(db, recommendation_id=wanted.recommendation_id, dedupe_key=wanted.dedupe_key)
    if known is not None:
        return Begun(known, known=True)
    values = msgspec.structs.asdict(wanted) | {"payload": as_json(wanted.payload)}
    scope = {"project_id": project.id, "account_scope_id": project.account_scope_id}
    _ADD.run(db, id=new_id(), **scope, at=at, **values)
    made = _KNOWN.one(db, recommendation_id=wanted.recommendation_id, dedupe_key=wanted.dedupe_key)
    return Begun(made, known=False)


def one(db: apsw.Connection, ids: Sequence[str], run_id: str) -> ActionRun:
    """One run; raise ActionNotFound."""
    return _ONE.one(db, id=run_id, ids=as_json(list(ids)))


def listed(db: apsw.Connection, recommendation_id: str, limit: int = 100) -> list[ActionRun]:
    """What was done about a recommendation, the last first."""
    return _LISTED.all(db, recommendation_id=recommendation_id, limit=limit)


def tasks(db: apsw.Connection, recommendation_id: str) -> list[ActionRun]:
    """Every time a task was made or changed, the first one first."""
    return _TASKS.all(db, recommendation_id=recommendation_id)


def again(db: apsw.Connection, ids: Sequence[str], run_id: str, now: datetime) -> ActionRun:
    """Take a failed run up once more; raise ActionNotFound or RetryInvalid."""
    run = one(db, ids, run_id)
    lost = run.status == "running" and from_text(run.updated_at) < now - LOST_AFTER
    if run.status != "failed" and not lost:
        raise RetryInvalid(f"It is {run.status}; only what failed can be tried again.")
    if run.attempts > run.max_retries:
        raise RetryInvalid(f"It was tried {run.attempts} times; that is enough.")
    _AGAIN.run(db, id=run.id, at=as_text(now))
    return one(db, ids, run_id)


def note(db: apsw.Connection, run_id: str, result: dict[str, Any]) -> None:
    """Write down how it is begun, before somebody else is asked."""
    _NOTE.run(db, id=run_id, result=as_json(result))


def succeeded(db: apsw.Connection, run: ActionRun, result: dict[str, Any], at: str) -> None:
    """It is done; whoever did it has taken note of the recommendation."""
    _SUCCEEDED.run(db, id=run.id, result=as_json(result), at=at)
    _ACKNOWLEDGE.run(db, id=run.recommendation_id, at=at)


def failed(db: apsw.Connection, run: ActionRun, error: str, now: datetime) -> None:
    """It did not succeed; the wait until it is worth another try doubles each time."""
    left = run.attempts <= run.max_retries
    following = as_text(now + timedelta(minutes=wait_minutes(run.attempts))) if left else None
    _FAILED.run(db, id=run.id, error=error[:2_000], next=following, at=as_text(now))


def wait_minutes(attempts: int) -> int:
    """Minutes until what failed so often is worth another try."""
    return int(max(1, min(_LONGEST_WAIT, 2 ** min(attempts, 10))))


def due(db: apsw.Connection, project_id: str, now: str) -> list[str]:
    """Failed runs that are worth another try, as long as their recommendation is not settled."""
    return [row.id for row in _FAILED_DUE.all(db, project_id=project_id, now=now)]


def give_up_lost(db: apsw.Connection, project_id: str, now: datetime) -> int:
    """Runs that died with the program have failed; return how many."""
    before = as_text(now - LOST_AFTER)
    return _LOST.run(db, project_id=project_id, error=INTERRUPTED, at=as_text(now), before=before)


def set_reminder(  # noqa: PLR0917
    db: apsw.Connection,
    project: ProjectRef,
    recommendation_id: str,
    every: int,
    note: str | None,
    now: datetime,
) -> Reminder:
    """Bring a recommendation up again and again until it is settled."""
    _SET_REMINDER.run(
        db,
        recommendation_id=recommendation_id,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        every=every,
        note=note,
        next=as_text(now + timedelta(seconds=every)),
        at=as_text(now),
    )
    return _REMINDER.one(db, id=recommendation_id)


def remind(db: apsw.Connection, project_id: str, now: datetime) -> int:
    """Bring up what is due, forget what is settled; return how many were brought up."""
    _SETTLED.run(db, project_id=project_id)
    waiting = _DUE.all(db, project_id=project_id, now=as_text(now))
    for each in waiting:
        step = timedelta(seconds=each.every_seconds)
        missed = (now - from_text(each.next_at)) // step
        following = as_text(from_text(each.next_at) + (missed + 1) * step)
        _REMIND.run(db, id=each.recommendation_id, at=as_text(now), next=following)
        _RAISE.run(db, id=each.recommendation_id, at=as_text(now))
    return len(waiting)


def unseen(db: apsw.Connection, project_id: str) -> int:
    """How many recommendations were brought up and not looked at since."""
    return _UNSEEN.one(db, project_id=project_id).n
