"""Endpoints, declared once: the signature is the contract.

    @TOWER.get("/projects/{project_id}", raises=(ProjectNotFound,))
    async def read_project(call: Caller, project_id: ProjectId) -> ProjectAnswer:
        "One project."

The first parameter says who may call. Path fields are the parameters named in the path; `query` and `body`
are Structs; the return annotation is the response. From that come the HTTP route, the OpenAPI operation, the
argument checks, `ctower call`, the metric label, the audit line and the tests over ENDPOINTS. A stream is an
async generator of Structs: each is one server-sent event, named by its class attribute `event`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, ParamSpec, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from ctower_desktop.kernel import check, errors
from ctower_desktop.kernel.tower import Anyone, AuditLine, Caller, Role

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Pace = Literal["normal", "auth", "expensive"]

_FIELD = re.compile(r"{(\w+)}")
_MISSHAPEN = (errors.Invalid, errors.InvalidJson)


class Text(msgspec.Struct, frozen=True):
    """An answer that is not JSON: metrics, a document, a picture."""

    content: bytes
    media_type: str


class Cookie(msgspec.Struct, frozen=True):
    """A cookie to set, or to clear when `value` is None."""

    name: str
    value: str | None
    http_only: bool = True


class Reply(msgspec.Struct, Generic[T], frozen=True):
    """A payload together with what only HTTP can carry: another status, or cookies."""

    payload: T
    status: int | None = None
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True)
class Endpoint(Generic[P, R]):
    """A use case: call it in-process with types, or over HTTP at its path."""

    door: Door
    method: Method
    path: str
    caller: type[Anyone]
    handler: Callable[P, R]
    path_types: dict[str, Any]
    query: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None
    response: Any
    stream: bool
    status: int
    raises: tuple[type[errors.TowerError], ...]
    pace: Pace
    audit: str | None
    idempotent: bool
    role: Role
    csrf: bool
    misshapen: int

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.audit is None:
            return self.handler(*args, **kwargs)
        return cast(R, self._audited(self.audit, *args, **kwargs))

    async def _audited(self, action: str, *args: Any, **kwargs: Any) -> Any:
        call: Caller = args[0].afresh()
        handler = cast(Callable[..., Awaitable[Any]], self.handler)
        try:
            result = await handler(call, *args[1:], **kwargs)
        except errors.TowerError as error:
            if error.status >= 500:
                call.noted.status = "failed"
                call.noted.payload["error"] = error.code
                await call.tower.audit(call, _line(action, call))
            raise
        await call.tower.audit(call, _line(action, call))
        return result

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def room(self) -> str:
        return self.handler.__module__.split(".")[-2]

    @property
    def about(self) -> str:
        return inspect.getdoc(self.handler) or ""

    def refused_with(self, error: errors.TowerError | type[errors.TowerError]) -> int:
        """The status of a refusal: a door has its own for what does not have the declared shape."""
        kind = error if isinstance(error, type) else type(error)
        return self.misshapen if kind in _MISSHAPEN else error.status

    @property
    def lists(self) -> frozenset[str]:
        """Query parameters that may be repeated."""
        declared = () if self.query is None else msgspec.structs.fields(self.query)
        return frozenset(field.encode_name for field in declared if _is_list(field.type))

    @property
    def mutating(self) -> bool:
        """Whether a call needs the CSRF token or a key that may write."""
        return self.method != "GET"

    def arguments(self, path: Mapping[str, str], query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Check and convert what came over the wire; raise Invalid or one of its kin."""
        found = {name: check.path_value(path[name], kind, name) for name, kind in self.path_types.items()}
        if self.query is not None:
            read = check.check_leniently if self.door.lenient_query else check.check
            found["query"] = read(query, self.query)
        if self.body is not None:
            found["body"] = check.check(check.decoded(body), self.body)
        elif body:
            check.decoded(body)  # what nobody reads must still be JSON
        return found


def _is_list(kind: Any) -> bool:
    return any(get_origin(part) is list for part in (kind, *get_args(kind)))


