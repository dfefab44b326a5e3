"""From a request's path to the endpoint behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ctower_desktop.kernel.endpoint import Door, Endpoint

UNKNOWN = "__unknown__"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a path: the endpoint for the method, if any, and all endpoints by method."""

    path: str  # without the door's prefix, as the client wrote it
    endpoint: Endpoint[..., Any] | None = None
    values: dict[str, str] = field(default_factory=dict)
    methods: dict[str, Endpoint[..., Any]] = field(default_factory=dict)

    @property
    def route(self) -> str:
        """The path as it is meant: however the client spelt it, the same place has the same name."""
        return " ".join((self.label, *(f"{name}={value}" for name, value in self.values.items())))

    @property
    def label(self) -> str:
        """The route as metrics name it."""
        return next(iter(self.methods.values())).path if self.methods else UNKNOWN


class Routes:
    """The endpoints of a door by path; where a fixed segment and a parameter both fit, the fixed one wins."""

    def __init__(self, door: Door, endpoints: Iterable[Endpoint[..., Any]]) -> None:
        self._prefixes = tuple(prefix for prefix in door.prefixes if prefix)
        self._by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Endpoint[..., Any]]]]] = {}
        patterns: dict[tuple[str, ...], dict[str, Endpoint[..., Any]]] = {}
        for endpoint in endpoints:
            patterns.setdefault(tuple(endpoint.path.split("/")[1:]), {})[endpoint.method] = endpoint
        for pattern in sorted(patterns, key=lambda p: [part.startswith("{") for part in p]):
            self._by_length.setdefault(len(pattern), []).append((pattern, patterns[pattern]))

    def find(self, method: str, raw_path: str) -> Found:
        """The endpoint for a path as it came over the wire; HEAD asks what GET would answer."""
        path = self._bare(raw_path)
        segments = path.split("/")[1:]
        wanted = "GET" if method == "HEAD" else method
        others: dict[str, Endpoint[..., Any]] = {}
        for pattern, methods in self._by_length.get(len(segments), ()):
            values = _values(pattern, segments)
            if values is None:
                continue
            endpoint = methods.get(wanted)
            if endpoint is not None and not (method == "HEAD" and endpoint.stream):
                return Found(path, endpoint, values, methods)
            others = {**methods, **others}
        return Found(path, methods=others)

    def _bare(self, raw_path: str) -> str:
        for prefix in self._prefixes:
            if raw_path.startswith(prefix + "/"):
                return raw_path[len(prefix) :]
        return raw_path


def _values(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    """The parameters in `segments`, decoded one by one, or None when they do not fit."""
    found: dict[str, str] = {}
    for wanted, given in zip(pattern, segments, strict=True):
        if not wanted.startswith("{"):
            if unquote(given) != wanted:
                return None
        elif not given:
            return None
        else:
            found[wanted[1:-1]] = unquote(given)
    return found
