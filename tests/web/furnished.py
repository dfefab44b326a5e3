"""A project with something in every list: written as the vendors' mirrors would, then worked on over HTTP."""

from __future__ import annotations

import itertools
from typing import Any

import apsw

from ctower_desktop.kernel.tower import ProjectRef
from tests.insight.kag.conftest import Log
from tests.reports.conftest import Fill
from tests.web.conftest import Client, Site

SECRET = "Занзибар"  # stands in every text of the project and nowhere else


async def furnish(site: Site, client: Client, project: ProjectRef) -> None:
    """Fill `project`, which the owner `client` has selected."""
    fill = Fill(site.tower, project, site.tower.clock, itertools.count(1))
    await _mirrors(fill)
    await _ledger(fill)
    log = Log(site.tower, project, site.tower.clock)
    await log.silence(6.0, words=3)
    for _ in range(3):
        await log.scope(days_ago=1)
    await _work(client)
    await fill.tower.db.write(_suspend, project.id)


async def _mirrors(fill: Fill) -> None:
    for number, name in ((1, "Анна"), (2, "Борис")):
        contact = await fill.contact(f"{name} {SECRET}", f"{number}@zanzibar.example", company_name=SECRET)
        talk = await fill.conversation(contact, subject=SECRET)
        for days, text in (
            (6, "срочно, у нас задержка, мы заблокированы"), (5, "бюджет вырос, это дорого"),
            (4, "хотим расширить: нужен новый модуль"), (3, "согласуйте договор и срок"),
            (2, "где ответ?"),
        ):  # fmt: skip
            await fill.message(talk, f"{SECRET}: {text}", fill.ago(days=days))
        await fill.message(
            talk,
            f"Пришлём {SECRET} до пятницы",
            fill.ago(days=4, hours=20),
            incoming=False,
            sender_name="Илья",
        )
    for number in range(4):
        await fill.issue(f"{SECRET} {number}", due_date="2026-11-01", blocked=1, blocked_by_count=1)
    company = await fill.company(f"{SECRET} и Ко", domain="zanzibar.example")
    await fill.deal(
        f"Сайт {SECRET}", "proposal", 30_000.0, company_name=SECRET, account_external_id=company,
        next_step=f"Позвонить {SECRET}",
    )  # fmt: skip


async def _ledger(fill: Fill) -> None:
    now = fill.clock.now()
    await fill.row(
        "connector_sync_state", connector="linear", status="failed", last_error=SECRET, updated_at=now
    )
    await fill.row("sync_watermark", source=f"linear:{SECRET}", cursor_ts=now, cursor_id="1", updated_at=now)
    for number, status in enumerate(("pending", "dead_letter")):
        await fill.row(
            "connector_error", connector="linear", mode="http", operation="sync",
            source_ref=f"linear{number}", error_kind="sync_failed",
            error_message=SECRET, attempt=1, next_retry_at=fill.ago(days=-1),
            status=status, dedupe_key=str(number), created_at=now, updated_at=now,
        )  # fmt: skip
    for days in (1, 0):
        await fill.row(
            "reconciliation_metric", connector="linear", source="manual", completeness_pct=37.5,
            duplicate_count=0, missing_count=5, total_count=8, captured_at=fill.ago(days=days),
        )  # fmt: skip
    await fill.row(
        "connector_event", event_type="process_failed", occurred_at=fill.ago(hours=1), actor="system",
        source="linear", source_ref="linear", dedupe_key="p", created_at=now,
        payload_json='{"process": "sync_linear", "error": "' + SECRET + '"}',
    )  # fmt: skip


def _suspend(db: apsw.Connection, project_id: str) -> None:
    db.execute(
        "UPDATE scheduled_job SET status = 'suspended', last_status = 'failed', last_error = ? "
        "WHERE project_id = ? AND job_type = 'loops_contacts_sync'",
        (SECRET, project_id),
    )


async def _work(client: Client) -> None:
    """Everything a day of work leaves behind."""

    async def post(path: str, expected: int = 200, **body: Any) -> dict[str, Any]:
        answer = await client.post(path, json=body)
        assert answer.status_code == expected, (path, answer.text)
        return dict(answer.json())

    account = (await post("/crm/accounts", 201, name=f"ООО {SECRET}"))["account"]["id"]
    deal = await post(
        "/crm/opportunities", 201, title=f"Поддержка {SECRET}", account_id=account,
        next_step=f"Созвон с {SECRET}", amount_estimate=9_000,
    )  # fmt: skip
    await post(f"/crm/opportunities/{deal['opportunity']['id']}/stage", stage="qualified", reason=SECRET)
    for path in (
        "/signals/extract", "/upsell/radar/refresh", "/risk/refresh", "/continuity/preview",
        "/identity/suggestions/preview", "/analytics/refresh", "/kag/refresh", "/kag/snapshots/refresh",
        "/kag/similarity/rebuild", "/kag/v2/forecast/refresh", "/kag/v2/recommendations/refresh",
        "/digests/daily/generate", "/digests/weekly/generate", "/jobs/scheduler/health_scoring/run",
    ):  # fmt: skip
        await post(path)
    offer = await post("/offers", 201, title=f"Оферта {SECRET}", subtotal=1_000, discount_pct=10)
    await post(f"/offers/{offer['offer']['id']}/approve-discount", comment=SECRET)
    await post("/costs", 201, entry_type="cost", amount=7, currency="EUR", date="2026-11-19", note=SECRET)
    await post("/risk/items", 201, title=f"Риск {SECRET}", severity=4)
    contact = (await client.get("/contacts")).json()["contacts"][0]["id"]
    await post(
        "/outbound/draft", 201, channel="email", recipient_ref=contact, idempotency_key="k",
        payload={"subject": SECRET, "text": SECRET},
    )  # fmt: skip
    await post("/outbound/opt-out", contact_global_id=contact, channel="email", opted_out=True)
    suggestions = (await client.get("/identity/suggestions")).json()["suggestions"]
    await post("/identity/suggestions/apply", suggestion_ids=[suggestions[0]["id"]])
    template = (await client.get("/reports/templates")).json()["templates"][0]["id"]
    await post("/reports/generate", 201, template_id=template)
    await post("/reports/templates", 201, name=f"Шаблон {SECRET}", sections=["summary_stats"], format="html")
    await post("/jobs/embeddings/run")
    await post("/lightrag/query", query=f"Что пишет {SECRET}?")
    told = (await client.get("/kag/v2/recommendations", params={"include_hidden": "true"})).json()
    visible = [each for each in told["recommendations"] if each["evidence_gate_status"] == "visible"]
    await post(
        f"/kag/v2/recommendations/{visible[0]['id']}/actions", action_type="create_or_update_task",
        action_payload={"title": f"Задача {SECRET}"},
    )  # fmt: skip
