"""System, Health: every service in words, what the program takes of the computer, and what fires."""

from __future__ import annotations

from functools import partial

import msgspec
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QGridLayout, QProgressBar, QVBoxLayout, QWidget

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.gui.feed import listen
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_lines import Line, Lines
from ctower_desktop.gui.system_section import Section, scrolled
from ctower_desktop.gui.system_words import (
    scheduler_words,
    service_state,
    service_step,
    service_title,
    severity_words,
    took,
)
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, seconds, size, tr, trn, when
from ctower_desktop.gui.widgets import Card, Label, LinkButton, StatusDot, ToggleChip, clear, row
from ctower_desktop.kernel.events import IndexProblem
from ctower_desktop.operations.alert_model import Alert, AlertsQuery
from ctower_desktop.operations.system import acknowledge_alert, list_alerts, read_system_health
from ctower_desktop.operations.system_model import Resources, Service, SystemHealth

_EVERY = 15_000  # milliseconds between looks while it is in sight
_MOST = 100  # alerts shown
_VERDICTS = {"ok": "success", "degraded": "warning", "down": "danger"}


class Snapshot(msgspec.Struct, frozen=True):
    """What the section shows, read at one time."""

    health: SystemHealth
    alerts: list[Alert]


class ServiceRow(QWidget):
    """One service: dot, name, state, how fast, when it was well last; below it what to do."""

    def __init__(self, open_page: LinkButton | None) -> None:
        super().__init__()
        self.dot = StatusDot("text_3", "")
        self.name = Label("", "label")
        self.state = Label("", "meta")
        self.facts = Label("", "meta", "text_2")
        self.step = Label("", "meta", "text_2", wrap=True)
        self.detail = Label("", "meta", "text_3", wrap=True)
        self.link = open_page
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row(self.dot, self.name, self.state, 0, self.facts))
        for part in (self.detail, self.step):
            part.setContentsMargins(16, 0, 0, 0)
            part.setMinimumWidth(1)
            column.addWidget(part)
        if open_page is not None:
            line = row(open_page, 0)
            line.setContentsMargins(14, 0, 0, 0)
            column.addLayout(line)

    def show_service(self, found: Service, section: Section) -> None:
        """Show how it is now."""
        words, token = service_state(found.status)
        self.dot.set_state(token, words)
        self.name.setText(service_title(found.name))
        self.state.setText(words)
        self.state.set_token(token)
        facts = [took(found.latency_ms)] if found.latency_ms is not None else []
        if found.last_ok_at:
            facts.append(tr("well {time}", time=ago(found.last_ok_at, section.now)))
        self.facts.setText(" · ".join(facts))
        well = found.status == "ok"
        said = found.detail if found.detail and not well and found.status != "not_configured" else ""
        for label, text in ((self.detail, said), (self.step, service_step(found.name, found.status))):
            label.setText(text)
            label.setVisible(bool(text))
        if self.link is not None:
            self.link.setVisible(not well)
        self.setAccessibleName(f"{self.name.text()}: {words}")


