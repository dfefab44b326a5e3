"""What the vendors have, row by row, and how far it was read."""

from __future__ import annotations

import hashlib
from typing import Any

import apsw
import msgspec

from ctower_desktop.connectors.contract import Due, Record, Stream
from ctower_desktop.kernel.sql import Command, Query, as_json


class Connection(msgspec.Struct, frozen=True):
    """The account a connector is connected to; `run` counts its pulls."""

    account: str
    name: str
    origin: str
    facts: dict[str, Any]
    run: int
    pulled_at: str | None
    reconciled_at: str | None


class StreamState(msgspec.Struct, frozen=True):
    """How far a stream was read."""

    stream: str
    watermark: str | None
    resume: dict[str, Any] | None
    remote_count: int | None
    held_deletes: int
    walked_at: str | None


class Stored(msgspec.Struct, frozen=True):
    """A row as it is kept."""

    id: int
    stream: str
    external_id: str
    units: list[str]
    body: str
    deleted_at: str | None


class Held(msgspec.Struct, frozen=True):
    """A row that is alive here, and since when it is missing there."""

    external_id: str
    absent_since: str | None


class Change(msgspec.Struct, frozen=True):
    """A row that was written: new or back (`fresh`), in other units (`moved`), and its body before."""

    record: Record
    fresh: bool
    moved: bool
    before: str | None
    stored_units: tuple[str, ...]


class _Known(msgspec.Struct, frozen=True):
    external_id: str
    version: str
    content_hash: str
    units: list[str]
    absent_since: str | None
    deleted_at: str | None
    body: str | None


class _Version(msgspec.Struct, frozen=True):
    external_id: str
    version: str


class _Count(msgspec.Struct, frozen=True):
    n: int


_AT = "connector = :connector AND account = :account AND stream = :stream"
_IN = "external_id IN (SELECT value FROM json_each(:ids))"

