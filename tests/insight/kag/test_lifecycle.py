"""From the event log to recommendations and what becomes of them, through the actions."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.analytics.actions import add_cost
from ctower_desktop.insight.analytics.model import NewEntry
from ctower_desktop.insight.analytics.settings import AnalyticsSettings
from ctower_desktop.insight.kag import store
from ctower_desktop.insight.kag.actions import (
    KeepDay,
    ListEvents,
    ListOldRecommendations,
    ListOutcomes,
    ListScores,
    ListSignals,
    ListSnapshots,
    ReadForecast,
    RefreshForecast,
    list_kag_scores,
    list_kag_signals,
    list_log_events,
    list_old_recommendations,
    list_outcomes,
    list_snapshots,
    read_kag_forecast,
    refresh_forecast,
    refresh_kag,
    refresh_snapshot,
)
from ctower_desktop.insight.kag.model import InvalidFeedback, InvalidStatus, RecommendationNotFound
from ctower_desktop.insight.kag.recommendation_actions import (
    ListRecommendations,
    NoteShown,
    SetFeedback,
    SetStatus,
    list_recommendations,
    note_shown,
    rate_recommendation,
    refresh_recommendations,
    set_recommendation_status,
)
from ctower_desktop.insight.kag.settings import Kag
from ctower_desktop.kernel.errors import Invalid

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def signals(call):
    found = (await list_kag_signals(call, ListSignals())).signals
    return {signal.signal_key: signal for signal in found}


async def v2(call, **query):
    return (await list_recommendations(call, ListRecommendations(**query))).recommendations


async def v1(call, status=""):
    return (await list_old_recommendations(call, ListOldRecommendations(status=status))).recommendations


async def audited(tower, action):
    return await tower.db.read(
        lambda db: [r[0] for r in db.execute("SELECT payload FROM audit_event WHERE action = ?", (action,))]
    )


async def test_a_refresh_of_an_empty_project_measures_and_recommends_nothing(call):
    found = (await refresh_kag(call)).result
    assert (found.enabled, found.processed_events, found.last_event_id) == (True, 0, None)
    assert (found.touched_signals, found.touched_scores, found.generated_recommendations) == (10, 4, 0)
    assert found.snapshot.publishable is False
    assert found.forecast.touched == 4
    assert found.recommendations_v2.recommendations == []
    scores = {s.score_type: s for s in (await list_kag_scores(call, ListScores())).scores}
    assert (scores["project_health"].score, scores["project_health"].level) == (100, "low")
    assert (await read_kag_forecast(call, ReadForecast())).forecasts == [], "nothing stands on nothing"
    hidden = (await read_kag_forecast(call, ReadForecast(include_unpublished=True))).forecasts
    assert [f.risk_type for f in hidden] == ["client_risk", "delivery_risk", "finance_risk", "scope_risk"]


async def test_the_event_log_feeds_the_signals(call, log):
    """Fault absent: nothing in the original ever produced the events, and its tables stayed empty."""
    await log.silence(4)
    found = (await refresh_kag(call)).result
    assert found.processed_events == 2
    assert found.last_event_id is not None
    waiting = (await signals(call))["waiting_on_client_days"]
    assert (waiting.value, waiting.status) == (4, "critical")
    (old,) = await v1(call)
    assert (old.category, old.priority, old.status) == ("waiting_on_client", 5, "proposed")
    assert old.suggested_template_key == "waiting_on_client_follow_up"
    assert "4 days" in old.suggested_template
    (new,) = await v2(call)
    assert (new.category, new.status, new.evidence_gate_status) == ("waiting_on_client", "new", "visible")
    assert new.due_date == "2026-11-21"
    assert new.links == [f"chatwoot://message/{ref.message_id}" for ref in new.evidence_refs]
    assert new.forecast_snapshot["client_risk"]["probability_7d"] >= 0.465


async def test_what_was_read_is_not_read_again(call, log, clock):
    await log.silence(4)
    await refresh_kag(call)
    clock.advance(3_600)
    again = (await refresh_kag(call)).result
    assert again.processed_events == 0
    assert (await signals(call))["waiting_on_client_days"].value == pytest.approx(4.0417)


async def test_a_long_log_is_read_in_steps(call, log, tower):
    """A thousand lines a transaction: nobody else waits for the database."""

    def fill(db):
        db.execute(
            """
            INSERT INTO connector_event (project_id, account_scope_id, event_type, occurred_at, actor, source,
                source_ref, source_message_id, payload_json, dedupe_key, created_at)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
            SELECT :p, :s, 'message_sent',
                   strftime('%Y-%m-%dT%H:%M:%fZ', '2026-11-20', '-' || i || ' minutes'), 'client', 'chatwoot',
                   'r' || i, 'm' || i, '{"snippet":"hi"}', 'k' || i, '2026-11-20T00:00:00.000Z'
            FROM n
            """,
            {"p": log.project.id, "s": log.project.account_scope_id},
        )

    await tower.db.write(fill)
    found = (await refresh_kag(call)).result
    assert found.processed_events == 2_500
    events = await list_log_events(call, ListEvents(limit=2000))
    assert len(events.events) == 2_000
    assert events.events[0].occurred_at > events.events[-1].occurred_at


async def test_a_changed_figure_updates_the_open_story(call, log, clock):
    """Fault absent: a changed trigger value made another row (v2 upsert key with rounded values)."""
    await log.silence(2.5)
    await refresh_kag(call)
    (first,) = await v2(call)
    clock.advance(86_400)
    await refresh_kag(call)
    (second,) = await v2(call, include_hidden=True)
    assert second.id == first.id
    assert second.created_at == first.created_at
    assert second.signal_snapshot["waiting_on_client_days"] == 3.5
    assert second.title != first.title
    assert second.due_date == first.due_date, "a day that was set does not slide"


@pytest.mark.parametrize("status", ["acknowledged", "done", "dismissed"])
async def test_a_refresh_keeps_what_was_decided(call, log, clock, status):
    """Fault absent: an acknowledged recommendation fell back to new with the next refresh."""
    await log.silence(3)
    await refresh_kag(call)
    (found,) = await v2(call)
    await set_recommendation_status(call, found.id, SetStatus(status=status))
    for _ in range(2):
        clock.advance(40_000)
        await refresh_kag(call)
    (after,) = await v2(call)
    assert (after.id, after.status) == (found.id, status)


async def test_the_first_kind_keeps_its_status_too(call, log, clock, tower):
    """Fault absent: a refresh reset the status of v1 recommendations."""
    await log.silence(3)
    await refresh_kag(call)
    (found,) = await v1(call)
    await tower.db.write(lambda db: db.execute("UPDATE kag_recommendation SET status = 'accepted'"))
    clock.advance(86_400)
    await refresh_kag(call)
    (after,) = await v1(call, "accepted")
    assert after.id == found.id
    assert after.priority == 5
    assert await v1(call, "proposed") == []


async def test_a_story_ends_with_its_cause_and_the_next_one_is_new(call, log, clock):
    await log.silence(3)
    await refresh_kag(call)
    (first,) = await v2(call)
    await log.said("client", "here is our answer")
    await refresh_kag(call)
    assert await v2(call) == []
    assert await v1(call) == []
    (gone,) = await v2(call, include_hidden=True)
    assert (gone.evidence_gate_status, gone.evidence_gate_reason) == ("hidden", "cause_gone")
    clock.advance(3_600)
    await log.said("team", "our question")
    clock.advance(3 * 86_400)
    await refresh_kag(call)
    (second,) = await v2(call)
    assert (second.id != first.id, second.status) == (True, "new")
    assert len(await v2(call, include_hidden=True)) == 2


async def test_a_cause_that_comes_back_at_once_was_never_gone(call, log, clock):
    for _ in range(4):
        await log.said("client", days_ago=1)
    await log.scope(days_ago=1)
    await log.scope(days_ago=1)
    await refresh_kag(call)
    found = next(r for r in await v2(call) if r.category == "scope_creep_change_request")
    await set_recommendation_status(call, found.id, SetStatus(status="dismissed"))
    for _ in range(10):
        await log.said("client")
    await refresh_kag(call)
    clock.advance(3_600)
    await log.scope()
    await log.scope()
    await refresh_kag(call)
    rows = [r for r in await v2(call, include_hidden=True) if r.category == "scope_creep_change_request"]
    assert [(r.id, r.status) for r in rows] == [(found.id, "dismissed")]


async def test_thin_evidence_hides_a_recommendation_until_there_is_more(call, log):
    await log.said("team", days_ago=3)
    await refresh_kag(call)
    assert await v2(call) == []
    (hidden,) = await v2(call, include_hidden=True)
    assert hidden.evidence_gate_reason == "insufficient_evidence_count_1_lt_2"
    await log.said("team", days_ago=2.9)
    await refresh_kag(call)
    (shown,) = await v2(call)
    assert (shown.id, shown.evidence_gate_reason) == (hidden.id, None)


async def test_deciding_stamps_and_can_be_taken_back(call, log, clock, tower):
    await log.silence(3)
    await refresh_kag(call)
    (found,) = await v2(call)
    done = (await set_recommendation_status(call, found.id, SetStatus(status="done"))).recommendation
    assert (done.status, done.completed_at, done.dismissed_at) == ("done", clock.text(), None)
    clock.advance(60)
    no = (await set_recommendation_status(call, found.id, SetStatus(status="dismissed"))).recommendation
    assert (no.completed_at, no.dismissed_at) == (None, clock.text())
    new = (await set_recommendation_status(call, found.id, SetStatus(status="new"))).recommendation
    assert (new.acknowledged_at, new.completed_at, new.dismissed_at) == (None, None, None)
    assert len(await audited(tower, "recommendation_status_updated")) == 3
    with pytest.raises(InvalidStatus):
        await set_recommendation_status(call, found.id, SetStatus(status="accepted"))
    with pytest.raises(RecommendationNotFound):
        await set_recommendation_status(call, UNKNOWN, SetStatus(status="done"))


async def test_feedback(call, log, tower):
    await log.silence(3)
    await refresh_kag(call)
    (found,) = await v2(call)
    assert found.helpful_feedback == "unknown"
    rated = (
        await rate_recommendation(call, found.id, SetFeedback(helpful="not_helpful", note="он в отпуске"))
    ).recommendation
    assert (rated.helpful_feedback, rated.feedback_note) == ("not_helpful", "он в отпуске")
    await refresh_kag(call)
    assert (await v2(call))[0].feedback_note == "он в отпуске"
    assert len(await audited(tower, "recommendation_feedback_updated")) == 1
    with pytest.raises(InvalidFeedback):
        await rate_recommendation(call, found.id, SetFeedback(helpful="yes"))
    with pytest.raises(RecommendationNotFound):
        await rate_recommendation(call, UNKNOWN, SetFeedback())


async def test_what_was_seen_is_counted(call, log, clock):
    await log.silence(3)
    await refresh_kag(call)
    (found,) = await v2(call)
    wanted = NoteShown(recommendation_ids=[found.id.upper(), UNKNOWN, "x"])
    assert [s.shown_count for s in (await note_shown(call, wanted)).shown] == [1]
    clock.advance(60)
    assert [s.shown_count for s in (await note_shown(call, wanted)).shown] == [2]
    (after,) = await v2(call)
    assert after.first_shown_at < after.last_shown_at == clock.text()


async def test_money_becomes_signals_and_a_recommendation(call):
    for kind, amount in (("budget", 10_000), ("cost", 7_000), ("cost", 5_500), ("revenue", 15_000)):
        await add_cost(call, NewEntry(entry_type=kind, amount=amount, currency="EUR", date="2026-11-10"))
    await refresh_kag(call)
    found = await signals(call)
    assert (found["budget_burn_rate"].value, found["budget_burn_rate"].status) == (1.25, "critical")
    assert found["margin_risk"].details == {"revenue": 15_000, "actual_cost": 12_500, "currency": "EUR"}
    assert all(ref.doc_url.startswith("ctower://costs/") for ref in found["margin_risk"].evidence_refs)
    (finance,) = await v2(call)
    assert (finance.category, finance.owner_role) == ("finance_risk", "finance_lead")
    assert "12500 of 10000 EUR" in finance.rationale


async def test_money_in_another_currency_is_not_added(call):
    for currency, amount in (("EUR", 100), ("EUR", 100), ("RUB", 90_000)):
        await add_cost(call, NewEntry(entry_type="cost", amount=amount, currency=currency, date="2026-11-10"))
    await add_cost(call, NewEntry(entry_type="budget", amount=400, currency="EUR", date="2026-11-10"))
    await call.tower.settings.change(AnalyticsSettings, {"currency": "EUR"})
    await refresh_kag(call)
    assert (await signals(call))["budget_burn_rate"].value == 0.5


async def test_a_day_is_kept_once_and_what_went_wrong_on_it(call, log, clock):
    """Fault absent: outcomes of a day were told apart by their figures, so each refresh added more."""
    await log.silence(5)
    first = (await refresh_snapshot(call, KeepDay())).result
    assert (first.snapshot_date, first.signals_count, first.scores_count) == ("2026-11-20", 10, 4)
    assert first.key_aggregates["events_7d"] == 2
    assert first.key_aggregates["events_by_source_14d"] == {"chatwoot": 2}
    clock.advance(3_600)
    await refresh_snapshot(call, KeepDay())
    (day,) = (await list_snapshots(call, ListSnapshots())).snapshots
    assert day.normalized_signals_json["waiting_on_client_days"] == 1
    assert day.publishable is True
    (wrong,) = (await list_outcomes(call, ListOutcomes())).outcomes
    assert (wrong.outcome_type, wrong.severity) == ("client_risk", 4)
    assert wrong.occurred_at == "2026-11-20T23:59:59.000Z"
    assert (await list_outcomes(call, ListOutcomes(outcome_type="scope_risk"))).outcomes == []


async def test_a_lost_deal_becomes_an_outcome(call, log):
    payload = {"title": "Redesign", "from_stage": "Proposal", "to_stage": "Closed Lost"}
    await log.add("deal_stage_changed", source="attio", source_attio_record_id="d1", payload=payload)
    await refresh_snapshot(call, KeepDay())
    (wrong,) = (await list_outcomes(call, ListOutcomes())).outcomes
    assert (wrong.outcome_type, wrong.severity, wrong.notes) == ("client_risk", 4, "Redesign: Closed Lost")
    assert wrong.source_event_id is not None


async def test_days_that_stand_on_nothing_are_shown_only_if_asked_for(call):
    await refresh_snapshot(call, KeepDay(snapshot_date="2026-11-19"))
    assert (await list_snapshots(call, ListSnapshots())).snapshots == []
    found = (await list_snapshots(call, ListSnapshots(include_unpublished=True))).snapshots
    assert [day.snapshot_date for day in found] == ["2026-11-19"]


@pytest.mark.parametrize("day", ["2026-11-21", "yesterday", "2026-13-01"])
async def test_only_days_that_were_can_be_kept(call, day):
    with pytest.raises(Invalid) as refused:
        await refresh_snapshot(call, KeepDay(snapshot_date=day))
    assert refused.value.issues[0].path == "snapshot_date"


@pytest.mark.parametrize(
    ("switch", "field"),
    [
        ("snapshots", "snapshot"),
        ("forecasting", "forecast"),
        ("recommendations_v2", "recommendations_v2"),
    ],
)
async def test_switches_leave_out_single_steps(call, log, tower, switch, field):
    await log.silence(4)
    await tower.settings.change(Kag, {switch: False})
    found = (await refresh_kag(call)).result
    steps = {name: getattr(found, name) for name in ("snapshot", "forecast", "recommendations_v2")}
    assert {name for name, value in steps.items() if value is None} == {field}


async def test_switched_off_everything_still_answers(call, log, tower):
    await log.silence(4)
    await refresh_kag(call)
    await tower.settings.change(Kag, {"enabled": False})
    found = (await refresh_kag(call)).result
    assert (found.enabled, found.skipped, found.processed_events) == (False, "kag_disabled", 0)
    assert len(await v2(call)) == 1
    assert len(await signals(call)) == 10
    assert (await refresh_recommendations(call)).result.generated == 1
    assert (await refresh_forecast(call, RefreshForecast())).result.touched == 4


async def test_without_the_first_kind(call, log, tower):
    await log.silence(4)
    await tower.settings.change(Kag, {"recommendations": False})
    found = (await refresh_kag(call)).result
    assert (found.recommendations_enabled, found.generated_recommendations) == (False, 0)
    assert await v1(call) == []


async def test_the_gate_follows_the_settings(call, log, tower):
    await log.said("team", days_ago=3)
    await tower.settings.change(Kag, {"evidence_min_count": 1})
    await refresh_kag(call)
    assert len(await v2(call)) == 1


async def test_the_overview(call, log, tower, project):
    empty = await tower.db.read(store.summary, project.id)
    assert (empty.health, empty.signals, empty.recommendations) == (None, [], [])
    await log.silence(4)
    await refresh_kag(call)
    found = await tower.db.read(store.summary, project.id)
    assert found.health == 91.73  # an answer after 144 minutes costs 1.6
    assert [s.signal_key for s in found.signals] == ["waiting_on_client_days"]
    assert [f.risk_type for f in found.forecasts] == ["client_risk", "scope_risk"]
    assert [r.category for r in found.recommendations] == ["waiting_on_client"]
    await set_recommendation_status(call, found.recommendations[0].id, SetStatus(status="done"))
    assert (await tower.db.read(store.summary, project.id)).recommendations == []


async def test_events_by_kind_and_source(call, log):
    await log.silence(1)
    await log.add("issue_created", source="linear", days_ago=2)
    found = await list_log_events(call, ListEvents())
    assert [e.event_type for e in found.events] == ["message_sent", "message_sent", "issue_created"]
    by_type = await list_log_events(call, ListEvents(type="issue_created"))
    assert [e.source for e in by_type.events] == ["linear"]
    assert len((await list_log_events(call, ListEvents(source="chatwoot", limit=1, offset=1))).events) == 1
    assert (await list_log_events(call, ListEvents(type="message_sent", source="linear"))).events == []
