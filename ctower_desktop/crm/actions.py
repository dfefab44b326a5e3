"""/crm: the vendor's deals, our accounts and opportunities, and sales at a glance."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from ctower_desktop.accounts.evidence import normalised
from ctower_desktop.accounts.model import EvidenceRef
from ctower_desktop.crm import account_store, opportunity_store, store
from ctower_desktop.crm.dates import day
from ctower_desktop.crm.model import (
    AccountAnswer,
    AccountArchived,
    AccountExists,
    AccountInUse,
    AccountNotFound,
    Accounts,
    AccountWithOpportunities,
    DealNotFound,
    Deals,
    DealWithNotes,
    EditAccount,
    EditOpportunity,
    InvalidOwner,
    ListAccounts,
    ListDeals,
    ListOpportunities,
    MoveOpportunity,
    NewAccount,
    NewOpportunity,
    NotMirrored,
    Opportunities,
    OpportunityAnswer,
    OpportunityArchived,
    OpportunityNotFound,
    OpportunityStage,
    OpportunityWithEvents,
    Overview,
    ReleaseFields,
    UnknownField,
    Uuid,
)
from ctower_desktop.crm.opportunity_store import Move
from ctower_desktop.crm.settings import Crm
from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Scoped

_RELEASED = "given back to the vendor"


@TOWER.get("/crm/deals")
async def list_deals(call: Scoped, query: ListDeals) -> Deals:
    """Deals of the project as the CRM has them, the last changed first."""
    return Deals(await call.tower.db.read(store.deals, call.project_id, query))


@TOWER.get("/crm/deals/{deal_id}", raises=(DealNotFound,))
async def read_deal(call: Scoped, deal_id: str) -> DealWithNotes:
    """One deal with the notes and tasks about it and about its company."""
    return await call.tower.db.read(store.deal, call.project_id, deal_id)


@TOWER.get("/crm/overview")
async def read_crm_overview(call: Scoped) -> Overview:
    """How many accounts there are, opportunities by stage, links of identity by status."""
    return await call.tower.db.read(opportunity_store.overview, call.project_id)


@TOWER.get("/crm/accounts")
async def list_accounts(call: Scoped, query: ListAccounts) -> Accounts:
    """Accounts of the project, the last changed first."""
    return Accounts(await call.tower.db.read(account_store.listed, call.project_id, query))


@TOWER.get("/crm/accounts/{account_id}", raises=(AccountNotFound,))
async def read_account(call: Scoped, account_id: Uuid) -> AccountWithOpportunities:
    """One account with its opportunities."""
    db, own = call.tower.db, account_id.lower()
    account = await db.read(account_store.one, call.project_id, own)
    return AccountWithOpportunities(
        account=account, opportunities=await db.read(opportunity_store.of_account, account.id)
    )


@TOWER.post(
    "/crm/accounts",
    raises=(AccountExists, InvalidOwner),
    status=201,
    audit="crm.account.create",
    idempotent=True,
)
async def create_account(call: Scoped, body: NewAccount) -> AccountAnswer:
    """Add an account; without a named owner it belongs to the caller."""
    values = {
        "name": body.name,
        "domain": body.domain or None,
        "external_ref": body.external_ref or None,
        "stage": body.stage,
        "evidence_refs": normalised(body.evidence_refs or ()),
        **await _owner(call, body.owner_user_id, body.owner_username),
    }
    account = await call.tower.db.write_durably(
        account_store.add, call.project_ref, new_id(), values, call.tower.clock.text()
    )
    call.noted.about("crm_account", account.id, evidence_refs=account.evidence_refs, name=account.name)
    return AccountAnswer(account)


@TOWER.post(
    "/crm/accounts/{account_id}",
    raises=(AccountNotFound, AccountArchived, AccountExists, InvalidOwner),
    audit="crm.account.update",
)
async def edit_account(call: Scoped, account_id: Uuid, body: EditAccount) -> AccountAnswer:
    """Change an account; what the vendor has too is the project's own until it is given back."""
    changes = await _changes(call, body)
    account = await call.tower.db.write_durably(
        account_store.edit, call.project_id, account_id.lower(), changes, call.tower.clock.text()
    )
    call.noted.about("crm_account", account.id, evidence_refs=body.evidence_refs, fields=sorted(changes))
    return AccountAnswer(account)


