"""Conversations, issues and deals in the database, as connectors put them there."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import apsw
import pytest

from ctower_desktop.crm.store import DEAL
from ctower_desktop.inbox import store as inbox_store
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.work.store import ISSUE
from tests.conftest import SetClock


class Sources:
    """Puts what vendors have into the call's project."""

    def __init__(self, call: Desktop, clock: SetClock) -> None:
        self.call, self.clock, self.n = call, clock, 0

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def row(self, kind: str, number: Any, account: str = "account_id") -> dict[str, Any]:
        project = self.call.project_ref
        return {
            "id": f"{kind}:{project.id}:1:{number}", "project_id": project.id,
            "account_scope_id": project.account_scope_id, account: "1",
        }  # fmt: skip

    def ago(self, **ago: float) -> str:
        return as_text(self.now - timedelta(**ago))

    async def contact(self, number: int, name: str = "Анна Петрова", email: str | None = None) -> str:
        row = self.row("cwc", number) | {
            "contact_id": str(number), "name": name, "email": email, "phone_number": None, "identifier": None,
            "company_name": None, "custom_attributes": "{}", "haystack": "", "created_at": None,
            "updated_at": self.ago(),
        }  # fmt: skip
        await self.call.tower.db.write(inbox_store.CONTACT.put, [row])
        return str(row["id"])

    async def talk(
        self, number: int, *, status: str = "open", contact: str | None = None, assignee: str | None = None
    ) -> str:
        row = self.row("cw", number) | {
            "conversation_id": str(number), "contact_global_id": contact, "inbox_id": "1", "status": status,
            "priority": None, "assignee_id": "7" if assignee else None, "assignee_name": assignee,
            "subject": None,
            "labels": "[]", "created_at": self.ago(days=40), "updated_at": self.ago(),
            "last_activity_at": None,
        }  # fmt: skip
        await self.call.tower.db.write(inbox_store.CONVERSATION.put, [row])
        return str(row["id"])

    async def say(
        self, talk: str, text: str | None, *, who: str = "contact", private: bool = False, number: int = 0,
        kind: str = "", **ago: float,
    ) -> str:  # fmt: skip
        """A message so long ago; the same number again edits it."""
        if not number:
            self.n += 1
        at = self.ago(**ago)
        row = self.row("cwmsg", number or self.n) | {
            "message_id": str(number or self.n), "conversation_id": talk.rpartition(":")[2],
            "conversation_global_id": talk, "contact_global_id": None, "sender_type": who, "sender_id": "1",
            "sender_name": "Анна" if who == "contact" else "Павел", "private": int(private),
            "message_type": kind or ("0" if who == "contact" else "1"), "content": text, "created_at": at,
            "updated_at": at,
        }  # fmt: skip
        await self.call.tower.db.write(inbox_store.put_messages, [row], [])
        return str(row["id"])

    async def delete(self, message: str) -> None:
        await self.call.tower.db.write(inbox_store.MESSAGE.bury, [message], self.ago(), "deleted_at_vendor")

    async def issue(
        self, number: int, *, project: str | None = "p1", due: str | None = None, **more: Any
    ) -> str:
        columns = dict.fromkeys(ISSUE.columns)
        row = columns | self.row("issue", number, "workspace_id") | {
            "external_id": f"i{number}", "identifier": f"SEV-{number}", "title": f"Task {number}",
            "linear_project_external_id": project, "linear_project_name": "Website" if project else None,
            "labels": "[]", "blocked": 0, "blocked_by_count": 0, "priority": 0, "due_date": due,
            "haystack": "",
            "state_type": "started", "created_at": self.ago(), "updated_at": self.ago(),
        } | more  # fmt: skip
        await self.call.tower.db.write(ISSUE.put, [row])
        return str(row["id"])

    async def deal(
        self, number: int, stage: str = "Proposal", amount: float | None = 5_000.0, **more: Any
    ) -> str:
        columns = dict.fromkeys(DEAL.columns)
        row = columns | self.row("deal", number, "workspace_id") | {
            "external_id": f"d{number}", "account_external_id": "co1", "company_name": "Север",
            "title": f"Сайт {number}", "stage": stage, "amount": amount, "currency": "EUR",
            "probability": 0.4,
            "haystack": "", "created_at": self.ago(), "updated_at": self.ago(),
        } | more  # fmt: skip
        await self.call.tower.db.write(DEAL.put, [row])
        return str(row["id"])

    async def opportunity(
        self, name: str, next_step: str, stage: str = "proposal", source: str = "manual"
    ) -> str:
        return await self.call.tower.db.write(
            _opportunity, self.call.project_ref, name, next_step, stage, source
        )

    async def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        return await self.call.tower.db.read(lambda db: list(db.execute(sql, params)))

    async def run(self, sql: str, **params: Any) -> None:
        await self.call.tower.db.write(lambda db: list(db.execute(sql, params)))


def _opportunity(
    db: apsw.Connection, project: ProjectRef, name: str, next_step: str, stage: str, source: str
) -> str:
    account, found = new_id(), new_id()
    at = "2026-11-01T00:00:00.000Z"
    given = {"p": project.id, "s": project.account_scope_id, "at": at, "a": account, "name": name}
    list(db.execute(
        "INSERT INTO crm_account (id, project_id, account_scope_id, name, name_key, stage, created_at, "
        "updated_at, written_at) VALUES (:a, :p, :s, :name, :name, 'prospect', :at, :at, :at)", given
    ))  # fmt: skip
    list(db.execute(
        "INSERT INTO crm_opportunity (id, project_id, account_scope_id, account_id, title, title_key, stage, "
        "stage_changed_at, next_step, source_system, owner_username, created_at, updated_at, written_at) "
        "VALUES (:id, :p, :s, :a, :name, :name, :stage, :at, :n, :source, 'olga', :at, :at, :at)",
        given | {"id": found, "n": next_step, "stage": stage, "source": source}))  # fmt: skip
    return found


@pytest.fixture
def sources(call: Desktop, clock: SetClock) -> Sources:
    return Sources(call, clock)


@pytest.fixture
async def other(tower: Tower, clock: SetClock) -> Sources:
    """Sources of another project."""
    made = (await create_project(desktop(tower, "test"), NewProject(name="Другой"))).project
    return Sources(desktop(tower, "test", ProjectRef(made.id, made.name, made.account_scope_id)), clock)
