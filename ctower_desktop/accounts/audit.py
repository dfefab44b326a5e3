"""Writing the audit trail: who did what to which thing, on what evidence."""

from __future__ import annotations

from dataclasses import replace

from ctower_desktop.accounts import audit_store
from ctower_desktop.accounts.evidence import located, normalised
from ctower_desktop.accounts.model import AuditRow
from ctower_desktop.kernel.tower import Anyone, AuditLine, Who

_NOBODY = "anonymous"


async def record(call: Anyone, line: AuditLine) -> None:
    """Write one line of the trail and index its evidence; a failure to write fails the call.

    The project is the one the action names, else the call's; signing in and managing people have none.
    """
    project = None if call.noted.unbound else call.noted.project or call.project
    refs = normalised(line.evidence_refs)
    row = AuditRow(
        id=0,
        actor_username=(call.who.username if call.who else _NOBODY)[:200],
        actor_user_id=call.who.user_id if call.who else None,
        action=line.action[:200],
        entity_type=line.entity_type,
        entity_id=line.entity_id,
        status=line.status,
        request_id=call.asking.request_id,
        payload=line.payload,
        evidence_refs=refs,
        created_at=call.tower.clock.text(),
    )
    by_itself = call.who is None or call.who.kind == "job"
    write = call.tower.db.write if by_itself else call.tower.db.write_durably
    await write(audit_store.add, project, row, [located(ref) for ref in refs])


async def record_coming_and_going(call: Anyone, action: str, username: str, *, status: str = "ok") -> None:
    """Write that somebody signed in or out, or tried to; such lines belong to no project."""
    who = call.who if call.who is not None and call.who.username == username else None
    actor = who or Who(username=username, role="viewer", kind="session")
    bare = replace(call, who=actor, project=None).afresh()
    await record(
        bare,
        AuditLine(
            action=action,
            entity_type="session",
            entity_id=username,
            status=status,
            payload={"address": call.asking.address},
        ),
    )
