"""Reading a vendor: one pull at a time for each, page by page, every page one transaction with its place."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ctower_desktop.connectors import intake_store, ledger_store, projection_store, remote_store
from ctower_desktop.connectors.contract import CONNECTORS, Connector, NeedsUser, origin_of, settings_of
from ctower_desktop.connectors.intake_store import Counts, Intake
from ctower_desktop.connectors.remote_store import Rows
from ctower_desktop.connectors.walking import Walking
from ctower_desktop.connectors.wire import Breaker, Sleep, Wire
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.events import SyncProgress
from ctower_desktop.kernel.http import checked_url
from ctower_desktop.kernel.tower import Tower

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Pulled:
    """A finished pull: when, what it did, how many requests it took."""

    connector: str
    account: str
    run: int
    started_at: str
    finished: float
    requests: int
    counts: Counts
    projects: set[str]
    whole: bool


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[Pulled]
    whole: bool
    waiting: int = 0


@dataclass(slots=True)
class _Line:
    """The wire to a vendor and the settings it was made from."""

    wire: Wire
    page: Any
    checked: bool = False


@dataclass
class Sync:
    """What reads the vendors; a part of the tower. `sleep` and `chance` are for tests."""

    tower: Tower
    sleep: Sleep = asyncio.sleep
    chance: random.Random = field(default_factory=random.Random)
    breakers: dict[str, Breaker] = field(default_factory=dict)
    _lines: dict[str, _Line] = field(default_factory=dict)
    _running: dict[str, _Running] = field(default_factory=dict)
    _last: dict[str, Pulled] = field(default_factory=dict)
    _last_whole: dict[str, Pulled] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set)
    _gauges: list[Any] = field(default_factory=list)

    @classmethod
    async def start(cls, tower: Tower) -> Sync:
        """Follow changes of the settings."""
        found = cls(tower)
        tower.settings.changed.append(found.settings_changed)
        found.show_breakers()
        return found

    async def recover(self) -> None:
        """What was running when the program ended runs no more.

        Only the one process that holds the home may say so: another one could be at work beside a command.
        """
        await self.tower.db.write(ledger_store.interrupted, self.tower.clock.text())

    def show_breakers(self) -> None:
        """The state of every breaker among the metrics: 1 while it is not closed, and failures in a row."""
        metrics = self.tower.metrics
        state = metrics.gauge("app_circuit_breaker_state", "1 while a vendor is left alone", "host", "state")
        failures = metrics.gauge("app_circuit_breaker_failures", "Failures of a vendor in a row", "host")
        self._gauges += [state, failures]
        for name in CONNECTORS:
            state.labels(name, "open").set_function(partial(self._is_open, name))
            failures.labels(name).set_function(partial(self._failures, name))

    def _is_open(self, name: str) -> float:
        return float(self.breaker(name).state != "closed")

    def _failures(self, name: str) -> float:
        return float(self.breaker(name).failures)

    async def stop(self) -> None:
        """Cancel what is being read; every page that was stored stays."""
        self.tower.settings.changed.remove(self.settings_changed)
        for gauge in self._gauges:
            self.tower.metrics.registry.unregister(gauge)
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def settings_changed(self, page: str) -> None:
        """The user has acted: whatever was wrong may be right now."""
        self._lines.pop(page, None)
        self.breakers.pop(page, None)
        self.stale(page)

    def stale(self, name: str) -> None:
        """What was read is no longer fresh."""
        self._last.pop(name, None)
        self._last_whole.pop(name, None)

    def breaker(self, name: str) -> Breaker:
        """The circuit breaker of a connection."""
        return self.breakers.setdefault(name, Breaker(self.tower.clock.monotonic))

    async def wire(self, connector: Connector, page: Any) -> Wire:
        """A line by settings that are only being tried, with a breaker of its own."""
        return await self._wire(connector, page, Breaker(self.tower.clock.monotonic))

    async def _wire(self, connector: Connector, page: Any, breaker: Breaker) -> Wire:
        base = await checked_url(settings_of(connector, page), private=page.allow_private_network)
        return Wire(
            self.tower.http,
            connector.title,
            base,
            connector.headers(page),
            connector.failure,
            connector.budgets(page, self.tower.clock.monotonic, self.sleep),
            breaker,
            self.sleep,
            self.chance,
        )

    async def _line(self, connector: Connector) -> _Line:
        """The line by the settings in force."""
        page = self.tower.settings.get(connector.settings)
        line = self._lines.get(connector.name)
        if line is None or line.page != page:
            line = _Line(await self._wire(connector, page, self.breaker(connector.name)), page)
            self._lines[connector.name] = line
        return line

    async def account(self, connector: Connector, *, by_user: bool) -> remote_store.Connection:
        """The account we are connected to; asked for once for each token, and after failures as a probe."""
        return (await self._account(connector, by_user=by_user))[0]

    async def line(self, connector: Connector, *, by_user: bool) -> tuple[remote_store.Connection, Wire]:
        """The account and the wire to it, paced and guarded like reading, for what is written there."""
        known, line = await self._account(connector, by_user=by_user)
        return known, line.wire

    async def _account(self, connector: Connector, *, by_user: bool) -> tuple[remote_store.Connection, _Line]:
        line = await self._line(connector)
        breaker = line.wire.breaker
        if by_user and breaker.blocked is not None:
            breaker.blocked = None
            line.checked = False
        breaker.guard()
        if not line.checked or breaker.state == "half_open":
            try:
                found = await connector.check(line.wire, line.page)
            except NeedsUser as error:
                breaker.blocked = error
                raise
            origin = origin_of(connector.base_url(line.page))
            await self.tower.db.write(intake_store.adopt, connector, found.id, found.name, origin)
            line.checked = True
        known = await self.tower.db.read(remote_store.connection, connector.name)
        assert known is not None, "adopted above"
        return known, line

    async def pull(
        self,
        connector: Connector,
        since: dict[str, str],
        *,
        fresh_within: float = 0.0,
        whole: bool = False,
        allow_deletes: bool = False,
    ) -> Pulled:
        """Read everything new. Whoever asks while a pull is running joins it; one may be fresh enough.

        `since` gives for each project from when on messages are news.
        """
        name = connector.name
        last = (self._last_whole if whole else self._last).get(name)
        serves = last is not None and set(since) <= last.projects
        if last is not None and serves and self.tower.clock.monotonic() - last.finished < fresh_within:
            return last
        running = self._running.get(name)
        if running is not None and whole and not running.whole:
            await asyncio.wait({running.task})
            running = None
        if running is None or running.task.done():
            task = asyncio.create_task(
                self._pull(connector, since, whole=whole, allow=allow_deletes), name=f"pull {name}"
            )
            running = self._running[name] = _Running(task, whole)
            task.add_done_callback(lambda _: self._finished(name, task))
        return await self._joined(running)

    async def _joined(self, running: _Running) -> Pulled:
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        except asyncio.CancelledError:
            if running.waiting == 1 and not running.task.done():
                running.task.cancel()  # nobody wants it any more
                await asyncio.wait({running.task})
            raise
        finally:
            running.waiting -= 1

    def _finished(self, name: str, task: asyncio.Task[Pulled]) -> None:
        if self._running.get(name) is not None and self._running[name].task is task:
            del self._running[name]
        if task.cancelled():
            return
        if task.exception() is None:
            self._last[name] = task.result()
            if task.result().whole:
                self._last_whole[name] = task.result()

    def report(self, name: str, error: TowerError | None) -> None:
        """Log once when a vendor can no longer be read, and once when it can be again."""
        if error is None and name in self._down:
            self._down.discard(name)
            log.info("%s is back", name)
        elif error is not None and name not in self._down:
            self._down.add(name)
            log.warning("%s cannot be read: %s", name, error)

    async def _pull(self, connector: Connector, since: dict[str, str], *, whole: bool, allow: bool) -> Pulled:
        tower, name = self.tower, connector.name
        known, line = await self._account(connector, by_user=False)
        wire, page = line.wire, line.page
        started, requests = tower.clock.text(), wire.requests
        wire.server_time = None  # what the vendor's clock said the last time is no upper end of this window
        await self.derive(connector)
        run = await tower.db.write(remote_store.begin, name)
        rows, facts = Rows(name, known.account), {} if whole else dict(known.facts)
        intake = Intake(connector, rows, run, since)
        for stream in connector.streams:
            walking = Walking(tower, self.progress, connector, wire, page, rows, intake, facts, whole=whole)
            if stream.nested:
                await walking.nested(stream)
            else:
                await walking.stream(stream, allow=allow)
        at = tower.clock.text()
        await tower.db.write(remote_store.finished, name, facts, at, at if whole else None)
        if intake.rename:
            await tower.db.write(intake_store.mark_due, name, await self._bound(name))
            await self.derive(connector)
        return Pulled(
            name, known.account, run, started, tower.clock.monotonic(), wire.requests - requests,
            intake.counts, set(since), whole,
        )  # fmt: skip

    async def _bound(self, connector: str) -> list[str]:
        found = await self.tower.db.read(projection_store.bindings, connector)
        return list(dict.fromkeys(binding.project_id for binding in found))

    async def derive(self, connector: Connector) -> None:
        """Derive the rows of the rooms again where bindings or names have changed, batch by batch."""
        known = await self.tower.db.read(remote_store.connection, connector.name)
        if known is None:
            return
        more = True
        while more:
            at = self.tower.clock.text()
            more = await self.tower.db.write(intake_store.derive_some, connector, known.account, at)

    def progress(self, connector: str, phase: str, done: int, total: int | None) -> None:
        """Tell who listens how far it is."""
        self.tower.events.publish(
            SyncProgress(
                project_id=None, connector=connector, phase=phase, done=done, total=total,
                at=self.tower.clock.text(),
            )
        )  # fmt: skip
