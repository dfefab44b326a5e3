"""A page in a window of its own, over a real tower with real texts, on Qt's loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from ctower_desktop import app
from ctower_desktop.gui import tasks
from ctower_desktop.gui.commands import Commands
from ctower_desktop.gui.feedback import ErrorBar
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import Desktop, ProjectRef, Tower, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.search.indexing import Indexer

SCOPE = "00000000-0000-4000-8000-000000000001"
P = TypeVar("P", bound=Page)


@dataclass
class Stage:
    """A window with one page, and what the page asked the window to do."""

    tower: Tower
    project: ProjectRef | None
    window: QWidget = field(default_factory=QWidget)
    bar: ErrorBar = field(default_factory=ErrorBar)
    opened: list[str] = field(default_factory=list)
    toasts: list[tuple[Any, ...]] = field(default_factory=list)
    commands: Commands = field(default_factory=Commands)

    def call(self) -> Desktop:
        return desktop(self.tower, "test", self.project)

    def show(self, kind: Callable[[WindowContext], P]) -> P:
        """Build the page and put it on screen."""
        context = WindowContext(
            tower=self.tower,
            call=self.call,
            commands=self.commands,
            toast=lambda *given: self.toasts.append(given),
            open_page=self.opened.append,
            has_project=lambda: self.project is not None,
        )
        page = kind(context)
        if self.window.layout() is None:
            QVBoxLayout(self.window).addWidget(self.bar)
        self.window.layout().addWidget(page)
        self.commands.add(self.window, *page.commands())
        self.window.resize(1208, 852)
        self.window.show()
        page.activate()
        return page

    async def put(self, sql: str, **values: object) -> None:
        """Write as a connector would."""

        def write(db):
            db.execute(sql, values)

        await self.tower.db.write(write)

    async def add(self, table: str, **values: object) -> None:
        """A row of the project's mirror."""
        assert self.project is not None
        row = {"project_id": self.project.id, "account_scope_id": SCOPE} | values
        names = ", ".join(row)
        await self.put(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{n}' for n in row)})", **row)

    async def indexed(self) -> None:
        """Let everything be found by its words."""
        indexer = await self.tower.part(Indexer)
        assert self.project is not None
        while await indexer.index_words(self.project.id):
            pass


async def fill(stage: Stage) -> None:
    """One conversation with a private note, one issue with a comment, one deal with a note."""
    assert stage.project is not None
    p, at = stage.project.id, "2026-11-20T07:12:00.000Z"
    contact, talk = f"cwc:{p}:1:5", f"cw:{p}:1:318"
    issue, times = f"linissue:{p}:w:i1", {"created_at": at, "updated_at": at}
    await stage.add(
        "contact",
        id=contact,
        account_id="1",
        contact_id="5",
        name="Ольга Ветрова",
        company_name="Север",
        **times,
    )
    await stage.add(
        "conversation", id=talk, account_id="1", conversation_id="318", contact_global_id=contact,
        status="open", subject="Запуск магазина", created_at=at,
    )  # fmt: skip
    said = [
        ("contact", "Ольга Ветрова", 0, "Когда запуск интернет-магазина? Смотрю на SEV-141."),
        ("user", "Марина Белова", 0, "Запуск магазина перенесли на 26 ноября: банк ещё проверяет договор."),
        ("user", "Марина Белова", 1, "Клиенту пока не говорим о скидке за перенос запуска."),
        ("contact", "Ольга <b>Ветрова</b>", 0, "<img src=x> Пришлите счёт, пожалуйста."),
    ]
    for number, (kind, who, private, text) in enumerate(said, 1):
        moment = f"2026-11-20T07:1{number}:00.000Z"
        await stage.add(
            "message", id=f"cwmsg:{p}:1:{number}", account_id="1", message_id=str(number),
            conversation_id="318", conversation_global_id=talk, contact_global_id=contact, sender_type=kind,
            sender_name=who, private=private, message_type="0" if kind == "contact" else "1", content=text,
            created_at=moment, updated_at=moment,
        )  # fmt: skip
    await stage.add(
        "issue", id=issue, workspace_id="w", external_id="i1", identifier="SEV-141", title="Эквайринг",
        description="Подключить оплату картой до запуска.", state="In Progress", haystack="sev-141 эквайринг",
        url="https://linear.app/x/issue/SEV-141", **times,
    )  # fmt: skip
    await stage.add(
        "comment", id=f"lincomment:{p}:w:c1", workspace_id="w", external_id="c1", issue_id=issue,
        author_name="Илья", body="Терминал выдадут в среду.", **times,
    )  # fmt: skip
    await stage.add(
        "deal", id=f"attiodeal:{p}:w:d1", workspace_id="w", external_id="d1", title="Программа лояльности",
        stage="proposal", amount=420_000, currency="RUB", probability=0.4, company_name="Север",
        haystack="программа лояльности север", **times,
    )  # fmt: skip
    await stage.add(
        "note", id=f"attionote:{p}:w:n1", workspace_id="w", external_id="n1", parent_kind="deals",
        parent_external_id="d1", title="Встреча", content="Баллы просили уже трижды.", author_name="Полина",
        **times,
    )  # fmt: skip
    await stage.indexed()


@pytest.fixture
def on_stage(run, qapp: QApplication, tmp_path, clock) -> Callable[[Callable[[Stage], Any]], Any]:
    """Run `body(stage)` with a real tower and one project, on Qt's loop."""

    qapp.setQuitOnLastWindowClosed(False)  # hiding a window must not end the loop

    @asynccontextmanager
    async def opened(*, project: bool) -> AsyncIterator[Stage]:
        home = Home(tmp_path / "home")
        tower = await app.open_tower(home, clock=clock, environment={}, secrets="file")
        try:
            found = None
            if project:
                made = (
                    await create_project(desktop(tower, "test"), NewProject(name="Кофейня «Север»"))
                ).project
                found = ProjectRef(made.id, made.name, made.account_scope_id)
            stage = Stage(tower, found)
            try:
                yield stage
            finally:
                tasks.cancel_all()
                await tasks.settle()
                stage.window.hide()
                stage.window.deleteLater()
                await asyncio.sleep(0)
        finally:
            await app.close_tower(tower)

    def go(body: Callable[[Stage], Any], *, project: bool = True) -> Any:
        async def whole() -> Any:
            async with opened(project=project) as stage:
                return await body(stage)

        return run(whole())

    return go
