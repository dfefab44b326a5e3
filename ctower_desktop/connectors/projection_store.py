"""From the vendors' rows to the rooms' rows, one for every project a row is bound to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import apsw
import msgspec

from ctower_desktop.connectors.contract import BadPayload, Connector, Record, Scope, Stream, Typed
from ctower_desktop.connectors.remote_store import Change, Rows, Stored
from ctower_desktop.crm import mirroring_store as mirroring
from ctower_desktop.crm import store as crm
from ctower_desktop.inbox import store as inbox
from ctower_desktop.kernel.mirror import Mirror
from ctower_desktop.kernel.sql import Query
from ctower_desktop.work import store as work

MIRRORS: dict[str, Mirror] = {  # in the order rows are written: what others refer to comes first
    "cwinbox": inbox.INBOX,
    "cwc": inbox.CONTACT,
    "cw": inbox.CONVERSATION,
    "cwmsg": inbox.MESSAGE,
    "linteam": work.TEAM,
    "linuser": work.MEMBER,
    "linproj": work.PROJECT,
    "linstate": work.STATE,
    "lincycle": work.CYCLE,
    "linissue": work.ISSUE,
    "linrel": work.RELATION,
    "lincomment": work.COMMENT,
    "attioacct": crm.COMPANY,
    "attioperson": crm.PERSON,
    "attiodeal": crm.DEAL,
    "attionote": crm.NOTE,
    "attiotask": crm.TASK,
}

_OURS: dict[str, mirroring.Kind] = {"attioacct": "account", "attiodeal": "opportunity"}


class Binding(msgspec.Struct, frozen=True):
    """A part of an account that feeds a project."""

    unit_kind: str
    unit_id: str
    project_id: str
    account_scope_id: str


_WATCHED = ("cwmsg", "linissue", "linproj", "attiodeal", "attionote")


class Happened(msgspec.Struct, frozen=True):
    """A derived row that is new, or whose stage or blockage is another than before."""

    kind: str
    scope: Scope
    row: dict[str, Any]
    what: str  # new, stage, blocked, unblocked
    before: str = ""


class Outcome(msgspec.Struct):
    """What one page did: rows per project and kind, what happened, rows the database would not take."""

    touched: dict[str, dict[str, int]] = {}
    happened: list[Happened] = []
    refused: list[tuple[Record, str]] = []

    def add(self, project_id: str, kind: str, n: int) -> None:
        """Count rows of a project."""
        counts = self.touched.setdefault(project_id, {})
        counts[kind] = counts.get(kind, 0) + n


_BINDINGS = Query(
    Binding,
    """
    SELECT unit_kind, unit_id, project_id, account_scope_id FROM source_binding
    WHERE connector = :connector ORDER BY id
    """,
)


def bindings(db: apsw.Connection, connector: str) -> list[Binding]:
    """Which part of a connector's account feeds which project."""
    return _BINDINGS.all(db, connector=connector)


class _Names:
    """Rows that other rows mention; short streams are read whole when first asked for."""

    def __init__(self, db: apsw.Connection, connector: Connector, rows: Rows) -> None:
        self._db, self._connector, self._rows = db, connector, rows
        self._streams: dict[str, dict[str, Any]] = {}
        self.parents: dict[str, tuple[Record, list[str]]] = {}

    def get(self, stream: str, external_id: object) -> Any:
        found = self._streams.get(stream)
        if found is None:
            rows = self._rows.all(self._db, stream)
            found = self._streams[stream] = {
                row.external_id: understood_row(self._connector, row).wire for row in rows
            }
        return found.get(str(external_id)) if external_id is not None else None

    def parent(self, external_id: str) -> Record | None:
        found = self.parents.get(external_id)
        return found[0] if found else None

    def load_parents(self, stream: Stream, records: Iterable[Record]) -> None:
        """Fetch the rows these hang on."""
        wanted = {p for record in records for p in record.parents} - self.parents.keys()
        for name in stream.parents if wanted else ():
            for row in self._rows.by_ids(self._db, name, sorted(wanted)):
                self.parents[row.external_id] = (understood_row(self._connector, row), row.units)


