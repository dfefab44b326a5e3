"""Where documents are made: one at a time, on a thread of its own, so that all else goes on."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Self

from ctower_desktop.crm.offers.content import Source
from ctower_desktop.crm.offers.document import Rendered, rendered
from ctower_desktop.kernel.tower import Tower


class Press:
    """Makes documents."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="offers")

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Nothing is loaded before the first document."""
        return cls()

    async def stop(self) -> None:
        """Finish what is being made, drop what waits."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def make(self, source: Source, made: datetime) -> Rendered:
        """The document of an offer."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, rendered, source, made)
