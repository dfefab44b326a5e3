"""When a job runs next is arithmetic: here without clock, database or loop."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctower_desktop.kernel.jobs import Job, backoff
from ctower_desktop.operations.model import Operations
from ctower_desktop.operations.timing import JUMP, SPREAD, Moment, Rules, limit_of, spread, upstream_first

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Even(random.Random):
    """Chance without chance: always the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def rules(**settings: int) -> Rules:
    return Rules.of(Operations(**settings), Even())


async def _nothing(call):
    """Nothing."""


def _job(name: str, *then: str) -> Job:
    return Job(name, 900, then, 600, _nothing)


def test_backoff_doubles_up_to_an_hour():
    assert [backoff(n, Even()) for n in range(1, 12)] == [
        *(30, 60, 120, 240, 480, 960, 1_920),
        *(3_600, 3_600, 3_600, 3_600),
    ]


@given(st.integers(0, 1_000), st.integers(0, 2**32))
def test_backoff_is_spread_by_fifteen_percent_before_the_cap(failures, seed):
    wait = backoff(failures, random.Random(seed))
    plain = 30 * 2 ** (min(max(failures, 1), 10) - 1)
    assert min(plain * 0.85, 3_600) <= wait <= min(plain * 1.15, 3_600)


@given(st.floats(-1e9, 1e9), st.integers(1, 30))
def test_a_named_retry_after_wins_within_the_cap(seconds, failures):
    assert backoff(failures, Even(), seconds) == min(max(seconds, 0), 3_600)


def test_settings_set_base_and_cap():
    strict = rules(job_retry_backoff_base_seconds=5, job_retry_backoff_cap_seconds=12)
    assert [(strict.retry_at(NOW, n) - NOW).total_seconds() for n in (1, 2, 3)] == [5, 10, 12]
    assert strict.retry_at(NOW, 1, 600) - NOW == timedelta(seconds=12)


@pytest.mark.parametrize(("failures", "suspended"), [(0, False), (9, False), (10, True), (11, True)])
def test_ten_failures_are_enough(failures, suspended):
    assert rules().suspends(failures) is suspended


class TestReplanning:
    def test_a_plan_within_the_cadence_stays(self):
        planned = NOW + timedelta(seconds=900)
        assert rules().replanned(planned, 900, 0, NOW) == planned

    def test_a_clock_set_back_by_hours_postpones_by_one_cadence_at_most(self):
        planned = NOW + timedelta(hours=7)
        assert rules().replanned(planned, 900, 0, NOW) == NOW + timedelta(seconds=900)

    def test_a_failed_job_may_wait_for_the_cap(self):
        planned = NOW + timedelta(minutes=50)
        assert rules().replanned(planned, 300, 7, NOW) == planned
        assert rules().replanned(NOW + timedelta(hours=5), 300, 7, NOW) == NOW + timedelta(hours=1)

    @given(st.integers(-(10**7), 10**7), st.sampled_from([300, 900, 86_400]), st.integers(0, 12))
    def test_never_later_than_planned_and_never_in_the_past_unless_it_was(self, ahead, cadence, failures):
        planned = NOW + timedelta(seconds=ahead)
        found = rules().replanned(planned, cadence, failures, NOW)
        assert found <= planned
        assert found >= min(planned, NOW)


class TestJumps:
    before = Moment(NOW, 1_000.0)

    def test_time_that_passes_is_no_jump(self):
        assert self.before.jump(Moment(NOW + timedelta(seconds=60), 1_060.0)) == 0

    def test_drift_within_tolerance_is_no_jump(self):
        assert self.before.jump(Moment(NOW + timedelta(seconds=60 + JUMP), 1_060.0)) == 0

    def test_a_suspend_stops_the_counter_only(self):
        assert self.before.jump(Moment(NOW + timedelta(hours=8), 1_003.0)) == 8 * 3_600 - 3

    def test_a_clock_set_back(self):
        assert self.before.jump(Moment(NOW - timedelta(hours=2), 1_010.0)) == -7_210


def test_causes_come_before_effects():
    jobs = {job.name: job for job in (_job("c"), _job("b", "c"), _job("a", "b", "elsewhere"))}
    assert [job.name for job in upstream_first(jobs)] == ["a", "b", "c"]


def test_time_limits_come_from_the_declaration_the_settings_and_the_ceiling():
    assert limit_of(_job("sync"), Operations()) == 600
    assert limit_of(_job("sync"), Operations(job_timeouts_ms={"sync": 50})) == 0.05
    assert limit_of(_job("sync"), Operations(job_timeouts_ms={"sync": 9_999_999})) == 1_800
    assert limit_of(_job("sync"), Operations(job_timeouts_ms={"sync": -1})) == 0.001


@given(st.integers(0, 40), st.integers(0, 2**32))
def test_overdue_jobs_are_spread_over_half_a_minute(count, seed):
    moments = list(spread(NOW, count, random.Random(seed)))
    assert len(moments) == count
    assert all(NOW <= at <= NOW + timedelta(seconds=SPREAD) for at in moments)
