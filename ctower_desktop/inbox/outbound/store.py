"""Outbound messages and the tries to send them, in SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import apsw
import msgspec

from ctower_desktop.accounts.model import EvidenceRef, IdempotencyKeyReuse
from ctower_desktop.inbox.outbound.model import (
    Attempt,
    ListOutbound,
    Outbound,
    OutboundExists,
    OutboundInvalidState,
    OutboundNotEditable,
    OutboundNotFound,
    OutboundWithAttempts,
    Payload,
)
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef

COLUMNS = """id, project_id, account_scope_id, channel, recipient_ref, payload, evidence_refs, status,
           idempotency_key, dedupe_key, retry_count, max_retries, next_attempt_at, send_requested_at,
           dry_run_at, approved_by, approved_at, sent_at, last_error, created_by, created_at, updated_at,
           (SELECT c.name FROM contact AS c WHERE c.id = coalesce((
                SELECT v.contact_global_id FROM conversation AS v WHERE v.id = recipient_ref), recipient_ref)
           ) AS recipient_name"""
_EDITABLE = ("draft", "approved", "failed")
_LONGEST_ERROR = 2_000


class Id(msgspec.Struct, frozen=True):
    """The id of a message."""

    id: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it is to be kept, everything checked."""

    channel: str
    recipient_ref: str
    payload: Payload
    evidence_refs: list[EvidenceRef]
    idempotency_key: str
    dedupe_key: str | None
    max_retries: int


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What to change in a message, everything checked; None: it stays."""

    recipient_ref: str | None = None
    payload: Payload | None = None
    evidence_refs: list[EvidenceRef] | None = None
    dedupe_key: str | None = None
    max_retries: int | None = None


_ONE = Query(
    Outbound,
    f"SELECT {COLUMNS} FROM outbound_message WHERE id = :id AND project_id = :project_id",
    missing=OutboundNotFound,
)
_LISTED = Query(
    Outbound,
    f"""
    SELECT {COLUMNS} FROM outbound_message WHERE project_id = :project_id
    ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset
    """,
)
_LISTED_BY_STATUS = Query(
    Outbound,
    f"""
    SELECT {COLUMNS} FROM outbound_message WHERE project_id = :project_id AND status = :status
    ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset
    """,
)
_BY_KEY = Query(
    Outbound,
    f"SELECT {COLUMNS} FROM outbound_message WHERE project_id = :project_id AND idempotency_key = :key",
)
_SAME = Query(
    Id,
    """
    SELECT id FROM outbound_message
    WHERE project_id = :project_id AND dedupe_key = :dedupe_key AND status <> 'cancelled' AND id <> :id
    """,
)
_INSERT = Query(
    Outbound,
    f"""
    INSERT INTO outbound_message (id, project_id, account_scope_id, channel, recipient_ref, payload,
        evidence_refs, idempotency_key, dedupe_key, max_retries, created_by, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :channel, :recipient_ref, :payload,
        :evidence_refs, :key, :dedupe_key, :max_retries, :by, :at, :at)
    RETURNING {COLUMNS}
    """,
)
# A message that is changed is another one: approval, tries and rehearsal were of what it said before.
_EDIT = Query(
    Outbound,
    f"""
    UPDATE outbound_message
    SET recipient_ref = :recipient_ref, payload = :payload, evidence_refs = :evidence_refs,
        dedupe_key = :dedupe_key, max_retries = :max_retries, status = 'draft', approved_by = NULL,
        approved_at = NULL, retry_count = 0, next_attempt_at = NULL, send_requested_at = NULL,
        dry_run_at = NULL, recipient_key = NULL, wire_key = NULL, last_error = NULL, updated_at = :at
    WHERE id = :id AND project_id = :project_id
    RETURNING {COLUMNS}
    """,
)
_APPROVE = Query(
    Outbound,
    f"""
    UPDATE outbound_message
    SET status = 'approved', approved_by = :by, approved_at = :at, next_attempt_at = :at,
        evidence_refs = :evidence_refs, updated_at = :at
    WHERE id = :id AND project_id = :project_id AND status = 'draft'
    RETURNING {COLUMNS}
    """,
)
_CANCEL = Query(
    Outbound,
    f"""
    UPDATE outbound_message
    SET status = 'cancelled', next_attempt_at = NULL, last_error = 'cancelled', updated_at = :at
    WHERE id = :id AND project_id = :project_id AND status IN ('draft', 'approved', 'failed')
    RETURNING {COLUMNS}
    """,
)
_ATTEMPTS = Query(
    Attempt,
    """
    SELECT attempt_no, status, refused, provider_message_id, error, rendered, actor_username, started_at,
           finished_at
    FROM outbound_attempt WHERE outbound_id = :id ORDER BY attempt_no
    """,
)
_FORGET = Command("""
    DELETE FROM outbound_message WHERE id IN (
        SELECT id FROM outbound_message
        WHERE project_id = :project_id AND updated_at < :before
          AND status IN ('sent', 'failed', 'blocked_opt_out', 'cancelled')
        ORDER BY updated_at LIMIT :batch)