def _line(action: str, call: Caller) -> AuditLine:
    noted = call.noted
    return AuditLine(
        action=action,
        entity_type=noted.entity_type,
        entity_id=noted.entity_id,
        status=noted.status,
        payload=noted.payload,
        evidence_refs=noted.evidence_refs,
    )


ENDPOINTS: dict[str, Endpoint[..., Any]] = {}


@dataclass(frozen=True, slots=True)
class Door:
    """A family of endpoints with one listener and one dialect (web/dialects.py)."""

    name: str
    title: str
    default_port: int
    prefixes: tuple[str, ...] = ("",)
    lenient_query: bool = True
    misshapen: int = 400  # the status of what does not have the declared shape
    largest_body: int = 64 * 1024

    def get(
        self,
        path: str,
        *,
        raises: tuple[type[errors.TowerError], ...] = (),
        pace: Pace = "normal",
    ) -> Callable[[Callable[P, Awaitable[T]]], Endpoint[P, Awaitable[T]]]:
        """Declare a reading endpoint."""
        return lambda handler: _declare(self, "GET", path, handler, raises=raises, pace=pace, role="viewer")

    def post(
        self,
        path: str,
        *,
        raises: tuple[type[errors.TowerError], ...] = (),
        status: int = 200,
        pace: Pace = "normal",
        audit: str | None = None,
        idempotent: bool = False,
        role: Role = "delivery_lead",
        csrf: bool = True,
        misshapen: int | None = None,
    ) -> Callable[[Callable[P, Awaitable[T]]], Endpoint[P, Awaitable[T]]]:
        """Declare an acting endpoint; `role` is the least role that may call it."""
        return lambda handler: _declare(
            self,
            "POST",
            path,
            handler,
            raises=raises,
            status=status,
            pace=pace,
            audit=audit,
            idempotent=idempotent,
            role=role,
            csrf=csrf,
            misshapen=misshapen,
        )

    def stream(
        self, path: str, *, raises: tuple[type[errors.TowerError], ...] = (), method: Method = "GET"
    ) -> Callable[[Callable[P, AsyncIterator[T]]], Endpoint[P, AsyncIterator[T]]]:
        """Declare a stream of server-sent events; whoever may look may open it."""
        return lambda handler: _declare(
            self, method, path, handler, raises=raises, stream=True, role="viewer"
        )


def _declare(
    door: Door,
    method: Method,
    path: str,
    handler: Callable[P, R],
    *,
    raises: tuple[type[errors.TowerError], ...],
    role: Role,
    status: int = 200,
    pace: Pace = "normal",
    audit: str | None = None,
    idempotent: bool = False,
    csrf: bool = True,
    misshapen: int | None = None,
    stream: bool = False,
) -> Endpoint[P, R]:
    hints = get_type_hints(handler, include_extras=True)
    response, fields = hints.pop("return"), _FIELD.findall(path)
    caller = hints.pop(next(iter(inspect.signature(handler).parameters)))
    unknown = hints.keys() - {"query", "body", *fields}
    if unknown or not set(fields) <= hints.keys() or not issubclass(caller, Anyone):
        raise TypeError(f"{handler.__qualname__}: parameters do not fit {path}: {unknown or fields}")
    if stream:
        response = get_args(response)[0]
    found = Endpoint(
        door=door,
        method=method,
        path=path,
        caller=caller,
        handler=handler,
        path_types={name: hints[name] for name in fields},
        query=hints.get("query"),
        body=hints.get("body"),
        response=response,
        stream=stream,
        status=status,
        raises=raises,
        pace=pace,
        audit=audit,
        idempotent=idempotent,
        role=role,
        csrf=csrf,
        misshapen=misshapen or door.misshapen,
    )
    if ENDPOINTS.setdefault(f"{door.name}.{found.name}", found) is not found:
        raise TypeError(f"two endpoints of {door.name} are named {found.name}")
    return found


TOWER = Door("tower", "Control Tower", 8080, prefixes=("", "/v1", "/api"))
GRAPH = Door("graph", "Knowledge graph", 8000, lenient_query=False, misshapen=422, largest_body=8 << 20)
AGENTS = Door("agents", "Agent sessions", 8420, lenient_query=False)
DASHBOARD = Door("dashboard", "Agent dashboard", 0, lenient_query=False)
