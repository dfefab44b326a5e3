"""What every figure of the portfolio rests on: its meaning, and the records that were counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from ctower_desktop.connectors.actions import read_reconciliation
from ctower_desktop.connectors.answers import ReadReconciliation
from ctower_desktop.crm.actions import list_deals, list_opportunities
from ctower_desktop.crm.model import ListDeals, ListOpportunities
from ctower_desktop.crm.offers.actions import list_offers
from ctower_desktop.crm.offers.model import ListOffers
from ctower_desktop.gui.crm_words import amount_of, stage_words
from ctower_desktop.gui.crm_words import status_words as offer_words
from ctower_desktop.gui.detail import Target
from ctower_desktop.gui.portfolio_read import read_overview
from ctower_desktop.gui.portfolio_words import meaning, title_words
from ctower_desktop.gui.risks_words import entry_words, factor_words
from ctower_desktop.gui.signals_words import severity_words, target_of_ref
from ctower_desktop.gui.text import ago, money, number, seconds, tr, when
from ctower_desktop.inbox.actions import list_messages
from ctower_desktop.inbox.model import ListMessages
from ctower_desktop.insight.analytics.actions import list_costs, list_unanswered, read_daily_figures
from ctower_desktop.insight.analytics.model import ListEntries, ListUnanswered, ReadDays
from ctower_desktop.insight.risk.actions import list_risks, read_risk_overview
from ctower_desktop.insight.risk.model import ListRisks
from ctower_desktop.insight.signals.actions import list_signals, list_upsell_chances
from ctower_desktop.insight.signals.model import ListByStatus, ListSignals
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Desktop, ProjectRef
from ctower_desktop.reports.portfolio import AgreementCard
from ctower_desktop.reports.queue import ReadQueue
from ctower_desktop.reports.queue_actions import read_queue
from ctower_desktop.work.actions import list_issues
from ctower_desktop.work.model import ListIssues

Figure = Literal[
    "health", "unanswered", "messages", "open_issues", "overdue", "completed", "pipeline", "won", "risks",
    "agreements", "signed", "costs", "upsell", "completeness", "response", "value",
]  # fmt: skip
_CLOSED = ("won", "lost", "closed-won", "closed-lost")
_DONE = ("completed", "canceled")
_MOST = 100  # lines of a project


@dataclass(frozen=True)
class Line:
    """Something that was counted. `at` is the day it counts for, `figure` another figure to open."""

    words: str
    note: str = ""
    at: str = ""
    target: Target | None = None
    figure: Figure | None = None
    page: str = ""  # the page where there is more of it


@dataclass(frozen=True)
class Group:
    """What was counted of a project."""

    project: ProjectRef
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Drill:
    """What a figure or a card rests on."""

    title: str
    meaning: str
    groups: list[Group]


@dataclass(frozen=True)
class Span:
    """The days that count: from `since` on, `days` of them."""

    since: str
    days: int

    def holds(self, at: str) -> bool:
        """Whether something of that moment counts."""
        if not at:
            return True
        return (
            self.since <= at[:10] < (date.fromisoformat(self.since) + timedelta(days=self.days)).isoformat()
        )


async def drill(
    call: Desktop, figure: Figure, projects: Sequence[ProjectRef], span: Span | None = None
) -> Drill:
    """Read what a figure of these projects rests on, or only what counts for some days."""
    groups = []
    for project in projects:
        here = replace(call.afresh(), project=project)
        lines = await _READERS[figure](here)
        if span is not None:
            lines = [line for line in lines if span.holds(line.at)]
        groups.append(Group(project, lines[:_MOST]))
    title = title_words(figure)
    if len(projects) == 1:
        title = tr("{title}: {project}", title=title, project=projects[0].name)
    return Drill(title, meaning(figure), [group for group in groups if group.lines])


async def _health(call: Desktop) -> list[Line]:
    found = await read_risk_overview(call)
    factors = found.health.factors if found.health is not None else []
    lines = [Line(factor_words(one), number(one.value, 2)) for one in factors if not one.operational_only]
    lines.append(Line(title_words("overdue"), figure="overdue"))
    for status in ("proposed", "accepted"):
        signals = (await list_signals(call, ListSignals(status=status, limit=40))).signals
        lines += [
            Line(one.summary, severity_words(one.severity), "", target_of_ref(one.source_ref))
            for one in signals
        ]
    return lines


async def _unanswered(call: Desktop) -> list[Line]:
    now = call.tower.clock.now()
    waiting = (await list_unanswered(call, ListUnanswered(limit=_MOST))).waiting
    return [
        Line(
            f"{one.contact_name or tr('Client')}: {one.snippet}",
            ago(one.since, now),
            one.since,
            Target("conversation", one.conversation_global_id, one.message_global_id),
        )
        for one in waiting
    ]


async def _messages(call: Desktop) -> list[Line]:
    now = call.tower.clock.now()
    since = as_text(now - timedelta(days=7))
    found = (await list_messages(call, ListMessages(limit=500))).messages
    return [
        Line(
            f"{one.sender_name or tr('Client')}: {one.content_snippet}",
            when(one.created_at, now),
            one.created_at,
            Target("conversation", one.conversation_global_id, one.id),
        )
        for one in found
        if not one.private and one.created_at >= since
    ]


async def _open_issues(call: Desktop) -> list[Line]:
    found = (await list_issues(call, ListIssues(limit=500))).issues
    return [
        Line(f"{one.identifier} · {one.title}", one.state or "", one.updated_at, Target("issue", one.id))
        for one in found
        if one.state_type not in _DONE and not one.completed_at and not one.archived_at
    ]


async def _overdue(call: Desktop) -> list[Line]:
    lines = []
    for aside in (False, True):
        query = ReadQueue(kind="issue", project_id=call.project_id, put_aside=aside, limit=500)
        lines += [
            Line(one.title, one.about, one.due or "", Target("issue", one.id))
            for one in (await read_queue(call, query)).items
        ]
    return lines


async def _completed(call: Desktop) -> list[Line]:
    now = call.tower.clock.now()
    found = (await list_issues(call, ListIssues(state_type="completed", limit=500))).issues
    return [
        Line(
            f"{one.identifier} · {one.title}",
            when(one.completed_at, now),
            one.completed_at,
            Target("issue", one.id),
        )
        for one in found
        if one.completed_at
    ]


async def _deals(call: Desktop, *, won: bool) -> list[Line]:
    """Deals of Attio, and opportunities that are only here."""
    lines = [
        Line(
            one.title,
            " · ".join((stage_words(one.stage), money(one.amount or 0, one.currency or ""))),
            "",
            Target("deal", one.id),
        )
        for one in (await list_deals(call, ListDeals(limit=500))).deals
        if (one.stage in ("won", "closed-won") if won else one.stage not in _CLOSED)
    ]
    own = (await list_opportunities(call, ListOpportunities(limit=200))).opportunities
    lines += [
        Line(one.title, " · ".join((stage_words(one.stage), amount_of(one))))
        for one in own
        if one.source_system != "attio" and (one.stage == "won" if won else one.stage not in _CLOSED)
    ]
    return lines


async def _risks(call: Desktop) -> list[Line]:
    lines = []
    for status in ("open", "mitigating"):
        for one in (await list_risks(call, ListRisks(status=status, limit=200))).items:
            target = next((found for ref in one.evidence_refs if (found := target_of_ref(ref))), None)
            lines.append(Line(one.title, severity_words(one.severity), one.opened_at, target))
    return lines


async def _signed(call: Desktop) -> list[Line]:
    found = (await list_offers(call, ListOffers(status="signed", limit=500))).offers
    return [
        Line(one.title, f"{offer_words(one.status)} · {money(one.total, one.currency)}", one.signed_at or "")
        for one in found
    ]


async def _agreements(call: Desktop) -> list[Line]:
    found = await read_overview(call, [call.project_id])
    lines = [
        Line(one.summary, when(one.created_at, call.tower.clock.now()), one.created_at, agreement_target(one))
        for one in (found.agreements if found is not None else [])
    ]
    return lines + await _signed(call)


def agreement_target(card: AgreementCard) -> Target | None:
    """The message that speaks of an agreement, in its conversation."""
    if not card.conversation_global_id:
        return None
    return Target("conversation", card.conversation_global_id, card.source_pk)


async def _costs(call: Desktop) -> list[Line]:
    found = (await list_costs(call, ListEntries(limit=200))).entries
    return [
        Line(one.note or entry_words(one.entry_type), f"{entry_words(one.entry_type)} · {worth}", one.date)
        for one in found
        if (worth := money(one.amount, one.currency))
    ]


async def _upsell(call: Desktop) -> list[Line]:
    found = (await list_upsell_chances(call, ListByStatus(limit=200))).opportunities
    lines = []
    for one in found:
        refs = (one.source_ref, *one.evidence_refs)
        target = next((known for ref in refs if (known := target_of_ref(ref, one.source_ref))), None)
        lines.append(Line(one.title, number(one.score * 100), one.created_at, target))
    return lines


async def _completeness(call: Desktop) -> list[Line]:
    found = await read_reconciliation(call, ReadReconciliation())
    return [
        Line(
            one.connector.capitalize(),
            tr(
                "{percent} %, {missing} missing",
                percent=number(one.completeness_pct, 1),
                missing=number(one.missing_count),
            ),
        )
        for one in found.latest
        if one.connector != "portfolio"
    ]


async def _response(call: Desktop) -> list[Line]:
    found = (await read_daily_figures(call, ReadDays(days=120))).days
    return [
        Line(when(f"{one.day}T12:00:00.000Z", call.tower.clock.now()).rpartition(" ")[0],
             tr("{time} on average, {n} answers", time=seconds((one.avg_response_minutes or 0) * 60),
                n=number(one.answers)),
             one.day)
        for one in reversed(found)
        if one.answers
    ]  # fmt: skip


async def _value(_call: Desktop) -> list[Line]:
    parts: tuple[Figure, ...] = ("pipeline", "messages", "health", "risks")
    return [Line(title_words(part), figure=part) for part in parts]


_READERS: dict[Figure, Callable[[Desktop], Awaitable[list[Line]]]] = {
    "health": _health,
    "unanswered": _unanswered,
    "messages": _messages,
    "open_issues": _open_issues,
    "overdue": _overdue,
    "completed": _completed,
    "pipeline": lambda call: _deals(call, won=False),
    "won": lambda call: _deals(call, won=True),
    "risks": _risks,
    "agreements": _agreements,
    "signed": _signed,
    "costs": _costs,
    "upsell": _upsell,
    "completeness": _completeness,
    "response": _response,
    "value": _value,
}
