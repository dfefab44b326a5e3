"""What a connector is: streams of rows, a way to read them, a pure way to understand them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Answer

T = TypeVar("T")

_BARREN = 20  # pages


class Transient(Upstream):
    """The vendor cannot answer now; it will be tried again."""

    code = "vendor_unavailable"


class PartialData(Transient):
    """The vendor answered with a part of the rows and an error."""

    code = "vendor_partial_data"


class CircuitOpen(Transient):
    """The vendor failed too often in a row; it is left alone for a while."""

    code = "vendor_circuit_open"


class NeedsUser(Upstream):
    """The connection does not work until somebody changes its settings."""

    code = "connector_needs_user"


class NotConfigured(NeedsUser):
    """The connection has no credentials yet."""

    code = "connector_not_configured"


class Refused(Upstream):
    """The vendor does not understand what it was asked; asking again would not help."""

    code = "vendor_refused"


class CursorLost(Refused):
    """The vendor no longer knows the place where reading was interrupted."""

    code = "vendor_cursor_lost"


class Missing(Refused):
    """The vendor has nothing under that name."""

    code = "vendor_missing"


class BadPayload(Upstream):
    """The vendor's answer, or one row of it, is not what its description says."""

    code = "vendor_bad_payload"


class Stream(msgspec.Struct, frozen=True):
    """One kind of row a vendor has.

    `kind` is the prefix of the ids made of it; `parents` are the streams its rows hang on; `nested` ones
    are read for each row of the parent, `loose` ones are worth having without it, `named` ones give other
    rows their names, `embedded` ones also come inside other rows.
    """

    name: str
    kind: str = ""
    parents: tuple[str, ...] = ()
    nested: bool = False
    loose: bool = False
    named: bool = False
    embedded: bool = False


class Record(msgspec.Struct, frozen=True):
    """One row as the vendor sent it, understood as far as the machinery needs.

    A later `version` wins over an earlier one; without versions the last read wins. `units` are the parts
    of the account it belongs to, as `kind:id`. `digest` replaces `raw` where a row comes in two shapes.
    """

    stream: str
    external_id: str
    raw: bytes
    wire: Any
    version: str = ""
    parents: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    digest: bytes = b""


class Typed(msgspec.Struct, frozen=True):
    """One row for a room; `gone` says why it counts as deleted although the vendor still sends it."""

    kind: str
    row: dict[str, Any]
    gone: str = ""


class Scope(msgspec.Struct, frozen=True):
    """The project a row is derived for, and the account it comes from."""

    project_id: str
    account_scope_id: str
    account: str

    def id(self, kind: str, external_id: object) -> str:
        """The id of a row in this project."""
        return f"{kind}:{self.project_id}:{self.account}:{external_id}"

    def row(self, kind: str, external_id: object) -> dict[str, Any]:
        """The columns every derived row begins with."""
        return {
            "id": self.id(kind, external_id),
            "project_id": self.project_id,
            "account_scope_id": self.account_scope_id,
        }


class Names(Protocol):
    """Looks up rows that other rows mention."""

    def get(self, stream: str, external_id: object) -> Any:
        """The wire Struct of a row of a named stream, or None."""

    def parent(self, external_id: str) -> Record | None:
        """The row this one hangs on."""


class Unit(msgspec.Struct, frozen=True):
    """A part of an account that can feed a project."""

    kind: str
    id: str
    name: str


class Account(msgspec.Struct, frozen=True):
    """The account a token belongs to."""

    id: str
    name: str


@dataclass(slots=True)
class Page:
    """Rows of one answer. `resume` is where to go on after it, `seen` ids that were enumerated without rows.

    For a nested stream, `parent` is the row it belongs to, `covered` the version of the parent that is read
    with this page, and `complete_from` says that all rows from this number on are in `rows`.
    """

    stream: str
    rows: list[bytes]
    resume: dict[str, Any] | None = None
    seen: list[str] = field(default_factory=list)
    parent: str | None = None
    covered: str | None = None
    complete_from: int | None = None
    error: PartialData | None = None


@dataclass(slots=True)
class Done:
    """The end of a walk that saw everything it should. `watermark` is committed with it.

    `enumerated` says that every row of the stream was seen, `certain` that none can have been skipped;
    `count` is how many the vendor says there are. `absent` says that the account has no such stream.
    """

    watermark: str | None = None
    enumerated: bool = False
    certain: bool = False
    count: int | None = None
    absent: bool = False


class Due(msgspec.Struct, frozen=True):
    """A row whose nested rows have to be read, from `tail` on, or all of them."""

    external_id: str
    version: str
    tail: int | None


