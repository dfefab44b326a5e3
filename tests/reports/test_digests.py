"""Digests of days and weeks: what they hold, that they are the same again, and how they read."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from markdown_it import MarkdownIt

from ctower_desktop.accounts import audit_store
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import as_text
from ctower_desktop.reports.digest_actions import (
    generate_daily_digest,
    generate_weekly_digest,
    list_daily_digests,
    list_weekly_digests,
    read_daily_digest,
    read_weekly_digest,
    show_daily_digest,
    show_weekly_digest,
)
from ctower_desktop.reports.model import (
    DigestNotFound,
    GenerateDaily,
    GenerateWeekly,
    InvalidDateFormat,
    ListDaily,
    ListWeekly,
    ReadDocument,
)

# the clock stands at Friday, 20 November 2026, 10:00 UTC: 13:00 in Moscow


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def daily(call, day=None):
    return await generate_daily_digest(call, GenerateDaily(digest_date=day))


async def weekly(call, day=None):
    return await generate_weekly_digest(call, GenerateWeekly(week_start=day))


async def a_day(fill) -> dict[str, str]:
    """A day with a little of everything."""
    talk = await fill.conversation(await fill.contact("Анна"))
    await fill.message(talk, "Когда макет?", at("2026-11-19 22:00"))  # 01:00 in Moscow: today
    await fill.message(talk, "Завтра", at("2026-11-20 06:00"), incoming=False)
    waiting = await fill.message(talk, "А договор?", at("2026-11-20 08:00"))
    await fill.message(talk, "Внутреннее", at("2026-11-20 09:00"), incoming=False, private=1)
    await fill.message(talk, "Вчерашнее", at("2026-11-19 20:59"))  # 23:59 in Moscow: yesterday
    names = {
        "closed": await fill.issue("Готово", completed_at=at("2026-11-20 05:00")),
        "created": await fill.issue("Новая", created_at=at("2026-11-20 07:00")),
        "overdue": await fill.issue("Опоздала", due_date="2026-11-19", assignee_name="Мария"),
        "due": await fill.issue("Сегодня", due_date="2026-11-20"),
        "blocked": await fill.issue("Стоит", blocked=1, blocked_by_count=1),
        "waiting": waiting,
        "won": await fill.deal("Сайт", "won", 12_000.0, updated_at=at("2026-11-20 04:00")),
        "lost": await fill.deal("Буклет", "lost", 900.0, updated_at=at("2026-11-20 04:30"), currency="RUB"),
    }
    await fill.issue("Раньше", completed_at=at("2026-11-19 10:00"))
    await fill.signal("Срыв срока", 5)
    await fill.signal("Мелочь", 2)
    await fill.action("Разобрать блокеры", 5, due_date="2026-11-23", owner_username="maria")
    return names


class TestDaily:
    async def test_everything_the_owners_asked_for(self, call, fill):
        names = await a_day(fill)
        found = (await daily(call)).summary
        assert found["period"]["first_day"] == "2026-11-20"
        assert (found["period"]["start"], found["period"]["end"]) == (
            "2026-11-19T21:00:00.000Z", "2026-11-20T21:00:00.000Z",
        )  # fmt: skip
        assert found["tasks"]["counts"] == {
            "closed": 1, "created": 1, "overdue": 1, "blocked": 1, "due_today": 1,
        }  # fmt: skip
        for kind, name in (("closed", "closed"), ("overdue", "overdue"), ("due_today", "due"),
                           ("blocked", "blocked"), ("created", "created")):  # fmt: skip
            assert [line["id"] for line in found["tasks"][kind]] == [names[name]]
        talk = found["messages"]
        assert (talk["counts"]["inbound"], talk["counts"]["outbound"]) == (2, 1), "private notes do not count"
        assert (talk["counts"]["answered"], talk["counts"]["avg_response_minutes"]) == (1, 541.0)
        assert talk["unanswered"] == 1
        (line,) = talk["waiting"]
        assert (line["message_global_id"], line["contact_name"]) == (names["waiting"], "Анна")
        assert line["waiting_minutes"] == 120.0
        assert [(deal["title"], deal["amount"], deal["currency"]) for deal in found["deals"]["won"]] == [
            ("Сайт", 12_000.0, "EUR")
        ]
        assert [deal["title"] for deal in found["deals"]["lost"]] == ["Буклет"]
        assert [signal["summary"] for signal in found["critical_signals"]] == ["Срыв срока"]
        assert [action["summary"] for action in found["top_nba"]] == ["Разобрать блокеры"]
        assert found["before"]["closed"] == 1
        assert found["before"]["messages"]["inbound"] == 1
        assert found["highlights"] == {
            "proposed_signals": 2, "overdue_issues": 1, "outbound_draft": 0, "outbound_approved": 0,
            "outbound_failed": 0,
        }  # fmt: skip

    async def test_evidence_begins_with_that_of_what_is_to_be_done(self, call, fill):
        names = await a_day(fill)
        refs = (await daily(call)).evidence_refs
        assert refs[0].startswith("cwmsg:nba-")
        assert len(refs) == len(set(refs)) <= 50
        assert {names["waiting"], names["overdue"], names["won"]} <= set(refs)

    async def test_evidence_is_bounded(self, call, fill):
        for number in range(8):
            refs = msgspec.json.encode([f"cwmsg:{number}-{n}" for n in range(20)]).decode()
            await fill.action(f"Дело {number}", evidence_refs=refs)
        assert len((await daily(call)).evidence_refs) == 50

    async def test_one_a_day_the_same_from_the_same(self, call, fill):
        """T30."""
        await a_day(fill)
        first, second = await daily(call), await daily(call)
        assert msgspec.structs.asdict(first) == msgspec.structs.asdict(second)
        (kept,) = (await list_daily_digests(call, ListDaily())).digests
        assert kept.digest_date == "2026-11-20"

    async def test_a_day_gone_by_can_be_made(self, call, fill):
        await a_day(fill)
        found = await daily(call, "2026-11-19")
        assert found.digest_date == "2026-11-19"
        assert found.summary["tasks"]["counts"]["closed"] == 1
        assert found.summary["messages"]["counts"]["inbound"] == 1
        listed = (await list_daily_digests(call, ListDaily())).digests
        assert [d.digest_date for d in listed] == ["2026-11-19"]

    @pytest.mark.parametrize("day", ["2026-11-21", "20.11.2026", "2026-13-01", "20261120", "x"])
    async def test_a_day_to_come_or_no_day_is_refused(self, call, day):
        with pytest.raises(InvalidDateFormat):
            await daily(call, day)

    async def test_it_is_audited_with_its_evidence(self, call, fill, tower):
        await a_day(fill)
        made = await daily(call)
        window = audit_store.Window(
            project_id=call.project_id, action="digest.daily.generate", also_without=False, limit=10
        )
        (line,) = await tower.db.read(audit_store.listed, window)
        assert line.entity_id == made.id
        assert [ref.ref for ref in line.evidence_refs] == made.evidence_refs

    async def test_pages_newest_first(self, call):
        for day in ("2026-11-17", "2026-11-19", "2026-11-18"):
            await daily(call, day)
        listed = (await list_daily_digests(call, ListDaily(limit=2, offset=1))).digests
        assert [d.digest_date for d in listed] == ["2026-11-18", "2026-11-17"]


class TestWeekly:
    async def test_the_week_begins_on_monday(self, call):
        """T30."""
        for day in (None, "2026-11-16", "2026-11-18"):
            assert (await weekly(call, day)).week_start == "2026-11-16"
        assert len((await list_weekly_digests(call, ListWeekly())).digests) == 1

    async def test_week_over_week(self, call, fill):
        this, last = at("2026-11-18 09:00"), at("2026-11-11 09:00")
        await fill.deal("Новый", "won", 12_000.0, updated_at=this, created_at=at("2026-10-01 00:00"))
        await fill.deal("Упущен", "lost", 3_000.0, updated_at=this, created_at=at("2026-10-01 00:00"))
        await fill.deal("Старый", "won", 5_000.0, updated_at=last, created_at=at("2026-10-01 00:00"))
        await fill.deal("Открыт", "proposal", 8_000.0, created_at=at("2026-11-17 00:00"), probability=0.25)
        for when in (this, this, last):
            await fill.issue(completed_at=when, created_at=at("2026-10-01 00:00"))
        await fill.issue(created_at=this)
        await fill.offer("Оферта", 7_000.0, "signed", signed_at=this, sent_at=last)
        await fill.offer("Вторая", 1_000.0, "sent", sent_at=this)
        await fill.health(80.0, "2026-11-12")
        await fill.health(91.5, "2026-11-20")
        await fill.risk("Срок", 5)
        found = (await weekly(call)).summary
        sales = found["sales"]
        assert sales["won"] == [{"currency": "EUR", "count": 1, "amount": 12_000.0}]
        assert sales["won_before"] == [{"currency": "EUR", "count": 1, "amount": 5_000.0}]
        assert sales["lost"] == [{"currency": "EUR", "count": 1, "amount": 3_000.0}]
        (pipeline,) = sales["pipeline"]
        assert pipeline == {
            "currency": "EUR",
            "amount": 8_000.0,
            "amount_before": 15_000.0,
            "expected": 2_000.0,
        }
        assert (sales["win_rate_pct"], sales["win_rate_before_pct"], sales["win_rate_90d_pct"]) == (
            50.0, 100.0, 66.67,
        )  # fmt: skip
        assert found["velocity"] == {"closed": 2, "created": 1, "closed_before": 1, "created_before": 0}
        assert found["offers"]["sent"] == [{"currency": "EUR", "count": 1, "amount": 1_000.0}]
        assert found["offers"]["sent_before"] == [{"currency": "EUR", "count": 1, "amount": 7_000.0}]
        assert found["offers"]["signed"] == [{"currency": "EUR", "count": 1, "amount": 7_000.0}]
        assert (found["risk"]["health"]["score"], found["risk"]["health"]["before"]) == (91.5, 80.0)
        assert [risk["title"] for risk in found["risk"]["top_risks"]] == ["Срок"]
        assert found["portfolio"]["open_pipeline"] == 1
        assert {"revenue", "delivery", "comms"} <= found["portfolio"].keys()
        assert found["growth"] == {"top_nba": []}

    async def test_currencies_stay_apart(self, call, fill):
        for currency, amount in (("EUR", 100.0), ("RUB", 9_000.0)):
            await fill.deal(currency, "won", amount, currency=currency, updated_at=at("2026-11-18 09:00"))
        sums = (await weekly(call)).summary["sales"]["won"]
        assert {one["currency"]: one["amount"] for one in sums} == {"EUR": 100.0, "RUB": 9_000.0}


class TestDocuments:
    async def test_in_english_and_in_russian(self, call, fill, tower):
        await a_day(fill)
        made = await daily(call)
        page = await show_daily_digest(call, made.id, ReadDocument(format="html"))
        assert page.media_type == "text/html; charset=utf-8"
        assert '<html lang="en">' in page.content.decode()
        text = (await show_daily_digest(call, made.id, ReadDocument(format="markdown"))).content.decode()
        assert text.startswith("# Day · Кофейня «Север»\n\n20 November 2026\n")
        assert "Overdue · 1" in text
        assert "waits 2 h" in text
        assert "Mean time to answer: **9 h**" in text
        await tower.settings.change(Regional, {"language": "ru"})
        russian = (await show_daily_digest(call, made.id, ReadDocument(format="markdown"))).content.decode()
        assert russian.startswith("# День · Кофейня «Север»\n\n20 ноября 2026\n")
        assert "Просрочено · 1" in russian
        assert "Сайт" in russian
        assert "12\u00a0000\u00a0€" in russian
        assert "13:00" in russian, "the time of the reader's clock"

    async def test_of_a_week(self, call, fill):
        await a_day(fill)
        made = await weekly(call)
        text = (await show_weekly_digest(call, made.id, ReadDocument(format="markdown"))).content.decode()
        assert text.startswith("# Week · Кофейня «Север»\n\n16 November 2026 – 22 November 2026\n")
        assert "Won: **1 · €12,000** (before: 0 · €0)" in text
        page = (await show_weekly_digest(call, made.id, ReadDocument())).content.decode()
        assert "Win rate of the week" in page

    async def test_a_cause_is_told_once(self, call, fill):
        """A pattern is told where it is not yet, or no longer, a risk."""
        await fill.risk("Work is stuck", dedupe_key="blocked_work")
        for key, title in (("blocked_work", "Work is stuck"), ("scope_growth", "Scope grows")):
            await fill.row(
                "risk_pattern", id=f"p-{key}", pattern_key=key, title=title, weight=0.5, status="open",
                mitigation_playbook="{}", evidence_refs="[]", created_at=fill.ago(days=1),
                updated_at=fill.ago(days=1),
            )  # fmt: skip
        made = await weekly(call)
        text = (await show_weekly_digest(call, made.id, ReadDocument(format="markdown"))).content.decode()
        assert (text.count("Work is stuck"), text.count("Scope grows")) == (1, 1)

    async def test_an_empty_digest_is_readable(self, call):
        for made, show in ((await daily(call), show_daily_digest), (await weekly(call), show_weekly_digest)):
            text = (await show(call, made.id, ReadDocument(format="markdown"))).content.decode()
            assert "Nothing" in text
            assert "None" not in text
            assert "\n\n\n" not in text

    async def test_what_customers_write_is_never_markup(self, call, fill):
        evil = '<script>alert("x")</script> [click](javascript:alert) **bold** | `tick`\n# heading'
        talk = await fill.conversation(await fill.contact("<b>Анна</b>"))
        await fill.message(talk, evil, at("2026-11-20 08:00"))
        await fill.issue(evil, completed_at=at("2026-11-20 05:00"))
        made = await daily(call)
        page = (await show_daily_digest(call, made.id, ReadDocument(format="html"))).content.decode()
        assert "<script" not in page
        assert "<b>Анна" not in page
        assert "&lt;script&gt;" in page
        text = (await show_daily_digest(call, made.id, ReadDocument(format="markdown"))).content.decode()
        shown = MarkdownIt("commonmark", {"html": True}).render(text)
        assert "<script" not in shown
        assert "<a " not in shown
        assert "<strong>bold" not in shown
        assert shown.count("<h1>") == 1


async def test_digests_of_another_project_are_not_there(call, another):
    other, _ = await another()
    day, week = await daily(other), await weekly(other)
    for read, digest in ((read_daily_digest, day), (read_weekly_digest, week)):
        with pytest.raises(DigestNotFound):
            await read(call, digest.id)
        assert (await read(other, digest.id)).digest.id == digest.id
    for show, digest in ((show_daily_digest, day), (show_weekly_digest, week)):
        with pytest.raises(DigestNotFound):
            await show(call, digest.id, ReadDocument())
    assert (await list_daily_digests(call, ListDaily())).digests == []
    assert (await list_weekly_digests(call, ListWeekly())).digests == []


async def test_the_day_is_that_of_the_user(call, clock, tower):
    clock.set(datetime(2026, 11, 20, 22, 30, tzinfo=UTC))
    assert (await daily(call)).digest_date == "2026-11-21", "it is half past one in Moscow"
    await tower.settings.change(Regional, {"time_zone": "UTC"})
    assert (await daily(call)).digest_date == "2026-11-20"
    assert as_text(clock.now()) == "2026-11-20T22:30:00.000Z"
