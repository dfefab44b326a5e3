"""Rows that pass a filter the reading itself does not know, in pages like any others."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

Read = Callable[[int, int], Coroutine[Any, Any, list[Any]]]  # offset and limit


class Sieve:
    """Called with offset and limit as a reader is; the first page begins anew.

    `most` is how many rows the reader gives at a time.
    """

    def __init__(self, read: Read, passes: Callable[[Any], bool], most: int) -> None:
        self._read, self._passes, self._most = read, passes, most
        self._kept: list[Any] = []
        self._next, self._end = 0, False

    async def __call__(self, offset: int, limit: int) -> list[Any]:
        """The rows from `offset` on among those that pass."""
        if offset == 0:
            self._kept, self._next, self._end = [], 0, False
        while not self._end and len(self._kept) < offset + limit:
            kept, place = self._kept, self._next
            found = await self._read(place, self._most)
            if kept is not self._kept or place != self._next:
                continue  # somebody began anew, or read this piece meanwhile
            self._next += len(found)
            self._end = len(found) < self._most
            kept += [row for row in found if self._passes(row)]
        return self._kept[offset : offset + limit]
