"""Names of the graph, looked up in SQL."""

from __future__ import annotations

from collections.abc import Collection

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json

_NEAR = 60


class Named(msgspec.Struct, frozen=True):
    """A thing under one of its names."""

    entity_id: int
    name: str
    type: str
    kind: str
    key: str


_BY_KEY = Query(
    Named,
    """
    SELECT n.entity_id, e.name, e.type, n.kind, n.key
    FROM json_each(:keys) AS wanted
    CROSS JOIN graph_name AS n ON n.project_id = :project_id AND n.key = wanted.value
    JOIN graph_entity AS e ON e.id = n.entity_id ORDER BY n.entity_id LIMIT 500
    """,
)
_ALIKE = Query(
    Named,
    """
    SELECT n.entity_id, e.name, e.type, n.kind, n.key
    FROM (SELECT rowid FROM graph_grams WHERE graph_grams MATCH :grams ORDER BY rank LIMIT :limit) AS found
    CROSS JOIN graph_name AS n ON n.id = found.rowid AND n.project_id = :project_id
    JOIN graph_entity AS e ON e.id = n.entity_id
    """,
)
_BEGINNING = Query(
    Named,
    """
    SELECT n.entity_id, e.name, e.type, n.kind, n.key
    FROM graph_name AS n JOIN graph_entity AS e ON e.id = n.entity_id
    WHERE n.project_id = :project_id AND n.key >= :start AND n.key < :end AND n.kind IN ('name', 'alias')
    LIMIT 300
    """,
)


def named(db: apsw.Connection, project_id: str, keys: Collection[str]) -> list[Named]:
    """Things with one of these keys."""
    return _BY_KEY.all(db, project_id=project_id, keys=as_json(sorted(keys)))


def alike(db: apsw.Connection, project_id: str, mention: str) -> list[Named]:
    """Things whose names share letters with a folded mention."""
    if len(mention) < 3:
        return []
    grams = dict.fromkeys(mention[at : at + 3] for at in range(min(len(mention), 60) - 2))
    match = " OR ".join('"' + gram.replace('"', '""') + '"' for gram in grams)
    start = mention[:2]
    found = _ALIKE.all(db, project_id=project_id, grams=match, limit=_NEAR)
    found += _BEGINNING.all(db, project_id=project_id, start=start, end=start + "\U0010ffff")
    return list(dict.fromkeys(found))
