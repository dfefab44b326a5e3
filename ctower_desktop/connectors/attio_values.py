"""What Attio's rows say: every attribute is a list of values, and attributes are named by the users. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ctower_desktop.connectors.contract import Names, Record, Scope, Typed, understood
from ctower_desktop.connectors.times import day, moment
from ctower_desktop.kernel.mirror import searchable
from ctower_desktop.kernel.sql import as_json

Values = dict[str, list[dict[str, Any]] | None]

_SCALARS = (
    "value", "title", "name", "text", "full_name", "domain", "original_email_address", "email_address",
    "email",
    "original_phone_number", "phone_number", "currency_value", "amount", "number", "date", "interacted_at",
    "target_record_id", "record_id", "id",
)  # fmt: skip
_WRAPPED = ("option", "status")


class RecordId(msgspec.Struct):
    """The id of a record."""

    record_id: str


class Row(msgspec.Struct):
    """A record of any object."""

    id: RecordId
    created_at: str
    values: Values = {}
    web_url: str | None = None


class NoteId(msgspec.Struct):
    """The id of a note."""

    note_id: str


class Actor(msgspec.Struct):
    """Who did something; systems have no id."""

    id: str | None = None
    type: str | None = None


class Note(msgspec.Struct):
    """A note about a record."""

    id: NoteId
    parent_object: str
    parent_record_id: str
    created_at: str
    title: str | None = None
    content_plaintext: str | None = None
    created_by_actor: Actor | None = None


class TaskId(msgspec.Struct):
    """The id of a task."""

    task_id: str


class Linked(msgspec.Struct):
    """A record a task is about."""

    target_record_id: str
    target_object_id: str | None = None


class Assignee(msgspec.Struct):
    """Who is to do a task."""

    referenced_actor_id: str | None = None
    referenced_actor_type: str | None = None


class Task(msgspec.Struct):
    """Something to be done; it has neither a title nor a time of its last change."""

    id: TaskId
    created_at: str
    content_plaintext: str | None = None
    deadline_at: str | None = None
    is_completed: bool = False
    completed_at: str | None = None
    linked_records: list[Linked] = []
    assignees: list[Assignee] = []


class MemberId(msgspec.Struct):
    """The id of a member."""

    workspace_member_id: str


class Member(msgspec.Struct):
    """A member of the workspace."""

    id: MemberId
    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None


_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "members": msgspec.json.Decoder(Member),
    "companies": msgspec.json.Decoder(Row),
    "people": msgspec.json.Decoder(Row),
    "deals": msgspec.json.Decoder(Row),
    "notes": msgspec.json.Decoder(Note),
    "tasks": msgspec.json.Decoder(Task),
}


def parse(stream: str, raw: bytes) -> list[Record]:
    """The row. Raise BadPayload, nothing else."""
    wire = understood(_DECODERS[stream], raw, stream)
    if isinstance(wire, Member):
        return [Record(stream, wire.id.workspace_member_id, raw, wire)]
    if isinstance(wire, Note):
        return [Record(stream, wire.id.note_id, raw, wire, parents=(wire.parent_record_id,))]
    if isinstance(wire, Task):
        linked = tuple(dict.fromkeys(link.target_record_id for link in wire.linked_records))
        return [Record(stream, wire.id.task_id, raw, wire, parents=linked)]
    company = reference(wire.values, "associated_company", "account", "account_id", "company", "company_id",
                        "organization")  # fmt: skip
    if stream == "companies":
        return [Record(stream, wire.id.record_id, raw, wire, units=(f"company:{wire.id.record_id}",))]
    units = (f"company:{company}",) if company else ()
    return [Record(stream, wire.id.record_id, raw, wire, units=units, parents=(company,) if company else ())]


def scalar(value: object) -> Any:
    """The first plain value inside a value of Attio, whatever its type."""
    if not isinstance(value, dict):
        return value
    for key in _WRAPPED:
        if key in value:
            return scalar(value[key])
    for key in _SCALARS:
        if value.get(key) is not None:
            return scalar(value[key])
    return None


def first(values: Values, *names: str) -> Any:
    """The first plain value of the first of these attributes that has one."""
    for name in names:
        for value in values.get(name) or ():
            if isinstance(value, dict) and value.get("active_until") is not None:
                continue
            found = scalar(value)
            if found is not None and found != "":
                return found
    return None


def text(values: Values, *names: str) -> str | None:
    """The same as text."""
    found = first(values, *names)
    return None if found is None else str(found)


def number(values: Values, *names: str) -> float | None:
    """The same as a number; text with one in it counts."""
    found = first(values, *names)
    try:
        result = float(str(found).replace(" ", "").replace(",", ".")) if found is not None else None
    except ValueError:
        return None
    return result if result is not None and abs(result) < 1e15 else None


def reference(values: Values, *names: str) -> str | None:
    """The record another one refers to."""
    for name in names:
        for value in values.get(name) or ():
            if isinstance(value, dict) and isinstance(value.get("target_record_id"), str):
                return str(value["target_record_id"])
    return None


def probability(values: Values) -> float:
    """0 to 1; more than 1 is meant as percent; nothing said is 0.1."""
    found = number(values, "probability", "win_probability", "likelihood")
    if found is None:
        return 0.1
    return min(1.0, max(0.0, found / 100 if 1 < found <= 100 else found))


def changed_at(wire: Row) -> str | None:
    """When a record was changed last, as far as its values tell; a cleared value leaves no trace."""
    times = [
        moment(value.get("active_from"))
        for values in wire.values.values()
        for value in values or ()
        if isinstance(value, dict)
    ]
    return max(filter(None, (*times, moment(wire.created_at))), default=None)


def typed(record: Record, scope: Scope, names: Names) -> list[Typed]:
    """The rows of the CRM made of a row."""
    wire = record.wire
    if isinstance(wire, Member):
        return []
    kind, columns = _MAKE[record.stream](wire, names)
    row = scope.row(kind, record.external_id) | {
        "workspace_id": scope.account,
        "external_id": record.external_id,
    }
    return [Typed(kind, row | columns)]


def _times(wire: Row) -> dict[str, str]:
    created = moment(wire.created_at) or "1970-01-01T00:00:00.000Z"
    return {"created_at": created, "updated_at": changed_at(wire) or created}


def _company(wire: Row, _names: Names) -> tuple[str, dict[str, Any]]:
    v = wire.values
    return "attioacct", _times(wire) | {
        "name": company_name(wire),
        "domain": text(v, "domain", "domains", "website"),
        "description": text(v, "description"),
        "annual_revenue": number(v, "annual_revenue", "revenue", "arr", "acv", "estimated_arr_usd"),
        "stage": text(v, "stage", "account_stage", "lifecycle_stage"),
        "url": wire.web_url,
    }


def company_name(wire: Row) -> str:
    """What a company is called."""
    found = text(wire.values, "name", "company_name", "legal_name") or text(wire.values, "domains", "domain")
    return found or f"Company {wire.id.record_id}"


def _person(wire: Row, _names: Names) -> tuple[str, dict[str, Any]]:
    v = wire.values
    return "attioperson", _times(wire) | {
        "account_external_id": reference(v, "company", "account", "organization"),
        "full_name": text(v, "name", "full_name"),
        "email": text(v, "email_addresses", "email", "work_email"),
        "phone_number": text(v, "phone_numbers", "phone_number", "phone"),
        "role": text(v, "job_title", "role"),
        "url": wire.web_url,
    }


def _deal(wire: Row, names: Names) -> tuple[str, dict[str, Any]]:
    v = wire.values
    company = reference(
        v, "associated_company", "account", "account_id", "company", "company_id", "organization"
    )
    known = names.get("companies", company) if company else None
    title = text(v, "name", "title", "deal_name", "opportunity_name") or f"Opportunity {wire.id.record_id}"
    label = company_name(known) if known is not None else None
    return "attiodeal", _times(wire) | {
        "account_external_id": company,
        "company_name": label,
        "title": title,
        "stage": text(v, "stage", "status", "deal_stage") or "discovery",
        "amount": number(v, "amount", "amount_estimate", "value", "deal_value", "acv"),
        "currency": _currency(v),
        "probability": probability(v),
        "expected_close_date": day(text(v, "expected_close_date", "close_date", "target_close_date")),
        "next_step": text(v, "next_step", "next_action", "next_task"),
        "owner_name": _owner(v, names),
        "url": wire.web_url,
        "haystack": searchable(f"{title}\n{label or ''}"),
    }


def _currency(values: Values) -> str | None:
    for name in ("amount", "amount_estimate", "value", "deal_value", "acv"):
        for value in values.get(name) or ():
            if isinstance(value, dict) and isinstance(value.get("currency_code"), str):
                return str(value["currency_code"])
    return None


def _owner(values: Values, names: Names) -> str | None:
    for name in ("owner", "deal_owner"):
        for value in values.get(name) or ():
            if isinstance(value, dict) and value.get("referenced_actor_id"):
                return person_name(names.get("members", value["referenced_actor_id"]))
    return None


def person_name(member: Member | None) -> str | None:
    """What a member is called."""
    if member is None:
        return None
    return " ".join(filter(None, (member.first_name, member.last_name))) or member.email_address


def _note(wire: Note, names: Names) -> tuple[str, dict[str, Any]]:
    created = moment(wire.created_at) or "1970-01-01T00:00:00.000Z"
    actor = wire.created_by_actor
    author = names.get("members", actor.id) if actor and actor.id else None
    return "attionote", {
        "parent_kind": wire.parent_object,
        "parent_external_id": wire.parent_record_id,
        "title": wire.title,
        "content": wire.content_plaintext or "",
        "author_name": person_name(author),
        "created_at": created,
        "updated_at": created,
    }


def _task(wire: Task, names: Names) -> tuple[str, dict[str, Any]]:
    created = moment(wire.created_at) or "1970-01-01T00:00:00.000Z"
    linked = list(dict.fromkeys(link.target_record_id for link in wire.linked_records))
    who = (names.get("members", a.referenced_actor_id) for a in wire.assignees if a.referenced_actor_id)
    return "attiotask", {
        "parent_external_id": linked[0] if linked else None,
        "linked_external_ids": as_json(linked),
        "content": wire.content_plaintext or "",
        "deadline_at": moment(wire.deadline_at),
        "is_completed": int(wire.is_completed),
        "completed_at": moment(wire.completed_at),
        "assignee_name": ", ".join(filter(None, (person_name(member) for member in who))) or None,
        "created_at": created,
        "updated_at": created,
    }


_MAKE: dict[str, Callable[[Any, Names], tuple[str, dict[str, Any]]]] = {
    "companies": _company,
    "people": _person,
    "deals": _deal,
    "notes": _note,
    "tasks": _task,
}
