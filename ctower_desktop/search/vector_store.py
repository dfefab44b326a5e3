"""Vectors in SQL: coarse bits for the scan, int8 for the exact distance; all in index.db.

Every model has a `vec0` table of its own, `vector_<number>`: its dimension is part of the table. These are
the only statements that are not constants: the number comes from our own `model` table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.search.embedding_model import Measured
from ctower_desktop.search.model import SourceType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_TOO_OFTEN = 5  # failed attempts after which a chunk is left alone
# The coarse search picks the nearest by one pass over all distances for each pick: its time grows with the
# product of both. Cut into shards it makes few picks in each: measured at 100,000 vectors, 384 candidates
# from one shard take 40 ms, from thirty-two 6 ms, with the same recall after exact scoring.
_SHARDS = 32
_LEAST_CANDIDATES, _MOST_CANDIDATES = 384, 4_096
_MORE_FROM, _MORE = 200_000, 4  # among more vectors, more candidates keep the recall
_CANDIDATES = 8  # times as many as wanted
_CACHE = "PRAGMA cache_size = -32768"  # for a connection that searches; with the default 2 MB it is slower
_KIND_NUMBER: dict[SourceType, int] = {
    "message": 1,
    "issue": 2,
    "comment": 3,
    "deal": 4,
    "note": 5,
    "task": 6,
}


class Model(msgspec.Struct, frozen=True):
    """A model whose vectors are kept here."""

    id: int
    model_id: str
    dimension: int
    languages: list[str]  # languages, and ways between them, in which it was measured to be good
    folder: str
    state: Literal["building", "serving"]
    measured: Measured | None


class Waiting(msgspec.Struct, frozen=True):
    """A chunk without a vector of the model in question; `cached` when the same text has one."""

    id: int
    project_id: str
    source_type: SourceType
    text: str
    text_hash: str
    private: bool
    occurred_at: str
    cached: bool


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which chunks may be found."""

    project_id: str
    kinds: tuple[SourceType, ...] | None = None
    include_private: bool = False
    first: str | None = None  # a moment, inclusive
    last: str | None = None  # a moment, exclusive


class _Number(msgspec.Struct, frozen=True):
    value: int


class _Exact(msgspec.Struct, frozen=True):
    id: int
    scale: float
    vector: bytes
    occurred_at: str


_MODELS = Query(
    Model,
    "SELECT id, model_id, dimension, languages, folder, state, measured FROM model ORDER BY id",
    file="index",
)
_NUMBERS = Query(_Number, "SELECT id AS value FROM model ORDER BY id", file="index")
_ADD_MODEL = Query(
    _Number,
    """
    INSERT INTO model (model_id, dimension, languages, folder, state, measured)
    VALUES (:model_id, :dimension, :languages, :folder, :state, :measured)
    RETURNING id AS value
    """,
    file="index",
)
_SERVE = Command("UPDATE model SET state = 'serving' WHERE id = :id", file="index")
_REMEASURE = Command(
    "UPDATE model SET languages = :languages, measured = :measured WHERE id = :id", file="index"
)
_REMOVE_MODEL = Command("DELETE FROM model WHERE id = :id", file="index")
_WAITING = Query(
    Waiting,
    """
    SELECT c.id, c.project_id, c.source_type, c.text, c.text_hash, c.private, c.occurred_at,
           EXISTS (SELECT 1 FROM embedding AS e WHERE e.model = :model AND e.text_hash = c.text_hash)
           AS cached
    FROM chunk AS c INDEXED BY chunk_waiting
    WHERE c.embedded_by < :model AND c.embeddable = 1 AND c.error IS NULL
    ORDER BY c.embedded_by, c.id LIMIT :limit
    """,
    file="index",
)
_WAITING_OF_PROJECT = Query(
    Waiting,
    """
    SELECT c.id, c.project_id, c.source_type, c.text, c.text_hash, c.private, c.occurred_at,
           EXISTS (SELECT 1 FROM embedding AS e WHERE e.model = :model AND e.text_hash = c.text_hash)
           AS cached
    FROM chunk AS c INDEXED BY chunk_waiting_of_project
    WHERE c.project_id = :project_id AND c.embedded_by < :model AND c.embeddable = 1 AND c.error IS NULL
    ORDER BY c.embedded_by, c.id LIMIT :limit
    """,
    file="index",
)
_LEFT = Query(
    _Number,
    """
    SELECT count(*) AS value FROM chunk INDEXED BY chunk_waiting
    WHERE embedded_by < :model AND embeddable = 1 AND error IS NULL
    """,
    file="index",
)
_ADD = Command(
    """
    INSERT INTO embedding (model, text_hash, scale, vector) VALUES (:model, :text_hash, :scale, :vector)
    ON CONFLICT (model, text_hash) DO NOTHING
    """,
    file="index",
)
_EXACT = Query(
    _Exact,
    """
    SELECT c.id, e.scale, e.vector, c.occurred_at
    FROM json_each(:ids) AS wanted CROSS JOIN chunk AS c ON c.id = wanted.value
    CROSS JOIN embedding AS e ON e.model = :model AND e.text_hash = c.text_hash
    """,
    file="index",
)
_CACHED = Query(
    _Exact,
    """
    SELECT c.id, e.scale, e.vector, c.occurred_at
    FROM chunk AS c CROSS JOIN embedding AS e ON e.model = :model AND e.text_hash = c.text_hash
    WHERE c.id = :id AND c.text_hash = :text_hash
    """,
    file="index",
)
_EMBEDDED = Command(
    "UPDATE chunk SET embedded_by = :model, attempts = 0, error = NULL WHERE id = :id", file="index"
)
_NEWEST_CHUNK = Query(_Number, "SELECT coalesce(max(id), 0) AS value FROM chunk", file="index")
_UNEMBED = Command(
    "UPDATE chunk SET embedded_by = 0 WHERE embedded_by = :model AND embeddable = 1", file="index"
)
_FAILED = Command(
    """
    UPDATE chunk SET attempts = attempts + 1,
                     error = CASE WHEN attempts + 1 >= :too_often THEN :error END
    WHERE id = :id AND text_hash = :text_hash
    """,
    file="index",
)
_ORPHANS = Command(
    """
    DELETE FROM embedding WHERE id IN (
        SELECT e.id FROM embedding AS e INDEXED BY sqlite_autoindex_embedding_1
        WHERE e.model = :model AND NOT EXISTS (SELECT 1 FROM chunk AS c WHERE c.text_hash = e.text_hash)
        LIMIT :limit
    )
    """,
    file="index",
)


