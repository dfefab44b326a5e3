"""System, People: who may sign in, as what, and on which projects; only an owner sees this."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QSplitter, QVBoxLayout

from ctower_desktop.accounts.credentials import configured_owner
from ctower_desktop.accounts.own_actions import change_password, revoke_session
from ctower_desktop.accounts.user_actions import (
    change_role,
    create_user,
    delete_user,
    list_users,
    sign_user_out,
    update_user,
)
from ctower_desktop.accounts.user_model import (
    NewPassword,
    NewRole,
    NewUser,
    RevokeSession,
    UserChanges,
    UserListed,
    UsersQuery,
)
from ctower_desktop.gui import theme
from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.export import Sheet, export_button
from ctower_desktop.gui.feedback import EmptyState, show_error
from ctower_desktop.gui.listing import Listing
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.system_section import ConfirmDialog, Section, ShownOnceDialog, scrolled
from ctower_desktop.gui.system_user import Person, PersonDetail, PersonPane
from ctower_desktop.gui.system_words import role_title
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import number, tr, trn, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Button, PrimaryButton, SearchField, row
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import ROLES, Role
from ctower_desktop.projects.actions import list_projects
from ctower_desktop.projects.assignments import assign_user, list_user_projects, unassign_user
from ctower_desktop.projects.model import AssignUser
from ctower_desktop.reports.document import Cell

_MOST = 500  # people read in one go
_PASSWORD = 12  # random bytes of a password that is made here


class UsersSection(Section):
    """People as a table, the one in front beside it."""

    needs_project = False

    def __init__(self, page: Page) -> None:
        super().__init__(page, {"app_user", "project_assignment", "project"})
        self._people: list[Person] = []
        self.search = SearchField(tr("Find somebody"))
        self.role = QComboBox()
        self.role.setAccessibleName(tr("Role"))
        self.role.addItem(tr("All roles"), "")
        for role in reversed(ROLES):
            self.role.addItem(role_title(role), role)
        self.add_ = PrimaryButton(tr("Add somebody…"))
        self.sign_out = Button(tr("Sign out"))
        self.delete_ = Button(tr("Delete…"))
        self.listing = Listing(tr("People"), self._columns(), self._load, _key, self._empty)
        self.listing.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.pane = PersonPane()
        self._build(page)
        self.search.textChanged.connect(self.listing.search)
        self.role.currentIndexChanged.connect(self.listing.start_over)
        self.add_.clicked.connect(self.add)
        self.sign_out.clicked.connect(self._sign_out)
        self.delete_.clicked.connect(self._delete)
        self.listing.opened.connect(self._open)
        self.listing.shown.connect(self._shown)
        self.listing.marked.connect(lambda _: self._offer())
        self.pane.role_wanted.connect(self._change_role)
        self.pane.email_wanted.connect(self._change_email)
        self.pane.password_wanted.connect(self._reset)
        self.pane.project_wanted.connect(self._assign)

    def _build(self, page: Page) -> None:
        header = self.listing.view.horizontalHeader()
        for place, width in ((1, 150), (2, 160), (3, 80)):
            header.resizeSection(place, round(width * theme.scale()))
        self.export = export_button(page, "people", self._sheet)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.listing)
        split.addWidget(scrolled(self.pane, tr("The person in front")))
        split.setStretchFactor(0, 1)
        split.setSizes([540, 300])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row(self.search, self.role))
        column.addLayout(row(self.add_, self.sign_out, self.delete_, 0, self.export))
        column.addWidget(split, 1)

    def _columns(self) -> list[Column[Person]]:
        return [
            Column(tr("Person"), lambda person: person.username, stretch=True),
            Column(
                tr("Role"), lambda person: role_title(person.role), lambda person: -ROLES.index(person.role)
            ),
            Column(tr("E-mail"), lambda person: person.email or "—"),
            Column(tr("Projects"), _projects_words, lambda person: person.project_count, right=True),
        ]

    # -- reading

    def refresh(self) -> None:
        """Read and show everything again."""
        self.listing.refresh()

    async def _load(self, offset: int, limit: int) -> list[Person]:
        if not offset:
            self._people = await self._everybody()
        return self._fitting()[offset : offset + limit]

    async def _everybody(self) -> list[Person]:
        found: list[Person] = []
        owner = configured_owner(self.tower.settings)
        if owner is not None:
            found.append(Person("", owner.username, "owner", None, 0, ""))
        people: list[UserListed] = []
        while True:
            some = (await list_users(self.call(), UsersQuery(limit=_MOST, offset=len(people)))).users
            people += some
            if len(some) < _MOST:
                break
        return found + [
            Person(u.id, u.username, u.role, u.email, u.project_count, u.created_at) for u in people
        ]

    def _fitting(self) -> list[Person]:
        wanted, role = self.search.text().strip().casefold(), self.role.currentData()
        return [
            person
            for person in self._people
            if wanted in f"{person.username} {person.email or ''}".casefold() and role in ("", person.role)
        ]

    async def _empty(self) -> EmptyState:
        if self._people:
            title, about = tr("Nobody fits"), tr("Nobody here fits the search and the role.")
            return EmptyState("filtered", title, about, tr("Show all"), self._show_all)
        title, about = tr("Nobody else yet"), tr("Add people to let them sign in from a browser.")
        return EmptyState("no_data", title, about, tr("Add somebody…"), self.add)

    async def _sheet(self) -> Sheet:
        rows: list[list[Cell]] = [
            [p.username, role_title(p.role), p.email, p.project_count, p.created_at] for p in self._fitting()
        ]
        columns = [tr("Person"), tr("Role"), tr("E-mail"), tr("Projects"), tr("Added")]
        return Sheet(tr("People"), columns, rows)

    def _show_all(self) -> None:
        self.role.setCurrentIndex(0)
        self.search.clear()
        self.listing.start_over()

    def _shown(self) -> None:
        if self.listing.front is None and self.listing.model.rows:
            self.listing.choose(_key(self.listing.model.rows[0]))
        self._open(self.listing.front)

    def _open(self, person: Person | None) -> None:
        self._offer()
        if person is None:
            self.pane.show_person(None)
        else:
            start(self, self._detail(person), self._show_detail)

    async def _detail(self, person: Person) -> PersonDetail:
        added = tr("added {time}", time=when(person.created_at, self.now)) if person.created_at else ""
        if person.is_configured:
            return PersonDetail(person, added, [], [], self._why_fixed(person))
        projects = (await list_projects(self.call())).projects
        own = (await list_user_projects(self.call(), person.id)).projects
        return PersonDetail(
            person,
            added,
            [(project.id, project.name) for project in projects],
            [project.project_id for project in own],
            self._why_fixed(person),
        )

    def _show_detail(self, found: PersonDetail) -> None:
        front = self.listing.front
        if front is not None and front.id == found.person.id:
            self.pane.show_person(found)

    def _why_fixed(self, person: Person) -> str:
        """Why role and existence of somebody cannot be changed here; nothing when they can."""
        if person.is_configured:
            return tr("The owner of this home comes from the settings and always may everything.")
        others = any(other.role == "owner" and other.id != person.id for other in self._people)
        if person.role == "owner" and not others:
            return tr("This is the last owner: without one nobody could manage the tower any more.")
        return ""

    def _offer(self) -> None:
        chosen = self.listing.chosen
        self.sign_out.setEnabled(bool(chosen))
        why = next(filter(None, map(self._why_fixed, chosen)), "")
        left = [p for p in self._people if p.role == "owner" and p not in chosen]
        if not why and chosen and not left:
            why = tr("One owner has to stay: without one nobody could manage the tower any more.")
        self.delete_.setEnabled(bool(chosen) and not why)
        self.delete_.setToolTip(why)
        self.delete_.setAccessibleDescription(why)

    # -- doing

    def add(self) -> None:
        """Ask who is to be added."""
        roles = [(role, role_title(role)) for role in reversed(ROLES)]
        fields = [
            Field("username", tr("User name"), hint=tr("What they type to sign in")),
            Field("role", tr("Role"), "pm", choices=roles),
            Field("email", tr("E-mail"), hint=tr("May be left empty")),
            Field("password", tr("Password"), parse=_made_if_empty, hint=tr("Leave empty to have one made")),
        ]
        dialog = FieldsDialog(
            self, tr("Add somebody"), fields, NewUser, send=self._create, then=self._created, does=tr("Add"),
            about=tr("They sign in from a browser. They see no project until you tick one for them."),
        )  # fmt: skip
        _hide(dialog, "password")
        dialog.open()

    async def _create(self, body: NewUser) -> tuple[str, str, str]:
        user = (await create_user(self.call(), body)).user
        return user.id, user.username, body.password

    def _created(self, made: tuple[str, str, str]) -> None:
        user_id, name, password = made
        self.listing.choose(user_id)
        self.listing.refresh()
        self._tell_once(name, password)

    def _tell_once(self, name: str, password: str) -> None:
        about = tr("Hand it over now: it is kept only as a fingerprint and cannot be shown again.")
        ShownOnceDialog(self, tr("The password of {name}", name=name), about, password).open()

    def _change_role(self, person: Person, role: Role) -> None:
        said = tr("{name} is {role} now", name=person.username, role=role_title(role))
        back = partial(self._role, person.id, person.role)
        start(self, self._role(person.id, role), lambda _: undoable(self.page, said, back), self._refused)

    async def _role(self, user_id: str, role: Role) -> None:
        await change_role(self.call(), user_id, NewRole(role))

    def _change_email(self, person: Person, email: str) -> None:
        said = tr("The address of {name} is changed", name=person.username)
        back = partial(self._email, person.id, person.email or "")
        start(self, self._email(person.id, email), lambda _: undoable(self.page, said, back), self._refused)

    async def _email(self, user_id: str, email: str) -> None:
        await update_user(self.call(), user_id, UserChanges(email=email))

    def _refused(self, error: TowerError) -> None:
        self.refresh()
        self._open(self.listing.front)
        show_error(self, error)

    def _reset(self, person: Person) -> None:
        if person.is_configured:
            self._change_own()
            return
        title = tr("A new password for {name}", name=person.username)
        about = tr("The old one stops working and they are signed out everywhere.")
        ConfirmDialog(
            self,
            title,
            about,
            tr("Make a new one"),
            send=partial(self._new_password, person),
            then=self._told,
        ).open()

    async def _new_password(self, person: Person) -> tuple[str, str]:
        password = secrets.token_urlsafe(_PASSWORD)
        await update_user(self.call(), person.id, UserChanges(password=password))
        return person.username, password

    def _told(self, made: tuple[str, str]) -> None:
        self._tell_once(*made)

    def _change_own(self) -> None:
        fields = [
            Field("current_password", tr("Present password")),
            Field("new_password", tr("New password"), hint=tr("At least eight characters")),
        ]
        dialog = FieldsDialog(
            self, tr("Change the owner's password"), fields, NewPassword, send=self._own_password,
            then=lambda _: self.context.toast(tr("The password is changed.")), does=tr("Change"),
        )  # fmt: skip
        _hide(dialog, "current_password", "new_password")
        dialog.open()

    async def _own_password(self, body: NewPassword) -> None:
        await change_password(self.call(), body)

    def _sign_out(self) -> None:
        start(self, self._signed_out(self.listing.chosen), self.context.toast)

    async def _signed_out(self, people: list[Person]) -> str:
        ended = 0
        for person in people:
            if person.is_configured:
                ended += (await revoke_session(self.call(), RevokeSession(others=True))).payload.revoked
            else:
                ended += (await sign_user_out(self.call(), person.id)).revoked
        return trn("{n} session ended", "{n} sessions ended", ended)

    def _delete(self) -> None:
        people = self.listing.chosen
        title = trn("Delete {n} person", "Delete {n} people", len(people))
        about = tr(
            "{names}: sessions and assignments end; what they did stays in the audit trail. "
            "This cannot be taken back.",
            names=", ".join(person.username for person in people),
        )
        dialog = ConfirmDialog(
            self, title, about, tr("Delete"), send=partial(self._deleted, people), then=self._gone
        )
        dialog.open()

    async def _deleted(self, people: list[Person]) -> int:
        for person in people:
            await delete_user(self.call(), person.id)
        return len(people)

    def _gone(self, count: int) -> None:
        self.context.toast(trn("{n} person deleted", "{n} people deleted", count))
        self.refresh()

    def _assign(self, person: Person, project_id: str, name: str, on: bool) -> None:  # noqa: FBT001 - a signal's
        words = tr("{name} works on {project}", name=person.username, project=name)
        if not on:
            words = tr("{name} does not work on {project} any more", name=person.username, project=name)
        back = partial(self._assigned, person.id, project_id, on=not on)
        start(
            self,
            self._assigned(person.id, project_id, on=on),
            lambda _: undoable(self.page, words, back),
            self._refused,
        )

    async def _assigned(self, user_id: str, project_id: str, *, on: bool) -> None:
        do: Any = assign_user if on else unassign_user
        await do(self.call(), project_id, AssignUser(user_id))


def _key(person: Person) -> str:
    return person.id or "the configured owner"


def _projects_words(person: Person) -> str:
    return tr("every one") if person.role == "owner" else number(person.project_count)


def _made_if_empty(typed: str) -> str:
    return typed or secrets.token_urlsafe(_PASSWORD)


def _hide(dialog: FieldsDialog, *names: str) -> None:
    for name in names:
        editor = dialog.editors[name]
        assert isinstance(editor, QLineEdit)
        editor.setEchoMode(QLineEdit.EchoMode.Password)
