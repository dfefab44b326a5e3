"""Connecting accounts and binding their parts to projects: try, connect, disconnect, bind, quarantine."""

from __future__ import annotations

from typing import Any

import msgspec

from ctower_desktop.connectors import (
    binding_store,
    intake_store,
    ledger_store,
    projection_store,
    remote_store,
)
from ctower_desktop.connectors.answers import (
    Bindings,
    Disconnect,
    Disconnected,
    ListBindings,
    ListQuarantine,
    Overview,
    Overviews,
    Quarantine,
    Released,
    RetryQuarantine,
    SetBindings,
    SyncAnswer,
    Tried,
    TryConnection,
    Units,
)
from ctower_desktop.connectors.contract import (
    CONNECTORS,
    Account,
    Connector,
    NeedsUser,
    NotConfigured,
    origin_of,
)
from ctower_desktop.connectors.intake_store import Intake
from ctower_desktop.connectors.loops import LOOPS, Loops, Pusher
from ctower_desktop.connectors.remote_store import Rows
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.connectors.syncing import (
    ConnectorNotConfigured,
    ConnectorNotFound,
    SourceNotBound,
    SyncFailed,
    connector_named,
    sync_one,
)
from ctower_desktop.connectors.wire import Breaker, Wire
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound, Upstream
from ctower_desktop.kernel.http import AddressRefused, checked_url
from ctower_desktop.kernel.settings import fields
from ctower_desktop.kernel.tower import Owner, Scoped, Tower

_STEPS = {
    "connector_needs_user": "Open the connection's form, correct it and test it again.",
    "address_refused": "Open the connection's form and correct the address.",
    "vendor_unavailable": "Nothing to do: it is tried again by itself.",
    "vendor_circuit_open": "Nothing to do: it is tried again by itself.",
    "upstream_unreachable": "Check the network and the address; it is tried again by itself.",
    "vendor_partial_data": "Nothing to do: the missing part is read by the next sync.",
    "vendor_bad_payload": "Check the address: something else than the vendor may be answering there.",
    "vendor_refused": "Update the program; if that does not help, report the error.",
}


class UnitNotFound(NotFound):
    """The account has no such part."""

    code = "unit_not_found"


class ConnectionRefused(Conflict):
    """The connection does not work; nothing was stored."""

    code = "connection_failed"


@TOWER.get("/connectors")
async def list_connections(call: Scoped) -> Overviews:
    """Every connection: whether it is set up, how it does, what to do next."""
    sync = await call.tower.part(Sync)
    found = [await _overview(call, sync, connector) for connector in CONNECTORS.values()]
    return Overviews([*found, await _loops_overview(call)])


@TOWER.get("/connectors/bindings")
async def list_bindings(call: Scoped, query: ListBindings) -> Bindings:
    """What feeds the project."""
    found = await call.tower.db.read(binding_store.of_project, call.project_id)
    return Bindings([b for b in found if query.connector in ("", b.connector)])


@TOWER.post(
    "/connectors/bindings",
    raises=(ConnectorNotFound, UnitNotFound),
    audit="connectors.bindings.set",
    role="owner",
)
async def set_bindings(call: Scoped, body: SetBindings) -> Bindings:
    """Bind exactly these units to the project; its rows are derived again without fetching."""
    connector, tower = connector_named(body.connector), call.tower
    possible = {(u.kind, u.id): u for u in await tower.db.read(binding_store.units, connector)}
    missing = next((u for u in body.units if (u.kind, u.id) not in possible), None)
    if missing is not None:
        raise UnitNotFound(f"{connector.title} has no {missing.kind} {missing.id!r} that is known here.")
    units = [possible[unit.kind, unit.id] for unit in body.units]
    await tower.db.write_durably(
        binding_store.replace, call.project_ref, connector.name, units, tower.clock.text()
    )
    sync = await tower.part(Sync)
    sync.stale(connector.name)
    await sync.derive(connector)
    call.noted.about("connector", connector.name, units=[f"{u.kind}:{u.id}" for u in units])
    found = await tower.db.read(binding_store.of_project, call.project_id)
    return Bindings([b for b in found if b.connector == connector.name])


@TOWER.get("/connectors/{name}/units", raises=(ConnectorNotFound,))
async def list_units(call: Owner, name: str) -> Units:
    """What of an account can be bound to a project, as far as it was read."""
    return Units(await call.tower.db.read(binding_store.units, connector_named(name)))


