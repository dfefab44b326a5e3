"""Similar projects, and that nobody learns of projects they may not see (T14)."""

from __future__ import annotations

import pytest

from ctower_desktop.insight.kag.actions import (
    FindSimilar,
    KeepDay,
    ReadForecast,
    Rebuild,
    RefreshForecast,
    find_similar_cases,
    read_kag_forecast,
    rebuild_similarity,
    refresh_forecast,
    refresh_kag,
    refresh_snapshot,
)
from ctower_desktop.insight.kag.model import RecommendationNotFound
from ctower_desktop.insight.kag.recommendation_actions import (
    ListRecommendations,
    NoteShown,
    SetFeedback,
    SetStatus,
    list_recommendation_actions,
    list_recommendations,
    note_shown,
    rate_recommendation,
    refresh_recommendations,
    set_recommendation_status,
)
from ctower_desktop.kernel.errors import InvalidUuid
from ctower_desktop.kernel.tower import Asking, Scoped, Who
from ctower_desktop.projects.model import ProjectNotFound


async def silent_case(elsewhere, name: str, days: float, scope: str | None = None):
    """Another project that lost its client's attention, with its day kept and its signature made."""
    call, log = await elsewhere(name, scope)
    await log.silence(days)
    await refresh_kag(call)
    await rebuild_similarity(call, Rebuild())
    return call


def seen_by(call, *allowed: str, role="pm"):
    """The same call by somebody who is assigned to some projects only."""
    who = Who(username="anna", role=role, kind="session", user_id="11111111-1111-4111-8111-111111111111")
    return Scoped(call.tower, Asking(request_id="test"), who, call.project)


@pytest.fixture
async def anna(tower, call):
    """Assign Anna to projects."""

    def user(db):
        db.execute(
            "INSERT INTO app_user (id, username, password_hash, role, created_at, updated_at) "
            "VALUES ('11111111-1111-4111-8111-111111111111', 'anna', '$x', 'pm', '', '')"
        )

    await tower.db.write(user)

    async def assign(*calls):
        def write(db):
            for each in calls:
                db.execute(
                    "INSERT INTO project_assignment (id, user_id, project_id, assigned_at, assigned_by) "
                    "VALUES (?, '11111111-1111-4111-8111-111111111111', ?, '', 'test')",
                    (each.project_id, each.project_id),
                )

        await tower.db.write(write)

    return assign


async def test_without_days_there_is_nothing_to_compare(call):
    assert (await find_similar_cases(call, FindSimilar())).all == []
    found = (await rebuild_similarity(call, Rebuild())).result
    assert [(each.window_days, each.skipped) for each in found] == [
        (7, "no_snapshots"),
        (14, "no_snapshots"),
        (30, "no_snapshots"),
    ]


async def test_signatures_are_made_for_three_windows_or_for_one(call, log):
    await log.silence(3)
    await refresh_snapshot(call, KeepDay())
    found = (await rebuild_similarity(call, Rebuild())).result
    assert [each.window_days for each in found] == [7, 14, 30]
    assert all(len(each.features) == 14 and len(each.signature_hash) == 64 for each in found)
    assert found[0].context == {"budget": "xs", "type": "delivery", "stage": "discovery"}
    (one,) = (await rebuild_similarity(call, Rebuild(window_days=14))).result
    assert one.signature_hash == found[1].signature_hash, "the same days give the same signature"


async def test_the_most_similar_projects_come_first_with_what_became_of_them(call, log, elsewhere):
    await silent_case(elsewhere, "Like", 5)
    await silent_case(elsewhere, "Unlike", 0.1)
    await log.silence(5)
    await refresh_snapshot(call, KeepDay())
    found = await find_similar_cases(call, FindSimilar())
    assert [case.case_project_name for case in found.all] == ["Like", "Unlike"]
    first = found.cases[0]
    assert first.similarity_score > found.all[1].similarity_score
    assert first.key_shared_patterns == ["message_sent>message_sent"]
    assert [o["outcome_type"] for o in first.outcomes_seen] == ["client_risk"]
    assert len((await find_similar_cases(call, FindSimilar(top_k=1))).all) == 1


async def test_what_became_of_others_raises_the_forecast_and_wins_clients_back(call, log, elsewhere):
    await log.silence(5)
    alone = (await refresh_kag(call)).result.forecast.forecasts[0]
    for n in range(3):
        await silent_case(elsewhere, f"Like {n}", 6)
    found = (await refresh_kag(call)).result
    client = found.forecast.forecasts[0]
    assert client.probability_14d > alone.probability_14d
    assert client.confidence > alone.confidence
    assert len(found.forecast.similar_cases_top3) == 3
    assert "winback" in {r.category for r in found.recommendations_v2.recommendations}


async def test_projects_of_another_scope_are_no_cases(call, log, elsewhere):
    await silent_case(elsewhere, "Foreign", 5, scope="other")
    await log.silence(5)
    await refresh_kag(call)
    assert (await find_similar_cases(call, FindSimilar())).all == []


