"""System: synchronisations, the log, storage and backups, the audit trail."""

from __future__ import annotations

import csv
import io
import logging
import shlex
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog

from ctower_desktop.accounts.actions import create_api_key
from ctower_desktop.accounts.model import NewKey
from ctower_desktop.gui import theme
from ctower_desktop.gui.bubbles import PlainText
from ctower_desktop.gui.pages.system import SystemPage
from ctower_desktop.gui.widgets import Label
from ctower_desktop.kernel import log as tower_log
from ctower_desktop.kernel.errors import StorageBusy, StorageFull
from ctower_desktop.kernel.system import as_text
from ctower_desktop.operations import backups as actions
from ctower_desktop.operations.retention import Retention
from tests.gui.conftest import until
from tests.gui.pages.test_system import rows, section

log = logging.getLogger("ctower_desktop.test")


@pytest.fixture
def lines():
    """The log of this process, empty."""
    ring = tower_log.ring()
    ring.lines.clear()
    before = log.level
    log.setLevel(logging.DEBUG)
    yield ring.lines
    ring.lines.clear()
    log.setLevel(before)


async def synced(stage, source, hours, *, error=None, seconds=4):
    """A synchronisation so many hours ago, as the event log tells of it."""
    began = stage.tower.clock.now() - timedelta(hours=hours)
    ended = began + timedelta(seconds=seconds)
    kinds = [("process_started", began), ("process_failed" if error else "process_finished", ended)]
    for kind, moment in kinds:
        await stage.put(
            "INSERT INTO connector_event (project_id, account_scope_id, event_type, occurred_at, actor,"
            " source, source_ref, payload_json, dedupe_key, created_at)"
            " VALUES (:p, :s, :kind, :at, 'system', :source, 'x', json_object('error', :error),"
            " :source || :kind || :at, :at)",
            p=stage.project.id, s=stage.project.account_scope_id, kind=kind, at=as_text(moment),
            source=source, error=error,
        )  # fmt: skip


def texts(found):
    """The plain texts that are seen."""
    return [part.toPlainText() for part in found.findChildren(PlainText) if part.isVisible()]


class TestSync:
    def test_without_a_run_it_leads_to_the_connectors(self, on_stage):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "sync")
            await until(lambda: found.listing.state is not None)
            found.listing.state.findChild(QAbstractButton).click()
            assert stage.opened == ["connectors"]
            assert not found.card.isVisible()

        on_stage(body)

    def test_runs_rates_and_what_went_wrong(self, on_stage):
        async def body(stage):
            await synced(stage, "linear", 3)
            await synced(stage, "chatwoot", 2)
            await synced(stage, "chatwoot", 1, error="vendor_unavailable: 502 <b>bad</b> gateway")
            await synced(stage, "chatwoot", 100)
            page = stage.show(SystemPage)
            found = await section(page, "sync")
            await until(lambda: len(rows(found.listing)) == 3)
            assert [(row[0], row[2], row[3]) for row in rows(found.listing)] == [
                ("Chatwoot", "4.0 sec", "failed"),
                ("Chatwoot", "4.0 sec", "went well"),
                ("Linear", "4.0 sec", "went well"),
            ]
            assert "Chatwoot: 2 runs, 1 failed" in found.picture.accessibleName()
            said = [
                found.rates.itemAt(n).layout().itemAt(1).widget().text() for n in range(found.rates.count())
            ]
            assert said == ["50.0 % went well (1 of 2)", "100.0 % went well (1 of 1)"]
            found.listing.view.selectRow(0)
            assert found.detail.isVisible()
            assert found.what.text() == "Chatwoot does not answer at the moment."
            assert "tried again by itself" in found.step.text()
            assert "<b>bad</b>" in found.detail.findChild(PlainText).toPlainText()
            found.failed.click()
            await until(lambda: len(rows(found.listing)) == 1)
            found.failed.click()
            found.hours.setCurrentIndex(found.hours.count() - 1)
            await until(lambda: len(rows(found.listing)) == 4)
            await synced(stage, "attio", 0.1)
            await until(lambda: rows(found.listing)[0][0] == "Attio")

        on_stage(body)

    def test_the_picture_is_painted(self, on_stage):
        async def body(stage):
            await synced(stage, "chatwoot", 2)
            await synced(stage, "chatwoot", 1, error="vendor_unavailable: x")
            page = stage.show(SystemPage)
            found = await section(page, "sync")
            await until(lambda: len(rows(found.listing)) == 2)
            picture = found.picture.grab().toImage()
            places = [(x, y) for x in range(picture.width()) for y in range(picture.height())]
            colours = {picture.pixelColor(x, y).name() for x, y in places}
            assert {theme.current().charts[2].lower(), theme.current().danger.lower()} <= colours

        on_stage(body)


