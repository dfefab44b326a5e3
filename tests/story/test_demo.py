"""The demo from a cold start: three projects, all their data, an answer; a kill; a second window."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.story.conftest import ANY_PORTS, signed_in
from tests.story.conftest import OWNER as SIGNED

pytestmark = pytest.mark.slow

OWNER = {**SIGNED, "QT_QPA_PLATFORM": ""}


def _until(client: httpx.Client, path: str, enough: Any, seconds: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        found = client.get(path).json()
        if enough(found):
            return dict(found)
        assert time.monotonic() < deadline, found
        time.sleep(0.25)


def test_from_nothing_to_an_answer_with_evidence(start):
    program = start("demo", *ANY_PORTS, environment=OWNER)
    with signed_in(program.ready()) as client:
        projects = client.get("/projects").json()["projects"]
        assert len(projects) == 3
        totals = {}
        for project in projects:
            assert client.post(f"/projects/{project['id']}/select").status_code == 200
            status = _until(
                client,
                "/lightrag/status",
                lambda s: (
                    s["sources"]["messages_total"] >= 200
                    and s["embeddings"]["ready"]
                    and not s["index"]["queued"]
                ),
            )
            totals[project["name"]] = status["sources"]
        assert sum(t["messages_total"] for t in totals.values()) >= 600
        assert sum(t["linear_issues_total"] for t in totals.values()) >= 80
        assert sum(t["opportunities_total"] for t in totals.values()) >= 40
        north = next(p for p in projects if "Север" in p["name"])
        client.post(f"/projects/{north['id']}/select")
        found = client.post("/lightrag/query", json={"query": "SEV-142 эквайринг: что с ключами?"}).json()
        assert found["ok"] is True
        assert "[1]" in found["answer"]
        assert found["evidence"]
        assert any(
            "SEV-142" in (e["title"] or "") + e["snippet"] + (e["source_ref"] or "")
            for e in found["evidence"][:3]
        )
        state = client.get("/connectors/state").json()["connectors"]
        assert {row["connector"]: row["status"] for row in state} == {
            "attio": "ok",
            "chatwoot": "ok",
            "linear": "ok",
        }
        assert client.get("/connectors/quarantine").json()["rows"] == []
    assert program.stop() == 0


def test_a_killed_tower_goes_on_where_it_was(start, tmp_path):
    home = tmp_path / "kept"
    first = start("demo", *ANY_PORTS, home=home, environment=OWNER)
    url = first.ready()
    with signed_in(url) as client:
        _until(client, "/jobs/status", lambda s: s["entities"]["messages"] > 0)
    first.process.kill()
    first.process.wait()
    second = start("demo", *ANY_PORTS, home=home, environment=OWNER)
    with signed_in(second.ready()) as client:
        assert len(client.get("/projects").json()["projects"]) == 3, "the same three, not three more"
        _until(
            client,
            "/lightrag/status",
            lambda s: s["sources"]["messages_total"] >= 200 and not s["index"]["queued"],
        )
    assert second.stop() == 0


def test_a_second_window_brings_the_first_to_the_front(start, tmp_path):
    offscreen = {"QT_QPA_PLATFORM": "offscreen"}
    first = start(*ANY_PORTS, environment=offscreen)
    first.ready()
    second = start(*ANY_PORTS, environment=offscreen)
    assert second.process.wait(30) == 0
    assert first.process.poll() is None
    assert first.stop() == 0
