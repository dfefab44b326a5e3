"""The envelopes: how each door wraps what an action answers and how it says that something failed."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from ctower_desktop.kernel.endpoint import (
    AGENTS,
    DASHBOARD,
    GRAPH,
    TOWER,
    Cookie,
    Door,
    Endpoint,
    Reply,
    Text,
)
from ctower_desktop.kernel.errors import InvalidJson, TowerError

_encode = msgspec.json.Encoder().encode

Schema = dict[str, Any]


_TEXT: Schema = {"type": "string"}
_ISSUE: Schema = {  # described here, because a room may well call something of its own an issue
    "type": "object",
    "required": ["path", "message", "code"],
    "properties": {"path": _TEXT, "message": _TEXT, "code": _TEXT},
}
_ISSUES: Schema = {"type": "array", "items": _ISSUE}

JSON = "application/json; charset=utf-8"


class Rendered(msgspec.Struct, frozen=True):
    """An answer ready to be sent."""

    status: int
    body: bytes
    media_type: str = JSON
    cookies: tuple[Cookie, ...] = ()


class Dialect(Protocol):
    """One door's way to wrap answers."""

    def success(self, payload: Any, request_id: str) -> bytes:
        """The body of an answer."""

    def failure(self, error: TowerError, request_id: str) -> bytes:
        """The body of a refusal."""

    def describe_success(self, payload: Schema) -> Schema:
        """The JSON Schema of an answer whose payload is described by `payload`."""

    def describe_failure(self, codes: list[str]) -> Schema:
        """The JSON Schema of a refusal with one of `codes`."""


class Spread:
    """The Control Tower's envelope: `ok` and `request_id` beside the payload's own keys."""

    def success(self, payload: Any, request_id: str) -> bytes:
        inner = _encode(payload)[1:-1]
        return (
            b'{"ok":true,' + inner + (b"," if inner else b"") + b'"request_id":' + _encode(request_id) + b"}"
        )

    def failure(self, error: TowerError, request_id: str) -> bytes:
        body: dict[str, Any] = {"ok": False, "error": error.code, "message": str(error), **error.also}
        if error.issues:
            body["details"] = error.issues
        return _encode({**body, "request_id": request_id})

    def describe_success(self, payload: Schema) -> Schema:
        return {"allOf": [payload, _object(ok={"const": True}, request_id=_TEXT)]}

    def describe_failure(self, codes: list[str]) -> Schema:
        found = _object(ok={"const": False}, error={"enum": codes}, message=_TEXT, request_id=_TEXT)
        found["properties"]["details"] = _ISSUES
        return found


class Flat:
    """The knowledge graph's envelope: the bare payload, or `code`, `message` and `details`."""

    def success(self, payload: Any, request_id: str) -> bytes:
        return _encode(payload)

    def failure(self, error: TowerError, request_id: str) -> bytes:
        """The refusal stands under `detail` once more, where other clients of such services look for it."""
        problem = _problem(error, request_id)
        problem["code"] = _flat_code(type(error))
        problem["details"].update(error.also)
        return _encode({**problem, "detail": problem})

    def describe_success(self, payload: Schema) -> Schema:
        return payload

    def describe_failure(self, codes: list[str]) -> Schema:
        return _described_problem(sorted({_FLAT_CODES.get(code, code.upper()) for code in codes}))


_FLAT_CODES = {InvalidJson.code: "VALIDATION_ERROR"}


def _flat_code(kind: type[TowerError]) -> str:
    return _FLAT_CODES.get(kind.code, kind.code.upper())


class Nested:
    """The agents' envelope: the bare payload, or the failure under `error`."""

    def success(self, payload: Any, request_id: str) -> bytes:
        return _encode(payload)

    def failure(self, error: TowerError, request_id: str) -> bytes:
        return _encode({"error": _problem(error, request_id)})

    def describe_success(self, payload: Schema) -> Schema:
        return payload

    def describe_failure(self, codes: list[str]) -> Schema:
        return _object(error=_described_problem(codes))


def _problem(error: TowerError, request_id: str) -> dict[str, Any]:
    details: dict[str, Any] = {"request_id": request_id}
    if error.issues:
        details["issues"] = error.issues
    return {"code": error.code, "message": str(error), "details": details}


def _described_problem(codes: list[str]) -> Schema:
    details = _object(request_id=_TEXT)
    details["properties"]["issues"] = _ISSUES
    return _object(code={"enum": codes}, message=_TEXT, details=details)


def _object(**properties: Schema) -> Schema:
    """An object that has all these properties."""
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


DIALECTS: dict[Door, Dialect] = {TOWER: Spread(), GRAPH: Flat(), AGENTS: Nested(), DASHBOARD: Nested()}


def rendered(endpoint: Endpoint[..., Any], result: Any, dialect: Dialect, request_id: str) -> Rendered:
    """What an action answered, in a door's envelope; a text goes out as it is."""
    status = endpoint.status
    cookies: tuple[Cookie, ...] = ()
    if isinstance(result, Reply):
        status, cookies, result = result.status or status, result.cookies, result.payload
    if isinstance(result, Text):
        return Rendered(status, result.content, result.media_type, cookies)
    return Rendered(status, dialect.success(result, request_id), JSON, cookies)
