"""Every endpoint of the tower door refuses whom it must, whatever it does (S1–S5, T4, T7, T36, T38)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ctower_desktop import app
from ctower_desktop.kernel import check
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import Anyone, Owner, OwnerSession, outranks
from ctower_desktop.web import openapi  # noqa: F401 - declares /openapi.json
from tests.web.conftest import PASSWORD, Client, Ticking, site_of

app.import_rooms()

ALL = [e for e in ENDPOINTS.values() if e.door is TOWER]
GUARDED = [e for e in ALL if e.caller is not Anyone]
CHANGING = [e for e in GUARDED if e.mutating]
UNKNOWN = "00000000-0000-4000-8000-00000000dead"


def path_of(endpoint) -> str:
    found = endpoint.path
    for name, kind in endpoint.path_types.items():
        fitting = next(text for text in (UNKNOWN, "424242", "chatwoot") if _fits(text, kind))
        found = found.replace("{" + name + "}", fitting)
    return found


def _fits(text: str, kind) -> bool:
    try:
        check.path_value(text, kind)
    except Invalid:
        return False
    return True


def named(endpoint) -> str:
    return endpoint.name


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(tmp_path_factory) -> AsyncIterator[dict]:
    """One site for the whole matrix, and one client for each kind of caller."""

    home = Home(tmp_path_factory.mktemp("matrix"))
    home.prepare()
    async with site_of(home, Ticking(), KAG_MODE="live") as site:
        project = await site.project()
        found = {"site": site, "nobody": site.client()}
        for role in ("viewer", "executor", "delivery_lead", "pm"):
            await site.user(role, role, project)
            found[role] = site.client()
            await found[role].sign_in(role, PASSWORD)
        found["owner"] = site.client()
        await found["owner"].sign_in()
        for scope in ("read", "admin"):
            made = await found["owner"].post("/api-keys", json={"scopes": [scope]})
            found[scope] = site.client(**{"X-API-Key": made.json()["data"]["key"]})
        found["hidden"] = await site.project("Nobody's business")
        yield found
        for client in found.values():
            if isinstance(client, Client):
                await client.aclose()


pytestmark = pytest.mark.asyncio(loop_scope="module")


def refused(answer, status: int, code: str) -> None:
    body = answer.json()
    assert (answer.status_code, body["ok"], body["error"]) == (status, False, code), answer.text
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["message"]


async def ask(client, endpoint, **options):
    headers = options.pop("headers", {})
    return await client.request(endpoint.method, path_of(endpoint), headers=headers, **options)


@pytest.mark.parametrize("endpoint", ALL, ids=named)
async def test_a_strange_host_is_refused(doors, endpoint):
    refused(await ask(doors["owner"], endpoint, headers={"Host": "evil.example"}), 421, "host_not_allowed")


@pytest.mark.parametrize("endpoint", GUARDED, ids=named)
async def test_nobody_is_refused(doors, endpoint):
    refused(await ask(doors["nobody"], endpoint), 401, "unauthorized")
    refused(await ask(doors["nobody"], endpoint, headers={"X-API-Key": "lp_wrong"}), 401, "unauthorized")
    refused(await ask(doors["nobody"], endpoint, headers={"Cookie": "lp_session=x"}), 401, "unauthorized")
    wrong = {"X-API-Key": "lp_wrong", "Cookie": f"lp_session={doors['owner'].cookies['lp_session']}"}
    refused(await ask(doors["nobody"], endpoint, headers=wrong), 401, "unauthorized")


@pytest.mark.parametrize("endpoint", [e for e in ALL if e.mutating or e.stream], ids=named)
async def test_a_page_elsewhere_is_refused(doors, endpoint):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused(await ask(doors["owner"], endpoint, headers=headers), 403, "origin_not_allowed")


@pytest.mark.parametrize("endpoint", CHANGING, ids=named)
class TestChanging:
    async def test_needs_the_token_of_the_session(self, doors, endpoint):
        for token in ("", "0" * 48, "ъ", doors["pm"].headers["x-csrf-token"]):
            answer = await ask(doors["owner"], endpoint, headers={"x-csrf-token": token.encode()})
            refused(answer, 403, "csrf_invalid")

    async def test_needs_a_key_that_may_write(self, doors, endpoint):
        code = "scope_insufficient"
        refused(await ask(doors["read"], endpoint), 403, code)

    async def test_needs_the_role(self, doors, endpoint):
        for role in ("viewer", "executor", "delivery_lead", "pm"):
            enough = outranks(role, endpoint.role) and not issubclass(endpoint.caller, Owner)
            if not enough:
                refused(await ask(doors[role], endpoint), 403, "forbidden")

    async def test_reads_only_json(self, doors, endpoint):
        headers = {"content-type": "text/plain"}
        answer = await ask(doors["owner"], endpoint, content=b'{"a":1}', headers=headers)
        refused(answer, 415, "unsupported_media_type")
        headers = {"content-type": "application/json"}
        refused(await ask(doors["owner"], endpoint, content=b"{nope", headers=headers), 400, "invalid_json")
        large = b'"' + b"x" * (70 * 1024) + b'"'
        refused(await ask(doors["owner"], endpoint, content=large, headers=headers), 413, "payload_too_large")


@pytest.mark.parametrize("endpoint", [e for e in GUARDED if issubclass(e.caller, OwnerSession)], ids=named)
async def test_keys_cannot_do_what_needs_a_session(doors, endpoint):
    refused(await ask(doors["admin"], endpoint), 403, "forbidden")


@pytest.mark.parametrize("endpoint", [e for e in GUARDED if e.path_types], ids=named)
async def test_odd_ids_are_no_bugs(doors, endpoint):
    for odd in ("%00", "%2F", "%ff", "'", "x" * 300, "%D1%8A"):
        path = endpoint.path
        for name in endpoint.path_types:
            path = path.replace("{" + name + "}", odd)
        answer = await doors["owner"].request(endpoint.method, path)
        assert 400 <= answer.status_code < 500, (path, answer.text)


async def test_viewers_and_executors_ask_and_look_but_change_nothing():
    """Fault absent: a viewer could change everything in a project."""
    own = {"select_project", "change_password", "revoke_session"}
    asking = {"query_lightrag", "search", "rate_answer"}
    for role in ("viewer", "executor"):
        allowed = {e.name for e in CHANGING if outranks(role, e.role) and not issubclass(e.caller, Owner)}
        assert allowed <= own | asking, f"say here which other POST a {role} may send, and why"


async def test_people_projects_and_keys_are_the_owners():
    guarded = ("/users", "/project-assignments", "/api-keys", "/system/")
    mine = {"list_user_projects", "list_projects", "select_project"}
    for endpoint in GUARDED:
        if endpoint.path.startswith(guarded) or (endpoint.path.startswith("/projects") and endpoint.mutating):
            assert endpoint.name in mine or issubclass(endpoint.caller, Owner), endpoint.name


@pytest.mark.parametrize("endpoint", [e for e in GUARDED if not e.mutating and not e.stream], ids=named)
async def test_a_project_of_others_is_nowhere(doors, endpoint):
    """Fault absent: what spans projects told a PM, or a key of one project, of those that are not theirs."""
    hidden = doors["hidden"]
    hints = {"project_id": hidden.id, "project_ids": hidden.id, "user_id": UNKNOWN}
    path = endpoint.path.replace("{project_id}", hidden.id)
    for name in endpoint.path_types:
        path = path.replace("{" + name + "}", UNKNOWN)
    for who in ("pm", "admin"):
        for asked in ({}, hints):
            answer = await doors[who].get(path, params=asked)
            assert answer.status_code < 500, answer.text
            assert hidden.name not in answer.text
            assert hidden.id not in answer.text or answer.status_code >= 400
