"""Whom a recommendation speaks of, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json


class _Contact(msgspec.Struct, frozen=True):
    id: str


_OF_MESSAGES = Query(
    _Contact,
    """
    SELECT c.id FROM json_each(:messages) AS wanted
    CROSS JOIN message AS m ON m.id = wanted.value AND m.project_id = :project_id
    CROSS JOIN conversation AS v ON v.id = m.conversation_global_id
    CROSS JOIN contact AS c ON c.id = coalesce(m.contact_global_id, v.contact_global_id)
    WHERE c.project_id = :project_id AND c.deleted_at IS NULL ORDER BY wanted.key LIMIT 1
    """,
)
_LATEST = Query(
    _Contact,
    """
    SELECT id FROM contact WHERE project_id = :project_id AND deleted_at IS NULL
    ORDER BY updated_at DESC, id LIMIT 1
    """,
)


def recipient(db: apsw.Connection, project_id: str, messages: list[str]) -> str:
    """The contact these messages were exchanged with, else the one heard of last; '' for nobody."""
    found = _OF_MESSAGES.first(db, project_id=project_id, messages=as_json(messages))
    found = found or _LATEST.first(db, project_id=project_id)
    return found.id if found else ""
