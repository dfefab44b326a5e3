"""Managing people over HTTP: users, roles, assignments, own sign-in (contract §2.7, §2.8, §4.1, T38)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ctower_desktop.accounts.credentials import Auth
from ctower_desktop.kernel.tower import ProjectRef
from tests.web.conftest import OWNER, PASSWORD, Client, Site, site_of

NOBODY = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
async def project(site: Site) -> ProjectRef:
    return await site.project("Acme")


@pytest.fixture
async def anna(site: Site, project: ProjectRef) -> AsyncIterator[Client]:
    """A pm on one project, signed in."""
    async with site.client() as client:
        client.user_id = await site.user("anna", "pm", project)
        await client.sign_in("anna")
        yield client


def refused(answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.text


async def trail(owner: Client, action: str) -> list[dict]:
    return (await owner.get("/audit", params={"action": action})).json()["events"]


class TestUsers:
    async def test_are_added_listed_and_read(self, owner, project):
        body = {"username": " Анна ", "password": "long enough", "email": "Anna@Example.com"}
        answer = await owner.post("/users", json=body)
        assert answer.status_code == 201
        user = answer.json()["user"]
        assert set(user) == {"id", "username", "role", "email", "created_at", "updated_at"}
        assert (user["username"], user["role"], user["email"]) == ("анна", "pm", "anna@example.com")
        assert "long enough" not in answer.text
        await owner.post(f"/projects/{project.id}/assign", json={"user_id": user["id"]})
        listed = (await owner.get("/users")).json()["users"]
        assert listed == [{**user, "project_count": 1}]
        detail = (await owner.get(f"/users/{user['id']}")).json()
        assert detail["user"] == user
        (own,) = detail["project_assignments"]
        assert (own["project_id"], own["project_name"]) == (project.id, "Acme")

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"username": "a", "password": "long enough"}, "username"),
            ({"username": "x" * 201, "password": "long enough"}, "username"),
            ({"username": "boris", "password": "short"}, "password"),
            ({"username": "boris", "password": "long enough", "role": "boss"}, "role"),
            ({"username": "boris", "password": "long enough", "email": "nobody"}, "email"),
            ({"password": "long enough"}, "username"),
        ],
    )
    async def test_what_does_not_fit_is_named(self, owner, body, path):
        answer = await owner.post("/users", json=body)
        refused(answer, 400, "validation_error")
        assert answer.json()["details"][0]["path"] == path

    async def test_names_and_addresses_are_ones_own(self, owner, anna):
        refused(
            await owner.post("/users", json={"username": "ANNA", "password": "x" * 8}), 409, "username_taken"
        )
        await owner.post(f"/users/{anna.user_id}/update", json={"email": "a@b.c"})
        body = {"username": "boris", "password": "x" * 8, "email": "A@B.C"}
        refused(await owner.post("/users", json=body), 409, "email_taken")
        made = (await owner.post("/users", json={**body, "email": ""})).json()["user"]
        answer = await owner.post(f"/users/{made['id']}/update", json={"email": "a@b.c"})
        refused(answer, 409, "email_taken")

    async def test_nobody_takes_the_configured_owners_name(self, owner):
        """A user of that name would be looked up first and lock the owner out."""
        body = {"username": OWNER, "password": "x" * 8, "role": "viewer"}
        refused(await owner.post("/users", json=body), 409, "username_taken")

    async def test_changes(self, owner, anna):
        path = f"/users/{anna.user_id}/update"
        refused(await owner.post(path, json={}), 400, "no_changes")
        answer = await owner.post(path, json={"role": "delivery_lead", "email": "a@b.c"})
        assert (answer.json()["user"]["role"], answer.json()["user"]["email"]) == ("delivery_lead", "a@b.c")
        assert (await owner.post(path, json={"email": None})).json()["user"]["email"] is None
        refused(await owner.post(f"/users/{NOBODY}/update", json={"role": "pm"}), 404, "user_not_found")
        refused(await owner.post("/users/x/role", json={"role": "pm"}), 400, "invalid_uuid")

    async def test_an_owner_neither_demotes_nor_deletes_themself(self, site, owner, project):
        async with site.client() as other:
            user_id = await site.user("second", "owner")
            await other.sign_in("second")
            for path in ("role", "update"):
                refused(await other.post(f"/users/{user_id}/{path}", json={"role": "pm"}), 400, "self_demote")
            refused(await other.post(f"/users/{user_id}/delete"), 400, "self_delete")
            answer = await other.post(f"/users/{user_id}/update", json={"role": "owner", "email": "o@b.c"})
            assert answer.status_code == 200
            assert (await owner.post(f"/users/{user_id}/role", json={"role": "pm"})).status_code == 200

    async def test_deleted_people_leave_their_trail(self, owner, anna, project):
        assert (await owner.post(f"/users/{anna.user_id}/delete")).json()["deleted"] is True
        refused(await owner.get(f"/users/{anna.user_id}"), 404, "user_not_found")
        refused(await owner.post(f"/users/{anna.user_id}/delete"), 404, "user_not_found")
        assert (await owner.get("/project-assignments")).json()["assignments"] == []
        (line,) = await trail(owner, "user.delete")
        assert (line["entity_type"], line["payload"]["username"]) == ("user", "anna")
        assert [e["actor_username"] for e in await trail(owner, "auth.login")] == ["anna", OWNER]


class TestSessionsEnd:
    """At once, wherever they are."""

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("delete", {}),
            ("role", {"role": "viewer"}),
            ("update", {"password": "another one"}),
            ("update", {"role": "executor"}),
            ("sign-out", {}),
        ],
    )
    async def test_of_whom_an_owner_changes(self, owner, anna, path, body):
        assert (await anna.get("/projects")).status_code == 200
        assert (await owner.post(f"/users/{anna.user_id}/{path}", json=body)).status_code == 200
        refused(await anna.get("/projects"), 401, "unauthorized")

    async def test_not_of_whom_is_promoted(self, owner, anna):
        await owner.post(f"/users/{anna.user_id}/role", json={"role": "owner"})
        assert (await anna.get("/users")).status_code == 200

    @pytest.mark.parametrize("path", ["delete", "role", "unassign"])
    async def test_and_with_them_the_streams(self, owner, anna, project, path):
        async with anna.stream("GET", "/events/stream") as stream, asyncio.timeout(5):
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: connected"
            if path == "unassign":
                answer = await owner.post(f"/projects/{project.id}/unassign", json={"user_id": anna.user_id})
            else:
                answer = await owner.post(f"/users/{anna.user_id}/{path}", json={"role": "viewer"})
            assert answer.status_code == 200
            assert [line async for line in lines if line] == [f'data: {{"project_id":"{project.id}"}}']

    async def test_a_revoked_key_hears_no_more(self, site, owner, project):
        made = (await owner.post("/api-keys", json={"scopes": ["read"]})).json()["data"]
        key_id = (await owner.get("/api-keys")).json()["data"][0]["id"]
        async with (
            site.client(**{"X-API-Key": made["key"]}) as key,
            key.stream("GET", "/events/stream") as stream,
            asyncio.timeout(5),
        ):
            lines = stream.aiter_lines()
            await anext(lines)
            await owner.post("/api-keys/revoke", json={"id": key_id})
            assert len([line async for line in lines if line]) == 1


class TestAssignments:
    async def test_come_and_go(self, owner, project, anna):
        path, body = f"/projects/{project.id}", {"user_id": anna.user_id}
        again = await owner.post(f"{path}/assign", json=body)
        assert (again.status_code, again.json()["assignment"]) == (200, None)
        assert again.json()["already_assigned"] is True
        assert (await owner.post(f"{path}/unassign", json=body)).json()["removed"] is True
        refused(await owner.post(f"{path}/unassign", json=body), 404, "assignment_not_found")
        made = await owner.post(f"{path}/assign", json=body)
        assert made.status_code == 201
        assignment = made.json()["assignment"]
        assert set(assignment) == {"id", "user_id", "project_id", "assigned_at", "assigned_by"}
        assert assignment["assigned_by"] == OWNER
        (listed,) = (await owner.get("/project-assignments")).json()["assignments"]
        assert {**assignment, "username": "anna", "project_name": "Acme"} == listed
        lines = await trail(owner, "project.assign_user")
        assert [line["entity_id"] for line in lines] == [anna.user_id] * 2

    async def test_by_their_own_path(self, owner, site, anna):
        other = await site.project("Other")
        body = {"user_id": anna.user_id, "project_id": other.id}
        assert (await owner.post("/project-assignments", json=body)).status_code == 201
        assert (await owner.post("/project-assignments", json=body)).status_code == 200
        found = await owner.get("/project-assignments", params={"project_id": other.id})
        assert [a["project_name"] for a in found.json()["assignments"]] == ["Other"]
        found = await owner.get("/project-assignments", params={"user_id": NOBODY})
        assert found.json()["assignments"] == []
        assert (await owner.post("/project-assignments/remove", json=body)).json()["removed"] is True
        refused(await owner.post("/project-assignments/remove", json=body), 404, "assignment_not_found")

    async def test_of_what_is_not_there(self, owner, project, anna):
        path = f"/projects/{project.id}/assign"
        refused(await owner.post(path, json={"user_id": NOBODY}), 404, "user_not_found")
        refused(await owner.post(path, json={"user_id": "x"}), 400, "invalid_uuid")
        path = f"/projects/{NOBODY}/assign"
        refused(await owner.post(path, json={"user_id": anna.user_id}), 404, "project_not_found")
        refused(await owner.post("/projects/x/assign", json={"user_id": NOBODY}), 400, "invalid_uuid")

    async def test_ones_own_are_ones_own_business(self, anna, owner, site):
        own = (await anna.get(f"/users/{anna.user_id}/projects")).json()["projects"]
        assert [p["project_name"] for p in own] == ["Acme"]
        assert set(own[0]) == {"project_id", "project_name", "assigned_at"}
        other = await site.user("boris", "pm")
        refused(await anna.get(f"/users/{other}/projects"), 403, "forbidden")
        refused(await anna.get(f"/users/{NOBODY}/projects"), 403, "forbidden")
        refused(await owner.get(f"/users/{NOBODY}/projects"), 404, "user_not_found")


class TestNoLockOut:
    async def test_the_newest_project_is_somebody_elses(self, site, anna, project):
        """Fault absent: a PM whose newest project is not theirs was refused everything."""
        secret = await site.project("Secret")
        answer = await anna.get("/jobs/status")
        assert answer.status_code == 200
        assert (await anna.get("/auth/me")).json()["active_project_id"] == project.id
        assert [p["name"] for p in (await anna.get("/projects")).json()["projects"]] == ["Acme"]
        refused(await anna.post(f"/projects/{secret.id}/select"), 403, "project_access_denied")

    async def test_without_any_project_one_still_gets_out(self, site, owner):
        """Fault absent: somebody unassigned could neither list projects nor sign out."""
        await site.project("Secret")
        async with site.client() as boris:
            user_id = await site.user("boris", "pm")
            await boris.sign_in("boris")
            refused(await boris.get("/jobs/status"), 403, "project_access_denied")
            assert (await boris.get("/projects")).json()["projects"] == []
            late = await site.project("Late")
            await owner.post(f"/projects/{late.id}/assign", json={"user_id": user_id})
            assert (await boris.post(f"/projects/{late.id}/select")).status_code == 200
            assert (await boris.post("/auth/logout")).status_code == 200

    async def test_taken_off_the_active_project_one_goes_on_with_another(self, site, owner, anna, project):
        other = await site.project("Other")
        await owner.post(f"/projects/{other.id}/assign", json={"user_id": anna.user_id})
        await anna.post(f"/projects/{other.id}/select")
        await owner.post(f"/projects/{other.id}/unassign", json={"user_id": anna.user_id})
        assert (await anna.get("/auth/me")).json()["active_project_id"] == project.id


class TestOwnSignIn:
    NEW = "a new password"

    async def change(self, client: Client, current: str = PASSWORD, new: str = NEW):
        body = {"current_password": current, "new_password": new}
        return await client.post("/auth/password", json=body)

    async def test_a_new_password_ends_every_other_session(self, site, anna):
        async with site.client() as phone:
            await phone.sign_in("anna")
            answer = await self.change(anna)
            assert answer.status_code == 200, answer.text
            assert answer.json()["revoked"] == 1
            refused(await phone.get("/projects"), 401, "unauthorized")
            refused(
                await phone.post("/auth/login", json={"username": "anna", "password": PASSWORD}),
                401,
                "invalid_credentials",
            )
            await phone.sign_in("anna", self.NEW)
        assert (await anna.get("/projects")).status_code == 200
        anna.headers["x-csrf-token"] = answer.json()["csrf_token"]
        assert anna.cookies["csrf_token"] == answer.json()["csrf_token"]
        assert (await anna.post("/auth/logout")).status_code == 200

    async def test_the_current_one_must_be_right(self, anna):
        for _ in range(10):
            refused(await self.change(anna, "wrong"), 400, "wrong_password")
        refused(await self.change(anna), 429, "login_rate_limited")

    async def test_it_must_not_be_short(self, anna):
        refused(await self.change(anna, new="short"), 400, "validation_error")

    async def test_what_the_environment_says_is_changed_there(self, owner):
        refused(await self.change(owner), 409, "password_from_environment")

    async def test_the_configured_owner_changes_theirs(self, home, clock):
        async with site_of(home, clock, AUTH_CREDENTIALS="") as site:
            await site.tower.settings.change(Auth, {"username": OWNER, "password": PASSWORD})
            async with site.client() as owner, site.client() as other:
                await owner.sign_in()
                await other.sign_in()
                assert (await self.change(owner)).json()["revoked"] == 1
                assert (await owner.get("/users")).status_code == 200
                refused(await other.get("/users"), 401, "unauthorized")
                assert self.NEW not in site.tower.home.secrets.read_text()
                await other.sign_in(OWNER, self.NEW)

    async def test_sessions_are_shown_to_whom_they_belong(self, site, owner, anna):
        async with site.client(**{"User-Agent": "Phone"}) as phone:
            await phone.sign_in("anna")
            here, there = (await anna.get("/auth/sessions")).json()["sessions"]
            assert [s["agent"] for s in (here, there)].count("Phone") == 1
            assert sorted(s["current"] for s in (here, there)) == [False, True]
            assert here["address"] == "127.0.0.1"
            other = next(s for s in (here, there) if not s["current"])
            refused(
                await owner.post("/auth/sessions/revoke", json={"id": other["id"]}), 404, "session_not_found"
            )
            refused(await anna.post("/auth/sessions/revoke", json={}), 400, "id_required")
            answer = await anna.post("/auth/sessions/revoke", json={"id": other["id"]})
            assert answer.json()["revoked"] == 1
            refused(await phone.get("/projects"), 401, "unauthorized")
            await phone.sign_in("anna")
            assert (await anna.post("/auth/sessions/revoke", json={"others": True})).json()["revoked"] == 1
            refused(await phone.get("/projects"), 401, "unauthorized")
        assert len((await anna.get("/auth/sessions")).json()["sessions"]) == 1
        own = (await anna.get("/auth/sessions")).json()["sessions"][0]["id"]
        gone = await anna.post("/auth/sessions/revoke", json={"id": own})
        assert len(gone.headers.get_list("set-cookie")) == 2
        refused(await anna.get("/projects"), 401, "unauthorized")

    async def test_keys_have_no_sessions(self, site, owner, project):
        made = (await owner.post("/api-keys", json={"scopes": ["admin"]})).json()["data"]
        async with site.client(**{"X-API-Key": made["key"]}) as key:
            refused(await key.get("/auth/sessions"), 403, "forbidden")
            refused(await self.change(key), 403, "forbidden")


class TestTrail:
    async def test_coming_going_keys_and_people_are_kept(self, site, owner, project, anna):
        """Fault absent: the audit of sign-ins and of changes to people was never stored."""
        await anna.post("/auth/login", json={"username": "anna", "password": "wrong"})
        await anna.post("/auth/logout")
        made = (await owner.post("/users", json={"username": "boris", "password": "x" * 8})).json()["user"]
        await owner.post(f"/users/{made['id']}/update", json={"password": "y" * 8, "email": "b@c.d"})
        await owner.post(f"/users/{made['id']}/delete")
        await owner.post("/api-keys", json={"name": "CI"})
        key = (await owner.get("/api-keys")).json()["data"][0]
        await owner.post("/api-keys/revoke", json={"id": key["id"]})
        events = (await owner.get("/audit")).json()["events"]
        assert [e["action"] for e in events] == [
            *("api_key.revoke", "api_key.create", "user.delete", "user.update", "user.create"),
            *("auth.logout", "auth.login_failed", "auth.login", "project.create", "auth.login"),
        ]
        update = next(e for e in events if e["action"] == "user.update")
        assert update["payload"]["changed"] == ["email", "password"]
        assert not any("y" * 8 in str(e) for e in events)
        statuses = {e["action"]: e["status"] for e in events}
        assert statuses["auth.login_failed"] == "failed"

    async def test_what_belongs_to_no_project_is_for_owners(self, site, owner, project, anna):
        """Fault absent: an admin key of one project could read who signed in to all of them."""
        await owner.post("/users", json={"username": "boris", "password": "x" * 8})
        made = (await owner.post("/api-keys", json={"scopes": ["admin"]})).json()["data"]
        async with site.client(**{"X-API-Key": made["key"]}) as key:
            for client in (anna, key):
                actions = {e["action"] for e in (await client.get("/audit")).json()["events"]}
                assert actions == {"project.create", "api_key.create"}
                text = (await client.get("/audit/export")).text
                assert "user.create" not in text
                assert "auth.login" not in text
