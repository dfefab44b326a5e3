"""Time words: the days they mean, from a Friday."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.search.periods import period_of

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Что было вчера?", "2026-11-19", "2026-11-19"), ("What came yesterday?", "2026-11-19", "2026-11-19"),
        ("Что сегодня?", "2026-11-20", "2026-11-20"), ("позавчера писали", "2026-11-18", "2026-11-18"),
        ("на прошлой неделе", "2026-11-09", "2026-11-15"), ("last week", "2026-11-09", "2026-11-15"),
        ("на этой неделе", "2026-11-16", "2026-11-20"), ("две недели назад", "2026-11-02", "2026-11-08"),
        ("two weeks ago", "2026-11-02", "2026-11-08"), ("3 дня назад", "2026-11-17", "2026-11-17"),
        ("since Monday", "2026-11-16", "2026-11-20"), ("с понедельника", "2026-11-16", "2026-11-20"),
        ("во вторник", "2026-11-17", "2026-11-17"), ("in the last 3 days", "2026-11-17", "2026-11-20"),
        ("last Saturday", "2026-11-14", "2026-11-14"), ("в прошлую пятницу", "2026-11-13", "2026-11-13"),
        ("on Friday", "2026-11-20", "2026-11-20"), ("в октябре", "2026-10-01", "2026-10-31"),
        ("in December", "2025-12-01", "2025-12-31"), ("в марте 2026", "2026-03-01", "2026-03-31"),
        ("в прошлом месяце", "2026-10-01", "2026-10-31"), ("this month", "2026-11-01", "2026-11-20"),
        ("за последние две недели", "2026-11-06", "2026-11-20"), ("неделю назад", "2026-11-09", "2026-11-15"),
    ],
)  # fmt: skip
def test_the_days_that_are_meant(text, first, last):
    found = period_of(text, TODAY)
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)
    assert found.words in text


@pytest.mark.parametrize(
    "text",
    ["перенесли на две недели", "27 ноября", "How long is a day?", "среда разработки", "may we?",
     "сегодняшка", "in December 2026"],
)  # fmt: skip
def test_other_words_mean_no_days(text):
    assert period_of(text, TODAY) is None


@given(st.text(max_size=60), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_period_is_in_order_and_has_begun(text, today):
    for asked in (text, f"{text} вчера", f"{text} last week"):
        found = period_of(asked, today)
        if found is not None:
            assert found.first <= found.last
            assert found.first <= today


@given(st.integers(0, 999))
def test_however_long_ago_nothing_breaks(count):
    assert period_of(f"{count} дней назад", date(1, 1, 9)) is None or count <= 9
