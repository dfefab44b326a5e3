"""Reading the audit trail: from filters as given to a part of it, and a table for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec

from ctower_desktop.accounts.audit_store import Window
from ctower_desktop.accounts.model import AuditFilter, AuditRow
from ctower_desktop.kernel.regional import Regional, day_bounds
from ctower_desktop.kernel.sql import as_json
from ctower_desktop.kernel.system import as_text

_COLUMNS = (
    *("id", "created_at", "actor_username", "action", "entity_type", "entity_id", "status"),
    *("request_id", "payload", "evidence_refs"),
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a table program takes for a formula at a cell's beginning


def window_of(
    given: AuditFilter, regional: Regional, project_id: str, *, owner: bool, limit: int, offset: int = 0
) -> Window:
    """The part of the trail that was asked for; only an owner sees lines of no project."""
    prefix = given.action is not None and given.action.endswith(".")
    return Window(
        project_id=project_id,
        also_without=owner,
        limit=limit,
        offset=offset,
        action=None if prefix else given.action or None,
        beginning=given.action if prefix else None,
        actor=given.actor or None,
        status=given.status or None,
        entity_type=given.entity_type or None,
        entity_id=given.entity_id or None,
        since=_moment(given.date_from, regional, end=False),
        until=_moment(given.date_to, regional, end=True),
    )


def _moment(given: str | None, regional: Regional, *, end: bool) -> str | None:
    """A moment as stored; a day stands for its beginning or its `end`; what is neither does not count."""
    if not given:
        return None
    try:
        return as_text(day_bounds(date.fromisoformat(given), regional)[end])
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(given)
        return as_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def as_csv(rows: Sequence[AuditRow]) -> bytes:
    """Lines of the trail as a table; no cell is a formula, whatever a customer wrote."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in rows:
        cells = msgspec.structs.asdict(row)
        writer.writerow([_harmless(cells[name]) for name in _COLUMNS])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _harmless(value: object) -> str:
    shown = value if isinstance(value, str) else as_json(value)
    return f"'{shown}" if shown.startswith(_FORMULAS) else shown
