"""Actions on their way to becoming issues, in SQL: begun, done, failed."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.connectors import binding_store
from ctower_desktop.insight.continuity.proposals import markdown, team_of
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.work import local_store
from ctower_desktop.work.model import LocalIssue

PRIORITY = 2
_RECENT = 200  # issues that tell which team works now


class Begun(msgspec.Struct, frozen=True):
    """An action to be applied; once begun, with the id its issue in Linear has or will have."""

    id: str
    title: str
    description: str
    due_date: str | None
    preview_payload: dict[str, object]
    linear_issue_external_id: str | None
    target: str | None

    @property
    def text(self) -> str:
        """The text of the issue."""
        return markdown(self.title, self.description, self.preview_payload)

    @property
    def delivery_project(self) -> str | None:
        """The Linear project of the client, if it is known."""
        found = self.preview_payload.get("linear_project_external_id")
        return found if isinstance(found, str) else None


class Where(msgspec.Struct, frozen=True):
    """What decides which team and project of Linear an issue goes to."""

    units: list[tuple[str, str]]
    teams: list[str]
    projects: list[str]
    recent: list[tuple[str | None, str | None]]

    @property
    def bound(self) -> bool:
        """Whether anything of Linear feeds the project."""
        return bool(self.units)

    def place(self, delivery_project: str | None, team_id: str | None) -> tuple[str | None, str | None]:
        """The team and the project of a new issue; no team when several are possible."""
        bound_projects = [i for kind, i in self.units if kind == "project"]
        bound_teams = [i for kind, i in self.units if kind == "team"]
        project = delivery_project if delivery_project in self.projects else None
        everything = bool(bound_teams) or any(kind == "workspace" for kind, _ in self.units)
        if not everything and project not in bound_projects:  # elsewhere it would not come back to us
            project = bound_projects[0]
        team = team_id or team_of(self.recent, bound_teams or self.teams, project)
        return team, project


class _Id(msgspec.Struct, frozen=True):
    id: str


class _Placed(msgspec.Struct, frozen=True):
    team: str | None
    project: str | None


_OPEN = Query(
    Begun,
    """
    SELECT id, title, description, due_date, preview_payload, linear_issue_external_id, target
    FROM continuity_action
    WHERE id IN (SELECT value FROM json_each(:ids)) AND project_id = :project_id
      AND status IN ('previewed', 'failed')
    ORDER BY created_at, id
    """,
)
_BEGIN = Query(
    Begun,
    """
    UPDATE continuity_action
    SET target = 'linear', linear_issue_external_id = coalesce(linear_issue_external_id, :issue),
        attempts = attempts + 1, updated_at = :at
    WHERE id = :id AND status IN ('previewed', 'failed')
    RETURNING id, title, description, due_date, preview_payload, linear_issue_external_id, target
    """,
)
_DONE = Query(
    _Id,
    """
    UPDATE continuity_action
    SET status = 'applied', target = :target, linear_issue_external_id = :issue,
        issue_identifier = :identifier, issue_url = :url, error = NULL, applied_by = :by, applied_at = :at,
        updated_at = :at
    WHERE id = :id AND status IN ('previewed', 'failed')
    RETURNING id
    """,
)
_FAILED = Command("""
    UPDATE continuity_action
    SET status = 'failed', error = :error, updated_at = :at,
        linear_issue_external_id = CASE WHEN :certain THEN NULL ELSE linear_issue_external_id END,
        target = CASE WHEN :certain THEN NULL ELSE target END
    WHERE id = :id AND status IN ('previewed', 'failed')
""")
_TEAMS = Query(
    _Id,
    "SELECT external_id AS id FROM team WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY key",
)
_PROJECTS = Query(
    _Id,
    """
    SELECT external_id AS id FROM work_project
    WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY name
    """,
)
_PLACES = Query(
    _Placed,
    """
    SELECT team_external_id AS team, linear_project_external_id AS project FROM issue
    WHERE project_id = :project_id AND deleted_at IS NULL ORDER BY updated_at DESC, id LIMIT :limit
    """,
)


def where(db: apsw.Connection, project_id: str) -> Where:
    """What of Linear feeds the project, and which teams work there."""
    return Where(
        units=[
            (b.unit_kind, b.unit_id)
            for b in binding_store.of_project(db, project_id)
            if b.connector == "linear"
        ],
        teams=[row.id for row in _TEAMS.all(db, project_id=project_id)],
        projects=[row.id for row in _PROJECTS.all(db, project_id=project_id)],
        recent=[(r.team, r.project) for r in _PLACES.all(db, project_id=project_id, limit=_RECENT)],
    )


def waiting(db: apsw.Connection, project_id: str, ids: list[str]) -> list[Begun]:
    """Those that can be applied, the oldest first."""
    return _OPEN.all(db, ids=as_json(ids), project_id=project_id)


def begin(db: apsw.Connection, action_id: str, at: str) -> Begun | None:
    """Write down the id of the issue before Linear is asked; None when it was applied meanwhile."""
    return _BEGIN.first(db, id=action_id, issue=new_id(), at=at)


def done(
    db: apsw.Connection, action_id: str, issue: str, identifier: str, url: str | None, *, by: str, at: str
) -> bool:
    """The issue is in Linear; whether this call was the one that says so."""
    found = _DONE.first(
        db, id=action_id, target="linear", issue=issue, identifier=identifier, url=url, by=by, at=at
    )
    return found is not None


def failed(db: apsw.Connection, action_id: str, error: str, at: str, *, certain: bool) -> None:
    """It did not work; `certain` says that Linear has no such issue, so that the next try is free."""
    _FAILED.run(db, id=action_id, error=error[:1_000], at=at, certain=int(certain))


def apply_locally(
    db: apsw.Connection, project: ProjectRef, ids: list[str], by: str, at: str
) -> tuple[list[str], list[str]]:
    """Make issues here; return which actions became one, and which Linear may have taken already."""
    made, unsure = [], []
    for one in _OPEN.all(db, ids=as_json(ids), project_id=project.id):
        if one.target == "linear":
            unsure.append(one.id)
            continue
        external_id = f"continuity:{one.id}"
        new = LocalIssue(
            external_id=external_id,
            title=one.title,
            description=one.text,
            priority=PRIORITY,
            due_date=one.due_date,
            assignee_name=by,
        )
        identifier = local_store.add(db, project, new, by, at)
        _DONE.one(
            db, id=one.id, target="local", issue=external_id, identifier=identifier, url=None, by=by, at=at
        )
        made.append(one.id)
    return made, unsure
