"""Report templates in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.reports.model import Template, TemplateBuiltin, TemplateNameTaken, TemplateNotFound


class Builtin(msgspec.Struct, frozen=True):
    """A template every project begins with."""

    key: str
    name: str
    description: str
    sections: tuple[str, ...]
    schedule: str


BUILTINS = (
    Builtin(
        "weekly_summary",
        "Weekly Summary",
        "What was said, done and sold in a week, and whether the sources were read.",
        ("summary_stats", "connector_health", "project_activity"),
        "0 9 * * 1",
    ),
    Builtin(
        "project_health",
        "Project Health",
        "How the project stands every morning: figures, activity, search index, errors.",
        ("summary_stats", "project_activity", "embedding_coverage", "error_summary"),
        "0 8 * * *",
    ),
    Builtin(
        "connector_status",
        "Connector Status",
        "Whether the sources are read, and what went wrong.",
        ("connector_health", "error_summary"),
        "0 */6 * * *",
    ),
)


class Scheduled(msgspec.Struct, frozen=True):
    """A template that makes reports by itself; times of its schedule up to `since` are done with."""

    id: str
    name: str
    schedule: str
    since: str


class _Found(msgspec.Struct, frozen=True):
    id: str


class _Since(msgspec.Struct, frozen=True):
    schedule: str | None
    active: bool


_COLUMNS = "id, name, description, sections, format, schedule, active, builtin, created_at, updated_at"
_LISTED = Query(
    Template, f"SELECT {_COLUMNS} FROM report_template WHERE project_id = :project_id ORDER BY name, id"
)
_ONE = Query(
    Template,
    f"SELECT {_COLUMNS} FROM report_template WHERE id = :id AND project_id = :project_id",
    missing=TemplateNotFound,
)
_NAMED = Query(_Found, "SELECT id FROM report_template WHERE project_id = :project_id AND name = :name")
_ANY = Query(_Found, "SELECT id FROM report_template WHERE project_id = :project_id LIMIT 1")
_BEFORE = Query(
    _Since,
    "SELECT schedule, active FROM report_template WHERE id = :id AND project_id = :project_id",
    missing=TemplateNotFound,
)
_ADD = Command("""
    INSERT INTO report_template (id, project_id, account_scope_id, name, description, sections, format,
                                 schedule, active, builtin, scheduled_since, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :name, :description, :sections, :format, :schedule, :active,
            :builtin, :at, :at, :at)
""")
_CHANGE = Command("""
    UPDATE report_template
    SET name = :name, description = :description, sections = :sections, format = :format,
        schedule = :schedule, active = :active, updated_at = :at,
        scheduled_since = CASE WHEN :afresh THEN :at ELSE scheduled_since END
    WHERE id = :id AND project_id = :project_id
""")
_DELETE = Command("DELETE FROM report_template WHERE id = :id AND project_id = :project_id")
_SCHEDULED = Query(
    Scheduled,
    """
    SELECT id, name, schedule, scheduled_since AS since FROM report_template
    WHERE project_id = :project_id AND active = 1 AND schedule IS NOT NULL ORDER BY name
    """,
)
_DONE = Command("UPDATE report_template SET scheduled_since = :at WHERE id = :id AND scheduled_since < :at")
# A row of another room: the scheduler is told that a schedule changed, as it has no way to know.
_WAKE = Command("""
    UPDATE scheduled_job SET next_run_at = :at
    WHERE project_id = :project_id AND job_type = 'report_generation' AND status = 'active'
      AND next_run_at > :at
""")


def ensure_builtins(db: apsw.Connection, project: ProjectRef, at: str) -> None:
    """Give a project that has no template the shipped ones."""
    if _ANY.first(db, project_id=project.id) is not None:
        return
    for found in BUILTINS:
        _ADD.run(
            db,
            id=new_id(),
            project_id=project.id,
            account_scope_id=project.account_scope_id,
            name=found.name,
            description=found.description,
            sections=as_json(found.sections),
            format="html",
            schedule=found.schedule,
            active=True,
            builtin=found.key,
            at=at,
        )


def has_any(db: apsw.Connection, project_id: str) -> bool:
    return _ANY.first(db, project_id=project_id) is not None


def listed(db: apsw.Connection, project_id: str) -> list[Template]:
    """Templates by name."""
    return _LISTED.all(db, project_id=project_id)


def one(db: apsw.Connection, project_id: str, template_id: str) -> Template:
    """One template; raise TemplateNotFound."""
    return _ONE.one(db, id=template_id, project_id=project_id)


def add(db: apsw.Connection, project: ProjectRef, new: Template) -> Template:
    """Keep a new template; raise TemplateNameTaken."""
    _refuse_taken(db, project.id, new)
    _ADD.run(
        db,
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        at=new.created_at,
        **_values(new),
    )
    _WAKE.run(db, project_id=project.id, at=new.created_at)
    return one(db, project.id, new.id)


def change(db: apsw.Connection, project_id: str, new: Template, at: str) -> Template:
    """Change a template; a new schedule counts from now on. Raise TemplateNotFound or TemplateNameTaken."""
    before = _BEFORE.one(db, id=new.id, project_id=project_id)
    _refuse_taken(db, project_id, new)
    values = _values(new)
    del values["builtin"]
    afresh = (before.schedule, before.active) != (new.schedule, new.active)
    _CHANGE.run(db, project_id=project_id, at=at, afresh=afresh, **values)
    _WAKE.run(db, project_id=project_id, at=at)
    return one(db, project_id, new.id)


def delete(db: apsw.Connection, project_id: str, template_id: str) -> Template:
    """Delete a custom template; its reports stay. Raise TemplateNotFound or TemplateBuiltin."""
    found = one(db, project_id, template_id)
    if found.builtin is not None:
        raise TemplateBuiltin
    _DELETE.run(db, id=template_id, project_id=project_id)
    return found


def scheduled(db: apsw.Connection, project_id: str) -> list[Scheduled]:
    """Active templates with a schedule."""
    return _SCHEDULED.all(db, project_id=project_id)


def schedule_done(db: apsw.Connection, template_id: str, at: str) -> None:
    """Note that times of a schedule up to `at` are done with."""
    _DONE.run(db, id=template_id, at=at)


def _refuse_taken(db: apsw.Connection, project_id: str, new: Template) -> None:
    named = _NAMED.first(db, project_id=project_id, name=new.name)
    if named is not None and named.id != new.id:
        raise TemplateNameTaken


def _values(template: Template) -> dict[str, apsw.SQLiteValue]:
    return {
        "id": template.id,
        "name": template.name,
        "description": template.description,
        "sections": as_json(template.sections),
        "format": template.format,
        "schedule": template.schedule,
        "active": template.active,
        "builtin": template.builtin,
    }
