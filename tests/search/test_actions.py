"""The endpoints of search on a real tower: real files, the real model."""

import msgspec
import pytest

from ctower_desktop.kernel import check
from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.kernel.tower import AuditLine, ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from ctower_desktop.search import actions
from ctower_desktop.search.model import (
    EvidenceQuery,
    FeedbackFailed,
    InvalidDateRange,
    LightragQuery,
    NewFeedback,
    QueryRunNotFound,
    SearchQuery,
)


@pytest.fixture
async def corpus(said, indexer):
    """A small agency: two languages, three systems, a private note."""
    await said.message("Добрый день! Оплату по договору проведём в пятницу, счёт №10432 получили.")
    await said.message(
        "The launch moves to October 14 because the payment integration is not ready.", who="Bob"
    )
    await said.message("Клиент недоволен скидкой, не говорите ему о марже", private=1, who="Олег")
    await said.message("ок", who="Анна")
    issue = await said.issue(
        "ENG-42", "Checkout crashes in Safari", "Stack trace attached. Оплата не проходит."
    )
    await said.comment(issue, "Починили оплату, выкатили на staging для проверки.")
    await said.deal("Редизайн магазина", "Прислать смету на второй этап до пятницы")
    while await indexer.index_words():
        pass
    return said


async def asked(call, query, **more):
    return await actions.query_lightrag(call, LightragQuery(query=query, **more))


def sources(answer):
    return [item.source_pk for item in answer.evidence]


async def test_works_by_words_before_any_vector(call, corpus):
    answer = await asked(call, "когда оплатят договор?")
    assert answer.evidence[0].source_type == "chatwoot_message"
    assert "пятницу" in answer.evidence[0].snippet
    assert "пятницу" in answer.answer
    assert "[1]" in answer.answer
    assert answer.search_config.vectors == "unavailable"
    assert answer.search_config.degraded


async def test_an_answer_has_every_key_of_the_contract(call, corpus, indexer):
    await indexer.run(call.project_id)
    wire = msgspec.to_builtins(await asked(call, "оплата договора"))
    assert set(wire) >= {
        "query", "topK", "query_run_id", "embedding_model", "search_config", "quality_score",
        "source_diversity", "answer", "chunks", "evidence", "entities", "stats", "ranking_stats",
        "duration_ms",
    }  # fmt: skip
    assert set(wire["entities"]) == {"messages", "issues", "opportunities"}
    assert set(wire["stats"]) == {"chunks", "messages", "issues", "opportunities"}
    assert set(wire["ranking_stats"]) == {"avgScore", "maxScore", "minScore", "count"}
    first = wire["evidence"][0]
    assert set(first["_scoreBreakdown"]) == {"semantic", "recency", "authority"}
    parts = first["_scoreBreakdown"]
    expected = 0.6 * parts["semantic"] + 0.2 * parts["recency"] + 0.2 * parts["authority"]
    assert first["_score"] == pytest.approx(expected, abs=2e-4)
    assert wire["search_config"]["ivfflat_probes"] == 10
    assert "cached" not in wire
    issues = [item["metadata"] for item in wire["entities"]["issues"]]
    assert [{"state", "priority", "assignee_name", "due_date"} <= set(told) for told in issues].count(
        True
    ) == 1
    deals = (await asked(call, "смета редизайна")).entities.opportunities
    assert {"stage", "amount", "probability", "expected_close_date"} <= set(deals[0].metadata)


async def test_evidence_is_sorted_and_names_each_text_once(call, corpus, indexer):
    await indexer.run(call.project_id)
    for query in ("оплата", "payment launch October", "checkout оплата ENG-42 смета"):
        answer = await asked(call, query)
        scores = [item.score for item in answer.evidence]
        assert scores == sorted(scores, reverse=True)
        assert len(sources(answer)) == len(set(sources(answer)))


async def test_vectors_find_what_words_do_not(call, corpus, indexer):
    await indexer.run(call.project_id)
    answer = await asked(call, "When will the site be online?")
    assert "October 14" in answer.evidence[0].snippet
    assert answer.evidence[0].source_type == "rag_chunk"
    assert answer.search_config.vectors == "used"
    assert answer.chunks[0].distance is not None


