"""Accounts: added, looked through, changed, put away; and what a sync may not overwrite."""

from __future__ import annotations

import pytest

from ctower_desktop.accounts.users import add_user
from ctower_desktop.crm.actions import (
    archive_account,
    create_account,
    create_opportunity,
    edit_account,
    list_accounts,
    move_opportunity,
    read_account,
    release_account,
    restore_account,
)
from ctower_desktop.crm.model import (
    AccountArchived,
    AccountExists,
    AccountInUse,
    AccountNotFound,
    EditAccount,
    InvalidOwner,
    ListAccounts,
    MoveOpportunity,
    NewAccount,
    NewOpportunity,
    NotMirrored,
    ReleaseFields,
    UnknownField,
)
from ctower_desktop.crm.ownership import adopted, owned_here
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.projects.actions import NewProject, create_project

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def made(call, name, **values):
    return (await create_account(call, NewAccount(name=name, **values))).account


async def listed(call, **query):
    return [a.name for a in (await list_accounts(call, ListAccounts(**query))).accounts]


async def the_one(call):
    (found,) = (await list_accounts(call, ListAccounts())).accounts
    return found


async def test_an_account_is_the_callers_unless_somebody_is_named(call):
    own = await made(call, "Acme", evidence_refs=["cwmsg:1", {"id": "x", "snippet": "said"}, {}])
    assert (own.owner_user_id, own.owner_username, own.stage) == (None, "desktop", "prospect")
    assert [(r.source, r.ref) for r in own.evidence_refs] == [("cw_messages", "cwmsg:1"), ("external", "x")]
    assert (own.source_system, own.vendor, own.local_fields, own.archived) == ("manual", None, [], False)
    user = await add_user(call.tower, "irina", "correct horse: battery", "pm")
    assert (await made(call, "B2", owner_user_id=user.id.upper())).owner_username == "irina"
    named = await made(call, "C3", owner_username="somebody unknown")
    assert (named.owner_user_id, named.owner_username) == (None, "somebody unknown")
    for wrong in (UNKNOWN, "nobody"):
        with pytest.raises(InvalidOwner):
            await made(call, "D4", owner_user_id=wrong)


async def test_the_same_name_or_reference_twice_is_refused_with_a_word(call):
    """Fault absent: duplicate account name → 500."""
    await made(call, "Ёлка", external_ref="inn 7701")
    for name, ref in (("елка", None), ("ЁЛКА", None), ("Other", "inn 7701")):
        with pytest.raises(AccountExists):
            await made(call, name, external_ref=ref)
    assert await listed(call) == ["Ёлка"]


async def test_accounts_are_looked_through_by_pages(call, clock):
    """Fault absent: lists of accounts without offset."""
    for number in range(5):
        clock.advance(1)
        await made(
            call, f"Студия {number}", domain=f"s{number}.example", stage="active" if number else "inactive"
        )
    assert await listed(call, limit=2) == ["Студия 4", "Студия 3"]
    assert await listed(call, limit=2, offset=4) == ["Студия 0"]
    assert await listed(call, q="СТУДИЯ 3") == await listed(call, q="S3.EXAMPLE") == ["Студия 3"]
    assert await listed(call, stage="inactive") == ["Студия 0"]
    assert await listed(call, stage="nonsense") == []
    assert await listed(call, q="100%") == []


async def test_an_edit_changes_what_it_names(call, account, clock):
    clock.advance(60)
    await edit_account(call, account.id.upper(), EditAccount(domain="north.example", stage="active"))
    found = (await read_account(call, account.id)).account
    assert (found.name, found.domain, found.stage) == (account.name, "north.example", "active")
    assert (found.created_at, found.updated_at) == (account.created_at, clock.text())
    await edit_account(call, account.id, EditAccount(domain="", owner_username="Олег"))
    found = (await read_account(call, account.id)).account
    assert (found.domain, found.owner_username) == (None, "Олег")
    await edit_account(call, account.id, EditAccount(owner_user_id=None))
    assert (await read_account(call, account.id)).account.owner_username is None
    await made(call, "Other")
    with pytest.raises(AccountExists):
        await edit_account(call, account.id, EditAccount(name="OTHER"))
    await edit_account(call, account.id, EditAccount(name=account.name.upper()))


async def test_an_account_is_put_away_when_nothing_is_open_and_comes_back(call, account, opportunity):
    with pytest.raises(AccountInUse):
        await archive_account(call, account.id)
    await move_opportunity(call, opportunity.id, MoveOpportunity(stage="lost"))
    assert (await archive_account(call, account.id)).account.archived
    assert (await archive_account(call, account.id)).account.archived
    assert await listed(call) == []
    assert await listed(call, archived=True) == [account.name]
    with pytest.raises(AccountArchived):
        await edit_account(call, account.id, EditAccount(domain="x"))
    with pytest.raises(AccountArchived):
        await create_opportunity(call, NewOpportunity(title="t", account_id=account.id, next_step="call"))
    again = await made(call, account.name)
    with pytest.raises(AccountExists):
        await restore_account(call, account.id)
    await archive_account(call, again.id)
    assert not (await restore_account(call, account.id)).account.archived


