"""The OpenAPI 3.1 document of a door, read off its endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec

from ctower_desktop import __version__
from ctower_desktop.accounts.model import IdempotencyKeyReuse
from ctower_desktop.kernel import errors
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER, Door, Endpoint, Reply, Text
from ctower_desktop.kernel.tower import Anyone, OwnerSession, Scoped
from ctower_desktop.web.dialects import DIALECTS, Dialect
from ctower_desktop.web.edge import RequestTimeout
from ctower_desktop.web.limits import RateLimitExceeded
from ctower_desktop.web.stream import SseLimit, event_name

_REF = "#/components/schemas/{name}"
_REQUEST_REF = "#/components/schemas/{name}Request"
_ALWAYS = (
    errors.Misdirected,
    errors.TooMany,
    errors.TowerError,
    errors.StorageFailure,
    errors.StorageFull,
    errors.StorageBusy,
    errors.StorageDamaged,
)
_HEADERS = {"x-request-id": {"$ref": "#/components/headers/RequestId"}}
_LENIENT = "Anything else counts as the default; a number out of bounds as the nearest bound."

Schema = dict[str, Any]


@TOWER.get("/openapi.json")
async def read_openapi(call: Anyone) -> Text:
    """This document."""
    content = await asyncio.to_thread(_encoded, len(ENDPOINTS))  # 50 ms the first time
    return Text(content, "application/json; charset=utf-8")


@lru_cache(maxsize=1)
def _encoded(_how_many: int) -> bytes:
    return msgspec.json.encode(document(TOWER))


def document(door: Door) -> Schema:
    """Everything a client must know to use a door."""
    endpoints = sorted((e for e in ENDPOINTS.values() if e.door is door), key=lambda e: (e.path, e.method))
    shapes = _Shapes(endpoints)
    paths: dict[str, Schema] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": door.title,
            "version": __version__,
            "description": "The local HTTP interface of ctower_desktop.",
        },
        "servers": [{"url": prefix or "/"} for prefix in door.prefixes],
        "tags": [{"name": room} for room in sorted({e.room for e in endpoints})],
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "responses": dict(sorted(shapes.responses.items())),
            "headers": {
                "RequestId": {
                    "description": "The id of this request, in every answer.",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
                }
            },
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "lp_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "x-csrf-token"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


class _Shapes:
    """The schemas of what endpoints answer, and of what they take: as leniently as it is read."""

    def __init__(self, endpoints: Iterable[Endpoint[..., Any]]) -> None:
        endpoints = list(endpoints)
        answers = [kind for e in endpoints for kind in _answers(e)]
        self._answers, components = _schemas(answers, _REF)
        requests = [kind for e in endpoints for kind in _taken(e)]
        self._requests, taken = _schemas(requests, _REQUEST_REF)
        for name, schema in taken.items():
            components[f"{name}Request"] = _leniently(schema)
        self.components = dict(sorted(components.items()))
        self.responses: dict[str, Schema] = {}

    def answer(self, kind: Any) -> Schema:
        return self._answers[_key(kind)]

    def request(self, kind: Any) -> Schema:
        return self._requests[_key(kind)]

    def refusal(self, status: int, kinds: list[type[errors.TowerError]], dialect: Dialect) -> Schema:
        """A reference to the description of these failures, which many endpoints share."""
        by_code = {kind.code: (kind.__doc__ or "").strip().partition("\n")[0] for kind in kinds}
        codes = sorted(by_code)
        name = f"{status}.{'.'.join(codes)}"
        self.responses[name] = {
            "description": " ".join(by_code[code] for code in codes),
            "headers": _HEADERS,
            "content": {"application/json": {"schema": dialect.describe_failure(codes)}},
        }
        return {"$ref": f"#/components/responses/{name}"}

    def properties(self, shape: type[msgspec.Struct]) -> tuple[dict[str, Schema], list[str]]:
        """The properties of a Struct that is taken, and which of them must be there."""
        found = self.components[self.request(shape)["$ref"].rsplit("/", 1)[1]]
        return found["properties"], found["required"]


def _schemas(kinds: list[Any], template: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    found, components = msgspec.json.schema_components(kinds, ref_template=template)
    return dict(zip(map(_key, kinds), found, strict=True)), components


def _key(kind: Any) -> str:
    return f"{getattr(kind, '__module__', '')}.{kind!r}"


def _taken(endpoint: Endpoint[..., Any]) -> list[Any]:
    return [
        kind for kind in (endpoint.query, endpoint.body, *endpoint.path_types.values()) if kind is not None
    ]


def _answers(endpoint: Endpoint[..., Any]) -> list[Any]:
    """The type of the payload, or those of the events of a stream; none for what is not JSON."""
    kind = endpoint.response
    if endpoint.stream:
        return list(get_args(kind)) if isinstance(kind, UnionType) else [kind]
    if get_origin(kind) is Reply:
        kind = get_args(kind)[0]
    return [] if kind is Text or _retired(endpoint) else [kind]


def _retired(endpoint: Endpoint[..., Any]) -> bool:
    """Whether it can only say that it is gone."""
    return bool(endpoint.raises) and all(issubclass(error, errors.Gone) for error in endpoint.raises)


def _leniently(schema: Any) -> Any:
    """A schema of a body as it is read: numbers and truth values may come as text."""
    if isinstance(schema, list):
        return [_leniently(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    if kind == "integer":
        return {"anyOf": [schema, {"type": "string", "pattern": r"^\s*[+-]?[0-9]+\s*$"}]}
    if kind == "number":
        pattern = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"
        return {"anyOf": [schema, {"type": "string", "pattern": pattern}]}
    if kind == "boolean":
        return {"anyOf": [schema, {"enum": [0, 1, "0", "1", "true", "false"]}]}
    return {name: value if name == "default" else _leniently(value) for name, value in schema.items()}


def _operation(endpoint: Endpoint[..., Any], shapes: _Shapes) -> Schema:
    first, _, rest = endpoint.about.partition("\n")
    found: Schema = {
        "operationId": endpoint.name,
        "tags": [endpoint.room],
        "summary": first,
        "x-caller": endpoint.caller.__name__.lower(),
        "security": _security(endpoint),
        "parameters": _parameters(endpoint, shapes),
        "responses": _responses(endpoint, shapes),
    }
    if rest.strip():
        found["description"] = rest.strip()
    if _retired(endpoint):
        found["deprecated"] = True
    if endpoint.body is not None:
        found["requestBody"] = _request_body(endpoint.body, shapes)
    return found


def _security(endpoint: Endpoint[..., Any]) -> list[dict[str, list[str]]]:
    if endpoint.caller is Anyone:
        return []
    session: dict[str, list[str]] = {"session": []}
    if endpoint.mutating and endpoint.csrf:
        session["csrf"] = []
    return [session] if issubclass(endpoint.caller, OwnerSession) else [session, {"key": []}]


def _parameters(endpoint: Endpoint[..., Any], shapes: _Shapes) -> list[Schema]:
    found: list[Schema] = [
        {"in": "path", "name": name, "required": True, "schema": shapes.request(kind)}
        for name, kind in endpoint.path_types.items()
    ]
    if endpoint.query is not None:
        properties, required = shapes.properties(endpoint.query)
        for name, schema in properties.items():
            lenient = {"anyOf": [schema, {"type": "string", "description": _LENIENT}]}
            accepted = lenient if endpoint.door.lenient_query else schema
            found.append({"in": "query", "name": name, "required": name in required, "schema": accepted})
    if endpoint.idempotent:
        about = {"type": "string", "minLength": 1, "maxLength": 256}
        found.append({"in": "header", "name": "x-idempotency-key", "required": False, "schema": about})
    return found


def _request_body(shape: type[msgspec.Struct], shapes: _Shapes) -> Schema:
    """A body that is not an object counts as an empty one, which is enough where nothing is required."""
    schema = shapes.request(shape)
    _, required = shapes.properties(shape)
    if not required:
        schema = {"anyOf": [schema, {"not": {"type": "object"}}]}
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _responses(endpoint: Endpoint[..., Any], shapes: _Shapes) -> Schema:
    dialect = DIALECTS[endpoint.door]
    found: Schema = {}
    if not _retired(endpoint):
        found[str(endpoint.status)] = _good(endpoint, shapes, dialect)
    by_status: dict[int, list[type[errors.TowerError]]] = {}
    for error in _refusals(endpoint):
        by_status.setdefault(endpoint.refused_with(error), []).append(error)
    for status, kinds in sorted(by_status.items()):
        found[str(status)] = shapes.refusal(status, kinds, dialect)
    return found


def _good(endpoint: Endpoint[..., Any], shapes: _Shapes, dialect: Dialect) -> Schema:
    kinds = _answers(endpoint)
    content: Schema = {"*/*": {}}
    if endpoint.stream:
        events = {event_name(kind): shapes.answer(kind) for kind in kinds}
        content = {"text/event-stream": {"schema": {"type": "string"}, "x-events": events}}
    elif kinds:
        content = {"application/json": {"schema": dialect.describe_success(shapes.answer(kinds[0]))}}
    return {"description": "Done.", "headers": _HEADERS, "content": content}


def _refusals(endpoint: Endpoint[..., Any]) -> list[type[errors.TowerError]]:
    """Every failure a client may meet, declared or brought by the door."""
    found: list[type[errors.TowerError]] = [*_ALWAYS, *endpoint.raises]
    if endpoint.path_types:
        found += [errors.Invalid, errors.InvalidUuid]
    if endpoint.query is not None and not endpoint.door.lenient_query:
        found.append(errors.Invalid)
    if endpoint.caller is not Anyone:
        found += [errors.Unauthenticated, errors.Forbidden]
    if issubclass(endpoint.caller, Scoped):
        found += [errors.ActiveProjectRequired, errors.ProjectAccessDenied]
    if endpoint.pace == "expensive":
        found.append(RateLimitExceeded)
    if endpoint.stream:
        found.append(SseLimit)
    if endpoint.mutating or endpoint.stream or endpoint.pace == "auth":
        found.append(errors.OriginNotAllowed)
    if endpoint.mutating:
        found += [errors.InvalidJson, errors.Invalid, RequestTimeout]
        found += [errors.PayloadTooLarge, errors.UnsupportedMediaType]
        if endpoint.csrf:
            found += [errors.CsrfInvalid, errors.ScopeInsufficient]
    if endpoint.idempotent:
        found += [errors.Invalid, IdempotencyKeyReuse]
    return found
