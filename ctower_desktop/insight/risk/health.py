"""How healthy a project is: 100 less the pressure of signals and of overdue work."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from ctower_desktop.insight.risk.model import Factor, RefreshResult

NEWEST_SIGNALS = 300  # signals that count
FAILED_JOB_DAYS = 7


def rounded(value: float, places: int = 2) -> float:
    """Rounded as people round: half away from zero."""
    return float(Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def signal_pressure(weights: Iterable[float]) -> float:
    """Pressure of signals, at most 40; a weight is severity times confidence."""
    return rounded(min(40.0, sum(weights) / 10))


def overdue_pressure(overdue: int) -> float:
    """Pressure of overdue issues, at most 30."""
    return rounded(min(30.0, 2.0 * overdue))


def failed_job_pressure(failed: int) -> float:
    """Pressure of failed runs, at most 20; it says something of the machine, not of the project."""
    return rounded(min(20.0, 3.0 * failed))


def health_of(weights: Iterable[float], overdue: int, failed_runs: int) -> RefreshResult:
    """The health that follows from open signals, overdue issues and failed runs."""
    signals, late = signal_pressure(weights), overdue_pressure(overdue)
    total = rounded(signals + late)
    factors = [
        Factor("signal_pressure", signals),
        Factor("overdue_pressure", late),
        Factor("failed_job_pressure", failed_job_pressure(failed_runs), operational_only=True),
    ]
    return RefreshResult(rounded(min(100.0, max(0.0, 100 - total))), factors, total)
