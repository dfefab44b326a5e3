"""The one way from a Qt slot into async work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar, cast

from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.feedback import show_error
from ctower_desktop.kernel.errors import TowerError

T = TypeVar("T")
Failed = Callable[[TowerError], None]

log = logging.getLogger(__name__)

_running: set[asyncio.Task[Any]] = set()  # the loop keeps only weak references


def start(
    owner: QWidget,
    work: Awaitable[T],
    then: Callable[[T], None] | None = None,
    failed: Failed | None = None,
) -> asyncio.Task[T]:
    """Run `work`; give its result to `then`; stop it when `owner` goes away.

    A failure we understand goes to `failed`, or to the error bar of the owner's window; any other is our
    bug: it is logged, and the bar says so.
    """
    task = cast(asyncio.Task[T], asyncio.ensure_future(work))
    _running.add(task)
    alive = _Alive(owner, task)

    def done(finished: asyncio.Task[T]) -> None:
        _running.discard(finished)
        if finished.cancelled() or not alive.forget():
            return
        error = finished.exception()
        if error is None:
            if then is not None:
                then(finished.result())
        elif isinstance(error, TowerError) and failed is not None:
            failed(error)
        else:
            if not isinstance(error, TowerError):
                log.error("a task of %s failed", type(owner).__name__, exc_info=error)
            show_error(owner, error)

    task.add_done_callback(done)
    return task


def stream(
    owner: QWidget,
    source: AsyncIterator[T],
    each: Callable[[T], None],
    done: Callable[[], None] | None = None,
    failed: Failed | None = None,
) -> asyncio.Task[None]:
    """Give every item of `source` to `each` as it comes, then call `done`; otherwise as `start`."""

    async def run() -> None:
        async for item in source:
            each(item)

    def finished(_: None) -> None:
        if done is not None:
            done()

    return start(owner, run(), finished, failed)


def running() -> frozenset[asyncio.Task[Any]]:
    """What was started and is not over."""
    return frozenset(_running)


async def settle() -> None:
    """Wait until nothing that was started is running; for the end of the program and for tests."""
    while _running:
        await asyncio.wait(tuple(_running))
        await asyncio.sleep(0)


def cancel_all() -> None:
    """Stop everything that was started."""
    for task in tuple(_running):
        task.cancel()


class _Alive:
    """Cancels a task when its owner is destroyed, and knows whether that happened."""

    def __init__(self, owner: QWidget, task: asyncio.Task[Any]) -> None:
        self._task, self._gone = task, False
        self._connection = owner.destroyed.connect(self._destroyed)

    def _destroyed(self) -> None:
        self._gone = True
        self._task.cancel()

    def forget(self) -> bool:
        """Stop watching; whether the owner is still there."""
        if not self._gone:
            QWidget.disconnect(self._connection)
        return not self._gone