def models(db: apsw.Connection) -> list[Model]:
    """Models with vectors here, the oldest first."""
    return _MODELS.all(db)


def model_numbers(db: apsw.Connection) -> list[int]:
    return [row.value for row in _NUMBERS.rows(db)]


def add_model(
    db: apsw.Connection,
    model_id: str,
    dimension: int,
    languages: Sequence[str],
    folder: str,
    *,
    measured: Measured | None = None,
) -> int:
    """Make room for the vectors of a model; the first one serves at once. Return its number."""
    first = not model_numbers(db)
    number = _ADD_MODEL.one(
        db,
        model_id=model_id,
        dimension=dimension,
        languages=as_json(list(languages)),
        folder=folder,
        state="serving" if first else "building",
        measured=None if measured is None else as_json(measured),
    ).value
    db.execute(
        f"CREATE VIRTUAL TABLE vector_{number:d} USING vec0("
        "chunk_id INTEGER PRIMARY KEY, project_id TEXT PARTITION KEY, shard INTEGER PARTITION KEY, "
        f"bits BIT[{dimension + -dimension % 8:d}], kind INTEGER, day INTEGER, "
        "chunk_size=256)"
    )
    return number


def remeasure(db: apsw.Connection, number: int, measured: Measured) -> None:
    """Keep a newer measurement of a model; its vectors stay."""
    _REMEASURE.run(db, id=number, languages=as_json(measured.ability.known), measured=as_json(measured))


def serve(db: apsw.Connection, number: int) -> None:
    """Let a model answer from now on, and forget the vectors of every other."""
    _SERVE.run(db, id=number)
    for other in model_numbers(db):
        if other != number:
            drop_model(db, other)


def drop_model(db: apsw.Connection, number: int) -> None:
    """Forget a model and its vectors; chunks that had one of its own stand in line again for another."""
    _UNEMBED.run(db, model=number)
    db.execute(f"DROP TABLE vector_{number:d}")
    _REMOVE_MODEL.run(db, id=number)


def waiting(db: apsw.Connection, model: int, limit: int, project_id: str | None = None) -> list[Waiting]:
    """Chunks that need a vector of `model`, the oldest first."""
    if project_id is None:
        return _WAITING.all(db, model=model, limit=limit)
    return _WAITING_OF_PROJECT.all(db, model=model, project_id=project_id, limit=limit)


def left(db: apsw.Connection, model: int) -> int:
    """How many chunks need a vector of `model`."""
    return _LEFT.one(db, model=model).value


def keep(
    db: apsw.Connection, model: int, chunks: Sequence[Waiting], made: Vectors | None, fresh: Sequence[str]
) -> int:
    """Keep the vectors made of the texts with hashes `fresh`; return how many chunks now have theirs.

    A chunk whose text changed meanwhile gets none, and stays in line.
    """
    for text_hash, vector in zip(fresh, made if made is not None else (), strict=True):
        scale, packed = quantised(vector)
        _ADD.run(db, model=model, text_hash=text_hash, scale=scale, vector=packed)
    kept = 0
    for chunk in chunks:
        found = _CACHED.first(db, model=model, id=chunk.id, text_hash=chunk.text_hash)
        if found is None:
            continue
        remove(db, (model,), chunk.id)
        db.execute(
            f"INSERT INTO vector_{model:d} (chunk_id, project_id, shard, bits, kind, day) "
            "VALUES (?, ?, ?, vec_bit(?), ?, ?)",
            (
                chunk.id,
                chunk.project_id,
                shard(chunk.id, private=chunk.private),
                coarse_of_bytes(found.vector),
                _KIND_NUMBER[chunk.source_type],
                day(chunk.occurred_at),
            ),
        )
        _EMBEDDED.run(db, model=model, id=chunk.id)
        kept += 1
    return kept


