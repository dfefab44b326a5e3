"""Projects, account scopes and assignments in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.projects.model import Access, Project, ProjectNotFound

_MAY_SEE = """(
    :everything OR p.id = :only
    OR p.id IN (SELECT a.project_id FROM project_assignment AS a WHERE a.user_id = :user_id)
)"""
_COLUMNS = "SELECT p.id, p.name, p.account_scope_id, p.created_at FROM project AS p"
_NEWEST_FIRST = "ORDER BY p.created_at DESC, p.rowid DESC"

_LISTED = Query(Project, f"{_COLUMNS} WHERE {_MAY_SEE} {_NEWEST_FIRST}")
_NEWEST = Query(Project, f"{_COLUMNS} WHERE {_MAY_SEE} {_NEWEST_FIRST} LIMIT 1")
_ONE = Query(Project, f"{_COLUMNS} WHERE p.id = :id AND {_MAY_SEE}", missing=ProjectNotFound)
_ANY = Query(Project, f"{_COLUMNS} WHERE p.id = :id", missing=ProjectNotFound)
_HINTED = Query(
    Project,
    f"""
    SELECT p.id, p.name, p.account_scope_id, p.created_at
    FROM json_each(:hints) AS hint JOIN project AS p ON p.id = hint.value
    WHERE {_MAY_SEE} ORDER BY hint.key LIMIT 1
    """,
)
_EVERY = Query(Project, f"{_COLUMNS} {_NEWEST_FIRST}")
_FIRST = Query(Project, f"{_COLUMNS} LIMIT 1")


class _Id(msgspec.Struct, frozen=True):
    id: str


_SCOPE = Query(
    _Id,
    """
    INSERT INTO account_scope (id, scope_key, name, created_at) VALUES (:id, :scope_key, :name, :at)
    ON CONFLICT (scope_key) DO UPDATE SET name = CASE WHEN :rename THEN excluded.name ELSE name END
    RETURNING id
    """,
)
_ADD = Command("""
    INSERT INTO project (id, name, account_scope_id, created_at)
    VALUES (:id, :name, :account_scope_id, :created_at)
""")


class Found(msgspec.Struct, frozen=True):
    """The project a call is about; without one, whether there are projects that the caller may not see."""

    project: Project | None
    others_exist: bool


def listed(db: apsw.Connection, access: Access) -> list[Project]:
    """The projects somebody may see, the newest first."""
    return _LISTED.all(db, **msgspec.structs.asdict(access))


def read(db: apsw.Connection, access: Access, project_id: str) -> Project:
    """One project that somebody may see; raise ProjectNotFound."""
    return _ONE.one(db, id=project_id, **msgspec.structs.asdict(access))


def exists(db: apsw.Connection, project_id: str) -> bool:
    return _ANY.first(db, id=project_id) is not None


def resolved(db: apsw.Connection, access: Access, active: str | None, hints: tuple[str, ...]) -> Found:
    """The active project, else the first of `hints`, else the newest: always one that somebody may see."""
    may_see = msgspec.structs.asdict(access)
    found = _ONE.first(db, id=active, **may_see) if active is not None else None
    if found is None and hints:
        found = _HINTED.first(db, hints=as_json(hints), **may_see)
    if found is None:
        found = _NEWEST.first(db, **may_see)
    return Found(found, found is None and _FIRST.first(db) is not None)


def every(db: apsw.Connection) -> list[ProjectRef]:
    """All projects, the newest first, for what runs by itself."""
    return [ProjectRef(p.id, p.name, p.account_scope_id) for p in _EVERY.all(db)]


def add(
    db: apsw.Connection, new: Project, scope_id: str, scope_key: str, scope_name: str, *, rename_scope: bool
) -> Project:
    """Open a project in the scope called `scope_key`; `scope_id` is for a scope that is not there yet."""
    found = _SCOPE.one(
        db, id=scope_id, scope_key=scope_key, name=scope_name, at=new.created_at, rename=rename_scope
    )
    project = msgspec.structs.replace(new, account_scope_id=found.id)
    _ADD.run(db, **msgspec.structs.asdict(project))
    return project
