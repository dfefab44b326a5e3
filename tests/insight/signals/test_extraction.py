"""Extraction on real rows: stories, growth, closing and raising again, what is incremental."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.signals.actions import (
    edit_next_action,
    extract_signals,
    list_next_actions,
    list_signals,
    read_signal,
    set_next_action_status,
    set_signal_status,
)
from ctower_desktop.insight.signals.model import (
    EditAction,
    ListByStatus,
    ListSignals,
    SetActionStatus,
    SetSignalStatus,
)
from ctower_desktop.kernel.sql import Query
from ctower_desktop.kernel.tower import by_job


async def run(call):
    return (await extract_signals(call)).result


async def signals(call, **query):
    return (await list_signals(call, ListSignals(**query))).signals


async def one(call, kind=""):
    (found,) = await signals(call, type=kind)
    return found


async def action_of(call, signal):
    (found,) = (await read_signal(call, signal.id)).actions
    return found


async def decide(call, signal, status):
    return (await set_signal_status(call, signal.id, SetSignalStatus(status))).signal


class TestMessages:
    async def test_types_severities_confidences_and_actions(self, call, sources):
        """T23: types, severity, confidence and actions of the rules; the second run adds none."""
        texts = {
            "The release is delayed": ("delivery_risk", 4, 0.82, "review_delivery_blockers", 5),
            "Это слишком дорого": ("commercial_pressure", 3, 0.74, "prepare_pricing_response", 4),
            "Нужен новый модуль": ("upsell_intent", 2, 0.70, "prepare_upsell_offer", 4),
            "It is urgent": ("urgency_increase", 4, 0.76, "align_priority_and_timeline", 4),
        }
        for number, text in enumerate(texts):
            await sources.say(await sources.talk(number), text, hours=1)
        first = await run(call)
        assert (first.generated_candidates, first.touched_signals, first.touched_nba) == (4, 4, 4)
        found = {
            s.signal_type: (s.signal_type, s.severity, s.confidence, a.action_type, a.priority)
            for s in await signals(call)
            for a in (await read_signal(call, s.id)).actions
        }
        assert sorted(found.values()) == sorted(texts.values())
        second = await run(call)
        assert second.touched_signals == first.touched_signals
        assert (second.created, second.messages_read) == (0, 0)
        assert len(await signals(call)) == 4

    async def test_references_are_the_message_and_its_conversation(self, call, sources):
        talk = await sources.talk(1)
        message = await sources.say(talk, "delay", hours=1)
        await run(call)
        found = await one(call)
        assert found.evidence_refs == [message, talk]
        assert (found.source_kind, found.source_ref) == ("conversation", talk)

    async def test_one_signal_a_story_not_one_a_message(self, call, sources):
        """Fault absent: one signal per message floods the list; a story is one signal that grows."""
        talk = await sources.talk(1)
        for hours in (9, 6, 3):
            await sources.say(talk, "Опять задержка", hours=hours)
        await sources.say(await sources.talk(2), "Задержка", hours=2)
        await run(call)
        first, second = await signals(call, type="delivery_risk")
        assert (first.severity, first.confidence, len(first.evidence_refs)) == (5, 0.88, 4)
        assert second.severity == 4
        await sources.say(talk, "Задержка!", hours=1)
        await run(call)
        grown, _ = await signals(call, type="delivery_risk")
        assert (grown.id, grown.confidence, len(grown.evidence_refs)) == (first.id, 0.91, 5)
        assert "4 сообщения" in grown.summary

    async def test_evidence_has_an_end(self, call, sources):
        talk = await sources.talk(1)
        for minutes in range(70):
            await sources.say(talk, f"Задержка номер {minutes}", minutes=minutes)
        await run(call)
        found = await one(call)
        assert len(found.evidence_refs) == 50
        assert len((await read_signal(call, found.id)).evidence) == 50

    async def test_who_and_what_does_not_count(self, call, sources):
        """Fault absent: the team's words and private notes raise signals."""
        talk = await sources.talk(1)
        await sources.say(talk, "delay, urgent, budget", who="user", hours=3)
        await sources.say(talk, "delay, urgent, budget", private=True, who="user", hours=2)
        await sources.say(talk, "delay", private=True, hours=2)
        await sources.say(talk, "delay", kind="2", hours=2)
        await sources.say(talk, "delay", who="agent_bot", hours=2)
        await sources.say(talk, "delay", days=15)
        assert (await run(call)).created == 0

    async def test_an_edited_or_deleted_message_is_no_evidence(self, call, sources):
        talk = await sources.talk(1)
        await sources.say(talk, "задержка", number=1, hours=3)
        second = await sources.say(talk, "задержка", number=2, hours=2)
        await run(call)
        await sources.say(talk, "всё хорошо", number=1, hours=3)
        await run(call)
        assert (await one(call)).evidence_refs == [second, talk]
        await sources.delete(second)
        assert (await run(call)).closed == 1
        assert (await one(call)).status == "done"

    async def test_old_evidence_survives_an_edit_that_says_the_same(self, call, sources, clock):
        talk = await sources.talk(1, status="resolved")
        await sources.say(talk, "задержка", number=1, hours=1)
        await run(call)
        clock.advance(30 * 86_400)
        await sources.say(talk, "задержка, увы", number=1, days=30)
        await run(call)
        assert (await one(call)).status == "proposed"

    async def test_an_answered_request_for_approval_is_done(self, call, sources):
        talk = await sources.talk(1)
        await sources.say(talk, "Прошу согласовать макет", who="user", hours=5)
        await run(call)
        assert (await one(call, "approval_request")).status == "proposed"
        await sources.say(talk, "Согласовано, спасибо", hours=1)
        assert (await run(call)).closed == 1
        found = await one(call, "approval_request")
        assert found.status == "done"
        assert (await action_of(call, found)).status == "done"

    async def test_a_forgotten_proposal_closes_by_itself(self, call, sources, clock):
        await sources.say(await sources.talk(1, status="resolved"), "задержка", hours=1)
        await sources.say(await sources.talk(2, status="resolved"), "задержка", hours=1)
        await run(call)
        first, _ = await signals(call)
        await decide(call, first, "accepted")
        clock.advance(61 * 86_400)
        assert (await run(call)).closed == 1
        assert {s.status for s in await signals(call)} == {"accepted", "done"}


