"""Opportunities: added, looked through, changed, moved from stage to stage; and per-field ownership."""

from __future__ import annotations

import pytest

from ctower_desktop.accounts.actions import list_audit
from ctower_desktop.accounts.audit import record
from ctower_desktop.accounts.model import AuditQuery
from ctower_desktop.crm.actions import (
    archive_opportunity,
    create_opportunity,
    edit_opportunity,
    list_opportunities,
    move_opportunity,
    read_account,
    read_crm_overview,
    read_opportunity,
    release_opportunity,
    restore_opportunity,
)
from ctower_desktop.crm.model import (
    AccountNotFound,
    EditOpportunity,
    ListOpportunities,
    MoveOpportunity,
    NewOpportunity,
    NotMirrored,
    OpportunityArchived,
    OpportunityNotFound,
    ReleaseFields,
    UnknownField,
)
from ctower_desktop.crm.settings import Crm
from ctower_desktop.insight.analytics.actions import drill_down
from ctower_desktop.insight.analytics.model import DrillDown
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid, InvalidUuid
from ctower_desktop.kernel.tower import AuditLine, desktop
from ctower_desktop.projects.actions import NewProject, create_project

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def made(call, account, title="Сайт", **values):
    body = NewOpportunity(title=title, account_id=account.id, next_step="позвонить", **values)
    return (await create_opportunity(call, body)).opportunity


async def listed(call, **query):
    found = await list_opportunities(call, ListOpportunities(**query))
    return [o.title for o in found.opportunities]


