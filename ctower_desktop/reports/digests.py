"""Making the digest of a day or of a week: the same data give the same digest, with its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from ctower_desktop.insight.analytics import store as analytics
from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.regional import Regional, day_bounds, local
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.reports import digest_store, kept_store, tower_store
from ctower_desktop.reports.digest import (
    Before,
    DaySummary,
    Deals,
    GrowthPart,
    OfferSums,
    Period,
    PortfolioPart,
    RiskPart,
    Sales,
    Talks,
    Tasks,
    Velocity,
    WeekSummary,
)
from ctower_desktop.reports.digest_store import Span
from ctower_desktop.reports.kept_store import Made
from ctower_desktop.reports.model import DailyDigest, WeeklyDigest
from ctower_desktop.reports.tower_view import SignalCard, TopAction

_DAY_ACTIONS, _WEEK_ACTIONS, _SIGNALS = 8, 12, 8
_DAY_REFS, _WEEK_REFS = 50, 80
_WIN_RATE_DAYS = 90


def today_of(call: Scoped) -> date:
    """What day it is for the user."""
    return local(call.tower.clock.now(), call.tower.settings.get(Regional)).date()


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


async def make_day(call: Scoped, day: date) -> DailyDigest:
    """Make the digest of a day and keep it; there is one a day."""
    tower, db = call.tower, call.tower.db
    await caught_up(tower, [call.project_id])
    span, before = _span(call, day, 1), _span(call, day - timedelta(days=1), 1)
    summary = DaySummary(
        project_id=call.project_id,
        account_scope_id=call.account_scope_id,
        generated_at=span.now,
        period=_period(span, day, 1),
        highlights=await db.read(digest_store.highlights, span),
        tasks=await _tasks(db, span),
        messages=await _talks(db, span),
        deals=await _deals(db, span),
        critical_signals=await db.read(tower_store.critical_signals, call.project_id, _SIGNALS),
        top_nba=await db.read(tower_store.top_actions, call.project_id, _DAY_ACTIONS),
        before=await _counts(db, before),
    )
    refs = _refs(summary.top_nba, summary.critical_signals, _told(summary), most=_DAY_REFS)
    return await db.write(
        kept_store.keep_day, call.project_ref, Made(day.isoformat(), summary, refs, span.now)
    )


async def make_week(call: Scoped, monday: date) -> WeeklyDigest:
    """Make the digest of the week that begins on `monday` and keep it; there is one a week."""
    tower, db, project_id = call.tower, call.tower.db, call.project_id
    await caught_up(tower, [project_id])
    span, before = _span(call, monday, 7), _span(call, monday - timedelta(days=7), 7)
    revenue, delivery, comms = await db.read(analytics.last_snapshots, project_id)
    risks, patterns = await db.read(digest_store.risks, project_id)
    last_week = (monday - timedelta(days=1)).isoformat()
    work, work_before = await _counts(db, span), await _counts(db, before)
    summary = WeekSummary(
        project_id=project_id,
        account_scope_id=call.account_scope_id,
        generated_at=span.now,
        period=_period(span, monday, 7),
        portfolio=PortfolioPart(await db.read(digest_store.open_deals, project_id), revenue, delivery, comms),
        risk=RiskPart(await db.read(digest_store.health, project_id, span.today, last_week), risks, patterns),
        growth=GrowthPart(await db.read(tower_store.top_actions, project_id, _WEEK_ACTIONS)),
        sales=await _sales(call, db, span, before),
        offers=await _offers(db, span, before),
        velocity=Velocity(work.closed, work.created, work_before.closed, work_before.created),
        messages=await _talks(db, span),
        deals=await _deals(db, span),
        critical_signals=await db.read(tower_store.critical_signals, project_id, _SIGNALS),
        before=work_before,
    )
    told = [
        *(ref for risk in risks for ref in risk.evidence_refs),
        *(line.message_global_id for line in summary.messages.waiting),
        *(deal.ref for deal in (*summary.deals.won, *summary.deals.lost)),
    ]
    refs = _refs(summary.growth.top_nba, summary.critical_signals, told, most=_WEEK_REFS)
    return await db.write(
        kept_store.keep_week, call.project_ref, Made(monday.isoformat(), summary, refs, span.now)
    )


def _span(call: Scoped, first: date, days: int) -> Span:
    """`days` days from `first` on; what is "overdue" is as of the last of them that has begun."""
    regional = call.tower.settings.get(Regional)
    last = first + timedelta(days=days - 1)
    return Span(
        project_id=call.project_id,
        since=as_text(day_bounds(first, regional)[0]),
        until=as_text(day_bounds(last, regional)[1]),
        today=min(last, today_of(call)).isoformat(),
        now=call.tower.clock.text(),
    )


def _period(span: Span, first: date, days: int) -> Period:
    last = first + timedelta(days=days - 1)
    return Period(span.since, span.until, first.isoformat(), last.isoformat())


async def _tasks(db: Database, span: Span) -> Tasks:
    kinds = ("closed", "created", "overdue", "blocked", "due_today")
    lines = {kind: await db.read(digest_store.task_lines, span, kind) for kind in kinds}
    return Tasks(counts=await db.read(digest_store.task_counts, span), **lines)


async def _talks(db: Database, span: Span) -> Talks:
    unanswered, waiting = await db.read(digest_store.waiting, span)
    return Talks(await db.read(digest_store.talk, span), unanswered, waiting)


async def _deals(db: Database, span: Span) -> Deals:
    return Deals(
        won=await db.read(digest_store.decided, span, "won"),
        lost=await db.read(digest_store.decided, span, "lost"),
        moved=await db.read(digest_store.moves, span),
    )


async def _counts(db: Database, span: Span) -> Before:
    work = await db.read(digest_store.task_counts, span)
    return Before(work.closed, work.created, await db.read(digest_store.talk, span))


async def _sales(call: Scoped, db: Database, span: Span, before: Span) -> Sales:
    regional = call.tower.settings.get(Regional)
    quarter = date.fromisoformat(span.today) - timedelta(days=_WIN_RATE_DAYS)
    long = msgspec.structs.replace(span, since=as_text(day_bounds(quarter, regional)[0]))
    return Sales(
        won=await db.read(digest_store.sums, span, "won"),
        won_before=await db.read(digest_store.sums, before, "won"),
        lost=await db.read(digest_store.sums, span, "lost"),
        lost_before=await db.read(digest_store.sums, before, "lost"),
        pipeline=await db.read(digest_store.pipeline, span),
        win_rate_pct=await db.read(digest_store.win_rate, span),
        win_rate_before_pct=await db.read(digest_store.win_rate, before),
        win_rate_90d_pct=await db.read(digest_store.win_rate, long),
    )


async def _offers(db: Database, span: Span, before: Span) -> OfferSums:
    return OfferSums(
        sent=await db.read(digest_store.offers, span, "sent_at"),
        sent_before=await db.read(digest_store.offers, before, "sent_at"),
        signed=await db.read(digest_store.offers, span, "signed_at"),
        signed_before=await db.read(digest_store.offers, before, "signed_at"),
    )


def _told(summary: DaySummary) -> list[str]:
    """What else a day's digest names."""
    tasks = summary.tasks
    return [
        *(line.message_global_id for line in summary.messages.waiting),
        *(line.id for line in (*tasks.overdue, *tasks.blocked, *tasks.closed, *tasks.created)),
        *(deal.ref for deal in (*summary.deals.won, *summary.deals.lost)),
    ]


def _refs(
    actions: Iterable[TopAction], signals: Iterable[SignalCard], told: Iterable[str], *, most: int
) -> list[str]:
    """What a digest stands on, each once: of actions and signals first, then of what else it names."""
    found: dict[str, None] = {}
    for action in actions:
        found.update(dict.fromkeys(action.evidence_refs))
    for signal in signals:
        found.update(dict.fromkeys(signal.evidence_refs))
    found.update(dict.fromkeys(told))
    return list(found)[:most]
