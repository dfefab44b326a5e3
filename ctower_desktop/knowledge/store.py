"""Writing the graph: what a source says replaces what it said before, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.knowledge import names, relations
from ctower_desktop.knowledge.model import INGESTED, Fact, Node, Told
from ctower_desktop.search.words import stems


class _Known(msgspec.Struct, frozen=True):
    id: int
    name: str
    type: str


class _Id(msgspec.Struct, frozen=True):
    id: int


class _Ends(msgspec.Struct, frozen=True):
    id: int
    project_id: str
    head: str
    relation: str
    tail: str


_ENTITY = Query(
    _Known, "SELECT id, name, type FROM graph_entity WHERE project_id = :project_id AND ref = :ref"
)
_NAMED = Query(
    _Id,
    """
    SELECT DISTINCT entity_id AS id FROM graph_name
    WHERE project_id = :project_id AND key = :key AND kind = 'name' LIMIT 2
    """,
)
_ADD_ENTITY = Query(
    _Id,
    """
    INSERT INTO graph_entity (project_id, account_scope_id, ref, name, type, properties, updated_at)
    VALUES (:project_id, :scope, :ref, :name, :type, :properties, :at) RETURNING id
    """,
)
_RENAME = Command("""
    UPDATE graph_entity SET name = :name, type = :type, properties = :properties, updated_at = :at
    WHERE id = :id AND (name, type, properties) IS NOT (:name, :type, :properties)
""")
_ADD_NAME = Command("""
    INSERT INTO graph_name (project_id, entity_id, kind, key) VALUES (:project_id, :entity_id, :kind, :key)
    ON CONFLICT (entity_id, kind, key) DO NOTHING
""")
_DROP_NAMES = Command("DELETE FROM graph_name WHERE entity_id = :entity_id")
_OWN = Command("""
    INSERT INTO graph_owner (project_id, entity_id, source_key) VALUES (:project_id, :entity_id, :source_key)
    ON CONFLICT (source_key, entity_id) DO NOTHING
""")
_DISOWN = Query(
    _Id,
    "DELETE FROM graph_owner WHERE source_key = :source_key AND entity_id IS NOT :entity_id"
    " RETURNING entity_id AS id",
)
_ADD_TRIPLE = Query(
    _Id,
    """
    INSERT INTO graph_triple (project_id, account_scope_id, head_id, relation, tail_id, created_at)
    VALUES (:project_id, :scope, :head_id, :relation, :tail_id, :at)
    ON CONFLICT (head_id, relation, tail_id) DO NOTHING RETURNING id
    """,
)
_TRIPLE = Query(
    _Id,
    "SELECT id FROM graph_triple WHERE head_id = :head_id AND relation = :relation AND tail_id = :tail_id",
)
_ADD_SOURCE = Command("""
    INSERT INTO graph_source (project_id, triple_id, source_key, origin, confidence, occurred_at)
    VALUES (:project_id, :triple_id, :source_key, :origin, :confidence, :at)
    ON CONFLICT (triple_id, source_key) DO UPDATE SET confidence = :confidence, occurred_at = :at
    WHERE (confidence, occurred_at) IS NOT (:confidence, :at)
""")
_STALE = Query(
    _Id,
    """
    DELETE FROM graph_source
    WHERE source_key = :source_key AND triple_id NOT IN (SELECT value FROM json_each(:kept))
    RETURNING triple_id AS id
    """,
)
_UNSAID = Query(
    _Ends,
    """
    DELETE FROM graph_triple WHERE id IN (SELECT value FROM json_each(:ids))
    AND NOT EXISTS (SELECT 1 FROM graph_source AS s WHERE s.triple_id = graph_triple.id)
    RETURNING id, project_id, CAST(head_id AS TEXT) AS head, relation, CAST(tail_id AS TEXT) AS tail
    """,
)
_ORPHANS = Command("""
    DELETE FROM graph_entity WHERE id IN (SELECT value FROM json_each(:ids))
    AND NOT EXISTS (SELECT 1 FROM graph_owner AS o WHERE o.entity_id = graph_entity.id)
    AND NOT EXISTS (SELECT 1 FROM graph_triple AS t WHERE t.head_id = graph_entity.id)
    AND NOT EXISTS (SELECT 1 FROM graph_triple AS t WHERE t.tail_id = graph_entity.id)
