"""Keeping the graph in step with the synced rows, in the background; a kill loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.knowledge import building_store

log = logging.getLogger(__name__)

_ROWS_A_STEP = 100  # a step is one transaction: others who write wait for it
_PAUSE = 60.0  # seconds before trying again what the environment did not allow


class Builder:
    """Works off the queue of changed rows; sleeps when all is done."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._wake = asyncio.Event()
        self._step = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, tower: Tower) -> Builder:
        """Begin to work in the background."""
        builder = cls(tower)
        tower.db.changed.append(builder._on_change)
        builder._task = asyncio.create_task(builder._work(), name="graph builder")
        return builder

    async def stop(self) -> None:
        """Finish the running step and stop."""
        self._tower.db.changed.remove(self._on_change)
        async with self._step:
            if self._task is not None:
                self._task.cancel()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def catch_up(self) -> int:
        """Read every row that waits; return how many there were."""
        total = 0
        while done := await self._some():
            total += done
        return total

    async def _some(self) -> int:
        async with self._step:
            at = self._tower.clock.text()
            return await self._tower.db.write(building_store.step, _ROWS_A_STEP, at)

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            pause = None
            try:
                await self.catch_up()
            except StorageFailure as error:
                log.warning("the graph waits: %s", error)
                pause = _PAUSE
            except Exception:  # a bug in one row must not end the building for good
                log.exception("building the graph stumbled; it is tried again")
                pause = _PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def _on_change(self, tables: frozenset[str]) -> None:
        if "graph_queue" in tables:
            self._wake.set()
