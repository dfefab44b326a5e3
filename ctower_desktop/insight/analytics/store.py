"""Snapshots, costs, days, waiting clients and evidence in SQL."""

from __future__ import annotations

from collections.abc import Mapping

import apsw
import msgspec

from ctower_desktop.insight.analytics import line_store
from ctower_desktop.insight.analytics.model import (
    Comms,
    Day,
    DayMoney,
    Delivery,
    DrillDown,
    Entries,
    Entry,
    EntryNotFound,
    EntryTotal,
    Evidence,
    ListEntries,
    ListUnanswered,
    OpenPipeline,
    Revenue,
    Waiting,
)
from ctower_desktop.kernel.sql import Command, Query, as_json


class Horizon(msgspec.Struct, frozen=True):
    """Open deals of a currency that are expected to close by a day."""

    currency: str
    amount: float
    expected: float


class MonthMoney(msgspec.Struct, frozen=True):
    """What was won, spent and received in a currency since a day."""

    currency: str
    won: float
    costs: float
    revenue: float


class Work(msgspec.Struct, frozen=True):
    """Issues created and completed in a period, open and overdue now."""

    created: int
    completed: int
    lead_hours: float
    open: int
    overdue: int


class Talk(msgspec.Struct, frozen=True):
    """What was said and answered in a period, by how many people, and what waits now."""

    inbound: int
    outbound: int
    answers: int
    answer_minutes: float
    contacts: int
    unanswered: int
    median_minutes: float | None


class _Count(msgspec.Struct, frozen=True):
    total: int


_REVENUE = """period_start, horizon_days, currency, pipeline_amount, commit_amount, won_amount,
           expected_revenue, costs_amount, gross_margin, by_currency, generated_at"""
_DELIVERY = """period_start, period_end, open_issues, overdue_issues, created_issues, completed_issues,
           throughput, lead_time_days, created_at"""
_COMMS = """period_start, period_end, inbound_messages, outbound_messages, unique_contacts, answered,
           unanswered, avg_response_minutes, median_response_minutes, created_at"""


def _keep(table: str, columns: str, key: str) -> Command:
    names = [name.strip() for name in columns.split(",")]
    kept = key.split(", ")
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in kept)
    return Command(
        f"INSERT INTO {table} (project_id, account_scope_id, {', '.join(names)}) "
        f"VALUES (:project_id, :account_scope_id, {', '.join(':' + name for name in names)}) "
        f"ON CONFLICT (project_id, {key}) DO UPDATE SET {changes}"
    )


