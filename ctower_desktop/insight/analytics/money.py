"""Sums of money, each in its own currency: nothing is ever added across currencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from ctower_desktop.insight.analytics.standing_store import Money
from ctower_desktop.insight.risk.health import rounded

DEFAULT_CURRENCY = "USD"


class Finances(msgspec.Struct, frozen=True):
    """Money in one currency. Expected is the open pipeline weighted by probability.

    The margin is what came in less what was spent; what came in are the revenue entries, or, where there are
    none, the deals that were won.
    """

    currency: str
    attio_pipeline_amount: float = 0.0
    attio_expected_revenue: float = 0.0
    crm_pipeline_amount: float = 0.0
    crm_expected_revenue: float = 0.0
    pipeline_amount: float = 0.0
    expected_revenue: float = 0.0
    deal_amount: float = 0.0
    signed_total: float = 0.0
    budget_amount: float = 0.0
    costs_amount: float = 0.0
    revenue_amount: float = 0.0
    gross_margin: float = 0.0


def primary_currency(rows: Iterable[Money], preferred: str = "") -> str:
    """The currency figures are shown in first: the preferred one, else the one most deals are in.

    Without deals it is the one most rows of entries and offers are in, else US dollars.
    """
    if preferred:
        return preferred
    deals: Counter[str] = Counter()
    rest: Counter[str] = Counter()
    for row in rows:
        if row.currency:
            deals[row.currency] += row.deals
            rest[row.currency] += 1
    for counts in (deals, rest):
        best = max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
        if best[1] > 0:
            return best[0]
    return DEFAULT_CURRENCY


def margin(revenue: float, won: float, costs: float) -> float:
    """What came in less what was spent."""
    return rounded((revenue if revenue > 0 else won) - costs)


def finances(rows: Sequence[Money], primary: str) -> list[Finances]:
    """Sums by currency, the primary one first and always there; money of no known currency is in it."""
    sums: dict[str, dict[str, float]] = {primary: dict.fromkeys(_SUMMED, 0.0)}
    margins: dict[str, float] = {primary: 0.0}
    by_project: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        currency = row.currency or primary
        into = sums.setdefault(currency, dict.fromkeys(_SUMMED, 0.0))
        for name in _SUMMED:
            into[name] += getattr(row, name)
        own = by_project.setdefault((row.project_id, currency), [0.0, 0.0, 0.0])
        for place, amount in enumerate((row.revenue, row.won, row.costs)):
            own[place] += amount
    for (_, currency), own in by_project.items():
        margins[currency] = margins.get(currency, 0.0) + margin(*own)
    others = sorted(sums.keys() - {primary})
    return [_finances(currency, sums[currency], margins[currency]) for currency in (primary, *others)]


_SUMMED = (
    "attio_pipeline", "attio_expected", "crm_pipeline", "crm_expected", "won", "signed", "budget", "costs",
    "revenue",
)  # fmt: skip


def _finances(currency: str, sums: dict[str, float], gross: float) -> Finances:
    return Finances(
        currency=currency,
        attio_pipeline_amount=rounded(sums["attio_pipeline"]),
        attio_expected_revenue=rounded(sums["attio_expected"]),
        crm_pipeline_amount=rounded(sums["crm_pipeline"]),
        crm_expected_revenue=rounded(sums["crm_expected"]),
        pipeline_amount=rounded(sums["attio_pipeline"] + sums["crm_pipeline"]),
        expected_revenue=rounded(sums["attio_expected"] + sums["crm_expected"]),
        deal_amount=rounded(sums["won"]),
        signed_total=rounded(sums["signed"]),
        budget_amount=rounded(sums["budget"]),
        costs_amount=rounded(sums["costs"]),
        revenue_amount=rounded(sums["revenue"]),
        gross_margin=rounded(gross),
    )
