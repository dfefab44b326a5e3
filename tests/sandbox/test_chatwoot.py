"""Every quirk of the stand-in Chatwoot, over real HTTP."""

import re
from datetime import timedelta

import httpx
import pytest

from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.host import hosted


async def test_a_missing_or_wrong_token_is_401_with_the_vendors_body(shop):
    for headers in ({"api_access_token": "wrong"}, {"api_access_token": ""}):
        answer = await shop.client.get("/conversations", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"error": "Invalid Access Token"})
    shop.vendor.token = "rotated"
    assert (await shop.client.get("/inboxes")).status_code == 401


async def test_a_suspended_account_is_401_and_another_account_404(shop):
    other = await shop.client.get(str(shop.client.base_url).replace("accounts/1", "accounts/2") + "inboxes")
    assert (other.status_code, other.json()) == (404, {"error": "Resource could not be found"})
    shop.vendor.suspended = True
    answer = await shop.client.get("/inboxes")
    assert (answer.status_code, answer.json()) == (401, {"error": "Account is suspended"})


async def test_a_bot_cannot_list_and_an_agent_sees_its_own_inboxes_only(shop):
    other = shop.vendor.add_inbox("Other")
    shop.talk()
    shop.vendor.add_agent("Bot", "bot@agency.example", token="bot", bot=True)
    shop.vendor.add_agent("Max", "max@agency.example", token="max", inboxes=[other.id])
    bot = await shop.client.get("/conversations", headers={"api_access_token": "bot"})
    assert bot.json() == {"error": "Access to this endpoint is not authorized for bots"}
    seen = await shop.client.get("/conversations", headers={"api_access_token": "max"})
    assert seen.json()["data"]["payload"] == []
    hidden = await shop.client.get("/conversations/1", headers={"api_access_token": "max"})
    assert hidden.status_code == 404


async def test_conversations_come_25_a_page_newest_activity_first_without_a_page_count(shop):
    made = [shop.talk().id for _ in range(30)]
    first = await shop.get("/conversations", status="all")
    assert [row["id"] for row in first["data"]["payload"]] == made[::-1][:25]
    assert first["data"]["meta"] == {
        "mine_count": 0, "assigned_count": 0, "unassigned_count": 30, "all_count": 30,
    }  # fmt: skip
    assert await shop.ids(status="all", page=2) == made[::-1][25:]
    assert await shop.ids(status="all", page=3) == []


async def test_without_a_status_only_open_conversations_are_listed(shop):
    opened, resolved = shop.talk(), shop.talk()
    shop.vendor.edit_conversation(resolved.id, status="resolved")
    assert await shop.ids() == [opened.id]
    assert set(await shop.ids(status="all")) == {opened.id, resolved.id}
    assert await shop.ids(status="resolved") == [resolved.id]


async def test_filters_of_the_list_are_applied(shop):
    other = shop.vendor.add_inbox("Other")
    elsewhere = shop.vendor.add_conversation(other.id, shop.contact.id)
    labelled = shop.talk(assignee_id=1, labels=["vip"])
    plain = shop.talk()
    assert await shop.ids(inbox_id=other.id) == [elsewhere.id]
    assert await shop.ids(**{"labels[]": "vip"}) == [labelled.id]
    assert await shop.ids(assignee_type="me") == [labelled.id]
    assert set(await shop.ids(assignee_type="unassigned")) == {elsewhere.id, plain.id}
    assert await shop.ids(q="message 0", status="all", inbox_id=other.id) == []


async def test_a_row_bumped_in_the_middle_of_a_walk_moves_others_down_and_none_is_lost(shop):
    made = [shop.talk().id for _ in range(26)]
    first = await shop.ids(status="all")
    shop.clock.advance(1)
    shop.vendor.add_message(made[0], "bump")
    second = await shop.ids(status="all", page=2)
    assert second == [made[1]]  # seen twice by the walk: the page border moved down
    assert set(first + second) == set(made) - {made[0]}  # the bumped row is on page 1 now


async def test_ascending_sort_skips_a_row_when_one_is_bumped_mid_walk(shop):
    made = [shop.talk().id for _ in range(27)]
    first = await shop.ids(status="all", sort_by="last_activity_at_asc")
    shop.clock.advance(1)
    shop.vendor.add_message(made[0], "bump")
    second = await shop.ids(status="all", sort_by="last_activity_at_asc", page=2)
    assert made[25] not in first + second


