"""Snapshots, overview, days, who waits, evidence and costs: called as every door calls them."""

from __future__ import annotations

import msgspec
import pytest

from ctower_desktop.insight.analytics import actions, snapshots
from ctower_desktop.insight.analytics.model import (
    DrillDown,
    EntryNotFound,
    InvalidDate,
    ListEntries,
    ListUnanswered,
    NewEntry,
    ReadDays,
    RefreshAnalytics,
)
from ctower_desktop.insight.analytics.settings import AnalyticsSettings
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.jobs import JOBS
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project

TODAY = "2026-11-20"


async def refresh(call, days=30):
    return (await actions.refresh_analytics(call, RefreshAnalytics(days))).result


async def overview(call):
    return await actions.read_analytics_overview(call)


async def spend(call, kind, amount, currency="EUR", date=TODAY):
    body = NewEntry(entry_type=kind, amount=amount, currency=currency, date=date)
    return (await actions.add_cost(call, body)).entry


async def test_an_empty_project(call):
    assert msgspec.to_builtins(await overview(call)) == {
        "revenue": [], "delivery": None, "comms": None, "pipeline": [],
    }  # fmt: skip
    found = await refresh(call)
    assert (found.period_start, found.period_end) == ("2026-10-21", TODAY)
    assert (found.pipeline_amount, found.open_issues, found.inbound_messages) == (0.0, 0, 0)
    assert found.avg_response_minutes is None, "no figure that was not measured"
    assert [r.horizon_days for r in (await overview(call)).revenue] == [30, 60, 90]


@pytest.mark.parametrize("days", [0, 121, "x"])
def test_the_period_has_bounds(days):
    """T31: 121 days are refused."""
    with pytest.raises(Invalid):
        check({"period_days": days}, RefreshAnalytics)
    assert check({}, RefreshAnalytics).period_days == 30


async def test_horizons_follow_expected_close_dates(call, world):
    """Fault absent: the three horizons had identical values."""
    for ref, close in [("a", "2026-12-01"), ("b", "2027-01-10"), ("c", "2027-02-10"), ("d", "2027-06-01"),
                       ("e", None), ("f", "2026-11-01")]:  # fmt: skip
        await world.deal(ref, 1000.0, close=close, probability=0.5)
    found = await refresh(call)
    assert (found.pipeline_amount, found.expected_revenue) == (6000.0, 3000.0)
    shown = await overview(call)
    assert [(r.horizon_days, r.pipeline_amount, r.expected_revenue) for r in shown.revenue] == [
        (30, 2000.0, 1000.0), (60, 3000.0, 1500.0), (90, 4000.0, 2000.0),
    ]  # fmt: skip
    assert [(p.deals, p.undated_deals) for p in shown.pipeline] == [(6, 1)]


async def test_won_deals_and_costs_are_real_and_so_is_the_margin(call, world):
    """Fault absent: won and costs were always 0 and the margin was the forecast."""
    await world.deal("open", 5000.0, probability=0.4)
    await world.deal("won", 3000.0, stage="won", updated="2026-11-12T00:00:00.000Z")
    await world.deal("before", 700.0, stage="won", updated="2026-10-12T00:00:00.000Z")
    await world.deal("lost", 900.0, stage="lost", updated="2026-11-12T00:00:00.000Z")
    await spend(call, "cost", 1200.50)
    await spend(call, "cost", 5.0, date="2026-10-01")
    await refresh(call)
    row = (await overview(call)).revenue[0]
    assert (row.won_amount, row.costs_amount, row.gross_margin) == (3000.0, 1200.5, 1799.5)
    assert row.expected_revenue == 2000.0
    await spend(call, "revenue", 4000.0)
    await refresh(call)
    assert (await overview(call)).revenue[0].gross_margin == 2799.5, "what was paid, where that is known"


async def test_manual_opportunities_are_revenue_and_mirrored_ones_count_once(call, world):
    """Fault absent: manual CRM opportunities were not in analytics."""
    await world.deal("d1", 1000.0)
    await world.opportunity(ref="d1", source="attio", amount=1000.0, probability=0.5)
    await world.opportunity(amount=500.0, probability=0.2)
    found = await refresh(call)
    assert (found.pipeline_amount, found.expected_revenue) == (1500.0, 600.0)


async def test_currencies_stand_side_by_side(call, world):
    """Fault absent: amounts were added across currencies."""
    await world.deal("a", 1000.0, currency="EUR")
    await world.deal("b", 2000.0, currency="EUR")
    await world.deal("c", 70000.0, currency="RUB")
    await world.opportunity(amount=10.0, currency=None)
    await spend(call, "cost", 3.0, "GBP")
    found = await refresh(call)
    assert (found.currency, found.pipeline_amount) == ("EUR", 3010.0)
    row = (await overview(call)).revenue[0]
    assert [(c.currency, c.pipeline_amount, c.costs_amount) for c in row.by_currency] == [
        ("EUR", 3010.0, 0.0), ("GBP", 0.0, 3.0), ("RUB", 70000.0, 0.0),
    ]  # fmt: skip
    await call.tower.settings.change(AnalyticsSettings, {"currency": "RUB"})
    assert (await refresh(call)).pipeline_amount == 70010.0
    assert (await overview(call)).pipeline[0].currency == "RUB"


