"""Signals of what is the case: overdue work, deals without a next step, gaps, silence, sour tones."""

from __future__ import annotations

import pytest

from ctower_desktop.crm.mirroring_store import NEXT_STEP
from ctower_desktop.insight.signals.actions import (
    extract_signals,
    list_signals,
    read_signal,
    set_signal_status,
)
from ctower_desktop.insight.signals.model import ListSignals, SetSignalStatus
from ctower_desktop.insight.signals.settings import SignalSettings


async def run(call):
    return (await extract_signals(call)).result


async def of(call, kind):
    return (await list_signals(call, ListSignals(type=kind))).signals


class TestOverdue:
    async def test_one_signal_a_delivery_project(self, call, sources):
        for number in (1, 2, 3):
            await sources.issue(
                number, due=f"2026-11-0{number}", assignee_name="Ольга" if number > 1 else "Иван"
            )
        await sources.issue(4, project=None, due="2026-11-10")
        await run(call)
        first, second = await of(call, "delivery_overdue")
        assert (first.source_ref, first.severity, first.confidence) == ("linear_project:p1", 5, 0.79)
        assert (second.source_ref, second.severity, second.confidence) == ("linear_project:none", 3, 0.73)
        assert first.source_kind == "linear"
        assert first.summary == "Website: 3 overdue issues, the oldest was due on 1 Nov: SEV-1 Task 1"
        (action,) = (await read_signal(call, first.id)).actions
        assert (action.action_type, action.owner_username) == ("review_delivery_blockers", "Ольга")

    @pytest.mark.parametrize(
        "more",
        [
            {"due": "2026-11-20"}, {"due": None}, {"due": "2026-11-01", "completed_at": "2026-11-02"},
            {"due": "2026-11-01", "state_type": "completed"}, {"due": "2026-11-01",
            "canceled_at": "2026-11-02"},
            {"due": "2026-11-01", "archived_at": "2026-11-02"},
        ],
    )  # fmt: skip
    async def test_what_is_not_overdue(self, call, sources, more):
        await sources.issue(1, **more)
        await run(call)
        assert await of(call, "delivery_overdue") == []

    async def test_done_when_nothing_is_overdue_any_more_and_back_when_it_is(self, call, sources):
        await sources.issue(1, due="2026-11-01")
        await run(call)
        await sources.issue(1, due="2026-11-01", completed_at="2026-11-20")
        assert (await run(call)).closed == 1
        (found,) = await of(call, "delivery_overdue")
        full = await read_signal(call, found.id)
        assert (found.status, full.settled.by, full.actions[0].status) == ("done", "system", "done")
        await sources.issue(2, due="2026-11-05")
        assert (await run(call)).reopened == 1
        (found,) = await of(call, "delivery_overdue")
        assert (found.status, found.severity) == ("proposed", 3)

    async def test_a_dismissed_one_comes_back_with_another_issue_only(self, call, sources):
        await sources.issue(1, due="2026-11-01")
        await run(call)
        (found,) = await of(call, "delivery_overdue")
        await set_signal_status(call, found.id, SetSignalStatus("dismissed"))
        assert (await run(call)).reopened == 0
        await sources.issue(2, due="2026-11-10")
        assert (await run(call)).reopened == 1


class TestDeals:
    @pytest.mark.parametrize(
        ("next_step", "source", "weak"),
        [("", "manual", True), ("  call ", "manual", True), ("Call Anna on Monday", "manual", False),
         (NEXT_STEP, "linear", True), (NEXT_STEP, "manual", False)],
    )  # fmt: skip
    async def test_a_weak_next_step(self, call, sources, next_step, source, weak):
        """What the mirror writes where the vendor has none counts as none."""
        deal = await sources.opportunity("Site", next_step, source=source)
        await run(call)
        found = await of(call, "deal_without_next_step")
        assert [s.source_ref for s in found] == [deal] * weak
        if weak:
            assert (found[0].severity, found[0].confidence, found[0].source_kind) == (3, 0.72, "crm")
            assert found[0].evidence_refs == [deal]
            (action,) = (await read_signal(call, found[0].id)).actions
            assert (action.action_type, action.priority, action.owner_username) == (
                "triage_signal",
                3,
                "olga",
            )

    async def test_closed_deals_need_none_and_a_step_ends_it(self, call, sources):
        await sources.opportunity("Won", "", stage="won")
        deal = await sources.opportunity("Open", "")
        await run(call)
        (found,) = await of(call, "deal_without_next_step")
        await sources.run(
            "UPDATE crm_opportunity SET next_step = 'Send the contract' WHERE id = :id", id=deal
        )
        await run(call)
        (found,) = await of(call, "deal_without_next_step")
        assert found.status == "done"


