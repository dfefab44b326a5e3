"""Schedules: what they accept, when they are due, in any time zone and over the change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctower_desktop.reports.cron import days_covered, following, latest, parse

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("0 9 * * 1", "2026-11-20 10:00", "2026-11-23 09:00"),  # a Friday → Monday
        ("0 8 * * *", "2026-11-20 08:00", "2026-11-21 08:00"),
        ("0 */6 * * *", "2026-11-20 10:00", "2026-11-20 12:00"),
        ("17 10 * * *", "2026-11-20 10:00", "2026-11-20 10:17"),
        ("0,30 9-11 * * *", "2026-11-20 09:01", "2026-11-20 09:30"),
        ("5/20 * * * *", "2026-11-20 10:26", "2026-11-20 10:45"),
        ("0 0 29 2 *", "2026-11-20 10:00", "2028-02-29 00:00"),
        ("0 12 1 * 5", "2026-11-21 10:00", "2026-11-27 12:00"),  # the first or a Friday
        ("0 9 * * sun", "2026-11-20 10:00", "2026-11-22 09:00"),
        ("0 9 * * 7", "2026-11-20 10:00", "2026-11-22 09:00"),
        ("0 9 * dec mon-fri", "2026-11-20 10:00", "2026-12-01 09:00"),
    ],
)
def test_the_next_time(schedule, after, expected):
    assert following(parse(schedule), at(after), UTC) == at(expected)


@pytest.mark.parametrize(
    "schedule",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 31 2 *", "*/0 * * * *",
     "5-1 * * * *", "a * * * *", "1,,2 * * * *", "* * * * 8", "-1 * * * *", "* * * 13 *", "1/ * * * *",
     "٣ * * * *", "*-5 * * * *"],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(schedule):
    with pytest.raises(ValueError, match=r"[.]$"):
        parse(schedule)


def test_the_time_is_that_of_the_users_clock():
    assert following(parse("0 9 * * 1"), at("2026-11-20 10:00"), MOSCOW) == at("2026-11-23 06:00")
    assert latest(parse("0 9 * * *"), at("2026-11-19 00:00"), at("2026-11-20 05:59"), MOSCOW) == at(
        "2026-11-19 06:00"
    )


def test_every_minute_matters():
    """Fault absent: minute fields match at every minute, not only when the job happens to run."""
    cron = parse("37 14 * * *")
    assert latest(cron, at("2026-11-20 14:00"), at("2026-11-20 15:00"), UTC) == at("2026-11-20 14:37")
    assert latest(cron, at("2026-11-20 14:37"), at("2026-11-20 15:00"), UTC) is None, "each time once"


def test_the_change_of_clocks_neither_skips_nor_doubles_a_day():
    daily = parse("30 2 * * *")
    assert following(daily, at("2026-03-28 12:00"), BERLIN) == at("2026-03-29 01:30"), "02:30 does not exist"
    first = following(daily, at("2026-10-24 12:00"), BERLIN)
    assert first == at("2026-10-25 00:30"), "02:30 comes twice: the first counts"
    assert following(daily, first, BERLIN) == at("2026-10-26 01:30")


def test_how_far_back_a_report_looks():
    assert [days_covered(parse(s)) for s in ("0 9 * * 1", "0 8 * * *", "0 9 1 * *", "0 9 * * */2")] == [
        7,
        1,
        1,
        1,
    ]


@settings(derandomize=True, database=None, max_examples=200)
@given(
    st.sampled_from(
        ["*/7 * * * *", "0 9 * * 1", "15,45 */5 * * *", "0 0 1 * *", "30 2 * * *", "5 4 1-7 3 2"]
    ),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)),
    st.sampled_from([UTC, MOSCOW, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")]),
)
def test_next_and_last_agree(schedule, naive, zone):
    cron, start = parse(schedule), naive.replace(tzinfo=UTC)
    due = following(cron, start, zone)
    assert due > start
    assert latest(cron, start, due, zone) == due
    assert latest(cron, start, due - timedelta(minutes=1), zone) is None
