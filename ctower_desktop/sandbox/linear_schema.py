"""The GraphQL schema of a stand-in Linear bound to its state."""

from pathlib import Path
from typing import Any

from graphql import GraphQLResolveInfo, assert_valid_schema, build_schema

from ctower_desktop.sandbox.linear_lists import instant, page, snake, written
from ctower_desktop.sandbox.linear_model import (
    Comment,
    Cycle,
    Document,
    Issue,
    IssueLabel,
    IssueRelation,
    Project,
    ProjectUpdate,
    Row,
    Team,
    User,
    WorkflowState,
)
from ctower_desktop.sandbox.linear_state import LinearError, LinearState, day_of

SCHEMA = build_schema(Path(__file__).with_name("linear.graphql").read_text("utf-8"))
"""Our subset of the vendor's schema."""
assert_valid_schema(SCHEMA)

LISTS: dict[tuple[str, str], tuple[type[Row], str]] = {
    ("Issue", "children"): (Issue, "parent_id"),
    ("Issue", "comments"): (Comment, "issue_id"),
    ("Issue", "relations"): (IssueRelation, "issue_id"),
    ("Issue", "inverseRelations"): (IssueRelation, "related_issue_id"),
    ("Issue", "documents"): (Document, "issue_id"),
    ("Comment", "children"): (Comment, "parent_id"),
    ("Team", "states"): (WorkflowState, "team_id"),
    ("Team", "cycles"): (Cycle, "team_id"),
    ("Team", "issues"): (Issue, "team_id"),
    ("Team", "labels"): (IssueLabel, "team_id"),
    ("WorkflowState", "issues"): (Issue, "state_id"),
    ("Cycle", "issues"): (Issue, "cycle_id"),
    ("Project", "issues"): (Issue, "project_id"),
    ("Project", "projectUpdates"): (ProjectUpdate, "project_id"),
}
"""Connections of a row: the rows of that kind whose column holds the row's id."""

ROOTS: dict[str, type[Row]] = {
    "teams": Team,
    "users": User,
    "workflowStates": WorkflowState,
    "projects": Project,
    "cycles": Cycle,
    "issues": Issue,
    "comments": Comment,
    "issueLabels": IssueLabel,
    "issueRelations": IssueRelation,
    "projectUpdates": ProjectUpdate,
    "documents": Document,
}

PLACES = ("isActive", "isFuture", "isNext", "isPast", "isPrevious")


