"""What a deal, a note and a task are, as stored and as served."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import NotFound

Limit = Annotated[int, Meta(ge=1, le=500, description="How many at most")]


class DealNotFound(NotFound):
    """There is no such deal in this project."""

    code = "deal_not_found"


class Deal(msgspec.Struct, frozen=True):
    """Something that may be sold, as the CRM of the vendor has it. `probability` is 0 to 1."""

    id: str
    external_id: str
    account_external_id: str | None
    company_name: str | None
    title: str
    stage: str
    amount: float | None
    currency: str | None
    probability: float
    expected_close_date: str | None
    next_step: str | None
    owner_name: str | None
    url: str | None
    created_at: str
    updated_at: str


class Note(msgspec.Struct, frozen=True):
    """What somebody wrote down about a company, a person or a deal."""

    id: str
    parent_kind: str
    parent_external_id: str
    title: str | None
    content: str
    author_name: str | None
    created_at: str


class Task(msgspec.Struct, frozen=True):
    """Something to be done about a company, a person or a deal."""

    id: str
    parent_external_id: str | None
    content: str
    deadline_at: str | None
    is_completed: bool
    assignee_name: str | None
    created_at: str


class ListDeals(msgspec.Struct, frozen=True, kw_only=True):
    """Which deals: in a stage, or whose title or company contains `q`."""

    q: str = ""
    stage: str = ""
    limit: Limit = 100


class Deals(msgspec.Struct, frozen=True):
    """Deals, the last changed first."""

    deals: list[Deal]


class DealWithNotes(msgspec.Struct, frozen=True, kw_only=True):
    """One deal with the notes and tasks about it and about its company."""

    deal: Deal
    notes: list[Note]
    tasks: list[Task]