async def test_an_identifier_comes_first(call, corpus, indexer):
    await indexer.run(call.project_id)
    assert (await asked(call, "что с ENG-42?")).evidence[0].source_ref == "ENG-42"
    assert "10432" in (await asked(call, "счёт №10432")).evidence[0].snippet


async def test_typos_are_read_as_the_likeliest_word(call, corpus):
    assert "пятницу" in (await asked(call, "аплата договра")).evidence[0].snippet


async def test_private_notes_only_when_asked(call, corpus, indexer):
    await indexer.run(call.project_id)
    text = "скидкой недоволен клиент маржа"
    assert not any("марже" in item.snippet for item in (await asked(call, text)).evidence)
    assert not any("марже" in chunk.text for chunk in (await asked(call, text)).chunks)
    shown = await asked(call, text, include_private=True)
    assert "марже" in shown.evidence[0].snippet


async def test_short_messages_are_found_by_words(call, corpus):
    assert [item.snippet for item in (await asked(call, "ок")).evidence] == ["ок"]


async def test_the_source_filter(call, corpus, indexer):
    await indexer.run(call.project_id)
    nothing = await asked(call, "оплата", source_filter=[])
    assert (nothing.evidence, nothing.chunks) == ([], [])
    assert nothing.answer
    issues = await asked(call, "оплата", source_filter=["issues", "wrong"])
    assert {item.source_type for item in issues.evidence} == {"linear_issue", "linear_comment"}
    assert issues.chunks == []
    only_chunks = await asked(call, "оплата", source_filter=["chunks"])
    assert only_chunks.chunks
    assert only_chunks.stats.messages == 0
    deals = await asked(call, "оплата смета", source_filter=["opportunities"])
    assert {item.source_type for item in deals.evidence} == {"attio_opportunity"}


async def test_dates_are_those_of_the_message_and_the_last_day_counts(call, said, indexer):
    await said.message("Оплата первая", at="2026-10-01T23:30:00.000Z")
    await said.message("Оплата вторая", at="2026-10-05T23:30:00.000Z")
    await indexer.run(call.project_id)
    found = await asked(call, "оплата", date_from="2026-10-02", date_to="2026-10-05")
    assert [item.snippet for item in found.evidence] == ["Оплата вторая"]
    found = await asked(call, "оплата", date_to="2026-10-01")
    assert [item.snippet for item in found.evidence] == ["Оплата первая"]
    found = await asked(call, "оплата", date_to="2026-10-01T20:00:00Z")
    assert found.evidence == []


async def test_time_words_name_days_of_the_users_own_calendar(call, said, indexer):
    await call.tower.settings.change(Regional, {"time_zone": "Europe/Moscow"})
    await said.message("Оплата прошла", at="2026-11-18T21:30:00.000Z")  # half past midnight of the 19th there
    await said.message("Оплата не прошла", at="2026-11-19T21:30:00.000Z")  # already the 20th
    await indexer.run(call.project_id)
    found = await asked(call, "что с оплатой вчера")
    assert [item.snippet for item in found.evidence] == ["Оплата прошла"]
    assert (found.period.first, found.period.last, found.period.words) == (
        "2026-11-19",
        "2026-11-19",
        "вчера",
    )
    found = await asked(call, "что с оплатой вчера", any_time=True)
    assert {item.snippet for item in found.evidence} == {"Оплата прошла", "Оплата не прошла"}
    assert found.period is None


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-10-02", "2026-10-01"), ("2026-13-45", None), ("2026-10-02T10:00:00Z", "2026-10-02T09:00:00Z")],
)
async def test_inverted_dates_are_refused(call, corpus, first, last):
    with pytest.raises(InvalidDateRange):
        await asked(call, "оплата", date_from=first, date_to=last)


@pytest.mark.parametrize(
    "body",
    [{"query": "  "}, {"query": "x", "topK": 0}, {"query": "x", "topK": 51},
     {"query": "x", "sourceLimit": 26},
     {"query": "x" * 4001}, {"query": "x", "date_from": "yesterday"},
     {"query": "x", "sourceFilter": "issues"}],
)  # fmt: skip
def test_what_does_not_fit_is_refused(body):
    with pytest.raises(Invalid):
        check.check(body, LightragQuery)


