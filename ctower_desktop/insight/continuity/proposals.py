"""The tasks that follow from open deals and from what the team has promised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from ctower_desktop.crm.stages import opportunity_stage
from ctower_desktop.insight.continuity.deadlines import deadline
from ctower_desktop.insight.continuity.model import Proposed, SourceType
from ctower_desktop.insight.continuity.promises import promises, same_promise
from ctower_desktop.search.words import language

_LEAST_STEP = 5  # characters of a next step that says something
_TITLE = 200
_DESCRIPTION = 4_000


class Sold(msgspec.Struct, frozen=True):
    """An opportunity or deal that is still open, with what is to happen next.

    `vendor_ref` is the CRM's id of the deal, if it comes from there.
    """

    ref: str
    vendor_ref: str | None
    title: str
    stage: str
    next_step: str | None
    close_date: str | None
    amount: float | None
    currency: str | None
    owner: str | None
    company: str | None
    company_ref: str | None
    updated_at: str
    manual: bool


class Said(msgspec.Struct, frozen=True):
    """A message of the team."""

    id: str
    conversation_id: str
    contact_id: str | None
    contact_name: str | None
    sender_name: str | None
    content: str
    created_at: str


class Sources(msgspec.Struct, frozen=True):
    """What tasks follow from. Messages were read from `since` on.

    `filler` is the next step that stands where the vendor has none.
    """

    sold: list[Sold]
    said: list[Said]
    since: str
    project_of_company: dict[str, str]
    project_of_contact: dict[str, str]
    filler: str


def proposed(project_id: str, sources: Sources) -> list[Proposed]:
    """Every task that follows, deals first, each once."""
    found = [*_from_deals(project_id, sources), *_from_messages(project_id, sources)]
    return list({one.dedupe_key: one for one in found}.values())


def _from_deals(project_id: str, sources: Sources) -> Iterable[Proposed]:
    for one in sources.sold:
        step = " ".join((one.next_step or "").split())
        if len(step) < _LEAST_STEP or opportunity_stage(one.stage) in ("won", "lost"):
            continue
        if step == sources.filler and not one.manual:
            continue
        kind: SourceType = "manual" if one.manual else "attio"
        title = _short(f"{one.company}: {step}" if one.company else step)
        due = deadline(step, _day(one.updated_at)) or _stored_day(one.close_date)
        yield Proposed(
            source_type=kind,
            source_ref=one.ref,
            title=title,
            description=step[:_DESCRIPTION],
            due_date=due.isoformat() if due else None,
            preview_payload=_payload(
                title,
                due,
                sources.project_of_company.get(one.company_ref or ""),
                from_opportunity_id=one.ref,
                opportunity_title=one.title,
                account_name=one.company,
                stage=one.stage,
                amount=one.amount,
                currency=one.currency,
                owner=one.owner,
            ),
            evidence_refs=[one.ref],
            dedupe_key=_key(project_id, "deal", one.vendor_ref or one.ref, same_promise(step)),
        )


def _from_messages(project_id: str, sources: Sources) -> Iterable[Proposed]:
    for message in sources.said:
        for promise in promises(message.content, _day(message.created_at)):
            task = promise.text.rstrip(" .!")
            title = _short(f"{message.contact_name}: {task}" if message.contact_name else task)
            yield Proposed(
                source_type="chatwoot",
                source_ref=message.id,
                title=title,
                description=_told(message, promise.text),
                due_date=promise.due.isoformat() if promise.due else None,
                preview_payload=_payload(
                    title,
                    promise.due,
                    sources.project_of_contact.get(message.contact_id or ""),
                    from_message_id=message.id,
                    conversation_global_id=message.conversation_id,
                    contact_name=message.contact_name,
                    said_by=message.sender_name,
                    said_at=message.created_at,
                    conditional=promise.conditional,
                ),
                evidence_refs=[message.id, message.conversation_id],
                dedupe_key=_key(project_id, "message", message.id, same_promise(promise.text)),
            )


def _payload(title: str, due: date | None, delivery_project: str | None, **more: Any) -> dict[str, Any]:
    return {
        "suggested_linear_title": title,
        "suggested_due_date": due.isoformat() if due else None,
        "linear_project_external_id": delivery_project,
        **more,
    }


def _told(message: Said, text: str) -> str:
    """Who promised it and when, in the language it was promised in."""
    day, who = message.created_at[:10], message.sender_name
    if language(text) == "ru":
        return f"«{text}»\n\n— {who or 'команда'}, {day}"
    return f"“{text}”\n\n— {who or 'the team'}, {day}"


def _short(title: str) -> str:
    return title if len(title) <= _TITLE else title[: _TITLE - 1].rstrip() + "…"


def _day(at: str) -> date:
    return date.fromisoformat(at[:10])


def _stored_day(told: str | None) -> date | None:
    return date.fromisoformat(told[:10]) if told else None


def _key(*parts: str) -> str:
    return hashlib.sha1(":".join(parts).encode(), usedforsecurity=False).hexdigest()


def team_of(
    recent: list[tuple[str | None, str | None]], teams: Iterable[str], project: str | None
) -> str | None:
    """The team an issue goes to: the one that worked last, in the delivery project if there is one.

    `recent` are the teams and delivery projects of the last issues, the newest first. None when that leaves
    several.
    """
    possible = list(teams)
    if project is not None:
        inside = [team for team, where in recent if where == project and team in possible]
        if inside:
            return inside[0]
    if len(possible) == 1:
        return possible[0]
    if project is not None:
        return None
    return next((team for team, _ in recent if team in possible), None)


def markdown(title: str, description: str, payload: Mapping[str, Any]) -> str:
    """The text of the issue: what was said or agreed, and where it comes from."""
    lines = [description] if description and description != title else []
    deal, conversation = payload.get("opportunity_title"), payload.get("conversation_global_id")
    if deal:
        account = payload.get("account_name")
        lines.append(f"{account} — {deal}" if account else str(deal))
    if conversation:
        lines.append(f"Conversation {conversation}")
    return "\n\n".join(lines)
