"""The state of a stand-in Linear workspace and everything that can happen to it."""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from ctower_desktop.sandbox.front import Clock
from ctower_desktop.sandbox.linear_model import (
    Comment,
    Cycle,
    Document,
    Issue,
    IssueLabel,
    IssueRelation,
    Organization,
    Project,
    ProjectStatus,
    ProjectUpdate,
    Row,
    Team,
    User,
    WorkflowState,
)

STATES = (
    ("Backlog", "backlog", "#bec2c8"),
    ("Todo", "unstarted", "#e2e2e2"),
    ("In Progress", "started", "#f2c94c"),
    ("In Review", "started", "#0f783c"),
    ("Done", "completed", "#5e6ad2"),
    ("Canceled", "canceled", "#95a2b3"),
)
TIMES_OF_STATE = {"started": "started_at", "completed": "completed_at", "canceled": "canceled_at"}

Kind = TypeVar("Kind", bound=Row)


class LinearError(Exception):
    """What the vendor answers to a request it understands and refuses."""

    def __init__(self, message: str, presentable: str = "", code: str = "INPUT_ERROR") -> None:
        super().__init__(message)
        self.presentable = presentable or message
        self.code = code


class LinearState:
    """One workspace. What changes it takes `at`, the moment it happened; absent is now."""

    def __init__(self, clock: Clock, *, name: str = "Agency") -> None:
        self.clock = clock
        self.made = 0
        self.rows: dict[str, Row] = {}
        self.tables: dict[type[Row], dict[str, Row]] = {}
        self.numbers: dict[str, int] = {}
        self.organization = self._add(Organization(**self._stamp(None), name=name, url_key="agency"))
        self.viewer = self.add_user("Admin", "admin@agency.example", admin=True)
        status = ProjectStatus(**self._stamp(None), name="In Progress", type="started")
        self.project_status = self._add(status)

    def table(self, kind: type[Kind]) -> list[Kind]:
        """All rows of a kind, oldest first as they were made."""
        return [row for row in self.tables.get(kind, {}).values() if isinstance(row, kind)]

    # what is rarely changed

    def add_user(self, name: str, email: str, *, admin: bool = False, at: datetime | None = None) -> User:
        return self._add(User(**self._stamp(at), name=name, email=email, admin=admin))

    def add_team(self, key: str, name: str, *, at: datetime | None = None) -> Team:
        """A team with the usual six workflow states."""
        team = self._add(Team(**self._stamp(at), key=key, name=name, organization_id=self.organization.id))
        for position, (state, kind, color) in enumerate(STATES):
            self._add(
                WorkflowState(
                    **self._stamp(at),
                    name=state,
                    type=kind,
                    color=color,
                    position=float(position),
                    team_id=team.id,
                )
            )
        return team

    def state_of(self, team: Team, name: str) -> WorkflowState:
        """The workflow state of this name in this team."""
        return next(s for s in self.table(WorkflowState) if s.team_id == team.id and s.name == name)

    def add_project(
        self,
        name: str,
        teams: Iterable[Team],
        *,
        lead: User | None = None,
        at: datetime | None = None,
        **fields: Any,
    ) -> Project:
        project = Project(**self._stamp(at), name=name, team_ids=[team.id for team in teams])
        project.slug_id = project.id[-12:]
        project.status_id = self.project_status.id
        project.lead_id = lead.id if lead else None
        return self._add(change(project, fields))

    def add_cycle(
        self, team: Team, number: int, starts: datetime, ends: datetime, *, name: str | None = None,
        at: datetime | None = None,
    ) -> Cycle:  # fmt: skip
        stamp = self._stamp(at)
        return self._add(
            Cycle(**stamp, team_id=team.id, number=number, name=name, starts_at=starts, ends_at=ends)
        )

    def add_label(self, name: str, team: Team | None = None, *, at: datetime | None = None) -> IssueLabel:
        return self._add(IssueLabel(**self._stamp(at), name=name, team_id=team.id if team else None))

    def add_project_update(
        self, project: Project, body: str, *, user: User | None = None, health: str = "onTrack",
        at: datetime | None = None,
    ) -> ProjectUpdate:  # fmt: skip
        stamp, author = self._stamp(at), user or self.viewer
        return self._add(
            ProjectUpdate(**stamp, project_id=project.id, body=body, user_id=author.id, health=health)
        )

    def add_document(
        self, title: str, content: str, *, at: datetime | None = None, **fields: Any
    ) -> Document:
        return self._add(change(Document(**self._stamp(at), title=title, content=content), fields))

    # issues

    def add_issue(
        self, team: Team, title: str, *, state: str = "Backlog", at: datetime | None = None,
        row_id: str | None = None, **fields: Any,
    ) -> Issue:  # fmt: skip
        """A new issue with the team's next number, or with `number` when it is given."""
        stamp = self._stamp(at)
        if row_id is not None:
            if row_id in self.rows:
                raise LinearError(f"Conflict on insert of Issue: id {row_id} exists", "Issue already exists.")
            stamp["id"] = row_id
        issue = Issue(**stamp, team_id=team.id, title=title, creator_id=self.viewer.id)
        number = fields.pop("number", None) or self.numbers.get(team.id, 0) + 1
        self.numbers[team.id] = max(number, self.numbers.get(team.id, 0))
        issue.number, issue.identifier = number, f"{team.key}-{number}"
        self._enter(issue, self.state_of(team, state), stamp["created_at"])
        return self._add(change(issue, fields))

    def edit_issue(self, issue_id: str, *, at: datetime | None = None, **changes: Any) -> Issue:
        """Moves `updatedAt`."""
        return self._edit(Issue, issue_id, at, changes)

    def move_issue(self, issue_id: str, state: str, *, at: datetime | None = None) -> Issue:
        """To another state of its team, with the times that go with it."""
        issue = self.find(Issue, issue_id)
        team = self.find(Team, issue.team_id)
        self._enter(issue, self.state_of(team, state), self._when(at))
        return self._edit(Issue, issue_id, at, {})

    def transfer_issue(self, issue_id: str, team: Team, *, at: datetime | None = None) -> Issue:
        """To another team: the identifier changes, the old one is remembered."""
        issue = self.find(Issue, issue_id)
        current = self.find(WorkflowState, issue.state_id).name
        issue.previous_identifiers = [*issue.previous_identifiers, issue.identifier]
        self.numbers[team.id] = self.numbers.get(team.id, 0) + 1
        changes = {
            "team_id": team.id,
            "number": self.numbers[team.id],
            "identifier": f"{team.key}-{self.numbers[team.id]}",
            "state_id": self.state_of(team, current).id,
            "cycle_id": None,
        }
        return self._edit(Issue, issue_id, at, changes)

    def archive(self, row_id: str, *, at: datetime | None = None) -> Row:
        """Hidden unless archived rows are asked for; the vendor counts it as an update."""
        row = self.rows[row_id]
        row.archived_at = row.updated_at = self._when(at)
        return row

    def unarchive(self, row_id: str, *, at: datetime | None = None) -> Row:
        row = self.rows[row_id]
        row.archived_at, row.updated_at = None, self._when(at)
        if isinstance(row, Issue):
            row.trashed = None
        return row

    def trash_issue(self, issue_id: str, *, at: datetime | None = None) -> Issue:
        """A deleted issue: archived and marked for 30 days, then `remove` takes it."""
        self.archive(issue_id, at=at)
        return self._edit(Issue, issue_id, at, {"trashed": True})

    def remove(self, row_id: str) -> None:
        """For good and without a trace; comments and relations of an issue go with it."""
        gone = {row_id}
        gone |= {each.id for each in self.table(Comment) if each.issue_id == row_id}
        gone |= {
            each.id for each in self.table(IssueRelation) if row_id in (each.issue_id, each.related_issue_id)
        }
        for each in gone:
            del self.tables[type(self.rows.pop(each))][each]

    def relate(
        self, issue: Issue, related: Issue, kind: str = "blocks", *, at: datetime | None = None
    ) -> IssueRelation:
        """`issue` blocks `related`, unless another kind is named."""
        return self._add(
            IssueRelation(**self._stamp(at), issue_id=issue.id, related_issue_id=related.id, type=kind)
        )

    # comments

    def add_comment(
        self, issue: Issue, body: str, *, user: User | None = None, parent: Comment | None = None,
        at: datetime | None = None, row_id: str | None = None,
    ) -> Comment:  # fmt: skip
        stamp = self._stamp(at)
        if row_id is not None:
            if row_id in self.rows:
                raise LinearError(
                    f"Conflict on insert of Comment: id {row_id} exists", "Comment already exists."
                )
            stamp["id"] = row_id
        author = user or self.viewer
        comment = Comment(**stamp, issue_id=issue.id, body=body, user_id=author.id)
        comment.parent_id = parent.id if parent else None
        return self._add(comment)

    def edit_comment(self, comment_id: str, body: str, *, at: datetime | None = None) -> Comment:
        """Moves the comment's own times and not the issue's."""
        return self._edit(Comment, comment_id, at, {"body": body, "edited_at": self._when(at)})

    def edit(self, row_id: str, *, at: datetime | None = None, **changes: Any) -> Row:
        """Any other row: a user, a team, a cycle, a project."""
        return self._edit(type(self.rows[row_id]), row_id, at, changes)

    def find(self, kind: type[Kind], row_id: str | None) -> Kind:
        """The row of this kind; an issue also by its identifier."""
        row = self.rows.get(row_id or "")
        if row is None and kind is Issue:
            row = next(
                (i for i in self.table(Issue) if row_id in (i.identifier, *i.previous_identifiers)), None
            )
        if not isinstance(row, kind):
            name = kind.__name__
            raise LinearError(f"Entity not found: {name}", f"Could not find referenced {name}.")
        return row

    def generate(self, issues: int, comments_each: int = 0) -> Team:
        """Fills a team of its own with so many issues, a minute apart, the same every time."""
        team = self.add_team(f"BULK{len(self.rows)}", "Bulk")
        start = self.clock() - timedelta(minutes=issues)
        for index in range(issues):
            at = start + timedelta(minutes=index)
            issue = self.add_issue(team, f"Bulk issue {index}", description=f"Description {index}", at=at)
            for turn in range(comments_each):
                self.add_comment(issue, f"Comment {turn} on {index}", at=at)
        return team

    def _enter(self, issue: Issue, state: WorkflowState, at: datetime) -> None:
        issue.state_id = state.id
        issue.completed_at = issue.canceled_at = None
        if state.type in TIMES_OF_STATE:
            name = TIMES_OF_STATE[state.type]
            setattr(issue, name, getattr(issue, name) or at)

    def _edit(self, kind: type[Kind], row_id: str, at: datetime | None, changes: dict[str, Any]) -> Kind:
        row = change(self.find(kind, row_id), changes)
        row.updated_at = self._when(at)
        return row

    def _add(self, row: Kind) -> Kind:
        self.rows[row.id] = row
        self.tables.setdefault(type(row), {})[row.id] = row
        return row

    def _stamp(self, at: datetime | None) -> dict[str, Any]:
        self.made += 1
        when = self._when(at)
        row_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"linear/{self.made}"))
        return {"id": row_id, "created_at": when, "updated_at": when}

    def _when(self, at: datetime | None) -> datetime:
        when = at or self.clock()
        return when.replace(microsecond=when.microsecond // 1000 * 1000)


def change(row: Kind, changes: dict[str, Any]) -> Kind:
    """Sets fields by name and refuses names the row does not have."""
    for name, value in changes.items():
        if name not in row.__struct_fields__:
            raise AttributeError(f"{type(row).__name__} has no {name}")
        setattr(row, name, value)
    return row


def day_of(text: str | None) -> date | None:
    """A TimelessDate."""
    return date.fromisoformat(text) if text else None