async def the_one(call):
    (found,) = (await list_opportunities(call, ListOpportunities())).opportunities
    return found


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"next_step": "abc"}, "next_step"), ({"next_step": "   abc   "}, "next_step"),
        ({"next_step": None}, "next_step"), ({"stage": "x"}, "stage"), ({"probability": 1.1}, "probability"),
        ({"amount_estimate": -1}, "amount_estimate"), ({"amount_estimate": 1e10}, "amount_estimate"),
        ({"title": ""}, "title"), ({"evidence_refs": "cwmsg:1"}, "evidence_refs"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(wrong, path):
    """T27: a next step of three letters, an unknown stage."""
    good = {"title": "t", "account_id": UNKNOWN, "next_step": "call"}
    assert check(good, NewOpportunity).probability == 0.1
    with pytest.raises(Invalid) as refused:
        check(good | wrong, NewOpportunity)
    assert [issue.path for issue in refused.value.issues] == [path]


async def test_an_opportunity_of_an_account_that_is_not_there(call):
    """Fault absent: bad account_id → 500."""
    for wrong, error in ((UNKNOWN, AccountNotFound), ("acme", InvalidUuid)):
        with pytest.raises(error):
            await create_opportunity(call, NewOpportunity(title="t", account_id=wrong, next_step="call"))


async def test_an_opportunity_as_it_was_told(call, account):
    found = await made(
        call, account, expected_close_date="2027-01-15", evidence_refs=["cw:1"], probability=0.35
    )
    assert (found.account_name, found.stage, found.probability) == (account.name, "discovery", 0.35)
    assert found.expected_close_date == "2027-01-15T00:00:00.000Z"
    assert (found.currency, found.owner_username, found.amount_estimate) == ("USD", "desktop", 0.0)
    again = await made(call, account, expected_close_date=found.expected_close_date)
    assert again.expected_close_date == found.expected_close_date
    assert (await made(call, account, expected_close_date="", currency="rub")).currency == "RUB"
    await call.tower.settings.change(Crm, {"currency": "EUR"})
    assert (await made(call, account)).currency == "EUR"
    for wrong in ("soon", "2027-13-01", "15.01.2027"):
        with pytest.raises(Invalid) as refused:
            await made(call, account, expected_close_date=wrong)
        assert refused.value.issues[0].path == "expected_close_date"


async def test_opportunities_are_looked_through(call, account, clock):
    for number, stage in enumerate(("proposal", "won", "proposal")):
        clock.advance(1)
        await made(call, account, f"Ёлка {number}", stage=stage)
    assert await listed(call) == ["Ёлка 2", "Ёлка 1", "Ёлка 0"]
    assert await listed(call, stage="proposal") == ["Ёлка 2", "Ёлка 0"]
    assert await listed(call, stage="proposal", limit=1, offset=1) == ["Ёлка 0"]
    assert await listed(call, q="елка 1") == ["Ёлка 1"]
    assert len(await listed(call, q="север")) == len(await listed(call, account_id=account.id)) == 3
    assert await listed(call, account_id=UNKNOWN) == await listed(call, stage="x") == []
    assert len((await read_account(call, account.id)).opportunities) == 3


async def test_amount_next_step_and_date_can_be_changed(call, opportunity, clock):
    """Fault absent: no endpoint to edit an opportunity's amount or next step."""
    clock.advance(60)
    body = EditOpportunity(
        amount_estimate=7000.5, next_step="отправить договор", expected_close_date="2027-02-01",
        probability=0.6, owner_username="Олег", title="Сайт и реклама",
    )  # fmt: skip
    found = (await edit_opportunity(call, opportunity.id, body)).opportunity
    assert (found.amount_estimate, found.next_step, found.probability) == (7000.5, "отправить договор", 0.6)
    assert found.expected_close_date == "2027-02-01T00:00:00.000Z"
    assert (found.owner_username, found.stage, found.updated_at) == ("Олег", "discovery", clock.text())
    assert await listed(call, q="реклама") == ["Сайт и реклама"]
    found = (await edit_opportunity(call, found.id, EditOpportunity(expected_close_date=None))).opportunity
    assert (found.expected_close_date, found.amount_estimate) == (None, 7000.5)
    with pytest.raises(Invalid):
        await edit_opportunity(call, found.id, EditOpportunity(expected_close_date="soon"))


async def test_every_move_is_noted_and_audited(call, opportunity, clock):
    """T27: a change of stage writes an audit event with from and to; the same stage is noted too."""
    clock.advance(60)
    body = MoveOpportunity(stage="won", reason="договор подписан", evidence_refs=["cwmsg:7"])
    moved = (await move_opportunity(call, opportunity.id, body)).opportunity
    assert (moved.stage, moved.stage_changed_at) == ("won", clock.text())
    clock.advance(60)
    again = (await move_opportunity(call, opportunity.id, MoveOpportunity(stage="won"))).opportunity
    assert again.stage_changed_at == moved.stage_changed_at
    found = await read_opportunity(call, opportunity.id)
    assert [(e.from_stage, e.to_stage, e.reason, e.source) for e in found.events] == [
        ("won", "won", None, "manual"), ("discovery", "won", "договор подписан", "manual"),
    ]  # fmt: skip
    assert (found.events[1].actor_username, found.events[1].evidence_refs[0].ref) == ("desktop", "cwmsg:7")
    audit = await list_audit(call, AuditQuery(action="crm.opportunity.stage_update"))
    line = audit.events[1]
    assert line.payload == {"from_stage": "discovery", "to_stage": "won", "reason": "договор подписан"}
    assert (line.entity_id, line.request_id) == (opportunity.id, found.events[1].request_id)


async def test_an_archived_opportunity_waits_to_be_restored(call, opportunity):
    assert (await archive_opportunity(call, opportunity.id)).opportunity.archived
    assert await listed(call) == []
    assert await listed(call, archived=True) == ["Сайт"]
    for act in (
        edit_opportunity(call, opportunity.id, EditOpportunity(title="x")),
        move_opportunity(call, opportunity.id, MoveOpportunity(stage="won")),
        release_opportunity(call, opportunity.id, ReleaseFields()),
    ):
        with pytest.raises(OpportunityArchived):
            await act
    assert (await read_crm_overview(call)).opportunity_by_stage == []
    assert not (await restore_opportunity(call, opportunity.id)).opportunity.archived
    assert await listed(call) == ["Сайт"]


async def test_another_projects_opportunity_is_not_there(call, opportunity):
    other = (await create_project(desktop(call.tower, "t"), NewProject(name="Other"))).project
    there = desktop(call.tower, "t", other)
    assert await listed(there) == []
    for act in (
        read_opportunity(there, opportunity.id), archive_opportunity(there, opportunity.id),
        restore_opportunity(there, opportunity.id),
        release_opportunity(there, opportunity.id, ReleaseFields()),
        edit_opportunity(there, opportunity.id, EditOpportunity(title="x")),
        move_opportunity(there, opportunity.id, MoveOpportunity(stage="won")),
        read_opportunity(call, UNKNOWN),
    ):  # fmt: skip
        with pytest.raises(OpportunityNotFound):
            await act
    assert (await read_opportunity(call, opportunity.id)).opportunity.stage == "discovery"


async def test_a_sync_leaves_alone_what_a_person_changed(call, vendor, clock):
    """Fault absent: sync overwrites manual edits of mirrored rows (opportunities)."""
    await vendor.company()
    await vendor.deal()
    own = await the_one(call)
    assert (own.stage, own.amount_estimate, own.currency, own.owner_username) == (
        "qualified",
        9000,
        "EUR",
        "Ирина",
    )
    assert (own.source_system, own.external_ref, own.local_fields) == ("attio", "d1", [])
    await edit_opportunity(
        call, own.id, EditOpportunity(amount_estimate=12000.0, next_step="позвонить", probability=0.4)
    )
    await move_opportunity(call, own.id, MoveOpportunity(stage="negotiation"))
    await vendor.deal(
        amount=100.0, stage="Lost", probability=0.9, title="Сайт v2", at="2026-12-01T00:00:00.000Z"
    )
    found = await the_one(call)
    assert (found.amount_estimate, found.stage, found.next_step) == (12000.0, "negotiation", "позвонить")
    assert (found.probability, found.title) == (0.9, "Сайт v2")
    assert found.local_fields == ["amount_estimate", "next_step", "stage"]
    assert (found.vendor["amount_estimate"], found.vendor["stage"]) == (100.0, "lost")
    assert found.vendor["expected_close_date"] == found.expected_close_date
    assert await listed(call, q="v2") == ["Сайт v2"]


async def test_fields_are_given_back_to_the_vendor(call, vendor, clock):
    await vendor.company()
    await vendor.deal()
    own = await the_one(call)
    await edit_opportunity(call, own.id, EditOpportunity(amount_estimate=1.0, owner_username="Олег",
                                                          expected_close_date="2028-01-01"))  # fmt: skip
    await move_opportunity(call, own.id, MoveOpportunity(stage="won"))
    clock.advance(60)
    some = (await release_opportunity(call, own.id, ReleaseFields(["amount_estimate"]))).opportunity
    assert (some.amount_estimate, some.stage) == (9000.0, "won")
    assert some.local_fields == ["expected_close_date", "owner_username", "stage"]
    found = (await release_opportunity(call, own.id, ReleaseFields())).opportunity
    assert (found.stage, found.owner_username, found.local_fields) == ("qualified", "Ирина", [])
    assert found.expected_close_date == own.expected_close_date
    assert found.stage_changed_at == clock.text()
    events = (await read_opportunity(call, own.id)).events
    assert [(e.from_stage, e.to_stage) for e in events] == [("won", "qualified"), ("qualified", "won")]
    with pytest.raises(UnknownField):
        await release_opportunity(call, own.id, ReleaseFields(["account_id"]))


async def test_only_what_the_vendor_has_is_given_back(call, opportunity):
    with pytest.raises(NotMirrored):
        await release_opportunity(call, opportunity.id, ReleaseFields())


async def test_a_move_at_the_vendor_is_noted_only_when_the_stage_is_another(call, vendor):
    """Fault absent: deal_stage_changed on any update."""
    await vendor.company()
    await vendor.deal()
    await vendor.deal(amount=1.0)
    own = await the_one(call)
    assert (await read_opportunity(call, own.id)).events == []
    await vendor.deal(amount=1.0, stage="Closed Won", at="2026-12-01T00:00:00.000Z")
    found = await read_opportunity(call, own.id)
    assert [(e.from_stage, e.to_stage, e.source) for e in found.events] == [("qualified", "won", "attio")]
    assert found.opportunity.stage_changed_at == "2026-12-01T00:00:00.000Z"


async def test_what_is_gone_at_the_vendor_goes_and_what_was_put_away_stays_away(call, vendor):
    """Fault absent: deletions in Attio are never noticed (opportunities)."""
    await vendor.company()
    await vendor.deal()
    own = await the_one(call)
    await vendor.gone("opportunity", "d1")
    assert await listed(call) == []
    await vendor.deal()
    assert await listed(call) == ["Сайт"]
    await archive_opportunity(call, own.id)
    await vendor.deal(stage="won")
    assert await listed(call) == []


async def test_sales_at_a_glance(call, account, opportunity):
    await made(call, account, stage="won")
    await made(call, account)
    found = await read_crm_overview(call)
    assert found.accounts == 1
    assert [(row.stage, row.count) for row in found.opportunity_by_stage] == [("discovery", 2), ("won", 1)]
    assert found.links_by_status == []
    await call.tower.db.write(_link, call.project_ref)
    links = (await read_crm_overview(call)).links_by_status
    assert [(row.status, row.count) for row in links] == [("active", 2), ("inactive", 1)]


def _link(db, project):
    for number, status in enumerate(("active", "inactive", "active")):
        db.execute(
            "INSERT INTO identity_link (id, project_id, account_scope_id, left_entity_type, left_entity_id,"
            " right_entity_type, right_entity_id, status, source, created_by, created_at, updated_at)"
            " VALUES (?, ?, ?, 'cw_contact', ?, 'attio_account', 'a', ?, 'manual', 't', '2026', '2026')",
            (f"l{number}", project.id, project.account_scope_id, f"c{number}", status),
        )


async def test_an_opportunity_that_is_pointed_at_is_quoted_and_is_no_piece_of_text(call, opportunity):
    """An id of 36 characters is taken for one of a piece of text, unless it is that of a row of ours."""
    refs = [opportunity.id, "00000000-0000-4000-8000-00000000dead"]
    await record(call, AuditLine(action="x.y", entity_type="thing", entity_id="1", evidence_refs=refs))
    found = {one.source_pk: one for one in (await drill_down(call, DrillDown())).evidence}
    assert (found[refs[0]].source_table, found[refs[0]].snippet) == ("external", "Сайт")
    assert (found[refs[1]].source_table, found[refs[1]].snippet) == ("rag_chunks", None)
