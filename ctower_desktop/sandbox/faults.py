"""Bad days on order: what a stand-in vendor can be told to do wrong, and for how many requests."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web


class Asked(msgspec.Struct, frozen=True):
    """A request as the faults see it; `operation` is the GraphQL operation's name, empty for REST."""

    method: str
    path: str
    query: dict[str, str]
    operation: str
    body: bytes


Answer = Callable[[], Awaitable[web.Response]]
"""What the vendor would have answered; calling it changes the vendor's state as the request asks."""

On = str | Callable[[Asked], bool]
"""Which requests a fault is for: an operation's name, a part of the path, or a test; empty is every one."""


class Cut(Exception):
    """Tells the front to send only the first bytes of this answer and then to drop the connection."""

    def __init__(self, response: web.Response, keep: int) -> None:
        super().__init__("the answer is cut off")
        self.response = response
        self.keep = keep


class Down(Exception):
    """Tells the front to drop the connection without a word."""


Effect = Callable[[Answer], Awaitable[web.Response]]


@dataclass(eq=False)
class Rule:
    """One fault: which requests it is for, how many of them it lets pass first and how many it hits."""

    effect: Effect
    on: On = ""
    times: int | None = 1
    skip: int = 0

    def concerns(self, asked: Asked) -> bool:
        if callable(self.on):
            return self.on(asked)
        return not self.on or self.on == asked.operation or self.on in asked.path

    def take(self) -> bool:
        """Counts one request; true when it is one of those to hit."""
        if self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Faults:
    """The faults ordered of one vendor; earlier ones act first, one that answers keeps the rest waiting."""

    refusal: Callable[[], web.Response]
    rules: list[Rule] = field(default_factory=list)

    def answer(
        self,
        status: int,
        body: bytes | str | dict[str, Any] | list[Any] = b"",
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        on: On = "",
        times: int | None = 1,
        skip: int = 0,
    ) -> None:
        """The next `times` requests are answered so, and do not reach the vendor."""
        content = body.encode() if isinstance(body, str) else body
        raw = content if isinstance(content, bytes) else msgspec.json.encode(content)

        async def effect(_: Answer) -> web.Response:
            return web.Response(
                status=status, body=raw, headers=headers, content_type=content_type, charset="utf-8"
            )

        self._add(effect, on, times, skip)

    def html(self, *, status: int = 200, on: On = "", times: int | None = 1) -> None:
        """A proxy's page in place of JSON, as a captive portal or a load balancer sends it."""
        page = "<!DOCTYPE html><html><head><title>502</title></head><body>Bad gateway</body></html>"
        self.answer(status, page, content_type="text/html", on=on, times=times)

    def slow(self, seconds: float, *, on: On = "", times: int | None = 1, skip: int = 0) -> None:
        """The answer is right but late."""

        async def effect(answer: Answer) -> web.Response:
            await asyncio.sleep(seconds)
            return await answer()

        self._add(effect, on, times, skip)

    def truncate(self, *, on: On = "", times: int | None = 1, skip: int = 0) -> None:
        """Half of the JSON in a response that is complete as HTTP."""

        async def effect(answer: Answer) -> web.Response:
            response = await answer()
            return with_body(response, body_of(response)[: len(body_of(response)) // 2])

        self._add(effect, on, times, skip)

    def cut(self, *, on: On = "", times: int | None = 1, skip: int = 0) -> None:
        """The connection breaks in the middle of the body."""

        async def effect(answer: Answer) -> web.Response:
            response = await answer()
            raise Cut(response, len(body_of(response)) // 2)

        self._add(effect, on, times, skip)

    def lose(self, *, on: On = "", times: int | None = 1, skip: int = 0) -> None:
        """The vendor does what it was asked, but the answer never arrives."""

        async def effect(answer: Answer) -> web.Response:
            await answer()
            raise Down

        self._add(effect, on, times, skip)

    def down(self, *, on: On = "", times: int | None = None) -> None:
        """Every connection is dropped before an answer, until `clear`."""

        async def effect(_: Answer) -> web.Response:
            raise Down

        self._add(effect, on, times, 0)

    def rate_limit(self, times: int = 1, *, on: On = "", skip: int = 0) -> None:
        """The vendor's own refusal for too many requests."""

        async def effect(_: Answer) -> web.Response:
            return self.refusal()

        self._add(effect, on, times, skip)

    def rewrite(
        self, change: Callable[[Any], Any], *, on: On = "", times: int | None = 1, skip: int = 0
    ) -> None:
        """The answer's JSON after `change`, which edits it or returns another: for malformed rows."""

        async def effect(answer: Answer) -> web.Response:
            response = await answer()
            data = msgspec.json.decode(body_of(response))
            changed = change(data)
            return with_body(response, msgspec.json.encode(data if changed is None else changed))

        self._add(effect, on, times, skip)

    def before(self, hook: Callable[[], None], *, on: On = "", nth: int = 1) -> None:
        """Calls `hook` just before the nth request from now is served: state that changes mid-walk."""

        async def effect(answer: Answer) -> web.Response:
            hook()
            return await answer()

        self._add(effect, on, 1, nth - 1)

    def clear(self) -> None:
        """All is well again."""
        self.rules.clear()

    def _add(self, effect: Effect, on: On, times: int | None, skip: int) -> None:
        self.rules.append(Rule(effect, on, times, skip))


async def served(rules: list[Rule], asked: Asked, answer: Answer) -> tuple[web.Response, bool]:
    """The answer after every fault that concerns it, and whether any fault touched it."""
    touched = False

    async def step(rest: list[Rule]) -> web.Response:
        nonlocal touched
        if not rest:
            return await answer()
        if not rest[0].take():
            return await step(rest[1:])
        touched = True
        return await rest[0].effect(lambda: step(rest[1:]))

    response = await step([rule for rule in rules if rule.concerns(asked)])
    return response, touched


def body_of(response: web.Response) -> bytes:
    """The bytes of a response that was made from bytes or text."""
    return response.body if isinstance(response.body, bytes) else (response.text or "").encode()


def with_body(response: web.Response, body: bytes) -> web.Response:
    """The same response with another body."""
    other = web.Response(
        status=response.status, body=body, content_type=response.content_type, charset=response.charset
    )
    for name, value in response.headers.items():
        if name not in ("Content-Type", "Content-Length"):
            other.headers[name] = value
    return other
