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
from ctower_desktop.gui.garbage import Collector
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
        """Write a row as a connector would."""

        def write(db):
            db.execute(sql, values)

        await self.tower.db.write(write)

    async def indexed(self) -> None:
        """Let everything be found by its words."""
        indexer = await self.tower.part(Indexer)
        assert self.project is not None
        while await indexer.index_words(self.project.id):
            pass


async def fill(stage: Stage) -> None:
    """One conversation with a private note, one issue with a comment, one deal with a note and a task."""
    p = stage.project.id
    base = {"p": p, "s": SCOPE, "at": "2026-11-20T07:12:00.000Z"}
    contact, conversation = f"cwc:{p}:1:5", f"cw:{p}:1:318"
    await stage.put(
        "INSERT INTO contact (id, project_id, account_scope_id, account_id, contact_id, name, company_name,"
        " haystack, created_at, updated_at) VALUES (:id, :p, :s, '1', '5', 'Ольга Ветрова', 'Север', '', :at, :at)",
        id=contact, **base,
    )  # fmt: skip
    await stage.put(
        "INSERT INTO conversation (id, project_id, account_scope_id, account_id, conversation_id, contact_global_id,"
        " status, subject, created_at) VALUES (:id, :p, :s, '1', '318', :c, 'open', 'Запуск магазина', :at)",
        id=conversation, c=contact, **base,
    )  # fmt: skip
    said = [
        ("1", "contact", "Ольга Ветрова", 0, "0", "Когда запуск интернет-магазина? Смотрю на SEV-141."),
        (
            "2",
            "user",
            "Марина Белова",
            0,
            "1",
            "Запуск магазина перенесли на 26 ноября: банк ещё проверяет договор.",
        ),
        ("3", "user", "Марина Белова", 1, "1", "Клиенту пока не говорим о скидке за перенос запуска."),
        ("4", "contact", "Ольга <b>Ветрова</b>", 0, "0", "<img src=x> Пришлите счёт, пожалуйста."),
    ]
    for number, kind, who, private, way, text in said:
        await stage.put(
            "INSERT INTO message (id, project_id, account_scope_id, account_id, message_id, conversation_id,"
            " conversation_global_id, contact_global_id, sender_type, sender_name, private, message_type, content,"
            " created_at, updated_at) VALUES (:id, :p, :s, '1', :n, '318', :c, :k, :kind, :who, :private, :way, :text,"
            " :when, :when)",
            id=f"cwmsg:{p}:1:{number}", n=number, c=conversation, k=contact, kind=kind, who=who, private=private,
            way=way, text=text, when=f"2026-11-20T07:1{number}:00.000Z", **base,
        )  # fmt: skip
    await stage.put(
        "INSERT INTO issue (id, project_id, account_scope_id, workspace_id, external_id, identifier, title,"
        " description, state, url, haystack, created_at, updated_at) VALUES (:id, :p, :s, 'w', 'i1', 'SEV-141', 'Эквайринг',"
        " 'Подключить оплату картой до запуска.', 'In Progress', 'https://linear.app/x/issue/SEV-141',"
        " 'sev-141 эквайринг', :at, :at)",
        id=f"linissue:{p}:w:i1", **base,
    )  # fmt: skip
    await stage.put(
        "INSERT INTO comment (id, project_id, account_scope_id, workspace_id, external_id, issue_id, author_name,"
        " body, created_at, updated_at) VALUES (:id, :p, :s, 'w', 'c1', :i, 'Илья', 'Терминал выдадут в среду.', :at, :at)",
        id=f"lincomment:{p}:w:c1", i=f"linissue:{p}:w:i1", **base,
    )  # fmt: skip
    await stage.put(
        "INSERT INTO deal (id, project_id, account_scope_id, workspace_id, external_id, title, stage, amount, currency,"
        " probability, company_name, haystack, created_at, updated_at) VALUES (:id, :p, :s, 'w', 'd1',"
        " 'Программа лояльности', 'proposal', 420000, 'RUB', 0.4, 'Север', 'программа лояльности север', :at, :at)",
        id=f"attiodeal:{p}:w:d1", **base,
    )  # fmt: skip
    await stage.put(
        "INSERT INTO note (id, project_id, account_scope_id, workspace_id, external_id, parent_kind, parent_external_id,"
        " title, content, author_name, created_at, updated_at) VALUES (:id, :p, :s, 'w', 'n1', 'deals', 'd1', 'Встреча',"
        " 'Баллы просили уже трижды.', 'Полина', :at, :at)",
        id=f"attionote:{p}:w:n1", **base,
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

        collector = Collector()
        try:
            return run(whole())
        finally:
            collector.stop()

    return go
