"""What a full project holds is nowhere for people of another, and who only reads changes nothing (T14, T38).

Generated from the registry: every endpoint is asked from within the other project, before and after the first
is filled, and with the ids of its rows.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ctower_desktop import app
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER
from ctower_desktop.kernel.system import Home
from ctower_desktop.kernel.tower import Caller, Scoped
from ctower_desktop.web import openapi  # noqa: F401 - declares /openapi.json
from tests.conftest import SetClock
from tests.web.conftest import PASSWORD, Client, Site, site_of
from tests.web.furnished import SECRET, furnish

app.import_rooms()
pytestmark = pytest.mark.asyncio(loop_scope="module")

OURS = sorted(
    (e for e in ENDPOINTS.values() if e.door is TOWER and issubclass(e.caller, Caller) and not e.stream),
    key=lambda e: e.name,
)
READING = [e for e in OURS if not e.mutating and not e.path_types]
IN_PROJECT = [e for e in OURS if issubclass(e.caller, Scoped)]

# Where the id in a path comes from: the list it stands in, the key of the list, and of the id.
LISTS = {
    "/conversations/{conversation_id}": ("/conversations", "conversations"),
    "/outbound/{outbound_id}": ("/outbound", "outbound"),
    "/work/issues/{issue_id}": ("/work/issues", "issues"),
    "/crm/deals/{deal_id}": ("/crm/deals", "deals"),
    "/crm/accounts/{account_id}": ("/crm/accounts", "accounts"),
    "/crm/opportunities/{opportunity_id}": ("/crm/opportunities", "opportunities"),
    "/offers/{offer_id}": ("/offers", "offers"),
    "/connectors/errors/dead-letter/{error_id}": ("/connectors/errors/dead-letter", "errors"),
    "/signals/{signal_id}": ("/signals", "signals"),
    "/nba/{action_id}": ("/nba", "items"),
    "/upsell/{upsell_id}": ("/upsell/radar", "opportunities"),
    "/identity/links/{link_id}": ("/identity/links", "links"),
    "/risk/items/{item_id}": ("/risk/items", "items"),
    "/risk/patterns/{pattern_id}": ("/risk/overview", "patterns"),
    "/costs/{entry_id}": ("/costs", "entries"),
    "/kag/v2/recommendations/actions/{action_id}": (
        "/kag/v2/recommendations/RECOMMENDATION/actions",
        "runs",
    ),
    "/kag/v2/recommendations/{recommendation_id}": ("/kag/v2/recommendations", "recommendations"),
    "/digests/daily/{digest_id}": ("/digests/daily", "digests"),
    "/digests/weekly/{digest_id}": ("/digests/weekly", "digests"),
    "/reports/templates/{template_id}": ("/reports/templates", "templates"),
    "/reports/{report_id}": ("/reports", "reports"),
    "/scheduler/dead-jobs/{job_id}": ("/scheduler/dead-jobs", "dead_jobs"),
}
NO_IDS = ("{name}", "{job_type}", "{channel}")  # words of the program, the same in every project
# What a body must hold for the id in the path to be looked up at all.
BODIES: dict[str, dict[str, Any]] = {
    "set_signal_status": {"status": "done"},
    "set_next_action_status": {"status": "done"},
    "set_upsell_status": {"status": "accepted"},
    "set_issue_status": {"status": "done"},
    "move_opportunity": {"stage": "won"},
    "move_risk": {"status": "closed"},
    "move_pattern": {"status": "ignored"},
    "set_recommendation_status": {"status": "done"},
    "rate_recommendation": {"helpful": "helpful"},
    "act_on_recommendation": {"action_type": "create_or_update_task", "action_payload": {"title": "x"}},
    "resolve_outbound": {"outcome": "sent"},
    "release_account": {"fields": ["name"]},
    "release_opportunity": {"fields": ["title"]},
    "edit_next_action": {"due_date": "2026-12-01"},
}
VOLATILE = re.compile(
    r'"(?:request_id|usage_percent|uptime_seconds|table_bytes|\w+_bytes)":(?:{[^}]*}|[^,}]*)'
)
# Of the program, its connections or its own files; or empty because nothing of the kind was done.
NOT_OF_A_PROJECT = {
    "read_openapi", "list_sessions", "list_channels", "list_projects", "list_bindings", "list_connections",
    "list_digest_mails", "read_scheduler_health", "find_similar_cases", "search_evidence",
    "read_portfolio_messages", "read_reconciliation_diff",
}  # fmt: skip


class Clock(SetClock):
    """Time stands still, so that answers can be compared; no pace is ever exceeded."""

    def monotonic(self) -> float:
        self.counter += 61.0
        return self.counter


class Two:
    """A full project with its owner, viewer and executor, and another one with its own people."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.owner, self.clients = site.client(), dict[str, Client]()
        self.before: dict[str, dict[str, str]] = {}
        self.ids: dict[str, str] = {}

    async def begin(self) -> None:
        self.full = await self.site.project("Full")
        self.other = await self.site.project("Other")
        await self.owner.sign_in()
        await self.owner.post(f"/projects/{self.full.id}/select")
        for role, project in (("viewer", self.full), ("executor", self.full), ("pm", self.other)):
            await self.site.user(role, role, project)
            self.clients[role] = self.site.client()
            await self.clients[role].sign_in(role, PASSWORD)
        keeper = self.site.client()
        await keeper.sign_in()
        await keeper.post(f"/projects/{self.other.id}/select")
        made = await keeper.post("/api-keys", json={"scopes": ["admin"]})
        self.clients["key"] = self.site.client(**{"X-API-Key": made.json()["data"]["key"]})
        await keeper.aclose()
        for who, client in (("owner", self.owner), *((w, self.clients[w]) for w in ("pm", "key"))):
            self.before[who] = {e.name: await self.said(client, e) for e in READING}
        await furnish(self.site, self.owner, self.full)
        await self._collect()

    async def said(self, client: Client, endpoint) -> str:
        answer = await client.get(endpoint.path)
        assert answer.status_code < 500, answer.text
        return f"{answer.status_code} {VOLATILE.sub('', answer.text)}"

    async def _collect(self) -> None:
        parent = "/kag/v2/recommendations/{recommendation_id}"
        for prefix, (place, key) in sorted(LISTS.items(), key=lambda item: "RECOMMENDATION" in item[1][0]):
            path = place.replace("RECOMMENDATION", self.ids.get(parent, ""))
            found = (await self.owner.get(path, params={"include_hidden": "true"})).json()[key]
            assert found, f"nothing in {path}"
            best = next((one for one in found if one.get("evidence_gate_status") == "visible"), found[0])
            self.ids[prefix] = best["id"]

    def path(self, endpoint) -> str:
        prefix = next(p for p in LISTS if endpoint.path.startswith(p))
        return endpoint.path.replace(prefix, prefix.rpartition("/")[0] + "/" + self.ids[prefix])

    async def rows(self) -> dict[str, list[Any]]:
        """All that is kept of the full project, but what is merely noted of who asked."""

        def read(db) -> dict[str, list[Any]]:
            tables = [
                name
                for (name,) in db.execute("SELECT name FROM pragma_table_list WHERE type = 'table'")
                if "project_id" in [row[1] for row in db.execute(f"PRAGMA table_info({name})")]
            ]
            return {
                name: sorted(
                    db.execute(f"SELECT * FROM {name} WHERE project_id = ?", (self.full.id,)), key=repr
                )
                for name in tables
                if name not in ("audit_event", "evidence_item")
            }

        return await self.site.tower.db.read(read)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(tmp_path_factory) -> AsyncIterator[Two]:
    home = Home(tmp_path_factory.mktemp("isolation"))
    home.prepare()
    async with site_of(home, Clock(), KAG_MODE="live") as site:
        found = Two(site)
        try:
            await found.begin()
            yield found
        finally:
            for client in (found.owner, *found.clients.values()):
                await client.aclose()


