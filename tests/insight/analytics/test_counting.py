"""Figures of days follow what changes, and only that; each deal is one line."""

from __future__ import annotations

from datetime import date

import pytest

from ctower_desktop.crm import store as crm
from ctower_desktop.inbox import store as inbox
from ctower_desktop.insight.analytics import aggregate_store
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.work import store as work


async def days(world):
    await world.count()
    return await world.sql(
        "SELECT day, inbound, outbound, answers, answer_minutes FROM daily_figure ORDER BY day"
    )


async def lines(world):
    await world.count()
    return await world.sql(
        "SELECT source, stage, amount, currency, substr(closed_at, 1, 10) FROM revenue_line "
        "ORDER BY source, source_ref"
    )


async def test_inbound_is_what_clients_wrote(world):
    """Fault absent: inbound counted all messages."""
    await world.conversation()
    await world.say("in", "2026-11-10 10:00")
    await world.say("in", "2026-11-10 10:10")
    await world.say("out", "2026-11-10 11:00")
    await world.say("event", "2026-11-10 11:01")
    await world.say("template", "2026-11-10 11:02")
    assert await days(world) == [("2026-11-10", 2, 1, 1, 60.0)]


async def test_private_notes_count_nowhere(world):
    """Fault absent: private notes were counted as messages."""
    await world.conversation()
    await world.say("in", "2026-11-10 10:00")
    await world.say("out", "2026-11-10 10:30", private=True)
    await world.say("out", "2026-11-11 10:00", private=True)
    assert await days(world) == [("2026-11-10", 1, 0, 0, 0.0)]


async def test_the_day_of_an_answer_has_its_minutes(world):
    await world.conversation()
    await world.say("in", "2026-11-10 23:30")
    await world.say("out", "2026-11-11 00:30")
    assert await days(world) == [("2026-11-10", 1, 0, 0, 0.0), ("2026-11-11", 0, 1, 1, 60.0)]


async def test_a_message_that_arrives_late_moves_the_answer(world):
    await world.conversation()
    await world.say("in", "2026-11-10 10:00")
    await world.say("out", "2026-11-12 10:00")
    assert (await days(world))[1] == ("2026-11-12", 0, 1, 1, 2880.0)
    await world.say("out", "2026-11-11 10:00")
    assert await days(world) == [
        ("2026-11-10", 1, 0, 0, 0.0), ("2026-11-11", 0, 1, 1, 1440.0), ("2026-11-12", 0, 1, 0, 0.0),
    ]  # fmt: skip


async def test_what_is_removed_edited_or_comes_back_is_counted_anew(world):
    await world.conversation()
    await world.say("in", "2026-11-10 10:00", number=1)
    answer = await world.say("out", "2026-11-10 11:00", number=2)
    await days(world)
    db = world.call.tower.db
    await db.write(inbox.MESSAGE.bury, [answer], "2026-11-12T00:00:00.000Z", "gone")
    assert await days(world) == [("2026-11-10", 1, 0, 0, 0.0)]
    await world.say("out", "2026-11-11 11:00", number=2)
    assert await days(world) == [("2026-11-10", 1, 0, 0, 0.0), ("2026-11-11", 0, 1, 1, 1500.0)]
    await db.write(inbox.MESSAGE.drop, [answer])
    assert await days(world) == [("2026-11-10", 1, 0, 0, 0.0)]


async def test_nothing_is_read_again_when_nothing_changed(world):
    await world.conversation()
    await world.say("in", "2026-11-10 10:00", number=1)
    await world.count()
    await world.say("in", "2026-11-10 10:00", number=1)  # the vendor's row again, as it was
    assert await world.sql("SELECT * FROM analytics_due") == []
    touched: list[frozenset[str]] = []
    world.call.tower.db.changed.append(touched.append)
    assert await caught_up(world.call.tower, [world.call.project_id])
    assert touched == []


async def test_cost_follows_what_changed_and_not_history(world):
    """A hundred conversations of history; one new message reads one conversation from its last answer on."""
    for number in range(1, 101):
        await world.conversation(number)
        await world.say("in", "2026-11-01 10:00", conversation=number)
        await world.say("out", "2026-11-01 11:00", conversation=number)
    await world.count()
    await world.say("in", "2026-11-02 10:00", conversation=7)
    due = await world.sql("SELECT kind, count(*) FROM analytics_due GROUP BY kind ORDER BY kind")
    assert due == [("message_day", 1), ("talk", 1)]
    steps: list[str] = []

    def counted(db):
        db.trace_v2(1, lambda event: steps.append(event["sql"]))
        try:
            return aggregate_store.catch_up(db, world.call.project_id, world.call.account_scope_id)
        finally:
            db.trace_v2(0, None)

    assert await world.call.tower.db.write(counted) == 2
    assert 0 < len(steps) < 15
    assert (await days(world))[-1] == ("2026-11-02", 1, 0, 0, 0.0)


async def test_issues_by_day_and_the_time_they_took(world):
    """Fault absent: lead time was always 0."""
    done = await world.issue("2026-11-01", "2026-11-05")
    await world.issue("2026-11-01")
    await world.count()
    figures = "SELECT day, issues_created, issues_completed, lead_hours FROM daily_figure ORDER BY day"
    assert await world.sql(figures) == [("2026-11-01", 2, 0, 0.0), ("2026-11-05", 0, 1, 96.0)]
    await world.sql("UPDATE issue SET completed_at = NULL WHERE id = :id", id=done)
    await world.count()
    assert await world.sql(figures) == [("2026-11-01", 2, 0, 0.0)]
    await world.call.tower.db.write(work.ISSUE.drop, [done])
    await world.count()
    assert await world.sql(figures) == [("2026-11-01", 1, 0, 0.0)]


