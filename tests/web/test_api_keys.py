"""API keys and the audit trail over HTTP (contract T35, T36, T37)."""

from __future__ import annotations

import re

import pytest

from ctower_desktop.kernel.tower import AuditLine, desktop


@pytest.fixture
async def project(site, owner):
    return await site.project()


async def made(owner, **body):
    answer = await owner.post("/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def test_a_key_is_shown_once(site, owner, project):
    answer = await owner.post(
        "/api-keys", json={"name": "CI", "scopes": ["WRITE", "nonsense", "read", "write"]}
    )
    body = answer.json()
    assert (answer.status_code, body["ok"]) == (201, True)
    assert body["request_id"] == answer.headers["x-request-id"]
    data = body["data"]
    assert re.fullmatch(r"lp_[A-Za-z0-9_-]{43}", data["key"])
    assert data["prefix"] == data["key"][:11]
    assert (data["name"], data["scopes"], data["expires_at"]) == ("CI", ["read", "write"], None)
    listed = (await owner.get("/api-keys")).json()["data"]
    assert len(listed) == 1
    assert set(listed[0]) == {
        "id",
        "key_prefix",
        "name",
        "scopes",
        "expires_at",
        "last_used_at",
        "created_at",
    }
    stored = await site.tower.db.read(lambda db: str(list(db.execute("SELECT * FROM api_key"))))
    assert data["key"] not in stored


@pytest.mark.parametrize(
    ("body", "name", "scopes"),
    [
        ({}, "Unnamed key", ["read"]),
        ({"name": "  ", "scopes": []}, "Unnamed key", ["read"]),
        ({"name": "x" * 150, "scopes": ["root"]}, "x" * 100, ["read"]),
        ({"scopes": ["admin"]}, "Unnamed key", ["admin"]),
    ],
)
async def test_what_is_left_out_gets_a_sane_value(owner, project, body, name, scopes):
    data = await made(owner, **body)
    assert (data["name"], data["scopes"]) == (name, scopes)


@pytest.mark.parametrize(
    "when", ["yesterday", "2026-11-20", "2026-11-20T09:59:59Z", "9999-99-99", "0001-01-01"]
)
async def test_a_key_must_end_later_than_now(owner, project, when):
    answer = await owner.post("/api-keys", json={"expires_at": when})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_expires_at")
    assert (await owner.get("/api-keys")).json()["data"] == []


async def test_reading_and_writing(site, owner, project):
    reading, writing = await made(owner, scopes=["read"]), await made(owner, scopes=["write"])
    async with site.client(**{"X-API-Key": reading["key"]}) as client:
        assert (await client.get("/audit")).status_code == 200
        answer = await client.post("/probe/act", json={})
        assert (answer.status_code, answer.json()["error"]) == (403, "scope_insufficient")
    async with site.client(**{"X-API-Key": writing["key"]}) as client:
        answer = await client.post("/probe/act", json={})
        assert answer.status_code == 200, "without a CSRF token"
        assert (await client.post("/projects", json={"name": "Acme"})).json()["error"] == "forbidden"


async def test_an_admin_key_is_an_owner_but_manages_no_keys(site, owner, project):
    admin = await made(owner, scopes=["admin"], name="robot")
    async with site.client(**{"X-API-Key": admin["key"]}) as client:
        assert (await client.post("/projects", json={"name": "Another"})).status_code == 200
        for method, path in (("GET", "/api-keys"), ("POST", "/api-keys"), ("POST", "/api-keys/revoke")):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    events = (await owner.get("/audit", params={"project_id": "x"})).json()["events"]
    assert any(e["actor_username"] == "boss" and e["action"] == "api_key.create" for e in events)


async def test_a_key_sees_its_own_project_only(site, owner, project, clock):
    key = await made(owner, scopes=["admin"])
    clock.advance(1)
    other = await site.project("Other")
    async with site.client(**{"X-API-Key": key["key"]}) as client:
        body = (await client.get("/projects", params={"project_id": other.id})).json()
        assert [p["id"] for p in body["projects"]] == [body["active_project_id"]] == [project.id]
        assert (await client.post(f"/projects/{other.id}/select")).status_code == 404
        assert (await client.post(f"/projects/{project.id}/select")).status_code == 200
        me = (await client.get("/auth/me")).json()
        assert me["username"] == "apikey:Unnamed key"
        assert me["active_project_id"] == project.id
        assert me["csrf_token"] is None


async def test_a_key_ends(site, owner, project, clock):
    key = await made(owner, expires_at="2026-11-20T11:00:00+00:30")
    assert key["expires_at"] == "2026-11-20T10:30:00.000Z"
    async with site.client(**{"X-API-Key": key["key"]}) as client:
        assert (await client.get("/audit")).status_code == 200
        clock.advance(1_799)
        assert (await client.get("/audit")).status_code == 200
        clock.advance(1)
        answer = await client.get("/audit")
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


async def test_a_revoked_key_opens_nothing(site, owner, project):
    key = await made(owner)
    listed = (await owner.get("/api-keys")).json()["data"][0]
    async with site.client(**{"X-API-Key": key["key"]}) as client:
        assert (await client.get("/audit")).status_code == 200
        used = (await owner.get("/api-keys")).json()["data"][0]["last_used_at"]
        assert used == "2026-11-20T10:00:00.000Z"
        answer = await owner.post("/api-keys/revoke", json={"id": listed["id"].upper()})
        assert answer.status_code == 200
        assert set(answer.json()) == {"ok", "request_id"}
        assert (await client.get("/audit")).status_code == 401
    again = await owner.post("/api-keys/revoke", json={"id": listed["id"]})
    assert (again.status_code, again.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "code"), [({}, "id_required"), ({"id": " "}, "id_required"), ({"id": "5"}, "invalid_uuid")]
)
async def test_revoking_what_cannot_be(owner, project, body, code):
    answer = await owner.post("/api-keys/revoke", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, code)


