"""Loops: only what changed is pushed, and nobody who left is written to."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from ctower_desktop.connectors.actions import push_contacts
from ctower_desktop.connectors.answers import PushContacts, SetBindings, UnitRef
from ctower_desktop.connectors.connecting import set_bindings
from ctower_desktop.connectors.jobs import push_to_loops
from ctower_desktop.connectors.loops import payload_of
from ctower_desktop.connectors.loops_store import Candidate
from ctower_desktop.connectors.settings import LoopsSettings
from ctower_desktop.kernel.tower import Who


@pytest.fixture
async def people(bench):
    for name, email in (("Анна Петрова", "Anna@North.example"), ("Boris", "boris@x.example"), ("Bot", None)):
        bench.talk("hi", contact=bench.chatwoot.add_contact(name, email))
    await bench.sync("chatwoot")
    given = {"base_url": bench.hosted["loops"] + "/api/v1", "secret_key": bench.loops.token}
    await bench.tower.settings.change(LoopsSettings, given)
    return bench


async def push(bench):
    return (await push_contacts(bench.call, PushContacts())).loops


async def test_without_a_key_nothing_happens_and_it_says_why(bench):
    found = await push(bench)
    assert (found.enabled, found.processed) == (False, 0)
    assert "API key" in found.reason


async def test_people_are_pushed_once(people):
    found = await push(people)
    assert (found.processed, found.created, found.updated, found.failed) == (2, 2, 0, 0)
    anna = people.loops.find("anna@north.example", None)
    assert (anna.first_name, anna.last_name) == ("Анна", "Петрова")
    asked = people.loops.front.count("/contacts/update")
    found = await push(people)
    assert (found.processed, found.skipped) == (0, 2)
    assert people.loops.front.count("/contacts/update") == asked


async def test_only_who_changed_is_pushed_again(people):
    await push(people)
    people.chatwoot.edit_contact(2, name="Boris Klimov")
    await people.sync("chatwoot", whole=True)
    found = await push_to_loops(people.by_schedule())
    assert (found.processed, found.updated) == (1, 1)


async def test_nobody_pushes_people_of_projects_that_are_not_theirs(people):
    """Fault absent: a PM could push the people of projects they are not assigned to."""
    other = await people.project("Чужой")
    pm = Who(username="pm", role="pm", kind="session", user_id="u-1")
    for ids in ([], [people.call.project_id]):
        found = (await push_contacts(replace(other, who=pm), PushContacts(project_ids=ids))).loops
        assert (found.enabled, found.processed, found.selected_project_ids) == (True, 0, [])
    assert people.loops.front.count("/contacts/update") == 0


async def test_a_person_of_two_projects_is_not_pushed_back_and_forth(people):
    people.loops.add_property("projectNames", "string")
    second = await people.project("Второй")
    unit = UnitRef("account", "1")
    await set_bindings(second, SetBindings(connector="chatwoot", units=[unit]))
    assert (await push(people)).created == 2
    found = (await push_contacts(second, PushContacts(project_ids=[second.project_id]))).loops
    assert (found.processed, found.skipped) == (0, 2)
    assert people.loops.find("boris@x.example", None).custom["projectNames"] == "Второй, Кофейня «Север»"


async def test_who_unsubscribed_or_is_suppressed_is_left_alone(people):
    people.loops.create({"email": "anna@north.example"})
    people.loops.unsubscribe("anna@north.example")
    people.loops.create({"email": "boris@x.example"})
    people.loops.suppress("boris@x.example")
    found = await push(people)
    assert (found.created, found.updated, found.skipped) == (0, 0, 2)
    assert people.loops.front.count("/contacts/update") == 0
    assert not people.loops.find("anna@north.example", None).subscribed
    assert sorted(await people.column("SELECT status FROM loops_contact")) == ["opted_out", "suppressed"]


async def test_a_refused_contact_is_told_and_the_rest_goes_on(people):
    people.loops.faults.answer(400, {"success": False, "message": "Invalid email"}, on="/contacts/update")
    found = await push(people)
    assert (found.failed, found.created) == (1, 1)
    assert "Invalid email" in found.errors[0].message
    found = await push(people)
    assert (found.processed, found.created) == (1, 1), "what failed is tried again"


async def test_an_answer_that_was_lost_makes_nobody_twice(people):
    people.loops.faults.lose(on="/contacts/update")
    found = await push(people)
    assert found.failed == 0
    assert (
        len({contact.email for contact in people.loops.contacts.values()}) == len(people.loops.contacts) == 2
    )


async def test_the_pace_stays_below_the_limit(people):
    people.loops.limited = True
    for n in range(20):
        people.talk("hi", contact=people.chatwoot.add_contact(f"P{n}", f"p{n}@x.example"))
    await people.sync("chatwoot")
    found = await push(people)
    assert found.created == 22
    assert [seen for seen in people.loops.requests if seen.status == 429] == []


def test_only_plain_values_and_never_a_subscription():
    payload = payload_of(Candidate("a@x.example", "A B", ["P2", "P1"]), frozenset({"projectNames"}))
    expected = {"email": "a@x.example", "source": "ctower", "firstName": "A", "lastName": "B"}
    assert payload == expected | {"projectNames": "P1, P2"}
    assert "subscribed" not in msgspec.json.encode(payload).decode()
    assert "projectNames" not in payload_of(Candidate("a@x.example", None, ["P"]), frozenset())
