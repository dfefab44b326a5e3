"""One person beside the table: role, address, password, projects; what cannot be changed says why."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ctower_desktop.accounts.user_model import UserChanges
from ctower_desktop.gui.editing import InPlace
from ctower_desktop.gui.system_words import role_about, role_title
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, row
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.tower import ROLES, Role

_PROJECT = Qt.ItemDataRole.UserRole


class Person(msgspec.Struct, frozen=True):
    """Somebody who may sign in; the configured owner, who is no row of the database, has no id."""

    id: str
    username: str
    role: Role
    email: str | None
    project_count: int
    created_at: str

    @property
    def is_configured(self) -> bool:
        """Whether this is the owner whom the settings name."""
        return not self.id


class PersonDetail(msgspec.Struct, frozen=True):
    """Somebody, all projects (id, name), those they work on, and why role and existence are fixed."""

    person: Person
    added: str
    projects: list[tuple[str, str]]
    own: list[str]
    fixed: str


class PersonPane(QWidget):
    """The person in front; tells what is wanted of them."""

    role_wanted = Signal(object, str)
    email_wanted = Signal(object, str)
    password_wanted = Signal(object)
    project_wanted = Signal(object, str, str, bool)

    def __init__(self) -> None:
        super().__init__()
        self._shown: PersonDetail | None = None
        self.name = Label("", "section", wrap=True)
        self.added = Label("", "meta", "text_2")
        self.role_title = Label(tr("Role"), "label")
        self.role = QComboBox()
        self.role.setAccessibleName(tr("Role"))
        self.role_title.setBuddy(self.role)
        for role in reversed(ROLES):
            self.role.addItem(role_title(role), role)
        self.about = Label("", "meta", "text_2", wrap=True)
        self.fixed = Label("", "meta", "warning", wrap=True)
        self.email = InPlace(tr("E-mail"), _address)
        self.password = Button(tr("New password…"), icon="lock")
        self.projects_title = Label(tr("Projects"), "label")
        self.sees_all = Label(tr("Owners see every project."), "meta", "text_2", wrap=True)
        self.projects = QListWidget()
        self.projects.setAccessibleName(tr("Projects"))
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 8, 0)
        column.setSpacing(8)
        above: tuple[QWidget, ...] = (
            self.name, self.added, self.role_title, self.role, self.about, self.fixed, self.email,
        )  # fmt: skip
        for part in above:
            column.addWidget(part)
        column.addLayout(row(self.password, 0))
        below: tuple[QWidget, ...] = (self.projects_title, self.sees_all, self.projects)
        for part in below:
            column.addWidget(part)
        column.addStretch(1)
        self.role.activated.connect(self._role)
        self.email.entered.connect(self._email)
        self.password.clicked.connect(self._password)
        self.projects.itemChanged.connect(self._ticked)
        self.hide()

    def show_person(self, found: PersonDetail | None) -> None:
        """Show somebody; nothing when nobody is in front."""
        if found is not None and found != self._shown:
            self._shown = found
            self._fill(found)
        self.setVisible(found is not None)

    def _fill(self, found: PersonDetail) -> None:
        person = found.person
        self.name.setText(person.username)
        self.added.setText(found.added)
        self.added.setVisible(bool(found.added))
        self.role.setCurrentIndex(self.role.findData(person.role))
        self.role.setEnabled(not found.fixed)
        self.role.setAccessibleDescription(found.fixed)
        self.about.setText(role_about(person.role))
        self.fixed.setText(found.fixed)
        self.fixed.setVisible(bool(found.fixed))
        self.email.setVisible(not person.is_configured)
        self.email.show_value(person.email or "", person.email or "")
        owner = person.role == "owner"
        self.sees_all.setVisible(owner)
        for part in (self.projects_title, self.projects):
            part.setVisible(not owner)
        self.projects.blockSignals(True)
        self.projects.clear()
        for project_id, name in found.projects:
            item = QListWidgetItem(name)
            item.setData(_PROJECT, project_id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = project_id in found.own
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.projects.addItem(item)
        self.projects.blockSignals(False)

    def _role(self, _place: int) -> None:
        role = self.role.currentData()
        if self._shown is not None and role != self._shown.person.role:
            self.role_wanted.emit(self._shown.person, role)

    def _email(self, email: str) -> None:
        if self._shown is not None:
            self.email_wanted.emit(self._shown.person, email)

    def _password(self) -> None:
        if self._shown is not None:
            self.password_wanted.emit(self._shown.person)

    def _ticked(self, item: QListWidgetItem) -> None:
        if self._shown is not None:
            on = item.checkState() == Qt.CheckState.Checked
            self.project_wanted.emit(self._shown.person, item.data(_PROJECT), item.text(), on)


def _address(typed: str) -> str:
    try:
        check({"email": typed}, UserChanges)
    except Invalid:
        raise ValueError(tr("This is no e-mail address.")) from None
    return typed
