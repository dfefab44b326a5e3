"""The figures of /metrics that concern the process, the database and the jobs."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Self

from prometheus_client import Gauge

from ctower_desktop.kernel.events import Event, JobCompleted
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.reports.cache import Cache

_STATM = Path("/proc/self/statm")  # pages: size, resident, shared, text, library, data, dirty


class Meters:
    """Counts jobs as they end, and reads the rest when somebody asks."""

    def __init__(self, tower: Tower) -> None:
        self._tower, self._began = tower, time.monotonic()
        metrics = tower.metrics
        self._runs = metrics.counter("app_job_runs", "Runs of scheduled and requested jobs", "job_type")
        self._ended = {
            "ok": metrics.gauge("app_job_runs_ok", "Runs that ended well", "job_type"),
            "failed": metrics.gauge("app_job_runs_failed", "Runs that failed", "job_type"),
        }
        self._average = metrics.gauge("app_job_duration_avg_ms", "Mean duration of a run", "job_type")
        self._longest = metrics.gauge("app_job_duration_max_ms", "Longest run", "job_type")
        self._shortest = metrics.gauge("app_job_duration_min_ms", "Shortest run", "job_type")
        self._durations: dict[str, tuple[int, int, int, int]] = {}  # count, sum, longest, shortest
        self._uptime = metrics.gauge("app_process_uptime_seconds", "Seconds since the tower was opened")
        self._pool = {
            name: metrics.gauge(f"app_db_pool_{name}", f"Readers of the database: {name}")
            for name in ("total", "idle", "waiting")
        }
        self._bytes = metrics.gauge("app_database_bytes", "Bytes on disk, write-ahead log included", "file")
        self._cleanups = metrics.counter("app_retention_cleanup_runs", "Runs of retention jobs")
        self._deleted = metrics.counter("app_retention_cleanup_deleted_rows", "Rows deleted for their age")
        self._saturated = metrics.counter(
            "app_retention_cleanup_saturation_warnings", "Runs that left rows for the next one"
        )
        self._last_deleted = metrics.gauge(
            "app_retention_cleanup_last_deleted_rows", "Rows deleted by the last run"
        )
        self._lag = metrics.gauge(
            "app_retention_cleanup_lag_days", "Days by which the oldest row is overdue to go", "table"
        )
        self._memory: dict[str, Gauge] = {}
        if sys.platform == "linux":
            self._memory = {
                "rss": metrics.gauge("app_process_rss_bytes", "Resident memory"),
                "heap": metrics.gauge("app_process_heap_bytes", "Data segments, heap included"),
            }
        self._stop_listening = tower.events.subscribe(self._on_event)

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Begin to count, the overviews kept in memory too."""
        await tower.part(Cache)
        return cls(tower)

    async def stop(self) -> None:
        """Count no longer."""
        self._stop_listening()

    @property
    def uptime(self) -> float:
        """Seconds since the tower was opened."""
        return time.monotonic() - self._began

    async def text(self) -> bytes:
        """Everything there is to measure, as of now, in the Prometheus text format."""
        tower = self._tower
        self._uptime.set(self.uptime)
        for name, value in tower.db.pool._asdict().items():
            self._pool[name].set(value)
        for database in (tower.db, tower.index):
            self._bytes.labels(file=database.path.name).set(await database.size())
        if self._memory:
            resident, data, page = await asyncio.to_thread(_memory)
            self._memory["rss"].set(resident * page)
            self._memory["heap"].set(data * page)
        return tower.metrics.text()

    def cleaned_up(self, rows: int, *, saturated: bool) -> None:
        """Count a run of a retention job."""
        self._cleanups.inc()
        self._deleted.inc(rows)
        self._saturated.inc(saturated)
        self._last_deleted.set(rows)

    def lags(self, table: str, days: float) -> None:
        """Note by how many days the oldest row of a table is overdue to be deleted."""
        self._lag.labels(table).set(round(days, 3))

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, JobCompleted):
            return
        name, took = event.job_type, event.duration_ms
        self._runs.labels(job_type=name).inc()
        for status, gauge in self._ended.items():
            gauge.labels(job_type=name).inc(event.status == status)
        count, total, longest, shortest = self._durations.get(name, (0, 0, took, took))
        count, total, longest, shortest = count + 1, total + took, max(longest, took), min(shortest, took)
        self._durations[name] = (count, total, longest, shortest)
        self._average.labels(job_type=name).set(total / count)
        self._longest.labels(job_type=name).set(longest)
        self._shortest.labels(job_type=name).set(shortest)


def resident_bytes() -> int | None:
    """The memory this process holds, None where the system does not say."""
    if sys.platform != "linux":
        return None
    resident, _, page = _memory()
    return resident * page


def _memory() -> tuple[int, int, int]:
    import resource  # not on Windows

    fields = _STATM.read_text("ascii").split()
    return int(fields[1]), int(fields[5]), resource.getpagesize()
