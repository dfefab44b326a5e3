"""Which side says what a field of a mirrored row holds: the vendor, or a person who changed it here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

ACCOUNT_FIELDS = ("name", "domain", "stage")
OPPORTUNITY_FIELDS = (
    "title", "stage", "amount_estimate", "currency", "probability", "expected_close_date", "next_step",
    "owner_username",
)  # fmt: skip


def owned_here(
    local: Collection[str], before: Mapping[str, Any], after: Mapping[str, Any], vendor: Mapping[str, Any]
) -> list[str]:
    """The fields a person owns after an edit: those changed join, those set to the vendor's word leave.

    A form that sends every field back as it was takes none. Fields the vendor does not know are nobody's.
    """
    owned = set(local)
    for field, value in after.items():
        if field in vendor and value != before.get(field):
            owned.add(field) if value != vendor[field] else owned.discard(field)
    return sorted(owned)


def adopted(typed: Mapping[str, Any], vendor: Mapping[str, Any]) -> list[str]:
    """What stays a person's when the vendor turns out to have the account they typed: what they really said.

    A prospect is what every new account is, so that is no statement.
    """
    return sorted(
        field
        for field in ACCOUNT_FIELDS
        if typed[field] not in (None, "", vendor[field]) and (field, typed[field]) != ("stage", "prospect")
    )
