"""How often one may call (contract T40, §2.5)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.accounts.windows import Windows
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER


async def test_the_eleventh_expensive_request_waits(site, owner, probes, clock):
    await site.project()
    for left in range(9, -1, -1):
        answer = await owner.post("/probe/work", json={})
        assert answer.status_code == 200
        assert answer.headers["x-ratelimit-remaining"] == str(left)
    clock.advance(20)
    answer = await owner.post("/v1/probe/%77ork", json={})
    assert (answer.status_code, answer.json()["error"]) == (429, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == "40"
    assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("10", "0")
    assert len(probes) == 10
    assert (await owner.post("/probe/act", json={})).status_code == 200, "other work goes on"
    clock.advance(41)
    assert (await owner.post("/probe/work", json={})).status_code == 200


def test_clients_may_repeat_what_the_contract_does_not_call_expensive():
    paced = {e.path for e in ENDPOINTS.values() if e.door is TOWER and e.pace == "expensive"}
    syncs = {f"/jobs/{name}/sync" for name in ("chatwoot", "attio", "linear")}
    assert paced >= syncs | {"/search", "/lightrag/query", "/lightrag/refresh"}
    assert paced >= {"/jobs/embeddings/run", "/connectors/sync"}
    assert not paced & {"/jobs/scheduler/tick", "/connectors/{name}/sync", "/connectors/errors/retry"}


async def test_strangers_cannot_use_up_the_expensive_requests(site, owner, anonymous):
    await site.project()
    for _ in range(15):
        assert (await anonymous.post("/probe/work", json={})).status_code == 401
    assert (await owner.post("/probe/work", json={})).status_code == 200


async def test_strangers_are_paced_by_address_and_others_are_not(owner, anonymous, clock):
    for _ in range(60):
        assert (await anonymous.get("/projects")).status_code == 401
    answer = await anonymous.get("/nowhere")
    assert (answer.status_code, answer.json()["error"]) == (429, "rate_limited")
    assert answer.headers["retry-after"] == "60"
    assert (await owner.get("/projects")).status_code == 200
    assert (await anonymous.get("/health")).status_code == 200, "what is public stays public"
    clock.advance(61)
    assert (await anonymous.get("/projects")).status_code == 401


async def test_sessions_and_keys_are_paced_one_by_one(site, owner):
    await site.project()
    key = (await owner.post("/api-keys", json={})).json()["data"]["key"]
    async with site.client() as second, site.client(**{"X-API-Key": key}) as robot:
        await second.sign_in()
        for _ in range(199):
            assert (await owner.get("/projects")).status_code == 200
        answer = await owner.get("/projects")
        assert (answer.status_code, answer.json()["error"]) == (429, "rate_limited")
        assert (await second.get("/projects")).status_code == 200
        for _ in range(200):
            assert (await robot.get("/projects")).status_code == 200
        assert (await robot.get("/projects")).status_code == 429


class TestWindows:
    def test_a_window_opens_with_the_first_and_closes_by_itself(self):
        now = [0.0]
        windows = Windows(lambda: now[0])
        assert windows.take("a", 2, 10).left == 1
        now[0] = 9.0
        assert windows.take("a", 2, 10).left == 0
        refused = windows.take("a", 2, 10)
        assert (refused.allowed, refused.ends_in) == (False, 1.0)
        now[0] = 10.0
        assert windows.take("a", 2, 10).left == 1

    def test_forgetting_begins_anew(self):
        windows = Windows(lambda: 0.0)
        windows.take("a", 1, 10)
        windows.forget("a")
        assert windows.take("a", 1, 10).allowed

    def test_a_flood_of_keys_takes_no_more_room_and_the_oldest_go(self):
        windows = Windows(lambda: 0.0, most_keys=100)
        for number in range(1_000):
            windows.take(number, 1, 10)
        assert len(windows) == 100
        assert not windows.take(999, 1, 10).allowed
        assert windows.take(0, 1, 10).allowed

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=80))
    def test_no_window_ever_holds_more_than_it_may(self, calls):
        now = 0.0
        windows = Windows(lambda: now)
        opened: dict[str, float] = {}
        allowed: dict[str, int] = {}
        for key, wait in calls:
            now += wait
            if key not in opened or now >= opened[key] + 60:
                opened[key], allowed[key] = now, 0
            allowed[key] += windows.take(key, 3, 60).allowed
            assert allowed[key] <= 3
