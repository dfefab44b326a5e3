"""Signals and links: what needs attention, what else could be sold, what was promised, who is who."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.export import export_button
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.signals_continuity import ContinuityView
from ctower_desktop.gui.signals_identity import IdentityView
from ctower_desktop.gui.signals_list import SignalsView
from ctower_desktop.gui.signals_upsell import UpsellView
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import PrimaryButton
from ctower_desktop.gui.worklist import WorkList

_BUILD: dict[str, Callable[[Page], WorkList]] = {
    "signals": SignalsView,
    "upsell": UpsellView,
    "continuity": ContinuityView,
    "identity": IdentityView,
}


class SignalsPage(Page):
    """Four lists to work through."""

    id = "signals"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self.names = {
            "signals": tr("Signals"),
            "upsell": tr("Upsell radar"),
            "continuity": tr("Continuity"),
            "identity": tr("Identity"),
        }
        self._views: dict[str, WorkList] = {}  # built when they are first looked at
        self.tabs = Chips(tr("View"), list(self.names.items()))
        self.tabs.changed.connect(self._turn)
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(0)
        self.tabs.setContentsMargins(16, 0, 16, 0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Signals & links")

    @property
    def view(self) -> WorkList:
        """The list in front."""
        name = self.tabs.value
        if name not in self._views:
            self._views[name] = _BUILD[name](self)
            self._stack.addWidget(self._views[name])
        return self._views[name]

    def activate(self) -> None:
        """Read the list in front, and begin there."""
        self._turn()

    def project_changed(self) -> None:
        """Another project: its lists."""
        for view in self._views.values():
            view.start_over()

    def _turn(self) -> None:
        self._stack.setCurrentWidget(self.view)
        self.view.refresh()
        self.view.listing.view.setFocus()

    def commands(self) -> list[Command]:
        """What one can do here; the keys work while the page is in front."""
        deeds = (
            ("accept", tr("Accept or apply what is chosen"), "A", "accept принять"),
            ("done", tr("Done with the chosen signals"), "E", "done готово"),
            ("dismiss", tr("Dismiss what is chosen"), "D", "dismiss отклонить"),
            ("reopen", tr("Open again what is chosen, or undo its link"), "U", "reopen undo вернуть"),
            ("offer", tr("Make an offer of the chosen chance"), "O", "offer предложение"),
            ("retry", tr("Try the chosen tasks again"), "R", "retry повторить"),
        )
        return [
            *(
                Command(f"signals.{name}", title, partial(self._do, name), key, also, within=self)
                for name, title, key, also in deeds
            ),
            *(
                Command(
                    f"signals.view.{name}",
                    tr("Signals & links: {view}", view=title),
                    partial(self.turn_to, name),
                    str(place),
                    name,
                    within=self,
                )
                for place, (name, title) in enumerate(self.names.items(), 1)
            ),
            Command("signals.next", tr("Signals: the next one"), partial(self._step, 1), "J", within=self),
            Command(
                "signals.before", tr("Signals: the one before"), partial(self._step, -1), "K", within=self
            ),
            Command("signals.search", tr("Search in the signals"), self._search, "/", "find", within=self),
            Command("signals.again", tr("Look for signals again"), self._again, "Shift+R", within=self),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        again = PrimaryButton(tr("Look again now"))
        again.clicked.connect(self._again)
        return [export_button(self, self.id, lambda: self.view.sheet()), again]

    def turn_to(self, name: str) -> None:
        """Bring a list to the front."""
        if not self.isVisible():
            self.context.open_page(self.id)
        self.tabs.choose(name)

    def _do(self, deed: str) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        else:
            self.view.do(deed)

    def _step(self, by: int) -> None:
        self.view.step(by)

    def _search(self) -> None:
        self.view.search.setFocus()
        self.view.search.selectAll()

    def _again(self) -> None:
        if self.context.has_project():
            self.view.look_again()
