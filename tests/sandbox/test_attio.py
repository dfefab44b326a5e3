"""Every quirk of the stand-in Attio, over real HTTP."""

import re
from datetime import date, timedelta

import httpx
import pytest

from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.host import hosted

OLDEST_FIRST = [{"attribute": "created_at", "direction": "asc"}]


async def refused(office, kind, **body):
    answer = await office.client.post(f"/objects/{kind}/records/query", json=body)
    return answer.status_code, answer.json()["code"]


async def test_self_tells_whether_the_token_is_active(office):
    about = (await office.client.get("/self")).json()
    assert (about["active"], about["workspace_id"]) == (True, office.vendor.workspace_id)
    wrong = await office.client.get("/self", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()) == (200, {"active": False})
    assert (await office.client.get("/objects", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_every_attribute_is_a_list_of_values_and_no_value_is_an_empty_one(office):
    company = office.vendor.add_company("North", "shop.north.example", categories=["B2B", "Retail"])
    [row] = await office.query("companies")
    assert row["id"] == {
        "workspace_id": office.vendor.workspace_id,
        "object_id": office.vendor.objects["companies"].id,
        "record_id": company.id,
    }
    assert row["values"]["description"] == []
    [domain] = row["values"]["domains"]
    assert (domain["domain"], domain["root_domain"]) == ("shop.north.example", "north.example")
    assert (domain["active_until"], domain["created_by_actor"]) == (None, {"type": "system", "id": None})
    assert [value["option"]["title"] for value in row["values"]["categories"]] == ["B2B", "Retail"]


async def test_values_of_each_type_are_written_in_its_form(office):
    company = office.vendor.add_company("North")
    person = office.vendor.add_person(
        "Anna", "Berg", "Anna@North.example", company=company, phone="+7 921 123-45-67"
    )
    deal = office.vendor.add_deal(
        "Site", "Proposal", amount=12_500.5, company=company, people=[person], close_date=date(2026, 12, 1)
    )
    values = (await office.get(f"/objects/people/records/{person.id}"))["values"]
    assert values["name"][0]["full_name"] == "Anna Berg"
    assert values["email_addresses"][0]["email_address"] == "anna@north.example"
    assert values["phone_numbers"][0]["phone_number"] == "+79211234567"
    assert values["company"][0]["target_record_id"] == company.id
    values = (await office.get(f"/objects/deals/records/{deal.id}"))["values"]
    assert values["stage"][0]["status"]["title"] == "Proposal"
    assert (values["value"][0]["currency_value"], values["value"][0]["currency_code"]) == (12_500.5, "EUR")
    assert values["owner"][0]["referenced_actor_id"] == office.vendor.admin.id
    assert values["close_date"][0]["value"] == "2026-12-01"
    assert values["associated_people"][0]["target_object"] == "people"


async def test_times_have_nanoseconds(office):
    [company] = office.companies("a")
    [row] = await office.query("companies")
    assert re.fullmatch(r"2026-11-20T10:00:00\.\d{9}Z", row["created_at"])
    assert row["created_at"] == company.created_at == row["values"]["created_at"][0]["value"]


async def test_records_500_a_page_and_the_end_is_a_short_page(office):
    office.vendor.generate(520)
    first = await office.query("companies", sorts=OLDEST_FIRST)
    rest = await office.query("companies", sorts=OLDEST_FIRST, limit=500, offset=500)
    assert (len(first), len(rest)) == (500, 20)
    assert len({row["id"]["record_id"] for row in first + rest}) == 520
    times = [row["created_at"] for row in first + rest]
    assert times == sorted(times)


async def test_a_delete_during_an_offset_walk_skips_a_row_and_a_keyset_walk_does_not(office):
    a, *_ = office.companies("a", "b", "c", "d")
    first = await office.names(sorts=OLDEST_FIRST, limit=2)
    page = await office.query("companies", sorts=OLDEST_FIRST, limit=2)
    office.vendor.delete_record(a.id)
    assert first + await office.names(sorts=OLDEST_FIRST, limit=2, offset=2) == ["a", "b", "d"]
    after = {"created_at": {"$gte": page[-1]["created_at"]}}
    assert await office.names(sorts=OLDEST_FIRST, filter=after) == ["b", "c", "d"]


async def test_created_at_filters_are_inclusive_or_not_as_written_and_need_a_time(office):
    _, middle, _ = office.companies("a", "b", "c")
    for operator, names in (("$gte", ["b", "c"]), ("$gt", ["c"]), ("$lte", ["a", "b"]), ("$lt", ["a"])):
        found = await office.names(sorts=OLDEST_FIRST, filter={"created_at": {operator: middle.created_at}})
        assert found == names, operator
    assert await refused(office, "companies", filter={"created_at": {"$gte": "2026-11-20"}}) == (
        400,
        "filter_error",
    )


async def test_there_is_no_updated_at_and_a_change_moves_no_time_of_the_record(office):
    [company] = office.companies("a")
    [before] = await office.query("companies")
    office.clock.advance(60)
    office.vendor.set_values(company.id, description="A shop", name="A")
    [after] = await office.query("companies")
    assert "updated_at" not in after
    assert after["created_at"] == before["created_at"]
    assert after["values"]["name"][0]["active_from"] > before["values"]["name"][0]["active_from"]
    office.vendor.set_values(company.id, description=None)
    assert (await office.query("companies"))[0]["values"]["description"] == []
    assert await refused(office, "companies", filter={"updated_at": {"$gte": "x"}}) == (400, "filter_error")
    assert await refused(office, "companies", sorts=[{"attribute": "updated_at", "direction": "asc"}]) == (
        400,
        "filter_error",
    )


async def test_filters_short_and_long_and_with_logic(office):
    office.companies("north", "south", "northwest")
    asc = OLDEST_FIRST
    assert await office.names(filter={"name": "north"}) == ["north"]
    assert await office.names(sorts=asc, filter={"name": {"$starts_with": "north"}}) == ["north", "northwest"]
    assert await office.names(filter={"domains": {"root_domain": {"$eq": "south.example"}}}) == ["south"]
    either = {"$or": [{"name": "south"}, {"name": {"$contains": "west"}}]}
    assert await office.names(sorts=asc, filter=either) == ["south", "northwest"]
    assert await office.names(sorts=asc, filter={"$not": either}) == ["north"]
    newest = [{"path": [["companies", "created_at"]], "direction": "desc"}]
    assert (await office.names(sorts=newest))[0] == "northwest"
    assert await refused(office, "companies", filter={"name": {"$like": "x"}}) == (400, "filter_error")


async def test_without_sorts_the_order_is_not_that_of_creation(office):
    names = [f"c{index}" for index in range(12)]
    office.companies(*names)
    found = await office.names()
    assert sorted(found) == sorted(names)
    assert found != names


async def test_a_disabled_object_is_404_and_leaves_the_list(office):
    office.vendor.disable("deals")
    answer = await office.client.post("/objects/deals/records/query", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["message"] == 'Object with slug/ID "deals" was not found.'
    assert {row["api_slug"] for row in await office.get("/objects")} == {"companies", "people"}


async def test_deletes_are_for_good_and_take_what_hangs_on_the_record(office):
    [company] = office.companies("a")
    office.vendor.add_note(company, "Call", "Said yes")
    await office.client.delete(f"/objects/companies/records/{company.id}")
    answer = await office.client.get(f"/objects/companies/records/{company.id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await office.get("/notes") == []


async def test_merged_records_leave_one_id_and_references_follow(office):
    kept, lost = office.companies("a", "b")
    deal = office.vendor.add_deal("Site", company=lost)
    note = office.vendor.add_note(lost, "Call", "Said yes")
    office.vendor.merge_records(kept.id, lost.id)
    assert await office.names() == ["a"]
    row = await office.get(f"/objects/deals/records/{deal.id}")
    assert row["values"]["associated_company"][0]["target_record_id"] == kept.id
    assert (await office.get(f"/notes/{note.id}"))["parent_record_id"] == kept.id


async def test_notes_and_threads_10_by_default_and_50_at_most(office):
    [company] = office.companies("a")
    for index in range(60):
        office.vendor.add_note(company, f"N{index}", "text")
        office.vendor.add_comment(company, f"C{index}")
    about = {"object": "companies", "record_id": company.id}
    assert len(await office.get("/notes")) == 10
    assert len(await office.get("/notes", limit=50, offset=50)) == 10
    assert len(await office.get("/threads", **about)) == 10
    assert len(await office.get("/threads", **about, limit=50)) == 50
    assert (await office.client.get("/notes", params={"limit": 51})).status_code == 400


async def test_tasks_have_no_title_and_are_ordered_by_creation(office):
    [company] = office.companies("a")
    first = office.vendor.add_task(
        "Call", deadline=date(2026, 11, 25), linked=[company], assignees=[office.vendor.admin]
    )
    office.clock.advance(60)
    office.vendor.add_task("Write", completed=True)
    rows = await office.get("/tasks", sort="created_at:desc")
    assert [row["content_plaintext"] for row in rows] == ["Write", "Call"]
    assert not {"title", "updated_at"} & rows[0].keys()
    [row] = await office.get("/tasks", is_completed="false")
    assert (row["deadline_at"], row["linked_records"]) == (
        "2026-11-25T00:00:00.000000000Z",
        [{"target_object_id": "companies", "target_record_id": company.id}],
    )
    assert (await office.get(f"/tasks/{first.id}"))["is_completed"] is False


async def test_one_record_may_have_several_entries_in_one_list(office):
    [company] = office.companies("a")
    deal = office.vendor.add_deal("Site", company=company)
    office.vendor.add_list("pipeline", "Pipeline", "deals", [("stage", "status", False)])
    made = {office.vendor.add_entry("pipeline", deal, stage=stage).id for stage in ("New", "Won")}
    answer = await office.client.post("/lists/pipeline/entries/query", json={"filter": {"stage": "Won"}})
    [row] = answer.json()["data"]
    assert row["entry_values"]["stage"][0]["status"]["title"] == "Won"
    assert {row["entry_id"] for row in await office.get(f"/objects/deals/records/{deal.id}/entries")} == made
    assert [row["api_slug"] for row in await office.get("/lists")] == ["pipeline"]


async def test_a_renamed_attribute_keeps_its_id_and_archived_ones_are_hidden(office):
    made = office.vendor.add_attribute("deals", "margin", "number")
    deal = office.vendor.add_deal("Site", margin=0.2)
    office.vendor.rename_attribute("deals", "margin", "gross_margin")
    rows = {
        row["api_slug"]: row["id"]["attribute_id"] for row in await office.get("/objects/deals/attributes")
    }
    assert rows["gross_margin"] == made.id
    values = (await office.get(f"/objects/deals/records/{deal.id}"))["values"]
    assert values["gross_margin"][0]["value"] == 0.2
    made.archived = True
    shown = {row["api_slug"] for row in await office.get("/objects/deals/attributes")}
    every = {row["api_slug"] for row in await office.get("/objects/deals/attributes", show_archived="true")}
    assert every - shown == {"gross_margin"}


async def test_members_are_listed_whole(office):
    office.vendor.add_member("Max", "Roth", "max@agency.example")
    emails = [row["email_address"] for row in await office.get("/workspace_members")]
    assert emails == ["admin@agency.example", "max@agency.example"]


async def test_too_many_reads_are_429_with_the_next_second_and_writes_have_a_budget_of_their_own(clock):
    vendor = Attio(clock.now, reads_per_second=2, writes_per_second=1)
    company = vendor.add_company("a")
    note = {
        "parent_object": "companies",
        "parent_record_id": company.id,
        "title": "T",
        "format": "plaintext",
        "content": "c",
    }
    async with hosted(attio=vendor) as urls:
        headers = {"Authorization": f"Bearer {vendor.token}"}
        async with httpx.AsyncClient(base_url=f"{urls['attio']}/v2", headers=headers) as client:
            reads = [
                (await client.post("/objects/companies/records/query", json={})).status_code for _ in range(2)
            ]
            refusal = await client.get("/objects")
            writes = [(await client.post("/notes", json={"data": note})).status_code for _ in range(2)]
            clock.advance(1)
            after = (await client.get("/objects")).status_code
    assert (reads, writes, after) == ([200, 200], [200, 429], 200)
    assert (refusal.status_code, refusal.json()["code"]) == (429, "rate_limit_exceeded")
    assert refusal.headers["retry-after"] == "Fri, 20 Nov 2026 10:00:01 GMT"


async def test_a_note_is_made_on_a_record_that_is_there_and_whole(office):
    [company] = office.companies("a")
    note = {"parent_object": "companies", "parent_record_id": company.id, "title": "T", "format": "plaintext"}
    missing = await office.client.post("/notes", json={"data": note})
    assert (missing.status_code, missing.json()["code"]) == (400, "validation_type")
    made = await office.client.post("/notes", json={"data": note | {"content": "text"}})
    assert made.json()["data"]["content_plaintext"] == "text"
    elsewhere = note | {"content": "text", "parent_object": "people"}
    assert (await office.client.post("/notes", json={"data": elsewhere})).status_code == 404


async def test_rows_of_the_same_instant_can_be_made(office):
    stamp = "2026-11-20T09:00:00.123456789Z"
    for index in range(3):
        office.vendor.add_record("companies", created_at=stamp, name=f"c{index}")
    assert len(await office.names(filter={"created_at": {"$gte": stamp}})) == 3
    assert await office.names(filter={"created_at": {"$gt": stamp}}) == []


async def test_a_custom_object_answers_like_any_other(office):
    office.vendor.add_object("contracts", "Contract", [("name", "text", False)])
    office.vendor.add_record("contracts", name="No. 1", at=office.clock.now() - timedelta(days=1))
    [row] = await office.query("contracts", sorts=OLDEST_FIRST)
    assert row["values"]["name"][0]["value"] == "No. 1"


@pytest.mark.parametrize(
    "path", ["/objects/nope", "/notes/x", "/tasks/x", "/objects/people/records/x", "/objects/nope/attributes"]
)
async def test_what_is_not_there_is_404(office, path):
    answer = await office.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
