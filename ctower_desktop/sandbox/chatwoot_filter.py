"""The filter language of a stand-in Chatwoot: conditions joined by AND and OR, dates by the day."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from ctower_desktop.sandbox.chatwoot_state import Contact, Conversation

Row = TypeVar("Row", Contact, Conversation)

DATES = ("created_at", "last_activity_at")
CONVERSATION_KEYS = {
    "status": "status", "assignee_id": "assignee_id", "inbox_id": "inbox_id", "team_id": "team_id",
    "display_id": "id", "priority": "priority", "labels": "labels",
}  # fmt: skip
CONTACT_KEYS = {name: name for name in ("name", "email", "phone_number", "identifier")}


class FilterError(Exception):
    """The filter cannot be used; the vendor answers 422 with this text."""


def filtered(rows: Iterable[Row], conditions: list[dict[str, Any]]) -> list[Row]:
    """The rows for which the conditions, read from left to right, hold."""
    tests = [(condition_test(each), str(each.get("query_operator") or "AND").upper()) for each in conditions]

    def holds(row: Row) -> bool:
        verdict, joined = True, "AND"
        for test, following in tests:
            verdict = (verdict and test(row)) if joined == "AND" else (verdict or test(row))
            joined = following
        return verdict

    return [row for row in rows if holds(row)]


def condition_test(condition: dict[str, Any]) -> Callable[[Any], bool]:
    """One condition as a test of a row."""
    key, operator = condition.get("attribute_key"), condition.get("filter_operator")
    values = condition.get("values") or []
    if key in DATES:
        return date_test(key, operator, values)
    if key not in CONVERSATION_KEYS and key not in CONTACT_KEYS:
        raise FilterError(f"Invalid attribute key - [{key}]")
    texts = {str(value).lower() for value in values}

    def held(row: Any) -> set[str]:
        name = CONVERSATION_KEYS.get(key) if isinstance(row, Conversation) else CONTACT_KEYS.get(key)
        if name is None:
            raise FilterError(f"Invalid attribute key - [{key}]")
        value = getattr(row, name)
        return {
            str(each).lower() for each in (value if isinstance(value, list) else [value]) if each is not None
        }

    tests: dict[str, Callable[[Any], bool]] = {
        "equal_to": lambda row: bool(held(row) & texts) or texts == {"all"},
        "not_equal_to": lambda row: not held(row) & texts,
        "contains": lambda row: any(text in each for each in held(row) for text in texts),
        "does_not_contain": lambda row: not any(text in each for each in held(row) for text in texts),
        "is_present": lambda row: bool(held(row)),
        "is_not_present": lambda row: not held(row),
    }
    if operator not in tests:
        raise FilterError(f"Invalid operator - [{operator}]")
    return tests[operator]


def date_test(key: str, operator: Any, values: list[Any]) -> Callable[[Any], bool]:
    """Dates compare by whole days."""
    try:
        day = date.fromisoformat(str(values[0]))
    except (IndexError, ValueError) as bad:
        raise FilterError("Invalid value. The values provided for created_at are invalid") from bad
    midnight = datetime.combine(day, time(tzinfo=UTC)).timestamp()
    if operator == "is_greater_than":
        return lambda row: (getattr(row, key) or 0.0) > midnight
    if operator == "is_less_than":
        return lambda row: (getattr(row, key) or 0.0) < midnight
    raise FilterError(f"Invalid operator - [{operator}]")
