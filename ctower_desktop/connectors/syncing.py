"""The sync of one project: bound or refused, pulled or joined, its state and its errors kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from ctower_desktop.connectors import binding_store, ledger, ledger_store
from ctower_desktop.connectors.contract import CONNECTORS, Connector, NotConfigured, settings_of
from ctower_desktop.connectors.events import Event, silent, silent_before
from ctower_desktop.connectors.ledger_store import MODE, Newest
from ctower_desktop.connectors.model import SyncState
from ctower_desktop.connectors.settings import ConnectorSettings
from ctower_desktop.connectors.sync import Pulled, Sync
from ctower_desktop.inbox import store as inbox_store
from ctower_desktop.kernel.errors import Conflict, NotFound, StorageFailure, TowerError
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import ProjectRef, Scoped, Tower

log = logging.getLogger(__name__)


class ConnectorNotFound(NotFound):
    """There is no such connector."""

    code = "connector_not_found"


class ConnectorNotConfigured(Conflict):
    """The connection has no credentials yet."""

    code = "connector_not_configured"


class SourceNotBound(Conflict):
    """Nothing of the vendor's account is bound to this project."""

    code = "source_not_bound"


class SyncFailed(TowerError):
    """The vendor could not be read; the error is kept and tried again."""

    code, status = "connector_sync_failed", 500


class EventLog(msgspec.Struct, frozen=True):
    """What became events in this sync."""

    connector: str
    generated: int
    inserted: int
    since_ts: str | None
    until_ts: str | None


class Synced(msgspec.Struct, frozen=True):
    """One connector after its sync."""

    connector: str
    mode: str
    result: dict[str, Any]
    event_log: EventLog | None
    resolved_errors: int


_NAMES: Mapping[str, Mapping[str, str]] = {
    "chatwoot": {
        "processed_conversations": "cw",
        "processed_messages": "cwmsg",
        "touched_contacts": "cwc",
        "touched_inboxes": "cwinbox",
        "touched_attachments": "cwa",
    },
    "linear": {
        "touched_projects": "linproj",
        "touched_states": "linstate",
        "touched_cycles": "lincycle",
        "touched_issues": "linissue",
        "touched_comments": "lincomment",
        "touched_relations": "linrel",
    },
    "attio": {
        "touched_accounts": "attioacct",
        "touched_opportunities": "attiodeal",
        "touched_people": "attioperson",
        "touched_notes": "attionote",
        "touched_tasks": "attiotask",
    },
}
_PROCESSED = {
    "chatwoot": ("processed_messages",),
    "linear": ("touched_projects", "touched_issues"),
    "attio": ("touched_accounts", "touched_opportunities"),
}


def connector_named(name: str) -> Connector:
    """The connector of that name; raise ConnectorNotFound."""
    found = CONNECTORS.get(name)
    if found is None:
        raise ConnectorNotFound(f"There is no connector {name[:40]!r}.")
    return found


async def sync_one(
    call: Scoped,
    connector: Connector,
    *,
    fresh_within: float = 0.0,
    whole: bool = False,
    allow_deletes: bool = False,
) -> Synced:
    """Read a vendor for a project. Raise ConnectorNotConfigured, SourceNotBound or SyncFailed."""
    tower, project, name = call.tower, call.project_ref, connector.name
    try:
        settings_of(connector, tower.settings.get(connector.settings))
    except NotConfigured as error:
        raise ConnectorNotConfigured(str(error)) from None
    if not await tower.db.read(binding_store.bindable, name, project.id):
        raise SourceNotBound(f"{_kind(connector)}_source_not_bound: bind a part of {connector.title} first.")
    sync = await tower.part(Sync)
    before = await tower.db.read(ledger_store.state, project.id, name)
    await tower.db.write(ledger_store.running, project, name, tower.clock.text())
    await _note(tower, project, name, "process_started", {"mode": MODE})
    settled = False
    try:
        known = await sync.account(connector, by_user=call.user.kind != "job")
        await tower.db.write_durably(
            binding_store.bind_first, project, connector, known.account, tower.clock.text()
        )
        since = await _since(tower, name)
        pulled = await sync.pull(
            connector, since, fresh_within=fresh_within, whole=whole, allow_deletes=allow_deletes
        )
        sync.report(name, None)
        found = await _succeeded(tower, project, connector, pulled, before, since.get(project.id))
        settled = True
        return found
    except StorageFailure:
        raise
    except TowerError as error:
        sync.report(name, error)
        await _failed(tower, project, connector, error)
        settled = True
        raise SyncFailed(f"{error.code}: {error}", retry_after=error.retry_after) from error
    finally:
        if not settled:
            await asyncio.shield(_stopped(tower, project, name))


