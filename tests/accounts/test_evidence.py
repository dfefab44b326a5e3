"""References to evidence in one shape (contract §13.2)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctower_desktop.accounts.evidence import MOST, located, normalised
from ctower_desktop.accounts.model import EvidenceRef

UUID = "0a1b2c3d-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("given_ref", "source"),
    [
        ("cwmsg:p:1:2", "cw_messages"),
        ("cw:p:1:2", "cw_conversations"),
        ("cwc:p:1:2", "cw_contacts"),
        (UUID, "rag_chunks"),
        ("ENG-42", "external"),
        ("https://example.com/x", "external"),
    ],
)
def test_text_says_by_itself_where_it_points(given_ref, source):
    assert normalised([given_ref]) == [EvidenceRef(source, given_ref)]
    assert normalised([f"  {given_ref} "]) == [EvidenceRef(source, given_ref)]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"ref": "cwmsg:1"}, EvidenceRef("cw_messages", "cwmsg:1")),
        ({"source_ref": "x", "source_type": "Linear_Issue"}, EvidenceRef("linear_issue", "x")),
        ({"id": 7, "source": "attio"}, EvidenceRef("attio", "7")),
        ({"ref": "a", "source_ref": "b", "id": "c"}, EvidenceRef("external", "a")),
        (
            {"ref": "x", "snippet": "y" * 1_500, "meta": {"n": 1}},
            EvidenceRef("external", "x", "y" * 1_000, {"n": 1}),
        ),
        ({"ref": "x", "snippet": 5, "meta": "no"}, EvidenceRef("external", "x", "5")),
        (EvidenceRef("linear", "x", "s", {"a": 1}), EvidenceRef("linear", "x", "s", {"a": 1})),
    ],
)
def test_objects_have_their_names_folded(item, expected):
    assert normalised([item]) == [expected]


@pytest.mark.parametrize("item", ["", "  ", {}, {"snippet": "x"}, {"ref": ""}, {"ref": None}, None, 5, ["x"]])
def test_what_names_nothing_is_dropped(item):
    assert normalised([item, "ENG-1"]) == [EvidenceRef("external", "ENG-1")]


def test_each_is_kept_once_and_the_first_wins():
    found = normalised([{"ref": "x", "snippet": "one"}, {"ref": "x", "snippet": "two"}, "x"])
    assert found == [EvidenceRef("external", "x", "one")]
    assert len(normalised([{"ref": "x", "source": "a"}, {"ref": "x", "source": "b"}])) == 2


def test_at_most_fifty_are_kept():
    assert len(normalised([f"ref {n}" for n in range(80)])) == MOST == 50


@settings(max_examples=40)
@given(st.lists(st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.text()), max_size=9))
def test_nothing_breaks_it_and_twice_is_once(items):
    found = normalised(items)
    assert normalised(found) == found


@pytest.mark.parametrize(
    ("ref", "table", "ids"),
    [
        (EvidenceRef("cw_messages", "cwmsg:1"), "cw_messages", (None, "cwmsg:1", None)),
        (EvidenceRef("chatwoot_message", "cwmsg:1"), "cw_messages", (None, "cwmsg:1", None)),
        (EvidenceRef("cw_conversations", "cw:1"), "cw_conversations", ("cw:1", None, None)),
        (EvidenceRef("cw_contacts", "cwc:1"), "cw_contacts", (None, None, "cwc:1")),
        (EvidenceRef("linear_issue", "ENG-1"), "external", (None, None, None)),
        (EvidenceRef("rag_chunks", "x"), "rag_chunks", (None, None, None)),
    ],
)
def test_where_it_points(ref, table, ids):
    found = located(ref)
    assert found.table == table
    assert (found.conversation, found.message, found.contact) == ids
