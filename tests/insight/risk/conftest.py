"""Signals and issues in the database, as other rooms put them there."""

from __future__ import annotations

from typing import Any

import pytest

from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.work import store as work

AT = "2026-11-10T00:00:00.000Z"


class Facts:
    """Puts what risks follow from into the call's project."""

    def __init__(self, call: Desktop) -> None:
        self.call = call
        self.n = 0

    async def sql(self, statement: str, **params: Any) -> list[Any]:
        return await self.call.tower.db.write(lambda db: list(db.execute(statement, params)))

    async def signal(
        self, kind: str = "delivery_risk", severity: int = 4, confidence: float = 0.8, evidence: str = ""
    ) -> str:
        ref = new_id()
        await self.sql(
            """
            INSERT INTO signal (id, project_id, account_scope_id, signal_type, severity, confidence, summary,
                source_kind, source_ref, story, dedupe_key, language, evidence_refs, started_at,
                last_seen_at, created_at, updated_at)
            VALUES (:id, :p, :s, :kind, :severity, :confidence, 'x', 'conversation', :id, 1, :id, 'en',
                json_array(:evidence), :at, :at, :at, :at)
            """,
            id=ref, p=self.call.project_id, s=self.call.account_scope_id, kind=kind, severity=severity,
            confidence=confidence, at=AT, evidence=evidence or f"cwmsg:{ref}",
        )  # fmt: skip
        return evidence or f"cwmsg:{ref}"

    async def settle_signals(self) -> None:
        await self.sql("UPDATE signal SET status = 'dismissed' WHERE project_id = :p", p=self.call.project_id)

    async def issues(self, count: int, due_date: str | None = "2026-11-01", **changes: Any) -> list[str]:
        project, rows = self.call.project_ref, []
        for _ in range(count):
            self.n += 1
            rows.append(
                dict.fromkeys(work.ISSUE.columns) | {
                    "id": f"linissue:{project.id}:w:{self.n}", "project_id": project.id,
                    "account_scope_id": project.account_scope_id, "workspace_id": "w",
                    "external_id": str(self.n), "identifier": f"N-{self.n}", "title": "t", "labels": "[]",
                    "priority": 1, "haystack": "", "created_at": AT, "updated_at": AT,
                    "due_date": due_date, "state_type": "started",
                } | changes
            )  # fmt: skip
        await self.call.tower.db.write(work.ISSUE.put, rows)
        return [row["id"] for row in rows]


@pytest.fixture
async def world(call: Desktop) -> Facts:
    await call.tower.settings.change(Regional, {"language": "en"})
    return Facts(call)
