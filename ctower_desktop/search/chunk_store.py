"""Chunks and their words, in SQL: all in index.db."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.search import vector_store
from ctower_desktop.search.chunking import Piece
from ctower_desktop.search.intake_store import Source
from ctower_desktop.search.model import KIND_OF, EmbeddingCounts, SourceType
from ctower_desktop.search.words import Language


class NewChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk as it is to be kept, with what its word index is made of."""

    project_id: str
    source_type: SourceType
    source_pk: str
    piece: Piece
    source_ref: str | None
    parent_pk: str | None
    contact_pk: str | None
    title: str | None
    words_hash: str
    language: Language
    private: bool
    occurred_at: str
    updated_at: str
    metadata: str
    embeddable: bool
    terms: str
    context_terms: str
    vocabulary: frozenset[str]  # its words as written, folded


class Chunk(msgspec.Struct, frozen=True):
    """A chunk as kept."""

    id: int
    project_id: str
    source_type: SourceType
    source_pk: str
    chunk_index: int
    source_ref: str | None
    parent_pk: str | None
    title: str | None
    text: str
    terms: str
    language: Language
    private: bool
    occurred_at: str
    updated_at: str
    metadata: dict[str, str | int | float | bool | None]
    embedded_by: int


class State(msgspec.Struct, frozen=True):
    """How far the index as a whole is."""

    filled: bool
    queue_seq: int
    chunk_size: int
    min_embed: int


class _Kept(msgspec.Struct, frozen=True):
    id: int
    chunk_index: int
    project_id: str
    source_type: SourceType
    text_hash: str
    words_hash: str
    private: bool
    occurred_at: str
    embeddable: bool


class _Id(msgspec.Struct, frozen=True):
    id: int


class _Number(msgspec.Struct, frozen=True):
    value: int


