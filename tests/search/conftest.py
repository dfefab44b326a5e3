"""Texts to find: rows put straight into the tables that connectors fill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctower_desktop.kernel.system import resources
from ctower_desktop.kernel.tower import Desktop, Tower
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.models import Models

SCOPE = "00000000-0000-4000-8000-000000000001"
MODEL = resources() / "model"


class Said:
    """Writes rows of the mirror tables."""

    def __init__(self, tower: Tower, project_id: str) -> None:
        self.tower, self.project_id, self.count = tower, project_id, 0

    async def run(self, sql: str, **values: object) -> None:
        def write(db):
            db.execute(sql, values)

        await self.tower.db.write(write)

    async def message(self, text, *, at="2026-11-19T10:00:00.000Z", private=0, who="Анна", number=None):
        self.count += 1
        number = number or self.count
        conversation = f"cw:{self.project_id}:1:7"
        await self.run(
            "INSERT INTO conversation (id, project_id, account_scope_id, account_id, conversation_id, status,"
            " created_at)"
            " VALUES (:id, :p, :s, '1', '7', 'open', :at) ON CONFLICT DO NOTHING",
            id=conversation, p=self.project_id, s=SCOPE, at=at,
        )  # fmt: skip
        pk = f"cwmsg:{self.project_id}:1:{number}"
        await self.run(
            "INSERT INTO message (id, project_id, account_scope_id, account_id, message_id, conversation_id,"
            " conversation_global_id, sender_type, sender_name, private, message_type, content,"
            " created_at, updated_at)"
            " VALUES (:id, :p, :s, '1', :n, '7', :c, 'Contact', :who, :private, 'incoming', :text, :at, :at)",
            id=pk, p=self.project_id, s=SCOPE, n=str(number), c=conversation, who=who, private=private,
            text=text, at=at,
        )  # fmt: skip
        return pk

    async def issue(self, identifier, title, description="", *, state="Todo", at="2026-11-10T10:00:00.000Z"):
        pk = f"issue:{self.project_id}:{identifier}"
        await self.run(
            "INSERT INTO issue (id, project_id, account_scope_id, workspace_id, external_id, identifier,"
            " title, description, state, created_at, updated_at)"
            " VALUES (:id, :p, :s, 'w', :i, :i, :title, :d, :state, :at, :at)",
            id=pk, p=self.project_id, s=SCOPE, i=identifier, title=title, d=description, state=state, at=at,
        )  # fmt: skip
        return pk

    async def comment(self, issue_pk, body, *, at="2026-11-11T10:00:00.000Z"):
        self.count += 1
        pk = f"comment:{self.project_id}:{self.count}"
        await self.run(
            "INSERT INTO comment (id, project_id, account_scope_id, workspace_id, external_id, issue_id,"
            " author_name, body, created_at, updated_at)"
            " VALUES (:id, :p, :s, 'w', :id, :issue, 'Олег', :body, :at, :at)",
            id=pk, p=self.project_id, s=SCOPE, issue=issue_pk, body=body, at=at,
        )  # fmt: skip
        return pk

    async def deal(self, title, next_step="", *, amount=5000, at="2026-11-01T10:00:00.000Z"):
        self.count += 1
        pk = f"deal:{self.project_id}:{self.count}"
        await self.run(
            "INSERT INTO deal (id, project_id, account_scope_id, workspace_id, external_id, company_name,"
            " title, stage, amount, probability, next_step, created_at, updated_at)"
            " VALUES (:id, :p, :s, 'w', :id, 'Ромашка', :title, 'proposal', :amount, 0.5, :next, :at, :at)",
            id=pk, p=self.project_id, s=SCOPE, title=title, amount=amount, next=next_step, at=at,
        )  # fmt: skip
        return pk


@pytest.fixture
def said(tower: Tower, call: Desktop) -> Said:
    return Said(tower, call.project_id)


@pytest.fixture
async def indexer(tower: Tower) -> AsyncIterator[Indexer]:
    """An indexer that works only when asked to, so that every step is the test's."""
    found = Indexer(tower, await tower.part(Models))
    part: asyncio.Future[Indexer] = asyncio.get_running_loop().create_future()
    part.set_result(found)
    tower._parts[Indexer] = part
    yield found
    del tower._parts[Indexer]  # it was never started, so it is not stopped


@pytest.fixture
def broken_model(tmp_path: Path) -> Path:
    """A folder that looks like a model and is none."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"not a model")
    (folder / "tokenizer.json").write_bytes((MODEL / "tokenizer.json").read_bytes())
    return folder