@TOWER.post(
    "/crm/accounts/{account_id}/release",
    raises=(AccountNotFound, AccountArchived, NotMirrored, UnknownField),
    audit="crm.account.release",
)
async def release_account(call: Scoped, account_id: Uuid, body: ReleaseFields) -> AccountAnswer:
    """Let the vendor decide fields of an account again, all when none is named."""
    account = await call.tower.db.write_durably(
        account_store.release, call.project_id, account_id.lower(), body.fields, call.tower.clock.text()
    )
    call.noted.about("crm_account", account.id, fields=body.fields)
    return AccountAnswer(account)


@TOWER.post(
    "/crm/accounts/{account_id}/delete", raises=(AccountNotFound, AccountInUse), audit="crm.account.delete"
)
async def archive_account(call: Scoped, account_id: Uuid) -> AccountAnswer:
    """Put an account away; it can be brought back, and no sync does so."""
    account = await call.tower.db.write_durably(
        account_store.archive, call.project_id, account_id.lower(), call.tower.clock.text()
    )
    call.noted.about("crm_account", account.id, name=account.name)
    return AccountAnswer(account)


@TOWER.post(
    "/crm/accounts/{account_id}/restore",
    raises=(AccountNotFound, AccountExists),
    audit="crm.account.restore",
)
async def restore_account(call: Scoped, account_id: Uuid) -> AccountAnswer:
    """Bring an archived account back."""
    account = await call.tower.db.write_durably(
        account_store.restore, call.project_id, account_id.lower(), call.tower.clock.text()
    )
    call.noted.about("crm_account", account.id, name=account.name)
    return AccountAnswer(account)


@TOWER.get("/crm/opportunities")
async def list_opportunities(call: Scoped, query: ListOpportunities) -> Opportunities:
    """Opportunities of the project, the last changed first."""
    return Opportunities(await call.tower.db.read(opportunity_store.listed, call.project_id, query))


@TOWER.get("/crm/opportunities/{opportunity_id}", raises=(OpportunityNotFound,))
async def read_opportunity(call: Scoped, opportunity_id: Uuid) -> OpportunityWithEvents:
    """One opportunity and how it came to its stage."""
    own = opportunity_id.lower()
    return await call.tower.db.read(opportunity_store.with_events, call.project_id, own)


@TOWER.post(
    "/crm/opportunities",
    raises=(AccountNotFound, AccountArchived, InvalidOwner, InvalidUuid),
    status=201,
    audit="crm.opportunity.create",
)
async def create_opportunity(call: Scoped, body: NewOpportunity) -> OpportunityAnswer:
    """Add an opportunity of an account; there is always a next step."""
    if not is_uuid(body.account_id):
        raise InvalidUuid("account_id is not a UUID.")
    values = {
        "account_id": body.account_id.lower(),
        "title": body.title,
        "stage": body.stage,
        "amount_estimate": body.amount_estimate,
        "currency": _currency(call, body.currency),
        "probability": body.probability,
        "expected_close_date": day(body.expected_close_date, "expected_close_date"),
        "next_step": body.next_step,
        "evidence_refs": normalised(body.evidence_refs or ()),
        **await _owner(call, body.owner_user_id, body.owner_username),
    }
    found = await call.tower.db.write_durably(
        opportunity_store.add, call.project_ref, new_id(), values, call.tower.clock.text()
    )
    call.noted.about(
        "crm_opportunity", found.id, evidence_refs=found.evidence_refs, title=found.title, stage=found.stage
    )
    return OpportunityAnswer(found)


@TOWER.post(
    "/crm/opportunities/{opportunity_id}",
    raises=(OpportunityNotFound, OpportunityArchived, InvalidOwner),
    audit="crm.opportunity.update",
)
async def edit_opportunity(call: Scoped, opportunity_id: Uuid, body: EditOpportunity) -> OpportunityAnswer:
    """Change an opportunity; what the vendor has too is the project's own until it is given back."""
    changes = await _changes(call, body)
    if "expected_close_date" in changes:
        changes["expected_close_date"] = day(changes["expected_close_date"], "expected_close_date")
    if "currency" in changes:
        changes["currency"] = _currency(call, changes["currency"])
    found = await call.tower.db.write_durably(
        opportunity_store.edit, call.project_id, opportunity_id.lower(), changes, call.tower.clock.text()
    )
    call.noted.about("crm_opportunity", found.id, evidence_refs=body.evidence_refs, fields=sorted(changes))
    return OpportunityAnswer(found)


