"""Listening on this computer only: one socket, one door, an end within a second."""

from __future__ import annotations

import errno
import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ctower_desktop.kernel.endpoint import Door
from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.web.counts import Counts
from ctower_desktop.web.server import Front
from ctower_desktop.web.settings import Server, configured_port
from ctower_desktop.web.stream import HEARTBEAT

log = logging.getLogger(__name__)

_LOOPBACK = "127.0.0.1"
_TRIES = 50
_KEEP_ALIVE = 75.0  # seconds
_GOODBYE = 0.4  # seconds a running request has left when the door closes


class PortInUse(TowerError):
    """Another program listens on that port already."""

    code, status = "port_in_use", 503


class _Connection(web.RequestHandler):
    """A connection that answers in our envelope even when the request cannot be read."""

    __slots__ = ("front",)
    front: Front

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        log.info("a request could not be read: %s", type(exc).__name__)
        response = self.front.unreadable(status)
        response.force_close()
        return response


class _Server(web.Server):
    """Connections that know their door."""

    def __init__(self, front: Front, **options: Any) -> None:
        super().__init__(front.answer, **options)
        self._front = front

    def __call__(self) -> web.RequestHandler:
        connection = _Connection(self, loop=self._loop, **self._kwargs)
        connection.front = self._front
        return connection


@dataclass(frozen=True, slots=True)
class Listener:
    """A door that is open. `wanted` is the port it should have had, when another program holds that one."""

    door: Door
    port: int
    wanted: int | None
    front: Front
    _runner: web.ServerRunner

    @classmethod
    async def start(
        cls, tower: Tower, door: Door, port: int | None = None, *, heartbeat: float = HEARTBEAT
    ) -> Listener:
        """Open a door on `port` (0: any that is free), or raise PortInUse.

        Without a port, the configured one; when that is taken, the next that is free.
        """
        wanted = configured_port(tower.settings.get(Server), door) if port is None else port
        counts = await tower.part(Counts)
        listening = _bind(wanted, _TRIES if port is None and wanted else 1)
        found: int = listening.getsockname()[1]
        front = Front(tower, door, found, counts, heartbeat=heartbeat)
        server = _Server(front, keepalive_timeout=_KEEP_ALIVE, access_log=None, auto_decompress=False)
        runner = web.ServerRunner(server, shutdown_timeout=_GOODBYE)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        return cls(door, found, wanted if wanted not in (0, found) else None, front, runner)

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}"

    async def stop(self) -> None:
        """Take no more requests, end streams, let running requests finish, and close."""
        self.front.streams.close()
        await self._runner.cleanup()


def _bind(wanted: int, tries: int) -> socket.socket:
    for port in range(wanted, min(wanted + tries, 65_536)):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "nt":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((_LOOPBACK, port))
            listening.listen(128)
        except OSError as error:
            listening.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        listening.setblocking(False)
        return listening
    raise PortInUse(f"Port {wanted} is used by another program or not free for us; choose another one.")