""")


def one(db: apsw.Connection, project_id: str, outbound_id: str) -> Outbound:
    """A message; raise OutboundNotFound."""
    return _ONE.one(db, id=outbound_id.lower(), project_id=project_id)


def whole(db: apsw.Connection, project_id: str, outbound_id: str) -> OutboundWithAttempts:
    """A message with every try to send it; raise OutboundNotFound."""
    found = one(db, project_id, outbound_id)
    return OutboundWithAttempts(found, _ATTEMPTS.all(db, id=found.id))


def listed(db: apsw.Connection, project_id: str, query: ListOutbound) -> list[Outbound]:
    """Messages, the newest first."""
    params = {"project_id": project_id, "limit": query.limit, "offset": query.offset}
    if query.status:
        return _LISTED_BY_STATUS.all(db, status=query.status, **params)
    return _LISTED.all(db, **params)


def put_draft(  # noqa: PLR0917
    db: apsw.Connection, project: ProjectRef, new_id: str, draft: Draft, by: str, at: str
) -> Outbound:
    """Keep a draft, or what is new in it under a known key.

    Raise OutboundNotEditable for a key whose message says something else and is no draft any more,
    IdempotencyKeyReuse for one of another recipient, OutboundExists for content that is there already.
    """
    dedupe = draft.dedupe_key or content_key(project.id, draft.channel, draft.recipient_ref, draft.payload)
    known = _BY_KEY.first(db, project_id=project.id, key=draft.idempotency_key)
    if known is None:
        _refuse_twice(db, project.id, dedupe, new_id)
        return _INSERT.one(
            db, id=new_id, project_id=project.id, account_scope_id=project.account_scope_id,
            channel=draft.channel, recipient_ref=draft.recipient_ref, payload=as_json(draft.payload),
            evidence_refs=as_json(draft.evidence_refs), key=draft.idempotency_key, dedupe_key=dedupe,
            max_retries=draft.max_retries, by=by, at=at,
        )  # fmt: skip
    same_recipient = (known.channel, known.recipient_ref) == (draft.channel, draft.recipient_ref)
    if known.status != "draft":
        if same_recipient and known.payload == draft.payload:
            return known
        raise OutboundNotEditable
    if not same_recipient:
        raise IdempotencyKeyReuse("This idempotency key belongs to a draft for another recipient or channel.")
    return _changed(db, known, payload=draft.payload, evidence_refs=draft.evidence_refs, dedupe=dedupe,
                    recipient_ref=known.recipient_ref, max_retries=draft.max_retries, at=at)  # fmt: skip


def edit(db: apsw.Connection, project_id: str, outbound_id: str, change: Edit, at: str) -> Outbound:
    """Change a message that is not on its way; it is a draft then.

    Raise OutboundNotFound, OutboundInvalidState or OutboundExists.
    """
    known = one(db, project_id, outbound_id)
    if known.status not in _EDITABLE:
        raise OutboundInvalidState(f"The message is {known.status}; it can no longer be changed.")
    ref = change.recipient_ref or known.recipient_ref
    payload = known.payload if change.payload is None else change.payload
    given = change.dedupe_key
    if given is None and known.dedupe_key != content_key(
        project_id, known.channel, known.recipient_ref, known.payload
    ):
        given = known.dedupe_key
    return _changed(
        db,
        known,
        payload=payload,
        recipient_ref=ref,
        evidence_refs=known.evidence_refs if change.evidence_refs is None else change.evidence_refs,
        dedupe=given or content_key(project_id, known.channel, ref, payload),
        max_retries=known.max_retries if change.max_retries is None else change.max_retries,
        at=at,
    )


def approve(  # noqa: PLR0917
    db: apsw.Connection, project_id: str, outbound_id: str, evidence: list[EvidenceRef], by: str, at: str
) -> Outbound:
    """Let a draft go out. What is approved or sent stays as it is; else raise OutboundInvalidState."""
    known = one(db, project_id, outbound_id)
    if known.status in ("approved", "sent"):
        return known
    refs = as_json(evidence or known.evidence_refs)
    found = _APPROVE.first(db, id=known.id, project_id=project_id, by=by, at=at, evidence_refs=refs)
    if found is None:
        raise OutboundInvalidState(f"The message is {known.status}; only a draft can be approved.")
    return found


def cancel(db: apsw.Connection, project_id: str, outbound_id: str, at: str) -> Outbound:
    """Call a message off; raise OutboundInvalidState for one that is on its way or over."""
    known = one(db, project_id, outbound_id)
    found = _CANCEL.first(db, id=known.id, project_id=project_id, at=at)
    if found is None:
        raise OutboundInvalidState(f"The message is {known.status}; it cannot be called off.")
    return found


def forget(db: apsw.Connection, project_id: str, before: str, batch: int) -> int:
    """Delete what has been over since before `before`; return how many."""
    return _FORGET.run(db, project_id=project_id, before=before, batch=batch)


def content_key(project_id: str, channel: str, recipient_ref: str, payload: Payload) -> str:
    """The same for the same content to the same recipient."""
    text = msgspec.json.encode([project_id, channel, recipient_ref, payload], order="sorted")
    return hashlib.sha256(text).hexdigest()


def _changed(
    db: apsw.Connection,
    known: Outbound,
    *,
    payload: Payload,
    recipient_ref: str,
    evidence_refs: Sequence[EvidenceRef],
    dedupe: str,
    max_retries: int,
    at: str,
) -> Outbound:
    _refuse_twice(db, known.project_id, dedupe, known.id)
    return _EDIT.one(
        db, id=known.id, project_id=known.project_id, payload=as_json(payload), recipient_ref=recipient_ref,
        evidence_refs=as_json(list(evidence_refs)), dedupe_key=dedupe, max_retries=max_retries, at=at,
    )  # fmt: skip


def _refuse_twice(db: apsw.Connection, project_id: str, dedupe_key: str, outbound_id: str) -> None:
    twin = _SAME.first(db, project_id=project_id, dedupe_key=dedupe_key, id=outbound_id)
    if twin is not None:
        raise OutboundExists(f"The same content for the same recipient is there already: {twin.id}.")


def cut(error: str | None) -> str | None:
    """An error as long as it may be kept."""
    return error[:_LONGEST_ERROR] if error is not None else None
