"""The registries: endpoints, jobs, settings and connectors say what they are and fit together."""

from __future__ import annotations

import re
from collections import Counter
from typing import get_args

import msgspec
import pytest

from ctower_desktop import app
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.kernel.endpoint import ENDPOINTS, Reply, Text
from ctower_desktop.kernel.jobs import JOBS, cascades_end, current, withdrawn
from ctower_desktop.kernel.secrets import Secrets
from ctower_desktop.kernel.settings import SETTINGS, Settings, fields
from ctower_desktop.kernel.tower import Anyone

app.import_rooms()

# contract §9.1; the second set waits for the rooms that bring them
DECLARED_JOBS = {
    "connectors_sync_cycle": 900,
    "connectors_reconciliation_daily": 86_400,
    "connector_errors_retry": 300,
    "embeddings_run": 1_200,
    "loops_contacts_sync": 3_600,
    "analytics_retention_cleanup": 43_200,
    "campaign_scheduler": 300,
    "outbound_retention_cleanup": 86_400,
    "signals_extraction": 900,
    "upsell_radar": 1_800,
    "health_scoring": 1_800,
    "analytics_aggregates": 1_800,
    "daily_digest": 86_400,
    "weekly_digest": 604_800,
    "report_generation": 3_600,
}
AWAITED_JOBS: set[str] = set()
LIVE_JOBS = {  # contract §7.9: there only while KAG_MODE is live
    "kag_recommendations_refresh": 900,
    "kag_daily_pipeline": 86_400,
    "case_signatures_refresh": 604_800,
}


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda e: e.name)
class TestEndpoints:
    def test_says_what_it_does(self, endpoint):
        first = endpoint.about.partition("\n")[0]
        assert first.endswith("."), first
        assert len(first) <= 120

    def test_answers_with_a_struct(self, endpoint):
        kinds = get_args(endpoint.response) if endpoint.stream else ()  # a stream may tell of several things
        for kind in kinds or (getattr(endpoint.response, "__origin__", endpoint.response),):
            assert kind in (Reply, Text) or issubclass(kind, msgspec.Struct)

    def test_paths_are_plain(self, endpoint):
        assert re.fullmatch(r"(/[a-z0-9._-]+|/{[a-z_]+})+", endpoint.path), endpoint.path

    def test_errors_have_codes_of_their_own(self, endpoint):
        for error in endpoint.raises:
            assert re.fullmatch(r"[a-z0-9_]+", error.code)
            assert 400 <= error.status <= 503

    def test_asks_for_a_right(self, endpoint):
        assert issubclass(endpoint.caller, Anyone)
        if endpoint.mutating and endpoint.caller is Anyone:
            assert endpoint.path.startswith("/auth/"), "only signing in needs no right"


def test_no_two_endpoints_share_a_route():
    routes = Counter((e.door.name, e.method, re.sub(r"{\w+}", "{}", e.path)) for e in ENDPOINTS.values())
    assert [route for route, count in routes.items() if count > 1] == []


def test_the_jobs_of_the_contract_are_declared():
    assert {name: job.every for name, job in JOBS.items() if name in DECLARED_JOBS} == DECLARED_JOBS
    assert not JOBS.keys() & AWAITED_JOBS, "a job that is there now is no longer awaited"
    assert JOBS.keys() == DECLARED_JOBS.keys() | LIVE_JOBS.keys()


@pytest.mark.parametrize(("mode", "there"), [("live", LIVE_JOBS), ("gone", {}), ("absent", {})])
async def test_some_jobs_are_there_only_while_kag_is_live(home, mode, there):
    settings = await Settings.open(home.settings, Secrets(home.secrets, "file"), {"KAG_MODE": mode})
    found = current(settings)
    assert {name: job.every for name, job in found.items() if name in LIVE_JOBS} == there
    assert found.keys() - LIVE_JOBS.keys() == DECLARED_JOBS.keys()
    assert withdrawn(settings) == LIVE_JOBS.keys() - there.keys()


def test_cascades_lead_somewhere_and_end():
    assert cascades_end(JOBS)
    for job in JOBS.values():
        assert set(job.then) <= JOBS.keys() | AWAITED_JOBS, job.name


@pytest.mark.parametrize("job", JOBS.values(), ids=lambda j: j.name)
def test_a_job_says_what_it_does(job):
    assert job.about.endswith(".")


@pytest.mark.parametrize("page", SETTINGS)
class TestSettings:
    def test_starts_without_being_told_anything(self, page):
        SETTINGS[page]()

    def test_every_setting_explains_itself(self, page):
        assert (SETTINGS[page].__doc__ or "").strip().endswith(".")
        for field in fields(page):
            assert field.title != field.name, f"{page}.{field.name} has no title"
            assert field.about.endswith("."), f"{page}.{field.name} has no description"

    def test_secrets_have_no_default(self, page):
        assert [f.name for f in fields(page) if f.secret and f.default] == []


def test_no_two_settings_listen_to_one_name():
    names = Counter(name for page in SETTINGS for field in fields(page) for name in field.environment)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_has_settings_and_streams(name):
    connector = CONNECTORS[name]
    assert connector.name == name
    assert connector.settings in SETTINGS.values()
    assert (type(connector).__doc__ or "").strip()
