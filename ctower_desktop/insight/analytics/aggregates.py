"""Keeping the figures of days in step with what changed."""

from __future__ import annotations

from collections.abc import Sequence

from ctower_desktop.insight.analytics import aggregate_store
from ctower_desktop.kernel.tower import Tower


async def caught_up(tower: Tower, project_ids: Sequence[str], *, steps: int | None = None) -> bool:
    """Count anew whatever changed in these projects, in short transactions; return whether all is counted.

    `steps` is how many transactions a project may take at most. Costs one look-up a project when nothing
    changed.
    """
    complete = True
    for project_id, scope_id in await tower.db.read(aggregate_store.waiting, list(project_ids)):
        left = steps
        while await tower.db.write(aggregate_store.catch_up, project_id, scope_id):
            left = None if left is None else left - 1
            if left == 0:
                complete = False
                break
    return complete
