"""Lists of a stand-in Linear: filters, order, pages and opaque cursors."""

import base64
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from ctower_desktop.sandbox.linear_model import Row
from ctower_desktop.sandbox.linear_state import LinearError, LinearState

PAGE, LARGEST_PAGE = 50, 250
DURATION = re.compile(
    r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)
SHORT_FORM = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


@cache
def snake(name: str) -> str:
    """`updatedAt` as the rows call it."""
    return re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), name)


def page(state: LinearState, rows: Iterable[Row], args: dict[str, Any], epoch: int = 0) -> dict[str, Any]:
    """A connection: filtered, newest first by `orderBy`, from the cursor on."""
    size, back = page_size(args)
    order = args.get("orderBy") or "createdAt"
    column = snake(order)
    found = [row for row in rows if args.get("includeArchived") or row.archived_at is None]
    if args.get("filter"):
        test = Filter(state).test(args["filter"])
        found = [row for row in found if test(row)]
    found.sort(key=lambda row: (getattr(row, column), row.id), reverse=True)
    after, before = (read_cursor(args.get(name), order, epoch) for name in ("after", "before"))
    rest = [
        row
        for row in found
        if (after is None or key_of(row, column) < after) and (before is None or key_of(row, column) > before)
    ]
    taken = rest[-size:] if back else rest[:size]
    edges = [{"node": row, "cursor": cursor_of(row, order, epoch)} for row in taken]
    more = len(rest) > len(taken)
    return {
        "nodes": taken,
        "edges": edges,
        "pageInfo": {
            "hasNextPage": more and not back,
            "hasPreviousPage": more if back else after is not None,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def page_size(args: dict[str, Any]) -> tuple[int, bool]:
    """How many rows, and whether counted from the end."""
    first, last = args.get("first"), args.get("last")
    asked = first if first is not None else last
    if asked is not None and not 0 < asked <= LARGEST_PAGE:
        name = "first" if first is not None else "last"
        raise LinearError("Argument Validation Error", f"{name} must be between 1 and {LARGEST_PAGE}.")
    return asked or PAGE, first is None and last is not None


def key_of(row: Row, column: str) -> tuple[int, str]:
    return int(getattr(row, column).timestamp() * 1000), row.id


def cursor_of(row: Row, order: str, epoch: int) -> str:
    moment, row_id = key_of(row, snake(order))
    return base64.urlsafe_b64encode(f"{epoch}|{order}|{moment}|{row_id}".encode()).decode()


def read_cursor(cursor: str | None, order: str, epoch: int) -> tuple[int, str] | None:
    """A cursor of another order or of an epoch gone by is refused."""
    if cursor is None:
        return None
    try:
        age, kind, moment, row_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        if (int(age), kind) == (epoch, order):
            return int(moment), row_id
    except ValueError:
        pass  # falls through to the same refusal as a cursor that has expired
    raise LinearError("Invalid pagination cursor", "The cursor is not valid.")


class Filter:
    """Turns a filter of the schema into a test of a row."""

    def __init__(self, state: LinearState) -> None:
        self.state = state

    def test(self, filter_: dict[str, Any]) -> Callable[[Row | None], bool]:
        """All of the given conditions hold."""
        tests = [self.condition(name, asked) for name, asked in filter_.items() if asked is not None]
        return lambda row: all(test(row) for test in tests)

    def condition(self, name: str, asked: Any) -> Callable[[Row | None], bool]:
        if name == "null":
            return lambda row: (row is None) == asked
        if name in ("and", "or"):
            tests = [self.test(each) for each in asked]
            joined = all if name == "and" else any
            return lambda row: joined(test(row) for test in tests)
        column = snake(name)
        relation = f"{column}_id"

        def held(row: Row | None) -> bool:
            if row is None:
                return False
            if hasattr(row, relation):
                return self.test(asked)(self.state.rows.get(getattr(row, relation) or ""))
            values = [getattr(row, column)]
            if name == "id" and hasattr(row, "identifier"):
                values.append(row.identifier)
            return self.compares(values, asked)

        return held

    def compares(self, values: list[Any], asked: dict[str, Any]) -> bool:
        """Every comparison holds; negative ones for every spelling of the value, others for one."""
        for operator, operand in asked.items():
            if operand is None:
                continue
            one = [compare(operator, each, operand, self.state.clock()) for each in values]
            if not (all(one) if operator in ("neq", "nin") else any(one)):
                return False
        return True


def compare(operator: str, value: Any, operand: Any, now: datetime) -> bool:
    """One comparison of the schema's comparators."""
    if operator == "null":
        return bool((value is None) == operand)
    if value is None:
        return operator in ("neq", "nin")
    if isinstance(value, datetime):
        parsed = [instant(each, now) for each in (operand if isinstance(operand, list) else [operand])]
        operand = parsed if isinstance(operand, list) else parsed[0]
    tests: dict[str, Callable[[], Any]] = {
        "eq": lambda: value == operand,
        "neq": lambda: value != operand,
        "in": lambda: value in operand,
        "nin": lambda: value not in operand,
        "gt": lambda: value > operand,
        "gte": lambda: value >= operand,
        "lt": lambda: value < operand,
        "lte": lambda: value <= operand,
        "eqIgnoreCase": lambda: value.lower() == operand.lower(),
        "contains": lambda: operand in value,
        "containsIgnoreCase": lambda: operand.lower() in value.lower(),
        "startsWith": lambda: value.startswith(operand),
        "endsWith": lambda: value.endswith(operand),
    }
    return bool(tests[operator]())


def instant(text: str, now: datetime) -> datetime:
    """An instant, a shortened one such as `2021`, or a duration from now; the vendor takes all three."""
    short = SHORT_FORM.fullmatch(text)
    if short:
        return datetime(int(short[1]), int(short[2] or 1), int(short[3] or 1), tzinfo=UTC)
    span = DURATION.fullmatch(text)
    if span and text.lstrip("-") != "P":
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in span.groups()[1:])
        length = timedelta(
            days=365 * years + 30 * months + 7 * weeks + days, hours=hours, minutes=minutes, seconds=seconds
        )
        return now - length if span[1] else now + length
    try:
        at = datetime.fromisoformat(text)
    except ValueError as bad:
        raise LinearError("Argument Validation Error", f"{text} is not a date.") from bad
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def written(value: Any) -> Any:
    """A value of a row as the vendor sends it: instants with milliseconds, days without a time."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value