async def test_a_mirrored_opportunity_is_its_deal_and_is_counted_once(world):
    """Fault absent: manual opportunities were missing, or mirrored ones would count twice."""
    await world.deal("d1", 1000.0)
    await world.opportunity(ref="d1", source="attio", amount=1200.0, stage="negotiation")
    await world.opportunity(amount=300.0, currency=None)
    assert await lines(world) == [
        ("attio", "negotiation", 1200.0, "EUR", None),
        ("manual", "proposal", 300.0, "", None),
    ]


async def test_a_deal_without_company_is_a_line_too_and_closes_when_seen_closed(world):
    await world.deal("d1", 1000.0, updated="2026-11-11T00:00:00.000Z")
    assert await lines(world) == [("attio", "proposal", 1000.0, "EUR", None)]
    await world.deal("d1", 1000.0, stage="Closed Won", updated="2026-11-12T00:00:00.000Z")
    assert await lines(world) == [("attio", "won", 1000.0, "EUR", "2026-11-12")]
    await world.deal("d1", 900.0, stage="won", updated="2026-11-15T00:00:00.000Z")
    assert await lines(world) == [("attio", "won", 900.0, "EUR", "2026-11-12")], "it was won before"
    money = "SELECT day, currency, won_count, won_amount FROM daily_money"
    assert await world.sql(money) == [("2026-11-12", "EUR", 1, 900.0)]
    await world.deal("d1", 900.0, stage="Proposal")
    assert await lines(world) == [("attio", "proposal", 900.0, "EUR", None)]
    assert await world.sql(money) == []


async def test_lines_go_with_what_they_are_of(world):
    await world.deal("d1")
    own = await world.opportunity()
    await world.opportunity(ref="d2", source="attio", amount=70.0)
    assert len(await lines(world)) == 2, "a mirrored one waits for its deal"
    db = world.call.tower.db
    await db.write(crm.DEAL.bury, [f"attiodeal:{world.call.project_id}:1:d1"], "2026-11-12", "gone")
    await world.sql(
        "UPDATE crm_opportunity SET deleted_at = 'x', deleted_reason = 'archived' WHERE id = :id", id=own
    )
    assert await lines(world) == []
    assert await world.sql("SELECT * FROM pipeline_figure") == []
    await world.deal("d2", 60.0)
    assert await lines(world) == [("attio", "proposal", 70.0, "EUR", None)]
    await world.sql("DELETE FROM crm_opportunity WHERE external_ref = 'd2'")
    assert await lines(world) == [("attio", "proposal", 60.0, "EUR", None)]


async def test_a_deleted_project_takes_its_figures_along(world):
    await world.conversation()
    await world.say("in", "2026-11-10 10:00")
    await world.issue("2026-11-01")
    await world.deal("d1")
    await world.opportunity()
    await world.count()
    await world.say("out", "2026-11-10 11:00")
    await world.sql("DELETE FROM project WHERE id = :id", id=world.call.project_id)
    for table in ("analytics_due", "daily_figure", "daily_contact", "client_burst", "revenue_line",
                  "pipeline_figure", "daily_money"):  # fmt: skip
        assert await world.sql(f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_figures_of_days_are_those_of_a_count_from_scratch(world):
    """However rows came, changed and went, the kept figures equal those of counting everything at once."""
    for number in range(1, 6):
        await world.conversation(number)
    for n in range(60):
        kind = ("in", "out", "in", "event", "out", "in")[n * 7 % 6]
        day = date(2026, 11, 1 + n * 11 % 15)
        await world.say(
            kind, f"{day} {n * 5 % 24:02}:{n % 60:02}", conversation=1 + n % 5, contact=n % 7,
            private=n % 9 == 0,
        )  # fmt: skip
        if n % 4 == 0:
            await world.count()
        if n % 10 == 5:
            await world.sql("DELETE FROM message WHERE rowid = (SELECT max(rowid) - 2 FROM message)")
    kept = await days(world), await bursts(world), await contacts(world)
    for table in ("daily_figure", "client_burst", "daily_contact"):
        await world.sql(f"DELETE FROM {table} WHERE true")
    await world.sql("UPDATE message SET content = content || '.' WHERE true")
    assert (await days(world), await bursts(world), await contacts(world)) == kept


async def bursts(world):
    return await world.sql(
        "SELECT conversation_global_id, started_at, messages, answered_at, minutes FROM client_burst "
        "ORDER BY conversation_global_id, started_at"
    )


async def contacts(world):
    return await world.sql("SELECT day, contact_global_id FROM daily_contact ORDER BY day, contact_global_id")


@pytest.mark.parametrize("limit", [1, 3])
async def test_counting_goes_in_steps(world, limit):
    for n in range(1, 6):
        await world.issue(f"2026-11-0{n}")
    write = world.call.tower.db.write
    scope = world.call.account_scope_id
    done = [await write(aggregate_store.catch_up, world.call.project_id, scope, limit) for _ in range(6)]
    assert sum(done) == 5
    assert max(done) == limit
