"""A stand-in mail server: real SMTP conversations over asyncio, an inbox, and faults on order.

async with Smtp(username="pm", password="secret", tls=context).running() as server:
    ...                                     # server.port; server.inbox holds what was taken
    server.faults.append(Fault("RCPT", "550 5.1.1 no such user"))
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Literal

Security = Literal["starttls", "tls", "none"]
_LARGEST = 1 << 20


@dataclass(frozen=True)
class Letter:
    """A message the server took, with the envelope it came in."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    secured: bool
    signed_in_as: str

    @property
    def message(self) -> EmailMessage:
        """What is in the envelope."""
        return message_from_bytes(self.content, policy=default)


@dataclass
class Fault:
    """What goes wrong next: at a command, or at `TEXT`, the end of the message.

    `answer` is said instead of the usual; without one the line is dropped, at TEXT after the message was
    taken; `seconds` pass before.
    """

    at: str
    answer: str | None = None
    seconds: float = 0.0
    times: int = 1
    takes: bool = False  # at TEXT: the message is taken although the answer is another


@dataclass
class Smtp:
    """One mail server; without a user name nobody has to sign in."""

    username: str = ""
    password: str = ""
    security: Security = "none"
    tls: ssl.SSLContext | None = None
    inbox: list[Letter] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    taken: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[Smtp]:
        """Listens on loopback for the length of the block."""
        tasks: set[asyncio.Task[None]] = set()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await _Talk(self, reader, writer).run()
            except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                pass  # the other side hung up
            finally:
                tasks.discard(task)
                writer.close()
                with suppress(ConnectionError, ssl.SSLError):
                    await writer.wait_closed()

        context = self.tls if self.security == "tls" else None
        server = await asyncio.start_server(talk, "127.0.0.1", port, ssl=context, limit=_LARGEST)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()

    def fault(self, at: str) -> Fault | None:
        """What goes wrong at this point of a conversation, if anything; counted."""
        for each in self.faults:
            if each.at == at and each.times > 0:
                each.times -= 1
                return each
        return None


class _Talk:
    """One conversation."""

    def __init__(self, server: Smtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sender, self.recipients = "", list[str]()
        self.secured = server.security == "tls"
        self.user = ""

    async def run(self) -> None:
        await self.say("220 mail.example ESMTP ready")
        while line := (await self.reader.readline()).decode("utf-8", "replace").rstrip("\r\n"):
            self.server.commands.append(line if not line.startswith("AUTH") else "AUTH")
            verb, _, rest = line.partition(" ")
            if not await self.obey(verb.upper(), rest):
                return

    async def obey(self, verb: str, rest: str) -> bool:
        """One command; false ends the conversation."""
        fault = self.server.fault(verb)
        if fault is not None:
            await asyncio.sleep(fault.seconds)
            if fault.answer is None:
                return False
            await self.say(fault.answer)
            return not fault.answer.startswith("421")
        match verb:
            case "EHLO":
                await self.greet()
            case "STARTTLS":
                await self.encrypt()
            case "AUTH":
                await self.sign_in(rest)
            case "MAIL" | "RCPT" | "DATA":
                return await self.carry(verb, rest)
            case "RSET" | "NOOP":
                await self.say("250 2.0.0 OK")
            case "QUIT":
                await self.say("221 2.0.0 Bye")
                return False
            case _:
                await self.say("502 5.5.1 Not understood")
        return True

    async def greet(self) -> None:
        offers = ["mail.example", f"SIZE {_LARGEST}"]
        if self.server.security == "starttls" and not self.secured:
            offers.append("STARTTLS")
        if self.server.username and (self.secured or self.server.security == "none"):
            offers.append("AUTH PLAIN LOGIN")
        for place, offer in enumerate(offers, 1):
            await self.say(f"250{' ' if place == len(offers) else '-'}{offer}")

    async def encrypt(self) -> None:
        assert self.server.tls is not None
        await self.say("220 2.0.0 Go ahead")
        await self.writer.start_tls(self.server.tls)
        self.secured = True

    async def sign_in(self, rest: str) -> None:
        method, _, given = rest.partition(" ")
        if method.upper() == "PLAIN":
            _, name, password = base64.b64decode(given or await self.asked("334 ")).decode().split("\0")
        else:
            name = base64.b64decode(given or await self.asked("334 VXNlcm5hbWU6")).decode()
            password = base64.b64decode(await self.asked("334 UGFzc3dvcmQ6")).decode()
        if (name, password) == (self.server.username, self.server.password):
            self.user = name
            await self.say("235 2.7.0 Welcome")
        else:
            await self.say("535 5.7.8 Wrong user name or password")

    async def carry(self, verb: str, rest: str) -> bool:
        if self.server.username and not self.user:
            await self.say("530 5.7.0 Sign in first")
        elif verb == "MAIL":
            self.sender, self.recipients = address(rest), []
            await self.say("250 2.1.0 OK")
        elif verb == "RCPT":
            self.recipients.append(address(rest))
            await self.say("250 2.1.5 OK")
        elif not self.recipients:
            await self.say("503 5.5.1 To whom?")
        else:
            await self.say("354 Go on")
            return await self.take()
        return True

    async def take(self) -> bool:
        """The message; what the server answers to it decides for the client."""
        lines = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                return False  # cut off: nothing was said whole
            lines.append(line.removeprefix(b"."))
        fault = self.server.fault("TEXT")
        if fault is None or fault.answer is None or fault.takes:
            self.server.inbox.append(
                Letter(self.sender, tuple(self.recipients), b"".join(lines), self.secured, self.user)
            )
            self.server.taken.set()
        if fault is not None:
            await asyncio.sleep(fault.seconds)
            if fault.answer is None:
                return False
            await self.say(fault.answer)
            return True
        await self.say(f"250 2.0.0 Taken as {len(self.server.inbox)}")
        return True

    async def asked(self, prompt: str) -> bytes:
        await self.say(prompt)
        return await self.reader.readline()

    async def say(self, line: str) -> None:
        self.writer.write(line.encode() + b"\r\n")
        await self.writer.drain()


def address(rest: str) -> str:
    """The address in `FROM:<a@b> SIZE=1`."""
    return rest.partition("<")[2].partition(">")[0]
