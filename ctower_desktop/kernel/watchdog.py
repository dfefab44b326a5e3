"""What holds the loop up: every callback that runs too long, by name, with the stack it was seen in."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, Self

from ctower_desktop.kernel.tower import Tower

log = logging.getLogger(__name__)

STALL = 0.020  # seconds a callback may hold the loop
_BUCKETS = (0.005, 0.010, 0.020, 0.050, 0.100, 0.250, 0.500, 1.0, 5.0)
_NOTED = _BUCKETS[0]  # shorter callbacks are not worth counting
_DEPTH = 12  # frames of a stack that are kept


@dataclass(frozen=True, slots=True)
class Stall:
    """One callback that held the loop: for how long, what it was, where it was seen."""

    seconds: float
    what: str
    stack: str = ""

    def __str__(self) -> str:
        return f"the loop was held for {self.seconds * 1_000:.0f} ms by {self.what}"


class _Sampler:
    """A thread that looks where the loop's thread is when a callback has run for too long."""

    def __init__(self, stall: float) -> None:
        self._stall = stall
        self._began: float | None = None
        self._loop_thread = threading.get_ident()
        self._stack = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watchdog", daemon=True)
        self._thread.start()

    def begin(self, at: float) -> None:
        self._stack, self._began = "", at

    def end(self) -> str:
        """The stack seen since `begin`, if any."""
        self._began = None
        return self._stack

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(self._stall / 2):
            began = self._began
            if began is not None and not self._stack and time.perf_counter() - began > self._stall:
                frame = sys._current_frames().get(self._loop_thread)
                self._stack = _shown(frame) if frame is not None else ""


@contextmanager
def watch(tell: Callable[[Stall], None], *, over: float = STALL, stacks: bool = False) -> Iterator[None]:
    """Measure every callback of this thread's loop and `tell` of those that took longer than `over` seconds.

    With `stacks` a second thread looks where the time goes.
    """
    # The loop's own slow_callback_duration works only in debug mode, which records a stack at every
    # call_soon; so the one method that every handle of every loop goes through, qasync's too, is timed.
    before: Callable[[asyncio.Handle], None] = vars(asyncio.Handle)["_run"]
    here, sampler = threading.get_ident(), _Sampler(over) if stacks else None
    ended = False

    def timed(handle: asyncio.Handle) -> None:
        if ended or threading.get_ident() != here:
            before(handle)
            return
        began, source = time.perf_counter(), _source(handle)
        if sampler is not None:
            sampler.begin(began)
        before(handle)
        stack = sampler.end() if sampler is not None else ""
        seconds = time.perf_counter() - began
        if seconds > over:
            tell(Stall(seconds, _named(source), stack))

    setattr(asyncio.Handle, "_run", timed)  # noqa: B010 - a method is replaced on purpose
    try:
        yield
    finally:
        ended = True
        if vars(asyncio.Handle)["_run"] is timed:  # else one that began later still goes through us
            setattr(asyncio.Handle, "_run", before)  # noqa: B010
        if sampler is not None:
            sampler.stop()


class Watchdog:
    """Logs what holds the loop for more than 20 ms and counts it in /metrics."""

    def __init__(self, tower: Tower) -> None:
        self.stalls: deque[Stall] = deque(maxlen=100)
        self._held = tower.metrics.histogram(
            "app_loop_held_seconds", "Callbacks that held the loop for 5 ms or more", buckets=_BUCKETS
        )
        self._watch = watch(self._tell, over=_NOTED)

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Watch the running loop."""
        found = cls(tower)
        found._watch.__enter__()
        return found

    async def stop(self) -> None:
        """Watch no longer."""
        self._watch.__exit__(None, None, None)

    def _tell(self, stall: Stall) -> None:
        self._held.observe(stall.seconds)
        if stall.seconds > STALL:
            self.stalls.append(stall)
            log.warning("%s", stall)


def _source(handle: asyncio.Handle) -> Any:
    """What a handle calls, taken before it runs: a cancelled handle forgets it."""
    callback = handle._callback  # type: ignore[attr-defined]
    bound = getattr(callback, "__self__", None)
    return callback if bound is None or isinstance(bound, ModuleType) else bound


def _named(source: Any) -> str:
    if isinstance(source, asyncio.Task):
        coroutine = source.get_coro()
        name = getattr(coroutine, "__qualname__", repr(coroutine))
        frame: FrameType | None = getattr(coroutine, "cr_frame", None)
        where = f", now at {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ", its end"
        return f"{name} ({source.get_name()}{where})"
    return str(getattr(source, "__qualname__", None) or type(source).__qualname__)


def _shown(frame: FrameType) -> str:
    return "".join(traceback.format_stack(frame, limit=_DEPTH))
