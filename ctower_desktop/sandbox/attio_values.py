"""Attributes of a stand-in Attio and how a value of each type is written."""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import msgspec

NAMESPACE = uuid.NAMESPACE_URL


def made_id(*parts: object) -> str:
    """A UUID that is the same in every run."""
    return str(uuid.uuid5(NAMESPACE, "attio/" + "/".join(str(part) for part in parts)))


class Attribute(msgspec.Struct):
    """A column of an object or a list; `slug` can be renamed, `id` stays."""

    id: str
    slug: str
    title: str
    type: str
    multiple: bool = False
    system: bool = False
    archived: bool = False


OBJECT_ATTRIBUTES: dict[str, list[tuple[str, str, bool]]] = {
    "companies": [
        ("name", "text", False),
        ("domains", "domain", True),
        ("description", "text", False),
        ("categories", "select", True),
        ("primary_location", "location", False),
        ("team", "record-reference", True),
        ("last_interaction", "interaction", False),
        ("created_at", "timestamp", False),
        ("created_by", "actor-reference", False),
    ],
    "people": [
        ("name", "personal-name", False),
        ("email_addresses", "email-address", True),
        ("phone_numbers", "phone-number", True),
        ("job_title", "text", False),
        ("company", "record-reference", False),
        ("last_interaction", "interaction", False),
        ("created_at", "timestamp", False),
        ("created_by", "actor-reference", False),
    ],
    "deals": [
        ("name", "text", False),
        ("stage", "status", False),
        ("value", "currency", False),
        ("owner", "actor-reference", False),
        ("associated_people", "record-reference", True),
        ("associated_company", "record-reference", False),
        ("close_date", "date", False),
        ("probability", "number", False),
        ("next_step", "text", False),
        ("created_at", "timestamp", False),
        ("created_by", "actor-reference", False),
    ],
}


def nanoseconds(at: datetime, extra: int = 0) -> str:
    """Attio's times have nine digits after the point."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}{extra % 1000:03d}Z"


def phone_country(number: str) -> str:
    """The country of an E.164 number, as far as the sandbox's people need it."""
    prefixes = {"+7": "RU", "+31": "NL", "+49": "DE", "+44": "GB", "+33": "FR"}
    return next((country for prefix, country in prefixes.items() if number.startswith(prefix)), "US")


class Writer:
    """Writes one value in the vendor's form; `workspace` and `owner` are what its ids belong to."""

    def __init__(self, workspace: str, owner: str, actor: dict[str, str | None]) -> None:
        self.workspace = workspace
        self.owner = owner
        self.actor = actor

    def write(self, attribute: Attribute, value: Any, active_from: str) -> dict[str, Any]:
        """A current value: it has a beginning and no end."""
        return {
            "active_from": active_from,
            "active_until": None,
            "created_by_actor": self.actor,
            **self._fields(attribute, value),
            "attribute_type": attribute.type,
        }

    def _fields(self, attribute: Attribute, value: Any) -> dict[str, Any]:
        match attribute.type:
            case "status":
                return {"status": self._choice(attribute, "status_id", value) | STATUS_EXTRAS}
            case "select":
                return {"option": self._choice(attribute, "option_id", value)}
            case "interaction":
                return {"interaction_type": "email", "interacted_at": value, "owner_actor": self.actor}
            case _:
                return FIELDS.get(attribute.type, single)(value)

    def _choice(self, attribute: Attribute, name: str, title: str) -> dict[str, Any]:
        ids = {"workspace_id": self.workspace, "object_id": self.owner, "attribute_id": attribute.id}
        return {"id": ids | {name: made_id(attribute.id, title)}, "title": title, "is_archived": False}


STATUS_EXTRAS = {"celebration_enabled": False, "target_time_in_status": None}


def single(value: Any) -> dict[str, Any]:
    return {"value": value.isoformat() if isinstance(value, date) else value}


def currency_fields(value: tuple[float, str | None]) -> dict[str, Any]:
    return {"currency_value": value[0], "currency_code": value[1]}


def domain_fields(domain: str) -> dict[str, Any]:
    return {"domain": domain, "root_domain": ".".join(domain.split(".")[-2:])}


def email_fields(address: str) -> dict[str, Any]:
    local, _, domain = address.lower().partition("@")
    return {
        "original_email_address": address,
        "email_address": address.lower(),
        "email_domain": domain,
        "email_root_domain": ".".join(domain.split(".")[-2:]),
        "email_local_specifier": local,
    }


def phone_fields(written: str) -> dict[str, Any]:
    number = "+" + "".join(character for character in written if character.isdigit())
    country = phone_country(number)
    return {"original_phone_number": written, "country_code": country, "phone_number": number}


def name_fields(value: tuple[str, str]) -> dict[str, Any]:
    first, last = value
    return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}


def record_fields(value: tuple[str, str]) -> dict[str, Any]:
    return {"target_object": value[0], "target_record_id": value[1]}


def actor_fields(member_id: str) -> dict[str, Any]:
    return {"referenced_actor_type": "workspace-member", "referenced_actor_id": member_id}


def location_fields(locality: str) -> dict[str, Any]:
    lines = ("line_1", "line_2", "line_3", "line_4", "region", "postcode")
    return {**dict.fromkeys((*lines, "country_code", "latitude", "longitude")), "locality": locality}


FIELDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "currency": currency_fields,
    "domain": domain_fields,
    "email-address": email_fields,
    "phone-number": phone_fields,
    "personal-name": name_fields,
    "record-reference": record_fields,
    "actor-reference": actor_fields,
    "location": location_fields,
}
"""How a value of a type is written; every other type holds a single `value`."""


def plain(value: dict[str, Any]) -> Any:
    """What a filter or a sort compares of a written value."""
    for name in (
        "value",
        "currency_value",
        "domain",
        "email_address",
        "full_name",
        "phone_number",
        "interacted_at",
    ):
        if name in value:
            return value[name]
    for name in ("status", "option"):
        if name in value:
            held = value[name]
            return held["title"] if isinstance(held, dict) else held
    return value.get("target_record_id") or value.get("referenced_actor_id") or value.get("locality")
