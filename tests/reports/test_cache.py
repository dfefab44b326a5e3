"""Overviews in memory: handed out again only while nothing they were made from has changed."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.analytics.settings import AnalyticsSettings
from ctower_desktop.reports.actions import read_control_tower, read_portfolio_overview
from ctower_desktop.reports.cache import Cache
from ctower_desktop.reports.portfolio import OverviewQuery


@pytest.fixture
async def cache(tower) -> Cache:
    return await tower.part(Cache)


def counted(values):
    made = []

    async def make():
        made.append(1)
        return values[len(made) - 1]

    return make, made


def total(tower, name: str) -> float:
    return tower.metrics.registry.get_sample_value(f"app_cache_{name}") or 0.0


TABLES = frozenset({"issue", "settings"})


async def test_the_second_asker_gets_what_was_made(cache, tower):
    make, made = counted(["a", "b"])
    assert [await cache.get("k", TABLES, 60, make) for _ in range(3)] == ["a"] * 3
    assert len(made) == 1
    assert (total(tower, "hits_total"), total(tower, "misses_total"), total(tower, "sets_total")) == (2, 1, 1)
    assert total(tower, "enabled") == 1


async def test_another_key_is_another_answer(cache):
    make, _ = counted(["a", "b"])
    assert [await cache.get(k, TABLES, 60, make) for k in (("x", 1), ("x", 2))] == ["a", "b"]


async def test_a_changed_table_drops_what_was_made_from_it_and_nothing_else(cache, fill, tower):
    make, made = counted(["a", "b"])
    other, others = counted(["x", "y"])
    await cache.get("issues", TABLES, 60, make)
    await cache.get("offers", frozenset({"offer"}), 60, other)
    await fill.issue()
    assert await cache.get("issues", TABLES, 60, make) == "b"
    assert await cache.get("offers", frozenset({"offer"}), 60, other) == "x"
    assert (len(made), len(others)) == (2, 1)
    assert total(tower, "invalidations_total") == 1


async def test_what_changed_while_it_was_made_is_not_kept(cache, fill):
    async def slowly():
        await fill.issue()
        return "old"

    assert await cache.get("k", TABLES, 60, slowly) == "old"
    make, made = counted(["new"])
    assert await cache.get("k", TABLES, 60, make) == "new"
    assert made


async def test_what_preparing_writes_does_not_make_it_stale(cache, fill):
    make, made = counted(["a", "b"])
    await cache.get("k", TABLES, 60, make, prepare=fill.issue)
    assert await cache.get("k", TABLES, 60, make, prepare=fill.issue) == "a"
    assert len(made) == 1


async def test_figures_of_the_last_days_age_without_a_change(cache, clock):
    make, _ = counted(["a", "b"])
    await cache.get("k", TABLES, 60, make)
    clock.advance(59)
    assert await cache.get("k", TABLES, 60, make) == "a"
    clock.advance(2)
    assert await cache.get("k", TABLES, 60, make) == "b"


async def test_a_setting_drops_what_depends_on_it(cache, tower):
    make, _ = counted(["a", "b"])
    await cache.get("k", TABLES, 60, make)
    await tower.settings.change(AnalyticsSettings, {"currency": "EUR"})
    assert await cache.get("k", TABLES, 60, make) == "b"


async def test_it_is_bounded(tower, monkeypatch):
    monkeypatch.setattr("ctower_desktop.reports.cache._MOST", 3)
    cache = await Cache.start(tower)
    for number in range(10):
        make, _ = counted([number])
        await cache.get(number, TABLES, 60, make)
    assert len(cache) == 3
    make, made = counted(["again"])
    assert await cache.get(9, TABLES, 60, make) == 9
    assert not made
    await cache.stop()


async def test_the_limits_are_part_of_the_key(call, fill):
    """Fault absent: cache key without limits."""
    talk = await fill.conversation(await fill.contact())
    for number in range(9):
        await fill.message(talk, f"Сообщение {number}", fill.ago(hours=number))
    few = await read_portfolio_overview(call, OverviewQuery(message_limit=5))
    many = await read_portfolio_overview(call, OverviewQuery(message_limit=40))
    assert (len(few.messages), len(many.messages)) == (5, 9)


async def test_overviews_follow_every_change_at_once(call, fill):
    """Fault absent: stale overview after a mutation."""
    assert (await read_control_tower(call)).integrations.linear.issues_total == 0
    assert (await read_portfolio_overview(call, OverviewQuery())).dashboard.totals.risks_open == 0
    await fill.issue()
    await fill.risk("Срок под угрозой")
    assert (await read_control_tower(call)).integrations.linear.issues_total == 1
    assert (await read_portfolio_overview(call, OverviewQuery())).dashboard.totals.risks_open == 1


async def test_a_second_look_comes_from_memory(call, fill, tower):
    await fill.issue()
    first = await read_portfolio_overview(call, OverviewQuery())
    assert await read_portfolio_overview(call, OverviewQuery()) is first
    tower_view = await read_control_tower(call)
    assert await read_control_tower(call) is tower_view
