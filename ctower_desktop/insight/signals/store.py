"""Signals in SQL: lists, one in full, and what somebody decides about it."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.insight.signals import nba_store
from ctower_desktop.insight.signals.model import (
    OPEN,
    Evidence,
    Language,
    ListSignals,
    Settled,
    Signal,
    SignalInFull,
    SignalNotFound,
    SignalStatus,
)
from ctower_desktop.kernel.sql import Command, Query


class _Closing(msgspec.Struct, frozen=True):
    settled_at: str | None
    settled_by: str | None
    settled_with: list[str]
    language: Language


_SIGNAL = """id, signal_type, severity, confidence, summary, status, source_kind, source_ref, evidence_refs,
           started_at, last_seen_at, reopened_at, created_at, updated_at"""
_WANTED = """project_id = :project_id AND (:type = '' OR signal_type = :type)
      AND (:severity = 0 OR severity = :severity) AND severity >= :severity_min"""
_ORDER = "ORDER BY severity DESC, confidence DESC, created_at DESC, id LIMIT :limit OFFSET :offset"
_ALL = Query(Signal, f"SELECT {_SIGNAL} FROM signal WHERE {_WANTED} {_ORDER}")
_OF_STATUS = Query(Signal, f"SELECT {_SIGNAL} FROM signal WHERE {_WANTED} AND status = :status {_ORDER}")
_ONE = Query(
    Signal,
    f"SELECT {_SIGNAL} FROM signal WHERE id = :id AND project_id = :project_id",
    missing=SignalNotFound,
)
_EVIDENCE = Query(
    Evidence,
    """
    SELECT ref, author, quote, said_at FROM signal_evidence WHERE signal_id = :id
    ORDER BY said_at DESC, id DESC
    """,
)
_CLOSING = Query(
    _Closing,
    """
    SELECT settled_at, settled_by, settled_with, language FROM signal
    WHERE id = :id AND project_id = :project_id
    """,
    missing=SignalNotFound,
)
_SETTLE = Command("""
    UPDATE signal SET status = :status, settled_at = :at, settled_by = :by, settled_with = evidence_refs,
        updated_at = :at
    WHERE id = :id
""")
_RAISE = Command("UPDATE signal SET status = :status, updated_at = :at WHERE id = :id")


def listed(db: apsw.Connection, project_id: str, query: ListSignals) -> list[Signal]:
    """Signals, the worst first."""
    wanted = {
        "project_id": project_id, "type": query.type, "severity": query.severity,
        "severity_min": query.severity_min, "limit": query.limit, "offset": query.offset,
    }  # fmt: skip
    if query.status:
        return _OF_STATUS.all(db, **wanted, status=query.status)
    return _ALL.all(db, **wanted)


def in_full(db: apsw.Connection, project_id: str, signal_id: str) -> SignalInFull:
    """One signal with its evidence, its actions and how it was closed last; raise SignalNotFound."""
    found = _ONE.one(db, id=signal_id, project_id=project_id)
    closing = _CLOSING.one(db, id=signal_id, project_id=project_id)
    settled = None
    if closing.settled_at is not None:
        settled = Settled(closing.settled_at, closing.settled_by or "", closing.settled_with)
    return SignalInFull(
        signal=found,
        evidence=_EVIDENCE.all(db, id=signal_id),
        actions=nba_store.of_signal(db, signal_id),
        settled=settled,
    )


def set_status(
    db: apsw.Connection, project_id: str, signal_id: str, status: SignalStatus, *, at: str, by: str
) -> Signal:
    """Move a signal, and what is to be done about it with it; raise SignalNotFound."""
    before = _ONE.one(db, id=signal_id, project_id=project_id)
    if status in OPEN:
        if status != before.status:
            _RAISE.run(db, id=signal_id, status=status, at=at)
        if before.status not in OPEN:
            nba_store.reopen_with(db, signal_id, at)
    elif status != before.status:
        settle(db, signal_id, status, at=at, by=by)
    return _ONE.one(db, id=signal_id, project_id=project_id)


def settle(db: apsw.Connection, signal_id: str, status: SignalStatus, *, at: str, by: str) -> None:
    """Close a signal, keep with what evidence it was closed, and close what was to be done about it."""
    _SETTLE.run(db, id=signal_id, status=status, at=at, by=by)
    nba_store.close_with(db, signal_id, status, at)