def note_failure(db: apsw.Connection, chunk: Waiting, error: str) -> None:
    """Count an attempt that failed; after five the chunk is left alone until it changes or is asked for."""
    _FAILED.run(db, id=chunk.id, text_hash=chunk.text_hash, error=error[:500], too_often=_TOO_OFTEN)


def remove(db: apsw.Connection, numbers: Sequence[int], chunk_id: int) -> None:
    """Forget the vectors of one chunk."""
    for number in numbers:
        db.execute(f"DELETE FROM vector_{number:d} WHERE chunk_id = ?", (chunk_id,))


def sweep(db: apsw.Connection, model: int, limit: int = 5_000) -> int:
    """Forget exact vectors of texts that are gone; return how many."""
    return _ORPHANS.run(db, model=model, limit=limit)


def search(
    db: apsw.Connection, model: int, vector: Vectors, wanted: Filter, top: int
) -> list[tuple[int, float]]:
    """The nearest chunks with their cosine distance, the nearest first; none of a model that just ended."""
    db.execute(_CACHE)
    if (wanted.kinds is not None and not wanted.kinds) or model not in model_numbers(db):
        return []
    shards = ", ".join(str(number) for number in range(_SHARDS * (2 if wanted.include_private else 1)))
    conditions = ["bits MATCH vec_bit(?)", "k = ?", "project_id = ?", f"shard IN ({shards})"]
    values: list[bytes | int | str] = [coarse_of(vector), _picks(db, top), wanted.project_id]
    if wanted.kinds is not None and len(wanted.kinds) < len(_KIND_NUMBER):
        conditions.append(f"kind IN ({', '.join(str(_KIND_NUMBER[kind]) for kind in wanted.kinds)})")
    for moment, sign in ((wanted.first, ">="), (wanted.last, "<=")):
        if moment is not None:
            conditions.append(f"day {sign} ?")
            values.append(day(moment))
    ids = [
        row[0]
        for row in db.execute(
            f"SELECT chunk_id FROM vector_{model:d} WHERE {' AND '.join(conditions)}", tuple(values)
        )
    ]
    return exact(db, model, vector, ids, wanted)[:top]


def _picks(db: apsw.Connection, top: int) -> int:
    """How many candidates to take from each shard."""
    many = _NEWEST_CHUNK.one(db).value > _MORE_FROM
    candidates = max(_CANDIDATES * top, _LEAST_CANDIDATES) * (_MORE if many else 1)
    return -(-min(candidates, _MOST_CANDIDATES) // _SHARDS)


def exact(
    db: apsw.Connection, model: int, vector: Vectors, ids: Sequence[int], wanted: Filter | None = None
) -> list[tuple[int, float]]:
    """The cosine distance of the given chunks that have a vector, the nearest first."""
    import numpy as np

    rows = _EXACT.all(db, model=model, ids=as_json(list(ids)))
    if wanted is not None:
        rows = [
            row
            for row in rows
            if (wanted.first is None or row.occurred_at >= wanted.first)
            and (wanted.last is None or row.occurred_at < wanted.last)
        ]
    if not rows:
        return []
    matrix = np.frombuffer(b"".join(row.vector for row in rows), np.int8).reshape(len(rows), -1)
    scales = np.array([row.scale for row in rows], np.float32)
    distances = 1.0 - (matrix.astype(np.float32) @ vector) * scales
    order = np.argsort(distances, kind="stable")
    return [(rows[i].id, float(distances[i])) for i in order]


def quantised(vector: Vectors) -> tuple[float, bytes]:
    """A vector as int8 with its scale: `int8 * scale` is the vector again, nearly."""
    import numpy as np

    scale = float(np.abs(vector).max()) / 127 or 1.0
    return scale, np.rint(vector / scale).astype(np.int8).tobytes()


def coarse_of(vector: Vectors) -> bytes:
    """One bit per dimension: its sign."""
    import numpy as np

    return np.packbits(vector > 0).tobytes()


def coarse_of_bytes(packed: bytes) -> bytes:
    """The same of an int8 vector."""
    import numpy as np

    found: Any = np.frombuffer(packed, np.int8) > 0
    return np.packbits(found).tobytes()


def shard(chunk_id: int, *, private: bool) -> int:
    """Which part of its project's vectors a chunk belongs to; private ones have parts of their own."""
    return chunk_id % _SHARDS + (_SHARDS if private else 0)


def day(moment: str) -> int:
    """A day as a number that sorts: 20261120."""
    return int(moment[:10].replace("-", ""))
