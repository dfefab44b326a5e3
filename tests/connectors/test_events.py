"""What rows mean for the event log: approvals that are given, stages that start and end."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors.events import approves


@pytest.mark.parametrize(
    "text",
    ["Approved, go ahead", "We approve the layout.", "Согласовано!", "Утверждаем макет", "Да, подтверждаю."],
)
def test_a_yes_is_heard(text):
    assert approves(text)


@pytest.mark.parametrize(
    "text",
    [
        "Not approved yet",
        "This is not yet approved.",
        "Макет не согласован",
        "Вы согласны?",
        "Is it approved by now?",
        "Please approve the layout",
        "Согласуйте, пожалуйста",
    ],
)
def test_a_no_or_a_question_is_no_yes(text):
    assert not approves(text)


async def test_the_clients_yes_becomes_an_event_and_the_teams_does_not(bench):
    agent = bench.chatwoot.add_agent("Olga", "olga@agency.example")
    talk = bench.talk("Согласовано, спасибо")
    bench.clock.advance(1)
    bench.chatwoot.add_message(talk.id, "Отлично, согласовано", agent=agent)
    await bench.sync("chatwoot")
    found = await bench.rows("SELECT actor FROM connector_event WHERE event_type = 'approval_approved'")
    assert found == [("client",)]


async def test_a_vendors_project_is_a_stage_that_starts_moves_and_ends(bench):
    team = bench.linear.add_team("SEV", "Север")
    project = bench.linear.add_project("Запуск", [team], target_date="2026-11-24")
    await bench.sync("linear")
    for change in ({"target_date": "2026-11-28"}, {"name": "Запуск 2"}):
        bench.clock.advance(60)
        for name, value in change.items():
            setattr(project, name, value)
        project.updated_at = bench.clock.now()
        await bench.sync("linear")
    rows = await bench.rows(
        "SELECT event_type, json_extract(payload_json, '$.due_at') FROM connector_event "
        "WHERE event_type LIKE 'stage%' ORDER BY id"
    )
    assert rows == [("stage_started", "2026-11-24"), ("stage_started", "2026-11-28")], "a new name is no move"
    bench.clock.advance(60)
    project.state, project.updated_at = "completed", bench.clock.now()
    await bench.sync("linear")
    kinds = await bench.column(
        "SELECT event_type FROM connector_event WHERE event_type LIKE 'stage%' ORDER BY id"
    )
    assert kinds == ["stage_started", "stage_started", "stage_completed"]
