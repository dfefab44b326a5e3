"""Pages of the graph in SQL, with totals that are true and an order that stays."""

from __future__ import annotations

from collections.abc import Collection

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.knowledge import names, retrieval_store
from ctower_desktop.knowledge.model import Entity, Triple


class Wanted(msgspec.Struct, frozen=True):
    """What a page is filtered by; None: everything."""

    types: list[str] | None = None
    relations: list[str] | None = None
    center: int | None = None
    hops: int = 1
    term: str | None = None


class Part(msgspec.Struct, frozen=True):
    """A page with the totals of all pages."""

    triples: list[Triple]
    entities: dict[int, Entity]
    links: int
    nodes: int


class _Number(msgspec.Struct, frozen=True):
    id: int


_ALL = Query(
    _Number,
    "SELECT id FROM graph_triple WHERE project_id = :project_id ORDER BY id LIMIT :limit OFFSET :skip",
)
_ALL_LINKS = Query(_Number, "SELECT count(*) AS id FROM graph_triple WHERE project_id = :project_id")
_ALL_NODES = Query(_Number, "SELECT count(*) AS id FROM graph_entity WHERE project_id = :project_id")
_FILTERED = """
    FROM graph_triple AS t WHERE t.project_id = :project_id
    AND (:relations IS NULL OR t.relation IN (SELECT value FROM json_each(:relations)))
    AND (:within IS NULL OR (t.head_id IN (SELECT value FROM json_each(:within))
                             AND t.tail_id IN (SELECT value FROM json_each(:within))))
    AND (:named IS NULL OR t.head_id IN (SELECT value FROM json_each(:named))
         OR t.tail_id IN (SELECT value FROM json_each(:named))
         OR t.relation IN (SELECT value FROM json_each(:spoken)))
    AND (:types IS NULL OR (
        (SELECT h.type FROM graph_entity AS h WHERE h.id = t.head_id) IN (SELECT value FROM json_each(:types))
        AND (SELECT e.type FROM graph_entity AS e WHERE e.id = t.tail_id)
            IN (SELECT value FROM json_each(:types))))
"""
_SOME = Query(_Number, f"SELECT t.id {_FILTERED} ORDER BY t.id LIMIT :limit OFFSET :skip")
_SOME_LINKS = Query(_Number, f"SELECT count(*) AS id {_FILTERED}")
_SOME_ENDS = Query(_Number, f"SELECT t.head_id AS id {_FILTERED} UNION SELECT t.tail_id {_FILTERED}")
_NODES = """
    FROM graph_entity AS n WHERE n.project_id = :project_id
    AND (:types IS NULL OR n.type IN (SELECT value FROM json_each(:types)))
    AND (:named IS NULL OR n.id IN (SELECT value FROM json_each(:named)))
    AND (:within IS NULL OR n.id IN (SELECT value FROM json_each(:within)))
    AND NOT EXISTS (SELECT 1 FROM graph_triple AS o WHERE o.head_id = n.id)
    AND NOT EXISTS (SELECT 1 FROM graph_triple AS o WHERE o.tail_id = n.id)
"""
_LONELY = Query(_Number, f"SELECT n.id {_NODES} ORDER BY n.id LIMIT :limit")
_LONELY_COUNT = Query(_Number, f"SELECT count(*) AS id {_NODES}")
_SEARCHED = Query(
    _Number,
    """
    SELECT DISTINCT n.entity_id AS id
    FROM (SELECT rowid FROM graph_grams WHERE graph_grams MATCH :term) AS found
    CROSS JOIN graph_name AS n ON n.id = found.rowid AND n.project_id = :project_id
    """,
)
_BESIDE = Query(
    _Number,
    """
    SELECT t.tail_id AS id FROM json_each(:ids) AS w CROSS JOIN graph_triple AS t ON t.head_id = w.value
    UNION
    SELECT t.head_id FROM json_each(:ids) AS w CROSS JOIN graph_triple AS t ON t.tail_id = w.value
    """,
)


def page(db: apsw.Connection, project_id: str, wanted: Wanted, number: int, limit: int) -> Part:
    """One page of links with their ends; on the last one also things that have no links."""
    values: dict[str, str | None] = {
        "project_id": project_id,
        "types": None if wanted.types is None else as_json(wanted.types),
        "relations": None if wanted.relations is None else as_json(wanted.relations),
        "within": None,
        "named": None,
    }
    spoken = None
    if wanted.center is not None:
        values["within"] = as_json(sorted(_within(db, project_id, wanted.center, wanted.hops)))
    if wanted.term is not None:
        values["named"], spoken = (
            as_json(_named(db, project_id, wanted.term)),
            _spoken(db, project_id, wanted),
        )
    skip = (number - 1) * limit
    if wanted == Wanted():
        links = _ALL_LINKS.one(db, project_id=project_id).id
        nodes = _ALL_NODES.one(db, project_id=project_id).id
        ids = [each.id for each in _ALL.rows(db, project_id=project_id, limit=limit, skip=skip)]
    else:
        filters = {**values, "spoken": spoken}
        links = _SOME_LINKS.one(db, **filters).id
        lonely = 0 if wanted.relations is not None else _LONELY_COUNT.one(db, **values).id
        nodes = len(_SOME_ENDS.all(db, **filters)) + lonely
        ids = [each.id for each in _SOME.rows(db, **filters, limit=limit, skip=skip)]
    triples = retrieval_store.triples(db, project_id, ids)
    ends = {end for t in triples for end in (t.head_id, t.tail_id)}
    if skip <= links <= skip + limit and wanted.relations is None:
        ends |= {each.id for each in _LONELY.rows(db, **values, limit=limit)}
    return Part(triples, retrieval_store.entities(db, project_id, ends), links, nodes)


def _within(db: apsw.Connection, project_id: str, center: int, hops: int) -> set[int]:
    found = set(retrieval_store.entities(db, project_id, {center}))
    frontier = set(found)
    for _ in range(hops):
        frontier = {each.id for each in _BESIDE.rows(db, ids=as_json(sorted(frontier)))} - found
        found |= frontier
    return found


def _named(db: apsw.Connection, project_id: str, term: str) -> list[int]:
    """Things with the term in one of their names."""
    key = names.key(term)
    if len(key) < 3:
        return []
    phrase = '"' + key.replace('"', '""') + '"'
    return [each.id for each in _SEARCHED.rows(db, project_id=project_id, term=phrase)]


def _spoken(db: apsw.Connection, project_id: str, wanted: Wanted) -> str:
    """Relations with the term in their names."""
    term = (wanted.term or "").casefold()
    known: Collection[str] = retrieval_store.relations(db, project_id)
    return as_json([each for each in known if term in each.casefold()])
