"""Who wants to know what happened: jobs that ended, progress of long work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

_WAITING = 256  # events a slow listener may fall behind before the oldest are dropped


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened; `project_id` is None when it concerns every project."""

    project_id: str | None


class JobCompleted(Event, frozen=True, kw_only=True):
    """A scheduled job ended, well (`ok`) or not (`failed`)."""

    job_type: str
    status: str
    at: str
    duration_ms: int = 0


class SyncProgress(Event, frozen=True, kw_only=True):
    """How far a synchronisation is: `phase` in plain words, `done` rows of `total` (None: unknown)."""

    connector: str
    phase: str
    done: int
    total: int | None
    at: str


class IndexProgress(Event, frozen=True, kw_only=True):
    """How far indexing is: chunks embedded of all chunks."""

    done: int
    total: int
    at: str


class IndexProblem(Event, frozen=True, kw_only=True):
    """Vectors cannot be made now, for this reason; None: they are made again."""

    problem: str | None
    at: str


class AccessChanged(Event, frozen=True, kw_only=True):
    """Somebody may now do less than before: a session, a key, a role or an assignment ended."""


class Events:
    """The bus inside the process. Listeners get what is published while they listen, in order."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Event], None]] = []

    def publish(self, event: Event) -> None:
        """Tell everyone who listens; never waits."""
        for tell in tuple(self._callbacks):
            tell(event)

    def subscribe(self, tell: Callable[[Event], None]) -> Callable[[], None]:
        """Call `tell` for every event from now on; call what is returned to stop."""
        self._callbacks.append(tell)
        return lambda: self._callbacks.remove(tell)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Event]]:
        """A queue of events; a listener that falls behind loses the oldest."""
        queue: asyncio.Queue[Event] = asyncio.Queue(_WAITING)

        def tell(event: Event) -> None:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

        stop = self.subscribe(tell)
        try:
            yield queue
        finally:
            stop()
