"""Stories in SQL: evidence goes to the signal it belongs to, which grows, is raised again or closes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import apsw
import msgspec

from ctower_desktop.insight.signals import nba_store, stories, telling
from ctower_desktop.insight.signals import store as signals
from ctower_desktop.insight.signals.model import (
    MOST_EVIDENCE,
    OPEN,
    Evidence,
    Language,
    SignalStatus,
    SignalType,
)
from ctower_desktop.insight.signals.stories import KINDS, SAID, State, Worth
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import as_text, from_text, new_id
from ctower_desktop.kernel.tower import ProjectRef
from ctower_desktop.search.words import language

SYSTEM = "system"


class Heard(msgspec.Struct, frozen=True):
    """A sentence of a message that tells of something."""

    kind: SignalType
    conversation_id: str
    evidence: Evidence
    owner: str | None


class _Story(msgspec.Struct, frozen=True):
    id: str
    signal_type: SignalType
    severity: int
    confidence: float
    summary: str
    status: SignalStatus
    source_ref: str
    story: int
    language: Language
    evidence_refs: list[str]
    last_seen_at: str
    settled_with: list[str]
    settled_at: str | None
    cleared_at: str | None


class _Ref(msgspec.Struct, frozen=True):
    ref: str


class _Count(msgspec.Struct, frozen=True):
    count: int


@dataclass(slots=True)
class Changes:
    """What a run changed."""

    created: int = 0
    reopened: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when stories are put, and who is at it."""

    project: ProjectRef
    at: str
    by: str | None  # somebody, or None when the program does it by itself
    changes: Changes


_STORY = """id, signal_type, severity, confidence, summary, status, source_ref, story, language,
           evidence_refs, last_seen_at, settled_with, settled_at, cleared_at"""
_LATEST = Query(
    _Story,
    f"""
    SELECT {_STORY} FROM signal
    WHERE project_id = :project_id AND source_ref = :source_ref AND signal_type = :kind
    ORDER BY story DESC LIMIT 1
    """,
)
_STANDING = Query(
    _Story,
    f"""
    SELECT {_STORY} FROM signal
    WHERE project_id = :project_id AND signal_type = :kind AND cleared_at IS NULL
    """,
)
_ABOUT = Query(
    _Story,
    f"""
    SELECT {_STORY} FROM signal WHERE id IN (
        SELECT signal_id FROM signal_evidence WHERE project_id = :project_id AND ref = :ref)
    """,
)
_STALE = Query(
    _Story,
    f"""
    SELECT {_STORY} FROM signal
    WHERE project_id = :project_id AND status = 'proposed' AND last_seen_at < :before
      AND signal_type IN (SELECT value FROM json_each(:kinds)) LIMIT 500
    """,
)
_COUNT_SAID = Query(
    _Count,
    """
    SELECT count(*) AS count FROM signal
    WHERE project_id = :project_id AND last_seen_at >= :since AND cleared_at IS NULL
      AND signal_type IN (SELECT value FROM json_each(:kinds))
    """,
)
_ADD = Command("""
    INSERT INTO signal (id, project_id, account_scope_id, signal_type, severity, confidence, summary,
        source_kind, source_ref, story, dedupe_key, language, started_at, last_seen_at,
        created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :kind, :severity, :confidence, '', :source_kind,
        :source_ref, :story, :dedupe_key, :language, :seen_at, :seen_at, :at, :at)
""")
_RENEW = Command("""
    UPDATE signal
    SET severity = :severity, confidence = :confidence, summary = :summary, language = :language,
        evidence_refs = :refs, started_at = :started_at, last_seen_at = :last_seen_at, cleared_at = NULL,
        updated_at = :at
    WHERE id = :id AND (severity, confidence, summary, evidence_refs, started_at, last_seen_at, cleared_at)
        IS NOT (:severity, :confidence, :summary, :refs, :started_at, :last_seen_at, NULL)
""")
_REOPEN = Command("""
    UPDATE signal SET status = 'proposed', reopened_at = :at, updated_at = :at WHERE id = :id
""")
_CLEAR = Command("UPDATE signal SET cleared_at = :at WHERE id = :id")
_EVIDENCE = Query(
    Evidence,
    """
    SELECT ref, author, quote, said_at FROM signal_evidence WHERE signal_id = :id
    ORDER BY said_at DESC, id DESC
    """,
)
_KNOWN = Query(_Ref, "SELECT ref FROM signal_evidence WHERE signal_id = :id AND ref = :ref")
_AMONG = Query(
    _Ref,
    """
    SELECT ref FROM signal_evidence
    WHERE project_id = :project_id AND ref IN (SELECT value FROM json_each(:refs))
    """,
)
_PUT_EVIDENCE = Command("""
    INSERT INTO signal_evidence (project_id, account_scope_id, signal_id, ref, author, quote, said_at)
    VALUES (:project_id, :account_scope_id, :id, :ref, :author, :quote, :said_at)
    ON CONFLICT (signal_id, ref) DO UPDATE
    SET (author, quote, said_at) = (excluded.author, excluded.quote, excluded.said_at)
    WHERE (author, quote, said_at) IS NOT (excluded.author, excluded.quote, excluded.said_at)
""")
_DROP_EVIDENCE = Command("DELETE FROM signal_evidence WHERE signal_id = :id AND ref = :ref")
_KEEP_ONLY = Command("""
    DELETE FROM signal_evidence
    WHERE signal_id = :id AND ref NOT IN (SELECT value FROM json_each(:refs))
""")


