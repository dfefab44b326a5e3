"""Every deal once, and money by day, stage and currency derived from deals and entries, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.crm.stages import opportunity_stage
from ctower_desktop.kernel.sql import Command, Query, as_json

CLOSED = ("won", "lost")


class _Deal(msgspec.Struct, frozen=True):
    """A deal of the vendor beside the opportunity mirrored from it, if there is one."""

    source_ref: str
    title: str
    deal_stage: str
    stage: str | None
    stage_changed_at: str | None
    amount: float
    currency: str
    probability: float
    expected_close_date: str | None
    created_at: str
    updated_at: str


class _Opportunity(msgspec.Struct, frozen=True):
    source_ref: str
    title: str
    stage: str
    amount: float
    currency: str
    probability: float
    expected_close_date: str | None
    closed_at: str | None
    created_at: str


class _Line(msgspec.Struct, frozen=True):
    source: str
    source_ref: str
    stage: str
    closed_at: str | None


_DEALS = Query(
    _Deal,
    """
    SELECT d.external_id AS source_ref, coalesce(o.title, d.title) AS title, d.stage AS deal_stage, o.stage,
           o.stage_changed_at, coalesce(o.amount_estimate, d.amount, 0.0) AS amount,
           upper(coalesce(o.currency, d.currency, '')) AS currency,
           coalesce(o.probability, d.probability) AS probability,
           CASE WHEN o.id IS NULL THEN substr(d.expected_close_date, 1, 10) ELSE o.expected_close_date END
               AS expected_close_date,
           d.created_at, d.updated_at
    FROM json_each(:refs) AS due
    CROSS JOIN deal AS d ON d.project_id = :project_id AND d.external_id = due.value
    LEFT JOIN crm_opportunity AS o ON o.project_id = d.project_id AND o.external_ref = d.external_id
    WHERE d.deleted_at IS NULL AND o.deleted_at IS NULL
    GROUP BY d.external_id
    """,
)
_OPPORTUNITIES = Query(
    _Opportunity,
    """
    SELECT o.id AS source_ref, o.title, o.stage, o.amount_estimate AS amount,
           upper(coalesce(o.currency, '')) AS currency, o.probability, o.expected_close_date,
           CASE WHEN o.stage IN ('won', 'lost') THEN o.stage_changed_at END AS closed_at, o.created_at
    FROM json_each(:ids) AS due CROSS JOIN crm_opportunity AS o ON o.id = due.value
    WHERE o.project_id = :project_id AND o.source_system <> 'attio' AND o.deleted_at IS NULL
    """,
)
_KNOWN = Query(
    _Line,
    """
    SELECT l.source, l.source_ref, l.stage, l.closed_at
    FROM json_each(:refs) AS due CROSS JOIN revenue_line AS l
        ON l.project_id = :project_id AND l.source = :source AND l.source_ref = due.value
    """,
)
_PUT = Command("""
    INSERT INTO revenue_line (project_id, source, source_ref, title, stage, amount, currency, probability,
                              expected_close_date, closed_at, created_at)
    VALUES (:project_id, :source, :source_ref, :title, :stage, :amount, :currency, :probability,
            :expected_close_date, :closed_at, :created_at)
    ON CONFLICT (project_id, source, source_ref) DO UPDATE SET title = excluded.title, stage = excluded.stage,
        amount = excluded.amount, currency = excluded.currency, probability = excluded.probability,
        expected_close_date = excluded.expected_close_date, closed_at = excluded.closed_at,
        created_at = excluded.created_at
""")
_DROP = Command("""
    DELETE FROM revenue_line
    WHERE project_id = :project_id AND source = :source AND source_ref IN (SELECT value FROM json_each(:refs))
""")
_FORGET_PIPELINE = Command("DELETE FROM pipeline_figure WHERE project_id = :project_id")
_PIPELINE = Command("""
    INSERT INTO pipeline_figure (project_id, source, stage, currency, deals, amount, expected, dated,
                                 close_days)
    SELECT project_id, source, stage, currency, count(*), sum(amount), sum(amount * probability),
           count(expected_close_date), coalesce(sum(julianday(expected_close_date)), 0)
    FROM revenue_line WHERE project_id = :project_id GROUP BY source, stage, currency