_KEEP_REVENUE = _keep("revenue_snapshot", _REVENUE, "period_start, horizon_days")
_KEEP_DELIVERY = _keep("delivery_snapshot", _DELIVERY, "period_start, period_end")
_KEEP_COMMS = _keep("comms_snapshot", _COMMS, "period_start, period_end")
_LAST_REVENUE = Query(
    Revenue,
    f"""
    SELECT {_REVENUE} FROM revenue_snapshot
    WHERE project_id = :project_id
      AND period_start = (SELECT max(period_start) FROM revenue_snapshot WHERE project_id = :project_id)
    ORDER BY horizon_days
    """,
)
_LAST_DELIVERY = Query(
    Delivery,
    f"""
    SELECT {_DELIVERY} FROM delivery_snapshot WHERE project_id = :project_id
    ORDER BY created_at DESC, id DESC LIMIT 1
    """,
)
_LAST_COMMS = Query(
    Comms,
    f"""
    SELECT {_COMMS} FROM comms_snapshot WHERE project_id = :project_id
    ORDER BY created_at DESC, id DESC LIMIT 1
    """,
)
_OPEN = Query(
    OpenPipeline,
    """
    SELECT currency, sum(deals) AS deals, round(sum(amount), 2) AS pipeline_amount,
           round(sum(expected), 2) AS expected_revenue, sum(deals - dated) AS undated_deals
    FROM pipeline_figure WHERE project_id = :project_id AND stage NOT IN ('won', 'lost')
    GROUP BY currency ORDER BY currency
    """,
)
_HORIZON = Query(
    Horizon,
    """
    SELECT currency, sum(amount) AS amount, sum(amount * probability) AS expected FROM revenue_line
    WHERE project_id = :project_id AND closed_at IS NULL AND expected_close_date IS NOT NULL
      AND expected_close_date <= :until
    GROUP BY currency
    """,
)
_MONTH = Query(
    MonthMoney,
    """
    SELECT currency, sum(won_amount) AS won, sum(costs) AS costs, sum(revenue) AS revenue FROM daily_money
    WHERE project_id = :project_id AND day BETWEEN :since AND :today GROUP BY currency
    """,
)
_WORK = Query(
    Work,
    """
    SELECT coalesce(sum(issues_created), 0) AS created, coalesce(sum(issues_completed), 0) AS completed,
           coalesce(sum(lead_hours), 0.0) AS lead_hours,
           (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
                AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL) AS open,
           (SELECT count(*) FROM issue WHERE project_id = :project_id AND deleted_at IS NULL
                AND archived_at IS NULL AND completed_at IS NULL AND canceled_at IS NULL
                AND due_date IS NOT NULL AND due_date < :today) AS overdue
    FROM daily_figure WHERE project_id = :project_id AND day BETWEEN :since AND :today
    """,
)
_TALK = Query(
    Talk,
    """
    SELECT coalesce(sum(inbound), 0) AS inbound, coalesce(sum(outbound), 0) AS outbound,
           coalesce(sum(answers), 0) AS answers, coalesce(sum(answer_minutes), 0.0) AS answer_minutes,
           (SELECT count(DISTINCT contact_global_id) FROM daily_contact
            WHERE project_id = :project_id AND day BETWEEN :since AND :today) AS contacts,
           (SELECT count(*) FROM client_burst AS b JOIN conversation AS c ON c.id = b.conversation_global_id
            WHERE b.project_id = :project_id AND b.answered_at IS NULL AND c.deleted_at IS NULL
              AND c.status <> 'resolved') AS unanswered,
           (SELECT avg(minutes) FROM (
                SELECT minutes, row_number() OVER (ORDER BY minutes) AS place, count(*) OVER () AS n
                FROM client_burst WHERE project_id = :project_id AND answered_at IS NOT NULL
                    AND answered_at >= :since AND answered_at < date(:today, '+1 day')
            ) WHERE 2 * place BETWEEN n AND n + 2) AS median_minutes
    FROM daily_figure WHERE project_id = :project_id AND day BETWEEN :since AND :today
    """,
)
_EVIDENCE = "SELECT id, source_type, source_table, source_pk, snippet, payload, created_at FROM evidence_item"
_ALL_EVIDENCE = Query(
    Evidence,
    f"""
    {_EVIDENCE} WHERE project_id = :project_id AND account_scope_id = :account_scope_id
    ORDER BY id DESC LIMIT :limit OFFSET :offset
    """,
)
# Two arms, each walking its index from the newest row back, merged: nothing is sorted.
_EVIDENCE_OF = Query(
    Evidence,
    f"""
    {_EVIDENCE} INDEXED BY evidence_item_type
    WHERE project_id = :project_id AND source_type = :source AND source_table <> :source
    UNION ALL
    {_EVIDENCE} INDEXED BY evidence_item_table WHERE project_id = :project_id AND source_table = :source
    ORDER BY id DESC LIMIT :limit OFFSET :offset
    """,
)
_DAYS = Query(
    Day,
    """
    SELECT day, inbound, outbound, answers,
           CASE WHEN answers > 0 THEN round(answer_minutes / answers, 2) END AS avg_response_minutes,
           issues_created, issues_completed,
           CASE WHEN issues_completed > 0 THEN round(lead_hours / issues_completed / 24, 2) END
               AS lead_time_days
    FROM daily_figure WHERE project_id = :project_id AND day BETWEEN :since AND :today ORDER BY day
    """,
)
_DAY_MONEY = Query(
    DayMoney,
    """
    SELECT day, currency, won_count, won_amount, lost_count, lost_amount, costs, budget, revenue
    FROM daily_money WHERE project_id = :project_id AND day BETWEEN :since AND :today ORDER BY day, currency
    """,
)
_UNANSWERED = """
    FROM client_burst AS b
    CROSS JOIN conversation AS v ON v.id = b.conversation_global_id
    LEFT JOIN contact AS c ON c.id = b.contact_global_id
    LEFT JOIN message AS m ON m.id = b.message_global_id
    WHERE b.project_id = :project_id AND b.answered_at IS NULL AND v.deleted_at IS NULL
      AND v.status <> 'resolved'"""
_WAITING = Query(
    Waiting,
    f"""
    SELECT b.conversation_global_id, b.contact_global_id, c.name AS contact_name, b.message_global_id,
           substr(coalesce(m.content, ''), 1, 300) AS snippet, b.messages, b.started_at AS since,
           round(max(0.0, julianday(:now) - julianday(b.started_at)) * 1440, 1) AS waiting_minutes,
           v.assignee_name
    {_UNANSWERED} ORDER BY b.started_at, b.id LIMIT :limit OFFSET :offset
    """,
)
_HOW_MANY_WAIT = Query(_Count, f"SELECT count(*) AS total {_UNANSWERED}")
_ENTRY = "SELECT id, entry_type, amount, currency, date, note, created_by, created_at FROM cost_entry"
_ENTRIES = Query(
    Entry,
    f"""
    {_ENTRY} WHERE project_id = :project_id AND (:entry_type = '' OR entry_type = :entry_type)
    ORDER BY date DESC, created_at DESC, id LIMIT :limit OFFSET :offset
    """,
)
_ONE_ENTRY = Query(Entry, f"{_ENTRY} WHERE id = :id AND project_id = :project_id", missing=EntryNotFound)
_TOTALS = Query(
    EntryTotal,
    """
    SELECT entry_type, currency, round(sum(amount), 2) AS amount, count(*) AS entries FROM cost_entry
    WHERE project_id = :project_id GROUP BY entry_type, currency ORDER BY entry_type, currency
    """,
)
_ADD_ENTRY = Command("""
    INSERT INTO cost_entry (id, project_id, account_scope_id, entry_type, amount, currency, date, note,
                            created_by, created_at)
    VALUES (:id, :project_id, :account_scope_id, :entry_type, :amount, :currency, :date, :note, :created_by,
            :created_at)
""")
_DELETE_ENTRY = Command("DELETE FROM cost_entry WHERE id = :id AND project_id = :project_id")


