"""Health and risks of a project: refreshed, closed, opened again, written down by hand."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from ctower_desktop.insight.analytics.actions import drill_down
from ctower_desktop.insight.analytics.model import DrillDown
from ctower_desktop.insight.risk import actions
from ctower_desktop.insight.risk.model import (
    ListRisks,
    NewRisk,
    PatternMove,
    PatternNotFound,
    RiskEdit,
    RiskMove,
    RiskNotFound,
)
from ctower_desktop.insight.risk.wording import first_steps, playbook
from ctower_desktop.kernel.jobs import JOBS
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project


async def refresh(call, clock, *, later=1_800.0):
    clock.advance(later)
    return (await actions.refresh_risk(call)).result


async def items(call, status=""):
    return (await actions.list_risks(call, ListRisks(status=status))).items


async def test_an_empty_project_is_in_full_health(call):
    """T31."""
    assert msgspec.to_builtins(await actions.read_risk_overview(call)) == {
        "health": None, "risks": [], "patterns": [],
    }  # fmt: skip
    found = (await actions.refresh_risk(call)).result
    assert (found.health_score, found.total_pressure) == (100.0, 0.0)
    overview = await actions.read_risk_overview(call)
    assert (overview.health.score, overview.risks, overview.patterns) == (100.0, [], [])


async def test_the_vector_from_the_tables(call, world, clock):
    for severity, confidence in [(4, 0.82), (4, 0.82), (3, 0.74), (2, 0.7), (4, 0.76)]:
        await world.signal(severity=severity, confidence=confidence)
    await world.issues(1)
    await world.issues(1, due_date="2026-11-20")  # due today: not late yet
    await world.issues(1, completed_at="2026-11-05T00:00:00.000Z")
    found = await refresh(call, clock)
    assert [(f.key, f.value) for f in found.factors][:2] == [
        ("signal_pressure", 1.32),
        ("overdue_pressure", 2.0),
    ]
    assert msgspec.to_builtins(found)["factors"][0] == {"key": "signal_pressure", "value": 1.32}
    assert found.health_score == 96.68


async def test_one_open_risk_for_one_cause(call, world, clock):
    """Fault absent: every refresh added another open risk and pattern."""
    await world.signal()
    for _ in range(4):
        await refresh(call, clock)
    overview = await actions.read_risk_overview(call)
    assert [r.status for r in overview.risks] == ["open"]
    assert [p.pattern_key for p in overview.patterns] == ["delivery_risk_cluster"]
    assert len(overview.patterns[0].mitigation_playbook["playbook"]) == 4
    before = overview.risks[0]
    await world.issues(1)
    await refresh(call, clock)
    (after,) = (await actions.read_risk_overview(call)).risks
    assert after.id == before.id
    assert after.probability == 0.0232
    assert after.updated_at > before.updated_at
    counted = await world.sql("SELECT count(*), max(samples) FROM health_score")
    assert counted == [(1, 5)], "one line a day"


async def test_the_cause_has_gone_and_the_risk_closes_itself(call, world, clock):
    await world.signal()
    await refresh(call, clock)
    await world.settle_signals()
    await refresh(call, clock)
    (found,) = await items(call)
    assert (found.status, found.closed_by) == ("closed", "system")
    overview = await actions.read_risk_overview(call)
    assert (overview.risks, overview.patterns[0].status) == ([], "mitigated")
    await world.signal()
    await refresh(call, clock)
    (again,) = await items(call)
    assert (again.id, again.status, again.reopened_count) == (found.id, "open", 1)
    assert (await actions.read_risk_overview(call)).patterns[0].status == "open"


async def test_a_person_closes_a_risk_and_it_stays_closed_until_the_cause_returns(call, world, clock):
    """Fault absent: there was no way to mitigate or close a risk."""
    await world.signal()
    await refresh(call, clock)
    (risk,) = await items(call, "open")
    await actions.move_risk(call, risk.id, RiskMove("mitigating"))
    await refresh(call, clock)
    (risk,) = await items(call, "mitigating")
    closed = (await actions.move_risk(call, risk.id, RiskMove("closed"))).item
    assert (closed.status, closed.closed_by) == ("closed", "user")
    await refresh(call, clock)
    assert await items(call, "open") == [], "the cause is the same as when it was closed"
    await world.settle_signals()
    await refresh(call, clock)
    await world.signal()
    await refresh(call, clock)
    assert [r.id for r in await items(call, "open")] == [risk.id]


async def test_a_closed_risk_whose_cause_grows_opens_again(call, world, clock):
    await world.issues(3)
    await refresh(call, clock)
    slipping = next(r for r in await items(call) if r.title.startswith("Deadlines"))
    await actions.move_risk(call, slipping.id, RiskMove("closed"))
    await refresh(call, clock)
    assert slipping.id not in [r.id for r in await items(call, "open")]
    await world.issues(10)
    await refresh(call, clock)
    again = next(r for r in await items(call, "open") if r.id == slipping.id)
    assert again.severity > slipping.severity


async def test_a_risk_by_hand_lives_until_a_person_closes_it(call, clock):
    new = NewRisk(title="Designer leaves", severity=5, probability=0.7, mitigation="Hire")
    risk = (await actions.add_risk(call, new)).item
    assert (risk.source, risk.status, risk.owner_username) == ("manual", "open", "desktop")
    await refresh(call, clock)
    (kept,) = await items(call)
    assert kept == risk
    changed = (
        await actions.edit_risk(call, risk.id, RiskEdit(severity=2, owner="olga", mitigation=None))
    ).item
    assert (changed.severity, changed.owner_username, changed.mitigation_action) == (2, "olga", None)
    assert changed.title == "Designer leaves"
    await actions.move_risk(call, risk.id, RiskMove("closed"))
    await refresh(call, clock)
    (closed,) = await items(call)
    assert (closed.status, closed.closed_by, closed.reopened_count) == ("closed", "user", 0)
    opened = (await actions.move_risk(call, risk.id, RiskMove("open"))).item
    assert (opened.status, opened.closed_at, opened.reopened_count) == ("open", None, 1)


async def test_what_people_say_of_a_found_risk_survives_refreshes(call, world, clock):
    await world.signal()
    await refresh(call, clock)
    (risk,) = await items(call)
    await actions.edit_risk(call, risk.id, RiskEdit(owner="olga", mitigation="Call the client", title="Mine"))
    await refresh(call, clock)
    (found,) = await items(call)
    assert (found.owner_username, found.mitigation_action) == ("olga", "Call the client")
    assert found.title == risk.title, "the title says what the cause is now"


async def test_an_ignored_pattern_stays_ignored(call, world, clock):
    await world.signal()
    await refresh(call, clock)
    (pattern,) = (await actions.read_risk_overview(call)).patterns
    await actions.move_pattern(call, pattern.id, PatternMove("ignored"))
    await world.issues(2)
    await refresh(call, clock)
    (found,) = (await actions.read_risk_overview(call)).patterns
    assert (found.status, found.weight) == ("ignored", 0.0432)


async def test_the_evidence_of_a_refresh_can_be_drilled_into(call, world, clock):
    """A risk stands on what was written and on issues, not on the numbers of signals."""
    signal = await world.signal()
    (issue,) = await world.issues(1)
    await refresh(call, clock)
    found = (await drill_down(call, DrillDown())).evidence
    assert {e.source_pk for e in found} == {signal, issue}


async def test_blocked_work_and_scope_are_risks(call, world, clock):
    ids = await world.issues(3, due_date=None)
    await world.sql("UPDATE issue SET blocked = 1, blocked_by_count = 1")
    await world.signal("scope_change", 4, 0.9)
    await refresh(call, clock)
    found = {r.title.partition(":")[0]: r for r in await items(call)}
    assert set(found) >= {"Work is stuck", "Scope grows"}
    assert set(found["Work is stuck"].evidence_refs) == set(ids)


async def test_the_language_of_the_user_is_that_of_risks_but_words_of_people_stay(call, world, clock):
    await world.signal("scope_change", 4, 0.9)
    await refresh(call, clock)
    english = {r.title.partition(":")[0]: r for r in await items(call)}
    await actions.edit_risk(call, english["Scope grows"].id, RiskEdit(mitigation="Ask Vera"))
    await call.tower.settings.change(Regional, {"language": "ru"})
    await refresh(call, clock)
    russian = {r.title.partition(":")[0]: r for r in await items(call)}
    assert set(russian) == {"Объём растёт", "Давление на проект 0,36 из 70"}
    assert russian["Объём растёт"].mitigation_action == "Ask Vera"
    assert all(r.mitigation_action in ("Ask Vera", first_steps("delivery_risk_cluster")[1])
               for r in russian.values())  # fmt: skip
    for pattern in (await actions.read_risk_overview(call)).patterns:
        assert pattern.mitigation_playbook == {"playbook": playbook(pattern.pattern_key, "ru")}


async def test_failed_runs_are_told_and_not_counted(call, world, clock):
    at = clock.now() - timedelta(days=1)
    await world.sql(
        "INSERT INTO job_run (project_id, account_scope_id, job_name, status, started_at, finished_at) "
        "VALUES (:p, :s, 'x', 'failed', :at, :at)",
        p=call.project_id, s=call.account_scope_id, at=at.isoformat(),
    )  # fmt: skip
    found = await refresh(call, clock)
    assert found.factors[2].value == 3.0
    assert found.health_score == 100.0


async def test_risks_of_another_project_do_not_exist(call, world, clock):
    """T14 of risks."""
    await world.signal()
    await refresh(call, clock)
    (risk,) = await items(call)
    (pattern,) = (await actions.read_risk_overview(call)).patterns
    made = (await create_project(call, NewProject(name="Other"))).project
    other = desktop(call.tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
    assert await items(other) == []
    for action, body in ((actions.move_risk, RiskMove("closed")), (actions.edit_risk, RiskEdit(severity=1))):
        with pytest.raises(RiskNotFound):
            await action(other, risk.id, body)
    with pytest.raises(PatternNotFound):
        await actions.move_pattern(other, pattern.id, PatternMove("ignored"))
    with pytest.raises(RiskNotFound):
        await actions.move_risk(call, new_id(), RiskMove("closed"))


async def test_the_job_does_the_same(call, world, clock):
    await world.signal()
    found = await JOBS["health_scoring"].handler(call)
    assert found.total_pressure == 0.32
    assert len(await items(call, "open")) == 1


async def test_lists_page(call):
    for n in range(5):
        await actions.add_risk(call, NewRisk(title=f"Risk {n}", severity=n + 1))
    found = (await actions.list_risks(call, ListRisks(limit=2, offset=1))).items
    assert [r.severity for r in found] == [4, 3]
    assert await items(call, "nonsense") == []
