"""System: whether the tower is well, what runs by itself, what is kept, and who may come in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QStackedWidget

from ctower_desktop.gui import theme
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.system_audit import AuditSection
from ctower_desktop.gui.system_health import HealthSection
from ctower_desktop.gui.system_jobs import JobsSection
from ctower_desktop.gui.system_keys import KeysSection
from ctower_desktop.gui.system_log import LogSection
from ctower_desktop.gui.system_section import Section
from ctower_desktop.gui.system_storage import StorageSection
from ctower_desktop.gui.system_sync import SyncSection
from ctower_desktop.gui.system_users import UsersSection
from ctower_desktop.gui.system_words import job_title
from ctower_desktop.gui.text import tr
from ctower_desktop.kernel.jobs import current

_LIST = 184
_KINDS: dict[str, type[Section]] = {
    "health": HealthSection,
    "jobs": JobsSection,
    "sync": SyncSection,
    "log": LogSection,
    "storage": StorageSection,
    "users": UsersSection,
    "keys": KeysSection,
    "audit": AuditSection,
}


class SystemPage(Page):
    """A list of sections at the left, the chosen one beside it; a section is built when first opened."""

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self._built: dict[str, Section] = {}
        self._behind: set[str] = set()  # sections that still show another project
        self._titles = _titles()
        self.list = QListWidget()
        self.list.setFixedWidth(_LIST)
        self.list.setAccessibleName(tr("Parts of the system"))
        for name, title in self._titles.items():
            item = QListWidgetItem(title)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setSizeHint(QSize(0, theme.ROW))
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        self.no_project = EmptyState(
            "no_data",
            tr("No project yet"),
            tr("Jobs, sources, keys and the audit trail belong to a project; open one first."),
            tr("New project…"),
            lambda: context.commands.run("project.new"),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.no_project)
        line = QHBoxLayout(self)
        line.setContentsMargins(20, 20, 20, 20)
        line.setSpacing(16)
        line.addWidget(self.list)
        line.addWidget(self._stack, 1)
        self.list.currentItemChanged.connect(self._show)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("System")

    @property
    def chosen(self) -> str:
        """The name of the section in front."""
        item = self.list.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole))

    def activate(self) -> None:
        """The list takes the focus; the section reads anew."""
        self.list.setFocus()
        self._show()

    def project_changed(self) -> None:
        """Another project: what is open shows that one, the others when they are opened."""
        self._behind = set(self._built)
        if self.isVisible():
            self._show()

    def commands(self) -> list[Command]:
        """What one can do here."""
        also = "system система"
        found = [
            Command(
                f"system.{name}",
                tr("System: {part}", part=title),
                partial(self.open_section, name),
                also=also,
            )
            for name, title in self._titles.items()
        ]
        found += [
            Command(
                f"system.run.{name}",
                tr("Run now: {job}", job=job_title(name)),
                partial(self._run_job, name),
                also=f"{name} run job запустить задание",
            )
            for name in current(self.tower.settings)
        ]
        backup, person, key = tr("Back up now"), tr("Add somebody…"), tr("New API key…")
        found += [
            Command(
                "system.backup", backup, self._with("storage", StorageSection.back_up), also="backup копия"
            ),
            Command(
                "system.person", person, self._with("users", UsersSection.add), also="user invite человек"
            ),
            Command("system.key", key, self._with("keys", KeysSection.add), also="api key ключ"),
        ]
        return found

    def open_section(self, name: str) -> Section | None:
        """Bring a section to the front; None when it needs a project and there is none."""
        with QSignalBlocker(self.list):
            self.list.setCurrentRow(list(self._titles).index(name))
        if self.isVisible():
            self._show()
        else:
            self.context.open_page("system")
        return self._built.get(name) if self._can_show(name) else None

    def _with(self, name: str, do: Callable[..., object]) -> Callable[[], None]:
        def run() -> None:
            section = self.open_section(name)
            if section is not None:
                do(section)

        return run

    def _run_job(self, name: str) -> None:
        self._with("jobs", lambda section: section.run_jobs([name]))()

    def _can_show(self, name: str) -> bool:
        return self.context.has_project() or not _KINDS[name].needs_project

    def _show(self) -> None:
        name = self.chosen
        if not self._can_show(name):
            self._stack.setCurrentWidget(self.no_project)
            return
        section = self._built.get(name)
        if section is None:
            section = self._built[name] = _KINDS[name](self)
            section.setAccessibleName(self._titles[name])
            self._stack.addWidget(section)
        self._stack.setCurrentWidget(section)
        if name in self._behind:
            self._behind.discard(name)
            section.start_over()
        else:
            section.refresh()


def _titles() -> dict[str, str]:
    return {
        "health": tr("Health"),
        "jobs": tr("Jobs"),
        "sync": tr("Synchronisation"),
        "log": tr("Log"),
        "storage": tr("Storage and backups"),
        "users": tr("People"),
        "keys": tr("API keys"),
        "audit": tr("Audit trail"),
    }
