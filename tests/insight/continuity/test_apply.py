"""Applying: a local issue without Linear, a real one with it, once whatever happens (T26)."""

from __future__ import annotations

import asyncio

import pytest

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.syncing import sync_one
from ctower_desktop.insight.continuity.actions import (
    apply_continuity,
    dismiss_continuity,
    list_continuity_actions,
    preview_continuity,
)
from ctower_desktop.insight.continuity.model import ApplyActions, ChooseActions, ListActions
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.sandbox.linear_model import Issue
from ctower_desktop.work.actions import list_issues, set_issue_status
from ctower_desktop.work.model import ListIssues, SetIssueStatus

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def previewed(call):
    return (await preview_continuity(call)).rows


async def applied(call, *actions, **more):
    body = ApplyActions(action_ids=[a if isinstance(a, str) else a.id for a in actions], **more)
    return await apply_continuity(call, body)


async def listed(call, status=""):
    return (await list_continuity_actions(call, ListActions(status=status))).actions


async def issues(call):
    return (await list_issues(call, ListIssues())).issues


def made(vendor):
    return vendor.table(Issue)


class TestHere:
    @pytest.fixture
    async def one(self, call, agency):
        await agency.opportunity("Сайт", "Отправить договор до 25 ноября", account="Acme")
        return (await previewed(call))[0]

    async def test_an_issue_is_made_once(self, call, one):
        done = await applied(call, one)
        assert (done.applied, done.failed) == (1, 0)
        (action,) = done.actions
        assert (action.status, action.target, action.applied_by) == ("applied", "local", "desktop")
        assert action.linear_issue_external_id == f"continuity:{one.id}"
        (issue,) = await issues(call)
        assert issue.id == f"linissue:{call.project_id}:continuity:continuity:{one.id}"
        assert (issue.identifier, issue.source, issue.state, issue.state_type) == (
            "LOCAL-1", "local", "Todo", "unstarted",
        )  # fmt: skip
        assert (issue.title, issue.priority, issue.due_date) == (one.title, 2, "2026-11-25")
        assert action.issue is not None
        assert (action.issue.id, action.issue.local) == (issue.id, True)
        assert (await applied(call, one)).applied == 0
        assert len(await issues(call)) == 1
        assert (await preview_continuity(call)).touched == 0

    async def test_it_does_not_stay_open_for_ever(self, call, one):
        """Fault absent: an issue that was made here can be closed, and the action follows it."""
        issue = (await applied(call, one)).actions[0].issue
        await set_issue_status(call, issue.id, SetIssueStatus(status="done"))
        (action,) = await listed(call, "applied")
        assert (action.issue.state, action.issue.state_type) == ("Done", "completed")
        assert action.issue.completed_at is not None

    async def test_two_at_once_make_one_issue(self, call, one):
        done = await asyncio.gather(*(applied(call, one) for _ in range(4)))
        assert sorted(answer.applied for answer in done) == [0, 0, 0, 1]
        assert len(await issues(call)) == 1

    async def test_what_is_dismissed_is_not_applied(self, call, one):
        await dismiss_continuity(call, ChooseActions(action_ids=[one.id]))
        assert (await applied(call, one)).actions == []
        assert await issues(call) == []


async def test_nothing_unknown_and_broken_ids(call):
    """Fault absent: what is no UUID is refused with 400, not with an internal error."""
    assert (await applied(call)).applied == 0
    assert (await applied(call, UNKNOWN)).actions == []
    with pytest.raises(InvalidUuid):
        await applied(call, "nonsense")
    with pytest.raises(InvalidUuid):
        await applied(call, UNKNOWN, team_id="nonsense")


