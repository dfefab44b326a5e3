"""Runs of synchronisation out of lines of the event log."""

from __future__ import annotations

from ctower_desktop.operations.timeline import INTERRUPTED, Process, paired, rates


def line(connector: str, kind: str, minute: int, error: str | None = None) -> Process:
    return Process(connector, f"process_{kind}", f"2026-11-20T10:{minute:02}:00.000Z", error)


def test_starts_and_ends_make_runs():
    runs = paired(
        [
            line("linear", "started", 0),
            line("attio", "started", 1),
            line("linear", "finished", 2),
            line("attio", "failed", 3, "vendor_down"),
            line("linear", "started", 4),  # killed
            line("linear", "started", 6),
            line("linear", "finished", 7),
            line("attio", "started", 8),  # still running
        ]
    )
    assert [(r.connector, r.status, r.duration_ms, r.error) for r in runs] == [
        ("attio", "running", None, None),
        ("linear", "ok", 60_000, None),
        ("linear", "failed", None, INTERRUPTED),
        ("attio", "failed", 120_000, "vendor_down"),
        ("linear", "ok", 120_000, None),
    ]
    assert [(r.connector, r.ok, r.failed, r.pct) for r in rates(runs)] == [
        ("attio", 0, 1, 0.0),
        ("linear", 2, 1, 66.67),
    ]


def test_an_end_whose_start_is_out_of_sight_is_a_run_of_unknown_length():
    (run,) = paired([line("linear", "finished", 2)])
    assert (run.status, run.duration_ms, run.started_at) == ("ok", None, run.finished_at)


def test_nothing():
    assert paired([]) == []
    assert rates([]) == []
