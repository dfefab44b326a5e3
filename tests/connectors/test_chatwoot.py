"""Chatwoot: nothing is missed and nothing is fetched twice, whatever happens there meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.connectors.syncing import SyncFailed

LIVE = "SELECT content FROM message WHERE deleted_at IS NULL ORDER BY CAST(message_id AS INTEGER)"


async def test_the_whole_history_is_read_whatever_its_status(bench):
    agent = bench.chatwoot.add_agent("Olga", "olga@agency.example")
    talk = bench.talk("Где макеты?", "Жду ответа")
    bench.chatwoot.add_message(talk.id, "Внутри: не обещать", agent=agent, private=True)
    bench.chatwoot.add_message(talk.id, "Вот", agent=agent, attachments=["layout.png"])
    bench.chatwoot.edit_conversation(talk.id, status="resolved", assignee_id=agent.id)
    bench.talk("second")

    found = await bench.sync("chatwoot")

    assert found.result["processed_conversations"] == 2
    assert found.result["processed_messages"] == len(bench.chatwoot.messages)
    rows = await bench.rows(
        "SELECT content, private, sender_type, sender_name FROM message "
        "WHERE conversation_id = '1' AND message_type <> '2' ORDER BY CAST(message_id AS INTEGER)"
    )
    assert rows == [
        ("Где макеты?", 0, "contact", "Анна Петрова"),
        ("Жду ответа", 0, "contact", "Анна Петрова"),
        ("Внутри: не обещать", 1, "user", "Olga"),
        ("Вот", 0, "user", "Olga"),
    ]
    assert await bench.rows("SELECT status, assignee_name FROM conversation WHERE conversation_id = '1'") == [
        ("resolved", "Olga")
    ]
    assert await bench.column("SELECT content_type FROM attachment") == ["image"]
    assert await bench.column("SELECT email FROM contact") == ["anna@north.example"]


async def test_a_second_sync_writes_nothing_and_asks_little(bench):
    for n in range(30):
        bench.talk(f"hello {n}")
    await bench.sync("chatwoot")
    await bench.sync("chatwoot")  # learns whether the server knows updated_within
    asked = len(bench.chatwoot.requests)
    before = await bench.rows("SELECT id, changed_at FROM remote_row ORDER BY id")

    found = await bench.sync("chatwoot")

    assert found.result["rows_stored"] == 0
    assert await bench.rows("SELECT id, changed_at FROM remote_row ORDER BY id") == before
    assert len(bench.chatwoot.requests) - asked == 3  # agents, inboxes, what changed
    assert bench.chatwoot.front.count("/messages") == 30


@pytest.mark.parametrize("knows", [True, False], ids=["updated_within", "paging"])
async def test_only_what_moved_is_read_again(bench, knows):
    bench.chatwoot.http.knows_updated_within = knows
    talks = [bench.talk(f"hello {n}") for n in range(60)]
    await bench.sync("chatwoot")
    bench.clock.advance(3_600)
    asked = bench.chatwoot.front.count("/messages")
    bench.chatwoot.add_message(talks[3].id, "one more")

    found = await bench.sync("chatwoot")

    assert found.result["processed_messages"] == 1
    assert bench.chatwoot.front.count("/messages") - asked == 1
    assert "one more" in await bench.column(LIVE)


async def test_a_late_message_and_an_edit_are_found_in_the_tail(bench):
    talk = bench.talk("first", "second")
    await bench.sync("chatwoot")
    bench.clock.advance(60)
    first = talk.messages[0]
    bench.chatwoot.edit_message(first.id, content="first, corrected")  # moves nothing of the conversation
    late = bench.chatwoot.add_message(talk.id, "came late")
    late.created_at = first.created_at - 3_600  # a channel that delivers with an old time

    await bench.sync("chatwoot")

    assert await bench.column(LIVE) == ["first, corrected", "second", "came late"]


async def test_a_message_deleted_there_is_hidden_here_and_its_text_is_gone_from_lists(bench):
    talk = bench.talk("secret", "stays")
    await bench.sync("chatwoot")
    bench.clock.advance(60)
    bench.chatwoot.delete_message(talk.messages[0].id)
    bench.chatwoot.add_message(talk.id, "next")

    await bench.sync("chatwoot")

    assert await bench.column(LIVE) == ["stays", "next"]
    assert await bench.column("SELECT deleted_reason FROM message WHERE deleted_at IS NOT NULL") == [
        "deleted_at_vendor"
    ]


async def test_more_messages_than_an_answer_holds(bench):
    talk = bench.talk()
    for n in range(2_300):
        bench.chatwoot.add_message(talk.id, f"m{n}")
    talk.messages[100].created_at += 5_000  # cut off by time, asked for by number
    await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM message") == 2_300


async def test_a_row_that_moves_while_pages_are_read_is_not_lost(bench):
    talks = [bench.talk(f"hello {n}") for n in range(60)]
    bench.chatwoot.faults.before(
        lambda: bench.chatwoot.add_message(talks[0].id, "meanwhile"), on=_page(2), nth=1
    )
    await bench.sync("chatwoot")
    await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM message") == 61
    assert await bench.one("SELECT count(*) FROM conversation") == 60


async def test_a_row_deleted_while_pages_are_read_hides_no_other(bench):
    talks = [bench.talk(f"hello {n}") for n in range(60)]
    bench.chatwoot.faults.before(lambda: bench.chatwoot.delete_conversation(talks[-1].id), on=_page(2), nth=1)
    await bench.sync("chatwoot")
    here = set(await bench.column("SELECT conversation_id FROM conversation"))
    assert here >= {str(talk.id) for talk in talks[:-1]}


async def test_many_contacts_deleted_while_pages_are_read_hide_no_other(bench):
    people = [bench.chatwoot.add_contact(f"P{n}", f"p{n:03}@client.example") for n in range(120)]

    def delete_most_of_what_was_read():
        for person in people[:40]:  # without activity the first ones are listed first
            bench.chatwoot.delete_contact(person.id)

    bench.chatwoot.faults.before(delete_most_of_what_was_read, on=_page(5, "contacts"), nth=1)
    await bench.sync("chatwoot")
    here = set(await bench.column("SELECT email FROM contact"))
    assert here >= {person.email for person in people[40:]}


def _page(number, of="conversations"):
    def on(asked):
        return asked.path.endswith(f"/{of}") and asked.query.get("page") == str(number)

    return on


async def test_what_was_deleted_is_found_by_enumeration_only(bench):
    talks = [bench.talk(f"hello {n}") for n in range(10)]
    await bench.sync("chatwoot")
    bench.chatwoot.delete_conversation(talks[4].id)
    bench.clock.advance(60)
    await bench.sync("chatwoot")
    assert len(await bench.column(LIVE)) == 10, "an incremental walk concludes nothing from absence"

    await bench.sync("chatwoot", whole=True)

    assert await bench.column("SELECT conversation_id FROM conversation WHERE deleted_at IS NOT NULL") == [
        str(talks[4].id)
    ]
    assert "hello 4" not in await bench.column(LIVE)
    assert bench.chatwoot.front.count(f"/conversations/{talks[4].id}") >= 2, "asked for once more before"


async def test_a_mass_vanishing_stops_and_asks(bench):
    talks = [bench.talk(f"hello {n}") for n in range(20)]
    await bench.sync("chatwoot")
    for talk in talks[:8]:
        bench.chatwoot.delete_conversation(talk.id)

    found = await bench.sync("chatwoot", whole=True)

    assert found.result["held_deletes"] == {"conversations": 8}
    assert len(await bench.column(LIVE)) == 20
    events = await bench.column(
        "SELECT payload_json FROM connector_event WHERE event_type = 'process_warning'"
    )
    assert "somebody confirms" in events[0]

    await bench.sync("chatwoot", whole=True, allow_deletes=True)
    assert len(await bench.column(LIVE)) == 12


async def test_an_interrupted_enumeration_deletes_nothing(bench):
    for n in range(60):
        bench.talk(f"hello {n}")
    await bench.sync("chatwoot")
    bench.chatwoot.delete_conversation(1)
    bench.chatwoot.faults.answer(500, {"error": "oops"}, on=_page(3), times=None)
    with pytest.raises(SyncFailed):
        await bench.sync("chatwoot", whole=True)
    assert await bench.column("SELECT id FROM conversation WHERE deleted_at IS NOT NULL") == []


async def test_what_reappears_comes_back(bench):
    talks = [bench.talk(f"hello {n}") for n in range(10)]
    await bench.sync("chatwoot")
    gone = bench.chatwoot.conversations.pop(talks[0].id)
    await bench.sync("chatwoot", whole=True)
    assert len(await bench.column(LIVE)) == 9
    bench.chatwoot.conversations[gone.id] = gone
    bench.clock.advance(60)
    bench.chatwoot.add_message(gone.id, "restored")
    await bench.sync("chatwoot")
    assert len(await bench.column(LIVE)) == 11


async def test_an_edited_contact_and_a_merged_one(bench):
    first = bench.chatwoot.add_contact("Boris", "boris@north.example")
    second = bench.chatwoot.add_contact("Boris K", None, phone_number="+7900")
    bench.talk("from first", contact=first)
    bench.talk("from second", contact=second)
    for n in range(5):
        bench.chatwoot.add_contact(f"Other {n}", f"other{n}@x.example")
    await bench.sync("chatwoot")
    bench.chatwoot.edit_contact(first.id, name="Boris Klimov")
    bench.chatwoot.merge_contacts(first.id, second.id)

    await bench.sync("chatwoot", whole=True)

    names = await bench.rows(
        "SELECT name, phone_number FROM contact WHERE deleted_at IS NULL AND contact_id = '1'"
    )
    assert names == [("Boris Klimov", "+7900")]
    assert await bench.column("SELECT contact_id FROM contact WHERE deleted_at IS NOT NULL") == [
        str(second.id)
    ]
    owners = await bench.column("SELECT DISTINCT contact_global_id FROM conversation")
    assert [owner.rpartition(":")[2] for owner in owners] == [str(first.id)]


async def test_an_anonymous_visitor_is_known_from_the_conversation(bench):
    visitor = bench.chatwoot.add_contact("Visitor 7")
    bench.talk("hello?", contact=visitor)
    await bench.sync("chatwoot")
    assert await bench.column("SELECT name FROM contact") == ["Visitor 7"]


async def test_visitors_that_no_list_shows_are_not_taken_for_deleted(bench):
    for n in range(40):
        bench.talk("hi", contact=bench.chatwoot.add_contact(f"Visitor {n}"))
    for _ in range(3):
        found = await bench.sync("chatwoot", whole=True)
    assert found.result["held_deletes"] == {}
    assert await bench.one("SELECT count(*) FROM contact WHERE deleted_at IS NULL") == 40


async def test_a_walk_that_was_interrupted_goes_on_where_it_stood(bench):
    for n in range(80):
        bench.talk(f"hello {n}")
    bench.chatwoot.faults.answer(503, {"error": "busy"}, on=_page(4), times=3)
    with pytest.raises(SyncFailed):
        await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM remote_row WHERE stream = 'conversations'") == 75
    assert await bench.column("SELECT watermark FROM stream_state WHERE stream = 'conversations'") == [None]
    asked = len(bench.chatwoot.requests)

    bench.clock.advance(60)
    await bench.sync("chatwoot")

    pages = [r.query["page"] for r in bench.chatwoot.requests[asked:] if r.path.endswith("/conversations")]
    assert pages[0] == "3", "one page back, then on"
    assert await bench.one("SELECT count(*) FROM message") == 80


async def test_an_agents_token_is_refused_because_it_sees_only_a_part(bench):
    bench.chatwoot.add_agent("Olga", "olga@agency.example", token="olga-token")
    await bench.tower.settings.change(ChatwootSettings, {"api_token": "olga-token"})
    with pytest.raises(SyncFailed, match="administrator"):
        await bench.sync("chatwoot")


async def test_another_page_size_of_the_server_changes_nothing(bench):
    bench.chatwoot.http.per_page = 7
    for n in range(30):
        bench.talk(f"hello {n}")
    await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM conversation") == 30


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_our_clock_may_be_wrong(bench, minutes):
    bench.talk("first")
    await bench.sync("chatwoot")
    vendor = bench.clock.now
    bench.chatwoot.front.clock = bench.chatwoot.clock = lambda: vendor() + timedelta(minutes=minutes)
    bench.clock.advance(3_600)
    bench.talk("second")
    await bench.sync("chatwoot")
    assert await bench.column(LIVE) == ["first", "second"]