def hear(db: apsw.Connection, place: Place, heard: Heard) -> None:
    """Put a sentence to the story it goes on with, or begin one."""
    now = _latest(db, place, heard.kind, heard.conversation_id)
    said_at = heard.evidence.said_at
    if now is None or (now.status not in OPEN and said_at > _later(now.last_seen_at)):
        number = 1 if now is None else now.story + 1
        now = _begin(db, place, heard.kind, heard.conversation_id, seen_at=said_at, number=number)
    known = _KNOWN.first(db, id=now.id, ref=heard.evidence.ref) is not None
    _put_evidence(db, place, now.id, heard.evidence)
    news = not known and heard.evidence.ref not in now.settled_with and said_at >= now.last_seen_at
    _renew_said(db, place, now, owner=heard.owner, news=news)


def evidence_among(db: apsw.Connection, project_id: str, refs: Sequence[str]) -> set[str]:
    """Which of `refs` are evidence already."""
    return {row.ref for row in _AMONG.all(db, project_id=project_id, refs=as_json(refs))}


def forget(db: apsw.Connection, place: Place, ref: str, conversation_id: str, kinds: set[SignalType]) -> None:
    """Take a message out of the stories it no longer tells: it was edited, made private or deleted."""
    for story in _ABOUT.all(db, project_id=place.project.id, ref=ref):
        if story.signal_type not in SAID:
            continue  # a state looks at the message anew by itself
        if story.signal_type in kinds and story.source_ref == conversation_id:
            continue
        _DROP_EVIDENCE.run(db, id=story.id, ref=ref)
        _renew_said(db, place, story, owner=None, news=False)


def end_requests(db: apsw.Connection, place: Place, conversation_id: str, said_at: str) -> None:
    """Close a request for approval that was answered."""
    now = _latest(db, place, "approval_request", conversation_id)
    if now is not None and now.status in OPEN and now.last_seen_at < said_at:
        _close(db, place, now)


def keep(
    db: apsw.Connection, place: Place, states: Mapping[SignalType, Sequence[State]], fresh: str, stale: str
) -> int:
    """Signals as things are now; return how many stories stand.

    What is the case is raised or renewed, what is over is closed, and so are proposals of which nothing was
    heard since `stale`. Stories of messages stand when something was heard since `fresh`.
    """
    for kind, found in states.items():
        _keep_states(db, place, kind, found)
    for story in _STALE.all(db, project_id=place.project.id, before=stale, kinds=as_json(SAID)):
        _close(db, place, story)
    said = _COUNT_SAID.one(db, project_id=place.project.id, since=fresh, kinds=as_json(SAID)).count
    return sum(map(len, states.values())) + said


def _keep_states(db: apsw.Connection, place: Place, kind: SignalType, states: Sequence[State]) -> None:
    standing = {
        story.source_ref: story for story in _STANDING.all(db, project_id=place.project.id, kind=kind)
    }
    for state in states:
        now = standing.pop(state.source_ref, None)
        if now is None or not _says(now, state):
            _keep_state(db, place, state)
    for story in standing.values():
        _CLEAR.run(db, id=story.id, at=place.at)
        if story.status in OPEN:
            _close(db, place, story)


def _says(now: _Story, state: State) -> bool:
    """Whether a standing signal says all this already."""
    refs = stories.references(tuple(one.ref for one in state.evidence), state.more_refs)
    known = Worth(now.severity, now.confidence)
    return (now.summary, now.evidence_refs) == (state.summary, refs) and known.at_least(state.worth) == known


def _keep_state(db: apsw.Connection, place: Place, state: State) -> None:
    now = _latest(db, place, state.kind, state.source_ref)
    if now is None:
        newest = max((one.said_at for one in state.evidence), default=place.at)
        now = _begin(db, place, state.kind, state.source_ref, seen_at=newest, number=1)
    refs = [one.ref for one in state.evidence]
    came_back = now.cleared_at is not None
    for one in state.evidence:
        _put_evidence(db, place, now.id, one)
    _KEEP_ONLY.run(db, id=now.id, refs=as_json(refs))
    if not came_back:
        state = replace(state, worth=state.worth.at_least(Worth(now.severity, now.confidence)))
    _renew(db, place, now, state)
    _follow(db, place, now, state, news=came_back or not set(refs) <= set(now.settled_with))


