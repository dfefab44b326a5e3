"""Filters and sorts of a stand-in Attio over records and entries."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from ctower_desktop.sandbox.attio_state import AttioObject, Entry, Record
from ctower_desktop.sandbox.attio_values import plain

Row = TypeVar("Row", Record, Entry)
Test = Callable[[Any], bool]

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.(\d{1,9}))?)?(?:Z|[+]00:00)")


class FilterError(Exception):
    """The filter or the sort cannot be used; the vendor answers 400 `filter_error` with this text."""


def comparable(text: str) -> str:
    """An instant with its nine digits, so that texts compare as times; a date without a time is refused."""
    match = INSTANT.fullmatch(text)
    if match is None:
        raise FilterError(f"Invalid timestamp: {text}. Date and time are required.")
    whole = re.split(r"[.Z+]", text)[0]
    return f"{whole if whole.count(':') == 2 else whole + ':00'}.{(match[1] or '').ljust(9, '0')}Z"


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda held, asked: bool(held == asked),
    "$in": lambda held, asked: held in asked,
    "$contains": lambda held, asked: str(asked).lower() in str(held).lower(),
    "$starts_with": lambda held, asked: str(held).lower().startswith(str(asked).lower()),
    "$ends_with": lambda held, asked: str(held).lower().endswith(str(asked).lower()),
    "$gt": lambda held, asked: bool(held > asked),
    "$gte": lambda held, asked: bool(held >= asked),
    "$lt": lambda held, asked: bool(held < asked),
    "$lte": lambda held, asked: bool(held <= asked),
    "$not_empty": lambda held, asked: (held is not None) == asked,
}


class Query:
    """Turns the body of a query into rows in order; `owner` says which attributes there are."""

    def __init__(self, owner: AttioObject) -> None:
        self.owner = owner

    def run(self, rows: list[Row], body: dict[str, Any]) -> list[Row]:
        """The rows of one page: 500 from `offset` on unless `limit` says otherwise."""
        test = self.test(body.get("filter") or {})
        found = [row for row in rows if test(row)]
        found.sort(key=lambda row: row.id)
        for sort in reversed(body.get("sorts") or []):
            found.sort(key=self._sort_key(sort), reverse=sort.get("direction") == "desc")
        offset, limit = page_of(body.get("offset"), body.get("limit"), 500)
        return found[offset : offset + limit]

    def test(self, filter_: dict[str, Any]) -> Test:
        """All conditions of the filter hold."""
        tests = [self._condition(name, asked) for name, asked in filter_.items()]
        return lambda row: all(test(row) for test in tests)

    def _condition(self, name: str, asked: Any) -> Test:
        if name in ("$and", "$or"):
            tests = [self.test(each) for each in asked]
            joined = all if name == "$and" else any
            return lambda row: joined(test(row) for test in tests)
        if name == "$not":
            negated = self.test(asked)
            return lambda row: not negated(row)
        kind = self._kind(name)
        field, comparisons = spread(asked)
        checks = [(operator(each), self._operand(kind, asked)) for each, asked in comparisons.items()]

        def holds(row: Any) -> bool:
            held = [read(kind, value, field) for value in values_of(row).get(name, [])]
            return all(any(compare(value, asked) for value in held) for compare, asked in checks)

        return holds

    def _kind(self, name: str) -> str:
        attribute = self.owner.attributes.get(name)
        if attribute is None:
            raise FilterError(f'Unknown attribute slug: "{name}".')
        return attribute.type

    def _operand(self, kind: str, asked: Any) -> Any:
        return comparable(asked) if kind in ("timestamp", "interaction") and isinstance(asked, str) else asked

    def _sort_key(self, sort: dict[str, Any]) -> Callable[[Any], Any]:
        name = sort.get("attribute") or (sort["path"][-1][-1] if sort.get("path") else "")
        kind = self._kind(name)

        def key(row: Any) -> Any:
            held = values_of(row).get(name, [])
            return (bool(held), read(kind, held[0], sort.get("field")) if held else "")

        return key


def page_of(offset: Any, limit: Any, size: int, largest: int | None = None) -> tuple[int, int]:
    """Where a page begins and how long it is; a limit above the largest is refused."""
    try:
        start = int(offset) if offset is not None else 0
        length = int(limit) if limit is not None else size
    except (TypeError, ValueError) as bad:
        raise FilterError("limit and offset must be numbers.") from bad
    if start < 0 or length < 0 or (largest is not None and length > largest):
        raise FilterError(f"limit must be between 0 and {largest}.")
    return start, length


def operator(name: str) -> Callable[[Any, Any], bool]:
    if name not in OPERATORS:
        raise FilterError(f"Unknown operator: {name}.")
    return OPERATORS[name]


def spread(asked: Any) -> tuple[str | None, dict[str, Any]]:
    """The shorthand `{"name": "x"}` and the verbose `{"name": {"field": {"$eq": "x"}}}` as one."""
    if not isinstance(asked, dict):
        return None, {"$eq": asked}
    field = next((name for name in asked if not name.startswith("$")), None)
    if field is None:
        return None, asked
    inner = asked[field]
    return field, inner if isinstance(inner, dict) else {"$eq": inner}


def read(kind: str, value: dict[str, Any], field: str | None) -> Any:
    held = value.get(field) if field is not None and field in value else plain(value)
    return comparable(held) if kind in ("timestamp", "interaction") and isinstance(held, str) else held


def values_of(row: Any) -> dict[str, list[dict[str, Any]]]:
    return row.values  # type: ignore[no-any-return]
