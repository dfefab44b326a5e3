"""Every SQL statement fits the schema and its row, and never walks through a large table."""

from __future__ import annotations

import re

import apsw
import apsw.ext
import msgspec
import pytest

from ctower_desktop import app
from ctower_desktop.kernel.sql import STATEMENTS, Command, Query

app.import_rooms()

# Tables that stay small however much data a customer has: people, projects, vendors, a few rows for
# each project. What is not named here grows and is never scanned.
SMALL = {
    "main": {
        *("app_user", "session", "api_key", "account_scope", "project", "project_assignment"),
        *("scheduled_job", "inbox", "team", "member", "work_state", "connection", "stream_state"),
        *("sync_watermark", "connector_sync_state", "channel_test", "report_template"),
        *(
            "projection_due",
            "index_queue",
            "graph_queue",
        ),  # queues: read from the front, a few rows at a time
    },
    "index": {"model"},
}
_NAME = re.compile(r":(\w+)")
_SCAN = re.compile(r"^SCAN (\w+)(?! USING (?:COVERING )?INDEX| VIRTUAL TABLE)", re.MULTILINE)


def _bindings(sql: str) -> dict[str, None]:
    return dict.fromkeys(_NAME.findall(re.sub(r"'[^']*'", "''", sql)))


def _named(statement: Query | Command) -> str:
    return " ".join(statement.sql.split())[:60]


@pytest.mark.parametrize("statement", STATEMENTS, ids=_named)
def test_fits_the_schema_and_its_row(statement, schema, index_schema):
    db = schema if statement.file == "main" else index_schema
    info = apsw.ext.query_info(db, statement.sql, bindings=_bindings(statement.sql))
    assert info.first_query == statement.sql or not info.query_remaining, "one statement each"
    if isinstance(statement, Query):
        columns = tuple(column[0] for column in info.description)
        assert columns == tuple(f.name for f in msgspec.structs.fields(statement.row))


@pytest.mark.parametrize("statement", STATEMENTS, ids=_named)
def test_never_scans_a_large_table(statement, schema, index_schema):
    db = schema if statement.file == "main" else index_schema
    large = _tables(db) - SMALL[statement.file]
    plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + statement.sql, _bindings(statement.sql))]
    aliases = _aliases(statement.sql)
    scanned = {aliases.get(m[1], m[1]) for line in plan if (m := _SCAN.match(line))}
    assert not scanned & large, "\n".join(plan)


@pytest.mark.parametrize("statement", STATEMENTS, ids=_named)
def test_a_delete_names_its_rows(statement):
    """The update hook does not see an unqualified DELETE, and nobody would be told."""
    if statement.sql.lstrip().upper().startswith("DELETE"):
        assert " WHERE " in " ".join(statement.sql.upper().split())


def _aliases(sql: str) -> dict[str, str]:
    return {
        m[2]: m[1] for m in re.finditer(r"\b(?:FROM|JOIN)\s+(\w+)\s+(?:AS\s+)?(\w+)\b", sql, re.IGNORECASE)
    }


def _tables(db: apsw.Connection) -> set[str]:
    names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name for (name,) in names}


def test_the_small_tables_exist(schema, index_schema):
    assert SMALL["main"] <= _tables(schema)
    assert SMALL["index"] <= _tables(index_schema)


def test_tables_are_strict_and_have_row_ids(schema: apsw.Connection, index_schema: apsw.Connection):
    for db in (schema, index_schema):
        for name, kind, without_rowid, strict in db.execute(
            "SELECT name, type, wr, strict FROM pragma_table_list"
            " WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
        ):
            if kind == "table":
                assert strict == 1, f"{name} is not STRICT"
                assert without_rowid == 0, f"{name} has no rowid: the update hook would not see it"
