"""The index follows the texts, survives a kill, a damaged file, a missing model, and a change of model."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import apsw
import msgspec
import pytest

from ctower_desktop import app
from ctower_desktop.kernel.errors import StorageDamaged
from ctower_desktop.kernel.events import IndexProgress
from ctower_desktop.kernel.sql import STATEMENTS, Query
from ctower_desktop.kernel.system import resources
from ctower_desktop.search import actions, chunk_store, indexing, vector_store
from ctower_desktop.search.embedder import ModelUnavailable
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.lexicon import GLOSSED
from ctower_desktop.search.model import EmbeddingsJobFailed, LightragQuery
from ctower_desktop.search.settings import SearchSettings

MODEL = resources() / "model"
LONG = "Очень длинное сообщение о договоре, сроках и оплате второго этапа. "


async def snippets(call, query):
    found = await actions.query_lightrag(call, LightragQuery(query=query))
    return [item.snippet for item in found.evidence]


async def index_all(indexer):
    while await indexer.index_words():
        pass


async def rows(database, sql, *values):
    return await database.read(lambda db: list(db.execute(sql, values)))


async def vectors(tower, number=1):
    return (await rows(tower.index, f"SELECT count(*) FROM vector_{number}"))[0][0]


async def test_an_edited_text_is_found_by_its_new_words_only(call, said, indexer):
    pk = await said.message("Встреча в понедельник в офисе на Тверской")
    await index_all(indexer)
    await said.run(
        "UPDATE message SET content = 'Встречу отменили, созвонимся во вторник утром' WHERE id = :pk", pk=pk
    )
    await index_all(indexer)
    assert await snippets(call, "понедельник") == []
    assert len(await snippets(call, "вторник")) == 1


async def test_a_removed_text_is_forgotten_whole(tower, call, said, indexer):
    pk = await said.message(LONG * 40)
    keep = await said.message(LONG)
    await indexer.run(call.project_id)
    assert await vectors(tower) > 2
    await said.run(
        "UPDATE message SET deleted_at = created_at, deleted_reason = 'gone' WHERE id = :pk", pk=pk
    )
    await index_all(indexer)
    assert await vectors(tower) == 1
    await said.run("DELETE FROM message WHERE id = :pk", pk=keep)
    await index_all(indexer)
    assert await rows(tower.index, "SELECT count(*) FROM chunk") == [(0,)]
    assert await rows(tower.index, "SELECT sum(doc) FROM words_of") == [(None,)], "no word is kept"
    assert await vectors(tower) == 0
    assert await indexer.sweep() > 0
    assert await rows(tower.index, "SELECT count(*) FROM embedding") == [(0,)]


async def test_a_shortened_text_loses_its_last_chunks(tower, call, said, indexer):
    pk = await said.message(LONG * 40)
    await index_all(indexer)
    assert (await rows(tower.index, "SELECT count(*) FROM chunk"))[0][0] > 2
    await said.run("UPDATE message SET content = :text WHERE id = :pk", pk=pk, text=LONG)
    await index_all(indexer)
    assert await rows(tower.index, "SELECT chunk_index FROM chunk") == [(0,)]


async def test_an_unchanged_text_is_not_embedded_again(tower, call, said, indexer):
    issue = await said.issue("ENG-1", "Payment page is slow on mobile devices", "It takes nine seconds.")
    assert (await indexer.run(call.project_id)).processed == 1
    await said.run(
        "UPDATE issue SET state = 'Done', updated_at = '2026-11-15T00:00:00.000Z' WHERE id = :pk", pk=issue
    )
    await index_all(indexer)
    run = await indexer.run(call.project_id)
    assert run.total_tokens in (0, msgspec.UNSET), "its state is words, not a vector"
    found = await actions.query_lightrag(call, LightragQuery(query="payment page"))
    assert found.evidence[0].metadata["state"] == "Done"


async def test_the_same_text_is_embedded_once(tower, call, said, indexer):
    for _ in range(5):
        await said.message("Спасибо за ваше обращение, мы скоро ответим!")
    run = await indexer.run(call.project_id)
    assert run.processed == 5
    assert await rows(tower.index, "SELECT count(*) FROM embedding") == [(1,)]
    assert await vectors(tower) == 5


async def test_a_text_that_changes_while_it_is_indexed_is_not_lost(tower, said, indexer, monkeypatch):
    pk = await said.message("Первая редакция сообщения клиента")
    real = indexing.prepared

    def slow(lines, texts, settings):
        made = real(lines, texts, settings)
        asyncio.run_coroutine_threadsafe(
            said.run("UPDATE message SET content = 'Вторая редакция' WHERE id = :pk", pk=pk), loop
        ).result()
        monkeypatch.setattr(indexing, "prepared", real)
        return made

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(indexing, "prepared", slow)
    assert await indexer.index_words() == 1
    assert await indexer.index_words() == 1, "the newer line stood behind"
    assert await rows(tower.index, "SELECT text FROM chunk") == [("Вторая редакция",)]


async def test_the_background_works_by_itself_and_tells(tower, call, said):
    told = []
    tower.events.subscribe(lambda event: told.append(event) if isinstance(event, IndexProgress) else None)
    await tower.part(Indexer)
    ready = asyncio.Event()
    tower.events.subscribe(lambda event: ready.set() if getattr(event, "done", 0) >= 3 else None)
    for number in range(3):
        await said.message(f"Сообщение номер {number} о запуске нового сайта компании")
    async with asyncio.timeout(20):
        await ready.wait()
    status = await actions.read_lightrag_status(call)
    assert status.embeddings.ready == 3
    assert told[-1].done == told[-1].total == 3


async def test_without_a_model_words_go_on_and_vectors_come_later(tower, call, said, indexer, broken_model):
    await tower.settings.change(SearchSettings, {"model_folder": str(broken_model)})
    await said.message("Оплата по договору придёт в пятницу утром")
    with pytest.raises(EmbeddingsJobFailed, match="cannot be loaded"):
        await actions.run_embeddings(call)
    assert len(await snippets(call, "оплата")) == 1
    assert (await actions.read_lightrag_status(call)).embeddings.pending == 1
    (broken_model / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable, match="missing"):
        await indexer.embed_some()
    await tower.settings.change(SearchSettings, {"model_folder": None})
    assert (await actions.run_embeddings(call)).result.processed == 1


async def test_a_mended_model_file_is_tried_again(tower, call, said, indexer, broken_model):
    await tower.settings.change(SearchSettings, {"model_folder": str(broken_model)})
    await said.message("Оплата по договору придёт в пятницу утром")
    with pytest.raises(EmbeddingsJobFailed):
        await actions.run_embeddings(call)
    for name in ("model.onnx", "config.json"):
        (broken_model / name).write_bytes((MODEL / name).read_bytes())
    assert (await actions.run_embeddings(call)).result.status == "ok"


async def test_another_model_takes_over_when_it_is_ready(tower, call, said, indexer, tmp_path):
    for number in range(3):
        await said.message(f"The launch of site number {number} moves to October because payments are late")
    await indexer.run(call.project_id)
    other = copied_model(tmp_path, model_id="other-model")
    await tower.settings.change(SearchSettings, {"model_folder": str(other)})
    assert (await indexer.run(call.project_id)).processed == 3
    status = await actions.read_lightrag_status(call)
    assert status.index.building == f"other-model+{GLOSSED}"
    answer = await actions.query_lightrag(call, LightragQuery(query="why is the release postponed"))
    assert answer.embedding_model.startswith("all-MiniLM"), "the old one serves until the new one is complete"
    assert answer.search_config.vectors == "used"
    assert await indexer.embed_some() is None
    answer = await actions.query_lightrag(call, LightragQuery(query="why is the release postponed?"))
    assert answer.embedding_model == f"other-model+{GLOSSED}"
    assert answer.chunks[0].distance < 0.8
    assert [m.state for m in await tower.index.read(vector_store.models)] == ["serving"]
    assert await rows(tower.index, "SELECT DISTINCT model FROM embedding") == [(2,)]


async def test_changing_one_s_mind_about_the_model_loses_nothing(tower, call, said, indexer, tmp_path):
    await said.message("The launch moves to October because payments are late")
    await indexer.run(call.project_id)
    other = copied_model(tmp_path, model_id="other-model")
    await tower.settings.change(SearchSettings, {"model_folder": str(other)})
    await indexer.run(call.project_id)
    await tower.settings.change(SearchSettings, {"model_folder": None})
    await indexer.run(call.project_id)
    status = await actions.read_lightrag_status(call)
    assert (status.embeddings.ready, status.index.building) == (1, None)
    answer = await actions.query_lightrag(call, LightragQuery(query="why is the release postponed"))
    assert answer.chunks[0].distance is not None


def copied_model(tmp_path: Path, *, model_id: str) -> Path:
    folder = tmp_path / model_id
    folder.mkdir()
    for file in MODEL.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    (folder / "config.json").write_bytes(msgspec.json.encode({**config, "model_id": model_id}))
    return folder


async def test_a_damaged_index_is_made_anew(tower, call, said, indexer):
    await said.message("Оплата по договору придёт в пятницу утром")
    await indexer.run(call.project_id)
    damage(tower.index.path)
    await tower.index.close()
    tower.index = await app._open_index(tower.home)
    await index_all(indexer)
    assert len(await snippets(call, "оплата")) == 1


async def test_an_index_that_breaks_under_way_is_repaired_once(tower, call, said, indexer):
    await said.message("Оплата по договору придёт в пятницу утром")
    await index_all(indexer)
    before = tower.index
    await asyncio.gather(indexer.repair(StorageDamaged()), indexer.repair(StorageDamaged()))
    assert tower.index is not before
    await index_all(indexer)
    assert len(await snippets(call, "оплата")) == 1


def damage(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    db.close()
    with path.open("r+b") as file:
        file.write(b"\0" * 200)


async def test_a_restored_older_database_is_followed(tower, call, said, indexer):
    """The index is ahead of ctower.db after a restore: what is gone there goes here, what is new comes."""
    old = await said.message("Старое сообщение о договоре на поддержку")
    await index_all(indexer)
    backup = tower.home.backups / "copy.db"
    await tower.db.backup(backup)
    await said.message("Новое сообщение об отмене договора целиком")
    await index_all(indexer)
    await tower.db.close()
    backup.replace(tower.home.database)
    tower.db = await app.Database.open(tower.home.database, app.MIGRATIONS)
    again = Indexer(tower, indexer._models)
    await index_all(again)
    assert await rows(tower.index, "SELECT source_pk FROM chunk") == [(old,)]


async def test_another_chunk_size_cuts_everything_again(tower, call, said, indexer):
    await said.message(LONG * 12)
    await index_all(indexer)
    one = await rows(tower.index, "SELECT count(*) FROM chunk")
    await tower.settings.change(SearchSettings, {"chunk_size": 200})
    again = Indexer(tower, indexer._models)
    await index_all(again)
    assert await rows(tower.index, "SELECT count(*) FROM chunk") > one
    assert max(len(row[0]) for row in await rows(tower.index, "SELECT text FROM chunk")) <= 200


async def test_a_text_the_model_cannot_take_does_not_keep_others_waiting(
    tower, call, said, indexer, monkeypatch
):
    from ctower_desktop.search.embedder import Embedder, EmbeddingFailed

    real = Embedder.embed_passages

    async def picky(self, texts):
        if any("непроизносимо" in text for text in texts):
            raise EmbeddingFailed("no numbers")
        return await real(self, texts)

    monkeypatch.setattr(Embedder, "embed_passages", picky)
    await said.message("Это совершенно непроизносимо для этой модели")
    await said.message("А это сообщение модель прекрасно понимает")
    run = await indexer.run(call.project_id)
    assert (run.processed, run.status) == (1, "partial")
    status = await actions.read_lightrag_status(call)
    assert (status.embeddings.ready, status.embeddings.failed, status.embeddings.pending) == (1, 1, 0)
    monkeypatch.setattr(Embedder, "embed_passages", real)
    assert (await indexer.run(call.project_id)).processed == 1, "asked for again, it is tried again"


def given_rows_first():
    """Statements of search that join tables to rows given as JSON."""
    ours = [
        s for s in STATEMENTS if isinstance(s, Query) and s.row.__module__.startswith("ctower_desktop.search")
    ]
    return [s for s in ours if re.search(r"FROM json_each\(", s.sql)]


@pytest.mark.parametrize("statement", given_rows_first(), ids=lambda s: " ".join(s.sql.split())[:60])
def test_given_rows_are_walked_first_even_without_statistics(statement, schema, index_schema):
    """Before the first ANALYZE the planner would rather walk every vector of a model."""
    db = schema if statement.file == "main" else index_schema
    bindings = dict.fromkeys(re.findall(r":(\w+)", statement.sql))
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement.sql}", bindings)]
    assert plan[0].startswith("SCAN wanted VIRTUAL TABLE"), plan


@pytest.mark.logs_errors
async def test_a_bug_in_one_step_does_not_end_the_work(tower, call, said, monkeypatch):
    indexer = await tower.part(Indexer)
    whole, stumbled = indexer.index_words, asyncio.Event()

    async def stumbles(project_id=None):
        if not stumbled.is_set():
            stumbled.set()
            raise ZeroDivisionError("one text")
        return await whole(project_id)

    monkeypatch.setattr(indexer, "index_words", stumbles)
    await said.message("Оплата по договору придёт в пятницу утром")
    await asyncio.wait_for(stumbled.wait(), 10)
    await said.message("Макет главной страницы готов к согласованию")
    async with asyncio.timeout(10):
        while await rows(tower.index, "SELECT count(*) FROM chunk") != [(2,)]:
            await asyncio.sleep(0.01)


CHILD = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from ctower_desktop import app
    from ctower_desktop.kernel.system import Home
    from ctower_desktop.search.indexing import Indexer
    from ctower_desktop.search.models import Models

    async def main():
        tower = await app.open_tower(Home(Path(sys.argv[1])), environment={}, secrets="file")
        indexer = Indexer(tower, await tower.part(Models))
        steps = 0
        print("ready", flush=True)
        while True:
            did = await indexer.index_words(None) or await indexer.embed_some()
            steps += 1
            print(steps, flush=True)
            if not did:
                print("done", flush=True)
                await asyncio.sleep(3600)

    asyncio.run(main())
""")


