"""Bindings: several parts of an account for one project, one account for several projects."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors.actions import (
    ChatwootBindingError,
    run_chatwoot_sync,
    sync_connectors,
)
from ctower_desktop.connectors.answers import ListBindings, SetBindings, UnitRef
from ctower_desktop.connectors.connecting import (
    UnitNotFound,
    list_bindings,
    list_connections,
    list_units,
    set_bindings,
)
from ctower_desktop.connectors.jobs import sync_cycle
from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.connectors.syncing import SourceNotBound
from ctower_desktop.kernel.tower import by_job


def said(project):
    where = f"project_id = '{project.project_id}' AND deleted_at IS NULL"
    return f"SELECT content FROM message WHERE {where} ORDER BY content"


async def bind(bench, call, connector, *units):
    refs = [UnitRef(kind, str(unit)) for kind, unit in units]
    return await set_bindings(call, SetBindings(connector=connector, units=refs))


@pytest.fixture
async def two(bench):
    """Two inboxes with a conversation each, read by the first project; and a second project."""
    site, mail = bench.chatwoot.add_inbox("Site"), bench.chatwoot.add_inbox("Mail", "Channel::Email")
    anna = bench.chatwoot.add_contact("Анна Петрова", "anna@north.example")
    guest = bench.chatwoot.add_contact("Guest", "guest@x.example")
    bench.talk("to the site", inbox=site, contact=anna)
    bench.talk("by mail", inbox=mail, contact=guest)
    await bench.sync("chatwoot")
    return site, mail, await bench.project("Второй проект")


async def test_the_first_project_gets_the_whole_account(bench, two):
    found = (await list_bindings(bench.call, ListBindings())).bindings
    assert [(b.connector, b.unit_kind, b.unit_id) for b in found] == [("chatwoot", "account", "1")]
    assert await bench.column(said(bench.call)) == ["by mail", "to the site"]


async def test_a_project_without_a_binding_is_told_so_and_the_ledger_stays_clean(bench, two):
    _, _, second = two
    with pytest.raises(SourceNotBound, match="chatwoot_account_source_not_bound"):
        await bench.sync("chatwoot", second)
    with pytest.raises(ChatwootBindingError):
        await run_chatwoot_sync(second)
    found = (await sync_connectors(second)).result
    assert found.results[0].error == "chatwoot_account_source_not_bound"
    assert (
        await bench.column("SELECT id FROM connector_error WHERE project_id = :p", p=second.project_id) == []
    )
    cycle = await sync_cycle(by_job(bench.tower, "test", second.project_ref))
    assert "chatwoot" not in cycle.errors
    cards = {c.connector: c for c in (await list_connections(second)).connections}
    assert cards["chatwoot"].next_step == "Choose what of Chatwoot belongs to this project."


async def test_units_are_what_was_read(bench, two):
    site, mail, _ = two
    found = (await list_units(bench.call, "chatwoot")).units
    assert [(u.kind, u.id, u.name) for u in found] == [
        ("account", "1", "Agency"), ("inbox", str(mail.id), "Mail"), ("inbox", str(site.id), "Site"),
    ]  # fmt: skip
    with pytest.raises(UnitNotFound):
        await bind(bench, bench.call, "chatwoot", ("inbox", 99))


async def test_one_account_feeds_two_projects_without_another_request(bench, two):
    site, mail, second = two
    asked = len(bench.chatwoot.requests)
    await bind(bench, bench.call, "chatwoot", ("inbox", site.id))
    await bind(bench, second, "chatwoot", ("inbox", mail.id))
    assert len(bench.chatwoot.requests) == asked
    assert await bench.column(said(bench.call)) == ["to the site"]
    assert await bench.column(said(second)) == ["by mail"]
    people = "SELECT name FROM contact WHERE project_id = :p"
    assert await bench.column(people, p=second.project_id) == ["Guest"]
    assert await bench.column(people, p=bench.call.project_id) == ["Анна Петрова"]


async def test_two_inboxes_feed_one_project(bench, two):
    site, mail, second = two
    await bind(bench, second, "chatwoot", ("inbox", site.id), ("inbox", mail.id))
    assert await bench.column(said(second)) == ["by mail", "to the site"]
    assert await bench.column(said(bench.call)) == ["by mail", "to the site"], "and the account the other"


async def test_new_rows_go_to_every_project_they_belong_to(bench, two):
    site, mail, second = two
    await bind(bench, second, "chatwoot", ("inbox", mail.id))
    bench.clock.advance(60)
    bench.talk("new by mail", inbox=mail)
    found = await bench.sync("chatwoot")
    assert found.result["processed_messages"] == 1
    assert await bench.column(said(second)) == ["by mail", "new by mail"]
    assert len(await bench.column(said(bench.call))) == 3
    assert site.id != mail.id


async def test_a_conversation_that_moves_takes_its_messages_along(bench, two):
    site, mail, second = two
    await bind(bench, bench.call, "chatwoot", ("inbox", site.id))
    await bind(bench, second, "chatwoot", ("inbox", mail.id))
    bench.clock.advance(60)
    bench.chatwoot.edit_conversation(1, inbox_id=mail.id)
    await bench.sync("chatwoot")
    assert await bench.column(said(bench.call)) == []
    assert await bench.column(said(second)) == ["by mail", "to the site"]


async def test_no_units_means_no_rows_but_nothing_is_fetched_again_later(bench, two):
    site, _, _ = two
    await bind(bench, bench.call, "chatwoot")
    assert await bench.column(said(bench.call)) == []
    asked = len(bench.chatwoot.requests)
    await bind(bench, bench.call, "chatwoot", ("inbox", site.id))
    assert await bench.column(said(bench.call)) == ["to the site"]
    assert len(bench.chatwoot.requests) == asked


async def test_an_interrupted_derivation_is_finished_by_the_next_sync(bench, two, monkeypatch):
    site, _, second = two

    async def nothing(*_):
        return None

    monkeypatch.setattr(Sync, "derive", nothing)
    await bind(bench, second, "chatwoot", ("inbox", site.id))
    assert await bench.column(said(second)) == []
    monkeypatch.undo()
    await bench.sync("chatwoot", second)
    assert await bench.column(said(second)) == ["to the site"]
    assert await bench.column("SELECT id FROM projection_due") == []


async def test_teams_of_linear(bench):
    sev, vol = bench.linear.add_team("SEV", "Север"), bench.linear.add_team("VOL", "Волна")
    issue = bench.linear.add_issue(sev, "ours")
    bench.linear.add_comment(issue, "a word")
    bench.linear.add_issue(vol, "theirs")
    await bench.sync("linear")
    second = await bench.project("Волна")
    await bind(bench, bench.call, "linear", ("team", sev.id))
    await bind(bench, second, "linear", ("team", vol.id))
    titles = "SELECT title FROM issue WHERE project_id = :p"
    assert await bench.column(titles, p=bench.call.project_id) == ["ours"]
    assert await bench.column(titles, p=second.project_id) == ["theirs"]
    assert await bench.column("SELECT project_id FROM comment") == [bench.call.project_id]
    bench.clock.advance(60)
    bench.linear.transfer_issue(issue.id, vol)
    await bench.sync("linear")
    assert sorted(await bench.column(titles, p=second.project_id)) == ["ours", "theirs"]
    assert await bench.column("SELECT project_id FROM comment") == [second.project_id]


async def test_a_company_of_attio_with_what_hangs_on_it(bench):
    acme, beta = bench.attio.add_company("Acme"), bench.attio.add_company("Beta")
    deal = bench.attio.add_deal("Acme site", company=acme)
    bench.attio.add_deal("Beta shop", company=beta)
    bench.attio.add_note(deal, "n", "about acme")
    bench.attio.add_task("call acme", linked=[acme])
    bench.attio.add_task("belongs to nobody")
    await bench.sync("attio")
    second = await bench.project("Acme")
    await bind(bench, second, "attio", ("company", acme.id))
    for table, column, expected in (
        ("deal", "title", ["Acme site"]), ("note", "content", ["about acme"]), ("task", "content",
        ["call acme"]),
        ("company", "name", ["Acme"]),
    ):  # fmt: skip
        sql = f"SELECT {column} FROM {table} WHERE project_id = :p"
        assert await bench.column(sql, p=second.project_id) == expected


async def test_another_account_is_another_source(bench, two):
    bench.chatwoot.account_id = 7
    await bench.tower.settings.change(ChatwootSettings, {"account_id": "7"})
    bench.clock.advance(60)
    await bench.sync("chatwoot")
    assert await bench.column("SELECT DISTINCT account_id FROM message") == ["7"]
    assert await bench.column("SELECT DISTINCT account FROM remote_row") == ["7"]


async def test_the_same_account_at_another_address_keeps_its_bindings(bench, two):
    """Numbers of another server may mean something else: rows are read anew, bindings stay."""
    site, mail, second = two
    await bind(bench, bench.call, "chatwoot", ("inbox", site.id))
    await bind(bench, second, "chatwoot", ("inbox", mail.id))
    moved = bench.hosted["chatwoot"].replace("127.0.0.1", "localhost")
    await bench.tower.settings.change(ChatwootSettings, {"base_url": moved})
    asked = bench.chatwoot.front.count("/messages")
    await bench.sync("chatwoot")
    assert bench.chatwoot.front.count("/messages") - asked == 2
    assert await bench.column(said(bench.call)) == ["to the site"]
    assert await bench.column(said(second)) == ["by mail"]


async def test_our_accounts_and_opportunities_leave_with_what_they_mirror(bench):
    acme, beta = bench.attio.add_company("Acme"), bench.attio.add_company("Beta")
    bench.attio.add_deal("Acme site", company=acme)
    bench.attio.add_deal("Beta shop", company=beta)
    await bench.sync("attio")
    ours = (
        "SELECT name FROM crm_account WHERE project_id = :p AND deleted_at IS NULL UNION ALL "
        "SELECT title FROM crm_opportunity WHERE project_id = :p AND deleted_at IS NULL ORDER BY 1"
    )
    second = await bench.project("Second")
    for company, expected in (
        (acme, ["Acme", "Acme site"]), (beta, ["Beta", "Beta shop"]), (acme, ["Acme", "Acme site"]),
    ):  # fmt: skip
        await bind(bench, second, "attio", ("company", company.id))
        assert await bench.column(ours, p=second.project_id) == expected
    assert len(await bench.column(ours, p=bench.call.project_id)) == 4