_CONNECTION = Query(
    Connection,
    """
    SELECT account, name, origin, facts, run, pulled_at, reconciled_at FROM connection
    WHERE connector = :connector
    """,
)
_CONNECT = Command("""
    INSERT INTO connection (connector, account, name, origin) VALUES (:connector, :account, :name, :origin)
    ON CONFLICT (connector) DO UPDATE SET account = excluded.account, name = excluded.name,
        origin = excluded.origin,
        facts = CASE WHEN origin = excluded.origin THEN facts ELSE '{}' END,
        pulled_at = CASE WHEN origin = excluded.origin AND account = excluded.account THEN pulled_at END
""")
_DISCONNECT = Command("DELETE FROM connection WHERE connector = :connector")
_FACTS = Command("UPDATE connection SET facts = :facts WHERE connector = :connector")
_BEGIN = Query(_Count, "UPDATE connection SET run = run + 1 WHERE connector = :connector RETURNING run AS n")
_PULLED = Command("""
    UPDATE connection SET pulled_at = coalesce(:pulled_at, pulled_at),
        reconciled_at = coalesce(:reconciled_at, reconciled_at)
    WHERE connector = :connector
""")
_STATE = "stream, watermark, resume, remote_count, held_deletes, walked_at"
_STREAM = Query(StreamState, f"SELECT {_STATE} FROM stream_state WHERE {_AT}")
_STREAMS = Query(
    StreamState,
    f"SELECT {_STATE} FROM stream_state WHERE connector = :connector AND account = :account ORDER BY stream",
)
_RESUME = Command("""
    INSERT INTO stream_state (connector, account, stream, resume) VALUES (:connector, :account, :stream,
    :resume)
    ON CONFLICT (connector, account, stream) DO UPDATE SET resume = excluded.resume
""")
_PROMOTE = Command("""
    INSERT INTO stream_state (connector, account, stream, watermark, remote_count, walked_at)
    VALUES (:connector, :account, :stream, :watermark, :count, :at)
    ON CONFLICT (connector, account, stream) DO UPDATE SET resume = NULL, walked_at = excluded.walked_at,
        watermark = coalesce(excluded.watermark, watermark),
        remote_count = coalesce(excluded.remote_count, remote_count)
""")
_HOLD = Command(f"UPDATE stream_state SET held_deletes = :n WHERE {_AT}")
_KNOWN = Query(
    _Known,
    f"""
    SELECT external_id, version, content_hash, units, absent_since, deleted_at,
           CASE WHEN :named THEN body END AS body
    FROM remote_row WHERE {_AT} AND {_IN}
    """,
)
_PUT = Command("""
    INSERT INTO remote_row (connector, account, stream, external_id, parent_id, units, version, content_hash,
                            body, first_seen_at, changed_at, changed_run)
    VALUES (:connector, :account, :stream, :external_id, :parent_id, :units, :version, :hash, :body, :at,
    :at, :run)
    ON CONFLICT (connector, account, stream, external_id) DO UPDATE
    SET parent_id = excluded.parent_id, units = excluded.units, version = excluded.version,
        content_hash = excluded.content_hash, body = excluded.body, changed_at = excluded.changed_at,
        changed_run = excluded.changed_run, absent_since = NULL, deleted_at = NULL, deleted_reason = NULL
""")
_PRESENT = Command(f"UPDATE remote_row SET absent_since = NULL WHERE {_AT} AND {_IN}")
_ABSENT = Command(f"UPDATE remote_row SET absent_since = :at WHERE {_AT} AND {_IN} AND absent_since IS NULL")
_BURY = Command(f"""
    UPDATE remote_row SET deleted_at = :at, deleted_reason = :reason
    WHERE {_AT} AND {_IN} AND deleted_at IS NULL
""")
_HELD = Query(Held, f"SELECT external_id, absent_since FROM remote_row WHERE {_AT} AND deleted_at IS NULL")
_VERSIONS = Query(
    _Version, f"SELECT external_id, version FROM remote_row WHERE {_AT} AND {_IN} AND deleted_at IS NULL"
)
_COUNT = Query(_Count, f"SELECT count(*) AS n FROM remote_row WHERE {_AT} AND deleted_at IS NULL")
_DUE = Query(
    _Version,
    f"""
    SELECT external_id, version FROM remote_row
    WHERE {_AT} AND deleted_at IS NULL AND (covered_version IS NULL OR covered_version <> version)
    ORDER BY changed_at DESC, id LIMIT :limit
    """,
)
_SWEEP = Query(
    _Version,
    f"""
    SELECT external_id, version FROM remote_row WHERE {_AT} AND deleted_at IS NULL
    ORDER BY swept_at IS NOT NULL, swept_at LIMIT :limit
    """,
)
_COVER = Command(f"""
    UPDATE remote_row SET covered_version = :version, swept_at = coalesce(:swept, swept_at)
    WHERE {_AT} AND external_id = :external_id
""")
_TAIL = Query(
    _Count,
    f"""
    SELECT CAST(external_id AS INTEGER) AS n FROM remote_row WHERE {_AT} AND parent_id = :parent
    ORDER BY CAST(external_id AS INTEGER) DESC LIMIT 1 OFFSET :back
    """,
)
_BELOW = Query(
    Held,
    f"""
    SELECT external_id, absent_since FROM remote_row
    WHERE {_AT} AND parent_id = :parent AND deleted_at IS NULL AND CAST(external_id AS INTEGER) >= :low
    """,
)
_ROWS = "id, stream, external_id, units, body, deleted_at"
_BY_IDS = Query(Stored, f"SELECT {_ROWS} FROM remote_row WHERE {_AT} AND {_IN}")
_ALL = Query(Stored, f"SELECT {_ROWS} FROM remote_row WHERE {_AT} AND deleted_at IS NULL")
_CHILDREN = Query(
    Stored,
    f"""
    SELECT {_ROWS} FROM remote_row
    WHERE {_AT} AND parent_id IN (SELECT value FROM json_each(:ids)) AND deleted_at IS NULL
    """,
)
_AFTER = Query(
    Stored,
    f"""
    SELECT {_ROWS} FROM remote_row
    WHERE id > :after AND connector = :connector AND account = :account ORDER BY id LIMIT :limit
    """,
)
_FORGET = (
    Command("DELETE FROM remote_row WHERE connector = :connector"),
    Command("DELETE FROM stream_state WHERE connector = :connector"),
    Command("DELETE FROM quarantined_row WHERE connector = :connector"),
)


