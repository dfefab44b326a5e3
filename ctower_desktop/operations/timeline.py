"""From lines of the event log to runs of synchronisation: each start with its end. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from ctower_desktop.kernel.system import from_text

INTERRUPTED = "interrupted: the program ended while it ran"


class Process(msgspec.Struct, frozen=True):
    """One line of the event log about a run: it started, finished, or failed."""

    connector: str
    event_type: str
    at: str
    error: str | None


class SyncRun(msgspec.Struct, frozen=True):
    """One synchronisation of one source."""

    connector: str
    started_at: str
    finished_at: str | None
    duration_ms: int | None
    status: Literal["running", "ok", "failed"]
    error: str | None


class SuccessRate(msgspec.Struct, frozen=True):
    """How many synchronisations of a source went well."""

    connector: str
    ok: int
    failed: int
    pct: float


def paired(lines: Iterable[Process]) -> list[SyncRun]:
    """The runs behind lines in the order of time, the newest run first.

    A run whose end is missing was interrupted if another one followed; else it still goes on.
    """
    runs: list[SyncRun] = []
    open_: dict[str, str] = {}
    for line in lines:
        began = open_.pop(line.connector, None)
        if line.event_type == "process_started":
            if began is not None:
                runs.append(SyncRun(line.connector, began, None, None, "failed", INTERRUPTED))
            open_[line.connector] = line.at
            continue
        ok = line.event_type == "process_finished"
        took = _milliseconds(began, line.at) if began is not None else None
        status: Literal["ok", "failed"] = "ok" if ok else "failed"
        runs.append(
            SyncRun(line.connector, began or line.at, line.at, took, status, None if ok else line.error or "")
        )
    runs += [SyncRun(connector, at, None, None, "running", None) for connector, at in open_.items()]
    return sorted(runs, key=lambda run: run.started_at, reverse=True)


def rates(runs: Iterable[SyncRun]) -> list[SuccessRate]:
    """How many runs of each source went well, by name; those that still go on do not count."""
    counts: dict[str, list[int]] = {}
    for run in runs:
        if run.status != "running":
            counts.setdefault(run.connector, [0, 0])[run.status == "failed"] += 1
    return [
        SuccessRate(connector, ok, failed, round(100 * ok / (ok + failed), 2))
        for connector, (ok, failed) in sorted(counts.items())
    ]


def _milliseconds(began: str, ended: str) -> int:
    return max(0, round((from_text(ended) - from_text(began)).total_seconds() * 1_000))