@TOWER.post(
    "/crm/opportunities/{opportunity_id}/stage",
    raises=(OpportunityNotFound, OpportunityArchived),
    audit="crm.opportunity.stage_update",
)
async def move_opportunity(call: Scoped, opportunity_id: Uuid, body: MoveOpportunity) -> OpportunityAnswer:
    """Put an opportunity into any stage and note the move."""
    refs = normalised(body.evidence_refs or ())
    move = _move(call, body.stage, body.reason or None, refs)
    moved = await call.tower.db.write_durably(
        opportunity_store.move, call.project_ref, opportunity_id.lower(), move
    )
    call.noted.about(
        "crm_opportunity",
        moved.opportunity.id,
        evidence_refs=refs,
        from_stage=moved.before,
        to_stage=body.stage,
        reason=move.reason,
    )
    return OpportunityAnswer(moved.opportunity)


@TOWER.post(
    "/crm/opportunities/{opportunity_id}/release",
    raises=(OpportunityNotFound, OpportunityArchived, NotMirrored, UnknownField),
    audit="crm.opportunity.release",
)
async def release_opportunity(call: Scoped, opportunity_id: Uuid, body: ReleaseFields) -> OpportunityAnswer:
    """Let the vendor decide fields of an opportunity again, all when none is named."""
    by = _move(call, "discovery", _RELEASED, [])
    found = await call.tower.db.write_durably(
        opportunity_store.release,
        call.project_ref,
        opportunity_id.lower(),
        body.fields,
        by,
    )
    call.noted.about("crm_opportunity", found.id, fields=body.fields)
    return OpportunityAnswer(found)


@TOWER.post(
    "/crm/opportunities/{opportunity_id}/delete",
    raises=(OpportunityNotFound,),
    audit="crm.opportunity.delete",
)
async def archive_opportunity(call: Scoped, opportunity_id: Uuid) -> OpportunityAnswer:
    """Put an opportunity away; it can be brought back, and no sync does so."""
    return await _put_away(call, opportunity_id, back=False)


@TOWER.post(
    "/crm/opportunities/{opportunity_id}/restore",
    raises=(OpportunityNotFound,),
    audit="crm.opportunity.restore",
)
async def restore_opportunity(call: Scoped, opportunity_id: Uuid) -> OpportunityAnswer:
    """Bring an archived opportunity back."""
    return await _put_away(call, opportunity_id, back=True)


async def _put_away(call: Scoped, opportunity_id: str, *, back: bool) -> OpportunityAnswer:
    found = await call.tower.db.write_durably(
        opportunity_store.put_away,
        call.project_id,
        opportunity_id.lower(),
        call.tower.clock.text(),
        back=back,
    )
    call.noted.about("crm_opportunity", found.id, title=found.title)
    return OpportunityAnswer(found)


async def _changes(call: Scoped, body: EditAccount | EditOpportunity) -> dict[str, Any]:
    """What an edit says, as it is stored: empty texts are nothing, an owner is looked up."""
    given = {
        field: None if value == "" else value
        for field, value in msgspec.structs.asdict(body).items()
        if value is not UNSET
    }
    refs = given.pop("evidence_refs")
    if refs is not None:
        given["evidence_refs"] = normalised(refs)
    if given.get("owner_user_id"):
        given |= await _owner(call, given["owner_user_id"], None)
    elif "owner_user_id" in given or "owner_username" in given:
        given |= {"owner_user_id": None, "owner_username": given.get("owner_username")}
    return given


async def _owner(call: Scoped, user_id: str | None, username: str | None) -> dict[str, str | None]:
    """A user by id, else the name that is given, whoever that is, else the caller; raise InvalidOwner."""
    if user_id:
        known = await call.tower.db.read(account_store.username, user_id.lower())
        if known is None:
            raise InvalidOwner
        return {"owner_user_id": user_id.lower(), "owner_username": known}
    if username:
        return {"owner_user_id": None, "owner_username": username}
    return {"owner_user_id": call.user.user_id, "owner_username": call.user.username}


def _move(call: Scoped, stage: OpportunityStage, reason: str | None, refs: list[EvidenceRef]) -> Move:
    at, actor = call.tower.clock.text(), call.user.username
    return Move(
        stage=stage, reason=reason, evidence_refs=refs, actor=actor, request_id=call.asking.request_id, at=at
    )


def _currency(call: Scoped, given: str | None) -> str:
    return (given or call.tower.settings.get(Crm).currency).upper()
