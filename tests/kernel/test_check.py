"""From what a client sent to a typed value, or to every reason why not."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from ctower_desktop.kernel import check
from ctower_desktop.kernel.errors import Invalid, InvalidJson, InvalidUuid

Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
    ),
]


class Part(msgspec.Struct):
    """A nested thing."""

    weight: Annotated[float, Meta(ge=0)] = 0.0


class Body(msgspec.Struct):
    """What a client sends."""

    name: Annotated[str, Meta(min_length=2, max_length=8)]
    secret: Annotated[str, Meta(extra={"verbatim": True})] = ""
    count: Annotated[int, Meta(ge=0, le=10)] = 1
    open: bool = False
    stage: Literal["won", "lost"] = "won"
    tags: list[str] = []
    parts: list[Part] = []
    any: Any = None


class Bounded(msgspec.Struct):
    """Query parameters."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    maybe: Annotated[int, Meta(ge=0, le=5)] | None = None
    q: Annotated[str, Meta(max_length=5)] = ""
    ratio: float = 0.5
    all: bool = False


def issues(value: object) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        check.check(value, Body)
    assert caught.value.status == 400
    return [(issue.path, issue.code) for issue in caught.value.issues]


def test_strings_are_trimmed_but_not_what_is_verbatim():
    found = check.check({"name": "  Acme ", "secret": " pass ", "tags": [" a ", "b"]}, Body)
    assert (found.name, found.secret, found.tags) == ("Acme", " pass ", ["a", "b"])


@pytest.mark.parametrize(
    ("given", "meant"),
    [("false", False), ("true", True), ("0", False), ("1", True), (1, True), (False, False)],
)
def test_booleans_may_come_as_text(given, meant):
    assert check.check({"name": "Acme", "open": given}, Body).open is meant


@pytest.mark.parametrize("given", [3, "3", " 3 ", 3.0])
def test_numbers_may_come_as_text(given):
    assert check.check({"name": "Acme", "count": given}, Body).count == 3


def test_unknown_fields_are_ignored_unless_forbidden():
    class Strict(msgspec.Struct, forbid_unknown_fields=True):
        """A strict one."""

        name: str = ""

    assert check.check({"name": "Acme", "more": 1}, Body).name == "Acme"
    with pytest.raises(Invalid) as caught:
        check.check({"more": 1}, Strict)
    assert [issue.code for issue in caught.value.issues] == ["unrecognized_keys"]


@pytest.mark.parametrize("given", [None, "text", 5, True, [], ["name"]])
def test_what_is_no_object_is_an_empty_one(given):
    assert issues(given) == [("name", "too_small")]


def test_every_field_that_does_not_fit_is_named():
    assert issues({"name": "A", "count": 11, "open": "yes", "stage": "maybe", "tags": "x"}) == [
        ("name", "too_small"),
        ("count", "too_big"),
        ("open", "invalid_type"),
        ("stage", "invalid_value"),
        ("tags", "invalid_type"),
    ]


def test_the_message_is_the_first_issue():
    with pytest.raises(Invalid) as caught:
        check.check({"name": "much too long", "count": -1}, Body)
    assert str(caught.value) == caught.value.issues[0].message


def test_paths_lead_into_lists_and_objects():
    assert issues({"name": "Acme", "parts": [{"weight": 1}, {"weight": -1}]}) == [
        ("parts.1.weight", "too_small")
    ]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"any": 2**63}, "any"),
        ({"any": -(2**70)}, "any"),
        ({"parts": [{"weight": "nan"}]}, "parts.0.weight"),
        ({"parts": [{"weight": "inf"}]}, "parts.0.weight"),
        ({"any": {"deep": [1, math.nan]}}, "any.deep.1"),
    ],
)
def test_numbers_no_column_can_hold_are_refused(given, path):
    assert [where for where, _ in issues({"name": "Acme", **given})] == [path]


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_body_may_not_be_nested_without_end(opening, closing):
    assert check.decoded(opening * 64 + b"1" + closing * 64)
    for levels in (66, 900, 5_000):
        with pytest.raises(InvalidJson):
            check.decoded(opening * levels + b"1" + closing * levels)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from([*Body.__struct_fields__, "more"]), JSON) | JSON