class TestGap:
    async def test_a_client_who_does_not_answer(self, call, sources):
        """Fault absent: the communication gap is defined and never looked for."""
        talk = await sources.talk(1, contact=await sources.contact(1), assignee="Ольга")
        await sources.say(talk, "Добрый день, какие сроки?", days=9)
        asked = await sources.say(talk, "Пришлите, пожалуйста, логотип", who="user", days=8)
        await run(call)
        (found,) = await of(call, "communication_gap")
        assert (found.severity, found.confidence, found.source_kind) == (4, 0.9, "system")
        assert found.evidence_refs == [asked, talk]
        assert (
            found.summary
            == "Анна Петрова не отвечает 8 дней, с 12 ноября; мы писали: «Пришлите, пожалуйста, логотип»"
        )
        await sources.say(talk, "Вот логотип, как вам?", hours=1)
        await run(call)
        (found,) = await of(call, "communication_gap")
        assert found.status == "done"

    @pytest.mark.parametrize(("days", "wrote", "severity"), [(16, True, 5), (8, False, 3)])
    async def test_severities(self, call, sources, days, wrote, severity):
        talk = await sources.talk(1)
        if wrote:
            await sources.say(talk, "Здравствуйте", days=days + 1)
        await sources.say(talk, "Добрый день!", who="user", days=days)
        await run(call)
        (found,) = await of(call, "communication_gap")
        assert found.severity == severity

    async def test_no_gap(self, call, sources):
        who = await sources.contact(1)
        resolved, fresh, elsewhere, ancient = [
            await sources.talk(n, status="resolved" if n == 1 else "open", contact=who if n == 3 else None)
            for n in (1, 2, 3, 4)
        ]
        for talk, days in ((resolved, 9), (fresh, 6), (elsewhere, 9), (ancient, 70)):
            await sources.say(talk, "Ждём ответа", who="user", days=days)
        await sources.say(await sources.talk(5, contact=who), "Пишу в другой чат", days=1)
        await run(call)
        assert await of(call, "communication_gap") == []

    async def test_another_nudge_does_not_bring_a_dismissed_gap_back(self, call, sources):
        talk = await sources.talk(1)
        await sources.say(talk, "Как вам макет?", who="user", days=9)
        await run(call)
        (found,) = await of(call, "communication_gap")
        await set_signal_status(call, found.id, SetSignalStatus("dismissed"))
        await sources.say(talk, "Удалось посмотреть?", who="user", hours=1)
        assert (await run(call)).reopened == 0


class TestSilence:
    async def test_a_client_who_waits_for_us(self, call, sources, clock):
        talk = await sources.talk(1, assignee="Ольга", contact=await sources.contact(1))
        await sources.say(talk, "Когда покажете макет?", hours=23)
        await run(call)
        assert await of(call, "silence") == []
        clock.advance(2 * 3_600)
        await run(call)
        (found,) = await of(call, "silence")
        assert (found.severity, found.source_kind) == (3, "system")
        assert found.summary == "Анна Петрова ждёт ответа с 19 ноября: «Когда покажете макет?»"
        (action,) = (await read_signal(call, found.id)).actions
        assert (action.action_type, action.priority, action.owner_username) == ("answer_client", 5, "Ольга")
        await sources.say(talk, "Завтра утром", who="user", hours=0)
        assert (await run(call)).closed == 1

    async def test_the_weekend_does_not_count(self, call, sources, clock):
        await sources.say(await sources.talk(1), "Когда покажете макет?", hours=0)
        clock.advance(68 * 3_600)  # from Friday 10:00 to Monday 06:00
        await run(call)
        assert await of(call, "silence") == []
        clock.advance(5 * 3_600)
        await run(call)
        assert len(await of(call, "silence")) == 1

    @pytest.mark.parametrize(
        ("text", "status"), [("Спасибо!", "open"), ("Когда?", "resolved"), ("Когда?", "snoozed")]
    )
    async def test_nobody_waits(self, call, sources, text, status):
        talk = await sources.talk(1, status=status)
        await sources.say(talk, "Готово", who="user", days=3)
        await sources.say(talk, text, days=2)
        await run(call)
        assert await of(call, "silence") == []

    async def test_a_file_without_text(self, call, sources):
        talk = await sources.talk(1)
        await sources.say(talk, "Пришлите макет в Figma", days=3)
        await sources.say(talk, "Жду макет", who="user", days=3)
        await sources.say(talk, None, days=2)
        await run(call)
        (found,) = await of(call, "silence")
        assert found.summary == "Анна ждёт ответа с 18 ноября: «файл без текста»"
        assert (found.severity, found.confidence) == (2, 0.7)

    async def test_closing_the_conversation_ends_it_without_a_new_message(self, call, sources):
        talk = await sources.talk(1)
        await sources.say(talk, "Когда?", days=2)
        await run(call)
        await sources.talk(1, status="resolved")
        assert (await run(call)).closed == 1

    async def test_more_questions_bring_a_dismissed_one_back(self, call, sources):
        talk = await sources.talk(1)
        await sources.say(talk, "Когда?", days=3)
        await run(call)
        (found,) = await of(call, "silence")
        await set_signal_status(call, found.id, SetSignalStatus("dismissed"))
        assert (await run(call)).reopened == 0
        await sources.say(talk, "Ну когда же ответите?", hours=1)
        assert (await run(call)).reopened == 1

    async def test_the_limit_is_a_setting(self, call, sources):
        await call.tower.settings.change(SignalSettings, {"silence_hours": 2})
        await sources.say(await sources.talk(1), "Когда?", hours=3)
        await run(call)
        assert len(await of(call, "silence")) == 1


class TestSentiment:
    async def test_a_tone_that_gets_worse_and_better(self, call, sources):
        talk = await sources.talk(1, contact=await sources.contact(1))
        for hours, text in ((9, "Это ужасно."), (8, "Мы очень недовольны."), (7, "Полный провал, кошмар.")):
            await sources.say(talk, text, hours=hours)
        await run(call)
        (found,) = await of(call, "sentiment_trend")
        assert found.severity == 4
        assert found.summary == "Анна Петрова пишет всё резче; последнее: «Полный провал, кошмар.»"
        assert len(found.evidence_refs) == 4
        for hours in (3, 2, 1):
            await sources.say(talk, "Отлично, спасибо, всё супер!", hours=hours)
        await run(call)
        (found,) = await of(call, "sentiment_trend")
        assert found.status == "done"

    async def test_two_bad_messages_are_no_trend(self, call, sources):
        talk = await sources.talk(1)
        await sources.say(talk, "Ужасно.", hours=2)
        await sources.say(talk, "Кошмар.", hours=1)
        await run(call)
        assert await of(call, "sentiment_trend") == []
