"""Risks: what may go wrong, the patterns behind it, how healthy the project is, and its money."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.export import Sheet, export_button
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.risks_health import HealthView
from ctower_desktop.gui.risks_items import RisksView
from ctower_desktop.gui.risks_money import MoneyView
from ctower_desktop.gui.risks_patterns import PatternsView
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, PrimaryButton
from ctower_desktop.gui.worklist import WorkList

_BUILD: dict[str, Callable[[Page], WorkList | HealthView]] = {
    "risks": RisksView,
    "patterns": PatternsView,
    "health": HealthView,
    "money": MoneyView,
}


class RisksPage(Page):
    """Risks, patterns, health and money of one project."""

    id = "risks"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self.names = {
            "risks": tr("Risks"),
            "patterns": tr("Patterns"),
            "health": tr("Health"),
            "money": tr("Budget and costs"),
        }
        self._views: dict[str, WorkList | HealthView] = {}  # built when they are first looked at
        self.tabs = Chips(tr("View"), list(self.names.items()))
        self.tabs.setContentsMargins(16, 0, 16, 0)
        self.tabs.changed.connect(self._turn)
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Risks")

    @property
    def view(self) -> WorkList | HealthView:
        """What is in front."""
        name = self.tabs.value
        if name not in self._views:
            self._views[name] = _BUILD[name](self)
            self._stack.addWidget(self._views[name])
        return self._views[name]

    def activate(self) -> None:
        """Read what is in front, and begin there."""
        self._turn()

    def project_changed(self) -> None:
        """Another project: its risks."""
        for view in self._views.values():
            view.start_over()

    def _turn(self) -> None:
        view = self.view
        self._stack.setCurrentWidget(view)
        view.refresh()
        if isinstance(view, WorkList):
            view.listing.view.setFocus()
        else:
            view.focus()

    def commands(self) -> list[Command]:
        """What one can do here; the keys work while the page is in front."""
        deeds = (
            ("accept", tr("Handle the chosen risks"), "A", "mitigate"),
            ("done", tr("Close the chosen risks, or call patterns mitigated"), "E", "close закрыть"),
            ("dismiss", tr("Ignore the chosen patterns, or delete entries"), "D", "ignore delete удалить"),
            ("reopen", tr("Open the chosen risks or patterns again"), "U", "reopen"),
        )
        return [
            *(
                Command(f"risks.{name}", title, partial(self._do, name), key, also, within=self)
                for name, title, key, also in deeds
            ),
            *(
                Command(
                    f"risks.view.{name}",
                    tr("Risks: {view}", view=title),
                    partial(self.turn_to, name),
                    str(place),
                    name,
                    within=self,
                )
                for place, (name, title) in enumerate(self.names.items(), 1)
            ),
            Command("risks.add", tr("Write down a risk…"), self._add_risk, "N", "new риск", within=self),
            Command("risks.entry", tr("Add an entry…"), self._add_entry, "", "cost budget расход бюджет"),
            Command("risks.next", tr("Risks: the next one"), partial(self._step, 1), "J", within=self),
            Command("risks.back", tr("Risks: the one before"), partial(self._step, -1), "K", within=self),
            Command("risks.search", tr("Search in the risks"), self._search, "/", "find", within=self),
            Command("risks.again", tr("Count health and risks now"), self._again, "Shift+R", within=self),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        again, add, entry = (
            Button(tr("Count again now")),
            PrimaryButton(tr("Write down a risk…")),
            Button(tr("Add an entry…")),
        )
        again.clicked.connect(self._again)
        add.clicked.connect(self._add_risk)
        entry.clicked.connect(self._add_entry)
        return [export_button(self, self.id, self._sheet), again, entry, add]

    def turn_to(self, name: str) -> None:
        """Bring a view to the front."""
        if not self.isVisible():
            self.context.open_page(self.id)
        self.tabs.choose(name)

    async def _sheet(self) -> Sheet:
        return await self.view.sheet()

    def _do(self, deed: str) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        elif isinstance(self.view, WorkList):
            self.view.do(deed)

    def _step(self, by: int) -> None:
        if isinstance(self.view, WorkList):
            self.view.step(by)

    def _search(self) -> None:
        if isinstance(self.view, WorkList):
            self.view.search.setFocus()
            self.view.search.selectAll()

    def _again(self) -> None:
        if self.context.has_project():
            self.view.look_again()

    def _add_risk(self) -> None:
        if self.context.has_project():
            self.turn_to("risks")
            self._add(RisksView)

    def _add_entry(self) -> None:
        if self.context.has_project():
            self.turn_to("money")
            self._add(MoneyView)

    def _add(self, kind: type[RisksView] | type[MoneyView]) -> None:
        if isinstance(self.view, kind):
            self.view.add()