async def test_updated_within_is_by_the_servers_clock_and_has_no_pages(shop):
    old = shop.talk()
    shop.clock.advance(3600)
    fresh = [shop.talk().id for _ in range(30)]
    assert set(await shop.ids(status="all", updated_within=600)) == set(fresh)
    shop.vendor.edit_conversation(old.id, custom_attributes={"plan": "pro"})
    assert old.id in await shop.ids(status="all", updated_within=600)


async def test_an_old_server_ignores_updated_within(clock):

    vendor = Chatwoot(clock.now, per_page=2, knows_updated_within=False)
    inbox, contact = vendor.add_inbox("Site"), vendor.add_contact("Anna", "a@north.example")
    for _ in range(3):
        vendor.add_conversation(inbox.id, contact.id, at=clock.now() - timedelta(days=9))
    async with hosted(chatwoot=vendor) as urls, httpx.AsyncClient(base_url=urls["chatwoot"]) as client:
        answer = await client.get(
            "/api/v1/accounts/1/conversations",
            params={"status": "all", "updated_within": 60},
            headers={"api_access_token": vendor.token},
        )
    assert len(answer.json()["data"]["payload"]) == 2  # a page of a server that was told so


async def test_what_moves_which_time_of_a_conversation(shop):
    made = shop.talk()

    async def times():
        row = await shop.get(f"/conversations/{made.id}")
        return row["last_activity_at"], row["updated_at"]

    before = await times()
    shop.clock.advance(60)
    shop.vendor.see_conversation(made.id)
    shop.vendor.edit_message(made.messages[0].id, content="edited")
    shop.vendor.delete_message(made.messages[0].id)
    assert await times() == before
    shop.vendor.edit_conversation(made.id, custom_attributes={"plan": "pro"})
    assert (await times())[0] == before[0]
    assert (await times())[1] > before[1]
    shop.clock.advance(60)
    shop.vendor.edit_conversation(made.id, status="resolved")
    assert (await times())[0] > before[0]
    assert made.messages[-1].message_type == 2  # the activity message it wrote


async def test_times_are_epoch_seconds_here_and_iso_text_there(shop):
    made = shop.talk(snoozed_until=shop.clock.now() + timedelta(days=1))
    row = await shop.get(f"/conversations/{made.id}")
    assert isinstance(row["created_at"], int)
    assert isinstance(row["last_activity_at"], int)
    assert isinstance(row["updated_at"], float)
    assert row["first_reply_created_at"] == 0  # never: an absent time is 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", row["snoozed_until"])
    assert isinstance(row["messages"][0]["created_at"], int)
    assert isinstance(row["messages"][0]["updated_at"], str)
    listed = await shop.get(f"/conversations/{made.id}/messages")
    assert listed["meta"]["agent_last_seen_at"] is None
    shop.vendor.see_conversation(made.id)
    assert isinstance(
        (await shop.get(f"/conversations/{made.id}/messages"))["meta"]["agent_last_seen_at"], str
    )


async def test_a_listed_conversation_carries_its_last_message_only(shop):
    made = shop.talk(messages=3)
    [row] = (await shop.get("/conversations"))["data"]["payload"]
    assert [message["content"] for message in row["messages"]] == ["message 2"]
    shop.clock.advance(1)
    shop.vendor.edit_conversation(made.id, labels=["vip"])
    [row] = (await shop.get("/conversations"))["data"]["payload"]
    assert row["messages"][0]["message_type"] == 2
    assert row["last_non_activity_message"]["content"] == "message 2"


async def test_the_display_id_is_the_only_id(shop):
    made = shop.talk()
    row = await shop.get(f"/conversations/{made.id}")
    assert row["id"] == made.id
    assert row["messages"][0]["conversation_id"] == made.id
    assert row["uuid"]


async def message_ids(shop, conversation, **query):
    found = await shop.get(f"/conversations/{conversation.id}/messages", **query)
    return [row["id"] for row in found["payload"]]


async def test_messages_20_before_100_after_1000_between_and_after_inclusive_only_between(shop):
    made = shop.talk(messages=130)
    ids = [message.id for message in made.messages]
    assert await message_ids(shop, made) == ids[-20:]
    assert await message_ids(shop, made, before=ids[50]) == ids[30:50]
    assert await message_ids(shop, made, after=ids[9]) == ids[10:110]
    assert await message_ids(shop, made, after=0) == ids[:100]
    assert await message_ids(shop, made, after=ids[0], before=ids[120]) == ids[:120]
    assert await message_ids(shop, made, before=ids[0]) == []


async def test_messages_are_ordered_by_time_but_cut_by_id(shop):
    made = shop.talk(messages=1)
    late = shop.vendor.add_message(made.id, "imported", at=shop.clock.now() - timedelta(days=1))
    first = made.messages[0]
    assert await message_ids(shop, made, after=0) == [late.id, first.id]
    assert await message_ids(shop, made, after=first.id) == [late.id]


