"""The candidates of a question, in SQL: chunks worth scoring with all that scoring needs; all in index.db."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.search import vector_store
from ctower_desktop.search.chunk_store import Chunk, read
from ctower_desktop.search.model import KIND_OF, SourceType
from ctower_desktop.search.vector_store import Filter


@dataclass(frozen=True, slots=True)
class Gathered:
    """Chunks that may be shown, how far each is from the question, and what was said beside it."""

    chunks: list[Chunk]
    distances: Mapping[int, float]
    beside: Mapping[int, Sequence[Beside]]


@dataclass(frozen=True, slots=True)
class Space:
    """The model whose vectors are compared, and the question's own."""

    model: int
    vector: vector_store.Vectors


class _KindOf(msgspec.Struct, frozen=True):
    id: int
    source_type: SourceType


class Beside(msgspec.Struct, frozen=True):
    """What was said next to a chunk: its terms, whether before it, and whether it asked something."""

    id: int
    terms: str
    before: bool
    asks: bool


_KINDS = Query(
    _KindOf,
    """
    SELECT c.id, c.source_type FROM json_each(:ids) AS wanted CROSS JOIN chunk AS c ON c.id = wanted.value
    ORDER BY wanted.key
    """,
    file="index",
)
_BESIDE = Query(
    Beside,
    """
    SELECT c.id, n.terms, n.occurred_at < c.occurred_at AS before,
           instr(n.text, '?') > 0 AS asks
    FROM json_each(:ids) AS wanted CROSS JOIN chunk AS c ON c.id = wanted.value
    CROSS JOIN chunk AS n ON n.id IN (
        SELECT id FROM (SELECT b.id FROM chunk AS b
                        WHERE b.parent_pk = c.parent_pk AND b.occurred_at < c.occurred_at
                        ORDER BY b.occurred_at DESC LIMIT 2)
        UNION ALL
        SELECT id FROM (SELECT a.id FROM chunk AS a
                        WHERE a.parent_pk = c.parent_pk AND a.occurred_at > c.occurred_at
                        ORDER BY a.occurred_at LIMIT 1))
    WHERE +n.project_id = c.project_id AND (:private OR n.private = 0)
    """,
    file="index",
)


def gathered(
    db: apsw.Connection,
    pool: Sequence[int],
    hits: Mapping[int, float],
    wanted: Filter,
    depth: int,
    *,
    space: Space | None,
) -> Gathered:
    """The chunks of a pool that are worth scoring, with those that vectors hit.

    Of every kind the first `depth` are worth it, so that many messages do not hide the one issue.
    """
    taken = dict.fromkeys(KIND_OF.values(), 0)
    worth = []
    for row in _KINDS.rows(db, ids=as_json(list(pool))):
        group = KIND_OF[row.source_type]
        if taken[group] < depth:
            taken[group] += 1
            worth.append(row.id)
    found = [chunk for chunk in read(db, list(dict.fromkeys([*worth, *hits]))) if _visible(chunk, wanted)]
    distances = dict(hits)
    if space is not None:
        rest = [chunk.id for chunk in found if chunk.id not in hits]
        distances.update(vector_store.exact(db, space.model, space.vector, rest))
    return Gathered(found, distances, _beside(db, [chunk.id for chunk in found], wanted))


def _visible(chunk: Chunk, wanted: Filter) -> bool:
    """Whether a chunk may be shown: what was found by an index is checked against the row itself."""
    return (
        chunk.project_id == wanted.project_id
        and (wanted.include_private or not chunk.private)
        and (wanted.kinds is None or chunk.source_type in wanted.kinds)
        and (wanted.first is None or chunk.occurred_at >= wanted.first)
        and (wanted.last is None or chunk.occurred_at < wanted.last)
    )


def _beside(db: apsw.Connection, ids: Sequence[int], wanted: Filter) -> dict[int, list[Beside]]:
    found: dict[int, list[Beside]] = {}
    for row in _BESIDE.rows(db, ids=as_json(list(ids)), private=wanted.include_private):
        found.setdefault(row.id, []).append(row)
    return found
