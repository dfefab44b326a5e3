"""What Linear's rows say, and the issues and comments made of them. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from ctower_desktop.connectors.contract import BadPayload, Names, Record, Scope, Typed, understood
from ctower_desktop.connectors.times import day, moment
from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import as_json


class Ref(msgspec.Struct):
    """A row mentioned by its id."""

    id: str


class Base(msgspec.Struct, kw_only=True):
    """What every row of Linear has."""

    id: str
    updatedAt: str
    createdAt: str | None = None
    archivedAt: str | None = None


class Team(Base, kw_only=True):
    """A team."""

    key: str
    name: str


class User(Base, kw_only=True):
    """A member of the workspace."""

    name: str | None = None
    displayName: str | None = None
    email: str | None = None
    active: bool = True


class State(Base, kw_only=True):
    """A step of a team's workflow."""

    name: str
    type: str
    position: float = 0.0
    team: Ref | None = None


class Label(Base, kw_only=True):
    """A label."""

    name: str


class Project(Base, kw_only=True):
    """A project of the workspace."""

    name: str
    description: str | None = None
    state: str | None = None
    url: str | None = None
    progress: float | None = None
    startDate: str | None = None
    targetDate: str | None = None
    completedAt: str | None = None
    lead: Ref | None = None
    trashed: bool | None = None


class Cycle(Base, kw_only=True):
    """A stretch of time in the work of a team."""

    number: float
    name: str | None = None
    startsAt: str | None = None
    endsAt: str | None = None
    completedAt: str | None = None
    progress: float | None = None
    team: Ref | None = None


class Issue(Base, kw_only=True):
    """A piece of work; what it refers to is given by id and named from the other streams."""

    identifier: str
    title: str
    description: str | None = None
    url: str | None = None
    priority: float | None = 0
    estimate: float | None = None
    dueDate: str | None = None
    startedAt: str | None = None
    completedAt: str | None = None
    canceledAt: str | None = None
    trashed: bool | None = None
    labelIds: list[str] = []
    team: Ref | None = None
    state: Ref | None = None
    assignee: Ref | None = None
    creator: Ref | None = None
    project: Ref | None = None
    cycle: Ref | None = None
    parent: Ref | None = None


class Relation(Base, kw_only=True):
    """That one issue blocks, duplicates or is related to another."""

    type: str
    issue: Ref
    relatedIssue: Ref


class Comment(Base, kw_only=True):
    """What somebody said about an issue."""

    body: str
    issueId: str | None = None
    parentId: str | None = None
    url: str | None = None
    user: Ref | None = None


KINDS: dict[str, type[Base]] = {
    "teams": Team,
    "users": User,
    "states": State,
    "labels": Label,
    "projects": Project,
    "cycles": Cycle,
    "issues": Issue,
    "relations": Relation,
    "comments": Comment,
}
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {n: msgspec.json.Decoder(k) for n, k in KINDS.items()}


def parse(stream: str, raw: bytes) -> list[Record]:
    """The row. Raise BadPayload, nothing else."""
    wire = understood(_DECODERS[stream], raw, stream)
    changed = moment(wire.updatedAt)
    if changed is None:
        raise BadPayload(f"{stream} {wire.id}: {wire.updatedAt!r} is no time")
    return [Record(stream, wire.id, raw, wire, changed, _parents(wire), _units(wire))]


def _parents(wire: Base) -> tuple[str, ...]:
    if isinstance(wire, Comment):
        return (wire.issueId,) if wire.issueId else ()
    if isinstance(wire, Relation):
        return (wire.relatedIssue.id, wire.issue.id)
    return ()


def _units(wire: Base) -> tuple[str, ...]:
    if isinstance(wire, Team):
        return (f"team:{wire.id}",)
    if isinstance(wire, Project):
        return (f"project:{wire.id}",)
    found = []
    if isinstance(wire, Issue | State | Cycle) and wire.team:
        found.append(f"team:{wire.team.id}")
    if isinstance(wire, Issue) and wire.project:
        found.append(f"project:{wire.project.id}")
    return tuple(found)


def typed(record: Record, scope: Scope, names: Names) -> list[Typed]:
    """The rows of the work room made of a row."""
    wire = record.wire
    make = _ROWS.get(type(wire))
    if make is None:
        return []
    kind, columns = make
    row = scope.row(kind, wire.id) | {"external_id": wire.id, "updated_at": moment(wire.updatedAt)}
    if kind != "linrel":
        row["workspace_id"] = scope.account
    row |= columns(wire, scope, names)
    return [Typed(kind, row, _gone(wire))]