@TOWER.post("/connectors/{name}/test", raises=(ConnectorNotFound,), pace="expensive", role="owner")
async def try_connection(call: Scoped, name: str, body: TryConnection) -> Tried:
    """Try settings with the vendor; nothing is stored. Says in words what is wrong and what to do."""
    vendor = _vendor(name)
    try:
        account, _ = await _check(call.tower, vendor, body)
    except (Upstream, Invalid) as error:
        return Tried(works=False, code=error.code, message=str(error))
    return Tried(
        works=True, code="ok", message=f"{vendor.title}: connected to {account.name}.", account=account
    )


@TOWER.post(
    "/connectors/{name}/connect",
    raises=(ConnectorNotFound, ConnectionRefused),
    pace="expensive",
    audit="connectors.connect",
    role="owner",
)
async def connect(call: Scoped, name: str, body: TryConnection) -> Tried:
    """Try settings with the vendor and, when they work, keep them. Another address forgets the old token."""
    vendor, tower = _vendor(name), call.tower
    try:
        account, page = await _check(tower, vendor, body)
    except (Upstream, Invalid) as error:
        raise ConnectionRefused(str(error)) from None
    checked = msgspec.structs.asdict(page)
    values = {key: checked[key] for key in _given(vendor, body)}
    await tower.settings.change(vendor.settings, values)
    if not isinstance(vendor, Loops):
        await tower.db.write_durably(
            intake_store.adopt, vendor, account.id, account.name, origin_of(vendor.base_url(page))
        )
        await tower.db.write_durably(
            binding_store.bind_first, call.project_ref, vendor, account.id, tower.clock.text()
        )
    call.noted.about("connector", name, account=account.name)
    return Tried(
        works=True, code="ok", message=f"{vendor.title}: connected to {account.name}.", account=account
    )


@TOWER.post(
    "/connectors/{name}/disconnect",
    raises=(ConnectorNotFound,),
    audit="connectors.disconnect",
    role="owner",
)
async def disconnect(call: Scoped, name: str, body: Disconnect) -> Disconnected:
    """Forget the credentials; with `forget` also everything that came from there."""
    vendor, tower = _vendor(name), call.tower
    secrets = {field.name: None for field in fields(vendor.name) if field.secret}
    await tower.settings.change(vendor.settings, secrets)
    forgotten = False
    if body.forget and not isinstance(vendor, Loops):
        known = await tower.db.read(remote_store.connection, vendor.name)
        if known is not None:
            await tower.db.write_durably(intake_store.forget, vendor, known.account)
            forgotten = True
    call.noted.about("connector", name, forgotten=forgotten)
    return Disconnected(vendor.name, forgotten)


@TOWER.post(
    "/connectors/{name}/deletes/confirm",
    raises=(ConnectorNotFound, ConnectorNotConfigured, SourceNotBound, SyncFailed),
    pace="expensive",
    audit="connectors.deletes.confirm",
    role="owner",
)
async def confirm_deletes(call: Scoped, name: str) -> SyncAnswer:
    """Enumerate a vendor again and believe it, even when much has vanished there."""
    connector = connector_named(name)
    call.noted.about("connector", name)
    return SyncAnswer(await sync_one(call, connector, whole=True, allow_deletes=True))


@TOWER.get("/connectors/quarantine")
async def list_quarantine(call: Owner, query: ListQuarantine) -> Quarantine:
    """Rows that could not be understood; everything else was stored."""
    return Quarantine(await call.tower.db.read(ledger_store.quarantined, query.connector, query.limit))


@TOWER.post(
    "/connectors/quarantine/retry",
    raises=(ConnectorNotFound,),
    audit="connectors.quarantine.retry",
    role="owner",
)
async def retry_quarantine(call: Scoped, body: RetryQuarantine) -> Released:
    """Try to understand quarantined rows again, as after an update of the program."""
    connector, db = connector_named(body.connector), call.tower.db
    known = await db.read(remote_store.connection, connector.name)
    before = await db.read(ledger_store.open_rows, connector.name)
    if known is None or before == 0:
        return Released(before, 0)
    intake = Intake(connector, Rows(connector.name, known.account), known.run, {})
    await db.write(intake.again, call.tower.clock.text())
    after = await db.read(ledger_store.open_rows, connector.name)
    call.noted.about("connector", connector.name, understood=before - after)
    return Released(before, before - after)


def _vendor(name: str) -> Connector | Loops:
    return LOOPS if name == LOOPS.name else connector_named(name)


