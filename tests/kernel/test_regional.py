"""Local time: zones by name, changes of the clock, working and quiet hours, language."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.regional import (
    Regional,
    day_bounds,
    is_quiet,
    is_working,
    language,
    local,
    moment_at,
    quiet_until,
)

MOSCOW = Regional(time_zone="Europe/Moscow")
BERLIN = Regional(time_zone="Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_moment_on_the_users_clock():
    assert local(at("2026-11-20T22:30"), MOSCOW).isoformat() == "2026-11-21T01:30:00+03:00"
    assert moment_at(date(2026, 11, 20), "09:00", MOSCOW) == at("2026-11-20T06:00")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe", "x\n"])
def test_an_unknown_zone_is_refused_beside_its_field(zone):
    with pytest.raises(Invalid) as refused:
        check({"time_zone": zone}, Regional)
    assert [issue.path for issue in refused.value.issues] == ["time_zone"]


@pytest.mark.parametrize("time", ["24:00", "9:00", "09:60", "noon"])
def test_a_time_of_day_is_hours_and_minutes(time):
    with pytest.raises(Invalid) as refused:
        check({"work_begins": time}, Regional)
    assert [issue.path for issue in refused.value.issues] == ["work_begins"]


def test_days_of_the_change_to_and_from_summer_time():
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        begins, ends = day_bounds(day, BERLIN)
        assert ends - begins == timedelta(hours=hours)
    assert moment_at(date(2026, 3, 29), "02:30", BERLIN) == at("2026-03-29T01:30")  # left out: 03:30 there
    assert moment_at(date(2026, 10, 25), "02:30", BERLIN) == at("2026-10-25T00:30")  # twice: the first


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20T05:59", False),
        ("2026-11-20T06:00", True),  # Friday, 09:00 in Moscow
        ("2026-11-20T14:59", True),
        ("2026-11-20T15:00", False),
        ("2026-11-21T09:00", False),  # Saturday
    ],
)
def test_working_hours(moment, expected):
    assert is_working(at(moment), MOSCOW) is expected


def test_a_shift_through_the_night_belongs_to_the_day_on_which_it_begins():
    night = Regional(time_zone="UTC", work_begins="22:00", work_ends="06:00")
    assert is_working(at("2026-11-20T23:00"), night)  # Friday night
    assert is_working(at("2026-11-21T05:00"), night)  # still Friday's
    assert not is_working(at("2026-11-21T23:00"), night)
    assert not is_working(at("2026-11-23T05:00"), night)  # Monday morning is Sunday's
    assert not is_working(at("2026-11-20T12:00"), night)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-11-20T17:59", None),
        ("2026-11-20T18:00", "2026-11-21T05:00"),  # 21:00 in Moscow
        ("2026-11-20T22:00", "2026-11-21T05:00"),
        ("2026-11-21T04:59", "2026-11-21T05:00"),
        ("2026-11-21T05:00", None),
    ],
)
def test_quiet_hours_over_midnight(moment, until):
    assert is_quiet(at(moment), MOSCOW) is (until is not None)
    assert quiet_until(at(moment), MOSCOW) == (at(until) if until else None)


def test_quiet_hours_within_a_day_and_none():
    siesta = Regional(time_zone="UTC", quiet_begins="13:00", quiet_ends="15:00")
    assert quiet_until(at("2026-11-20T14:00"), siesta) == at("2026-11-20T15:00")
    assert not is_quiet(at("2026-11-20T15:00"), siesta)
    never = Regional(time_zone="UTC", quiet_begins="08:00", quiet_ends="08:00")
    assert not any(is_quiet(at(f"2026-11-20T{hour:02}:00"), never) for hour in range(24))


def test_the_language_to_write_in():
    assert language(Regional(language="ru"), {"LANG": "en_US.UTF-8"}) == "ru"
    assert language(Regional(), {"LANG": "ru_RU.UTF-8"}) == "ru"
    assert language(Regional(), {"LANG": "ru_RU.UTF-8", "LC_ALL": "de_DE.UTF-8"}) == "en"
