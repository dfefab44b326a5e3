"""How complete a mirror is: percentages of contract §8.8, and what the vendor says it has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec


class Gaps(msgspec.Struct, frozen=True):
    """What was counted of one connector in one project: pairs of `ok` of `total`, and the sums."""

    parts: dict[str, tuple[int, int]]
    total: int
    missing: int
    duplicates: int


class Metric(msgspec.Struct, frozen=True):
    """One measurement of completeness."""

    connector: str
    source: str
    completeness_pct: float
    duplicate_count: int
    missing_count: int
    total_count: int
    payload: dict[str, Any]
    captured_at: str


def percent_of(ok: float, total: float) -> float:
    """Percent, never below 0 or above 100; nothing of nothing is complete."""
    return 100.0 if total == 0 else max(0.0, min(100.0, ok / total * 100))


def average(parts: Sequence[float]) -> float:
    """The mean with two decimals; of nothing it is 100."""
    return round(sum(parts) / len(parts), 2) if parts else 100.0


def metric(connector: str, source: str, gaps: Gaps, remote: dict[str, tuple[int, int]], at: str) -> Metric:
    """One connector. `remote` gives for each stream how many rows are here and how many the vendor has."""
    parts = {name: round(percent_of(ok, total), 2) for name, (ok, total) in gaps.parts.items()}
    vendor = {
        name: {"here": here, "vendor": there, "missing": max(0, there - here)}
        for name, (here, there) in remote.items()
    }
    if vendor:
        there = sum(v["vendor"] for v in vendor.values())
        parts["vendor"] = round(percent_of(there - sum(v["missing"] for v in vendor.values()), there), 2)
    return Metric(
        connector=connector,
        source=source,
        completeness_pct=average(list(parts.values())),
        duplicate_count=gaps.duplicates,
        missing_count=gaps.missing + sum(v["missing"] for v in vendor.values()),
        total_count=gaps.total,
        payload={"parts": parts, "vendor": vendor},
        captured_at=at,
    )


def portfolio(source: str, metrics: Iterable[Metric], at: str) -> Metric:
    """All connectors together, weighted by how much each has."""
    found = list(metrics)
    weights = [max(1, m.total_count) for m in found]
    weighted = sum(m.completeness_pct * w for m, w in zip(found, weights, strict=True))
    return Metric(
        connector="portfolio",
        source=source,
        completeness_pct=round(weighted / sum(weights), 2) if found else 100.0,
        duplicate_count=sum(m.duplicate_count for m in found),
        missing_count=sum(m.missing_count for m in found),
        total_count=sum(m.total_count for m in found),
        payload={"by_connector": {m.connector: m.completeness_pct for m in found}},
        captured_at=at,
    )