class TestDecisions:
    @pytest.fixture
    async def talk(self, call, sources):
        talk = await sources.talk(1, assignee="Ольга")
        await sources.say(talk, "задержка", hours=5)
        await run(call)
        return talk

    @pytest.mark.parametrize("status", ["dismissed", "done"])
    async def test_what_was_closed_stays_closed(self, call, talk, status):
        """T23: a dismissed signal stays dismissed when nothing new came."""
        await decide(call, await one(call), status)
        result = await run(call)
        assert (result.reopened, (await one(call)).status) == (0, status)

    @pytest.mark.parametrize("status", ["dismissed", "done"])
    async def test_new_evidence_raises_it_again(self, call, sources, talk, status):
        """Fault absent: a dismissed signal never re-opens."""
        before = await one(call)
        await decide(call, before, status)
        settled = (await read_signal(call, before.id)).settled
        assert (settled.by, settled.evidence_refs) == ("desktop", before.evidence_refs)
        await sources.say(talk, "опять задержка", hours=1)
        assert (await run(call)).reopened == 1
        found = await one(call)
        assert (found.id, found.status) == (before.id, "proposed")
        assert found.reopened_at is not None
        full = await read_signal(call, found.id)
        assert full.settled == settled, "with what it was closed is kept"
        assert full.actions[0].status == "proposed"

    async def test_older_words_that_arrive_later_do_not(self, call, sources, talk):
        await decide(call, await one(call), "dismissed")
        await sources.say(talk, "была задержка", hours=30)
        assert (await run(call)).reopened == 0

    async def test_an_edit_of_known_words_does_not(self, call, sources, talk):
        await decide(call, await one(call), "dismissed")
        await sources.say(talk, "задержка, уточняю", number=1, hours=5)
        assert (await run(call)).reopened == 0

    async def test_long_after_it_was_closed_another_story_begins(self, call, sources, talk, clock):
        await decide(call, await one(call), "done")
        clock.advance(20 * 86_400)
        await sources.say(talk, "снова задержка", hours=1)
        result = await run(call)
        risks = await signals(call, type="delivery_risk")
        assert (len(risks), result.reopened) == (2, 0)

    async def test_closing_closes_the_action_and_raising_raises_it(self, call, talk):
        """Fault absent: dismissing a signal leaves its next best action open."""
        signal = await one(call)
        for closed in ("dismissed", "done"):
            await decide(call, signal, closed)
            assert (await action_of(call, signal)).status == closed
            await decide(call, signal, "accepted")
            assert (await action_of(call, signal)).status == "proposed"

    async def test_an_action_decided_by_itself_stays_decided(self, call, talk):
        signal = await one(call)
        action = await action_of(call, signal)
        await set_next_action_status(call, action.id, SetActionStatus("cancelled"))
        await decide(call, signal, "dismissed")
        await decide(call, signal, "proposed")
        assert (await action_of(call, signal)).status == "cancelled"

    async def test_an_action_has_a_day_and_an_owner(self, call, talk):
        """Fault absent: due date and owner of an action are never set."""
        action = await action_of(call, await one(call))
        assert (action.due_date, action.owner_username) == ("2026-11-23", "Ольга")

    async def test_what_somebody_chose_stays(self, call, sources, talk):
        action = await action_of(call, await one(call))
        edited = (
            await edit_next_action(call, action.id, EditAction(due_date="2026-12-01", owner_username="ivan"))
        ).item
        assert (edited.due_date, edited.owner_username) == ("2026-12-01", "ivan")
        await sources.say(talk, "ещё задержка", hours=1)
        await run(call)
        action = await action_of(call, await one(call, "delivery_risk"))
        assert (action.due_date, action.owner_username) == ("2026-12-01", "ivan")
        cleared = (await edit_next_action(call, action.id, EditAction(owner_username=None))).item
        assert (cleared.due_date, cleared.owner_username) == ("2026-12-01", None)

    async def test_without_an_assignee_it_is_whose_project_it_is_or_who_asked(self, call, sources):
        await sources.say(await sources.talk(1), "задержка", hours=1)
        await run(call)
        assert (await action_of(call, await one(call))).owner_username == "owner"
        await sources.say(await sources.talk(2), "дорого", hours=1)
        await run(by_job(call.tower, "test", call.project_ref))
        assert (await action_of(call, await one(call, "commercial_pressure"))).owner_username is None
        await sources.run(
            "INSERT INTO app_user (id, username, password_hash, created_at, updated_at) "
            "VALUES ('u', 'olga', '$', '', '')"
        )
        await sources.run(
            "INSERT INTO project_assignment (id, user_id, project_id, assigned_at, assigned_by) "
            "VALUES ('a', 'u', :p, '', '')", p=call.project_id,
        )  # fmt: skip
        await sources.say(await sources.talk(3), "срочно", hours=1)
        await run(call)
        assert (await action_of(call, await one(call, "urgency_increase"))).owner_username == "olga"


