"""/crm/deals."""

from __future__ import annotations

from ctower_desktop.crm import store
from ctower_desktop.crm.model import DealNotFound, Deals, DealWithNotes, ListDeals
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.tower import Scoped


@TOWER.get("/crm/deals")
async def list_deals(call: Scoped, query: ListDeals) -> Deals:
    """Deals of the project as the CRM has them, the last changed first."""
    return Deals(await call.tower.db.read(store.deals, call.project_id, query))


@TOWER.get("/crm/deals/{deal_id}", raises=(DealNotFound,))
async def read_deal(call: Scoped, deal_id: str) -> DealWithNotes:
    """One deal with the notes and tasks about it and about its company."""
    return await call.tower.db.read(store.deal, call.project_id, deal_id)
