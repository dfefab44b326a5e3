"""The control tower of one project."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from msgspec import UNSET

from ctower_desktop.insight.kag.settings import Kag
from ctower_desktop.reports.actions import read_control_tower, read_portfolio_overview
from ctower_desktop.reports.portfolio import OverviewQuery


async def test_an_empty_project_says_so(call):
    found = msgspec.to_builtins(await read_control_tower(call))
    parts = found["integrations"]
    assert parts["sync_watermarks"] == []
    assert parts["linear"] == {"issues_total": 0, "issues_open": 0, "issues_overdue": 0}
    assert {k: parts["attio"][k] for k in ("accounts", "annual_revenue", "pipeline_amount")} == {
        "accounts": 0, "annual_revenue": 0.0, "pipeline_amount": 0.0,
    }  # fmt: skip
    assert parts["chatwoot"] == {"conversations": 0, "messages_7d": 0, "unanswered": 0}
    assert found["top_nba"] == found["evidence"] == found["critical_signals"] == []
    assert found["risk"] == {"health": None, "risks": [], "patterns": []}
    assert {k: found["analytics"][k] for k in ("revenue", "delivery", "comms")} == {
        "revenue": [], "delivery": None, "comms": None,
    }  # fmt: skip


async def test_issues_are_open_until_done_cancelled_or_archived(call, fill, clock):
    today = clock.now().date()
    await fill.issue(due_date=(today - timedelta(days=1)).isoformat())
    await fill.issue(due_date=today.isoformat())
    await fill.issue(completed_at=fill.ago(days=1), due_date="2026-01-01")
    await fill.issue(canceled_at=fill.ago(days=1), due_date="2026-01-01")
    await fill.issue(archived_at=fill.ago(days=1), due_date="2026-01-01")
    await fill.issue(deleted_at=fill.ago(days=1), deleted_reason="gone", due_date="2026-01-01")
    linear = (await read_control_tower(call)).integrations.linear
    assert (linear.issues_total, linear.issues_open, linear.issues_overdue) == (5, 2, 1)


async def test_conversations_are_conversations_and_notes_are_private(call, fill):
    """Fault absent: conversations counted as messages."""
    talk = await fill.conversation(await fill.contact())
    await fill.conversation()
    await fill.conversation(deleted_at=fill.ago(days=1), deleted_reason="gone")
    await fill.message(talk, "Где макет?", fill.ago(hours=3))
    await fill.message(talk, "Секрет", fill.ago(hours=2), incoming=False, private=1)
    await fill.message(talk, "Разговор назначен", fill.ago(hours=2), message_type="2")
    await fill.message(talk, "Давно", fill.ago(days=8), incoming=False)
    chatwoot = (await read_control_tower(call)).integrations.chatwoot
    assert (chatwoot.conversations, chatwoot.messages_7d, chatwoot.unanswered) == (2, 1, 1)


async def test_how_far_every_source_was_read(call, fill):
    """Watermarks carry the account behind the name of the source."""
    for source in ("linear:workspace", "chatwoot:1", "attio:workspace", "loops:x"):
        await fill.row("sync_watermark", source=source, cursor_ts=fill.ago(hours=1), cursor_id="1",
                       updated_at=fill.ago(hours=1))  # fmt: skip
    found = (await read_control_tower(call)).integrations.sync_watermarks
    assert [one.source for one in found] == ["attio:workspace", "chatwoot:1", "linear:workspace"]


async def test_the_tower_and_the_overview_count_messages_alike(call, fill):
    talk = await fill.conversation(await fill.contact())
    for number in range(10):
        await fill.message(talk, f"Сообщение {number}", fill.ago(days=number, hours=3))
        await fill.message(talk, "Робот ответил", fill.ago(days=number), sender_type="agent_bot")
    tower = (await read_control_tower(call)).integrations.chatwoot.messages_7d
    overview = await read_portfolio_overview(call, OverviewQuery())
    assert tower == overview.dashboard.totals.messages_7d == overview.dashboard.by_project[0].messages_7d > 0


async def test_only_open_stages_are_pipeline_and_currencies_stay_apart(call, fill):
    """Fault absent: won and lost deals in the pipeline."""
    await fill.company(annual_revenue=1_000_000.0)
    await fill.company("Beta", annual_revenue=500_000.0)
    for title, stage, amount, currency in (
        ("Сайт", "proposal", 12_000.0, "EUR"), ("Логотип", "discovery", 3_000.0, "EUR"),
        ("Приложение", "won", 90_000.0, "EUR"), ("Буклет", "lost", 7_000.0, "EUR"),
        ("Склад", "negotiation", 400_000.0, "RUB"),
    ):  # fmt: skip
        await fill.deal(title, stage, amount, currency=currency)
    attio = (await read_control_tower(call)).integrations.attio
    assert (attio.accounts, attio.annual_revenue) == (2, 1_500_000.0)
    assert (attio.currency, attio.pipeline_amount) == ("EUR", 15_000.0)
    assert {one.currency: one.pipeline_amount for one in attio.by_currency} == {
        "EUR": 15_000.0,
        "RUB": 400_000.0,
    }


async def test_the_most_pressing_actions_lead(call, fill):
    for priority in (3, 5, 4, 1, 2, 5, 3, 2, 1, 1):
        await fill.action(f"Дело {priority}", priority)
    await fill.action("Закрыто", 5, status="done")
    accepted = await fill.action("Принято", 5, status="accepted", updated_at=fill.ago(hours=1))
    top = (await read_control_tower(call)).top_nba
    assert [one.priority for one in top] == [5, 5, 5, 4, 3, 3, 2, 2]
    assert top[0].id == accepted, "the one changed last comes first among equals"


async def test_another_project_is_never_seen(call, fill, another):
    other, there = await another()
    await there.issue()
    await there.action("Чужое")
    await there.signal("Чужое")
    await there.risk("Чужое")
    await there.message(await there.conversation(), "Чужое")
    found = msgspec.json.encode(await read_control_tower(call)).decode()
    assert "Чужое" not in found
    assert "Чужое" in msgspec.json.encode(await read_control_tower(other)).decode()


async def test_kag_is_shown_while_it_is_live(call, tower):
    assert (await read_control_tower(call)).kag is UNSET
    await tower.settings.change(Kag, {"mode": "live"})
    assert (await read_control_tower(call)).kag.signals == []
