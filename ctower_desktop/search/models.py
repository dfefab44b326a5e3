"""Which embedding model answers now, and which one is being prepared to take over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search import ability, vector_store
from ctower_desktop.search.embedder import Embedder
from ctower_desktop.search.embedding_model import Measured
from ctower_desktop.search.model_folder import ModelFolder, ModelUnavailable, chosen_folder, read_folder
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.vector_store import Model

Stamp = tuple[int, int]


class Ready(NamedTuple):
    """A model together with the number its vectors are kept under."""

    embedder: Embedder
    model: Model


class Models:
    """The embedders of a tower: of the folder that is set, and of the one whose vectors still serve."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._open: dict[Path, tuple[Stamp, Embedder]] = {}
        self._digests: dict[tuple[ModelFolder, Stamp], str] = {}
        self._known: tuple[Database, list[Model]] | None = None
        self._changing = asyncio.Lock()

    @classmethod
    async def start(cls, tower: Tower) -> Models:
        """Nothing is loaded before it is needed."""
        return cls(tower)

    async def stop(self) -> None:
        """Let go of every model."""
        for _, embedder in self._open.values():
            await embedder.stop()
        self._open.clear()

    async def wanted(self) -> Ready:
        """The model that is set, measured, with a place for its vectors; raise ModelUnavailable.

        Another model that was being prepared is given up.
        """
        async with self._changing:
            settings = self._tower.settings.get(SearchSettings)
            folder = await asyncio.to_thread(chosen_folder, settings)
            embedder = await self._embedder(folder)
            known = await self._models()
            measured = await self._measured(embedder, folder, known)
            embedder.settle(measured)
            dimension = await embedder.dimension()
            for model in known:
                if (model.model_id, model.dimension, _digest_of(model)) == (
                    embedder.model_id,
                    dimension,
                    measured.digest,
                ):
                    await self._give_up([m for m in known if m.state == "building" and m.id != model.id])
                    return Ready(embedder, await self._remeasured(model, measured))
            await self._give_up([m for m in known if m.state == "building"])
            await self._tower.index.write(
                vector_store.add_model,
                embedder.model_id,
                dimension,
                measured.ability.known,
                str(folder.path),
                measured=measured,
            )
            self._known = None
            return Ready(embedder, (await self._models())[-1])

    async def serving(self) -> Ready | None:
        """The model whose vectors are searched now, or None before there is one; raise ModelUnavailable."""
        model = next((m for m in await self._models() if m.state == "serving"), None)
        if model is None:
            return None
        folder = await asyncio.to_thread(read_folder, Path(model.folder))
        embedder = await self._embedder(folder)
        if model.measured is not None and await self._digest(folder) == _digest_of(model):
            embedder.settle(model.measured)
            if embedder.model_id == model.model_id:
                return Ready(embedder, model)
        raise ModelUnavailable("Another model is being prepared; until it is, search goes on by words.")

    async def all(self) -> list[Model]:
        """The models with vectors, the oldest first."""
        return await self._models()

    async def promote(self, model: Model) -> None:
        """Let a prepared model answer from now on; other models and their vectors are forgotten."""
        await self._tower.index.write(vector_store.serve, model.id)
        self._known = None
        for path in [path for path in self._open if str(path) != model.folder]:
            await self._open.pop(path)[1].stop()

    async def _remeasured(self, model: Model, measured: Measured) -> Model:
        if model.measured == measured:
            return model
        await self._tower.index.write(vector_store.remeasure, model.id, measured)
        self._known = None
        return next(m for m in await self._models() if m.id == model.id)

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
        stamp = await asyncio.to_thread(folder.stamp)
        held = self._open.get(folder.path)
        if held is not None and (held[0], held[1].folder.config) == (stamp, folder.config):
            return held[1]
        made = Embedder(folder, threads=self._tower.settings.get(SearchSettings).threads)
        self._open[folder.path] = (stamp, made)
        if held is not None:
            await held[1].stop()
        return made

    async def _measured(self, embedder: Embedder, folder: ModelFolder, known: list[Model]) -> Measured:
        """What the model can do: as kept with it or with its vectors, else measured now."""
        digest = await self._digest(folder)
        for kept in (folder.measured, *(model.measured for model in known)):
            if kept is not None and await ability.fits(kept, digest):
                return kept
        return await ability.measure(embedder, digest)

    async def _digest(self, folder: ModelFolder) -> str:
        """The digest of a model's files, read again only when they changed."""
        key = (folder, await asyncio.to_thread(folder.stamp))
        found = self._digests.get(key)
        if found is None:
            found = self._digests[key] = await asyncio.to_thread(folder.digest)
        return found


def _digest_of(model: Model) -> str | None:
    return None if model.measured is None else model.measured.digest
