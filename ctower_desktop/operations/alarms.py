"""The one who looks every minute whether something is wrong with the tower, and says when it is over."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections import deque
from datetime import timedelta
from typing import NamedTuple, Self

from ctower_desktop.connectors.settings import ConnectorSettings
from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.kernel.events import Event, IndexProblem
from ctower_desktop.kernel.metrics import Metrics
from ctower_desktop.kernel.regional import Regional, language
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.operations import alert_store
from ctower_desktop.operations.alert_model import AlertChanged, AlertSettings
from ctower_desktop.operations.alerting import EVERY, Reading, Watch
from ctower_desktop.operations.meters import resident_bytes
from ctower_desktop.operations.model import Operations
from ctower_desktop.operations.scheduler import Scheduler

log = logging.getLogger(__name__)

_WINDOW = 300.0  # seconds over which shares are measured
_FEWEST = 20  # answers, or questions to a cache, below which a share says nothing
_WAITING = 5.0  # requests that may wait for the database
_COUNTERS = {
    "answers": ("app_responses", "app_responses_total", {}),
    "errors": ("app_errors", "app_errors_total", {}),
    "hits": ("app_cache_hits", "app_cache_hits_total", {}),
    "misses": ("app_cache_misses", "app_cache_misses_total", {}),
    "held": ("app_loop_held_seconds", "app_loop_held_seconds_count", {}),
    "held_briefly": ("app_loop_held_seconds", "app_loop_held_seconds_bucket", {"le": "0.25"}),
}


class _Sample(NamedTuple):
    at: float
    counted: dict[str, float]


class Alarms:
    """Reads what there is to read, and keeps alerts as the rules say."""

    def __init__(self, tower: Tower, scheduler: Scheduler) -> None:
        self._tower, self._scheduler = tower, scheduler
        self._watch, self._samples = Watch(), deque[_Sample]()
        self._index_problem: str | None = None
        self._loop: asyncio.Task[None] | None = None
        self._firing = tower.metrics.gauge("app_alerts_firing", "Alerts that fire", "severity")
        self._stop_listening = tower.events.subscribe(self._on_event)

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Look every minute from now on."""
        alarms = cls(tower, await tower.part(Scheduler))
        alarms._loop = asyncio.create_task(alarms._work(), name="alarms")
        return alarms

    async def stop(self) -> None:
        """Look no more; what fires stays so until the next start."""
        self._stop_listening()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})

    async def look(self) -> list[AlertChanged]:
        """Look once; return what began and what ended."""
        tower = self._tower
        muted = tower.settings.get(AlertSettings)
        readings = [reading for reading in await self._readings() if not muted.mutes(reading.rule)]
        speech = language(tower.settings.get(Regional))
        changes = await tower.db.write(alert_store.weigh, self._watch, readings, speech, tower.clock.now())
        for change in changes:
            log.warning("alert %s %s: %s", change.rule, change.state, change.message)
            tower.events.publish(change)
        await self._count()
        return changes

    async def _count(self) -> None:
        severities = [alert.severity for alert in (await self._tower.db.read(alert_store.firing)).values()]
        for severity in ("info", "warning", "critical"):
            self._firing.labels(severity).set(severities.count(severity))

    async def _readings(self) -> list[Reading]:
        tower = self._tower
        settings, now = tower.settings.get(Operations), tower.clock.now()
        mine = tower.settings.get(AlertSettings)
        dead_after = timedelta(minutes=settings.dead_job_threshold_minutes)
        found = await tower.db.read(
            alert_store.troubles,
            now=as_text(now),
            stuck_before=as_text(now - dead_after),
            failing_minutes=float(mine.connector_failing_minutes),
            completeness=tower.settings.get(ConnectorSettings).min_completeness_pct,
        )
        used = await tower.db.size() + await tower.index.size()
        free = (await asyncio.to_thread(shutil.disk_usage, tower.home.path)).free
        share = 100 * used / (settings.storage_budget_gb * 2**30)
        found += [
            Reading("storage_budget", share, mine.storage_alert_threshold_pct),
            Reading("disk_free", free / 1e9, mine.disk_free_gb),
            Reading("database_busy", float(tower.db.pool.waiting), _WAITING),
        ]
        resident = await asyncio.to_thread(resident_bytes)
        if resident is not None:
            found.append(Reading("memory", resident / 2**20, float(mine.memory_mb)))
        late = self._scheduler.late()
        if late is not None:
            found.append(Reading("scheduler_late", late / 60, self._scheduler.longest_gap() / 60))
        if self._index_problem is not None:
            found.append(Reading("index_problem", 1.0, 0.0, detail=self._index_problem))
        return found + self._shares(mine) + _breakers(tower.metrics)

    def _shares(self, mine: AlertSettings) -> list[Reading]:
        """What the counters say of the last five minutes, and of the last look."""
        now = _Sample(self._tower.clock.monotonic(), _counted(self._tower.metrics))
        last = self._samples[-1] if self._samples else now
        self._samples.append(now)
        while now.at - self._samples[0].at > _WINDOW:
            self._samples.popleft()
        first = self._samples[0]

        def since(sample: _Sample, name: str) -> float:
            return now.counted.get(name, 0.0) - sample.counted.get(name, 0.0)

        found = []
        if (answers := since(first, "answers")) >= _FEWEST:
            share = 100 * since(first, "errors") / answers
            found.append(Reading("server_errors", share, mine.server_error_pct))
        if (questions := since(first, "hits") + since(first, "misses")) >= _FEWEST:
            found.append(Reading("cache_hits", 100 * since(first, "hits") / questions, mine.cache_hit_pct))
        found.append(Reading("loop_held", since(last, "held") - since(last, "held_briefly"), 0.0))
        return found

    def _on_event(self, event: Event) -> None:
        if isinstance(event, IndexProblem):
            self._index_problem = event.problem

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except StorageFailure as error:
                log.warning("the alarms wait for the database: %s", error)
            except Exception:  # a bug here must not end all alarms until the next start
                log.exception("the alarms stumbled")


def _counted(metrics: Metrics) -> dict[str, float]:
    samples = metrics.read(*{family for family, _, _ in _COUNTERS.values()})
    found = {}
    for name, (_, sample, labels) in _COUNTERS.items():
        key = (sample, tuple(sorted(labels.items())))
        if key in samples:
            found[name] = samples[key]
    return found


def _breakers(metrics: Metrics) -> list[Reading]:
    """Which vendors are left alone at the moment."""
    return [
        Reading("breaker_open", value, 0.0, subject=dict(labels)["host"])
        for (_, labels), value in metrics.read("app_circuit_breaker_state").items()
    ]
