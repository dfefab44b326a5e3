"""The line to a vendor: pacing, retries with jitter, a circuit breaker; once, here, for all of them."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ctower_desktop.connectors.contract import (
    BadPayload,
    Budget,
    CircuitOpen,
    Missing,
    NeedsUser,
    Refused,
    Transient,
)
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Answer, Http, Unreachable
from ctower_desktop.kernel.system import as_text

Sleep = Callable[[float], Awaitable[None]]

TRIES = 3
DEADLINE = 150.0  # seconds one request may take with all its retries
_BASE = 0.5
_LONGEST_WAIT = 120.0
_LONGEST_TOLD = 86_400.0  # seconds a vendor may send us away for
_FAILURES = 5
_OPEN = 30.0
_CREDENTIALS = frozenset({"authorization", "api_access_token"})
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class Window:
    """At most `limit` requests in any `seconds`."""

    limit: int
    seconds: float
    now: Callable[[], float]
    sleep: Sleep
    taken: deque[float] = field(default_factory=deque)

    async def take(self) -> None:
        """Wait for a place."""
        while True:
            now = self.now()
            while self.taken and now - self.taken[0] >= self.seconds:
                self.taken.popleft()
            if len(self.taken) < self.limit:
                self.taken.append(now)
                return
            await self.sleep(self.seconds - (now - self.taken[0]) + 0.001)

    def tell(self, answer: Answer, server_time: float | None) -> None:
        """Headers say nothing to a plain window."""


@dataclass(slots=True)
class Announced:
    """What the vendor's headers say is left: wait for the reset before running dry.

    `reset` is in milliseconds since 1970 by the vendor's clock; `reserve` is kept for people.
    """

    remaining_header: str
    reset_header: str
    reserve: float
    now: Callable[[], float]
    sleep: Sleep
    _until: float = 0.0
    _told: int = 0

    async def take(self) -> None:
        """Wait for the reset when the rest is used up; raise Transient when that is too long."""
        wait = self._until - self.now()
        if wait <= 0:
            return
        if wait > _LONGEST_WAIT:
            raise Transient(
                f"The vendor's allowance is used up for {round(wait / 60) or 1} min.", retry_after=wait
            )
        await self.sleep(wait)
        self._until = 0.0

    def tell(self, answer: Answer, server_time: float | None) -> None:
        """Remember what is left."""
        remaining, reset = (
            answer.headers.get(self.remaining_header),
            answer.headers.get(self.reset_header),
        )
        if remaining is None or reset is None or server_time is None:
            return
        try:
            left, wait = float(remaining), float(reset) / 1_000 - server_time
        except ValueError:
            return
        self._until = self.now() + max(0.0, min(wait, 3_600.0)) if left <= self.reserve else 0.0


@dataclass(slots=True)
class Breaker:
    """Leaves a vendor alone after failures in a row; half-open lets one probe through.

    Refused credentials keep it open until the user acts.
    """

    now: Callable[[], float]
    failures: int = 0
    opened_at: float | None = None
    blocked: NeedsUser | None = None

    @property
    def state(self) -> str:
        """closed, open, half_open, or blocked until somebody acts."""
        if self.blocked is not None:
            return "blocked"
        if self.opened_at is None:
            return "closed"
        return "half_open" if self.now() - self.opened_at >= _OPEN else "open"

    def failed(self) -> None:
        """One more try without an answer."""
        self.failures += 1
        if self.failures >= _FAILURES:
            self.opened_at = self.now()

    def succeeded(self) -> None:
        """The vendor answered."""
        self.failures, self.opened_at, self.blocked = 0, None, None

    def guard(self) -> None:
        """Raise CircuitOpen, or the reason why the user has to act."""
        if self.blocked is not None:
            raise type(self.blocked)(str(self.blocked))
        if self.opened_at is not None and self.state == "open":
            left = _OPEN - (self.now() - self.opened_at)
            raise CircuitOpen(
                f"The vendor failed {self.failures} times in a row; the next try is in {round(left) or 1} s.",
                retry_after=left,
            )


class Wire:
    """Requests to one vendor. Raises only what connectors/contract.py names."""

    def __init__(  # noqa: PLR0917
        self,
        http: Http,
        title: str,
        base: str,
        headers: Mapping[str, str],
        failure: Callable[[Answer], Upstream | None],
        budgets: list[Budget],
        breaker: Breaker,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self.http, self.title, self.base, self.headers = http, title, base.rstrip("/"), dict(headers)
        self.budgets, self.breaker, self.sleep = budgets, breaker, sleep
        self.chance = chance or random.Random()  # noqa: S311 - spreads retries, no secret
        self.server_time: str | None = None
        self.requests = 0
        self._failure = failure

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """A GET."""
        return await self._asked("GET", path, params, None)

    async def post(self, path: str, body: Any) -> Answer:
        """A POST that only reads, and may therefore be repeated."""
        return await self._asked("POST", path, None, body)

    async def put(self, path: str, body: Any) -> Answer:
        """A PUT."""
        return await self._asked("PUT", path, None, body)

    async def _asked(self, method: str, path: str, params: Mapping[str, Any] | None, body: Any) -> Answer:
        waited = 0.0
        for attempt in range(1, TRIES + 1):
            self.breaker.guard()
            try:
                answer = await self._once(method, path, params, body)
            except (Transient, Unreachable) as error:
                self.breaker.failed()
                wait = self._wait(error, attempt)
                if attempt == TRIES or waited + wait > DEADLINE or wait > _LONGEST_WAIT:
                    raise
                waited += wait
                await self.sleep(wait)
            except NeedsUser as error:
                self.breaker.blocked = error
                raise
            except Refused:
                self.breaker.succeeded()  # it answered; the question was wrong
                raise
            else:
                self.breaker.succeeded()
                return answer
        raise AssertionError("the last try returns or raises")

    async def _once(self, method: str, path: str, params: Mapping[str, Any] | None, body: Any) -> Answer:
        for budget in self.budgets:
            await budget.take()
        self.requests += 1
        answer = await self.http.request(
            method, self.base + path, headers=self.headers, params=params, json=body
        )
        moment = http_date(answer.headers.get("date"))
        if moment is not None:
            self.server_time = as_text(moment)
        for budget in self.budgets:
            budget.tell(answer, moment.timestamp() if moment else None)
        failure = self._failure(answer)
        if failure is not None:
            raise self._failure(self._disowned(answer)) or failure
        return answer

    def _disowned(self, answer: Answer) -> Answer:
        """A refusal as it may be told and kept: vendors quote what they were sent, credentials too."""
        body = answer.body
        for name in _CREDENTIALS & self.headers.keys():
            credential = self.headers[name].rpartition(" ")[2].encode()
            if credential:
                body = body.replace(credential, b"[redacted]")
        return Answer(answer.status, answer.headers, body)

    def _wait(self, error: Upstream, attempt: int) -> float:
        if error.retry_after is not None:
            return float(error.retry_after)
        return self.chance.uniform(0.0, _BASE * 2.0**attempt)  # full jitter


def by_status(title: str, answer: Answer) -> Upstream | None:
    """What an HTTP status means, for vendors whose statuses can be trusted."""
    status = answer.status
    if status < 300:
        return None
    if status < 400:
        return NeedsUser(f"{title} sends us elsewhere ({status}). Give the address it has now.")
    if status in _RETRYABLE or status >= 500:
        busy = "is asked too often" if status == 429 else f"has a problem of its own ({status})"
        return Transient(f"{title} {busy}.", retry_after=retry_after(answer))
    if status in (401, 403):
        return NeedsUser(f"{title} does not accept the token ({status}). Make a new one and enter it again.")
    if status == 402:
        return NeedsUser(f"{title} asks for payment (402). Look at the account's plan.")
    if status == 404:
        return Missing(f"{title} has nothing there (404).")
    return Refused(f"{title} refused a request ({status}): {excerpt(answer.body)}")


def json_only(title: str, answer: Answer) -> Upstream | None:
    """A page for people where JSON was asked for: a proxy, a portal, or the wrong address."""
    start = answer.body[:64].lstrip()
    if answer.status == 200 and start[:1] not in (b"{", b"["):
        kind = "a web page" if start.startswith(b"<") else "something that is not JSON"
        return BadPayload(
            f"{title} answered with {kind}: check the address, a proxy or a portal may be there."
        )
    return None


def retry_after(answer: Answer) -> float | None:
    """Seconds to wait by the Retry-After header, in seconds or as a date of the vendor's clock."""
    raw = answer.headers.get("retry-after")
    if raw is None:
        return None
    try:
        seconds = float(raw)
    except ValueError:
        pass
    else:
        return min(max(0.0, seconds), _LONGEST_TOLD) if math.isfinite(seconds) else None
    then, now = http_date(raw), http_date(answer.headers.get("date"))
    if then is None:
        return None
    return min(max(0.0, (then - (now or datetime.now(UTC))).total_seconds()), _LONGEST_TOLD)


def http_date(raw: str | None) -> datetime | None:
    """An HTTP date, or None."""
    if not raw:
        return None
    try:
        found = parsedate_to_datetime(raw)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # also a zone or a year beyond all calendars
        return None


def excerpt(body: bytes) -> str:
    """The beginning of a body, for a message."""
    return " ".join(body[:300].decode("utf-8", "replace").split())[:200]
