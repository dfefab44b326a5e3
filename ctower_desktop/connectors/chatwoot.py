"""Chatwoot: conversations newest activity first, their messages by number, contacts by enumeration.

Rate limit: 3000 requests a minute per address (fixed windows, 429 without Retry-After), paced by a window of
our own. Cursor: the walk's start on the server's clock; `updated_within` where the server knows it. Page
sizes: conversations 25 (a server may change it), contacts 15, messages 1000 between two numbers. Deletes:
seen only by enumeration; an edit of a message moves nothing, so the last messages of every conversation that
moved are read again. Tokens do not expire; an administrator's is needed to see everything.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any, ClassVar

import msgspec

from ctower_desktop.connectors import chatwoot_rows as rows
from ctower_desktop.connectors.contract import (
    Account,
    Asks,
    BadPayload,
    Budget,
    Done,
    Missing,
    Names,
    NeedsUser,
    Page,
    Record,
    Scope,
    Stream,
    Typed,
    Walk,
)
from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.connectors.times import moment
from ctower_desktop.connectors.wire import Window, by_status, json_only
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Answer
from ctower_desktop.kernel.system import as_text, from_text

OVERLAP = timedelta(minutes=15)
LONGEST_GAP = timedelta(days=2)  # longer ones are paged: the short way is not paginated
CONVERSATIONS_PER_PAGE = 25
CONTACTS_PER_PAGE = 15
MESSAGES_PER_PAGE = 1_000
LAST_MESSAGE = 2**31 - 1
_NOWHERE = 1_000_000  # a page no account has


class _Counts(msgspec.Struct):
    all_count: int | None = None


class _Listed(msgspec.Struct):
    payload: list[msgspec.Raw]
    meta: _Counts = msgspec.field(default_factory=_Counts)


class _Conversations(msgspec.Struct):
    data: _Listed


class _ContactsMeta(msgspec.Struct):
    count: int | None = None


class _Contacts(msgspec.Struct):
    payload: list[msgspec.Raw]
    meta: _ContactsMeta = msgspec.field(default_factory=_ContactsMeta)


class _Payload(msgspec.Struct):
    payload: list[msgspec.Raw]


class _Activity(msgspec.Struct):
    id: int | None = None
    last_activity_at: float | str | None = None
    timestamp: float | str | None = None


class _Role(msgspec.Struct):
    id: int
    role: str | None = None
    name: str | None = None


class _Profile(msgspec.Struct):
    accounts: list[_Role] = []


class _MessageId(msgspec.Struct):
    id: int


class Chatwoot:
    """Conversations of customers, from an account of Chatwoot."""

    name: ClassVar[str] = "chatwoot"
    title: ClassVar[str] = "Chatwoot"
    settings: ClassVar[type[msgspec.Struct]] = ChatwootSettings
    local_ids: ClassVar[bool] = True
    account_unit: ClassVar[str] = "account"
    unit_streams: ClassVar[dict[str, str]] = {"inbox": "inboxes"}
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("agents", named=True),
        Stream("inboxes", "cwinbox"),
        Stream("contacts", "cwc", embedded=True),
        Stream("conversations", "cw"),
        Stream("messages", "cwmsg", parents=("conversations",), nested=True),
    )

    def base_url(self, page: ChatwootSettings) -> str:
        return page.base_url

    def missing_setting(self, page: ChatwootSettings) -> str | None:
        if not page.base_url:
            return "enter the address of the server"
        if not page.account_id.isdecimal():
            return "enter the number of the account"
        return None if page.api_token else "enter an access token"

    def headers(self, page: ChatwootSettings) -> dict[str, str]:
        return {"api_access_token": page.api_token, "accept": "application/json"}

    def budgets(
        self, page: ChatwootSettings, now: Callable[[], float], sleep: Callable[[float], Any]
    ) -> list[Budget]:
        return [Window(page.requests_per_minute, 60.0, now, sleep)]

    def failure(self, answer: Answer) -> Upstream | None:
        return by_status(self.title, answer) or json_only(self.title, answer)

    async def check(self, wire: Asks, page: ChatwootSettings) -> Account:
        try:
            profile = _decoded(_Profile, await wire.get("/api/v1/profile"))
        except Missing:
            raise NeedsUser("There is no Chatwoot at that address: look at the address again.") from None
        found = next((a for a in profile.accounts if str(a.id) == page.account_id), None)
        if found is None:
            raise NeedsUser(
                f"The token does not belong to account {page.account_id}: look at its number again."
            )
        if found.role != "administrator":
            raise NeedsUser(
                "The token is not an administrator's: it sees only some inboxes, and what it does not see "
                "would look deleted. Use an administrator's token."
            )
        return Account(page.account_id, found.name or f"Account {page.account_id}")

    async def pull(self, wire: Asks, page: ChatwootSettings, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        prefix = f"/api/v1/accounts/{page.account_id}"
        match walk.stream.name:
            case "agents":
                answer = await wire.get(f"{prefix}/agents")
                yield Page("agents", _raws(_decoded(list[msgspec.Raw], answer)))
                yield Done(enumerated=True, certain=True)
            case "inboxes":
                answer = await wire.get(f"{prefix}/inboxes")
                yield Page("inboxes", _raws(_decoded(_Payload, answer).payload))
                yield Done(enumerated=True, certain=True)
            case "contacts":
                async for found in self._contacts(wire, prefix, walk):
                    yield found
            case "conversations":
                async for found in self._conversations(wire, prefix, walk):
                    yield found
            case "messages":
                async for found in self._messages(wire, prefix, walk):
                    yield found

    async def _contacts(self, wire: Asks, prefix: str, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        """All contacts, at the first time and when reconciling; between, conversations bring them along.

        Contacts have no time of their last change. Those with new activity jump to the front, which only
        repeats rows; a count that falls means that rows moved up over a page's edge: so far back then.
        """
        if walk.watermark is not None and not walk.whole:
            yield Done()
            return
        place = walk.resume or {}
        number, count = int(place.get("page", 1)), self._number(place.get("count"))
        started: str | None = place.get("started")
        while True:
            answer = await wire.get(f"{prefix}/contacts", {"page": number, "sort": "-last_activity_at"})
            started = started or wire.server_time
            listed = _decoded(_Contacts, answer)
            before, count = count, listed.meta.count
            if before is not None and count is not None and count < before and number > 1:
                number = _pages_back(number, before - count, CONTACTS_PER_PAGE)
                continue
            if not listed.payload:
                break
            number += 1
            place = {"page": max(1, number - 1), "started": started, "count": count}
            yield Page("contacts", _raws(listed.payload), resume=place)
        yield Done(watermark=started, enumerated=walk.whole and walk.resume is None, count=count)

    async def _conversations(self, wire: Asks, prefix: str, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        """What moved since the watermark; all of them at the first time and when reconciling."""
        floor = None
        if walk.watermark is not None and not walk.whole:
            floor = from_text(walk.watermark) - OVERLAP
            within = await self._within(wire, prefix, walk)
            if within is not None:
                yield Page("conversations", within[1])
                yield Done(watermark=within[0])
                return
        place = walk.resume or {}
        number, count = int(place.get("page", 1)), self._number(place.get("count"))
        started: str | None = place.get("started")
        while True:
            params = {"status": "all", "assignee_type": "all", "page": number}
            answer = await wire.get(f"{prefix}/conversations", params)
            started = started or wire.server_time
            listed = _decoded(_Conversations, answer).data
            before, count = count, listed.meta.all_count
            if before is not None and count is not None and count < before and number > 1:
                number = _pages_back(number, before - count, CONVERSATIONS_PER_PAGE)
                continue
            if not listed.payload:
                break
            number += 1
            place = {"page": max(1, number - 1), "started": started, "count": count}
            yield Page("conversations", _raws(listed.payload), resume=place)
            oldest = min(filter(None, (_activity(raw) for raw in listed.payload)), default=None)
            if floor is not None and oldest is not None and oldest < as_text(floor):
                break
        whole = floor is None
        yield Done(
            watermark=started, enumerated=whole and walk.resume is None, count=count if whole else None
        )

    @staticmethod
    def _number(found: object) -> int | None:
        return found if isinstance(found, int) else None

    async def _within(self, wire: Asks, prefix: str, walk: Walk) -> tuple[str | None, list[bytes]] | None:
        """Everything changed lately in one answer, where the server knows `updated_within`; else None.

        A server that knows it does not paginate, so that rows come although a page is asked for that no
        account has.
        """
        known, started = walk.facts.get("updated_within"), wire.server_time
        if known is False or walk.watermark is None or started is None:
            return None
        gap = from_text(started) - from_text(walk.watermark) + OVERLAP
        if known is None:
            return await self._probed(wire, prefix, walk, gap)
        if gap > LONGEST_GAP:
            return None
        return started, await self._changed(wire, prefix, gap)

    async def _probed(
        self, wire: Asks, prefix: str, walk: Walk, gap: timedelta
    ) -> tuple[str | None, list[bytes]] | None:
        started = wire.server_time or ""
        first = await wire.get(
            f"{prefix}/conversations", {"status": "all", "assignee_type": "all", "page": 1}
        )
        listed = _decoded(_Conversations, first).data.payload
        newest = max(filter(None, (_activity(raw) for raw in listed)), default=None)
        if newest is None:
            return None
        reach = max(gap, from_text(started) - from_text(newest) + OVERLAP)
        if reach > LONGEST_GAP:
            return None
        found = await self._changed(wire, prefix, reach)
        walk.facts["updated_within"] = bool(found)
        return (started, found) if found else None

    async def _changed(self, wire: Asks, prefix: str, reach: timedelta) -> list[bytes]:
        seconds = int(reach.total_seconds()) + 1
        params = {"status": "all", "assignee_type": "all", "updated_within": seconds, "page": _NOWHERE}
        answer = await wire.get(f"{prefix}/conversations", params)
        return _raws(_decoded(_Conversations, answer).data.payload)

    async def _messages(self, wire: Asks, prefix: str, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        """All messages between two numbers, at most 1000 an answer.

        Rows are cut off by time but asked for by number: only an answer with fewer than 1000 certainly has
        everything between its numbers, so a full one is asked again in two parts.
        """
        for due in walk.due:
            low, found = due.tail or 0, list[bytes]()
            ranges = [(low, LAST_MESSAGE)]
            try:
                while ranges:
                    start, end = ranges.pop()
                    path = f"{prefix}/conversations/{due.external_id}/messages"
                    answer = await wire.get(path, {"after": start, "before": end})
                    page = _decoded(_Payload, answer).payload
                    found.extend(_raws(page))
                    if len(page) >= MESSAGES_PER_PAGE:
                        highest = max(_number(raw) for raw in page)
                        middle = highest if highest > start else end - 1
                        ranges += [(middle, end), (start, middle)] if middle > start else []
            except Missing:
                continue  # deleted since it was listed; reconciliation will say so
            yield Page("messages", found, parent=due.external_id, covered=due.version, complete_from=low)
        yield Done()

    async def exists(self, wire: Asks, page: ChatwootSettings, stream: str, external_id: str) -> bool | None:
        if stream not in ("conversations", "contacts"):
            return None
        try:
            await wire.get(f"/api/v1/accounts/{page.account_id}/{stream}/{external_id}")
        except Missing:
            return False
        return True

    def parse(self, stream: str, raw: bytes) -> list[Record]:
        return rows.parse(stream, raw)

    def typed(self, record: Record, scope: Scope, names: Names) -> list[Typed]:
        return rows.typed(record, scope, names)

    def label(self, record: Record) -> str:
        return str(record.wire.available_name or record.wire.name)

    def listed(self, record: Record) -> bool:
        wire = record.wire  # visitors who cannot be told apart are only inside conversations
        return bool(wire.email or wire.phone_number or wire.identifier)

    def unit_name(self, record: Record) -> str:
        return str(record.wire.name)


def _decoded(kind: Any, answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadPayload(f"Chatwoot's answer is not what it should be: {error}.") from None


def _pages_back(number: int, gone: int, per_page: int) -> int:
    """The page on which the rows are that were to come next before `gone` others went."""
    return max(1, number - -(-gone // per_page))


def _raws(payload: list[msgspec.Raw]) -> list[bytes]:
    return [bytes(raw) for raw in payload]


def _activity(raw: msgspec.Raw) -> str | None:
    try:
        found = msgspec.json.decode(raw, type=_Activity)
    except msgspec.MsgspecError:
        return None
    return moment(found.last_activity_at) or moment(found.timestamp)


def _number(raw: msgspec.Raw) -> int:
    try:
        return msgspec.json.decode(raw, type=_MessageId).id
    except msgspec.MsgspecError:
        return 0
