"""Requests that may be sent twice (contract §3.14)."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture
async def project(site):
    return await site.project()


async def sent(client, key, body=None, path="/probe/a/once"):
    return await client.post(path, json=body or {}, headers={"x-idempotency-key": key})


async def test_the_first_answer_is_given_again_byte_for_byte(owner, project, probes):
    first, second = await sent(owner, "k"), await sent(owner, "k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert probes == ["a"]
    assert (await owner.post("/probe/a/once", json={})).json()["count"] == 2, "without a key it is done again"


@pytest.mark.parametrize(
    ("path", "body"), [("/probe/b/once", {}), ("/probe/a/once", {"text": "other"})], ids=["route", "body"]
)
async def test_a_key_belongs_to_one_request(owner, project, probes, path, body):
    await sent(owner, "k")
    answer = await sent(owner, "k", body, path)
    assert (answer.status_code, answer.json()["error"]) == (409, "idempotency_key_reuse")
    assert probes == ["a"]


async def test_failures_are_not_kept(owner, project, probes):
    body = {"fail": True}
    assert (await sent(owner, "k", body)).status_code == 409
    assert (await sent(owner, "k", body)).json()["error"] == "conflict"
    assert len(probes) == 2


async def test_two_at_once_act_once(owner, project, probes):
    answers = await asyncio.gather(*(sent(owner, "k") for _ in range(8)))
    assert {a.content for a in answers} == {answers[0].content}
    assert probes == ["a"]


async def test_is_kept_for_a_day(site, owner, project, probes, clock):
    await sent(owner, "k")
    clock.advance(24 * 3_600 - 1)
    await sent(owner, "k")
    assert len(probes) == 1
    clock.advance(2)
    await sent(owner, "k", {"text": "another request by now"})
    assert len(probes) == 2
    rows = await site.tower.db.read(lambda db: list(db.execute("SELECT count(*) FROM idempotency_key")))
    assert rows == [(1,)]


async def test_projects_do_not_share_keys(site, owner, project, probes, clock):
    await sent(owner, "k")
    clock.advance(1)
    other = await site.project("Other")
    await owner.post(f"/projects/{other.id}/select")
    assert (await sent(owner, "k")).json()["count"] == 2


async def test_a_key_has_a_length(owner, project, probes):
    for key in ("", "x" * 257):
        answer = await sent(owner, key)
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
    assert (await sent(owner, "x" * 256)).status_code == 201


async def test_where_it_is_not_offered_it_does_nothing(owner, project, probes):
    for _ in range(2):
        await sent(owner, "k", path="/probe/act")
    assert len(probes) == 2
