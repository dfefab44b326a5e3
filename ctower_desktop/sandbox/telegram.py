"""A stand-in Telegram: the Bot API of one bot over HTTP, with faults on order."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from ctower_desktop.sandbox.faults import Faults
from ctower_desktop.sandbox.front import Clock, Front, Seen, json_response

LONGEST = 4_096
Handler = Callable[[dict[str, Any]], web.Response]


class Said(msgspec.Struct, frozen=True):
    """What the bot has said."""

    message_id: int
    chat: int | str
    text: str


class Telegram:
    """One bot as a program. It may write to `chats`; whoever blocked it is in `blocked_by`."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "123456:stand-in",  # noqa: S107 - a made-up token of a made-up bot
        username: str = "agency_bot",
    ) -> None:
        self.clock = clock
        self.token = token
        self.username = username
        self.chats: dict[int | str, str] = {}
        self.blocked_by: set[int | str] = set()
        self.said: list[Said] = []
        self.front = Front(clock, Faults(too_many))

    @property
    def faults(self) -> Faults:
        """What goes wrong next."""
        return self.front.faults

    @property
    def requests(self) -> list[Seen]:
        """Every request so far."""
        return self.front.requests

    def add_chat(self, chat: int | str, name: str = "") -> int | str:
        """Somebody has written to the bot, or a channel has let it in."""
        self.chats[chat] = name
        return chat

    def application(self) -> web.Application:
        """The program that serves this bot."""
        table: dict[str, Handler] = {"getMe": self.get_me, "sendMessage": self.send_message}
        routes = [
            web.route(method, f"/bot{{token}}/{name}", self._guarded(handler))
            for name, handler in table.items()
            for method in ("GET", "POST")
        ]
        return self.front.application(routes)

    def _guarded(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            if request.match_info["token"] != self.token:
                return failed(401, "Unauthorized")
            try:
                return handler(msgspec.json.decode(await request.read() or b"{}", type=dict[str, Any]))
            except msgspec.MsgspecError:
                return failed(400, "Bad Request: can't parse JSON object")

        return guarded

    def get_me(self, _: dict[str, Any]) -> web.Response:
        bot = {"id": int(self.token.partition(":")[0]), "is_bot": True, "first_name": "Agency"}
        return json_response({"ok": True, "result": bot | {"username": self.username}})

    def send_message(self, body: dict[str, Any]) -> web.Response:
        chat, text = body.get("chat_id"), body.get("text")
        if chat not in self.chats:
            return failed(400, "Bad Request: chat not found")
        if chat in self.blocked_by:
            return failed(403, "Forbidden: bot was blocked by the user")
        if not isinstance(text, str) or not text.strip():
            return failed(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > LONGEST:
            return failed(400, "Bad Request: message is too long")
        said = Said(len(self.said) + 1, chat, text)
        self.said.append(said)
        result = {
            "message_id": said.message_id,
            "date": int(self.clock().timestamp()),
            "chat": {"id": chat, "type": "private"},
            "text": text,
        }
        return json_response({"ok": True, "result": result})


def too_many(seconds: int = 17) -> web.Response:
    """The seconds to wait are in the answer."""
    refused = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {seconds}"}
    return json_response(refused | {"parameters": {"retry_after": seconds}}, 429)


def failed(status: int, description: str) -> web.Response:
    return json_response({"ok": False, "error_code": status, "description": description}, status)
