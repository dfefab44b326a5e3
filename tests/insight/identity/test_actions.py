"""Suggesting, applying, dismissing, linking by hand and undoing, through the actions (T24)."""

from __future__ import annotations

import asyncio

import pytest

from ctower_desktop.crm import store as crm
from ctower_desktop.insight.identity.actions import (
    apply_identity,
    create_identity_link,
    dismiss_identity,
    list_identity_links,
    list_identity_suggestions,
    preview_identity,
    undo_identity_link,
)
from ctower_desktop.insight.identity.link_store import deliveries
from ctower_desktop.insight.identity.model import (
    ChooseSuggestions,
    EntityNotFound,
    LinkConflict,
    LinkExists,
    LinkInactive,
    LinkNotFound,
    ListLinks,
    ListSuggestions,
    NewLink,
    PairNotLinkable,
    PreviewIdentity,
)
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def preview(call, limit=100):
    return await preview_identity(call, PreviewIdentity(limit=limit))


async def suggestions(call, **query):
    return (await list_identity_suggestions(call, ListSuggestions(**query))).suggestions


async def links(call, **query):
    return (await list_identity_links(call, ListLinks(**query))).links


def chosen(*rows):
    return ChooseSuggestions(suggestion_ids=[row if isinstance(row, str) else row.id for row in rows])


def pair(left_type, left, right_type, right):
    return NewLink(
        left_entity_type=left_type, left_entity_id=left, right_entity_type=right_type, right_entity_id=right
    )