class Resolver:
    """Finds the value of any field: a connection, a related row, a column, or something worked out."""

    def __init__(self, state: LinearState, epoch: int, limits: dict[str, Any]) -> None:
        self.state = state
        self.epoch = epoch
        self.limits = limits

    def __call__(self, source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
        name = info.field_name
        if isinstance(source, dict):
            return source[name]
        if source is None:
            return self._root(name, info.parent_type.name, args)
        special = self._special(source, name, args)
        if special is not NotImplemented:
            return special
        column = snake(name)
        relation = f"{column}_id"
        if hasattr(source, relation):
            return self.state.rows.get(getattr(source, relation) or "")
        return written(getattr(source, column))

    def _page(self, rows: Any, args: dict[str, Any]) -> dict[str, Any]:
        return page(self.state, rows, args, self.epoch)

    def _root(self, name: str, parent: str, args: dict[str, Any]) -> Any:
        if parent == "Mutation":
            return Mutations(self.state).run(name, args)
        if name in ROOTS:
            rows = self.state.table(ROOTS[name])
            if name == "users" and not args.get("includeDisabled"):
                rows = [row for row in rows if getattr(row, "active", True)]
            return self._page(rows, args)
        if name in ("viewer", "organization"):
            return getattr(self.state, name)
        if name == "rateLimitStatus":
            return self.limits
        kinds: dict[str, type[Row]] = {"issue": Issue, "team": Team, "user": User}
        return self.state.find(kinds[name], args["id"])

    def _special(self, source: Row, name: str, args: dict[str, Any]) -> Any:
        listed = LISTS.get((type(source).__name__, name))
        if listed is not None:
            kind, column = listed
            return self._page([r for r in self.state.table(kind) if getattr(r, column) == source.id], args)
        state = self.state
        match source, name:
            case Issue(), "labels":
                return self._page([state.find(IssueLabel, each) for each in source.label_ids], args)
            case Project(), "teams":
                return self._page([state.find(Team, each) for each in source.team_ids], args)
            case Team(), "issueCount":
                archived = args.get("includeArchived")
                return sum(
                    i.team_id == source.id and bool(archived or i.archived_at is None)
                    for i in state.table(Issue)
                )
            case (Team(), "members") | (_, "users"):
                return self._page(state.table(User), args)
            case _, "teams":
                return self._page(state.table(Team), args)
            case _, "userCount":
                return len(state.table(User))
            case User(), "isMe":
                return source is state.viewer
            case Comment(), "issueId" | "parentId":
                return getattr(source, snake(name))
            case Cycle(), "isActive" | "isFuture" | "isNext" | "isPast" | "isPrevious":
                return self._cycle_place(source)[name]
        return NotImplemented

    def _cycle_place(self, cycle: Cycle) -> dict[str, bool]:
        now = self.state.clock()
        others = [each for each in self.state.table(Cycle) if each.team_id == cycle.team_id]
        ahead = min((each.starts_at for each in others if each.starts_at > now), default=None)
        behind = max((each.ends_at for each in others if each.ends_at <= now), default=None)
        return {
            "isActive": cycle.starts_at <= now < cycle.ends_at,
            "isFuture": cycle.starts_at > now,
            "isPast": cycle.ends_at <= now,
            "isNext": cycle.starts_at == ahead,
            "isPrevious": cycle.ends_at == behind,
        }


class Mutations:
    """The few things that can be written."""

    def __init__(self, state: LinearState) -> None:
        self.state = state

    def run(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        """The payload of the mutation of this name."""
        done = {
            "issueCreate": self.create_issue,
            "issueUpdate": self.update_issue,
            "issueArchive": self.archive_issue,
            "issueDelete": self.delete_issue,
            "commentCreate": self.create_comment,
        }[name](args)
        return {"success": True, "lastSyncId": float(self.state.made), **done}

    def create_issue(self, args: dict[str, Any]) -> dict[str, Any]:
        """A client-made id that exists already is refused: a retry does not make a second issue."""
        given = columns(args["input"])
        team = self.state.find(Team, given.pop("team_id"))
        state_id, row_id, title = given.pop("state_id", None), given.pop("id", None), given.pop("title", None)
        state = self.state.find(WorkflowState, state_id).name if state_id else "Backlog"
        created = given.pop("created_at", None)
        at = instant(created, self.state.clock()) if created else None
        issue = self.state.add_issue(team, title or "Untitled", state=state, at=at, row_id=row_id, **given)
        return {"issue": issue}

    def update_issue(self, args: dict[str, Any]) -> dict[str, Any]:
        issue, given = self.state.find(Issue, args["id"]), columns(args["input"])
        state_id, team_id = given.pop("state_id", None), given.pop("team_id", None)
        if team_id is not None and team_id != issue.team_id:
            self.state.transfer_issue(issue.id, self.state.find(Team, team_id))
        if state_id is not None:
            self.state.move_issue(issue.id, self.state.find(WorkflowState, state_id).name)
        return {"issue": self.state.edit_issue(issue.id, **given)}

    def archive_issue(self, args: dict[str, Any]) -> dict[str, Any]:
        return {"entity": self.state.archive(self.state.find(Issue, args["id"]).id)}

    def delete_issue(self, args: dict[str, Any]) -> dict[str, Any]:
        issue = self.state.find(Issue, args["id"])
        if args.get("permanentlyDelete"):
            self.state.remove(issue.id)
            return {"entity": None}
        return {"entity": self.state.trash_issue(issue.id)}

    def create_comment(self, args: dict[str, Any]) -> dict[str, Any]:
        given = args["input"]
        issue = self.state.find(Issue, given.get("issueId"))
        parent = self.state.find(Comment, given["parentId"]) if given.get("parentId") else None
        if not given.get("body"):
            raise LinearError("Argument Validation Error", "body should not be empty.")
        comment = self.state.add_comment(issue, given["body"], parent=parent, row_id=given.get("id"))
        return {"comment": comment}


def columns(given: dict[str, Any]) -> dict[str, Any]:
    """An input of the schema under the names of the row."""
    row = {snake(name): value for name, value in given.items()}
    if "due_date" in row:
        row["due_date"] = day_of(row["due_date"])
    return row
