"""What can be written to the stand-in Chatwoot, and its filter language."""

import pytest


def condition(key, operator, *values, joined=None):
    return {
        "attribute_key": key,
        "filter_operator": operator,
        "values": list(values),
        "query_operator": joined,
    }


async def filtered(shop, path, *conditions):
    answer = await shop.client.post(f"/{path}/filter", json={"payload": list(conditions)})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return [row["id"] for row in found.get("data", found)["payload"]]


async def test_conversations_are_filtered_by_attribute_operator_and_logic(shop):
    first, second = shop.talk(labels=["vip", "late"]), shop.talk(assignee_id=1)
    shop.vendor.edit_conversation(second.id, status="pending")
    for expected, *conditions in (
        ([first.id], condition("status", "equal_to", "open")),
        ([second.id, first.id], condition("status", "equal_to", "all")),
        ([second.id], condition("status", "not_equal_to", "open")),
        ([first.id], condition("labels", "contains", "vi")),
        ([second.id], condition("labels", "does_not_contain", "vip")),
        ([second.id], condition("assignee_id", "is_present")),
        ([first.id], condition("assignee_id", "is_not_present")),
        ([], condition("status", "equal_to", "open", joined="AND"), condition("assignee_id", "is_present")),
        (
            [second.id, first.id],
            condition("display_id", "equal_to", first.id, joined="OR"),
            condition("assignee_id", "equal_to", 1),
        ),
    ):
        assert await filtered(shop, "conversations", *conditions) == expected, conditions


async def test_contacts_are_filtered_by_their_own_attributes(shop):
    other = shop.vendor.add_contact("Boris", "boris@south.example", phone_number="+7921")
    assert await filtered(shop, "contacts", condition("email", "equal_to", "Boris@south.example")) == [
        other.id
    ]
    assert await filtered(shop, "contacts", condition("name", "contains", "nn")) == [shop.contact.id]
    assert await filtered(shop, "contacts", condition("phone_number", "is_present")) == [other.id]


@pytest.mark.parametrize(
    "payload",
    [
        {"payload": "x"},
        {"payload": [condition("shoe_size", "equal_to", 40)]},
        {"payload": [condition("status", "like", "open")]},
        {"payload": [condition("created_at", "contains", "2026-01-01")]},
        {"payload": [condition("created_at", "is_less_than")]},
    ],
)
async def test_a_filter_that_makes_no_sense_is_422(shop, payload):
    answer = await shop.client.post("/conversations/filter", json=payload)
    assert (answer.status_code, set(answer.json())) == (422, {"error"})


async def test_a_body_that_is_no_object_is_422(shop):
    answer = await shop.client.post("/conversations/filter", content=b"[")
    assert answer.status_code == 422


async def test_a_status_is_toggled_and_a_wrong_one_refused(shop):
    made = shop.talk()
    answer = await shop.client.post(f"/conversations/{made.id}/toggle_status", json={"status": "resolved"})
    assert answer.json()["payload"] == {
        "success": True, "current_status": "resolved", "conversation_id": made.id,
    }  # fmt: skip
    assert made.messages[-1].content == "Conversation was marked resolved by Admin"
    wrong = await shop.client.post(f"/conversations/{made.id}/toggle_status", json={"status": "closed"})
    assert wrong.status_code == 422
    shop.clock.advance(60)
    shop.vendor.add_message(made.id, "one more thing")
    assert made.status == "open"  # a word of the customer opens it again


async def test_messages_and_conversations_are_deleted_by_administrators(shop):
    made = shop.talk()
    message = made.messages[0]
    shop.vendor.add_agent("Max", "max@agency.example", token="max", inboxes=[shop.inbox.id])
    agent = {"api_access_token": "max"}
    assert (await shop.client.delete(f"/conversations/{made.id}", headers=agent)).status_code == 401
    assert (await shop.client.delete(f"/contacts/{shop.contact.id}", headers=agent)).status_code == 401
    assert (await shop.client.delete(f"/conversations/{made.id}/messages/{message.id}")).status_code == 200
    assert message.content_attributes == {"deleted": True}
    assert (await shop.client.delete(f"/conversations/{made.id}/messages/999")).status_code == 404
    assert (await shop.client.delete(f"/conversations/{made.id}")).status_code == 200
    assert (await shop.client.get(f"/conversations/{made.id}")).status_code == 404


async def test_a_search_needs_words_and_a_merge_two_contacts(shop):
    assert (await shop.client.get("/contacts/search")).status_code == 422
    assert await shop.ids("/contacts/search", q="NORTH") == [shop.contact.id]
    pair = {"base_contact_id": shop.contact.id, "mergee_contact_id": 999}
    assert (await shop.client.post("/actions/contact_merge", json=pair)).status_code == 404


async def test_activity_messages_say_who_did_what(shop):
    made = shop.talk()
    changes = {"assignee_id": 1, "labels": ["vip"], "priority": "high"}
    shop.vendor.edit_conversation(made.id, by="Marina", **changes)
    shop.vendor.edit_conversation(made.id, by="Marina", assignee_id=None, labels=[])
    assert [message.content for message in made.messages[1:]] == [
        "Assigned to Admin by Marina",
        "Marina set vip",
        "Marina changed priority to high",
        "Conversation unassigned by Marina",
        "Marina set no labels",
    ]


def test_a_field_that_is_not_there_cannot_be_changed(shop):
    with pytest.raises(AttributeError, match="Contact has no shoe_size"):
        shop.vendor.edit_contact(shop.contact.id, shoe_size=40)