class TestSuggestions:
    async def test_domain_and_names(self, call, clients):
        await clients.contact(1, "Anna", "anna@acme.com")
        await clients.contact(2, "Sever Coffee")
        await clients.company(1, "Рога и копыта", "acme.com")
        await clients.company(2, "Sever Coffee")
        found = await preview(call)
        assert (found.generated, found.stored) == (2, 2)
        assert [one.confidence for one in found.suggestions] == [1.0, 0.95]
        assert [one.confidence for one in await suggestions(call)] == [1.0, 0.95]

    async def test_both_sides_are_shown_beside_each_other(self, call, clients):
        contact = await clients.contact(1, "Anna", "anna@acme.com", phone_number="+49 1", company_name="A")
        company = await clients.company(1, "Acme", "acme.com", url="https://attio.example/1")
        await preview(call)
        (one,) = await suggestions(call)
        assert (one.left.entity_id, one.left.name, one.left.email) == (contact, "Anna", "anna@acme.com")
        assert (one.left.domain, one.left.phone_number, one.left.company_name) == ("acme.com", "+49 1", "A")
        assert (one.right.entity_id, one.right.name, one.right.domain) == (company, "Acme", "acme.com")
        assert one.right.url == "https://attio.example/1"
        assert not one.left.gone
        assert not one.right.gone
        assert one.evidence_refs == [contact, company]

    async def test_the_same_preview_again_changes_nothing(self, call, clients, clock):
        await clients.contact(1, "Anna", "anna@acme.com")
        await clients.company(1, "Acme", "acme.com")
        await preview(call)
        before = await suggestions(call)
        clock.advance(60)
        assert (await preview(call)).stored == 1
        assert await suggestions(call) == before

    async def test_what_no_longer_holds_is_withdrawn(self, call, clients):
        await clients.contact(1, "Anna", "anna@acme.com")
        company = await clients.company(1, "Acme", "acme.com")
        await preview(call)
        await clients.gone(crm.COMPANY, company)
        assert (await preview(call)).generated == 0
        assert await suggestions(call, status="all") == []

    async def test_the_limit_takes_the_surest_and_hides_nothing_for_ever(self, call, clients):
        for n in range(5):
            await clients.contact(n, f"Anna {n}", f"anna@firm{n}.example")
            await clients.company(n, f"Firm{n}", f"firm{n}.example")
        assert (await preview(call, limit=2)).stored == 2
        await dismiss_identity(call, chosen(*await suggestions(call)))
        again = await preview(call, limit=2)
        assert (again.generated, again.stored) == (2, 2)
        assert len(await suggestions(call)) == 2

    async def test_pages(self, call, clients):
        for n in range(5):
            await clients.contact(n, f"Anna {n}", f"anna@firm{n}.example")
            await clients.company(n, f"Firm{n}", f"firm{n}.example")
        await preview(call)
        pages = [await suggestions(call, limit=2, offset=at) for at in (0, 2, 4, 6)]
        assert [len(page) for page in pages] == [2, 2, 1, 0]
        assert len({one.id for page in pages for one in page}) == 5

    async def test_another_project_sees_nothing(self, tower, call, clients):
        await clients.contact(1, "Anna", "anna@acme.com")
        await clients.company(1, "Acme", "acme.com")
        await preview(call)
        made = (await create_project(desktop(tower, "test"), NewProject(name="Other"))).project
        other = desktop(tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
        assert (await preview(other)).generated == 0
        assert await suggestions(other, status="all") == []
        assert (await apply_identity(other, chosen(*await suggestions(call)))).applied == 0


class TestDismissing:
    @pytest.fixture
    async def one(self, call, clients):
        await clients.contact(1, "Anna", "anna@acme.com")
        await clients.company(1, "Рога и копыта", "acme.com")
        await preview(call)
        return (await suggestions(call))[0]

    async def test_it_is_gone_and_stays_so(self, call, one):
        """Fault absent: a suggestion can be dismissed, and is not raised again."""
        done = await dismiss_identity(call, chosen(one))
        assert (done.dismissed, done.suggestions[0].status) == (1, "dismissed")
        again = await preview(call)
        assert (again.generated, again.stored) == (1, 0)
        assert await suggestions(call) == []
        assert len(await suggestions(call, status="dismissed")) == 1

    async def test_twice_is_once(self, call, one):
        await dismiss_identity(call, chosen(one))
        assert (await dismiss_identity(call, chosen(one))).dismissed == 0
        assert (await apply_identity(call, chosen(one))).applied == 0

    async def test_less_evidence_or_another_spelling_is_no_news(self, call, clients, one):
        await dismiss_identity(call, chosen(one))
        await clients.contact(1, "Анна", "Anna@ACME.com")
        assert (await preview(call)).stored == 0

    async def test_new_evidence_is(self, call, clients, one):
        await dismiss_identity(call, chosen(one))
        await clients.contact(1, "Anna", "anna@acme.com", company_name="Рога и копыта")
        assert (await preview(call)).stored == 1
        (raised,) = await suggestions(call)
        assert (raised.id, raised.reason) == (one.id, "matching_contact_company_name")


class TestApplying:
    async def test_once(self, call, clients):
        await clients.contact(1, "Anna", "anna@acme.com")
        await clients.company(1, "Acme", "acme.com")
        await preview(call)
        (one,) = await suggestions(call)
        done = await apply_identity(call, chosen(one))
        assert (done.applied, done.conflicts) == (1, [])
        assert (done.links[0].status, done.links[0].source, done.links[0].created_by) == (
            "active", "suggestion", "desktop",
        )  # fmt: skip
        assert (await apply_identity(call, chosen(one))).applied == 0
        assert await links(call) == done.links
        again = await preview(call)
        assert (again.generated, again.stored) == (1, 0)
        assert [row.status for row in await suggestions(call, status="all")] == ["applied"]

    async def test_nothing_chosen(self, call):
        done = await apply_identity(call, ChooseSuggestions())
        assert (done.applied, done.links) == (0, [])

    async def test_unknown_ids_do_nothing_and_broken_ones_are_refused(self, call):
        """Fault absent: what is no UUID is refused with 400, not with an internal error."""
        assert (await apply_identity(call, chosen(UNKNOWN))).applied == 0
        for act in (apply_identity, dismiss_identity):
            with pytest.raises(InvalidUuid):
                await act(call, chosen("nonsense"))

    async def test_a_contact_has_one_company(self, call, clients):
        await clients.contact(1, "Acme", "anna@north.example")
        await clients.company(1, "Acme")
        await clients.company(2, "North", "north.example")
        await preview(call)
        surest, other = await suggestions(call)
        done = await apply_identity(call, chosen(other, surest))
        assert [link.right.name for link in done.links] == ["Acme"]
        assert [clash.suggestion_id for clash in done.conflicts] == [other.id]
        assert done.conflicts[0].link_id == done.links[0].id
        await preview(call)
        assert await suggestions(call) == []  # what contradicts a link is asked no more

    async def test_a_company_may_have_several_delivery_projects(self, call, clients):
        await clients.company(1, "Acme")
        await clients.delivery(1, "Acme website")
        await clients.delivery(2, "Acme app")
        await preview(call)
        done = await apply_identity(call, chosen(*await suggestions(call)))
        assert (done.applied, done.conflicts) == (2, [])

    async def test_two_at_once_make_one_link(self, call, clients):
        await clients.contact(1, "Anna", "anna@acme.com")
        await clients.company(1, "Acme", "acme.com")
        await preview(call)
        (one,) = await suggestions(call)
        done = await asyncio.gather(*(apply_identity(call, chosen(one)) for _ in range(4)))
        assert sorted(answer.applied for answer in done) == [0, 0, 0, 1]
        assert len(await links(call, status="all")) == 1


class TestLinks:
    async def test_by_hand_in_either_order(self, call, clients):
        contact = await clients.contact(1, "Anna")
        company = await clients.company(1, "Acme")
        body = pair("attio_account", company, "cw_contact", contact)
        made = (await create_identity_link(call, body)).link
        assert (made.left_entity_id, made.right_entity_id, made.source) == (contact, company, "manual")
        with pytest.raises(LinkExists):
            await create_identity_link(call, body)

    async def test_what_cannot_be_linked(self, call, clients):
        contact = await clients.contact(1, "Anna")
        company, gone = await clients.company(1, "Acme"), await clients.company(2, "Gone")
        other, delivery = await clients.company(3, "Other"), await clients.delivery(1, "Site")
        await clients.gone(crm.COMPANY, gone)
        for body, error in (
            (pair("cw_contact", contact, "linear_project", delivery), PairNotLinkable),
            (pair("cw_contact", contact, "attio_account", "nonsense"), EntityNotFound),
            (pair("cw_contact", contact, "attio_account", gone), EntityNotFound),
        ):
            with pytest.raises(error):
                await create_identity_link(call, body)
        await create_identity_link(call, pair("cw_contact", contact, "attio_account", company))
        with pytest.raises(LinkConflict):
            await create_identity_link(call, pair("cw_contact", contact, "attio_account", other))

    async def test_undone_it_is_suggested_again(self, call, clients):
        await clients.contact(1, "Anna", "anna@acme.com")
        await clients.company(1, "Acme", "acme.com")
        await preview(call)
        (made,) = (await apply_identity(call, chosen(*await suggestions(call)))).links
        undone = (await undo_identity_link(call, made.id.upper())).link
        assert undone.status == "inactive"
        assert await links(call) == []
        assert [link.id for link in await links(call, status="all")] == [made.id]
        (again,) = await suggestions(call)
        assert again.status == "proposed"
        with pytest.raises(LinkInactive):
            await undo_identity_link(call, made.id)
        assert (await apply_identity(call, chosen(again))).links[0].id == made.id
        with pytest.raises(LinkNotFound):
            await undo_identity_link(call, UNKNOWN)

    async def test_a_side_the_vendor_no_longer_has_is_told(self, call, clients):
        contact, company = await clients.contact(1, "Anna"), await clients.company(1, "Acme")
        await create_identity_link(call, pair("cw_contact", contact, "attio_account", company))
        await clients.gone(crm.COMPANY, company)
        (link,) = await links(call)
        assert link.right.gone
        assert not link.left.gone

    async def test_where_the_work_for_a_client_is_done(self, tower, call, clients):
        contact, company = await clients.contact(1, "Anna"), await clients.company(1, "Acme")
        delivery = await clients.delivery(1, "Site")
        await create_identity_link(call, pair("cw_contact", contact, "attio_account", company))
        await create_identity_link(call, pair("attio_account", company, "linear_project", delivery))
        found = await tower.db.read(deliveries, call.project_id)
        assert found == ({"attioacct-1": "linproj-1"}, {contact: "linproj-1"})
        second = await clients.delivery(2, "App")
        await create_identity_link(call, pair("attio_account", company, "linear_project", second))
        assert await tower.db.read(deliveries, call.project_id) == ({}, {})


async def test_what_is_done_is_in_the_audit_trail(tower, call, clients):
    await clients.contact(1, "Anna", "anna@acme.com")
    await clients.company(1, "Acme", "acme.com")
    await preview(call)
    (made,) = (await apply_identity(call, chosen(*await suggestions(call)))).links
    await undo_identity_link(call, made.id)
    await dismiss_identity(call, chosen(*await suggestions(call)))
    await create_identity_link(
        call, pair("cw_contact", made.left_entity_id, "attio_account", made.right_entity_id)
    )
    found = await tower.db.read(
        lambda db: [row[0] for row in db.execute("SELECT action FROM audit_event ORDER BY id")]
    )
    assert found[-5:] == [
        "identity.preview", "identity.apply", "identity.link_undo", "identity.dismiss", "identity.link",
    ]  # fmt: skip
