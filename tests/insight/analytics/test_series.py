"""Series and standings over several projects."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.analytics import actions, series_store, standing_store
from ctower_desktop.insight.analytics.model import NewEntry, RefreshAnalytics
from ctower_desktop.insight.risk.actions import refresh_risk
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project

SINCE = "2026-10-01"
TODAY, WEEK_AGO = "2026-11-20", "2026-11-13"


@pytest.fixture
async def two(call, world):
    """Two projects with the same work and money."""
    made = (await create_project(call, NewProject(name="Other"))).project
    other = desktop(call.tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
    for one in (call, other):
        there = type(world)(one)
        await there.conversation()
        await there.say("in", "2026-11-16 10:00")
        await there.say("out", "2026-11-16 11:00")
        await there.say("in", "2026-11-01 10:00", contact=2)
        await there.issue("2026-11-01", "2026-11-18")
        await there.issue("2026-11-01", due_date="2026-11-12")
        await there.deal("open", 1000.0, close="2026-11-30")
        await there.deal("won", 400.0, stage="won", updated="2026-11-12T00:00:00.000Z")
        await there.opportunity(amount=200.0, close="2026-12-10")
        await actions.add_cost(one, NewEntry(entry_type="cost", amount=50, currency="EUR", date="2026-11-17"))
        await actions.add_cost(
            one, NewEntry(entry_type="budget", amount=90, currency="EUR", date="2026-11-19")
        )
        await refresh_risk(one)
        await actions.refresh_analytics(one, RefreshAnalytics())
    return [call.project_id, other.project_id]


async def test_charts(call, world, two):
    async def read(series, *args):
        return await call.tower.db.read(series, two, *args)

    assert [(v.point, v.value) for v in await read(series_store.health, SINCE)] == [(TODAY, 98.0)]
    velocity = {v.point: v.value for v in await read(series_store.velocity, SINCE)}
    assert velocity["2026-11-16"] == 2.0, "weeks begin on Monday"
    assert [(v.point, v.value) for v in await read(series_store.overdue, TODAY)] == [("2026-11-09", 2.0)]
    answers = [(v.point, v.value) for v in await read(series_store.responsiveness, SINCE)]
    assert answers == [("2026-11-16", 21660.0)], "from the first of the month: nobody had answered that"
    risks = await read(series_store.risks, SINCE)
    assert [(r.point, r.count, r.severity_avg) for r in risks] == [("2026-11-16", 2, 1.0)]
    burn = await read(series_store.burn_and_budget, SINCE, "EUR")
    assert [(b.point, b.burn, b.budget) for b in burn] == [("2026-11-16", 100.0, 180.0)]
    assert await read(series_store.burn_and_budget, SINCE, "USD") == []


async def test_the_trend_is_of_one_horizon(call, two):
    """Fault absent: the trend added up the three horizons, three times the money."""
    (month,) = await call.tower.db.read(series_store.trend, two, SINCE, "EUR")
    assert month == series_store.TrendPoint("2026-11-01", 1080.0, 2400.0, 800.0, 100.0)
    (near,) = await call.tower.db.read(series_store.trend, two, SINCE, "EUR", 30)
    assert near.pipeline_amount == 2400.0
    assert await call.tower.db.read(series_store.trend, two, SINCE, "USD") == []


async def test_agreements_signed_offers_upsell_and_completeness(call, world, two):
    scope = {"p": call.project_id, "s": call.account_scope_id}
    await world.say("in", "2026-11-18 10:00", content="Мы согласовали договор", number=900)
    await world.sql(
        "INSERT INTO offer (id, project_id, account_scope_id, title, currency, subtotal, discount_pct, "
        "total, granted_pct, status, language, created_by, updated_by, created_at, updated_at, signed_at) "
        "VALUES (:id, :p, :s, 'x', 'EUR', 700, 0, 700, 0, 'signed', 'ru', 'x', 'x', :at, :at, :at)",
        id=new_id(), at="2026-11-18T00:00:00.000Z", **scope,
    )  # fmt: skip
    await world.sql(
        "INSERT INTO upsell_opportunity (id, project_id, account_scope_id, source_kind, source_ref, title, "
        "rationale, score, dedupe_key, last_seen_at, created_at, updated_at) VALUES "
        "(:id, :p, :s, 'deal', 'd', 'x', 'x', 0.7, 'k', :at, :at, :at)",
        id=new_id(), at="2026-11-18T00:00:00.000Z", **scope,
    )  # fmt: skip
    for pct, at in ((50.0, "2026-11-18T01"), (90.0, "2026-11-18T02")):
        for connector in ("linear", "portfolio"):
            await world.sql(
                "INSERT INTO reconciliation_metric (project_id, account_scope_id, connector, source, "
                "completeness_pct, duplicate_count, missing_count, total_count, captured_at) "
                "VALUES (:p, :s, :connector, 'manual', :pct, 1, 2, 3, :at)",
                pct=pct, at=at, connector=connector, **scope,
            )  # fmt: skip
    await world.count()
    read = call.tower.db.read
    (week,) = await read(series_store.agreements_and_signed_offers, two, SINCE)
    assert (week.point, week.agreements, week.signed_offers) == ("2026-11-16", 1, 1)
    upsell = await read(series_store.upsell_potential, two, SINCE)
    assert [(v.point, v.value) for v in upsell] == [("2026-11-16", 0.7)]
    (day,) = await read(series_store.completeness, two, SINCE)
    assert (day.point, day.completeness_pct, day.missing_count) == ("2026-11-18", 90.0, 2), (
        "the day's last word"
    )
    rows = await read(standing_store.money, two)
    assert [row.signed for row in rows] == sorted([700.0, 0.0], reverse=rows[0].project_id == call.project_id)


async def test_standings_in_the_order_asked_for(call, two):
    read = call.tower.db.read
    first, second = await read(standing_store.standings, two[::-1], TODAY, WEEK_AGO)
    assert [first.project_id, second.project_id] == two[::-1]
    assert first == standing_store.Standing(two[1], 2, 1, 1, 1, 98.0, 1, 0)
    assert await read(standing_store.standings, [new_id()], TODAY, WEEK_AGO) == []


async def test_money_funnel_and_forecast(call, two):
    read = call.tower.db.read
    row = (await read(standing_store.money, two))[0]
    assert (row.currency, row.attio_pipeline, row.attio_expected, row.crm_pipeline) == (
        "EUR", 1000.0, 500.0, 200.0,
    )  # fmt: skip
    assert (row.crm_expected, row.won, row.costs, row.budget, row.deals) == (40.0, 400.0, 50.0, 90.0, 3)
    funnel = await read(standing_store.funnel, two)
    assert [(f.stage, f.opportunities, f.amount) for f in funnel] == [
        ("proposal", 4, 2400.0),
        ("won", 2, 800.0),
    ]
    forecast = await read(standing_store.forecast, two, TODAY)
    assert [f.days for f in forecast] == [20.0, 20.0], "the later of both sources"


async def test_a_fresh_project_stands_at_nothing(call):
    read = call.tower.db.read
    (standing,) = await read(standing_store.standings, [call.project_id], TODAY, WEEK_AGO)
    assert standing == standing_store.Standing(call.project_id, 0, 0, 0, 0, None, 0, 0)
    assert await read(standing_store.money, [call.project_id]) == []
