"""What is proposed, from which source, and what becomes of a proposal whose source changes."""

from __future__ import annotations

from ctower_desktop.crm import store as crm
from ctower_desktop.crm.mirroring_store import NEXT_STEP
from ctower_desktop.inbox import store as inbox
from ctower_desktop.insight.continuity.actions import (
    dismiss_continuity,
    list_continuity_actions,
    preview_continuity,
)
from ctower_desktop.insight.continuity.model import ChooseActions, ListActions
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project


async def rows(call):
    return (await preview_continuity(call)).rows


async def listed(call, **query):
    return (await list_continuity_actions(call, ListActions(**query))).actions


class TestDeals:
    async def test_an_opportunity_of_ours_is_called_manual(self, call, agency):
        """Fault absent: what somebody typed here is not said to come from the CRM of the vendor."""
        ref = await agency.opportunity("Сайт", "Отправить договор до 25 ноября", account="Acme")
        (one,) = await rows(call)
        assert (one.source_type, one.source_ref, one.status) == ("manual", ref, "previewed")
        assert (one.title, one.description) == (
            "Acme: Отправить договор до 25 ноября", "Отправить договор до 25 ноября",
        )  # fmt: skip
        assert one.due_date == one.preview_payload["suggested_due_date"] == "2026-11-25"
        assert one.preview_payload["suggested_linear_title"] == one.title
        assert one.preview_payload["from_opportunity_id"] == ref
        assert one.evidence_refs == [ref]
        assert (one.linear_issue_external_id, one.issue, one.created_by) == (None, None, "desktop")

    async def test_a_mirrored_one_comes_from_attio_and_is_proposed_once(self, call, agency):
        await agency.deal(1, "Сайт", next_step="Send the contract", external_id="d1")
        ref = await agency.opportunity("Сайт", "Send the contract", ref="d1")
        (one,) = await rows(call)
        assert (one.source_type, one.source_ref) == ("attio", ref)

    async def test_a_deal_without_an_account_of_ours(self, call, agency):
        ref = await agency.deal(1, "Сайт", next_step="Send the contract", expected_close_date="2026-12-24")
        (one,) = await rows(call)
        assert (one.source_type, one.source_ref, one.due_date) == ("attio", ref, "2026-12-24")

    async def test_what_is_closed_or_says_nothing_is_left_out(self, call, agency):
        await agency.opportunity("A", "Send the contract", stage="won")
        await agency.opportunity("B", "Send the contract", stage="lost")
        await agency.opportunity("C", " ok ")
        await agency.opportunity("D", NEXT_STEP, ref="d4")
        await agency.deal(5, "E", next_step="Send the contract", stage="Closed Won")
        await agency.deal(6, "F")
        assert await rows(call) == []

    async def test_again_changes_nothing_another_step_replaces_it(self, call, agency, clock):
        ref = await agency.opportunity("Сайт", "Send the contract")
        before = await rows(call)
        clock.advance(60)
        assert await rows(call) == before
        await agency.run("UPDATE crm_opportunity SET next_step = 'Call them back' WHERE id = :id", id=ref)
        (after,) = await rows(call)
        assert after.id != before[0].id
        assert [one.description for one in await listed(call)] == ["Call them back"]

    async def test_a_deal_that_is_closed_needs_no_task(self, call, agency):
        ref = await agency.opportunity("Сайт", "Send the contract")
        await rows(call)
        await agency.run("UPDATE crm_opportunity SET stage = 'lost' WHERE id = :id", id=ref)
        assert await rows(call) == []
        assert await listed(call) == []

    async def test_the_delivery_project_of_the_client_is_known(self, call, agency):
        company = await agency.company(1, "Acme")
        delivery = await agency.delivery(1, "Site")
        await agency.run(
            "INSERT INTO identity_link (id, project_id, account_scope_id, left_entity_type, left_entity_id,"
            " right_entity_type, right_entity_id, status, source, created_by, created_at, updated_at)"
            " VALUES ('1', :p, :s, 'attio_account', :c, 'linear_project', :d, 'active', 'manual', '',"
            " '', '')",
            p=call.project_id, s=call.account_scope_id, c=company, d=delivery,
        )  # fmt: skip
        await agency.opportunity("Сайт", "Send the contract", account_ref="attioacct-1")
        (one,) = await rows(call)
        assert one.preview_payload["linear_project_external_id"] == "linproj-1"


