"""What a suggestion, a link and the two sides of either are, as stored and as served."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.check import is_uuid
from ctower_desktop.kernel.errors import Conflict, Invalid, InvalidUuid, NotFound

LeftType = Literal["cw_contact", "attio_account"]
RightType = Literal["attio_account", "attio_person", "linear_project"]
EntityType = Literal["cw_contact", "attio_account", "attio_person", "linear_project"]
SuggestionStatus = Literal["proposed", "applied", "dismissed"]
LinkStatus = Literal["active", "inactive"]
LinkSource = Literal["manual", "suggestion", "system"]
Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
    ),
]
SomeId = Annotated[str, Meta(max_length=100, extra_json_schema={"format": "uuid"})]
SomeIds = Annotated[list[SomeId], Meta(max_length=500, description="The ids meant; none does nothing")]
EntityId = Annotated[str, Meta(min_length=1, max_length=300, description="The id of the row")]

PAIRS: frozenset[tuple[str, str]] = frozenset(
    {("cw_contact", "attio_account"), ("cw_contact", "attio_person"), ("attio_account", "linear_project")}
)


class LinkNotFound(NotFound):
    """There is no such link in this project."""

    code = "identity_link_not_found"


class EntityNotFound(NotFound):
    """There is nothing of that kind with that id in this project."""

    code = "entity_not_found"


class LinkExists(Conflict):
    """These two are linked already."""

    code = "identity_link_exists"


class LinkConflict(Conflict):
    """One of the two is linked to something else of that kind; undo that link first."""

    code = "identity_link_conflict"


class LinkInactive(Conflict):
    """The link was undone already."""

    code = "identity_link_inactive"


class PairNotLinkable(Invalid):
    """A contact goes with a company or a person, a company with a delivery project."""

    code = "identity_pair_invalid"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two, to be read beside the other. `gone`: the vendor no longer has it."""

    entity_type: EntityType
    entity_id: str
    name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    domain: str | None = None
    company_name: str | None = None
    url: str | None = None
    gone: bool = False


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Two that may be the same client, and why. `evidence_key` says what speaks for it."""

    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str
    confidence: float
    reason: str
    dedupe_key: str
    evidence_refs: list[str]
    meta: dict[str, Any]
    evidence_key: str


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that was stored, with both sides."""

    id: str
    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str
    confidence: float
    reason: str
    status: SuggestionStatus
    evidence_refs: list[str]
    meta: dict[str, Any]
    created_at: str
    updated_at: str
    left: Side
    right: Side


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Two that are the same client, as somebody decided, with both sides."""

    id: str
    left_entity_type: LeftType
    left_entity_id: str
    right_entity_type: RightType
    right_entity_id: str
    status: LinkStatus
    source: LinkSource
    evidence_refs: list[str]
    created_by: str
    created_at: str
    updated_at: str
    left: Side
    right: Side


class Clash(msgspec.Struct, frozen=True, kw_only=True):
    """A suggestion that was not applied because one of the two is linked elsewhere already."""

    suggestion_id: str
    link_id: str
    error: str
    message: str


class PreviewIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """How many suggestions at most, the surest first."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 100


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; what was dismissed or applied before is not stored again."""

    generated: int
    stored: int
    suggestions: list[Candidate]


class ListSuggestions(msgspec.Struct, frozen=True, kw_only=True):
    """Which suggestions; `all` is every status."""

    status: str = "proposed"
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class Suggestions(msgspec.Struct, frozen=True):
    """Suggestions, the surest first."""

    suggestions: list[Suggestion]


class ChooseSuggestions(msgspec.Struct, frozen=True, kw_only=True):
    """Which suggestions are meant."""

    suggestion_ids: SomeIds = []


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The links that were made, and the suggestions that contradict a link."""

    applied: int
    links: list[Link]
    conflicts: list[Clash]


class Dismissed(msgspec.Struct, frozen=True, kw_only=True):
    """The suggestions that were dismissed."""

    dismissed: int
    suggestions: list[Suggestion]


class ListLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Which links; `all` is every status."""

    status: str = "active"
    limit: Annotated[int, Meta(ge=1, le=400)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class Links(msgspec.Struct, frozen=True):
    """Links, the newest first."""

    links: list[Link]


class NewLink(msgspec.Struct, frozen=True, kw_only=True):
    """Two that somebody knows to be the same client, in either order."""

    left_entity_type: EntityType
    left_entity_id: EntityId
    right_entity_type: EntityType
    right_entity_id: EntityId


class LinkAnswer(msgspec.Struct, frozen=True):
    """One link."""

    link: Link


def checked_ids(ids: Iterable[str]) -> list[str]:
    """Ids in small letters, each once; raise InvalidUuid for what is none."""
    found = list(dict.fromkeys(i.lower() for i in ids))
    for one in found:
        if not is_uuid(one):
            raise InvalidUuid(f"{one[:80]!r} is not a UUID.")
    return found
