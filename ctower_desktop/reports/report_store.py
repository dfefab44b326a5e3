"""Reports in SQL: begun, finished, listed."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.reports import template_store
from ctower_desktop.reports.model import ListReports, Report, ReportLine, ReportNotFound, Reports, Template

_LONGEST_ERROR = 2_000
INTERRUPTED = "interrupted: the program ended while this report was being made"


class Begun(msgspec.Struct, frozen=True):
    """A report that is about to be made: of which days, and for which time of the schedule if for one."""

    id: str
    start: str
    end: str
    at: str
    scheduled_for: str | None = None


class _Count(msgspec.Struct, frozen=True):
    value: int


_LINE = "id, template_id, template_name, date_range_start, date_range_end, format, status, error, created_at"
_FILTER = """
    project_id = :project_id
    AND (:template_id = '' OR template_id = :template_id)
    AND (:date_from = '' OR created_at >= :date_from) AND (:date_to = '' OR created_at < :date_to)
"""
_LISTED = Query(
    ReportLine,
    f"""
    SELECT {_LINE} FROM generated_report WHERE {_FILTER}
    ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_LISTED_OF = Query(
    ReportLine,
    f"""
    SELECT {_LINE} FROM generated_report WHERE {_FILTER} AND status = :status
    ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_COUNTED = Query(_Count, f"SELECT count(*) AS value FROM generated_report WHERE {_FILTER}")
_COUNTED_OF = Query(
    _Count, f"SELECT count(*) AS value FROM generated_report WHERE {_FILTER} AND status = :status"
)
_ONE = Query(
    Report,
    f"SELECT {_LINE}, data FROM generated_report WHERE id = :id AND project_id = :project_id",
    missing=ReportNotFound,
)
_BEGIN = Command("""
    INSERT INTO generated_report (id, project_id, account_scope_id, template_id, template_name,
                                  date_range_start, date_range_end, format, status, scheduled_for,
                                  created_at)
    VALUES (:id, :project_id, :account_scope_id, :template_id, :template_name, :start, :end, :format,
            'generating', :scheduled_for, :at)
    ON CONFLICT (template_id, scheduled_for) WHERE scheduled_for IS NOT NULL DO NOTHING
""")
_COMPLETE = Command("""
    UPDATE generated_report SET status = 'completed', data = :data WHERE id = :id AND status = 'generating'
""")
_FAIL = Command("""
    UPDATE generated_report SET status = 'failed', error = :error WHERE id = :id AND status = 'generating'
""")
_ABANDON = Command("""
    UPDATE generated_report SET status = 'failed', error = :error
    WHERE project_id = :project_id AND status IN ('pending', 'generating') AND created_at < :before
""")


def begin(db: apsw.Connection, project: ProjectRef, template: Template, new: Begun) -> bool:
    """Note that a report is being made; False when that time of the schedule was already served."""
    added = _BEGIN.run(
        db,
        id=new.id,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        template_id=template.id,
        template_name=template.name,
        start=new.start,
        end=new.end,
        format=template.format,
        scheduled_for=new.scheduled_for,
        at=new.at,
    )
    if new.scheduled_for is not None:
        template_store.schedule_done(db, template.id, new.scheduled_for)
    return added == 1


def complete(db: apsw.Connection, project_id: str, report_id: str, data: dict[str, Any]) -> Report:
    """Keep what was made."""
    _COMPLETE.run(db, id=report_id, data=as_json(data))
    return one(db, project_id, report_id)


def fail(db: apsw.Connection, report_id: str, error: str) -> None:
    """Keep why nothing was made."""
    _FAIL.run(db, id=report_id, error=error[:_LONGEST_ERROR])


def abandon(db: apsw.Connection, project_id: str, before: str) -> int:
    """Give up reports that were begun before a time and never finished."""
    return _ABANDON.run(db, project_id=project_id, before=before, error=INTERRUPTED)


def one(db: apsw.Connection, project_id: str, report_id: str) -> Report:
    """One report with its content; raise ReportNotFound."""
    return _ONE.one(db, id=report_id, project_id=project_id)


def listed(db: apsw.Connection, project_id: str, query: ListReports, date_from: str, date_to: str) -> Reports:
    """Reports made from one time up to another, the newest first."""
    where = {
        "project_id": project_id,
        "template_id": query.template_id.lower(),
        "date_from": date_from,
        "date_to": date_to,
    }
    page = {"limit": query.limit, "offset": query.offset}
    if query.status:
        return Reports(
            _LISTED_OF.all(db, status=query.status, **where, **page),
            _COUNTED_OF.one(db, status=query.status, **where).value,
        )
    return Reports(_LISTED.all(db, **where, **page), _COUNTED.one(db, **where).value)
