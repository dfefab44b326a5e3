"""Extraction: messages that came are read, then what is the case now is looked up and kept as signals."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from ctower_desktop.accounts.credentials import Auth
from ctower_desktop.insight.signals import (
    sentiment,
    state_store,
    stories,
    story_store,
    telling,
    threads,
    wording,
)
from ctower_desktop.insight.signals.intake import read_messages
from ctower_desktop.insight.signals.model import Evidence, Extraction, Language, SignalType
from ctower_desktop.insight.signals.reading_store import FORGOTTEN
from ctower_desktop.insight.signals.settings import SignalSettings
from ctower_desktop.insight.signals.state_store import (
    Bounds,
    Facts,
    Overdue,
    OverdueIssue,
    Sour,
    SourMessage,
    Waiting,
    WeakDeal,
)
from ctower_desktop.insight.signals.stories import WINDOW, State
from ctower_desktop.insight.signals.story_store import Changes, Place
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Scoped
from ctower_desktop.search.words import language


def place_of(call: Scoped) -> Place:
    """Where and when stories of a call are put, and whose they are when nobody else is found."""
    who = call.user
    by = None if who.kind == "job" else who.username
    if who.kind == "desktop":
        by = call.tower.settings.get(Auth).username or None
    return Place(call.project_ref, call.tower.clock.text(), by, Changes())


async def extract(call: Scoped) -> Extraction:
    """Bring the signals of a project up to date; the cost follows what is new, not history."""
    place, settings = place_of(call), call.tower.settings.get(SignalSettings)
    read = await read_messages(call.tower, place)
    now = from_text(place.at)
    facts = await call.tower.db.read(
        state_store.facts,
        place.project.id,
        Bounds(
            today=place.at[:10],
            forgotten=as_text(now - FORGOTTEN),
            unanswered=as_text(now - timedelta(hours=settings.silence_hours)),
            silent=as_text(now - timedelta(days=settings.gap_days)),
            sour_since=as_text(now - 2 * WINDOW),
        ),
    )
    states = await asyncio.to_thread(states_of, facts, now, settings)
    stale = as_text(now - timedelta(days=settings.stale_days))
    standing = await call.tower.db.write(story_store.keep, place, states, as_text(now - WINDOW), stale)
    return Extraction(
        generated_candidates=standing,
        touched_signals=standing,
        touched_nba=standing,
        messages_read=read,
        created=place.changes.created,
        reopened=place.changes.reopened,
        closed=place.changes.closed,
    )


def states_of(facts: Facts, now: datetime, settings: SignalSettings) -> dict[SignalType, list[State]]:
    """What is the case now, by kind."""
    return {
        "delivery_overdue": [_overdue(group, issues) for group, issues in facts.overdue],
        "deal_without_next_step": [_deal(deal) for deal in facts.weak_deals],
        "silence": _unanswered(facts.waiting_for_us, now, settings.silence_hours),
        "communication_gap": [_gap(one, now) for one in facts.waiting_for_client],
        "sentiment_trend": [_sour(one, bad) for one, bad in facts.sour if bad],
    }


def _overdue(group: Overdue, issues: Sequence[OverdueIssue]) -> State:
    oldest = issues[0]
    tongue = language(" ".join((group.name, *(issue.title for issue in issues))))
    title = f"{oldest.identifier} {oldest.title}"
    return State(
        kind="delivery_overdue",
        source_ref=f"linear_project:{group.linear_project_external_id or 'none'}",
        worth=stories.overdue(group.issues),
        summary=telling.overdue(group.issues, group.name, title, oldest.due_date, tongue),
        language=tongue,
        evidence=tuple(_late(issue) for issue in issues),
        owner=_most_common(issue.assignee_name for issue in issues),
    )


def _late(issue: OverdueIssue) -> Evidence:
    quote = wording.shortened(f"{issue.identifier} {issue.title}")
    return Evidence(issue.id, issue.assignee_name, quote, issue.due_date[:10] + "T00:00:00.000Z")


def _most_common(names: Iterable[str | None]) -> str | None:
    counted = Counter(name for name in names if name)
    return counted.most_common(1)[0][0] if counted else None


def _deal(deal: WeakDeal) -> State:
    tongue = language(deal.title)
    quote = wording.shortened(deal.title)
    return State(
        kind="deal_without_next_step",
        source_ref=deal.id,
        worth=stories.plain("deal_without_next_step"),
        summary=telling.no_next_step(deal.title, tongue),
        language=tongue,
        evidence=(Evidence(deal.id, deal.owner_username, quote, deal.updated_at),),
        owner=deal.owner_username,
    )


def _unanswered(waiting: Sequence[Waiting], now: datetime, limit: int) -> list[State]:
    found = []
    for one in waiting:
        hours = stories.working_hours(from_text(one.since), now)
        if hours < limit:
            continue  # the weekend does not count
        quote = _quote(one.content, one.language)
        worth = stories.unanswered(hours, limit, asked=threads.asks(one.content))
        summary = telling.unanswered(one.contact_name or one.author or "", one.since, quote, one.language)
        found.append(_waits("silence", one, worth, summary, quote))
    return found


def _gap(one: Waiting, now: datetime) -> State:
    days = (now - from_text(one.since)).total_seconds() / 86_400
    wrote = one.client_last_at is not None
    quote = _quote(one.content, one.language)
    summary = telling.gap(one.contact_name or "", one.since, int(days), quote, one.language, ever_wrote=wrote)
    return _waits("communication_gap", one, stories.gap(days, ever_wrote=wrote), summary, quote)


def _waits(kind: SignalType, one: Waiting, worth: stories.Worth, summary: str, quote: str) -> State:
    return State(
        kind=kind,
        source_ref=one.conversation_id,
        worth=worth,
        summary=summary,
        language=one.language,
        evidence=(Evidence(one.about, one.author, quote, one.since),),
        more_refs=(one.conversation_id,),
        owner=one.assignee_name,
    )


def _sour(one: Sour, bad: Sequence[SourMessage]) -> State:
    evidence = tuple(Evidence(m.id, m.author, _quote(m.content, one.language), m.created_at) for m in bad)
    return State(
        kind="sentiment_trend",
        source_ref=one.conversation_id,
        worth=stories.sour(one.mood, one.moods, sentiment.BITTER),
        summary=telling.sour(one.contact_name or "", evidence[0].quote, one.language),
        language=one.language,
        evidence=evidence,
        more_refs=(one.conversation_id,),
        owner=one.assignee_name,
    )


def _quote(content: str, tongue: Language) -> str:
    said = " ".join(wording.sentences(wording.clean(content))) or content.strip()
    return wording.shortened(said) if said else telling.no_text(tongue)
