"""Several projects at a glance, and the talk with one person."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from ctower_desktop.insight.risk.actions import refresh_risk
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.tower import Caller, Who
from ctower_desktop.projects.model import ProjectNotFound
from ctower_desktop.reports.actions import read_portfolio_messages, read_portfolio_overview
from ctower_desktop.reports.agreements import speaks_of_agreement
from ctower_desktop.reports.portfolio import (
    AccountScopeMismatch,
    AccountScopeRequired,
    MessagesQuery,
    OverviewQuery,
    ProjectIdRequired,
    ProjectsNotFound,
)

CHARTS = {
    "health_score", "velocity_completed_issues", "overdue_issues_count", "client_responsiveness_minutes",
    "agreements_vs_signed_offers", "risks_trend", "burn_vs_budget", "upsell_potential_score",
    "sync_reconciliation_completeness",
}  # fmt: skip


async def overview(call, *ids: str, **limits: int):
    return await read_portfolio_overview(call, OverviewQuery(project_ids=",".join(ids), **limits))


def limited(call, *assigned: str):
    """Somebody who sees no project but those they are assigned to."""
    return replace(call, who=Who(username="pm", role="pm", kind="session", user_id="u-1"))


class TestEmpty:
    async def test_every_key_is_there(self, call, clock):
        """T32."""
        found = msgspec.to_builtins(await overview(call))
        assert set(found) == {
            "projects", "selected_project_ids", "dashboard", "messages", "agreements", "risks", "finances",
            "offers", "loops",
        }  # fmt: skip
        totals = found["dashboard"]["totals"]
        assert {k: totals[k] for k in totals if k != "currency"} == {
            "selected_projects": 1, "messages_7d": 0, "linear_open_issues": 0, "expected_revenue": 0.0,
            "risks_open": 0, "avg_health_score": 0.0, "avg_client_value_score": 22.0,
            "sync_completeness_pct": 100.0,
        }  # fmt: skip
        assert found["dashboard"]["charts"].keys() == CHARTS
        assert all(series == [] for series in found["dashboard"]["charts"].values())
        assert [point["period_start"] for point in found["dashboard"]["trend"]] == ["2026-11-20"]
        (policy,) = found["offers"]["discount_policy"]
        assert (policy["client_value_score"], policy["max_discount_pct"]) == (22, 5)
        assert found["loops"] == {"contacts_with_email": 0, "unique_emails": 0}
        assert all(series == [] for name, series in found["finances"]["charts"].items()
                   if name != "unit_economics_proxy")  # fmt: skip

    async def test_without_any_project_there_is_no_scope(self, call):
        """T9."""
        with pytest.raises(AccountScopeRequired):
            await overview(replace(call, project=None))


class TestChoosing:
    async def test_the_active_project_alone_without_ids(self, call, another):
        await another()
        assert (await overview(call)).selected_project_ids == [call.project_id]

    async def test_ids_in_any_order_once_each_garbage_ignored(self, call, another):
        other, _ = await another("Аптека")
        found = await overview(call, "nonsense", call.project_id.upper(), other.project_id, call.project_id)
        assert found.selected_project_ids == [other.project_id, call.project_id], "in the order of names"

    async def test_unknown_ids_are_not_found(self, call):
        with pytest.raises(ProjectsNotFound):
            await overview(call, "00000000-0000-4000-8000-00000000dead")

    async def test_another_scope_is_a_mismatch(self, call, another):
        foreign, _ = await another("Elsewhere", scope="second")
        with pytest.raises(AccountScopeMismatch):
            await overview(call, call.project_id, foreign.project_id)

    async def test_projects_somebody_is_not_assigned_to_are_not_there(self, call, another, tower, clock):
        """Fault absent: unassigned projects leak through the portfolio."""
        other, there = await another()
        await there.message(await there.conversation(), "Чужое", clock.now())

        def assign(db):
            db.execute(
                "INSERT INTO app_user (id, username, password_hash, created_at, updated_at)"
                " VALUES ('u-1', 'pm', '$x', 'a', 'a')"
            )
            db.execute(
                "INSERT INTO project_assignment (id, user_id, project_id, assigned_at, assigned_by)"
                " VALUES ('a-1', 'u-1', ?, 'a', 'b')",
                (call.project_id,),
            )

        await tower.db.write(assign)
        pm = limited(call)
        found = await overview(pm, call.project_id, other.project_id)
        assert found.selected_project_ids == [call.project_id]
        assert "Чужое" not in msgspec.json.encode(found).decode()
        with pytest.raises(ProjectsNotFound):
            await overview(pm, other.project_id)
        with pytest.raises(ProjectNotFound):
            await read_portfolio_messages(pm, MessagesQuery(project_id=other.project_id))
        assert (
            "Чужое" in msgspec.json.encode(await overview(call, call.project_id, other.project_id)).decode()
        ), "what the owner sees is not what is kept for others"
        assert (await overview(pm, call.project_id, other.project_id)).selected_project_ids == [
            call.project_id
        ]


class TestFigures:
    async def test_a_new_project_is_computed_live(self, call, fill, another):
        """Fault absent: new projects missing until the next job."""
        _, there = await another()
        await there.deal("Сайт", "proposal", 10_000.0)
        await there.message(await there.conversation(), "Привет", there.clock.now())
        found = await overview(call, call.project_id, there.project.id)
        row = next(r for r in found.dashboard.by_project if r.project_id == there.project.id)
        assert (row.messages_7d, row.attio_pipeline_amount, row.expected_revenue) == (1, 10_000.0, 5_000.0)
        assert found.dashboard.totals.selected_projects == 2
        assert len(found.offers.discount_policy) == 2

    async def test_expected_is_less_than_the_pipeline(self, call, fill):
        """Fault absent: expected revenue is effectively the pipeline."""
        await fill.deal("Сайт", "proposal", 10_000.0, probability=0.3)
        await fill.deal("Логотип", "won", 5_000.0, probability=1.0)
        row = (await overview(call)).dashboard.by_project[0]
        assert (row.attio_pipeline_amount, row.expected_revenue) == (10_000.0, 3_000.0)

    async def test_nothing_is_counted_three_times(self, call, fill):
        """Fault absent: trend and burn tripled."""
        from ctower_desktop.insight.analytics.actions import add_cost, refresh_analytics
        from ctower_desktop.insight.analytics.model import NewEntry, RefreshAnalytics

        await fill.deal("Сайт", "proposal", 10_000.0, probability=0.3, expected_close_date="2026-12-01")
        await add_cost(call, NewEntry(entry_type="cost", amount=1_500.0, currency="EUR", date="2026-11-18"))
        await add_cost(call, NewEntry(entry_type="budget", amount=4_000.0, currency="EUR", date="2026-11-17"))
        await refresh_analytics(call, RefreshAnalytics())
        found = await overview(call)
        (month,) = found.dashboard.trend
        assert (month.pipeline_amount, month.expected_revenue, month.costs_amount) == (
            10_000.0,
            3_000.0,
            1_500.0,
        )
        (week,) = found.dashboard.charts.burn_vs_budget
        assert (week.point, week.burn, week.budget) == ("2026-11-16", 1_500.0, 4_000.0)
        assert found.finances.charts.burn_rate_trend == [week]
        assert found.finances.totals.costs_amount == 1_500.0

    async def test_money_is_never_added_across_currencies(self, call, fill):
        """Fault absent: currencies ignored in sums."""
        await fill.deal("Сайт", "proposal", 10_000.0, currency="EUR")
        await fill.deal("Логотип", "proposal", 2_000.0, currency="EUR")
        await fill.deal("Склад", "proposal", 900_000.0, currency="RUB")
        await fill.offer("Оферта", 7_000.0, "signed", currency="USD")
        money = (await overview(call)).finances
        assert (money.totals.currency, money.totals.pipeline_amount, money.totals.signed_total) == (
            "EUR", 12_000.0, 0.0,
        )  # fmt: skip
        assert {m.currency: (m.pipeline_amount, m.signed_total) for m in money.by_currency} == {
            "EUR": (12_000.0, 0.0), "RUB": (900_000.0, 0.0), "USD": (0.0, 7_000.0),
        }  # fmt: skip

    async def test_a_project_is_told_in_its_own_currency_whatever_stands_beside_it(self, call, fill, another):
        """Fault absent: a client's money and worth depended on who was chosen beside it."""
        other, there = await another()
        for number in range(3):
            await fill.deal(f"Сайт {number}", "proposal", 1_000_000.0, currency="RUB")
        await there.deal("Portal", "proposal", 57_000.0, currency="EUR")
        alone = (await overview(other)).dashboard.by_project[0]
        both = await overview(call, call.project_id, other.project_id)
        beside = next(row for row in both.dashboard.by_project if row.project_id == other.project_id)
        assert beside == alone
        assert (beside.currency, beside.expected_revenue) == ("EUR", 28_500.0)
        assert (both.dashboard.totals.currency, both.dashboard.totals.expected_revenue) == (
            "RUB",
            1_500_000.0,
        )
        rows = {row.project_id: (row.currency, row.expected_revenue) for row in both.finances.by_project}
        assert rows == {call.project_id: ("RUB", 1_500_000.0), other.project_id: ("EUR", 28_500.0)}
        charts = both.finances.charts
        assert [one.value for one in charts.revenue_by_project] == [1_500_000.0], "one currency in a chart"
        worth = {row.project_id: row.client_value_score for row in both.offers.discount_policy}
        assert worth[other.project_id] == alone.client_value_score

    async def test_a_cause_is_told_once(self, call, fill):
        """A pattern is not told beside the open risk of the same cause."""
        await fill.risk("Работа стоит", dedupe_key="blocked_work")
        for key in ("blocked_work", "scope_growth"):
            await fill.row(
                "risk_pattern", id=f"p-{key}", pattern_key=key, title=key, weight=0.5, status="open",
                mitigation_playbook="{}", evidence_refs="[]", created_at=fill.ago(days=1),
                updated_at=fill.ago(days=1),
            )  # fmt: skip
        found = [(card.source, card.title) for card in (await overview(call)).risks]
        assert sorted(found) == [("risk_pattern", "scope_growth"), ("risk_radar", "Работа стоит")]

    async def test_the_funnel_has_all_six_stages(self, call, fill):
        for stage in ("Proposal sent", "won", "lost"):
            await fill.deal(stage, stage, 1_000.0)
        nodes = (await overview(call)).finances.charts.funnel_nodes
        assert [(node.stage, node.opportunities) for node in nodes] == [
            ("discovery", 0), ("qualified", 0), ("proposal", 1), ("negotiation", 0), ("won", 1), ("lost", 1),
        ]  # fmt: skip

    async def test_worth_follows_health_talk_money_and_risk(self, call, fill):
        """The vector (12000, 8, 98, 1) → 92."""
        await fill.deal("Сайт", "proposal", 24_000.0, probability=0.5)
        talk = await fill.conversation(await fill.contact())
        for number in range(8):
            await fill.message(talk, f"Сообщение {number}", fill.ago(hours=number))
        await fill.health(98, "2026-11-20")
        await fill.risk("Срок")
        found = await overview(call)
        assert found.dashboard.by_project[0].client_value_score == 92
        assert found.offers.discount_policy[0].max_discount_pct == 18

    async def test_refreshing_risk_again_and_again_does_not_lower_worth(self, call, fill):
        """Fault absent: every risk refresh lowers the value of the client."""
        await fill.signal("Срыв", 5)
        await refresh_risk(call)
        first = (await overview(call)).dashboard.by_project[0].client_value_score
        for _ in range(4):
            await refresh_risk(call)
        assert (await overview(call)).dashboard.by_project[0].client_value_score == first


