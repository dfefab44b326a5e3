"""An issue is made in Linear once, whatever happens on the way; the exchanges fit the vendor's schema."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors import linear_queries
from ctower_desktop.connectors.contract import NeedsUser, Refused
from ctower_desktop.connectors.linear_create import NewIssue, create_issue
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.sandbox.linear_model import Issue
from tests.upstream import check_graphql, needs_upstream

ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
async def team(bench):
    made = bench.linear.add_team("WEB", "Web")
    await bench.sync("linear")
    return made


def new(team, **more):
    given = {"id": ID, "team_id": team.id, "title": "Отправить договор", "description": "До пятницы"} | more
    return NewIssue(**given)


def made(bench):
    return [(i.id, i.title, i.description) for i in bench.linear.table(Issue)]


@needs_upstream
def test_the_vendor_understands_what_is_asked():
    given = {"id": ID, "teamId": ID, "title": "x", "description": "", "priority": 2, "dueDate": "2026-11-27"}
    assert check_graphql(linear_queries.create_issue(), {"input": given}) == []
    assert check_graphql(linear_queries.one_issue(), {"id": ID}) == []


async def test_is_made_and_stands_in_our_tables_at_once(bench, team):
    project = bench.linear.add_project("Site", [team])
    await bench.sync("linear")
    found = await create_issue(
        bench.tower, new(team, due_date="2026-11-27", priority=2, project_id=project.id), by_user=True
    )
    assert (found.id, found.identifier) == (ID, "WEB-1")
    rows = await bench.rows(
        "SELECT external_id, title, due_date, priority, state, state_type, linear_project_name FROM issue"
    )
    assert rows == [(ID, "Отправить договор", "2026-11-27", 2, "Backlog", "backlog", "Site")]
    assert made(bench) == [(ID, "Отправить договор", "До пятницы")]


async def test_the_next_sync_finds_nothing_new_and_follows(bench, team):
    await create_issue(bench.tower, new(team), by_user=True)
    before = await bench.rows("SELECT * FROM issue")
    await bench.sync("linear")
    assert await bench.rows("SELECT * FROM issue") == before
    bench.clock.advance(5)
    bench.linear.move_issue(ID, "Done")
    await bench.sync("linear")
    assert await bench.one("SELECT state_type FROM issue") == "completed"


async def test_a_lost_answer_makes_no_second_issue(bench, team):
    bench.linear.faults.lose(on="CreateIssue")
    found = await create_issue(bench.tower, new(team), by_user=True)
    assert found.id == ID
    assert len(made(bench)) == 1
    assert len(await bench.rows("SELECT id FROM issue")) == 1


@pytest.mark.parametrize("fault", ["lose", "cut", "truncate"])
async def test_after_a_crash_the_same_call_finds_the_issue(bench, team, fault):
    getattr(bench.linear.faults, fault)(on="CreateIssue", times=None)
    with pytest.raises(Upstream):
        await create_issue(bench.tower, new(team), by_user=True)
    bench.linear.faults.clear()
    bench.clock.advance(60)
    assert (await create_issue(bench.tower, new(team, title="Другое имя"), by_user=True)).id == ID
    assert made(bench) == [(ID, "Отправить договор", "До пятницы")]


async def test_an_error_without_a_known_code_is_looked_up(bench, team):
    """The vendor's wording for an id that exists is not documented, so it is not relied upon."""
    bench.linear.add_issue(team, "Отправить договор", row_id=ID)
    answer = {"data": None, "errors": [{"message": "conflict", "extensions": {"code": "SOMETHING"}}]}
    bench.linear.faults.answer(200, answer, on="CreateIssue")
    assert (await create_issue(bench.tower, new(team), by_user=True)).identifier == "WEB-1"


async def test_what_linear_refuses_is_told(bench, team):
    with pytest.raises(Refused, match="Team"):
        await create_issue(
            bench.tower, new(team, team_id="22222222-2222-4222-8222-222222222222"), by_user=True
        )
    assert made(bench) == []
    assert await bench.rows("SELECT id FROM issue") == []


async def test_a_rejected_key_asks_for_the_user(bench, team):
    bench.linear.token = "another"
    with pytest.raises(NeedsUser):
        await create_issue(bench.tower, new(team), by_user=True)


async def test_is_paced_like_reading(bench, team):
    bench.linear.faults.rate_limit(1, on="CreateIssue")
    assert (await create_issue(bench.tower, new(team), by_user=True)).id == ID
    assert bench.slept, "a refusal for too many requests is waited out"
