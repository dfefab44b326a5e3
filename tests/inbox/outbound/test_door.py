"""The room over HTTP: envelopes, statuses, the header for requests that may be sent twice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import apsw
import pytest

from ctower_desktop.inbox.outbound import (
    channel_store,
    fate_store,
    policy_store,
    store,
    taking_store,
)
from ctower_desktop.kernel.sql import Command, Query
from tests.web.conftest import Client, Ticking, site_of

BODY = {
    "channel": "email", "recipient_ref": "anna@north.example", "idempotency_key": "k",
    "payload": {"text": "x"},
}  # fmt: skip


@pytest.fixture
async def owner(home) -> AsyncIterator[Client]:
    """The owner, signed in, with a project and no channel set up."""
    async with site_of(home, Ticking()) as site:
        await site.project()
        async with site.client() as client:
            await client.sign_in()
            yield client


async def test_from_draft_to_a_channel_that_is_not_set_up(owner):
    answer = await owner.post("/outbound/draft", json=BODY)
    assert answer.status_code == 201
    made = answer.json()["outbound"]
    assert made.keys() >= {
        "id", "project_id", "account_scope_id", "channel", "recipient_ref", "payload", "evidence_refs",
        "status", "idempotency_key", "dedupe_key", "retry_count", "max_retries", "next_attempt_at",
        "approved_by", "approved_at", "sent_at", "last_error", "created_at", "updated_at",
    }  # fmt: skip
    answer = await owner.post(f"/outbound/{made['id']}/send")
    assert (answer.status_code, answer.json()["error"]) == (409, "outbound_invalid_state")
    answer = await owner.post(f"/outbound/{made['id']}/approve", json={})
    assert (answer.status_code, answer.json()["outbound"]["status"]) == (200, "approved")
    answer = await owner.post(f"/outbound/{made['id']}/send")
    assert (answer.status_code, answer.json()["error"]) == (409, "channel_not_configured")
    answer = await owner.get("/outbound", params={"status": "approved"})
    assert [m["id"] for m in answer.json()["outbound"]] == [made["id"]]
    answer = await owner.post("/outbound/process", json={"limit": 5})
    assert answer.json()["result"].items() >= {"processed": 0, "sent": 0, "failed": 0}.items()
    answer = await owner.get(f"/outbound/{made['id']}")
    assert (answer.json()["outbound"]["last_error"], answer.json()["attempts"]) == (
        "channel_not_configured", [],
    )  # fmt: skip
    answer = await owner.post("/outbound/channels/email/test")
    assert (answer.json()["works"], answer.json()["code"]) == (False, "channel_not_configured")
    assert [c["configured"] for c in (await owner.get("/outbound/channels")).json()["channels"]] == [
        False
    ] * 4


async def test_codes_of_bad_input(owner):
    for body, path in (
        ({**BODY, "idempotency_key": ""}, "idempotency_key"),
        ({**BODY, "channel": "fax"}, "channel"),
        ({**BODY, "payload": {"subject": "a\nb", "text": "x"}}, "payload.subject"),
    ):
        answer = await owner.post("/outbound/draft", json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
        assert answer.json()["details"][0]["path"] == path
    nobody = "00000000-0000-4000-8000-00000000dead"
    for path, status, code in (
        ("/outbound/17/send", 400, "invalid_uuid"),
        (f"/outbound/{nobody}/send", 404, "outbound_not_found"),
        (f"/outbound/{nobody}/resolve", 400, "validation_error"),
        ("/outbound/process", 200, None),
    ):
        answer = await owner.post(path, json={})
        assert (answer.status_code, answer.json().get("error")) == (status, code), path
    for limit in (0, 201):
        assert (await owner.post("/outbound/process", json={"limit": limit})).status_code == 400


async def test_a_request_sent_twice_is_answered_alike(owner):
    """Contract §3.14."""
    headers = {"x-idempotency-key": "once"}
    first = await owner.post("/outbound/draft", json=BODY, headers=headers)
    again = await owner.post("/outbound/draft", json=BODY, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    other = await owner.post("/outbound/draft", json={**BODY, "idempotency_key": "l"}, headers=headers)
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_key_reuse")
    twin = await owner.post("/outbound/draft", json={**BODY, "idempotency_key": "l"})
    assert (twin.status_code, twin.json()["error"]) == (409, "outbound_exists")


async def test_the_list_of_who_opted_out(owner):
    body = {"contact_global_id": "anna@north.example", "channel": "email", "opted_out": "true"}
    policy = (await owner.post("/outbound/opt-out", json=body)).json()["policy"]
    assert policy.items() >= {
        "contact_global_id": "anna@north.example", "channel": "email", "opted_out": True,
        "stop_on_reply": True, "frequency_window_hours": 24, "frequency_cap": 3, "sent_in_window": 0,
        "window_started_at": None, "last_outbound_at": None, "last_inbound_at": None,
    }.items()  # fmt: skip
    found = (await owner.get("/outbound/policies", params={"opted_out": "true"})).json()["policies"]
    assert [p["contact_global_id"] for p in found] == ["anna@north.example"]


MODULES = (store, policy_store, taking_store, fate_store, channel_store)
STATEMENTS = [
    (f"{module.__name__.rpartition('.')[2]}.{name}", found)
    for module in MODULES
    for name, found in vars(module).items()
    if isinstance(found, Query | Command)
]


@pytest.mark.parametrize(("name", "statement"), STATEMENTS, ids=[name for name, _ in STATEMENTS])
def test_no_statement_walks_or_sorts_what_grows(schema: apsw.Connection, name, statement):
    """Messages, tries and rules are found by an index, and lists come out of it in order."""
    plan = [
        row[3]
        for row in schema.execute("EXPLAIN QUERY PLAN " + statement.sql, _Anything())
        if "json_each" not in row[3] and "SCAN (" not in row[3]
    ]
    scans = [line for line in plan if line.startswith("SCAN") and "VIRTUAL TABLE" not in line]
    assert not scans, plan
    if name.startswith("store._LISTED") or name.startswith("policy_store._LISTED"):
        assert not any("TEMP B-TREE" in line for line in plan), plan


class _Anything(dict):
    """A binding for whatever a statement asks."""

    def __missing__(self, _: str) -> None:
        return None