def _gone(wire: Base) -> str:
    if isinstance(wire, Issue | Project) and wire.trashed:
        return "trashed"
    if isinstance(wire, Comment | Relation) and wire.archivedAt:
        return "archived"
    return ""


def _team(wire: Team, _scope: Scope, _names: Names) -> dict[str, Any]:
    return {"key": wire.key, "name": wire.name}


def _user(wire: User, _scope: Scope, _names: Names) -> dict[str, Any]:
    return {"name": shown(wire), "email": wire.email, "active": int(wire.active)}


def _state(wire: State, _scope: Scope, _names: Names) -> dict[str, Any]:
    return {
        "team_external_id": wire.team.id if wire.team else None,
        "name": wire.name,
        "type": wire.type,
        "position": wire.position,
    }


def _project(wire: Project, _scope: Scope, names: Names) -> dict[str, Any]:
    return {
        "name": wire.name,
        "description": wire.description,
        "state": wire.state,
        "lead_name": _name(names, "users", wire.lead),
        "progress": wire.progress,
        "start_date": day(wire.startDate),
        "target_date": day(wire.targetDate),
        "completed_at": moment(wire.completedAt),
        "url": wire.url,
        "created_at": moment(wire.createdAt),
    }


def _cycle(wire: Cycle, _scope: Scope, _names: Names) -> dict[str, Any]:
    return {
        "team_external_id": wire.team.id if wire.team else None,
        "number": int(wire.number),
        "name": wire.name,
        "starts_at": moment(wire.startsAt),
        "ends_at": moment(wire.endsAt),
        "completed_at": moment(wire.completedAt),
        "progress": wire.progress,
    }


def _issue(wire: Issue, _scope: Scope, names: Names) -> dict[str, Any]:
    state = names.get("states", wire.state.id) if wire.state else None
    labels = (names.get("labels", label) for label in wire.labelIds)
    return {
        "identifier": wire.identifier,
        "title": wire.title,
        "description": wire.description,
        "url": wire.url,
        "team_external_id": wire.team.id if wire.team else None,
        "team_name": _name(names, "teams", wire.team),
        "linear_project_external_id": wire.project.id if wire.project else None,
        "linear_project_name": _name(names, "projects", wire.project),
        "parent_external_id": wire.parent.id if wire.parent else None,
        "state": state.name if state else None,
        "state_external_id": wire.state.id if wire.state else None,
        "state_type": state.type if state else None,
        "cycle_external_id": wire.cycle.id if wire.cycle else None,
        "cycle_name": _name(names, "cycles", wire.cycle),
        "labels": as_json(sorted(label.name for label in labels if label)),
        "priority": int(wire.priority or 0),
        "estimate": wire.estimate,
        "assignee_external_id": wire.assignee.id if wire.assignee else None,
        "assignee_name": _name(names, "users", wire.assignee),
        "creator_name": _name(names, "users", wire.creator),
        "due_date": day(wire.dueDate),
        "started_at": moment(wire.startedAt),
        "completed_at": moment(wire.completedAt),
        "canceled_at": moment(wire.canceledAt),
        "archived_at": moment(wire.archivedAt),
        "haystack": searchable(f"{wire.identifier}\n{wire.title}"),
        "created_at": moment(wire.createdAt) or moment(wire.updatedAt),
    }


def _relation(wire: Relation, _scope: Scope, _names: Names) -> dict[str, Any]:
    return {
        "type": wire.type,
        "issue_external_id": wire.issue.id,
        "related_external_id": wire.relatedIssue.id,
    }


def _comment(wire: Comment, scope: Scope, names: Names) -> dict[str, Any]:
    return {
        "issue_id": scope.id("linissue", wire.issueId),
        "parent_external_id": wire.parentId,
        "author_name": _name(names, "users", wire.user),
        "body": wire.body,
        "url": wire.url,
        "created_at": moment(wire.createdAt) or moment(wire.updatedAt),
    }


_ROWS: dict[type[Base], tuple[str, Any]] = {
    Team: ("linteam", _team),
    User: ("linuser", _user),
    State: ("linstate", _state),
    Project: ("linproj", _project),
    Cycle: ("lincycle", _cycle),
    Issue: ("linissue", _issue),
    Relation: ("linrel", _relation),
    Comment: ("lincomment", _comment),
}


def shown(wire: Base) -> str:
    """What people call a row."""
    if isinstance(wire, User):
        return wire.name or wire.displayName or wire.email or wire.id
    if isinstance(wire, Cycle):
        return wire.name or f"Cycle {int(wire.number)}"
    return str(getattr(wire, "name", wire.id))


def _name(names: Names, stream: str, ref: Ref | None) -> str | None:
    found = names.get(stream, ref.id) if ref else None
    return shown(found) if found is not None else None
