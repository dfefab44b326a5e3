"""Making digests, reports and templates: at once, or after asking which."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.editing import a_day
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.undo import undoable
from ctower_desktop.kernel.regional import Regional, local
from ctower_desktop.reports.digest_actions import generate_daily_digest, generate_weekly_digest
from ctower_desktop.reports.model import (
    GenerateDaily,
    GenerateReport,
    GenerateWeekly,
    PlannedTemplate,
    PutTemplate,
    ReportLine,
)
from ctower_desktop.reports.report_actions import (
    delete_report_template,
    generate_report,
    list_report_templates,
    put_report_template,
)

_FIRST_SECTIONS = ["summary_stats", "project_activity"]


class Maker:
    """Makes for a page; `made` is told the list, the id and what to say of it."""

    def __init__(self, page: Page, made: Callable[[str, str, str], None]) -> None:
        self._page, self._made = page, made

    def make_day(self) -> None:
        """Make the digest of today, or make it anew."""
        start(
            self._page,
            generate_daily_digest(self._page.call(), GenerateDaily()),
            lambda made: self._made("days", made.id, tr("Made.")),
        )

    def make_week(self) -> None:
        """Make the digest of this week, or make it anew."""
        start(
            self._page,
            generate_weekly_digest(self._page.call(), GenerateWeekly()),
            lambda made: self._made("weeks", made.id, tr("Made.")),
        )

    def ask_past(self) -> FieldsDialog:
        """Ask for a day gone by and make its digest."""
        dialog = FieldsDialog(
            self._page,
            tr("Digest of another day"),
            [Field("digest_date", tr("Day"), self._today().isoformat(), a_day, hint="2026-11-30")],
            GenerateDaily,
            send=lambda body: generate_daily_digest(self._page.call(), body),
            then=lambda made: self._made("days", made.id, tr("Made.")),
            does=tr("Make it"),
        )
        dialog.open()
        return dialog

    def ask_report(self, template: PlannedTemplate | None = None) -> None:
        """Ask which template and which days, and make a report."""
        if self._page.context.has_project():
            work = list_report_templates(self._page.call())
            chosen = template.id if isinstance(template, PlannedTemplate) else ""
            start(self._page, work, lambda found: self.report_dialog(found.templates, chosen).open())

    def report_dialog(self, templates: list[PlannedTemplate], chosen: str) -> FieldsDialog:
        """The question which report to make."""
        today = self._today()
        return FieldsDialog(
            self._page,
            tr("Make a report"),
            [
                Field("template_id", tr("Template"), chosen, choices=[(t.id, t.name) for t in templates]),
                Field("date_start", tr("From"), (today - timedelta(days=7)).isoformat(), a_day),
                Field("date_end", tr("Up to"), today.isoformat(), a_day),
            ],
            GenerateReport,
            send=lambda body: generate_report(self._page.call(), body),
            then=lambda made: self._made("reports", made.report.id, tr("Made.")),
            does=tr("Make it"),
        )

    def again(self, line: ReportLine) -> None:
        """Make a report that failed once more, over the same days."""
        body = GenerateReport(
            template_id=line.template_id, date_start=line.date_range_start, date_end=line.date_range_end
        )
        start(
            self._page,
            generate_report(self._page.call(), body),
            lambda made: self._made("reports", made.report.id, tr("Made.")),
        )

    def ask_template(self) -> None:
        """Ask for a name and begin a template."""
        if not self._page.context.has_project():
            return

        async def send(body: PutTemplate) -> Any:
            given = PutTemplate(name=body.name, sections=_FIRST_SECTIONS, format="html")
            return await put_report_template(self._page.call(), given)

        FieldsDialog(
            self._page,
            tr("New template"),
            [Field("name", tr("Name"))],
            PutTemplate,
            send=send,
            then=lambda reply: self._began(reply.payload.template),
            does=tr("Begin"),
            about=tr("Choose its sections and its schedule afterwards."),
        ).open()

    def _began(self, template: PlannedTemplate) -> None:
        async def back() -> object:
            return await delete_report_template(self._page.call(), template.id)

        undoable(self._page, tr("Template added: {name}", name=template.name), back)
        self._made("templates", template.id, "")

    def _today(self) -> date:
        tower = self._page.tower
        return local(tower.clock.now(), tower.settings.get(Regional)).date()
