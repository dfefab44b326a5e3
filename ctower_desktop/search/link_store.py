"""Where texts lead to, by links that the data already have: all in index.db."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.search import candidate_store, word_store
from ctower_desktop.search.candidate_store import Gathered, Space
from ctower_desktop.search.vector_store import Filter

_FOLLOWING = 2  # messages after a message
_HANGING = 6  # of the newest that hang together: an issue with its comments, a deal with its notes and tasks


class _Id(msgspec.Struct, frozen=True):
    id: int


_LINKED = Query(
    _Id,
    """
    SELECT n.id FROM json_each(:ids) AS wanted CROSS JOIN chunk AS c ON c.id = wanted.value
    CROSS JOIN chunk AS n ON n.id IN (
        SELECT id FROM (SELECT a.id FROM chunk AS a
                        WHERE a.parent_pk = c.parent_pk AND a.occurred_at > c.occurred_at
                        ORDER BY a.occurred_at LIMIT :following)
        UNION ALL
        SELECT id FROM (SELECT h.id FROM chunk AS h
                        WHERE c.source_type <> 'message' AND h.parent_pk = c.parent_pk
                        ORDER BY h.occurred_at DESC LIMIT :hanging))
    WHERE +n.project_id = c.project_id
    """,
    file="index",
)


def gathered(
    db: apsw.Connection,
    pool: Sequence[int],
    hits: Mapping[int, float],
    leading: Collection[int],
    wanted: Filter,
    *,
    depth: int,
    space: Space | None,
) -> Gathered:
    """The candidates of a question, and what the `leading` ones of them lead to."""
    found = candidate_store.gathered(db, pool, hits, wanted, depth, space=space)
    more = _followed(db, found, leading, wanted, space)
    return Gathered(
        [*found.chunks, *more.chunks],
        {**found.distances, **more.distances},
        {**found.beside, **more.beside},
    )


def _followed(
    db: apsw.Connection, found: Gathered, leading: Collection[int], wanted: Filter, space: Space | None
) -> Gathered:
    """What was said next, what hangs on the same record, issues that are named.

    A comment or note leads to the others and to the issue or deal it hangs on, which is as new as its last
    change.
    """
    best = [chunk for chunk in found.chunks if chunk.id in leading]
    rows = _LINKED.all(db, ids=as_json([chunk.id for chunk in best]), following=_FOLLOWING, hanging=_HANGING)
    led = [*(row.id for row in rows), *word_store.named_in(db, [chunk.text for chunk in best], wanted)]
    seen = {chunk.id for chunk in found.chunks}
    pool = [number for number in dict.fromkeys(led) if number not in seen]
    return candidate_store.gathered(db, pool, {}, wanted, len(pool), space=space)
