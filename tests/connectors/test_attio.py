"""Attio: no time of change, attributes of any shape, objects that may be missing, rows that share a time."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors import attio_values
from ctower_desktop.connectors.syncing import SyncFailed

DEALS = "SELECT title FROM deal WHERE deleted_at IS NULL ORDER BY title"


async def test_companies_people_deals_notes_and_tasks(bench):
    company = bench.attio.add_company("Север", "north.example")
    person = bench.attio.add_person("Anna", "Petrova", "anna@north.example", company=company)
    deal = bench.attio.add_deal("Сайт", "Proposal", amount=12000.5, company=company, people=[person])
    bench.attio.add_note(deal, "Call", "They want a discount")
    bench.attio.add_task("Send the offer", linked=[company], assignees=[bench.attio.admin])

    found = await bench.sync("attio")

    assert found.result["touched_opportunities"] == 1
    assert await bench.rows("SELECT name, domain FROM company") == [("Север", "north.example")]
    assert await bench.rows("SELECT title, stage, amount, currency, company_name FROM deal") == [
        ("Сайт", "Proposal", 12000.5, "EUR", "Север")
    ]
    assert await bench.column("SELECT full_name FROM person") == ["Anna Petrova"]
    assert await bench.rows("SELECT title, content FROM note") == [("Call", "They want a discount")]
    assert await bench.column("SELECT content FROM task") == ["Send the offer"]
    assert await bench.rows("SELECT name, stage, source_system FROM crm_account") == [
        ("Север", "prospect", "attio")
    ]
    assert await bench.rows("SELECT title, stage, amount_estimate FROM crm_opportunity") == [
        ("Сайт", "proposal", 12000.5)
    ]


async def test_an_edit_is_found_by_content_and_only_it_is_written(bench):
    deals = [bench.attio.add_deal(f"deal {n}", amount=100.0) for n in range(5)]
    await bench.sync("attio")
    bench.attio.set_values(deals[2].id, stage="Won")
    found = await bench.sync("attio")
    assert found.result["touched_opportunities"] == 1
    events = await bench.column(
        "SELECT payload_json FROM connector_event WHERE event_type = 'deal_stage_changed'"
    )
    assert len(events) == 1
    assert '"to_stage":"Won"' in events[0]


async def test_more_records_than_a_page_at_one_instant(bench):
    bench.attio.front.observers.clear()  # so many rows take the description's validator seconds
    for n in range(1_203):
        bench.attio.add_record("companies", name=f"c{n}", created_at="2026-01-01T00:00:00.123456789Z")
    for n in range(700):
        bench.attio.add_company(f"d{n}")
    await bench.sync("attio")
    assert await bench.one("SELECT count(*) FROM company") == 1_903


async def test_a_record_deleted_while_pages_are_read_hides_no_other(bench):
    made = []
    for n in range(700):
        bench.clock.advance(1)
        made.append(bench.attio.add_company(f"c{n}"))
    bench.attio.faults.before(
        lambda: bench.attio.delete_record(made[3].id), on="/v2/objects/companies/records/query", nth=2
    )
    await bench.sync("attio")
    here = set(await bench.column("SELECT external_id FROM company"))
    assert here >= {company.id for company in made} - {made[3].id}


async def test_a_note_deleted_while_pages_are_read_hides_no_other(bench):
    company = bench.attio.add_company("c")
    notes = []
    for n in range(120):
        bench.clock.advance(1)
        notes.append(bench.attio.add_note(company, f"n{n}", "text"))

    def delete():
        del bench.attio.notes[notes[2].id]
        del bench.attio.notes[notes[-2].id]

    bench.attio.faults.before(delete, on="/v2/notes", nth=2)
    await bench.sync("attio")
    here = set(await bench.column("SELECT external_id FROM note"))
    assert here >= {note.id for note in notes} - {notes[2].id, notes[-2].id}


async def test_a_deleted_and_a_merged_record_go_and_are_asked_for_first(bench):
    companies = [bench.attio.add_company(f"c{n}") for n in range(12)]
    await bench.sync("attio")
    bench.attio.delete_record(companies[0].id)
    bench.attio.merge_records(companies[1].id, companies[2].id)
    await bench.sync("attio")
    gone = await bench.column("SELECT name FROM company WHERE deleted_at IS NOT NULL ORDER BY name")
    assert gone == ["c0", "c2"]
    assert bench.attio.front.count(companies[0].id) == 1


async def test_objects_that_are_switched_off_are_no_failure(bench):
    bench.attio.disable("deals")
    bench.attio.add_company("only")
    found = await bench.sync("attio")
    assert found.result["touched_accounts"] == 1
    assert await bench.column(DEALS) == []


async def test_a_limit_with_a_date_to_come_back_is_obeyed(bench):
    bench.attio.add_company("a")
    bench.attio.faults.rate_limit(1, on="records/query")
    await bench.sync("attio")
    assert await bench.one("SELECT count(*) FROM company") == 1
    assert bench.slept
    assert bench.slept[0] <= 120


async def test_a_missing_right_is_told_in_words(bench):
    refused = {
        "status_code": 403,
        "type": "auth_error",
        "code": "auth_error",
        "message": "Missing scope note:read",
    }
    bench.attio.faults.answer(403, refused, on="/v2/notes", times=None)
    with pytest.raises(SyncFailed, match="note:read"):
        await bench.sync("attio")


async def test_a_manual_account_of_that_name_is_adopted(bench):
    ref = bench.call.project_ref
    await bench.tower.db.write(
        lambda db: db.execute(
            "INSERT INTO crm_account (id, project_id, account_scope_id, name, name_key, stage, created_at,"
            " updated_at, written_at) VALUES ('a1', ?, ?, 'ACME', 'acme', 'active', '2026', '2026', '2026')",
            (ref.id, ref.account_scope_id),
        ) and None
    )  # fmt: skip
    bench.attio.add_company("Acme")
    await bench.sync("attio")
    assert await bench.rows("SELECT id, source_system FROM crm_account") == [("a1", "attio")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([{"value": 40}], 0.4),
        ([{"value": 0.4}], 0.4),
        ([{"value": 1}], 1.0),
        ([{"value": 250}], 1.0),
        ([{"value": -3}], 0.0),
        ([{"value": "60"}], 0.6),
        ([{"value": "likely"}], 0.1),
        ([], 0.1),
        (None, 0.1),
    ],
)
def test_probability(given, expected):
    assert attio_values.probability({"win_probability": given}) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"value": "x"}, "x"),
        ({"status": {"id": {}, "title": "Won"}}, "Won"),
        ({"status": "Won"}, "Won"),
        ({"option": {"title": "Big"}}, "Big"),
        ({"currency_value": 5.5, "currency_code": "EUR"}, 5.5),
        ({"domain": "a.example"}, "a.example"),
        ({"full_name": "A B", "first_name": "A"}, "A B"),
        ({"target_record_id": "r1"}, "r1"),
        ({}, None),
        (None, None),
    ],
)
def test_values_are_unwrapped_whatever_their_type(value, expected):
    assert attio_values.scalar(value) == expected


def test_a_value_of_the_past_does_not_count():
    values = {"stage": [{"value": "old", "active_until": "2026-01-01T00:00:00Z"}, {"value": "new"}]}
    assert attio_values.text(values, "stage") == "new"


@pytest.mark.parametrize(
    ("path", "kind", "size"),
    [("/objects/people/records/query", "record_id", 500), ("/v2/notes", "note_id", 50)],
)
async def test_a_list_without_end_is_given_up(bench, path, kind, size):
    """A proxy that answers from memory, whatever page is asked for."""
    same = [{"id": {kind: f"x{n}"}, "created_at": "2026-11-01T10:00:00.000000000Z"} for n in range(size)]
    bench.attio.faults.answer(200, {"data": same}, on=path, times=None)
    with pytest.raises(SyncFailed, match="again and again"):
        await bench.sync("attio")


async def test_ours_go_with_the_vendors_records(bench):
    """Fault absent: deletions in Attio leave accounts and opportunities behind."""
    gone = "SELECT deleted_reason FROM"
    ours = f"{gone} crm_account UNION ALL {gone} crm_opportunity ORDER BY 1"
    company = bench.attio.add_company("Север")
    bench.attio.add_company("Юг")
    deal = bench.attio.add_deal("Сайт", "Proposal", amount=10.0, company=company)
    await bench.sync("attio")
    bench.attio.delete_record(deal.id)
    await bench.sync("attio")
    assert await bench.column(ours) == [None, None, "record_deleted"]
    bench.attio.delete_record(company.id)
    await bench.sync("attio")
    assert await bench.column(ours) == [None, "record_deleted", "record_deleted"]
