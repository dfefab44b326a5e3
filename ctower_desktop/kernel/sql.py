"""SQL statements as typed constants, checked against the migrated schema by one test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import apsw
import msgspec
from msgspec import inspect as shapes

from ctower_desktop.kernel.errors import NotFound, TowerError

Row = TypeVar("Row", bound=msgspec.Struct)
Value: TypeAlias = "apsw.SQLiteValue"  # a name of the stubs only
File = Literal["main", "index"]

STATEMENTS: list[Query[Any] | Command] = []


@dataclass(frozen=True)
class Query(Generic[Row]):
    """A SELECT (or … RETURNING) whose columns are exactly the fields of `row`, in order.

    Integer columns become `bool` where the field is one; a field of a container or Struct type is read
    from JSON text. `missing` is raised by `one`. `file` names the database the statement is for.
    """

    row: type[Row]
    sql: str
    missing: type[TowerError] = NotFound
    file: File = "main"

    def __post_init__(self) -> None:
        STATEMENTS.append(self)

    @cached_property
    def _readers(self) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        found = []
        for place, declared in enumerate(msgspec.structs.fields(self.row)):
            reader = _reader(declared.type)
            if reader is not None:
                found.append((place, reader))
        return tuple(found)

    def rows(self, db: apsw.Connection, **params: Value) -> Iterator[Row]:
        """Rows as they come; the caller must drain the iterator inside the transaction."""
        readers, make = self._readers, self.row
        for values in db.execute(self.sql, params):
            if not readers:
                yield make(*values)
                continue
            cells = list(values)
            for place, read in readers:
                if cells[place] is not None:
                    cells[place] = read(cells[place])
            yield make(*cells)

    def all(self, db: apsw.Connection, **params: Value) -> list[Row]:
        return list(self.rows(db, **params))

    def first(self, db: apsw.Connection, **params: Value) -> Row | None:
        return next(iter(self.all(db, **params)), None)

    def one(self, db: apsw.Connection, **params: Value) -> Row:
        row = self.first(db, **params)
        if row is None:
            raise self.missing
        return row


@dataclass(frozen=True)
class Command:
    """A statement run for its effect."""

    sql: str
    file: File = field(default="main")

    def __post_init__(self) -> None:
        STATEMENTS.append(self)

    def run(self, db: apsw.Connection, **params: Value) -> int:
        """Run once; return how many rows changed, triggers not counted."""
        for _ in db.execute(self.sql, params):
            pass
        return db.changes()

    def run_many(self, db: apsw.Connection, rows: Iterable[Mapping[str, Value]]) -> int:
        """Run for every row of parameters; return how many rows changed, triggers included."""
        before = db.total_changes()
        db.executemany(self.sql, rows)
        return db.total_changes() - before


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    found = shapes.type_info(kind)
    if isinstance(found, shapes.Metadata):
        found = found.type
    if isinstance(found, shapes.UnionType):
        inner = [t for t in found.types if not isinstance(t, shapes.NoneType)]
        found = inner[0] if len(inner) == 1 else found
    if isinstance(found, shapes.BoolType):
        return bool
    scalars = (
        shapes.StrType,
        shapes.IntType,
        shapes.FloatType,
        shapes.BytesType,
        shapes.LiteralType,
        shapes.EnumType,
    )
    if isinstance(found, (*scalars, shapes.UnionType, shapes.NoneType)):
        return None
    return msgspec.json.Decoder(kind, strict=False).decode


def as_json(value: Any) -> str:
    """JSON text for a JSON column."""
    return msgspec.json.encode(value).decode()
