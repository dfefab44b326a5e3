"""Chances to sell more: deals by amount, clients' words, decisions."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.signals import radar
from ctower_desktop.insight.signals.actions import (
    list_upsell_chances,
    refresh_upsell_radar,
    set_upsell_status,
)
from ctower_desktop.insight.signals.model import ListByStatus, SetUpsellStatus


async def run(call):
    return (await refresh_upsell_radar(call)).result


async def chances(call, **query):
    return (await list_upsell_chances(call, ListByStatus(**query))).opportunities


@pytest.mark.parametrize(("amount", "score"), [(20_001, 0.85), (20_000, 0.78), (10_001, 0.78), (5_001, 0.70),
                                               (5_000, 0.60), (0, 0.60), (None, 0.60)])  # fmt: skip
async def test_tiers(call, sources, amount, score):
    """T25: tiers of deals by amount."""
    await sources.deal(1, amount=amount)
    assert (await run(call)).touched == 1
    (found,) = await chances(call)
    assert found.score == score
    assert radar.tier(amount) == score
    assert found.suggested_offer_payload["template"] == "attio_expansion_track"
    assert found.suggested_offer_payload["anchor_opportunity_id"] == "d1"
    assert (found.account_external_id, found.suggested_outbound_payload["channel"]) == ("co1", "email")


@pytest.mark.parametrize(
    ("amount", "currency", "score"),
    [(65_000.0, "RUB", 0.60), (2_500_000.0, "RUB", 0.85), (18_500.0, "EUR", 0.78), (18_500.0, None, 0.78)],
)
async def test_what_is_large_depends_on_the_currency(call, sources, amount, currency, score):
    """Fault absent: amounts of all currencies were compared as if they were one."""
    await sources.deal(1, amount=amount, currency=currency)
    await run(call)
    assert [found.score for found in await chances(call)] == [score]


async def test_a_chance_is_told_in_plain_words_of_one_language(call, sources):
    await sources.deal(1, title="Сайт «Брусники»", amount=540_000.0, currency="RUB", stage="Negotiation")
    await sources.deal(2, title="Carrier portal", amount=57_040.0, currency="EUR", stage="Proposal sent")
    await run(call)
    assert {c.rationale.replace("\N{NO-BREAK SPACE}", " ") for c in await chances(call)} == {
        "The deal “Carrier portal” of 57,040 EUR is open, the offer is out: a good time to offer more.",
        "Сделка «Сайт „Брусники“» на 540 000 RUB в работе, идут переговоры: время предложить больше.",
    }


@pytest.mark.parametrize(("stage", "seen"), [("Qualified", True), ("proposal sent", True),
                                             ("Negotiation", True),
                                             ("Lead", False), ("Won", False), ("Lost", False)])  # fmt: skip
async def test_stages(call, sources, stage, seen):
    await sources.deal(1, stage=stage)
    assert (await run(call)).generated_candidates == seen


async def test_the_discount_is_where_it_is_looked_for(call, sources):
    """Fault absent: the suggested discount is read from a key that nobody writes."""
    await sources.deal(1)
    await sources.say(await sources.talk(1), "Хотим расширить", hours=1)
    await run(call)
    assert [c.suggested_offer_payload["discount_pct"] for c in await chances(call)] == [5, 5]


class TestWords:
    async def test_one_chance_a_conversation(self, call, sources):
        talk = await sources.talk(1)
        first = await sources.say(talk, "Хотим расширить поддержку", hours=3)
        second = await sources.say(talk, "И нужен новый модуль", hours=2)
        await sources.say(talk, "Предлагаем апгрейд", who="user", hours=1)
        assert (await run(call)).touched == 1
        (found,) = await chances(call)
        assert (found.score, found.evidence_refs) == (0.74, [second, first, talk])
        assert found.suggested_offer_payload["template"] == "expansion_offer_v1"
        assert found.suggested_offer_payload["discount_recommendation_pct"] == 5
        assert found.suggested_outbound_payload["channel"] == "chatwoot"
        assert found.suggested_outbound_payload["conversation_global_id"] == talk
        again = await run(call)
        assert (again.touched, again.created) == (1, 0)

    async def test_one_message_is_worth_what_the_rules_say(self, call, sources):
        await sources.say(await sources.talk(1), "We need an add-on", days=20)
        await sources.say(await sources.talk(2), "We need an add-on", days=22)
        await run(call)
        (found,) = await chances(call)
        assert found.score == 0.72

    async def test_a_message_that_is_gone_asks_for_nothing(self, call, sources):
        message = await sources.say(await sources.talk(1), "Хотим расширить", hours=1)
        await run(call)
        await sources.delete(message)
        await run(call)
        (found,) = await chances(call)
        assert found.status == "dismissed"


class TestDecisions:
    @pytest.mark.parametrize("status", ["dismissed", "converted"])
    async def test_what_was_decided_is_not_touched(self, call, sources, status):
        await sources.deal(1, amount=6_000.0)
        await run(call)
        (found,) = await chances(call)
        await set_upsell_status(call, found.id, SetUpsellStatus(status))
        await sources.deal(1, amount=60_000.0)
        assert (await run(call)).touched == 0
        (after,) = await chances(call)
        assert (after.status, after.score) == (status, 0.7)

    async def test_an_accepted_one_is_renewed(self, call, sources):
        await sources.deal(1, amount=6_000.0)
        await run(call)
        (found,) = await chances(call)
        await set_upsell_status(call, found.id, SetUpsellStatus("accepted"))
        await sources.deal(1, amount=60_000.0, title="Сайт побольше")
        await run(call)
        (after,) = await chances(call, status="accepted")
        assert (after.score, after.id) == (0.85, found.id)

    @pytest.mark.parametrize(("stage", "status"), [("Won", "converted"), ("Lost", "dismissed")])
    async def test_a_deal_that_is_over_closes_its_chance_and_back_again(self, call, sources, stage, status):
        await sources.deal(1)
        await run(call)
        await sources.deal(1, stage=stage)
        assert (await run(call)).closed == 1
        assert [c.status for c in await chances(call)] == [status]
        await sources.deal(1, stage="Negotiation")
        await run(call)
        assert [c.status for c in await chances(call)] == ["proposed"]

    async def test_a_client_who_asks_again_weeks_after_a_no(self, call, sources, clock):
        talk = await sources.talk(1)
        await sources.say(talk, "Хотим расширить", hours=1)
        await run(call)
        (found,) = await chances(call)
        await set_upsell_status(call, found.id, SetUpsellStatus("dismissed"))
        clock.advance(10 * 86_400)
        await sources.say(talk, "Хотим расширить", hours=1)
        await run(call)
        assert [c.status for c in await chances(call)] == ["dismissed"]
        clock.advance(40 * 86_400)
        await sources.say(talk, "Всё-таки хотим расширить", hours=1)
        await run(call)
        assert [c.status for c in await chances(call)] == ["proposed"]

    async def test_another_project_sees_nothing(self, call, sources, other):
        await sources.deal(1)
        await run(call)
        await run(other.call)
        assert await chances(other.call) == []
