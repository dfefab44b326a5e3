"""Filters of the trail, and the trail as a table other programs can open safely."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace

import pytest

from ctower_desktop.accounts import actions, audit_store
from ctower_desktop.accounts.audit import record
from ctower_desktop.accounts.model import AuditExport, AuditQuery
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.tower import AuditLine


@pytest.fixture
async def trail(call, tower, clock):
    """Five lines, an hour apart."""
    lines = [
        ("anna", "offer.create", "ok", "offer", "1"),
        ("anna", "offer.approve_send", "failed", "offer", "1"),
        ("boris", "offers_export", "ok", "offer", "2"),
        ("boris", "crm.account.create", "ok", "account", "7"),
        ("anna", "user.create", "ok", "user", "9"),
    ]
    for actor, action, status, kind, entity in lines:
        who = replace(call, who=type(call.user)(username=actor, role="pm", kind="session")).afresh()
        who.noted.unbound = action.startswith("user.")
        await record(who, AuditLine(action=action, status=status, entity_type=kind, entity_id=entity))
        clock.advance(3_600)
    await tower.settings.change(Regional, {"time_zone": "Asia/Vladivostok"})  # ten hours ahead


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "create create export send create create"),  # the last is project.create
        ({"actor": "boris"}, "create export"),
        ({"action": "offer.create"}, "create"),
        ({"action": "offer."}, "send create"),
        ({"action": "offer"}, ""),
        ({"status": "failed"}, "send"),
        ({"entity_type": "offer", "entity_id": "1"}, "send create"),
        ({"actor": "anna", "status": "ok"}, "create create"),
        ({"date_from": "2026-11-20T12:00:00Z"}, "create create export"),
        ({"date_to": "2026-11-20T12:00:00Z"}, "send create create"),
        ({"date_from": "2026-11-21"}, "create"),  # the fifth is at 14:00 UTC, midnight there
        ({"date_to": "2026-11-20"}, "create export send create create"),
        ({"date_from": "yesterday"}, "create create export send create create"),
        ({"actor": "anna", "limit": 1, "offset": 1}, "send"),
        ({"actor": "' OR 1=1 --"}, ""),
    ],
)
async def test_filters(call, trail, wanted, found):
    events = (await actions.list_audit(call, AuditQuery(**wanted))).events
    shown = [event.action.rpartition(".")[2].rpartition("_")[2] for event in events]
    assert " ".join(shown) == found.strip()


async def test_no_cell_of_the_table_is_a_formula(call, tower):
    nasty = "=cmd|'/c calc'!A0"
    await record(call, AuditLine(action="crm.account.create", entity_type="+1", entity_id=nasty))
    table = await actions.export_audit(call, AuditExport(action="crm."))
    assert table.media_type.startswith("text/csv")
    header, row = csv.reader(io.StringIO(table.content.decode("utf-8-sig")))
    cells = dict(zip(header, row, strict=True))
    assert (cells["entity_id"], cells["entity_type"]) == (f"'{nasty}", "'+1")
    assert cells["payload"] == "{}"


async def test_a_rare_line_is_found_quickly_in_a_long_trail(call, tower, project):
    """40,000 lines, one that failed at the very beginning: the index alone is walked."""

    def fill(db) -> None:
        db.execute(
            "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
            "INSERT INTO audit_event (project_id, account_scope_id, actor_username, action, entity_type, "
            "entity_id, status, request_id, payload, evidence_refs, created_at) "
            "SELECT ?, ?, 'anna', 'offer.create', 'offer', i, iif(i = 1, 'failed', 'ok'), 'r', "
            "json_object('x', hex(zeroblob(100))), '[]', '2026-11-20T10:00:00.000Z' FROM n",
            (project.id, project.account_scope_id),
        )

    await tower.db.write(fill)
    window = audit_store.Window(project_id=project.id, also_without=True, limit=50, status="failed")
    took = []
    for _ in range(5):
        began = time.perf_counter()
        (row,) = await tower.db.read(audit_store.listed, window)
        took.append(time.perf_counter() - began)
    assert row.status == "failed"
    assert min(took) < 0.05
