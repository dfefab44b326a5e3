"""Loops: contacts with an e-mail address are pushed there, one by one, when what they say has changed.

Rate limit: 10 requests a second for a team, 429 without Retry-After. There is no list of all contacts and no
batch call, so a ledger of our own remembers what was sent. Who has unsubscribed or is suppressed there is
left alone, and so is who has opted out here; `subscribed` is never written: nobody is subscribed again by
us. Only the address is sent as a key, because two keys may graft it onto somebody else. Keys do not expire.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from ctower_desktop.connectors import loops_store
from ctower_desktop.connectors.contract import (
    Account,
    Asks,
    BadPayload,
    Budget,
    Missing,
    NotConfigured,
    Refused,
)
from ctower_desktop.connectors.loops_store import Candidate
from ctower_desktop.connectors.settings import LoopsSettings
from ctower_desktop.connectors.wire import Breaker, Sleep, Window, Wire, by_status, excerpt, json_only
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Answer, checked_url
from ctower_desktop.kernel.tower import Tower

PER_RUN = 300
_PER_SECOND = 8
_ERRORS = 20
_SOURCE = "ctower"
_PROJECTS = "projectNames"  # a custom property; sent only where the team has created it


class PushError(msgspec.Struct, frozen=True):
    """Why one contact was not pushed."""

    email: str
    message: str


class Push(msgspec.Struct, kw_only=True):
    """What a push did; without a key nothing, and `reason` says so."""

    enabled: bool
    reason: str | None = None
    selected_project_ids: list[str] = []
    processed: int = 0
    created: int = 0
    updated: int = 0
    failed: int = 0
    skipped: int = 0
    errors: list[PushError] = []


class _Key(msgspec.Struct):
    success: bool = False
    teamName: str = ""


class _Found(msgspec.Struct):
    id: str
    subscribed: bool = True


class _Suppression(msgspec.Struct):
    isSuppressed: bool = False


class _Property(msgspec.Struct):
    key: str


class _Saved(msgspec.Struct):
    id: str | None = None


class Loops:
    """Contacts, to a team of Loops."""

    name: ClassVar[str] = "loops"
    title: ClassVar[str] = "Loops"
    settings: ClassVar[type[msgspec.Struct]] = LoopsSettings

    def base_url(self, page: LoopsSettings) -> str:
        return page.base_url

    def missing_setting(self, page: LoopsSettings) -> str | None:
        return None if page.secret_key else "enter an API key"

    def headers(self, page: LoopsSettings) -> dict[str, str]:
        return {"authorization": f"Bearer {page.secret_key}"}

    def budgets(
        self, page: LoopsSettings, now: Callable[[], float], sleep: Callable[[float], Any]
    ) -> list[Budget]:
        return [Window(_PER_SECOND, 1.0, now, sleep)]

    def failure(self, answer: Answer) -> Upstream | None:
        if answer.status in (400, 409):
            return Refused(f"Loops refused it: {_message(answer)}")
        return by_status(self.title, answer) or json_only(self.title, answer)

    async def check(self, wire: Asks, page: LoopsSettings) -> Account:
        found = _decoded(_Key, await wire.get("/api-key"))
        return Account(found.teamName, found.teamName)


LOOPS = Loops()


class Pusher:
    """Pushes contacts; a part of the tower, so that its pace and breaker last. `sleep` is for tests."""

    def __init__(self, tower: Tower) -> None:
        self.tower = tower
        self.sleep: Sleep = asyncio.sleep
        self.chance = random.Random()  # noqa: S311 - spreads retries, no secret
        self.breaker = Breaker(tower.clock.monotonic)
        self._alone = asyncio.Lock()
        self._wire: tuple[LoopsSettings, Wire] | None = None

    @classmethod
    async def start(cls, tower: Tower) -> Pusher:
        """Nothing runs until somebody pushes."""
        return cls(tower)

    async def stop(self) -> None:
        """Whoever pushes is cancelled with the tower."""

    async def wire(self) -> Wire:
        """The line by the settings; new settings mean that the user has acted."""
        page = self.tower.settings.get(LoopsSettings)
        if self._wire is not None and self._wire[0] == page:
            return self._wire[1]
        missing = LOOPS.missing_setting(page)
        if missing:
            raise NotConfigured(f"Loops is not connected: {missing}.")
        base = await checked_url(page.base_url, private=page.allow_private_network)
        self.breaker.succeeded()
        budgets = LOOPS.budgets(page, self.tower.clock.monotonic, self.sleep)
        wire = Wire(
            self.tower.http, LOOPS.title, base, LOOPS.headers(page), LOOPS.failure, budgets, self.breaker,
            self.sleep, self.chance,
        )  # fmt: skip
        self._wire = (page, wire)
        return wire

    async def push(self, scope: str, projects: list[str], limit: int = PER_RUN) -> Push:
        """Tell Loops about the people of these projects that changed; at most `limit` of them."""
        try:
            wire = await self.wire()
        except NotConfigured as error:
            return Push(enabled=False, reason=str(error))
        async with self._alone:
            return await self._push(wire, scope, projects, limit)

    async def _push(self, wire: Wire, scope: str, projects: list[str], limit: int) -> Push:
        db, result = self.tower.db, Push(enabled=True, selected_project_ids=projects)
        people = await db.read(loops_store.candidates, scope, projects)
        told = await db.read(loops_store.ledger, scope, [person.email for person in people])
        unwilling = await db.read(loops_store.unwilling, scope)
        properties = await self._properties(wire) if people else frozenset()
        asked = 0
        for person in people:
            payload = payload_of(person, properties)
            digest = hash_of(payload)
            before = told.get(person.email)
            known = before is not None and before.payload_hash == digest
            if "@" not in person.email or person.email in unwilling or known:
                result.skipped += 1
                continue
            if asked == limit:
                break
            asked += 1
            result.processed += 1
            await self._one(wire, scope, person.email, payload, digest, result)
        return result

    async def _properties(self, wire: Wire) -> frozenset[str]:
        found = _decoded(list[_Property], await wire.get("/contacts/properties", {"list": "custom"}))
        return frozenset(each.key for each in found)

    async def _one(  # noqa: PLR0917
        self, wire: Wire, scope: str, email: str, payload: dict[str, Any], digest: str, result: Push
    ) -> None:
        """One person. What Loops refuses is noted; when Loops cannot be reached the push ends there."""
        db = self.tower.db
        status, loops_id, error = "pushed", None, None
        try:
            known = _decoded(list[_Found], await wire.get("/contacts/find", {"email": email}))
            left_alone = await self._left_alone(wire, email, known)
            if left_alone:
                status = left_alone
                result.skipped += 1
            else:
                loops_id = _decoded(_Saved, await wire.put("/contacts/update", payload)).id
                result.updated += bool(known)
                result.created += not known
        except (Refused, BadPayload) as refused:
            status, error = "failed", str(refused)[:300]
            result.failed += 1
            if len(result.errors) < _ERRORS:
                result.errors.append(PushError(email, error))
        await db.write(
            loops_store.note, scope, email, status, self.tower.clock.text(),
            payload_hash=None if status == "failed" else digest, loops_id=loops_id, error=error,
        )  # fmt: skip

    async def _left_alone(self, wire: Wire, email: str, known: list[_Found]) -> str | None:
        if not known:
            return None
        if not known[0].subscribed:
            return "opted_out"
        try:
            answer = await wire.get("/contacts/suppression", {"email": email})
        except Missing:
            return None
        return "suppressed" if _decoded(_Suppression, answer).isSuppressed else None


def payload_of(person: Candidate, properties: frozenset[str]) -> dict[str, Any]:
    """What Loops is told: plain values only, never `subscribed`."""
    first, _, last = (person.name or "").strip().partition(" ")
    payload: dict[str, Any] = {"email": person.email, "source": _SOURCE}
    if first and "@" not in first:
        payload["firstName"] = first
    if last and "@" not in last:
        payload["lastName"] = last.strip()
    if _PROJECTS in properties:
        payload[_PROJECTS] = ", ".join(sorted(person.projects))[:500]
    return payload


def hash_of(payload: dict[str, Any]) -> str:
    """The same for the same payload."""
    return hashlib.blake2b(msgspec.json.encode(payload, order="sorted"), digest_size=16).hexdigest()


def _decoded(kind: Any, answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadPayload(f"Loops' answer is not what it should be: {error}.") from None


class _Problem(msgspec.Struct):
    message: str = ""


def _message(answer: Answer) -> str:
    try:
        return msgspec.json.decode(answer.body, type=_Problem).message
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return excerpt(answer.body)
