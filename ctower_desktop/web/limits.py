"""How often one address, session or API key may call."""

from __future__ import annotations

from collections.abc import Callable

from ctower_desktop.accounts.windows import Taken, Windows
from ctower_desktop.kernel.errors import TooMany
from ctower_desktop.kernel.tower import Who

_WINDOW = 60.0  # seconds
SIGNING_IN = 30
ANONYMOUS = 60
IDENTIFIED = 200
EXPENSIVE = 10


class RateLimitExceeded(TooMany):
    """This is expensive work; wait before you ask for more of it."""

    code = "rate_limit_exceeded"


class Limits:
    """The rules of one door. The rule by address is for requests that turn out to be nobody's."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._windows = Windows(now)

    def signing_in(self, address: str) -> None:
        """One more request about signing in."""
        self._spend(("auth", address), SIGNING_IN)

    def anonymous(self, address: str) -> None:
        """One more request without a valid session or key."""
        self._spend(("address", address), ANONYMOUS)

    def identified(self, who: Who) -> None:
        """One more request of somebody we know."""
        if who.kind == "api_key":
            self._spend(("key", who.key_id), IDENTIFIED)
        elif who.kind == "session":
            self._spend(("session", who.session_id), IDENTIFIED)

    def graph(self, who: Who, most: int) -> Taken:
        """One more request to the knowledge graph; none is left when it is refused."""
        return self._windows.take(("graph", who.key_id or who.session_id), most, _WINDOW)

    def expensive(self, address: str, path: str) -> Taken:
        """One more request for expensive work; raise RateLimitExceeded."""
        taken = self._windows.take(("expensive", address, path), EXPENSIVE, _WINDOW)
        if not taken.allowed:
            raise RateLimitExceeded(retry_after=taken.ends_in)
        return taken

    def _spend(self, key: tuple[str, str | None], most: int) -> None:
        taken = self._windows.take(key, most, _WINDOW)
        if not taken.allowed:
            raise TooMany(retry_after=taken.ends_in)