""")
_ADD_WORDS = Command("INSERT INTO graph_words (rowid, project, terms) VALUES (:id, :project, :terms)")
_DROP_WORDS = Command("DELETE FROM graph_words WHERE rowid = :id")
_TOUCHING = Query(
    _Ends,
    """
    SELECT t.id, t.project_id, h.name AS head, t.relation, e.name AS tail
    FROM (
        SELECT id FROM graph_triple WHERE head_id = :id UNION SELECT id FROM graph_triple WHERE tail_id = :id
    ) AS wanted
    CROSS JOIN graph_triple AS t ON t.id = wanted.id
    JOIN graph_entity AS h ON h.id = t.head_id JOIN graph_entity AS e ON e.id = t.tail_id
    """,
)


def project_word(project_id: str) -> str:
    """A project as one word of the word index."""
    return "p" + project_id.replace("-", "")


def replace(db: apsw.Connection, told: Iterable[Told], at: str) -> None:
    """Let each source say what it says now."""
    for each in told:
        _replace(db, each, at)


def _replace(db: apsw.Connection, told: Told, at: str) -> None:
    owned = None if told.owns is None else _entity(db, told, told.owns, at, own=True)
    kept = [_say(db, told, fact, at)[0] for fact in told.facts]
    touched = {each.id for each in _DISOWN.all(db, source_key=told.source_key, entity_id=owned)}
    stale = [each.id for each in _STALE.all(db, source_key=told.source_key, kept=as_json(kept))]
    if stale:
        for gone in _UNSAID.all(db, ids=as_json(stale)):
            touched |= {int(gone.head), int(gone.tail)}
    if touched:
        _ORPHANS.run(db, ids=as_json(sorted(touched)))


def add(db: apsw.Connection, told: Told, at: str) -> int:
    """Let a source say more; return how many of the facts were known already."""
    return sum(1 for fact in told.facts if not _say(db, told, fact, at)[1])


def _say(db: apsw.Connection, told: Told, fact: Fact, at: str) -> tuple[int, bool]:
    """The triple of a fact, and whether it is new."""
    head, tail = (_entity(db, told, node, at) for node in (fact.head, fact.tail))
    ends = {"head_id": head, "relation": fact.relation, "tail_id": tail}
    made = _ADD_TRIPLE.first(db, project_id=told.project_id, scope=told.account_scope_id, at=at, **ends)
    triple = made or _TRIPLE.one(db, **ends)
    if made is not None:
        _index(db, _Ends(made.id, told.project_id, fact.head.name, fact.relation, fact.tail.name))
    _ADD_SOURCE.run(
        db,
        project_id=told.project_id,
        triple_id=triple.id,
        source_key=told.source_key,
        origin=told.origin,
        confidence=fact.confidence,
        at=told.at or at,
    )
    return triple.id, made is not None


def _entity(db: apsw.Connection, told: Told, node: Node, at: str, *, own: bool = False) -> int:
    """The thing that a node speaks of; only the row that is the thing changes its name."""
    named: list[_Id] | None = None
    if told.source_key == INGESTED:
        named = _NAMED.all(db, project_id=told.project_id, key=names.key(node.name))
        if len(named) == 1:
            return named[0].id
    known = None if named == [] else _ENTITY.first(db, project_id=told.project_id, ref=node.ref)
    if known is None:
        values = {"ref": node.ref, "name": node.name, "type": node.type, "at": at}
        properties = as_json(node.properties)
        made = _ADD_ENTITY.one(
            db, project_id=told.project_id, scope=told.account_scope_id, properties=properties, **values
        )
        _name(db, told.project_id, made.id, node)
    elif own:
        properties = as_json(node.properties)
        _RENAME.run(db, id=known.id, name=node.name, type=node.type, properties=properties, at=at)
        _DROP_NAMES.run(db, entity_id=known.id)
        _name(db, told.project_id, known.id, node)
        if known.name != node.name:
            for triple in _TOUCHING.all(db, id=known.id):
                _DROP_WORDS.run(db, id=triple.id)
                _index(db, triple)
    number = made.id if known is None else known.id
    if own:
        _OWN.run(db, project_id=told.project_id, entity_id=number, source_key=told.source_key)
    return number


def _name(db: apsw.Connection, project_id: str, entity_id: int, node: Node) -> None:
    found = sorted(names.keys(node.name, node.aliases))
    row = {"project_id": project_id, "entity_id": entity_id}
    _ADD_NAME.run_many(db, ({**row, "kind": kind, "key": text} for kind, text in found))


def _index(db: apsw.Connection, triple: _Ends) -> None:
    spoken = " ".join((triple.head, relations.words_of(triple.relation), triple.tail))
    _ADD_WORDS.run(db, id=triple.id, project=project_word(triple.project_id), terms=" ".join(stems(spoken)))
