"""Connecting: credentials are tried live, told about in words, and kept only when they work."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors.answers import Disconnect, TryConnection
from ctower_desktop.connectors.connecting import (
    ConnectionRefused,
    connect,
    disconnect,
    list_connections,
    try_connection,
)
from ctower_desktop.connectors.settings import AttioSettings, ChatwootSettings, LinearSettings, LoopsSettings
from ctower_desktop.connectors.syncing import SyncFailed


async def tried(bench, name, **settings):
    return await try_connection(bench.call, name, TryConnection(settings=settings))


async def test_what_works_names_the_account(bench):
    for name, account in (("chatwoot", "Agency"), ("linear", "Agency"), ("attio", "Agency")):
        found = await tried(bench, name)
        assert found.works, found.message
        assert found.account.name == account


@pytest.mark.parametrize("name", ["chatwoot", "linear", "attio"])
async def test_a_wrong_token_is_told_and_nothing_changes(bench, name):
    found = await tried(bench, name, api_token="wrong")
    assert (found.works, found.code) == (False, "connector_needs_user")
    assert "enter it again" in found.message
    await bench.sync(name)


async def test_a_wrong_account_number_is_told(bench):
    found = await tried(bench, "chatwoot", account_id="42")
    assert "account 42" in found.message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://chat.example", "https"),
        ("ftp://chat.example", "web address"),
        ("https://169.254.169.254", "not a service"),
        ("https://[fe80::1]", "not a service"),
        ("https://0.0.0.0", "not a service"),
        ("https://metadata.google.internal", "not a service"),
        ("https://10.0.0.7", "private network"),
        ("https://user:pw@chat.example", "user name"),
        ("https://", "web address"),
    ],
)
async def test_an_address_that_is_no_vendor_is_refused(bench, url, words):
    found = await tried(bench, "chatwoot", base_url=url, api_token="t")
    assert found.works is False
    assert words in found.message


async def test_another_address_forgets_the_token(bench):
    asked = len(bench.attio.requests)
    found = await tried(bench, "chatwoot", base_url=bench.hosted["attio"])
    assert (found.works, found.code) == (False, "connector_not_configured")
    assert len(bench.attio.requests) == asked, "the token was not sent there"
    with pytest.raises(ConnectionRefused):
        await connect(bench.call, "chatwoot", TryConnection(settings={"base_url": bench.hosted["attio"]}))
    assert bench.tower.settings.get(ChatwootSettings).api_token == bench.chatwoot.token


async def test_connecting_keeps_and_binds(bench):
    await bench.tower.settings.change(LinearSettings, {"api_token": None, "base_url": None})
    given = {"base_url": bench.hosted["linear"] + "/graphql", "api_token": bench.linear.token}
    found = await connect(bench.call, "linear", TryConnection(settings=given))
    assert found.works
    assert bench.tower.settings.get(LinearSettings).api_token == bench.linear.token
    cards = {c.connector: c for c in (await list_connections(bench.call)).connections}
    assert (cards["linear"].configured, cards["linear"].bound) == (True, True)
    assert cards["linear"].account.name == "Agency"


async def test_disconnecting_keeps_the_rows_unless_told_otherwise(bench):
    bench.talk("hello")
    await bench.sync("chatwoot")
    await disconnect(bench.call, "chatwoot", Disconnect())
    assert bench.tower.settings.get(ChatwootSettings).api_token == ""
    assert await bench.one("SELECT count(*) FROM message") == 1
    await disconnect(bench.call, "chatwoot", Disconnect(forget=True))
    assert await bench.one("SELECT count(*) FROM message") == 0
    assert await bench.one("SELECT count(*) FROM remote_row") == 0


async def test_an_unknown_setting_is_named(bench):
    found = await tried(bench, "attio", colour="red")
    assert "colour" in found.message


async def test_loops_is_tried_too(bench):
    given = {"base_url": bench.hosted["loops"] + "/api/v1", "secret_key": bench.loops.token}
    assert (await tried(bench, "loops", **given)).works
    assert not (await tried(bench, "loops", **given | {"secret_key": "wrong"})).works
    await connect(bench.call, "loops", TryConnection(settings=given))
    assert bench.tower.settings.get(LoopsSettings).secret_key == bench.loops.token


async def test_new_settings_let_a_refused_connection_try_again(bench):
    bench.attio.token = "rotated"
    with pytest.raises(SyncFailed):
        await bench.sync("attio", bench.by_schedule())
    cards = {c.connector: c for c in (await list_connections(bench.call)).connections}
    assert cards["attio"].breaker == "blocked"
    assert "form" in cards["attio"].next_step
    await bench.tower.settings.change(AttioSettings, {"api_token": "rotated"})
    await bench.sync("attio", bench.by_schedule())


async def test_a_final_slash_is_no_other_server(bench):
    bench.talk("hello")
    await bench.sync("chatwoot")
    asked = bench.chatwoot.front.count("/messages")
    await connect(
        bench.call, "chatwoot", TryConnection(settings={"base_url": bench.hosted["chatwoot"] + "/"})
    )
    await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM message") == 1
    assert bench.chatwoot.front.count("/messages") == asked, "nothing was forgotten, nothing is fetched again"
