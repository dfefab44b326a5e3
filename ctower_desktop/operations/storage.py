"""How much is stored, in the files and in a project; remembered for a minute."""

from __future__ import annotations

from typing import Self

from ctower_desktop.kernel.tower import Tower
from ctower_desktop.operations import figures_store
from ctower_desktop.operations.model import Operations, Storage

_REMEMBERED = 60.0  # seconds
_TABLES = {"cw_contacts": "contact", "cw_conversations": "conversation", "cw_messages": "message"}


class StorageMeter:
    """Walks through the pages of the files when asked, at most once a minute."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._storage: dict[str, tuple[float, Storage]] = {}

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Ready to measure."""
        return cls(tower)

    async def stop(self) -> None:
        """Nothing runs in between."""

    async def of(self, project_id: str) -> Storage:
        """The storage a project's people see; it may be a minute old."""
        now = self._tower.clock.monotonic()
        known = self._storage.get(project_id)
        if known is None or now - known[0] >= _REMEMBERED:
            known = self._storage[project_id] = now, await self._measured(project_id)
        return known[1]

    async def _measured(self, project_id: str) -> Storage:
        tower = self._tower
        used = await tower.db.size() + await tower.index.size()
        budget = round(tower.settings.get(Operations).storage_budget_gb * 2**30)
        pages = await tower.db.read(figures_store.table_bytes, tuple(_TABLES.values()))
        table_bytes = {shown: pages[name] for shown, name in _TABLES.items()}
        table_bytes["rag_chunks"] = await tower.index.read(figures_store.chunk_table_bytes)
        text = await tower.db.read(figures_store.text_bytes, project_id)
        text += await tower.index.read(figures_store.chunk_text_bytes, project_id)
        return Storage(
            database_bytes=used,
            scoped_logical_bytes=text,
            budget_bytes=budget,
            usage_percent=round(100 * used / budget, 2),
            table_bytes=table_bytes,
        )
