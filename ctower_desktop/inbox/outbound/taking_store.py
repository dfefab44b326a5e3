"""Taking up a message: every check and, with the same commit, the note that it is on its way; in SQL."""

from __future__ import annotations

from datetime import datetime, timedelta

import apsw
import msgspec

from ctower_desktop.inbox.outbound import content, policy, policy_store, store
from ctower_desktop.inbox.outbound.channel import Before, Parcel
from ctower_desktop.inbox.outbound.model import Check, Outbound, PreviewAnswer
from ctower_desktop.inbox.outbound.settings import OutboundSettings
from ctower_desktop.inbox.outbound.store import COLUMNS, Id, cut
from ctower_desktop.inbox.outbound.verdict import Block, Case, Circumstances, findings, next_text
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import ProjectRef


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends: a `person`, or the scheduler; an id for what is made by it, a name for the vendor."""

    by: str
    person: bool
    new_id: str
    wire_name: str  # what the vendor is to know the message by, should this be its first try


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is on its way now, and what is handed over."""

    attempt_id: int
    message: Outbound
    parcel: Parcel


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A message that does not go out, as it is now."""

    message: Outbound
    block: Block


class Rehearsed(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was only rehearsed."""

    message: Outbound


class Past(msgspec.Struct, frozen=True):
    """A try of before."""

    attempt_no: int
    status: str
    refused: bool
    started_at: str

    @property
    def before(self) -> Before:
        """As a channel is told of it."""
        return Before(self.started_at, self.refused, self.status == "uncertain")


class _Attempt(msgspec.Struct, frozen=True):
    id: int


class _Wire(msgspec.Struct, frozen=True):
    wire_key: str | None


class _Count(msgspec.Struct, frozen=True):
    count: int


_ON_ITS_WAY = Query(
    _Count,
    """
    SELECT count(*) AS count FROM outbound_message
    WHERE project_id = :project_id AND channel = :channel AND recipient_key = :key
      AND status IN ('sending', 'uncertain') AND id <> :id
    """,
)
_PAST = Query(
    Past,
    """
    SELECT attempt_no, status, refused, started_at FROM outbound_attempt
    WHERE outbound_id = :id ORDER BY attempt_no
    """,
)
_WIRE_KEY = Query(_Wire, "SELECT wire_key FROM outbound_message WHERE id = :id")
_TAKE = Query(
    Outbound,
    f"""
    UPDATE outbound_message
    SET status = 'sending', wire_key = :wire_key, recipient_key = :recipient_key, next_attempt_at = NULL,
        send_requested_at = CASE WHEN :by_person THEN :at ELSE send_requested_at END,
        last_error = NULL, updated_at = :at
    WHERE id = :id AND status IN ('approved', 'failed')
    RETURNING {COLUMNS}
    """,
)
_TRY = Query(
    _Attempt,
    """
    INSERT INTO outbound_attempt (project_id, account_scope_id, outbound_id, attempt_no, status, error,
                                  rendered, actor_username, started_at, finished_at)
    VALUES (:project_id, :account_scope_id, :outbound_id, :attempt_no, :status, :error, :rendered, :by, :at,
            CASE WHEN :status = 'sending' THEN NULL ELSE :at END)
    RETURNING id
    """,
)
_BLOCK = Query(
    Outbound,
    f"""
    UPDATE outbound_message
    SET status = coalesce(:status, status), last_error = :reason,
        next_attempt_at = :next,
        retry_count = :retry_count, updated_at = :at,
        send_requested_at = CASE WHEN :by_person AND :next IS NOT NULL THEN :at ELSE send_requested_at END
    WHERE id = :id RETURNING {COLUMNS}
    """,
)
_REHEARSED = Query(
    Outbound,
    f"UPDATE outbound_message SET dry_run_at = :at, updated_at = :at WHERE id = :id RETURNING {COLUMNS}",
)
_DUE = Query(
    Id,
    """
    UPDATE outbound_message SET next_attempt_at = :until
    WHERE id IN (
        SELECT id FROM outbound_message
        WHERE project_id = :project_id AND status IN ('approved', 'failed') AND next_attempt_at IS NOT NULL
          AND next_attempt_at <= :now AND (:all OR send_requested_at IS NOT NULL)
          AND (NOT :rehearsing OR dry_run_at IS NULL) AND (retry_count = 0 OR retry_count < max_retries)
        ORDER BY next_attempt_at, id LIMIT :limit)
    RETURNING id
    """,
)


def case(db: apsw.Connection, project_id: str, outbound_id: str, around: Circumstances) -> Case:
    """A message with all that bears upon sending it; raise OutboundNotFound."""
    message = store.one(db, project_id, outbound_id)
    someone = policy_store.recipient(db, project_id, message.recipient_ref)
    rules = policy_store.rules(db, project_id, someone, message.channel)
    heard = None
    if message.approved_at is not None:
        heard = policy_store.heard_at(db, project_id, someone, message.approved_at)
    talk = None
    if message.channel == "chatwoot":
        try:
            said = content.checked(message.channel, message.payload)
        except Invalid:  # told by the check of the content
            said = content.Content()
        talk = policy_store.conversation(db, project_id, someone, said)
    return Case(
        message=message,
        recipient=someone,
        ruling=policy.ruling(message.channel, rules, someone.key, around.now),
        on_its_way=_ON_ITS_WAY.one(
            db, project_id=project_id, channel=message.channel, key=someone.key, id=message.id
        ).count,
        heard_at=heard,
        talk=talk,
    )


