"""Chances to sell more in SQL: lists, decisions, and what the radar sees in deals and in clients' words."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from ctower_desktop.crm.stages import opportunity_stage
from ctower_desktop.insight.signals import stories
from ctower_desktop.insight.signals.model import (
    ListByStatus,
    RadarResult,
    Upsell,
    UpsellNotFound,
    UpsellStatus,
)
from ctower_desktop.insight.signals.radar import STAGES, Chance, OpenDeal, decided, of_deal
from ctower_desktop.kernel.sql import Command, Query, as_json
from ctower_desktop.kernel.system import new_id
from ctower_desktop.kernel.tower import ProjectRef

_LOOKED_AT = 2_000  # deals that changed last
_MOST = 300  # of them in an open stage


class _Known(msgspec.Struct, frozen=True):
    id: str
    status: UpsellStatus
    closed_by_itself: bool
    evidence_refs: list[str]
    last_seen_at: str


class _OfDeal(msgspec.Struct, frozen=True):
    id: str
    stage: str | None
    deleted_at: str | None


class _Open(msgspec.Struct, frozen=True):
    count: int


class _Count(msgspec.Struct, frozen=True):
    standing: int
    touched: int


_UPSELL = """id, account_external_id, source_ref, title, rationale, score, status, suggested_offer_payload,
           suggested_outbound_payload, evidence_refs, created_at, updated_at"""
_ORDER = "ORDER BY score DESC, updated_at DESC, id LIMIT :limit OFFSET :offset"
_ALL = Query(Upsell, f"SELECT {_UPSELL} FROM upsell_opportunity WHERE project_id = :project_id {_ORDER}")
_OF_STATUS = Query(
    Upsell,
    f"SELECT {_UPSELL} FROM upsell_opportunity WHERE project_id = :project_id AND status = :status {_ORDER}",
)
_ONE = Query(
    Upsell,
    f"SELECT {_UPSELL} FROM upsell_opportunity WHERE id = :id AND project_id = :project_id",
    missing=UpsellNotFound,
)
_SET_STATUS = Command("""
    UPDATE upsell_opportunity SET status = :status, closed_by_itself = :by_itself, updated_at = :at
    WHERE id = :id
""")
_KNOWN = Query(
    _Known,
    """
    SELECT id, status, closed_by_itself, evidence_refs, last_seen_at FROM upsell_opportunity
    WHERE project_id = :project_id AND source_kind = :source_kind AND source_ref = :source_ref
    """,
)
_ADD = Command("""
    INSERT INTO upsell_opportunity (id, project_id, account_scope_id, account_external_id, source_kind,
        source_ref, title, rationale, score, suggested_offer_payload, suggested_outbound_payload,
        evidence_refs, dedupe_key, last_seen_at, created_at, updated_at)
    VALUES (:id, :project_id, :account_scope_id, :account, :source_kind, :source_ref, :title, :rationale,
        :score, :offer, :outbound, :refs, :dedupe_key, :seen_at, :at, :at)
""")
_RENEW = Command("""
    UPDATE upsell_opportunity
    SET status = :status, closed_by_itself = 0, account_external_id = :account, title = :title,
        rationale = :rationale, score = max(score, :score), suggested_offer_payload = :offer,
        suggested_outbound_payload = :outbound, evidence_refs = :refs,
        last_seen_at = max(last_seen_at, :seen_at), updated_at = :at
    WHERE id = :id
      AND ((status, account_external_id, title, rationale, suggested_offer_payload,
            suggested_outbound_payload, evidence_refs)
            IS NOT (:status, :account, :title, :rationale, :offer, :outbound, :refs)
           OR score < :score OR last_seen_at < :seen_at)