class HealthSection(Section):
    """The tower at a glance."""

    needs_project = False

    def __init__(self, page: Page) -> None:
        super().__init__(page, {"alert", "connector_sync_state", "connection", "quarantined_row"})
        self.rows: dict[str, ServiceRow] = {}
        self.dot = StatusDot("text_3", "")
        self.verdict = Label("", "section")
        self.facts = Label("", "meta", "text_2", wrap=True)
        self.also_over = ToggleChip(tr("Also alerts that are over"))
        self.also_over.toggled.connect(self.refresh)
        self.alarms = Lines(tr("Alerts"))
        self.calm = Label(tr("Nothing fires."), "meta", "text_2")
        self.services = Card(spacing=12)
        self.resources = _ResourcesCard()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(12)
        column.addLayout(row(self.dot, self.verdict, 0, self.also_over))
        parts: tuple[QWidget, ...] = (
            self.facts, self.calm, self.alarms, Label(tr("Services"), "label"), self.services,
            Label(tr("Resources"), "label"), self.resources,
        )  # fmt: skip
        for part in parts:
            column.addWidget(part)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(inside, tr("Health")))
        listen(self, self.tower, IndexProblem, lambda _: self.refresh())
        self._clock = QTimer(self)
        self._clock.setInterval(_EVERY)
        self._clock.timeout.connect(self._tick)
        self._clock.start()

    def refresh(self) -> None:
        """Look again."""
        start(self, self._read(), self._show)

    def _tick(self) -> None:
        if self.isVisible():
            self.refresh()

    async def _read(self) -> Snapshot:
        state = None if self.also_over.isChecked() else "firing"
        alerts = (await list_alerts(self.call(), AlertsQuery(state=state, limit=_MOST))).alerts
        return Snapshot(await read_system_health(self.call()), alerts)

    def _show(self, found: Snapshot) -> None:
        health = found.health
        verdicts = {
            "ok": tr("Everything works"),
            "degraded": tr("Works, with something to look at"),
            "down": tr("The tower cannot work without its database"),
        }
        self.dot.set_state(_VERDICTS[health.status], verdicts[health.status])
        self.verdict.setText(verdicts[health.status])
        self.facts.setText(
            " · ".join(
                (
                    scheduler_words(health.scheduler.status),
                    trn("{n} job is running", "{n} jobs are running", health.scheduler.active_jobs),
                    tr("up for {time}", time=seconds(health.resources.uptime_seconds)),
                )
            )
        )
        self.calm.setVisible(not found.alerts)
        self.alarms.show_lines([self._line(alert) for alert in found.alerts])
        self._show_services(health.services)
        self.resources.show_resources(health.resources)

    def _show_services(self, services: list[Service]) -> None:
        if [service.name for service in services] != list(self.rows):
            clear(self.services.body)
            self.rows = {}
            for place, service in enumerate(services):
                if place:
                    rule = QFrame()
                    rule.setProperty("rule", True)
                    rule.setFixedHeight(1)
                    self.services.body.addWidget(rule)
                self.rows[service.name] = ServiceRow(self._link(service.name))
                self.services.body.addWidget(self.rows[service.name])
        for service in services:
            self.rows[service.name].show_service(service, self)

    def _link(self, name: str) -> LinkButton | None:
        """The way to the page where something can be done about a service."""
        if name in CONNECTORS:
            link = LinkButton(tr("Open Connectors"))
            link.clicked.connect(lambda: self.context.open_page("connectors"))
        elif name == "embeddings":
            link = LinkButton(tr("Open Settings"))
            link.clicked.connect(lambda: self.context.open_page("settings"))
        else:
            return None
        link.setAccessibleName(f"{link.text()}: {service_title(name)}")
        return link

    def _line(self, alert: Alert) -> Line:
        word, token = severity_words(alert.severity)
        facts = [alert.project_name] if alert.project_name else []
        facts.append(tr("since {time}", time=when(alert.started_at, self.now)))
        if alert.resolved_at:
            facts.append(tr("over since {time}", time=when(alert.resolved_at, self.now)))
            word, token = tr("Over"), "text_3"
        if alert.acknowledged_at:
            by, at = alert.acknowledged_by or "", when(alert.acknowledged_at, self.now)
            facts.append(tr("seen by {name} {time}", name=_person(by), time=at))
        seen = alert.acknowledged_at is not None or alert.state != "firing"
        does, run = ("", None) if seen else (tr("I have seen it"), partial(self._acknowledge, alert))
        return Line(alert.id, token, word, alert.message, " · ".join(facts), does, run)

    def _acknowledge(self, alert: Alert) -> None:
        start(self, self._seen(alert), lambda _: self.refresh())

    async def _seen(self, alert: Alert) -> None:
        await acknowledge_alert(self.call(), int(alert.id))


class _ResourcesCard(Card):
    """Database, disk, memory; how much of the budget is used as a bar and in words."""

    def __init__(self) -> None:
        super().__init__(spacing=8)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1_000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.used = Label("", "body")
        self.values = {
            "disk": (tr("Free on the disk"), Label("", "body")),
            "memory": (tr("Memory of the program"), Label("", "body")),
        }
        self.body.addWidget(self.used)
        self.body.addWidget(self.bar)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setColumnStretch(1, 1)
        for place, (name, value) in enumerate(self.values.values()):
            grid.addWidget(Label(name, "meta", "text_2"), place, 0)
            grid.addWidget(value, place, 1)
        self.body.addLayout(grid)

    def show_resources(self, found: Resources) -> None:
        """Show how much it is now."""
        words = tr(
            "Database: {used} of {budget} ({percent} %)",
            used=size(found.database_bytes),
            budget=size(found.budget_bytes),
            percent=number(found.usage_percent, 1),
        )
        self.used.setText(words)
        self.bar.setAccessibleName(words)
        self.bar.setValue(min(1_000, round(found.usage_percent * 10)))
        self.values["disk"][1].setText(size(found.disk_free_bytes))
        known = found.rss_bytes is not None
        self.values["memory"][1].setText(size(found.rss_bytes or 0) if known else tr("not known here"))


def _person(name: str) -> str:
    return tr("you, at this screen") if name == "desktop" else name
