"""One transaction of a pull: rows, what follows from them in the rooms, where reading goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

import apsw
import msgspec

from ctower_desktop.connectors import ledger_store, remote_store
from ctower_desktop.connectors.contract import BadPayload, Connector, Done, Page, Record, Stream, stream_of
from ctower_desktop.connectors.events import events_of
from ctower_desktop.connectors.projection_store import MIRRORS, Projector, bindings, renamed, understood_row
from ctower_desktop.connectors.remote_store import Rows
from ctower_desktop.kernel.sql import Command, Query

BATCH = 150  # rows; a conversation may take hundreds of messages along
_HOLD_SHARE = 0.2
_HOLD_LEAST = 5


class _Due(msgspec.Struct, frozen=True):
    project_id: str
    after_id: int


_MARK = Command("""
    INSERT INTO projection_due (project_id, connector) VALUES (:project_id, :connector)
    ON CONFLICT (project_id, connector) DO UPDATE SET after_id = 0
""")
_DUE = Query(_Due, "SELECT project_id, after_id FROM projection_due WHERE connector = :connector ORDER BY id")
_MOVE = Command("""
    UPDATE projection_due SET after_id = :after WHERE project_id = :project_id AND connector = :connector
""")
_UNMARK = Command("DELETE FROM projection_due WHERE project_id = :project_id AND connector = :connector")


@dataclass(slots=True)
class Counts:
    """What a pull did so far, per project and kind; rows `stored` are rows that differ from before."""

    touched: dict[str, dict[str, int]] = field(default_factory=dict)
    generated: dict[str, int] = field(default_factory=dict)
    inserted: dict[str, int] = field(default_factory=dict)
    read: int = 0
    stored: int = 0
    bad: int = 0
    buried: int = 0
    held: dict[str, int] = field(default_factory=dict)


class Intake:
    """Writes the pages of one pull. Its functions run on the writer's thread, one transaction each."""

    def __init__(self, connector: Connector, rows: Rows, run: int, since: dict[str, str]) -> None:
        self.connector, self.rows, self.run, self.since = connector, rows, run, since
        self.counts = Counts()
        self.rename = False

    def take(self, db: apsw.Connection, pages: list[Page], at: str, swept: bool) -> list[str]:  # noqa: FBT001
        """Store pages with their place; return the ids that were seen."""
        seen: list[str] = []
        projector = Projector(db, self.connector, self.rows, at)
        for page in pages:
            seen += self._page(db, projector, page, at, swept=swept)
        self._account(db, projector, at)
        return seen

    def _page(
        self, db: apsw.Connection, projector: Projector, page: Page, at: str, *, swept: bool
    ) -> list[str]:
        stream = stream_of(self.connector, page.stream)
        records, bad = self._understood(db, stream, page.rows, at)
        self.counts.read += len(page.rows)
        self.counts.bad += bad
        for name in dict.fromkeys(r.stream for r in records):
            self._store(db, projector, stream_of(self.connector, name), records, at)
        own = [r.external_id for r in records if r.stream == stream.name]
        if page.parent is not None:
            self._nested(db, projector, stream, page, own, at, swept=swept, bad=bad)
        elif page.resume is not None:
            self.rows.resume(db, stream.name, page.resume)
        return [*own, *page.seen]

    def _understood(
        self, db: apsw.Connection, stream: Stream, raws: list[bytes], at: str
    ) -> tuple[list[Record], int]:
        records: list[Record] = []
        bad = 0
        for raw in raws:
            try:
                records += self.connector.parse(stream.name, raw)
            except BadPayload as error:
                bad += 1
                self._quarantine(db, stream.name, _id_of(raw), str(error), raw, at)
        return records, bad

    def _quarantine(  # noqa: PLR0917
        self, db: apsw.Connection, stream: str, external_id: str, reason: str, raw: bytes, at: str
    ) -> None:
        ledger_store.quarantine(
            db, self.connector.name, self.rows.account, stream, external_id, reason, raw, at
        )

    def _store(
        self, db: apsw.Connection, projector: Projector, stream: Stream, records: list[Record], at: str
    ) -> None:
        own = [r for r in records if r.stream == stream.name]
        changes = self.rows.put(db, stream, own, at, self.run)
        if changes:
            self.counts.stored += len(changes)
            if stream.named and renamed(self.connector, changes):
                self.rename = True
            projector.changes(stream, changes)
            ids = [change.record.external_id for change in changes]
            ledger_store.release(db, self.connector.name, self.rows.account, stream.name, ids, at)

    def _nested(  # noqa: PLR0917
        self,
        db: apsw.Connection,
        projector: Projector,
        stream: Stream,
        page: Page,
        own: list[str],
        at: str,
        *,
        swept: bool,
        bad: int,
    ) -> None:
        """What is missing between two numbers of a complete answer is gone; then the parent is covered."""
        parent = page.parent or ""
        if page.complete_from is not None and not bad:
            here = self.rows.below(db, stream.name, parent, page.complete_from)
            gone = sorted(set(here) - set(own))
            if gone:
                projector.bury(stream, gone, "absent_at_vendor")
                self.counts.buried += len(gone)
        if page.covered is not None:
            aside = [below(parent)]
            ledger_store.release(db, self.connector.name, self.rows.account, stream.name, aside, at)
            self.rows.cover(db, stream.parents[0], parent, page.covered, at if swept else None)

    def _account(self, db: apsw.Connection, projector: Projector, at: str) -> None:
        outcome = projector.outcome
        for record, reason in outcome.refused:
            self.counts.bad += 1
            self._quarantine(db, record.stream, record.external_id, reason, record.raw, at)
        for project_id, kinds in outcome.touched.items():
            counts = self.counts.touched.setdefault(project_id, {})
            for kind, n in kinds.items():
                counts[kind] = counts.get(kind, 0) + n
        by_project: dict[str, list[object]] = {}
        found = events_of(outcome.happened, self.since)
        for event in found:
            by_project.setdefault(event.project_id, []).append(event)
            self.counts.generated[event.project_id] = self.counts.generated.get(event.project_id, 0) + 1
        for project_id in by_project:
            own = [event for event in found if event.project_id == project_id]
            inserted = ledger_store.put_events(db, own, at)
            self.counts.inserted[project_id] = self.counts.inserted.get(project_id, 0) + inserted

    def again(self, db: apsw.Connection, at: str) -> None:
        """Try to understand the quarantined rows again."""
        for stream in self.connector.streams:
            kept = [r for r in ledger_store.kept(db, self.connector.name) if r.stream == stream.name]
            good: list[str] = []
            for row in kept:
                try:
                    records = self.connector.parse(stream.name, row.body.encode())
                except BadPayload:
                    continue
                projector = Projector(db, self.connector, self.rows, at)
                self._store(db, projector, stream, records, at)
                if not projector.outcome.refused:
                    good.append(row.external_id)
            ledger_store.release(db, self.connector.name, self.rows.account, stream.name, good, at)

    def done(self, db: apsw.Connection, stream: Stream, done: Done, at: str) -> None:
        """A walk is complete: promote its watermark, forget its place."""
        self.rows.promote(db, stream.name, done.watermark, done.count, at)

    def vanished(
        self, db: apsw.Connection, stream: Stream, seen: set[str], *, allow: bool
    ) -> tuple[list[str], list[str]]:
        """Rows missing from a complete enumeration: those missing for the first time, and again.

        When too many are missing at once nothing is concluded: a permission or a setting may be behind it.
        """
        held = self.rows.held(db, stream.name)
        missing = [row for row in held if row.external_id not in seen]
        if stream.embedded and missing:
            stored = self.rows.by_ids(db, stream.name, [row.external_id for row in missing])
            shown = {
                r.external_id for r in stored if self.connector.listed(understood_row(self.connector, r))
            }
            missing = [row for row in missing if row.external_id in shown]
        many = len(missing) >= _HOLD_LEAST and len(missing) > _HOLD_SHARE * len(held)
        empty = not seen and len(missing) >= 3
        if (many or empty) and not allow:
            self.rows.hold(db, stream.name, len(missing))
            self.counts.held[stream.name] = len(missing)
            return [], []
        self.rows.hold(db, stream.name, 0)
        again = [row.external_id for row in missing if row.absent_since is not None]
        return [row.external_id for row in missing if row.absent_since is None], again

    def conclude(  # noqa: PLR0917
        self,
        db: apsw.Connection,
        stream: Stream,
        gone: list[str],
        alive: list[str],
        unsure: list[str],
        at: str,
    ) -> None:
        """Bury what is gone, note what was missing once, clear what is there after all."""
        projector = Projector(db, self.connector, self.rows, at)
        if gone:
            projector.bury(stream, gone, "absent_at_vendor")
            self.counts.buried += len(gone)
        if alive:
            self.rows.present(db, stream.name, alive)
        if unsure:
            self.rows.absent(db, stream.name, unsure, at)
        self._account(db, projector, at)


