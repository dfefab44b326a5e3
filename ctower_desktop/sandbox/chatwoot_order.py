"""Which rows of a stand-in Chatwoot a token sees, in which order, on which page."""

import random
import re
from collections.abc import Callable, Iterable
from typing import Any

from ctower_desktop.sandbox.chatwoot_state import Agent, Contact, Conversation


def number(text: str) -> int:
    """The digits a text begins with, else 0."""
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else 0


def sees(agent: Agent, inbox_id: int) -> bool:
    return agent.role == "administrator" or agent.bot or inbox_id in agent.inboxes


def page_of(rows: list[Any], page: str | None, size: int) -> list[Any]:
    """Pages count from 1; anything else is the first."""
    at = number(page or "") or 1
    return rows[(at - 1) * size : at * size]


def counts(found: list[Conversation], agent: Agent) -> dict[str, int]:
    assigned = sum(each.assignee_id is not None for each in found)
    return {
        "mine_count": sum(each.assignee_id == agent.id for each in found),
        "assigned_count": assigned,
        "unassigned_count": len(found) - assigned,
        "all_count": len(found),
    }


CONVERSATION_SORTS: dict[str, Callable[[Conversation], Any]] = {
    "last_activity_at": lambda each: (each.last_activity_at, each.id),
    "created_at": lambda each: (each.created_at, each.id),
    "waiting_since": lambda each: (each.waiting_since or 0.0, each.id),
    "priority": lambda each: (("low", "medium", "high", "urgent").index(each.priority or "low"), each.id),
}


def ordered(found: Iterable[Conversation], sort_by: str | None) -> list[Conversation]:
    """By the undocumented `sort_by`; newest activity first without it."""
    name, _, direction = (sort_by or "last_activity_at_desc").rpartition("_")
    if name not in CONVERSATION_SORTS:
        name, direction = "last_activity_at", "desc"
    return sorted(found, key=CONVERSATION_SORTS[name], reverse=direction != "asc")


def sorted_contacts(found: list[Contact], sort: str | None, page: str | None) -> list[Contact]:
    """Without a known `sort` the order is whatever the database likes, and another one for every page."""
    name, descending = (sort or "").lstrip("-"), (sort or "").startswith("-")
    if name in (
        "name",
        "email",
        "phone_number",
        "last_activity_at",
        "created_at",
        "city",
        "country",
        "company_name",
    ):
        known = [each for each in found if contact_key(each, name) is not None]
        known.sort(key=lambda each: (contact_key(each, name), each.id), reverse=descending)
        return known + [each for each in found if contact_key(each, name) is None]
    shuffled = list(found)
    random.Random(page or "1").shuffle(shuffled)  # noqa: S311 - an arbitrary order, no secret
    return shuffled


def contact_key(contact: Contact, name: str) -> Any:
    if name in ("city", "country", "company_name"):
        return contact.additional_attributes.get(name)
    return getattr(contact, name)
