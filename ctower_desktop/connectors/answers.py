"""The shapes of what the connectors are asked and what they answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.connectors.binding_store import BoundUnit
from ctower_desktop.connectors.completeness import Metric
from ctower_desktop.connectors.contract import Account, Unit
from ctower_desktop.connectors.loops import Push
from ctower_desktop.connectors.model import ConnectorError, Quarantined, SyncState
from ctower_desktop.connectors.reconciliation import Reconciliation
from ctower_desktop.connectors.reconciliation_store import ConnectorPoint, Difference, Point
from ctower_desktop.connectors.syncing import EventLog, Synced

Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
    ),
]
ErrorId = Annotated[int, Meta(ge=1, le=2**63 - 1, description="The number of an error")]


class States(msgspec.Struct, frozen=True):
    """Connectors that ran in this project, by name."""

    connectors: list[SyncState]


class ListErrors(msgspec.Struct, frozen=True, kw_only=True):
    """Which errors: of a status, of a connector."""

    status: str = ""
    connector: str = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class ListDeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """How many errors that were given up."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 50


class Errors(msgspec.Struct, frozen=True):
    """Errors, the last touched first."""

    errors: list[ConnectorError]


class Revived(msgspec.Struct, frozen=True):
    """An error that gets another chance."""

    error: ConnectorError


class RetryErrors(msgspec.Struct, frozen=True, kw_only=True):
    """How many due errors to retry at most."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 20


class Retried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one error."""

    id: str
    connector: str
    status: Literal["resolved", "failed"]
    result: dict[str, Any] = {}
    error: str = ""


class RetrySummary(msgspec.Struct, frozen=True):
    """What became of the errors that were due."""

    due: int
    succeeded: int
    failed: int
    retried: list[Retried]


class RetryAnswer(msgspec.Struct, frozen=True):
    """The retry's result."""

    result: RetrySummary


class ReadReconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """How many days of the trend, and how many points of single connectors."""

    days: Annotated[int, Meta(ge=1, le=365)] = 14
    limit: Annotated[int, Meta(ge=20, le=3_000)] = 500


class Trends(msgspec.Struct, frozen=True):
    """Completeness now and over the days."""

    latest: list[Metric]
    trend: list[Point]
    by_connector: list[ConnectorPoint]


class Differences(msgspec.Struct, frozen=True):
    """Completeness now beside the measurement before."""

    diff: list[Difference]


class ReconciliationAnswer(msgspec.Struct, frozen=True):
    """The measurements just made."""

    result: Reconciliation


class SyncedOne(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One connector of a sync of all."""

    connector: str
    status: Literal["ok", "failed"]
    mode: str = ""
    result: dict[str, Any] = {}
    event_log: EventLog | None = None
    resolved_errors: int = -1
    error: str = ""


class SyncedAll(msgspec.Struct, frozen=True):
    """All connectors of the project."""

    total: int
    ok: int
    failed: int
    results: list[SyncedOne]
    reconciliation: Reconciliation | None


class SyncAllAnswer(msgspec.Struct, frozen=True):
    """The result of a sync of all."""

    result: SyncedAll


class SyncAnswer(msgspec.Struct, frozen=True):
    """The result of one connector."""

    result: Synced


class JobAnswer(msgspec.Struct, frozen=True):
    """The result of one connector, as the jobs' endpoints give it."""

    result: dict[str, Any]


class UnitRef(msgspec.Struct, frozen=True):
    """A part of an account, by kind and id."""

    kind: Annotated[str, Meta(min_length=1, max_length=40)]
    id: Annotated[str, Meta(min_length=1, max_length=200)]


class ListBindings(msgspec.Struct, frozen=True, kw_only=True):
    """Of which connector."""

    connector: str = ""


class Bindings(msgspec.Struct, frozen=True):
    """What feeds the project."""

    bindings: list[BoundUnit]


class SetBindings(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly these units shall feed the project; none means that the connector feeds it no more."""

    connector: Annotated[str, Meta(min_length=1, max_length=40)]
    units: Annotated[list[UnitRef], Meta(max_length=500)]


class Units(msgspec.Struct, frozen=True):
    """What can be bound: the whole account first."""

    units: list[Unit]


class TryConnection(msgspec.Struct, frozen=True, kw_only=True):
    """Settings to try or to keep, by name; what is left out stays as it is."""

    settings: Annotated[dict[str, str | int | bool], Meta(max_length=20)] = {}


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Whether it works; if not, what is wrong and what to do."""

    works: bool
    code: str
    message: str
    account: Account | None = None


class Disconnect(msgspec.Struct, frozen=True, kw_only=True):
    """Whether everything that came from the vendor is dropped as well."""

    forget: bool = False


class Disconnected(msgspec.Struct, frozen=True):
    """The credentials are gone."""

    connector: str
    forgotten: bool


class ListQuarantine(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of which connector, and how many."""

    connector: str = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class Quarantine(msgspec.Struct, frozen=True):
    """Rows that could not be understood, the last seen first."""

    rows: list[Quarantined]


class RetryQuarantine(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of which connector."""

    connector: Annotated[str, Meta(min_length=1, max_length=40)]


class Released(msgspec.Struct, frozen=True):
    """How many rows were tried again, and how many are understood now."""

    tried: int
    understood: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """One connection as its card shows it.

    `breaker` is closed, open, half_open, or blocked until somebody acts; `next_step` says what to do.
    """

    connector: str
    title: str
    configured: bool
    account: Account | None
    bound: bool
    status: Literal["idle", "running", "ok", "partial", "failed"]
    breaker: str
    last_success_at: str | None
    last_error: str | None
    next_step: str | None
    quarantined: int
    held_deletes: int


class Overviews(msgspec.Struct, frozen=True):
    """All connections."""

    connections: list[Overview]


class PushContacts(msgspec.Struct, frozen=True, kw_only=True):
    """People of which projects; none named means all of the account scope."""

    project_ids: Annotated[list[Uuid], Meta(max_length=500)] = []


class PushAnswer(msgspec.Struct, frozen=True):
    """What the push did."""

    loops: Push
