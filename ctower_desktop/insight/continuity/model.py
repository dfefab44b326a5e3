"""What a continuity action and the issue made of it are, as stored and as served."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.insight.identity.model import SomeId, SomeIds

SourceType = Literal["attio", "chatwoot", "manual"]
Status = Literal["previewed", "applied", "dismissed", "failed"]
Target = Literal["linear", "local"]


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """A task that follows from a deal or a promise, before it is stored."""

    source_type: SourceType
    source_ref: str
    title: str
    description: str
    due_date: str | None
    preview_payload: dict[str, Any]
    evidence_refs: list[str]
    dedupe_key: str


class IssueNow(msgspec.Struct, frozen=True, kw_only=True):
    """The issue an action became, as it stands now. `local`: it lives here, not in Linear."""

    id: str
    identifier: str
    title: str
    url: str | None
    state: str | None
    state_type: str | None
    assignee_name: str | None
    due_date: str | None
    completed_at: str | None
    local: bool
    gone: bool


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A task that follows from a deal or a promise, and what became of it."""

    id: str
    source_type: SourceType
    source_ref: str
    title: str
    description: str
    due_date: str | None
    preview_payload: dict[str, Any]
    linear_issue_external_id: str | None
    issue_identifier: str | None
    issue_url: str | None
    target: Target | None
    status: Status
    error: str | None
    attempts: int
    evidence_refs: list[str]
    created_by: str
    applied_by: str | None
    applied_at: str | None
    created_at: str
    updated_at: str
    issue: IssueNow | None = None


class Previewed(msgspec.Struct, frozen=True, kw_only=True):
    """The actions that stand to be applied, made or renewed now."""

    touched: int
    rows: list[Action]


class ListActions(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions; without a status all of them."""

    status: str = ""
    limit: Annotated[int, Meta(ge=1, le=400)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class Actions(msgspec.Struct, frozen=True):
    """Actions, the last touched first."""

    actions: list[Action]


class ApplyActions(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions become issues, and of which team when the binding does not say it."""

    action_ids: SomeIds = []
    team_id: Annotated[SomeId | None, Meta(description="The Linear team of the issues")] = None


class ChooseActions(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions are meant."""

    action_ids: SomeIds = []


class AppliedActions(msgspec.Struct, frozen=True, kw_only=True):
    """How many became issues; those that could not are among the actions with their error."""

    applied: int
    failed: int
    actions: list[Action]


class DismissedActions(msgspec.Struct, frozen=True, kw_only=True):
    """The actions that were dismissed."""

    dismissed: int
    actions: list[Action]
