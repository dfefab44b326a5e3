"""Connectors: where the project's data comes from, how fresh it is, and what to do when it does not come."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.connectors.vendors import CONNECTORS
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Card, Label


class ConnectorsPage(Page):
    """A card for every vendor."""

    id = "connectors"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        cards = QVBoxLayout()
        cards.setContentsMargins(20, 20, 20, 20)
        cards.setSpacing(12)
        for connector in CONNECTORS.values():
            card = Card()
            card.body.addWidget(Label(connector.title, "section"))
            missing = connector.missing_setting(self.tower.settings.get(connector.settings))
            card.body.addWidget(Label(tr("Not connected yet") if missing else tr("Connected"), "meta", "text_2"))
            cards.addWidget(card)
        cards.addStretch(1)
        inside = QWidget()
        inside.setLayout(cards)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.area)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Connectors")
