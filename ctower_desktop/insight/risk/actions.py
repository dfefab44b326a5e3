"""/risk: refresh health and risks, see them, write risks down, move them on."""

from __future__ import annotations

from datetime import timedelta

from ctower_desktop.insight.risk import store
from ctower_desktop.insight.risk.causes import causes
from ctower_desktop.insight.risk.health import FAILED_JOB_DAYS, health_of, rounded
from ctower_desktop.insight.risk.model import (
    ListRisks,
    NewRisk,
    PatternAnswer,
    PatternMove,
    PatternNotFound,
    RefreshAnswer,
    RefreshResult,
    Risk,
    RiskAnswer,
    RiskEdit,
    RiskId,
    RiskMove,
    RiskNotFound,
    RiskOverview,
    Risks,
)
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.regional import Regional, language
from ctower_desktop.kernel.system import as_text, new_id
from ctower_desktop.kernel.tower import Scoped


@TOWER.post("/risk/refresh", audit="risk.refresh")
async def refresh_risk(call: Scoped) -> RefreshAnswer:
    """Find health and the causes of risks anew; each cause has one risk that opens and closes with it."""
    return RefreshAnswer(await refreshed(call))


@TOWER.get("/risk/overview")
async def read_risk_overview(call: Scoped) -> RiskOverview:
    """Health, the worst live risks and the patterns of the project."""
    return RiskOverview(*await call.tower.db.read(store.overview, call.project_id))


@TOWER.get("/risk/items")
async def list_risks(call: Scoped, query: ListRisks) -> Risks:
    """Risks, the most severe first; closed ones too unless a status is named."""
    return Risks(await call.tower.db.read(store.listed, call.project_id, query))


@TOWER.post("/risk/items", status=201, audit="risk.item.create", idempotent=True)
async def add_risk(call: Scoped, body: NewRisk) -> RiskAnswer:
    """Write down a risk; it stays until a person closes it."""
    at, username = call.tower.clock.text(), call.user.username
    risk = Risk(
        id=new_id(), source="manual", title=body.title, severity=body.severity,
        probability=rounded(body.probability, 4), mitigation_action=body.mitigation or None,
        owner_username=body.owner or username, status="open", evidence_refs=[], reopened_count=0,
        closed_by=None, closed_at=None, opened_at=at, created_by=username, created_at=at, updated_at=at,
    )  # fmt: skip
    await call.tower.db.write_durably(store.add, _owner(call), risk)
    call.noted.about("risk_item", risk.id, severity=risk.severity)
    return RiskAnswer(risk)


@TOWER.post("/risk/items/{item_id}", raises=(RiskNotFound,), audit="risk.item.update")
async def edit_risk(call: Scoped, item_id: RiskId, body: RiskEdit) -> RiskAnswer:
    """Change a risk; what its cause says of title, severity and probability returns at the next refresh."""
    at = call.tower.clock.text()
    risk = await call.tower.db.write_durably(store.edit, call.project_id, item_id.lower(), body, at)
    call.noted.about("risk_item", risk.id)
    return RiskAnswer(risk)


@TOWER.post("/risk/items/{item_id}/status", raises=(RiskNotFound,), audit="risk.item.status_update")
async def move_risk(call: Scoped, item_id: RiskId, body: RiskMove) -> RiskAnswer:
    """Open, mitigate or close a risk; a closed one opens again if its cause returns or grows."""
    at = call.tower.clock.text()
    risk, before = await call.tower.db.write_durably(
        store.move, call.project_id, item_id.lower(), body.status, at
    )
    call.noted.about("risk_item", risk.id, from_status=before, to_status=risk.status)
    return RiskAnswer(risk)


@TOWER.post(
    "/risk/patterns/{pattern_id}/status", raises=(PatternNotFound,), audit="risk.pattern.status_update"
)
async def move_pattern(call: Scoped, pattern_id: RiskId, body: PatternMove) -> PatternAnswer:
    """Call a pattern open, mitigated or ignored; an ignored one stays so whatever a refresh finds."""
    at = call.tower.clock.text()
    pattern = await call.tower.db.write_durably(
        store.move_pattern, call.project_id, pattern_id.lower(), body.status, at
    )
    call.noted.about("risk_pattern", pattern.id, to_status=pattern.status)
    return PatternAnswer(pattern)


async def refreshed(call: Scoped) -> RefreshResult:
    """Find health and risks anew and keep them."""
    now = call.tower.clock.now()
    at, since = as_text(now), as_text(now - timedelta(days=FAILED_JOB_DAYS))
    known = await call.tower.db.read(store.facts, call.project_id, at[:10], since)
    weights = [signal.severity * signal.confidence for signal in known.signals]
    health = health_of(weights, known.overdue, known.failed_runs)
    found = causes(known, health.total_pressure, language(call.tower.settings.get(Regional)))
    await call.tower.db.write(store.settle, _owner(call), health, found, at)
    refs = list(dict.fromkeys(ref for cause in found for ref in cause.evidence_refs))
    call.noted.about("health_score", at[:10], evidence_refs=refs, health_score=health.health_score,
                     risks=len(found))  # fmt: skip
    return health


def _owner(call: Scoped) -> dict[str, str]:
    return {"project_id": call.project_id, "account_scope_id": call.account_scope_id}
