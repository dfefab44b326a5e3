"""How often somebody may fail to sign in."""

from __future__ import annotations

from typing import Self

from ctower_desktop.accounts.model import LoginRateLimited
from ctower_desktop.accounts.windows import Windows
from ctower_desktop.kernel.tower import Tower


class LoginAttempts:
    """Failed sign-ins by address and user name, in windows that begin with the first failure."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Nobody has failed yet."""
        return cls(Windows(tower.clock.monotonic))

    async def stop(self) -> None:
        """Nothing to end."""

    def take(self, key: str, most: int, seconds: float) -> None:
        """Count an attempt as failed until `forget`; raise LoginRateLimited when there were too many.

        Counting before the password is checked keeps many attempts at once from passing together.
        """
        taken = self._windows.take(key, most, seconds)
        if not taken.allowed:
            raise LoginRateLimited(retry_after=taken.ends_in)

    def forget(self, key: str) -> None:
        """Somebody signed in: their failures no longer count."""
        self._windows.forget(key)
