"""A trial on the project's own texts: questions nobody wrote, figures that repeat, nothing private."""

from __future__ import annotations

import asyncio
import time

import pytest

from ctower_desktop.kernel.errors import Invalid
from ctower_desktop.kernel.system import resources
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.search import chunk_store, model_actions, trial, trial_questions, trial_store
from ctower_desktop.search.embedder import Embedder, EmbeddingFailed
from ctower_desktop.search.embedding_model import NewTrial
from ctower_desktop.search.installing import ModelNotFound, ModelRefused
from ctower_desktop.search.trial import TrialProgress, TrialRunning, Trials
from tests.search import tiny

MODEL = str(resources() / "model")
AT = "2026-11-{day:02}T{hour:02}:00:00.000Z"


def at(number: int) -> str:
    return AT.format(day=1 + number // 24, hour=number % 24)


async def told(said, indexer, *, pairs=range(40)) -> None:
    """Sixty pairs' questions and answers as one chat, an issue with comments, a private note."""
    rows = tiny.trial_rows()
    for number in pairs:
        asked_ru, said_ru, asked_en, said_en = rows[number]
        asked, answered = (asked_ru, said_ru) if number % 2 else (asked_en, said_en)
        asked = asked if asked.endswith("?") else f"{asked}?"
        await said.message(asked, at=at(4 * number), who="Client")
        await said.message(answered, at=at(4 * number + 1), who="Анна")
    issue = await said.issue("ENG-7", "Checkout page rejects foreign bank cards")
    await said.comment(
        issue, "The acquirer switched 3-D Secure on for customers abroad, we asked them to relax it."
    )
    await said.comment(issue, "Fixed on staging, waiting for the shop owner to try a purchase from Germany.")
    await said.message(
        "Тайная заметка о скидке для этого клиента, о которой ему не говорим", private=1, at=at(300)
    )
    while await indexer.index_words():
        pass
    while await indexer.embed_some() is not None:
        pass


async def tried(call, **given):
    await model_actions.start_trial(call, body=NewTrial(**given))
    return await (await call.tower.part(Trials)).wait()


async def questions_of(call, seed=1):
    index = call.tower.index
    order = trial_questions.drawn(await index.read(trial_store.listed, call.project_id), seed)
    sample = trial_questions.once(await index.read(chunk_store.read, order), order)
    talks = sorted({chunk.parent_pk for chunk in sample if chunk.source_type == "message"})
    said = await index.read(trial_store.said, call.project_id, talks)
    subjects = await call.tower.db.read(trial_store.subjects, talks)
    return sample, trial_questions.questions(sample, said, subjects, seed)


class TestQuestions:
    async def test_every_kind_is_made_and_nothing_private_is_used(self, call, said, indexer):
        await told(said, indexer)
        sample, known = await questions_of(call)
        assert not any(chunk.private for chunk in sample)
        assert not any("тайная" in question.text for question in known)
        assert {question.kind for question in known} == {"part", "reply", "heading"}
        texts = {chunk.id: chunk for chunk in sample}
        for question in known:
            assert question.targets <= texts.keys()
            assert not question.targets & question.excluded
        replies = {q.text: texts[next(iter(q.targets))].text for q in known if q.kind == "reply"}
        answers = {row[n].rstrip("?"): row[n + 1] for row in tiny.trial_rows() for n in (0, 2)}
        assert len(replies) >= 10
        for asked, answered in replies.items():
            assert answers[asked.rstrip("?")] == answered
        heading = next(q for q in known if q.text.startswith("Checkout"))
        assert {texts[number].source_type for number in heading.targets} == {"comment"}
        assert {texts[number].source_type for number in heading.excluded} == {"issue"}, (
            "it holds the heading itself"
        )

    async def test_a_part_of_a_text_lacks_half_of_its_words(self, call, said, indexer):
        await told(said, indexer)
        sample, known = await questions_of(call)
        texts = {chunk.id: chunk.text.lower() for chunk in sample}
        parts = [question for question in known if question.kind == "part"]
        assert len(parts) > 10
        for question in parts:
            own = texts[next(iter(question.targets))].replace("ё", "е")
            words = question.text.split()
            assert all(word in own for word in words)
            assert 3 <= len(words) < len(own.split())

    async def test_the_seed_decides(self, call, said, indexer):
        await told(said, indexer)
        one, again, other = [await questions_of(call, seed) for seed in (1, 1, 2)]
        assert one == again
        assert [q.text for q in one[1]] != [q.text for q in other[1]]

    async def test_a_wording_is_drawn_once(self, call, said, indexer):
        for number in range(5):
            await said.message("Спасибо за ваше обращение, мы скоро ответим!", at=at(number))
        await told(said, indexer, pairs=range(3))
        sample, _ = await questions_of(call)
        assert sum("Спасибо" in chunk.text for chunk in sample) == 1

    async def test_a_conversation_is_found_by_its_subject(self, call, said, indexer):
        await told(said, indexer)
        await said.run("UPDATE conversation SET subject = 'Запуск нового сайта компании'")
        _, known = await questions_of(call)
        found = next(question for question in known if question.text.startswith("Запуск нового"))
        assert len(found.targets) > 20


class TestTrial:
    async def test_a_model_that_knows_the_texts_wins_and_the_figures_repeat(
        self, call, said, indexer, tmp_path
    ):
        await told(said, indexer)
        folder = str(await asyncio.to_thread(tiny.model, tmp_path / "knows"))
        first = await tried(call, folder=folder)
        assert first.state == "done", first.problem
        result = first.result
        by_slice = {row.slice: row for row in result.compared}
        assert next(iter(by_slice)) == "all"
        assert {"ru", "en", "part", "reply", "heading"} <= by_slice.keys()
        replies = by_slice["reply"]
        assert replies.questions >= 10
        assert replies.candidate.recall_at_5 > 0.9
        assert replies.candidate.recall_at_5 > replies.current.recall_at_5
        assert replies.candidate_fused.mrr > replies.current_fused.mrr
        assert by_slice["all"].questions == by_slice["ru"].questions + by_slice["en"].questions
        assert (result.texts, result.sampled) == (result.sampled, result.texts)
        assert result.candidate_ability.ru > 0.9 > result.current_ability.ru
        second = await tried(call, folder=folder)
        assert second.result.compared == result.compared

    async def test_a_model_against_itself_gains_nothing(self, call, said, indexer):
        await told(said, indexer)
        result = (await tried(call, folder=MODEL)).result
        for row in result.compared:
            assert (row.current, row.current_fused) == (row.candidate, row.candidate_fused)
        assert result.current == result.candidate

    async def test_an_installed_model_is_tried_by_its_id(self, call, said, indexer, tmp_path):
        await told(said, indexer)
        shipped = (await model_actions.list_models(call)).models[0].id
        assert (await tried(call, model_id=shipped)).state == "done"
        with pytest.raises(ModelNotFound):
            await tried(call, model_id="nothing-like-it")
        for given in ({}, {"folder": MODEL, "model_id": shipped}):
            with pytest.raises(Invalid, match="either"):
                await tried(call, **given)

    async def test_it_tells_how_far_it_is_and_leaves_the_loop_free(self, call, said, indexer):
        await told(said, indexer)
        events, gaps = [], []
        call.tower.events.subscribe(lambda e: events.append(e) if isinstance(e, TrialProgress) else None)
        await model_actions.start_trial(call, body=NewTrial(folder=MODEL))
        running = await model_actions.read_trial(call)
        assert (running.state, running.project_id) == ("running", call.project_id)
        with pytest.raises(TrialRunning):
            await model_actions.start_trial(call, body=NewTrial(folder=MODEL))
        trials, last = await call.tower.part(Trials), time.perf_counter()
        while trials.state.state == "running":
            await asyncio.sleep(0.001)
            gaps.append(time.perf_counter() - last)
            last = time.perf_counter()
        assert len(gaps) > 50
        phases = list(dict.fromkeys(event.phase for event in events))
        assert phases == ["reading", "measuring", "candidate", "current", "comparing", None]
        assert (events[-1].state, events[-1].project_id) == ("done", call.project_id)
        assert all(event.done <= event.total for event in events if event.total)

    async def test_it_can_be_cancelled_and_begun_again(self, call, said, indexer, monkeypatch):
        await told(said, indexer)
        reached, real = asyncio.Event(), Embedder.embed_passages

        async def waits(self, texts):
            reached.set()
            await asyncio.sleep(3600)

        monkeypatch.setattr(Embedder, "embed_passages", waits)
        await model_actions.start_trial(call, body=NewTrial(folder=MODEL))
        await asyncio.wait_for(reached.wait(), 10)
        assert (await model_actions.cancel_trial(call)).state == "cancelled"
        assert (await model_actions.cancel_trial(call)).state == "cancelled", "twice is no error"
        monkeypatch.setattr(Embedder, "embed_passages", real)
        assert (await tried(call, folder=MODEL)).state == "done"

    async def test_a_slow_model_is_tried_on_fewer_texts(self, call, said, indexer, clock, monkeypatch):
        await told(said, indexer)
        real = Embedder.embed_passages

        async def slow(self, texts):
            clock.advance(20)
            return await real(self, texts)

        monkeypatch.setattr(Embedder, "embed_passages", slow)
        result = (await tried(call, folder=MODEL)).result
        assert result.texts == 30, "the least, because the time is up"
        assert result.sampled > 45
        assert result.candidate_per_second == pytest.approx(0.5)
        assert 0 < result.compared[0].questions < 40, "only what can be answered from the sample is asked"

    async def test_failures_are_told_in_a_sentence(
        self, call, said, indexer, tmp_path, broken_model, monkeypatch
    ):
        few = await tried(call, folder=MODEL)
        assert (few.state, few.result) == ("failed", None)
        assert "0 different texts" in few.problem
        with pytest.raises(ModelRefused, match=r"model\.onnx is missing"):
            await tried(call, folder=str(tmp_path))
        await told(said, indexer)
        broken = await tried(call, folder=str(broken_model))
        assert broken.state == "failed"
        assert "cannot be loaded" in broken.problem

        async def fails(self, texts):
            raise EmbeddingFailed("The model failed on a text.")

        monkeypatch.setattr(Embedder, "embed_passages", fails)
        assert (await tried(call, folder=MODEL)).problem == "The model failed on a text."

    @pytest.mark.logs_errors
    async def test_a_bug_ends_it_too(self, call, said, indexer, monkeypatch):
        await told(said, indexer)
        monkeypatch.setattr(trial, "_compared", lambda *_: 1 / 0)
        assert (await tried(call, folder=MODEL)).state == "failed"

    async def test_another_project_s_texts_stay_out(self, tower, call, said, indexer):
        await told(said, indexer)
        from tests.search.test_indexing import a_project

        other, _ = await a_project(tower)
        found = await tried(desktop(tower, "t", other.project), folder=MODEL)
        assert "0 different texts" in found.problem
