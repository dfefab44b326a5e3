"""The lists of the portfolio: projects, messages, agreements, risks, chances, offers, discounts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from PySide6.QtWidgets import QComboBox

from ctower_desktop.gui.crm_words import status_words as offer_words
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.portfolio_cards import Cards
from ctower_desktop.gui.portfolio_drill import Figure
from ctower_desktop.gui.portfolio_words import meaning, source_words
from ctower_desktop.gui.risks_words import risk_status_words
from ctower_desktop.gui.signals_words import percent, severity_words
from ctower_desktop.gui.signals_words import status_words as signal_words
from ctower_desktop.gui.table import Column
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import money, number, tr, when
from ctower_desktop.reports.actions import read_portfolio_messages
from ctower_desktop.reports.portfolio import (
    AgreementCard,
    DiscountPolicy,
    MessageCard,
    MessagesQuery,
    OfferCard,
    Overview,
    ProjectRow,
    RiskCard,
    Talk,
    TalkMessage,
    UpsellCard,
)

_CLIENTS = ("contact", "customer", "client")
PROJECT_FIGURES: tuple[Figure | None, ...] = (
    *(None, "health", "unanswered", "overdue", "open_issues"),
    *("pipeline", "pipeline", "risks", "value", "messages"),
)  # what a click on a column of the projects opens; the name opens the project


def projects_list() -> Cards:
    """All projects with their figures; every number opens what it rests on."""

    def figure(
        title: str, of: Callable[[ProjectRow], float], about: str, digits: int = 0
    ) -> Column[ProjectRow]:
        return Column(title, lambda r: number(of(r), digits), of, right=True, about=meaning(about))

    def worth(title: str, of: Callable[[ProjectRow], float]) -> Column[ProjectRow]:
        return Column(
            title, lambda r: money(round(of(r)), r.currency), of, right=True, about=meaning("pipeline")
        )

    columns: list[Column[ProjectRow]] = [
        Column(tr("Project"), lambda r: r.project_name, stretch=True),
        figure(tr("Health"), lambda r: r.health_score, "health", 1),
        figure(tr("Waiting"), lambda r: r.unanswered, "unanswered"),
        figure(tr("Overdue"), lambda r: r.linear_overdue_issues, "overdue"),
        figure(tr("Open issues"), lambda r: r.linear_open_issues, "open_issues"),
        worth(tr("Open deals"), lambda r: r.attio_pipeline_amount + r.crm_pipeline_amount),
        worth(tr("Expected"), lambda r: r.expected_revenue),
        figure(tr("Risks"), lambda r: r.risks_open, "risks"),
        figure(tr("Client value"), lambda r: r.client_value_score, "value"),
        figure(tr("Messages"), lambda r: r.messages_7d, "messages"),
    ]
    nothing = (tr("No projects yet"), tr("A new project shows up here by itself."))
    return Cards(tr("Projects"), columns, lambda o: o.dashboard.by_project, lambda r: r.project_id, nothing)


class MessagesList(Cards):
    """What was said last in all projects, or the talk with one person of a project."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._talk: Talk | None = None
        now = page.tower.clock.now
        columns: list[Column[Any]] = [
            Column(tr("When"), lambda r: when(r.created_at, now()), lambda r: r.created_at),
            Column(tr("Who"), _who),
            Column(tr("Words"), lambda r: " ".join(r.content.split()), stretch=True),
            Column(tr("Project"), lambda r: r.project_name),
        ]
        nothing = (tr("Nothing was said yet"), tr("Messages show up here after the first sync of Chatwoot."))
        super().__init__(tr("Messages"), columns, self._said, lambda r: r.id, nothing)
        self.person = QComboBox()
        self.person.setAccessibleName(tr("Talk with"))
        self.person.activated.connect(self._chosen)
        self.column.insertWidget(0, self.person)

    def show_overview(self, found: Overview) -> None:
        """With one project its people can be chosen."""
        one = found.projects[0].id if len(found.projects) == 1 else ""
        self.person.setVisible(bool(one))
        if not one:
            self._talk = None
            self.person.clear()
        else:
            start(self, self._read(one, str(self.person.currentData() or "")), self._people)
        super().show_overview(found)

    async def _read(self, project_id: str, contact: str) -> Talk:
        query = MessagesQuery(project_id=project_id, contact_global_id=contact, limit=500)
        return await read_portfolio_messages(self._page.call(), query)

    def _people(self, found: Talk) -> None:
        chosen = str(self.person.currentData() or "")
        self.person.clear()
        self.person.addItem(tr("Everybody"), "")
        for one in found.persons:
            self.person.addItem(one.person_name, one.contact_global_id)
        self.person.setCurrentIndex(max(0, self.person.findData(chosen)))
        self._talk = found if chosen else None
        self.listing.refresh()

    def _chosen(self, _place: int) -> None:
        if self._overview is not None:
            self.show_overview(self._overview)

    def _said(self, found: Overview) -> list[Any]:
        return list(found.messages) if self._talk is None else list(self._talk.messages)


