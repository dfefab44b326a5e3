"""What clients write in a row until they are answered: each such row is answered once, or not yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

INBOUND, OUTBOUND = "0", "1"  # the vendor's message types; events and templates are neither


class Said(msgspec.Struct, frozen=True):
    """A message of a conversation, as far as answering goes."""

    id: str
    contact_global_id: str | None
    message_type: str
    sender_type: str | None
    created_at: str


class Burst(msgspec.Struct, frozen=True):
    """What a client wrote in a row; `answered_at` and `minutes` are null while it waits."""

    message_global_id: str
    contact_global_id: str | None
    started_at: str
    messages: int
    answered_at: str | None = None
    minutes: float | None = None


def bursts(said: Iterable[Said]) -> list[Burst]:
    """The rows of client messages in what was said, oldest first.

    A machine's acknowledgement is no answer. Further words of the client before the answer belong to the
    same row, and further words of the team after it answer nothing.
    """
    found: list[Burst] = []
    waiting: Burst | None = None
    for message in said:
        if message.message_type == INBOUND:
            if waiting is None:
                waiting = Burst(message.id, message.contact_global_id, message.created_at, 1)
            else:
                waiting = msgspec.structs.replace(waiting, messages=waiting.messages + 1)
        elif waiting is not None and message.message_type == OUTBOUND and not _machine(message.sender_type):
            found.append(_answered(waiting, message.created_at))
            waiting = None
    if waiting is not None:
        found.append(waiting)
    return found


def _machine(sender_type: str | None) -> bool:
    return (sender_type or "").lower().replace("_", "").endswith(("bot", "captain::assistant"))


def _answered(burst: Burst, at: str) -> Burst:
    waited = datetime.fromisoformat(at) - datetime.fromisoformat(burst.started_at)
    minutes = max(0.0, waited.total_seconds() / 60)
    return msgspec.structs.replace(burst, answered_at=at, minutes=minutes)