async def test_delivery_is_of_the_period(call, world):
    """Fault absent: completed counted all time, and throughput was the same figure."""
    await world.issue("2026-01-01", "2026-01-05")
    await world.issue("2026-11-10", "2026-11-14")
    await world.issue("2026-11-10", "2026-11-12")
    await world.issue("2026-11-18", due_date="2026-11-19")
    await world.issue("2026-11-18", due_date=TODAY)
    await world.issue("2026-11-18", canceled_at="2026-11-19T00:00:00.000Z")
    found = await refresh(call, 14)
    assert (found.open_issues, found.overdue_issues, found.completed_issues) == (2, 1, 2)
    row = (await overview(call)).delivery
    assert (row.created_issues, row.throughput, row.lead_time_days) == (5, 1.0, 3.0)
    assert (row.period_start, row.period_end) == ("2026-11-06", TODAY)


async def test_communication_of_the_period(call, world):
    await world.conversation(1)
    await world.conversation(2)
    await world.conversation(3, status="resolved")
    await world.say("in", "2026-09-01 10:00", contact=9)
    await world.say("out", "2026-09-01 10:01", contact=9)
    await world.say("in", "2026-11-18 10:00", contact=1)
    await world.say("in", "2026-11-18 10:20", contact=1)
    await world.say("out", "2026-11-18 11:00", contact=1)
    await world.say("in", "2026-11-19 10:00", conversation=2, contact=2, content="Где макет?")
    await world.say("in", "2026-11-19 10:00", conversation=3, contact=2, content="Спасибо!")
    found = await refresh(call)
    assert (found.inbound_messages, found.outbound_messages, found.avg_response_minutes) == (4, 1, 60.0)
    row = (await overview(call)).comms
    assert (row.unique_contacts, row.answered, row.unanswered) == (2, 1, 1)


@pytest.mark.parametrize(("waits", "median"), [((10, 20, 600), 20.0), ((10, 30), 20.0), ((7,), 7.0)])
async def test_one_late_answer_does_not_move_the_median(call, world, waits, median):
    for number, minutes in enumerate(waits, start=1):
        await world.conversation(number)
        await world.say("in", "2026-11-18 00:00", conversation=number)
        await world.say("out", f"2026-11-18 {minutes // 60:02}:{minutes % 60:02}", conversation=number)
    found = await refresh(call)
    assert found.median_response_minutes == median
    assert found.avg_response_minutes == sum(waits) / len(waits)


async def test_who_waits_for_an_answer(call, world):
    """Fault absent: messages nobody answered were in no figure."""
    for number in (1, 2, 3):
        await world.conversation(number, status="resolved" if number == 3 else "open")
        await world.say("in", f"2026-11-20 0{number}:00", conversation=number, content=f"Вопрос {number}")
    await world.say("in", "2026-11-20 09:30", conversation=1)
    found = await actions.list_unanswered(call, ListUnanswered())
    assert found.total == 2
    assert [(w.snippet, w.messages, w.waiting_minutes) for w in found.waiting] == [
        ("Вопрос 1", 2, 540.0), ("Вопрос 2", 1, 480.0),
    ]  # fmt: skip
    assert found.waiting[0].assignee_name == "Олег"
    page = await actions.list_unanswered(call, ListUnanswered(limit=1, offset=1))
    assert [w.snippet for w in page.waiting] == ["Вопрос 2"]


async def test_figures_by_day(call, world):
    await world.conversation()
    await world.say("in", "2026-11-19 10:00")
    await world.say("out", "2026-11-20 10:00")
    await world.issue("2026-11-17", "2026-11-20")
    await world.deal("won", 3000.0, stage="won", updated="2026-11-19T00:00:00.000Z")
    await spend(call, "budget", 9000)
    found = await actions.read_daily_figures(call, ReadDays(2))
    assert [(d.day, d.inbound, d.outbound, d.avg_response_minutes, d.lead_time_days) for d in found.days] == [
        ("2026-11-19", 1, 0, None, None), ("2026-11-20", 0, 1, 1440.0, 3.0),
    ]  # fmt: skip
    assert [(m.day, m.currency, m.won_amount, m.budget) for m in found.money] == [
        ("2026-11-19", "EUR", 3000.0, 0.0), ("2026-11-20", "EUR", 0.0, 9000.0),
    ]  # fmt: skip


