"""Tables that mirror what a vendor has: put, bury, raise and drop rows by one declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import apsw
import msgspec

from ctower_desktop.kernel.sql import Command, Query, Value, as_json

_ALWAYS = ("id", "project_id", "account_scope_id")


class Id(msgspec.Struct, frozen=True):
    """The id of a row."""

    id: str


class Mirror:
    """A table whose rows come from a vendor.

    `put` writes what differs and un-buries; `bury` marks what the vendor no longer has; `drop` deletes
    what no longer belongs to a project. All take the rows' ids as the table has them.
    """

    def __init__(self, table: str, *columns: str, buried: bool = True) -> None:
        names = (*_ALWAYS, *columns)
        same, given = ", ".join(columns), ", ".join(f"excluded.{column}" for column in columns)
        back = ", deleted_at = NULL, deleted_reason = NULL" if buried else ""
        raised = " OR deleted_at IS NOT NULL" if buried else ""
        self.table, self.columns, self.buried = table, columns, buried
        self._put = Command(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)}) "
            f"ON CONFLICT (id) DO UPDATE SET ({same}) = ({given}){back} "
            f"WHERE ({same}) IS NOT ({given}){raised}"
        )
        self._drop = Command(f"DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(:ids))")
        self._known = Query(Id, f"SELECT id FROM {table} WHERE id IN (SELECT value FROM json_each(:ids))")
        if buried:
            self._bury = Command(
                f"UPDATE {table} SET deleted_at = :at, deleted_reason = :reason "
                "WHERE id IN (SELECT value FROM json_each(:ids)) AND deleted_at IS NULL"
            )

    def put(self, db: apsw.Connection, rows: Iterable[Mapping[str, Value]]) -> None:
        """Insert, or update where something differs; a buried row comes back."""
        self._put.run_many(db, rows)

    def bury(self, db: apsw.Connection, ids: Iterable[str], at: str, reason: str) -> None:
        """Mark rows as gone at the vendor."""
        self._bury.run(db, ids=as_json(list(ids)), at=at, reason=reason)

    def drop(self, db: apsw.Connection, ids: Iterable[str]) -> None:
        """Delete rows, and what hangs on them."""
        self._drop.run(db, ids=as_json(list(ids)))

    def known(self, db: apsw.Connection, ids: Iterable[str]) -> set[str]:
        """Which of `ids` are there."""
        return {row.id for row in self._known.all(db, ids=as_json(list(ids)))}


def searchable(text: str) -> str:
    """Text as it is looked through for words: lower case in every script, ё as е."""
    return text.casefold().replace("ё", "е")
