"""One deal with notes and tasks; the mirror of accounts and opportunities."""

from __future__ import annotations

import pytest

from ctower_desktop.crm import mirroring_store as mirroring
from ctower_desktop.crm import stages, store
from ctower_desktop.crm.actions import list_deals, read_deal
from ctower_desktop.crm.model import DealNotFound, ListDeals
from ctower_desktop.kernel.mirror import searchable

AT = "2026-11-01T00:00:00.000Z"


def base(call, mirror, kind, number):
    project = call.project_ref
    return dict.fromkeys(mirror.columns) | {
        "id": f"{kind}:{project.id}:w:{number}", "project_id": project.id,
        "account_scope_id": project.account_scope_id, "workspace_id": "w", "external_id": f"{kind}{number}",
        "created_at": AT, "updated_at": AT,
    }  # fmt: skip


@pytest.fixture
async def deal(call):
    db = call.tower.db
    company = base(call, store.COMPANY, "attioacct", 1) | {"name": "Acme", "stage": "Customer"}
    found = base(call, store.DEAL, "attiodeal", 1) | {
        "title": "Сайт", "stage": "Closed Won", "probability": 0.5, "amount": 10.0, "company_name": "Acme",
        "account_external_id": company["external_id"], "haystack": searchable("Сайт\nAcme"),
    }  # fmt: skip
    note = base(call, store.NOTE, "attionote", 1) | {
        "parent_kind": "companies", "parent_external_id": company["external_id"],
        "content": "about the company",
    }  # fmt: skip
    task = base(call, store.TASK, "attiotask", 1) | {
        "parent_external_id": found["external_id"], "linked_external_ids": "[]", "content": "call",
        "is_completed": 0,
    }  # fmt: skip
    for mirror, row in (
        (store.COMPANY, company),
        (store.DEAL, found),
        (store.NOTE, note),
        (store.TASK, task),
    ):
        await db.write(mirror.put, [row])
    await db.write(mirroring.mirror_accounts, [company], AT)
    await db.write(mirroring.mirror_opportunities, [found], AT)
    return found


async def test_a_deal_with_what_was_noted_about_it_and_its_company(call, deal):
    found = await read_deal(call, deal["id"])
    assert [n.content for n in found.notes] == ["about the company"]
    assert [(t.content, t.is_completed) for t in found.tasks] == [("call", False)]
    with pytest.raises(DealNotFound):
        await read_deal(call, "attiodeal:x")


async def test_deals_are_looked_through(call, deal):
    async def titles(**query):
        return [d.title for d in (await list_deals(call, ListDeals(**query))).deals]

    assert await titles(q="acme") == ["Сайт"]
    assert await titles(stage="Closed Won") == ["Сайт"]
    assert await titles(stage="Lost") == []


async def test_the_mirror_speaks_our_words(call, deal):
    def stages(db):
        return list(
            db.execute(
                "SELECT a.stage, o.stage, o.next_step FROM crm_account a "
                "JOIN crm_opportunity o ON o.account_id = a.id"
            )
        )

    assert await call.tower.db.read(stages) == [("active", "won", mirroring.NEXT_STEP)]


@pytest.mark.parametrize(
    ("word", "account", "opportunity"),
    [
        ("won", "active", "won"), ("Closed_Won", "active", "won"), ("closed lost", "inactive", "lost"),
        ("churned", "inactive", "discovery"), ("Proposal Sent", "prospect", "proposal"),
        ("negotiation", "prospect", "negotiation"), (None, "prospect", "discovery"), ("", "prospect",
        "discovery"),
    ],
)  # fmt: skip
def test_stages_are_mapped(word, account, opportunity):
    assert stages.account_stage(word) == account
    assert stages.opportunity_stage(word) == opportunity
