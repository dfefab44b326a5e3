"""The channels messages go out by: set up or not, how the last test went, and what holds for all of them."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.outbound_words import channel_words, channels, missing_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, when
from ctower_desktop.gui.widgets import Badge, Button, Card, Label, LinkButton, clear, row
from ctower_desktop.inbox.outbound.actions import list_channels, try_channel
from ctower_desktop.inbox.outbound.model import ChannelName, Channels, ChannelState, ChannelTested
from ctower_desktop.kernel.errors import TowerError

_WIDEST = 760
_CONNECTED = ("chatwoot", "loops")  # set up where vendors are connected; the others in the settings


class ChannelCard(Card):
    """One channel with its test."""

    def __init__(self, view: ChannelsView, name: ChannelName) -> None:
        super().__init__()
        self._view, self.name = view, name
        self.badge = Badge("", "text_2")
        self.words = Label("", "meta", "text_2", wrap=True)
        self.result = Label("", "meta", "text_2", wrap=True)
        self.test = Button(tr("Test the connection"))
        self.test.setAccessibleName(tr("Test the connection: {channel}", channel=channel_words(name)))
        self.test.clicked.connect(self.try_now)
        self.set_up = LinkButton(tr("Open connectors") if name in _CONNECTED else tr("Open the settings"))
        self.set_up.clicked.connect(partial(view.set_up, name))
        self.body.addLayout(row(Label(channel_words(name), "section"), self.badge, 0))
        for label in (self.words, self.result):
            label.setMinimumWidth(1)
            self.body.addWidget(label)
        self.body.addLayout(row(self.test, self.set_up, 0))

    def show_state(self, state: ChannelState) -> None:
        """Show how it stands; a test that went wrong is never hidden by being set up."""
        now = self._view.page.tower.clock.now()
        failed = state.last_test_works is False
        word = tr("not set up") if not state.configured else tr("fails") if failed else tr("set up")
        self.badge.setText(word)
        self.badge.set_token("text_2" if not state.configured else "danger" if failed else "success")
        self.words.setText(missing_words(self.name) if not state.configured else "")
        self.words.setVisible(not state.configured)
        self.test.setEnabled(state.configured)
        if state.last_test_at is None:
            self.result.setText(tr("Never tested. A test sends nothing to anybody."))
            return
        told = tr("Works") if state.last_test_works else tr("Does not work")
        message = "" if state.last_test_works else state.last_test_message or ""
        parts = (tr("Tested {time}", time=when(state.last_test_at, now)), told, message)
        self.result.setText(" · ".join(part for part in parts if part))
        self.result.set_token("danger" if failed else "text_2")

    def try_now(self) -> None:
        """Try it without sending anything."""
        self.test.setEnabled(False)
        self.result.setText(tr("Testing…"))
        start(self, self._try(), self._tried, self._failed)

    async def _try(self) -> ChannelTested:
        return await try_channel(self._view.page.call(), self.name)

    def _tried(self, found: ChannelTested) -> None:
        self.test.setEnabled(True)
        words = tr("Works") if found.works else found.message
        self._view.page.context.toast(tr("{name}: {value}", name=channel_words(self.name), value=words))
        self._view.refresh()

    def _failed(self, error: TowerError) -> None:
        self.test.setEnabled(True)
        self.result.setText(plain_words(error))
        self.result.set_token("danger")


class ChannelsView(QWidget):
    """A card for each channel below the switches of all."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.name = tr("Channels")
        self.cards: dict[str, ChannelCard] = {}
        self.switches = QVBoxLayout()
        self.switches.setSpacing(4)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(12)
        self._state = QVBoxLayout()
        column = QVBoxLayout()
        column.setContentsMargins(20, 12, 20, 20)
        column.setSpacing(12)
        column.addLayout(self.switches)
        column.addLayout(self._cards)
        column.addLayout(self._state)
        column.addStretch(1)
        inside = QWidget()
        inside.setLayout(column)
        inside.setMaximumWidth(_WIDEST)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(self.name)
        self.area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.area)
        for name, _ in channels():
            card = ChannelCard(self, name)
            card.hide()
            self.cards[name] = card
            self._cards.addWidget(card)
        follow(self, page.tower, {"channel_test", "connection"}, self.refresh)

    def refresh(self) -> None:
        """Read how the channels stand."""
        if self.page.context.has_project():
            start(self, self._read(), self._show, self._failed)
            return
        commands = self.page.context.commands
        self._say(
            EmptyState(
                "no_data",
                tr("No project yet"),
                tr("Everything here belongs to a project; open one first."),
                tr("New project…"),
                lambda: commands.run("project.new"),
            )
        )

    async def _read(self) -> Channels:
        return await list_channels(self.page.call())

    def _show(self, found: Channels) -> None:
        self._say(None)
        clear(self.switches)
        lines = [
            (tr("Sending is switched on."), "success")
            if found.enabled
            else (tr("Sending is switched off for the whole program."), "danger"),
        ]
        if found.dry_run:
            lines.append((tr("Rehearsal is on: sending sends nothing."), "warning"))
        by_itself = (
            tr("Approved messages go out by themselves within five minutes.")
            if found.sends_approved_by_itself
            else tr("Approved messages wait until somebody presses send.")
        )
        lines.append((by_itself, "text_2"))
        for words, token in lines:
            self.switches.addWidget(Label(words, "body", token, wrap=True))
        change = LinkButton(tr("Change this in the settings"))
        change.clicked.connect(lambda: self.page.context.open_page("settings"))
        self.switches.addLayout(row(change, 0))
        for state in found.channels:
            self.cards[state.channel].show_state(state)
            self.cards[state.channel].show()

    def _failed(self, error: TowerError) -> None:
        title = tr("It could not be read")
        self._say(EmptyState("failed", title, plain_words(error), tr("Try again"), self.refresh))

    def _say(self, state: EmptyState | None) -> None:
        clear(self._state)
        if state is not None:
            for card in self.cards.values():
                card.hide()
            clear(self.switches)
            self._state.addWidget(state)

    def set_up(self, name: ChannelName, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - Qt's
        """Go where it is set up."""
        self.page.context.open_page("connectors" if name in _CONNECTED else "settings")