def named(endpoint) -> str:
    return endpoint.name


def told(two: Two, text: str) -> list[str]:
    """What of the full project stands in a text; counted numbers stand anywhere."""
    ids = [found for found in two.ids.values() if not found.isdigit()]
    return [secret for secret in (SECRET, two.full.id, *ids) if secret in text]


@pytest.mark.parametrize("endpoint", READING, ids=named)
async def test_nothing_of_a_full_project_changes_an_answer_in_another(two, endpoint):
    """Fault absent: what spans projects told people of one project of another's."""
    for who in ("pm", "key"):
        after = await two.said(two.clients[who], endpoint)
        assert after == two.before[who][endpoint.name]
        assert not told(two, after)
        hint = await two.clients[who].get(
            endpoint.path, params={"project_id": two.full.id, "project_ids": two.full.id, "q": SECRET}
        )
        assert hint.status_code < 500
        assert SECRET not in hint.text.replace(f'"query":"{SECRET}"', "")
        assert not [secret for secret in told(two, hint.text) if secret not in (SECRET, two.full.id)]


async def test_the_full_project_is_full(two):
    """What the tests of this module compare with is there: every list that is a project's own changed."""
    empty = {
        e.name
        for e in READING
        if issubclass(e.caller, Scoped) and await two.said(two.owner, e) == two.before["owner"][e.name]
    }
    assert empty <= NOT_OF_A_PROJECT, "fill tests/web/furnished.py with something for these, or say why not"