async def test_keys_of_another_project_are_not_there(site, owner, project, clock):
    await made(owner)
    key = (await owner.get("/api-keys")).json()["data"][0]
    clock.advance(1)
    other = await site.project("Other")
    await owner.post(f"/projects/{other.id}/select")
    assert (await owner.get("/api-keys")).json()["data"] == []
    assert (await owner.post("/api-keys/revoke", json={"id": key["id"]})).status_code == 404


async def test_with_a_key_cookies_do_not_count(site, owner, project):
    answer = await owner.get("/audit", headers={"X-API-Key": "lp_" + "x" * 43})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers, "the session is fine"


class TestAudit:
    @pytest.fixture
    async def lines(self, site, owner, project):
        call = desktop(site.tower, "filled", project)
        for number in range(7):
            line = AuditLine(
                action="offer.create" if number % 2 else "crm.account.create",
                entity_type="thing",
                entity_id=str(number),
                payload={"number": number},
                evidence_refs=[f"cwmsg:{number}"],
            )
            await site.tower.audit(call, line)

    async def test_newest_first_with_pages(self, owner, lines):
        def numbers(answer):
            return [e["payload"].get("number") for e in answer.json()["events"]]

        assert numbers(await owner.get("/audit", params={"limit": 3})) == [6, 5, 4]
        assert numbers(await owner.get("/audit", params={"limit": 3, "offset": 3})) == [3, 2, 1]
        assert numbers(await owner.get("/audit", params={"action": "offer.create"})) == [5, 3, 1]
        assert numbers(await owner.get("/audit", params={"action": "nothing"})) == []
        event = (await owner.get("/audit", params={"limit": 1})).json()["events"][0]
        assert event == {
            "id": event["id"],
            "actor_username": "desktop",
            "actor_user_id": None,
            "action": "crm.account.create",
            "entity_type": "thing",
            "entity_id": "6",
            "status": "ok",
            "request_id": "filled",
            "payload": {"number": 6},
            "evidence_refs": [{"source": "cw_messages", "ref": "cwmsg:6", "snippet": None, "meta": {}}],
            "created_at": "2026-11-20T10:00:00.000Z",
        }
        assert isinstance(event["id"], str)

    @pytest.mark.parametrize(
        ("params", "count"),
        [
            ({"limit": 0}, 1),
            ({"limit": -5}, 1),
            ({"limit": "abc"}, 9),
            ({"limit": 99_999}, 9),
            ({"offset": "x"}, 9),
        ],
    )
    async def test_limits_are_never_an_error(self, owner, lines, params, count):
        answer = await owner.get("/audit", params=params)
        assert answer.status_code == 200
        assert len(answer.json()["events"]) == count

    async def test_other_projects_are_invisible(self, site, owner, lines, clock):
        clock.advance(1)
        other = await site.project("Other")
        await owner.post(f"/projects/{other.id}/select")
        actions = {e["action"] for e in (await owner.get("/audit")).json()["events"]}
        assert actions == {"project.select", "project.create", "auth.login"}

    async def test_signing_in_is_for_owners_to_see(self, site, owner, project):
        async with site.client() as nobody:
            await nobody.post("/auth/login", json={"username": "Mallory", "password": "guess"})
        await owner.post("/auth/logout")
        await owner.sign_in()
        trail = (await owner.get("/audit")).json()["events"]
        found = [
            (e["action"], e["actor_username"], e["status"]) for e in trail if e["action"].startswith("auth.")
        ]
        assert found == [
            ("auth.login", "boss", "ok"),
            ("auth.logout", "boss", "ok"),
            ("auth.login_failed", "mallory", "failed"),
            ("auth.login", "boss", "ok"),
        ]
        assert all("guess" not in str(e) for e in trail)
        await site.user("anna", "pm", project)
        async with site.client() as anna:
            await anna.sign_in("anna")
            seen = {e["action"] for e in (await anna.get("/audit")).json()["events"]}
            assert seen == {"project.create"}
