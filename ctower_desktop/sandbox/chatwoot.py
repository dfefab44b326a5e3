"""A stand-in Chatwoot: one account over HTTP, with the vendor's quirks and with faults on order."""

from typing import Any

from aiohttp import web

from ctower_desktop.sandbox.chatwoot_http import ChatwootHttp, too_many
from ctower_desktop.sandbox.chatwoot_state import ChatwootState
from ctower_desktop.sandbox.faults import Faults
from ctower_desktop.sandbox.front import Clock, Front, Seen


class Chatwoot(ChatwootState):
    """One account of Chatwoot as a program.

    `requests_per_minute` is off unless given (the vendor's default is 3000 per address); `per_page` is the
    size of a page of conversations, which a self-hosted server can change; `knows_updated_within` is false
    for servers older than 3.6, `keeps_attributes` for those that drop attributes of a new message.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        per_page: int = 25,
        requests_per_minute: int | None = None,
        knows_updated_within: bool = True,
        keeps_attributes: bool = True,
        **account: Any,
    ) -> None:
        super().__init__(clock, **account)
        self.http = ChatwootHttp(self, per_page, requests_per_minute, knows_updated_within, keeps_attributes)
        self.front = Front(clock, Faults(too_many))

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
        """The administrator's access token; when another is set, the old one is refused."""
        return self.administrator.token

    @token.setter
    def token(self, token: str) -> None:
        self.administrator.token = token

    def application(self) -> web.Application:
        """The program that serves this account."""
        return self.front.application(self.http.routes())
