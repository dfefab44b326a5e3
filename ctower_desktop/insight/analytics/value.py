"""What a client is worth to the agency, and the greatest discount that fits it."""

from __future__ import annotations

from math import floor, isfinite, log10

_TIERS = ((85, 18), (70, 14), (55, 10), (40, 7))
_LEAST = 5


def client_value(expected_revenue: float, messages_7d: int, health: float, risks_open: int) -> int:
    """0 to 100: money expected, how much is being said, health, less open risks."""
    money = min(28.0, 7 * log10(1 + max(0.0, expected_revenue)))
    talk = min(16.0, 0.8 * messages_7d)
    found = 22 + money + talk + min(42.0, 0.42 * health) - min(30.0, 5.5 * risks_open)
    return floor(min(100.0, max(0.0, found)) + 0.5)


def max_discount_pct(value: object) -> int:
    """The greatest discount, in per cent, for a client of this value; the least for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return _LEAST
    return next((discount for least, discount in _TIERS if value >= least), _LEAST)
