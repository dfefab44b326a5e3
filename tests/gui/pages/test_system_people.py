"""System: people with their roles and projects, and API keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit

from ctower_desktop.accounts.actions import create_api_key, list_api_keys, sign_in
from ctower_desktop.accounts.credentials import Auth
from ctower_desktop.accounts.model import Login, NewKey
from ctower_desktop.accounts.user_actions import create_user, list_users
from ctower_desktop.accounts.user_model import NewUser, UsersQuery
from ctower_desktop.gui.asking import FieldsDialog
from ctower_desktop.gui.pages.system import SystemPage
from ctower_desktop.gui.system_section import ConfirmDialog, ShownOnceDialog
from ctower_desktop.projects.assignments import list_user_projects
from tests.gui.conftest import until
from tests.gui.pages.test_system import rows, section


def dialog(page, kind):
    found = [one for one in page.findChildren(kind) if one.isVisible()]
    return found[-1] if found else None


async def person(stage, name, role="pm", email=None):
    return (await create_user(stage.call(), NewUser(name, "a long password", role, email))).user


async def opened(stage, owner=True):
    if owner:
        await stage.tower.settings.change(Auth, {"username": "marina", "password": "first password"})
    page = stage.show(SystemPage)
    found = await section(page, "users")
    await until(lambda: found.listing.state is not None or rows(found.listing))
    return page, found


def names(found):
    return [row[0] for row in rows(found.listing)]


async def people(stage):
    return {u.username: u for u in (await list_users(stage.call(), UsersQuery())).users}


class TestPeople:
    def test_somebody_is_added_and_can_sign_in(self, on_stage):
        async def body(stage):
            page, found = await opened(stage)
            assert names(found) == ["marina"]
            found.add_.click()
            form = dialog(page, FieldsDialog)
            form.does.click()
            assert form.isVisible()
            editors = form.editors
            assert isinstance(editors["username"], QLineEdit)
            assert isinstance(editors["role"], QComboBox)
            assert editors["password"].echoMode() == QLineEdit.EchoMode.Password
            editors["username"].setText("Anna")
            editors["role"].setCurrentIndex(editors["role"].findData("viewer"))
            editors["email"].setText("no address")
            form.does.click()
            assert form.isVisible()
            editors["email"].setText("anna@north.example")
            form.does.click()
            await until(lambda: dialog(page, ShownOnceDialog))
            once = dialog(page, ShownOnceDialog)
            once.copy.click()
            password = once.secret.text()
            assert QGuiApplication.clipboard().text() == password
            assert len(password) >= 12
            once.accept()
            await until(lambda: names(found) == ["marina", "anna"])
            await until(lambda: found.pane.name.text() == "anna")
            assert rows(found.listing)[1][1:] == ["Viewer", "anna@north.example", "0"]
            answer = await sign_in(stage.call(), Login("anna", password))
            assert answer.payload.role == "viewer"

        on_stage(body)

    def test_a_name_that_is_taken_stays_in_the_form(self, on_stage):
        async def body(stage):
            page, found = await opened(stage)
            found.add()
            form = dialog(page, FieldsDialog)
            form.editors["username"].setText("marina")
            form.does.click()
            await until(form.problem.isVisible)
            assert "already" in form.problem.text()
            form.reject()

        on_stage(body)

    def test_a_role_is_changed_and_taken_back(self, on_stage):
        async def body(stage):
            await person(stage, "anna")
            _, found = await opened(stage)
            found.listing.view.selectRow(1)
            await until(lambda: found.pane.name.text() == "anna")
            box = found.pane.role
            box.setCurrentIndex(box.findData("executor"))
            box.activated.emit(box.currentIndex())
            await until(lambda: rows(found.listing)[1][1] == "Executor")
            assert stage.toasts[-1][0] == "anna is Executor now"
            stage.commands.run("undo")
            await until(lambda: rows(found.listing)[1][1] == "Project manager")
            await until(lambda: box.currentData() == "pm")

        on_stage(body)

    def test_projects_are_ticked_and_taken_back(self, on_stage):
        async def body(stage):
            anna = await person(stage, "anna")
            _, found = await opened(stage)
            found.listing.view.selectRow(1)
            await until(lambda: found.pane.projects.count() == 1)
            found.pane.projects.item(0).setCheckState(Qt.CheckState.Checked)
            await until(lambda: rows(found.listing)[1][3] == "1")
            assert [p.project_id for p in (await list_user_projects(stage.call(), anna.id)).projects] == [
                stage.project.id
            ]
            stage.commands.run("undo")
            await until(lambda: rows(found.listing)[1][3] == "0")
            await until(lambda: found.pane.projects.item(0).checkState() == Qt.CheckState.Unchecked)

        on_stage(body)

    def test_the_last_owner_stays_and_it_is_said_why(self, on_stage):
        async def body(stage):
            await person(stage, "olga", "owner")
            await person(stage, "anna")
            _, found = await opened(stage, owner=False)
            assert names(found) == ["olga", "anna"]
            found.listing.view.selectRow(0)
            await until(lambda: found.pane.name.text() == "olga")
            assert "last owner" in found.pane.fixed.text()
            assert found.pane.fixed.isVisible()
            assert not found.pane.role.isEnabled()
            assert not found.delete_.isEnabled()
            assert "last owner" in found.delete_.toolTip()
            assert "last owner" in found.delete_.accessibleDescription()
            await person(stage, "pavel", "owner")
            await until(lambda: len(rows(found.listing)) == 3 and found.pane.role.isEnabled())
            assert found.delete_.isEnabled()
            found.listing.view.selectAll()
            await until(lambda: not found.delete_.isEnabled())
            assert "One owner has to stay" in found.delete_.toolTip()

        on_stage(body)

    def test_the_owner_of_the_settings_changes_the_own_password_only(self, on_stage):
        async def body(stage):
            page, found = await opened(stage)
            found.listing.view.selectRow(0)
            await until(found.pane.fixed.isVisible)
            assert "settings" in found.pane.fixed.text()
            assert not found.delete_.isEnabled()
            found.pane.password.click()
            form = dialog(page, FieldsDialog)
            form.editors["current_password"].setText("wrong password")
            form.editors["new_password"].setText("second password")
            form.does.click()
            await until(form.problem.isVisible)
            form.editors["current_password"].setText("first password")
            form.does.click()
            await until(lambda: stage.toasts)
            assert stage.toasts[-1][0] == "The password is changed."
            answer = await sign_in(stage.call(), Login("marina", "second password"))
            assert answer.payload.role == "owner"

        on_stage(body)

    def test_a_new_password_ends_sessions_and_signing_out_counts_them(self, on_stage):
        async def body(stage):
            await person(stage, "anna")
            page, found = await opened(stage)
            await sign_in(stage.call(), Login("anna", "a long password"))
            found.listing.view.selectRow(1)
            await until(lambda: found.pane.name.text() == "anna" and found.sign_out.isEnabled())
            found.sign_out.click()
            await until(lambda: stage.toasts)
            assert stage.toasts[-1][0] == "1 session ended"
            found.pane.password.click()
            dialog(page, ConfirmDialog).does.click()
            await until(lambda: dialog(page, ShownOnceDialog))
            once = dialog(page, ShownOnceDialog)
            answer = await sign_in(stage.call(), Login("anna", once.secret.text()))
            assert answer.payload.username == "anna"
            once.accept()

        on_stage(body)

    def test_somebody_is_deleted_after_a_question(self, on_stage):
        async def body(stage):
            for name in ("anna", "boris"):
                await person(stage, name)
            page, found = await opened(stage)
            found.listing.view.selectRow(1)
            await until(found.delete_.isEnabled)
            found.delete_.click()
            dialog(page, ConfirmDialog).reject()
            assert set(await people(stage)) == {"anna", "boris"}
            found.delete_.click()
            question = dialog(page, ConfirmDialog)
            assert question.windowTitle() == "Delete 1 person"
            question.does.click()
            await until(lambda: names(found) == ["marina", "boris"])

        on_stage(body)

    def test_an_address_is_changed_where_it_stands(self, on_stage):
        async def body(stage):
            await person(stage, "anna")
            _, found = await opened(stage)
            found.listing.view.selectRow(1)
            await until(lambda: found.pane.name.text() == "anna")
            fact = found.pane.email
            fact.begin()
            fact.editor.setText("nothing like it")
            fact.keep()
            assert fact.problem.isVisible()
            fact.editor.setText("anna@north.example")
            fact.keep()
            await until(lambda: rows(found.listing)[1][2] == "anna@north.example")
            stage.commands.run("undo")
            await until(lambda: rows(found.listing)[1][2] == "—")

        on_stage(body)

    def test_people_are_found_and_the_way_back_is_offered(self, on_stage):
        async def body(stage):
            for name, role in (("anna", "pm"), ("boris", "viewer")):
                await person(stage, name, role)
            _, found = await opened(stage)
            found.role.setCurrentIndex(found.role.findData("viewer"))
            await until(lambda: names(found) == ["boris"])
            found.search.setText("anna")
            await until(lambda: found.listing.state is not None)
            assert not found.pane.isVisible()
            found.listing.state.findChild(QAbstractButton).click()
            await until(lambda: len(names(found)) == 3)

        on_stage(body)

    def test_without_anybody_it_offers_to_add_somebody(self, on_stage):
        async def body(stage):
            page, found = await opened(stage, owner=False)
            found.listing.state.findChild(QAbstractButton).click()
            assert dialog(page, FieldsDialog) is not None

        on_stage(body)


class TestKeys:
    def test_a_key_is_shown_once_and_revoked(self, on_stage):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "keys")
            await until(lambda: found.listing.state is not None)
            found.listing.state.findChild(QAbstractButton).click()
            form = dialog(page, FieldsDialog)
            form.editors["name"].setText("Dashboard")
            rights = form.editors["scopes"]
            rights.setCurrentIndex(rights.findData("read,write"))
            form.does.click()
            await until(lambda: dialog(page, ShownOnceDialog))
            once = dialog(page, ShownOnceDialog)
            key = once.secret.text()
            assert key.startswith("lp_")
            once.copy.click()
            assert QGuiApplication.clipboard().text() == key
            once.accept()
            await until(lambda: rows(found.listing))
            name, beginning, may, used, ends, _ = rows(found.listing)[0]
            assert (name, may, used) == ("Dashboard", "read and write", "never")
            assert key.startswith(beginning.rstrip("…"))
            assert ends.startswith("18 February 2027")
            found.listing.view.selectRow(0)
            await until(found.revoke.isEnabled)
            found.revoke.click()
            question = dialog(page, ConfirmDialog)
            assert question.windowTitle() == "Revoke 1 key"
            question.does.click()
            await until(lambda: found.listing.state is not None)
            assert (await list_api_keys(stage.call())).data == []

        on_stage(body)

    def test_keys_that_ended_are_found(self, on_stage, clock):
        async def body(stage):
            await create_api_key(stage.call(), NewKey(name="old", expires_at="2026-11-21T00:00:00Z"))
            await create_api_key(stage.call(), NewKey(name="for ever", scopes=["admin"]))
            clock.advance(3 * 86_400)
            page = stage.show(SystemPage)
            found = await section(page, "keys")
            await until(lambda: len(rows(found.listing)) == 2)
            assert next(row[4] for row in rows(found.listing)) == "never"
            found.over.click()
            await until(lambda: [row[0] for row in rows(found.listing)] == ["old"])
            assert rows(found.listing)[0][4].startswith("ended ")
            found.search.setText("zzz")
            await until(lambda: found.listing.state is not None)

        on_stage(body)
