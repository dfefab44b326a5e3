"""Projects over HTTP: opening, selecting, which one a call is about, who sees which.

Contract T8–T11, T14, T38.
"""

from __future__ import annotations

import uuid

import pytest

from tests.web.conftest import PASSWORD

UNKNOWN = str(uuid.UUID(int=0x40008000000000000000))


async def test_no_project_at_all(owner):
    answer = await owner.get("/audit")
    assert (answer.status_code, answer.json()["error"]) == (409, "active_project_required")
    answer = await owner.get("/events/stream")
    assert (answer.status_code, answer.json()["error"]) == (400, "project_required")
    answer = await owner.get("/api-keys")
    assert (answer.status_code, answer.json()["error"]) == (400, "project_required")
    body = (await owner.get("/projects")).json()
    assert (body["projects"], body["active_project_id"], body["account_scope_id"]) == ([], None, None)


async def test_opening_and_listing(owner, clock):
    made = []
    for name in ("Acme", "  Acme  ", "Студия «Ёлка»"):
        clock.advance(1)
        answer = await owner.post("/projects", json={"name": name})
        assert answer.status_code == 200
        project = answer.json()["project"]
        assert set(project) == {"id", "name", "account_scope_id", "created_at"}
        assert project["name"] == name.strip()
        made.append(project)
    assert len({p["account_scope_id"] for p in made}) == 1, "without a key all share the default scope"
    body = (await owner.get("/projects")).json()
    assert body["projects"] == made[::-1], "the newest first"
    assert body["active_project_id"] == made[0]["id"], "opening another one changes nothing"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "A"}, "validation_error"),
        ({"name": " A "}, "validation_error"),
        ({"name": "x" * 161}, "validation_error"),
        ({"name": 5}, "validation_error"),
        ({}, "validation_error"),
        ({"name": "__legacy_scope__"}, "reserved_name"),
        ({"name": "Acme", "account_scope_key": "k" * 201}, "validation_error"),
    ],
)
async def test_names_that_do_not_fit(owner, body, code):
    answer = await owner.post("/projects", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert (await owner.get("/projects")).json()["projects"] == []


async def test_a_scope_is_made_or_found_by_its_key_and_takes_the_new_name(site, owner):
    async def opened(**scope):
        return (await owner.post("/projects", json={"name": "Acme", **scope})).json()["project"]

    first = await opened(account_scope_key=" North ", account_scope_name="Северные клиенты")
    second = await opened(account_scope_key="NORTH", account_scope_name="North")
    default = await opened(account_scope_name="This is not the name of the default scope")
    empty = await opened(account_scope_key="", account_scope_name="")
    assert first["account_scope_id"] == second["account_scope_id"] != default["account_scope_id"]
    assert empty["account_scope_id"] == default["account_scope_id"]
    rows = await site.tower.db.read(lambda db: dict(db.execute("SELECT scope_key, name FROM account_scope")))
    assert rows == {"default": "Project account scope", "north": "North"}


async def test_a_new_session_begins_with_the_newest_project(site, owner, clock):
    await site.project("Older")
    clock.advance(1)
    newer = await site.project("Newer")
    assert (await owner.get("/audit")).status_code == 200
    assert (await owner.get("/auth/me")).json()["active_project_id"] == newer.id


@pytest.mark.parametrize(
    "hint",
    [
        lambda i: {"params": {"project_id": i}},
        lambda i: {"params": {"project_ids": f"{UNKNOWN},x,{i.upper()}"}},
        lambda i: {"json": {"projectId": i}},
        lambda i: {"json": {"selected_project_ids": [UNKNOWN, 5, i]}},
    ],
    ids=["url", "url list", "body", "body list"],
)
async def test_a_request_may_say_which_project_it_means(site, owner, clock, hint):
    older = await site.project("Older")
    clock.advance(1)
    newer = await site.project("Newer")
    method = "POST" if "json" in hint(older.id) else "GET"
    path = "/probe/act" if method == "POST" else "/audit"
    assert (await owner.request(method, path, **hint(older.id))).status_code == 200
    assert (await owner.get("/projects")).json()["active_project_id"] == older.id
    await owner.get("/audit", params={"project_id": newer.id})
    assert (await owner.get("/projects")).json()["active_project_id"] == older.id, "only the first time"


async def test_selecting(site, owner, clock):
    older = await site.project("Older")
    clock.advance(1)
    await site.project("Newer")
    answer = await owner.post(f"/projects/{older.id.upper()}/select")
    assert answer.status_code == 200
    body = answer.json()
    assert body["active_project_id"] == older.id
    assert body["project"] == {
        "id": older.id,
        "name": "Older",
        "account_scope_id": older.account_scope_id,
    }
    assert (await owner.get("/auth/me")).json()["active_project_id"] == older.id
    events = (await owner.get("/audit", params={"action": "project.select"})).json()["events"]
    assert events[0]["payload"] == {"selected_project_id": older.id}
    assert events[0]["entity_id"] == older.id


@pytest.mark.parametrize(
    ("project_id", "status", "code"),
    [
        ("nope", 400, "invalid_uuid"),
        ("00000000-0000-0000-0000-000000000000", 400, "invalid_uuid"),
        (UNKNOWN, 404, "project_not_found"),
    ],
)
async def test_selecting_what_is_not_there(site, owner, project_id, status, code):
    await site.project()
    answer = await owner.post(f"/projects/{project_id}/select")
    assert (answer.status_code, answer.json()["error"]) == (status, code)


async def test_each_session_has_its_own_project(site, owner, clock):
    older = await site.project("Older")
    clock.advance(1)
    newer = await site.project("Newer")
    await owner.post(f"/projects/{older.id}/select")
    async with site.client() as other:
        await other.sign_in()
        assert (await other.get("/auth/me")).json()["active_project_id"] == newer.id
    assert (await owner.get("/auth/me")).json()["active_project_id"] == older.id


class TestRoles:
    async def test_people_see_what_they_are_assigned_to(self, site, clock):
        mine = await site.project("Mine")
        clock.advance(1)
        theirs = await site.project("Newest, of others")
        await site.user("anna", "pm", mine)
        async with site.client() as anna:
            body = await anna.sign_in("ANNA", PASSWORD)
            assert (body["username"], body["role"]) == ("anna", "pm")
            assert body["user_id"]
            assert (await anna.get("/audit")).status_code == 200, "the newest is not hers: she gets her own"
            body = (await anna.get("/projects")).json()
            assert [p["id"] for p in body["projects"]] == [mine.id]
            assert body["active_project_id"] == mine.id
            hinted = await anna.get("/auth/me", params={"project_id": theirs.id})
            assert hinted.json()["active_project_id"] == mine.id
            answer = await anna.post(f"/projects/{theirs.id}/select")
            assert (answer.status_code, answer.json()["error"]) == (403, "project_access_denied")
            answer = await anna.post(f"/projects/{UNKNOWN}/select")
            assert (answer.status_code, answer.json()["error"]) == (404, "project_not_found")

    async def test_without_an_assignment_one_is_not_locked_out(self, site):
        first = await site.project("First")
        await site.user("boris", "pm")
        async with site.client() as boris:
            await boris.sign_in("boris")
            answer = await boris.get("/audit")
            assert (answer.status_code, answer.json()["error"]) == (403, "project_access_denied")
            assert (await boris.get("/projects")).json()["projects"] == []
            assert (await boris.get("/auth/me")).json()["active_project_id"] is None
            await site.user("someone", "pm", first)
            user_id = (await boris.get("/auth/me")).json()["user_id"]
            await site.assign(user_id, first)
            assert (await boris.post(f"/projects/{first.id}/select")).status_code == 200
            assert (await boris.get("/audit")).status_code == 200
            assert (await boris.post("/auth/logout")).status_code == 200

    async def test_only_owners_open_projects(self, site):
        project = await site.project()
        for role in ("pm", "delivery_lead", "executor", "viewer"):
            await site.user(role, role, project)
            async with site.client() as client:
                await client.sign_in(role)
                answer = await client.post("/projects", json={"name": "Another"})
                assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
        await site.user("second owner", "owner")
        async with site.client() as client:
            await client.sign_in("second owner")
            assert (await client.post("/projects", json={"name": "Another"})).status_code == 200

    async def test_a_configured_name_that_is_also_a_user_is_the_user(self, site):
        """Who is in the database is asked there only."""
        project = await site.project()
        await site.user("boss", "viewer", project)
        async with site.client() as client:
            assert (await client.sign_in("boss"))["role"] == "viewer"
