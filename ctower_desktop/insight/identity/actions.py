"""/identity/suggestions and /identity/links."""

from __future__ import annotations

import asyncio
from typing import cast

from ctower_desktop.connectors.following import after_sync
from ctower_desktop.insight.identity import link_store, store
from ctower_desktop.insight.identity.link_store import Pair
from ctower_desktop.insight.identity.matching import candidates
from ctower_desktop.insight.identity.model import (
    PAIRS,
    Applied,
    ChooseSuggestions,
    Dismissed,
    EntityNotFound,
    LeftType,
    LinkAnswer,
    LinkConflict,
    LinkExists,
    LinkInactive,
    LinkNotFound,
    Links,
    ListLinks,
    ListSuggestions,
    NewLink,
    PairNotLinkable,
    Preview,
    PreviewIdentity,
    RightType,
    Suggestions,
    Uuid,
    checked_ids,
)
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.tower import Scoped

_AFTER_SYNC = 50  # suggestions of a sync


async def suggest(call: Scoped, limit: int) -> Preview:
    """Find who may be the same client and store it; what is decided already stays decided."""
    db = call.tower.db
    rows = await db.read(store.rows, call.project_id)
    found = await asyncio.to_thread(candidates, rows)
    chosen, stored = await db.write(store.keep, call.project_ref, found, limit, call.tower.clock.text())
    return Preview(generated=len(chosen), stored=stored, suggestions=chosen)


@after_sync
async def suggest_after_sync(call: Scoped, changed: frozenset[str]) -> None:
    """Look again when a sync has changed one of those that may be the same client."""
    if changed & {"contacts", "accounts", "people", "projects"}:
        await suggest(call, _AFTER_SYNC)


@TOWER.post("/identity/suggestions/preview", pace="expensive", audit="identity.preview")
async def preview_identity(call: Scoped, body: PreviewIdentity) -> Preview:
    """Suggest which contacts, companies, people and delivery projects are the same client."""
    found = await suggest(call, body.limit)
    call.noted.about("identity_suggestion", "", generated=found.generated, stored=found.stored)
    return found


@TOWER.get("/identity/suggestions")
async def list_identity_suggestions(call: Scoped, query: ListSuggestions) -> Suggestions:
    """Suggestions with both sides beside each other, the surest first."""
    return Suggestions(await call.tower.db.read(store.suggestions, call.project_id, query))


@TOWER.post("/identity/suggestions/apply", raises=(InvalidUuid,), audit="identity.apply")
async def apply_identity(call: Scoped, body: ChooseSuggestions) -> Applied:
    """Link what these suggestions say; one that contradicts a link is left open and named."""
    ids, tower = checked_ids(body.suggestion_ids), call.tower
    made, clashes = await tower.db.write_durably(
        link_store.apply, call.project_ref, ids, call.user.username, tower.clock.text()
    )
    links = [await tower.db.read(store.link, call.project_id, link_id) for link_id in made]
    refs = [ref for link in links for ref in link.evidence_refs]
    status = "partial" if clashes else "ok"
    call.noted.about("identity_link", made[0] if len(made) == 1 else "", status=status, evidence_refs=refs,
                     applied=len(made), links=made, conflicts=len(clashes))  # fmt: skip
    return Applied(applied=len(made), links=links, conflicts=clashes)


@TOWER.post("/identity/suggestions/dismiss", raises=(InvalidUuid,), audit="identity.dismiss")
async def dismiss_identity(call: Scoped, body: ChooseSuggestions) -> Dismissed:
    """Say that these are not the same: they come again only when something new speaks for them."""
    ids, tower = checked_ids(body.suggestion_ids), call.tower
    done = await tower.db.write_durably(
        link_store.dismiss, call.project_id, ids, call.user.username, tower.clock.text()
    )
    found = await tower.db.read(store.suggestions_by_id, call.project_id, done)
    call.noted.about("identity_suggestion", done[0] if len(done) == 1 else "", dismissed=done)
    return Dismissed(dismissed=len(done), suggestions=found)


@TOWER.get("/identity/links")
async def list_identity_links(call: Scoped, query: ListLinks) -> Links:
    """Links with both sides beside each other, the newest first."""
    return Links(await call.tower.db.read(store.links, call.project_id, query))


@TOWER.post(
    "/identity/links",
    raises=(PairNotLinkable, EntityNotFound, LinkExists, LinkConflict),
    audit="identity.link",
)
async def create_identity_link(call: Scoped, body: NewLink) -> LinkAnswer:
    """Link two that are known to be the same client, in whichever order they are named."""
    pair, tower = _pair(body), call.tower
    link_id = await tower.db.write_durably(
        link_store.link_by_hand, call.project_ref, pair, call.user.username, tower.clock.text()
    )
    link = await tower.db.read(store.link, call.project_id, link_id)
    call.noted.about("identity_link", link.id, evidence_refs=list(link.evidence_refs))
    return LinkAnswer(link)


@TOWER.post("/identity/links/{link_id}/undo", raises=(LinkNotFound, LinkInactive), audit="identity.link_undo")
async def undo_identity_link(call: Scoped, link_id: Uuid) -> LinkAnswer:
    """End a link; what suggested it is open again."""
    tower, link_id = call.tower, link_id.lower()
    await tower.db.write_durably(link_store.undo, call.project_id, link_id, tower.clock.text())
    link = await tower.db.read(store.link, call.project_id, link_id)
    call.noted.about("identity_link", link.id)
    return LinkAnswer(link)


def _pair(body: NewLink) -> Pair:
    ends = (body.left_entity_type, body.left_entity_id), (body.right_entity_type, body.right_entity_id)
    if (ends[0][0], ends[1][0]) not in PAIRS:
        ends = ends[1], ends[0]
    if (ends[0][0], ends[1][0]) not in PAIRS:
        raise PairNotLinkable
    (left_type, left_id), (right_type, right_id) = ends
    return Pair("", cast(LeftType, left_type), left_id, cast(RightType, right_type), right_id)