def _renew_said(db: apsw.Connection, place: Place, now: _Story, *, owner: str | None, news: bool) -> None:
    """A story of messages after its evidence changed."""
    evidence = _EVIDENCE.all(db, id=now.id)
    for one in evidence[MOST_EVIDENCE:]:
        _DROP_EVIDENCE.run(db, id=now.id, ref=one.ref)
    evidence = evidence[:MOST_EVIDENCE]
    if not evidence:
        _CLEAR.run(db, id=now.id, at=place.at)
        if now.status in OPEN:
            _close(db, place, now)
        return
    worth = stories.heard(now.signal_type, len(evidence))
    tongue = language(evidence[0].quote)
    told = State(
        kind=now.signal_type,
        source_ref=now.source_ref,
        worth=worth.at_least(Worth(now.severity, now.confidence)),
        summary=telling.heard(now.signal_type, evidence, tongue),
        language=tongue,
        evidence=tuple(evidence),
        more_refs=(now.source_ref,),
        owner=owner,
    )
    _renew(db, place, now, told)
    _follow(db, place, now, told, news=news)


def _latest(db: apsw.Connection, place: Place, kind: SignalType, source_ref: str) -> _Story | None:
    return _LATEST.first(db, project_id=place.project.id, source_ref=source_ref, kind=kind)


def _begin(
    db: apsw.Connection, place: Place, kind: SignalType, source_ref: str, *, seen_at: str, number: int
) -> _Story:
    project, own = place.project, KINDS[kind]
    _ADD.run(
        db, id=new_id(), project_id=project.id, account_scope_id=project.account_scope_id, kind=kind,
        severity=own.severity if kind in SAID else 1, confidence=own.confidence if kind in SAID else 0.0,
        source_kind=own.source, source_ref=source_ref, story=number, language="en", seen_at=seen_at,
        dedupe_key=stories.key(project.id, kind, source_ref, str(number)), at=place.at,
    )  # fmt: skip
    place.changes.created += 1
    return _LATEST.one(db, project_id=project.id, source_ref=source_ref, kind=kind)


def _put_evidence(db: apsw.Connection, place: Place, signal_id: str, one: Evidence) -> None:
    project = place.project
    _PUT_EVIDENCE.run(
        db, project_id=project.id, account_scope_id=project.account_scope_id, id=signal_id,
        **msgspec.structs.asdict(one),
    )  # fmt: skip


def _renew(db: apsw.Connection, place: Place, now: _Story, told: State) -> None:
    times = [one.said_at for one in told.evidence] or [now.last_seen_at]
    refs = stories.references(tuple(one.ref for one in told.evidence), told.more_refs)
    _RENEW.run(
        db, id=now.id, severity=told.worth.severity, confidence=told.worth.confidence, summary=told.summary,
        language=told.language, refs=as_json(refs), started_at=min(times), last_seen_at=max(times),
        at=place.at,
    )  # fmt: skip


def _follow(db: apsw.Connection, place: Place, now: _Story, told: State, *, news: bool) -> None:
    """Raise a closed story again when there is news, and say what to do about an open one."""
    own, project = KINDS[now.signal_type], place.project
    day = stories.due(from_text(place.at).date(), own.priority, told.worth.severity)
    if now.status not in OPEN:
        if not news:
            return
        _REOPEN.run(db, id=now.id, at=place.at)
        nba_store.reopen_for_news(db, now.id, day, place.at)
        place.changes.reopened += 1
    nba_store.put(
        db,
        nba_store.Wanted(
            project_id=project.id,
            account_scope_id=project.account_scope_id,
            signal_id=now.id,
            action_type=own.action,
            priority=own.priority,
            summary=telling.todo(own.action, told.summary, told.language),
            due_date=day,
            owner_username=told.owner or nba_store.assigned(db, project.id) or place.by,
            evidence_refs=as_json([one.ref for one in told.evidence]),
            dedupe_key=stories.key(project.id, now.id, own.action),
        ),
        place.at,
    )


def _close(db: apsw.Connection, place: Place, story: _Story) -> None:
    signals.settle(db, story.id, "done", at=place.at, by=SYSTEM)
    place.changes.closed += 1


def _later(at: str) -> str:
    return as_text(from_text(at) + stories.WINDOW)


def kinds_of(heard: Iterable[Heard]) -> dict[str, set[SignalType]]:
    """Which kinds each message tells of."""
    found: dict[str, set[SignalType]] = {}
    for one in heard:
        found.setdefault(one.evidence.ref, set()).add(one.kind)
    return found
