"""Chatwoot: a message of the team in the recipient's conversation; its inbox decides how it travels on.

There is no idempotency key. Servers keep `content_attributes` of a new message (older ones drop what they do
not know), so ours carries the message's id there; where it is dropped, an earlier try is known by its text
and time. A try of unknown fate is looked for before the next one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import msgspec

from ctower_desktop.connectors.channels.line import Line, decoded
from ctower_desktop.connectors.settings import ChatwootSettings
from ctower_desktop.connectors.times import moment
from ctower_desktop.inbox.outbound.channel import (
    Delivered,
    DeliveryFailed,
    DeliveryRefused,
    DeliveryUncertain,
    Parcel,
)
from ctower_desktop.inbox.outbound.model import ChannelName
from ctower_desktop.kernel.system import as_text, from_text
from ctower_desktop.kernel.tower import Tower

MARK = "ctower_outbound_id"
_SKEW = timedelta(minutes=5)  # how much the vendor's clock may differ from ours
_PAGES = 25  # of twenty messages each


class _Message(msgspec.Struct):
    id: int
    content: str | None = None
    message_type: int | str = 0
    private: bool = False
    created_at: float | str | None = None
    content_attributes: dict[str, Any] | None = None


class _Messages(msgspec.Struct):
    payload: list[_Message]


class _Role(msgspec.Struct):
    id: int
    name: str | None = None


class _Profile(msgspec.Struct):
    name: str | None = None
    accounts: list[_Role] = []


class ChatwootChannel:
    """Messages into conversations of Chatwoot."""

    name: ClassVar[ChannelName] = "chatwoot"
    title: ClassVar[str] = "Chatwoot"
    can_look: ClassVar[bool] = True

    def missing(self, tower: Tower) -> str | None:
        page = tower.settings.get(ChatwootSettings)
        if not page.base_url:
            return "enter the address of the server"
        if not page.account_id.isdecimal():
            return "enter the number of the account"
        return None if page.api_token else "enter an access token"

    def sender(self, tower: Tower) -> str | None:
        return None

    def wire_key(self, tower: Tower, name: str) -> str:
        return name

    async def send(self, tower: Tower, parcel: Parcel) -> Delivered:
        line, path = _line(tower), _path(tower, parcel)
        body = {
            "content": parcel.rendered.text,
            "message_type": "outgoing",
            "private": False,
            "content_attributes": {MARK: parcel.wire_key},
        }
        answer = await line.hand_over(path, body)
        refusal = line.refusal(answer, line.told(answer))
        if refusal is not None:
            raise refusal
        found = decoded(_Message, answer)
        if found is None:
            raise DeliveryUncertain(
                "What answered is not what Chatwoot answers: it may have taken the message."
            )
        return Delivered(str(found.id))

    async def look(self, tower: Tower, parcel: Parcel) -> Delivered | None:
        """Walk back through the conversation to before the first try."""
        line, path = _line(tower), _path(tower, parcel)
        unknown = [past.started_at for past in parcel.before if past.unknown]
        since = as_text(from_text(min(unknown)) - _SKEW) if unknown else ""
        params: dict[str, Any] = {}
        for _ in range(_PAGES):
            answer = await line.ask(path, params or None)
            found = decoded(_Messages, answer)
            if answer.status == 404:
                return None  # the conversation is gone, and with it whatever was said
            if answer.status != 200 or found is None:
                raise DeliveryFailed(f"Chatwoot does not show the conversation ({answer.status}).")
            mine = next((each for each in found.payload if _is_ours(each, parcel, since)), None)
            if mine is not None:
                return Delivered(str(mine.id))
            oldest = min((moment(each.created_at) or "" for each in found.payload), default="")
            if not found.payload or oldest < since:
                return None
            params = {"before": min(each.id for each in found.payload)}
        raise DeliveryFailed("Too much was said in the conversation since; look there yourself.")

    async def test(self, tower: Tower) -> str:
        line, page = _line(tower), tower.settings.get(ChatwootSettings)
        answer = await line.ask("/api/v1/profile")
        if answer.status == 401:
            raise DeliveryFailed("Chatwoot does not accept the token. Make a new one and enter it again.")
        found = decoded(_Profile, answer)
        if answer.status != 200 or found is None:
            raise DeliveryFailed(f"There is no Chatwoot at that address ({answer.status}).")
        if page.account_id not in {str(each.id) for each in found.accounts}:
            raise DeliveryFailed(f"The token does not belong to account {page.account_id}.")
        return f"Chatwoot: messages go out as {found.name or 'the owner of the token'}."


def _is_ours(each: _Message, parcel: Parcel, since: str) -> bool:
    if str(each.message_type) not in ("1", "outgoing") or each.private:
        return False
    mark = (each.content_attributes or {}).get(MARK)
    if mark is not None:
        return bool(mark == parcel.wire_key)
    return each.content == parcel.rendered.text and (moment(each.created_at) or "") >= since


def _line(tower: Tower) -> Line:
    page = tower.settings.get(ChatwootSettings)
    headers = {"api_access_token": page.api_token, "accept": "application/json"}
    private = page.allow_private_network
    return Line(tower, "Chatwoot", page.base_url, headers, page.api_token, private=private)


def _path(tower: Tower, parcel: Parcel) -> str:
    account = tower.settings.get(ChatwootSettings).account_id
    if parcel.account != account:
        raise DeliveryRefused(
            f"The conversation is in account {parcel.account} of Chatwoot; connected is account {account}."
        )
    return f"/api/v1/accounts/{account}/conversations/{parcel.rendered.to}/messages"