async def _stopped(tower: Tower, project: ProjectRef, name: str) -> None:
    """Cancelled, or the database cannot be written: it runs no more, and nothing is held against it."""
    try:
        await tower.db.write(ledger_store.stopped, project, name, tower.clock.text())
    except StorageFailure as error:
        log.warning("the state of %s could not be written: %s", name, error)


def _kind(connector: Connector) -> str:
    return f"{connector.name}_{connector.account_unit}"


async def _since(tower: Tower, connector: str) -> dict[str, str]:
    """From when on messages are news, for every project fed: at the first time not all are."""
    days = tower.settings.get(ConnectorSettings).event_lookback_days
    floor = as_text(tower.clock.now() - timedelta(days=days)) if connector == "chatwoot" else ""
    found = {}
    for project_id in await tower.db.read(binding_store.bound_projects, connector):
        state = await tower.db.read(ledger_store.state, project_id, connector)
        found[project_id] = "" if state and state.last_success_at else floor
    return found


async def _succeeded(  # noqa: PLR0917
    tower: Tower,
    project: ProjectRef,
    connector: Connector,
    pulled: Pulled,
    before: SyncState | None,
    since: str | None,
) -> Synced:
    name, at = connector.name, tower.clock.text()
    counts = pulled.counts
    generated, inserted = counts.generated.get(project.id, 0), counts.inserted.get(project.id, 0)
    if name == "chatwoot":
        silences = await tower.db.read(inbox_store.silences, project.id, silent_before(tower.clock.now()))
        found = silent(project.id, project.account_scope_id, silences)
        generated += len(found)
        inserted += await tower.db.write(ledger_store.put_events, found, at)
    result = await _result(tower, project, connector, pulled)
    log = EventLog(name, generated, inserted, (before.cursor_ts if before else None) or since or None, at)
    meta = {**result, "event_log": msgspec.to_builtins(log)}
    source = f"{name}:{pulled.account}"
    resolved, newest = await tower.db.write(ledger_store.succeeded, project, name, source, meta, at)
    await _note(
        tower, project, name, "process_finished", {"requests": pulled.requests, "stored": counts.stored}
    )
    for stream, n in counts.held.items():
        text = f"{n} rows of {stream} vanished at once; nothing was deleted until somebody confirms it"
        await _note(
            tower, project, name, "process_warning", {"stream": stream, "held_deletes": n, "text": text}
        )
    return Synced(name, MODE, result | _cursor(newest), log, resolved)


def _cursor(newest: Newest) -> dict[str, Any]:
    return {"cursor_ts": newest.cursor_ts, "cursor_id": newest.cursor_id}


async def _result(tower: Tower, project: ProjectRef, connector: Connector, pulled: Pulled) -> dict[str, Any]:
    counts = pulled.counts
    touched = counts.touched.get(project.id, {})
    return {
        "source": f"{connector.name}:{pulled.account}",
        "mode": "api",
        "project_id": project.id,
        "account_scope_id": project.account_scope_id,
        **{shown: touched.get(kind, 0) for shown, kind in _NAMES[connector.name].items()},
        "requests": pulled.requests,
        "rows_read": counts.read,
        "rows_stored": counts.stored,
        "rows_deleted": counts.buried,
        "rows_quarantined": await tower.db.read(ledger_store.open_rows, connector.name),
        "held_deletes": counts.held,
        "storage": {"database_bytes": await tower.db.size()},
    }


async def _failed(tower: Tower, project: ProjectRef, connector: Connector, error: TowerError) -> None:
    settings = tower.settings.get(ConnectorSettings)
    now = tower.clock.now()
    waits = {n: ledger.delay(n, settings.retry_base_seconds) for n in range(1, settings.max_retries + 1)}
    next_at = {
        n: as_text(now + timedelta(seconds=max(wait, min(error.retry_after or 0.0, ledger.CAP))))
        for n, wait in waits.items()
    }
    message, payload = f"{error.code}: {error}", {"code": error.code}
    await tower.db.write(
        ledger_store.failed, project, connector.name, message, payload, as_text(now), next_at,
        settings.max_retries,
    )  # fmt: skip
    await _note(tower, project, connector.name, "process_failed", {"error": message[:500]})


async def _note(
    tower: Tower, project: ProjectRef, connector: str, kind: str, payload: dict[str, Any]
) -> None:
    """A line of the event log about the run itself."""
    at = tower.clock.text()
    event = Event(
        project_id=project.id,
        account_scope_id=project.account_scope_id,
        event_type=kind,
        occurred_at=at,
        actor="system",
        source=connector,
        source_ref=f"sync_{connector}",
        payload_json=payload,
    )
    await tower.db.write(ledger_store.put_events, [event], at)


def processed(synced: Synced) -> int:
    """How many rows a run counts as its work."""
    return sum(int(synced.result[key]) for key in _PROCESSED[synced.connector])