def connection(db: apsw.Connection, connector: str) -> Connection | None:
    """The account a connector is connected to."""
    return _CONNECTION.first(db, connector=connector)


def connect(db: apsw.Connection, connector: str, account: str, name: str, origin: str) -> None:
    """Remember the account."""
    _CONNECT.run(db, connector=connector, account=account, name=name, origin=origin)


def forget(db: apsw.Connection, connector: str) -> None:
    """Drop everything read so far: another account or another server is another source."""
    for command in _FORGET:
        command.run(db, connector=connector)
    _DISCONNECT.run(db, connector=connector)


def begin(db: apsw.Connection, connector: str) -> int:
    """Count one more pull."""
    return _BEGIN.one(db, connector=connector).n


def finished(
    db: apsw.Connection, connector: str, facts: dict[str, Any], pulled: str | None, reconciled: str | None
) -> None:
    """Remember when everything was read."""
    _FACTS.run(db, connector=connector, facts=as_json(facts))
    _PULLED.run(db, connector=connector, pulled_at=pulled, reconciled_at=reconciled)


class Rows:
    """The rows of one account of one connector."""

    def __init__(self, connector: str, account: str) -> None:
        self.connector, self.account = connector, account

    def _at(self, stream: str) -> dict[str, str]:
        return {"connector": self.connector, "account": self.account, "stream": stream}

    def state(self, db: apsw.Connection, stream: str) -> StreamState:
        """How far a stream was read."""
        return _STREAM.first(db, **self._at(stream)) or StreamState(stream, None, None, None, 0, None)

    def states(self, db: apsw.Connection) -> list[StreamState]:
        """How far every stream was read."""
        return _STREAMS.all(db, connector=self.connector, account=self.account)

    def resume(self, db: apsw.Connection, stream: str, place: dict[str, Any] | None) -> None:
        """Remember where an unfinished walk stands; the watermark stays."""
        _RESUME.run(db, **self._at(stream), resume=as_json(place) if place is not None else None)

    def promote(
        self, db: apsw.Connection, stream: str, watermark: str | None, count: int | None, at: str
    ) -> None:
        """A walk is complete: everything up to the watermark is here."""
        _PROMOTE.run(db, **self._at(stream), watermark=watermark, count=count, at=at)

    def hold(self, db: apsw.Connection, stream: str, n: int) -> None:
        """Remember how many vanished rows wait for somebody's word."""
        _HOLD.run(db, **self._at(stream), n=n)

    def put(
        self, db: apsw.Connection, stream: Stream, records: list[Record], at: str, run: int
    ) -> list[Change]:
        """Write what is new or differs, never an older version over a newer one; return what was written."""
        newest: dict[str, Record] = {}
        for record in records:
            seen = newest.get(record.external_id)
            if seen is None or record.version >= seen.version:
                newest[record.external_id] = record
        ids = as_json(list(newest))
        found = _KNOWN.all(db, **self._at(stream.name), ids=ids, named=stream.named)
        known = {row.external_id: row for row in found}
        changes, params = [], []
        for record in newest.values():
            old = known.get(record.external_id)
            units = _units(stream, record, old)
            digest = hashlib.blake2b(record.digest or record.raw, digest_size=16).hexdigest()
            if old is not None and (
                record.version < old.version
                or (old.content_hash == digest and old.deleted_at is None and list(units) == old.units)
            ):
                continue
            back = old is None or old.deleted_at is not None
            moved = old is not None and list(units) != old.units
            changes.append(Change(record, back, moved, old.body if old else None, units))
            params.append(self._params(record, units, digest, at, run))
        _PUT.run_many(db, params)
        if any(row.absent_since for row in found):
            _PRESENT.run(db, **self._at(stream.name), ids=ids)
        return changes

    def _params(
        self, record: Record, units: tuple[str, ...], digest: str, at: str, run: int
    ) -> dict[str, Any]:
        return {
            **self._at(record.stream),
            "external_id": record.external_id,
            "parent_id": record.parents[0] if record.parents else None,
            "units": as_json(units),
            "version": record.version,
            "hash": digest,
            "body": record.raw.decode("utf-8", "replace"),
            "at": at,
            "run": run,
        }

    def held(self, db: apsw.Connection, stream: str) -> list[Held]:
        """All rows that are alive here."""
        return _HELD.all(db, **self._at(stream))

    def count(self, db: apsw.Connection, stream: str) -> int:
        """How many rows are alive here."""
        return _COUNT.one(db, **self._at(stream)).n

    def versions(self, db: apsw.Connection, stream: str, ids: list[str]) -> dict[str, str]:
        """The versions of those of `ids` that are here."""
        found = _VERSIONS.all(db, **self._at(stream), ids=as_json(ids))
        return {row.external_id: row.version for row in found}

    def absent(self, db: apsw.Connection, stream: str, ids: list[str], at: str) -> None:
        """Note that rows were missing once."""
        _ABSENT.run(db, **self._at(stream), ids=as_json(ids), at=at)

    def present(self, db: apsw.Connection, stream: str, ids: list[str]) -> None:
        """Rows that were missing are there after all."""
        _PRESENT.run(db, **self._at(stream), ids=as_json(ids))

    def bury(self, db: apsw.Connection, stream: str, ids: list[str], at: str, reason: str) -> None:
        """Mark rows as gone at the vendor."""
        _BURY.run(db, **self._at(stream), ids=as_json(ids), at=at, reason=reason)

    def due(self, db: apsw.Connection, parent: str, nested: str, limit: int, back: int) -> list[Due]:
        """Rows whose nested rows were not read at their version, with where to begin."""
        return [
            Due(row.external_id, row.version, self._tail(db, nested, row.external_id, back))
            for row in _DUE.all(db, **self._at(parent), limit=limit)
        ]

    def sweep(self, db: apsw.Connection, parent: str, limit: int) -> list[Due]:
        """The rows whose nested rows were compared longest ago, to be read from the beginning."""
        return [
            Due(row.external_id, row.version, None) for row in _SWEEP.all(db, **self._at(parent), limit=limit)
        ]

    def _tail(self, db: apsw.Connection, nested: str, parent: str, back: int) -> int | None:
        found = _TAIL.first(db, **self._at(nested), parent=parent, back=back)
        return found.n if found else None

    def cover(
        self, db: apsw.Connection, parent: str, external_id: str, version: str, swept: str | None
    ) -> None:
        """The nested rows of a row are read, up to its version."""
        _COVER.run(db, **self._at(parent), external_id=external_id, version=version, swept=swept)

    def below(self, db: apsw.Connection, nested: str, parent: str, low: int) -> list[str]:
        """Nested rows from a number on that are alive here."""
        found = _BELOW.all(db, **self._at(nested), parent=parent, low=low)
        return [row.external_id for row in found]

    def by_ids(self, db: apsw.Connection, stream: str, ids: list[str]) -> list[Stored]:
        """Rows by the vendor's ids."""
        return _BY_IDS.all(db, **self._at(stream), ids=as_json(ids))

    def all(self, db: apsw.Connection, stream: str) -> list[Stored]:
        """All rows of a stream that are alive; for streams of names, which are short."""
        return _ALL.all(db, **self._at(stream))

    def children(self, db: apsw.Connection, stream: str, parents: list[str]) -> list[Stored]:
        """Rows that hang on these."""
        return _CHILDREN.all(db, **self._at(stream), ids=as_json(parents))

    def after(self, db: apsw.Connection, after: int, limit: int) -> list[Stored]:
        """Rows of all streams in the order they came."""
        return _AFTER.all(db, connector=self.connector, account=self.account, after=after, limit=limit)


def _units(stream: Stream, record: Record, old: _Known | None) -> tuple[str, ...]:
    """A row that comes inside others belongs to all the units it was met in."""
    if old is None or not stream.embedded:
        return record.units
    return (*old.units, *(unit for unit in record.units if unit not in old.units))