def below(parent: str) -> str:
    """The name in quarantine of everything below a row that could not be read."""
    return f"below {parent}"


def mark_due(db: apsw.Connection, connector: str, projects: list[str]) -> None:
    """The rows of these projects must be derived anew."""
    for project_id in projects:
        _MARK.run(db, project_id=project_id, connector=connector)


def derive_some(db: apsw.Connection, connector: Connector, account: str, at: str) -> bool:
    """Derive one batch of what is due; return whether there is more."""
    found = _DUE.first(db, connector=connector.name)
    if found is None:
        return False
    rows = Rows(connector.name, account)
    batch = rows.after(db, found.after_id, BATCH)
    key = {"project_id": found.project_id, "connector": connector.name}
    if not batch:
        _UNMARK.run(db, **key)
        return True
    Projector(db, connector, rows, at).batch(batch, found.project_id)
    _MOVE.run(db, after=batch[-1].id, **key)
    return True


def adopt(db: apsw.Connection, connector: Connector, account: str, name: str, origin: str) -> bool:
    """Remember the account. Another one is another source, whose rows and bindings are dropped first.

    The same account at another address keeps its bindings; its rows are read anew where their ids could be
    those of another server.
    """
    known = remote_store.connection(db, connector.name)
    if known is not None and known.account != account:
        forget(db, connector, known.account)
    elif known is not None and known.origin != origin and connector.local_ids:
        _forget_rows(db, connector, account)
    remote_store.connect(db, connector.name, account, name, origin)
    return known is None