class TestInLinear:
    @pytest.fixture
    async def one(self, call, agency, linear):
        await agency.said("Пришлём макеты до пятницы.")
        return (await previewed(call))[0]

    async def test_the_real_issue_is_made(self, call, linear, one):
        """Fault absent: applying calls Linear; the issue is there."""
        done = await applied(call, one)
        assert (done.applied, done.failed) == (1, 0)
        (issue,) = made(linear)
        assert (issue.title, str(issue.due_date), issue.priority) == (one.title, "2026-11-27", 2)
        assert "Пришлём макеты до пятницы." in issue.description
        (action,) = done.actions
        assert (action.status, action.target) == ("applied", "linear")
        assert (action.linear_issue_external_id, action.issue_identifier) == (issue.id, "WEB-1")
        assert action.issue_url == issue.url
        assert (action.issue.identifier, action.issue.state_type, action.issue.local) == (
            "WEB-1", "backlog", False,
        )  # fmt: skip
        assert (await applied(call, one)).applied == 0
        assert len(made(linear)) == 1

    async def test_the_action_follows_it(self, call, linear, one, clock):
        action = (await applied(call, one)).actions[0]
        clock.advance(5)
        linear.move_issue(action.linear_issue_external_id, "Done")
        linear.edit_issue(action.linear_issue_external_id, title="Другое")
        clock.advance(5)
        await sync_one(call, CONNECTORS["linear"])
        (now,) = await listed(call)
        assert (now.issue.state_type, now.issue.title) == ("completed", "Другое")
        linear.trash_issue(action.linear_issue_external_id)
        clock.advance(5)
        await sync_one(call, CONNECTORS["linear"])
        assert (await listed(call))[0].issue.gone

    async def test_a_crash_between_asking_and_noting_makes_no_second_issue(self, call, linear, one):
        linear.faults.lose(on="CreateIssue", times=None)
        done = await applied(call, one)
        assert (done.applied, done.failed) == (0, 1)
        (failed,) = done.actions
        assert failed.status == "failed"
        assert failed.error.startswith("upstream_unreachable: ")
        assert failed.linear_issue_external_id == made(linear)[0].id  # written down before it was asked for
        linear.faults.clear()
        again = await applied(call, one)
        assert (again.applied, again.actions[0].error, again.actions[0].attempts) == (1, None, 2)
        assert len(made(linear)) == 1
        assert len(await issues(call)) == 1

    async def test_killed_before_the_answer_it_goes_on_with_the_same_id(self, call, linear, one):
        linear.faults.slow(30, on="CreateIssue")
        task = asyncio.create_task(applied(call, one))
        while not any(seen.operation == "CreateIssue" for seen in linear.requests):
            await asyncio.sleep(0.01)
            if await _begun(call):
                break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        (waiting,) = await listed(call)
        assert (waiting.status, waiting.target) == ("previewed", "linear")
        linear.faults.clear()
        assert (await applied(call, one)).applied == 1
        assert [issue.id for issue in made(linear)] == [waiting.linear_issue_external_id]

    async def test_a_refusal_is_told_and_the_next_try_is_free(self, call, linear, one):
        done = await applied(call, one, team_id=UNKNOWN)
        (failed,) = done.actions
        assert failed.error.startswith("vendor_refused: ")
        assert (failed.target, failed.linear_issue_external_id) == (None, None)
        assert (await applied(call, one)).applied == 1

    async def test_when_linear_is_down_the_rest_is_not_tried(self, call, agency, linear, one):
        for n in range(3):
            await agency.said(f"Пришлём файл {n} завтра.")
        found = await previewed(call)
        linear.faults.down(on="CreateIssue")
        before = len(linear.requests)
        done = await applied(call, *found)
        assert (done.applied, done.failed) == (0, 4)
        assert len(linear.requests) - before <= 3  # the tries of one request
        linear.faults.clear()
        assert (await applied(call, *found)).applied == 4
        assert len(made(linear)) == 4

    async def test_begun_in_linear_it_is_not_made_here_as_well(self, call, tower, linear, one):
        linear.faults.lose(on="CreateIssue", times=None)
        await applied(call, one)
        await tower.settings.change(CONNECTORS["linear"].settings, {"api_token": ""})
        done = await applied(call, one)
        assert done.applied == 0
        assert done.actions[0].error.startswith("linear_not_connected: ")
        assert await issues(call) == []

    async def test_several_teams_are_asked_about(self, call, linear, one, clock):
        other = linear.add_team("APP", "App")
        clock.advance(2)
        await sync_one(call, CONNECTORS["linear"])
        done = await applied(call, one)
        assert done.actions[0].error.startswith("team_unknown: ")
        assert done.actions[0].linear_issue_external_id is None
        assert (await applied(call, one, team_id=other.id)).actions[0].issue_identifier == "APP-1"

    async def test_the_team_that_works_now_is_taken(self, call, linear, one, clock):
        other = linear.add_team("APP", "App")
        linear.add_issue(other, "Something")
        clock.advance(2)
        await sync_one(call, CONNECTORS["linear"])
        assert (await applied(call, one)).actions[0].issue_identifier == "APP-2"


async def test_the_issue_goes_to_the_delivery_project_of_the_client(call, agency, linear, clock):
    team = made_team = next(iter(linear.tables[type(linear.add_team("X", "X"))].values()))
    project = linear.add_project("Site", [team])
    linear.add_issue(made_team, "Begun", project_id=project.id)
    clock.advance(2)
    await sync_one(call, CONNECTORS["linear"])
    company = await agency.company(1, "Acme")
    (row,) = await agency.run("SELECT id FROM work_project")
    await agency.run(
        "INSERT INTO identity_link (id, project_id, account_scope_id, left_entity_type, left_entity_id,"
        " right_entity_type, right_entity_id, status, source, created_by, created_at, updated_at)"
        " VALUES ('1', :p, :s, 'attio_account', :c, 'linear_project', :d, 'active', 'manual', 'x', '', '')",
        p=call.project_id, s=call.account_scope_id, c=company, d=row[0],
    )  # fmt: skip
    await agency.opportunity("Сайт", "Send the contract", account_ref="attioacct-1")
    (one,) = await previewed(call)
    await applied(call, one)
    issue = made(linear)[-1]
    assert (issue.project_id, issue.team_id) == (project.id, team.id)


async def _begun(call):
    return any(action.linear_issue_external_id for action in await listed(call))


async def test_what_is_done_is_in_the_audit_trail(tower, call, agency):
    await agency.opportunity("Сайт", "Send the contract")
    await agency.opportunity("Сайт 2", "Send the offer")
    first, second = await previewed(call)
    await applied(call, first)
    await dismiss_continuity(call, ChooseActions(action_ids=[second.id]))
    found = await tower.db.read(
        lambda db: [row[0] for row in db.execute("SELECT action FROM audit_event ORDER BY id")]
    )
    assert found[-3:] == ["continuity.preview", "continuity.apply", "continuity.dismiss"]
