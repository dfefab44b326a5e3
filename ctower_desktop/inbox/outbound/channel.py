"""What a channel is: it says whether it is set up, reaches somebody, and hands over a message once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from ctower_desktop.inbox.outbound.model import ChannelName, Rendered
from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.tower import Tower


class DeliveryFailed(Upstream):
    """The message did not go out; another try may succeed."""

    code = "delivery_failed"


class DeliveryRefused(DeliveryFailed):
    """The vendor does not take this message; trying again would not help."""

    code = "delivery_refused"


class DeliveryUncertain(Upstream):
    """The message may have gone out: the line broke after it was handed over."""

    code = "delivery_uncertain"


class Delivered(msgspec.Struct, frozen=True):
    """The vendor took the message, and calls it so."""

    provider_message_id: str


class Before(msgspec.Struct, frozen=True):
    """An earlier try: `refused` when the vendor itself said no, `unknown` when nobody knows its fate."""

    started_at: str
    refused: bool
    unknown: bool


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is handed to a channel: the message as it goes out, and what the vendor is to know it by."""

    outbound_id: str
    wire_key: str
    rendered: Rendered
    account: str  # the vendor's account the recipient was found in, empty where there is none
    before: Sequence[Before] = ()


class Channel(Protocol):
    """A way to reach somebody. Everything around it is the same for all (inbox/outbound/sending.py)."""

    name: ClassVar[ChannelName]
    title: ClassVar[str]
    can_look: ClassVar[bool]  # whether the vendor can be asked what became of a message

    def missing(self, tower: Tower) -> str | None:
        """Which setting is still to be given, in words; None when the channel can be used."""

    def sender(self, tower: Tower) -> str | None:
        """Whom the recipient sees as the sender, as far as it is known here."""

    def wire_key(self, tower: Tower, name: str) -> str:
        """What the vendor is to know the message `name` by; made at the first try and kept."""

    async def send(self, tower: Tower, parcel: Parcel) -> Delivered:
        """Hand it over, once. Raise DeliveryFailed, DeliveryRefused or DeliveryUncertain, nothing else."""

    async def look(self, tower: Tower, parcel: Parcel) -> Delivered | None:
        """What became of an earlier try; None: the vendor certainly has nothing. Only with `can_look`."""

    async def test(self, tower: Tower) -> str:
        """Try the settings without sending; say who we are there. Raise an error that says what is wrong."""


CHANNELS: dict[ChannelName, Channel] = {}
