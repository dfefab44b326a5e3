"""System: sections, health with its alerts, jobs run and paused by hand, synchronisations."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget, QTableView

from ctower_desktop import app
from ctower_desktop.accounts.actions import create_api_key
from ctower_desktop.accounts.model import NewKey
from ctower_desktop.gui import text, theme
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.pages.system import SystemPage
from ctower_desktop.gui.system_pictures import bins, runs_words
from ctower_desktop.gui.system_words import JOB_TITLES, job_title, took
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.jobs import JOBS, Job
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.operations.actions import list_scheduled_jobs, pause_job
from ctower_desktop.operations.alarms import Alarms
from ctower_desktop.operations.alert_model import AlertSettings
from ctower_desktop.operations.history_store import Point
from ctower_desktop.operations.model import Operations
from ctower_desktop.operations.scheduling import Bucket
from ctower_desktop.projects.actions import NewProject, create_project
from tests.gui.conftest import until
from tests.gui.pages.test_fit import cut_off, settled

ORDER = ("embeddings_run", "connectors_sync_cycle", "daily_digest")  # by their English names


@pytest.fixture
def jobs(monkeypatch):
    """Three jobs whose handlers the test chooses; no other job is declared."""
    for name in list(JOBS):
        monkeypatch.delitem(JOBS, name)

    async def nothing(_call):
        """Do nothing."""

    handlers = dict.fromkeys(("daily_digest", "embeddings_run", "connectors_sync_cycle"), nothing)
    for name in handlers:

        async def run(call, name=name):
            """Do what the test wants."""
            await handlers[name](call)

        monkeypatch.setitem(JOBS, name, Job(name, 900, (), 600, run))
    return handlers


async def section(page, name):
    found = page.open_section(name)
    await until(lambda: page._stack.currentWidget() is found)
    return found


def rows(listing):
    return [
        [
            listing.model.data(listing.model.index(row, column))
            for column in range(listing.model.columnCount())
        ]
        for row in range(listing.model.rowCount())
    ]


async def ran(stage, job_type, *runs):
    """Runs of a job: status, milliseconds, hours ago."""
    job = next(j for j in (await list_scheduled_jobs(stage.call())).jobs if j.job_type == job_type)
    for status, duration, hours in runs:
        at = as_text(stage.tower.clock.now() - timedelta(hours=hours))
        await stage.put(
            "INSERT INTO worker_run (project_id, account_scope_id, scheduled_job_id, job_type, source, slot,"
            " status, started_at, finished_at, duration_ms)"
            " VALUES (:p, :s, :j, :t, 'worker', :at, :status, :at, :at, :ms)",
            p=stage.project.id, s=stage.project.account_scope_id, j=job.id, t=job_type, at=at,
            status=status, ms=duration,
        )  # fmt: skip


class TestPage:
    def test_a_section_is_built_when_it_is_opened(self, on_stage):
        async def body(stage):
            page = stage.show(SystemPage)
            await until(page._built["health"].verdict.text)
            assert list(page._built) == ["health"]
            page.list.setCurrentRow(1)
            assert list(page._built) == ["health", "jobs"]

        on_stage(body)

    def test_without_a_project_what_needs_one_says_so(self, on_stage):
        async def body(stage):
            asked = []
            page = stage.show(SystemPage)
            await until(page._built["health"].verdict.text)
            assert page.open_section("jobs") is None
            assert page.no_project.isVisible()
            stage.commands.add(stage.window, Command("project.new", "x", lambda: asked.append(1)))
            page.no_project.findChild(QAbstractButton).click()
            assert asked
            users = await section(page, "users")
            await until(lambda: not page.no_project.isVisible() and users.isVisible())

        on_stage(body, project=False)

    def test_all_is_named_for_those_who_do_not_see_it(self, on_stage):
        async def body(stage):
            page = stage.show(SystemPage)
            for name in page._titles:
                await section(page, name)
            await asyncio.sleep(0.1)
            kinds = (QAbstractButton, QLineEdit, QComboBox, QListWidget, QTableView, QAbstractSpinBox)
            inside = (QAbstractSpinBox, QComboBox, QTableView)
            nameless = [
                widget
                for kind in kinds
                for widget in page.findChildren(kind)
                if not widget.accessibleName()
                and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
                and not isinstance(widget.parent(), inside)
            ]
            assert nameless == []

        on_stage(body)

    def test_the_palette_knows_every_section_and_job(self, on_stage, jobs):
        async def body(stage):
            page = stage.show(SystemPage)
            names = {command.id for command in page.commands()}
            assert {"system.backup", "system.key", "system.person", "system.run.daily_digest"} <= names
            stage.commands.run("system.audit")
            assert page.chosen == "audit"

        on_stage(body)

    def test_another_project_is_shown_when_it_is_chosen(self, on_stage):
        async def body(stage):
            await create_api_key(stage.call(), NewKey(name="first"))
            page = stage.show(SystemPage)
            keys = await section(page, "keys")
            await until(lambda: rows(keys.listing))
            made = (await create_project(stage.call(), NewProject(name="Другой"))).project
            stage.project = ProjectRef(made.id, made.name, made.account_scope_id)
            page.project_changed()
            await until(lambda: not rows(keys.listing) and keys.listing.state is not None)

        on_stage(body)

    @pytest.mark.parametrize("language", ["en", "ru"])
    @pytest.mark.parametrize(("width", "scale"), [(900, 1.0), (1208, 1.0), (1208, 1.5)])
    def test_nothing_is_cut_off(self, on_stage, qapp, jobs, language, width, scale):
        async def body(stage):
            text.set_language(language)
            theme.apply(qapp, "light", scale)
            await ran(stage, "daily_digest", ("ok", 900, 30), ("failed", 20_000, 3))
            await create_api_key(stage.call(), NewKey(name="a program with quite a long name"))
            page = stage.show(SystemPage)
            stage.window.resize(width, 852)
            for name in page._titles:
                await section(page, name)
                await asyncio.sleep(0.05)
                await settled(page)
                assert cut_off(page) == [], name

        on_stage(body)


class TestHealth:
    def test_every_service_says_how_it_is_and_what_to_do(self, on_stage):
        async def body(stage):
            page = stage.show(SystemPage)
            health = page._built["health"]
            await until(lambda: health.rows)
            assert health.rows["database"].state.text() == "Works"
            assert "ms" in health.rows["database"].facts.text()
            assert health.rows["worker"].state.text() == "Does not work"
            assert "start it again" in health.rows["worker"].step.text()
            chatwoot = health.rows["chatwoot"]
            assert (chatwoot.name.text(), chatwoot.state.text()) == ("Chatwoot", "Not connected")
            chatwoot.link.click()
            assert stage.opened == ["connectors"]
            assert health.verdict.text() == "Works, with something to look at"
            assert health.resources.used.text().startswith("Database: ")
            assert "of 21.5 GB" in health.resources.used.text()
            assert health.calm.isVisible()

        on_stage(body)

    def test_an_alert_comes_is_seen_and_goes(self, on_stage, clock):
        async def body(stage):
            page = stage.show(SystemPage)
            health = page._built["health"]
            await until(lambda: health.rows)
            alarms = await stage.tower.part(Alarms)
            await stage.tower.settings.change(AlertSettings, {"disk_free_gb": 10_000})
            await alarms.look()
            clock.advance(120)
            await alarms.look()
            await until(lambda: any("are free on the disk" in line for line in health.alarms.texts))
            (button,) = health.alarms.buttons.values()
            assert button.accessibleName().startswith("I have seen it: ")
            button.setFocus()
            QTest.keyClick(button, Qt.Key.Key_Space)
            await until(lambda: health.alarms.isVisible() and not health.alarms.buttons)
            await stage.tower.settings.change(AlertSettings, {"disk_free_gb": 0})
            for _ in range(6):
                clock.advance(300)
                await alarms.look()
            await until(health.calm.isVisible)
            health.also_over.click()
            await until(lambda: health.alarms.texts and not health.calm.isVisible())
            assert health.alarms.isVisible()

        on_stage(body)


class TestJobs:
    def test_names_are_words_for_every_job(self):
        app.import_rooms()
        assert JOBS.keys() <= JOB_TITLES.keys()

    def test_the_table_tells_how_jobs_went(self, on_stage, jobs, clock):
        async def body(stage):
            await ran(stage, "daily_digest", ("ok", 900, 30), ("ok", 1_500, 20), ("failed", 20_000, 3))
            page = stage.show(SystemPage)
            found = await section(page, "jobs")
            await until(lambda: len(rows(found.listing)) == 3 and found.pane.isVisible())
            names = [row[0] for row in rows(found.listing)]
            assert names == [
                job_title(n) for n in ("embeddings_run", "connectors_sync_cycle", "daily_digest")
            ]
            digest = rows(found.listing)[2]
            assert digest[4] == "2 / 1"
            assert digest[5] == "3 runs, 1 failed; the last one took 20.0 sec"
            found.listing.view.selectRow(2)
            await until(lambda: found.pane.title.text() == "Write the daily digest")
            assert "1 run" in found.pane.histogram.accessibleName()
            assert found.pane.runs.rowCount() == 3
            assert found.pane.table.accessibleName() == "Newest runs"
            found.days.setCurrentIndex(0)
            await until(lambda: rows(found.listing)[2][4] == "1 / 1")

        on_stage(body)

    def test_the_sparkline_is_painted(self, on_stage, jobs):
        async def body(stage):
            await ran(stage, "daily_digest", ("ok", 900, 30), ("failed", 20_000, 3))
            page = stage.show(SystemPage)
            found = await section(page, "jobs")
            await until(lambda: len(rows(found.listing)) == 3)
            await settled(page)
            view = found.listing.view
            place = view.visualRect(found.listing.model.index(2, 5))
            picture = view.viewport().grab(place).toImage()
            colours = {
                picture.pixelColor(x, y).name()
                for x in range(0, picture.width())
                for y in range(picture.height())
            }
            assert theme.current().charts[0].lower() in colours
            assert theme.current().danger.lower() in colours

        on_stage(body)

    def test_a_job_is_run_by_hand(self, on_stage, jobs):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "jobs")
            await until(lambda: rows(found.listing))
            began, go = asyncio.Event(), asyncio.Event()

            async def work(_call):
                began.set()
                await go.wait()

            jobs["daily_digest"] = work
            found.listing.view.selectRow(2)
            await until(found.run_.isEnabled)
            found.run_.click()
            await began.wait()
            await until(lambda: rows(found.listing)[2][1] == "Running")
            assert not found.run_.isEnabled()
            go.set()
            await until(lambda: stage.toasts)
            assert stage.toasts[0][0].startswith("Write the daily digest: done in")
            await until(lambda: rows(found.listing)[2][1] == "On schedule")
            assert rows(found.listing)[2][4] == "1 / 0"

        on_stage(body)

    def test_a_job_that_fails_says_why(self, on_stage, jobs):
        async def body(stage):
            async def fail(_call):
                raise Upstream("the vendor is down")

            jobs["daily_digest"] = fail
            page = stage.show(SystemPage)
            stage.commands.run("system.run.daily_digest")
            found = page._built["jobs"]
            await until(lambda: not stage.bar.isHidden())
            assert stage.bar.text.startswith("Write the daily digest failed: ")
            assert "the vendor is down" in stage.bar.text
            found.failed.click()
            await until(lambda: len(rows(found.listing)) == 1)
            await until(found.pane.error_title.isVisible)

        on_stage(body)

    def test_pausing_is_taken_back(self, on_stage, jobs):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "jobs")
            await until(lambda: len(rows(found.listing)) == 3)
            found.listing.view.selectAll()
            await until(found.pause.isEnabled)
            found.pause.click()
            await until(lambda: [row[1] for row in rows(found.listing)] == ["Paused"] * 3)
            assert stage.toasts[-1][0] == "3 jobs are paused"
            assert [row[3] for row in rows(found.listing)] == ["—"] * 3
            stage.commands.run("undo")
            await until(lambda: [row[1] for row in rows(found.listing)] == ["On schedule"] * 3)
            found.listing.view.selectRow(0)
            found.pause.click()
            await until(lambda: rows(found.listing)[0][1] == "Paused")
            found.paused.click()
            await until(lambda: len(rows(found.listing)) == 1)
            found.listing.view.selectRow(0)
            await until(found.resume.isEnabled)
            found.resume.click()
            await until(lambda: not rows(found.listing) and found.listing.state is not None)
            found.listing.state.findChild(QAbstractButton).click()
            await until(lambda: len(rows(found.listing)) == 3)

        on_stage(body)

    def test_it_follows_what_others_do(self, on_stage, jobs):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "jobs")
            await until(lambda: len(rows(found.listing)) == 3)
            await pause_job(stage.call(), "embeddings_run")
            await until(lambda: rows(found.listing)[0][1] == "Paused")

        on_stage(body)

    def test_a_dead_job_is_cleaned_up(self, on_stage, jobs):
        async def body(stage):
            async def fail(_call):
                raise Upstream("the vendor is down")

            jobs["daily_digest"] = fail
            await stage.tower.settings.change(Operations, {"job_max_retries": 1})
            page = stage.show(SystemPage)
            found = await section(page, "jobs")
            assert not found.dead.isVisible()
            found.run_jobs(["daily_digest"])
            await until(found.dead.isVisible)
            assert found.dead.texts == ["Write the daily digest failed and was stopped"]
            (button,) = found.dead.buttons.values()
            button.click()
            await until(lambda: not found.dead.isVisible())
            await until(lambda: stage.toasts and "half a minute" in stage.toasts[-1][0])

        on_stage(body)

    def test_a_search_without_a_hit_offers_the_way_back(self, on_stage, jobs):
        async def body(stage):
            page = stage.show(SystemPage)
            found = await section(page, "jobs")
            await until(lambda: rows(found.listing))
            found.search.setText("no such job")
            await until(lambda: found.listing.state is not None)
            found.listing.state.findChild(QAbstractButton).click()
            await until(lambda: len(rows(found.listing)) == 3)
            assert found.search.text() == ""

        on_stage(body)


class TestPictures:
    def test_bins_are_what_each_bound_adds(self):
        buckets = [
            Bucket(50, 0),
            Bucket(100, 2),
            Bucket(250, 2),
            Bucket(500, 5),
            Bucket(1_000, 5),
            Bucket(None, 5),
        ]
        assert [(b.most, b.count) for b in bins(buckets)] == [(100, 2), (250, 0), (500, 3)]
        assert bins([Bucket(50, 0), Bucket(None, 3)])[0].title == "longer"
        assert bins([]) == []

    def test_durations_in_words(self):
        assert [took(ms) for ms in (None, 12, 1_540, 125_000)] == ["—", "12 ms", "1.5 sec", "2 min"]
        point = Point("2026-11-20T10:00:00.000Z", 10, "ok")
        assert runs_words([point]) == "1 run, 0 failed; the last one took 10 ms"
        assert runs_words([]) == "No run yet"
