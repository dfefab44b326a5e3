"""The audit trail and the evidence it points at, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.accounts.evidence import Located
from ctower_desktop.accounts.model import AuditRow
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.tower import ProjectRef

_COLUMNS = """
    SELECT id, actor_username, actor_user_id, action, entity_type, entity_id, status, request_id,
           payload, evidence_refs, created_at
    FROM audit_event
"""
# Two arms, each walking its index from the newest line back, merged: nothing is sorted.
_LISTED = Query(
    AuditRow,
    f"{_COLUMNS} WHERE project_id = :project_id "
    f"UNION ALL {_COLUMNS} WHERE project_id IS NULL AND :also_without "
    "ORDER BY id DESC LIMIT :limit OFFSET :offset",
)
_LISTED_BY_ACTION = Query(
    AuditRow,
    f"{_COLUMNS} WHERE project_id = :project_id AND action = :action "
    f"UNION ALL {_COLUMNS} WHERE project_id IS NULL AND action = :action AND :also_without "
    "ORDER BY id DESC LIMIT :limit OFFSET :offset",
)
_FITS = """
    (:actor IS NULL OR actor_username = :actor) AND (:status IS NULL OR status = :status)
    AND (:action IS NULL OR action = :action)
    AND (:beginning IS NULL OR substr(action, 1, length(:beginning)) = :beginning)
    AND (:entity_type IS NULL OR entity_type = :entity_type)
    AND (:entity_id IS NULL OR entity_id = :entity_id)
    AND (:since IS NULL OR created_at >= :since) AND (:until IS NULL OR created_at < :until)
"""
_WALK = "SELECT id FROM audit_event INDEXED BY audit_event_filter WHERE"
# The index holds all that the filters look at; the lines themselves are read only for the page.
_FILTERED = Query(
    AuditRow,
    f"""
    WITH hit AS MATERIALIZED (
        {_WALK} project_id = :project_id AND {_FITS}
        UNION ALL {_WALK} project_id IS NULL AND :also_without AND {_FITS}
        ORDER BY id DESC LIMIT :limit OFFSET :offset)
    {_COLUMNS} WHERE id IN (SELECT id FROM hit) ORDER BY id DESC
    """,
)
_TROUBLES = Query(  # what did not go well is rare: an index of its own holds no other lines
    AuditRow,
    f"""
    WITH hit AS MATERIALIZED (
        SELECT id FROM audit_event INDEXED BY audit_event_trouble
        WHERE status <> 'ok' AND project_id = :project_id AND {_FITS}
        UNION ALL SELECT id FROM audit_event INDEXED BY audit_event_trouble
        WHERE status <> 'ok' AND project_id IS NULL AND :also_without AND {_FITS}
        ORDER BY id DESC LIMIT :limit OFFSET :offset)
    {_COLUMNS} WHERE id IN (SELECT id FROM hit) ORDER BY id DESC
    """,
)
_ADD = Command("""
    INSERT INTO audit_event (project_id, account_scope_id, actor_username, actor_user_id, action, entity_type,
                             entity_id, status, request_id, payload, evidence_refs, created_at)
    VALUES (:project_id, :account_scope_id, :actor_username, :actor_user_id, :action, :entity_type,
            :entity_id, :status, :request_id, :payload, :evidence_refs, :created_at)
""")
_INDEX = Command("""
    INSERT INTO evidence_item (project_id, account_scope_id, source_type, source_table, source_pk,
                               conversation_global_id, message_global_id, contact_global_id, snippet, payload,
                               created_at, updated_at)
    VALUES (:project_id, :account_scope_id, :source_type, :source_table, :source_pk,
            :conversation_global_id, :message_global_id, :contact_global_id, :snippet, :payload, :at, :at)
    ON CONFLICT (project_id, source_table, source_pk) DO UPDATE SET
        source_type = excluded.source_type,
        snippet = coalesce(excluded.snippet, snippet),
        payload = CASE WHEN excluded.payload = '{}' THEN payload ELSE excluded.payload END,
        updated_at = excluded.updated_at
""")


class Quote(msgspec.Struct, frozen=True):
    """What something that is pointed at says, in a line."""

    text: str


# How to quote what is pointed at, by the beginning of the reference; the rooms that keep it say how.
QUOTES: dict[str, Query[Quote]] = {}


def quoted_by(beginning: str, sql: str) -> None:
    """Quote references that begin so with what `sql` finds for `:ref` in `:project_id`."""
    QUOTES[beginning] = Query(Quote, sql)


def _quote(db: apsw.Connection, project_id: str, ref: str) -> str | None:
    beginning = ref[: ref.find(":") + 1]
    statement = QUOTES.get(beginning)
    found = statement.first(db, ref=ref, project_id=project_id) if statement else None
    return found.text if found else None


def add(db: apsw.Connection, project: ProjectRef | None, row: AuditRow, evidence: list[Located]) -> None:
    """Write one line, and index what it points at."""
    _ADD.run(
        db,
        project_id=project.id if project else None,
        account_scope_id=project.account_scope_id if project else None,
        actor_username=row.actor_username,
        actor_user_id=row.actor_user_id,
        action=row.action,
        entity_type=row.entity_type,
        entity_id=row.entity_id,
        status=row.status,
        request_id=row.request_id,
        payload=as_json(row.payload),
        evidence_refs=as_json(row.evidence_refs),
        created_at=row.created_at,
    )
    if project is None:
        return
    for found in evidence:
        # an id that looks like a piece of text's and is found here is that of a row of ours
        quote = found.ref.snippet or _quote(db, project.id, found.ref.ref)
        ours = found.ref.snippet is None and quote is not None and found.table == "rag_chunks"
        _INDEX.run(
            db,
            project_id=project.id,
            account_scope_id=project.account_scope_id,
            source_type="external" if ours else found.ref.source,
            source_table="external" if ours else found.table,
            source_pk=found.ref.ref,
            conversation_global_id=found.conversation,
            message_global_id=found.message,
            contact_global_id=found.contact,
            snippet=quote,
            payload=as_json(found.ref.meta),
            at=row.created_at,
        )


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the trail; `beginning` is that of the action's name, `until` is not within."""

    project_id: str
    also_without: bool
    limit: int
    offset: int = 0
    action: str | None = None
    beginning: str | None = None
    actor: str | None = None
    status: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    since: str | None = None
    until: str | None = None


def listed(db: apsw.Connection, window: Window) -> list[AuditRow]:
    """Lines of a project, the newest first; lines of no project too when `also_without`."""
    everything = msgspec.structs.asdict(window)
    params = {name: everything.pop(name) for name in ("project_id", "also_without", "limit", "offset")}
    action = everything.pop("action")
    if any(value is not None for value in everything.values()):
        statement = _FILTERED if window.status in (None, "ok") else _TROUBLES
        return statement.all(db, action=action, **params, **everything)
    if action is None:
        return _LISTED.all(db, **params)
    return _LISTED_BY_ACTION.all(db, action=action, **params)
