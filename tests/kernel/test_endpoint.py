"""What a declaration of an endpoint says, and what is refused when it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from ctower_desktop.kernel import endpoint
from ctower_desktop.kernel.endpoint import ENDPOINTS, Door, Endpoint
from ctower_desktop.kernel.errors import Invalid, InvalidJson, InvalidUuid, NotFound, StorageFull
from ctower_desktop.kernel.tower import AuditLine, Caller, Owner, Scoped, Tower, desktop

Uuid = Annotated[
    str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
ONE = "123e4567-e89b-42d3-a456-426614174000"


class Body(msgspec.Struct):
    """What is sent."""

    name: Annotated[str, Meta(min_length=2)]


class Filter(msgspec.Struct):
    """What is asked for."""

    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class Answer(msgspec.Struct):
    """What comes back."""

    name: str


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> dict[str, Endpoint]:
    """A registry of the test's own."""
    found: dict[str, Endpoint] = {}
    monkeypatch.setattr(endpoint, "ENDPOINTS", found)
    return found


@pytest.fixture
def door() -> Door:
    return Door("test", "A test", 0)


def test_the_signature_is_the_contract(door, declared):
    @door.get("/things/{thing_id}", raises=(NotFound,), pace="expensive")
    async def read_thing(call: Scoped, thing_id: Uuid, query: Filter) -> Answer:
        """One thing.

        In detail.
        """
        return Answer(thing_id)

    assert declared == {"test.read_thing": read_thing}
    assert (read_thing.method, read_thing.path, read_thing.status) == ("GET", "/things/{thing_id}", 200)
    assert (read_thing.caller, read_thing.query, read_thing.body) == (Scoped, Filter, None)
    assert (read_thing.response, read_thing.raises, read_thing.pace) == (Answer, (NotFound,), "expensive")
    assert read_thing.about.splitlines()[0] == "One thing."
    assert (read_thing.name, read_thing.room) == ("read_thing", "kernel")
    assert not read_thing.mutating
    assert read_thing.role == "viewer"
    assert ENDPOINTS is not declared


def test_what_acts_needs_more(door):
    @door.post("/things", status=201, audit="thing.create", idempotent=True)
    async def create_thing(call: Owner, body: Body) -> Answer:
        """Make a thing."""
        return Answer(body.name)

    assert (create_thing.method, create_thing.status, create_thing.role) == ("POST", 201, "delivery_lead")
    assert create_thing.mutating
    assert create_thing.csrf
    assert create_thing.idempotent


def test_arguments_are_checked(door):
    @door.post("/things/{thing_id}")
    async def change_thing(call: Scoped, thing_id: Uuid, query: Filter, body: Body) -> Answer:
        """Change a thing."""
        return Answer(body.name)

    found = change_thing.arguments({"thing_id": ONE}, {"limit": "999"}, b'{"name": " Acme "}')
    assert found == {"thing_id": ONE, "query": Filter(50), "body": Body("Acme")}
    with pytest.raises(InvalidUuid):
        change_thing.arguments({"thing_id": "1"}, {}, b'{"name": "Acme"}')
    with pytest.raises(Invalid):
        change_thing.arguments({"thing_id": ONE}, {}, b"")
    with pytest.raises(InvalidJson):
        change_thing.arguments({"thing_id": ONE}, {}, b"{")


def test_a_body_nobody_reads_must_still_be_json(door):
    @door.post("/run")
    async def run(call: Scoped) -> Answer:
        """Run."""
        return Answer("x")

    assert run.arguments({}, {}, b"") == run.arguments({}, {}, b"{}") == {}
    with pytest.raises(InvalidJson):
        run.arguments({}, {}, b"{")


def test_a_strict_door_refuses_what_a_lenient_one_clamps():
    strict = Door("strict", "Strict", 0, lenient_query=False)

    @strict.get("/things")
    async def list_things(call: Scoped, query: Filter) -> Answer:
        """Things."""
        return Answer("x")

    with pytest.raises(Invalid):
        list_things.arguments({}, {"limit": "999"}, b"")


def test_a_stream_answers_with_what_it_yields(door):
    @door.stream("/events")
    async def stream(call: Caller) -> AsyncIterator[Answer]:
        """Events."""
        yield Answer("x")

    assert stream.stream
    assert stream.response is Answer


def test_declarations_that_do_not_fit_are_refused(door):
    async def unknown(call: Scoped, other: int) -> Answer:
        """A parameter from nowhere."""
        return Answer("x")

    async def missing(call: Scoped) -> Answer:
        """A field nobody takes."""
        return Answer("x")

    async def nobody(call: int) -> Answer:
        """Not a call."""
        return Answer("x")

    for handler, path in ((unknown, "/a"), (missing, "/a/{b}"), (nobody, "/a")):
        with pytest.raises(TypeError, match="do not fit"):
            door.get(path)(handler)


def test_a_name_is_declared_once_per_door(door):
    async def read(call: Scoped) -> Answer:
        """Read."""
        return Answer("x")

    door.get("/a")(read)
    with pytest.raises(TypeError, match="two endpoints"):
        door.get("/b")(read)
    Door("other", "Another", 0).get("/a")(read)


class TestAudit:
    @pytest.fixture
    def lines(self, tower: Tower) -> list[AuditLine]:
        found: list[AuditLine] = []

        async def keep(call, line):
            found.append(line)

        tower.audit = keep
        return found

    async def test_an_action_leaves_one_line(self, door, tower, lines):
        @door.post("/things", audit="thing.create")
        async def create_thing(call: Owner, body: Body) -> Answer:
            """Make a thing."""
            call.noted.about("thing", "7", status="partial", evidence_refs=["cw:1"], name=body.name)
            return Answer(body.name)

        call = desktop(tower, "r")
        for _ in range(2):
            assert await create_thing(call, Body("Acme")) == Answer("Acme")
        first, second = lines
        assert (
            first
            == second
            == AuditLine(
                action="thing.create",
                entity_type="thing",
                entity_id="7",
                status="partial",
                payload={"name": "Acme"},
                evidence_refs=["cw:1"],
            )
        )

    @pytest.mark.parametrize(("error", "kept"), [(NotFound, 0), (Invalid, 0), (StorageFull, 1)])
    async def test_a_failure_of_ours_leaves_a_line_a_wrong_request_does_not(
        self, door, tower, lines, error, kept
    ):
        @door.post("/things", audit="thing.create")
        async def create_thing(call: Owner) -> Answer:
            """Make a thing."""
            raise error

        with pytest.raises(error):
            await create_thing(desktop(tower, "r"))
        assert [(line.status, line.payload) for line in lines] == [("failed", {"error": error.code})] * kept
