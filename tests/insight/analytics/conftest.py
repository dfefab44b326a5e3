"""Messages, issues, deals and opportunities in the database, as the connectors and people put them there."""

from __future__ import annotations

from typing import Any

import pytest

from ctower_desktop.crm import store as crm
from ctower_desktop.inbox import store as inbox
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.work import store as work

AT = "2026-11-10T00:00:00.000Z"


class World:
    """Puts rows into the call's project, as the vendors' rows arrive."""

    def __init__(self, call: Desktop) -> None:
        self.call = call
        self.n = 0

    async def sql(self, statement: str, **params: Any) -> list[Any]:
        return await self.call.tower.db.write(lambda db: list(db.execute(statement, params)))

    async def count(self) -> None:
        await caught_up(self.call.tower, [self.call.project_id])

    def row(self, kind: str, number: Any, **columns: Any) -> dict[str, Any]:
        project = self.call.project_ref
        return {
            "id": f"{kind}:{project.id}:1:{number}", "project_id": project.id,
            "account_scope_id": project.account_scope_id, **columns,
        }  # fmt: skip

    async def conversation(self, number: int = 1, status: str = "open") -> str:
        row = dict.fromkeys(inbox.CONVERSATION.columns) | self.row(
            "cw", number, account_id="1", conversation_id=str(number), status=status, labels="[]",
            created_at=AT, assignee_name="Олег",
        )  # fmt: skip
        await self.call.tower.db.write(inbox.CONVERSATION.put, [row])
        return str(row["id"])

    async def say(
        self,
        kind: str,
        at: str,
        *,
        conversation: int = 1,
        private: bool = False,
        sender: str | None = None,
        contact: int = 1,
        number: int | None = None,
        content: str = "…",
    ) -> str:
        """A message: `in`, `out` or `event`; `at` is such as 2026-11-10 10:00."""
        self.n += 1
        types = {"in": ("0", "contact"), "out": ("1", "user"), "event": ("2", None), "template": ("3", None)}
        message_type, sender_type = types[kind]
        moment = at.replace(" ", "T") + ":00.000Z"
        row = dict.fromkeys(inbox.MESSAGE.columns) | self.row(
            "cwmsg", number or self.n, account_id="1", message_id=str(number or self.n),
            conversation_id=str(conversation),
            conversation_global_id=f"cw:{self.call.project_id}:1:{conversation}",
            contact_global_id=f"cwc:{self.call.project_id}:1:{contact}", sender_type=sender or sender_type,
            private=int(private), message_type=message_type, content=content, created_at=moment,
            updated_at=moment,
        )  # fmt: skip
        await self.call.tower.db.write(inbox.MESSAGE.put, [row])
        return str(row["id"])

    async def issue(self, created: str, completed: str | None = None, **changes: Any) -> str:
        self.n += 1
        row = dict.fromkeys(work.ISSUE.columns) | self.row(
            "linissue", self.n, workspace_id="w", external_id=str(self.n), identifier=f"N-{self.n}",
            title="t", labels="[]", priority=1, haystack="", created_at=f"{created}T00:00:00.000Z",
            updated_at=AT, completed_at=completed and f"{completed}T00:00:00.000Z", **changes,
        )  # fmt: skip
        await self.call.tower.db.write(work.ISSUE.put, [row])
        return str(row["id"])

    async def deal(
        self, ref: str, amount: float | None = 1000.0, stage: str = "Proposal", currency: str | None = "EUR",
        probability: float = 0.5, close: str | None = "2026-12-01", updated: str = AT,
    ) -> None:  # fmt: skip
        row = dict.fromkeys(crm.DEAL.columns) | self.row(
            "attiodeal", ref, workspace_id="w", external_id=ref, title=ref, stage=stage, amount=amount,
            currency=currency, probability=probability, expected_close_date=close, haystack="",
            created_at=AT, updated_at=updated,
        )  # fmt: skip
        await self.call.tower.db.write(crm.DEAL.put, [row])

    async def opportunity(self, **changes: Any) -> str:
        """An opportunity somebody typed, or one mirrored from the deal `external_ref`."""
        own, scope = new_id(), {"p": self.call.project_id, "s": self.call.account_scope_id, "at": AT}
        values: dict[str, Any] = {
            "title": "Own", "stage": "proposal", "amount": 500.0, "currency": "EUR", "probability": 0.2,
            "close": "2026-12-01", "ref": None, "source": "manual",
        } | changes  # fmt: skip
        await self.sql(
            """
            INSERT INTO crm_account (id, project_id, account_scope_id, name, name_key, stage, created_at,
                updated_at, written_at)
            VALUES (:id, :p, :s, :id, :id, 'prospect', :at, :at, :at)
            """,
            id=own, **scope,
        )  # fmt: skip
        await self.sql(
            """
            INSERT INTO crm_opportunity (id, project_id, account_scope_id, account_id, title, title_key,
                stage, stage_changed_at, amount_estimate, currency, probability, expected_close_date,
                next_step, external_ref, source_system, created_at, updated_at, written_at)
            VALUES (:id, :p, :s, :id, :title, :title, :stage, :at, :amount, :currency, :probability, :close,
                'call', :ref, :source, :at, :at, :at)
            """,
            id=own, **scope, **values,
        )  # fmt: skip
        return own


@pytest.fixture
def world(call: Desktop) -> World:
    return World(call)
