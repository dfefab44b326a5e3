"""A card of the portfolio in full: a project with all its figures, a risk, a chance, an offer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ctower_desktop.gui.crm_words import status_words as offer_words
from ctower_desktop.gui.portfolio_drill import Drill, Figure, Group, Line
from ctower_desktop.gui.portfolio_words import meaning, source_words, title_words
from ctower_desktop.gui.signals_words import percent, severity_sentence, status_words, target_of_ref
from ctower_desktop.gui.text import money, number, tr
from ctower_desktop.insight.risk.actions import list_risks, read_risk_overview
from ctower_desktop.insight.risk.model import ListRisks
from ctower_desktop.insight.signals.actions import list_upsell_chances, read_signal
from ctower_desktop.insight.signals.model import ListByStatus
from ctower_desktop.kernel.tower import Desktop, ProjectRef
from ctower_desktop.reports.portfolio import (
    DiscountPolicy,
    FinanceRow,
    OfferCard,
    ProjectRow,
    RiskCard,
    UpsellCard,
)

_MOST = 25


def project_drill(row: ProjectRow, project: ProjectRef) -> Drill:
    """A project with every figure; each opens what it rests on."""
    figures: list[tuple[Figure, str]] = [
        ("health", number(row.health_score, 1)),
        ("unanswered", number(row.unanswered)),
        ("messages", number(row.messages_7d)),
        ("open_issues", number(row.linear_open_issues)),
        ("overdue", number(row.linear_overdue_issues)),
        ("pipeline", pipeline_words(row)),
        ("risks", number(row.risks_open)),
        ("value", number(row.client_value_score)),
        ("upsell", ""),
        ("completeness", ""),
        ("response", ""),
    ]
    lines = [Line(title_words(figure), value, figure=figure) for figure, value in figures]
    words = tr("Every figure opens what it rests on.")
    return Drill(row.project_name, words, [Group(project, lines)])


def pipeline_words(row: ProjectRow) -> str:
    """Open deals of a project, and what is expected of them."""
    return tr(
        "{amount}, expected {expected}",
        amount=money(round(row.attio_pipeline_amount + row.crm_pipeline_amount), row.currency),
        expected=money(round(row.expected_revenue), row.currency),
    )


async def risk_drill(call: Desktop, card: RiskCard) -> Drill:
    """A risk, a severe signal or a pattern with its evidence."""
    readers: dict[str, Callable[[Desktop, RiskCard], Awaitable[list[Line]]]] = {
        "signal": _of_signal,
        "risk_pattern": _of_pattern,
    }
    lines = await readers.get(card.source, _of_risk)(call, card)
    lines.append(Line(tr("Open risks and analytics"), page="risks"))
    words = " ".join(
        (severity_sentence(card.severity), tr("From: {place}.", place=source_words(card.source)))
    )
    assert call.project is not None
    return Drill(card.title, words, [Group(call.project, lines)])


async def _of_signal(call: Desktop, card: RiskCard) -> list[Line]:
    found = await read_signal(call, card.id)
    talk = found.signal.source_ref
    lines = [
        Line(one.quote, one.author or "", one.said_at, target_of_ref(one.ref, talk)) for one in found.evidence
    ]
    return lines or _refs([talk, *found.signal.evidence_refs], talk)


async def _of_risk(call: Desktop, card: RiskCard) -> list[Line]:
    for risk in (await list_risks(call, ListRisks(limit=200))).items:
        if risk.id == card.id:
            steps = [Line(risk.mitigation_action)] if risk.mitigation_action else []
            return steps + _refs(risk.evidence_refs)
    return []


async def _of_pattern(call: Desktop, card: RiskCard) -> list[Line]:
    for pattern in (await read_risk_overview(call)).patterns:
        if pattern.id == card.id:
            return _refs(pattern.evidence_refs)
    return []


def _refs(refs: list[str], talk: str = "") -> list[Line]:
    words = {
        "conversation": tr("Open the conversation"),
        "issue": tr("Open the issue"),
        "deal": tr("Open the deal"),
    }
    known = [target for ref in dict.fromkeys(refs) if (target := target_of_ref(ref, talk)) is not None]
    return [Line(words.get(one.kind, one.id), one.id.rpartition(":")[2], target=one) for one in known[:_MOST]]


async def upsell_drill(call: Desktop, card: UpsellCard) -> Drill:
    """A chance to sell more, and where it was heard."""
    lines: list[Line] = []
    for one in (await list_upsell_chances(call, ListByStatus(limit=200))).opportunities:
        if one.id == card.id:
            lines = _refs([one.source_ref, *one.evidence_refs], one.source_ref)
    lines.append(Line(tr("Open signals & links"), page="signals"))
    words = tr(
        "{rationale} Score {score} of 100, {state}.",
        rationale=card.rationale,
        score=number(card.score * 100),
        state=status_words(card.status),
    )
    assert call.project is not None
    return Drill(card.title, words, [Group(call.project, lines)])


def offer_drill(card: OfferCard, project: ProjectRef) -> Drill:
    """An offer with its sums."""
    lines = [
        Line(tr("Total"), money(card.total, card.currency)),
        Line(tr("Discount"), percent(card.discount_pct / 100)),
        Line(tr("State"), offer_words(card.status)),
        Line(tr("Open the sales"), page="crm"),
    ]
    return Drill(card.title, tr("An offer of {project}.", project=card.project_name), [Group(project, lines)])


def policy_drill(card: DiscountPolicy, project: ProjectRef) -> Drill:
    """Why a discount may go so far."""
    words = tr(
        "Client value {value} of 100 lets a discount go up to {percent} %: from 85 on 18 %, from 70 on 14 %,"
        " from 55 on 10 %, from 40 on 7 %, below that 5 %. It is advice; an offer may say more.",
        value=number(card.client_value_score),
        percent=number(card.max_discount_pct),
    )
    lines = [Line(title_words("value"), number(card.client_value_score), figure="value")]
    return Drill(card.project_name, words, [Group(project, lines)])


def finance_drill(row: FinanceRow, project: ProjectRef) -> Drill:
    """Money of a project."""
    lines = [
        Line(title_words("pipeline"), money(round(row.pipeline_amount), row.currency), figure="pipeline"),
        Line(tr("Expected revenue"), money(round(row.expected_revenue), row.currency), figure="pipeline"),
        Line(title_words("won"), money(round(row.deal_amount), row.currency), figure="won"),
        Line(title_words("signed"), money(round(row.signed_total), row.currency), figure="signed"),
        Line(title_words("costs"), money(round(row.costs_amount), row.currency), figure="costs"),
        Line(tr("Margin"), money(round(row.gross_margin), row.currency), figure="costs"),
    ]
    return Drill(row.project_name, meaning("pipeline"), [Group(project, lines)])
