"""A digest in words: the document of a day or a week, whole, or the plan or the results that are mailed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from ctower_desktop.reports.digest import (
    DaySummary,
    DealLine,
    Deals,
    Sum,
    Talks,
    TaskLine,
    WeekSummary,
)
from ctower_desktop.reports.document import Block, Document, Fact, Facts, Part, Point, Points, Tone, Words
from ctower_desktop.reports.tower_view import SignalCard, TopAction
from ctower_desktop.reports.words import NOTHING, Speech

Kind = Literal["whole", "plan", "results"]

_SEVERE: dict[int, Tone] = {5: "bad", 4: "warning"}
_DAY_PARTS: dict[Kind, tuple[str, ...]] = {
    "whole": ("figures", "due_today", "overdue", "blocked", "waiting", "critical", "actions", "closed",
              "created", "deals", "outbound"),
    "plan": ("due_today", "overdue", "blocked", "waiting", "critical", "actions", "outbound"),
    "results": ("figures", "closed", "created", "deals", "waiting", "overdue", "critical", "outbound"),
}  # fmt: skip


def day_document(summary: dict[str, Any], project: str, say: Speech, kind: Kind = "whole") -> Document:
    """The digest of a day."""
    day = msgspec.convert(summary, DaySummary)
    tasks = day.tasks
    makers: dict[str, Callable[[], Part]] = {
        "figures": lambda: Part("figures", say("figures"), [_day_figures(day, say)]),
        "due_today": lambda: _tasks("due_today", tasks.due_today, tasks.counts.due_today, say),
        "overdue": lambda: _tasks("overdue", tasks.overdue, tasks.counts.overdue, say, "bad"),
        "blocked": lambda: _tasks("blocked", tasks.blocked, tasks.counts.blocked, say, "warning"),
        "closed": lambda: _tasks("closed", tasks.closed, tasks.counts.closed, say, "good"),
        "created": lambda: _tasks("created", tasks.created, tasks.counts.created, say),
        "waiting": lambda: _waiting(day.messages, say),
        "critical": lambda: _signals(day.critical_signals, say),
        "actions": lambda: _actions(day.top_nba, say),
        "deals": lambda: _deals(day.deals, say),
        "outbound": lambda: _outbound(day, say),
    }
    return Document(
        language=say.language,
        title=say(f"daily_{kind}", project=project),
        subtitle=say.day(day.period.first_day),
        parts=[makers[name]() for name in _DAY_PARTS[kind]],
        foot=say("made_at", at=say.moment(day.generated_at)),
    )


def week_document(summary: dict[str, Any], project: str, say: Speech, kind: Kind = "whole") -> Document:
    """The digest of a week."""
    week = msgspec.convert(summary, WeekSummary)
    parts = [
        Part("sales", say("sales"), [_sales(week, say)]),
        Part("offers", say("offers"), [_offers(week, say)]),
        _deals(week.deals, say),
        Part("delivery", say("delivery"), [_velocity(week, say)]),
        Part("messages", say("messages"), [_talk(week, say)]),
        _waiting(week.messages, say),
        _risk(week, say),
        _signals(week.critical_signals, say),
        _actions(week.growth.top_nba, say),
    ]
    return Document(
        language=say.language,
        title=say(f"weekly_{kind}", project=project),
        subtitle=f"{say.day(week.period.first_day)} – {say.day(week.period.last_day)}",
        parts=parts,
        foot=say("made_at", at=say.moment(week.generated_at)),
    )


def _day_figures(day: DaySummary, say: Speech) -> Facts:
    counts, talk, before = day.tasks.counts, day.messages.counts, day.before
    return Facts(
        [
            _count("closed", counts.closed, say, before.closed),
            _count("created", counts.created, say, before.created),
            _count("overdue", counts.overdue, say, tone="bad" if counts.overdue else "plain"),
            _count("blocked", counts.blocked, say, tone="warning" if counts.blocked else "plain"),
            _count("inbound", talk.inbound, say, before.messages.inbound),
            _count("outbound_messages", talk.outbound, say, before.messages.outbound),
            _count(
                "unanswered",
                day.messages.unanswered,
                say,
                tone="warning" if day.messages.unanswered else "plain",
            ),
            _response(talk.avg_response_minutes, before.messages.avg_response_minutes, say),
        ]
    )


def _talk(week: WeekSummary, say: Speech) -> Facts:
    talk, before = week.messages.counts, week.before.messages
    return Facts(
        [
            _count("inbound", talk.inbound, say, before.inbound),
            _count("outbound_messages", talk.outbound, say, before.outbound),
            _count("unanswered", week.messages.unanswered, say),
            _response(talk.avg_response_minutes, before.avg_response_minutes, say),
        ]
    )


def _velocity(week: WeekSummary, say: Speech) -> Facts:
    found = week.velocity
    return Facts(
        [
            _count("closed", found.closed, say, found.closed_before),
            _count("created", found.created, say, found.created_before),
            _count("balance", found.closed - found.created, say, found.closed_before - found.created_before),
        ]
    )


def _sales(week: WeekSummary, say: Speech) -> Facts:
    sales = week.sales
    rate_note = say("before", value=say.percent(sales.win_rate_before_pct))
    facts = [
        *_sums("won", sales.won, sales.won_before, say, "good"),
        *_sums("lost", sales.lost, sales.lost_before, say, "bad"),
    ]
    for pipeline in sales.pipeline:
        note = say("before", value=say.money(pipeline.amount_before, pipeline.currency))
        amount = say.money(pipeline.amount, pipeline.currency)
        facts.append(Fact(say("pipeline"), amount, note, "plain", "pipeline", pipeline.amount))
        expected = say.money(pipeline.expected, pipeline.currency)
        facts.append(Fact(say("expected"), expected, "", "plain", "expected", pipeline.expected))
    facts.append(
        Fact(
            say("win_rate"),
            say.percent(sales.win_rate_pct),
            rate_note,
            "plain",
            "win_rate",
            sales.win_rate_pct,
        )
    )
    quarter = say.percent(sales.win_rate_90d_pct)
    facts.append(Fact(say("win_rate_90d"), quarter, "", "plain", "win_rate_90d", sales.win_rate_90d_pct))
    return Facts(facts)


def _offers(week: WeekSummary, say: Speech) -> Facts:
    found = week.offers
    return Facts(
        [
            *_sums("offers_sent", found.sent, found.sent_before, say),
            *_sums("offers_signed", found.signed, found.signed_before, say, "good"),
        ]
    )


def _sums(
    key: str, now: Sequence[Sum], before: Sequence[Sum], say: Speech, tone: Tone = "plain"
) -> list[Fact]:
    """One figure for every currency; amounts of different currencies are never added."""
    earlier = {one.currency: one for one in before}
    currencies = list(dict.fromkeys(one.currency for one in (*now, *before))) or [""]
    current = {one.currency: one for one in now}
    facts = []
    for currency in currencies:
        one, was = current.get(currency, Sum(currency, 0, 0.0)), earlier.get(currency, Sum(currency, 0, 0.0))
        note = say("before", value=f"{say.number(was.count)} · {say.money(was.amount, currency)}")
        value = f"{say.number(one.count)} · {say.money(one.amount, currency)}"
        facts.append(Fact(say(key), value, note, tone if one.count else "plain", key, one.amount))
    return facts


def _risk(week: WeekSummary, say: Speech) -> Part:
    health, blocks = week.risk.health, list[Block]()
    if health is not None:
        was = say("before", value=say.number(health.before, 2)) if health.before is not None else ""
        tone: Tone = "good" if health.score >= 80 else "warning" if health.score >= 60 else "bad"
        fact = Fact(say("health"), say.number(health.score, 2), was, tone, "health", health.score)
        blocks.append(Facts([fact]))
    risks = [
        Point(
            f"{say('severity', n=risk.severity)} {risk.title}",
            risk.mitigation_action or "",
            risk.evidence_refs[:3],
            _SEVERE.get(risk.severity, "plain"),
        )
        for risk in week.risk.top_risks
    ]
    blocks.append(Points(risks) if risks else Words(say("nothing_here")))
    told = {risk.title for risk in week.risk.top_risks}
    patterns = [
        Point(one.title, say("weight", n=say.number(one.weight, 2)))
        for one in week.risk.patterns
        if one.title not in told
    ]
    if patterns:
        blocks.append(Points(patterns))
    return Part("risk", say("risk"), blocks)


def _tasks(key: str, lines: Sequence[TaskLine], total: int, say: Speech, tone: Tone = "plain") -> Part:
    points = [
        Point(
            f"{line.identifier} {line.title}",
            " · ".join(
                part
                for part in (
                    line.assignee_name or say("nobody"),
                    say("due", day=say.day(line.due_date)) if line.due_date else "",
                )
                if part
            ),
            [line.id],
            tone,
        )
        for line in lines
    ]
    return _list(key, points, total, say)


def _waiting(talks: Talks, say: Speech) -> Part:
    points = [
        Point(
            f"{line.contact_name or say('somebody')}: {' '.join(line.snippet.split())}",
            say("waits", span=say.minutes(line.waiting_minutes)),
            [line.message_global_id],
            "warning",
        )
        for line in talks.waiting
    ]
    return _list("waiting", points, talks.unanswered, say)


def _signals(signals: Sequence[SignalCard], say: Speech) -> Part:
    points = [
        Point(
            signal.summary,
            say("severity", n=signal.severity),
            signal.evidence_refs[:3],
            _SEVERE.get(signal.severity, "plain"),
        )
        for signal in signals
    ]
    return _list("critical", points, len(points), say)


def _actions(actions: Sequence[TopAction], say: Speech) -> Part:
    points = []
    for action in actions:
        due = say("due", day=say.day(action.due_date)) if action.due_date else ""
        note = " · ".join(part for part in (action.owner_username or "", due) if part)
        points.append(Point(action.summary, note, action.evidence_refs[:3]))
    return _list("actions", points, len(points), say)


def _deals(deals: Deals, say: Speech) -> Part:
    def line(deal: DealLine, key: str, tone: Tone) -> Point:
        return Point(f"{say(key)}: {deal.title}", say.money(deal.amount, deal.currency), [deal.ref], tone)

    points = [
        *(line(deal, "won", "good") for deal in deals.won),
        *(line(deal, "lost", "bad") for deal in deals.lost),
        *(
            Point(move.title, f"{say(move.from_stage)} → {say(move.to_stage)}", [move.opportunity_id])
            for move in deals.moved
            if move.to_stage not in ("won", "lost")
        ),
    ]
    return _list("deals", points, len(points), say)


def _outbound(day: DaySummary, say: Speech) -> Part:
    found = day.highlights
    facts = [
        _count("outbound_draft", found.outbound_draft, say),
        _count("outbound_approved", found.outbound_approved, say),
        _count(
            "outbound_failed", found.outbound_failed, say, tone="bad" if found.outbound_failed else "plain"
        ),
    ]
    return Part("outbound", say("outbound"), [Facts(facts)])


def _list(key: str, points: list[Point], total: int, say: Speech) -> Part:
    if not points:
        return Part(key, say(key), [Words(say("nothing_here"))])
    blocks: list[Block] = [Points(points)]
    if total > len(points):
        blocks.append(Words(say("and_more", n=say.number(total - len(points)))))
    return Part(key, f"{say(key)} · {say.number(total)}", blocks)


def _count(key: str, value: int, say: Speech, before: int | None = None, tone: Tone = "plain") -> Fact:
    note = say("before", value=say.number(before)) if before is not None else ""
    return Fact(say(key), say.number(value), note, tone, key, value)


def _response(now: float | None, before: float | None, say: Speech) -> Fact:
    note = say("before", value=say.minutes(before)) if before is not None else ""
    return Fact(
        say("response"), say.minutes(now) if now is not None else NOTHING, note, "plain", "response", now
    )