def _who(row: MessageCard | TalkMessage) -> str:
    named = row.author_name if isinstance(row, TalkMessage) else None
    client = (row.sender_type or "").lower() in _CLIENTS
    return named or (tr("Client") if client else tr("Team"))


def agreements_list(now: Callable[[], datetime]) -> Cards:
    """What speaks of agreements, the newest first."""
    columns: list[Column[AgreementCard]] = [
        Column(tr("When"), lambda r: when(r.created_at, now()), lambda r: r.created_at),
        Column(tr("Words"), lambda r: " ".join(r.summary.split()), stretch=True),
        Column(tr("Project"), lambda r: r.project_name),
    ]
    nothing = (
        tr("No agreements yet"),
        tr("Messages that speak of terms, deadlines and contracts stand here."),
    )
    return Cards(tr("Agreements"), columns, lambda o: o.agreements, lambda r: r.id, nothing)


def risks_list(now: Callable[[], datetime]) -> Cards:
    """Risks, severe signals and patterns, the worst first."""
    columns: list[Column[RiskCard]] = [
        Column(
            tr("Impact"),
            lambda r: tr("{n} · {word}", n=r.severity, word=severity_words(r.severity)),
            lambda r: r.severity,
            about=tr("1 to 5: how much harm it does."),
        ),
        Column(tr("Risk"), lambda r: r.title, stretch=True),
        Column(tr("Likely"), lambda r: percent(r.probability), lambda r: r.probability, right=True),
        Column(tr("From"), lambda r: source_words(r.source)),
        Column(tr("State"), _state),
        Column(tr("Project"), lambda r: r.project_name),
        Column(tr("Changed"), lambda r: when(r.updated_at, now()), lambda r: r.updated_at),
    ]
    nothing = (tr("No open risks"), tr("Risks are found by their causes every half hour."))
    return Cards(tr("Risks"), columns, lambda o: o.risks, lambda r: f"{r.source}:{r.id}", nothing)


def _state(row: RiskCard) -> str:
    return signal_words(row.status) if row.source == "signal" else risk_status_words(row.status)


def upsell_list() -> Cards:
    """Chances to sell more, the best first."""
    columns: list[Column[UpsellCard]] = [
        Column(tr("Score"), lambda r: number(r.score * 100), lambda r: r.score, right=True,
               about=meaning("upsell")),
        Column(tr("Chance"), lambda r: r.title, stretch=True),
        Column(tr("Suggested discount"), lambda r: percent(r.suggested_discount_pct / 100),
               lambda r: r.suggested_discount_pct, right=True),
        Column(tr("State"), lambda r: signal_words(r.status)),
        Column(tr("Project"), lambda r: r.project_name),
    ]  # fmt: skip
    nothing = (tr("No chances yet"), tr("Wishes of clients and large deals show up here."))
    return Cards(tr("Chances to sell more"), columns, lambda o: o.offers.upsell, lambda r: r.id, nothing)


def offers_list(now: Callable[[], datetime]) -> Cards:
    """Offers, the last changed first."""
    columns: list[Column[OfferCard]] = [
        Column(tr("Offer"), lambda r: r.title, stretch=True),
        Column(tr("State"), lambda r: offer_words(r.status)),
        Column(tr("Total"), lambda r: money(r.total, r.currency), lambda r: r.total, right=True),
        Column(tr("Discount"), lambda r: percent(r.discount_pct / 100), lambda r: r.discount_pct, right=True),
        Column(tr("Project"), lambda r: r.project_name),
        Column(tr("Changed"), lambda r: when(r.updated_at, now()), lambda r: r.updated_at),
    ]
    nothing = (tr("No offers yet"), tr("Write one in the sales."))
    return Cards(tr("Offers"), columns, lambda o: o.offers.recent_offers, lambda r: r.id, nothing)


def discounts_list() -> Cards:
    """How far discounts may go."""
    columns: list[Column[DiscountPolicy]] = [
        Column(tr("Project"), lambda r: r.project_name, stretch=True),
        Column(tr("Client value"), lambda r: number(r.client_value_score), lambda r: r.client_value_score,
               right=True, about=meaning("value")),
        Column(tr("Largest discount"), lambda r: percent(r.max_discount_pct / 100),
               lambda r: r.max_discount_pct, right=True),
    ]  # fmt: skip
    nothing = (tr("No projects yet"), tr("A new project shows up here by itself."))
    return Cards(
        tr("Discounts"), columns, lambda o: o.offers.discount_policy, lambda r: r.project_id, nothing
    )
