"""When a job runs next: after success, after failure, after the clock was changed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import TopologicalSorter

from ctower_desktop.kernel.jobs import Job, backoff
from ctower_desktop.operations.model import LONGEST_LIMIT_MS, Operations

JUMP = 5.0  # seconds by which wall and monotonic time may drift apart before it counts
SPREAD = 30.0  # seconds over which overdue jobs are spread after the computer woke up


@dataclass(frozen=True, slots=True)
class Moment:
    """The same instant on the wall clock and on the monotonic counter."""

    wall: datetime
    counter: float

    def jump(self, later: Moment) -> float:
        """Seconds by which the wall clock went further than the counter since this moment.

        Positive after a suspend or a clock set forward, negative after one set back, 0 within tolerance.
        """
        apart = (later.wall - self.wall).total_seconds() - (later.counter - self.counter)
        return apart if abs(apart) > JUMP else 0.0


@dataclass(frozen=True, slots=True)
class Rules:
    """How failures are dealt with."""

    max_failures: int
    base: float
    cap: float
    dead_after: timedelta
    chance: random.Random

    @classmethod
    def of(cls, settings: Operations, chance: random.Random) -> Rules:
        """The rules the settings ask for."""
        return cls(
            max_failures=settings.job_max_retries,
            base=settings.job_retry_backoff_base_seconds,
            cap=settings.job_retry_backoff_cap_seconds,
            dead_after=timedelta(minutes=settings.dead_job_threshold_minutes),
            chance=chance,
        )

    def suspends(self, failures: int) -> bool:
        """Whether so many failures in a row are enough."""
        return failures >= self.max_failures

    def retry_at(self, now: datetime, failures: int, retry_after: float | None = None) -> datetime:
        """When a job that failed `failures` times in a row is tried again."""
        wait = backoff(failures, self.chance, retry_after, base=self.base, cap=self.cap)
        return now + timedelta(seconds=wait)

    def replanned(self, next_run: datetime, cadence: int, failures: int, now: datetime) -> datetime:
        """`next_run`, unless the clock was set back and it lies further ahead than it ever could."""
        furthest = max(self.cap, cadence) if failures else cadence
        return min(next_run, now + timedelta(seconds=furthest))


def limit_of(job: Job, settings: Operations) -> float:
    """Seconds one run of `job` may take."""
    wanted = settings.job_timeouts_ms.get(job.name, job.limit * 1_000)
    return min(max(wanted, 1), LONGEST_LIMIT_MS) / 1_000


def upstream_first(jobs: dict[str, Job]) -> list[Job]:
    """Jobs so that what makes others due comes before them."""
    causes: dict[str, list[str]] = {name: [] for name in jobs}
    for found in jobs.values():
        for name in found.then:
            if name in causes:
                causes[name].append(found.name)
    return [jobs[name] for name in TopologicalSorter(causes).static_order()]


def spread(now: datetime, count: int, chance: random.Random) -> Iterable[datetime]:
    """Moments for `count` overdue jobs, so that they do not all start at once."""
    return (now + timedelta(seconds=chance.uniform(0, SPREAD)) for _ in range(count))
