"""A template of reports: its sections, its schedule in words, its form; every change can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.editing import Choice, InPlace, a_text
from ctower_desktop.gui.feedback import EmptyState, show_error
from ctower_desktop.gui.flow import FlowLayout
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.reports_schedule import (
    KINDS,
    Schedule,
    a_count,
    a_time,
    kind_words,
    schedule_of,
    weekday_words,
)
from ctower_desktop.gui.reports_words import format_words, section_sentence, section_words
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, when
from ctower_desktop.gui.undo import undoable
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, ToggleChip
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.reports.model import SECTIONS, PlannedTemplate, PutTemplate
from ctower_desktop.reports.report_actions import delete_report_template, put_report_template

_MOST_HOURS = 12
_WEEK = (1, 2, 3, 4, 5, 6, 0)


def whole(template: PlannedTemplate, *, as_new: bool = False) -> PutTemplate:
    """All of a template, to put it back as it was."""
    return PutTemplate(
        id=None if as_new else template.id,
        name=template.name,
        description=template.description,
        sections=template.sections,
        format=template.format,
        schedule=template.schedule,
        active=template.active,
    )


class TemplatePane(QFrame):
    """The template in front; `wanted` asks to make a report of it now."""

    wanted = Signal(object)

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self.template: PlannedTemplate | None = None
        self._plan = Schedule("never")
        self.setProperty("panel", True)
        self.setMinimumWidth(360)
        self.heading, self.next = Label("", "section", wrap=True), Label("", "meta", "text_2", wrap=True)
        self.name, self.about = InPlace(tr("Name"), a_text), InPlace(tr("What it is for"), a_text, long=True)
        self.sections = {name: ToggleChip(section_words(name)) for name in SECTIONS}
        self.kind = Choice(tr("By itself"), [(kind, kind_words(kind)) for kind in KINDS])
        self.weekday = Choice(tr("Day of the week"), [(str(n), weekday_words(n)) for n in _WEEK])
        self.time, self.day = InPlace(tr("Time"), a_time, hint="09:00"), InPlace(tr("Day"), a_count(31))
        self.hours, self.fields = (
            InPlace(tr("Hours"), a_count(_MOST_HOURS)),
            InPlace(tr("Five fields"), a_text),
        )
        self.form = Choice(tr("Kept as"), [("json", format_words("json")), ("html", format_words("html"))])
        self.active = ToggleChip(tr("Made by itself"))
        self.make, self.delete = PrimaryButton(tr("Make a report now…"), "M"), Button(tr("Delete"))
        self.state = EmptyState("no_data", tr("Templates open here"), tr("Choose one at the left."))
        self.stack = QStackedWidget()
        self._build()
        self._connect()
        self.rest()

    def _build(self) -> None:
        chips, bar = QWidget(), QWidget()
        chips.setLayout(FlowLayout(*self.sections.values(), spacing=6))
        chips.setAccessibleName(tr("Sections"))
        bar.setLayout(FlowLayout(self.make, self.active, self.delete))
        for name, chip in self.sections.items():
            chip.setToolTip(section_sentence(name))
            chip.setAccessibleDescription(section_sentence(name))
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        for part in (
            *(self.heading, self.next, bar, self.name, self.about, self.form),
            *(Label(tr("Sections"), "label"), chips, Label(tr("Schedule"), "label"), self.kind),
            *(self.weekday, self.day, self.time, self.hours, self.fields),
        ):
            column.addWidget(part)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setAccessibleName(tr("Template"))
        area.setWidget(inside)
        self.area = area
        self.stack.addWidget(area)
        self.stack.addWidget(self.state)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.addWidget(self.stack)

    def _connect(self) -> None:
        self.name.entered.connect(lambda name: self._put(name=name))
        self.about.entered.connect(lambda words: self._put(description=words or None))
        self.form.entered.connect(lambda form: self._put(format=form))
        self.active.clicked.connect(lambda on: self._put(active=on))
        for chip in self.sections.values():
            chip.clicked.connect(lambda _: self._sections())
        self.kind.entered.connect(lambda kind: self._schedule(kind=kind))
        self.weekday.entered.connect(lambda day: self._schedule(weekday=int(day)))
        self.time.entered.connect(lambda time: self._schedule(time=time))
        self.day.entered.connect(lambda day: self._schedule(day=day))
        self.hours.entered.connect(lambda hours: self._schedule(hours=hours))
        self.fields.entered.connect(lambda fields: self._put(schedule=fields or None))
        self.make.clicked.connect(self._make)
        self.delete.clicked.connect(self.remove)

    # -- showing

    def rest(self) -> None:
        """No template is open."""
        self.template = None
        self.stack.setCurrentWidget(self.state)

    def show_template(self, template: PlannedTemplate) -> None:
        """Show a template; what is being typed stays."""
        self.template = template
        self._plan = plan = schedule_of(template.schedule)
        now = self._page.tower.clock.now()
        self.heading.setText(template.name)
        due = tr("the next one {time}", time=when(template.next_run_at, now)) if template.next_run_at else ""
        self.next.setText(" · ".join(part for part in (plan.words, due) if part))
        self.name.show_value(template.name, template.name)
        self.about.show_value(template.description or "", template.description or "")
        self.form.show_value(template.format)
        self.active.setChecked(template.active)
        for name, chip in self.sections.items():
            chip.setChecked(name in template.sections)
        self.kind.show_value(plan.kind)
        self.weekday.show_value(str(plan.weekday))
        self.time.show_value(plan.time, plan.time)
        self.day.show_value(str(plan.day), str(plan.day))
        self.hours.show_value(str(plan.hours), str(plan.hours))
        self.fields.show_value(template.schedule or "", template.schedule or "")
        self.weekday.setVisible(plan.kind == "weekly")
        self.time.setVisible(plan.kind in ("daily", "workdays", "weekly", "monthly"))
        self.day.setVisible(plan.kind == "monthly")
        self.hours.setVisible(plan.kind == "hours")
        self.fields.setVisible(plan.kind == "own")
        self.delete.setVisible(template.builtin is None)
        self.stack.setCurrentWidget(self.area)

    # -- changing

    def _sections(self) -> None:
        chosen = [name for name, chip in self.sections.items() if chip.isChecked()]
        if chosen:
            self._put(sections=chosen)
        elif self.template is not None:
            show_error(self, TowerError(tr("A report has at least one section.")))
            self.show_template(self.template)

    def _schedule(self, **parts: Any) -> None:
        if parts.get("kind") == "own":  # nothing changes before other fields are typed
            self.fields.show()
            self.fields.begin()
            return
        plan = replace(self._plan, **parts)
        if self.template is not None and plan.cron != self.template.schedule:
            self._put(schedule=plan.cron)

    def _put(self, **changes: Any) -> None:
        before = self.template
        if before is None:
            return
        body = PutTemplate(id=before.id, **changes)
        start(
            self,
            put_report_template(self._page.call(), body),
            lambda _: undoable(
                self._page, tr("Template changed: {name}", name=before.name), self._back(before)
            ),
            partial(self._refused, before),
        )

    def _back(self, before: PlannedTemplate) -> Callable[[], Any]:
        return lambda: _awaited(put_report_template(self._page.call(), whole(before)))

    def _refused(self, before: PlannedTemplate, error: TowerError) -> None:
        self.show_template(before)
        show_error(self, error)

    def remove(self) -> None:
        """Delete the template; taken back, it is there again without its old reports."""
        before = self.template
        if before is None or before.builtin is not None:
            return

        def back() -> Any:
            return _awaited(put_report_template(self._page.call(), whole(before, as_new=True)))

        start(
            self,
            delete_report_template(self._page.call(), before.id),
            lambda _: undoable(self._page, tr("Template deleted: {name}", name=before.name), back),
        )

    def _make(self) -> None:
        if self.template is not None:
            self.wanted.emit(self.template)


async def _awaited(work: Any) -> object:
    return await work
