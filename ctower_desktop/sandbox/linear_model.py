"""The rows of a stand-in Linear workspace; `team_id` in a row is `team` in the schema."""

from datetime import date, datetime

import msgspec


class Row(msgspec.Struct, kw_only=True):
    """What every row has."""

    id: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


class Organization(Row, kw_only=True):
    """The workspace."""

    name: str
    url_key: str


class User(Row, kw_only=True):
    """A member; a deactivated one is not active and hidden unless disabled ones are asked for."""

    name: str
    email: str
    active: bool = True
    admin: bool = False
    guest: bool = False
    app: bool = False
    avatar_url: str | None = None
    title: str | None = None
    timezone: str | None = "Europe/Berlin"

    @property
    def display_name(self) -> str:
        return self.email.partition("@")[0]

    @property
    def url(self) -> str:
        return f"https://linear.app/agency/profiles/{self.display_name}"


class Team(Row, kw_only=True):
    """A team."""

    key: str
    name: str
    organization_id: str
    description: str | None = None
    color: str | None = "#5e6ad2"
    icon: str | None = None
    private: bool = False
    timezone: str = "Europe/Berlin"
    cycles_enabled: bool = True
    cycle_duration: float = 2.0

    @property
    def display_name(self) -> str:
        return self.name


class WorkflowState(Row, kw_only=True):
    """A step of a team's workflow."""

    name: str
    type: str
    color: str
    position: float
    team_id: str
    description: str | None = None


class ProjectStatus(Row, kw_only=True):
    """A step of a project's life."""

    name: str
    type: str
    color: str = "#f2c94c"
    position: float = 0.0
    description: str | None = None
    indefinite: bool = False


class Project(Row, kw_only=True):
    """A project, which may be the work of several teams."""

    name: str
    team_ids: list[str]
    description: str = ""
    content: str | None = None
    color: str = "#5e6ad2"
    icon: str | None = None
    slug_id: str = ""
    state: str = "started"
    status_id: str = ""
    priority: int = 0
    progress: float = 0.0
    scope: float = 0.0
    health: str | None = None
    health_updated_at: datetime | None = None
    start_date: date | None = None
    target_date: date | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    trashed: bool | None = None
    lead_id: str | None = None
    creator_id: str | None = None

    @property
    def url(self) -> str:
        return f"https://linear.app/agency/project/{self.slug_id}"


class ProjectUpdate(Row, kw_only=True):
    """A report on a project."""

    project_id: str
    user_id: str
    body: str
    health: str
    is_stale: bool = False
    edited_at: datetime | None = None

    @property
    def slug_id(self) -> str:
        return self.id[-12:]

    @property
    def url(self) -> str:
        return f"https://linear.app/agency/project-updates/{self.slug_id}"


class Document(Row, kw_only=True):
    """A text of a project, an issue or a team."""

    title: str
    content: str | None = None
    icon: str | None = None
    trashed: bool | None = None
    creator_id: str | None = None
    project_id: str | None = None
    issue_id: str | None = None
    team_id: str | None = None

    @property
    def slug_id(self) -> str:
        return self.id[-12:]

    @property
    def url(self) -> str:
        return f"https://linear.app/agency/document/{self.slug_id}"


class Cycle(Row, kw_only=True):
    """A stretch of time in a team's work."""

    team_id: str
    number: float
    starts_at: datetime
    ends_at: datetime
    name: str | None = None
    description: str | None = None
    completed_at: datetime | None = None
    progress: float = 0.0


class IssueLabel(Row, kw_only=True):
    """A label of a team or of the whole workspace."""

    name: str
    color: str = "#eb5757"
    description: str | None = None
    is_group: bool = False
    team_id: str | None = None
    parent_id: str | None = None
    creator_id: str | None = None


class Issue(Row, kw_only=True):
    """A piece of work; `identifier` changes when it moves to another team, `id` never."""

    team_id: str
    title: str
    number: float = 0.0
    identifier: str = ""
    previous_identifiers: list[str] = []
    description: str | None = None
    priority: float = 0.0
    estimate: float | None = None
    due_date: date | None = None
    sort_order: float = 0.0
    label_ids: list[str] = []
    customer_ticket_count: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    auto_archived_at: datetime | None = None
    auto_closed_at: datetime | None = None
    triaged_at: datetime | None = None
    snoozed_until_at: datetime | None = None
    sla_breaches_at: datetime | None = None
    trashed: bool | None = None
    state_id: str = ""
    assignee_id: str | None = None
    creator_id: str | None = None
    project_id: str | None = None
    cycle_id: str | None = None
    parent_id: str | None = None

    @property
    def priority_label(self) -> str:
        return ("No priority", "Urgent", "High", "Medium", "Low")[int(self.priority)]

    @property
    def branch_name(self) -> str:
        return f"admin/{self.identifier.lower()}"

    @property
    def url(self) -> str:
        return f"https://linear.app/agency/issue/{self.identifier}"


class IssueRelation(Row, kw_only=True):
    """`issue` blocks, duplicates or is related to `related_issue`."""

    type: str
    issue_id: str
    related_issue_id: str


class Comment(Row, kw_only=True):
    """A comment on an issue."""

    issue_id: str
    body: str
    user_id: str | None = None
    parent_id: str | None = None
    edited_at: datetime | None = None
    resolved_at: datetime | None = None
    quoted_text: str | None = None

    @property
    def url(self) -> str:
        return f"https://linear.app/agency/comment/{self.id}"
