"""/control-tower and /portfolio: one project, or several, at a glance."""

from __future__ import annotations

from datetime import timedelta

from msgspec import UNSET

from ctower_desktop.insight.analytics.actions import read_analytics_overview
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.insight.analytics.settings import AnalyticsSettings
from ctower_desktop.insight.kag import store as kag
from ctower_desktop.insight.kag.settings import is_live
from ctower_desktop.insight.risk.actions import read_risk_overview
from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Caller, ProjectRef, Scoped
from ctower_desktop.projects import store as projects
from ctower_desktop.projects.model import Project, ProjectNotFound
from ctower_desktop.projects.resolution import access_of
from ctower_desktop.reports import (
    digest_actions,  # noqa: F401 - declares /digests
    overview_store,
    portfolio_store,
    queue_actions,  # noqa: F401 - declares /today
    report_actions,  # noqa: F401 - declares /reports
    tower_store,
)
from ctower_desktop.reports.cache import Cache
from ctower_desktop.reports.portfolio import (
    AccountScopeMismatch,
    AccountScopeRequired,
    MessagesQuery,
    Overview,
    OverviewQuery,
    PersonCard,
    ProjectCard,
    ProjectIdRequired,
    ProjectsNotFound,
    Talk,
    TalkMessage,
)
from ctower_desktop.reports.tower_view import ControlTower

_TOWER_FOR, _PORTFOLIO_FOR = 120.0, 90.0  # seconds; whatever changes drops them earlier
_STEPS = 5  # transactions an overview waits for before it shows what is counted so far
_TOP_ACTIONS, _EVIDENCE = 8, 12
_MOST_IDS = 100
_CLIENTS = ("contact", "customer", "client")


@TOWER.get("/control-tower")
async def read_control_tower(call: Scoped) -> ControlTower:
    """The active project at a glance: sources, what to do next, risk, figures, evidence."""
    cache = await call.tower.part(Cache)
    return await cache.get(
        ("control-tower", call.project_id, call.tower.clock.text()[:10]),
        tower_store.TABLES,
        _TOWER_FOR,
        lambda: _control_tower(call),
        prepare=lambda: caught_up(call.tower, [call.project_id], steps=_STEPS),
    )


async def _control_tower(call: Scoped) -> ControlTower:
    db, project_id = call.tower.db, call.project_id
    now = call.tower.clock.now()
    week_ago = as_text(now - timedelta(days=7))[:10]
    preferred = call.tower.settings.get(AnalyticsSettings).currency
    return ControlTower(
        project_id=project_id,
        account_scope_id=call.account_scope_id,
        integrations=await db.read(
            tower_store.integrations, project_id, as_text(now)[:10], week_ago, preferred
        ),
        top_nba=await db.read(tower_store.top_actions, project_id, _TOP_ACTIONS),
        critical_signals=await db.read(tower_store.critical_signals, project_id, _TOP_ACTIONS),
        risk=await read_risk_overview(call),
        analytics=await read_analytics_overview(call),
        evidence=await db.read(tower_store.evidence, project_id, call.account_scope_id, _EVIDENCE),
        kag=await db.read(kag.summary, project_id) if is_live(call.tower.settings) else UNSET,
    )


@TOWER.get("/portfolio/overview", raises=(AccountScopeRequired, AccountScopeMismatch, ProjectsNotFound))
async def read_portfolio_overview(call: Caller, query: OverviewQuery) -> Overview:
    """Several projects at a glance; without ids, the active one. Only projects the caller may see."""
    tower, chosen = call.tower, await _chosen(call, query.project_ids)
    cache = await tower.part(Cache)
    ids = tuple(project.id for project in chosen)
    wish = overview_store.Wish(
        projects=chosen,
        message_limit=query.message_limit,
        card_limit=query.card_limit,
        today=tower.clock.now().date(),
        currency=tower.settings.get(AnalyticsSettings).currency,
    )
    return await cache.get(
        ("portfolio", wish),
        overview_store.TABLES,
        _PORTFOLIO_FOR,
        lambda: tower.db.read(overview_store.overview, wish),
        prepare=lambda: caught_up(tower, ids, steps=_STEPS),
    )


async def _chosen(call: Caller, csv: str) -> tuple[Project, ...]:
    """The projects asked for in name order; what the caller may not see counts as not being there."""
    if call.project is None:
        raise AccountScopeRequired
    texts = (text.strip().lower() for text in csv.split(","))
    wanted = list(dict.fromkeys(text for text in texts if is_uuid(text)))[:_MOST_IDS] or [call.project.id]
    visible = await call.tower.db.read(projects.listed, access_of(call.user))
    found = [project for project in visible if project.id in set(wanted)]
    if not found:
        raise ProjectsNotFound
    if any(project.account_scope_id != call.project.account_scope_id for project in found):
        raise AccountScopeMismatch
    return tuple(sorted(found, key=lambda project: (project.name.casefold(), project.id)))


@TOWER.get("/portfolio/messages", raises=(ProjectIdRequired, InvalidUuid, ProjectNotFound))
async def read_portfolio_messages(call: Caller, query: MessagesQuery) -> Talk:
    """People of a project, and the newest messages with one of them. Private notes are left out."""
    if not query.project_id:
        raise ProjectIdRequired
    if not is_uuid(query.project_id):
        raise InvalidUuid(f"{query.project_id[:80]!r} is not a UUID.")
    found = await call.tower.db.read(projects.read, access_of(call.user), query.project_id.lower())
    if call.project is not None and found.account_scope_id != call.project.account_scope_id:
        raise ProjectNotFound
    return await _talk(call, ProjectRef(found.id, found.name, found.account_scope_id), query)


async def _talk(call: Caller, project: ProjectRef, query: MessagesQuery) -> Talk:
    db = call.tower.db
    persons = await db.read(portfolio_store.persons, project.id)
    wanted: PersonCard | None = None
    if query.contact_global_id:
        wanted = await db.read(portfolio_store.person, project.id, query.contact_global_id)
    selected = wanted or (persons[0] if persons else None)
    messages: list[TalkMessage] = []
    if selected is not None:
        said = await db.read(portfolio_store.said, project.id, selected.contact_global_id, query.limit)
        files = await db.read(portfolio_store.files, [one.id for one in said])
        messages = [
            TalkMessage(
                id=one.id,
                project_id=project.id,
                project_name=project.name,
                contact_global_id=one.contact_global_id,
                conversation_global_id=one.conversation_global_id,
                sender_type=one.sender_type,
                author_name=selected.person_name
                if (one.sender_type or "").lower() in _CLIENTS
                else one.sender_name,
                channel="chatwoot",
                created_at=one.created_at,
                content=one.content,
                attachments=files.get(one.id, []),
            )
            for one in said
        ]
    return Talk(
        project=ProjectCard(project.id, project.name, project.account_scope_id),
        persons=persons,
        selected_contact_global_id=selected.contact_global_id if selected else None,
        messages=messages,
    )
