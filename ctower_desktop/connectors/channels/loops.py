"""Loops: a transactional e-mail by its template, with an idempotency key of our own.

The key is remembered there for 24 hours and a used one answers 409. It changes only after a refusal, so that
a used key can mean one thing: an earlier try of unknown fate had arrived. Limit: 10 requests a second.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ctower_desktop.connectors.channels.line import Line, decoded
from ctower_desktop.connectors.settings import LoopsSettings
from ctower_desktop.inbox.outbound.channel import (
    Delivered,
    DeliveryFailed,
    DeliveryUncertain,
    Parcel,
)
from ctower_desktop.inbox.outbound.model import ChannelName
from ctower_desktop.kernel.tower import Tower

_LONGEST_KEY = 100


class _Answer(msgspec.Struct):
    success: bool = False
    message: str = ""
    teamName: str = ""


class LoopsChannel:
    """E-mail by a template of Loops."""

    name: ClassVar[ChannelName] = "loops"
    title: ClassVar[str] = "Loops"
    can_look: ClassVar[bool] = False

    def missing(self, tower: Tower) -> str | None:
        return None if tower.settings.get(LoopsSettings).secret_key else "enter an API key"

    def sender(self, tower: Tower) -> str | None:
        return None

    def wire_key(self, tower: Tower, name: str) -> str:
        return name

    async def send(self, tower: Tower, parcel: Parcel) -> Delivered:
        line, key = _line(tower), key_of(parcel)
        rendered = parcel.rendered
        body = {
            "email": rendered.to,
            "transactionalId": rendered.template,
            "dataVariables": rendered.variables,
        }
        answer = await line.hand_over("/transactional", body, {"Idempotency-Key": key})
        found = decoded(_Answer, answer)
        said = line.clean(found.message) if found else line.told(answer)
        if answer.status == 409:
            if any(past.unknown for past in parcel.before):
                return Delivered(key)  # an earlier try had arrived
            raise DeliveryUncertain(f"Loops says that it was sent before: {said}")
        refusal = line.refusal(answer, said)
        if refusal is not None:
            raise refusal
        if found is None or not found.success:
            raise DeliveryUncertain("What answered is not what Loops answers: it may have taken the message.")
        return Delivered(key)

    async def look(self, tower: Tower, parcel: Parcel) -> Delivered | None:
        raise DeliveryFailed("Loops cannot be asked what it has sent.")

    async def test(self, tower: Tower) -> str:
        line = _line(tower)
        answer = await line.ask("/api-key")
        found = decoded(_Answer, answer)
        if answer.status == 401:
            raise DeliveryFailed("Loops does not accept the key. Make a new one and enter it again.")
        if answer.status != 200 or found is None or not found.success:
            raise DeliveryFailed(f"There is no Loops at that address ({answer.status}).")
        return f"Loops: connected to {found.teamName}."


def key_of(parcel: Parcel) -> str:
    """The idempotency key: the same until the vendor itself has refused the message."""
    refusals = sum(past.refused for past in parcel.before)
    return f"{parcel.wire_key}-{refusals}"[-_LONGEST_KEY:]


def _line(tower: Tower) -> Line:
    page = tower.settings.get(LoopsSettings)
    headers, private = {"authorization": f"Bearer {page.secret_key}"}, page.allow_private_network
    return Line(tower, "Loops", page.base_url, headers, page.secret_key, private=private)
