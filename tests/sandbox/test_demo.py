"""The demo agency in the stand-in vendors: all of it, nothing in the future, and its life going on."""

from datetime import UTC, datetime, timedelta

import pytest

from ctower_desktop.sandbox.agency import load
from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.chatwoot_state import ACTIVITY
from ctower_desktop.sandbox.demo import Demo, fill, live
from ctower_desktop.sandbox.linear import Linear
from ctower_desktop.sandbox.linear_model import Comment, Issue, IssueRelation, User
from ctower_desktop.sandbox.loops import Loops

AGENCY = load()


def filled(now) -> Demo:
    def clock():
        return now

    return fill(AGENCY, Chatwoot(clock), Linear(clock), Attio(clock), Loops(clock), now=now)


@pytest.fixture(scope="module")
def demo() -> Demo:
    return filled(datetime(2026, 11, 20, 18, 0, tzinfo=UTC))


def every(name):
    return [each for client in AGENCY.clients for each in getattr(client, name)]


def test_every_message_is_there_in_the_order_it_was_said(demo):
    said = [message for message in demo.chatwoot.messages.values() if message.message_type != ACTIVITY]
    assert len(said) == sum(len(talk.messages) for talk in every("conversations"))
    for talk in every("conversations"):
        made = demo.conversations[talk.key]
        spoken = [message for message in made.messages if message.message_type != ACTIVITY]
        assert len(spoken) == len(talk.messages)
        assert [message.private for message in spoken] == [message.private for message in talk.messages]
        assert [message.sender.name for message in spoken] == [name_of(m.author) for m in talk.messages]
        assert [m.created_at for m in spoken] == sorted(m.created_at for m in spoken)
        assert made.status == talk.status


def name_of(key):
    return next(person.name for person in AGENCY.staff + every("people") if person.key == key)


def test_every_issue_is_there_under_its_key_with_its_state_and_comments(demo):
    for issue in every("issues"):
        made = demo.issues[issue.key]
        assert made.identifier == issue.key
        assert demo.linear.rows[made.state_id].name == issue.state
        assert (made.completed_at or made.canceled_at) is not None or issue.completed is None
        comments = [row for row in demo.linear.table(Comment) if row.issue_id == made.id]
        assert len(comments) == len(issue.comments)
    relations = demo.linear.table(IssueRelation)
    assert len(relations) == sum(len(issue.blocked_by) for issue in every("issues"))


def test_every_deal_company_and_person_is_there_with_notes_and_tasks(demo):
    kinds = [record.object for record in demo.attio.records.values()]
    for kind, name in (("companies", "companies"), ("people", "people"), ("deals", "deals")):
        assert kinds.count(kind) == len(every(name))
    notes = sum(len(each.notes) for each in every("deals") + every("companies"))
    assert len(demo.attio.notes) == notes
    assert len(demo.attio.tasks) == sum(len(deal.tasks) for deal in every("deals"))


def test_the_clients_can_be_bound_to_projects(demo):
    assert [placed.project for placed in demo.placed] == [client.name for client in AGENCY.clients]
    for placed, client in zip(demo.placed, AGENCY.clients, strict=True):
        names = [demo.chatwoot.inboxes[inbox_id].name for inbox_id in placed.inbox_ids]
        assert names == client.inboxes
        assert demo.linear.rows[placed.team_id].key == client.team_key
        assert len(placed.company_ids) == len(client.companies)


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_nothing_lies_in_the_future_at_any_hour(hour):
    now = datetime(2026, 11, 20, hour, 30, tzinfo=UTC)
    demo = filled(now)
    seconds = now.timestamp()
    for talk in demo.chatwoot.conversations.values():
        assert max(talk.created_at, talk.updated_at, talk.last_activity_at) <= seconds
        assert all(message.created_at <= seconds for message in talk.messages)
    assert all(max(row.created_at, row.updated_at) <= now for row in demo.linear.rows.values())
    for issue in demo.linear.table(Issue):
        assert issue.created_at <= issue.updated_at
        assert (issue.completed_at or issue.created_at) <= issue.updated_at
    stamp = f"{now + timedelta(milliseconds=1):%Y-%m-%dT%H:%M:%S.%f}"
    rows = [*demo.attio.records.values(), *demo.attio.notes.values(), *demo.attio.tasks.values()]
    assert all(row.created_at <= stamp for row in rows)


def test_dates_in_texts_are_spelled_out(demo):
    texts = [message.content or "" for message in demo.chatwoot.messages.values()]
    texts += [issue.description or "" for issue in demo.linear.table(Issue)]
    texts += [note.content for note in demo.attio.notes.values()]
    assert not [text for text in texts if "{+" in text or "{-" in text]


def test_rows_are_the_same_every_time(demo):
    again = filled(demo.now)
    assert list(again.linear.rows) == list(demo.linear.rows)
    assert list(again.attio.records) == list(demo.attio.records)


async def test_life_goes_on_event_by_event_at_its_time():
    demo = filled(datetime(2026, 11, 20, 18, 0, tzinfo=UTC))
    messages, comments = len(demo.chatwoot.messages), len(demo.linear.table(Comment))
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    await live(demo, sleep)
    kinds = [event.kind for event in AGENCY.live]
    assert len(slept) == len(kinds)
    assert sum(slept) == max(event.after_seconds for event in AGENCY.live)
    assert len(demo.chatwoot.messages) == messages + kinds.count("message")
    assert len(demo.linear.table(Comment)) == comments + kinds.count("comment")
    texts = [message.content for message in demo.chatwoot.messages.values()]
    texts += [comment.body for comment in demo.linear.table(Comment)]
    for event in demo.agency.live:
        if event.kind == "issue_state":
            issue = demo.issues[event.target]
            assert issue.updated_at == demo.now
        else:
            assert event.text in texts
    names = {row.id: row.name for row in demo.linear.rows.values() if isinstance(row, User)}
    said = {(comment.body, names[comment.user_id]) for comment in demo.linear.table(Comment)}
    for event in demo.agency.live:
        assert event.kind != "comment" or (event.text, name_of(event.author)) in said