""")
_SET_REFS = Command("UPDATE upsell_opportunity SET evidence_refs = :refs, updated_at = :at WHERE id = :id")
_DEALS = Query(
    OpenDeal,
    """
    SELECT id, external_id, account_external_id, company_name, title, stage, amount, currency, updated_at
    FROM deal WHERE project_id = :project_id AND deleted_at IS NULL
    ORDER BY updated_at DESC, id LIMIT :limit
    """,
)
_OF_DEALS = Query(
    _OfDeal,
    """
    SELECT u.id, d.stage, d.deleted_at FROM upsell_opportunity AS u LEFT JOIN deal AS d ON d.id = u.source_ref
    WHERE u.project_id = :project_id AND u.status IN ('proposed', 'accepted') AND u.source_kind = 'deal'
    """,
)
_COUNT = Query(
    _Count,
    """
    SELECT count(*) AS standing, coalesce(sum(status IN ('proposed', 'accepted')), 0) AS touched
    FROM upsell_opportunity
    WHERE project_id = :project_id AND source_kind = 'conversation' AND last_seen_at >= :since
    """,
)

_OPEN_AMONG = Query(
    _Open,
    """
    SELECT count(*) AS count FROM upsell_opportunity
    WHERE project_id = :project_id AND source_kind = 'deal' AND status IN ('proposed', 'accepted')
      AND source_ref IN (SELECT value FROM json_each(:refs))
    """,
)


def listed(db: apsw.Connection, project_id: str, query: ListByStatus) -> list[Upsell]:
    """Chances to sell more, the best first."""
    page = {"project_id": project_id, "limit": query.limit, "offset": query.offset}
    if query.status:
        return _OF_STATUS.all(db, **page, status=query.status)
    return _ALL.all(db, **page)


def set_status(db: apsw.Connection, project_id: str, upsell_id: str, status: UpsellStatus, at: str) -> Upsell:
    """Move a chance; raise UpsellNotFound."""
    before = _ONE.one(db, id=upsell_id, project_id=project_id)
    if before.status != status:
        _SET_STATUS.run(db, id=upsell_id, status=status, by_itself=0, at=at)
    return _ONE.one(db, id=upsell_id, project_id=project_id)


def earlier(db: apsw.Connection, project_id: str, conversation_id: str) -> tuple[str, ...]:
    """Messages of a conversation that asked for more before."""
    known = _known(db, project_id, "conversation", conversation_id)
    return tuple(ref for ref in known.evidence_refs if ref != conversation_id) if known else ()


def put(db: apsw.Connection, project: ProjectRef, chance: Chance, at: str, ripe: str) -> bool:
    """Keep a chance; return whether it is new.

    What somebody decided against or converted stays, unless it closed by itself, or the client asks again
    and the last time was before `ripe`.
    """
    known = _known(db, project.id, chance.source_kind, chance.source_ref)
    values = {
        "account": chance.account_external_id, "title": chance.title, "rationale": chance.rationale,
        "score": chance.score, "offer": as_json(chance.offer), "outbound": as_json(chance.outbound),
        "refs": as_json(chance.refs), "seen_at": chance.seen_at, "at": at,
    }  # fmt: skip
    if known is None:
        _ADD.run(
            db, id=new_id(), project_id=project.id, account_scope_id=project.account_scope_id,
            source_kind=chance.source_kind, source_ref=chance.source_ref,
            dedupe_key=stories.key(project.id, chance.source_kind, chance.source_ref), **values,
        )  # fmt: skip
        return True
    decided = known.status not in ("proposed", "accepted")
    asked_again = chance.source_kind == "conversation" and known.last_seen_at < ripe <= chance.seen_at
    if decided and not known.closed_by_itself and not asked_again:
        return False
    _RENEW.run(db, id=known.id, status="proposed" if decided else known.status, **values)
    return False


def forget(db: apsw.Connection, project_id: str, conversation_id: str, ref: str, at: str) -> None:
    """Take out a message that no longer asks for more; a chance without any left is dismissed."""
    known = _known(db, project_id, "conversation", conversation_id)
    if known is None or ref not in known.evidence_refs:
        return
    refs = [one for one in known.evidence_refs if one != ref]
    _SET_REFS.run(db, id=known.id, refs=as_json(refs), at=at)
    if refs == [conversation_id] and known.status == "proposed":
        _SET_STATUS.run(db, id=known.id, status="dismissed", by_itself=1, at=at)


def look(db: apsw.Connection, project: ProjectRef, at: str, ripe: str) -> RadarResult:
    """Keep a chance for every open deal, close those whose deals are over, and count what stands."""
    chances: list[Chance] = []
    for deal in _DEALS.all(db, project_id=project.id, limit=_LOOKED_AT):
        stage = opportunity_stage(deal.stage)
        if stage in STAGES and len(chances) < _MOST:
            chances.append(of_deal(deal, stage))
    created = sum(put(db, project, chance, at, ripe) for chance in chances)
    closing = _over(_OF_DEALS.all(db, project_id=project.id))
    for upsell_id, status in closing:
        _SET_STATUS.run(db, id=upsell_id, status=status, by_itself=1, at=at)
    said = _COUNT.one(db, project_id=project.id, since=ripe)
    deals = as_json([chance.source_ref for chance in chances])
    return RadarResult(
        generated_candidates=said.standing + len(chances),
        touched=said.touched + _OPEN_AMONG.one(db, project_id=project.id, refs=deals).count,
        created=created,
        closed=len(closing),
    )


def _over(rows: Sequence[_OfDeal]) -> list[tuple[str, UpsellStatus]]:
    """The open chances whose deals are won, lost or gone, and what becomes of them."""
    found: list[tuple[str, UpsellStatus]] = []
    for row in rows:
        gone = row.stage is None or row.deleted_at is not None
        status = "dismissed" if gone else decided(opportunity_stage(row.stage))
        if status is not None:
            found.append((row.id, status))
    return found


def _known(db: apsw.Connection, project_id: str, source_kind: str, source_ref: str) -> _Known | None:
    return _KNOWN.first(db, project_id=project_id, source_kind=source_kind, source_ref=source_ref)
