"""Typed statements: rows, conversions, what is missing, what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import apsw
import msgspec
import pytest

from ctower_desktop.kernel import sql
from ctower_desktop.kernel.errors import NotFound
from ctower_desktop.kernel.sql import STATEMENTS, Command, Query, as_json


class Cause(msgspec.Struct, frozen=True):
    """A Struct kept as JSON."""

    at: str
    weight: float = 1.0


class Thing(msgspec.Struct, frozen=True):
    """A row with every kind of column."""

    id: int
    name: str | None
    private: bool
    maybe: bool | None
    stage: Literal["won", "lost"]
    tags: list[str]
    cause: Cause | None
    extra: dict[str, Any]
    blob: bytes


class ThingNotFound(NotFound):
    """There is no such thing."""

    code = "thing_not_found"


@pytest.fixture(autouse=True)
def _statements_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is walked by other tests, against the real schema."""
    monkeypatch.setattr(sql, "STATEMENTS", [])


@pytest.fixture
def db() -> Iterator[apsw.Connection]:
    found = apsw.Connection(":memory:")
    found.execute("""
        CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, private INTEGER NOT NULL, maybe INTEGER,
            stage TEXT NOT NULL, tags TEXT NOT NULL, cause TEXT, extra TEXT NOT NULL, blob BLOB NOT NULL)
            STRICT;
        INSERT INTO thing VALUES
            (1, 'Acme', 1, 0, 'won', '["a","б"]', '{"at":"t","weight":2}', '{"k":[1]}', x'00ff');
        INSERT INTO thing VALUES (2, NULL, 0, NULL, 'lost', '[]', NULL, '{}', x'');
    """)
    yield found
    found.close()


SELECT = "SELECT id, name, private, maybe, stage, tags, cause, extra, blob FROM thing"


def test_columns_become_fields(db):
    first, second = Query(Thing, SELECT + " ORDER BY id").all(db)
    assert first == Thing(1, "Acme", True, False, "won", ["a", "б"], Cause("t", 2.0), {"k": [1]}, b"\x00\xff")
    assert second == Thing(2, None, False, None, "lost", [], None, {}, b"")
    assert first.private is True


def test_one_first_and_missing(db):
    query = Query(Thing, SELECT + " WHERE id = :id", missing=ThingNotFound)
    assert query.one(db, id=2).id == 2
    assert query.first(db, id=9) is None
    with pytest.raises(ThingNotFound):
        query.one(db, id=9)


def test_parameters_are_data(db):
    hostile = "x'; DROP TABLE thing; --"
    assert Query(Thing, SELECT + " WHERE name = :name").all(db, name=hostile) == []
    assert Command("UPDATE thing SET name = :name").run(db, name=hostile) == 2
    assert Query(Thing, SELECT + " WHERE name = :name").all(db, name=hostile)[0].name == hostile


def test_a_command_says_how_many_rows_changed(db):
    change = Command("UPDATE thing SET name = :name WHERE id = :id")
    assert change.run(db, id=1, name="x") == 1
    assert change.run(db, id=9, name="x") == 0
    assert change.run_many(db, ({"id": i, "name": "y"} for i in (1, 2, 9))) == 2


def test_an_insert_may_return_its_row(db):
    class Id(msgspec.Struct):
        """A number."""

        id: int

    add = Query(Id, "INSERT INTO thing VALUES (NULL, :n, 0, 0, 'won', '[]', NULL, '{}', x'') RETURNING id")
    assert add.one(db, n="third").id == 3
    assert db.in_transaction is False


def test_rows_come_one_by_one(db):
    rows = Query(Thing, SELECT + " ORDER BY id").rows(db)
    assert next(rows).id == 1
    assert next(rows).id == 2
    with pytest.raises(StopIteration):
        next(rows)


def test_every_statement_is_registered():
    query, command = Query(Thing, SELECT, file="index"), Command("DELETE FROM thing WHERE id = 1")
    assert [query, command] == sql.STATEMENTS
    assert STATEMENTS is not sql.STATEMENTS


def test_json_columns():
    assert as_json({"ключ": [1, None]}) == '{"ключ":[1,null]}'
    assert as_json(Cause("t")) == '{"at":"t","weight":1.0}'
