"""System, API keys: what programs sign in with; a new key is shown once."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout

from ctower_desktop.accounts.actions import create_api_key, list_api_keys, revoke_api_key
from ctower_desktop.accounts.model import KeyMadeAnswer, KeyShown, NewKey, RevokeKey
from ctower_desktop.gui import theme
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.export import Sheet, export_button
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_section import ConfirmDialog, Section, ShownOnceDialog
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.text import ago, tr, trn, when
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, SearchField, ToggleChip, row
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.reports.document import Cell

_LASTS = ("30", "90", "365", "")  # days; the last one for ever


class KeysSection(Section):
    """The keys of the project."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, {"api_key"})
        self._keys: list[KeyShown] = []
        self.search = SearchField(tr("Find a key"))
        self.over = ToggleChip(tr("Ended"))
        self.add_ = PrimaryButton(tr("New API key…"))
        self.revoke = Button(tr("Revoke…"))
        about = tr(
            "A program sends its key as X-API-Key. A key opens this project only, and only what it may."
        )
        self.about = Label(about, "meta", "text_2", wrap=True)
        self.listing = Listing(tr("API keys"), self._columns(), self._load, lambda key: key.id, self._empty)
        self.listing.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header = self.listing.view.horizontalHeader()
        for place, width in ((1, 120), (2, 160), (3, 130), (4, 150), (5, 150)):
            header.resizeSection(place, round(width * theme.scale()))
        self.export = export_button(page, "api-keys", self._sheet)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row(self.search, self.over))
        column.addLayout(row(self.add_, self.revoke, 0, self.export))
        column.addWidget(self.about)
        column.addWidget(self.listing, 1)
        self.search.textChanged.connect(self.listing.search)
        self.over.toggled.connect(self.listing.start_over)
        self.add_.clicked.connect(self.add)
        self.revoke.clicked.connect(self._revoke)
        self.revoke.setEnabled(False)
        self.listing.marked.connect(lambda count: self.revoke.setEnabled(count > 0))
        self.listing.shown.connect(lambda: self.revoke.setEnabled(bool(self.listing.chosen)))

    def _columns(self) -> list[Column[KeyShown]]:
        return [
            Column(tr("Name"), lambda key: key.name, stretch=True),
            Column(tr("Begins with"), lambda key: f"{key.key_prefix}…"),
            Column(tr("Rights"), _rights),
            Column(
                tr("Last used"),
                lambda key: ago(key.last_used_at, self.now) if key.last_used_at else tr("never"),
                lambda key: key.last_used_at or "",
            ),
            Column(tr("Ends"), self._ends, lambda key: key.expires_at or "9999"),
            Column(tr("Made"), lambda key: when(key.created_at, self.now), lambda key: key.created_at),
        ]

    def _ends(self, key: KeyShown) -> str:
        if key.expires_at is None:
            return tr("never")
        moment = when(key.expires_at, self.now)
        return tr("ended {time}", time=moment) if self._is_over(key) else moment

    def _is_over(self, key: KeyShown) -> bool:
        return key.expires_at is not None and from_text(key.expires_at) <= self.now

    # -- reading

    def refresh(self) -> None:
        """Read and show everything again."""
        self.listing.refresh()

    def start_over(self) -> None:
        """Another project."""
        self.listing.start_over()

    async def _load(self, offset: int, limit: int) -> list[KeyShown]:
        if not offset:
            self._keys = (await list_api_keys(self.call())).data
        return self._fitting()[offset : offset + limit]

    def _fitting(self) -> list[KeyShown]:
        wanted = self.search.text().strip().casefold()
        return [
            key
            for key in self._keys
            if wanted in f"{key.name} {key.key_prefix}".casefold()
            and (not self.over.isChecked() or self._is_over(key))
        ]

    async def _empty(self) -> EmptyState:
        if self._keys:
            title, about = tr("No key fits"), tr("Nothing here fits the search and the filters.")
            return EmptyState("filtered", title, about, tr("Show all"), self._show_all)
        title, about = (
            tr("No key yet"),
            tr("A key lets a program of yours read this project, or write to it."),
        )
        return EmptyState("no_data", title, about, tr("New API key…"), self.add)

    async def _sheet(self) -> Sheet:
        rows: list[list[Cell]] = [
            [key.name, f"{key.key_prefix}…", _rights(key), key.last_used_at, key.expires_at, key.created_at]
            for key in self._fitting()
        ]
        columns = [tr("Name"), tr("Begins with"), tr("Rights"), tr("Last used"), tr("Ends"), tr("Made")]
        return Sheet(tr("API keys"), columns, rows)

    def _show_all(self) -> None:
        self.over.setChecked(False)
        self.search.clear()
        self.listing.start_over()

    # -- doing

    def add(self) -> None:
        """Ask what a new key is for."""
        rights = [
            ("read", tr("read")),
            ("read,write", tr("read and write")),
            ("read,write,admin", tr("everything")),
        ]
        lasts = [(days, trn("{n} day", "{n} days", int(days)) if days else tr("for ever")) for days in _LASTS]
        fields = [
            Field("name", tr("Name"), hint=tr("Which program it is for")),
            Field("scopes", tr("Rights"), "read", parse=lambda typed: typed.split(","), choices=rights),
            Field("expires_at", tr("Lasts"), "90", parse=self._until, choices=lasts),
        ]
        FieldsDialog(
            self, tr("New API key"), fields, NewKey, send=self._create, then=self._made, does=tr("Create"),
            about=tr("The key is shown once. Whoever has it may what it may, in this project."),
        ).open()  # fmt: skip

    def _until(self, days: str) -> str:
        return as_text(self.now + timedelta(days=int(days))) if days else ""

    async def _create(self, body: NewKey) -> KeyMadeAnswer:
        return await create_api_key(self.call(), body)

    def _made(self, answer: KeyMadeAnswer) -> None:
        self.refresh()
        title = tr("The key “{name}”", name=answer.data.name)
        about = tr("Copy it now: it is kept only as a fingerprint and cannot be shown again.")
        ShownOnceDialog(self, title, about, answer.data.key).open()

    def _revoke(self) -> None:
        keys = self.listing.chosen
        title = trn("Revoke {n} key", "Revoke {n} keys", len(keys))
        about = tr(
            "{names}: programs that use them are refused from now on. This cannot be taken back.",
            names=", ".join(key.name for key in keys),
        )
        ConfirmDialog(
            self, title, about, tr("Revoke"), send=partial(self._revoked, keys), then=self._gone
        ).open()

    async def _revoked(self, keys: list[KeyShown]) -> int:
        for key in keys:
            await revoke_api_key(self.call(), RevokeKey(id=key.id))
        return len(keys)

    def _gone(self, count: int) -> None:
        self.context.toast(trn("{n} key revoked", "{n} keys revoked", count))
        self.refresh()


def _rights(key: KeyShown) -> str:
    if "admin" in key.scopes:
        return tr("everything")
    return tr("read and write") if "write" in key.scopes else tr("read")
