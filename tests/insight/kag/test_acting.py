"""Doing something about a recommendation: tasks here and in Linear, messages, reminders."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.insight.kag import action_store, store
from ctower_desktop.insight.kag.actions import refresh_kag
from ctower_desktop.insight.kag.model import ActionFailed, ActionInvalid, ActionNotFound, RetryInvalid
from ctower_desktop.insight.kag.recommendation_actions import (
    Act,
    Again,
    ListRecommendations,
    NoteShown,
    SetStatus,
    act_on_recommendation,
    list_recommendation_actions,
    list_recommendations,
    note_shown,
    retry_recommendation_action,
    set_recommendation_status,
)
from ctower_desktop.kernel.system import as_text
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.sandbox.linear_model import Issue
from ctower_desktop.sandbox.smtp import Fault
from ctower_desktop.work.actions import list_issues
from ctower_desktop.work.model import ListIssues
from tests.insight.continuity.conftest import linear  # noqa: F401 - a fixture
from tests.posting import ANNA, Post, posting
from tests.web.conftest import PASSWORD, site_of

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
async def due(call, log):
    """A recommendation to remind the client."""
    await log.silence(3)
    await refresh_kag(call)
    (found,) = (await list_recommendations(call, ListRecommendations())).recommendations
    return found


@pytest.fixture
async def post(tower, clock, call):
    async with posting(tower, clock, call) as found:
        yield found


async def act(call, due, kind, **payload):
    return await act_on_recommendation(call, due.id, Act(action_type=kind, action_payload=payload))


async def runs(call, due):
    return (await list_recommendation_actions(call, due.id)).runs


async def issues(call):
    return (await list_issues(call, ListIssues())).issues


class TestAny:
    @pytest.mark.parametrize(
        ("kind", "payload"),
        [
            ("", {}),
            ("call_the_police", {}),
            ("set_reminder", {"cadence_seconds": 299}),
            ("set_reminder", {"cadence_seconds": 604_801}),
            ("set_reminder", {"cadence_seconds": "often"}),
            ("create_or_update_task", {"due_date": "tomorrow"}),
            ("create_or_update_task", {"title": ["a"]}),
            ("send_message", {"channel": "pigeon"}),
        ],
    )
    async def test_must_make_sense(self, call, due, kind, payload):
        with pytest.raises(ActionInvalid):
            await act(call, due, kind, **payload)
        assert await runs(call, due) == []

    async def test_needs_a_recommendation_that_is_shown(self, call, log):
        await log.said("team", days_ago=3)
        await refresh_kag(call)
        query = ListRecommendations(include_hidden=True)
        (hidden,) = (await list_recommendations(call, query)).recommendations
        with pytest.raises(ActionInvalid):
            await act(call, hidden, "set_reminder")

    async def test_is_done_once(self, call, due):
        first = await act(call, due, "set_reminder")
        again = await act(call, due, "set_reminder")
        assert (first.idempotent, again.idempotent) == (False, True)
        assert first.run.id == again.run.id
        other = await act(call, due, "set_reminder", cadence_seconds=600)
        assert other.run.id != first.run.id
        named = await act(call, due, "set_reminder", cadence_seconds=700, dedupe_key="mine")
        assert (await act(call, due, "set_reminder", dedupe_key="mine")).run.id == named.run.id
        assert len(await runs(call, due)) == 3

    async def test_carries_a_correlation_id(self, call, due):
        run = (await act(call, due, "set_reminder")).run
        assert run.correlation_id == f"rec.{due.id}.set_reminder.{run.dedupe_key[:16]}"
        assert (run.status, run.attempts, run.max_retries) == ("succeeded", 1, 3)

    async def test_acknowledges_what_is_new_and_nothing_else(self, call, due):
        assert (await act(call, due, "set_reminder")).recommendation.status == "acknowledged"
        await set_recommendation_status(call, due.id, SetStatus(status="done"))
        after = await act(call, due, "set_reminder", cadence_seconds=900)
        assert after.recommendation.status == "done"


class TestTaskHere:
    async def test_is_made_from_the_recommendation(self, call, due):
        done = await act(call, due, "create_or_update_task")
        (issue,) = await issues(call)
        assert (issue.title, issue.due_date, issue.source) == (due.title, due.due_date, "local")
        assert issue.priority == 2
        assert done.run.result == {
            "target": "local", "issue_id": issue.id, "identifier": issue.identifier, "url": None,
        }  # fmt: skip

    async def test_is_changed_and_not_made_twice(self, call, due):
        await act(call, due, "create_or_update_task")
        await act(
            call, due, "create_or_update_task", title="Позвонить", due_date="2026-12-01", assignee="Olga"
        )
        (issue,) = await issues(call)
        assert (issue.title, issue.due_date, issue.assignee_name) == ("Позвонить", "2026-12-01", "Olga")


class TestTaskInLinear:
    async def test_is_made_there_once(self, call, due, linear):  # noqa: F811
        done = await act(call, due, "create_or_update_task", title="Call them")
        (issue,) = linear.table(Issue)
        assert (issue.title, issue.id) == ("Call them", done.run.id)
        assert (done.run.result["target"], done.run.result["identifier"]) == ("linear", "WEB-1")
        assert "chatwoot://message/" in issue.description
        again = await act(call, due, "create_or_update_task", title="Call them again")
        assert again.run.result["issue_id"] == issue.id, "it finds the one that is there"
        assert len(linear.table(Issue)) == 1

    async def test_a_lost_answer_makes_no_second_issue(self, call, due, linear):  # noqa: F811
        linear.faults.lose(on="CreateIssue", times=None)
        with pytest.raises(ActionFailed, match="upstream_unreachable"):
            await act(call, due, "create_or_update_task")
        (run,) = await runs(call, due)
        assert (run.status, run.result, run.attempts) == ("failed", {"target": "linear"}, 1)
        linear.faults.clear()
        again = await retry_recommendation_action(call, run.id, Again())
        assert (again.run.status, again.run.attempts, again.run.error) == ("succeeded", 2, None)
        assert [issue.id for issue in linear.table(Issue)] == [run.id]

    async def test_what_was_begun_there_is_not_made_here(self, call, due, linear, tower):  # noqa: F811
        linear.faults.lose(on="CreateIssue", times=None)
        with pytest.raises(ActionFailed):
            await act(call, due, "create_or_update_task")
        await tower.settings.change(CONNECTORS["linear"].settings, {"api_token": None})
        (run,) = await runs(call, due)
        with pytest.raises(ActionFailed, match="linear_not_connected"):
            await retry_recommendation_action(call, run.id, Again())
        assert await issues(call) == []


class TestMessage:
    async def test_is_really_sent(self, call, due, post: Post):
        await post.contact()
        done = await act(call, due, "send_message", channel="email")
        (letter,) = post.smtp.inbox
        assert letter.recipients == (ANNA,)
        assert letter.message["Subject"] == due.title
        assert "short reminder" in letter.message.get_body().get_content()
        assert done.run.result["status"] == "sent"
        assert [action for action, _ in await post.audited()] == [
            "outbound.draft",
            "outbound.approve",
            "outbound.send",
        ]

    async def test_goes_to_whom_the_evidence_speaks_of(self, call, log, post: Post, clock):
        latest = await post.contact(2, "boris@north.example")
        contact = await post.contact(1)
        talk = await post.talk(contact)
        clock.advance(1)
        await post.contact(2, "boris@north.example", updated_at=clock.text())
        await post.hear(talk, kind="1")
        said = f"cwmsg:{log.project.id}:1:{post.made}"
        for days in (3.1, 3):
            await log.add("message_sent", actor="team", days_ago=days, source_message_id=said,
                          payload={"conversation_global_id": talk})  # fmt: skip
        await log.said("client", days_ago=4)
        await refresh_kag(call)
        (due,) = (await list_recommendations(call, ListRecommendations())).recommendations
        await act(call, due, "send_message", channel="email")
        assert [letter.recipients for letter in post.smtp.inbox] == [(ANNA,)]
        assert latest != contact

    async def test_in_own_words_to_whom_one_says(self, call, due, post: Post):
        done = await act(
            call, due, "send_message", recipient="ceo@north.example", text="Добрый день!", subject="?"
        )
        (letter,) = post.smtp.inbox
        assert letter.recipients == ("ceo@north.example",)
        assert letter.message.get_body().get_content().strip() == "Добрый день!"
        assert done.run.result["channel"] == "email"

    async def test_without_a_channel_it_says_so_and_claims_nothing(self, call, due):
        with pytest.raises(ActionFailed, match="channel_not_configured"):
            await act(call, due, "send_message", recipient=ANNA)
        (run,) = await runs(call, due)
        assert (run.status, run.result) == ("failed", {})
        (after,) = (await list_recommendations(call, ListRecommendations())).recommendations
        assert after.status == "new"

    async def test_without_anybody_to_write_to(self, call, due, post: Post):
        with pytest.raises(ActionFailed, match="recipient_required"):
            await act(call, due, "send_message")

    async def test_a_retry_sends_the_same_message_and_not_a_second_one(self, call, due, post: Post, clock):
        post.smtp.faults.append(Fault("RCPT", "451 4.3.0 Come back later"))
        with pytest.raises(ActionFailed):
            await act(call, due, "send_message", recipient=ANNA)
        (run,) = await runs(call, due)
        assert run.next_retry_at == as_text(clock.now() + timedelta(minutes=2))
        clock.advance(300)
        done = await retry_recommendation_action(call, run.id, Again())
        assert done.run.status == "succeeded"
        assert len(post.smtp.inbox) == 1
        assert await post.rows("SELECT count(*) FROM outbound_message") == [(1,)]
        with pytest.raises(RetryInvalid):
            await retry_recommendation_action(call, run.id, Again())

    async def test_an_opt_out_is_respected(self, call, due, post: Post):
        await post.rule(opted_out=True)
        with pytest.raises(ActionFailed, match="opt_out"):
            await act(call, due, "send_message", recipient=ANNA)
        assert post.smtp.inbox == []

    async def test_a_rehearsal_is_no_claim(self, call, due, post: Post):
        await post.set(dry_run=True)
        done = await act(call, due, "send_message", recipient=ANNA)
        assert (done.run.result["dry_run"], done.run.result["status"]) == (True, "approved")
        assert post.smtp.inbox == []


class TestRetry:
    async def test_ends_after_the_agreed_number(self, call, due):
        body = Act(action_type="send_message", action_payload={"recipient": ANNA}, max_retries=1)
        with pytest.raises(ActionFailed):
            await act_on_recommendation(call, due.id, body)
        (run,) = await runs(call, due)
        with pytest.raises(ActionFailed):
            await retry_recommendation_action(call, run.id, Again())
        (run,) = await runs(call, due)
        assert (run.attempts, run.next_retry_at) == (2, None)
        with pytest.raises(RetryInvalid):
            await retry_recommendation_action(call, run.id, Again())

    async def test_comes_by_itself_when_it_is_time(self, call, due, post: Post, clock, tower, project):
        post.smtp.faults.append(Fault("RCPT", "451 4.3.0 Come back later"))
        with pytest.raises(ActionFailed):
            await act(call, due, "send_message", recipient=ANNA)
        assert await self.retried(tower, project) == 0, "not yet"
        clock.advance(180)
        assert await self.retried(tower, project) == 1
        (run,) = await runs(call, due)
        assert (run.status, run.attempts, len(post.smtp.inbox)) == ("succeeded", 2, 1)
        clock.advance(7_200)
        assert await self.retried(tower, project) == 0

    async def test_does_not_come_for_what_is_settled(self, call, due, clock, tower, project):
        with pytest.raises(ActionFailed):
            await act(call, due, "send_message", recipient=ANNA)
        await set_recommendation_status(call, due.id, SetStatus(status="dismissed"))
        clock.advance(180)
        assert await self.retried(tower, project) == 0

    async def retried(self, tower, project):
        scheduler = await tower.part(Scheduler)
        return (await scheduler.run_now(project, "kag_recommendations_refresh")).details.retried_actions

    async def test_needs_something_that_was_tried(self, call):
        with pytest.raises(ActionNotFound):
            await retry_recommendation_action(call, UNKNOWN, Again())

    async def test_a_run_that_died_with_the_program_has_failed(self, call, due, tower, clock):
        wish = action_store.Wanted(due.id, "send_message", {}, "k", "rec.x", 3, "desktop")
        begun = await tower.db.write(action_store.begin, call.project_ref, wish, clock.text())
        with pytest.raises(RetryInvalid):
            await retry_recommendation_action(call, begun.run.id, Again())
        clock.advance(700)
        assert await tower.db.write(action_store.give_up_lost, call.project_id, clock.now()) == 1
        (run,) = await runs(call, due)
        assert (run.status, run.error) == ("failed", action_store.INTERRUPTED)


class TestReminder:
    async def remind(self, tower, project):
        scheduler = await tower.part(Scheduler)
        return (await scheduler.run_now(project, "kag_recommendations_refresh")).details.reminded

    async def test_brings_it_up_until_it_is_settled(self, call, due, tower, project, clock):
        done = await act(call, due, "set_reminder", cadence_seconds=3_600, note="перед звонком")
        assert done.run.result == {
            "cadence_seconds": 3_600, "next_at": as_text(clock.now() + timedelta(hours=1)),
        }  # fmt: skip
        assert await self.remind(tower, project) == 0
        clock.advance(3_600)
        assert await self.remind(tower, project) == 1
        assert (await tower.db.read(store.summary, project.id)).reminders_due == 1
        await note_shown(call, NoteShown(recommendation_ids=[due.id]))
        assert (await tower.db.read(store.summary, project.id)).reminders_due == 0
        clock.advance(3_600 * 5)
        assert await self.remind(tower, project) == 1, "what was missed meanwhile is brought up once"
        await set_recommendation_status(call, due.id, SetStatus(status="done"))
        clock.advance(3_600)
        assert await self.remind(tower, project) == 0
        assert await tower.db.read(lambda db: db.execute("SELECT count(*) FROM kag_reminder").get) == 0

    async def test_a_second_one_replaces_the_first(self, call, due, tower):
        await act(call, due, "set_reminder", cadence_seconds=600)
        await act(call, due, "set_reminder", cadence_seconds=1_200)
        rows = await tower.db.read(lambda db: list(db.execute("SELECT every_seconds FROM kag_reminder")))
        assert rows == [(1_200,)]


async def test_only_a_manager_acts(home, clock):
    """Acting reaches clients: who only carries out tasks may not."""
    async with site_of(home, clock, KAG_MODE="live") as site:
        project = await site.project()
        await site.user("lead", "delivery_lead", project)
        async with site.client() as client:
            await client.sign_in("lead", PASSWORD)
            answer = await client.post(f"/kag/v2/recommendations/{UNKNOWN}/actions", json={})
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
            shown = await client.post("/kag/v2/recommendations/shown", json={"recommendation_ids": []})
            assert shown.json()["shown"] == []
