"""Where texts lead to, by links that the data already have: all in index.db."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.search import candidate_store, word_store
from ctower_desktop.search.candidate_store import Gathered, Space
from ctower_desktop.search.chunk_store import Chunk
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


def followed(
    db: apsw.Connection, best: Sequence[Chunk], seen: Collection[int], wanted: Filter, *, space: Space | None
) -> Gathered:
    """What texts lead to and was not seen: what was said next, what hangs on the same record, issues named.

    A comment or note leads to the others and to the issue or deal it hangs on, which is as new as its last
    change.
    """
    ids = as_json([chunk.id for chunk in best])
    rows = _LINKED.all(db, ids=ids, following=_FOLLOWING, hanging=_HANGING)
    found = [*(row.id for row in rows), *word_store.named_in(db, [chunk.text for chunk in best], wanted)]
    pool = [number for number in dict.fromkeys(found) if number not in seen]
    return candidate_store.gathered(db, pool, {}, wanted, len(pool), space=space)
