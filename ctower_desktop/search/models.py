"""Which embedding model answers now, and which one is being prepared to take over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search import vector_store
from ctower_desktop.search.embedder import (
    Embedder,
    ModelFolder,
    ModelUnavailable,
    chosen_folder,
    read_folder,
)
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.vector_store import Model


class Ready(NamedTuple):
    """A model together with the number its vectors are kept under."""

    embedder: Embedder
    model: Model


class Models:
    """The embedders of a tower: of the folder that is set, and of the one whose vectors still serve."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._open: dict[Path, Embedder] = {}
        self._known: tuple[Database, list[Model]] | None = None
        self._changing = asyncio.Lock()

    @classmethod
    async def start(cls, tower: Tower) -> Models:
        """Nothing is loaded before it is needed."""
        return cls(tower)

    async def stop(self) -> None:
        """Let go of every model."""
        for embedder in self._open.values():
            await embedder.stop()
        self._open.clear()

    async def wanted(self) -> Ready:
        """The model that is set, with a place for its vectors; raise ModelUnavailable.

        Another model that was being prepared is given up.
        """
        async with self._changing:
            settings = self._tower.settings.get(SearchSettings)
            embedder = await self._embedder(await asyncio.to_thread(chosen_folder, settings))
            known = await self._models()
            dimension = await embedder.dimension()
            for model in known:
                if (model.model_id, model.dimension) == (embedder.model_id, dimension):
                    await self._give_up([m for m in known if m.state == "building" and m.id != model.id])
                    return Ready(embedder, model)
            await self._give_up([m for m in known if m.state == "building"])
            config, folder = embedder.folder.config, str(embedder.folder.path)
            await self._tower.index.write(
                vector_store.add_model, embedder.model_id, dimension, config.languages, folder
            )
            self._known = None
            return Ready(embedder, (await self._models())[-1])

    async def serving(self) -> Ready | None:
        """The model whose vectors are searched now, or None before there is one; raise ModelUnavailable."""
        model = next((m for m in await self._models() if m.state == "serving"), None)
        if model is None:
            return None
        embedder = await self._embedder(await asyncio.to_thread(read_folder, Path(model.folder)))
        if embedder.model_id != model.model_id:
            raise ModelUnavailable("Another model is being prepared; until it is, search goes on by words.")
        return Ready(embedder, model)

    async def promote(self, model: Model) -> None:
        """Let a prepared model answer from now on; other models and their vectors are forgotten."""
        await self._tower.index.write(vector_store.serve, model.id)
        self._known = None
        for path in [path for path in self._open if str(path) != model.folder]:
            await self._open.pop(path).stop()

    async def _give_up(self, building: list[Model]) -> None:
        for model in building:
            await self._tower.index.write(vector_store.drop_model, model.id)
            self._known = None

    async def _models(self) -> list[Model]:
        """The models of this index, read once: nothing but this class changes them."""
        index = self._tower.index
        if self._known is None or self._known[0] is not index:
            self._known = (index, await index.read(vector_store.models))
        return self._known[1]

    async def _embedder(self, folder: ModelFolder) -> Embedder:
        held = self._open.get(folder.path)
        if held is not None and held.folder == folder:
            return held
        if held is not None:
            await held.stop()
        threads = self._tower.settings.get(SearchSettings).threads
        self._open[folder.path] = Embedder(folder, threads=threads)
        return self._open[folder.path]