async def test_another_projects_account_is_not_there(call, account):
    other = (await create_project(desktop(call.tower, "t"), NewProject(name="Other"))).project
    there = desktop(call.tower, "t", other)
    assert await listed(there) == []
    for act in (
        read_account(there, account.id), edit_account(there, account.id, EditAccount(domain="x")),
        archive_account(there, account.id), restore_account(there, account.id),
        release_account(there, account.id, ReleaseFields()),
        create_opportunity(there, NewOpportunity(title="t", account_id=account.id, next_step="call")),
        read_account(call, UNKNOWN),
    ):  # fmt: skip
        with pytest.raises(AccountNotFound):
            await act
    await made(there, account.name)


async def test_a_sync_leaves_alone_what_a_person_changed(call, vendor):
    """Fault absent: sync overwrites manual edits of mirrored rows (accounts)."""
    await vendor.company()
    own = await the_one(call)
    assert (own.stage, own.source_system, own.external_ref, own.local_fields) == ("active", "attio", "c1", [])
    await edit_account(call, own.id, EditAccount(name="Acme Ltd", domain=own.domain))
    await vendor.company(name="ACME Group", domain="acme.group", stage="Churned")
    found = await the_one(call)
    assert (found.name, found.domain, found.stage) == ("Acme Ltd", "acme.group", "inactive")
    assert found.local_fields == ["name"]
    assert found.vendor == {"name": "ACME Group", "domain": "acme.group", "stage": "inactive"}
    assert await listed(call, q="acme ltd") == ["Acme Ltd"]
    back = (await release_account(call, own.id, ReleaseFields(["name"]))).account
    assert (back.name, back.local_fields) == ("ACME Group", [])
    assert await listed(call, q="group") == ["ACME Group"]


async def test_what_is_set_back_to_the_vendors_word_is_the_vendors_again(call, vendor):
    await vendor.company()
    own = await the_one(call)
    await edit_account(call, own.id, EditAccount(stage="prospect"))
    assert (await edit_account(call, own.id, EditAccount(stage="active"))).account.local_fields == []


async def test_only_what_the_vendor_has_is_given_back(call, account, vendor):
    with pytest.raises(NotMirrored):
        await release_account(call, account.id, ReleaseFields())
    await vendor.company()
    own = next(a for a in (await list_accounts(call, ListAccounts())).accounts if a.external_ref)
    with pytest.raises(UnknownField):
        await release_account(call, own.id, ReleaseFields(["name", "owner_username"]))


async def test_an_adopted_account_keeps_what_was_typed(call, vendor):
    typed = await made(call, "ACME", domain="old.example")
    await vendor.company()
    found = await the_one(call)
    assert (found.id, found.source_system, found.external_ref) == (typed.id, "attio", "c1")
    assert (found.name, found.domain, found.stage) == ("ACME", "old.example", "active")
    assert found.local_fields == ["domain", "name"]


async def test_an_account_typed_with_the_vendors_reference_is_that_account(call, vendor):
    typed = await made(call, "Акме", external_ref="c1")
    await vendor.company()
    found = await the_one(call)
    assert (found.id, found.name, found.domain, found.local_fields) == (
        typed.id,
        "Акме",
        "acme.example",
        ["name"],
    )


async def test_what_is_gone_at_the_vendor_goes_and_what_was_put_away_stays_away(call, vendor):
    """Fault absent: deletions in Attio are never noticed (accounts)."""
    await vendor.company()
    own = await the_one(call)
    await vendor.gone("account", "c1")
    assert await listed(call) == []
    await vendor.company()
    assert await listed(call) == ["Acme"]
    await archive_account(call, own.id)
    await vendor.company(name="Acme again")
    assert await listed(call) == []
    assert await listed(call, archived=True) == ["Acme again"]


async def test_a_sync_that_brings_nothing_new_writes_nothing(call, vendor):
    await vendor.company()
    told: list[frozenset[str]] = []
    call.tower.db.changed.append(told.append)
    await vendor.company()
    assert told == []


@pytest.mark.parametrize(
    ("local", "before", "after", "vendor", "owned"),
    [
        ([], {"a": 1}, {"a": 2}, {"a": 1}, ["a"]),
        ([], {"a": 1}, {"a": 1}, {"a": 3}, []),
        (["a"], {"a": 2}, {"a": 1}, {"a": 1}, []),
        (["a"], {"a": 2}, {"a": 2}, {"a": 1}, ["a"]),
        (["b"], {"a": 1}, {"a": 2}, {"a": 1}, ["a", "b"]),
        ([], {"a": 1}, {"a": 2}, {}, []),
    ],
)
def test_who_owns_a_field(local, before, after, vendor, owned):
    assert owned_here(local, before, after, vendor) == owned


def test_what_stays_of_an_adopted_account():
    vendor = {"name": "Acme", "domain": "a", "stage": "active"}
    assert adopted({"name": "Acme", "domain": None, "stage": "prospect"}, vendor) == []
    assert adopted({"name": "ACME", "domain": "b", "stage": "inactive"}, vendor) == [
        "domain",
        "name",
        "stage",
    ]
