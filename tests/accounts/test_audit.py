"""Writing the audit trail and the index of evidence (contract §13.1–13.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ctower_desktop.accounts import audit_store
from ctower_desktop.accounts.audit import record
from ctower_desktop.accounts.audit_store import Window
from ctower_desktop.kernel.tower import AuditLine, Who, by_job


def line(**changes) -> AuditLine:
    return AuditLine(**{"action": "offer.create", "entity_type": "offer", "entity_id": "1", **changes})


async def evidence(tower):
    return await tower.db.read(
        lambda db: list(
            db.execute(
                "SELECT source_type, source_table, source_pk, message_global_id, snippet, payload, "
                "created_at, updated_at FROM evidence_item ORDER BY id"
            )
        )
    )


async def listed(tower, project, **changes):
    window = Window(project_id=project.id, also_without=False, limit=50)
    return await tower.db.read(audit_store.listed, Window(**{**_asdict(window), **changes}))


def _asdict(window: Window) -> dict:
    return {name: getattr(window, name) for name in window.__struct_fields__}


async def test_a_line_says_who_did_what_on_which_evidence(call, tower, project):
    await record(call, line(status="partial", payload={"total": 900.5}, evidence_refs=["cwmsg:1", "cwmsg:1"]))
    row = (await listed(tower, project))[0]
    assert (row.actor_username, row.action, row.status) == ("desktop", "offer.create", "partial")
    assert row.payload == {"total": 900.5}
    assert [ref.ref for ref in row.evidence_refs] == ["cwmsg:1"]
    assert row.request_id == "test"


async def test_evidence_is_indexed_once_and_keeps_its_snippet(call, tower, clock):
    await record(
        call, line(evidence_refs=[{"ref": "cwmsg:1", "snippet": "Обещали к пятнице", "meta": {"a": 1}}])
    )
    clock.advance(60)
    await record(call, line(evidence_refs=["cwmsg:1"]))
    at, later = "2026-11-20T10:00:00.000Z", "2026-11-20T10:01:00.000Z"
    assert await evidence(tower) == [
        ("cw_messages", "cw_messages", "cwmsg:1", "cwmsg:1", "Обещали к пятнице", '{"a":1}', at, later)
    ]
    await record(call, line(evidence_refs=[{"ref": "cwmsg:1", "snippet": "по-другому"}]))
    assert (await evidence(tower))[0][4] == "по-другому"


async def test_long_names_are_cut_and_nothing_is_lost(call, tower, project):
    who = Who(username="x" * 300, role="pm", kind="session")
    await record(replace(call, who=who), line(action="y" * 300))
    row = (await listed(tower, project))[0]
    assert (len(row.actor_username), len(row.action)) == (200, 200)


async def test_a_line_of_no_project_is_for_those_who_ask(call, tower, project):
    await record(replace(call, project=None), line(action="auth.login", evidence_refs=["cwmsg:9"]))
    await record(call, line())
    assert [r.action for r in await listed(tower, project)] == ["offer.create", "project.create"]
    both = await listed(tower, project, also_without=True)
    assert [r.action for r in both] == ["offer.create", "auth.login", "project.create"]
    assert await evidence(tower) == [], "evidence belongs to a project"


async def test_a_job_writes_in_its_own_name(tower, project):
    await record(by_job(tower, "run-1", project), line())
    assert (await listed(tower, project))[0].actor_username == "scheduler"


async def test_a_trail_that_cannot_be_written_fails_the_call(call):
    with pytest.raises(Exception, match="CHECK constraint"):
        await record(call, line(status="nonsense"))


async def test_many_lines_are_paged_without_sorting(call, tower, project):
    for number in range(30):
        of_project = number % 3 != 0
        await record(call if of_project else replace(call, project=None), line(entity_id=str(number)))
    found = []
    for offset in range(0, 40, 7):
        found += await listed(tower, project, also_without=True, limit=7, offset=offset)
    ids = [row.id for row in found]
    assert len(ids) == 31
    assert ids == sorted(ids, reverse=True)
