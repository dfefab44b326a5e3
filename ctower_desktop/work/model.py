"""What an issue and a comment are, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import Conflict, NotFound

Limit = Annotated[int, Meta(ge=1, le=500, description="How many at most")]


class IssueNotFound(NotFound):
    """There is no such issue in this project."""

    code = "issue_not_found"


class IssueNotLocal(Conflict):
    """This issue lives in Linear: change it there, the next sync brings the change."""

    code = "issue_not_local"


LocalStatus = Literal["todo", "in_progress", "done", "canceled"]
LOCAL_STATES: dict[LocalStatus, tuple[str, str]] = {  # as the vendor names states and their types
    "todo": ("Todo", "unstarted"),
    "in_progress": ("In Progress", "started"),
    "done": ("Done", "completed"),
    "canceled": ("Canceled", "canceled"),
}


class Issue(msgspec.Struct, frozen=True):
    """Something to be done.

    `state_type` is the vendor's: triage, backlog, unstarted, started, completed or canceled.
    `blocked_by_count` counts open blockers; `priority` 0 is none, 1 urgent, 4 low. A `local` issue was made
    and is kept here.
    """

    id: str
    external_id: str
    identifier: str
    title: str
    url: str | None
    team_name: str | None
    linear_project_name: str | None
    state: str | None
    state_type: str | None
    cycle_name: str | None
    labels: list[str]
    blocked: bool
    blocked_by_count: int
    priority: int
    estimate: float | None
    assignee_name: str | None
    due_date: str | None
    completed_at: str | None
    archived_at: str | None
    created_at: str
    updated_at: str
    source: Literal["linear", "local"]


class Comment(msgspec.Struct, frozen=True):
    """What somebody said about an issue."""

    id: str
    parent_external_id: str | None
    author_name: str | None
    body: str
    url: str | None
    created_at: str
    updated_at: str


class Blocker(msgspec.Struct, frozen=True):
    """Another issue that has to be done first."""

    id: str
    identifier: str
    title: str
    state_type: str | None


class Described(msgspec.Struct, frozen=True):
    """The text of an issue."""

    description: str | None


class ListIssues(msgspec.Struct, frozen=True, kw_only=True):
    """Which issues: of a type of state, or whose title or identifier contains `q`."""

    q: str = ""
    state_type: str = ""
    limit: Limit = 100


class Issues(msgspec.Struct, frozen=True):
    """Issues, the last changed first."""

    issues: list[Issue]


class IssueWithComments(msgspec.Struct, frozen=True, kw_only=True):
    """One issue, its text, what blocks it and what was said about it."""

    issue: Issue
    description: str | None
    blockers: list[Blocker]
    comments: list[Comment]


class SetIssueStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a local issue stands now."""

    status: LocalStatus


class EditIssue(msgspec.Struct, frozen=True, kw_only=True):
    """What of a local issue is to change: what is left out stays, an empty text clears."""

    title: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    description: Annotated[str, Meta(max_length=20_000)] | None = None
    due_date: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="YYYY-MM-DD")] | None = None
    assignee_name: Annotated[str, Meta(max_length=200)] | None = None
    priority: Annotated[int, Meta(ge=0, le=4)] | None = None


class IssueAnswer(msgspec.Struct, frozen=True):
    """One issue."""

    issue: Issue


class LocalIssue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue to be made here."""

    external_id: str
    title: str
    description: str
    priority: int = 0
    due_date: str | None = None
    assignee_name: str | None = None
