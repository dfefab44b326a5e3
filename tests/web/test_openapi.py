"""The OpenAPI document says what is true, in valid OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta
from openapi_spec_validator import OpenAPIV31SpecValidator

from ctower_desktop import app
from ctower_desktop.kernel.endpoint import AGENTS, DASHBOARD, ENDPOINTS, GRAPH, TOWER, Text
from ctower_desktop.kernel.errors import Gone, NotFound
from ctower_desktop.kernel.tower import Anyone, OwnerSession, Scoped
from ctower_desktop.web import openapi

app.import_rooms()


class Part(msgspec.Struct):
    """A part."""

    flag: bool


class Wish(msgspec.Struct):
    """A wish."""

    count: Annotated[int, Meta(ge=1, le=50)]
    share: float | None = None
    parts: list[Part] = []


class Look(msgspec.Struct):
    """How much to see."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class Told(msgspec.Struct):
    """One thing told."""

    text: str


class Asked(msgspec.Struct):
    """Another."""

    text: str


class NoWish(NotFound):
    """There is no such wish."""

    code = "wish_not_found"


class WishesGone(Gone):
    """Nobody wishes any more."""

    code = "wishes_gone"


@pytest.fixture
def document(declared) -> dict[str, Any]:
    @TOWER.post("/probe/{wish_id}", raises=(NoWish,), pace="expensive", idempotent=True, status=201)
    async def wish(call: Scoped, wish_id: Annotated[int, Meta(ge=1)], body: Wish) -> Told:
        """Wish for something.

        It may come true.
        """
        return Told("")

    @TOWER.get("/probe")
    async def look(call: Anyone, query: Look) -> Told:
        """Look."""
        return Told("")

    @TOWER.stream("/probe/told")
    async def listen(call: Scoped) -> AsyncIterator[Told | Asked]:
        """Listen."""
        yield Told("")

    @TOWER.get("/probe/text")
    async def read_text(call: OwnerSession) -> Text:
        """Some text."""
        return Text(b"", "text/plain")

    @TOWER.get("/probe/gone", raises=(WishesGone,))
    async def read_gone(call: Anyone) -> Told:
        """Gone."""
        raise WishesGone

    return openapi.document(TOWER)


def refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


def resolved(document: dict[str, Any], ref: str) -> Any:
    found: Any = document
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def codes(document: dict[str, Any], operation: dict[str, Any], status: str) -> list[str]:
    answer = resolved(document, operation["responses"][status]["$ref"])
    return answer["content"]["application/json"]["schema"]["properties"]["error"]["enum"]


@pytest.mark.parametrize("door", [TOWER, GRAPH, AGENTS, DASHBOARD], ids=lambda d: d.name)
def test_is_valid_and_complete(door):
    document = openapi.document(door)
    OpenAPIV31SpecValidator(document).validate()
    for ref in set(refs(document)):
        assert resolved(document, ref) is not None
    operations = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert sorted(operations) == sorted(e.name for e in ENDPOINTS.values() if e.door is door)


def test_every_shape_is_used():
    document = openapi.document(TOWER)
    used = set(refs(document))
    spare = {n for kind in ("schemas", "responses") for n in document["components"][kind]}
    spare -= {ref.rsplit("/", 1)[1] for ref in used}
    # a query is described parameter by parameter
    assert {n for n in spare if not n.endswith(("QueryRequest", "Request"))} == set()


def test_numbers_may_come_as_text(document):
    shape = document["components"]["schemas"]["WishRequest"]["properties"]
    number, text = shape["count"]["anyOf"]
    assert number == {"type": "integer", "minimum": 1, "maximum": 50}
    assert text["type"] == "string"
    assert "pattern" in text
    flag = document["components"]["schemas"]["PartRequest"]["properties"]["flag"]
    assert "true" in flag["anyOf"][1]["enum"]


def test_query_parameters_take_anything(document):
    (limit,) = document["paths"]["/probe"]["get"]["parameters"]
    assert limit["required"] is False
    strict, anything = limit["schema"]["anyOf"]
    assert strict["anyOf"][0]["maximum"] == 200
    assert anything["type"] == "string"
    assert "nearest bound" in anything["description"]


def test_every_refusal_is_named(document):
    operation = document["paths"]["/probe/{wish_id}"]["post"]
    assert codes(document, operation, "400") == ["invalid_json", "invalid_uuid", "validation_error"]
    assert codes(document, operation, "401") == ["unauthorized"]
    assert codes(document, operation, "403") == [
        *("csrf_invalid", "forbidden", "origin_not_allowed", "project_access_denied", "scope_insufficient")
    ]
    assert codes(document, operation, "404") == ["wish_not_found"]
    assert codes(document, operation, "409") == ["active_project_required", "idempotency_key_reuse"]
    assert codes(document, operation, "413") == ["payload_too_large"]
    assert codes(document, operation, "415") == ["unsupported_media_type"]
    assert codes(document, operation, "421") == ["host_not_allowed"]
    assert codes(document, operation, "429") == ["rate_limit_exceeded", "rate_limited"]
    assert codes(document, operation, "500") == ["internal_error"]
    assert "storage_full" in codes(document, operation, "503")
    header = next(p for p in operation["parameters"] if p["in"] == "header")
    assert header["name"] == "x-idempotency-key"


def test_the_envelope_is_part_of_the_answer(document):
    operation = document["paths"]["/probe/{wish_id}"]["post"]
    payload, envelope = operation["responses"]["201"]["content"]["application/json"]["schema"]["allOf"]
    assert payload == {"$ref": "#/components/schemas/Told"}
    assert envelope["required"] == ["ok", "request_id"]
    assert envelope["properties"]["ok"] == {"const": True}
    assert (operation["summary"], operation["description"]) == ("Wish for something.", "It may come true.")


def test_who_may_call(document):
    paths = document["paths"]
    assert paths["/probe"]["get"]["security"] == []
    assert paths["/probe/{wish_id}"]["post"]["security"] == [{"session": [], "csrf": []}, {"key": []}]
    assert paths["/probe/text"]["get"]["security"] == [{"session": []}], "keys cannot"
    assert paths["/probe/text"]["get"]["x-caller"] == "ownersession"


def test_streams_texts_and_what_is_gone(document):
    stream = document["paths"]["/probe/told"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    assert stream["x-events"] == {
        "told": {"$ref": "#/components/schemas/Told"},
        "asked": {"$ref": "#/components/schemas/Asked"},
    }
    assert codes(document, document["paths"]["/probe/told"]["get"], "429") == ["rate_limited", "sse_limit"]
    assert "*/*" in document["paths"]["/probe/text"]["get"]["responses"]["200"]["content"]
    gone = document["paths"]["/probe/gone"]["get"]
    assert gone["deprecated"] is True
    assert "200" not in gone["responses"]
    assert codes(document, gone, "410") == ["wishes_gone"]
