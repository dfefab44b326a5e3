"""Digests as they were kept, and what became of mailing them, in SQL."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.reports.model import DailyDigest, DigestNotFound, Mail, MailKind, WeeklyDigest

MOST_TRIES = 5


class MailDue(msgspec.Struct, frozen=True):
    """A digest that is to be mailed: of which kind, for which day, to whom."""

    kind: MailKind
    due_date: str
    recipient: str


class _Found(msgspec.Struct, frozen=True):
    id: str


class _MailState(msgspec.Struct, frozen=True):
    id: str
    status: str
    attempts: int
    updated_at: str


_DAILY = "SELECT id, digest_date, summary, evidence_refs, created_at, updated_at FROM daily_digest"
_WEEKLY = "SELECT id, week_start, summary, evidence_refs, created_at, updated_at FROM weekly_digest"
_DAYS = Query(
    DailyDigest,
    f"{_DAILY} WHERE project_id = :project_id ORDER BY digest_date DESC LIMIT :limit OFFSET :offset",
)
_WEEKS = Query(
    WeeklyDigest,
    f"{_WEEKLY} WHERE project_id = :project_id ORDER BY week_start DESC LIMIT :limit OFFSET :offset",
)
_DAY = Query(DailyDigest, f"{_DAILY} WHERE id = :id AND project_id = :project_id", missing=DigestNotFound)
_WEEK = Query(WeeklyDigest, f"{_WEEKLY} WHERE id = :id AND project_id = :project_id", missing=DigestNotFound)
_KEEP_DAY = Query(
    DailyDigest,
    """
    INSERT INTO daily_digest (id, project_id, account_scope_id, digest_date, summary, evidence_refs,
                              created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :day, :summary, :refs, :at, :at)
    ON CONFLICT (project_id, digest_date) DO UPDATE
    SET summary = excluded.summary, evidence_refs = excluded.evidence_refs, updated_at = excluded.updated_at
    RETURNING id, digest_date, summary, evidence_refs, created_at, updated_at
    """,
)
_KEEP_WEEK = Query(
    WeeklyDigest,
    """
    INSERT INTO weekly_digest (id, project_id, account_scope_id, week_start, summary, evidence_refs,
                               created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :day, :summary, :refs, :at, :at)
    ON CONFLICT (project_id, week_start) DO UPDATE
    SET summary = excluded.summary, evidence_refs = excluded.evidence_refs, updated_at = excluded.updated_at
    RETURNING id, week_start, summary, evidence_refs, created_at, updated_at
    """,
)
_DAY_UNFINISHED = Query(
    _Found,
    """
    SELECT id FROM daily_digest WHERE project_id = :project_id AND digest_date = :day
      AND updated_at < summary ->> '$.period.end'
    """,
)
_WEEK_UNFINISHED = Query(
    _Found,
    """
    SELECT id FROM weekly_digest WHERE project_id = :project_id AND week_start = :day
      AND updated_at < summary ->> '$.period.end'
    """,
)
_WEEK_OF = Query(WeeklyDigest, f"{_WEEKLY} WHERE project_id = :project_id AND week_start = :day")
_MAILS = Query(
    Mail,
    """
    SELECT kind, due_date, recipient, status, detail, attempts, updated_at FROM digest_mail
    WHERE project_id = :project_id ORDER BY created_at DESC, kind, recipient LIMIT :limit
    """,
)
_MAIL = Query(
    _MailState,
    """
    SELECT id, status, attempts, updated_at FROM digest_mail
    WHERE project_id = :project_id AND kind = :kind AND due_date = :due_date AND recipient = :recipient
    """,
)
_ADD_MAIL = Command("""
    INSERT INTO digest_mail (id, project_id, account_scope_id, kind, due_date, recipient, status, created_at,
                             updated_at)
    VALUES (:id, :project_id, :account_scope_id, :kind, :due_date, :recipient, 'sending', :at, :at)
""")
_TRY_MAIL = Command("""
    UPDATE digest_mail SET status = 'sending', attempts = attempts + 1, updated_at = :at
    WHERE id = :id AND status = 'failed'
""")
_END_MAIL = Command("""
    UPDATE digest_mail SET status = :status, detail = :detail, updated_at = :at WHERE id = :id
""")
_LOST_MAILS = Command("""
    UPDATE digest_mail SET status = 'uncertain', detail = :detail, updated_at = :at
    WHERE project_id = :project_id AND status = 'sending' AND updated_at < :before