async def test_the_search_alias(call, corpus, indexer):
    await indexer.run(call.project_id)
    wire = msgspec.to_builtins(await actions.search(call, SearchQuery(query="оплата")))
    assert wire["mode"] == "lightrag"
    assert wire["results"] == wire["chunks"]
    assert wire["chunks"]
    assert not {"ranking_stats", "duration_ms"} & set(wire)
    assert "_score" not in wire["evidence"][0]


async def test_projects_do_not_see_each_other(tower, call, corpus, indexer):
    await indexer.run(call.project_id)
    other = (await create_project(desktop(tower, "t"), NewProject(name="Other"))).project
    there = desktop(tower, "t", ProjectRef(other.id, other.name, other.account_scope_id))
    for query in ("оплата", "Why is the release postponed?", "ENG-42"):
        answer = await asked(there, query)
        assert (answer.evidence, answer.chunks) == ([], [])
        assert answer.answer
    mine = await asked(call, "оплата")
    with pytest.raises(QueryRunNotFound):
        await actions.rate_answer(there, NewFeedback(int(mine.query_run_id), 1))


async def test_the_same_question_is_answered_from_memory(tower, call, corpus, said, indexer, clock):
    first = await asked(call, "оплата")
    again = await asked(call, "оплата")
    assert again.cached is True
    assert again.query_run_id == first.query_run_id
    assert (await asked(call, "оплата", source_limit=3)).cached is msgspec.UNSET
    clock.advance(301)
    assert (await asked(call, "оплата")).cached is msgspec.UNSET
    await said.message("Оплата прошла сегодня утром, спасибо!")
    await indexer.index_words()
    fresh = await asked(call, "оплата")
    assert fresh.cached is msgspec.UNSET
    assert any("сегодня утром" in item.snippet for item in fresh.evidence)


async def test_a_judged_text_sinks_for_the_same_words_only(call, corpus, said, indexer):
    await said.message("Оплату по договору перенесли, деталей пока нет.", at="2026-11-19T11:00:00.000Z")
    await indexer.index_words()
    before = await asked(call, "оплата договора")
    best = before.evidence[0]
    await actions.rate_answer(
        call, NewFeedback(int(before.query_run_id), -1, "не то", source_pk=best.source_pk)
    )
    after = await asked(call, "оплату договоров")
    assert after.evidence[0].source_pk != best.source_pk
    sunk = next(item for item in after.evidence if item.source_pk == best.source_pk)
    assert sunk.score < best.score
    elsewhere = await asked(call, "деталей пока нет")
    assert any(item.source_pk == best.source_pk for item in before.evidence)
    assert elsewhere.evidence


async def test_feedback_is_kept_and_checked(call, corpus):
    answer = await asked(call, "оплата договора")
    kept = await actions.rate_answer(call, NewFeedback(int(answer.query_run_id), 1))
    assert (kept.query_run_id, kept.rating, kept.comment) == (answer.query_run_id, 1, None)
    assert (await actions.rate_answer(call, NewFeedback(int(answer.query_run_id), 0))).rating == 0
    with pytest.raises(QueryRunNotFound):
        await actions.rate_answer(call, NewFeedback(999_999, 1))
    with pytest.raises(FeedbackFailed):
        await actions.rate_answer(call, NewFeedback(int(answer.query_run_id), 1, source_pk="cwmsg:else"))
    with pytest.raises(Invalid):
        check.check({"query_run_id": answer.query_run_id, "rating": 2}, NewFeedback)
    assert check.check({"query_run_id": answer.query_run_id, "rating": -1}, NewFeedback).rating == -1


async def test_every_question_is_kept(tower, call, corpus):
    answer = await asked(call, "оплата договора")
    await asked(call, "оплата договора")

    def rows(db):
        runs = list(db.execute("SELECT id, query_text, evidence, quality_score FROM lightrag_query_runs"))
        counted = list(
            db.execute("SELECT query, event_type, json_extract(filters, '$.tokens[0]') FROM search_analytics")
        )
        return runs, counted

    runs, counted = await tower.db.read(rows)
    assert [(str(run[0]), run[1], run[3]) for run in runs] == [
        (answer.query_run_id, "оплата договора", answer.quality_score)
    ]
    assert len(msgspec.json.decode(runs[0][2])) == len(answer.evidence)
    assert counted == [("оплата договора", "search", "оплата")] * 2