async def test_snapshots_of_a_period_are_replaced_not_repeated(call, world):
    for _ in range(3):
        await refresh(call)
    await refresh(call, 7)
    counts = [
        await world.sql(f"SELECT count(*) FROM {table}")
        for table in ("revenue_snapshot", "delivery_snapshot", "comms_snapshot")
    ]
    assert counts == [[(3,)], [(2,)], [(2,)]]


async def test_the_job_refreshes_thirty_days(call, world):
    await world.issue("2026-11-18")
    found = await JOBS["analytics_aggregates"].handler(call)
    assert (found.period_start, found.open_issues) == ("2026-10-21", 1)
    assert JOBS["health_scoring"].then == ("analytics_aggregates",)


class TestCosts:
    async def test_an_entry_and_its_way(self, call, world):
        body = NewEntry(entry_type="cost", amount=10.005, currency="eur", note="  ")
        entry = (await actions.add_cost(call, body)).entry
        assert (entry.amount, entry.currency, entry.date, entry.note) == (10.01, "EUR", TODAY, "  ")
        await spend(call, "budget", 100, date="2026-11-25")
        await spend(call, "cost", 5, "USD", "2026-11-01")
        found = await actions.list_costs(call, ListEntries())
        assert [e.date for e in found.entries] == ["2026-11-25", TODAY, "2026-11-01"]
        assert [(t.entry_type, t.currency, t.amount) for t in found.totals] == [
            ("budget", "EUR", 100.0), ("cost", "EUR", 10.01), ("cost", "USD", 5.0),
        ]  # fmt: skip
        assert len((await actions.list_costs(call, ListEntries(entry_type="cost"))).entries) == 2
        await actions.delete_cost(call, entry.id)
        with pytest.raises(EntryNotFound):
            await actions.delete_cost(call, entry.id)
        assert await world.sql("SELECT day, currency, costs FROM daily_money WHERE costs > 0") == [
            ("2026-11-01", "USD", 5.0)
        ]

    async def test_without_a_currency_it_is_the_main_one(self, call, world):
        await world.deal("a", currency="EUR")
        await world.count()
        assert (await spend(call, "cost", 1, "")).currency == "EUR"

    @pytest.mark.parametrize("date", ["2026-02-30", "2026-13-01"])
    async def test_a_day_must_exist(self, call, date):
        with pytest.raises(InvalidDate):
            await spend(call, "cost", 1, date=date)

    @pytest.mark.parametrize(
        "changes",
        [{"amount": 0}, {"amount": -1}, {"amount": 2e9}, {"currency": "EURO"}, {"currency": "12"},
         {"date": "20.11.2026"}, {"entry_type": "gift"}],
    )  # fmt: skip
    def test_bad_entries_are_refused(self, changes):
        with pytest.raises(Invalid):
            check({"entry_type": "cost", "amount": 1} | changes, NewEntry)


async def test_drill_down_by_type_and_table(call, world):
    for n, (kind, table) in enumerate(
        [("signal", "external"), ("cw_messages", "cw_messages"), ("inferred", "cw_messages")]
    ):
        await world.sql(
            "INSERT INTO evidence_item (project_id, account_scope_id, source_type, source_table, source_pk, "
            "payload, created_at, updated_at) VALUES (:p, :s, :kind, :table, :pk, '{}', :at, :at)",
            p=call.project_id, s=call.account_scope_id, kind=kind, table=table, pk=str(n), at=f"{TODAY}T0{n}",
        )  # fmt: skip

    async def pks(**query):
        return [e.source_pk for e in (await actions.drill_down(call, DrillDown(**query))).evidence]

    assert await pks() == ["2", "1", "0"]
    assert await pks(source="CW_Messages") == ["2", "1"], "once, though type and table both match"
    assert await pks(source="signal") == ["0"]
    assert await pks(source="sig") == []
    assert await pks(limit=1, offset=1) == ["1"]


async def test_another_project_sees_nothing(call, world):
    """T14 of analytics."""
    await world.conversation()
    await world.say("in", "2026-11-19 10:00")
    await world.deal("a")
    entry = await spend(call, "cost", 1)
    await refresh(call)
    made = (await create_project(call, NewProject(name="Other"))).project
    other = desktop(call.tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
    assert (await overview(other)).revenue == []
    found = await refresh(other)
    assert (found.pipeline_amount, found.inbound_messages) == (0.0, 0)
    assert (await actions.list_costs(other, ListEntries())).entries == []
    assert (await actions.list_unanswered(other, ListUnanswered())).waiting == []
    assert (await actions.read_daily_figures(other, ReadDays())).days == []
    for gone in (entry.id, new_id()):
        with pytest.raises(EntryNotFound):
            await actions.delete_cost(other, gone)


def test_days_are_counted_over_months():
    assert snapshots.later("2026-11-20", 90) == "2027-02-18"
    assert snapshots.later("2026-03-01", -1) == "2026-02-28"
