"""How often somebody may fail to sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from ctower_desktop.accounts.model import LoginRateLimited
from ctower_desktop.kernel.tower import Tower

_MOST_KEYS = 50_000


class LoginAttempts:
    """Failed sign-ins by address and user name, in windows that begin with the first failure."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._windows: dict[str, tuple[float, int]] = {}  # when it ends, how many

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Nobody has failed yet."""
        return cls(tower.clock.monotonic)

    async def stop(self) -> None:
        """Nothing to end."""

    def take(self, key: str, most: int, seconds: float) -> None:
        """Count an attempt as failed until `forget`; raise LoginRateLimited when there were too many.

        Counting before the password is checked keeps many attempts at once from passing together.
        """
        now = self._now()
        ends, count = self._windows.get(key, (0.0, 0))
        if ends <= now:
            self._sweep(now)
            ends, count = now + seconds, 0
        if count >= most:
            raise LoginRateLimited(retry_after=ends - now)
        self._windows[key] = (ends, count + 1)

    def forget(self, key: str) -> None:
        """Somebody signed in: their failures no longer count."""
        self._windows.pop(key, None)

    def _sweep(self, now: float) -> None:
        if len(self._windows) < _MOST_KEYS:
            return
        self._windows = {key: found for key, found in self._windows.items() if found[0] > now}
        while len(self._windows) >= _MOST_KEYS:
            del self._windows[next(iter(self._windows))]