class TestLog:
    def test_lines_are_filtered_searched_and_read_whole(self, on_stage, lines):
        async def body(stage):
            log.info("began to read")
            log.warning("<script>alert(1)</script> is text")
            try:
                raise ValueError("odd")
            except ValueError:
                log.warning("stumbled", exc_info=True)
            page = stage.show(SystemPage)
            found = await section(page, "log")
            messages = lambda: [row[3] for row in rows(found.listing)]  # noqa: E731
            await until(lambda: "began to read" in messages())
            assert messages()[:2] == ["stumbled", "<script>alert(1)</script> is text"]
            found.level.setCurrentIndex(found.level.findData("warning"))
            await until(lambda: "began to read" not in messages())
            found.listing.view.selectRow(0)
            await until(lambda: len(texts(found)) == 2)
            assert texts(found)[0] == "stumbled"
            assert "ValueError: odd" in texts(found)[1]
            found.search.setText("script")
            await until(lambda: messages() == ["<script>alert(1)</script> is text"])
            found.search.setText("nothing like it")
            await until(lambda: found.listing.state is not None)
            found.listing.state.findChild(QAbstractButton).click()
            await until(lambda: "began to read" in messages())

        on_stage(body)

    def test_following_shows_new_lines_and_copying_takes_the_chosen(self, on_stage, lines, monkeypatch):
        async def body(stage):
            log.info("one")
            page = stage.show(SystemPage)
            found = await section(page, "log")
            await until(lambda: rows(found.listing))
            found.follow.click()
            log.info("two, password=hunter2")
            await until(lambda: rows(found.listing)[0][3].startswith("two"))
            assert "hunter2" not in rows(found.listing)[0][3]
            found.listing.view.selectRow(0)
            found.listing.view.setFocus()
            QTest.keyClick(found.listing.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
            QTest.keyClick(found.listing.view, Qt.Key.Key_Control)  # let go of it
            copied = QGuiApplication.clipboard().text()
            assert "two" in copied
            assert "one" not in copied
            assert stage.toasts[-1][0] == "1 line copied"
            found.listing.view.clearSelection()
            found.copy.click()
            assert "one" in QGuiApplication.clipboard().text()

        on_stage(body)


class TestBackups:
    def test_a_backup_is_made_checked_and_told_how_to_restore(self, on_stage, clock):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "storage")
            await until(found.newest.text)
            assert found.newest.text().startswith("There is no backup yet")
            assert not found.table.isVisible()
            stage.commands.run("system.backup")
            assert found.progress.isVisible()
            assert not found.back_up_button.isEnabled()
            await until(lambda: stage.toasts)
            assert stage.toasts[0][0].startswith("Backup made: ctower-20261120-100000.db")
            await until(found.table.isVisible)
            assert found.newest.text().startswith("Last backup: ")
            assert found.back_up_button.isEnabled()
            assert not found.progress.isVisible()
            copies = list(stage.tower.home.backups.glob("*.db"))
            found.copy.click()
            said = shlex.split(QGuiApplication.clipboard().text())
            assert said == ["ctower", "--home", str(stage.tower.home.path), "restore", str(copies[0])]
            found.check.click()
            await until(lambda: stage.toasts[-1][0].endswith("is whole"))
            await until(found.check.isEnabled)

        on_stage(body)

    def test_a_damaged_backup_is_said_to_be_one(self, on_stage):
        async def body(stage):
            (stage.tower.home.backups / "ctower-old.db").write_bytes(b"not a database" * 1_000)
            page = stage.show(SystemPage)
            found = await section(page, "storage")
            await until(lambda: found.front is not None)
            found.check.click()
            await until(lambda: not stage.bar.isHidden())
            assert stage.bar.text.startswith("ctower-old.db is damaged: ")

        on_stage(body)

    def test_a_full_disk_is_told(self, on_stage, monkeypatch):
        async def body(stage):
            async def full(_target):
                raise StorageFull

            page = stage.show(SystemPage)
            found = await section(page, "storage")
            await until(found.newest.text)
            monkeypatch.setattr(stage.tower.db, "backup", full)
            found.back_up_button.click()
            await until(lambda: not stage.bar.isHidden())
            assert "disk is full" in stage.bar.text
            assert found.back_up_button.isEnabled()

        on_stage(body)

    def test_sizes_and_retention_are_told_also_without_a_project(self, on_stage):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "storage")
            await until(found.used.text)
            assert " of 21.5 GB" in found.used.text()
            assert found.bar.accessibleName() == found.used.text()
            assert found.sizes.count() == 9
            kept = lambda: [label.text() for label in found.findChildren(Label) if label.isVisible()]  # noqa: E731
            await until(lambda: "Keep runs of jobs for (days): 30" in kept())
            assert "Keep the audit trail for (days): for ever" in kept()
            await stage.tower.settings.change(Retention, {"run_retention_days": 7})
            page.open_section("storage")
            await until(lambda: "Keep runs of jobs for (days): 7" in kept())

        on_stage(body, project=False)


