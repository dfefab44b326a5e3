"""What a line of the connectors' event log means for a project's state. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import msgspec

from ctower_desktop.insight.kag.model import Evidence, LogEvent

Kind = Literal[
    "message_sent",
    "task_blocked",
    "blocker_resolved",
    "stage_started",
    "stage_completed",
    "agreement_created",
    "approval_approved",
    "scope_change_requested",
    "need_detected",
    "decision_made",
    "task_created",
]
Mood = Callable[[str], float | None]  # from −1, bad, to 1, good; None: no tone at all

_NEED = re.compile(
    r"\b(we|i)('d| would)? (also )?(need|want|like) (a |an |to (have|get|add) )?"
    r"(new|another|more|additional)\b"
    r"|\b(upgrade|upsell|add-?on|new module|additional (licen[cs]es?|seats?|module))\b"
    r"|\b(нам|мне) (еще |также )?(нужн\w+|понадоб\w+) (еще|нов\w+|дополнительн\w+)"
    r"|\bхот(им|ели бы|елось бы) (еще |также )?(добавить|расширить|подключить|заказать)"
    r"|\b(новый модуль|апгрейд\w*|расширить (договор|пакет|тариф|команду))",
    re.IGNORECASE,
)
_PLAIN: dict[str, Kind] = {  # what counts as something that goes on, and no more
    "issue_created": "task_created",
    "deal_stage_changed": "decision_made",
    "note_logged": "decision_made",
    "activity_logged": "decision_made",
    "invoice_sent": "decision_made",
    "invoice_paid": "decision_made",
}


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a project. `about` is the blocker, stage, agreement or conversation."""

    kind: Kind
    at: str
    source: str
    evidence: Evidence | None = None
    sender: str = ""
    about: str = ""
    name: str = ""
    due_at: str | None = None
    mood: float | None = None


def meaning(event: LogEvent, mood: Mood | None = None) -> list[Happening]:
    """What happened, as far as it matters here; private notes and the program's own runs do not."""
    if event.event_type.startswith("process_") or event.payload_json.get("private"):
        return []
    if event.event_type == "message_sent":
        return _message(event, mood)
    talk = str(event.payload_json.get("conversation_global_id") or event.source_ref)
    kind = event.event_type
    if kind == "approval_requested":
        return [] if event.actor == "client" else [_happening(event, "agreement_created", about=talk)]
    if kind == "approval_approved":
        return [_happening(event, "approval_approved", about=talk)]
    if kind == "scope_change_detected":
        asked = event.actor == "client"
        return [_happening(event, "scope_change_requested", sender="client", about=talk)] if asked else []
    if kind in ("issue_blocked", "issue_unblocked"):
        issue = event.source_linear_issue_id or event.source_ref
        name = str(event.payload_json.get("identifier") or "")
        done = kind == "issue_unblocked"
        return [_happening(event, "blocker_resolved" if done else "task_blocked", about=issue, name=name)]
    if kind in ("stage_started", "stage_completed"):
        payload = event.payload_json
        return [
            _happening(
                event,
                "stage_started" if kind == "stage_started" else "stage_completed",
                about=str(payload.get("stage_id") or event.source_ref),
                name=str(payload.get("stage_name") or ""),
                due_at=payload.get("due_at"),
            )
        ]
    plain = _PLAIN.get(kind)
    return [_happening(event, plain)] if plain is not None else []


def _message(event: LogEvent, mood: Mood | None) -> list[Happening]:
    if event.actor not in ("client", "team"):
        return []
    payload = event.payload_json
    text, talk = str(payload.get("snippet") or ""), str(payload.get("conversation_global_id") or "")
    client = event.actor == "client"
    tone = mood(text) if mood is not None and client and text else None
    felt = max(-1.0, min(1.0, tone)) if tone is not None else None
    found = [_happening(event, "message_sent", sender=event.actor, about=talk, mood=felt)]
    if client and _NEED.search(text.replace("ё", "е")):
        found.append(_happening(event, "need_detected", sender="client", about=talk))
    return found


def _happening(
    event: LogEvent,
    kind: Kind,
    *,
    sender: str = "",
    about: str = "",
    name: str = "",
    due_at: str | None = None,
    mood: float | None = None,
) -> Happening:
    return Happening(
        kind=kind,
        at=event.occurred_at,
        source=event.source,
        evidence=evidence_of(event),
        sender=sender,
        about=about,
        name=name,
        due_at=due_at,
        mood=mood,
    )


def evidence_of(event: LogEvent) -> Evidence | None:
    """Where a line of the log can be looked up, if anywhere."""
    found = Evidence(
        message_id=event.source_message_id,
        linear_issue_id=event.source_linear_issue_id,
        attio_record_id=event.source_attio_record_id,
        doc_url=event.source_url if event.event_type.startswith("stage_") else None,
        source_table="connector_events",
        source_pk=event.id,
    )
    return found if found.kinds else None
