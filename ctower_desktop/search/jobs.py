"""What search does by itself."""

from __future__ import annotations

from ctower_desktop.kernel.jobs import job
from ctower_desktop.kernel.tower import Desktop
from ctower_desktop.search.actions import embed_project
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.model import EmbeddingsResult


@job("embeddings_run", every=1_200)
async def embed_what_waits(call: Desktop) -> EmbeddingsResult:
    """Index what is new in a project and give it vectors; forget vectors of texts that are gone."""
    result = await embed_project(call)
    await (await call.tower.part(Indexer)).sweep()
    return result