async def test_status_moves_from_pending_to_ready(call, corpus):
    before = await actions.read_lightrag_status(call)
    assert before.embeddings.ready == 0
    assert before.embeddings.pending == 6, "the two-letter message gets no vector"
    assert (before.sources.messages_total, before.sources.linear_issues_total) == (4, 1)
    run = (await actions.run_embeddings(call)).result
    assert (run.processed, run.failed, run.status) == (6, 0, "ok")
    assert run.model.startswith("all-MiniLM-L6-v2-int8")
    assert run.total_tokens > 6
    after = (await actions.refresh_lightrag(call)).result
    assert after.embeddings.status == "idle"
    assert (after.status.embeddings.pending, after.status.embeddings.ready) == (0, 6)
    assert after.status.index.queued == 0


async def test_an_idle_run_says_so(call, indexer):
    assert msgspec.to_builtins(await actions.run_embeddings(call)) == {
        "result": {"processed": 0, "failed": 0, "status": "idle"}
    }


async def test_nothing_found_is_said_in_the_language_of_the_question(call, corpus):
    russian, english = (
        await asked(call, "квантовая хромодинамика"),
        await asked(call, "quantum chromodynamics"),
    )
    assert "не нашлось" in russian.answer
    assert "Nothing" in english.answer
    assert (russian.evidence, russian.quality_score, russian.citations) == ([], 0, [])


async def test_a_stream_ends_with_the_whole(call, corpus):
    events = [event async for event in actions.stream_answer(call, LightragQuery(query="оплата договора"))]
    assert [type(event).__name__ for event in events] == ["AnswerBegun", "AnswerPiece", "AnswerDone"]
    assert events[0].found.evidence == events[2].answer.evidence
    assert events[1].text == events[2].answer.answer
    assert events[2].problem is None


async def test_no_more_than_fifty_pieces_of_evidence(call, said, indexer):
    for number in range(70):
        await said.message(f"Оплата номер {number} по договору сопровождения сайта подтверждена бухгалтерией")
        await said.issue(f"PAY-{number}", f"Оплата {number}", "по договору сопровождения")
        await said.deal(f"Оплата {number}", "по договору сопровождения")
    while await indexer.index_words():
        pass
    await indexer.run(call.project_id)
    answer = await asked(call, "оплата по договору", top_k=50, source_limit=25)
    assert len(answer.evidence) == 50
    assert len(answer.chunks) == 50
    assert (answer.stats.messages, answer.stats.issues, answer.stats.opportunities) == (25, 25, 25)


async def test_evidence_that_was_pointed_at(tower, call):
    await tower.audit(
        call.afresh(),
        AuditLine(
            action="test.decided",
            evidence_refs=[
                {"ref": "cwmsg:1", "source": "chatwoot", "snippet": "Скидка 10% согласована"},
                {"ref": "cwmsg:2", "source": "chatwoot", "snippet": "Скидка отклонена"},
            ],
        ),
    )
    found = await actions.search_evidence(call, EvidenceQuery("скидка согласована"))
    assert [row.source_pk for row in found.evidence] == ["cwmsg:1"]
    assert len((await actions.search_evidence(call, EvidenceQuery("скидка"))).evidence) == 2
    assert len((await actions.search_evidence(call, EvidenceQuery("cwmsg:2"))).evidence) == 1
    assert (await actions.search_evidence(call, EvidenceQuery(""))).evidence == []
    assert (await actions.search_evidence(call, EvidenceQuery('"*: AND ('))).evidence == []


async def test_an_issue_is_found_by_its_text_and_shows_it(call, corpus):
    """Fault absent: issues were searched by their titles alone and came without a text."""
    found = (await asked(call, "stack trace", source_filter=["issues"])).entities.issues
    assert (found[0].source_ref, "Stack trace attached" in found[0].snippet) == ("ENG-42", True)