class TestAudit:
    async def done(self, stage):
        await create_api_key(stage.call(), NewKey(name="=HYPERLINK(1)"))
        await actions.create_backup(stage.call())

    def test_lines_are_words_and_are_filtered(self, on_stage):
        async def body(stage):
            await self.done(stage)
            page = stage.show(SystemPage)
            found = await section(page, "audit")
            await until(lambda: len(rows(found.listing)) == 3)
            assert [(row[1], row[2], row[3], row[4]) for row in rows(found.listing)] == [
                ("at this screen", "Backups", "created", "went well"),
                ("at this screen", "API keys", "created", "went well"),
                ("at this screen", "Projects", "created", "went well"),
            ]
            found.listing.view.selectRow(1)
            assert found.head.text() == "API keys · created"
            await until(lambda: any("=HYPERLINK(1)" in part for part in texts(found)))
            found.what.setCurrentIndex(found.what.findData("api_key."))
            await until(lambda: len(rows(found.listing)) == 1)
            found.failed.click()
            await until(lambda: found.listing.state is not None)
            found.listing.state.findChild(QAbstractButton).click()
            await until(lambda: len(rows(found.listing)) == 3)
            found.who.setText("somebody else")
            await until(lambda: found.listing.state is not None)
            found.who.setText("at this screen")
            await until(lambda: len(rows(found.listing)) == 3)
            await create_api_key(stage.call(), NewKey(name="another"))
            await until(lambda: len(rows(found.listing)) == 4)

        on_stage(body)

    def test_a_long_trail_is_read_as_it_comes_into_sight(self, on_stage):
        async def body(stage):
            await stage.put(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
                " INSERT INTO audit_event (project_id, account_scope_id, actor_username, action, entity_type,"
                " entity_id, status, request_id, payload, evidence_refs, created_at)"
                " SELECT :p, :s, 'anna', 'job.run', 'job', i, 'ok', '', '{}', '[]', :at FROM n",
                at="2026-11-01T00:00:00.000Z",
                p=stage.project.id, s=stage.project.account_scope_id,
            )  # fmt: skip
            page = stage.show(SystemPage)
            found = await section(page, "audit")
            await until(lambda: rows(found.listing))
            before = found.listing.model.rowCount()
            assert before <= 400
            found.listing.view.scrollToBottom()
            await until(lambda: found.listing.model.rowCount() > before)
            assert len((await found._sheet()).rows) == 5_000 + 1

        on_stage(body)

    def test_the_table_that_is_exported_holds_no_formulas(self, on_stage, tmp_path):
        async def body(stage):
            await self.done(stage)
            page = stage.show(SystemPage)
            found = await section(page, "audit")
            await until(lambda: rows(found.listing))
            found.what.setCurrentIndex(found.what.findData("api_key."))
            await until(lambda: len(rows(found.listing)) == 1)
            found.export_table()
            await until(lambda: page.findChildren(QFileDialog))
            dialog = page.findChildren(QFileDialog)[0]
            target = tmp_path / "audit.csv"
            dialog.fileSelected.emit(str(target))
            dialog.reject()
            await until(target.exists)
            await until(lambda: stage.toasts)
            table = list(csv.reader(io.StringIO(target.read_text("utf-8-sig"))))
            assert len(table) == 2
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in table[1])

        on_stage(body)

    def test_a_failure_says_so_and_can_be_tried_again(self, on_stage, monkeypatch):
        async def body(stage):
            real = stage.tower.db.read

            async def busy(*_args, **_kwargs):
                raise StorageBusy

            page = stage.show(SystemPage)
            await until(lambda: page._built["health"].rows)
            monkeypatch.setattr(stage.tower.db, "read", busy)
            found = await section(page, "audit")
            await until(lambda: found.listing.state is not None)
            monkeypatch.setattr(stage.tower.db, "read", real)
            found.listing.state.findChild(QAbstractButton).click()
            await until(lambda: rows(found.listing) and found.listing.state is None)

        on_stage(body)