_STATE = Query(
    State, "SELECT filled, queue_seq, chunk_size, min_embed FROM index_state WHERE id = 1", file="index"
)
_FILLED = Command(
    """
    UPDATE index_state SET filled = 1, queue_seq = :seq, chunk_size = :size, min_embed = :least WHERE id = 1
    """,
    file="index",
)
_REACHED = Command("UPDATE index_state SET queue_seq = max(queue_seq, :seq) WHERE id = 1", file="index")
_KEPT = Query(
    _Kept,
    """
    SELECT id, chunk_index, project_id, source_type, text_hash, words_hash, private, occurred_at, embeddable
    FROM chunk
    WHERE source_type = :source_type AND source_pk = :source_pk ORDER BY chunk_index
    """,
    file="index",
)
_ADD = Query(
    _Id,
    """
    INSERT INTO chunk (project_id, source_type, source_pk, chunk_index, source_ref, parent_pk,
        contact_pk, title,
                       text, text_hash, terms, words_hash, tokens, language, private, occurred_at, updated_at,
                       metadata, embeddable)
    VALUES (:project_id, :source_type, :source_pk, :chunk_index, :source_ref, :parent_pk, :contact_pk, :title,
            :text, :text_hash, :terms, :words_hash, :tokens, :language, :private, :occurred_at, :updated_at,
            :metadata, :embeddable)
    RETURNING id
    """,
    file="index",
)
_CHANGE = Command(
    """
    UPDATE chunk SET project_id = :project_id, source_ref = :source_ref, parent_pk = :parent_pk,
                     contact_pk = :contact_pk, title = :title, text = :text, text_hash = :text_hash,
                     terms = :terms, words_hash = :words_hash, tokens = :tokens, language = :language,
                     private = :private, occurred_at = :occurred_at, updated_at = :updated_at,
                     metadata = :metadata, embeddable = :embeddable
    WHERE id = :id
    """,
    file="index",
)
_FORGET_VECTOR = Command(
    "UPDATE chunk SET embedded_by = 0, attempts = 0, error = NULL WHERE id = :id", file="index"
)
_REMOVE = Command("DELETE FROM chunk WHERE id = :id", file="index")
_SCOPE = Query(
    _Id,
    """
    INSERT INTO scope (project_id, name, private, chunks) VALUES (:project_id, :name, :private, 1)
    ON CONFLICT (project_id, name, private) DO UPDATE SET chunks = chunks + 1 RETURNING id
    """,
    file="index",
)
_LEAVE_SCOPE = Command(
    """
    UPDATE scope SET chunks = chunks - 1
    WHERE project_id = :project_id AND name = :name AND private = :private
    """,
    file="index",
)
_ADD_WORDS = Command("INSERT INTO words (rowid, terms) VALUES (:id, :terms)", file="index")
_REMOVE_WORDS = Command("DELETE FROM words WHERE rowid = :id", file="index")
_ADD_TERM = Command("INSERT INTO term (text) VALUES (:text) ON CONFLICT (text) DO NOTHING", file="index")
_READ = Query(
    Chunk,
    """
    SELECT c.id, c.project_id, c.source_type, c.source_pk, c.chunk_index, c.source_ref, c.parent_pk, c.title,
           c.text, c.terms, c.language, c.private, c.occurred_at, c.updated_at, c.metadata, c.embedded_by
    FROM json_each(:ids) AS wanted CROSS JOIN chunk AS c ON c.id = wanted.value ORDER BY wanted.key
    """,
    file="index",
)
_COUNTS = Query(
    EmbeddingCounts,
    """
    SELECT coalesce(sum(embedded_by <> :model AND error IS NULL), 0) AS pending, 0 AS processing,
           coalesce(sum(embedded_by = :model), 0) AS ready,
           coalesce(sum(embedded_by <> :model AND error IS NOT NULL), 0) AS failed
    FROM chunk INDEXED BY chunk_waiting_of_project WHERE project_id = :project_id AND embeddable = 1
    """,
    file="index",
)
_CHUNKS = Query(_Number, "SELECT count(*) AS value FROM chunk WHERE project_id = :project_id", file="index")
_EMBEDDABLE = Query(
    _Number, "SELECT count(*) AS value FROM chunk INDEXED BY chunk_waiting WHERE embeddable = 1", file="index"
)
_SOURCES = Query(
    Source,
    """
    SELECT source_type, source_pk, project_id FROM chunk INDEXED BY sqlite_autoindex_chunk_1
    WHERE source_type IN ('message', 'issue', 'comment', 'deal', 'note', 'task') AND chunk_index = 0
    """,
    file="index",
)
_RETRY = Command(
    """
    UPDATE chunk SET attempts = 0, error = NULL
    WHERE project_id = :project_id AND embeddable = 1 AND embedded_by <> :model AND error IS NOT NULL
    """,
    file="index",
)


def state(db: apsw.Connection) -> State:
    return _STATE.one(db)


def sources(db: apsw.Connection) -> list[Source]:
    """Every text that has chunks."""
    return _SOURCES.all(db)


def begin(db: apsw.Connection, seq: int, size: int, least: int) -> None:
    """Note that every text was queued, and how chunks are cut from now on."""
    _FILLED.run(db, seq=seq, size=size, least=least)


def replace_sources(
    db: apsw.Connection, sources: Iterable[tuple[SourceType, str, Sequence[NewChunk]]], seq: int
) -> int:
    """Put the chunks of each text in place of those it had; return how many chunks changed.

    What did not change keeps its words and its vector. A text without chunks is forgotten.
    """
    changed = 0
    models = vector_store.model_numbers(db)
    for source_type, source_pk, found in sources:
        kept = {old.chunk_index: old for old in _KEPT.rows(db, source_type=source_type, source_pk=source_pk)}
        for chunk in found:
            changed += _put(db, models, chunk, kept.pop(chunk.piece.index, None))
        for old in kept.values():
            _remove(db, models, old)
            changed += 1
    _REACHED.run(db, seq=seq)
    return changed


