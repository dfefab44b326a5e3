"""Every quirk of the stand-in Loops, over real HTTP."""

import httpx
import pytest

from ctower_desktop.sandbox.host import hosted
from ctower_desktop.sandbox.loops import Loops


async def test_the_key_is_checked_and_the_team_is_named(mailer):
    assert await mailer.send("GET", "/api-key") == {"success": True, "teamName": "Agency"}
    wrong = await mailer.send("GET", "/api-key", 401, headers={"Authorization": "Bearer wrong"})
    assert wrong == {"success": False, "message": "Invalid API key"}


async def test_update_is_an_upsert_and_create_refuses_a_second_one(mailer):
    made = await mailer.send(
        "PUT", "/contacts/update", json={"email": "Anna@North.example", "firstName": "Anna"}
    )
    again = await mailer.send(
        "PUT", "/contacts/update", json={"email": "anna@north.example", "lastName": "Berg"}
    )
    assert made == again
    [row] = await mailer.find("anna@north.example")
    assert (row["firstName"], row["lastName"], row["subscribed"]) == ("Anna", "Berg", True)
    refusal = await mailer.send("POST", "/contacts/create", 409, json={"email": "anna@north.example"})
    assert refusal["success"] is False


async def test_with_both_keys_either_matches_and_the_other_is_rewritten(mailer):
    await mailer.send("PUT", "/contacts/update", json={"email": "old@north.example", "userId": "7"})
    await mailer.send("PUT", "/contacts/update", json={"email": "new@north.example", "userId": "7"})
    assert await mailer.find("old@north.example") == []
    assert (await mailer.find("new@north.example"))[0]["userId"] == "7"


async def test_find_takes_one_key_and_answers_a_list(mailer):
    assert await mailer.find("nobody@north.example") == []
    for query in ({}, {"email": "a@b.example", "userId": "1"}):
        await mailer.send("GET", "/contacts/find", 400, params=query)


async def test_delete_takes_exactly_one_key(mailer):
    await mailer.send("PUT", "/contacts/update", json={"email": "a@north.example", "userId": "1"})
    await mailer.send("POST", "/contacts/delete", 400, json={"email": "a@north.example", "userId": "1"})
    await mailer.send("POST", "/contacts/delete", json={"userId": "1"})
    await mailer.send("POST", "/contacts/delete", 404, json={"userId": "1"})


async def test_a_custom_property_must_exist_must_fit_and_is_reset_by_null(mailer):
    contact = {"email": "a@north.example"}
    refusal = await mailer.send("PUT", "/contacts/update", 400, json={**contact, "plan": "pro"})
    assert "plan" in refusal["message"]
    await mailer.send("POST", "/contacts/properties", json={"name": "plan", "type": "string"})
    await mailer.send("POST", "/contacts/properties", 400, json={"name": "plan", "type": "string"})
    await mailer.send("POST", "/contacts/properties", 400, json={"name": "size", "type": "shoe"})
    await mailer.send("PUT", "/contacts/update", 400, json={**contact, "plan": 5})
    assert await mailer.find("a@north.example") == []  # nothing was stored by what was refused
    await mailer.send("PUT", "/contacts/update", json={**contact, "plan": "pro", "firstName": "A"})
    assert (await mailer.find("a@north.example"))[0]["plan"] == "pro"
    await mailer.send("PUT", "/contacts/update", json={**contact, "plan": None, "firstName": None})
    [row] = await mailer.find("a@north.example")
    assert (row["plan"], row["firstName"]) == (None, None)
    custom = await mailer.send("GET", "/contacts/properties", params={"list": "custom"})
    assert custom == [{"key": "plan", "label": "Plan", "type": "string"}]
    every = {row["key"] for row in await mailer.send("GET", "/contacts/properties")}
    assert {"email", "userId", "plan"} <= every


