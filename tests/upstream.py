"""Checks every exchange with a vendor against the vendor's own API description, both ways.

The descriptions are not part of this repository: they are looked for in `$CTOWER_UPSTREAM`, else beside it.
Where they are absent `needs_upstream` skips a test with the reason, and `watched` lets everything pass.

    @needs_upstream
    async def test_sync(...):
        with watched(chatwoot=chatwoot, linear=linear):    # fails at the end with every violation
            ...
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest
from graphql import GraphQLSchema, build_schema, execute_sync, parse, validate
from graphql.execution.values import get_variable_values
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.request.exceptions import SecurityValidationError

from ctower_desktop.sandbox.front import Exchange

HOME = Path(os.environ.get("CTOWER_UPSTREAM") or Path(__file__).resolve().parents[2] / "shared" / "upstream")
FILES = {
    "chatwoot": "chatwoot/application_swagger.json",
    "attio": "attio/openapi.json",
    "loops": "loops/openapi.json",
    "linear": "linear/schema.graphql",
}
ABSENT = [name for name in (*FILES.values(), "fixes.json") if not (HOME / name).is_file()]
needs_upstream = pytest.mark.skipif(
    bool(ABSENT), reason=f"the vendors' API descriptions are not at {HOME} ({', '.join(ABSENT)})"
)

SERVER = "http://vendor.test"
BASES = {"chatwoot": "", "attio": "", "loops": "/api"}
"""The part of the path that belongs to the server and not to the documented path."""

ALLOWED_QUERY = {
    ("chatwoot", "updated_within"): "in the server since 3.6.0 (pull request 8947), not in the document",
    ("chatwoot", "sort_by"): "conversation_finder.rb takes it, the document does not know it",
    ("chatwoot", "filter_internal_messages"): "message_finder.rb takes it, the document does not know it",
}
"""Query parameters the vendor takes although the document does not name them."""

ALLOWED_VALUES = {
    ("chatwoot", "sort"): {"created_at", "-created_at"},  # contacts_controller.rb sorts by it
}

ALLOWED_STATUS = {
    "chatwoot": {401, 404, 422, 429, 500},  # every Rails error; 429 is the throttle's
    "attio": {401, 404, 429},  # the document names neither authentication nor throttling
    "loops": {401, 404, 405, 429},  # 401 is documented for /api-key only, 429 nowhere
}
"""Answers that happen although the document lists them for no operation or only for some."""


def allowed_response(vendor: str, path: str, message: str) -> bool:
    """Deviations of the vendor from its own document, each with its reason."""
    # Conversation::STATUSES has `snoozed`; the document's enum of a conversation's status forgot it.
    if vendor == "chatwoot" and "'snoozed' is not one of" in message:
        return True
    # labels.description is a nullable column.
    return (
        vendor == "chatwoot"
        and path.endswith("/labels")
        and message.startswith("None is not of type 'string'")
    )


def check_exchange(vendor: str, exchange: Exchange) -> list[str]:
    """What is wrong with a request and its answer, in words; a spoiled answer is not looked at."""
    if vendor == "linear":
        return check_linear(exchange)
    url = urlsplit(exchange.url)
    query = parse_qsl(url.query, keep_blank_values=True)
    request = mock_request(vendor, exchange, url.path, query)
    where = f"{vendor} {exchange.method} {url.path}"
    found = request_problems(vendor, request, exchange, query)
    if not found and not exchange.faulty:
        found += response_problems(vendor, request, exchange)
    return [f"{where}: {problem}" for problem in found]


def mock_request(vendor: str, exchange: Exchange, path: str, query: list[tuple[str, str]]) -> MockRequest:
    kind = header(exchange.headers, "content-type").partition(";")[0] or "application/json"
    chosen = [(name, value) for name, value in query if value not in ALLOWED_VALUES.get((vendor, name), ())]
    arguments: dict[str, Any] = {}
    for name, value in chosen:
        bare = name.removesuffix("[]")
        arguments[bare] = [*arguments[bare], value] if bare in arguments else [value]
    return MockRequest(
        SERVER,
        exchange.method.lower(),
        path,
        args=arguments,
        headers=exchange.headers,
        data=exchange.body or None,
        content_type=kind,
    )


def request_problems(
    vendor: str, request: MockRequest, exchange: Exchange, query: list[tuple[str, str]]
) -> list[str]:
    """The document's view of a request, and what validators do not look at: unknown parameters."""
    document = description(vendor)
    try:
        document.validate_request(request)
    except SecurityValidationError as error:
        return [] if exchange.status == 401 else [str(error)]
    except OpenAPIError as error:
        return reasons(error)
    known = documented_parameters(vendor, request)
    names = dict.fromkeys(name.removesuffix("[]") for name, _ in query)
    return [
        f"the parameter {name} is not documented"
        for name in names
        if name not in known and (vendor, name) not in ALLOWED_QUERY
    ]


