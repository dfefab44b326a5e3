"""The same over HTTP: shapes of answers, refusals, the audit trail, jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ctower_desktop.insight.signals.jobs import extract, look_for_upsell
from ctower_desktop.kernel.jobs import JOBS
from ctower_desktop.kernel.tower import by_job
from tests.insight.signals.conftest import Sources
from tests.web.conftest import PASSWORD, Client, Site, site_of

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
async def site(home, clock) -> AsyncIterator[Site]:
    async with site_of(home, clock) as found:
        yield found


@pytest.fixture
async def mine(site, clock) -> Sources:
    return Sources(by_job(site.tower, "test", await site.project()), clock)


@pytest.fixture
async def client(site, mine) -> AsyncIterator[Client]:
    async with site.client() as found:
        await found.sign_in()
        yield found


async def test_the_whole_way(client, mine, clock):
    """T39: an empty body extracts; the answers have the keys of the contract."""
    await mine.deal(1, amount=20_001.0)
    await mine.say(await mine.talk(1), "Опять задержка, хотим расширить", hours=1)
    answer = await client.post("/signals/extract", headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["result"]["touched_signals"] == 2
    risk, intent = (await client.get("/signals")).json()["signals"]
    assert risk.keys() >= {"id", "signal_type", "severity", "confidence", "summary", "status", "source_kind",
                           "evidence_refs", "created_at"}  # fmt: skip
    assert (risk["signal_type"], risk["confidence"], intent["severity"]) == ("delivery_risk", 0.82, 2)
    assert (await client.get("/signals?severity=4")).json()["signals"] == [risk]
    assert (await client.get("/signals?type=upsell_intent&limit=0&offset=abc")).json()["signals"] == [intent]
    full = (await client.get(f"/signals/{risk['id'].upper()}")).json()
    assert full["evidence"][0]["quote"] == "Опять задержка, хотим расширить"
    clock.advance(1)
    moved = await client.post(f"/signals/{risk['id']}/status", json={"status": "dismissed"})
    assert moved.json()["signal"]["status"] == "dismissed"
    items = {item["signal_id"]: item for item in (await client.get("/nba")).json()["items"]}
    assert items[risk["id"]]["status"] == "dismissed"
    assert items[intent["id"]].keys() >= {
        "action_type",
        "priority",
        "due_date",
        "owner_username",
        "evidence_refs",
    }
    path = f"/nba/{items[intent['id']]['id']}"
    edited = (await client.post(path, json={"due_date": "2026-12-01"})).json()["item"]
    assert (edited["due_date"], edited["owner_username"]) == (
        "2026-12-01",
        items[intent["id"]]["owner_username"],
    )
    assert (await client.post(f"{path}/status", json={"status": "cancelled"})).json()["item"][
        "status"
    ] == "cancelled"
    radar = (await client.post("/upsell/radar/refresh")).json()["result"]
    assert (radar["generated_candidates"], radar["touched"]) == (2, 2)
    best, _ = (await client.get("/upsell/radar")).json()["opportunities"]
    assert best["score"] == 0.85
    assert best["suggested_outbound_payload"].keys() == {"channel", "message"}
    answer = await client.post(f"/upsell/{best['id']}/status", json={"status": "converted"})
    assert answer.json()["item"]["status"] == "converted"
    trail = [event["action"] for event in (await client.get("/audit")).json()["events"]]
    assert {"signals.extract", "signals.status_update", "nba.status_update", "nba.update", "upsell.refresh",
            "upsell.status_update"} <= set(trail)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "code", "good"),
    [("/signals/{}/status", "signal_not_found", "dismissed"),
     ("/nba/{}/status", "nba_not_found", "cancelled"),
     ("/upsell/{}/status", "upsell_not_found", "converted")],
)  # fmt: skip
async def test_refusals(client, path, code, good):
    """T23: a status that does not exist is refused; so is what is not there."""
    for body in ({"status": "foo"}, {}, {"status": None}):
        answer = await client.post(path.format(UNKNOWN), json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
        assert answer.json()["details"][0]["path"] == "status"
    answer = await client.post(path.format(UNKNOWN), json={"status": good})
    assert (answer.status_code, answer.json()["error"]) == (404, code)
    answer = await client.post(path.format("17"), json={"status": good})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_uuid")


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "01.12.2026", "2026-W49-2", "20261201"])
async def test_a_day_is_a_day(client, mine, day):
    await mine.say(await mine.talk(1), "задержка", hours=1)
    await client.post("/signals/extract")
    (item,) = (await client.get("/nba")).json()["items"]
    answer = await client.post(f"/nba/{item['id']}", json={"due_date": day})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_due_date")


async def test_viewers_and_others_decide_nothing(client, site, mine):
    """Fault absent: a viewer may mutate."""
    await mine.say(await mine.talk(1), "задержка", hours=1)
    await client.post("/signals/extract")
    (signal,) = (await client.get("/signals")).json()["signals"]
    project = mine.call.project_ref
    for role in ("viewer", "executor"):
        await site.user(role, role, project)
        async with site.client() as other:
            await other.sign_in(role, PASSWORD)
            assert (await other.get("/signals")).json()["signals"] == [signal]
            for path in ("/signals/extract", f"/signals/{signal['id']}/status", "/upsell/radar/refresh"):
                answer = await other.post(path, json={"status": "done"})
                assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")


async def test_ids_of_another_project_are_not_there(client, site, mine):
    """T14 for this room."""
    await mine.say(await mine.talk(1), "задержка", hours=1)
    await client.post("/signals/extract")
    (signal,) = (await client.get("/signals")).json()["signals"]
    (item,) = (await client.get("/nba")).json()["items"]
    other = await site.project("Other")
    await client.post(f"/projects/{other.id}/select")
    assert (await client.get("/signals")).json()["signals"] == []
    assert (await client.get(f"/signals/{signal['id']}")).status_code == 404
    for path, status in ((f"/signals/{signal['id']}/status", "done"), (f"/nba/{item['id']}/status", "done")):
        assert (await client.post(path, json={"status": status})).status_code == 404
    assert (await client.post(f"/nba/{item['id']}", json={"owner_username": "me"})).status_code == 404


async def test_jobs_do_the_same(mine):
    await mine.deal(1)
    await mine.say(await mine.talk(1), "задержка", hours=1)
    assert (await extract(mine.call)).created == 1
    assert (await look_for_upsell(mine.call)).created == 1
    assert JOBS["signals_extraction"].then == ("health_scoring",)
    assert "signals_extraction" in JOBS["connectors_sync_cycle"].then
