"""Digests made and mailed at their local times, through a real mail server: once, or it says why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from ctower_desktop.connectors.channels.settings import SmtpSettings
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import as_text
from ctower_desktop.operations import store as operations
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.reports import kept_store
from ctower_desktop.reports.digest_actions import (
    list_daily_digests,
    list_digest_mails,
    list_weekly_digests,
)
from ctower_desktop.reports.jobs import digest_days, digest_weeks
from ctower_desktop.reports.kept_store import MailDue
from ctower_desktop.reports.mailing import daily_slots, weekly_slots
from ctower_desktop.reports.model import ListDaily, ListWeekly
from ctower_desktop.reports.settings import DigestSettings, addresses
from ctower_desktop.sandbox.smtp import Fault, Smtp

MOSCOW = Regional(time_zone="Europe/Moscow")


def moscow(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+03:00").astimezone(UTC)


@pytest.fixture
async def server(tower) -> AsyncIterator[Smtp]:
    """A mail server that takes what is sent, and a tower that knows it."""
    async with Smtp().running() as found:
        await tower.settings.change(
            SmtpSettings,
            {
                "host": "127.0.0.1",
                "port": found.port,
                "security": "none",
                "from_address": "tower@agency.example",
                "allow_private_network": True,
            },
        )
        yield found


async def name(tower, *recipients: str, **times: str) -> None:
    await tower.settings.change(DigestSettings, {"recipients": ", ".join(recipients), **times})


async def mails(call):
    return [(m.kind, m.due_date, m.recipient, m.status) for m in (await list_digest_mails(call)).mails]


class TestTimes:
    def test_plan_and_results_of_a_working_day(self):
        friday = date(2026, 11, 20)
        plan, results = daily_slots(DigestSettings(), friday, MOSCOW)
        assert (plan.kind, plan.opens, plan.closes) == (
            "daily_plan", moscow("2026-11-20 10:00"), moscow("2026-11-20 19:00"),
        )  # fmt: skip
        assert (results.kind, results.opens, results.closes) == (
            "daily_results", moscow("2026-11-20 19:00"), moscow("2026-11-21 00:00"),
        )  # fmt: skip
        assert daily_slots(DigestSettings(), friday + timedelta(days=1), MOSCOW) == [], "a Saturday"

    def test_mondays_and_fridays(self):
        monday = date(2026, 11, 16)
        kinds = [
            [slot.kind for slot in weekly_slots(DigestSettings(), monday + timedelta(days=n), MOSCOW)]
            for n in range(7)
        ]
        assert kinds == [["weekly_plan"], [], [], [], ["weekly_results"], [], []]

    def test_an_empty_time_is_never(self):
        settings = DigestSettings(daily_plan_at="", weekly_plan_at="")
        assert [slot.kind for slot in daily_slots(settings, date(2026, 11, 20), MOSCOW)] == ["daily_results"]
        assert weekly_slots(settings, date(2026, 11, 16), MOSCOW) == []


class TestSettings:
    def test_addresses_once_each(self):
        found = DigestSettings(recipients=" a@x.io, b@x.io;a@x.io\nc@x.io, ")
        assert addresses(found) == ["a@x.io", "b@x.io", "c@x.io"]

    @pytest.mark.parametrize(
        "wrong", ["nobody", "a@", "@x.io", "a@x", "a b@x.io", "a@x.io\r\nBcc: b@x.io b", "<a@x.io>"]
    )
    def test_what_is_no_address_is_refused(self, wrong):
        with pytest.raises(Invalid):
            DigestSettings(recipients=wrong)


class TestDaily:
    async def test_the_plan_in_the_morning_and_the_results_in_the_evening(
        self, call, fill, tower, clock, server
    ):
        await name(tower, "pm@agency.example", "owner@agency.example")
        await fill.issue("Сегодня сдаём", due_date="2026-11-20")
        clock.set(moscow("2026-11-20 09:59"))
        early = await digest_days(call)
        assert early.mailed.note.startswith("not_due")
        assert early.again_at == as_text(moscow("2026-11-20 10:00"))
        clock.set(moscow("2026-11-20 10:00"))
        plan = await digest_days(call)
        assert (plan.mailed.sent, plan.mailed.failed) == (2, 0)
        assert plan.again_at == as_text(moscow("2026-11-20 19:00"))
        assert (await digest_days(call)).mailed.sent == 0, "once"
        clock.set(moscow("2026-11-20 19:03"))
        results = await digest_days(call)
        assert results.mailed.sent == 2
        assert results.again_at == as_text(moscow("2026-11-23 10:00")), "the next working day"
        assert [letter.recipients for letter in server.inbox] == [
            ("pm@agency.example",), ("owner@agency.example",), ("pm@agency.example",),
            ("owner@agency.example",),
        ]  # fmt: skip
        first, last = server.inbox[0].message, server.inbox[-1].message
        assert first["Subject"] == "Plan for the day · Кофейня «Север» · 20 November 2026"
        assert "Сегодня сдаём" in first.get_body(("plain",)).get_content()
        assert "<!doctype html>" in first.get_body(("html",)).get_content()
        assert last["Subject"].startswith("Results of the day")
        assert first["Message-ID"] != last["Message-ID"]
        assert sorted(await mails(call)) == [
            (kind, "2026-11-20", to, "sent")
            for kind in ("daily_plan", "daily_results")
            for to in ("owner@agency.example", "pm@agency.example")
        ]

    async def test_in_russian(self, call, tower, clock, server):
        await tower.settings.change(Regional, {"language": "ru"})
        await name(tower, "pm@agency.example")
        clock.set(moscow("2026-11-20 19:00"))
        await digest_days(call)
        (letter,) = server.inbox
        assert letter.message["Subject"] == "Итоги дня · Кофейня «Север» · 20 ноября 2026"

    async def test_a_plan_missed_until_the_evening_is_not_sent(self, call, tower, clock, server):
        await name(tower, "pm@agency.example")
        clock.set(moscow("2026-11-20 20:00"))
        await digest_days(call)
        assert [letter.message["Subject"][:7] for letter in server.inbox] == ["Results"]

    async def test_yesterday_is_finished(self, call, fill, clock):
        clock.set(moscow("2026-11-20 19:00"))
        await digest_days(call)
        await fill.issue(completed_at=moscow("2026-11-20 23:00"))
        clock.set(moscow("2026-11-21 10:00"))
        assert (await digest_days(call)).made == ["2026-11-20", "2026-11-21"]
        digests = (await list_daily_digests(call, ListDaily())).digests
        assert [(d.digest_date, d.summary["tasks"]["counts"]["closed"]) for d in digests] == [
            ("2026-11-21", 0), ("2026-11-20", 1),
        ]  # fmt: skip
        assert (await digest_days(call)).made == ["2026-11-21"], "it is over: never made again by itself"


class TestWeekly:
    async def test_the_plan_tells_of_the_week_before(self, call, fill, tower, clock, server):
        await name(tower, "pm@agency.example")
        await fill.deal("Сайт", "won", 12_000.0, updated_at=moscow("2026-11-18 12:00"))
        clock.set(moscow("2026-11-23 10:00"))
        run = await digest_weeks(call)
        assert run.made == ["2026-11-16", "2026-11-23"]
        assert run.mailed.sent == 1
        assert run.again_at == as_text(moscow("2026-11-27 19:00"))
        text = server.inbox[0].message.get_body(("plain",)).get_content()
        assert "16 November 2026" in text
        assert "Won: **1 · €12,000**" in text
        clock.set(moscow("2026-11-27 19:00"))
        run = await digest_weeks(call)
        assert (run.made, run.mailed.sent) == (["2026-11-23"], 1)
        assert server.inbox[1].message["Subject"].startswith("Results of the week")
        assert len((await list_weekly_digests(call, ListWeekly())).digests) == 2


class TestNotSent:
    """Nothing is ever called sent that was not; the run says why."""

    async def note(self, call, clock) -> str:
        clock.set(moscow("2026-11-20 10:00"))
        run = await digest_days(call)
        assert (run.mailed.sent, run.mailed.failed, run.mailed.uncertain) == (0, 0, 0)
        assert await mails(call) == []
        return run.mailed.note

    async def test_without_recipients(self, call, clock, server):
        assert (await self.note(call, clock)).startswith("no_recipients")

    async def test_without_a_mail_server(self, call, tower, clock):
        await name(tower, "pm@agency.example")
        assert (await self.note(call, clock)).startswith("channel_not_configured: enter the name of the mail")

    async def test_with_sending_switched_off(self, call, tower, clock, server):
        await name(tower, "pm@agency.example")
        await tower.settings.change(OutboundSettings, {"enabled": False})
        assert (await self.note(call, clock)).startswith("outbound_disabled")

    async def test_in_rehearsal(self, call, tower, clock, server):
        await name(tower, "pm@agency.example")
        await tower.settings.change(OutboundSettings, {"dry_run": True})
        assert (await self.note(call, clock)).startswith("dry_run")
        assert server.inbox == []

    async def test_a_refusal_is_tried_again_later(self, call, tower, clock, server):
        await name(tower, "pm@agency.example")
        server.faults.append(Fault("MAIL", "451 4.3.0 try later"))
        clock.set(moscow("2026-11-20 10:00"))
        run = await digest_days(call)
        assert (run.mailed.failed, run.again_at) == (1, as_text(moscow("2026-11-20 10:15")))
        ((*_, status),) = await mails(call)
        assert status == "failed"
        assert (await digest_days(call)).mailed.failed == 0, "not at once"
        clock.set(moscow("2026-11-20 10:15"))
        assert (await digest_days(call)).mailed.sent == 1
        (mail,) = (await list_digest_mails(call)).mails
        assert (mail.status, mail.attempts) == ("sent", 2)
        assert len(server.inbox) == 1

    async def test_it_gives_up_in_the_end(self, call, tower, clock, server):
        await name(tower, "pm@agency.example")
        server.faults.append(Fault("MAIL", "550 no", times=99))
        clock.set(moscow("2026-11-20 10:00"))
        tries = 0
        for _ in range(8):
            tries += (await digest_days(call)).mailed.failed
            clock.advance(15 * 60)
        assert tries == kept_store.MOST_TRIES

    async def test_a_line_that_breaks_after_the_text_is_uncertain_and_not_repeated(
        self, call, tower, clock, server
    ):
        await name(tower, "pm@agency.example")
        server.faults.append(Fault("TEXT"))
        clock.set(moscow("2026-11-20 10:00"))
        assert (await digest_days(call)).mailed.uncertain == 1
        clock.set(moscow("2026-11-20 11:00"))
        assert (await digest_days(call)).mailed.sent == 0
        ((*_, status),) = await mails(call)
        assert status == "uncertain"

    async def test_a_crash_between_sending_and_noting_is_uncertain_and_not_repeated(
        self, call, tower, clock, server
    ):
        await name(tower, "pm@agency.example")
        clock.set(moscow("2026-11-20 10:00"))
        due = MailDue("daily_plan", "2026-11-20", "pm@agency.example")
        at = as_text(clock.now())
        await tower.db.write(kept_store.begin_mail, call.project_ref, due, at, at)
        clock.set(moscow("2026-11-20 11:00"))
        assert (await digest_days(call)).mailed.sent == 0
        ((*_, status),) = await mails(call)
        assert (status, server.inbox) == ("uncertain", [])


async def test_each_project_mails_its_own(call, another, fill, tower, clock, server):
    await name(tower, "pm@agency.example")
    other, there = await another()
    await there.issue("Чужая задача", due_date="2026-11-20")
    clock.set(moscow("2026-11-20 10:00"))
    await digest_days(call)
    await digest_days(other)
    mine, theirs = (letter.message.get_body(("plain",)).get_content() for letter in server.inbox)
    assert "Чужая задача" not in mine
    assert "Чужая задача" in theirs


async def test_the_scheduler_wakes_for_the_next_time(call, tower, clock):
    scheduler = await tower.part(Scheduler)
    clock.set(moscow("2026-11-20 09:00"))
    assert (await scheduler.run_now(call.project_ref, "daily_digest")).status == "ok"
    assert (await scheduler.run_now(call.project_ref, "weekly_digest")).status == "ok"
    daily = await tower.db.read(operations.found, call.project_id, "daily_digest")
    weekly = await tower.db.read(operations.found, call.project_id, "weekly_digest")
    assert daily.next_run_at == as_text(moscow("2026-11-20 10:00"))
    assert weekly.next_run_at == as_text(moscow("2026-11-20 19:00"))