def open_pipeline(db: apsw.Connection, project_id: str) -> list[OpenPipeline]:
    """Open deals by currency, '' where nothing says which."""
    return _OPEN.all(db, project_id=project_id)


def horizon(db: apsw.Connection, project_id: str, until: str) -> list[Horizon]:
    """Open deals that are expected to close by the day `until`, by currency."""
    return _HORIZON.all(db, project_id=project_id, until=until)


def month(db: apsw.Connection, project_id: str, since: str, today: str) -> list[MonthMoney]:
    """What was won, spent and received since a day, by currency."""
    return _MONTH.all(db, project_id=project_id, since=since, today=today)


def work(db: apsw.Connection, project_id: str, since: str, today: str) -> Work:
    """Issues of a period."""
    return _WORK.one(db, project_id=project_id, since=since, today=today)


def talk(db: apsw.Connection, project_id: str, since: str, today: str) -> Talk:
    """What was said in a period."""
    return _TALK.one(db, project_id=project_id, since=since, today=today)


def keep(
    db: apsw.Connection, owner: Mapping[str, str], revenue: list[Revenue], delivery: Delivery, comms: Comms
) -> None:
    """Keep snapshots of a project (`owner`: its ids); one of the same period is replaced."""
    for row in revenue:
        values = msgspec.structs.asdict(row) | {"by_currency": as_json(row.by_currency)}
        _KEEP_REVENUE.run(db, **owner, **values)
    _KEEP_DELIVERY.run(db, **owner, **msgspec.structs.asdict(delivery))
    _KEEP_COMMS.run(db, **owner, **msgspec.structs.asdict(comms))


def last_snapshots(
    db: apsw.Connection, project_id: str
) -> tuple[list[Revenue], Delivery | None, Comms | None]:
    """The newest snapshots; revenue has a row for each horizon, the nearest first."""
    return (
        _LAST_REVENUE.all(db, project_id=project_id),
        _LAST_DELIVERY.first(db, project_id=project_id),
        _LAST_COMMS.first(db, project_id=project_id),
    )


def evidence(db: apsw.Connection, project_id: str, account_scope_id: str, query: DrillDown) -> list[Evidence]:
    """Evidence of a type or table, the newest first; all of it without a source."""
    source = query.source.lower()
    if not source:
        return _ALL_EVIDENCE.all(
            db, project_id=project_id, account_scope_id=account_scope_id, limit=query.limit,
            offset=query.offset,
        )  # fmt: skip
    return _EVIDENCE_OF.all(db, project_id=project_id, source=source, limit=query.limit, offset=query.offset)


def days(db: apsw.Connection, project_id: str, since: str, today: str) -> tuple[list[Day], list[DayMoney]]:
    """Figures and money by day."""
    period = {"project_id": project_id, "since": since, "today": today}
    return _DAYS.all(db, **period), _DAY_MONEY.all(db, **period)


def unanswered(
    db: apsw.Connection, project_id: str, now: str, query: ListUnanswered
) -> tuple[int, list[Waiting]]:
    """How many clients wait in conversations that are not resolved, and who, the longest first."""
    found = _WAITING.all(db, project_id=project_id, now=now, limit=query.limit, offset=query.offset)
    return _HOW_MANY_WAIT.one(db, project_id=project_id).total, found


def entries(db: apsw.Connection, project_id: str, query: ListEntries) -> Entries:
    """Entries, the newest day first, and their totals."""
    found = _ENTRIES.all(
        db, project_id=project_id, entry_type=query.entry_type, limit=query.limit, offset=query.offset
    )
    return Entries(found, _TOTALS.all(db, project_id=project_id))


def add_entry(db: apsw.Connection, project_id: str, account_scope_id: str, entry: Entry) -> Entry:
    """Keep an entry and count its day anew."""
    owner = {"project_id": project_id, "account_scope_id": account_scope_id}
    _ADD_ENTRY.run(db, **owner, **msgspec.structs.asdict(entry))
    line_store.count_days(db, project_id, {entry.date})
    return entry


def delete_entry(db: apsw.Connection, project_id: str, entry_id: str) -> Entry:
    """Delete an entry and count its day anew; raise EntryNotFound."""
    entry = _ONE_ENTRY.one(db, id=entry_id, project_id=project_id)
    _DELETE_ENTRY.run(db, id=entry_id, project_id=project_id)
    line_store.count_days(db, project_id, {entry.date})
    return entry