async def test_a_deleted_message_stays_without_its_text_and_an_edit_shows_no_time(shop):
    made = shop.talk()
    message = shop.vendor.add_message(made.id, "secret", attachments=["plan.pdf"])
    shop.clock.advance(60)
    shop.vendor.edit_message(message.id, content="open")
    [_, row] = (await shop.get(f"/conversations/{made.id}/messages"))["payload"]
    assert row["content"] == "open"
    assert "updated_at" not in row
    assert row["attachments"][0]["data_url"].endswith("plan.pdf")
    shop.vendor.delete_message(message.id)
    [_, row] = (await shop.get(f"/conversations/{made.id}/messages"))["payload"]
    assert row["content"] == "This message was deleted"
    assert row["content_attributes"] == {"deleted": True}
    assert "attachments" not in row


async def test_private_notes_and_activity_can_be_left_out_and_content_can_be_null(shop):
    made = shop.talk()
    shop.vendor.add_message(made.id, "between us", agent=shop.vendor.administrator, private=True)
    shop.vendor.add_message(made.id, None, attachments=["photo.png"])
    shop.vendor.edit_conversation(made.id, status="pending")
    rows = (await shop.get(f"/conversations/{made.id}/messages"))["payload"]
    assert [(row["private"], row["content"] is None) for row in rows] == [
        (False, False), (True, False), (False, True), (False, False),
    ]  # fmt: skip
    kept = (await shop.get(f"/conversations/{made.id}/messages", filter_internal_messages="true"))["payload"]
    assert len(kept) == 2


async def test_contacts_15_a_page_resolved_ones_only_and_no_time_of_an_edit(shop):
    visitor = shop.vendor.add_contact("green-forest-12")
    for index in range(16):
        shop.vendor.add_contact(f"C{index:02}", f"c{index}@north.example", at=shop.clock.now())
    first = await shop.get("/contacts", sort="name")
    assert first["meta"] == {"count": 17, "current_page": 1}
    assert len(first["payload"]) == 15
    second = await shop.get("/contacts", sort="name", page=2)
    assert second["meta"]["current_page"] == "2"  # the parameter as it came
    ids = [row["id"] for row in first["payload"] + second["payload"]]
    assert len(set(ids)) == 17
    assert visitor.id not in ids
    assert "updated_at" not in first["payload"][0]


async def test_contacts_without_sort_repeat_and_skip_across_pages(shop):
    for index in range(40):
        shop.vendor.add_contact(f"C{index}", f"c{index}@north.example")
    seen = [each for page in (1, 2, 3) for each in await shop.ids("/contacts", page=page)]
    assert len(seen) == 41
    assert len(set(seen)) < 41
    ordered = [
        each for page in (1, 2, 3) for each in await shop.ids("/contacts", page=page, sort="-created_at")
    ]
    assert len(set(ordered)) == 41


async def test_an_edited_contact_moves_no_time(shop):
    before = (await shop.get(f"/contacts/{shop.contact.id}"))["payload"]
    shop.clock.advance(60)
    shop.vendor.edit_contact(shop.contact.id, name="Anna B.")
    after = (await shop.get(f"/contacts/{shop.contact.id}"))["payload"]
    assert after.pop("name") == "Anna B."
    assert before.pop("name") == "Anna"
    assert after == before


async def test_an_anonymous_visitor_is_seen_only_inside_its_conversation(shop):
    visitor = shop.vendor.add_contact("green-forest-12")
    shop.vendor.add_conversation(shop.inbox.id, visitor.id)
    assert visitor.id not in await shop.ids("/contacts", sort="name")
    [row] = (await shop.get("/conversations"))["data"]["payload"]
    assert row["meta"]["sender"]["name"] == "green-forest-12"


async def test_merging_contacts_removes_one_and_moves_what_it_said(shop):
    other = shop.vendor.add_contact("Ann", phone_number="+49123456")
    made = shop.vendor.add_conversation(shop.inbox.id, other.id)
    shop.vendor.add_message(made.id, "hello")
    answer = await shop.client.post(
        "/actions/contact_merge", json={"base_contact_id": shop.contact.id, "mergee_contact_id": other.id}
    )
    assert answer.json()["phone_number"] == "+49123456"
    assert (await shop.client.get(f"/contacts/{other.id}")).status_code == 404
    assert (await shop.get(f"/conversations/{made.id}"))["meta"]["sender"]["id"] == shop.contact.id
    assert (await shop.get(f"/conversations/{made.id}/messages"))["payload"][0]["sender"][
        "id"
    ] == shop.contact.id


