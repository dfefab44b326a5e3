"""The stream of what happens in a project, for as long as the one who listens may see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec

from ctower_desktop.accounts.sessions import standing
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.events import AccessChanged, Event, IndexProgress, JobCompleted, SyncProgress
from ctower_desktop.kernel.tower import Caller
from ctower_desktop.operations.alert_model import AlertChanged, AlertSeverity, AlertState
from ctower_desktop.operations.model import ProjectRequired
from ctower_desktop.projects.resolution import sees

_LOOK_AGAIN = 60.0  # seconds after which a silent stream asks whether its listener may still listen


class Connected(msgspec.Struct, frozen=True):
    """The stream is open; this is the project it is about."""

    event: ClassVar[str] = "connected"
    project_id: str


class JobEnded(msgspec.Struct, frozen=True):
    """A job ended."""

    event: ClassVar[str] = "job_completed"
    project_id: str
    job_type: str
    status: str
    at: str


class ConnectorProgress(msgspec.Struct, frozen=True):
    """How far a synchronisation is: rows done, of how many if the vendor says."""

    event: ClassVar[str] = "connector_sync_progress"
    project_id: str | None
    connector: str
    phase: str
    done: int
    total: int | None
    at: str


class IndexingProgress(msgspec.Struct, frozen=True):
    """How far indexing is: chunks embedded of all chunks."""

    event: ClassVar[str] = "index_progress"
    project_id: str | None
    done: int
    total: int
    at: str


class AlertTold(msgspec.Struct, frozen=True):
    """An alert began, ended or was acknowledged; only owners are told."""

    event: ClassVar[str] = "alert"
    id: str
    rule: str
    severity: AlertSeverity
    state: AlertState
    project_id: str | None
    message: str
    at: str


Told = Connected | JobEnded | ConnectorProgress | IndexingProgress | AlertTold


@TOWER.stream("/events/stream", raises=(ProjectRequired,))
async def stream_events(
    call: Caller,
) -> AsyncIterator[Connected | JobEnded | ConnectorProgress | IndexingProgress | AlertTold]:
    """What happens in the project, as it happens: jobs that end, progress of long work, alerts.

    What concerns every project is told to those who see every project. The stream ends with the session,
    the key, the role or the assignment that it rests upon.
    """
    if call.project is None:
        raise ProjectRequired
    tower, project_id = call.tower, call.project.id
    with tower.events.listen() as queue:
        rests_on = await standing(tower, call.user)
        yield Connected(project_id)
        while True:
            try:
                async with asyncio.timeout(_LOOK_AGAIN):
                    event = await queue.get()
            except TimeoutError:
                event = None
            if event is None or isinstance(event, AccessChanged):
                if await standing(tower, call.user) != rests_on or not await sees(
                    tower, call.user, project_id
                ):
                    return
                continue
            told = _told(event, project_id, everything=call.user.sees_all_projects)
            if told is not None:
                yield told


def _told(event: Event, project_id: str, *, everything: bool) -> Told | None:
    """What a listener is told of an event, if anything."""
    if isinstance(event, AlertChanged):
        if not everything:
            return None
        return AlertTold(
            event.id,
            event.rule,
            event.severity,
            event.state,
            event.project_id,
            event.message,
            event.at,
        )
    if event.project_id != project_id and not (event.project_id is None and everything):
        return None
    if isinstance(event, JobCompleted):
        return JobEnded(project_id, event.job_type, event.status, event.at)
    if isinstance(event, SyncProgress):
        return ConnectorProgress(
            event.project_id, event.connector, event.phase, event.done, event.total, event.at
        )
    if isinstance(event, IndexProgress):
        return IndexingProgress(event.project_id, event.done, event.total, event.at)
    return None
