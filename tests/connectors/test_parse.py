"""Rows of any shape: understood or refused with BadPayload, never anything else; times in every form."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctower_desktop.connectors import vendors
from ctower_desktop.connectors.contract import CONNECTORS, BadPayload, Scope
from ctower_desktop.connectors.times import day, moment

SCOPE = Scope("p1", "s1", "1")
BASE = {"id": "i1", "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-02T00:00:00.000Z"}
RECORD = {
    "id": {"workspace_id": "w", "object_id": "o", "record_id": "r1"},
    "created_at": "2026-01-01T00:00:00.123456789Z",
    "web_url": "https://a.example",
    "values": {
        "name": [{"value": "Acme", "active_from": "2026-01-01T00:00:00.000000000Z"}],
        "stage": [{"status": {"title": "Lead"}}],
        "value": [{"currency_value": 5, "currency_code": "EUR"}],
        "associated_company": [{"target_object": "companies", "target_record_id": "r2"}],
        "owner": [{"referenced_actor_type": "workspace-member", "referenced_actor_id": "m1"}],
    },
}
ROWS: dict[tuple[str, str], dict[str, Any]] = {
    ("chatwoot", "inboxes"): {"id": 1, "name": "Site", "channel_type": "x"},
    ("chatwoot", "agents"): {"id": 1, "name": "Olga", "available_name": "Olga"},
    ("chatwoot", "contacts"): {
        "id": 1, "name": "A", "email": "a@x.example", "custom_attributes": {}, "additional_attributes": {},
        "created_at": 1_700_000_000, "contact_inboxes": [{"inbox": {"id": 1, "name": "Site"}}],
    },
    ("chatwoot", "conversations"): {
        "id": 1, "inbox_id": 1, "created_at": 1_700_000_000, "updated_at": 1_700_000_001.5, "status": "open",
        "labels": ["a"], "additional_attributes": {"mail_subject": "x"}, "last_activity_at": 1_700_000_001,
        "meta": {"sender": {"id": 1, "name": "A", "type": "contact"}, "assignee": {"id": 2, "name": "B"}},
    },
    ("chatwoot", "messages"): {
        "id": 1, "conversation_id": 1, "created_at": 1_700_000_000, "message_type": 0, "content": "x",
        "private": False, "sender": {"id": 1, "name": "A", "type": "contact"}, "content_attributes": {},
        "attachments": [{"id": 1, "file_type": "image", "file_size": 1, "data_url": "u", "thumb_url": "t"}],
    },
    ("linear", "users"): BASE | {"name": "A", "displayName": "a", "email": "a@x", "active": True},
    ("linear", "teams"): BASE | {"key": "T", "name": "Team"},
    ("linear", "states"): BASE | {"name": "Todo", "type": "unstarted", "position": 1.0, "team": {"id": "t"}},
    ("linear", "labels"): BASE | {"name": "bug"},
    ("linear", "projects"): BASE | {"name": "P", "lead": {"id": "u"}, "startDate": "2026-01-01",
    "progress": 0.5},
    ("linear", "cycles"): BASE | {"number": 3, "startsAt": "2026-01-01T00:00:00Z", "team": {"id": "t"}},
    ("linear", "issues"): BASE | {
        "identifier": "T-1", "title": "x", "labelIds": ["l"], "state": {"id": "s"}, "team": {"id": "t"},
        "dueDate": "2026-02-01", "priority": 2, "assignee": {"id": "u"},
    },
    ("linear", "relations"): BASE | {"type": "blocks", "issue": {"id": "a"}, "relatedIssue": {"id": "b"}},
    ("linear", "comments"): BASE | {"body": "x", "issueId": "a", "user": {"id": "u"}},
    ("attio", "members"): {"id": {"workspace_id": "w", "workspace_member_id": "m1"}, "first_name": "A"},
    ("attio", "companies"): RECORD,
    ("attio", "people"): RECORD,
    ("attio", "deals"): RECORD,
    ("attio", "notes"): {
        "id": {"workspace_id": "w", "note_id": "n"}, "parent_object": "deals", "parent_record_id": "r1",
        "created_at": "2026-01-01T00:00:00Z", "title": "x", "content_plaintext": "y",
        "created_by_actor": {"id": None, "type": "system"},
    },
    ("attio", "tasks"): {
        "id": {"workspace_id": "w", "task_id": "t"}, "created_at": "2026-01-01T00:00:00Z",
        "content_plaintext": "x", "deadline_at": "2026-01-01", "is_completed": False,
        "linked_records": [{"target_object_id": "companies", "target_record_id": "r1"}], "assignees": [],
    },
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.just([]), st.just({}), st.just([None]), st.just({"a": {"b": [1]}}),
)  # fmt: skip


class Nobody:
    """Names where nothing is known."""

    def get(self, stream, external_id):
        return None

    def parent(self, external_id):
        return None


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places(inner, (*path, key))


@st.composite
def mutated(draw, row):
    """The row with some of its places dropped or replaced."""
    row = copy.deepcopy(row)
    for _ in range(draw(st.integers(1, 3))):
        spots = [path for path in places(row) if path]
        if not spots:
            break
        path = draw(st.sampled_from(spots))
        at: Any = row
        for key in path[:-1]:
            at = at[key]
        if isinstance(at, dict) and draw(st.booleans()):
            at.pop(path[-1], None)
        else:
            at[path[-1]] = copy.deepcopy(draw(ODD))
    return row


def understand(name, stream, raw):
    connector = CONNECTORS[name]
    for record in connector.parse(stream, raw):
        for typed in connector.typed(record, SCOPE, Nobody()):
            assert typed.row["id"].startswith(f"{typed.kind}:p1:1:")
        connector.label(record) if stream in ("agents", "users", "states", "companies", "members") else None


@pytest.mark.parametrize("key", ROWS, ids="-".join)
def test_a_whole_row_is_understood(key):
    understand(*key, msgspec.json.encode(ROWS[key]))


def test_every_stream_is_tried():
    assert set(ROWS) == {(name, s.name) for name, c in CONNECTORS.items() for s in c.streams}
    assert vendors.CONNECTORS is CONNECTORS


@pytest.mark.parametrize("key", ROWS, ids="-".join)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_spoilt_row_is_understood_or_refused(key, data):
    raw = msgspec.json.encode(data.draw(mutated(ROWS[key])))
    try:
        understand(*key, raw)
    except BadPayload:
        return


@pytest.mark.parametrize("key", ROWS, ids="-".join)
@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", b'{"id":"\\ud800"}', b"[" * 5_000]
)
def test_no_row_at_all_is_refused(key, raw):
    with pytest.raises(BadPayload):
        CONNECTORS[key[0]].parse(key[1], raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (1_700_000_000, "2023-11-14T22:13:20.000Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
        (1_700_000_000_250, "2023-11-14T22:13:20.250Z"),
        ("1700000000", "2023-11-14T22:13:20.000Z"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01T03:00:00+03:00", "2026-01-01T00:00:00.000Z"),
        ("2026-01-01 05:00:00", "2026-01-01T05:00:00.000Z"),
        ("2026-01-01", "2026-01-01T00:00:00.000Z"),
        (0, None), (None, None), ("", None), ("soon", None), (True, None), (-5, None), (1e300, None),
        ("2021", "1970-01-01T00:33:41.000Z"), ("٣", None), ("0001-01-01T00:00:00+14:00", None), ([], None),
    ],
)  # fmt: skip
def test_times_of_every_form(raw, expected):
    assert moment(raw) == expected


def test_days():
    assert day("2026-02-01") == "2026-02-01"
    assert day("2026-02-01T23:00:00Z") == "2026-02-01"
    assert day("whenever") is None
