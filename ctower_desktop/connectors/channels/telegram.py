"""Telegram: the Bot API's sendMessage, into a chat the bot is in.

Limit: 30 messages a second in all, one a second in a chat; 429 names the seconds in
`parameters.retry_after`. Length: 4096 UTF-16 units. There is no idempotency key and no way to ask what the
bot has said, so what was cut off stays of unknown fate. Text is sent without markup.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ctower_desktop.connectors.channels.line import Line, decoded
from ctower_desktop.connectors.channels.settings import TelegramSettings
from ctower_desktop.inbox.outbound.channel import (
    Delivered,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryUncertain,
    Parcel,
)
from ctower_desktop.inbox.outbound.model import ChannelName
from ctower_desktop.kernel.http import Answer
from ctower_desktop.kernel.tower import Tower


class _Parameters(msgspec.Struct):
    retry_after: float | None = None


class _Result(msgspec.Struct):
    message_id: int | None = None
    username: str | None = None


class _Answer(msgspec.Struct):
    ok: bool
    description: str = ""
    result: _Result | None = None
    parameters: _Parameters | None = None


class TelegramChannel:
    """Messages into Telegram chats, from a bot."""

    name: ClassVar[ChannelName] = "telegram"
    title: ClassVar[str] = "Telegram"
    can_look: ClassVar[bool] = False

    def missing(self, tower: Tower) -> str | None:
        return None if tower.settings.get(TelegramSettings).bot_token else "enter the token of a bot"

    def sender(self, tower: Tower) -> str | None:
        return None

    def wire_key(self, tower: Tower, name: str) -> str:
        return name

    async def send(self, tower: Tower, parcel: Parcel) -> Delivered:
        to = parcel.rendered.to
        chat: int | str = int(to) if to.lstrip("-").isdecimal() else to
        line = _line(tower)
        answer = await line.hand_over(
            _path(tower, "sendMessage"), {"chat_id": chat, "text": parcel.rendered.text}
        )
        found = decoded(_Answer, answer)
        if found is None or (found.ok and found.result is None):
            raise line.refusal(answer, line.told(answer)) or DeliveryUncertain(
                "What answered is not what Telegram answers: it may have taken the message."
            )
        if not found.ok:
            raise _refused(line, answer, found)
        return Delivered(str(found.result.message_id))

    async def look(self, tower: Tower, parcel: Parcel) -> Delivered | None:
        raise DeliveryFailed("Telegram cannot be asked what a bot has said.")

    async def test(self, tower: Tower) -> str:
        line = _line(tower)
        answer = await line.ask(_path(tower, "getMe"))
        found = decoded(_Answer, answer)
        if found is None:
            raise DeliveryFailed(f"There is no Bot API at that address ({answer.status}).")
        if not found.ok or found.result is None:
            raise DeliveryFailed(
                f"Telegram does not accept the token: {line.clean(found.description)}. "
                "Ask @BotFather for it again."
            )
        return f"Telegram: the bot @{found.result.username} is ready."


def _line(tower: Tower) -> Line:
    page = tower.settings.get(TelegramSettings)
    private = page.allow_private_network
    return Line(tower, "Telegram", page.base_url, {}, page.bot_token, private=private)


def _path(tower: Tower, method: str) -> str:
    return f"/bot{tower.settings.get(TelegramSettings).bot_token}/{method}"


def _refused(line: Line, answer: Answer, found: _Answer) -> DeliveryFailed | DeliveryUncertain:
    said = line.clean(found.description)
    if found.parameters is not None and found.parameters.retry_after is not None:
        wait = max(0.0, min(found.parameters.retry_after, 86_400.0))
        return DeliveryFailed(f"Telegram cannot take it now: {said}", retry_after=wait)
    if answer.status == 403:  # the bot was blocked or put out of the chat
        return DeliveryRefused(f"Telegram does not take the message: {said}")
    return line.refusal(answer, said) or DeliveryRefused(f"Telegram does not take the message: {said}")
