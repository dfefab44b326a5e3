"""The page Reports: digests, reports, templates and mails over a real tower; made, read, changed, saved."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget

from ctower_desktop.gui import text
from ctower_desktop.gui.asking import FieldsDialog
from ctower_desktop.gui.pages.reports import ReportsPage
from ctower_desktop.gui.reports_document import pdf_of
from ctower_desktop.gui.widgets import Label
from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.reports.digest_actions import generate_daily_digest, generate_weekly_digest
from ctower_desktop.reports.model import (
    GenerateDaily,
    GenerateReport,
    GenerateWeekly,
    ListReports,
)
from ctower_desktop.reports.report_actions import generate_report, list_report_templates, list_reports
from tests.gui.conftest import until
from tests.gui.pages.conftest import fill


async def filled(stage) -> None:
    """Digests of two days and a week, and a report."""
    await fill(stage)
    call = stage.call
    await generate_daily_digest(call(), GenerateDaily())
    await generate_daily_digest(call(), GenerateDaily(digest_date="2026-11-19"))
    await generate_weekly_digest(call(), GenerateWeekly())
    template = (await list_report_templates(call())).templates[0]
    await generate_report(call(), GenerateReport(template_id=template.id))


async def opened(stage) -> ReportsPage:
    page = stage.show(ReportsPage)
    await until(lambda: page.look_at("days").listing.model.rows or page.look_at("days").listing.state)
    return page


async def turned(page, name):
    page.turn_to(name)
    shelf = page.look_at(name)
    await until(lambda: shelf.listing.model.rows or shelf.listing.state)
    return shelf


def written(page) -> str:
    return page.document.sheet.toPlainText()


def test_a_digest_is_read_as_text_and_nothing_in_it_is_markup(on_stage):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        assert [row.digest_date for row in page.look_at("days").listing.model.rows] == [
            "2026-11-20",
            "2026-11-19",
        ]
        await until(lambda: "Пришлите счёт" in written(page))
        assert "<img src=x>" in written(page)
        assert "cwmsg:" not in written(page), "ids are for programs"
        shelf = await turned(page, "weeks")
        assert len(shelf.listing.model.rows) == 1
        await until(lambda: page.document.heading.text().startswith("Digest of the week 16 November 2026"))

    on_stage(body)


def test_a_digest_is_made_and_stands_in_front(on_stage):
    async def body(stage):
        await fill(stage)
        page = await opened(stage)
        assert "No digests yet" in _words(page.look_at("days").listing.state)
        page.make.click()
        await until(lambda: page.look_at("days").listing.model.rows)
        await until(lambda: "Пришлите счёт" in written(page))
        dialog = page.maker.ask_past()
        dialog.editors["digest_date"].setText("18.11.2026")
        dialog.send()
        await until(lambda: len(page.look_at("days").listing.model.rows) == 2)
        dialog = page.maker.ask_past()
        dialog.editors["digest_date"].setText("2027-01-01")
        dialog.send()
        await until(lambda: "not come yet" in dialog.problem.text())
        dialog.reject()

    on_stage(body)


def test_a_report_is_made_of_a_template_and_saved_in_every_form(on_stage, tmp_path):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        shelf = await turned(page, "templates")
        said = {t.name: shelf.columns[1].text(t) for t in shelf.listing.model.rows}
        assert said["Weekly Summary"] == "on Mondays at 09:00"
        assert said["Connector Status"] == "every 6 hours"
        page.template.make.click()
        await until(lambda: page.findChild(FieldsDialog))
        dialog = page.findChild(FieldsDialog)
        dialog.send()
        await until(lambda: len(page.look_at("reports").listing.model.rows) == 2)
        await until(lambda: page.document.sheet.toPlainText() and page.tabs.value == "reports")
        assert page.document.buttons["csv"].isVisible()
        for form, begins in (
            ("pdf", b"%PDF"),
            ("html", b"<!doctype"),
            ("md", b"# "),
            ("csv", b"\xef\xbb\xbf"),
        ):
            page.document.save(form)
            await until(lambda: page.findChild(QFileDialog))
            dialog = page.findChild(QFileDialog)
            place = tmp_path / f"report.{form}"
            dialog.fileSelected.emit(str(place))
            dialog.reject()
            await until(lambda place=place: place.exists() and place.stat().st_size)
            await until(lambda: page.findChild(QFileDialog) is None)
            assert place.read_bytes().startswith(begins), form

    on_stage(body)


def test_a_template_is_changed_in_place_and_taken_back(on_stage):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        shelf = await turned(page, "templates")
        pane = page.template
        await until(lambda: pane.template is not None)
        shelf.listing.choose(next(t.id for t in shelf.listing.model.rows if t.name == "Weekly Summary"))
        shelf.listing.opened.emit(shelf.listing.front)
        await until(lambda: pane.template.name == "Weekly Summary")
        pane.kind.entered.emit("daily")
        await until(lambda: pane.template.schedule == "0 9 * * *")
        assert "every day at 09:00" in pane.next.text()
        pane.time.entered.emit("18:30")
        await until(lambda: pane.template.schedule == "30 18 * * *")
        stage.commands.run("undo")
        await until(lambda: pane.template.schedule == "0 9 * * *")
        pane.sections["error_summary"].click()
        await until(lambda: "error_summary" in pane.template.sections)
        pane.fields.entered.emit("not a schedule")
        await until(stage.bar.isVisible)
        assert pane.template.schedule == "0 9 * * *"
        pane.active.click()
        await until(lambda: not pane.template.active)
        await until(lambda: shelf.columns[1].text(shelf.listing.front) == "switched off")

    on_stage(body)


def test_a_template_of_ones_own_is_added_and_deleted_and_both_are_taken_back(on_stage):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        shelf = await turned(page, "templates")
        page.make.click()
        dialog = page.findChild(FieldsDialog)
        dialog.editors["name"].setText("Для Анны")
        dialog.send()
        await until(lambda: page.template.template is not None and page.template.template.name == "Для Анны")
        assert len(shelf.listing.model.rows) == 4
        page.template.delete.click()
        await until(lambda: len(shelf.listing.model.rows) == 3)
        stage.commands.run("undo")
        await until(lambda: len(shelf.listing.model.rows) == 4)

    on_stage(body)


def test_a_failed_report_says_why_and_is_made_again(on_stage):
    async def body(stage):
        await filled(stage)
        template = (await list_report_templates(stage.call())).templates[0]
        await stage.add(
            "generated_report", id="6a000000-0000-4000-8000-000000000001", template_id=template.id,
            template_name=template.name, date_range_start="2026-11-13", date_range_end="2026-11-20",
            format="html", status="failed", error="The disk was full.", created_at="2026-11-20T09:59:00.000Z",
        )  # fmt: skip
        page = await opened(stage)
        shelf = await turned(page, "reports")
        shelf.chips.choose("failed")
        await until(lambda: [row.status for row in shelf.listing.model.rows] == ["failed"])
        await until(
            lambda: page.document.state is not None and "disk was full" in _words(page.document.state)
        )
        page.maker.again(shelf.listing.model.rows[0])
        await until(lambda: len(shelf.listing.model.rows) == 3)
        assert len((await list_reports(stage.call(), ListReports())).reports) == 3

    on_stage(body)


def test_mails_tell_what_became_of_them(on_stage):
    async def body(stage):
        await filled(stage)
        at = "2026-11-20T08:00:00.000Z"
        await stage.add(
            "digest_mail", id="m1", kind="daily_plan", due_date="2026-11-20", recipient="anna@north.example",
            status="uncertain", created_at=at, updated_at=at,
        )  # fmt: skip
        page = await opened(stage)
        await turned(page, "mails")
        await until(
            lambda: page.document.state is not None and "not sent again" in _words(page.document.state)
        )

    on_stage(body)


def test_search_empty_states_failure_and_no_project(on_stage, monkeypatch):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        page.look_at("days").search.setText("there is no such day")
        await until(lambda: page.look_at("days").listing.state is not None)
        assert "Nothing fits" in _words(page.look_at("days").listing.state)
        page.look_at("days").show_all()
        await until(
            lambda: page.look_at("days").listing.model.rows and page.look_at("days").listing.state is None
        )

        async def broken(*_args):
            raise StorageFailure("The database does not answer.")

        monkeypatch.setattr("ctower_desktop.gui.reports_lists.list_weekly_digests", broken)
        await turned(page, "weeks")
        assert "could not be read" in _words(page.look_at("weeks").listing.state)

    on_stage(body)

    async def bare(stage):
        page = await opened(stage)
        assert "No project yet" in _words(page.look_at("days").listing.state)
        assert not page.make.isVisible()

    on_stage(bare, project=False)


def test_keys_turn_and_make(on_stage):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        await until(lambda: page.window().activateWindow() or page.window().isActiveWindow())
        QTest.keyClick(page.look_at("days").listing.view, Qt.Key.Key_3)
        await until(lambda: page.look_at("reports").listing.model.rows)
        QTest.keyClick(page.look_at("reports").listing.view, Qt.Key.Key_1)
        QTest.keyClick(page.look_at("days").listing.view, Qt.Key.Key_N)
        await until(lambda: stage.toasts)

    on_stage(body)


def test_it_follows_what_happens(on_stage):
    async def body(stage):
        await filled(stage)
        page = await opened(stage)
        await generate_daily_digest(stage.call(), GenerateDaily(digest_date="2026-11-10"))
        await until(lambda: len(page.look_at("days").listing.model.rows) == 3)

    on_stage(body)


def test_a_long_document_goes_on_another_page(qapp):
    told = "# Отчёт\n\n" + "\n\n".join(f"Строка {n} с русскими словами." for n in range(200))
    content = pdf_of(told, "Отчёт")
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") >= 3


@pytest.mark.parametrize("language", ["en", "ru"])
def test_whatever_takes_the_focus_has_a_name(on_stage, language):
    async def body(stage):
        text.set_language(language)
        await filled(stage)
        page = await opened(stage)
        for name in page.names:
            await turned(page, name)
            nameless = [
                widget
                for widget in page.findChildren(QWidget)
                if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
                and widget.isVisible()
                and not widget.accessibleName()
                and not isinstance(widget, QLabel)
            ]
            assert nameless == [], name

    on_stage(body)


def _words(state) -> str:
    return " ".join(label.text() for label in state.findChildren(Label)) if state is not None else ""