async def test_deletes_are_hard_and_answer_404_afterwards(shop):
    made = shop.talk()
    shop.vendor.delete_conversation(made.id)
    gone = await shop.client.get(f"/conversations/{made.id}")
    assert (gone.status_code, gone.json()) == (404, {"error": "Resource could not be found"})
    again = shop.talk()
    shop.contact.online = True
    assert (await shop.client.delete(f"/contacts/{shop.contact.id}")).status_code == 422
    shop.contact.online = False
    await shop.client.delete(f"/contacts/{shop.contact.id}")
    assert await shop.ids("/contacts", sort="name") == []
    assert again.id not in await shop.ids(status="all")


async def test_the_filter_endpoint_takes_days_and_refuses_other_values(shop):
    old = shop.vendor.add_conversation(
        shop.inbox.id, shop.contact.id, at=shop.clock.now() - timedelta(days=9)
    )
    fresh = shop.talk()

    async def filtered(key, operator, *values):
        condition = {
            "attribute_key": key,
            "filter_operator": operator,
            "values": list(values),
            "query_operator": None,
        }
        return await shop.client.post("/conversations/filter", json={"payload": [condition]})

    found = await filtered("last_activity_at", "is_greater_than", "2026-11-15")
    assert [row["id"] for row in found.json()["data"]["payload"]] == [fresh.id]
    found = await filtered("created_at", "is_less_than", "2026-11-15")
    assert [row["id"] for row in found.json()["data"]["payload"]] == [old.id]
    for bad in (
        await filtered("last_activity_at", "is_greater_than", "yesterday"),
        await filtered("updated_at", "is_greater_than", "2026-11-15"),
    ):
        assert bad.status_code == 422
        assert set(bad.json()) == {"error"}


async def test_small_lists_are_whole_and_differ_in_shape(shop):
    shop.vendor.add_team("Support")
    shop.vendor.add_label("vip")
    assert [row["name"] for row in (await shop.get("/inboxes"))["payload"]] == ["Site"]
    assert [row["title"] for row in (await shop.get("/labels"))["payload"]] == ["vip"]
    assert [row["email"] for row in await shop.get("/agents")] == ["admin@agency.example"]
    assert [row["name"] for row in await shop.get("/teams")] == ["Support"]


async def test_the_throttle_answers_plain_text_without_retry_after_and_forgets_after_a_minute(clock):

    vendor = Chatwoot(clock.now, requests_per_minute=2)
    async with hosted(chatwoot=vendor) as urls, httpx.AsyncClient(base_url=urls["chatwoot"]) as client:
        headers = {"api_access_token": vendor.token}
        codes = [(await client.get("/api/v1/profile", headers=headers)).status_code for _ in range(3)]
        refused = await client.get("/api/v1/profile", headers=headers)
        clock.advance(61)
        after = await client.get("/api/v1/profile", headers=headers)
    assert codes == [200, 200, 429]
    assert (refused.text, refused.headers["content-type"]) == ("Retry later\n", "text/plain; charset=utf-8")
    assert "retry-after" not in refused.headers
    assert after.status_code == 200


async def test_a_message_sent_twice_is_there_twice(shop):
    made = shop.talk()
    for _ in range(2):
        answer = await shop.client.post(f"/conversations/{made.id}/messages", json={"content": "Hello"})
        assert answer.json()["message_type"] == 1
    assert [message.content for message in made.messages].count("Hello") == 2
    bad = await shop.client.post(f"/conversations/{made.id}/messages", json={"content": None})
    assert (bad.status_code, set(bad.json())) == (422, {"message", "attributes"})


async def test_the_date_is_the_vendors_own(shop):
    answer = await shop.client.get("/inboxes")
    assert answer.headers["date"] == "Fri, 20 Nov 2026 10:00:00 GMT"


async def test_the_same_seed_fills_the_same(shop):
    shop.vendor.generate(30, 4, seed=7)
    texts = [message.content for message in shop.vendor.messages.values()]
    assert len(texts) == 120
    assert len(await shop.ids(status="all")) == 25

    other = Chatwoot(shop.clock.now)
    other.generate(30, 4, seed=7)
    assert [message.content for message in other.messages.values()] == texts


@pytest.mark.parametrize(
    "path", ["/contacts/99", "/conversations/99", "/conversations/99/messages", "/contacts/99/conversations"]
)
async def test_what_is_not_there_is_404(shop, path):
    answer = await shop.client.get(path)
    assert (answer.status_code, answer.json()) == (404, {"error": "Resource could not be found"})
