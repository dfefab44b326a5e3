"""Outbound: what goes out to clients, from draft to delivery, whom it may reach, and by which channel."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.export import export_button
from ctower_desktop.gui.outbound_channels import ChannelsView
from ctower_desktop.gui.outbound_list import MessagesView
from ctower_desktop.gui.outbound_rules import RulesView
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import PrimaryButton
from ctower_desktop.gui.worklist import WorkList


class OutboundPage(Page):
    """Messages, the rules of recipients, the channels."""

    id = "outbound"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self.messages, self.rules, self.channels = MessagesView(self), RulesView(self), ChannelsView(self)
        self.views: dict[str, MessagesView | RulesView | ChannelsView] = {
            "messages": self.messages,
            "rules": self.rules,
            "channels": self.channels,
        }
        self.tabs = Chips(tr("View"), [(name, view.name) for name, view in self.views.items()])
        self.tabs.setContentsMargins(16, 0, 16, 0)
        self.tabs.changed.connect(self._turn)
        self._stack = QStackedWidget()
        for view in self.views.values():
            self._stack.addWidget(view)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        self._read: set[str] = set()

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Outbound")

    def activate(self) -> None:
        """Read what is in front, and begin there."""
        self._turn()

    def project_changed(self) -> None:
        """Another project: its messages and rules."""
        self._read.clear()
        self.messages.start_over()
        self.rules.start_over()
        self.channels.refresh()
        if self.isVisible():
            self._read.add(self.tabs.value)

    def _turn(self) -> None:
        name = self.tabs.value
        view = self.views[name]
        self._stack.setCurrentWidget(view)
        if isinstance(view, WorkList):
            if name in self._read:
                view.refresh()
            else:
                view.listing.start_over()
            view.listing.view.setFocus()
        else:
            view.refresh()
            view.area.setFocus()
        self._read.add(name)

    def commands(self) -> list[Command]:
        """What one can do here; bare letters work while the page is in front."""
        keys = (
            ("approve", tr("Approve the chosen messages"), "A", "approve одобрить"),
            ("send", tr("Send the message in front now"), "S", "send отправить"),
            ("edit", tr("Change the message in front"), "E", "edit изменить"),
            ("call_off", tr("Call the chosen messages off"), "X", "cancel отменить"),
        )
        return [
            *(
                Command(f"outbound.{name}", title, partial(self._press, name), key, also, within=self)
                for name, title, key, also in keys
            ),
            *(
                Command(
                    f"outbound.view.{name}",
                    tr("Outbound: {view}", view=view.name),
                    partial(self.turn_to, name),
                    str(place),
                    name,
                    within=self,
                )
                for place, (name, view) in enumerate(self.views.items(), 1)
            ),
            Command("outbound.new", tr("New message…"), self._write, "C", "message сообщение", within=self),
            Command("outbound.next", tr("Outbound: the next one"), partial(self._step, 1), "J", within=self),
            Command(
                "outbound.before", tr("Outbound: the one before"), partial(self._step, -1), "K", within=self
            ),
            Command("outbound.search", tr("Search in outbound"), self._search, "/", "find", within=self),
            Command("outbound.unknown", tr("Messages whose fate nobody knows"), self._unknown),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        new = PrimaryButton(tr("New message…"), "C")
        new.clicked.connect(self._write)
        return [export_button(self, self.id, lambda: self._list.sheet()), new]

    @property
    def _list(self) -> MessagesView | RulesView:
        return self.rules if self.tabs.value == "rules" else self.messages

    def turn_to(self, name: str) -> None:
        """Bring a view to the front."""
        if not self.isVisible():
            self.context.open_page(self.id)
        self.tabs.choose(name)

    def _press(self, name: str) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        elif self.tabs.value == "messages":
            self.messages.press(name)

    def _step(self, by: int) -> None:
        if self.tabs.value != "channels":
            self._list.step(by)

    def _search(self) -> None:
        self._list.search.setFocus()
        self._list.search.selectAll()

    def _write(self) -> None:
        if self.context.has_project():
            self.turn_to("rules" if self.tabs.value == "rules" and self.isVisible() else "messages")
            self._list.write()

    def _unknown(self) -> None:
        self.turn_to("messages")
        self.messages.show_uncertain()
