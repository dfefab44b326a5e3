"""From the vendors, through the real connectors and the event log, to signals and recommendations."""

from __future__ import annotations

from ctower_desktop.insight.kag.actions import (
    ListSignals,
    list_kag_signals,
    refresh_kag,
)
from ctower_desktop.insight.kag.recommendation_actions import ListRecommendations, list_recommendations
from tests.connectors.conftest import bench  # noqa: F401 - a fixture


async def signals(call):
    return {s.signal_key: s for s in (await list_kag_signals(call, ListSignals())).signals}


async def test_a_client_falls_silent_while_an_approval_waits(bench):  # noqa: F811
    agent = bench.chatwoot.add_agent("Olga", "olga@agency.example")
    talk = bench.talk("Добрый день! Когда будет макет?")
    bench.clock.advance(3_600)
    bench.chatwoot.add_message(talk.id, "Согласуйте, пожалуйста, макет", agent=agent)
    bench.clock.advance(600)
    bench.chatwoot.add_message(talk.id, "клиент в отпуске?", agent=agent, private=True)
    await bench.sync("chatwoot")
    bench.clock.advance(4 * 86_400)
    await refresh_kag(bench.call)
    found = await signals(bench.call)
    assert found["waiting_on_client_days"].status == "critical"
    assert found["waiting_on_client_days"].details["approval_pending"] is True
    assert found["agreement_overdue_count"].value == 1
    assert found["response_time_avg"].value == 60
    (due,) = (await list_recommendations(bench.call, ListRecommendations())).recommendations
    assert (due.category, due.evidence_gate_status) == ("waiting_on_client", "visible")
    ids = await bench.column("SELECT id FROM message WHERE private = 0")
    assert {ref.message_id for ref in due.evidence_refs} == set(ids), "every piece of evidence is there"

    bench.chatwoot.add_message(talk.id, "Согласовано, спасибо!")
    await bench.sync("chatwoot")
    await refresh_kag(bench.call)
    found = await signals(bench.call)
    assert {found[key].value for key in ("waiting_on_client_days", "agreement_overdue_count")} == {0}
    assert (await list_recommendations(bench.call, ListRecommendations())).recommendations == []


async def test_blocked_work_and_a_late_stage(bench):  # noqa: F811
    team = bench.linear.add_team("SEV", "Север")
    bench.linear.add_project("Запуск", [team], target_date="2026-11-21")
    blocker = bench.linear.add_issue(team, "Договор")
    blocked = [bench.linear.add_issue(team, f"Оплата {n}") for n in range(4)]
    for issue in blocked:
        bench.linear.relate(blocker, issue)
    await bench.sync("linear")
    bench.clock.advance(6 * 86_400)
    await refresh_kag(bench.call)
    found = await signals(bench.call)
    assert found["blockers_age"].details == {"open_blockers": 4}
    assert found["blockers_age"].status == "critical"
    assert found["stage_overdue"].details["stage_name"] == "Запуск"
    (due,) = (await list_recommendations(bench.call, ListRecommendations())).recommendations
    assert (due.category, due.priority) == ("delivery_risk", 4)
    assert {ref.linear_issue_id for ref in due.evidence_refs} >= {issue.id for issue in blocked}

    bench.linear.move_issue(blocked[0].id, "Done")
    bench.linear.trash_issue(blocked[1].id)
    await bench.sync("linear")
    await refresh_kag(bench.call)
    assert (await signals(bench.call))["blockers_age"].details == {"open_blockers": 2}
    bench.linear.move_issue(blocker.id, "Done")
    await bench.sync("linear")
    await refresh_kag(bench.call)
    assert (await signals(bench.call))["blockers_age"].value == 0


async def test_what_was_blocked_long_before_the_log_began_counts(bench, clock):  # noqa: F811
    team = bench.linear.add_team("SEV", "Север")
    blocker, issue = bench.linear.add_issue(team, "a"), bench.linear.add_issue(team, "b")
    bench.linear.relate(blocker, issue)
    clock.advance(30 * 86_400)
    await bench.sync("linear")
    await bench.tower.db.write(
        lambda db: db.execute("DELETE FROM connector_event WHERE event_type = 'issue_blocked'")
    )
    await refresh_kag(bench.call)
    found = (await signals(bench.call))["blockers_age"]
    assert found.details == {"open_blockers": 1}
    assert found.value > 29
