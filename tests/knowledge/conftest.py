"""Rows put straight into the tables that connectors fill, and the graph that is made of them."""

from __future__ import annotations

import pytest

from ctower_desktop.knowledge.building import Builder

SCOPE = "00000000-0000-4000-8000-000000000001"
AT = "2026-11-19T10:00:00.000Z"


class Rows:
    """Writes rows and reads the graph."""

    def __init__(self, tower, project_id: str) -> None:
        self.tower, self.project_id = tower, project_id

    async def run(self, sql: str, **values) -> list[tuple]:
        def write(db):
            return list(db.execute(sql, values))

        return await self.tower.db.write(write)

    async def put(self, table: str, **values) -> str:
        defaults = {
            "id": f"{table}:{len(await self.run(f'SELECT 1 FROM {table}')) + 1}",
            "project_id": self.project_id,
            "account_scope_id": SCOPE,
        }
        columns = {name for (_, name, *_) in await self.run(f"PRAGMA table_info({table})")}
        for column in ("created_at", "updated_at", "written_at", "stage_changed_at"):
            if column in columns:
                defaults[column] = AT
        if "workspace_id" in columns:
            defaults["workspace_id"] = "w"
        row = defaults | values
        names = ", ".join(row)
        await self.run(f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + n for n in row)})", **row)
        return row["id"]

    async def built(self) -> set[str]:
        """Every triple of the project once all rows are read."""
        await self.builder.catch_up()
        return {
            f"{head} {relation} {tail}"
            for head, relation, tail in await self.run(
                "SELECT h.name, t.relation, e.name FROM graph_triple AS t"
                " JOIN graph_entity AS h ON h.id = t.head_id JOIN graph_entity AS e ON e.id = t.tail_id"
                " WHERE t.project_id = :p",
                p=self.project_id,
            )
        }

    async def names(self) -> set[str]:
        found = await self.run("SELECT name FROM graph_entity WHERE project_id = :p", p=self.project_id)
        return {name for (name,) in found}

    async def spring(self) -> None:
        """A small agency: a project with its lead, issues, a client, a deal."""
        await self.put(
            "work_project", external_id="P1", name="Весна", lead_name="Ирина Лебедева", state="started"
        )
        await self.put("cycle", external_id="C1", number=7, name="Ноябрь", ends_at=AT)
        for number, title, assignee in (
            (1, "Вёрстка корзины", "Олег Громов"),
            (2, "Оплата картой", "Анна Котова"),
        ):
            await self.put(
                "issue", external_id=f"I{number}", identifier=f"ENG-{number}", title=title, state="Todo",
                assignee_name=assignee, linear_project_external_id="P1", linear_project_name="Весна",
                cycle_external_id="C1", cycle_name="Ноябрь",
            )  # fmt: skip
        await self.put(
            "issue_relation",
            external_id="R1",
            type="blocks",
            issue_external_id="I2",
            related_external_id="I1",
        )
        await self.put("company", external_id="K1", name="Кофейня Север", domain="sever.example")
        await self.put(
            "person",
            external_id="H1",
            full_name="Henrik Strand",
            email="h@sever.example",
            account_external_id="K1",
        )
        await self.put(
            "deal", external_id="D1", title="Новый сайт", stage="Won", probability=1, amount=12000,
            currency="EUR", owner_name="Ирина Лебедева", account_external_id="K1",
        )  # fmt: skip


@pytest.fixture
async def rows(tower, project):
    made = Rows(tower, project.id)
    made.builder = await tower.part(Builder)
    return made