async def test_an_opt_out_stays_unless_subscribed_is_sent(mailer):
    await mailer.send("PUT", "/contacts/update", json={"email": "a@north.example"})
    mailer.vendor.unsubscribe("a@north.example")
    await mailer.send("PUT", "/contacts/update", json={"email": "a@north.example", "firstName": "A"})
    assert (await mailer.find("a@north.example"))[0]["subscribed"] is False
    await mailer.send("PUT", "/contacts/update", json={"email": "a@north.example", "subscribed": True})
    assert (await mailer.find("a@north.example"))[0]["subscribed"] is True


async def test_mailing_lists_are_joined_and_left(mailer):
    news = mailer.vendor.add_list("News")
    contact = {"email": "a@north.example"}
    await mailer.send("PUT", "/contacts/update", json={**contact, "mailingLists": {news: True}})
    assert (await mailer.find("a@north.example"))[0]["mailingLists"] == {news: True}
    await mailer.send("PUT", "/contacts/update", json={**contact, "mailingLists": {news: False}})
    assert (await mailer.find("a@north.example"))[0]["mailingLists"] == {}
    await mailer.send("PUT", "/contacts/update", 400, json={**contact, "mailingLists": {"nope": True}})
    assert [row["name"] for row in await mailer.send("GET", "/lists")] == ["News"]


async def test_suppression_is_told_and_can_be_lifted_within_a_quota(mailer):
    await mailer.send("PUT", "/contacts/update", json={"email": "a@north.example"})
    asked = {"params": {"email": "a@north.example"}}
    assert (await mailer.send("GET", "/contacts/suppression", **asked))["isSuppressed"] is False
    await mailer.send("DELETE", "/contacts/suppression", 400, **asked)
    mailer.vendor.suppress("a@north.example")
    assert (await mailer.send("GET", "/contacts/suppression", **asked))["isSuppressed"] is True
    lifted = await mailer.send("DELETE", "/contacts/suppression", **asked)
    assert lifted["removalQuota"] == {"limit": 100, "remaining": 99}
    await mailer.send("GET", "/contacts/suppression", 404, params={"email": "b@north.example"})


async def test_an_idempotency_key_is_remembered_for_a_day(mailer):
    event = {
        "json": {"email": "a@north.example", "eventName": "signup"},
        "headers": {"Idempotency-Key": "k1"},
    }
    await mailer.send("POST", "/events/send", **event)
    await mailer.send("POST", "/events/send", 409, **event)
    mail = {
        "json": {"email": "a@north.example", "transactionalId": "t1"},
        "headers": {"Idempotency-Key": "k2"},
    }
    await mailer.send("POST", "/transactional", **mail)
    await mailer.send("POST", "/transactional", 409, **mail)
    assert len(mailer.vendor.sent) == 2
    mailer.clock.advance(86_401)
    await mailer.send("POST", "/events/send", **event)
    await mailer.send("POST", "/events/send", 400, json=event["json"], headers={"Idempotency-Key": "k" * 101})
    assert len(await mailer.find("a@north.example")) == 1  # made by the first event


async def test_every_answer_counts_down_and_the_eleventh_in_a_second_is_refused(clock):
    vendor = Loops(clock.now, limited=True)
    async with hosted(loops=vendor) as urls:
        headers = {"Authorization": f"Bearer {vendor.token}"}
        async with httpx.AsyncClient(base_url=f"{urls['loops']}/api/v1", headers=headers) as client:
            answers = [await client.get("/api-key") for _ in range(11)]
            clock.advance(1)
            after = await client.get("/api-key")
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == [
        *map(str, range(9, -1, -1)),
        "0",
    ]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "retry-after" not in answers[-1].headers
    assert after.status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"firstName": "A"}, {"email": 5}, {"userId": "7"}, {"email": "a@b.example", "subscribed": "yes"}],
)
async def test_a_wrong_contact_is_400_and_stores_nothing(mailer, body):
    refusal = await mailer.send("PUT", "/contacts/update", 400, json=body)
    assert set(refusal) == {"success", "message"}
    assert mailer.vendor.contacts == {}


async def test_a_wrong_method_is_405_and_a_body_that_is_no_json_400(mailer):
    answer = await mailer.client.get("/contacts/update")
    assert answer.status_code == 405
    await mailer.send("PUT", "/contacts/update", 400, content=b"{")
