"""How much a project has of everything, and what it takes; the slow part is remembered for a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ctower_desktop.kernel.tower import Tower
from ctower_desktop.operations import figures_store
from ctower_desktop.operations.model import ChunkCounts, EntityCounts, Operations, Storage

_REMEMBERED = 60.0  # seconds
_TABLES = {"cw_contacts": "contact", "cw_conversations": "conversation", "cw_messages": "message"}


@dataclass(frozen=True, slots=True)
class Counted:
    """The figures of one project."""

    chunks: ChunkCounts
    entities: EntityCounts
    storage: Storage


class Figures:
    """Counts rows when asked; walks through the pages of the files at most once a minute."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._storage: dict[str, tuple[float, Storage]] = {}

    @classmethod
    async def start(cls, tower: Tower) -> Self:
        """Ready to count."""
        return cls(tower)

    async def stop(self) -> None:
        """Nothing runs in between."""

    async def of(self, project_id: str) -> Counted:
        """The figures of a project; the storage may be a minute old."""
        tower = self._tower
        chunks = await tower.index.read(figures_store.chunk_counts, project_id)
        every = chunks.pending + chunks.processing + chunks.ready + chunks.failed
        entities = await tower.db.read(figures_store.counts, project_id, every)
        return Counted(chunks, entities, await self._stored(project_id))

    async def _stored(self, project_id: str) -> Storage:
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
