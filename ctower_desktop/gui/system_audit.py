"""System, Audit trail: who did what, when, and how it ended."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QMenu, QSplitter, QVBoxLayout, QWidget

from ctower_desktop.accounts.actions import export_audit, list_audit
from ctower_desktop.accounts.model import AuditEvent, AuditExport, AuditQuery
from ctower_desktop.gui import theme
from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.export import Sheet, export_sheet, save_as
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_audit_words import GROUPS, done_words, group_of, outcome_words
from ctower_desktop.gui.system_section import Section, scrolled
from ctower_desktop.gui.system_words import job_title
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn, when
from ctower_desktop.gui.widgets import Button, Label, SearchField, ToggleChip, clear, row
from ctower_desktop.kernel.regional import Regional, local

_READ = 200  # lines the trail gives in one go
_DAYS = (1, 7, 30, 365)


class AuditSection(Section):
    """The trail as a table of any length, the line in front beside it."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, {"audit_event"})
        self.who = SearchField(tr("Whose doing: a whole user name"))
        self.what, self.since = QComboBox(), QComboBox()
        self.what.setAccessibleName(tr("What it was about"))
        self.what.addItem(tr("Everything"), "")
        for beginning, words in GROUPS.items():
            self.what.addItem(words(), f"{beginning}.")
        self.since.setAccessibleName(tr("Since when"))
        self.since.addItem(tr("Any time"), 0)
        for days in _DAYS:
            self.since.addItem(trn("{n} day", "{n} days", days), days)
        self.failed = ToggleChip(tr("Failed"))
        self.export = Button(tr("Export"))
        self.listing = Listing(tr("Audit trail"), self._columns(), self._load, lambda e: e.id, self._empty)
        self.listing.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.head = Label("", "section", wrap=True)
        self.facts = Label("", "meta", "text_2", wrap=True)
        self._rest = QVBoxLayout()
        self._build(page)
        self.who.textChanged.connect(self.listing.search)
        self.failed.toggled.connect(self.listing.start_over)
        for box in (self.what, self.since):
            box.currentIndexChanged.connect(self.listing.start_over)
        self.listing.opened.connect(self._open)

    def _build(self, page: Page) -> None:
        menu = QMenu(self.export)
        menu.setAccessibleName(tr("Export"))
        menu.addAction(tr("As a table (CSV)"), self.export_table)
        menu.addAction(tr("As text (Markdown)"), partial(export_sheet, page, "audit", "md", self._sheet))
        self.export.setMenu(menu)
        header = self.listing.view.horizontalHeader()
        for place, width in ((0, 130), (1, 130), (2, 150), (3, 150), (4, 90)):
            header.resizeSection(place, round(width * theme.scale()))
        inside = QWidget()
        detail = QVBoxLayout(inside)
        detail.setContentsMargins(0, 8, 8, 0)
        for part in (self.head, self.facts):
            part.setMinimumWidth(1)
            detail.addWidget(part)
        detail.addLayout(self._rest)
        detail.addStretch(1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.listing)
        split.addWidget(scrolled(inside, tr("The line in front")))
        split.setStretchFactor(0, 1)
        split.setSizes([440, 180])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row(self.who, self.what, self.since, self.failed, self.export))
        column.addWidget(split, 1)

    def _columns(self) -> list[Column[AuditEvent]]:
        return [
            Column(
                tr("When"), lambda event: when(event.created_at, self.now), lambda event: event.created_at
            ),
            Column(tr("Who"), lambda event: _who(event.actor_username)),
            Column(tr("About"), lambda event: group_of(event.action)),
            Column(tr("Act"), lambda event: done_words(event.action)),
            Column(tr("Outcome"), lambda event: outcome_words(event.status)),
            Column(tr("Object"), _object, stretch=True),
        ]

    # -- reading

    def refresh(self) -> None:
        """Read and show everything again."""
        self.listing.refresh()

    def start_over(self) -> None:
        """Another project."""
        self.listing.start_over()

    def _filter(self) -> dict[str, Any]:
        days = int(self.since.currentData())
        today = local(self.now, self.tower.settings.get(Regional)).date()
        who = self.who.text().strip()
        return {
            "action": self.what.currentData() or None,
            "actor": "desktop" if who.casefold() == _who("desktop").casefold() else who.lower() or None,
            "status": "failed" if self.failed.isChecked() else None,
            "date_from": (today - timedelta(days=days - 1)).isoformat() if days else None,
        }

    async def _load(self, offset: int, limit: int) -> list[AuditEvent]:
        found: list[AuditEvent] = []
        asked = self._filter()
        while len(found) < limit:
            some = min(_READ, limit - len(found))
            query = AuditQuery(**asked, limit=some, offset=offset + len(found))
            events = (await list_audit(self.call(), query)).events
            found += events
            if len(events) < some:
                break
        return found

    async def _empty(self) -> EmptyState:
        if any(self._filter().values()):
            title, about = tr("No line fits"), tr("Nothing here fits the search and the filters.")
            return EmptyState("filtered", title, about, tr("Show all"), self._show_all)
        return EmptyState(
            "no_data", tr("Nothing was done yet"), tr("Whatever somebody changes is written here.")
        )

    def _show_all(self) -> None:
        for box in (self.what, self.since):
            box.setCurrentIndex(0)
        self.failed.setChecked(False)
        self.who.clear()
        self.listing.start_over()

    async def _sheet(self) -> Sheet:
        events = await self._load(0, AuditExport().limit)
        columns = [tr("When"), tr("Who"), tr("About"), tr("Act"), tr("Outcome"), tr("Object")]
        rows = [
            [e.created_at, _who(e.actor_username), group_of(e.action), done_words(e.action),
             outcome_words(e.status), _object(e)]
            for e in events
        ]  # fmt: skip
        return Sheet(tr("Audit trail"), columns, [list(cells) for cells in rows])

    def export_table(self) -> None:
        """The lines that fit as a table, with everything that is known of them."""
        start(self, self._table(), self._save)

    def _save(self, table: bytes) -> None:
        save_as(self.page, "audit", "csv", table)

    async def _table(self) -> bytes:
        return (await export_audit(self.call(), AuditExport(**self._filter()))).content

    # -- one line

    def _open(self, event: AuditEvent) -> None:
        self.head.setText(f"{group_of(event.action)} · {done_words(event.action)}")
        facts = (
            when(event.created_at, self.now),
            _who(event.actor_username),
            outcome_words(event.status),
            event.action,
            tr("{name}: {value}", name=event.entity_type, value=event.entity_id) if event.entity_type else "",
            tr("request {id}", id=event.request_id) if event.request_id else "",
        )
        self.facts.setText(" · ".join(fact for fact in facts if fact))
        clear(self._rest)
        for title, content in (
            (tr("What is known of it"), event.payload),
            (tr("Evidence"), event.evidence_refs),
        ):
            if content:
                self._rest.addWidget(Label(title, "label"))
                text = msgspec.json.format(msgspec.json.encode(content), indent=2).decode()
                self._rest.addWidget(PlainText(text, "meta", "text_2", fluid=True))


def _object(event: AuditEvent) -> str:
    """What was acted upon as people know it, else its id."""
    if event.action.startswith("job.") and isinstance(event.payload.get("job_type"), str):
        return job_title(event.payload["job_type"])
    known = (event.payload.get(key) for key in ("name", "username", "title", "identifier"))
    return next((name for name in known if isinstance(name, str) and name), event.entity_id)


def _who(name: str) -> str:
    known = {
        "desktop": tr("at this screen"),
        "scheduler": tr("by itself"),
        "anonymous": tr("nobody signed in"),
    }
    return known.get(name, name)
