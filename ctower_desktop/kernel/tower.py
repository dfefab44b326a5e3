"""The running tower, and who is asking it: what every action is handed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, Self, TypeVar

import msgspec

from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.errors import ActiveProjectRequired
from ctower_desktop.kernel.events import Events
from ctower_desktop.kernel.http import Http
from ctower_desktop.kernel.metrics import Metrics
from ctower_desktop.kernel.settings import Settings
from ctower_desktop.kernel.system import Clock, Home

Role = Literal["owner", "pm", "delivery_lead", "executor", "viewer"]
ROLES: tuple[Role, ...] = (
    "viewer",
    "executor",
    "delivery_lead",
    "pm",
    "owner",
)  # each may what the ones before may


class Part(Protocol):
    """Something a room keeps running on the tower, such as a loaded model."""

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Make it; called once, when first asked for."""

    async def stop(self) -> None:
        """End it; called when the tower closes."""


PartType = TypeVar("PartType", bound=Part)
AuditWriter = Callable[["Caller", "AuditLine"], Awaitable[None]]


@dataclass(slots=True)
class Tower:
    """What runs: infrastructure, no room. `db` is ctower.db, `index` the rebuildable index.db."""

    home: Home
    clock: Clock
    settings: Settings
    db: Database
    index: Database
    http: Http
    events: Events
    metrics: Metrics
    audit: AuditWriter
    _parts: dict[type[Any], asyncio.Future[Any]] = field(default_factory=dict)
    _running: list[Part] = field(default_factory=list)  # in the order in which they were ready

    async def part(self, kind: type[PartType]) -> PartType:
        """The one running `kind` of this tower, started when first asked for."""
        found = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = asyncio.ensure_future(self._start(kind))
        try:
            return await asyncio.shield(found)
        except BaseException:
            failed = found.done() and (found.cancelled() or found.exception() is not None)
            if failed and self._parts.get(kind) is found:  # the next who asks tries again
                del self._parts[kind]
            raise

    async def _start(self, kind: type[PartType]) -> PartType:
        part = await kind.start(self)
        self._running.append(part)
        return part

    async def stop_parts(self) -> None:
        """End what rooms keep running, what was ready last first; a failing stop holds up no other."""
        starting = [future for future in self._parts.values() if not future.done()]
        for future in starting:
            future.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        self._parts.clear()
        async with AsyncExitStack() as stack:
            for part in self._running:
                stack.push_async_callback(part.stop)
            self._running.clear()


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who is signed in, and how: a browser session, an API key, the desktop, or a scheduled job."""

    username: str
    role: Role
    kind: Literal["session", "api_key", "desktop", "job"]
    user_id: str | None = None
    session_id: str | None = None
    csrf_token: str | None = None
    key_id: str | None = None
    scopes: tuple[str, ...] = ("read", "write", "admin")
    project_id: str | None = None  # a session's active project, or the one an API key is bound to
    sees_all_projects: bool = False  # owners and keys of owners; others see what they are assigned to


class ProjectRef(msgspec.Struct, frozen=True):
    """The project a call is about."""

    id: str
    name: str
    account_scope_id: str


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call comes from: its request id and, over HTTP, address and name of the client and hints."""

    request_id: str
    address: str = ""
    agent: str = ""
    accept: str = ""  # media types that the client takes
    project_hints: tuple[str, ...] = ()


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit trail, as an action describes itself."""

    action: str
    entity_type: str = ""
    entity_id: str = ""
    status: str = "ok"
    payload: dict[str, Any] = {}
    evidence_refs: list[Any] = []


@dataclass(slots=True)
class Noted:
    """What an action says of itself for the audit trail while it runs."""

    entity_type: str = ""
    entity_id: str = ""
    status: str = "ok"
    payload: dict[str, Any] = field(default_factory=dict)
    evidence_refs: list[Any] = field(default_factory=list)
    project: ProjectRef | None = None
    unbound: bool = False  # what was done belongs to no project: the line is for owners only

    def about(
        self,
        entity_type: str,
        entity_id: str,
        /,
        *,
        status: str = "ok",
        evidence_refs: list[Any] | None = None,
        **payload: Any,
    ) -> None:
        """Say which thing was acted upon, how it ended, and what is worth keeping."""
        self.entity_type, self.entity_id, self.status = entity_type, entity_id, status
        self.payload.update(payload)
        self.evidence_refs.extend(evidence_refs or ())


@dataclass(frozen=True, slots=True)
class Anyone:
    """A call, by somebody signed in (`who`) or nobody. An action's first parameter says who may call it."""

    tower: Tower
    asking: Asking
    who: Who | None = None
    project: ProjectRef | None = None
    noted: Noted = field(default_factory=Noted)

    def afresh(self) -> Self:
        """The same call with nothing noted yet."""
        return replace(self, noted=Noted())


@dataclass(frozen=True, slots=True)
class Caller(Anyone):
    """A call by someone who is signed in; a project may or may not be selected."""

    @property
    def user(self) -> Who:
        assert self.who is not None, "a Caller is always somebody"
        return self.who


@dataclass(frozen=True, slots=True)
class Scoped(Caller):
    """A call by someone who is signed in, about one project that they may see."""

    @property
    def project_ref(self) -> ProjectRef:
        if self.project is None:
            raise ActiveProjectRequired
        return self.project

    @property
    def project_id(self) -> str:
        return self.project_ref.id

    @property
    def account_scope_id(self) -> str:
        return self.project_ref.account_scope_id


@dataclass(frozen=True, slots=True)
class Owner(Caller):
    """A call by an owner."""


@dataclass(frozen=True, slots=True)
class OwnerSession(Owner):
    """A call by an owner who signed in personally, not with an API key."""


@dataclass(frozen=True, slots=True)
class OwnerScoped(Owner, Scoped):
    """A call by an owner about one project."""


@dataclass(frozen=True, slots=True)
class Desktop(OwnerSession, OwnerScoped):
    """A call of the person at the screen or of the program itself: every right, in a project if given."""


def desktop(tower: Tower, request_id: str, project: ProjectRef | None = None) -> Desktop:
    """A call of the person at the screen."""
    who = Who(username="desktop", role="owner", kind="desktop", sees_all_projects=True)
    return Desktop(tower, Asking(request_id=request_id), who, project)


def by_job(tower: Tower, request_id: str, project: ProjectRef) -> Desktop:
    """A call of the scheduler for one project."""
    who = Who(username="scheduler", role="owner", kind="job", sees_all_projects=True)
    return Desktop(tower, Asking(request_id=request_id), who, project)


def outranks(role: Role, needed: Role) -> bool:
    """Whether `role` may do what `needed` may."""
    return ROLES.index(role) >= ROLES.index(needed)