class TestPromises:
    async def test_of_the_team_in_both_languages(self, call, agency):
        contact = await agency.contact(1, "Анна Петрова")
        first = await agency.said("Добрый день! Пришлём макеты до пятницы.", contact=contact)
        second = await agency.said("We will send the contract tomorrow.", days_ago=1)
        found = {one.source_ref: one for one in await rows(call)}
        assert set(found) == {first, second}
        one = found[first]
        assert (one.source_type, one.title) == ("chatwoot", "Анна Петрова: Пришлём макеты до пятницы")
        assert one.description == "«Пришлём макеты до пятницы.»\n\n— Марина, 2026-11-20"
        assert one.due_date == "2026-11-27"
        assert one.preview_payload["from_message_id"] == first
        assert one.preview_payload["conversation_global_id"] == one.evidence_refs[1]
        assert found[second].due_date == "2026-11-20"  # a day after it was said

    async def test_only_what_the_team_said_in_public_and_lately(self, call, agency):
        text = "We will send the contract by Friday."
        await agency.said(text, sender_type="contact", message_type="0")
        await agency.said(text, private=1)
        await agency.said(text, days_ago=22)
        await agency.said(text, sender_type="agent_bot", message_type="1")
        await agency.said(text, message_type="3")
        assert await rows(call) == []

    async def test_two_promises_of_one_message_are_two_tasks(self, call, agency):
        ref = await agency.said("Пришлём макеты завтра. Смету отправим в понедельник.")
        found = await rows(call)
        assert [one.source_ref for one in found] == [ref, ref]
        assert {one.due_date for one in found} == {"2026-11-21", "2026-11-23"}

    async def test_a_message_that_is_deleted_or_rewritten(self, call, agency):
        gone = await agency.said("Пришлём макеты завтра.")
        kept = await agency.said("Пришлём смету завтра.")
        await rows(call)
        await agency.gone(inbox.MESSAGE, gone)
        await agency.run("UPDATE message SET content = 'Уже отправили' WHERE id = :id", id=kept)
        assert await rows(call) == []
        assert await listed(call) == []

    async def test_an_old_promise_stays_proposed(self, call, agency, clock):
        await agency.said("Пришлём макеты завтра.")
        await rows(call)
        clock.advance(40 * 86_400)
        assert (await preview_continuity(call)).touched == 0
        assert len(await listed(call, status="previewed")) == 1

    async def test_more_messages_than_are_read_withdraw_nothing(self, call, agency, monkeypatch):
        await agency.said("Пришлём макеты завтра.", days_ago=3)
        await rows(call)
        monkeypatch.setattr("ctower_desktop.insight.continuity.store._SAID_MOST", 2)
        await agency.said("Пришлём смету завтра.", days_ago=2)
        await agency.said("Пришлём счёт завтра.", days_ago=1)
        assert (await preview_continuity(call)).touched == 2
        assert len(await listed(call)) == 3


class TestDismissing:
    async def test_it_is_not_proposed_again(self, call, agency):
        """Fault absent: an action can be dismissed."""
        await agency.said("Пришлём макеты завтра.")
        (one,) = await rows(call)
        done = await dismiss_continuity(call, ChooseActions(action_ids=[one.id]))
        assert (done.dismissed, done.actions[0].status) == (1, "dismissed")
        assert (await preview_continuity(call)).touched == 0
        assert await listed(call, status="previewed") == []
        assert len(await listed(call, status="dismissed")) == 1
        assert (await dismiss_continuity(call, ChooseActions(action_ids=[one.id]))).dismissed == 0


async def test_pages_and_unknown_statuses(call, agency):
    for n in range(5):
        await agency.opportunity(f"Deal {n}", f"Send contract {n}")
    await rows(call)
    pages = [await listed(call, limit=2, offset=at) for at in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert len({one.id for page in pages for one in page}) == 5
    assert await listed(call, status="nonsense") == []


async def test_another_project_sees_nothing(tower, call, agency):
    await agency.opportunity("Сайт", "Send the contract")
    (one,) = await rows(call)
    made = (await create_project(desktop(tower, "test"), NewProject(name="Other"))).project
    other = desktop(tower, "test", ProjectRef(made.id, made.name, made.account_scope_id))
    assert await rows(other) == []
    assert await listed(other) == []
    assert (await dismiss_continuity(other, ChooseActions(action_ids=[one.id]))).dismissed == 0


async def test_a_company_the_vendor_deleted_changes_no_deal(call, agency):
    company = await agency.company(1, "Acme")
    await agency.deal(1, "Сайт", next_step="Send the contract", account_external_id="attioacct-1")
    await agency.gone(crm.COMPANY, company)
    assert len(await rows(call)) == 1