def _put(db: apsw.Connection, models: Sequence[int], chunk: NewChunk, old: _Kept | None) -> bool:
    values = {
        "project_id": chunk.project_id,
        "source_ref": chunk.source_ref,
        "parent_pk": chunk.parent_pk,
        "contact_pk": chunk.contact_pk,
        "title": chunk.title,
        "text": chunk.piece.text,
        "text_hash": chunk.piece.text_hash,
        "terms": chunk.terms,
        "words_hash": chunk.words_hash,
        "tokens": chunk.piece.tokens,
        "language": chunk.language,
        "private": chunk.private,
        "occurred_at": chunk.occurred_at,
        "updated_at": chunk.updated_at,
        "metadata": chunk.metadata,
        "embeddable": chunk.embeddable,
    }
    if old is None:
        own = {
            "source_type": chunk.source_type,
            "source_pk": chunk.source_pk,
            "chunk_index": chunk.piece.index,
        }
        _put_words(db, _ADD.one(db, **own, **values).id, chunk)
        return True
    _CHANGE.run(db, id=old.id, **values)
    same_words = (old.words_hash, old.project_id, old.private) == (
        chunk.words_hash,
        chunk.project_id,
        chunk.private,
    )
    if not same_words:
        _remove_words(db, old)
        _put_words(db, old.id, chunk)
    same_place = (old.project_id, old.private, old.occurred_at[:10]) == (
        chunk.project_id,
        chunk.private,
        chunk.occurred_at[:10],
    )
    if old.text_hash != chunk.piece.text_hash or not same_place or old.embeddable != chunk.embeddable:
        vector_store.remove(db, models, old.id)
        _FORGET_VECTOR.run(db, id=old.id)
        return True
    return not same_words


def _put_words(db: apsw.Connection, chunk_id: int, chunk: NewChunk) -> None:
    name = KIND_OF[chunk.source_type]
    scope = _SCOPE.one(db, project_id=chunk.project_id, name=name, private=chunk.private).id
    every = {*chunk.terms.split(), *chunk.context_terms.split()}
    _ADD_WORDS.run(db, id=chunk_id, terms=" ".join(scoped(scope, term) for term in sorted(every)))
    _ADD_TERM.run_many(db, ({"text": word} for word in chunk.vocabulary if 3 <= len(word) <= 40))


def scoped(scope: int, term: str) -> str:
    """A term as the word index keeps it."""
    return f"{scope}x{term}"


def _remove_words(db: apsw.Connection, old: _Kept) -> None:
    _REMOVE_WORDS.run(db, id=old.id)
    _LEAVE_SCOPE.run(db, project_id=old.project_id, name=KIND_OF[old.source_type], private=old.private)


def _remove(db: apsw.Connection, models: Sequence[int], old: _Kept) -> None:
    _remove_words(db, old)
    vector_store.remove(db, models, old.id)
    _REMOVE.run(db, id=old.id)


def read(db: apsw.Connection, ids: Sequence[int]) -> list[Chunk]:
    """Chunks in the order asked for; those that are gone are left out."""
    return _READ.all(db, ids=as_json(list(ids)))


def counts(db: apsw.Connection, project_id: str, model: int) -> EmbeddingCounts:
    """How many chunks of a project have a vector of `model`."""
    return _COUNTS.one(db, project_id=project_id, model=model)


def chunks_of(db: apsw.Connection, project_id: str) -> int:
    return _CHUNKS.one(db, project_id=project_id).value


def embeddable(db: apsw.Connection) -> int:
    """How many chunks have or should have a vector."""
    return _EMBEDDABLE.one(db).value


def retry_failed(db: apsw.Connection, project_id: str, model: int) -> int:
    """Let chunks that were given up be tried once more."""
    return _RETRY.run(db, project_id=project_id, model=model)
