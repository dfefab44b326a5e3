"""What an offer costs: lines, discount and total, in decimal arithmetic, rounded half up to two places."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from ctower_desktop.crm.offers.model import NewItem, OfferStatus
from ctower_desktop.kernel.errors import Invalid, Issue

MOST = 1_000_000_000
_CENT, _HUNDRED = Decimal("0.01"), Decimal(100)


class Priced(msgspec.Struct, frozen=True):
    """An offer's sums. `granted_pct` is all that is let off: the discount and the lines that take away."""

    subtotal: float
    discount_pct: float
    total: float
    granted_pct: float
    amounts: list[float]


def rounded(value: Decimal) -> Decimal:
    """To two places, half up."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def priced(items: Sequence[NewItem], subtotal: float, discount_pct: float) -> Priced:
    """The sums of an offer; its lines, where there are any, make the subtotal.

    Raise Invalid when lines take away more than the others bring, or when all is too much.
    """
    amounts = [_amount(item) for item in items]
    before = rounded(_exact(subtotal))
    full = sum((a for a in amounts if a > 0), Decimal(0)) if items else before
    before = sum(amounts, Decimal(0)) if items else before
    if before < 0:
        raise _refused("items", "The discount lines take away more than the other lines bring.", "too_small")
    if full > MOST:
        raise _refused("items" if items else "subtotal", f"The sum is above {MOST}.", "too_big")
    rate = _exact(discount_pct)
    total = rounded(before * (_HUNDRED - rate) / _HUNDRED)
    granted = _HUNDRED - before / full * (_HUNDRED - rate) if full else rate
    return Priced(float(before), discount_pct, float(total), float(granted), [float(a) for a in amounts])


def first_status(granted_pct: float) -> OfferStatus:
    """What an offer begins as: one that lets nothing off needs nobody's word."""
    return "draft" if granted_pct > 0 else "approved"


def _amount(item: NewItem) -> Decimal:
    found = rounded(_exact(item.quantity) * _exact(item.unit_price))
    return -found if item.kind == "discount" else found


def _exact(value: float) -> Decimal:
    return Decimal(str(value))


def _refused(path: str, message: str, code: str) -> Invalid:
    return Invalid(issues=(Issue(path, message, code),))
