"""The room over HTTP: order of routes, envelopes, documents as they leave, figures of /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.web.conftest import PASSWORD, Site, Ticking, site_of


@pytest.fixture
async def site(home) -> AsyncIterator[Site]:
    async with site_of(home, Ticking()) as found:
        yield found


@pytest.fixture
async def owner(site) -> AsyncIterator:
    async with site.client() as client:
        await client.sign_in()
        yield client


async def test_without_a_project_there_is_no_scope(owner):
    """T9."""
    for path, code in (
        ("/portfolio/overview", "account_scope_required"),
        ("/control-tower", "active_project_required"),
        ("/digests/daily", "active_project_required"),
        ("/reports", "active_project_required"),
    ):
        answer = await owner.get(path)
        assert (answer.status_code, answer.json()["error"]) == (409, code)


async def test_messages_of_no_and_of_a_strange_project(owner, site):
    """T33."""
    await site.project()
    answer = await owner.get("/portfolio/messages")
    assert (answer.status_code, answer.json()["error"]) == (400, "project_id_required")
    answer = await owner.get("/portfolio/messages?project_id=00000000-0000-4000-8000-00000000dead")
    assert (answer.status_code, answer.json()["error"]) == (404, "project_not_found")


async def test_limits_are_clamped_and_garbage_ignored(owner, site):
    """T37."""
    await site.project()
    for path in ("/portfolio/overview?message_limit=0&card_limit=9999", "/digests/daily?limit=abc",
                 "/digests/weekly?limit=99999", "/reports?limit=0&offset=x"):  # fmt: skip
        answer = await owner.get(path)
        assert answer.status_code == 200, answer.text


async def test_a_report_from_template_to_document(owner, site):
    """Fault absent: /reports/templates taken for the id of a report."""
    await site.project()
    templates = (await owner.get("/reports/templates")).json()["templates"]
    assert len(templates) == 3
    made = await owner.post("/reports/generate", json={"template_id": templates[0]["id"]})
    assert made.status_code == 201
    report = made.json()["report"]
    assert (await owner.get(f"/reports/{report['id']}")).json()["report"] == report
    page = await owner.get(f"/reports/{report['id']}/document")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in page.headers["content-security-policy"].replace("script-src 'self'", "")
    table = await owner.get(f"/reports/{report['id']}/document?format=csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.content.startswith(b"\xef\xbb\xbfsection,row,field,value\r\n")


async def test_a_digest_answers_flat_and_a_body_is_not_needed(owner, site):
    await site.project()
    made = (await owner.post("/digests/daily/generate")).json()
    assert {"ok", "digest_date", "summary", "evidence_refs", "request_id"} <= made.keys()
    made = (await owner.post("/digests/weekly/generate", json={})).json()
    assert {"ok", "week_start", "summary", "evidence_refs", "request_id"} <= made.keys()
    found = (await owner.get("/digests/weekly")).json()["digests"]
    page = await owner.get(f"/digests/weekly/{found[0]['id']}/document?format=markdown")
    assert page.headers["content-type"] == "text/markdown; charset=utf-8"


async def test_who_only_looks_makes_nothing(owner, site):
    """Fault absent: viewers may mutate."""
    project = await site.project()
    await site.user("looker", "viewer", project)
    async with site.client() as viewer:
        await viewer.sign_in("looker", PASSWORD)
        for path in ("/digests/daily/generate", "/reports/generate", "/reports/templates"):
            answer = await viewer.post(path, json={})
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
        assert (await viewer.get("/control-tower")).status_code == 200


async def test_memory_of_overviews_is_measured_from_the_start(owner, site):
    await site.project()
    before = (await owner.get("/metrics")).text
    assert "app_cache_enabled 1.0" in before
    assert "app_cache_hits_total 0.0" in before
    await owner.get("/control-tower")
    after = (await owner.get("/metrics")).text
    assert "app_cache_misses_total 1.0" in after
