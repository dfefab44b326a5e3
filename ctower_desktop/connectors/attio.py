"""Attio: everything is read whole every time, by the time of creation, and compared by content.

Attio keeps no time of the last change. Rate limit: 100 reads and 25 writes a second, 429 with Retry-After as
an HTTP date. Page sizes: records 500, tasks 500, notes 50. Records are walked by `created_at` instead of by
offset, because a delete during an offset walk moves rows over a page's edge; notes and tasks know only
offsets. Deletes: a row missing from a complete walk is asked for by itself, or must be missing twice. Objects
that a workspace has not switched on are no failure. Tokens do not expire.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, ClassVar

import msgspec

from ctower_desktop.connectors import attio_values as rows
from ctower_desktop.connectors.contract import (
    Account,
    Asks,
    BadPayload,
    Budget,
    Done,
    Ending,
    Missing,
    Names,
    NeedsUser,
    Page,
    Record,
    Refused,
    Scope,
    Stream,
    Typed,
    Walk,
)
from ctower_desktop.connectors.settings import AttioSettings
from ctower_desktop.connectors.wire import Window, by_status, json_only
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Answer

RECORDS = 500
TASKS = 500
NOTES = 50


class _Data(msgspec.Struct):
    data: list[msgspec.Raw]


class _Self(msgspec.Struct):
    active: bool
    scope: str = ""
    workspace_id: str | None = None
    workspace_name: str | None = None


class _Key(msgspec.Struct):
    created_at: str
    id: dict[str, str]


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""


class Attio:
    """Companies, people, deals, notes and tasks, from a workspace of Attio."""

    name: ClassVar[str] = "attio"
    title: ClassVar[str] = "Attio"
    settings: ClassVar[type[msgspec.Struct]] = AttioSettings
    local_ids: ClassVar[bool] = False
    account_unit: ClassVar[str] = "workspace"
    unit_streams: ClassVar[dict[str, str]] = {"company": "companies"}
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("members", named=True),
        Stream("companies", "attioacct", named=True),
        Stream("people", "attioperson", parents=("companies",), loose=True),
        Stream("deals", "attiodeal", parents=("companies",), loose=True),
        Stream("notes", "attionote", parents=("deals", "companies", "people"), loose=True),
        Stream("tasks", "attiotask", parents=("deals", "companies", "people"), loose=True),
    )

    def base_url(self, page: AttioSettings) -> str:
        return page.base_url

    def missing_setting(self, page: AttioSettings) -> str | None:
        return None if page.api_token else "enter an access token"

    def headers(self, page: AttioSettings) -> dict[str, str]:
        return {"authorization": f"Bearer {page.api_token}"}

    def budgets(
        self, page: AttioSettings, now: Callable[[], float], sleep: Callable[[float], Any]
    ) -> list[Budget]:
        return [Window(60, 1.0, now, sleep)]

    def failure(self, answer: Answer) -> Upstream | None:
        if answer.status in (400, 403):
            said = _error(answer)
            if answer.status == 403:
                return NeedsUser(
                    f"The Attio token lacks a right: {said.message or said.code}. Give it read rights for "
                    "records, objects, notes, tasks and members."
                )
            return Refused(f"Attio refused a question: {said.code} {said.message}".rstrip())
        return by_status(self.title, answer) or json_only(self.title, answer)

    async def check(self, wire: Asks, page: AttioSettings) -> Account:
        found = _decoded(_Self, await wire.get("/v2/self"))
        if not found.active or not found.workspace_id:
            raise NeedsUser("The Attio token is switched off. Make a new one and enter it again.")
        return Account(found.workspace_id, found.workspace_name or "Attio")

    async def pull(self, wire: Asks, page: AttioSettings, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        name = walk.stream.name
        try:
            if name == "members":
                found = _decoded(_Data, await wire.get("/v2/workspace_members"))
                yield Page(name, [bytes(raw) for raw in found.data])
                yield Done(enumerated=True, certain=True)
            elif name == "notes":
                async for step in self._by_offset(wire, "/v2/notes", name, NOTES, {}):
                    yield step
            elif name == "tasks":
                async for step in self._by_offset(wire, "/v2/tasks", name, TASKS, {"sort": "created_at:asc"}):
                    yield step
            else:
                async for step in self._records(wire, name):
                    yield step
        except Missing:
            yield Done(absent=True)

    async def _records(self, wire: Asks, name: str) -> AsyncGenerator[Page | Done, None]:
        """All records by the time they were made: each page begins at the last one's time, inclusive.

        More rows than a page holds may share one time; an offset goes on within it then.
        """
        since: str | None = None
        offset, seen, ending = 0, set[str](), Ending(self.title)
        while True:
            body: dict[str, Any] = {
                "limit": RECORDS,
                "offset": offset,
                "sorts": [{"attribute": "created_at", "direction": "asc"}],
            }
            if since is not None:
                body["filter"] = {"created_at": {"$gte": since}}
            found = _decoded(_Data, await wire.post(f"/v2/objects/{name}/records/query", body)).data
            keys = [_key(raw) for raw in found]
            new = [
                bytes(raw) for raw, key in zip(found, keys, strict=True) if key is None or key[1] not in seen
            ]
            known = len(seen)
            seen.update(key[1] for key in keys if key is not None)
            if new:
                yield Page(name, new)
            last = next((key[0] for key in reversed(keys) if key is not None), since)
            if len(found) < RECORDS:
                break
            ending.brought(len(seen) - known)
            offset = offset + RECORDS if last == since else 0
            since = last
        yield Done(enumerated=True, count=len(seen))

    async def _by_offset(
        self, wire: Asks, path: str, name: str, size: int, params: dict[str, Any]
    ) -> AsyncGenerator[Page | Done, None]:
        """All rows of a list that knows only offsets; pages overlap, so that a delete skips nothing."""
        offset, seen, ending = 0, set[str](), Ending(self.title)
        while True:
            given = {"limit": size, "offset": offset, **params}
            found = _decoded(_Data, await wire.get(path, given)).data
            keys = [_key(raw) for raw in found]
            fresh = {key[1] for key in keys if key is not None} - seen
            joined = offset == 0 or len(fresh) < len(found)  # the first row was on the page before
            if not joined and found:
                offset = max(0, offset - size + 1)
                continue
            new = [bytes(raw) for raw, key in zip(found, keys, strict=True) if key is None or key[1] in fresh]
            seen |= fresh
            if new:
                yield Page(name, new)
            if len(found) < size:
                break
            ending.brought(len(fresh))
            offset += size - 1
        yield Done(enumerated=True, count=len(seen))

    async def exists(self, wire: Asks, page: AttioSettings, stream: str, external_id: str) -> bool | None:
        if stream == "members":
            return None
        path = {"notes": "/v2/notes", "tasks": "/v2/tasks"}.get(stream, f"/v2/objects/{stream}/records")
        try:
            await wire.get(f"{path}/{external_id}")
        except Missing:
            return False
        return True

    def parse(self, stream: str, raw: bytes) -> list[Record]:
        return rows.parse(stream, raw)

    def typed(self, record: Record, scope: Scope, names: Names) -> list[Typed]:
        return rows.typed(record, scope, names)

    def label(self, record: Record) -> str:
        if isinstance(record.wire, rows.Member):
            return rows.person_name(record.wire) or ""
        return rows.company_name(record.wire)

    def listed(self, record: Record) -> bool:
        return True

    def unit_name(self, record: Record) -> str:
        return rows.company_name(record.wire)


def _decoded(kind: Any, answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadPayload(f"Attio's answer is not what it should be: {error}.") from None


def _key(raw: msgspec.Raw) -> tuple[str, str] | None:
    """Time and id of a row; None when it has none, which quarantine will say."""
    try:
        found = msgspec.json.decode(raw, type=_Key)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    ids = (found.id.get(name) for name in ("record_id", "note_id", "task_id"))
    own = next((each for each in ids if each), None)
    return (found.created_at, own) if own else None


def _error(answer: Answer) -> _Error:
    try:
        return msgspec.json.decode(answer.body, type=_Error)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Error()