""")


# Rows of another room: the scheduler has no way to know that somebody changed a time of day.
_WAKE = Command("""
    UPDATE scheduled_job SET next_run_at = :at
    WHERE project_id IN (SELECT id FROM project) AND status = 'active' AND next_run_at > :at
      AND job_type IN ('daily_digest', 'weekly_digest', 'report_generation')
""")


def days(db: apsw.Connection, project_id: str, limit: int, offset: int) -> list[DailyDigest]:
    """Daily digests, the newest first."""
    return _DAYS.all(db, project_id=project_id, limit=limit, offset=offset)


def weeks(db: apsw.Connection, project_id: str, limit: int, offset: int) -> list[WeeklyDigest]:
    """Weekly digests, the newest first."""
    return _WEEKS.all(db, project_id=project_id, limit=limit, offset=offset)


def day(db: apsw.Connection, project_id: str, digest_id: str) -> DailyDigest:
    """One daily digest; raise DigestNotFound."""
    return _DAY.one(db, id=digest_id, project_id=project_id)


def week(db: apsw.Connection, project_id: str, digest_id: str) -> WeeklyDigest:
    """One weekly digest; raise DigestNotFound."""
    return _WEEK.one(db, id=digest_id, project_id=project_id)


class Made(msgspec.Struct, frozen=True):
    """A digest that was just made: of the day or the Monday `of`."""

    of: str
    summary: Any
    evidence_refs: list[str]
    at: str


def keep_day(db: apsw.Connection, project: ProjectRef, made: Made) -> DailyDigest:
    """Keep the digest of a day; there is one a day."""
    return _KEEP_DAY.one(db, **_values(project, made))


def keep_week(db: apsw.Connection, project: ProjectRef, made: Made) -> WeeklyDigest:
    """Keep the digest of the week that begins on a Monday; there is one a week."""
    return _KEEP_WEEK.one(db, **_values(project, made))


def _values(project: ProjectRef, made: Made) -> dict[str, apsw.SQLiteValue]:
    return {
        "id": new_id(),
        "project_id": project.id,
        "account_scope_id": project.account_scope_id,
        "day": made.of,
        "summary": as_json(made.summary),
        "refs": as_json(made.evidence_refs),
        "at": made.at,
    }


def day_unfinished(db: apsw.Connection, project_id: str, of: str) -> bool:
    """Whether the digest of a day was made before that day was over."""
    return _DAY_UNFINISHED.first(db, project_id=project_id, day=of) is not None


def week_unfinished(db: apsw.Connection, project_id: str, of: str) -> bool:
    """Whether the digest of a week was made before that week was over."""
    return _WEEK_UNFINISHED.first(db, project_id=project_id, day=of) is not None


def week_of(db: apsw.Connection, project_id: str, monday: str) -> WeeklyDigest | None:
    """The digest of the week that begins on a Monday, if there is one."""
    return _WEEK_OF.first(db, project_id=project_id, day=monday)


def mails(db: apsw.Connection, project_id: str, limit: int) -> list[Mail]:
    """What was due to be mailed, the newest first."""
    return _MAILS.all(db, project_id=project_id, limit=limit)


def begin_mail(
    db: apsw.Connection, project: ProjectRef, due: MailDue, at: str, retry_before: str
) -> str | None:
    """Note that a digest is about to leave; None when it has left, or its next try has not come."""
    wanted = {"project_id": project.id, **msgspec.structs.asdict(due)}
    known = _MAIL.first(db, **wanted)
    if known is None:
        mail_id = new_id()
        _ADD_MAIL.run(db, id=mail_id, account_scope_id=project.account_scope_id, at=at, **wanted)
        return mail_id
    if known.status != "failed" or known.attempts >= MOST_TRIES or known.updated_at > retry_before:
        return None
    _TRY_MAIL.run(db, id=known.id, at=at)
    return known.id


def end_mail(db: apsw.Connection, mail_id: str, status: str, detail: str, at: str) -> None:
    """Note what became of it."""
    _END_MAIL.run(db, id=mail_id, status=status, detail=detail[:1_000], at=at)


def lose_mails(db: apsw.Connection, project_id: str, before: str, at: str, detail: str) -> int:
    """Note of mails begun before a time and never ended that nobody knows whether they left."""
    return _LOST_MAILS.run(db, project_id=project_id, before=before, at=at, detail=detail)


def wake_jobs(db: apsw.Connection, at: str) -> None:
    """Make due what has a time of day, in every project: those times have changed."""
    _WAKE.run(db, at=at)
