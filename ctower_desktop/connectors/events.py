"""What rows that came or changed mean, as lines of the event log. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ctower_desktop.connectors.projection_store import Happened
from ctower_desktop.inbox.store import Silence
from ctower_desktop.kernel.system import as_text

APPROVAL = re.compile(r"approve|approval|апрув|подтверд|согласуйте|согласуем", re.IGNORECASE)
SCOPE = re.compile(
    r"out of scope|outside scope|change request|вне скоупа|дополнительно|доработк", re.IGNORECASE
)
APPROVED = re.compile(
    r"\b(approved|i approve|we approve|looks good to (me|us))\b"
    r"|\b(согласован\w*|согласны|утвержда(ю|ем)|утвержден\w*|утверждён\w*|подтверждаю|подтверждаем)\b",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"\b(not|never|isn't|aren't|не|пока не)\s+(\w+\s+)?$", re.IGNORECASE)
_ASKED = re.compile(r"[^.!?\n]*\?")  # the rest of a sentence that is a question
_OVER = ("completed", "canceled")  # states of a vendor's project
_INVOICES = {"sent": "invoice_sent", "paid": "invoice_paid"}
SILENT_AFTER = timedelta(days=4)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the event log. `dedupe` tells the same happening from another."""

    project_id: str
    account_scope_id: str
    event_type: str
    occurred_at: str
    actor: str
    source: str
    source_ref: str
    source_url: str | None = None
    source_message_id: str | None = None
    source_linear_issue_id: str | None = None
    source_attio_record_id: str | None = None
    payload_json: dict[str, Any] = {}

    @property
    def dedupe_key(self) -> str:
        """The same for the same happening."""
        said = "\n".join((self.source, self.event_type, self.source_ref, self.occurred_at))
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def events_of(happened: Iterable[Happened], since: dict[str, str]) -> list[Event]:
    """Events since each project's time; a message from before is history, not news."""
    found: list[Event] = []
    for each in happened:
        make = _MAKERS[each.kind]
        found += [e for e in make(each) if e.occurred_at >= since.get(e.project_id, "")]
    return found


def actor_of(sender_type: str | None) -> str:
    """Who spoke: client, team or system."""
    word = (sender_type or "").lower()
    if "contact" in word or "customer" in word:
        return "client"
    return "team" if any(part in word for part in ("agent", "user", "team")) else "system"


def _event(each: Happened, source: str, event_type: str, at: str, actor: str, **more: Any) -> Event:
    return Event(
        project_id=each.scope.project_id,
        account_scope_id=each.scope.account_scope_id,
        event_type=event_type,
        occurred_at=at,
        actor=actor,
        source=source,
        source_ref=each.row["id"],
        **more,
    )


def _message(each: Happened) -> list[Event]:
    row, kinds = each.row, ["message_sent"]
    content = row["content"] or ""
    if APPROVAL.search(content):
        kinds.append("approval_requested")
    if SCOPE.search(content):
        kinds.append("scope_change_detected")
    actor = actor_of(row["sender_type"])
    if actor == "client" and not row["private"] and approves(content):
        kinds.append("approval_approved")
    payload = {
        "conversation_global_id": row["conversation_global_id"],
        "private": bool(row["private"]),
        "snippet": content[:200],
    }
    return [
        _event(each, "chatwoot", kind, row["created_at"], actor,
               source_message_id=row["id"], payload_json=payload)
        for kind in kinds
    ]  # fmt: skip


def _issue(each: Happened) -> list[Event]:
    row = each.row
    kinds = {"new": "issue_created", "blocked": "issue_blocked", "unblocked": "issue_unblocked"}
    at = row["created_at"] if each.what == "new" else row["updated_at"]
    payload = {"identifier": row["identifier"], "title": row["title"]}
    return [
        _event(each, "linear", kinds[each.what], at, "system", source_url=row["url"],
               source_linear_issue_id=row["external_id"], payload_json=payload)
    ]  # fmt: skip


def _project(each: Happened) -> list[Event]:
    """A project of the vendor is a stage of ours: it starts, its date moves, it is over."""
    row, state = each.row, each.row["state"]
    before = each.before.partition(" ")[0]
    if state == "started":
        kind = "stage_started"
    elif state in _OVER and before not in ("", *_OVER):
        kind = "stage_completed"
    else:
        return []
    payload = {"stage_id": row["external_id"], "stage_name": row["name"], "due_at": row["target_date"]}
    return [
        _event(each, "linear", kind, row["updated_at"], "system", source_url=row["url"],
               payload_json=payload)
    ]  # fmt: skip


def _deal(each: Happened) -> list[Event]:
    if each.what != "stage":
        return []
    row = each.row
    payload = {"title": row["title"], "from_stage": each.before, "to_stage": row["stage"]}
    return [
        _event(each, "attio", "deal_stage_changed", row["updated_at"], "system", source_url=row["url"],
               source_attio_record_id=row["external_id"], payload_json=payload)
    ]  # fmt: skip


def _note(each: Happened) -> list[Event]:
    row = each.row
    kind = activity_type(row["title"] or "")
    payload = {"title": row["title"], "parent": row["parent_external_id"], "snippet": row["content"][:200]}
    return [
        _event(each, "attio", kind, row["created_at"], "team",
               source_attio_record_id=row["external_id"], payload_json=payload)
    ]  # fmt: skip


_MAKERS = {
    "cwmsg": _message,
    "linissue": _issue,
    "linproj": _project,
    "attiodeal": _deal,
    "attionote": _note,
}


def approves(text: str) -> bool:
    """Whether somebody says yes to what they were asked to approve."""
    return any(
        not _REFUSED.search(text[: found.start()]) and not _ASKED.match(text[found.end() :])
        for found in APPROVED.finditer(text)
    )


def activity_type(title: str) -> str:
    """An invoice is told from other notes by its title."""
    words = title.lower()
    if "invoice" in words:
        return next((kind for word, kind in _INVOICES.items() if word in words), "note_logged")
    return "note_logged"


def silent(project_id: str, account_scope_id: str, silences: Iterable[Silence]) -> list[Event]:
    """Clients who have not answered the team for days."""
    return [
        Event(
            project_id=project_id,
            account_scope_id=account_scope_id,
            event_type="client_silent_started",
            occurred_at=each.said_at,
            actor="system",
            source="chatwoot",
            source_ref=each.conversation_global_id,
            payload_json={"conversation_global_id": each.conversation_global_id},
        )
        for each in silences
    ]


def silent_before(now: datetime) -> str:
    """Until when the team must have spoken for the client to count as silent."""
    return as_text(now - SILENT_AFTER)
