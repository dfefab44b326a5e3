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
    MyNameUnknown,
    ReadThread,
)
from ctower_desktop.inbox.settings import InboxSettings
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


async def listed(call, **query):
    found = (await list_conversations(call, ListConversations(**query))).conversations
    return [c.conversation_id for c in found]


async def said(call, talk, at, kind="0", text="x", *, private=0, sender="contact"):
    number = at[-2:]
    row = {
        "id": f"{talk.replace('cw:', 'cwmsg:')}-{at}", "project_id": call.project_id,
        "account_scope_id": call.project_ref.account_scope_id, "account_id": "1", "message_id": number,
        "conversation_id": talk.rpartition(":")[2], "conversation_global_id": talk,
        "contact_global_id": None, "sender_type": sender, "sender_id": "1", "sender_name": sender.title(),
        "private": private, "message_type": kind, "content": text,
        "created_at": f"2026-11-02T00:00:{number}.000Z", "updated_at": "2026-11-02T00:00:00.000Z",
    }  # fmt: skip
    await call.tower.db.write(store.put_messages, [row], [])


async def test_a_conversation_shows_its_last_words_and_whether_it_waits(call, inbox):
    waits, answered, done, silent = [
        await inbox.conversation(n, status="resolved" if n == 3 else "open") for n in range(1, 5)
    ]
    await said(call, waits, "01", text="Где счёт?" * 100)
    await said(call, waits, "02", "1", "Спасибо за обращение!", sender="agent_bot")
    await said(call, waits, "03", "1", "между нами", private=1, sender="user")
    await said(call, waits, "04", "2", "назначен", sender="system")
    await said(call, answered, "01")
    await said(call, answered, "02", "1", "Отправили.", sender="user")
    await said(call, done, "01")
    found = {
        c.conversation_id: c for c in (await list_conversations(call, ListConversations())).conversations
    }
    first = found["1"]
    assert (first.last_said, first.last_said_by, first.unanswered) == (
        ("Где счёт?" * 100)[:200],
        "client",
        True,
    )
    assert first.last_said_at == "2026-11-02T00:00:01.000Z"
    assert (found["2"].last_said, found["2"].last_said_by, found["2"].unanswered) == (
        "Отправили.",
        "team",
        False,
    )
    assert (found["2"].last_said_name, found["3"].last_said_by, found["3"].unanswered) == (
        "User",
        "client",
        False,
    )
    assert (found["4"].last_said, found["4"].last_said_by, found["4"].unanswered) == (None, None, False)
    assert await listed(call, unanswered=True) == ["1"]
    thread = await read_conversation(call, silent, ReadThread())
    assert thread.conversation.unanswered is False
    assert (await read_conversation(call, waits, ReadThread())).conversation.unanswered is True


async def test_conversations_are_looked_through_and_read_in_pages(call, inbox):
    anna = await inbox.contact(1, "Анна Ёлкина", "anna@north.example")
    for n in range(1, 6):
        await inbox.conversation(n, anna if n == 5 else None)
    await call.tower.db.write(
        lambda db: db.execute(
            "UPDATE conversation SET subject = 'Запуск МАГАЗИНА' WHERE conversation_id = '2'"
        )
    )
    await call.tower.db.write(
        lambda db: db.execute("UPDATE conversation SET assignee_name = 'Олег' WHERE conversation_id < '3'")
    )
    assert await listed(call, q="елкин") == ["5"]
    assert await listed(call, contact_global_id=anna) == ["5"]
    assert await listed(call, q="NORTH") == ["5"]
    assert await listed(call, q="запуск") == ["2"]
    assert await listed(call, q="магазина") == ["2"]
    assert await listed(call, q="3") == ["3"]
    assert await listed(call, q="%") == []
    assert await listed(call, assignee="Олег") == ["2", "1"]
    with pytest.raises(MyNameUnknown):
        await listed(call, mine=True)
    await call.tower.settings.change(InboxSettings, {"my_name": "Олег"})
    assert await listed(call, mine=True, q="запуск") == ["2"]
    assert await listed(call, limit=2) == ["5", "4"]
    assert await listed(call, limit=2, offset=2) == ["3", "2"]