class TestCards:
    async def test_newest_messages_of_all_projects_without_private_notes(self, call, fill, another):
        """Fault absent: private notes in portfolio messages."""
        _, there = await another("Яблоко")
        mine, theirs = await fill.conversation(), await there.conversation()
        for number in range(8):
            await fill.message(mine, f"моё {number}", fill.ago(hours=2 * number))
            await there.message(theirs, f"их {number}", fill.ago(hours=2 * number + 1))
        await fill.message(mine, "Тайна", fill.ago(minutes=1), private=1, incoming=False)
        await fill.message(mine, "x" * 900, fill.ago(minutes=2))
        found = (await overview(call, call.project_id, there.project.id, message_limit=6)).messages
        texts = [card.content[:5] for card in found]
        assert texts == ["моё 0", "xxxxx", "их 0", "моё 1", "их 1", "моё 2"]
        assert len(found[1].content) == 600

    async def test_agreements_come_from_messages(self, call, fill):
        """Fault absent: agreements only from audited evidence."""
        talk = await fill.conversation(await fill.contact())
        said = ["ДОГОВОРИЛИСЬ на пятницу", "Мы согласовали макет", "не согласны с ценой",
                "We agreed on the scope",
                "committee meets", "просто привет", "Срок — 5 декабря", "срочно позвоните", "No deadline yet",
                "Условия прежние"]  # fmt: skip
        for number, text in enumerate(said):
            await fill.message(talk, text, fill.ago(hours=number))
        await fill.message(talk, "Тайный договор", fill.ago(hours=1), private=1)
        found = (await overview(call)).agreements
        assert [card.summary for card in found] == [
            "ДОГОВОРИЛИСЬ на пятницу", "Мы согласовали макет", "We agreed on the scope", "Срок — 5 декабря",
            "Условия прежние",
        ]  # fmt: skip
        assert {card.source_table for card in found} == {"cw_messages"}

    async def test_risks_signals_and_patterns_together_worst_first(self, call, fill):
        await fill.risk("Средний", 3)
        await fill.risk("Закрытый", 5, status="closed", closed_at="x", closed_by="user")
        await fill.signal("Критичный", 5)
        await fill.signal("Слабый", 3)
        await fill.signal("Отклонён", 5, status="dismissed")
        await fill.row(
            "risk_pattern", id="p-1", pattern_key="k", title="Узор", weight=0.8, status="open",
            mitigation_playbook="{}", created_at="a", updated_at="a",
        )  # fmt: skip
        cards = (await overview(call)).risks
        assert [(c.title, c.severity, c.source) for c in cards] == [
            ("Критичный", 5, "signal"), ("Узор", 4, "risk_pattern"), ("Средний", 3, "risk_radar"),
        ]  # fmt: skip

    async def test_the_suggested_discount_is_the_one_suggested(self, call, fill):
        """Fault absent: suggested discount always zero."""
        await fill.row(
            "upsell_opportunity", id="u-1", source_kind="conversation", source_ref="cw:1", title="Апгрейд",
            rationale="Просят", score=0.72, dedupe_key="u", last_seen_at="a", created_at="a", updated_at="a",
            suggested_offer_payload='{"template":"expansion_offer_v1","discount_recommendation_pct":5}',
        )  # fmt: skip
        (card,) = (await overview(call)).offers.upsell
        assert card.suggested_discount_pct == 5.0

    async def test_people_with_an_address(self, call, fill):
        await fill.contact("Анна", "anna@acme.io")
        await fill.contact("Анна 2", "ANNA@acme.io")
        await fill.contact("Борис", "")
        await fill.contact("Вера", None)
        await fill.contact("Ушёл", "gone@acme.io", deleted_at="x", deleted_reason="gone")
        loops = (await overview(call)).loops
        assert (loops.contacts_with_email, loops.unique_emails) == (2, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Договорённость есть", True), ("по договору", True), ("не договорились", False), ("Согласен!", True),
     ("agreed", True), ("we do not agree", False), ("committed to Friday", True), ("committee", False),
     ("в срок", True), ("сорок", False), ("срочно", False), ("дедлайн горит", True), ("", False),
     ("deadlines moved", True), ("обусловлено", False)],
)  # fmt: skip
def test_words_of_agreement(text, expected):
    assert speaks_of_agreement(text) is expected


