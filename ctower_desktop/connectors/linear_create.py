"""Making an issue in Linear exactly once: our id, the vendor's word, the row in our tables."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from ctower_desktop.connectors import linear_queries
from ctower_desktop.connectors.contract import CONNECTORS, Asks, BadPayload, Page, Refused, Transient
from ctower_desktop.connectors.intake_store import Intake
from ctower_desktop.connectors.remote_store import Connection, Rows
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.kernel.tower import Tower

T = TypeVar("T")


class NewIssue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue to be made. `id` is ours, a UUID written down before: asking twice makes one issue."""

    id: str
    team_id: str
    title: str
    description: str
    priority: int = 0
    due_date: str | None = None
    project_id: str | None = None


class MadeIssue(msgspec.Struct, frozen=True):
    """An issue as Linear has it now."""

    id: str
    identifier: str
    url: str | None = None


class _Payload(msgspec.Struct):
    success: bool
    issue: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(msgspec.Struct):
    issueCreate: _Payload | None = None
    issue: msgspec.Raw = msgspec.Raw(b"null")


class _Envelope(msgspec.Struct):
    data: _Answer | None = None


async def create_issue(tower: Tower, new: NewIssue, *, by_user: bool) -> MadeIssue:
    """Make the issue, or find that it is there already; it stands in our tables afterwards.

    Raise Refused when Linear does not take it and has none of that id, another Upstream when that is not
    known: the same call may then be made again.
    """
    connector = CONNECTORS["linear"]
    known, wire = await (await tower.part(Sync)).line(connector, by_user=by_user)
    try:
        raw = await _created(wire, new)
    except (Refused, Transient):
        found = await _found(wire, new.id)  # an earlier try may have made it
        if found is None:
            raise
        raw = found
    made = _decoded(MadeIssue, raw)
    if made.id.lower() != new.id.lower():
        raise BadPayload(f"Linear answered about issue {made.id} instead of {new.id}.")
    await _store(tower, known, raw)
    return made


async def _created(wire: Asks, new: NewIssue) -> bytes:
    given = {
        "id": new.id,
        "teamId": new.team_id,
        "title": new.title,
        "description": new.description,
        "priority": new.priority,
        "dueDate": new.due_date,
        "projectId": new.project_id,
    }
    variables = {"input": {name: value for name, value in given.items() if value is not None}}
    data = await _asked(wire, linear_queries.create_issue(), "CreateIssue", variables)
    payload = data.issueCreate
    if payload is None or not payload.success or bytes(payload.issue) == b"null":
        raise Transient("Linear did not say that the issue was made.")
    return bytes(payload.issue)


async def _found(wire: Asks, issue_id: str) -> bytes | None:
    """The issue of that id, or None when Linear knows none."""
    try:
        data = await _asked(wire, linear_queries.one_issue(), "OneIssue", {"id": issue_id})
    except Refused:
        return None
    return bytes(data.issue) if bytes(data.issue) != b"null" else None


async def _asked(wire: Asks, query: str, operation: str, variables: dict[str, Any]) -> _Answer:
    answer = await wire.post("", {"query": query, "operationName": operation, "variables": variables})
    data = _decoded(_Envelope, answer.body).data
    if data is None:
        raise Transient("Linear answered without data.")
    return data


def _decoded(kind: type[T], body: bytes) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadPayload(f"Linear's answer is not what it should be: {error}.") from None


async def _store(tower: Tower, known: Connection, raw: bytes) -> None:
    """Take the row in as if it had been read; the next sync finds nothing new in it."""
    intake = Intake(CONNECTORS["linear"], Rows("linear", known.account), known.run, {})
    at = tower.clock.text()
    await tower.db.write_durably(intake.take, [Page("issues", [raw])], at, False)