@dataclass(slots=True)
class Walk:
    """What is to be read: since the watermark, from where it was interrupted, or `whole`."""

    stream: Stream
    watermark: str | None
    resume: dict[str, Any] | None
    whole: bool
    facts: dict[str, Any]
    known: Callable[[list[str]], Awaitable[dict[str, str]]]
    due: list[Due] = field(default_factory=list)


@dataclass(slots=True)
class Ending:
    """Notices a list without end, from a vendor or a proxy that gives the same rows whatever is asked.

    A walk may begin again or go back, so as many pages of known rows are borne as brought new ones.
    """

    title: str
    fruitful: int = 0
    barren: int = 0

    def brought(self, new: int) -> None:
        """One more page with so many new rows; raise BadPayload when this cannot be a list."""
        if new:
            self.fruitful, self.barren = self.fruitful + 1, 0
            return
        self.barren += 1
        if self.barren > self.fruitful + _BARREN:
            raise BadPayload(f"{self.title} gives the same rows again and again; it is asked anew later.")


class Budget(Protocol):
    """Paces requests; `tell` lets it read the vendor's headers."""

    async def take(self) -> None: ...

    def tell(self, answer: Answer, server_time: float | None) -> None: ...


class Asks(Protocol):
    """The line to a vendor, as a connector uses it."""

    server_time: str | None

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer: ...

    async def post(self, path: str, body: Any) -> Answer: ...

    async def put(self, path: str, body: Any) -> Answer: ...


class Connector(Protocol):
    """A vendor. The machinery around it (connectors/sync.py) is the same for all.

    `account_unit` is the kind of unit that means the whole account; `local_ids` says that ids are unique
    only within one server, so that the same account at another address is another source.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    settings: ClassVar[type[msgspec.Struct]]
    streams: ClassVar[tuple[Stream, ...]]
    account_unit: ClassVar[str]
    local_ids: ClassVar[bool]
    unit_streams: ClassVar[dict[str, str]]  # kind of unit → stream whose rows are such units

    def base_url(self, page: Any) -> str:
        """Where the vendor is, by the settings."""

    def missing_setting(self, page: Any) -> str | None:
        """Which setting is still to be given, in words; None when it can be tried."""

    def headers(self, page: Any) -> dict[str, str]:
        """The credentials of every request."""

    def budgets(self, page: Any, now: Callable[[], float], sleep: Callable[[float], Any]) -> list[Budget]:
        """What paces the requests."""

    def failure(self, answer: Answer) -> Upstream | None:
        """What is wrong with an answer, or None."""

    async def check(self, wire: Asks, page: Any) -> Account:
        """Ask who we are: the cheapest call that needs credentials. Raise NeedsUser in words."""

    def pull(self, wire: Asks, page: Any, walk: Walk) -> AsyncGenerator[Page | Done, None]:
        """Read a stream."""

    async def exists(self, wire: Asks, page: Any, stream: str, external_id: str) -> bool | None:
        """Whether the vendor still has a row; None when that cannot be asked cheaply."""

    def parse(self, stream: str, raw: bytes) -> list[Record]:
        """The row, then the rows embedded in it. Pure. Raise BadPayload, nothing else."""

    def typed(self, record: Record, scope: Scope, names: Names) -> list[Typed]:
        """The rows of the rooms made of a row. Pure."""

    def label(self, record: Record) -> str:
        """What other rows show of this one; when it changes they are derived again."""

    def listed(self, record: Record) -> bool:
        """Whether the vendor's enumeration of an embedded stream would show this row."""

    def unit_name(self, record: Record) -> str:
        """What a unit is called."""


CONNECTORS: dict[str, Connector] = {}


def stream_of(connector: Connector, name: str) -> Stream:
    """The declaration of a stream."""
    return next(stream for stream in connector.streams if stream.name == name)


def origin_of(url: str) -> str:
    """Scheme, host and port: another origin is another server, another path or a final slash is not."""
    parts = urlsplit(url.strip())
    return f"{parts.scheme}://{parts.netloc}".lower()


def settings_of(connector: Connector, page: Any) -> str:
    """The address of the vendor; raise NotConfigured naming what is missing."""
    missing = connector.missing_setting(page)
    if missing is not None:
        raise NotConfigured(f"{connector.title} is not connected yet: {missing}.")
    return connector.base_url(page)


def understood(decoder: msgspec.json.Decoder[T], raw: bytes, what: str) -> T:
    """Decode a row; raise BadPayload that says where it does not fit."""
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        raise BadPayload(f"{what}: {error}") from None