def response_problems(vendor: str, request: MockRequest, exchange: Exchange) -> list[str]:
    if exchange.status in ALLOWED_STATUS[vendor] and not documented_status(vendor, request, exchange.status):
        return []
    kind = header(exchange.answer_headers, "content-type").partition(";")[0]
    response = MockResponse(
        data=exchange.answer, status_code=exchange.status, headers=exchange.answer_headers, content_type=kind
    )
    try:
        description(vendor).validate_response(request, response)
    except OpenAPIError as error:
        return [text for text in reasons(error) if not allowed_response(vendor, request.path, text)]
    return []


def check_linear(exchange: Exchange) -> list[str]:
    """The query against the vendor's schema, and the data of the answer against the query."""
    body = msgspec.json.decode(exchange.body)
    query, variables = body["query"], body.get("variables") or {}
    found = check_graphql(query, variables)
    if not found and not exchange.faulty and exchange.status == 200:
        found = check_data(query, variables, msgspec.json.decode(exchange.answer))
    return [f"linear {body.get('operationName') or ''}: {problem}" for problem in found]


def check_graphql(query: str, variables: dict[str, Any]) -> list[str]:
    """What the vendor would refuse of a query and its variables."""
    document = parse(query)
    problems = [error.message for error in validate(linear_schema(), document)]
    if problems:
        return problems
    for definition in document.definitions:
        values = get_variable_values(linear_schema(), definition.variable_definitions or [], variables)
        if isinstance(values, list):
            problems += [error.message for error in values]
    return problems


