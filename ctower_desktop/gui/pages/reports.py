"""Reports: digests of days and weeks, reports with their documents, templates with schedules, mails."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Literal

from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.export import Format, Sheet, export_button, export_sheet
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import EmptyState
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.reports_document import DocumentPane
from ctower_desktop.gui.reports_lists import (
    Shelf,
    days_shelf,
    mails_shelf,
    reports_shelf,
    templates_shelf,
    weeks_shelf,
)
from ctower_desktop.gui.reports_making import Maker
from ctower_desktop.gui.reports_template import TemplatePane
from ctower_desktop.gui.reports_words import day_of, mail_kind_words, mail_status_words, range_of, week_of
from ctower_desktop.gui.text import tr, when
from ctower_desktop.gui.widgets import PrimaryButton, row
from ctower_desktop.kernel.endpoint import Text
from ctower_desktop.reports.digest_actions import (
    show_daily_digest,
    show_weekly_digest,
)
from ctower_desktop.reports.model import (
    DailyDigest,
    Mail,
    PlannedTemplate,
    ReadDocument,
    ReportLine,
    WeeklyDigest,
)
from ctower_desktop.reports.report_actions import (
    show_report,
)

_TABLES = {"daily_digest", "weekly_digest", "generated_report", "report_template", "digest_mail", "settings"}
_FIRST_SECTIONS = ["summary_stats", "project_activity"]


class ReportsPage(Page):
    """Five lists; a document or a template beside them."""

    id = "reports"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self.maker = Maker(self, self._made)
        self.names = {
            "days": tr("Days"),
            "weeks": tr("Weeks"),
            "reports": tr("Reports"),
            "templates": tr("Templates"),
            "mails": tr("Mails"),
        }
        self.shelves: dict[str, Shelf] = {}  # built when they are first looked at
        self.tabs = Chips(tr("View"), list(self.names.items()))
        self.make = PrimaryButton("")
        self._lists, self._panes = QStackedWidget(), QStackedWidget()
        self._read: set[str] = set()
        self._build()
        follow(self, self.tower, _TABLES, self.refresh)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Reports")

    @property
    def shelf(self) -> Shelf:
        """The list in front."""
        return self.look_at(self.tabs.value)

    def look_at(self, name: str) -> Shelf:
        """A list, built when it is first looked at."""
        if name not in self.shelves:
            maker, settings = self.maker, partial(self.context.open_page, "settings")
            makers: dict[str, Callable[[], Shelf]] = {
                "days": lambda: days_shelf(self, maker.make_day),
                "weeks": lambda: weeks_shelf(self, maker.make_week),
                "reports": lambda: reports_shelf(self, maker.ask_report),
                "templates": lambda: templates_shelf(self, maker.ask_template),
                "mails": lambda: mails_shelf(self, settings),
            }
            shelf = self.shelves[name] = makers[name]()
            self._lists.addWidget(shelf)
            shelf.listing.opened.connect(self._open)
            shelf.listing.shown.connect(partial(self._shown, shelf))
        return self.shelves[name]

    @cached_property
    def document(self) -> DocumentPane:
        """The pane of documents."""
        found = DocumentPane(self)
        self._panes.addWidget(found)
        return found

    @cached_property
    def template(self) -> TemplatePane:
        """The pane of templates."""
        found = TemplatePane(self)
        found.wanted.connect(self.maker.ask_report)
        self._panes.addWidget(found)
        return found

    def _build(self) -> None:
        self.tabs.changed.connect(self._turn)
        self.make.clicked.connect(self.make_one)
        split = QSplitter()
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self._lists)
        split.addWidget(self._panes)
        split.setSizes([440, 600])
        split.setStretchFactor(1, 1)
        top = row(self.tabs, self.make)
        top.setStretch(0, 1)
        top.setContentsMargins(16, 10, 16, 4)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(split, 1)

    # -- reading

    def activate(self) -> None:
        """Read the list in front, and begin there."""
        self._turn()

    def project_changed(self) -> None:
        """Nothing of the project before stays on screen."""
        self._read.clear()
        for name in ("document", "template"):
            if name in self.__dict__:
                getattr(self, name).rest()
        for shelf in self.shelves.values():
            shelf.listing.choose("")
        if self.isVisible():
            self._turn()

    def refresh(self) -> None:
        """Read the list in front again."""
        self._read &= {self.tabs.value}
        self.shelf.listing.refresh()

    def turn_to(self, name: str) -> None:
        """Bring a list to the front."""
        if not self.isVisible():
            self.context.open_page(self.id)
        self.tabs.choose(name)

    def _turn(self) -> None:
        name = self.tabs.value
        self._lists.setCurrentWidget(self.shelf)
        self._panes.setCurrentWidget(self.template if name == "templates" else self.document)
        words = {
            "days": tr("Make today's digest"),
            "weeks": tr("Make this week's digest"),
            "reports": tr("Make a report…"),
            "templates": tr("New template…"),
        }
        self.make.setVisible(name in words and self.context.has_project())
        self.make.setText(words.get(name, ""))
        self.make.setAccessibleName(words.get(name, ""))
        if name in self._read:
            self.shelf.listing.refresh()
        else:
            self._read.add(name)
            self.shelf.listing.start_over()
        self.shelf.listing.view.setFocus()

    def _shown(self, shelf: Shelf) -> None:
        """What is in front stands beside the list; the first one if none is."""
        if shelf is not self.shelf:
            return
        listing = shelf.listing
        if listing.front is None and listing.model.rows:
            listing.view.selectRow(0)
        if listing.front is not None:
            self._open(listing.front)
        elif self.tabs.value == "templates":
            self.template.rest()
        else:
            self.document.rest()

    def _open(self, found: Any) -> None:
        now = self.tower.clock.now()
        match found:
            case PlannedTemplate():
                self.template.show_template(found)
            case DailyDigest():
                made = tr("made {time}", time=when(found.updated_at, now))
                self.document.show_document(
                    tr("Digest of {day}", day=day_of(found.digest_date)), made,
                    partial(self._document, show_daily_digest, found.id), table=False,
                )  # fmt: skip
            case WeeklyDigest():
                made = tr("made {time}", time=when(found.updated_at, now))
                self.document.show_document(
                    tr("Digest of the week {days}", days=week_of(found.week_start)), made,
                    partial(self._document, show_weekly_digest, found.id), table=False,
                )  # fmt: skip
            case ReportLine():
                self._open_report(found)
            case Mail():
                self._open_mail(found)

    def _open_report(self, found: ReportLine) -> None:
        name = f"{found.template_name} · {range_of(found.date_range_start, found.date_range_end)}"
        if found.status == "failed":
            again = partial(self.maker.again, found)
            title = tr("This report could not be made")
            self.document.show_state(
                EmptyState("failed", title, found.error or "", tr("Make it again"), again)
            )
        elif found.status == "completed":
            made = tr(
                "made {time}; its figures stay as they were",
                time=when(found.created_at, self.tower.clock.now()),
            )
            read = partial(self._document, show_report, found.id)
            self.document.show_document(name, made, read, table=True)
        else:
            self.document.show_state(EmptyState("no_data", name, tr("It is being made.")))

    def _open_mail(self, found: Mail) -> None:
        title = tr("{kind}: {state}", kind=mail_kind_words(found.kind), state=mail_status_words(found))
        known = {
            "sent": tr("It was handed to the mail server."),
            "sending": tr("It is being handed to the mail server."),
            "uncertain": tr("The program ended while it was sent; it is not sent again by itself."),
        }
        words = " ".join(part for part in (known.get(found.status, ""), found.detail) if part)
        kind: Literal["no_data", "failed"] = (
            "failed" if found.status in ("failed", "uncertain") else "no_data"
        )
        way = partial(self.context.open_page, "settings")
        self.document.show_state(EmptyState(kind, title, words, tr("Open the settings"), way))

    async def _document(self, action: Any, found_id: str, form: str) -> Text:
        found: Text = await action(self.call(), found_id, ReadDocument(format=form))
        return found

    # -- making

    def make_one(self) -> None:
        """What the list in front is a list of."""
        makers = {
            "days": self.maker.make_day,
            "weeks": self.maker.make_week,
            "reports": self.maker.ask_report,
            "templates": self.maker.ask_template,
        }
        maker = makers.get(self.tabs.value)
        if maker is not None and self.context.has_project():
            maker()

    def _made(self, name: str, found_id: str, said: str) -> None:
        if said:
            self.context.toast(said)
        self.turn_to(name)
        shelf = self.look_at(name)
        shelf.show_all()
        shelf.listing.choose(found_id)

    # -- commands

    def commands(self) -> list[Command]:
        """What one can do here; bare letters and figures work while the page is in front."""
        views = [
            Command(
                f"reports.{name}", tr("Reports: {view}", view=title), partial(self.turn_to, name),
                str(place), name, within=self,
            )
            for place, (name, title) in enumerate(self.names.items(), 1)
        ]  # fmt: skip
        return [
            *views,
            Command("reports.make", tr("Reports: make one now"), self.make_one, "N", "generate", within=self),
            Command(
                "reports.past", tr("Reports: digest of another day…"), self.maker.ask_past, "", "daily день"
            ),
            Command(
                "reports.report",
                tr("Reports: make a report…"),
                self.maker.ask_report,
                "M",
                "report",
                within=self,
            ),
            Command("reports.pdf", tr("Reports: save as PDF…"), partial(self._save, "pdf"), "P", within=self),
            Command("reports.md", tr("Reports: save as Markdown…"), partial(self._save, "md")),
            Command("reports.html", tr("Reports: save as a page…"), partial(self._save, "html")),
            Command("reports.search", tr("Reports: search"), self._search, "/", "find найти", within=self),
            Command("reports.csv", tr("Reports: export the list (CSV)"), partial(self._export, "csv")),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        return [export_button(self, self.id, self._sheet)]

    async def _sheet(self) -> Sheet:
        return await self.shelf.sheet()

    def _export(self, form: Literal["csv", "md"]) -> None:
        export_sheet(self, self.id, form, self._sheet)

    def _save(self, form: Format) -> None:
        if self.tabs.value != "templates":
            self.document.save(form)

    def _search(self) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        self.shelf.search.setFocus()
        self.shelf.search.selectAll()