@given(FIELDS)
def test_whatever_comes_is_a_body_or_invalid(value):
    try:
        found = check.check(value, Body)
    except Invalid as error:
        assert error.issues  # noqa: PT017 - both outcomes are right
    else:
        assert 2 <= len(found.name) <= 8
        assert 0 <= found.count <= 10


@given(st.dictionaries(st.sampled_from(Bounded.__struct_fields__), st.text(max_size=40)))
def test_query_parameters_are_never_refused(value):
    found = check.check_leniently(value, Bounded)
    assert 1 <= found.limit <= 100
    assert len(found.q) <= 5
    assert math.isfinite(found.ratio)
    assert found.maybe is None or 0 <= found.maybe <= 5


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        *(("0", 1), ("99999", 100), ("abc", 20), ("", 20), ("-5", 1), ("7", 7), (" 7 ", 7), ("+7", 7)),
        *(("7abc", 7), ("9" * 400, 100), (" " * 40 + "5", 5), ("--5", 20), ("1e3", 1), ("٥", 5)),
    ],
)
def test_limits_are_clamped(text, limit):
    assert check.check_leniently({"limit": text}, Bounded).limit == limit


def test_an_optional_number_is_clamped_too():
    assert check.check_leniently({"maybe": "9"}, Bounded).maybe == 5
    assert check.check_leniently({"maybe": "x"}, Bounded).maybe is None


def test_an_empty_body_is_an_empty_object():
    assert check.decoded(b"") == {}


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b'{"a":}', b"\xff", b"NaN", b"1e400", b'"\\ud800"', b"[" * 100_000, b"{} {}", b"\x00"),
        *(b"\n", b"  ", b"\t\r\n"),
        *(b'{"a": 01}', "{“a”: 1}".encode(), b"\xef\xbb\xbf{}"),
    ],
)
def test_malformed_json(body):
    with pytest.raises(InvalidJson) as caught:
        check.decoded(body)
    assert (caught.value.code, caught.value.status) == ("invalid_json", 400)


@given(st.binary(max_size=64))
def test_any_bytes_are_json_or_invalid_json(body):
    try:
        found = check.decoded(body)
    except InvalidJson:
        return
    if body.strip():
        assert json.dumps(found) is not None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("123e4567-e89b-42d3-a456-426614174000", True),
        ("123E4567-E89B-42D3-A456-426614174000", True),
        ("123e4567-e89b-02d3-a456-426614174000", False),
        ("123e4567-e89b-42d3-c456-426614174000", False),
        ("123e4567e89b42d3a456426614174000", False),
        ("123e4567-e89b-42d3-a456-426614174000\n", False),
        ("", False),
    ],
)
def test_uuids(text, is_one):
    assert check.is_uuid(text) is is_one
    if is_one:
        assert check.path_value(text, Uuid) == text
    else:
        with pytest.raises(InvalidUuid):
            check.path_value(text, Uuid)


def test_path_values():
    assert check.path_value("7", int) == 7
    for text in ("seven", "9" * 30):
        with pytest.raises(Invalid) as caught:
            check.path_value(text, int)
        assert caught.value.code == "validation_error"


def test_what_is_wrong_with_a_path_names_the_parameter():
    """Fault absent: the issue of a bad path id said `path` and not the parameter's name."""
    for text, kind in (("x", int), ("x", Uuid), ("99999999999999999999", int)):
        with pytest.raises(Invalid) as refused:
            check.path_value(text, kind, "error_id")
        assert [issue.path for issue in refused.value.issues] == ["error_id"]
