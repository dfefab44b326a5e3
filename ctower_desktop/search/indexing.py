"""Keeping the index in step with ctower.db: words at once, vectors behind; a kill loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

import sqlite_vec

from ctower_desktop.kernel.database import Database
from ctower_desktop.kernel.errors import StorageDamaged, StorageFailure
from ctower_desktop.kernel.events import IndexProblem, IndexProgress
from ctower_desktop.kernel.system import PACKAGE
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search import chunk_store, intake_store, vector_store, words
from ctower_desktop.search.chunk_store import NewChunk
from ctower_desktop.search.chunking import chunks, embeddable, text_hash
from ctower_desktop.search.embedder import EmbeddingFailed, ModelUnavailable
from ctower_desktop.search.intake_store import Queued, SourceText
from ctower_desktop.search.model import EmbeddingsResult, SourceType
from ctower_desktop.search.models import Models, Ready
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.terms import terms_of
from ctower_desktop.search.vector_store import Model, Waiting

log = logging.getLogger(__name__)

_TEXTS_A_STEP = 200
_CHUNKS_A_STEP = 32
_PAUSE = 60.0  # seconds before trying again what the environment did not allow
_RUN_LIMIT = 540.0  # seconds one asked-for run may take; what is left goes on in the background

Prepared = list[tuple[SourceType, str, list[NewChunk]]]


class Indexer:
    """Works off the queue of changed texts, then gives chunks their vectors; sleeps when all is done."""

    def __init__(self, tower: Tower, models: Models) -> None:
        self._tower, self._models = tower, models
        self._wake = asyncio.Event()
        self._step = asyncio.Lock()  # the background and an asked-for run take turns
        self._prepared_for: Database | None = None
        self._task: asyncio.Task[None] | None = None
        self.problem: str | None = None  # why vectors are not being made, in words
        self.in_work: dict[str, int] = {}  # chunks of each project that are with the model now
        self.version = 0  # grows with every change of the index

    @classmethod
    async def start(cls, tower: Tower) -> Indexer:
        """Begin to work in the background."""
        indexer = cls(tower, await tower.part(Models))
        tower.db.changed.append(indexer._on_change)
        tower.settings.changed.append(indexer._on_settings)
        indexer._task = asyncio.create_task(indexer._work(), name="indexer")
        return indexer

    async def stop(self) -> None:
        """Finish the running step and stop."""
        self._tower.db.changed.remove(self._on_change)
        self._tower.settings.changed.remove(self._on_settings)
        async with self._step:
            if self._task is not None:
                self._task.cancel()
        if self._task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def run(self, project_id: str) -> EmbeddingsResult:
        """Index everything of one project that waits; raise ModelUnavailable when it cannot have vectors."""
        while await self.index_words(project_id):
            pass
        ready = await self._models.wanted()
        await self._tower.index.write(chunk_store.retry_failed, project_id, ready.model.id)
        deadline = self._tower.clock.monotonic() + _RUN_LIMIT
        done = failed = tokens = 0
        while self._tower.clock.monotonic() < deadline:
            made = await self.embed_some(project_id)
            if made is None:
                break
            done, failed, tokens = done + made[0], failed + made[1], tokens + made[2]
        if not done and not failed:
            return EmbeddingsResult(0, 0, "idle")
        return EmbeddingsResult(
            done, failed, "partial" if failed else "ok", model=ready.embedder.model_id, total_tokens=tokens
        )

    async def index_words(self, project_id: str | None = None) -> int:
        """Make the oldest changed texts findable by their words; return how many lines that took."""
        async with self._step:
            await self._prepare()
            tower = self._tower
            lines, texts = await tower.db.read(intake_store.waiting, _TEXTS_A_STEP, project_id)
            if not lines:
                return 0
            settings = tower.settings.get(SearchSettings)
            made = await asyncio.to_thread(prepared, lines, texts, settings)
            seq = max(line.seq for line in lines)
            await tower.index.write(chunk_store.replace_sources, made, seq)
            await tower.db.write(intake_store.done, lines)
            self.version += 1
            return len(lines)

    async def embed_some(self, project_id: str | None = None) -> tuple[int, int, int] | None:
        """Give some chunks their vectors: how many done, failed, and their tokens; None when none waits."""
        async with self._step:
            ready = await self._models.wanted()
            number = ready.model.id
            index = self._tower.index
            waiting = await index.read(vector_store.waiting, number, _CHUNKS_A_STEP, project_id)
            if not waiting:
                if project_id is None and ready.model.state == "building":
                    await self._models.promote(ready.model)
                return None
            for chunk in waiting:
                self.in_work[chunk.project_id] = self.in_work.get(chunk.project_id, 0) + 1
            try:
                return await self._embed(ready, waiting)
            finally:
                self.in_work.clear()
                self.version += 1

    async def _embed(self, ready: Ready, waiting: list[Waiting]) -> tuple[int, int, int]:
        fresh = {chunk.text_hash: chunk.text for chunk in waiting if not chunk.cached}
        index, number = self._tower.index, ready.model.id
        if not fresh:
            return (await index.write(vector_store.keep, number, waiting, None, []), 0, 0)
        try:
            made, tokens = await ready.embedder.embed_passages(list(fresh.values()))
        except EmbeddingFailed:
            return await self._embed_one_by_one(ready, waiting)
        return (await index.write(vector_store.keep, number, waiting, made, list(fresh)), 0, tokens)

    async def _embed_one_by_one(self, ready: Ready, waiting: list[Waiting]) -> tuple[int, int, int]:
        """One bad text must not keep the others from having a vector."""
        index, done, failed, tokens = self._tower.index, 0, 0, 0
        for chunk in waiting:
            try:
                made, spent = await ready.embedder.embed_passages([chunk.text])
            except EmbeddingFailed as error:
                await index.write(vector_store.note_failure, chunk, str(error))
                failed += 1
            else:
                done += await index.write(vector_store.keep, ready.model.id, [chunk], made, [chunk.text_hash])
                tokens += spent
        return done, failed, tokens

    async def _prepare(self) -> None:
        """Queue every text when the index is new, cut otherwise, or ahead of a restored ctower.db."""
        tower = self._tower
        if self._prepared_for is tower.index:
            return
        settings = tower.settings.get(SearchSettings)
        state = await tower.index.read(chunk_store.state)
        cut_so = (state.chunk_size, state.min_embed) == (settings.chunk_size, settings.min_embed_chars)
        newest = await tower.db.read(intake_store.newest)
        if not state.filled or not cut_so or state.queue_seq > newest:
            log.info("every text is indexed anew")
            known = await tower.index.read(chunk_store.sources)
            newest = await tower.db.write(intake_store.fill, known, tower.clock.text())
            await tower.index.write(chunk_store.begin, newest, settings.chunk_size, settings.min_embed_chars)
        self._prepared_for = tower.index

    async def newest_model(self) -> Model | None:
        """The model that chunks are given vectors of; None before the first."""
        known = await self._tower.index.read(vector_store.models)
        return known[-1] if known else None

    async def sweep(self) -> int:
        """Forget exact vectors of texts that are gone; return how many."""
        model = await self.newest_model()
        if model is None:
            return 0
        async with self._step:
            return await self._tower.index.write(vector_store.sweep, model.id)

    async def repair(self, error: StorageDamaged) -> None:
        """Make a damaged index anew, once for everybody who found it damaged."""
        damaged = self._tower.index
        async with self._step:
            if self._tower.index is damaged:
                log.warning("the search index is damaged and is made anew: %s", error)
                await rebuild(self._tower)
        self._wake.set()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause = await self._work_until_done()
            except Exception as error:  # a bug in one text must not end all indexing
                log.exception("indexing stumbled; it is tried again")
                self._meet(f"{type(error).__name__}: {error}")
                pause = _PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    async def _work_until_done(self) -> float | None:
        """Work while there is work; return after how many seconds to look again (None: on a change)."""
        try:
            while await self.index_words():
                await self._tell()
            while await self.embed_some() is not None:
                self._meet(None)
                await self._tell()
                while await self.index_words():
                    pass
        except ModelUnavailable as error:
            self._meet(str(error))
            return _PAUSE
        except StorageDamaged as error:
            await self.repair(error)
            return 0.0
        except StorageFailure as error:
            self._meet(str(error))
            log.warning("indexing waits: %s", error)
            return _PAUSE
        self._meet(None)
        return None

    def _meet(self, problem: str | None) -> None:
        """Remember why vectors are not being made, and tell when that is news."""
        if problem != self.problem:
            self.problem = problem
            at = self._tower.clock.text()
            self._tower.events.publish(IndexProblem(project_id=None, problem=problem, at=at))

    async def _tell(self) -> None:
        tower = self._tower
        queued = await tower.db.read(intake_store.queued, None)
        total = await tower.index.read(chunk_store.embeddable)
        known = await tower.index.read(vector_store.models)
        left = await tower.index.read(vector_store.left, known[-1].id) if known else total
        tower.events.publish(
            IndexProgress(project_id=None, done=total - left, total=total + queued, at=tower.clock.text())
        )

    def _on_change(self, tables: frozenset[str]) -> None:
        if "index_queue" in tables:
            self._wake.set()

    def _on_settings(self, page: str) -> None:
        if page == "search":
            self._wake.set()


async def rebuild(tower: Tower) -> None:
    """Throw the index away and begin a new, empty one; the indexer fills it again."""
    await tower.index.close()
    await asyncio.to_thread(tower.home.drop_index)
    tower.index = await Database.open(
        tower.home.index, PACKAGE / "migrations" / "index", extensions=(sqlite_vec.loadable_path(),)
    )


def prepared(
    lines: Iterable[Queued],
    texts: Mapping[SourceType, Mapping[str, SourceText]],
    settings: SearchSettings,
) -> Prepared:
    """The chunks of every text in the queue; none for a text that is gone."""
    made: Prepared = []
    for line in lines:
        text = texts.get(line.source_type, {}).get(line.source_pk)
        found = [] if text is None else chunks_of(line.source_type, text, settings)
        made.append((line.source_type, line.source_pk, found))
    return made


def chunks_of(kind: SourceType, text: SourceText, settings: SearchSettings) -> list[NewChunk]:
    """A text as chunks with all that makes them findable."""
    found = []
    context_terms = " ".join(terms_of(text.context))
    context_words = words.tokens(text.context)
    for piece in chunks(f"{text.body}\n{unquote(text.files)}", settings.chunk_size):
        terms = " ".join(terms_of(piece.text))
        vocabulary = frozenset((*words.tokens(piece.text), *context_words))
        found.append(
            NewChunk(
                project_id=text.project_id,
                source_type=kind,
                source_pk=text.source_pk,
                piece=piece,
                source_ref=text.source_ref,
                parent_pk=text.parent_pk,
                contact_pk=text.contact_pk,
                title=text.title,
                words_hash=text_hash("\n".join((terms, context_terms, *sorted(vocabulary)))),
                language=words.language(piece.text),
                private=text.private,
                occurred_at=text.occurred_at,
                updated_at=text.updated_at,
                metadata=text.metadata,
                embeddable=embeddable(piece.text, settings.min_embed_chars),
                terms=terms,
                context_terms=context_terms,
                vocabulary=vocabulary,
            )
        )
    return found
