"""Scheduled jobs, declared once: name, cadence, cascade, time limit, handler."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import msgspec

from ctower_desktop.kernel.settings import Settings
from ctower_desktop.kernel.tower import Desktop

Handler = Callable[[Desktop], Awaitable[Any]]
Condition = Callable[[Settings], bool]

_BACKOFF_BASE = 30.0  # seconds
_BACKOFF_CAP = 3_600.0
_STEEPEST = 10  # failures after which the wait no longer doubles
_JITTER = 0.15


def always(_settings: Settings) -> bool:
    """The condition of a job that is always there."""
    return True


@dataclass(frozen=True, slots=True)
class Job:
    """Something that happens by itself in every project, `every` seconds; then `then` become due.

    `limit` is how many seconds one run may take; `when` says under which settings the job exists.
    """

    name: str
    every: int
    then: tuple[str, ...]
    limit: int
    handler: Handler
    when: Condition = always

    @property
    def about(self) -> str:
        return (self.handler.__doc__ or "").strip().partition("\n")[0]


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """A result that also says when the job wants to run next, for when that is sooner than its cadence."""

    again_at: str | None = None


JOBS: dict[str, Job] = {}


def job(
    name: str, *, every: int, then: tuple[str, ...] = (), limit: int = 600, when: Condition = always
) -> Callable[[Handler], Handler]:
    """Declare a job. Its result, a Struct or None, is kept with the run."""

    def declare(handler: Handler) -> Handler:
        if name in JOBS:
            raise TypeError(f"two jobs are named {name}")
        if every < 1 or not 1 <= limit <= 1_800:
            raise TypeError(f"{name}: a cadence of {every} s or a limit of {limit} s makes no sense")
        JOBS[name] = Job(name, every, then, limit, handler, when)
        return handler

    return declare


def current(settings: Settings) -> dict[str, Job]:
    """The declared jobs that exist under these settings."""
    return {name: found for name, found in JOBS.items() if found.when(settings)}


def withdrawn(settings: Settings) -> frozenset[str]:
    """The names of declared jobs that do not exist under these settings."""
    return frozenset(JOBS) - current(settings).keys()


def cascades_end(jobs: dict[str, Job]) -> bool:
    """Whether the cascades among declared jobs form no circle."""
    try:
        TopologicalSorter(
            {name: [t for t in found.then if t in jobs] for name, found in jobs.items()}
        ).prepare()
    except CycleError:
        return False
    return True


def backoff(
    failures: int,
    chance: random.Random,
    retry_after: float | None = None,
    *,
    base: float = _BACKOFF_BASE,
    cap: float = _BACKOFF_CAP,
) -> float:
    """Seconds until a failed job is tried again: base·2^(n−1) ± 15 %, at most `cap`.

    A Retry-After named by the cause is used instead, under the same cap.
    """
    if retry_after is not None:
        return min(max(retry_after, 0.0), cap)
    wait = base * 2.0 ** (min(max(failures, 1), _STEEPEST) - 1)
    return min(wait * chance.uniform(1 - _JITTER, 1 + _JITTER), cap)
