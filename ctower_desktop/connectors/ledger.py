"""When a failed sync is tried again, and when it is given up: the rules of the error ledger. Pure."""

from __future__ import annotations

import hashlib

CAP = 6 * 3_600.0


def delay(attempt: int, base: float) -> float:
    """Seconds until the next attempt: base·2^(attempt−1), six hours at most."""
    return min(base * 2.0 ** min(max(attempt, 1) - 1, 10), CAP)


def status_of(attempt: int, most: int) -> str:
    """What an error that failed for the `attempt`th time is."""
    if attempt >= most:
        return "dead_letter"
    return "retrying" if attempt > 1 else "pending"


def identity(connector: str, mode: str, operation: str, source_ref: str, kind: str) -> str:
    """The same error again is the same row."""
    said = f"{connector}:{mode}:{operation}:{source_ref}:{kind}"
    return hashlib.sha1(said.encode(), usedforsecurity=False).hexdigest()