async def _check(tower: Tower, vendor: Connector | Loops, body: TryConnection) -> tuple[Account, Any]:
    """The account behind the settings; raise what says in words why not."""
    page = _tried_page(tower, vendor, body)
    missing = vendor.missing_setting(page)
    if missing is not None:
        raise NotConfigured(f"{vendor.title}: {missing}.")
    if not isinstance(vendor, Loops):
        wire = await (await tower.part(Sync)).wire(vendor, page)
        return await vendor.check(wire, page), page
    pusher = await tower.part(Pusher)
    base = await checked_url(page.base_url, private=page.allow_private_network)
    wire = Wire(
        tower.http, vendor.title, base, vendor.headers(page), vendor.failure,
        vendor.budgets(page, tower.clock.monotonic, pusher.sleep), Breaker(tower.clock.monotonic),
        pusher.sleep,
    )  # fmt: skip
    return await vendor.check(wire, page), page


def _tried_page(tower: Tower, vendor: Connector | Loops, body: TryConnection) -> Any:
    """The settings in force with what is tried put over them.

    A token goes only to the address it was given for: with another address it has to be given again.
    """
    current = msgspec.structs.asdict(tower.settings.get(vendor.settings))
    given = _given(vendor, body)
    if _origin(str(given.get("base_url", current["base_url"]))) != _origin(current["base_url"]):
        current |= {field.name: "" for field in fields(vendor.name) if field.secret}
    return check({**current, **given}, vendor.settings)


def _given(vendor: Connector | Loops, body: TryConnection) -> dict[str, str | int | bool]:
    """What was filled in: a secret that was left empty stays as it is."""
    declared = {field.name: field for field in fields(vendor.name)}
    unknown = sorted(body.settings.keys() - declared.keys())
    if unknown:
        raise Invalid(f"{vendor.title} has no setting {unknown[0]!r}.")
    return {k: v for k, v in body.settings.items() if not (declared[k].secret and v == "")}


def _origin(url: str) -> str:
    try:
        return origin_of(url)
    except ValueError:
        raise AddressRefused(f"{url[:200]!r} is not a web address.") from None


async def _overview(call: Scoped, sync: Sync, connector: Connector) -> Overview:
    db, name = call.tower.db, connector.name
    missing = connector.missing_setting(call.tower.settings.get(connector.settings))
    known = await db.read(remote_store.connection, name)
    bound = await db.read(projection_store.bindings, name)
    state = await db.read(ledger_store.state, call.project_id, name)
    mine = await db.read(binding_store.bindable, name, call.project_id)
    held = await db.read(Rows(name, known.account).states) if known else []
    held_deletes = sum(s.held_deletes for s in held)
    error = state.last_error if state and state.status == "failed" else None
    return Overview(
        connector=name,
        title=connector.title,
        configured=missing is None,
        account=Account(known.account, known.name) if known else None,
        bound=bool(bound) and mine,
        status=state.status if state else "idle",
        breaker=sync.breaker(name).state,
        last_success_at=state.last_success_at if state else None,
        last_error=error,
        next_step=_next_step(connector, missing, error, held_deletes, mine=mine),
        quarantined=await db.read(ledger_store.open_rows, name),
        held_deletes=held_deletes,
    )


def _next_step(
    connector: Connector, missing: str | None, error: str | None, held: int, *, mine: bool
) -> str | None:
    if missing is not None:
        return f"{missing[0].upper()}{missing[1:]}."
    if not mine:
        return f"Choose what of {connector.title} belongs to this project."
    if held:
        return f"{held} rows vanished at {connector.title} at once. Confirm that they were deleted there."
    return _STEPS.get(error.partition(":")[0], "Try again.") if error else None


async def _loops_overview(call: Scoped) -> Overview:
    missing = LOOPS.missing_setting(call.tower.settings.get(LOOPS.settings))  # type: ignore[arg-type]
    pusher = await call.tower.part(Pusher)
    blocked = pusher.breaker.blocked
    return Overview(
        connector=LOOPS.name,
        title=LOOPS.title,
        configured=missing is None,
        account=None,
        bound=missing is None,
        status="failed" if blocked else "idle",
        breaker=pusher.breaker.state,
        last_success_at=None,
        last_error=str(blocked) if blocked else None,
        next_step=_STEPS[NeedsUser.code]
        if blocked
        else f"{missing[0].upper()}{missing[1:]}."
        if missing
        else None,
        quarantined=0,
        held_deletes=0,
    )
