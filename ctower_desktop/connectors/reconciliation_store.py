"""Counting what is missing, and keeping what was counted, in SQL."""

from __future__ import annotations

from typing import Any

import apsw
import msgspec

from ctower_desktop.connectors import remote_store
from ctower_desktop.connectors.completeness import Gaps, Metric
from ctower_desktop.connectors.contract import Connector
from ctower_desktop.connectors.remote_store import Rows
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef


class Point(msgspec.Struct, frozen=True):
    """A day in the trend."""

    point: str
    completeness_pct: float
    missing_count: int
    duplicate_count: int
    total_count: int


class ConnectorPoint(msgspec.Struct, frozen=True):
    """A day of one connector in the trend."""

    point: str
    connector: str
    completeness_pct: float
    missing_count: int
    duplicate_count: int
    total_count: int


class Difference(msgspec.Struct, frozen=True):
    """A connector's newest measurement beside the one before."""

    connector: str
    current_pct: float
    previous_pct: float
    delta_pct: float
    current_total: int
    previous_total: int
    delta_total: int
    current_missing: int
    previous_missing: int
    captured_at: str


class _Chatwoot(msgspec.Struct, frozen=True):
    messages: int
    messages_with: int
    conversations: int
    conversations_with: int
    contacts: int
    duplicates: int


class _Linear(msgspec.Struct, frozen=True):
    issues: int
    with_state: int
    with_type: int
    with_title: int


class _Attio(msgspec.Struct, frozen=True):
    accounts: int
    accounts_mapped: int
    deals: int
    deals_mapped: int
    deals_with_ref: int
    deals_with_ref_mapped: int


_CHATWOOT = Query(
    _Chatwoot,
    """
    SELECT
      (SELECT count(*) FROM message WHERE project_id = :p AND deleted_at IS NULL) AS messages,
      (SELECT count(*) FROM message
        WHERE project_id = :p AND deleted_at IS NULL AND contact_global_id IS NOT NULL) AS messages_with,
      (SELECT count(*) FROM conversation WHERE project_id = :p AND deleted_at IS NULL) AS conversations,
      (SELECT count(*) FROM conversation
        WHERE project_id = :p AND deleted_at IS NULL AND contact_global_id IS NOT NULL) AS conversations_with,
      (SELECT count(*) FROM contact WHERE project_id = :p AND deleted_at IS NULL) AS contacts,
      (SELECT coalesce(sum(n), 0) FROM (
          SELECT count(*) AS n FROM contact
          WHERE project_id = :p AND deleted_at IS NULL AND email IS NOT NULL AND email <> ''
          GROUP BY lower(email) HAVING count(*) > 1)) AS duplicates
    """,
)
_LINEAR = Query(
    _Linear,
    """
    SELECT count(*) AS issues, count(nullif(state, '')) AS with_state, count(nullif(state_type,
    '')) AS with_type,
           count(nullif(trim(title), '')) AS with_title
    FROM issue WHERE project_id = :p AND deleted_at IS NULL
    """,
)
_ATTIO = Query(
    _Attio,
    """
    SELECT
      (SELECT count(*) FROM company WHERE project_id = :p AND deleted_at IS NULL) AS accounts,
      (SELECT count(*) FROM company c WHERE c.project_id = :p AND c.deleted_at IS NULL AND EXISTS (
          SELECT 1 FROM crm_account a WHERE a.project_id = :p AND a.external_ref = c.external_id))
          AS accounts_mapped,
      (SELECT count(*) FROM deal WHERE project_id = :p AND deleted_at IS NULL) AS deals,
      (SELECT count(*) FROM deal d WHERE d.project_id = :p AND d.deleted_at IS NULL AND EXISTS (
          SELECT 1 FROM crm_opportunity o WHERE o.project_id = :p AND o.external_ref = d.external_id))
          AS deals_mapped,
      (SELECT count(*) FROM deal WHERE project_id = :p AND deleted_at IS NULL
      AND account_external_id IS NOT NULL)
          AS deals_with_ref,
      (SELECT count(*) FROM deal d WHERE d.project_id = :p AND d.deleted_at IS NULL AND EXISTS (
          SELECT 1 FROM crm_account a WHERE a.project_id = :p AND a.external_ref = d.account_external_id))
          AS deals_with_ref_mapped
    """,
)
_METRIC = (
    "connector, source, completeness_pct, duplicate_count, missing_count, total_count, payload, captured_at"
)
_KEEP = Command(f"""
    INSERT INTO reconciliation_metric (project_id, account_scope_id, {_METRIC})
    VALUES (:project_id, :account_scope_id, :connector, :source, :completeness_pct, :duplicate_count,
            :missing_count, :total_count, :payload, :captured_at)
""")
_LATEST = Query(
    Metric,
    f"""
    SELECT {_METRIC} FROM reconciliation_metric
    WHERE id IN (SELECT max(id) FROM reconciliation_metric WHERE project_id = :p GROUP BY connector)
    ORDER BY connector
    """,
)
_SUMS = """round(avg(completeness_pct), 2) AS completeness_pct, sum(missing_count) AS missing_count,
           sum(duplicate_count) AS duplicate_count, sum(total_count) AS total_count"""
_LAST_OF_DAY = """id IN (SELECT max(id) FROM reconciliation_metric
               WHERE project_id = :p AND captured_at >= :since AND connector <> 'portfolio'
               GROUP BY connector, substr(captured_at, 1, 10))"""
