"""What a trial of a model asks of the project's texts, in SQL; private notes are never among them."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.search.model import KIND_OF, SourceType

_NEWEST = 5_000  # chunks a sample is drawn from
_MOST_SAID = 20_000


class Listed(msgspec.Struct, frozen=True, order=True):
    """A chunk that may be drawn, in an order that does not depend on when it was indexed."""

    source_type: SourceType
    source_pk: str
    chunk_index: int
    id: int


class Said(msgspec.Struct, frozen=True):
    """A message in its conversation."""

    id: int
    parent_pk: str
    source_pk: str
    text: str
    sender: str


class Subject(msgspec.Struct, frozen=True):
    """What a conversation is about, as its mail or form said."""

    id: str
    subject: str


_LISTED = Query(
    Listed,
    """
    SELECT c.source_type, c.source_pk, c.chunk_index, c.id
    FROM json_each(:kinds) AS wanted CROSS JOIN chunk AS c INDEXED BY chunk_recent
    ON c.project_id = :project_id AND c.source_type = wanted.value
    WHERE c.private = 0 AND c.embeddable = 1
    ORDER BY c.occurred_at DESC LIMIT :limit
    """,
    file="index",
)
_SAID = Query(
    Said,
    """
    SELECT c.id, c.parent_pk, c.source_pk, c.text,
           coalesce(c.metadata ->> 'sender_type', '') || ':' || coalesce(c.metadata ->> 'sender_name', '')
               AS sender
    FROM json_each(:talks) AS wanted CROSS JOIN chunk AS c INDEXED BY chunk_of_parent
    ON c.parent_pk = wanted.value
    WHERE c.source_type = 'message' AND c.private = 0 AND c.chunk_index = 0 AND c.project_id = :project_id
    ORDER BY c.parent_pk, c.occurred_at, c.source_pk LIMIT :limit
    """,
    file="index",
)
_SUBJECTS = Query(
    Subject,
    """
    SELECT c.id, c.subject
    FROM json_each(:talks) AS wanted CROSS JOIN conversation AS c ON c.id = wanted.value
    WHERE c.deleted_at IS NULL AND c.subject IS NOT NULL
    """,
)


def listed(db: apsw.Connection, project_id: str) -> list[Listed]:
    """The newest chunks of a project that have vectors and are not private."""
    return _LISTED.all(db, project_id=project_id, kinds=as_json(list(KIND_OF)), limit=_NEWEST)


def said(db: apsw.Connection, project_id: str, talks: Sequence[str]) -> list[Said]:
    """The messages of conversations in their order, each by its beginning."""
    return _SAID.all(db, project_id=project_id, talks=as_json(list(talks)), limit=_MOST_SAID)


def subjects(db: apsw.Connection, talks: Sequence[str]) -> list[Subject]:
    """The subjects of conversations that have one."""
    return _SUBJECTS.all(db, talks=as_json(list(talks)))
