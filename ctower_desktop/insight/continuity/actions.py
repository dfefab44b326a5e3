"""/continuity/preview, /continuity/actions, /continuity/apply and /continuity/dismiss."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from ctower_desktop.connectors.contract import CONNECTORS, Refused
from ctower_desktop.connectors.linear_create import NewIssue, create_issue
from ctower_desktop.insight.continuity import apply_store, store
from ctower_desktop.insight.continuity.apply_store import PRIORITY, Begun, Where
from ctower_desktop.insight.continuity.model import (
    Actions,
    AppliedActions,
    ApplyActions,
    ChooseActions,
    DismissedActions,
    ListActions,
    Previewed,
)
from ctower_desktop.insight.continuity.proposals import proposed
from ctower_desktop.insight.identity.model import checked_ids
from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import InvalidUuid, StorageFailure, TowerError
from ctower_desktop.kernel.system import as_text
from ctower_desktop.kernel.tower import Scoped

_DAYS = 21  # how far back promises are looked for

_NO_TEAM = "team_unknown: several teams of Linear are possible; say which one the issue goes to."
_NOT_CONNECTED = (
    "linear_not_connected: it was begun in Linear, which may have the issue. Connect Linear again to finish "
    "it, or dismiss it."
)


@TOWER.post("/continuity/preview", pace="expensive", audit="continuity.preview")
async def preview_continuity(call: Scoped) -> Previewed:
    """Propose tasks that follow from open deals and from what the team has promised."""
    tower, project = call.tower, call.project_ref
    since = as_text(tower.clock.now() - timedelta(days=_DAYS))
    found = await tower.db.read(store.sources, project.id, since)
    tasks = await asyncio.to_thread(proposed, project.id, found)
    touched = await tower.db.write(
        store.keep, project, tasks, since=found.since, by=call.user.username, at=tower.clock.text()
    )
    rows = await tower.db.read(store.actions_by_id, project.id, touched)
    call.noted.about("continuity_action", "", touched=len(touched))
    return Previewed(touched=len(touched), rows=rows)


@TOWER.get("/continuity/actions")
async def list_continuity_actions(call: Scoped, query: ListActions) -> Actions:
    """Actions with the issues they became as these stand now, the last touched first."""
    return Actions(await call.tower.db.read(store.actions, call.project_id, query))


@TOWER.post("/continuity/apply", raises=(InvalidUuid,), pace="expensive", audit="continuity.apply")
async def apply_continuity(call: Scoped, body: ApplyActions) -> AppliedActions:
    """Make issues of actions: in Linear where it is connected to the project, else here.

    What fails keeps its error and can be applied again; that never makes a second issue.
    """
    ids = checked_ids(body.action_ids)
    team_id = checked_ids([body.team_id])[0] if body.team_id else None
    tower, project = call.tower, call.project_ref
    wanted = await tower.db.read(apply_store.waiting, project.id, ids)
    where = await tower.db.read(apply_store.where, project.id)
    if where.bound and _connected(call):
        made = await _in_linear(call, wanted, where, team_id)
    else:
        made = await _here(call, [one.id for one in wanted])
    rows = await tower.db.read(store.actions_by_id, project.id, [one.id for one in wanted])
    failed = sum(row.status == "failed" for row in rows)
    refs = [ref for row in rows if row.id in made for ref in row.evidence_refs]
    call.noted.about(
        "continuity_action", wanted[0].id if len(wanted) == 1 else "", evidence_refs=refs,
        status="ok" if not failed else "partial" if made else "failed", applied=made, failed=failed,
    )  # fmt: skip
    return AppliedActions(applied=len(made), failed=failed, actions=rows)


@TOWER.post("/continuity/dismiss", raises=(InvalidUuid,), audit="continuity.dismiss")
async def dismiss_continuity(call: Scoped, body: ChooseActions) -> DismissedActions:
    """Say that these need no issue; they are not proposed again."""
    ids, tower = checked_ids(body.action_ids), call.tower
    done = await tower.db.write_durably(store.dismiss, call.project_id, ids, tower.clock.text())
    rows = await tower.db.read(store.actions_by_id, call.project_id, done)
    call.noted.about("continuity_action", done[0] if len(done) == 1 else "", dismissed=done)
    return DismissedActions(dismissed=len(done), actions=rows)


def _connected(call: Scoped) -> bool:
    connector = CONNECTORS["linear"]
    return connector.missing_setting(call.tower.settings.get(connector.settings)) is None


async def _here(call: Scoped, wanted: list[str]) -> list[str]:
    tower, at = call.tower, call.tower.clock.text()
    made, unsure = await tower.db.write_durably(
        apply_store.apply_locally, call.project_ref, wanted, call.user.username, at
    )
    for one in unsure:
        await tower.db.write_durably(apply_store.failed, one, _NOT_CONNECTED, at, certain=False)
    return made


async def _in_linear(call: Scoped, wanted: list[Begun], where: Where, team_id: str | None) -> list[str]:
    """Make the issues one after the other; when Linear does not answer the rest is not tried."""
    made: list[str] = []
    down = ""
    for one in wanted:
        team, project = where.place(one.delivery_project, team_id)
        if down or team is None:
            await _failed(call, one.id, down or _NO_TEAM, certain=False)
            continue
        try:
            if await _in_team(call, one.id, team, project):
                made.append(one.id)
        except Refused as error:
            await _failed(call, one.id, _told(error), certain=True)
        except StorageFailure:
            raise
        except TowerError as error:
            down = _told(error)
            await _failed(call, one.id, down, certain=False)
    return made


async def _in_team(call: Scoped, action_id: str, team: str, project: str | None) -> bool:
    """Make one issue; whether it was this call. Its id is written down before Linear is asked."""
    tower = call.tower
    begun = await tower.db.write_durably(apply_store.begin, action_id, tower.clock.text())
    if begun is None:
        return False
    new = NewIssue(
        id=str(begun.linear_issue_external_id),
        team_id=team,
        title=begun.title,
        description=begun.text,
        priority=PRIORITY,
        due_date=begun.due_date,
        project_id=project,
    )
    made = await create_issue(tower, new, by_user=call.user.kind != "job")
    return await tower.db.write_durably(
        apply_store.done, begun.id, made.id, made.identifier, made.url,
        by=call.user.username, at=tower.clock.text(),
    )  # fmt: skip


async def _failed(call: Scoped, action_id: str, error: str, *, certain: bool) -> None:
    at = call.tower.clock.text()
    await call.tower.db.write_durably(apply_store.failed, action_id, error, at, certain=certain)


def _told(error: TowerError) -> str:
    return f"{error.code}: {error}"
