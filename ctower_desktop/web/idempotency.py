"""Requests that may be sent twice: the first answer is kept for a day and given again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from weakref import WeakValueDictionary

from ctower_desktop.accounts import store
from ctower_desktop.accounts.model import IdempotencyKeyReuse, Remembered
from ctower_desktop.kernel.errors import Invalid, Issue
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import ProjectRef, Tower
from ctower_desktop.web.dialects import Rendered

HEADER = "x-idempotency-key"
_LONGEST_KEY = 256
_KEPT = timedelta(hours=24)


class Replays:
    """Answers by project and key. Two requests with one key at the same time wait for each other."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._running: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def once(
        self, key: str, project: ProjectRef, route: str, body: bytes, run: Callable[[], Awaitable[Rendered]]
    ) -> Rendered:
        """The answer kept under `key`, or that of `run`, kept from now on when it is a good one.

        Raise IdempotencyKeyReuse when the key belongs to another route or body.
        """
        if not 1 <= len(key) <= _LONGEST_KEY:
            raise Invalid(issues=(Issue(HEADER, "Must have 1 to 256 characters.", "too_big"),))
        lock = self._running.setdefault((project.id, key), asyncio.Lock())
        async with lock:
            db, now = self._tower.db, self._tower.clock.now()
            body_hash = hashlib.sha256(body).hexdigest()
            kept = await db.read(store.remembered, project.id, key, as_text(now))
            if kept is not None:
                if (kept.route, kept.body_hash) != (route, body_hash):
                    raise IdempotencyKeyReuse
                return Rendered(kept.status, kept.response)
            answer = await run()
            if 200 <= answer.status < 300:
                await db.write_durably(
                    store.remember,
                    project,
                    key,
                    Remembered(route, body_hash, answer.status, answer.body),
                    at=as_text(now),
                    expires_at=as_text(now + _KEPT),
                )
            return answer