""")
_FORGET_MONEY = Command("""
    DELETE FROM daily_money WHERE project_id = :project_id AND day IN (SELECT value FROM json_each(:days))
""")
_MONEY = Command("""
    INSERT INTO daily_money (project_id, day, currency, won_count, won_amount, lost_count, lost_amount, costs,
                             budget, revenue)
    SELECT :project_id, day, currency, sum(kind = 'won'), sum(iif(kind = 'won', amount, 0.0)),
           sum(kind = 'lost'), sum(iif(kind = 'lost', amount, 0.0)), sum(iif(kind = 'cost', amount, 0.0)),
           sum(iif(kind = 'budget', amount, 0.0)), sum(iif(kind = 'revenue', amount, 0.0))
    FROM (
        SELECT due.value AS day, l.currency, l.stage AS kind, l.amount
        FROM json_each(:days) AS due CROSS JOIN revenue_line AS l
            ON l.project_id = :project_id AND l.closed_at IS NOT NULL AND l.closed_at >= due.value
            AND l.closed_at < date(due.value, '+1 day')
        UNION ALL
        SELECT due.value, c.currency, c.entry_type, c.amount
        FROM json_each(:days) AS due CROSS JOIN cost_entry AS c
            ON c.project_id = :project_id AND c.date = due.value
    ) GROUP BY day, currency
""")


def derive(db: apsw.Connection, project_id: str, *, deals: list[str], opportunities: list[str]) -> None:
    """Write the lines of deals (by the vendor's ids) and of our own opportunities (by ids) as they are."""
    if not deals and not opportunities:
        return
    days = _put(db, project_id, "attio", deals, _deal_lines(db, project_id, deals))
    own = _OPPORTUNITIES.all(db, project_id=project_id, ids=as_json(opportunities))
    rows = {one.source_ref: msgspec.structs.asdict(one) for one in own}
    days |= _put(db, project_id, "manual", opportunities, rows)
    _FORGET_PIPELINE.run(db, project_id=project_id)
    _PIPELINE.run(db, project_id=project_id)
    count_days(db, project_id, days)


def count_days(db: apsw.Connection, project_id: str, days: set[str]) -> None:
    """Add up the money of these days anew."""
    if days:
        _FORGET_MONEY.run(db, project_id=project_id, days=as_json(sorted(days)))
        _MONEY.run(db, project_id=project_id, days=as_json(sorted(days)))


def _deal_lines(db: apsw.Connection, project_id: str, refs: list[str]) -> dict[str, dict[str, object]]:
    """A deal closes when its opportunity did; one without, when it was first seen closed."""
    known = {
        line.source_ref: line
        for line in _KNOWN.all(db, project_id=project_id, source="attio", refs=as_json(refs))
    }
    found: dict[str, dict[str, object]] = {}
    for deal in _DEALS.all(db, project_id=project_id, refs=as_json(refs)):
        stage = deal.stage or opportunity_stage(deal.deal_stage)
        closed_at = None
        if stage in CLOSED:
            before = known.get(deal.source_ref)
            closed_at = deal.stage_changed_at if deal.stage else deal.updated_at
            if deal.stage is None and before is not None and before.stage == stage:
                closed_at = before.closed_at
        found[deal.source_ref] = {
            "source_ref": deal.source_ref, "title": deal.title, "stage": stage, "amount": deal.amount,
            "currency": deal.currency, "probability": deal.probability,
            "expected_close_date": deal.expected_close_date, "closed_at": closed_at,
            "created_at": deal.created_at,
        }  # fmt: skip
    return found


def _put(
    db: apsw.Connection, project_id: str, source: str, refs: list[str], rows: dict[str, dict[str, object]]
) -> set[str]:
    """Write these lines, drop those of `refs` that are no more; return the days on which money moved."""
    before = _KNOWN.all(db, project_id=project_id, source=source, refs=as_json(refs))
    days = {line.closed_at[:10] for line in before if line.closed_at}
    gone = [ref for ref in refs if ref not in rows]
    _DROP.run(db, project_id=project_id, source=source, refs=as_json(gone))
    owner = {"project_id": project_id, "source": source}
    _PUT.run_many(db, [{**owner, **row} for row in rows.values()])
    return days | {str(row["closed_at"])[:10] for row in rows.values() if row["closed_at"]}