def forget(db: apsw.Connection, connector: Connector, account: str) -> None:
    """Drop everything that came from an account, and what was bound of it."""
    _forget_rows(db, connector, account)
    _UNBIND.run(db, connector=connector.name)


def _forget_rows(db: apsw.Connection, connector: Connector, account: str) -> None:
    rows, after = Rows(connector.name, account), 0
    projects = {b.project_id: b for b in bindings(db, connector.name)}
    while batch := rows.after(db, after, BATCH):
        after = batch[-1].id
        for row in batch:
            kind = stream_of(connector, row.stream).kind
            mirror = MIRRORS.get(kind)
            if mirror is not None:
                mirror.drop(db, [f"{kind}:{p}:{account}:{row.external_id}" for p in projects])
    remote_store.forget(db, connector.name)


_UNBIND = Command("DELETE FROM source_binding WHERE connector = :connector")


class _AnyId(msgspec.Struct):
    id: str | int | dict[str, str]


def _id_of(raw: bytes) -> str:
    """The id of a row that is not understood otherwise, if it has one."""
    try:
        found = msgspec.json.decode(raw, type=_AnyId).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    if isinstance(found, dict):
        own = (found.get(name) for name in ("record_id", "note_id", "task_id", "workspace_member_id"))
        found = next(filter(None, own), "")
    return str(found)[:200]
