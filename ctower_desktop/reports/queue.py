"""What needs somebody, from all projects, as one queue: what it is, for whom, since when, how urgent."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import Invalid, NotFound

Kind = Literal["waiting", "signal", "action", "offer", "outbound", "issue", "alert"]
KINDS: tuple[Kind, ...] = ("waiting", "signal", "action", "offer", "outbound", "issue", "alert")
Deed = Literal["accept", "done", "dismiss"]
Until = Literal["tomorrow", "next_week", "changed"]
Ref = Annotated[str, Meta(min_length=1, max_length=500, description="The id of the thing")]


class QueueItemNotFound(NotFound):
    """That is not in the queue."""

    code = "queue_item_not_found"


class InvalidMoment(Invalid):
    """A time to come is written as 2026-11-24T09:00:00.000Z."""

    code = "invalid_moment"


class Waits(msgspec.Struct, frozen=True):
    """Something that needs somebody, as its room keeps it.

    `weight` is how bad its own room says it is; `about` is for whom or by whom; `place` is the message,
    signal or account that goes with it; `stamp` changes with whatever makes it worth another look.
    """

    kind: Kind
    id: str
    project_id: str | None
    project_name: str | None
    account_scope_id: str | None
    title: str
    about: str
    place: str
    since: str
    due: str | None
    weight: int
    status: str
    stamp: str
    amount: float | None
    currency: str | None


class Mark(msgspec.Struct, frozen=True):
    """What somebody put aside: until a time, or without one until it changes."""

    kind: Kind
    ref: str
    stamp: str
    until: str | None


class QueueItem(Waits, frozen=True):
    """Something in the queue: urgency 1 to 5, what can be done with it, and until when it was put aside."""

    urgency: int
    late: bool
    deeds: list[Deed]
    put_aside: bool
    until: str | None


class ReadQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Which part: of a kind, of a project, what was put aside instead of what waits."""

    kind: str = ""
    project_id: str = ""
    put_aside: bool = False
    limit: Annotated[int, Meta(ge=1, le=500, description="How many at most")] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000, description="How many to leave out")] = 0


class KindCount(msgspec.Struct, frozen=True):
    """How many of a kind wait; with `more` there are still more than were looked at."""

    kind: Kind
    count: int
    more: bool


class Queue(msgspec.Struct, frozen=True):
    """What needs you, the most urgent first; `total` counts everything that passes the filters."""

    items: list[QueueItem]
    total: int
    counts: list[KindCount]
    put_aside: int


class Snooze(msgspec.Struct, frozen=True, kw_only=True):
    """What to put aside: until tomorrow or next week when work begins, until it changes, or until a time."""

    kind: Kind
    id: Ref
    until: Until = "changed"
    at: Annotated[str, Meta(max_length=40, description="A time to come; it counts instead of `until`")] = ""


class Wake(msgspec.Struct, frozen=True):
    """What is to be in the queue again."""

    kind: Kind
    id: Ref


class Marked(msgspec.Struct, frozen=True):
    """What was put aside or taken up again, and until when."""

    kind: Kind
    id: str
    put_aside: bool
    until: str | None
