"""Portfolio: all projects at a glance, charts, messages, agreements, risks, money, offers; figures open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Literal

from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ctower_desktop.connectors.connecting import list_connections
from ctower_desktop.gui.chips import Chips
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.detail import Target
from ctower_desktop.gui.export import Sheet, export_button, export_sheet
from ctower_desktop.gui.feed import follow
from ctower_desktop.gui.feedback import EmptyState, plain_words
from ctower_desktop.gui.page import Page, WindowContext
from ctower_desktop.gui.portfolio_charts import Picture
from ctower_desktop.gui.portfolio_drill import Drill, Figure, agreement_target
from ctower_desktop.gui.portfolio_lists import (
    PROJECT_FIGURES,
    MessagesList,
    agreements_list,
    projects_list,
    risks_list,
)
from ctower_desktop.gui.portfolio_pane import DrillPane
from ctower_desktop.gui.portfolio_read import read_overview
from ctower_desktop.gui.portfolio_records import (
    finance_drill,
    offer_drill,
    policy_drill,
    project_drill,
    risk_drill,
    upsell_drill,
)
from ctower_desktop.gui.portfolio_views import Dashboard, Money, Offers
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr, trn
from ctower_desktop.gui.widgets import Button
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Desktop, ProjectRef
from ctower_desktop.reports.overview_store import TABLES
from ctower_desktop.reports.portfolio import AgreementCard, MessageCard, Overview, ProjectRow, TalkMessage


class PortfolioPage(Page):
    """Seven views of one overview, and the pane with what a figure rests on."""

    id = "portfolio"

    def __init__(self, context: WindowContext) -> None:
        super().__init__(context)
        self.overview: Overview | None = None
        self.only: set[str] = set()
        self._stale: set[str] = set()
        self._task: asyncio.Task[Any] | None = None
        self.names = {
            "projects": tr("Projects"),
            "dashboard": tr("Dashboard"),
            "messages": tr("Messages"),
            "agreements": tr("Agreements"),
            "risks": tr("Risks"),
            "finances": tr("Finances"),
            "offers": tr("Offers"),
        }
        self.views: dict[str, Any] = {}  # built when they are first looked at
        self.tabs = Chips(tr("View"), list(self.names.items()))
        self.narrow, self.widen = Button(tr("Only the chosen")), Button("")
        self.state: EmptyState | None = None
        self._stack, self._split = QStackedWidget(), QSplitter()
        self._build()
        follow(self, self.tower, set(TABLES), self.refresh)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Portfolio")

    # -- building

    def _build(self) -> None:
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._stack)
        self._split.setStretchFactor(0, 1)
        top = QHBoxLayout()
        top.setContentsMargins(16, 10, 16, 4)
        top.addWidget(self.tabs, 1)
        top.addWidget(self.narrow)
        top.addWidget(self.widen)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(self._split, 1)
        self.tabs.changed.connect(self._turn)
        self.narrow.clicked.connect(self._narrow)
        self.widen.clicked.connect(lambda: self.keep_only(set()))
        for button in (self.narrow, self.widen):
            button.hide()

    @cached_property
    def pane(self) -> DrillPane:
        """The pane with what a figure rests on."""
        found = DrillPane(self)
        found.hide()
        found.closed.connect(self._focus)
        self._split.addWidget(found)
        self._split.setSizes([640, 420])
        return found

    def look_at(self, name: str) -> Any:
        """A view, built when it is first looked at."""
        if name not in self.views:
            now = self.tower.clock.now
            makers: dict[str, Callable[[], Any]] = {
                "projects": projects_list,
                "dashboard": Dashboard,
                "messages": lambda: MessagesList(self),
                "agreements": lambda: agreements_list(now),
                "risks": lambda: risks_list(now),
                "finances": Money,
                "offers": lambda: Offers(now),
            }
            found = self.views[name] = makers[name]()
            self._stack.addWidget(found)
            self._connect(name, found)
        return self.views[name]

    def _connect(self, name: str, view: Any) -> None:
        match name:
            case "projects":
                view.listing.marked.connect(lambda _: self._show_scope())
                view.picked.connect(self._pick_project)
            case "dashboard":
                view.asked.connect(self._pick_point)
                view.figure_asked.connect(lambda figure: self.open_figure(figure))
            case "messages":
                view.picked.connect(lambda row, _: self._pick_message(row))
            case "agreements":
                view.picked.connect(lambda row, _: self._pick_agreement(row))
            case "risks":
                view.picked.connect(lambda row, _: self._read(partial(self._in, row, risk_drill)))
            case "finances":
                view.asked.connect(self._pick_point)
                view.row_picked.connect(lambda row: self._drill(finance_drill, row))
            case "offers":
                lists = view.lists
                lists["upsell"].picked.connect(
                    lambda row, _: self._read(partial(self._in, row, upsell_drill))
                )
                lists["offers"].picked.connect(lambda row, _: self._drill(offer_drill, row))
                lists["discounts"].picked.connect(lambda row, _: self._drill(policy_drill, row))

    # -- reading

    def activate(self) -> None:
        """Read everything; the view in front takes the focus."""
        self.refresh()
        self._focus()

    def project_changed(self) -> None:
        """Another account scope may be meant."""
        self.only.clear()
        self._forget()
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Read the overview again, and what is open beside it."""
        if self._task is not None:
            self._task.cancel()
        self._task = start(self, read_overview(self.call(), self.only), self._show, self._failed)
        if "pane" in self.__dict__:
            self.pane.refresh()

    def _forget(self) -> None:
        if "pane" in self.__dict__:
            self.pane.forget()

    def _show(self, found: Overview | None) -> None:
        self.overview = found
        if found is None:
            self._say(self._no_project())
            return
        self._say(None)
        self._stale = set(self.names)
        self._show_front()
        self._show_scope()
        if _is_bare(found):
            start(self, self._synced(), self._not_synced)

    def _show_front(self) -> None:
        """Give the view in front what was read; the others get it when they come to the front."""
        name = self.tabs.value
        if self.overview is not None and name in self._stale:
            self._stale.discard(name)
            self.view.show_overview(self.overview)

    async def _synced(self) -> bool:
        return any(one.last_success_at for one in (await list_connections(self.call())).connections)

    def _not_synced(self, synced: bool) -> None:  # noqa: FBT001 - the result of the question
        if not synced:
            title = tr("Nothing has come in yet")
            sentence = tr("Connect a source and sync it; then figures stand here.")
            way = partial(self.context.open_page, "connectors")
            self._say(EmptyState("not_synced", title, sentence, tr("Open connectors"), way))

    def _no_project(self) -> EmptyState:
        return EmptyState(
            "no_data",
            tr("No project yet"),
            tr("Everything here belongs to a project; open one first."),
            tr("New project…"),
            lambda: self.context.commands.run("project.new"),
        )

    def _failed(self, error: TowerError) -> None:
        title = tr("The portfolio could not be read")
        self._say(EmptyState("failed", title, plain_words(error), tr("Try again"), self.refresh))

    def _say(self, state: EmptyState | None) -> None:
        if self.state is not None:
            self._stack.removeWidget(self.state)
            self.state.deleteLater()
        self.state = state
        if state is not None:
            self._stack.addWidget(state)
        self._stack.setCurrentWidget(state or self.view)

    # -- views and scope

    @property
    def view(self) -> Any:
        """The view in front."""
        return self.look_at(self.tabs.value)

    def turn_to(self, name: str) -> None:
        """Bring a view to the front."""
        if not self.isVisible():
            self.context.open_page(self.id)
        self.tabs.choose(name)

    def _turn(self) -> None:
        if self.state is None:
            self._stack.setCurrentWidget(self.view)
        self._show_front()
        self._show_scope()
        self._focus()

    def _focus(self) -> None:
        front = self.view.front if self.tabs.value == "offers" else self.view
        listing = getattr(front, "listing", None)
        (listing.view if listing is not None else front).setFocus()

    def _narrow(self) -> None:
        self.keep_only({row.project_id for row in self.look_at("projects").listing.chosen})

    def keep_only(self, ids: set[str]) -> None:
        """Show figures of some projects only, or with none of all."""
        self.only = ids
        self._forget()
        self.refresh()

    def _show_scope(self) -> None:
        on_projects = self.tabs.value == "projects"
        chosen = len(self.view.listing.chosen) if on_projects else 0
        self.narrow.setVisible(chosen > 0 and not self.only)
        words = trn("Only {n} project: show all", "Only {n} projects: show all", len(self.only))
        self.widen.setText(words)
        self.widen.setAccessibleName(words)
        self.widen.setVisible(bool(self.only))

    # -- figures open up

    def _refs(self) -> list[ProjectRef]:
        found = self.overview.projects if self.overview is not None else []
        return [ProjectRef(one.id, one.name, one.account_scope_id) for one in found]

    def _project(self, project_id: str) -> ProjectRef:
        return next(one for one in self._refs() if one.id == project_id)

    def _in(self, row: Any, work: Callable[[Desktop, Any], Any]) -> Any:
        return work(replace(self.call(), project=self._project(row.project_id)), row)

    def _drill(self, of: Callable[[Any, ProjectRef], Drill], row: Any) -> None:
        self._read(lambda: _at_once(of(row, self._project(row.project_id))))

    def _read(self, read: Callable[[], Any]) -> None:
        self.pane.show_read(read)

    def open_figure(self, figure: Figure, project_id: str = "") -> None:
        """What a figure of all projects, or of one, rests on."""
        self.pane.show_figure(figure, [self._project(project_id)] if project_id else self._refs())

    def _pick_project(self, row: ProjectRow, place: int) -> None:
        figure = PROJECT_FIGURES[place]
        if figure is None:
            self._drill(project_drill, row)
        else:
            self.open_figure(figure, row.project_id)

    def _pick_point(self, picture: Picture, place: int) -> None:
        if place >= 0 and picture.projects:
            self.open_figure(picture.figure, picture.projects[place])
        else:
            span = picture.spans[place] if place >= 0 else None
            self.pane.show_figure(picture.figure, self._refs(), span=span)

    def _pick_message(self, row: MessageCard | TalkMessage) -> None:
        target = Target("conversation", row.conversation_global_id, row.id)
        self.pane.show_target(self._project(row.project_id), target)

    def _pick_agreement(self, row: AgreementCard) -> None:
        target = agreement_target(row)
        if target is not None:
            self.pane.show_target(self._project(row.project_id), target)

    # -- commands

    def commands(self) -> list[Command]:
        """What one can do here; bare figures choose the view while the page is in front."""
        found = [
            Command(
                f"portfolio.{name}",
                tr("Portfolio: {view}", view=title),
                partial(self.turn_to, name),
                str(place),
                name,
                within=self,
            )
            for place, (name, title) in enumerate(self.names.items(), 1)
        ]
        return [
            *found,
            Command(
                "portfolio.search", tr("Portfolio: search"), self._search, "/", "find найти", within=self
            ),
            Command("portfolio.all", tr("Portfolio: all projects"), lambda: self.keep_only(set()), "", "all"),
            Command("portfolio.csv", tr("Portfolio: export as a table (CSV)"), partial(self._export, "csv")),
            Command("portfolio.md", tr("Portfolio: export as text (Markdown)"), partial(self._export, "md")),
        ]

    def actions_bar(self) -> list[QWidget]:
        """The buttons at the top."""
        return [export_button(self, self.id, self.sheet)]

    async def sheet(self) -> Sheet:
        """The view in front, for a file."""
        found: Sheet = self.view.sheet()
        return found

    def _export(self, form: Literal["csv", "md"]) -> None:
        export_sheet(self, self.id, form, self.sheet)

    def _search(self) -> None:
        if not self.isVisible():
            self.context.open_page(self.id)
        front = self.view.front if self.tabs.value == "offers" else self.view
        field = getattr(front, "search", None)
        if field is not None:
            field.setFocus()
            field.selectAll()


async def _at_once(found: Any) -> Any:
    return found


def _is_bare(found: Overview) -> bool:
    """Whether there is nothing at all to show."""
    rows = found.dashboard.by_project
    counted = any(
        row.linear_open_issues or row.attio_pipeline_amount or row.crm_pipeline_amount for row in rows
    )
    listed = found.messages or found.agreements or found.risks or found.offers.recent_offers
    return not counted and not listed