_TREND = Query(
    Point,
    f"""
    SELECT substr(captured_at, 1, 10) AS point, {_SUMS} FROM reconciliation_metric
    WHERE {_LAST_OF_DAY} GROUP BY point ORDER BY point
    """,
)
_BY_CONNECTOR = Query(
    ConnectorPoint,
    f"""
    SELECT substr(captured_at, 1, 10) AS point, connector, {_SUMS} FROM reconciliation_metric
    WHERE {_LAST_OF_DAY} GROUP BY point, connector ORDER BY point DESC, connector LIMIT :limit
    """,
)
_DIFF = Query(
    Difference,
    """
    SELECT c.connector, c.completeness_pct AS current_pct,
           coalesce(p.completeness_pct, c.completeness_pct) AS previous_pct,
           round(c.completeness_pct - coalesce(p.completeness_pct, c.completeness_pct), 2) AS delta_pct,
           c.total_count AS current_total, coalesce(p.total_count, 0) AS previous_total,
           c.total_count - coalesce(p.total_count, 0) AS delta_total,
           c.missing_count AS current_missing, coalesce(p.missing_count, 0) AS previous_missing, c.captured_at
    FROM reconciliation_metric c
    LEFT JOIN reconciliation_metric p ON p.id = (
        SELECT max(o.id) FROM reconciliation_metric o
        WHERE o.project_id = :p AND o.connector = c.connector AND o.id < c.id)
    WHERE c.id IN (SELECT max(id) FROM reconciliation_metric
                   WHERE project_id = :p AND connector <> 'portfolio' GROUP BY connector)
    ORDER BY c.connector
    """,
)


def gaps(db: apsw.Connection, project_id: str, connector: str) -> Gaps:
    """What is missing of one connector in one project, by what is here."""
    return {"chatwoot": _chatwoot, "linear": _linear, "attio": _attio}[connector](db, project_id)


def _chatwoot(db: apsw.Connection, project_id: str) -> Gaps:
    n = _CHATWOOT.one(db, p=project_id)
    parts = {
        "messages_with_contact": (n.messages_with, n.messages),
        "conversations_with_contact": (n.conversations_with, n.conversations),
        "contacts_not_duplicated": (n.contacts - n.duplicates, n.contacts),
    }
    missing = n.messages - n.messages_with + n.conversations - n.conversations_with
    return Gaps(parts, n.contacts + n.conversations + n.messages, missing, n.duplicates)


def _linear(db: apsw.Connection, project_id: str) -> Gaps:
    n = _LINEAR.one(db, p=project_id)
    parts = {
        "issues_with_state": (n.with_state, n.issues),
        "issues_with_state_type": (n.with_type, n.issues),
        "issues_with_title": (n.with_title, n.issues),
    }
    missing = sum(total - ok for ok, total in parts.values())
    return Gaps(parts, n.issues, missing, 0)


def _attio(db: apsw.Connection, project_id: str) -> Gaps:
    n = _ATTIO.one(db, p=project_id)
    parts = {
        "accounts_mapped": (n.accounts_mapped, n.accounts),
        "opportunities_mapped": (n.deals_mapped, n.deals),
        "refs_mapped": (n.deals_with_ref_mapped, n.deals_with_ref),
        "opportunities_with_ref": (n.deals_with_ref, n.deals),
    }
    missing = n.deals - n.deals_with_ref + n.deals_with_ref - n.deals_with_ref_mapped
    return Gaps(parts, n.accounts + n.deals, missing, 0)


def coverage(db: apsw.Connection, project_id: str) -> dict[str, int]:
    """How much of the vendor's companies and deals our accounts and opportunities mirror."""
    n = _ATTIO.one(db, p=project_id)
    return {
        "total_attio_accounts": n.accounts,
        "mirrored_accounts": n.accounts_mapped,
        "total_attio_opportunities": n.deals,
        "mirrored_opportunities": n.deals_mapped,
        "opportunities_without_account_ref": n.deals - n.deals_with_ref,
        "opportunities_unmapped_to_crm_account": n.deals_with_ref - n.deals_with_ref_mapped,
    }


def remote(db: apsw.Connection, connector: Connector) -> dict[str, tuple[int, int]]:
    """For each stream whose size the vendor has told: rows here, rows there."""
    known = remote_store.connection(db, connector.name)
    if known is None:
        return {}
    rows = Rows(connector.name, known.account)
    return {
        state.stream: (rows.count(db, state.stream), state.remote_count)
        for state in rows.states(db)
        if state.remote_count is not None
    }


def keep(db: apsw.Connection, project: ProjectRef, metrics: list[Metric]) -> None:
    """Keep a batch of measurements."""
    for found in metrics:
        values: dict[str, Any] = msgspec.structs.asdict(found) | {"payload": as_json(found.payload)}
        _KEEP.run(db, project_id=project.id, account_scope_id=project.account_scope_id, **values)


def latest(db: apsw.Connection, project_id: str) -> list[Metric]:
    """The newest measurement of every connector."""
    return _LATEST.all(db, p=project_id)


def trend(db: apsw.Connection, project_id: str, since: str) -> list[Point]:
    """The last measurements of each day, all connectors together."""
    return _TREND.all(db, p=project_id, since=since)


def by_connector(db: apsw.Connection, project_id: str, since: str, limit: int) -> list[ConnectorPoint]:
    """The last measurement of each day for every connector, the newest first."""
    return _BY_CONNECTOR.all(db, p=project_id, since=since, limit=limit)


def diff(db: apsw.Connection, project_id: str) -> list[Difference]:
    """The newest measurement of every connector beside the one before."""
    return _DIFF.all(db, p=project_id)