@pytest.mark.slow
@pytest.mark.parametrize("kill_after", ["1", "2", "3", "5"])
async def test_nothing_is_lost_when_the_process_is_killed(tmp_path, kill_after, home, clock):
    tower = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    call, said = await a_project(tower)
    for number in range(260):
        await said.message(
            f"Сообщение {number}: оплата этапа {number} придёт в пятницу, ждём закрывающие документы"
        )
    await app.close_tower(tower)
    script = tmp_path / "child.py"
    script.write_text(CHILD, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(app.__file__).parent.parent)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(home.path), stdout=subprocess.PIPE, env=environment
    )
    while (line := (await child.stdout.readline()).decode()).strip() not in (kill_after, "done"):
        assert line, "the child ended by itself"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    child._transport.close()

    tower = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    call = type(call)(tower, call.asking, call.who, call.project)
    indexer = Indexer(tower, await tower.part(indexing.Models))
    await index_all(indexer)
    while await indexer.embed_some() is not None:
        pass
    assert await rows(tower.index, "SELECT count(*), count(DISTINCT source_pk) FROM chunk") == [(260, 260)]
    assert await vectors(tower) == 260
    counts = await tower.index.read(chunk_store.counts, call.project_id, 1)
    assert (counts.ready, counts.pending, counts.failed) == (260, 0, 0)
    assert await rows(tower.db, "SELECT count(*) FROM index_queue") == [(0,)]
    assert await rows(tower.index, "SELECT doc FROM words_of WHERE term = '1xпятниц'") == [(260,)]
    await app.close_tower(tower)


async def a_project(tower):
    from ctower_desktop.kernel.tower import ProjectRef, desktop
    from ctower_desktop.projects.actions import NewProject, create_project
    from tests.search.conftest import Said

    made = (await create_project(desktop(tower, "t"), NewProject(name="Killed"))).project
    return desktop(tower, "t", ProjectRef(made.id, made.name, made.account_scope_id)), Said(tower, made.id)
