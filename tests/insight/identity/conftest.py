"""Contacts, companies, people and delivery projects in the database, as connectors put them there."""

from __future__ import annotations

from typing import Any

import pytest

from ctower_desktop.crm import store as crm
from ctower_desktop.inbox import store as inbox
from ctower_desktop.kernel.mirror import Mirror, searchable
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.work import store as work

AT = "2026-11-01T00:00:00.000Z"


class Clients:
    """Puts what may be the same client into the call's project."""

    def __init__(self, call: Desktop) -> None:
        self.call = call

    async def put(self, mirror: Mirror, kind: str, number: int, **columns: Any) -> str:
        project = self.call.project_ref
        row = dict.fromkeys(mirror.columns) | {
            "id": f"{kind}:{project.id}:w:{number}", "project_id": project.id,
            "account_scope_id": project.account_scope_id, "workspace_id": "w", "account_id": "1",
            "external_id": f"{kind}-{number}", "contact_id": str(number), "custom_attributes": "{}",
            "haystack": "", "created_at": AT, "updated_at": AT,
        }  # fmt: skip
        row = {name: row.get(name) for name in ("id", "project_id", "account_scope_id", *mirror.columns)}
        await self.call.tower.db.write(mirror.put, [row | columns])
        return str(row["id"])

    async def contact(self, number: int, name: str | None, email: str | None = None, **more: Any) -> str:
        return await self.put(inbox.CONTACT, "cwc", number, name=name, email=email, **more)

    async def company(self, number: int, name: str, domain: str | None = None, **more: Any) -> str:
        return await self.put(crm.COMPANY, "attioacct", number, name=name, domain=domain, **more)

    async def person(self, number: int, full_name: str | None, email: str | None = None, **more: Any) -> str:
        return await self.put(crm.PERSON, "attioperson", number, full_name=full_name, email=email, **more)

    async def delivery(self, number: int, name: str, **more: Any) -> str:
        return await self.put(work.PROJECT, "linproj", number, name=name, **more)

    async def deal(self, number: int, title: str, **more: Any) -> str:
        row = {"stage": "Proposal", "probability": 0.5, "haystack": searchable(title)} | more
        return await self.put(crm.DEAL, "attiodeal", number, title=title, **row)

    async def gone(self, mirror: Mirror, row_id: str) -> None:
        await self.call.tower.db.write(mirror.bury, [row_id], AT, "absent_at_vendor")


@pytest.fixture
def clients(call: Desktop) -> Clients:
    return Clients(call)
