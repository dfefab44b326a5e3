"""Report templates, the reports made from them by hand and by schedule, and their documents."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import apsw
import msgspec
import pytest

from ctower_desktop.accounts import audit_store
from ctower_desktop.kernel.endpoint import Reply
from ctower_desktop.kernel.errors import InvalidUuid, Upstream
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.system import from_text
from ctower_desktop.operations import store as operations
from ctower_desktop.operations.scheduler import Scheduler
from ctower_desktop.reports import report_store, sections
from ctower_desktop.reports.jobs import Rescheduler, generate_reports
from ctower_desktop.reports.model import (
    GenerateReport,
    InvalidDateFormat,
    ListReports,
    PutTemplate,
    ReadDocument,
    ReportGenerationFailed,
    ReportNotFound,
    ReportNotReady,
    TemplateBuiltin,
    TemplateIdRequired,
    TemplateInvalid,
    TemplateNameTaken,
    TemplateNotFound,
)
from ctower_desktop.reports.report_actions import (
    delete_report_template,
    generate_report,
    list_report_templates,
    list_reports,
    put_report_template,
    read_report,
    show_report,
)

# the clock stands at Friday, 20 November 2026, 10:00 UTC: 13:00 in Moscow

ALL = ["summary_stats", "connector_health", "project_activity", "embedding_coverage", "error_summary"]


async def put(call, **values):
    answer = await put_report_template(call, PutTemplate(**values))
    assert isinstance(answer, Reply)
    return answer.payload.template, answer.status


async def templates(call):
    return {one.name: one for one in (await list_report_templates(call)).templates}


async def made(call, template_id, **values):
    return (await generate_report(call, GenerateReport(template_id=template_id, **values))).report


async def listed(call, **values):
    return await list_reports(call, ListReports(**values))


class TestTemplates:
    async def test_a_project_begins_with_three_that_are_built_in(self, call):
        found = await templates(call)
        assert {name: (t.sections, t.schedule) for name, t in found.items()} == {
            "Connector Status": (["connector_health", "error_summary"], "0 */6 * * *"),
            "Project Health": (
                ["summary_stats", "project_activity", "embedding_coverage", "error_summary"], "0 8 * * *",
            ),
            "Weekly Summary": (["summary_stats", "connector_health", "project_activity"], "0 9 * * 1"),
        }  # fmt: skip
        assert list(found) == sorted(found)
        assert len(await templates(call)) == 3, "once"

    async def test_when_each_is_due_next_on_the_users_clock(self, call):
        found = await templates(call)
        assert found["Project Health"].next_run_at == "2026-11-21T05:00:00.000Z"
        assert found["Weekly Summary"].next_run_at == "2026-11-23T06:00:00.000Z"
        assert found["Connector Status"].next_run_at == "2026-11-20T15:00:00.000Z"

    async def test_one_of_ones_own(self, call):
        template, status = await put(call, name="Моё", sections=["error_summary"], schedule=" 5  4 * *  1 ")
        assert status == 201
        assert (template.schedule, template.format, template.active, template.builtin) == (
            "5 4 * * 1", "json", True, None,
        )  # fmt: skip
        changed, status = await put(call, id=template.id, active=False, description="Ошибки")
        assert status == 200
        assert (changed.name, changed.active, changed.description, changed.next_run_at) == (
            "Моё", False, "Ошибки", None,
        )  # fmt: skip
        assert len(await templates(call)) == 4

    async def test_making_and_changing_are_audited_by_their_names(self, call, tower):
        template, _ = await put(call, name="Моё", sections=["error_summary"])
        await put(call, id=template.id, active=False)
        await delete_report_template(call, template.id)
        window = audit_store.Window(project_id=call.project_id, also_without=False, limit=10)
        lines = await tower.db.read(audit_store.listed, window)
        assert [(line.action, line.entity_id) for line in lines[:3]] == [
            (f"report_template.{what}", template.id) for what in ("delete", "update", "create")
        ]

    @pytest.mark.parametrize(
        ("values", "path"),
        [
            ({"sections": ["error_summary"]}, "name"),
            ({"name": "x" * 201, "sections": ["error_summary"]}, "name"),
            ({"name": "x", "sections": []}, "sections"),
            ({"name": "x"}, "sections"),
            ({"name": "x", "sections": ["nonsense"]}, "sections"),
            ({"name": "x", "sections": ["error_summary"], "format": "pdf"}, "format"),
            ({"name": "x", "sections": ["error_summary"], "schedule": "every day"}, "schedule"),
            ({"name": "x", "sections": ["error_summary"], "schedule": "* * 31 2 *"}, "schedule"),
        ],
    )
    async def test_what_makes_no_sense_is_refused(self, call, values, path):
        with pytest.raises(TemplateInvalid) as refusal:
            await put(call, **values)
        assert [issue.path for issue in refusal.value.issues] == [path]

    async def test_names_are_taken_once(self, call):
        await put(call, name="Моё", sections=ALL)
        with pytest.raises(TemplateNameTaken):
            await put(call, name="Моё", sections=ALL)
        other, _ = await put(call, name="Другое", sections=ALL)
        with pytest.raises(TemplateNameTaken):
            await put(call, id=other.id, name="Weekly Summary")

    async def test_custom_ones_can_be_deleted_and_their_reports_stay(self, call):
        template, _ = await put(call, name="Моё", sections=["error_summary"])
        report = await made(call, template.id)
        assert (await delete_report_template(call, template.id)).deleted == template.id
        kept = (await read_report(call, report.id)).report
        assert (kept.template_id, kept.template_name, kept.data) == (None, "Моё", report.data)
        with pytest.raises(TemplateNotFound):
            await delete_report_template(call, template.id)
        with pytest.raises(TemplateBuiltin):
            await delete_report_template(call, (await templates(call))["Weekly Summary"].id)

    async def test_another_project_neither_sees_nor_changes_them(self, call, another):
        other, _ = await another()
        template, _ = await put(call, name="Моё", sections=ALL)
        assert "Моё" not in await templates(other)
        with pytest.raises(TemplateNotFound):
            await put(other, id=template.id, name="Чужое")
        with pytest.raises(TemplateNotFound):
            await delete_report_template(other, template.id)
        with pytest.raises(TemplateNotFound):
            await made(other, template.id)


class TestMaking:
    async def test_all_three_that_are_built_in_work(self, call, fill):
        """Fault absent: built-in reports query tables that do not exist."""
        talk = await fill.conversation(await fill.contact())
        await fill.message(talk, "Привет")
        for template in (await templates(call)).values():
            report = await made(call, template.id)
            assert (report.status, report.error) == ("completed", None)
            assert list(report.data["sections"]) == template.sections
            assert report.data["html"].startswith("<!doctype html>")

    async def test_every_section_holds_what_it_should(self, call, fill, tower):
        talk = await fill.conversation(await fill.contact())
        await fill.message(talk, "Вопрос", fill.ago(hours=5))
        await fill.message(talk, "Ответ", fill.ago(hours=4), incoming=False)
        await fill.message(talk, "Тайна", fill.ago(hours=4), incoming=False, private=1)
        await fill.message(talk, "Давно", fill.ago(days=9))
        await fill.issue(completed_at=fill.ago(days=1))
        await fill.issue(created_at=fill.ago(days=1), due_date="2026-11-19")
        await fill.deal("Сайт", "proposal", 10_000.0, probability=0.25)
        await fill.signal("Срыв", status="accepted")
        await fill.health(88.5, "2026-11-20")
        await fill.row(
            "sync_watermark", source="linear", cursor_ts="2026-11-20T09:00:00.000Z", cursor_id="i-1",
            updated_at="2026-11-20T09:01:00.000Z",
        )  # fmt: skip
        for number, (connector, when) in enumerate(
            (("linear", 1), ("linear", 2), ("attio", 3), ("attio", 20))
        ):
            await fill.row(
                "connector_error", connector=connector, mode="http", operation="pull", source_ref="x",
                error_kind="http", error_message="500", attempt=1, next_retry_at="x", status="pending",
                dedupe_key=str(number), created_at="x", updated_at=fill.ago(days=when),
            )  # fmt: skip
        for name, when in (("embeddings_run", 1), ("embeddings_run", 2), ("attio_sync", 12)):
            await fill.row(
                "job_run", job_name=name, status="failed", started_at=fill.ago(days=when),
                finished_at=fill.ago(days=when), error=f"broke {when}",
            )  # fmt: skip
        template, _ = await put(call, name="Всё", sections=ALL)
        found = (await made(call, template.id)).data["sections"]
        stats = found["summary_stats"]
        assert {k: stats[k] for k in ("total_messages", "inbound_messages", "outbound_messages",
                                      "unique_contacts")} == {
            "total_messages": 2, "inbound_messages": 1, "outbound_messages": 1, "unique_contacts": 1,
        }  # fmt: skip
        issues = [stats[f"{kind}_issues"] for kind in ("total", "completed", "open", "overdue")]
        assert issues == [2, 1, 1, 1]
        assert (stats["pipeline_amount"], stats["expected_revenue"], stats["open_opportunities"]) == (
            10_000.0, 2_500.0, 1,
        )  # fmt: skip
        assert (stats["currency"], stats["health_score"]) == ("EUR", 88.5)
        health = found["connector_health"]
        assert [w["source"] for w in health["watermarks"]] == ["linear"]
        assert [(e["connector"], e["error_count"]) for e in health["recent_errors_by_connector"]] == [
            ("linear", 2), ("attio", 1),
        ]  # fmt: skip
        activity = found["project_activity"]
        assert activity["messages_in_range"] == 2
        assert activity["issues"] == {"created_in_range": 1, "completed_in_range": 1}
        assert (activity["signals"]["total_signals"], activity["signals"]["accepted"]) == (1, 1)
        coverage = found["embedding_coverage"]
        assert coverage["coverage_pct"] == 100.0
        assert coverage["totals"]["total"] == 0
        errors = found["error_summary"]
        assert [(e["job_type"], e["error_count"], e["latest_error"]) for e in errors["job_errors"]] == [
            ("embeddings_run", 2, "broke 1")
        ]
        assert errors["connector_errors"] == health["recent_errors_by_connector"]

    async def test_the_last_seven_days_unless_said(self, call):
        template = (await templates(call))["Weekly Summary"]
        report = await made(call, template.id)
        assert (report.date_range_start, report.date_range_end) == ("2026-11-13", "2026-11-20")
        report = await made(call, template.id, date_start="2026-01-01", date_end="2026-02-01")
        assert report.data["date_range"] == {"start": "2026-01-01", "end": "2026-02-01"}

    async def test_what_is_refused(self, call):
        template = (await templates(call))["Weekly Summary"]
        for values, error in (
            ({}, TemplateIdRequired),
            ({"template_id": "x"}, InvalidUuid),
            ({"template_id": "00000000-0000-4000-8000-00000000dead"}, TemplateNotFound),
            ({"template_id": template.id, "date_start": "20.11.2026"}, InvalidDateFormat),
            (
                {"template_id": template.id, "date_start": "2026-11-21", "date_end": "2026-11-20"},
                InvalidDateFormat,
            ),
            ({"template_id": template.id, "date_start": "2020-01-01"}, InvalidDateFormat),
        ):
            with pytest.raises(error):
                await generate_report(call, GenerateReport(**values))
        assert (await listed(call)).total == 0

    @pytest.mark.logs_errors
    async def test_one_that_cannot_be_made_is_kept_with_the_reason(self, call, monkeypatch):
        async def broken(call, span):
            raise Upstream("the source is away")

        template, _ = await put(call, name="Моё", sections=["error_summary"])
        monkeypatch.setitem(sections.BUILDERS, "error_summary", broken)
        with pytest.raises(ReportGenerationFailed, match="the source is away"):
            await made(call, template.id)
        (line,) = (await listed(call, status="failed")).reports
        assert (line.status, line.error) == ("failed", "upstream_failed: the source is away")
        with pytest.raises(ReportNotReady):
            await show_report(call, line.id, ReadDocument())

    async def test_a_section_of_another_version_says_so(self, call, tower):
        template, _ = await put(call, name="Моё", sections=["error_summary"])

        def rename(db):
            db.execute("UPDATE report_template SET sections = '[\"weather\"]' WHERE id = ?", (template.id,))

        await tower.db.write(rename)
        report = await made(call, template.id)
        assert report.data["sections"] == {"weather": {"error": "unknown_section"}}
        text = (await show_report(call, report.id, ReadDocument(format="markdown"))).content.decode()
        assert "does not know this section" in text

    async def test_a_report_never_changes(self, call, fill, tower):
        template = (await templates(call))["Weekly Summary"]
        before = await made(call, template.id)
        await fill.issue()
        assert (await read_report(call, before.id)).report == before
        with pytest.raises(apsw.ConstraintError, match="never changes"):
            await tower.db.write(lambda db: db.execute("UPDATE generated_report SET data = '{}'"))


class TestListing:
    async def test_filters_and_pages(self, call, clock):
        found = await templates(call)
        for name in ("Weekly Summary", "Project Health", "Weekly Summary"):
            await made(call, found[name].id)
            clock.advance(86_400)
        everything = await listed(call)
        assert everything.total == 3
        assert [line.template_name for line in everything.reports] == [
            "Weekly Summary", "Project Health", "Weekly Summary",
        ]  # fmt: skip
        assert (await listed(call, template_id=found["Project Health"].id.upper())).total == 1
        assert (await listed(call, status="completed")).total == 3
        assert (await listed(call, status="nonsense")).total == 0
        assert (await listed(call, date_from="2026-11-21")).total == 2
        assert (await listed(call, date_to="2026-11-20")).total == 1
        assert (await listed(call, date_from="soon")).total == 3
        page = await listed(call, limit=1, offset=1)
        assert (page.total, [line.template_name for line in page.reports]) == (3, ["Project Health"])

    async def test_reports_of_another_project_are_not_there(self, call, another):
        other, _ = await another()
        report = await made(other, (await templates(other))["Weekly Summary"].id)
        assert (await listed(call)).total == 0
        with pytest.raises(ReportNotFound):
            await read_report(call, report.id)
        with pytest.raises(ReportNotFound):
            await show_report(call, report.id, ReadDocument())


class TestDocuments:
    async def test_as_a_page_a_table_and_text(self, call, fill, tower):
        await fill.row(
            "connector_error", connector="=linear", mode="http", operation="pull", source_ref="x",
            error_kind="http", error_message="500", attempt=1, next_retry_at="x", status="pending",
            dedupe_key="1", created_at="x", updated_at=fill.ago(days=1),
        )  # fmt: skip
        template, _ = await put(call, name="=Всё <b>", sections=ALL, format="html")
        report = await made(call, template.id)
        page = await show_report(call, report.id, ReadDocument(format="html"))
        assert page.content.decode() == report.data["html"]
        assert "=Всё &lt;b&gt;" in report.data["html"]
        await tower.settings.change(Regional, {"language": "ru"})
        assert (await show_report(call, report.id, ReadDocument())).content == page.content, "as it was made"
        table = await show_report(call, report.id, ReadDocument(format="csv"))
        assert table.media_type == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
        assert {"section": "summary_stats", "row": "", "field": "total_messages", "value": "0"} in rows
        assert [r["value"] for r in rows if r["field"] == "connector"] == ["'=linear", "'=linear"]
        text = (await show_report(call, report.id, ReadDocument(format="markdown"))).content.decode()
        assert text.startswith("# =Всё \\<b\\> · Кофейня «Север»")
        assert "## Сводка" in text

    async def test_of_a_report_without_a_page_of_its_own(self, call):
        template, _ = await put(call, name="Моё", sections=ALL)
        report = await made(call, template.id)
        assert "html" not in report.data
        page = (await show_report(call, report.id, ReadDocument())).content.decode()
        assert page.startswith("<!doctype html>")
        assert "Search index" in page

    async def test_every_figure_has_words(self, call, tower):
        """Nothing is shown by the name that programs use."""
        await tower.settings.change(Regional, {"language": "ru"})
        template, _ = await put(call, name="Моё", sections=ALL)
        report = await made(call, template.id)
        text = (await show_report(call, report.id, ReadDocument(format="markdown"))).content.decode()
        assert not [c for c in text if c.isascii() and c.isalpha()], text


class TestSchedule:
    async def run(self, call):
        found = await generate_reports(call)
        return found.completed, found.failed

    async def test_due_to_the_minute_and_once(self, call, clock):
        """Fault absent: minute fields other than the run minute never match."""
        assert await self.run(call) == ([], []), (
            "what was due before the templates were there is not made up for"
        )
        await put(call, name="Моё", sections=["error_summary"], schedule="17 13 * * *")
        clock.set(datetime(2026, 11, 20, 10, 16, 59, tzinfo=UTC))
        assert await self.run(call) == ([], [])
        clock.set(datetime(2026, 11, 20, 10, 17, tzinfo=UTC))
        assert await self.run(call) == (["Моё"], [])
        assert await self.run(call) == ([], [])
        (line,) = (await listed(call)).reports
        assert (line.date_range_start, line.date_range_end) == ("2026-11-19", "2026-11-20")

    async def test_what_was_missed_collapses_into_one(self, call, clock):
        await templates(call)
        clock.advance(21 * 86_400)
        completed, failed = await self.run(call)
        assert sorted(completed) == ["Connector Status", "Project Health", "Weekly Summary"]
        assert failed == []
        weekly = next(r for r in (await listed(call)).reports if r.template_name == "Weekly Summary")
        assert (weekly.date_range_start, weekly.date_range_end) == ("2026-11-30", "2026-12-07")

    async def test_the_job_runs_when_the_next_is_due(self, call, tower, clock):
        scheduler = await tower.part(Scheduler)
        detail = await scheduler.run_now(call.project_ref, "report_generation")
        assert detail.status == "ok"
        planned = (await tower.db.read(operations.found, call.project_id, "report_generation")).next_run_at
        assert from_text(planned) == clock.now() + timedelta(seconds=3_600), "nothing is due within the hour"
        await put(call, name="Моё", sections=["error_summary"], schedule="17 13 * * *")
        planned = (await tower.db.read(operations.found, call.project_id, "report_generation")).next_run_at
        assert from_text(planned) == clock.now(), "a new schedule is looked at"
        await scheduler.run_now(call.project_ref, "report_generation")
        planned = (await tower.db.read(operations.found, call.project_id, "report_generation")).next_run_at
        assert planned == "2026-11-20T10:17:00.000Z"

    async def test_a_changed_time_zone_is_planned_anew(self, call, tower, clock):
        scheduler = await tower.part(Scheduler)
        await scheduler.run_now(call.project_ref, "report_generation")
        await tower.settings.change(Regional, {"time_zone": "Asia/Tokyo"})
        await (await tower.part(Rescheduler)).settle()
        planned = (await tower.db.read(operations.found, call.project_id, "report_generation")).next_run_at
        assert from_text(planned) == clock.now()

    @pytest.mark.logs_errors
    async def test_one_that_fails_holds_up_no_other(self, call, clock, monkeypatch):
        async def broken(call, span):
            raise KeyError("bug")

        await templates(call)
        await put(call, name="Моё", sections=["embedding_coverage"], schedule="0 14 * * *")
        monkeypatch.setitem(sections.BUILDERS, "embedding_coverage", broken)
        clock.advance(86_400)
        completed, failed = await self.run(call)
        assert sorted(completed) == ["Connector Status"]
        assert sorted(failed) == ["Project Health", "Моё"]
        assert {line.error for line in (await listed(call, status="failed")).reports} == {"KeyError: 'bug'"}

    async def test_one_that_was_cut_off_is_given_up(self, call, tower, clock):
        template = (await templates(call))["Weekly Summary"]
        begun = report_store.Begun(
            "9d000000-0000-4000-8000-000000000001", "2026-11-13", "2026-11-20", clock.text()
        )
        await tower.db.write(report_store.begin, call.project_ref, template, begun)
        await self.run(call)
        assert (await listed(call, status="generating")).total == 1
        clock.advance(1_000)
        await self.run(call)
        (line,) = (await listed(call, status="failed")).reports
        assert "interrupted" in line.error

    async def test_a_switched_off_template_rests(self, call, clock):
        for template in (await templates(call)).values():
            await put(call, id=template.id, active=False)
        clock.advance(10 * 86_400)
        assert await self.run(call) == ([], [])
        assert msgspec.to_builtins(await generate_reports(call))["again_at"] is None
