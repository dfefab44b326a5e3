"""A stand-in Attio: one workspace over HTTP, with the vendor's quirks and with faults on order."""

from typing import Any

from aiohttp import web

from ctower_desktop.sandbox.attio_http import AttioHttp
from ctower_desktop.sandbox.attio_state import AttioState
from ctower_desktop.sandbox.faults import Faults
from ctower_desktop.sandbox.front import Clock, Front, Seen


class Attio(AttioState):
    """One workspace as a program. Limits are off unless given; the vendor's are 100 reads and 25 writes."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "attio-token",  # noqa: S107 - a made-up token of a made-up workspace
        reads_per_second: int | None = None,
        writes_per_second: int | None = None,
        **workspace: Any,
    ) -> None:
        super().__init__(clock, **workspace)
        self.http = AttioHttp(self, reads_per_second, writes_per_second)
        self.front = Front(clock, Faults(self.http.too_many))
        self.token = token

    @property
    def faults(self) -> Faults:
        """What goes wrong next."""
        return self.front.faults

    @property
    def requests(self) -> list[Seen]:
        """Every request so far."""
        return self.front.requests

    @property
    def token(self) -> str:
        """The access token; when another is set, the old one is refused."""
        return self.http.token

    @token.setter
    def token(self, token: str) -> None:
        self.http.token = token

    def application(self) -> web.Application:
        """The program that serves this workspace."""
        return self.front.application(self.http.routes())
