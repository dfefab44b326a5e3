"""What other rooms do once the vendors were read; they ask for it here, for reading knows nothing of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ctower_desktop.connectors.answers import SyncedOne
from ctower_desktop.kernel.tower import Scoped

Follow = Callable[[Scoped, frozenset[str]], Awaitable[None]]

FOLLOWERS: list[Follow] = []


def after_sync(follow: Follow) -> Follow:
    """Call `follow` after every sync of all connectors, with what changed in the project: `contacts`, …"""
    FOLLOWERS.append(follow)
    return follow


def touched(results: list[SyncedOne]) -> frozenset[str]:
    """The kinds of rows that a sync changed in the project."""
    return frozenset(
        name.partition("_")[2]
        for one in results
        for name, count in (one.result or {}).items()
        if name.startswith(("touched_", "processed_")) and count
    )


async def follow(call: Scoped, results: list[SyncedOne]) -> None:
    """Let the other rooms do what they do after a sync."""
    changed = touched(results)
    for each in FOLLOWERS:
        await each(call, changed)