class TestLists:
    async def test_filters_and_pages(self, call, sources):
        for number, text in enumerate(("задержка", "дорого", "дорого", "расширить", "срочно")):
            await sources.say(await sources.talk(number), text, hours=1)
        await run(call)
        everything = await signals(call)
        assert [s.severity for s in everything] == sorted((s.severity for s in everything), reverse=True)
        assert {s.severity for s in await signals(call, severity=3)} == {3}
        assert {s.severity for s in await signals(call, severity_min=4)} == {4}
        assert await signals(call, status="dismissed") == []
        assert await signals(call, status="nonsense") == []
        pages = [await signals(call, limit=2, offset=offset) for offset in (0, 2, 4, 6)]
        assert [s for page in pages for s in page] == everything
        actions = (await list_next_actions(call, ListByStatus(status="proposed"))).items
        assert [a.priority for a in actions] == sorted((a.priority for a in actions), reverse=True)

    async def test_another_project_sees_nothing(self, call, sources, other):
        await sources.say(await sources.talk(1), "задержка", hours=1)
        await run(call)
        await run(other.call)
        assert await signals(other.call) == []
        assert (await list_next_actions(other.call, ListByStatus())).items == []


class TestIncremental:
    async def test_the_cost_follows_what_is_new(self, call, sources, monkeypatch):
        """A run after 1 new message reads 1 message and as many rows as one conversation has recent ones."""
        talk = await sources.talk(1)
        for number in range(2, 60):
            await sources.say(await sources.talk(number), "Всё идёт по плану, Павел", hours=number)
        await run(call)
        read: list[str] = []
        rows = Query.rows

        def counted(query, db, **params):
            for row in rows(query, db, **params):
                read.append(query.row.__name__)
                yield row

        monkeypatch.setattr(Query, "rows", counted)
        await sources.say(talk, "задержка", hours=1)
        result = await run(call)
        assert result.messages_read == 1
        assert read.count("Said") == 2, "the message, and the recent ones of its conversation"

    async def test_a_run_without_news_writes_nothing(self, call, sources):
        await sources.say(await sources.talk(1), "задержка, когда?", days=3)
        await sources.issue(1, due="2026-11-01")
        await run(call)
        before = await sources.rows("SELECT * FROM signal UNION ALL SELECT * FROM signal")
        touched = []
        call.tower.db.changed.append(touched.append)
        await run(call)
        assert await sources.rows("SELECT * FROM signal UNION ALL SELECT * FROM signal") == before
        assert not {"signal", "signal_evidence", "next_action"} & {t for tables in touched for t in tables}

    async def test_a_deleted_project_takes_all_with_it(self, call, sources):
        await sources.say(await sources.talk(1), "задержка, расширить", hours=1)
        await run(call)
        await sources.say(await sources.talk(1), "ещё задержка", hours=0)
        await sources.run("DELETE FROM project WHERE id = :id", id=call.project_id)
        for table in (
            "signal",
            "signal_evidence",
            "next_action",
            "upsell_opportunity",
            "signal_queue",
            "signal_thread",
        ):
            assert await sources.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
