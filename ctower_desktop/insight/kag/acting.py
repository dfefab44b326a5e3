"""Doing something about a recommendation: a task, a message, a reminder."""

from __future__ import annotations

import hashlib
import logging
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.linear_create import NewIssue, create_issue
from ctower_desktop.inbox.outbound.actions import approve_outbound, draft_outbound, send_outbound
from ctower_desktop.inbox.outbound.model import (
    ApproveOutbound,
    ChannelName,
    NewOutbound,
    Outbound,
    SendUncertain,
)
from ctower_desktop.insight.continuity.apply_store import where
from ctower_desktop.insight.kag import action_store, recipient_store, recommendation_store
from ctower_desktop.insight.kag.model import (
    ActionFailed,
    ActionInvalid,
    ActionRun,
    ActionType,
    Recommendation,
)
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Conflict, Invalid, StorageFailure, TowerError
from ctower_desktop.kernel.sql import as_json
from ctower_desktop.kernel.tower import ProjectRef, Scoped
from ctower_desktop.work import local_store
from ctower_desktop.work.model import EditIssue, LocalIssue

log = logging.getLogger(__name__)

_TASK_PRIORITY = {5: 1, 4: 2}  # ours to that of issues, where 1 is urgent


class NoRecipient(Conflict):
    """Nobody is known whom this could be sent to; name a recipient."""

    code = "recipient_required"


class TeamUnknown(Conflict):
    """Several teams of Linear are possible; say which one the issue goes to."""

    code = "team_unknown"


