"""The queue of the day: what is in it, in which order, and what happens to what is put aside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ctower_desktop.inbox.outbound.actions import draft_outbound
from ctower_desktop.inbox.outbound.model import NewOutbound
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.tower import Caller, Who
from ctower_desktop.operations import alert_store
from ctower_desktop.operations.alerting import Reading, Watch
from ctower_desktop.reports.queue import (
    InvalidMoment,
    QueueItemNotFound,
    ReadQueue,
    Snooze,
    Waits,
    Wake,
)
from ctower_desktop.reports.queue_actions import put_aside, read_queue, take_up
from ctower_desktop.reports.urgency import comes_back, judged

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)  # a Friday


async def queue(call, **query):
    return await read_queue(call, ReadQueue(**query))


async def kinds(call, **query):
    return [item.kind for item in (await queue(call, **query)).items]


async def raised(tower, clock, rule="disk_free"):
    """An alert that fires."""
    watch, reading = Watch(), [Reading(rule, 0.1, 1.0)]
    for _ in range(10):
        clock.advance(120)
        await tower.db.write(alert_store.weigh, watch, reading, "en", clock.now())


async def test_everything_that_needs_somebody_is_in_it(call, fill, tower, clock):
    talk = await fill.conversation(await fill.contact("Анна"))
    await fill.message(talk, "Где смета?", fill.ago(hours=50))
    await fill.signal("Срок под угрозой", severity=4)
    await fill.action("Позвонить Анне", priority=3, due_date="2026-11-18")
    await fill.offer("Сайт", 5000.0, "approved")
    await draft_outbound(
        call,
        NewOutbound(
            channel="email",
            recipient_ref="anna@north.example",
            idempotency_key="1",
            payload={"text": "Добрый день"},
        ),
    )
    await fill.issue("Эквайринг", due_date="2026-11-10", priority=1, assignee_name="Илья")
    await raised(tower, clock)
    found = await queue(call)
    by_kind = {item.kind: item for item in found.items}
    assert set(by_kind) == {"waiting", "signal", "action", "offer", "outbound", "issue", "alert"}
    assert found.total == 7
    assert (by_kind["waiting"].title, by_kind["waiting"].about) == ("Где смета?", "Анна")
    assert by_kind["waiting"].urgency == 5
    assert by_kind["waiting"].late
    assert by_kind["action"].urgency == 4, "late by two days: one more than its priority"
    assert by_kind["issue"].urgency == 4, "late by more than a week, and urgent"
    assert by_kind["issue"].about == "Илья"
    assert (by_kind["offer"].amount, by_kind["offer"].currency) == (5000.0, "EUR")
    assert by_kind["outbound"].title == "Добрый день"
    urgencies = [item.urgency for item in found.items]
    assert urgencies == sorted(urgencies, reverse=True)
    assert {one.kind: one.count for one in found.counts} == dict.fromkeys(by_kind, 1)


async def test_what_is_done_settled_or_not_yet_due_is_not(call, fill):
    answered = await fill.conversation(await fill.contact())
    await fill.message(answered, "Когда?", fill.ago(hours=5))
    await fill.message(answered, "Завтра", fill.ago(hours=4), incoming=False)
    resolved = await fill.conversation(await fill.contact(), status="resolved")
    await fill.message(resolved, "Спасибо!", fill.ago(hours=5))
    await fill.signal("Принят", status="accepted")
    await fill.action("Потом", due_date="2026-11-21")
    await fill.action("Сделано", status="done", due_date="2026-11-18")
    await fill.offer("Отправлено", 1.0, "sent")
    await fill.issue("Готово", due_date="2026-11-10", completed_at=fill.ago(days=1))
    await fill.issue("Не срочно", due_date="2026-11-20")
    assert (await queue(call)).items == []


async def test_a_signal_and_what_to_do_about_it_stand_there_once(call, fill):
    signal = await fill.signal("Клиент просит скидку", severity=3)
    await fill.action("Подготовить ответ", signal_id=signal, due_date="2026-11-18")
    assert await kinds(call) == ["signal"]


async def test_a_client_who_waits_and_the_signal_of_it_stand_there_once(call, fill):
    talk = await fill.conversation(await fill.contact())
    await fill.message(talk, "Вы тут?", fill.ago(hours=30))
    await fill.signal("Клиент ждёт", signal_type="silence", source_ref=talk)
    assert await kinds(call) == ["waiting"]


async def test_all_projects_or_one_of_them(call, fill, another):
    await fill.signal("Здесь")
    _, there = await another("Ясень")
    await there.signal("Там", severity=5)
    found = (await queue(call)).items
    assert [item.project_name for item in found] == ["Ясень", fill.project.name]
    assert [item.title for item in (await queue(call, project_id=fill.project.id)).items] == ["Здесь"]


async def test_pages_and_kinds(call, fill):
    for number in range(5):
        await fill.signal(f"Сигнал {number}")
    await fill.offer("Сайт", 1.0, "draft")
    assert (await queue(call, kind="offer")).total == 1
    first, rest = (
        await queue(call, kind="signal", limit=3),
        await queue(call, kind="signal", limit=3, offset=3),
    )
    assert (len(first.items), len(rest.items), rest.total) == (3, 2, 5)
    assert not {item.id for item in first.items} & {item.id for item in rest.items}


async def test_others_see_their_projects_and_no_alerts(call, fill, tower, clock):
    await fill.signal("Только для своих")
    await raised(tower, clock)
    who = Who(username="guest", role="viewer", kind="session", user_id=None)
    assert (await read_queue(Caller(tower, call.asking, who, None), ReadQueue())).items == []


async def test_put_aside_until_tomorrow_it_is_back_when_work_begins(call, fill, clock):
    signal = await fill.signal("Позже")
    marked = await put_aside(call, Snooze(kind="signal", id=signal, until="tomorrow"))
    assert marked.until == "2026-11-21T06:00:00.000Z", "nine o'clock in Moscow"
    found = await queue(call)
    assert (found.items, found.put_aside) == ([], 1)
    aside = (await queue(call, put_aside=True)).items
    assert [(item.id, item.until) for item in aside] == [(signal, marked.until)]
    clock.set(datetime(2026, 11, 21, 6, 0, 1, tzinfo=UTC))
    assert [item.id for item in (await queue(call)).items] == [signal]


async def test_put_aside_until_it_changes_it_is_back_when_the_client_writes(call, fill, clock):
    talk = await fill.conversation(await fill.contact())
    await fill.message(talk, "Спасибо!", fill.ago(hours=3))
    await put_aside(call, Snooze(kind="waiting", id=talk))
    clock.advance(30 * 86_400)
    assert (await queue(call)).items == []
    await fill.message(talk, "И ещё вопрос", fill.ago(minutes=1))
    assert [item.id for item in (await queue(call)).items] == [talk]


async def test_it_is_taken_up_again(call, fill):
    signal = await fill.signal("Всё-таки")
    await put_aside(call, Snooze(kind="signal", id=signal, until="next_week"))
    answer = await take_up(call, Wake("signal", signal))
    assert not answer.put_aside
    assert [item.id for item in (await queue(call)).items] == [signal]


async def test_marks_are_ones_own(call, fill, tower):
    signal = await fill.signal("Моё")
    await put_aside(call, Snooze(kind="signal", id=signal))
    boss = Who(username="boss", role="owner", kind="session", sees_all_projects=True)
    other = Caller(tower, call.asking, boss, None)
    assert [item.id for item in (await read_queue(other, ReadQueue())).items] == [signal]


async def test_what_is_not_there_cannot_be_put_aside(call, fill):
    with pytest.raises(QueueItemNotFound):
        await put_aside(call, Snooze(kind="signal", id="nothing"))
    signal = await fill.signal("Есть")
    for at in ("yesterday", "2026-11-20T09:00:00.000Z"):
        with pytest.raises(InvalidMoment):
            await put_aside(call, Snooze(kind="signal", id=signal, at=at))
    marked = await put_aside(call, Snooze(kind="signal", id=signal, at="2026-11-20T15:30:00Z"))
    assert marked.until == "2026-11-20T15:30:00.000Z"


@pytest.mark.parametrize(
    ("until", "day", "expected"),
    [
        ("tomorrow", 20, "2026-11-21T06:00:00.000Z"),
        ("next_week", 20, "2026-11-23T06:00:00.000Z"),
        ("next_week", 23, "2026-11-30T06:00:00.000Z"),
        ("changed", 20, None),
    ],
)
def test_when_it_comes_back(until, day, expected):
    moscow = Regional(time_zone="Europe/Moscow")
    assert comes_back(until, NOW.replace(day=day), moscow) == expected


@pytest.mark.parametrize(
    ("kind", "status", "deeds"),
    [
        ("signal", "proposed", ["accept", "done", "dismiss"]),
        ("action", "accepted", ["done", "dismiss"]),
        ("outbound", "draft", ["accept", "dismiss"]),
        ("outbound", "uncertain", ["dismiss"]),
        ("issue", "linear", ["dismiss"]),
        ("issue", "local", ["done", "dismiss"]),
        ("alert", "critical", ["done"]),
        ("waiting", "open", ["done", "dismiss"]),
    ],
)
def test_what_can_be_done_with_it(kind, status, deeds):
    waits = Waits(
        kind, "1", None, None, None, "", "", "", "2026-11-20T09:00:00.000Z", None, 3, status, "s", None, None
    )
    assert judged(waits, None, NOW, "2026-11-20").deeds == deeds


@pytest.mark.parametrize(("hours", "urgency"), [(1, 3), (8, 4), (47, 4), (48, 5)])
def test_the_longer_a_client_waits_the_more_urgent(hours, urgency):
    since = (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    waits = Waits("waiting", "1", None, None, None, "", "", "", since, None, 1, "open", "s", None, None)
    assert judged(waits, None, NOW, "2026-11-20").urgency == urgency
