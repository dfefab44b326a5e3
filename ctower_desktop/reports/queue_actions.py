"""/today: what needs you, from all projects you may see, and putting some of it aside."""

from __future__ import annotations

from datetime import timedelta

from ctower_desktop.insight.analytics.aggregates import caught_up
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.regional import Regional, local
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Caller, ProjectRef
from ctower_desktop.projects import store as projects
from ctower_desktop.projects.resolution import access_of
from ctower_desktop.reports import queue_store
from ctower_desktop.reports.queue import (
    KINDS,
    InvalidMoment,
    KindCount,
    Marked,
    Queue,
    QueueItem,
    QueueItemNotFound,
    ReadQueue,
    Snooze,
    Waits,
    Wake,
)
from ctower_desktop.reports.urgency import comes_back, in_order, judged

_STEPS = 5  # transactions the queue waits for before it shows what is counted so far
_KEPT = timedelta(days=180)  # marks that hold for ever are forgotten some day


@TOWER.get("/today")
async def read_queue(call: Caller, query: ReadQueue) -> Queue:
    """What needs you in all projects you may see, the most urgent first."""
    items, more = await _everything(call)
    held = sum(item.put_aside for item in items)
    items = [item for item in items if item.put_aside == query.put_aside]
    if query.project_id:
        items = [item for item in items if item.project_id == query.project_id.lower()]
    counts = [KindCount(kind, sum(item.kind == kind for item in items), more=kind in more) for kind in KINDS]
    chosen = [item for item in items if query.kind in ("", item.kind)]
    part = chosen[query.offset : query.offset + query.limit]
    return Queue(part, len(chosen), [one for one in counts if one.count], held)


@TOWER.post("/today/snooze", raises=(QueueItemNotFound, InvalidMoment), audit="queue.snooze")
async def put_aside(call: Caller, body: Snooze) -> Marked:
    """Put something of the queue aside; it is back when its time has come or when it changes."""
    tower = call.tower
    waits = await _one(call, body.kind, body.id)
    now, at = tower.clock.now(), tower.clock.text()
    regional = tower.settings.get(Regional)
    until = _moment(body.at, at) if body.at else comes_back(body.until, now, regional)
    await tower.db.write_durably(queue_store.put_aside, call.user.username, waits, until, at)
    await tower.db.write(queue_store.forget, as_text(now - _KEPT))
    _note(call, waits, until=until)
    return Marked(body.kind, body.id, put_aside=True, until=until)


@TOWER.post("/today/wake", raises=(QueueItemNotFound,), audit="queue.wake")
async def take_up(call: Caller, body: Wake) -> Marked:
    """Have something in the queue again that was put aside."""
    waits = await _one(call, body.kind, body.id)
    await call.tower.db.write_durably(queue_store.take_up, call.user.username, body.kind, body.id)
    _note(call, waits)
    return Marked(body.kind, body.id, put_aside=False, until=None)


async def _everything(call: Caller) -> tuple[list[QueueItem], set[str]]:
    tower = call.tower
    ids = [project.id for project in await tower.db.read(projects.listed, access_of(call.user))]
    await caught_up(tower, ids, steps=_STEPS)
    now = tower.clock.now()
    today = local(now, tower.settings.get(Regional)).date().isoformat()
    found, marks, more = await tower.db.read(
        lambda db: queue_store.waiting(db, ids, call.user.username, today, alerts=call.user.role == "owner")
    )
    items = [judged(waits, marks.get((waits.kind, waits.id)), now, today) for waits in found]
    return in_order(items), set(more)


async def _one(call: Caller, kind: str, ref: str) -> Waits:
    items, _ = await _everything(call)
    found = next((item for item in items if (item.kind, item.id) == (kind, ref)), None)
    if found is None:
        raise QueueItemNotFound
    return found


def _moment(text: str, now: str) -> str:
    try:
        found = as_text(from_text(text))
    except ValueError:
        raise InvalidMoment from None
    if found <= now:
        raise InvalidMoment
    return found


def _note(call: Caller, waits: Waits, until: str | None = None) -> None:
    call.noted.about(waits.kind, waits.id, title=waits.title[:200], until=until)
    if waits.project_id and waits.project_name and waits.account_scope_id:
        call.noted.project = ProjectRef(waits.project_id, waits.project_name, waits.account_scope_id)
    else:
        call.noted.unbound = True
