"""The demo's agency through the real connectors: everything it says, sells and does arrives."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors.actions import sync_connectors
from ctower_desktop.sandbox.agency import load
from ctower_desktop.sandbox.demo import fill

AGENCY = load()


@pytest.mark.slow
async def test_the_whole_agency_arrives(bench):
    for vendor in (bench.chatwoot, bench.linear, bench.attio, bench.loops):
        vendor.front.observers.clear()  # the demo's answers are checked where the demo is tested
    bench.clock.advance(9 * 3_600)
    fill(AGENCY, bench.chatwoot, bench.linear, bench.attio, bench.loops, now=bench.clock.now())
    bench.clock.advance(5)
    found = (await sync_connectors(bench.call)).result
    assert [one.error for one in found.results] == ["", "", ""]
    assert await bench.one("SELECT count(*) FROM message WHERE message_type <> '2'") == sum(
        len(talk.messages) for client in AGENCY.clients for talk in client.conversations
    )
    assert await bench.one("SELECT count(*) FROM issue WHERE deleted_at IS NULL") == sum(
        len(client.issues) for client in AGENCY.clients
    )
    assert await bench.one("SELECT count(*) FROM deal") == sum(len(client.deals) for client in AGENCY.clients)
    assert await bench.one("SELECT count(*) FROM comment") > 0
    assert await bench.one("SELECT count(*) FROM note") > 0
    assert await bench.column("SELECT id FROM quarantined_row") == []
    bench.clock.advance(60)
    again = (await sync_connectors(bench.call)).result
    assert [one.result["rows_stored"] for one in again.results] == [0, 0, 0]
