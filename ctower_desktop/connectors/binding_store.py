"""Which part of an account feeds which project, in SQL."""

from __future__ import annotations

import apsw
import msgspec

from ctower_desktop.connectors import remote_store
from ctower_desktop.connectors.contract import Connector, Unit
from ctower_desktop.connectors.intake_store import mark_due
from ctower_desktop.connectors.projection_store import bindings, understood_row
from ctower_desktop.connectors.remote_store import Rows
from ctower_desktop.kernel.sql import Command, Query
from ctower_desktop.kernel.tower import ProjectRef


class BoundUnit(msgspec.Struct, frozen=True):
    """A part of a vendor's account that feeds the project."""

    connector: str
    unit_kind: str
    unit_id: str
    created_at: str


_OF_PROJECT = Query(
    BoundUnit,
    """
    SELECT connector, unit_kind, unit_id, created_at FROM source_binding
    WHERE project_id = :project_id ORDER BY connector, id
    """,
)
_ADD = Command("""
    INSERT OR IGNORE INTO source_binding (connector, unit_kind, unit_id, project_id, account_scope_id,
    created_at)
    VALUES (:connector, :kind, :id, :project_id, :account_scope_id, :at)
""")
_CLEAR = Command("DELETE FROM source_binding WHERE connector = :connector AND project_id = :project_id")


def of_project(db: apsw.Connection, project_id: str) -> list[BoundUnit]:
    """What feeds a project."""
    return _OF_PROJECT.all(db, project_id=project_id)


def bound_projects(db: apsw.Connection, connector: str) -> dict[str, str]:
    """The projects a connector feeds, with their account scopes."""
    return {b.project_id: b.account_scope_id for b in bindings(db, connector)}


def replace(db: apsw.Connection, project: ProjectRef, connector: str, units: list[Unit], at: str) -> None:
    """Bind a project to exactly these units; its rows are derived again after that."""
    _CLEAR.run(db, connector=connector, project_id=project.id)
    for unit in units:
        _ADD.run(
            db, connector=connector, kind=unit.kind, id=unit.id, project_id=project.id,
            account_scope_id=project.account_scope_id, at=at,
        )  # fmt: skip
    mark_due(db, connector, [project.id])


def bindable(db: apsw.Connection, connector: str, project_id: str) -> bool:
    """Whether a project is bound, or is the first that asks a connection nobody has read yet."""
    found = bindings(db, connector)
    known = remote_store.connection(db, connector)
    if found or (known is not None and known.pulled_at is not None):
        return any(b.project_id == project_id for b in found)
    return True


def bind_first(db: apsw.Connection, project: ProjectRef, connector: Connector, account: str, at: str) -> None:
    """Bind the whole account to the project that asks first; later ones must be bound by somebody."""
    if not bindings(db, connector.name):
        replace(db, project, connector.name, [Unit(connector.account_unit, account, "")], at)


def units(db: apsw.Connection, connector: Connector) -> list[Unit]:
    """What can be bound, from the rows that are here: the account first."""
    known = remote_store.connection(db, connector.name)
    if known is None:
        return []
    found = [Unit(connector.account_unit, known.account, known.name)]
    rows = Rows(connector.name, known.account)
    for kind, stream in connector.unit_streams.items():
        own = [
            Unit(kind, row.external_id, connector.unit_name(understood_row(connector, row)))
            for row in rows.all(db, stream)
        ]
        found += sorted(own, key=lambda unit: unit.name.casefold())
    return found
