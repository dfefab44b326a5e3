"""Portfolio: all projects at a glance, charts, messages, agreements, risks, money, offers; figures open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
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
from ctower_desktop.gui.portfolio_drill import Figure, agreement_target
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
        now = self.tower.clock.now
        self.overview: Overview | None = None
        self.only: set[str] = set()
        self._stale: set[str] = set()
        self._task: asyncio.Task[Any] | None = None
        self.projects, self.messages = projects_list(), MessagesList(self)
        self.agreements, self.risks = agreements_list(now), risks_list(now)
        self.dashboard, self.money, self.offers = Dashboard(), Money(), Offers(now)
        self.views: dict[str, tuple[str, Any]] = {
            "projects": (tr("Projects"), self.projects),
            "dashboard": (tr("Dashboard"), self.dashboard),
            "messages": (tr("Messages"), self.messages),
            "agreements": (tr("Agreements"), self.agreements),
            "risks": (tr("Risks"), self.risks),
            "finances": (tr("Finances"), self.money),
            "offers": (tr("Offers"), self.offers),
        }
        self.tabs = Chips(tr("View"), [(name, title) for name, (title, _) in self.views.items()])
        self.narrow, self.widen = Button(tr("Only the chosen")), Button("")
        self.pane = DrillPane(self)
        self.state: EmptyState | None = None
        self._stack = QStackedWidget()
        self._build()
        self._connect()
        follow(self, self.tower, set(TABLES), self.refresh)

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        return tr("Portfolio")

    # -- building

    def _build(self) -> None:
        for _, view in self.views.values():
            self._stack.addWidget(view)
        split = QSplitter()
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(self._stack)
        split.addWidget(self.pane)
        split.setStretchFactor(0, 1)
        split.setSizes([640, 420])
        top = QHBoxLayout()
        top.setContentsMargins(16, 10, 16, 4)
        top.addWidget(self.tabs, 1)
        top.addWidget(self.narrow)
        top.addWidget(self.widen)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(top)
        whole.addWidget(split, 1)
        self.pane.hide()
        self._show_scope()

    def _connect(self) -> None:
        self.tabs.changed.connect(self._turn)
        self.narrow.clicked.connect(
            lambda: self.keep_only({r.project_id for r in self.projects.listing.chosen})
        )
        self.widen.clicked.connect(lambda: self.keep_only(set()))
        self.projects.listing.marked.connect(lambda _: self._show_scope())
        self.projects.picked.connect(self._pick_project)
        self.dashboard.asked.connect(self._pick_point)
        self.dashboard.figure_asked.connect(lambda figure: self.open_figure(figure))
        self.money.asked.connect(self._pick_point)
        self.money.row_picked.connect(
            lambda row: self._read(lambda: _at_once(finance_drill(row, self._project(row.project_id))))
        )
        self.messages.picked.connect(lambda row, _: self._pick_message(row))
        self.agreements.picked.connect(lambda row, _: self._pick_agreement(row))
        self.risks.picked.connect(lambda row, _: self._read(partial(self._in, row, risk_drill)))
        lists = self.offers.lists
        lists["upsell"].picked.connect(lambda row, _: self._read(partial(self._in, row, upsell_drill)))
        lists["offers"].picked.connect(
            lambda row, _: self._read(lambda: _at_once(offer_drill(row, self._project(row.project_id))))
        )
        lists["discounts"].picked.connect(
            lambda row, _: self._read(lambda: _at_once(policy_drill(row, self._project(row.project_id))))
        )
        self.pane.closed.connect(self._focus)

    # -- reading

    def activate(self) -> None:
        """Read everything; the view in front takes the focus."""
        self.refresh()
        self._focus()

    def project_changed(self) -> None:
        """Another account scope may be meant."""
        self.only.clear()
        self.pane.forget()
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Read the overview again, and what is open beside it."""
        if self._task is not None:
            self._task.cancel()
        self._task = start(self, read_overview(self.call(), self.only), self._show, self._failed)
        self.pane.refresh()

    def _show(self, found: Overview | None) -> None:
        self.overview = found
        if found is None:
            self._say(self._no_project())
            return
        self._say(None)
        self._stale = set(self.views)
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
        return self.views[self.tabs.value][1]

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
        front = self.offers.front if self.view is self.offers else self.view
        listing = getattr(front, "listing", None)
        (listing.view if listing is not None else front).setFocus()

    def keep_only(self, ids: set[str]) -> None:
        """Show figures of some projects only, or with none of all."""
        self.only = ids
        self.pane.forget()
        self.refresh()

    def _show_scope(self) -> None:
        chosen = len(self.projects.listing.chosen)
        self.narrow.setVisible(self.view is self.projects and chosen > 0 and not self.only)
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

    def _read(self, read: Callable[[], Any]) -> None:
        self.pane.show_read(read)

    def open_figure(self, figure: Figure, project_id: str = "") -> None:
        """What a figure of all projects, or of one, rests on."""
        self.pane.show_figure(figure, [self._project(project_id)] if project_id else self._refs())

    def _pick_project(self, row: ProjectRow, place: int) -> None:
        figure = PROJECT_FIGURES[place]
        if figure is None:
            self._read(lambda: _at_once(project_drill(row, self._project(row.project_id))))
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
            for place, (name, (title, _)) in enumerate(self.views.items(), 1)
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
        front = self.offers.front if self.view is self.offers else self.view
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
