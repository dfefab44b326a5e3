"""What an offer costs, to the cent."""

from __future__ import annotations

import pytest

from ctower_desktop.crm.offers.model import NewItem
from ctower_desktop.crm.offers.pricing import first_status, priced
from ctower_desktop.kernel.errors import Invalid


def line(price, quantity=1.0, kind="package"):
    return NewItem(title="t", unit_price=price, quantity=quantity, kind=kind)


@pytest.mark.parametrize(
    ("subtotal", "discount", "total"),
    [
        (12000, 10, 10800.00), (1000, 33.333, 666.67), (0, 50, 0), (1000, 0, 1000), (1000, 100, 0),
        (0.01, 50, 0.01), (2.675, 0, 2.68), (1.005, 0, 1.01), (0.15, 90, 0.02), (1e9, 0.001, 999_990_000.0),
    ],
)  # fmt: skip
def test_a_total_is_rounded_half_up(subtotal, discount, total):
    """The vectors of appendix B, and halves that binary arithmetic gets wrong."""
    found = priced([], subtotal, discount)
    assert (found.total, found.granted_pct) == (total, discount)


def test_lines_make_the_subtotal():
    found = priced([line(1000, 2.5), line(0.105, 3, "addon"), line(200, kind="discount")], 77.0, 10)
    assert found.amounts == [2500.0, 0.32, -200.0]
    assert (found.subtotal, found.total) == (2300.32, 2070.29)
    assert found.granted_pct == pytest.approx(100 - 2300.32 / 2500.32 * 90)


@pytest.mark.parametrize(
    ("items", "subtotal", "path"),
    [
        ([line(100), line(100.01, kind="discount")], 0, "items"),
        ([line(1e9), line(1)], 0, "items"),
        ([line(1e9, 1e6)], 0, "items"),
    ],
)
def test_sums_that_are_none_are_refused(items, subtotal, path):
    with pytest.raises(Invalid) as refused:
        priced(items, subtotal, 0)
    assert [issue.path for issue in refused.value.issues] == [path]


def test_what_lets_nothing_off_needs_nobodys_word():
    assert first_status(priced([line(100)], 0, 0).granted_pct) == "approved"
    assert first_status(priced([], 0, 0).granted_pct) == "approved"
    assert first_status(priced([], 100, 0.01).granted_pct) == "draft"
    assert first_status(priced([line(100), line(1, kind="discount")], 0, 0).granted_pct) == "draft"
    assert priced([line(100), line(100, kind="discount")], 0, 0).granted_pct == 100