def preview(db: apsw.Connection, project_id: str, outbound_id: str, around: Circumstances) -> PreviewAnswer:
    """Every check and what would go out; nothing is changed."""
    found = list(findings(case(db, project_id, outbound_id, around), around))
    checks: list[Check] = [one.check for one in found]
    rendered = next((one.rendered for one in found if one.rendered is not None), None)
    return PreviewAnswer(
        would_send=all(one.passed for one in checks) and not around.settings.dry_run,
        checks=checks,
        rendered=rendered,
    )


def take(
    db: apsw.Connection, project: ProjectRef, outbound_id: str, around: Circumstances, act: Act
) -> Taken | Blocked | Rehearsed:
    """Decide, and with the same commit put the message on its way; raise OutboundNotFound."""
    found, at = case(db, project.id, outbound_id, around), as_text(around.now)
    message, rendered = found.message, None
    for finding in findings(found, around):
        rendered = finding.rendered or rendered
        if finding.block is not None:
            if finding.block.status is not None:
                key = found.recipient.key
                policy_store.ensured(db, project, key, message.channel, act.new_id, at)
            return _blocked(db, message, finding.block, around, act)
    assert rendered is not None, "the recipient's check renders or blocks"
    account = found.talk.account_id if found.talk else ""
    kept = as_json({**msgspec.structs.asdict(rendered), "account": account})
    if around.settings.dry_run:
        _begin(db, message, "dry_run", act, at, kept=kept)
        return Rehearsed(message=_REHEARSED.one(db, id=message.id, at=at))
    before = [past.before for past in past_of(db, message.id)]
    attempt = _begin(db, message, "sending", act, at, kept=kept)
    wire_key = _WIRE_KEY.one(db, id=message.id).wire_key or act.wire_name
    taken = _TAKE.first(
        db, id=message.id, wire_key=wire_key, recipient_key=found.recipient.key, at=at, by_person=act.person
    )
    assert taken is not None, "its state was checked in this transaction"
    parcel = Parcel(
        outbound_id=message.id, wire_key=wire_key, rendered=rendered, account=account, before=before
    )
    return Taken(attempt_id=attempt, message=taken, parcel=parcel)


def take_due(
    db: apsw.Connection,
    project_id: str,
    now: datetime,
    limit: int,
    *,
    settings: OutboundSettings,
    asked: bool,
) -> list[str]:
    """Messages that are due, the longest waiting first; nobody else gets them for a while.

    Unless somebody `asked` for it, or approved messages go out by themselves, only those that a person
    has sent before.
    """
    until = now + timedelta(seconds=settings.claim_delay_seconds)
    found = _DUE.all(
        db, project_id=project_id, now=as_text(now), until=as_text(until), limit=limit,
        all=asked or settings.send_approved, rehearsing=settings.dry_run,
    )  # fmt: skip
    return [row.id for row in found]


def past_of(db: apsw.Connection, outbound_id: str) -> list[Past]:
    """Every try so far, rehearsals left out."""
    return [past for past in _PAST.all(db, id=outbound_id) if past.status != "dry_run"]


def wire_key_of(db: apsw.Connection, outbound_id: str) -> str:
    """What the vendor knows a message by, should it know it."""
    return _WIRE_KEY.one(db, id=outbound_id).wire_key or outbound_id


def _blocked(
    db: apsw.Connection, message: Outbound, block: Block, around: Circumstances, act: Act
) -> Blocked:
    if block.keeps_next:
        return Blocked(message=message, block=block)
    at = as_text(around.now)
    status: str | None = block.status
    due, retries = block.next_attempt_at, message.retry_count
    if block.failed:
        _begin(db, message, "failed", act, at, error=block.reason)
        failure = policy.after_failure(retries, message.max_retries, around.now)
        status, due, retries = failure.status, failure.next_attempt_at, failure.retry_count
    found = _BLOCK.one(
        db, id=message.id, status=status, reason=cut(block.reason), next=next_text(due), at=at,
        retry_count=retries, by_person=act.person,
    )  # fmt: skip
    return Blocked(message=found, block=block)


def _begin(
    db: apsw.Connection,
    message: Outbound,
    status: str,
    act: Act,
    at: str,
    *,
    error: str | None = None,
    kept: str = "{}",
) -> int:
    number = 1 + len(_PAST.all(db, id=message.id))
    return _TRY.one(
        db, project_id=message.project_id, account_scope_id=message.account_scope_id, outbound_id=message.id,
        attempt_no=number, status=status, error=cut(error), rendered=kept, by=act.by, at=at,
    ).id  # fmt: skip
