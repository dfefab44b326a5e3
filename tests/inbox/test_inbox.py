"""/contacts, /conversations, /messages and one conversation as it was written."""

from __future__ import annotations

import pytest

from ctower_desktop.inbox import store
from ctower_desktop.inbox.actions import list_contacts, list_conversations, list_messages, read_conversation
from ctower_desktop.inbox.model import (
    ConversationNotFound,
    ListContacts,
    ListConversations,
    ListMessages,
    ReadThread,
)
from ctower_desktop.kernel.check import check_leniently
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project


async def names(call, **query):
    return [c.name for c in (await list_contacts(call, ListContacts(**query))).contacts]


async def test_contacts_are_looked_through_without_wildcards(call, inbox):
    """Contract T34: `100%` finds itself, not everything."""
    for n, name in enumerate(("Sale 100%", "Under_score", "Пётр Ёлкин", "back\\slash", None)):
        await inbox.contact(n, name, f"c{n}@x.example", at=f"2026-11-{n + 1:02}")
    assert await names(call, q="100%") == ["Sale 100%"]
    assert await names(call, q="%") == ["Sale 100%"]
    assert await names(call, q="r_s") == ["Under_score"]
    assert await names(call, q="\\") == ["back\\slash"]
    assert await names(call, q="петр елкин") == ["Пётр Ёлкин"]
    assert await names(call, q="C2@X") == ["Пётр Ёлкин"]
    assert await names(call, q="nobody") == []
    assert await names(call) == [None, "back\\slash", "Пётр Ёлкин", "Under_score", "Sale 100%"]


async def test_conversations_name_contact_and_inbox(call, inbox):
    contact = await inbox.contact(1, "Анна")
    await inbox.conversation(1, contact)
    await inbox.conversation(2, status="resolved")
    found = (await list_conversations(call, ListConversations())).conversations
    assert [(c.conversation_id, c.contact_name, c.inbox_name, c.labels) for c in found] == [
        ("2", None, "Site", ["a"]), ("1", "Анна", "Site", ["a"]),
    ]  # fmt: skip
    found = (await list_conversations(call, ListConversations(status="open"))).conversations
    assert [c.conversation_id for c in found] == ["1"]
    assert (await list_conversations(call, ListConversations(status="nonsense"))).conversations == []


async def test_messages_show_their_beginning_and_flag_notes(call, inbox):
    talk = await inbox.conversation(1)
    other = await inbox.conversation(2)
    await inbox.message(talk, "x" * 900)
    await inbox.message(talk, "note", private=True)
    await inbox.message(other, None)
    found = (await list_messages(call, ListMessages(conversation_global_id=talk))).messages
    assert [(m.private, len(m.content_snippet)) for m in found] == [(True, 4), (False, 300)]
    assert len((await list_messages(call, ListMessages())).messages) == 3
    assert len((await list_messages(call, ListMessages(limit=1))).messages) == 1


async def test_a_conversation_reads_in_order_around_a_message(call, inbox):
    contact = await inbox.contact(1, "Анна")
    talk = await inbox.conversation(1, contact)
    ids = [await inbox.message(talk, f"m{n}", files=n % 2) for n in range(1, 31)]
    whole = await read_conversation(call, talk, ReadThread())
    assert [m.content for m in whole.messages] == [f"m{n}" for n in range(1, 31)]
    assert [len(m.attachments) for m in whole.messages[:3]] == [1, 0, 1]
    assert whole.contact.name == "Анна"
    around = await read_conversation(call, talk, ReadThread(message_id=ids[9], limit=6))
    assert [m.content for m in around.messages] == ["m7", "m8", "m9", "m10", "m11", "m12"]
    assert (around.earlier, around.later) == (6, 18)
    end = await read_conversation(call, talk, ReadThread(limit=5))
    assert [m.content for m in end.messages][-1] == "m30"
    assert (end.earlier, end.later) == (25, 0)


async def test_what_is_deleted_is_not_shown(call, inbox):
    contact = await inbox.contact(1, "Анна")
    talk = await inbox.conversation(1, contact)
    message = await inbox.message(talk, "secret")
    await call.tower.db.write(store.MESSAGE.bury, [message], "2026-11-02", "deleted_at_vendor")
    await call.tower.db.write(store.CONTACT.bury, [contact], "2026-11-02", "absent_at_vendor")
    assert (await list_messages(call, ListMessages())).messages == []
    assert (await list_contacts(call, ListContacts())).contacts == []
    assert (await read_conversation(call, talk, ReadThread())).messages == []


async def test_another_project_sees_nothing(call, tower, inbox):
    """Contract T14."""
    talk = await inbox.conversation(1, await inbox.contact(1, "Анна"))
    await inbox.message(talk, "hello")
    made = (await create_project(desktop(tower, "test"), NewProject(name="Другой"))).project
    other = desktop(tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
    assert (await list_contacts(other, ListContacts())).contacts == []
    assert (await list_conversations(other, ListConversations())).conversations == []
    assert (await list_messages(other, ListMessages())).messages == []
    assert (await list_messages(other, ListMessages(conversation_global_id=talk))).messages == []
    with pytest.raises(ConversationNotFound):
        await read_conversation(other, talk, ReadThread())


@pytest.mark.parametrize(("given", "expected"), [("0", 1), ("abc", 100), ("99999", 500), ("-3", 1), ("7", 7)])
def test_limits_are_clamped(given, expected):
    """Contract T37."""
    for endpoint in (list_contacts, list_conversations, list_messages):
        assert endpoint.arguments({}, {"limit": given}, b"")["query"].limit == expected


async def test_a_filter_with_nul_finds_nothing_instead_of_everything(call, inbox):
    await inbox.message(await inbox.conversation(1), "here")
    query = check_leniently({"conversation_global_id": "\x00"}, ListMessages)
    assert (await list_messages(call, query)).messages == []
