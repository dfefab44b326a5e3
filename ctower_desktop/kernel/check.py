"""From what a client sent to a typed value, or to every reason why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, TypeVar

import msgspec
from msgspec import inspect as shapes

from ctower_desktop.kernel.errors import Invalid, InvalidJson, InvalidUuid, Issue

S = TypeVar("S", bound=msgspec.Struct)

_PATH = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d+")
_LARGEST = 2**63 - 1  # what SQLite can hold
_DEEPEST = 64  # levels of a body; everything that walks through it may recurse
_CODES = (  # the first that is found in msgspec's sentence
    ("missing required field", "invalid_type"),
    ("unknown field", "unrecognized_keys"),
    ("Invalid enum value", "invalid_value"),
    ("matching regex", "invalid_format"),
    ("Invalid", "invalid_format"),
    ("length >=", "too_small"),
    (">", "too_small"),
    ("length <=", "too_big"),
    ("<", "too_big"),
    ("", "invalid_type"),
)


def check(given: object, shape: type[S]) -> S:
    """`given` as a `shape`; raise Invalid with one issue for every field that does not fit.

    Strings are trimmed unless the field says `Meta(extra={"verbatim": True})`; numbers and booleans
    may come as text. What is not an object counts as an empty one; unknown fields are ignored
    unless the shape forbids them.
    """
    verbatim = _verbatim(shape)
    data = (
        {k: v if k in verbatim else _trimmed(v) for k, v in given.items()}
        if isinstance(given, Mapping)
        else {}
    )
    try:
        found = msgspec.convert(data, shape, strict=False)
    except (msgspec.ValidationError, OverflowError) as error:
        raise Invalid(issues=tuple(_issues(data, shape)) or (_issue("", error),)) from None
    if beyond := tuple(_beyond(found)):
        raise Invalid(issues=beyond)
    return found


def check_leniently(given: Mapping[str, str], shape: type[S]) -> S:
    """Query parameters as a `shape`, never refusing.

    Numbers are clamped to their bounds, garbage becomes the default.
    """
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        raw = given.get(field.encode_name)
        if raw is None:
            continue
        kind = _int_type(field.type)
        if kind is not None:
            match = _INTEGER.match(raw.strip())
            if match is None:
                continue
            found[field.encode_name] = _clamped(int(match[0][:20]), kind)
            continue
        try:
            # a filter that no stored text can equal stays a filter: it finds nothing, not everything
            value = msgspec.convert(raw.strip().replace("\x00", "\ufffd"), field.type, strict=False)
        except msgspec.ValidationError:
            continue
        if not any(_beyond(value)):
            found[field.encode_name] = value
    return msgspec.convert(found, shape, strict=False)


def decoded(body: bytes) -> object:
    """The JSON value in `body`; an empty body is an empty object; raise InvalidJson."""
    if not body:
        return {}
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJson(f"The body is not valid JSON: {error}.") from None
    if _deeper(found, _DEEPEST):
        raise InvalidJson(f"The body is nested more than {_DEEPEST} levels deep.")
    return found


def _deeper(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels + 1):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return False
    return True


def path_value(raw: str, kind: Any, name: str = "path") -> Any:
    """The path parameter `name`; a malformed UUID is InvalidUuid, anything else that does not fit Invalid."""
    if _is_uuid(kind) and not is_uuid(raw):  # a pattern's `$` would let a line break pass
        issue = Issue(name, f"{raw[:80]!r} is not a UUID.", "invalid_format")
        raise InvalidUuid(issues=(issue,))
    try:
        found = msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(issues=(_issue(name, error),)) from None
    if beyond := tuple(_beyond(found)):
        raise Invalid(issues=tuple(msgspec.structs.replace(issue, path=name) for issue in beyond))
    return found


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID of the accepted versions, in any case."""
    return _UUID.fullmatch(text) is not None


def _is_uuid(kind: Any) -> bool:
    found = shapes.type_info(kind)
    if isinstance(found, shapes.Metadata):
        found = found.type
    return isinstance(found, shapes.StrType) and found.pattern is not None and "[89ab" in found.pattern


@lru_cache(maxsize=512)
def _verbatim(shape: type[msgspec.Struct]) -> frozenset[str]:
    info = shapes.type_info(shape)
    if not isinstance(info, shapes.StructType):
        return frozenset()
    return frozenset(
        field.encode_name
        for field in info.fields
        if isinstance(field.type, shapes.Metadata) and (field.type.extra or {}).get("verbatim")
    )


def _int_type(kind: Any) -> shapes.IntType | None:
    found = shapes.type_info(kind)
    if isinstance(found, shapes.Metadata):
        found = found.type
    if isinstance(found, shapes.UnionType):
        found = next((t for t in found.types if isinstance(t, shapes.IntType)), found)
    return found if isinstance(found, shapes.IntType) else None


def _beyond(value: object) -> Iterator[Issue]:
    """What in `value` no database column and no JSON document can hold: numbers, and text with NUL in it."""
    waiting: list[tuple[str, object]] = [
        ("", value)
    ]  # not recursive: what is nested deeply comes from outside
    while waiting:
        path, found = waiting.pop()
        if isinstance(found, str):
            if "\0" in found:  # SQLite's length() and many programs take it for the end
                yield Issue(path, "Text must not contain NUL.", "invalid_format")
            continue
        if isinstance(found, bool):
            continue
        if isinstance(found, int) and not -_LARGEST <= found <= _LARGEST:
            yield Issue(path, "The number is out of range.", "too_big" if found > 0 else "too_small")
        elif isinstance(found, float) and not isfinite(found):
            yield Issue(path, "Expected a finite number.", "invalid_type")
        elif isinstance(found, msgspec.Struct):
            names = zip(found.__struct_encode_fields__, found.__struct_fields__, strict=True)
            waiting.extend((_joined(path, shown), getattr(found, name)) for shown, name in names)
        elif isinstance(found, Mapping):
            waiting.extend((_joined(path, key), inner) for key, inner in found.items())
        elif isinstance(found, list | tuple):
            waiting.extend((_joined(path, place), inner) for place, inner in enumerate(found))


def _joined(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _clamped(value: int, kind: shapes.IntType) -> int:
    low = kind.ge if kind.ge is not None else -_LARGEST
    high = kind.le if kind.le is not None else _LARGEST
    return max(low, min(high, value))


def _issues(given: Mapping[str, Any], shape: type[msgspec.Struct]) -> list[Issue]:
    found: list[Issue] = []
    for field in msgspec.structs.fields(shape):
        if field.encode_name not in given:
            if field.required:
                found.append(Issue(field.encode_name, "Required.", "too_small"))
            continue
        try:
            msgspec.convert(given[field.encode_name], field.type, strict=False)
        except (msgspec.ValidationError, OverflowError) as error:
            found.append(_issue(field.encode_name, error))
    return found


def _issue(name: str, error: Exception) -> Issue:
    text = str(error)
    inside = (m[1] if (m := _PATH.search(text)) else "").replace("[", ".").replace("]", "").removeprefix(".")
    sentence = _PATH.sub("", text)
    return Issue(
        ".".join(filter(None, (name, inside))), sentence, next(c for s, c in _CODES if s in sentence)
    )


def _trimmed(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    return value
