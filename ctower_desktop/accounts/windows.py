"""Counting in fixed windows of time: how often something happened since the window opened."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

_MOST_KEYS = 50_000


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether one more was allowed, how many are left, and in how many seconds the window ends."""

    allowed: bool
    left: int
    ends_in: float


class Windows:
    """Counters by key. A window opens with the first count and closes by itself; `now` only goes forward."""

    def __init__(self, now: Callable[[], float], most_keys: int = _MOST_KEYS) -> None:
        self._now, self._most_keys = now, most_keys
        self._open: dict[Hashable, tuple[float, int]] = {}  # when it ends, how many so far

    def take(self, key: Hashable, most: int, seconds: float) -> Taken:
        """Count one more under `key`, unless `most` were counted already."""
        now = self._now()
        ends, count = self._open.get(key, (now, 0))
        if ends <= now:
            self._open.pop(key, None)
            self._make_room(now)
            ends, count = now + seconds, 0
        if count >= most:
            return Taken(allowed=False, left=0, ends_in=ends - now)
        self._open[key] = (ends, count + 1)
        return Taken(allowed=True, left=most - count - 1, ends_in=ends - now)

    def forget(self, key: Hashable) -> None:
        """Count from nothing again."""
        self._open.pop(key, None)

    def __len__(self) -> int:
        return len(self._open)

    def _make_room(self, now: float) -> None:
        if len(self._open) < self._most_keys:
            return
        self._open = {key: found for key, found in self._open.items() if found[0] > now}
        while len(self._open) >= self._most_keys:
            del self._open[next(iter(self._open))]
