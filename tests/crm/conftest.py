"""Rows as a sync of the vendor would write them."""

from __future__ import annotations

import pytest

from ctower_desktop.crm import mirroring_store as mirroring
from ctower_desktop.crm.actions import create_account, create_opportunity
from ctower_desktop.crm.model import NewAccount, NewOpportunity

AT = "2026-11-01T00:00:00.000Z"


@pytest.fixture
def vendor(call):
    """What the vendor has: each call is a sync of one company and, if a deal is given, of that."""

    class Vendor:
        async def company(self, external_id="c1", *, at=AT, **values):
            row = {
                "project_id": call.project_id, "account_scope_id": call.account_scope_id,
                "external_id": external_id, "name": "Acme", "domain": "acme.example", "stage": "Customer",
                "created_at": AT, "updated_at": at,
            } | values  # fmt: skip
            await call.tower.db.write(mirroring.mirror_accounts, [row], call.tower.clock.text())

        async def deal(self, external_id="d1", *, at=AT, **values):
            row = {
                "project_id": call.project_id, "account_scope_id": call.account_scope_id,
                "external_id": external_id, "account_external_id": "c1", "title": "Сайт",
                "stage": "Qualified", "amount": 9000.0, "currency": "EUR", "probability": 0.4,
                "expected_close_date": "2027-01-15",
                "next_step": None, "owner_name": "Ирина", "created_at": AT, "updated_at": at,
            } | values  # fmt: skip
            await call.tower.db.write(mirroring.mirror_opportunities, [row], call.tower.clock.text())

        async def gone(self, kind, *external_ids):
            await call.tower.db.write(
                mirroring.bury, kind, call.project_id, external_ids, at=call.tower.clock.text(),
                reason="record_deleted",
            )  # fmt: skip

    return Vendor()


@pytest.fixture
async def account(call):
    return (await create_account(call, NewAccount(name="Кофейня «Север»"))).account


@pytest.fixture
async def opportunity(call, account):
    body = NewOpportunity(title="Сайт", account_id=account.id, next_step="позвонить", amount_estimate=5000.0)
    return (await create_opportunity(call, body)).opportunity
