"""Callers of different roles, and offers in every state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ctower_desktop.crm.offers.actions import (
    approve_discount,
    approve_sending,
    create_offer,
    reject_offer,
    sign_offer,
)
from ctower_desktop.crm.offers.model import Decision, NewItem, NewOffer
from ctower_desktop.kernel.tower import Who


@pytest.fixture
def as_user(call):
    """The same call by somebody else."""

    def user(username, role="pm", kind="session"):
        return replace(call, who=Who(username=username, role=role, kind=kind))

    return user


@pytest.fixture
def write(call):
    """Write an offer, by default one that lets something off."""

    async def write(by=call, **values):
        given = {"title": "Сайт", "subtotal": 1000.0, "discount_pct": 10.0, "language": "ru"} | values
        return (await create_offer(by, NewOffer(**given))).offer

    return write


@pytest.fixture
def offer_in(call, write):
    """An offer in a state."""

    async def offer_in(status, **values):
        found = await write(**values)
        steps = {"draft": [], "approved": [approve_discount], "sent": [approve_discount, approve_sending],
                 "signed": [approve_discount, approve_sending, sign_offer],
                 "rejected": [approve_discount, approve_sending, reject_offer]}  # fmt: skip
        for step in steps[status]:
            found = (await step(call, found.id, Decision())).offer
        assert found.status == status
        return found

    return offer_in


def lines(count=1, **values):
    return [NewItem(**({"title": f"Работа {n}", "unit_price": 100.0} | values)) for n in range(1, count + 1)]
