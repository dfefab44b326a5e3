"""Overviews kept in memory until a table they were made from changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple, Self, TypeVar

from ctower_desktop.kernel.tower import Tower

T = TypeVar("T")

_MOST = 64  # overviews kept; the one that was not asked for longest goes first


class _Kept(NamedTuple):
    value: Any
    tables: frozenset[str]
    until: float  # on the monotonic counter: figures such as "the last seven days" age without a change


class Cache:
    """What was made is handed out again as long as nothing it was made from has changed.

    Keys hold everything an answer depends on. An answer that was being made while one of its tables
    changed is given to the one who asked, but not kept.
    """

    def __init__(self, tower: Tower) -> None:
        self._tower, self._most = tower, _MOST
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._versions: dict[str, int] = {}  # how often each table has changed
        metrics = tower.metrics
        self._hits = metrics.counter("app_cache_hits", "Overviews handed out from memory")
        self._misses = metrics.counter("app_cache_misses", "Overviews that had to be made")
        self._sets = metrics.counter("app_cache_sets", "Overviews kept in memory")
        self._dropped = metrics.counter(
            "app_cache_invalidations", "Overviews dropped because something changed"
        )
        metrics.gauge("app_cache_enabled", "Whether overviews are kept in memory").set(1)
        tower.db.changed.append(self._on_change)
        tower.settings.changed.append(self._on_setting)

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Begin to keep."""
        return cls(tower)

    async def stop(self) -> None:
        """Keep nothing any more."""
        self._tower.db.changed.remove(self._on_change)
        self._tower.settings.changed.remove(self._on_setting)
        self._kept.clear()

    async def get(
        self,
        key: Hashable,
        tables: frozenset[str],
        seconds: float,
        make: Callable[[], Awaitable[T]],
        *,
        prepare: Callable[[], Awaitable[object]] | None = None,
    ) -> T:
        """What is kept under `key`, or what `make` makes of `tables`, kept for at most `seconds`.

        `prepare` runs before something is made; what it writes itself does not make the answer stale.
        """
        now, kept = self._tower.clock.monotonic(), self._kept.get(key)
        if kept is not None and now < kept.until:
            self._kept.move_to_end(key)
            self._hits.inc()
            found: T = kept.value
            return found
        self._misses.inc()
        if prepare is not None:
            await prepare()
        before = self._state(tables)
        made = await make()
        if self._state(tables) == before:
            self._kept[key] = _Kept(made, tables, now + seconds)
            self._kept.move_to_end(key)
            self._sets.inc()
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._kept)

    def _state(self, tables: frozenset[str]) -> int:
        return sum(self._versions.get(table, 0) for table in tables)

    def _on_change(self, tables: frozenset[str]) -> None:
        for table in tables:
            self._versions[table] = self._versions.get(table, 0) + 1
        self._drop([key for key, kept in self._kept.items() if kept.tables & tables])

    def _on_setting(self, page: str) -> None:
        self._versions[_SETTINGS] = self._versions.get(_SETTINGS, 0) + 1
        self._drop([key for key, kept in self._kept.items() if _SETTINGS in kept.tables])

    def _drop(self, keys: list[Hashable]) -> None:
        for key in keys:
            del self._kept[key]
        self._dropped.inc(len(keys))


_SETTINGS = "settings"  # stands among the tables for every answer that a setting may change
