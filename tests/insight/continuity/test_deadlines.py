"""Days that lie ahead, in both languages."""

from __future__ import annotations

from datetime import date

import pytest

from ctower_desktop.insight.continuity.deadlines import deadline

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("пришлём до пятницы", "2026-11-27"),
        ("к понедельнику", "2026-11-23"),
        ("во вторник", "2026-11-24"),
        ("в следующую среду", "2026-11-25"),
        ("завтра", "2026-11-21"),
        ("послезавтра утром", "2026-11-22"),
        ("сегодня вечером", "2026-11-20"),
        ("через полчаса", "2026-11-20"),
        ("до конца недели", "2026-11-20"),
        ("на следующей неделе", "2026-11-27"),
        ("в начале следующей недели", "2026-11-23"),
        ("до конца месяца", "2026-11-30"),
        ("через 2 дня", "2026-11-22"),
        ("через неделю", "2026-11-27"),
        ("через месяц", "2026-12-20"),
        ("в течение 3 рабочих дней", "2026-11-25"),
        ("до 25 ноября", "2026-11-25"),
        ("к 15 марта", "2027-03-15"),
        ("до 25 числа", "2026-11-25"),
        ("до 10-го", "2026-12-10"),
        ("до 3.12.2026", "2026-12-03"),
        ("by Friday", "2026-11-27"),
        ("by next Tuesday", "2026-11-24"),
        ("on Monday", "2026-11-23"),
        ("tomorrow", "2026-11-21"),
        ("by end of day", "2026-11-20"),
        ("by the end of the week", "2026-11-20"),
        ("next week", "2026-11-27"),
        ("in two weeks", "2026-12-04"),
        ("within 5 business days", "2026-11-27"),
        ("in a couple of days", "2026-11-22"),
        ("by Nov 25", "2026-11-25"),
        ("by 3rd of December", "2026-12-03"),
        ("on 2026-12-01", "2026-12-01"),
        ("by the 15th", "2026-12-15"),
    ],
)
def test_a_day_ahead(text, day):
    assert deadline(text, FRIDAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "text",
    [
        "we will send it", "с пятницы работаем", "since Monday", "до 5 штук", "by 30 February", "до 15%",
        "to get 2.5 percent", "I may 5 times", "on 2020-01-01", "в версии 3.11.4567",
    ],
)  # fmt: skip
def test_no_day(text):
    assert deadline(text, FRIDAY) is None


@pytest.mark.parametrize("said", [date(2026, 11, 28), date(2026, 11, 29)])
def test_the_end_of_a_week_at_its_end_is_not_past(said):
    assert deadline("до конца недели", said) == date(2026, 11, 29)


def test_months_and_years_turn():
    assert deadline("через месяц", date(2026, 12, 31)) == date(2027, 1, 31)
    assert deadline("через месяц", date(2027, 1, 31)) == date(2027, 2, 28)
    assert deadline("к 1 января", date(2026, 12, 31)) == date(2027, 1, 1)
    assert deadline("до 29 февраля", date(2026, 12, 31)) is None  # there is none that year