class Projector:
    """Derives the rooms' rows in the transaction that stores the vendor's. `events`: note what happened."""

    def __init__(self, db: apsw.Connection, connector: Connector, rows: Rows, at: str) -> None:
        self.db, self.connector, self.rows, self.at = db, connector, rows, at
        self.bindings = bindings(db, connector.name)
        self.names = _Names(db, connector, rows)
        self.outcome = Outcome()
        self._scopes: dict[str, list[Scope]] = defaultdict(list)
        for found in self.bindings:
            scope = Scope(found.project_id, found.account_scope_id, rows.account)
            self._scopes[f"{found.unit_kind}:{found.unit_id}"].append(scope)
        self.everyone = {s.project_id: s for scopes in self._scopes.values() for s in scopes}

    def changes(self, stream: Stream, changes: list[Change]) -> None:
        """Derive what follows from written rows, and from rows hanging on those that came or moved."""
        records = [(change.record, change.stored_units) for change in changes]
        self.derive(stream, records, events=True)
        moved = [change for change in changes if change.moved]
        if moved:
            self._leave(stream, [(c.record, c.stored_units) for c in moved])
        parents = [c.record.external_id for c in changes if c.fresh or c.moved]
        for child in self.connector.streams if parents else ():
            if stream.name in child.parents:
                self._again(child, self.rows.children(self.db, child.name, parents), leave=bool(moved))

    def _again(self, stream: Stream, found: list[Stored], *, leave: bool) -> None:
        records = [(understood_row(self.connector, row), tuple(row.units)) for row in found]
        self.derive(stream, records, events=False)
        if leave:
            self._leave(stream, records)

    def batch(self, found: list[Stored], only: str) -> None:
        """Derive a batch of stored rows again for one project: those bound to it come, others go."""
        self._scopes = defaultdict(
            list, {u: [s for s in scopes if s.project_id == only] for u, scopes in self._scopes.items()}
        )
        scope = self.everyone.get(only) or Scope(only, "", self.rows.account)  # bound to nothing: all goes
        self.everyone = {only: scope}
        by_stream: dict[str, list[Stored]] = defaultdict(list)
        for row in found:
            if row.deleted_at is None:
                by_stream[row.stream].append(row)
        for stream in self.connector.streams:
            rows = by_stream.get(stream.name)
            if rows:
                records = [(understood_row(self.connector, row), tuple(row.units)) for row in rows]
                self.derive(stream, records, events=False)
                self._leave(stream, records)
                parents = [row.external_id for row in rows]
                for child in self.connector.streams:
                    if stream.name in child.parents and not child.nested:
                        self._again(child, self.rows.children(self.db, child.name, parents), leave=False)

    def derive(self, stream: Stream, records: list[tuple[Record, tuple[str, ...]]], *, events: bool) -> None:
        """Write the rows of the rooms."""
        if not self.everyone or not stream.kind:
            return
        if stream.parents:
            self.names.load_parents(stream, (record for record, _ in records))
        made: dict[str, list[tuple[Record, Scope, Typed]]] = defaultdict(list)
        for record, units in records:
            if stream.parents and not stream.loose and not self._hangs(record):
                continue
            for scope in self._bound(stream, record, units):
                for typed in self.connector.typed(record, scope, self.names):
                    made[typed.kind].append((record, scope, typed))
        files = made.pop("cwa", [])
        for _, scope, _ in files:
            self.outcome.add(scope.project_id, "cwa", 1)
        for kind in MIRRORS:
            if kind in made:
                self._write(kind, made[kind], files, events=events)

    def _hangs(self, record: Record) -> bool:
        return any(parent in self.names.parents for parent in record.parents)

    def _bound(self, stream: Stream, record: Record, units: tuple[str, ...]) -> list[Scope]:
        belongs = {*units, f"{self.connector.account_unit}:{self.rows.account}"}
        if stream.parents:
            for parent in record.parents:
                if parent in self.names.parents:
                    belongs.update(self.names.parents[parent][1])
        found = {s.project_id: s for unit in belongs for s in self._scopes.get(unit, ())}
        return list(found.values())

    def _leave(self, stream: Stream, records: list[tuple[Record, tuple[str, ...]]]) -> None:
        """Drop rows from projects they are no longer bound to."""
        mirror = MIRRORS.get(stream.kind)
        if mirror is None:
            return
        for project in self.everyone.values():
            gone = [
                record.external_id
                for record, units in records
                if all(s.project_id != project.project_id for s in self._bound(stream, record, units))
            ]
            if gone:
                mirror.drop(self.db, [project.id(stream.kind, each) for each in gone])
                self._bury_ours(stream.kind, project.project_id, gone, "not_bound")

    def _write(
        self,
        kind: str,
        made: list[tuple[Record, Scope, Typed]],
        files: list[tuple[Record, Scope, Typed]],
        *,
        events: bool,
    ) -> None:
        mirror, watched = MIRRORS[kind], events and kind in _WATCHED
        ids = [typed.row["id"] for _, _, typed in made] if watched else []
        known = mirror.known(self.db, ids) if watched else set()
        stages = _stages(self.db, kind, ids) if watched else {}
        written = self._put(kind, made, files)
        for _, scope, typed in written:
            self.outcome.add(scope.project_id, kind, 1)
            if watched and not typed.gone:
                self._note(kind, scope, typed.row, known, stages)
        gone: dict[str, list[str]] = defaultdict(list)
        for _, _, typed in written:
            if typed.gone:
                gone[typed.gone].append(typed.row["id"])
        for reason, ids in gone.items():
            mirror.bury(self.db, ids, self.at, reason)
        self._after(kind, written, events=events)

    def _put(
        self, kind: str, made: list[tuple[Record, Scope, Typed]], files: list[tuple[Record, Scope, Typed]]
    ) -> list[tuple[Record, Scope, Typed]]:
        """Write all at once; when the database refuses, one by one, so that one row stops no other."""
        try:
            with self.db:
                self._put_rows(kind, [t.row for _, _, t in made], [t.row for _, _, t in files])
        except (apsw.Error, OverflowError, TypeError, ValueError) as error:
            if isinstance(error, apsw.FullError | apsw.IOError | apsw.CorruptError | apsw.BusyError):
                raise
        else:
            return made
        taken = []
        for record, scope, typed in made:
            own = [t.row for r, s, t in files if r is record and s is scope]
            try:
                with self.db:
                    self._put_rows(kind, [typed.row], own)
            except (apsw.ConstraintError, apsw.TooBigError, OverflowError, TypeError, ValueError) as error:
                self.outcome.refused.append((record, f"the database does not take it: {error}"))
            else:
                taken.append((record, scope, typed))
        return taken

    def _put_rows(self, kind: str, rows: list[dict[str, Any]], files: list[dict[str, Any]]) -> None:
        if kind == "cwmsg":
            inbox.put_messages(self.db, rows, files)
        else:
            MIRRORS[kind].put(self.db, rows)

    def _note(
        self, kind: str, scope: Scope, row: dict[str, Any], known: set[str], stages: dict[str, str]
    ) -> None:
        if row["id"] not in known:
            self.outcome.happened.append(Happened(kind, scope, row, "new"))
        elif row["id"] in stages and stages[row["id"]] != _stage(kind, row):
            self.outcome.happened.append(Happened(kind, scope, row, "stage", stages[row["id"]]))

    def _after(self, kind: str, written: list[tuple[Record, Scope, Typed]], *, events: bool) -> None:
        if kind == "attioacct":
            mirroring.mirror_accounts(self.db, [t.row for _, _, t in written if not t.gone], self.at)
        elif kind == "attiodeal":
            mirroring.mirror_opportunities(self.db, [t.row for _, _, t in written if not t.gone], self.at)
        elif kind in ("linissue", "linrel"):
            touched: dict[str, list[str]] = defaultdict(list)
            for _, scope, typed in written:
                key = "external_id" if kind == "linissue" else "related_external_id"
                touched[scope.project_id].append(typed.row[key])
            for project_id, ids in touched.items():
                self.settle(project_id, ids, events=events)

    def settle(self, project_id: str, external_ids: list[str], *, events: bool) -> None:
        """Count blockers again."""
        for issue in work.settle_blocked(self.db, project_id, external_ids):
            if events:
                what = "blocked" if issue.blocked else "unblocked"
                row = msgspec.structs.asdict(issue)
                scope = self.everyone[project_id]
                self.outcome.happened.append(Happened("linissue", scope, row, what))

    def bury(self, stream: Stream, ids: list[str], reason: str) -> None:
        """Mark rows as gone at the vendor, in every project, with what hangs on them."""
        self.rows.bury(self.db, stream.name, ids, self.at, reason)
        mirror = MIRRORS.get(stream.kind)
        if mirror is None:
            return
        for scope in self.everyone.values():
            own = [scope.id(stream.kind, each) for each in ids]
            mirror.bury(self.db, own, self.at, reason)
            self._bury_below(stream.kind, scope, own, ids)

    def _bury_below(self, kind: str, scope: Scope, own: list[str], ids: list[str]) -> None:
        if kind == "cw":
            inbox.bury_messages_of(self.db, own, self.at, "conversation_deleted")
        elif kind == "linissue":
            work.bury_comments_of(self.db, own, self.at, "issue_deleted")
            self.settle(scope.project_id, ids, events=True)
        elif kind == "linrel":
            related = [str(understood_row(self.connector, row).wire.relatedIssue.id)
                       for row in self.rows.by_ids(self.db, "relations", ids)]  # fmt: skip
            self.settle(scope.project_id, related, events=True)
        elif kind in ("attioacct", "attiodeal", "attioperson"):
            crm.bury_notes_of(self.db, scope.project_id, ids, self.at, "record_deleted")
            self._bury_ours(kind, scope.project_id, ids, "record_deleted")

    def _bury_ours(self, kind: str, project_id: str, ids: list[str], reason: str) -> None:
        """Mark our accounts and opportunities that mirror these."""
        ours = _OURS.get(kind)
        if ours is not None:
            mirroring.bury(self.db, ours, project_id, ids, at=self.at, reason=reason)


def _stages(db: apsw.Connection, kind: str, ids: list[str]) -> dict[str, str]:
    """The stages that deals or projects were in until now."""
    if kind == "attiodeal":
        return crm.stages(db, ids)
    return work.stages(db, ids) if kind == "linproj" else {}


def _stage(kind: str, row: dict[str, Any]) -> str:
    return row["stage"] if kind == "attiodeal" else f"{row['state'] or ''} {row['target_date'] or ''}"


def understood_row(connector: Connector, row: Stored) -> Record:
    """A stored row, understood again; it was understood when it was stored."""
    try:
        return connector.parse(row.stream, row.body.encode())[0]
    except BadPayload as error:
        raise AssertionError(f"a stored row of {row.stream} is not understood: {error}") from error


def renamed(connector: Connector, changes: list[Change]) -> bool:
    """Whether other rows show something of these that has changed."""
    for change in changes:
        if change.before is not None and not change.fresh:
            old = connector.parse(change.record.stream, change.before.encode())[0]
            if connector.label(old) != connector.label(change.record):
                return True
    return False