class LinearNotConnected(Conflict):
    """It was begun in Linear, which may have the issue. Connect Linear again and retry."""

    code = "linear_not_connected"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task to be made, or changed if it is there; what is left out is taken from the recommendation."""

    title: Annotated[str, Meta(max_length=300)] = ""
    description: Annotated[str, Meta(max_length=20_000)] = ""
    due_date: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    assignee: Annotated[str, Meta(max_length=200)] = ""
    team_id: Annotated[str, Meta(max_length=100)] = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be sent; without a recipient it goes to whom the evidence speaks of."""

    channel: ChannelName | None = None
    recipient: Annotated[str, Meta(max_length=500)] = ""
    subject: Annotated[str, Meta(max_length=300)] = ""
    text: Annotated[str, Meta(max_length=20_000)] = ""


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder, every hour if nothing is said."""

    cadence_seconds: Annotated[int, Meta(ge=300, le=604_800)] = 3_600
    note: Annotated[str, Meta(max_length=2_000)] | None = None


_SHAPES: dict[ActionType, type[Task | Message | Reminder]] = {
    "create_or_update_task": Task,
    "send_message": Message,
    "set_reminder": Reminder,
}


def wanted(
    call: Scoped, about: Recommendation, kind: str, payload: dict[str, Any], max_retries: int
) -> action_store.Wanted:
    """What is to be done, checked; raise ActionInvalid."""
    shape = next((found for name, found in _SHAPES.items() if name == kind), None)
    if shape is None:
        raise ActionInvalid(f"An action is {', '.join(_SHAPES)}.")
    if about.evidence_gate_status != "visible":
        raise ActionInvalid("It is hidden: what it stands on is not enough to act upon.")
    try:
        check({k: v for k, v in payload.items() if k != "dedupe_key"}, shape)
    except Invalid as error:
        raise ActionInvalid(str(error), issues=error.issues) from None
    own = payload.get("dedupe_key")
    said = own if isinstance(own, str) and own else as_json(dict(sorted(payload.items())))
    key = _digest(f"{about.id}:{kind}:{said}")
    action: ActionType = next(name for name in _SHAPES if name == kind)
    return action_store.Wanted(
        about.id, action, payload, key, f"rec.{about.id}.{kind}.{key[:16]}", max_retries, call.user.username
    )


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class Acted(msgspec.Struct, frozen=True):
    """What was done; `idempotent` says that the same had been done before."""

    run: ActionRun
    recommendation: Recommendation
    idempotent: bool


async def attempt(call: Scoped, project: ProjectRef, about: Recommendation, run: ActionRun) -> Acted:
    """Do it and note how it went; raise ActionFailed with the reason."""
    db, clock = call.tower.db, call.tower.clock
    try:
        result = await perform(call, project, about, run)
    except StorageFailure:
        raise  # nobody knows what was noted; the run is found again when the database is back
    except TowerError as error:
        said = f"{error.code}: {error}"
        await db.write_durably(action_store.failed, run, said, clock.now())
        call.noted.status = "failed"
        raise ActionFailed(said) from error
    await db.write_durably(action_store.succeeded, run, result, clock.text())
    ended = await db.read(action_store.one, [about.project_id], run.id)
    after = await db.read(recommendation_store.found, [about.project_id], about.id)
    return Acted(ended, after, idempotent=False)


async def retry_due(call: Scoped) -> int:
    """Try once more what failed and has waited long enough; return how many were tried."""
    db, own = call.tower.db, [call.project_id]
    due = await db.read(action_store.due, call.project_id, call.tower.clock.text())
    for run_id in due:
        run = await db.write_durably(action_store.again, own, run_id, call.tower.clock.now())
        about = await db.read(recommendation_store.found, own, run.recommendation_id)
        try:
            await attempt(call, call.project_ref, about, run)
        except ActionFailed as error:
            log.info("an action on a recommendation failed again: %s", error)
    return len(due)


async def perform(call: Scoped, project: ProjectRef, about: Recommendation, run: ActionRun) -> dict[str, Any]:
    """Do it; return what came of it, or raise a TowerError saying why not."""
    payload = {k: v for k, v in run.action_payload.items() if k != "dedupe_key"}
    if run.action_type == "set_reminder":
        return await _remind(call, project, about, check(payload, Reminder))
    if run.action_type == "send_message":
        return await _send(call, project, about, check(payload, Message), run)
    return await _task(call, project, about, check(payload, Task), run)


async def _remind(call: Scoped, project: ProjectRef, about: Recommendation, wish: Reminder) -> dict[str, Any]:
    made = await call.tower.db.write_durably(
        action_store.set_reminder, project, about.id, wish.cadence_seconds, wish.note, call.tower.clock.now()
    )
    return {"cadence_seconds": made.every_seconds, "next_at": made.next_at}


async def _send(
    call: Scoped, project: ProjectRef, about: Recommendation, wish: Message, run: ActionRun
) -> dict[str, Any]:
    """Write, approve and send; a retry takes the same message up again, it never makes a second one."""
    messages = [each.message_id for each in about.evidence_refs if each.message_id]
    recipient = wish.recipient or await call.tower.db.read(recipient_store.recipient, project.id, messages)
    if not recipient:
        raise NoRecipient
    channel = wish.channel or ("email" if "@" in recipient else "chatwoot")
    payload: dict[str, Any] = {"text": wish.text or about.suggested_template}
    if channel == "email":
        payload["subject"] = wish.subject or about.title
    new = NewOutbound(
        channel=channel,
        recipient_ref=recipient,
        idempotency_key=run.correlation_id,
        dedupe_key=run.correlation_id,
        payload=payload,
        evidence_refs=[{"ref": message} for message in messages],
    )
    outbound = (await draft_outbound(call, new)).outbound
    if outbound.status == "draft":
        outbound = (await approve_outbound(call, outbound.id, ApproveOutbound())).outbound
    if outbound.status in ("sending", "uncertain"):
        raise SendUncertain
    if outbound.status == "sent":
        return _sent(outbound, dry_run=False)
    answer = await send_outbound(call, outbound.id)
    return _sent(answer.outbound, dry_run=answer.dry_run)


def _sent(outbound: Outbound, *, dry_run: bool) -> dict[str, Any]:
    return {
        "outbound_id": outbound.id,
        "channel": outbound.channel,
        "recipient_ref": outbound.recipient_ref,
        "status": outbound.status,
        "dry_run": dry_run,
    }


async def _task(
    call: Scoped, project: ProjectRef, about: Recommendation, wish: Task, run: ActionRun
) -> dict[str, Any]:
    """One task for a recommendation: in Linear where it is connected to the project, else here."""
    tasks = await call.tower.db.read(action_store.tasks, about.id)
    first = tasks[0]  # its id is that of the task
    begun = next((each.result["target"] for each in tasks if "target" in each.result), "")
    connector = CONNECTORS["linear"]
    connected = connector.missing_setting(call.tower.settings.get(connector.settings)) is None
    place = await call.tower.db.read(where, project.id)
    if begun == "linear" and not (connected and place.bound):
        raise LinearNotConnected
    if begun != "local" and connected and place.bound:
        team, linear_project = place.place(None, wish.team_id or None)
        if team is None:
            raise TeamUnknown
        await call.tower.db.write_durably(action_store.note, run.id, {"target": "linear"})
        made = await create_issue(
            call.tower,
            NewIssue(
                id=first.id,
                team_id=team,
                title=wish.title or about.title,
                description=_text(about, wish),
                priority=_TASK_PRIORITY.get(about.priority, 3),
                due_date=wish.due_date or about.due_date,
                project_id=linear_project,
            ),
            by_user=call.user.kind != "job",
        )
        return {"target": "linear", "issue_id": made.id, "identifier": made.identifier, "url": made.url}
    return await _local_task(call, project, about, wish, first.id)


async def _local_task(
    call: Scoped, project: ProjectRef, about: Recommendation, wish: Task, key: str
) -> dict[str, Any]:
    tower, external_id = call.tower, f"recommendation:{key}"
    new = LocalIssue(
        external_id=external_id,
        title=wish.title or about.title,
        description=_text(about, wish),
        priority=_TASK_PRIORITY.get(about.priority, 3),
        due_date=wish.due_date or about.due_date,
        assignee_name=wish.assignee or call.user.username,
    )
    identifier = await tower.db.write_durably(
        local_store.add, project, new, call.user.username, tower.clock.text()
    )
    issue_id = f"linissue:{project.id}:{local_store.WORKSPACE}:{external_id}"
    change = EditIssue(
        title=new.title, description=new.description, due_date=new.due_date, assignee_name=new.assignee_name
    )
    await tower.db.write_durably(local_store.edit, project.id, issue_id, change, tower.clock.text())
    return {"target": "local", "issue_id": issue_id, "identifier": identifier, "url": None}


def _text(about: Recommendation, wish: Task) -> str:
    said = wish.description or f"{about.rationale}\n\n{about.why_now}\n\n{about.expected_impact}"
    return "\n".join((said, "", *about.links)).strip() if about.links else said
