"""A project with something to tell: rows as the vendors' mirrors and the rooms below would have them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ctower_desktop.kernel.system import Home, as_text
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import NewProject, create_project


class Fill:
    """Writes rows of a project; every method returns the id of what it wrote."""

    def __init__(self, tower: Tower, project: ProjectRef, clock: Any, numbers: Any) -> None:
        self.tower, self.project, self.clock, self.numbers = tower, project, clock, numbers

    async def row(self, table: str, **values: Any) -> None:
        columns = {
            "project_id": self.project.id,
            "account_scope_id": self.project.account_scope_id,
            **{name: as_text(v) if isinstance(v, datetime) else v for name, v in values.items()},
        }
        names = ", ".join(columns)
        marks = ", ".join("?" for _ in columns)
        await self.tower.db.write(
            lambda db: list(
                db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(columns.values()))
            )
        )

    def ago(self, **span: float) -> datetime:
        return self.clock.now() - timedelta(**span)

    async def contact(self, name: str | None = "Анна", email: str | None = None, **values: Any) -> str:
        number = next(self.numbers)
        contact = f"cwc:{self.project.id}:1:{number}"
        await self.row(
            "contact", id=contact, account_id="1", contact_id=str(number), name=name, email=email,
            updated_at=self.clock.now(), **values,
        )  # fmt: skip
        return contact

    async def conversation(self, contact: str | None = None, **values: Any) -> str:
        number = next(self.numbers)
        conversation = f"cw:{self.project.id}:1:{number}"
        await self.row(
            "conversation", id=conversation, account_id="1", conversation_id=str(number),
            contact_global_id=contact, created_at=self.ago(days=30), **{"status": "open", **values},
        )  # fmt: skip
        return conversation

    async def message(
        self,
        conversation: str,
        content: str,
        at: datetime | None = None,
        *,
        incoming: bool = True,
        **values: Any,
    ) -> str:
        number = next(self.numbers)
        message = f"cwmsg:{self.project.id}:1:{number}"
        contact = await self.tower.db.read(
            lambda db: next(
                db.execute("SELECT contact_global_id FROM conversation WHERE id = ?", (conversation,))
            )[0]
        )
        at = at or self.clock.now()
        row = {
            "id": message, "account_id": "1", "message_id": str(number),
            "conversation_id": conversation.rpartition(":")[2], "conversation_global_id": conversation,
            "contact_global_id": contact, "sender_type": "contact" if incoming else "user",
            "message_type": "0" if incoming else "1", "content": content, "created_at": at, "updated_at": at,
        }  # fmt: skip
        await self.row("message", **{**row, **values})
        return message

    async def issue(self, title: str = "Вёрстка главной", **values: Any) -> str:
        number = next(self.numbers)
        issue = f"linissue:{self.project.id}:w:{number}"
        row = {
            "id": issue, "workspace_id": "w", "external_id": f"ext-{number}", "identifier": f"ENG-{number}",
            "title": title, "state_type": "started", "created_at": self.ago(days=20),
            "updated_at": self.ago(days=1),
        }  # fmt: skip
        await self.row("issue", **{**row, **values})
        return issue

    async def company(self, name: str = "Acme", **values: Any) -> str:
        number = next(self.numbers)
        row = {
            "id": f"attioco:{self.project.id}:w:{number}", "workspace_id": "w", "external_id": f"co-{number}",
            "name": name, "created_at": self.ago(days=60), "updated_at": self.ago(days=5),
        }  # fmt: skip
        await self.row("company", **{**row, **values})
        return row["id"]

    async def deal(self, title: str, stage: str, amount: float, **values: Any) -> str:
        number = next(self.numbers)
        row = {
            "id": f"attiodeal:{self.project.id}:w:{number}", "workspace_id": "w",
            "external_id": f"deal-{number}",
            "title": title, "stage": stage, "amount": amount, "currency": "EUR", "probability": 0.5,
            "created_at": self.ago(days=40), "updated_at": self.ago(days=1),
        }  # fmt: skip
        await self.row("deal", **{**row, **values})
        return str(row["external_id"])

    async def signal(self, summary: str, severity: int = 4, **values: Any) -> str:
        number = next(self.numbers)
        signal = f"5a000000-0000-4000-8000-{number:012}"
        row = {
            "id": signal, "signal_type": "delivery_risk", "severity": severity, "confidence": 0.8,
            "summary": summary, "status": "proposed", "source_kind": "conversation",
            "source_ref": f"cw:{number}",
            "story": 1, "dedupe_key": str(number), "language": "ru", "evidence_refs": f'["cwmsg:{number}"]',
            "started_at": self.ago(days=1), "last_seen_at": self.ago(days=1), "created_at": self.ago(days=1),
            "updated_at": self.ago(days=1),
        }  # fmt: skip
        await self.row("signal", **{**row, **values})
        return signal

    async def action(self, summary: str, priority: int = 4, **values: Any) -> str:
        number = next(self.numbers)
        action = f"5b000000-0000-4000-8000-{number:012}"
        row = {
            "id": action, "action_type": "triage_signal", "priority": priority, "summary": summary,
            "status": "proposed", "evidence_refs": f'["cwmsg:nba-{number}"]', "dedupe_key": str(number),
            "created_at": self.ago(days=1), "updated_at": self.ago(days=1),
        }  # fmt: skip
        await self.row("next_action", **{**row, **values})
        return action

    async def risk(self, title: str, severity: int = 3, **values: Any) -> str:
        number = next(self.numbers)
        risk = f"5c000000-0000-4000-8000-{number:012}"
        row = {
            "id": risk, "source": "cause", "dedupe_key": str(number), "title": title, "severity": severity,
            "probability": 0.4, "status": "open", "opened_at": self.ago(days=2), "created_by": "system",
            "created_at": self.ago(days=2), "updated_at": self.ago(days=2),
        }  # fmt: skip
        await self.row("risk_item", **{**row, **values})
        return risk

    async def health(self, score: float, day: str) -> None:
        await self.row(
            "health_score", day=day, score=score, factors="[]", score_sum=score, samples=1,
            generated_at=f"{day}T09:00:00.000Z",
        )  # fmt: skip

    async def offer(self, title: str, total: float, status: str, **values: Any) -> str:
        number = next(self.numbers)
        offer = f"5d000000-0000-4000-8000-{number:012}"
        row = {
            "id": offer, "title": title, "currency": "EUR", "subtotal": total, "discount_pct": 0.0,
            "total": total,
            "granted_pct": 0.0, "status": status, "language": "ru", "created_by": "x", "updated_by": "x",
            "created_at": self.ago(days=3), "updated_at": self.ago(days=1),
        }  # fmt: skip
        if status == "signed":
            row["signed_at"] = self.ago(days=1)
        await self.row("offer", **{**row, **values})
        return offer


@pytest.fixture
def numbers():
    return itertools.count(1)


@pytest.fixture
def fill(tower, project, clock, numbers) -> Fill:
    """Writes rows of the project."""
    return Fill(tower, project, clock, numbers)


@pytest.fixture
def another(tower, clock, numbers) -> Callable[..., Any]:
    """Another project, its call and its rows."""

    async def make(name: str = "Yasen", scope: str | None = None) -> tuple[Desktop, Fill]:
        answer = await create_project(desktop(tower, "test"), NewProject(name=name, account_scope_key=scope))
        made = answer.project
        ref = ProjectRef(made.id, made.name, made.account_scope_id)
        return desktop(tower, "test", ref), Fill(tower, ref, clock, numbers)

    return make


@pytest.fixture
def home(home: Home) -> Home:
    """The user lives in Moscow and reads English."""
    home.settings.write_text('[regional]\ntime_zone = "Europe/Moscow"\nlanguage = "en"\n', "utf-8")
    return home