async def test_who_may_not_see_a_project_does_not_learn_of_it(call, log, elsewhere, anna):
    hidden, known = await silent_case(elsewhere, "Hidden", 5), await silent_case(elsewhere, "Known", 5)
    await log.silence(5)
    await refresh_kag(call)
    await anna(call, known)
    limited = seen_by(call)
    names = [case.case_project_name for case in (await find_similar_cases(limited, FindSimilar())).all]
    assert names == ["Known"]
    read = await read_kag_forecast(limited, ReadForecast())
    fresh = (await refresh_forecast(limited, RefreshForecast())).result
    recommended = (await refresh_recommendations(limited)).result
    for cases in (
        read.similar_cases_top3,
        fresh.similar_cases_top3,
        recommended.similar_cases_top3,
        *(f.similar_cases for f in (*read.forecasts, *fresh.forecasts)),
    ):
        assert {case.case_project_name for case in cases} <= {"Known"}
    everything = await read_kag_forecast(call, ReadForecast())
    assert {c.case_project_name for c in everything.similar_cases_top3} == {"Hidden", "Known"}
    for asked in (
        FindSimilar(project_id=hidden.project_id),
        FindSimilar(project_id=log.project.id[:-1] + "0"),
    ):
        with pytest.raises(ProjectNotFound):
            await find_similar_cases(limited, asked)
    with pytest.raises(ProjectNotFound):
        await refresh_forecast(limited, RefreshForecast(project_id=hidden.project_id))
    with pytest.raises(ProjectNotFound):
        await rebuild_similarity(limited, Rebuild(project_id=hidden.project_id))
    with pytest.raises(InvalidUuid):
        await rebuild_similarity(limited, Rebuild(project_id="nope"))


async def test_another_visible_project_can_be_asked_about(call, elsewhere):
    other = await silent_case(elsewhere, "Other", 5)
    found = (await refresh_forecast(call, RefreshForecast(project_id=other.project_id))).result
    assert found.forecasts[0].probability_7d >= 0.465
    asked = await read_kag_forecast(call, ReadForecast(project_id=other.project_id.upper()))
    assert [f.risk_type for f in asked.forecasts] == ["client_risk", "scope_risk"]
    assert (await read_kag_forecast(call, ReadForecast())).forecasts == []


async def test_all_projects_are_those_of_the_scope_that_the_caller_may_see(call, log, elsewhere, anna):
    hidden, known = await silent_case(elsewhere, "Hidden", 4), await silent_case(elsewhere, "Known", 3)
    foreign = await silent_case(elsewhere, "Foreign", 4, scope="other")
    await log.silence(3)
    await refresh_kag(call)
    await anna(call, known, foreign)
    limited, everywhere = seen_by(call), ListRecommendations(all_projects=True)
    found = (await list_recommendations(limited, everywhere)).recommendations
    assert {r.project_name for r in found} == {"Кофейня «Север»", "Known"}
    assert all(r.project_badge_color.startswith("#") and len(r.project_badge_color) == 7 for r in found)
    assert len((await list_recommendations(call, everywhere)).recommendations) == 3
    own = (await list_recommendations(call, ListRecommendations())).recommendations
    assert {r.project_id for r in own} == {call.project_id}

    theirs = (await list_recommendations(hidden, ListRecommendations())).recommendations[0]
    for body in (SetStatus(status="done"), SetStatus(status="done", all_projects=True)):
        with pytest.raises(RecommendationNotFound):
            await set_recommendation_status(limited, theirs.id, body)
    with pytest.raises(RecommendationNotFound):
        await rate_recommendation(limited, theirs.id, SetFeedback(all_projects=True))
    with pytest.raises(RecommendationNotFound):
        await list_recommendation_actions(limited, theirs.id)
    shown = await note_shown(limited, NoteShown(recommendation_ids=[theirs.id], all_projects=True))
    assert shown.shown == []

    reachable = (await list_recommendations(known, ListRecommendations())).recommendations[0]
    with pytest.raises(RecommendationNotFound):
        await set_recommendation_status(limited, reachable.id, SetStatus(status="done"))
    done = await set_recommendation_status(limited, reachable.id, SetStatus(status="done", all_projects=True))
    assert done.recommendation.status == "done"


async def test_what_is_done_elsewhere_is_noted_there(call, elsewhere, tower):
    other = await silent_case(elsewhere, "Other", 3)
    (theirs,) = (await list_recommendations(other, ListRecommendations())).recommendations
    await set_recommendation_status(call, theirs.id, SetStatus(status="done", all_projects=True))
    rows = await tower.db.read(
        lambda db: list(
            db.execute("SELECT project_id FROM audit_event WHERE action = 'recommendation_status_updated'")
        )
    )
    assert rows == [(other.project_id,)]
