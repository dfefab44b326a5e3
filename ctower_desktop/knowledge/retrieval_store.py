"""The graph around some things, in SQL: nothing here reads more of a hub than it is told to."""

from __future__ import annotations

from collections.abc import Collection

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.knowledge.model import Entity, Triple
from ctower_desktop.knowledge.store import project_word

_OF_A_TOPIC, _OF_A_NEIGHBOUR, _OF_A_RELATION = 60, 8, 50  # triples read of one thing
_FRONTIER, _MOST, _WORDED = 80, 800, 60


class _Number(msgspec.Struct, frozen=True):
    id: int


class _Relation(msgspec.Struct, frozen=True):
    relation: str


_COLUMNS = """
    SELECT t.id, t.head_id, h.name AS head, t.relation, t.tail_id, e.name AS tail, t.feedback,
           coalesce((SELECT max(s.confidence) FROM graph_source AS s WHERE s.triple_id = t.id), 0.0)
               AS confidence,
           coalesce((SELECT max(s.occurred_at) FROM graph_source AS s WHERE s.triple_id = t.id), '')
               AS occurred_at
"""
_TRIPLES = Query(
    Triple,
    f"""
    {_COLUMNS}
    FROM json_each(:ids) AS wanted CROSS JOIN graph_triple AS t ON t.id = wanted.value
    JOIN graph_entity AS h ON h.id = t.head_id JOIN graph_entity AS e ON e.id = t.tail_id
    WHERE t.project_id = :project_id
    """,
)
_ENTITIES = Query(
    Entity,
    """
    SELECT e.id, e.name, e.type, e.properties
    FROM json_each(:ids) AS wanted CROSS JOIN graph_entity AS e ON e.id = wanted.value
    WHERE e.project_id = :project_id
    """,
)
_OUT = Query(
    _Number, "SELECT id FROM graph_triple WHERE head_id = :id ORDER BY relation, tail_id LIMIT :limit"
)
_IN = Query(
    _Number, "SELECT id FROM graph_triple WHERE tail_id = :id ORDER BY relation, head_id LIMIT :limit"
)
_OUT_BY = Query(
    _Number,
    "SELECT id FROM graph_triple WHERE head_id = :id AND relation = :relation ORDER BY tail_id LIMIT :limit",
)
_IN_BY = Query(
    _Number,
    "SELECT id FROM graph_triple WHERE tail_id = :id AND relation = :relation ORDER BY head_id LIMIT :limit",
)
_RELATIONS = Query(
    _Relation,
    """
    WITH RECURSIVE r (relation) AS (
        SELECT min(relation) FROM graph_triple WHERE project_id = :project_id
        UNION ALL
        SELECT (SELECT min(t.relation) FROM graph_triple AS t
                WHERE t.project_id = :project_id AND t.relation > r.relation)
        FROM r WHERE r.relation IS NOT NULL
    )
    SELECT relation FROM r WHERE relation IS NOT NULL LIMIT 2000
    """,
)
_BY_WORDS = Query(
    _Number,
    "SELECT rowid AS id FROM graph_words WHERE graph_words MATCH :match ORDER BY rank LIMIT :limit",
)


def triples(db: apsw.Connection, project_id: str, ids: Collection[int]) -> list[Triple]:
    """Triples by their numbers, in order of these."""
    return sorted(_TRIPLES.rows(db, project_id=project_id, ids=as_json(sorted(ids))), key=lambda t: t.id)


def entities(db: apsw.Connection, project_id: str, ids: Collection[int]) -> dict[int, Entity]:
    """Things by their numbers."""
    return {e.id: e for e in _ENTITIES.rows(db, project_id=project_id, ids=as_json(sorted(ids)))}


def relations(db: apsw.Connection, project_id: str) -> list[str]:
    """Every relation there is."""
    return [each.relation for each in _RELATIONS.all(db, project_id=project_id)]


def around(db: apsw.Connection, ids: Collection[int], limit: int) -> set[int]:
    """Triples at some things, at most `limit` of each in each direction."""
    return {
        each.id for number in ids for query in (_OUT, _IN) for each in query.rows(db, id=number, limit=limit)
    }


def around_by(db: apsw.Connection, ids: Collection[int], asked: Collection[str], limit: int) -> set[int]:
    """Triples at some things of the relations that were asked about."""
    return {
        each.id
        for number in ids
        for relation in asked
        for query in (_OUT_BY, _IN_BY)
        for each in query.rows(db, id=number, relation=relation, limit=limit)
    }


def by_words(db: apsw.Connection, project_id: str, stems: Collection[str], limit: int) -> list[int]:
    """Triples with most of these words, the best first."""
    if not stems:
        return []
    wanted = " OR ".join('"' + each.replace('"', '""') + '"' for each in stems)
    match = f"project : {project_word(project_id)} AND terms : ({wanted})"
    return [each.id for each in _BY_WORDS.rows(db, match=match, limit=limit)]


def gather(
    db: apsw.Connection,
    project_id: str,
    topics: Collection[int],
    asked: Collection[str],
    stems: Collection[str],
) -> tuple[list[Triple], set[int]]:
    """The candidate triples of a question, and which of them words found.

    What stands at a thing in the relation that was asked about comes before its other triples, so that even
    a hub answers; the second hop goes on from a limited number of neighbours.
    """
    direct = around_by(db, topics, asked, _OF_A_RELATION) | around(db, topics, _OF_A_TOPIC)
    found = triples(db, project_id, direct)
    frontier = sorted({end for t in found for end in (t.head_id, t.tail_id)} - set(topics))[:_FRONTIER]
    second = around_by(db, frontier, asked, _OF_A_NEIGHBOUR) | around(db, frontier, _OF_A_NEIGHBOUR)
    worded = set(by_words(db, project_id, stems, _WORDED))
    more = sorted(second - direct)[:_MOST]
    return triples(db, project_id, direct | set(more) | worded), worded
