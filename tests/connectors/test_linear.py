"""Linear: frozen windows, archived rows, blockers, enumeration of ids, and every way it says no."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ctower_desktop.connectors import linear_queries
from ctower_desktop.connectors.linear_rows import KINDS
from ctower_desktop.connectors.syncing import SyncFailed
from ctower_desktop.sandbox.linear_limits import Bucket
from ctower_desktop.sandbox.linear_model import Issue
from tests.upstream import check_graphql, needs_upstream

TITLES = "SELECT title FROM issue WHERE deleted_at IS NULL ORDER BY identifier"


@pytest.fixture
def team(bench):
    return bench.linear.add_team("SEV", "Север")


@needs_upstream
@pytest.mark.parametrize("query", linear_queries.ALL)
def test_every_query_is_one_the_vendor_understands(query):
    variables = {"first": 50, "after": None}
    if "$filter" in query:
        variables["filter"] = {
            "updatedAt": {"gte": "2026-01-01T00:00:00.000Z", "lt": "2026-02-01T00:00:00.000Z"}
        }
    assert check_graphql(query, variables) == []


def test_every_stream_has_a_query_and_a_shape():
    assert linear_queries.STREAMS.keys() == KINDS.keys()


async def test_an_issue_comes_with_everything_people_see_of_it(bench, team):
    boris = bench.linear.add_user("Boris", "boris@agency.example")
    label = bench.linear.add_label("backend", team)
    project = bench.linear.add_project("Запуск", [team])
    blocker = bench.linear.add_issue(team, "Макет")
    issue = bench.linear.add_issue(
        team, "Оплата", state="In Progress", description="Подключить оплату", assignee_id=boris.id,
        label_ids=[label.id], project_id=project.id, priority=2,
    )  # fmt: skip
    bench.linear.relate(blocker, issue)
    bench.linear.add_comment(issue, "Ждём договор", user=boris)

    found = await bench.sync("linear")

    assert found.result["touched_issues"] == 2
    rows = await bench.rows(
        "SELECT title, description, state, state_type, assignee_name, labels, linear_project_name, blocked, "
        "blocked_by_count, priority FROM issue WHERE external_id = :id", id=issue.id,
    )  # fmt: skip
    assert rows == [
        ("Оплата", "Подключить оплату", "In Progress", "started", "Boris", '["backend"]', "Запуск", 1, 1, 2)
    ]
    assert await bench.rows("SELECT body, author_name FROM comment") == [("Ждём договор", "Boris")]


async def test_an_issue_is_free_again_when_its_blocker_is_done(bench, team):
    blocker, issue = bench.linear.add_issue(team, "a"), bench.linear.add_issue(team, "b")
    bench.linear.relate(blocker, issue)
    await bench.sync("linear")
    bench.clock.advance(60)
    bench.linear.move_issue(blocker.id, "Done")
    await bench.sync("linear")
    assert await bench.column("SELECT blocked FROM issue ORDER BY title") == [0, 0]
    kinds = await bench.column(
        "SELECT event_type FROM connector_event WHERE source = 'linear' AND event_type LIKE 'issue%' "
        "ORDER BY id"
    )
    assert kinds == ["issue_created", "issue_created", "issue_blocked", "issue_unblocked"]


async def test_a_relation_taken_away_frees_the_issue(bench, team):
    blocker, issue = bench.linear.add_issue(team, "a"), bench.linear.add_issue(team, "b")
    relation = bench.linear.relate(blocker, issue)
    await bench.sync("linear")
    bench.clock.advance(60)
    bench.linear.remove(relation.id)
    await bench.sync("linear")
    assert await bench.column("SELECT blocked FROM issue ORDER BY title") == [0, 0]


async def test_a_row_on_the_boundary_is_read_again_and_written_once(bench, team):
    issue = bench.linear.add_issue(team, "edge")
    await bench.sync("linear")
    upper = await bench.one("SELECT watermark FROM stream_state WHERE stream = 'issues'")
    row = await bench.rows("SELECT changed_run FROM remote_row WHERE external_id = :id", id=issue.id)
    issue.updated_at = bench.clock.now()  # exactly the next lower bound plus overlap
    found = await bench.sync("linear")
    assert upper is not None
    assert found.result["touched_issues"] == 1
    again = await bench.sync("linear")
    assert again.result["touched_issues"] == 0
    assert row != await bench.rows("SELECT changed_run FROM remote_row WHERE external_id = :id", id=issue.id)


async def test_the_sum_of_increments_is_a_full_read(bench, team):
    for n in range(5):
        bench.linear.add_issue(team, f"issue {n}")
        bench.clock.advance(7 * 60)
        await bench.sync("linear")
    first = await bench.rows("SELECT external_id, version FROM remote_row WHERE stream='issues' ORDER BY 1")
    await bench.sync("linear", whole=True)
    again = await bench.rows("SELECT external_id, version FROM remote_row WHERE stream='issues' ORDER BY 1")
    assert first == again
    assert len(first) == 5


async def test_a_failed_second_page_leaves_the_watermark_and_keeps_the_first(bench):
    bench.linear.generate(250)
    bench.clock.advance(60)
    bench.linear.faults.answer(502, "bad gateway", content_type="text/plain", on="Issues", skip=1, times=3)
    with pytest.raises(SyncFailed):
        await bench.sync("linear")
    assert await bench.one("SELECT count(*) FROM issue") == 100
    assert await bench.column("SELECT watermark FROM stream_state WHERE stream = 'issues'") == [None]
    asked = bench.linear.front.count("Issues")

    bench.clock.advance(60)
    await bench.sync("linear")

    assert await bench.one("SELECT count(*) FROM issue") == 250
    assert bench.linear.front.count("Issues") - asked == 2, "the walk goes on at its second page"


async def test_a_cursor_the_vendor_forgot_restarts_the_window(bench):
    bench.linear.generate(250)
    bench.clock.advance(60)
    bench.linear.faults.answer(502, "bad gateway", content_type="text/plain", on="Issues", skip=1, times=3)
    with pytest.raises(SyncFailed):
        await bench.sync("linear")
    bench.linear.expire_cursors()
    bench.clock.advance(60)
    await bench.sync("linear")
    assert await bench.one("SELECT count(*) FROM issue") == 250


async def test_a_row_that_changes_mid_walk_is_read_by_the_next_window(bench):
    bench.linear.generate(150)
    bench.clock.advance(60)
    oldest = min(bench.linear.table(Issue), key=lambda i: i.updated_at)

    def change():
        bench.clock.advance(5)
        bench.linear.edit_issue(oldest.id, title="changed meanwhile")

    bench.linear.faults.before(change, on="Issues", nth=2)
    await bench.sync("linear")
    await bench.sync("linear")
    assert "changed meanwhile" in await bench.column(TITLES)


async def test_an_older_version_never_overwrites_a_newer_one(bench, team):
    issue = bench.linear.add_issue(team, "new title")
    await bench.sync("linear")
    issue.title, issue.updated_at = "old title", issue.updated_at - timedelta(seconds=30)
    await bench.sync("linear")
    assert await bench.column(TITLES) == ["new title"]


async def test_archived_stays_trashed_goes_and_comes_back(bench, team):
    done, bad = bench.linear.add_issue(team, "archived"), bench.linear.add_issue(team, "trashed")
    await bench.sync("linear")
    bench.clock.advance(60)
    bench.linear.archive(done.id)
    bench.linear.trash_issue(bad.id)
    await bench.sync("linear")
    assert await bench.rows("SELECT title, archived_at IS NOT NULL FROM issue WHERE deleted_at IS NULL") == [
        ("archived", 1)
    ]
    bench.clock.advance(60)
    bench.linear.unarchive(bad.id)
    await bench.sync("linear")
    assert await bench.column(TITLES) == ["archived", "trashed"]


async def test_what_is_gone_for_good_shows_in_the_enumeration(bench, team):
    issues = [bench.linear.add_issue(team, f"issue {n}") for n in range(10)]
    bench.linear.add_comment(issues[2], "bye")
    await bench.sync("linear")
    bench.linear.remove(issues[2].id)
    bench.clock.advance(60)
    await bench.sync("linear")
    assert len(await bench.column(TITLES)) == 10
    asked = bench.linear.front.count("Issues")
    await bench.sync("linear", whole=True)
    assert len(await bench.column(TITLES)) == 9
    assert await bench.column("SELECT body FROM comment WHERE deleted_at IS NULL") == []
    assert bench.linear.front.count("Issues") == asked, "ids alone are enough"


async def test_enumeration_fetches_what_was_missed(bench, team):
    bench.linear.add_issue(team, "seen")
    await bench.sync("linear")
    hidden = bench.linear.add_issue(team, "with an old time")
    hidden.updated_at = bench.clock.now() - timedelta(days=30)
    await bench.sync("linear")
    assert await bench.column(TITLES) == ["seen"]
    await bench.sync("linear", whole=True)
    assert sorted(await bench.column(TITLES)) == ["seen", "with an old time"]


async def test_a_renamed_state_is_renamed_on_its_issues(bench, team):
    issue = bench.linear.add_issue(team, "a", state="In Progress")
    await bench.sync("linear")
    bench.clock.advance(60)
    bench.linear.edit(issue.state_id, name="Doing")
    await bench.sync("linear")
    assert await bench.column("SELECT state FROM issue") == ["Doing"]


async def test_rate_limited_at_400_is_waited_for(bench, team):
    bench.linear.add_issue(team, "a")
    bench.linear.faults.rate_limit(1, on="Issues")
    await bench.sync("linear")
    assert await bench.column(TITLES) == ["a"]
    assert bench.slept, "it waited for the reset that the answer names"


async def test_part_of_the_data_is_kept_but_the_watermark_waits(bench, team):
    bench.linear.add_issue(team, "whole")
    bench.linear.add_issue(team, "torn")
    bench.linear.partial("title", row=0, on="Issues")

    with pytest.raises(SyncFailed, match="vendor_partial_data"):
        await bench.sync("linear")

    assert len(await bench.column(TITLES)) == 1
    assert await bench.column("SELECT watermark FROM stream_state WHERE stream = 'issues'") == []
    assert await bench.one("SELECT count(*) FROM quarantined_row WHERE status = 'open'") == 1

    await bench.sync("linear")
    assert len(await bench.column(TITLES)) == 2
    assert await bench.one("SELECT count(*) FROM quarantined_row WHERE status = 'open'") == 0


async def test_a_wrong_key_asks_the_user_and_stops_trying(bench):
    bench.linear.token = "another"
    with pytest.raises(SyncFailed, match="connector_needs_user"):
        await bench.sync("linear")
    asked = len(bench.linear.requests)
    with pytest.raises(SyncFailed, match="enter it again"):
        await bench.sync("linear", bench.by_schedule())
    assert len(bench.linear.requests) == asked, "a scheduled run does not try a refused key again"
    with pytest.raises(SyncFailed):
        await bench.sync("linear")
    assert len(bench.linear.requests) == asked + 1, "somebody at the screen may"
    bench.linear.token = "lin_api_key"
    await bench.sync("linear")


async def test_the_pace_follows_the_headers(bench, team):
    bench.linear.asked = Bucket(bench.clock.now, 30)
    bench.linear.generate(300)
    bench.clock.advance(60)
    waits = []
    for _ in range(3):
        try:
            await bench.sync("linear")
        except SyncFailed as error:
            waits.append(error.retry_after)
            bench.clock.advance((error.retry_after or 0) + 60)
    assert None not in waits
    assert not [seen for seen in bench.linear.requests if seen.status == 400], "never refused"


async def test_a_list_without_end_is_given_up(bench, team):
    """The vendor, or what stands between, always says that there is more, after the same row."""
    bench.linear.add_issue(team, "One")
    cursor: dict[str, str] = {}

    def without_end(answer):
        for found in answer["data"].values():
            info = found["pageInfo"]
            info["hasNextPage"] = True
            info["endCursor"] = cursor.setdefault("same", info["endCursor"])

    bench.linear.faults.rewrite(without_end, on="Issues", times=None)
    with pytest.raises(SyncFailed, match="again and again"):
        await bench.sync("linear")
