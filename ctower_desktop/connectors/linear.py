"""Linear: every stream by a frozen window of changes, archived rows included; ids alone for reconciliation.

Rate limit: requests and complexity an hour, read from the headers; refused with RATELIMITED at status 400.
Cursor: the upper end of the last complete window, which is the server's clock when the walk began; windows
overlap and include their lower end. Page size: 100 rows, 250 ids. Order is newest change first: a row that
changes while we walk moves out of the window and is read by the next one. Deletes: trash is a column, what is
gone for good shows only in the enumeration of ids. Personal keys do not expire.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any, ClassVar

import msgspec

from ctower_desktop.connectors import linear_queries as queries
from ctower_desktop.connectors import linear_rows as rows
from ctower_desktop.connectors.contract import (
    Account,
    Asks,
    BadPayload,
    Budget,
    CursorLost,
    Done,
    Names,
    NeedsUser,
    Page,
    PartialData,
    Record,
    Refused,
    Scope,
    Stream,
    Transient,
    Typed,
    Walk,
)
from ctower_desktop.connectors.settings import LinearSettings
from ctower_desktop.connectors.times import moment
from ctower_desktop.connectors.wire import Announced, Window, by_status, http_date, json_only, retry_after
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Answer
from ctower_desktop.kernel.system import as_text, from_text

OVERLAP = timedelta(minutes=10)
_RESETS = ("x-ratelimit-endpoint-requests-reset", "x-ratelimit-requests-reset")
_USER_ACTS = {"AUTHENTICATION_ERROR", "FORBIDDEN", "FEATURE_NOT_ACCESSIBLE", "USAGE_LIMIT_EXCEEDED"}
_NEVER_AGAIN = {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT", "INPUT_ERROR"}


class _Extensions(msgspec.Struct):
    code: str | None = None
    type: str | None = None
    userPresentableMessage: str | None = None


class _Error(msgspec.Struct):
    message: str = ""
    extensions: _Extensions = msgspec.field(default_factory=_Extensions)


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[_Error] | None = None


class _PageInfo(msgspec.Struct):
    hasNextPage: bool
    endCursor: str | None = None


class _Connection(msgspec.Struct):
    nodes: list[msgspec.Raw]
    pageInfo: _PageInfo


class _Version(msgspec.Struct):
    id: str
    updatedAt: str


class _Organization(msgspec.Struct):
    id: str
    name: str


class _Viewer(msgspec.Struct):
    organization: _Organization


class Linear:
    """Issues and what is said about them, from a workspace of Linear."""

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "Linear"
    settings: ClassVar[type[msgspec.Struct]] = LinearSettings
    local_ids: ClassVar[bool] = False
    account_unit: ClassVar[str] = "workspace"
    unit_streams: ClassVar[dict[str, str]] = {"team": "teams", "project": "projects"}
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("users", "linuser", named=True),
        Stream("teams", "linteam", named=True),
        Stream("states", "linstate", named=True),
        Stream("labels", named=True),
        Stream("projects", "linproj", named=True),
        Stream("cycles", "lincycle", named=True),
        Stream("issues", "linissue"),
        Stream("relations", "linrel", parents=("issues",)),
        Stream("comments", "lincomment", parents=("issues",)),
    )

    def base_url(self, page: LinearSettings) -> str:
        return page.base_url

    def missing_setting(self, page: LinearSettings) -> str | None:
        return None if page.api_token else "enter an API key"

    def headers(self, page: LinearSettings) -> dict[str, str]:
        return {"authorization": page.api_token}

    def budgets(
        self, page: LinearSettings, now: Callable[[], float], sleep: Callable[[float], Any]
    ) -> list[Budget]:
        return [
            Window(40, 1.0, now, sleep),
            Announced("x-ratelimit-requests-remaining", "x-ratelimit-requests-reset", 20.0, now, sleep),
            Announced(
                "x-ratelimit-complexity-remaining", "x-ratelimit-complexity-reset", 10_000.0, now, sleep
            ),
        ]

    def failure(self, answer: Answer) -> Upstream | None:
        """By the error's code first: statuses cannot be trusted here."""
        errors = _errors(answer)
        codes = {error.extensions.code or "" for error in errors}
        if "RATELIMITED" in codes or any(e.extensions.type == "ratelimited" for e in errors):
            return Transient("Linear is asked too often.", retry_after=_reset(answer))
        said = "; ".join(filter(None, (_words(error) for error in errors)))[:300]
        if codes & _USER_ACTS:
            return NeedsUser(f"Linear does not accept the key: {said}. Make a new one and enter it again.")
        if codes & _NEVER_AGAIN and answer.status in (200, 400):
            lost = "cursor" in said.lower()
            return (CursorLost if lost else Refused)(f"Linear refused a question: {said}")
        if answer.status >= 300:
            return by_status(self.title, answer)
        return None if errors else json_only(self.title, answer)

    async def check(self, wire: Asks, page: LinearSettings) -> Account:
        found, _ = await self._asked(wire, queries.VIEWER, "Viewer", {})
        organization = _decoded(_Viewer, found).organization
        return Account(organization.id, organization.name)

    async def pull(self, wire: Asks, page: LinearSettings, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        asked = queries.STREAMS[walk.stream.name]
        walking = self._everything if asked.filter is None else self._ids if walk.whole else self._window
        async for found in walking(wire, walk):
            yield found

    async def _window(self, wire: Asks, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        """What changed since the watermark and before now, by the server's clock."""
        place = walk.resume or {}
        since, upper, after = place.get("since"), place.get("upper"), place.get("after")
        if upper is None:
            upper = wire.server_time or await self._now(wire)
            since = as_text(from_text(walk.watermark) - OVERLAP) if walk.watermark else None
        window = {"lt": upper} | ({"gte": since} if since else {})
        while True:
            try:
                found, error = await self._page(wire, walk.stream.name, after, {"updatedAt": window})
            except CursorLost:
                if after is None:
                    raise
                after = None  # the window is read again from its beginning
                continue
            after = found.pageInfo.endCursor
            place = {"since": since, "upper": upper, "after": after}
            more = found.pageInfo.hasNextPage and after is not None
            yield Page(walk.stream.name, [bytes(n) for n in found.nodes],
                       resume=place if more else None, error=error)  # fmt: skip
            if not more:
                break
        yield Done(watermark=upper)

    async def _everything(self, wire: Asks, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        """Streams the vendor cannot filter are read whole every time."""
        after, failed = None, False
        while True:
            found, error = await self._page(wire, walk.stream.name, after, None)
            failed = failed or error is not None
            yield Page(walk.stream.name, [bytes(n) for n in found.nodes], error=error)
            after = found.pageInfo.endCursor
            if not found.pageInfo.hasNextPage or after is None:
                break
        yield Done(enumerated=not failed, certain=True)

    async def _ids(self, wire: Asks, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        """All ids and versions; the rows of those that are not here in that version."""
        name, after, total = walk.stream.name, None, 0
        upper = wire.server_time or await self._now(wire)
        while True:
            variables = {"first": queries.IDS_PER_PAGE, "after": after}
            data, error = await self._asked(wire, queries.ids(name), f"{name.capitalize()}Ids", variables)
            if error is not None:
                raise error
            found = _connection(data)
            versions = {v.id: moment(v.updatedAt) or "" for v in (_decoded(_Version, n) for n in found.nodes)}
            total += len(versions)
            known = await walk.known(list(versions))
            wanted = [i for i, version in versions.items() if known.get(i, "") < version]
            yield Page(name, [], seen=list(versions))
            for start in range(0, len(wanted), queries.BY_IDS):
                some = wanted[start : start + queries.BY_IDS]
                page, failed = await self._page(wire, name, None, {"id": {"in": some}})
                yield Page(name, [bytes(n) for n in page.nodes], error=failed)
            after = found.pageInfo.endCursor
            if not found.pageInfo.hasNextPage or after is None:
                break
        first_time = walk.watermark is None
        yield Done(watermark=upper if first_time else None, enumerated=True, certain=True, count=total)

    async def _now(self, wire: Asks) -> str:
        await self._asked(wire, queries.VIEWER, "Viewer", {})
        if wire.server_time is None:
            raise BadPayload("Linear does not say what time it is: its answers have no Date.")
        return wire.server_time

    async def _page(
        self, wire: Asks, stream: str, after: str | None, filtered: dict[str, Any] | None
    ) -> tuple[_Connection, PartialData | None]:
        asked = queries.STREAMS[stream]
        variables: dict[str, Any] = {"first": asked.first, "after": after}
        if filtered is not None:
            variables["filter"] = filtered
        data, error = await self._asked(wire, queries.rows(stream), stream.capitalize(), variables)
        return _connection(data), error

    async def _asked(
        self, wire: Asks, query: str, operation: str, variables: dict[str, Any]
    ) -> tuple[bytes, PartialData | None]:
        """The data of an answer; errors beside them mean that a part is missing."""
        answer = await wire.post("", {"query": query, "operationName": operation, "variables": variables})
        envelope = _decoded(_Envelope, answer.body)
        errors = envelope.errors or []
        data = bytes(envelope.data)
        said = "; ".join(filter(None, (_words(error) for error in errors)))[:300]
        if data == b"null":
            raise Transient(f"Linear answered with an error: {said or 'no data'}.")
        return data, PartialData(f"Linear left out a part: {said}.") if errors else None

    async def exists(self, wire: Asks, page: LinearSettings, stream: str, external_id: str) -> bool | None:
        return None

    def parse(self, stream: str, raw: bytes) -> list[Record]:
        return rows.parse(stream, raw)

    def typed(self, record: Record, scope: Scope, names: Names) -> list[Typed]:
        return rows.typed(record, scope, names)

    def label(self, record: Record) -> str:
        extra = record.wire.type if isinstance(record.wire, rows.State) else ""
        return f"{rows.shown(record.wire)}\n{extra}"

    def listed(self, record: Record) -> bool:
        return True

    def unit_name(self, record: Record) -> str:
        return rows.shown(record.wire)


def _decoded(kind: Any, body: bytes) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadPayload(f"Linear's answer is not what it should be: {error}.") from None


def _connection(data: bytes) -> _Connection:
    """The one connection in an answer; null where an error took it away."""
    found = _decoded(dict[str, _Connection | None], data)
    connection = next(iter(found.values()), None)
    if connection is None:
        raise PartialData("Linear left out all rows of an answer.")
    assert isinstance(connection, _Connection)
    return connection


def _errors(answer: Answer) -> list[_Error]:
    if b'"errors"' not in answer.body:
        return []
    try:
        return msgspec.json.decode(answer.body, type=_Envelope).errors or []
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []


def _words(error: _Error) -> str:
    return error.extensions.userPresentableMessage or error.message


def _reset(answer: Answer) -> float | None:
    """Seconds until the vendor answers again: Retry-After, else the reset that lies nearest."""
    given = retry_after(answer)
    now = http_date(answer.headers.get("date"))
    if given is not None or now is None:
        return given
    waits = []
    for name in _RESETS:
        raw = answer.headers.get(name, "")
        if raw.isdecimal():
            waits.append(max(0.0, int(raw) / 1_000 - now.timestamp()))
    return min(waits) if waits else None
