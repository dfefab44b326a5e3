"""Every operation of the OpenAPI document against the running door, with good input and bad (T15, T39).

Whatever is sent: never a bug, always a documented status and envelope; bad input is refused, and what was
refused leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ctower_desktop import app
from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER
from ctower_desktop.kernel.system import Home
from ctower_desktop.web import openapi
from tests.web.conftest import OWNER, PASSWORD, Ticking, site_of

app.import_rooms()

DOCUMENT = openapi.document(TOWER)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.config.generation.update(with_security_parameters=False)  # every session here is a good one
FINITE = sorted((e for e in ENDPOINTS.values() if e.door is TOWER and not e.stream), key=lambda e: e.name)
CHOOSY = [  # those that can be given something wrong: a body, or an id that is not just any text
    e
    for e in FINITE
    if e.body is not None or any("Meta(pattern" in str(kind) for kind in e.path_types.values())
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BAD_INPUT = {400, 401, 403, 413, 415, 421, 429}  # others may have begun something worth a note
BOUNDED = settings(
    max_examples=7, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


class Running:
    """A site on a loop of its own, for tests that call it as any other program would."""

    def __init__(self, home: Home) -> None:
        self._home, self._ready = home, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="site")
        self._thread.start()
        assert self._ready.wait(20)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with site_of(self._home, Ticking(), KAG_MODE="live") as self.site:
            await self.site.project()
            self._ready.set()
            await self._stop.wait()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def rows(self) -> dict[str, int]:
        """How many rows every table has, apart from what notes that somebody called at all."""
        return self.run(self.site.tower.db.read(_rows))


def _rows(db) -> dict[str, int]:
    tables = [t for (t,) in db.execute("SELECT name FROM pragma_table_list WHERE type = 'table'")]
    noted = {"session", "audit_event"}
    return {
        t: next(db.execute(f'SELECT count(*) FROM "{t}"'))[0]
        for t in tables
        if t not in noted and not t.startswith("sqlite_")
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Running]:
    home = Home(tmp_path_factory.mktemp("fuzz"))
    home.prepare()
    found = Running(home)
    yield found
    found.stop()


@pytest.fixture
def session(running) -> Iterator[requests.Session]:
    """The owner, signed in afresh: signing out is among what is tried."""
    with requests.Session() as found:
        found.trust_env = False
        answer = found.post(
            f"{running.site.url}/auth/login", json={"username": OWNER, "password": PASSWORD}, timeout=10
        )
        found.headers["x-csrf-token"] = answer.json()["csrf_token"]
        yield found


def tried(running: Running, session: requests.Session, operation, mode: GenerationMode, checks) -> list[int]:
    """Send a bounded number of cases, check every answer, and return the statuses."""
    statuses: list[int] = []
    rows = running.rows()

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def go(case) -> None:
        nonlocal rows
        answer = case.call(base_url=running.site.url, session=session)
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=checks)
        if mode is GenerationMode.NEGATIVE:
            before, rows = rows, running.rows()
            if answer.status_code in BAD_INPUT:
                assert rows == before, "what is refused leaves nothing behind"

    go()
    return statuses


@pytest.mark.parametrize("endpoint", FINITE, ids=lambda e: e.name)
def test_good_input_is_answered_as_documented(running, session, endpoint):
    operation = SCHEMA[endpoint.path][endpoint.method]
    assert tried(running, session, operation, GenerationMode.POSITIVE, CHECKS)


@pytest.mark.parametrize("endpoint", CHOOSY, ids=lambda e: e.name)
def test_bad_input_is_refused_and_leaves_nothing(running, session, endpoint):
    operation = SCHEMA[endpoint.path][endpoint.method]
    checks = [*CHECKS, negative_data_rejection]
    statuses = tried(running, session, operation, GenerationMode.NEGATIVE, checks)
    assert max(statuses) >= 400


def test_the_document_is_served(running):
    answer = requests.get(f"{running.site.url}/v1/openapi.json", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == DOCUMENT
