"""System, Storage and backups: what takes how much room, for how long, copies and how to restore one."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QGridLayout, QProgressBar, QVBoxLayout, QWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.feedback import ProgressRow, show_error
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_section import Section, scrolled
from ctower_desktop.gui.table import Column, StructTable, StructTableView
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import ago, number, said, size, tr, trn, when
from ctower_desktop.gui.widgets import Button, Card, Label, LinkButton, PrimaryButton, clear, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.settings import fields
from ctower_desktop.operations.actions import JobsStatus, read_jobs_status
from ctower_desktop.operations.backups import (
    Backup,
    BackupChecked,
    BackupMade,
    BackupsAnswer,
    CheckBackup,
    Origin,
    check_backup,
    create_backup,
    list_backups,
)
from ctower_desktop.operations.retention import Retention
from ctower_desktop.operations.system import read_system_health
from ctower_desktop.operations.system_model import Resources

_ROWS = 6


class Snapshot(msgspec.Struct, frozen=True):
    """What the section shows; without a project there are no shares of one."""

    resources: Resources
    files: list[tuple[str, int]]
    status: JobsStatus | None
    backups: BackupsAnswer


class StorageSection(Section):
    """Sizes, retention, backups, and how a backup is put back."""

    needs_project = False

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self._backups: list[Backup] = []
        self._kept = QVBoxLayout()
        self.bar = QProgressBar()
        self.bar.setRange(0, 1_000)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.used = Label("", "body")
        self.sizes = QGridLayout()
        self.sizes.setHorizontalSpacing(24)
        self.sizes.setColumnStretch(2, 1)
        self.newest = Label("", "body", wrap=True)
        self.back_up_button = PrimaryButton(tr("Back up now"))
        self.check = Button(tr("Check this backup"))
        self.folder = Button(tr("Open the folder"), icon="folder")
        self.progress = ProgressRow()
        self.progress.hide()
        columns = self._columns()
        self.backups: StructTable[Backup] = StructTable(columns)
        self.table = StructTableView(self.backups, columns, tr("Backups"))
        self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        for place, width in ((1, 130), (2, 150), (3, 90)):
            self.table.horizontalHeader().resizeSection(place, round(width * theme.scale()))
        self.table.setFixedHeight(self.table.verticalHeader().defaultSectionSize() * _ROWS)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._chosen())
        self.steps = QVBoxLayout()
        self.copy = LinkButton(tr("Copy the command"), "copy")
        self.copy.clicked.connect(self._copy)
        self.back_up_button.clicked.connect(self.back_up)
        self.check.clicked.connect(self._check)
        self.folder.clicked.connect(self._open_folder)
        self._build()

    def _build(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(12)
        taken = Card()
        taken.body.addWidget(self.used)
        taken.body.addWidget(self.bar)
        taken.body.addLayout(self.sizes)
        kept = Card()
        kept.body.addLayout(self._kept)
        change = LinkButton(tr("Change how long records are kept"), "settings")
        change.clicked.connect(lambda: self.context.open_page("settings"))
        kept.body.addLayout(row(change, 0))
        copies = Card(spacing=12)
        copies.body.addWidget(self.newest)
        copies.body.addLayout(row(self.back_up_button, self.check, self.folder, 0))
        copies.body.addWidget(self.progress)
        copies.body.addWidget(self.table)
        copies.body.addLayout(self.steps)
        copies.body.addLayout(row(self.copy, 0))
        for title, card in (
            (tr("Backups"), copies), (tr("What is stored"), taken), (tr("How long it is kept"), kept),
        ):  # fmt: skip
            column.addWidget(Label(title, "label"))
            column.addWidget(card)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(inside, tr("Storage and backups")))

    def _columns(self) -> list[Column[Backup]]:
        return [
            Column(tr("Backup"), lambda backup: backup.name, stretch=True),
            Column(tr("Made"), lambda backup: when(backup.made_at, self.now), lambda backup: backup.made_at),
            Column(tr("Why"), lambda backup: _origin_words(backup.origin)),
            Column(tr("Size"), lambda backup: size(backup.bytes), lambda backup: backup.bytes, right=True),
        ]

    # -- reading

    def refresh(self) -> None:
        """Read and show everything again."""
        clear(self._kept)
        for words in _kept(self.tower.settings.get(Retention)):
            self._kept.addWidget(Label(words, "meta", "text_2", wrap=True))
        start(self, self._read(), self._show)

    async def _read(self) -> Snapshot:
        tower = self.tower
        files = [
            (tr("Database"), await tower.db.size()),
            (tr("Search index (can be built again)"), await tower.index.size()),
        ]
        status = await read_jobs_status(self.call()) if self.context.has_project() else None
        backups = await list_backups(self.call())
        files.append((tr("Backups"), sum(backup.bytes for backup in backups.backups)))
        return Snapshot((await read_system_health(self.call())).resources, files, status, backups)

    def _show(self, found: Snapshot) -> None:
        words = tr(
            "{used} of {budget} ({percent} %); {free} are free on the disk",
            used=size(found.resources.database_bytes),
            budget=size(found.resources.budget_bytes),
            percent=number(found.resources.usage_percent, 1),
            free=size(found.resources.disk_free_bytes),
        )
        self.used.setText(words)
        self.bar.setAccessibleName(words)
        self.bar.setValue(min(1_000, round(found.resources.usage_percent * 10)))
        self._show_sizes(found)
        self._show_backups(found.backups.backups)

    def _show_sizes(self, found: Snapshot) -> None:
        while (item := self.sizes.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        lines = [(name, size(count), "") for name, count in found.files]
        if found.status is not None:
            tables, counts = found.status.storage.table_bytes, found.status.entities
            lines += [
                (tr("Contacts"), size(tables["cw_contacts"]), _of_project(counts.contacts)),
                (tr("Conversations"), size(tables["cw_conversations"]), _of_project(counts.conversations)),
                (tr("Messages"), size(tables["cw_messages"]), _of_project(counts.messages)),
                (tr("Pieces of text for search"), size(tables["rag_chunks"]), _of_project(counts.rag_chunks)),
                (tr("Text of this project"), size(found.status.storage.scoped_logical_bytes), ""),
            ]
        for place, (name, room, share) in enumerate(lines):
            self.sizes.addWidget(Label(name, "meta", "text_2"), place, 0)
            self.sizes.addWidget(Label(room, "meta"), place, 1, Qt.AlignmentFlag.AlignRight)
            self.sizes.addWidget(Label(share, "meta", "text_3"), place, 2)

    def _show_backups(self, found: Sequence[Backup]) -> None:
        made = next((backup for backup in found if backup.origin == "made"), None)
        self.newest.setText(
            tr("Last backup: {time}, {size}", time=ago(made.made_at, self.now), size=size(made.bytes))
            if made
            else tr("There is no backup yet. One copy of everything but the search index takes a moment.")
        )
        if found != self._backups:
            self._backups = list(found)
            self.backups.show_rows(found)
            if found:
                self.table.setCurrentIndex(self.backups.index(0, 0))
        self.table.setVisible(bool(found))
        self._chosen()

    # -- doing

    def back_up(self) -> None:
        """Copy the database now."""
        if self.back_up_button.isEnabled():
            self.back_up_button.setEnabled(False)
            self.progress.show_progress(tr("The database is being copied and looked through…"), 0, None)
            self.progress.show()
            start(self, self._copied(), self._made, self._failed)

    async def _copied(self) -> BackupMade:
        return await create_backup(self.call())

    def _made(self, answer: BackupMade) -> None:
        self._rest()
        self.context.toast(
            tr("Backup made: {name}, {size}", name=answer.backup.name, size=size(answer.backup.bytes))
        )
        self.refresh()

    def _failed(self, error: TowerError) -> None:
        self._rest()
        show_error(self, error)

    def _rest(self) -> None:
        self.back_up_button.setEnabled(True)
        self.progress.hide()

    @property
    def front(self) -> Backup | None:
        """The backup in front."""
        index = self.table.currentIndex()
        return self.backups.row(index) if index.isValid() else None

    def _check(self) -> None:
        backup = self.front
        if backup is not None:
            self.check.setEnabled(False)
            task = start(self, self._looked_through(backup), partial(self._checked, backup))
            task.add_done_callback(lambda _: self._chosen())

    async def _looked_through(self, backup: Backup) -> BackupChecked:
        return await check_backup(self.call(), CheckBackup(name=backup.name))

    def _checked(self, backup: Backup, found: BackupChecked) -> None:
        if found.sound:
            self.context.toast(tr("{name} is whole", name=backup.name))
        else:
            show_error(
                self,
                TowerError(tr("{name} is damaged: {problem}", name=backup.name, problem=found.problem or "")),
            )

    def _chosen(self) -> None:
        """Tell how the backup in front is put back."""
        backup = self.front
        self.check.setEnabled(backup is not None)
        self.copy.setVisible(backup is not None)
        clear(self.steps)
        if backup is None:
            return
        steps = (
            tr("To restore this backup:"),
            tr("1. Close the tower. A home that is in use is never replaced."),
            tr("2. Run this in a terminal:"),
            restore_command(backup, self.tower.home.path),
            tr("3. Start the tower. What was there before is kept beside the backup."),
        )
        for text in steps:
            self.steps.addWidget(PlainText(text, "meta", "text_2", fluid=True))

    def _copy(self) -> None:
        if self.front is not None:
            QGuiApplication.clipboard().setText(restore_command(self.front, self.tower.home.path))
            self.context.toast(tr("Copied."))

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.tower.home.backups)))


def restore_command(backup: Backup, home: Path) -> str:
    """The order that puts a backup in the place of the database."""
    words = ["ctower", "--home", str(home), "restore", backup.path]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _kept(settings: Retention) -> list[str]:
    values = msgspec.structs.asdict(settings)
    return [
        tr("{name}: {value}", name=said(field.title), value=_days(values[field.name]))
        for field in fields("retention")
        if field.name.endswith("_days")
    ]


def _days(count: int) -> str:
    return number(count) if count else tr("for ever")


def _of_project(count: int) -> str:
    return trn("{n} in this project", "{n} in this project", count)


def _origin_words(origin: Origin) -> str:
    words = {
        "made": tr("made by hand"),
        "before_update": tr("before an update"),
        "replaced": tr("replaced by a restored one"),
    }
    return words[origin]
