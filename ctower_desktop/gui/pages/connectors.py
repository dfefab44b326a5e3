"""Connectors: where the project's data comes from, how fresh it is, and what to do when it does not come."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

import msgspec
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget
from shiboken6 import isValid

from ctower_desktop.connectors.actions import (
    list_dead_letters,
    push_contacts,
    read_reconciliation,
    retry_connector_errors,
    revive_dead_letter,
    run_reconciliation,
    sync_connector,
)
from ctower_desktop.connectors.answers import (
    ListDeadLetters,
    ListQuarantine,
    Overview,
    PushContacts,
    ReadReconciliation,
    RetryErrors,
    RetryQuarantine,
)
from ctower_desktop.connectors.completeness import Metric
from ctower_desktop.connectors.connecting import (
    confirm_deletes,
    list_connections,
    list_quarantine,
    retry_quarantine,
)
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.loops import LOOPS
from ctower_desktop.connectors.model import ConnectorError, Quarantined
from ctower_desktop.gui.bindings import BindingsDialog
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.connect import ConnectDialog, DisconnectDialog, vendor_named
from ctower_desktop.gui.connection import ConnectionCard
from ctower_desktop.gui.feed import follow, listen
from ctower_desktop.gui.feedback import EmptyState, show_error
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import number, tr, trn
from ctower_desktop.gui.troubles import TroubleList, given_up, put_aside
from ctower_desktop.gui.widgets import Button, PrimaryButton
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.events import SyncProgress
from ctower_desktop.operations.actions import list_scheduled_jobs
from ctower_desktop.operations.model import ScheduledJob

_WIDEST = 860
_TABLES = {
    "connector_sync_state",
    "connector_error",
    "connection",
    "source_binding",
    "stream_state",
    "quarantined_row",
    "reconciliation_metric",
}
_JOBS = {"loops": "loops_contacts_sync"}
_CYCLE = "connectors_sync_cycle"


class Snapshot(msgspec.Struct, frozen=True):
    """Everything the page shows, read at one time."""

    connections: list[Overview]
    jobs: list[ScheduledJob]
    complete: list[Metric]
    given_up: list[ConnectorError]
    put_aside: list[Quarantined]


class ConnectorsPage(Page):
    """A card for every vendor, then what did not come in."""

    id = "connectors"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self._syncs: dict[str, asyncio.Task[Any]] = {}
        self._titles = {name: vendor_named(name).title for name in (*CONNECTORS, LOOPS.name)}
        self.cards = {name: ConnectionCard(name, title) for name, title in self._titles.items()}
        self.given_up = TroubleList(
            tr("Given up"), tr("These failed too often to be tried again by themselves.")
        )
        self.put_aside = TroubleList(
            tr("Put aside"), tr("These rows could not be understood; everything else came in.")
        )
        self.no_project = EmptyState(
            "no_data",
            tr("No project yet"),
            tr("Sources feed a project; open one first."),
            tr("New project…"),
            lambda: context.commands.run("project.new"),
        )
        self._build()
        for name, card in self.cards.items():
            card.hide()
            card.sync_wanted.connect(partial(self.sync, name))
            card.cancel_wanted.connect(partial(self._cancel, name))
            card.connect_wanted.connect(partial(self.connect_, name))
            card.disconnect_wanted.connect(partial(self._disconnect, name))
            card.bindings_wanted.connect(partial(self._bind, name))
            card.confirm_wanted.connect(partial(self._confirm, name))
        follow(self, self.tower, _TABLES, self.refresh)
        listen(self, self.tower, SyncProgress, self._progress)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Connectors")

    def activate(self) -> None:
        """Show how things are now."""
        self.refresh()

    def project_changed(self) -> None:
        """Another project: its sources."""
        self.refresh()

    def commands(self) -> list[Command]:
        """What one can do here."""
        return [
            Command("connectors.sync", tr("Sync everything now"), self.sync_all, "Ctrl+R", "sync обновить"),
            Command("connectors.check", tr("Check completeness"), self._check, "", "reconcile сверка"),
            *(
                Command(
                    f"connectors.connect.{name}",
                    tr("Connect {vendor}", vendor=title),
                    partial(self.connect_, name),
                    also="connect подключить",
                )
                for name, title in self._titles.items()
            ),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        check, every = Button(tr("Check completeness")), PrimaryButton(tr("Sync everything now"))
        check.clicked.connect(self._check)
        every.clicked.connect(self.sync_all)
        return [check, every]

    def _build(self) -> None:
        column = QVBoxLayout()
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(12)
        column.addWidget(self.no_project)
        parts: tuple[QWidget, ...] = (*self.cards.values(), self.given_up, self.put_aside)
        for part in parts:
            column.addWidget(part)
        column.addStretch(1)
        inside = QWidget()
        inside.setLayout(column)
        inside.setMaximumWidth(_WIDEST)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(self.title)
        self.area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.area)

    # -- reading

    def refresh(self) -> None:
        """Read and show everything again."""
        there = self.context.has_project()
        self.no_project.setVisible(not there)
        for card in self.cards.values():
            card.setVisible(there)
        if there:
            start(self, self._read(), self._show)

    async def _read(self) -> Snapshot:
        call = self.call()
        return Snapshot(
            (await list_connections(call)).connections,
            (await list_scheduled_jobs(call)).jobs,
            (await read_reconciliation(call, ReadReconciliation())).latest,
            (await list_dead_letters(call, ListDeadLetters())).errors,
            (await list_quarantine(call, ListQuarantine())).rows,
        )

    def _show(self, found: Snapshot) -> None:
        now = self.tower.clock.now()
        due = {job.job_type: job.next_run_at for job in found.jobs if job.status == "active"}
        complete = {metric.connector: metric.completeness_pct for metric in found.complete}
        for one in found.connections:
            self.cards[one.connector].show_overview(
                one,
                now,
                next_run=due.get(_JOBS.get(one.connector, _CYCLE)),
                complete=complete.get(one.connector),
            )
        self.given_up.show_troubles(given_up(found.given_up, self._titles, now, self._revive))
        self.put_aside.show_troubles(put_aside(found.put_aside, self._titles, now, self._again))

    def _progress(self, event: SyncProgress) -> None:
        if event.connector in self.cards:
            self.cards[event.connector].show_progress(event)

    # -- doing

    def sync(self, name: str) -> None:
        """Read a vendor now, or tell Loops about contacts."""
        work = self._push() if name == LOOPS.name else self._pull(name)
        self._run(name, work)

    def sync_all(self) -> None:
        """Read every vendor that is connected, side by side."""
        for name, card in self.cards.items():
            if card.sync.isVisibleTo(card) and card.sync.isEnabled():
                self.sync(name)

    def connect_(self, name: str) -> None:
        """Open the form of a connection."""
        dialog = ConnectDialog(self, self.call, name)
        dialog.connected.connect(partial(self._connected, name))
        self._open(dialog)

    def _run(self, name: str, work: Coroutine[Any, Any, str]) -> None:
        card = self.cards[name]
        card.begin()
        task = start(self, work, self.context.toast, partial(self._failed, name))
        self._syncs[name] = task
        task.add_done_callback(lambda _: self._over(name, task))

    def _over(self, name: str, task: asyncio.Task[Any]) -> None:
        if isValid(self) and self._syncs.get(name) is task:
            del self._syncs[name]
            self.cards[name].end()
            self.refresh()

    def _cancel(self, name: str) -> None:
        if name in self._syncs:
            self._syncs[name].cancel()

    def _failed(self, name: str, error: TowerError) -> None:
        """A failed sync is on its card, with the next step; what the card does not say goes to the bar."""
        if error.code != "connector_sync_failed":
            show_error(self, error)

    async def _pull(self, name: str) -> str:
        done = (await sync_connector(self.call(), name)).result.result
        rows = int(done.get("rows_stored", 0))
        return trn(
            "{vendor}: {n} new or changed row",
            "{vendor}: {n} new or changed rows",
            rows,
            vendor=self._titles[name],
        )

    async def _push(self) -> str:
        pushed = (await push_contacts(self.call(), PushContacts())).loops
        told = pushed.created + pushed.updated
        if pushed.failed:
            return tr("Loops: {told} told, {failed} failed", told=number(told), failed=number(pushed.failed))
        return trn("Loops: {n} contact told", "Loops: {n} contacts told", told)

    def _confirm(self, name: str) -> None:
        self._run(name, self._confirmed(name))

    async def _confirmed(self, name: str) -> str:
        await confirm_deletes(self.call(), name)
        return tr("{vendor}: what was deleted there is gone here too", vendor=self._titles[name])

    def _connected(self, name: str, account: str) -> None:
        self.context.toast(tr("{vendor} is connected: {account}", vendor=self._titles[name], account=account))
        self.refresh()
        if self.context.has_project():
            self.sync(name)

    def _disconnect(self, name: str) -> None:
        dialog = DisconnectDialog(self, self.call, name)
        dialog.disconnected.connect(self.refresh)
        self._open(dialog)

    def _bind(self, name: str) -> None:
        dialog = BindingsDialog(self, self.call, name)
        dialog.bound.connect(self.refresh)
        self._open(dialog)

    def _open(self, dialog: Any) -> None:
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _check(self) -> None:
        if self.context.has_project():
            start(self, self._checked(), self.context.toast)

    async def _checked(self) -> str:
        summary = (await run_reconciliation(self.call())).result.summary
        return tr("Completeness: {percent} %", percent=number(summary.completeness_pct, 1))

    def _revive(self, error: ConnectorError) -> None:
        start(self, self._revived(error), lambda _: self.refresh())

    async def _revived(self, error: ConnectorError) -> None:
        await revive_dead_letter(self.call(), int(error.id))
        await retry_connector_errors(self.call(), RetryErrors())

    def _again(self, name: str) -> None:
        start(self, self._understood(name), self.context.toast)

    async def _understood(self, name: str) -> str:
        found = await retry_quarantine(self.call(), RetryQuarantine(connector=name))
        return tr(
            "{good} of {all} are understood now", good=number(found.understood), all=number(found.tried)
        )