class TestTalk:
    async def talk(self, call, **values):
        return await read_portfolio_messages(call, MessagesQuery(project_id=call.project_id, **values))

    async def test_a_project_must_be_named(self, call):
        """T33."""
        for query, error in (
            (MessagesQuery(), ProjectIdRequired),
            (MessagesQuery(project_id="x"), InvalidUuid),
            (MessagesQuery(project_id="00000000-0000-4000-8000-00000000dead"), ProjectNotFound),
        ):
            with pytest.raises(error):
                await read_portfolio_messages(call, query)

    async def test_another_scope_is_not_found(self, call, another):
        foreign, _ = await another("Elsewhere", scope="second")
        with pytest.raises(ProjectNotFound):
            await read_portfolio_messages(call, MessagesQuery(project_id=foreign.project_id))

    async def test_the_newest_messages_in_the_order_they_were_written(self, call, fill):
        """Fault absent: long threads show the oldest messages."""
        contact = await fill.contact("Анна")
        talk = await fill.conversation(contact)
        for number in range(30):
            await fill.message(talk, f"{number}", fill.ago(hours=30 - number), incoming=number % 2 == 0,
                               sender_name="Мария")  # fmt: skip
        await fill.message(talk, "Тайна", fill.ago(minutes=5), private=1, incoming=False)
        found = await self.talk(call, limit=20)
        assert [m.content for m in found.messages] == [str(n) for n in range(10, 30)]
        assert (found.messages[0].author_name, found.messages[1].author_name) == ("Анна", "Мария")
        assert {m.channel for m in found.messages} == {"chatwoot"}

    async def test_people_by_name_and_the_chosen_one(self, call, fill):
        await fill.contact("Яна")
        first = await fill.contact("Анна")
        mail = await fill.contact(None, "boris@acme.io")
        chosen = await fill.contact("Вера")
        await fill.message(await fill.conversation(chosen), "от Веры")
        found = await self.talk(call)
        assert found.selected_contact_global_id == mail, "a Latin address sorts before Cyrillic names"
        assert [p.person_name for p in found.persons] == ["boris@acme.io", "Анна", "Вера", "Яна"]
        found = await self.talk(call, contact_global_id=chosen)
        assert [m.content for m in found.messages] == ["от Веры"]
        found = await self.talk(call, contact_global_id="cwc:nobody")
        assert found.selected_contact_global_id == mail
        assert first

    async def test_somebody_beyond_the_first_two_hundred_can_be_chosen(self, call, fill, tower):
        contacts = [await fill.contact(f"Имя {number:03}") for number in range(203)]
        found = await self.talk(call, contact_global_id=contacts[202])
        assert len(found.persons) == 200
        assert found.selected_contact_global_id == contacts[202]

    async def test_files_come_along_eight_at_most(self, call, fill):
        talk = await fill.conversation(await fill.contact())
        message = await fill.message(talk, "Файлы")
        for number in range(10):
            await fill.row(
                "attachment", id=f"att-{number}", message_global_id=message, conversation_global_id=talk,
                content_type="image/png", file_url=f"https://files.example/макет-{number}.png?x=1",
            )  # fmt: skip
        (said,) = (await self.talk(call)).messages
        assert [f.name for f in said.attachments] == [f"макет-{n}.png" for n in range(8)]

    async def test_a_contact_of_another_project_is_nobody_here(self, call, fill, another):
        _, there = await another()
        stranger = await there.contact("Чужой")
        await there.message(await there.conversation(stranger), "Чужое")
        found = await self.talk(call, contact_global_id=stranger)
        assert (found.selected_contact_global_id, found.messages) == (None, [])


async def test_callers_of_any_kind_may_ask(call):
    plain = Caller(call.tower, call.asking, call.who, call.project)
    assert (await overview(plain)).selected_project_ids == [call.project_id]
