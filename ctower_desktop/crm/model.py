"""What is sold, as stored and as served: the vendor's deals, our accounts and opportunities."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ctower_desktop.accounts.model import EvidenceRef
from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound

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


AccountStage = Literal["active", "inactive", "prospect"]
OpportunityStage = Literal["discovery", "qualified", "proposal", "negotiation", "won", "lost"]
CLOSED = ("won", "lost")
ARCHIVED = "archived"  # why a row is gone when a person put it away

Uuid = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
    ),
]
Offset = Annotated[int, Meta(ge=0, le=1_000_000)]
Name = Annotated[str, Meta(min_length=2, max_length=300)]
Domain = Annotated[str, Meta(max_length=300)]
Username = Annotated[str, Meta(max_length=200)]
OpportunityTitle = Annotated[str, Meta(min_length=1, max_length=500)]
NextStep = Annotated[str, Meta(min_length=4, max_length=1000)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Amount = Annotated[float, Meta(ge=0, le=1e9)]
Currency = Annotated[str, Meta(max_length=6)]
Id = Annotated[str, Meta(max_length=64, description="A UUID")]


class AccountNotFound(NotFound):
    """There is no such account in this project."""

    code = "account_not_found"


class OpportunityNotFound(NotFound):
    """There is no such opportunity in this project."""

    code = "opportunity_not_found"


class AccountExists(Conflict):
    """This project has an account of that name or reference already."""

    code = "account_exists"


class AccountInUse(Conflict):
    """The account has open opportunities; close or archive them first."""

    code = "account_in_use"


class AccountArchived(Conflict):
    """The account is archived; restore it first."""

    code = "account_archived"


class OpportunityArchived(Conflict):
    """The opportunity is archived; restore it first."""

    code = "opportunity_archived"


class NotMirrored(Conflict):
    """Nothing of the vendor stands behind it, so there is nobody to give fields back to."""

    code = "not_mirrored"


class UnknownField(Invalid):
    """The vendor has no such field."""

    code = "unknown_field"


class InvalidOwner(Invalid):
    """owner_user_id is not the id of a user."""

    code = "invalid_owner_user_id"


class Account(msgspec.Struct, frozen=True):
    """A client, or somebody who may become one.

    `local_fields` are those a person changed here, which no sync overwrites; `vendor` holds what the vendor
    has.
    """

    id: str
    name: str
    domain: str | None
    external_ref: str | None
    stage: AccountStage
    owner_user_id: str | None
    owner_username: str | None
    evidence_refs: list[EvidenceRef]
    source_system: str
    vendor: dict[str, Any] | None
    local_fields: list[str]
    created_at: str
    updated_at: str
    archived: bool


class ListAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts: whose name or domain contains `q`, in a stage; or those put away."""

    q: Annotated[str, Meta(max_length=200)] = ""
    stage: str = ""
    archived: bool = False
    limit: Limit = 200
    offset: Offset = 0


class Accounts(msgspec.Struct, frozen=True):
    """Accounts, the last changed first."""

    accounts: list[Account]


class AccountAnswer(msgspec.Struct, frozen=True):
    """One account."""

    account: Account


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to add an account; without an owner it is the caller's."""

    name: Name
    domain: Domain | None = None
    external_ref: Annotated[str, Meta(max_length=500)] | None = None
    stage: AccountStage = "prospect"
    owner_user_id: Id | None = None
    owner_username: Username | None = None
    evidence_refs: list[Any] | None = None


class EditAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of an account; what is left out stays."""

    name: Name | UnsetType = UNSET
    domain: Domain | UnsetType | None = UNSET
    stage: AccountStage | UnsetType = UNSET
    owner_user_id: Id | UnsetType | None = UNSET
    owner_username: Username | UnsetType | None = UNSET
    evidence_refs: list[Any] | None = None


class Opportunity(msgspec.Struct, frozen=True):
    """Something that may be sold to an account. `local_fields` and `vendor` as those of an account."""

    id: str
    account_id: str
    account_name: str
    title: str
    stage: OpportunityStage
    stage_changed_at: str
    amount_estimate: float
    currency: str | None
    probability: float
    expected_close_date: str | None
    next_step: str
    owner_user_id: str | None
    owner_username: str | None
    evidence_refs: list[EvidenceRef]
    external_ref: str | None
    source_system: str
    vendor: dict[str, Any] | None
    local_fields: list[str]
    created_at: str
    updated_at: str
    archived: bool


class ListOpportunities(msgspec.Struct, frozen=True, kw_only=True):
    """Which opportunities: of a stage or account, whose title or account contains `q`; or those put away."""

    q: Annotated[str, Meta(max_length=200)] = ""
    stage: str = ""
    account_id: str = ""
    archived: bool = False
    limit: Limit = 200
    offset: Offset = 0


class Opportunities(msgspec.Struct, frozen=True):
    """Opportunities, the last changed first."""

    opportunities: list[Opportunity]


class OpportunityAnswer(msgspec.Struct, frozen=True):
    """One opportunity."""

    opportunity: Opportunity


class StageEvent(msgspec.Struct, frozen=True):
    """A change of stage: by a person, or at the vendor. `request_id` is that of the audit line."""

    id: int
    from_stage: str
    to_stage: str
    reason: str | None
    source: str
    actor_username: str | None
    evidence_refs: list[EvidenceRef]
    request_id: str | None
    created_at: str


class OpportunityWithEvents(msgspec.Struct, frozen=True, kw_only=True):
    """One opportunity and how it came to its stage, the last change first."""

    opportunity: Opportunity
    events: list[StageEvent]


class AccountWithOpportunities(msgspec.Struct, frozen=True, kw_only=True):
    """One account and its opportunities, the last changed first."""

    account: Account
    opportunities: list[Opportunity]


class NewOpportunity(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to add an opportunity; there is always a next step."""

    title: OpportunityTitle
    account_id: Id
    next_step: NextStep
    stage: OpportunityStage = "discovery"
    probability: Probability = 0.1
    amount_estimate: Amount = 0.0
    currency: Currency | None = None
    expected_close_date: str | None = None
    owner_user_id: Id | None = None
    owner_username: Username | None = None
    evidence_refs: list[Any] | None = None


class EditOpportunity(msgspec.Struct, frozen=True, kw_only=True):
    """What to change of an opportunity; what is left out stays. The stage has an endpoint of its own."""

    title: OpportunityTitle | UnsetType = UNSET
    next_step: NextStep | UnsetType = UNSET
    probability: Probability | UnsetType = UNSET
    amount_estimate: Amount | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    expected_close_date: str | UnsetType | None = UNSET
    owner_user_id: Id | UnsetType | None = UNSET
    owner_username: Username | UnsetType | None = UNSET
    evidence_refs: list[Any] | None = None


class MoveOpportunity(msgspec.Struct, frozen=True, kw_only=True):
    """The stage it is in now, and why."""

    stage: OpportunityStage
    reason: Annotated[str, Meta(max_length=1000)] | None = None
    evidence_refs: list[Any] | None = None


class ReleaseFields(msgspec.Struct, frozen=True):
    """Which fields the vendor decides again; none named: all."""

    fields: list[Annotated[str, Meta(max_length=64)]] = []


class StageCount(msgspec.Struct, frozen=True):
    """How many opportunities are in a stage."""

    stage: str
    count: int


class StatusCount(msgspec.Struct, frozen=True):
    """How many links of identity are in a status."""

    status: str
    count: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Sales at a glance: how many accounts, opportunities by stage, links by status."""

    accounts: int
    opportunity_by_stage: list[StageCount]
    links_by_status: list[StatusCount]