WITH_IDS = [e for e in IN_PROJECT if e.path_types and not any(word in e.path for word in NO_IDS)]


@pytest.mark.parametrize("endpoint", WITH_IDS, ids=named)
async def test_ids_of_another_project_do_not_exist_and_nothing_happens_to_them(two, endpoint):
    """T14: ids of A are 404 under B."""
    before = await two.rows()
    for who in ("pm", "key"):
        answer = await two.clients[who].request(
            endpoint.method, two.path(endpoint),
            **({"json": BODIES.get(endpoint.name, {})} if endpoint.mutating else {}),
        )  # fmt: skip
        assert answer.status_code == 404, (endpoint.path, answer.text)
        assert answer.json()["error"].endswith("not_found")
        assert SECRET not in answer.text
    assert await two.rows() == before


@pytest.mark.parametrize("endpoint", [e for e in WITH_IDS if not e.mutating], ids=named)
async def test_its_own_people_find_what_stands_in_its_lists(two, endpoint):
    answer = await two.clients["viewer"].get(two.path(endpoint))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("endpoint", [e for e in WITH_IDS if e.mutating], ids=named)
async def test_who_only_reads_changes_no_row_that_is_there(two, endpoint):
    """Fault absent: a viewer could change everything in a project."""
    before = await two.rows()
    for role in ("viewer", "executor"):
        answer = await two.clients[role].post(two.path(endpoint), json=BODIES.get(endpoint.name, {}))
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert await two.rows() == before


async def test_ids_of_another_project_in_a_body_do_not_exist_either(two):
    """T14: whatever names rows in its body: nothing is applied, or there is no such thing."""
    ids = {prefix.rpartition("{")[2].rstrip("}"): found for prefix, found in two.ids.items()}
    suggestion = (await two.owner.get("/identity/suggestions")).json()["suggestions"][0]["id"]
    action = (await two.owner.get("/continuity/actions")).json()["actions"][0]["id"]
    deal = {"title": "x", "account_id": ids["account_id"], "next_step": "позвонить в понедельник"}
    before = await two.rows()
    for path, body, expected in (
        ("/crm/opportunities", deal, "account_not_found"),
        ("/offers", {"title": "x", "account_id": ids["account_id"]}, "account_not_found"),
        ("/offers", {"title": "x", "opportunity_id": ids["opportunity_id"]}, "opportunity_not_found"),
        ("/reports/generate", {"template_id": ids["template_id"]}, "template_not_found"),
        ("/reports/templates", {"id": ids["template_id"], "name": "x", "sections": ["summary_stats"],
                                "format": "html"}, "template_not_found"),
        ("/lightrag/feedback", {"query_run_id": 1, "rating": 1}, "query_run_not_found"),
        ("/identity/suggestions/apply", {"suggestion_ids": [suggestion]}, 0),
        ("/identity/suggestions/dismiss", {"suggestion_ids": [suggestion]}, 0),
        ("/continuity/apply", {"action_ids": [action]}, 0),
        ("/continuity/dismiss", {"action_ids": [action]}, 0),
        ("/kag/v2/recommendations/shown", {"recommendation_ids": [ids["recommendation_id"]]}, []),
        ("/loops/sync", {"project_ids": [two.full.id]}, None),
    ):  # fmt: skip
        for who in ("pm", "key"):
            answer = await two.clients[who].post(path, json=body)
            said = answer.json()
            assert SECRET not in answer.text, path
            if isinstance(expected, str):
                assert (answer.status_code, said["error"]) == (404, expected), (path, answer.text)
            elif expected is not None:
                key = next(k for k in ("applied", "dismissed", "shown") if k in said)
                assert said[key] == expected, (path, answer.text)
    assert await two.rows() == before
