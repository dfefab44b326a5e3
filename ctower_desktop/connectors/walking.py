"""One pull on its way through the streams of a vendor: pages in, deletes concluded, nested rows in lanes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from ctower_desktop.connectors import ledger_store, remote_store
from ctower_desktop.connectors.contract import (
    BadPayload,
    Connector,
    Done,
    Due,
    Ending,
    NeedsUser,
    Page,
    PartialData,
    Refused,
    Stream,
    Walk,
)
from ctower_desktop.connectors.intake_store import Intake, below
from ctower_desktop.connectors.remote_store import Rows
from ctower_desktop.connectors.wire import Wire
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.tower import Tower

LANES = 4  # nested rows of so many parents are read side by side
_GROUP = 32  # parents whose nested rows are stored in one transaction
_QUEUE = 512
_TAIL = 40  # how many of the last nested rows are read again for edits
_SWEEP = 200  # parents whose nested rows one reconciliation compares
_LOOKUPS = 25  # missing rows that are asked for one by one

Progress = Callable[[str, str, int, int | None], None]


class Walking:
    """One pull on its way through the streams."""

    def __init__(  # noqa: PLR0917
        self,
        tower: Tower,
        progress: Progress,
        connector: Connector,
        wire: Wire,
        page: Any,
        rows: Rows,
        intake: Intake,
        facts: dict[str, Any],
        *,
        whole: bool,
    ) -> None:
        self.progress, self.connector, self.wire, self.page = progress, connector, wire, page
        self.rows, self.intake, self.facts, self.whole = rows, intake, facts, whole
        self.db, self.clock = tower.db, tower.clock

    def _walk(self, stream: Stream, state: remote_store.StreamState, due: list[Due]) -> Walk:
        async def known(ids: list[str]) -> dict[str, str]:
            return await self.db.read(self.rows.versions, stream.name, ids)

        resume = None if self.whole else state.resume
        return Walk(stream, state.watermark, resume, self.whole, self.facts, known, due)

    async def stream(self, stream: Stream, *, allow: bool) -> None:
        """Read a stream to its end; only then its watermark moves and deletes are concluded."""
        state = await self.db.read(self.rows.state, stream.name)
        seen: set[str] = set()
        rows, failure, ending = 0, None, Ending(self.connector.title)
        async with aclosing(self._pages(stream, state)) as pages:
            async for step in pages:
                if isinstance(step, Done):
                    if failure is None:
                        await self._end(stream, step, seen, allow=allow)
                    break
                failure = failure or step.error
                if step.error is not None:
                    step.resume = None
                before = len(seen) + self.intake.counts.bad
                seen.update(await self._take([step]))
                ending.brought(len(seen) + self.intake.counts.bad - before)
                rows += len(step.rows)
                self.progress(self.connector.name, stream.name, rows, state.remote_count)
        if failure is not None:
            raise failure

    async def _pages(
        self, stream: Stream, state: remote_store.StreamState
    ) -> AsyncGenerator[Page | Done, None]:
        walk = self._walk(stream, state, [])
        async with aclosing(self.connector.pull(self.wire, self.page, walk)) as steps:
            async for step in steps:
                yield step

    async def _take(self, pages: list[Page], *, swept: bool = False) -> list[str]:
        return await self.db.write(self.intake.take, pages, self.clock.text(), swept)

    async def _end(self, stream: Stream, done: Done, seen: set[str], *, allow: bool) -> None:
        if done.absent:
            return
        if done.enumerated:
            await self._conclude(stream, done, seen, allow=allow)
        await self.db.write(self.intake.done, stream, done, self.clock.text())

    async def _conclude(self, stream: Stream, done: Done, seen: set[str], *, allow: bool) -> None:
        """What is missing from a complete enumeration: ask for it, or wait until it is missing again."""
        once, again = await self.db.write(self.intake.vanished, stream, seen, allow=allow)
        if not once and not again:
            return
        if done.certain:
            await self._bury(stream, [*once, *again], [], [])
            return
        gone: list[str] = []
        alive: list[str] = []
        unsure: list[str] = []
        asked = [*again, *once]
        for place, external_id in enumerate(asked):
            exists = None
            if place < _LOOKUPS:
                exists = await self.connector.exists(self.wire, self.page, stream.name, external_id)
            if exists is None and external_id in again:
                exists = False
            (unsure if exists is None else alive if exists else gone).append(external_id)
        await self._bury(stream, gone, alive, unsure)

    async def _bury(self, stream: Stream, gone: list[str], alive: list[str], unsure: list[str]) -> None:
        at = self.clock.text()
        await self.db.write(self.intake.conclude, stream, gone, alive, unsure, at)

    async def nested(self, stream: Stream) -> None:
        """Read the rows below every row that moved; what was read of it is remembered row by row."""
        parent, total = stream.parents[0], 0
        failed: set[str] = set()
        while True:
            due = await self.db.read(self.rows.due, parent, stream.name, _QUEUE, _TAIL)
            due = [each for each in due if each.external_id not in failed]
            if not due:
                break
            total += await self._groups(stream, due, failed, total, swept=False)
        if self.whole:
            sweep = await self.db.read(self.rows.sweep, parent, _SWEEP)
            await self._groups(stream, sweep, failed, total, swept=True)

    async def _groups(
        self, stream: Stream, due: list[Due], failed: set[str], before: int, *, swept: bool
    ) -> int:
        """Read group after group; while one is stored the next is read."""
        rows, storing = 0, None
        state = remote_store.StreamState(stream.name, None, None, None, 0, None)
        try:
            for start in range(0, len(due), _GROUP):
                group = due[start : start + _GROUP]
                async with asyncio.TaskGroup() as lanes:
                    tasks = [
                        lanes.create_task(self._lane(stream, state, group[lane::LANES], failed))
                        for lane in range(LANES)
                    ]
                pages = [page for task in tasks for page in task.result()]
                if storing is not None:
                    await storing
                storing = asyncio.create_task(self._take(pages, swept=swept))
                rows += sum(len(page.rows) for page in pages)
                self.progress(self.connector.name, stream.name, before + rows, None)
        except ExceptionGroup as group_error:
            raise _first(group_error) from group_error
        finally:
            if storing is not None:
                await storing
        return rows

    async def _lane(
        self, stream: Stream, state: remote_store.StreamState, due: list[Due], failed: set[str]
    ) -> list[Page]:
        found: list[Page] = []
        for each in due:
            walk = self._walk(stream, state, [each])
            try:
                async for step in self.connector.pull(self.wire, self.page, walk):
                    if isinstance(step, Page):
                        found.append(step)
            except (BadPayload, Refused) as error:
                failed.add(each.external_id)
                await self._set_aside(stream, each, error)
            else:
                if not any(page.parent == each.external_id for page in found):
                    failed.add(each.external_id)  # gone since it was listed
        return found

    async def _set_aside(self, stream: Stream, due: Due, error: Upstream) -> None:
        """One row whose nested rows cannot be read holds up no other."""
        self.intake.counts.bad += 1
        await self.db.write(
            ledger_store.quarantine, self.connector.name, self.rows.account, stream.name,
            below(due.external_id), str(error), b"{}", self.clock.text(),
        )  # fmt: skip


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """The failure that says most: what the user must do, then a partial answer, then any."""
    flat = [e for e in group.exceptions if not isinstance(e, ExceptionGroup)]
    for kind in (NeedsUser, PartialData, Upstream):
        found = next((e for e in flat if isinstance(e, kind)), None)
        if found is not None:
            return found
    return flat[0] if flat else group
