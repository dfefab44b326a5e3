"""/signals, /nba, /upsell: what needs attention, what to do about it, what else could be sold."""

from __future__ import annotations

from datetime import date

from ctower_desktop.insight.signals import extraction, nba_store, radar_store, sales, store
from ctower_desktop.insight.signals.model import (
    ActionNotFound,
    DueDateInvalid,
    EditAction,
    Extracted,
    ListByStatus,
    ListSignals,
    NextActions,
    OneAction,
    OneSignal,
    OneUpsell,
    RadarRefreshed,
    SetActionStatus,
    SetSignalStatus,
    SetUpsellStatus,
    SignalInFull,
    SignalNotFound,
    Signals,
    UpsellNotFound,
    Upsells,
    Uuid,
)
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.tower import Scoped


@TOWER.post("/signals/extract", audit="signals.extract")
async def extract_signals(call: Scoped) -> Extracted:
    """Read what is new and bring signals and next best actions up to date."""
    found = await extraction.extract(call)
    call.noted.about(
        "signals", call.project_id, messages_read=found.messages_read, created=found.created,
        reopened=found.reopened, closed=found.closed,
    )  # fmt: skip
    return Extracted(found)


@TOWER.get("/signals")
async def list_signals(call: Scoped, query: ListSignals) -> Signals:
    """Signals, the worst first."""
    return Signals(await call.tower.db.read(store.listed, call.project_id, query))


@TOWER.get("/signals/{signal_id}", raises=(SignalNotFound,))
async def read_signal(call: Scoped, signal_id: Uuid) -> SignalInFull:
    """One signal with the sentences it stands on, what to do about it, and how it was closed last."""
    return await call.tower.db.read(store.in_full, call.project_id, signal_id.lower())


@TOWER.post("/signals/{signal_id}/status", raises=(SignalNotFound,), audit="signals.status_update")
async def set_signal_status(call: Scoped, signal_id: Uuid, body: SetSignalStatus) -> OneSignal:
    """Take a signal up, close it or raise it again; what to do about it follows."""
    found = await call.tower.db.write_durably(
        store.set_status, call.project_id, signal_id.lower(), body.status,
        at=call.tower.clock.text(), by=call.user.username,
    )  # fmt: skip
    refs = list(found.evidence_refs)
    call.noted.about("signal", found.id, evidence_refs=refs, signal_status=found.status)
    return OneSignal(found)


@TOWER.get("/nba")
async def list_next_actions(call: Scoped, query: ListByStatus) -> NextActions:
    """Next best actions, the most pressing first."""
    return NextActions(await call.tower.db.read(nba_store.listed, call.project_id, query))


@TOWER.post("/nba/{action_id}/status", raises=(ActionNotFound,), audit="nba.status_update")
async def set_next_action_status(call: Scoped, action_id: Uuid, body: SetActionStatus) -> OneAction:
    """Take an action up, or say what became of it."""
    found = await call.tower.db.write_durably(
        nba_store.set_status, call.project_id, action_id.lower(), body.status, call.tower.clock.text()
    )
    call.noted.about("nba", found.id, evidence_refs=list(found.evidence_refs), nba_status=found.status)
    return OneAction(found)


@TOWER.post("/nba/{action_id}", raises=(ActionNotFound, DueDateInvalid), audit="nba.update")
async def edit_next_action(call: Scoped, action_id: Uuid, body: EditAction) -> OneAction:
    """Choose another day or another owner; both then stay when the signal goes on."""
    if isinstance(body.due_date, str) and body.due_date:
        _checked(body.due_date)
    found = await call.tower.db.write_durably(
        nba_store.edit, call.project_id, action_id.lower(), body, call.tower.clock.text()
    )
    call.noted.about("nba", found.id, due_date=found.due_date, owner_username=found.owner_username)
    return OneAction(found)


@TOWER.post("/upsell/radar/refresh", audit="upsell.refresh")
async def refresh_upsell_radar(call: Scoped) -> RadarRefreshed:
    """Look again at deals and at what clients asked for."""
    found = await sales.refresh(call)
    call.noted.about("upsell", call.project_id, candidates=found.generated_candidates, touched=found.touched)
    return RadarRefreshed(found)


@TOWER.get("/upsell/radar")
async def list_upsell_chances(call: Scoped, query: ListByStatus) -> Upsells:
    """Chances to sell more, the best first."""
    return Upsells(await call.tower.db.read(radar_store.listed, call.project_id, query))


@TOWER.post("/upsell/{upsell_id}/status", raises=(UpsellNotFound,), audit="upsell.status_update")
async def set_upsell_status(call: Scoped, upsell_id: Uuid, body: SetUpsellStatus) -> OneUpsell:
    """Take a chance up, dismiss it, or say that it was converted."""
    found = await call.tower.db.write_durably(
        radar_store.set_status, call.project_id, upsell_id.lower(), body.status, call.tower.clock.text()
    )
    call.noted.about("upsell", found.id, evidence_refs=list(found.evidence_refs), upsell_status=found.status)
    return OneUpsell(found)


def _checked(day: str) -> None:
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise DueDateInvalid from None
    if found.isoformat() != day:  # the other ISO spellings of a day
        raise DueDateInvalid
