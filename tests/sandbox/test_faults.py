"""Bad days on order: each fault does what it says, for as many requests as it says."""

import asyncio
import time
from datetime import UTC, datetime

import httpx
import pytest

from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import hosted, hosted_aside


async def inboxes(shop):
    return (await shop.client.get("/inboxes")).status_code


async def test_an_ordered_answer_is_given_so_many_times_and_does_not_reach_the_vendor(shop):
    made = shop.talk()
    shop.vendor.faults.answer(503, {"error": "maintenance"}, headers={"Retry-After": "2"}, times=2)
    codes = []
    for _ in range(3):
        answer = await shop.client.post(f"/conversations/{made.id}/messages", json={"content": "x"})
        codes.append(answer.status_code)
    assert codes == [503, 503, 200]
    assert [message.content for message in made.messages].count("x") == 1


async def test_faults_follow_each_other_in_the_order_they_were_ordered(shop):
    shop.vendor.faults.answer(500)
    shop.vendor.faults.rate_limit(2)
    shop.vendor.faults.answer(502)
    assert [await inboxes(shop) for _ in range(5)] == [500, 429, 429, 502, 200]


async def test_a_fault_may_be_for_a_path_an_operation_or_a_test_only(shop, workshop):
    shop.vendor.faults.answer(500, on="/contacts")
    assert await inboxes(shop) == 200
    assert (await shop.client.get("/contacts")).status_code == 500
    shop.vendor.faults.answer(500, on=lambda asked: asked.query.get("page") == "2")
    assert (await shop.client.get("/contacts", params={"page": 1})).status_code == 200
    assert (await shop.client.get("/contacts", params={"page": 2})).status_code == 500
    workshop.vendor.faults.rate_limit(on="Issues")
    asked = {"query": "query Me { viewer { id } }", "operationName": "Me"}
    assert (await workshop.client.post("/graphql", json=asked)).status_code == 200
    asked = {"query": "query Issues { issues { nodes { id } } }", "operationName": "Issues"}
    refused = await workshop.client.post("/graphql", json=asked)
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATELIMITED"


async def test_a_fault_may_let_some_requests_pass_first(shop):
    shop.vendor.faults.answer(500, skip=2)
    assert [await inboxes(shop) for _ in range(4)] == [200, 200, 500, 200]


async def test_html_in_place_of_json(shop):
    shop.vendor.faults.html()
    answer = await shop.client.get("/inboxes")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_truncated_json_is_a_whole_response(shop):
    shop.vendor.faults.truncate()
    answer = await shop.client.get("/inboxes")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()


async def test_a_body_can_break_off(shop):
    shop.vendor.faults.cut()
    with pytest.raises(httpx.RemoteProtocolError, match=r"without sending complete"):
        await shop.client.get("/inboxes")
    assert await inboxes(shop) == 200
    assert [seen.status for seen in shop.vendor.requests] == [200, 200]


async def test_an_answer_can_be_lost_after_the_deed(shop):
    made = shop.talk()
    shop.vendor.faults.lose()
    with pytest.raises(httpx.RemoteProtocolError):
        await shop.client.post(f"/conversations/{made.id}/messages", json={"content": "twice?"})
    assert made.messages[-1].content == "twice?"


async def test_down_until_cleared_and_counted(shop):
    shop.vendor.faults.down()
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            await inboxes(shop)
    shop.vendor.faults.clear()
    assert await inboxes(shop) == 200
    assert [seen.status for seen in shop.vendor.requests] == [0, 0, 200]


async def test_a_slow_vendor_answers_right_but_late(shop):
    shop.vendor.faults.slow(5.0)
    began = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        await shop.client.get("/inboxes", timeout=0.1)
    assert time.monotonic() - began < 5
    assert await inboxes(shop) == 200


async def test_a_row_can_be_malformed_in_an_otherwise_right_answer(shop):
    for _ in range(2):
        shop.talk()

    def spoil(answer):
        first, second = answer["data"]["payload"]
        first["status"] = "on_fire"
        del second["id"]

    shop.vendor.faults.rewrite(spoil)
    first, second = (await shop.get("/conversations"))["data"]["payload"]
    assert first["status"] == "on_fire"
    assert "id" not in second
    assert all("id" in row for row in (await shop.get("/conversations"))["data"]["payload"])


async def test_a_hook_can_change_the_state_between_two_pages(shop):
    made = [shop.talk().id for _ in range(26)]
    shop.vendor.faults.before(lambda: shop.vendor.delete_conversation(made[-1]), nth=2)
    first = await shop.ids(page=1)
    assert len(first) == 25
    assert await shop.ids(page=2) == []  # what was row 26 has moved up to page 1


async def test_a_changed_answer_keeps_its_headers(workshop):
    workshop.vendor.faults.rewrite(lambda answer: {"data": {}, **answer})
    answer = await workshop.post("{ viewer { id } }")
    assert answer.headers["x-complexity"] == "2"
    assert answer.headers["date"] == "Fri, 20 Nov 2026 10:00:00 GMT"


async def test_every_request_is_counted_with_its_query_and_status(shop):
    await shop.client.get("/contacts", params={"page": 2, "sort": "name"})
    await shop.client.get("/contacts/99")
    assert [(seen.method, seen.query, seen.status) for seen in shop.vendor.requests] == [
        ("GET", {"page": "2", "sort": "name"}, 200),
        ("GET", {}, 404),
    ]
    assert shop.vendor.front.count("/contacts") == 2


async def test_a_stopped_vendor_refuses_connections_and_comes_back_at_its_port(clock):
    vendor = Chatwoot(clock.now)
    async with hosted(chatwoot=vendor, linear=None) as urls:
        assert list(urls) == ["chatwoot"]
        url = f"{urls['chatwoot']}/api/v1/profile"
        headers = {"api_access_token": vendor.token}
        await urls.stop("chatwoot")
        async with httpx.AsyncClient(headers=headers) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(url)
            await urls.start("chatwoot")
            assert (await client.get(url)).status_code == 200


def test_vendors_can_run_on_a_thread_of_their_own():
    vendor = Chatwoot(lambda: datetime(2026, 11, 20, tzinfo=UTC))

    async def grow():
        return vendor.add_inbox("Grown beside")

    with hosted_aside(chatwoot=vendor, attio=None) as aside:
        assert list(aside.urls) == ["chatwoot"]
        assert aside.run(grow()).result(5).id == 1
        endless = aside.run(asyncio.sleep(3600))
        url = f"{aside.urls['chatwoot']}/api/v1/accounts/1/inboxes"
        answer = httpx.get(url, headers={"api_access_token": vendor.token})
        assert [row["name"] for row in answer.json()["payload"]] == ["Grown beside"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    assert not aside.thread.is_alive()
    assert endless.cancelled()


def test_a_thread_that_cannot_serve_says_so():
    class Broken:
        def application(self):
            raise RuntimeError("no program")

    with pytest.raises(RuntimeError, match="no program"), hosted_aside(broken=Broken()):
        pytest.fail("it served")


async def test_hosting_ends_quickly_even_with_a_connection_open_and_a_request_running(clock):
    vendor = Chatwoot(clock.now)
    vendor.faults.slow(60.0)
    began = time.monotonic()
    async with httpx.AsyncClient(timeout=0.1) as client:
        async with hosted(chatwoot=vendor) as urls:
            with pytest.raises(httpx.ReadTimeout):
                await client.get(urls["chatwoot"])
        assert time.monotonic() - began < 5