def check_data(query: str, variables: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What the vendor could not have answered: a missing field, a null or a type that its schema forbids."""
    if answer.get("errors"):
        return []
    result = execute_sync(
        linear_schema(),
        parse(query),
        root_value=answer["data"],
        variable_values=variables,
        field_resolver=lambda source, info, **_: source[info.path.key],
    )
    return [f"{error.message} at {error.path}" for error in result.errors or []]


@contextmanager
def watched(**vendors: Any) -> Iterator[list[str]]:
    """Checks every exchange of these stand-ins; raises at the end when one was off the contract."""
    violations: list[str] = []
    observers = {}
    for name, vendor in vendors.items():
        if not ABSENT:
            read_description(name)
        observers[name] = observer(name, violations)
        if not ABSENT:
            vendor.front.observers.append(observers[name])
    try:
        yield violations
    finally:
        for name, vendor in vendors.items():
            if observers[name] in vendor.front.observers:
                vendor.front.observers.remove(observers[name])
    assert not violations, "\n".join(dict.fromkeys(violations))


def observer(vendor: str, violations: list[str]) -> Any:
    return lambda exchange: violations.extend(check_exchange(vendor, exchange))


class CheckingTransport(httpx.AsyncBaseTransport):
    """Wraps another transport and checks what passes: for a client that talks to no stand-in of ours."""

    def __init__(self, vendor: str, inner: httpx.AsyncBaseTransport) -> None:
        self.vendor = vendor
        self.inner = inner
        self.violations: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        body = await response.aread()
        if not ABSENT:
            exchange = Exchange(
                request.method,
                str(request.url),
                dict(request.headers),
                request.read(),
                response.status_code,
                dict(response.headers),
                body,
                faulty=False,
            )
            self.violations += check_exchange(self.vendor, exchange)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


def header(headers: dict[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def reasons(error: BaseException) -> list[str]:
    """The innermost reasons of a validator's error."""
    cause = error.__cause__ or error
    details = getattr(cause, "schema_errors", None)
    return [reason(each) for each in details] if details else [f"{error}: {cause}"]


def reason(error: Any) -> str:
    """The message of a schema error with its place; of several alternatives the one that fits best."""
    while error.context:
        branches: dict[Any, list[Any]] = {}
        for each in error.context:
            branches.setdefault(each.relative_schema_path[0], []).append(each)
        error = min(branches.values(), key=len)[0]
    return f"{error.message[:400]} at {'/'.join(map(str, error.absolute_path))}"


# the descriptions


def read_description(vendor: str) -> None:
    """Reads it now, so that nothing is read from disk while the loop serves requests."""
    if vendor == "linear":
        linear_schema()
    else:
        description(vendor)


@cache
def linear_schema() -> GraphQLSchema:
    """The vendor's whole schema."""
    return build_schema((HOME / FILES["linear"]).read_text("utf-8"), assume_valid=True)


@cache
def description(vendor: str) -> OpenAPI:
    """The vendor's document with the known corrections, served from where the checks pretend to be."""
    return OpenAPI.from_dict(corrected(vendor))


@cache
def corrected(vendor: str) -> dict[str, Any]:
    document = msgspec.json.decode((HOME / FILES[vendor]).read_bytes())
    fixes = msgspec.json.decode((HOME / "fixes.json").read_bytes())["files"].get(FILES[vendor], {})
    if "nullable_to_type_null" in fixes.get("rules", []):
        document = nullable_to_type_null(document)
    for patch in fixes.get("patches", []):
        apply_patch(document, patch)
    if vendor == "attio":
        # an OAuth token is sent as any bearer token is; openapi-core looks at the latter only
        document["components"]["securitySchemes"] = {"oauth2": {"type": "http", "scheme": "bearer"}}
        date_times(document)
    document["servers"] = [{"url": SERVER + BASES[vendor]}]
    return document


def nullable_to_type_null(node: Any) -> Any:
    """OpenAPI 3.0's `nullable: true` as 3.1 says it."""
    if isinstance(node, list):
        return [nullable_to_type_null(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {name: nullable_to_type_null(value) for name, value in node.items()}
    if isinstance(node.get("type"), list) and "null" in node["type"] and "enum" in node:
        node["enum"] = [*node["enum"], None]  # a type that allows null beside a list of values that forgot it
    if not isinstance(node.get("nullable"), bool):
        return node
    if not node.pop("nullable"):
        return node
    if "enum" in node:
        node["enum"] = [*node["enum"], None]
    if isinstance(node.get("type"), str):
        return node | {"type": [node["type"], "null"]}
    if isinstance(node.get("type"), list):
        return node | {"type": list(dict.fromkeys([*node["type"], "null"]))}
    return {"anyOf": [node, {"type": "null"}]}


def date_times(node: Any) -> None:
    """Values of Attio's time stamp attributes hold date and time; the document says `format: date`."""
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        date_times(each)
    properties = node.get("properties") if isinstance(node, dict) else None
    if isinstance(properties, dict) and properties.get("attribute_type", {}).get("enum") == ["timestamp"]:
        properties["value"] = properties["value"] | {"format": "date-time"}


def apply_patch(document: Any, patch: dict[str, Any]) -> None:
    """A JSON-Pointer edit; `name=x` picks the entry of a list by its name."""
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in patch["path"].split("/")[1:]]
    target = document
    for step in way:
        if isinstance(target, list):
            key, _, wanted = step.partition("=")
            target = next(each for each in target if each.get(key) == wanted)
        else:
            target = target[step]
    if patch["op"] == "remove":
        target.pop(last, None)
    else:
        target[last] = patch["value"]


def operation(vendor: str, request: MockRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """The documented path and operation of a request; fixed parts of a path win over parameters."""
    parts = request.path.removeprefix(BASES[vendor]).split("/")
    found: list[tuple[int, dict[str, Any]]] = []
    for template, path in corrected(vendor)["paths"].items():
        names = template.split("/")
        fits = len(names) == len(parts) and all(
            name == part or name.startswith("{") for name, part in zip(names, parts, strict=True)
        )
        if fits and request.method in path:
            found.append((sum(name.startswith("{") for name in names), path))
    _, best = min(found, key=lambda each: each[0])
    return best, best[request.method]


def documented_parameters(vendor: str, request: MockRequest) -> set[str]:
    document = corrected(vendor)
    return {
        resolved(document, parameter)["name"].removesuffix("[]")
        for place in operation(vendor, request)
        for parameter in place.get("parameters", [])
    }


def documented_status(vendor: str, request: MockRequest, status: int) -> bool:
    return str(status) in operation(vendor, request)[1]["responses"]


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node itself, or what its `$ref` points to."""
    if "$ref" not in node:
        return node
    target: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    return dict(target)
