"""Completeness: the contract's percentages, what the vendor says it has, the warning below the threshold."""

from __future__ import annotations

import pytest

from ctower_desktop.connectors import completeness
from ctower_desktop.connectors.actions import (
    read_reconciliation,
    read_reconciliation_diff,
    run_reconciliation,
)
from ctower_desktop.connectors.answers import ReadReconciliation
from ctower_desktop.connectors.completeness import Gaps, Metric
from ctower_desktop.connectors.jobs import reconcile_daily


@pytest.mark.parametrize(("ok", "total", "expected"), [(5, 10, 50), (0, 0, 100), (15, 10, 100), (-3, 10, 0)])
def test_percent(ok, total, expected):
    assert completeness.percent_of(ok, total) == expected


def test_an_average_of_nothing_is_complete():
    assert completeness.average([]) == 100


def test_the_portfolio_is_weighted_by_size():
    def metric(pct, total):
        return Metric("x", "manual", pct, 0, 0, total, {}, "")

    found = completeness.portfolio("manual", [metric(100, 12), metric(66.67, 4), metric(100, 2)], "")
    assert found.completeness_pct == pytest.approx((1200 + 266.68 + 200) / 18, abs=0.01)


def test_what_the_vendor_has_more_is_missing():
    gaps = Gaps({"all": (10, 10)}, 10, 0, 0)
    found = completeness.metric("linear", "manual", gaps, {"issues": (8, 10)}, "")
    assert found.completeness_pct == 90
    assert found.missing_count == 2


async def test_an_empty_project_is_complete(bench):
    """Contract T19."""
    result = (await run_reconciliation(bench.call)).result
    assert [m.connector for m in result.metrics] == ["chatwoot", "linear", "attio", "portfolio"]
    assert {m.completeness_pct for m in result.metrics} == {100.0}
    assert [d.connector for d in (await read_reconciliation_diff(bench.call)).diff] == [
        "attio", "chatwoot", "linear",
    ]  # fmt: skip


async def test_gaps_are_counted_and_compared_with_the_run_before(bench):
    bench.talk("hello")
    bench.attio.add_deal("without a company")
    first = (await run_reconciliation(bench.call)).result
    attio = next(m for m in first.metrics if m.connector == "attio")
    assert attio.payload["parts"] == {
        "accounts_mapped": 100.0, "opportunities_mapped": 0.0, "refs_mapped": 100.0,
        "opportunities_with_ref": 0.0, "vendor": 100.0,
    }  # fmt: skip
    assert attio.missing_count == 1
    bench.clock.advance(60)
    bench.talk("more")
    await run_reconciliation(bench.call)
    diff = {d.connector: d for d in (await read_reconciliation_diff(bench.call)).diff}
    assert (diff["chatwoot"].previous_total, diff["chatwoot"].current_total) == (3, 5)
    trends = await read_reconciliation(bench.call, ReadReconciliation())
    assert [m.connector for m in trends.latest] == ["attio", "chatwoot", "linear", "portfolio"]
    assert [p.point for p in trends.trend] == ["2026-11-20"]
    assert {p.connector for p in trends.by_connector} == {"attio", "chatwoot", "linear"}


async def test_a_drop_is_written_to_the_audit_trail(bench):
    bench.attio.add_deal("without a company")
    await run_reconciliation(bench.call)
    lines = await bench.rows(
        "SELECT status, entity_id FROM audit_event WHERE action = 'reconciliation.completeness_drop'"
    )
    assert lines == [("warning", "attio")]


async def test_the_daily_job_finds_what_is_gone(bench):
    talks = [bench.talk(f"hello {n}") for n in range(10)]
    await bench.sync("chatwoot")
    bench.chatwoot.delete_conversation(talks[0].id)
    bench.clock.advance(86_400)
    summary = await reconcile_daily(bench.by_schedule())
    assert summary.completeness_pct == 100
    assert await bench.one("SELECT count(*) FROM conversation WHERE deleted_at IS NULL") == 9
    asked = len(bench.chatwoot.requests)
    await reconcile_daily(bench.by_schedule())
    assert len(bench.chatwoot.requests) == asked, "one enumeration a day serves every project"
