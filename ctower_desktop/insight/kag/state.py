"""What has to be remembered of a project's past to measure it now. Pure."""

from __future__ import annotations

from bisect import insort
from datetime import datetime, timedelta

import msgspec

from ctower_desktop.insight.kag.model import Evidence
from ctower_desktop.insight.kag.reading import Happening
from ctower_desktop.kernel.system import as_text, from_text

REMEMBERED = timedelta(days=35)  # times
REMEMBERED_OPEN = timedelta(days=90)  # blockers and agreements that nobody closes
ANSWER_WITHIN = timedelta(days=3)  # an approval that names no day is due by then
MOST_EVIDENCE = 20  # for each signal
_ALPHA = 0.35
_MOST_TALKS = 2_000


class Kept(msgspec.Struct, frozen=True):
    """Evidence, and when it happened."""

    at: str
    evidence: Evidence


class Talk(msgspec.Struct):
    """A conversation: what the client wrote that is not answered, and when the team wrote last."""

    pending: list[str] = []
    team_at: str = ""


class Open(msgspec.Struct, frozen=True):
    """A blocker, a stage or an agreement that is not over."""

    since: str
    name: str = ""
    due_at: str | None = None
    evidence: Evidence | None = None


class Answers(msgspec.Struct):
    """How many answers were given on a day, and how long clients waited for them."""

    n: int = 0
    minutes: float = 0.0


class Hour(msgspec.Struct):
    """What went on within an hour, by source, and how much of it clients wrote."""

    sources: dict[str, int] = {}
    client: int = 0


class State(msgspec.Struct):
    """What is remembered of a project."""

    client_at: str = ""
    team_at: str = ""
    talks: dict[str, Talk] = {}
    answers: dict[str, Answers] = {}
    hours: dict[str, Hour] = {}
    blockers: dict[str, Open] = {}
    stages: dict[str, Open] = {}
    agreements: dict[str, Open] = {}
    scope: list[str] = []
    needs: list[str] = []
    ewma: float | None = None
    ewma_before: float | None = None
    moods: int = 0
    evidence: dict[str, list[Kept]] = {}  # by signal, and what clients said last and need


def apply(state: State, event: Happening) -> None:
    """Remember one happening."""
    hour = state.hours.setdefault(event.at[:13], Hour())
    hour.sources[event.source] = hour.sources.get(event.source, 0) + 1
    _keep(state, "activity_drop", event)
    if event.kind == "message_sent":
        _message(state, event, hour)
    elif event.kind == "task_blocked":
        known = state.blockers.get(event.about)
        since = min(known.since, event.at) if known else event.at
        state.blockers[event.about] = Open(since, event.name, None, event.evidence)
    elif event.kind == "blocker_resolved":
        state.blockers.pop(event.about, None)
    elif event.kind == "stage_started":
        state.stages[event.about] = Open(event.at, event.name, event.due_at, event.evidence)
    elif event.kind == "stage_completed":
        state.stages.pop(event.about, None)
    elif event.kind == "agreement_created":
        due = event.due_at or as_text(from_text(event.at) + ANSWER_WITHIN)
        state.agreements.setdefault(event.about, Open(event.at, event.name, due, event.evidence))
    elif event.kind == "approval_approved":
        asked = state.agreements.get(event.about)
        if asked is not None and asked.since <= event.at:
            del state.agreements[event.about]
    elif event.kind == "scope_change_requested":
        insort(state.scope, event.at)
        _keep(state, "scope_creep_rate", event)
    elif event.kind == "need_detected":
        insort(state.needs, event.at)
        _keep(state, "needs", event)


def _message(state: State, event: Happening, hour: Hour) -> None:
    talk = state.talks.setdefault(event.about, Talk())
    if event.sender == "client":
        hour.client += 1
        state.client_at = max(state.client_at, event.at)
        _keep(state, "client", event)
        if event.at > talk.team_at:  # one that comes late and was answered meanwhile does not wait
            insort(talk.pending, event.at)
        if event.mood is not None:
            _feel(state, event.mood)
            _keep(state, "sentiment_trend", event)
        return
    if event.at >= state.team_at:
        state.team_at = event.at
        _keep(state, "waiting_on_client_days", event)
    talk.team_at = max(talk.team_at, event.at)
    if talk.pending and talk.pending[0] <= event.at:
        asked = talk.pending.pop(0)
        day = state.answers.setdefault(event.at[:10], Answers())
        day.n += 1
        day.minutes += (from_text(event.at) - from_text(asked)).total_seconds() / 60
        _keep(state, "response_time_avg", event)


def _feel(state: State, mood: float) -> None:
    before = state.ewma
    state.ewma_before = before
    state.ewma = mood if before is None else _ALPHA * mood + (1 - _ALPHA) * before
    state.moods += 1


def _keep(state: State, key: str, event: Happening) -> None:
    if event.evidence is None:
        return
    kept = state.evidence.setdefault(key, [])
    if any(each.evidence.kinds and _same(each.evidence, event.evidence) for each in kept[-3:]):
        return  # several lines of the log may speak of one message
    kept.append(Kept(event.at, event.evidence))
    if len(kept) > MOST_EVIDENCE:
        kept.remove(min(kept, key=lambda each: each.at))


def _same(one: Evidence, other: Evidence) -> bool:
    return (one.message_id, one.linear_issue_id, one.attio_record_id, one.doc_url) == (
        other.message_id, other.linear_issue_id, other.attio_record_id, other.doc_url)  # fmt: skip


def forget(state: State, now: datetime) -> None:
    """Drop what is too old to matter."""
    oldest, oldest_open = as_text(now - REMEMBERED), as_text(now - REMEMBERED_OPEN)
    state.hours = {hour: found for hour, found in state.hours.items() if hour >= oldest[:13]}
    state.answers = {day: found for day, found in state.answers.items() if day >= oldest[:10]}
    state.scope = [at for at in state.scope if at >= oldest]
    state.needs = [at for at in state.needs if at >= oldest]
    for name, talk in list(state.talks.items()):
        talk.pending = [at for at in talk.pending if at >= oldest]
        if not talk.pending and talk.team_at < oldest:
            del state.talks[name]
    if len(state.talks) > _MOST_TALKS:
        newest = sorted(state.talks, key=lambda name: state.talks[name].team_at)[-_MOST_TALKS:]
        state.talks = {name: state.talks[name] for name in newest}
    state.blockers = _young(state.blockers, oldest_open)
    state.agreements = _young(state.agreements, oldest_open)
    state.evidence = {
        key: left
        for key, kept in state.evidence.items()
        if (left := [each for each in kept if each.at >= oldest])
    }


def _young(found: dict[str, Open], oldest: str) -> dict[str, Open]:
    return {name: each for name, each in found.items() if each.since >= oldest}


def compare(state: State, blocked: dict[str, Open], stages: dict[str, Open]) -> None:
    """Follow what the rows say of blocked issues and running stages: the log may have begun after them."""
    state.blockers = {
        name: Open(state.blockers[name].since, each.name, None, each.evidence)
        if name in state.blockers
        else each
        for name, each in blocked.items()
    }
    state.stages = dict(stages)
