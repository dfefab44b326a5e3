"""What became of messages that were on their way, in SQL.

A message is on its way from the commit before the wire to the commit after it. What is found so at the
next start is of unknown fate: it is shown as such and never sent again by itself.
"""

from __future__ import annotations

from typing import Literal

import apsw
import msgspec

from ctower_desktop.inbox.outbound import policy, policy_store, store
from ctower_desktop.inbox.outbound.channel import Parcel
from ctower_desktop.inbox.outbound.model import Outbound, OutboundInvalidState, Rendered
from ctower_desktop.inbox.outbound.policy import Failure
from ctower_desktop.inbox.outbound.store import COLUMNS, Id, cut
from ctower_desktop.inbox.outbound.taking_store import Taken, past_of, wire_key_of
from ctower_desktop.inbox.outbound.verdict import next_text
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import from_text
from ctower_desktop.kernel.tower import ProjectRef

Fate = Literal["sent", "failed", "uncertain"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a try: `refused` when the vendor itself said no, `final` when another try is no use."""

    fate: Fate
    provider_message_id: str | None = None
    error: str | None = None
    refused: bool = False
    final: bool = False
    retry_after: float | None = None


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A message nobody knows about, with its last try."""

    message: Outbound
    parcel: Parcel


class _Last(msgspec.Struct, frozen=True):
    id: int
    rendered: Rendered
    account: str


class _Stranded(msgspec.Struct, frozen=True):
    outbound_id: str


_END_TRY = Command("""
    UPDATE outbound_attempt
    SET status = :status, refused = :refused, provider_message_id = :provider, error = :error,
        finished_at = :at
    WHERE id = :id AND status IN ('sending', 'uncertain')
""")
_END = Query(
    Outbound,
    f"""
    UPDATE outbound_message
    SET status = :status, sent_at = CASE WHEN :status = 'sent' THEN :at END, last_error = :error,
        retry_count = :retry_count, next_attempt_at = :next, updated_at = :at,
        recipient_key = CASE WHEN :status = 'uncertain' THEN recipient_key END
    WHERE id = :id AND status IN ('sending', 'uncertain')
    RETURNING {COLUMNS}
    """,
)
_LAST = Query(
    _Last,
    """
    SELECT id, rendered, coalesce(json_extract(rendered, '$.account'), '') AS account
    FROM outbound_attempt WHERE outbound_id = :id AND status = 'uncertain'
    ORDER BY attempt_no DESC LIMIT 1
    """,
)
_NOTE = Command("UPDATE outbound_attempt SET error = :error WHERE id = :id")
_STRANDED = Query(
    _Stranded,
    """
    UPDATE outbound_attempt SET status = 'uncertain', error = :error, finished_at = :at
    WHERE status = 'sending' AND started_at < :before RETURNING outbound_id
    """,
)
_STRAND = Command("""
    UPDATE outbound_message SET status = 'uncertain', last_error = :error, next_attempt_at = NULL,
        updated_at = :at
    WHERE id IN (SELECT value FROM json_each(:ids)) AND status = 'sending'
""")
_UNKNOWN = Query(
    Id,
    """
    SELECT id FROM outbound_message
    WHERE project_id = :project_id AND status = 'uncertain'
      AND channel IN (SELECT value FROM json_each(:channels)) AND updated_at > :since LIMIT 20
    """,
)


def end(  # noqa: PLR0917
    db: apsw.Connection, project: ProjectRef, taken: Taken, outcome: Outcome, new_id: str, at: str
) -> Outbound:
    """Note what became of a try, and what the message is now."""
    _END_TRY.run(
        db, id=taken.attempt_id, status=outcome.fate, refused=outcome.refused, error=cut(outcome.error),
        provider=outcome.provider_message_id, at=at,
    )  # fmt: skip
    message = store.one(db, project.id, taken.message.id)
    return _concluded(db, project, message, outcome, new_id, at)


def conclude(  # noqa: PLR0917
    db: apsw.Connection,
    project: ProjectRef,
    outbound_id: str,
    outcome: Outcome,
    words: str,
    new_id: str,
    at: str,
) -> Outbound:
    """Say what became of a message nobody knew about. One that was not sent waits for somebody to send it.

    The try stays one of unknown fate unless the message was sent: people err, and the channel looks again.
    """
    message = store.one(db, project.id, outbound_id)
    if message.status != "uncertain":
        raise OutboundInvalidState(f"The message is {message.status}: it is known what became of it.")
    last = _LAST.first(db, id=message.id)
    if last is not None and outcome.fate == "sent":
        _END_TRY.run(
            db, id=last.id, status="sent", refused=False, error=words, at=at,
            provider=outcome.provider_message_id,
        )  # fmt: skip
    elif last is not None:
        _NOTE.run(db, id=last.id, error=words)
    return _concluded(db, project, message, outcome, new_id, at)


def unknown(db: apsw.Connection, project_id: str, outbound_id: str) -> Open:
    """A message nobody knows about, to be looked for; raise OutboundInvalidState."""
    message = store.one(db, project_id, outbound_id)
    last = _LAST.first(db, id=message.id)
    if message.status != "uncertain" or last is None:
        raise OutboundInvalidState(f"The message is {message.status}: it is known what became of it.")
    return Open(
        message=message,
        parcel=Parcel(
            outbound_id=message.id,
            wire_key=wire_key_of(db, message.id),
            rendered=last.rendered,
            account=last.account,
            before=[past.before for past in past_of(db, message.id)],
        ),
    )


def unknown_lately(db: apsw.Connection, project_id: str, channels: list[str], since: str) -> list[str]:
    """Messages nobody knows about since a short while, on channels that can be asked."""
    return [
        row.id for row in _UNKNOWN.all(db, project_id=project_id, channels=as_json(channels), since=since)
    ]


def strand(db: apsw.Connection, before: str, at: str) -> int:
    """What was on its way before then and is not recorded is of unknown fate; return how many."""
    error = "The program ended while it was being sent; it is not known whether it went out."
    ids = [row.outbound_id for row in _STRANDED.all(db, error=error, at=at, before=before)]
    _STRAND.run(db, ids=as_json(ids), error=error, at=at)
    return len(ids)


def _concluded(  # noqa: PLR0917
    db: apsw.Connection, project: ProjectRef, message: Outbound, outcome: Outcome, new_id: str, at: str
) -> Outbound:
    status, due, retries = str(outcome.fate), None, message.retry_count
    if outcome.fate == "failed":
        failure = policy.after_failure(
            retries, message.max_retries, from_text(at), final=outcome.final, retry_after=outcome.retry_after
        )
        status, due, retries = _failed(failure)
    if outcome.fate == "sent":
        _count(db, project, message, new_id, at)
    found = _END.first(
        db, id=message.id, status=status, error=cut(outcome.error), retry_count=retries, next=due, at=at
    )
    return found or store.one(db, project.id, message.id)


def _failed(failure: Failure) -> tuple[str, str | None, int]:
    return failure.status, next_text(failure.next_attempt_at), failure.retry_count


def _count(db: apsw.Connection, project: ProjectRef, message: Outbound, new_id: str, at: str) -> None:
    someone = policy_store.recipient(db, project.id, message.recipient_ref)
    row = policy_store.ensured(db, project, someone.key, message.channel, new_id, at)
    now = from_text(at)
    held = policy.ruling(
        message.channel,
        policy_store.rules(db, project.id, someone, message.channel),
        someone.key,
        now,
    )
    sent, started = policy.counted(row, held.window_hours, now)
    policy_store.count(db, row, sent, started, at)
