"""Schedules of five fields in words, and back."""

from __future__ import annotations

import pytest

from ctower_desktop.gui import text
from ctower_desktop.gui.reports_schedule import Schedule, a_count, a_time, schedule_of
from ctower_desktop.reports import cron


@pytest.mark.parametrize(
    ("fields", "english", "russian"),
    [
        (None, "only when somebody asks", "только по просьбе"),
        ("0 8 * * *", "every day at 08:00", "каждый день в 08:00"),
        (
            "30 9 * * 1-5",
            "on working days, Monday to Friday, at 09:30",
            "по рабочим дням, с понедельника по пятницу, в 09:30",
        ),
        ("0 9 * * 1", "on Mondays at 09:00", "по понедельникам в 09:00"),
        ("5 17 * * fri", "on Fridays at 17:05", "по пятницам в 17:05"),
        ("0 9 * * 7", "on Sundays at 09:00", "по воскресеньям в 09:00"),
        ("0 9 1 * *", "every month on day 1 at 09:00", "каждый месяц 1-го числа в 09:00"),
        ("0 */6 * * *", "every 6 hours", "каждые 6 часов"),
        ("*/15 * * * *", "by the five fields */15 * * * *", "по пяти полям */15 * * * *"),
        ("0 9 1 * 1", "by the five fields 0 9 1 * 1", "по пяти полям 0 9 1 * 1"),
        ("0 */7 * * *", "by the five fields 0 */7 * * *", "по пяти полям 0 */7 * * *"),
    ],
)
def test_said_in_both_languages(fields, english, russian):
    assert schedule_of(fields).words == english
    text.set_language("ru")
    assert schedule_of(fields).words == russian


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule("never"),
        Schedule("daily", "07:45"),
        Schedule("workdays", "10:00"),
        Schedule("weekly", "09:00", weekday=5),
        Schedule("weekly", "09:00", weekday=0),
        Schedule("monthly", "23:59", day=31),
        Schedule("hours", hours=12),
    ],
)
def test_there_and_back(schedule):
    if schedule.cron is not None:
        cron.parse(schedule.cron)
    assert schedule_of(schedule.cron) == schedule


def test_times_and_counts_are_read_as_people_type_them():
    assert a_time("9:05") == "09:05"
    assert a_count(31)(" 7 ") == 7
    for reader, typed in ((a_time, "25:00"), (a_time, "nine"), (a_count(31), "32"), (a_count(31), "0")):
        with pytest.raises(ValueError, match="please"):
            reader(typed)
