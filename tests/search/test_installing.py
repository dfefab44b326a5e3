"""Taking a model in: what is refused and why, what is kept, who may use and remove it, how it takes over."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ctower_desktop import app
from ctower_desktop.kernel.errors import StorageFailure, StorageFull
from ctower_desktop.kernel.events import IndexProgress
from ctower_desktop.kernel.secrets import Secrets
from ctower_desktop.kernel.settings import Settings
from ctower_desktop.kernel.system import resources
from ctower_desktop.kernel.tower import desktop
from ctower_desktop.search import ability, actions, installing, model_actions, vector_store
from ctower_desktop.search.embedder import Embedder
from ctower_desktop.search.embedding_model import KNOWN_FROM, Ability, AddModel, Measured
from ctower_desktop.search.indexing import Indexer
from ctower_desktop.search.installing import ModelFixed, ModelInUse, ModelNotFound, ModelRefused
from ctower_desktop.search.lexicon import GLOSSED
from ctower_desktop.search.model import LightragQuery
from ctower_desktop.search.model_folder import ModelUnavailable, read_folder
from ctower_desktop.search.models import Models
from ctower_desktop.search.settings import SearchSettings
from tests.search import tiny

MODEL = resources() / "model"
SHIPPED = "all-MiniLM-L6-v2-int8-c5609d58"


def copied(folder: Path, model_id: str = "other-model", **changes) -> Path:
    """The shipped model under another name, as nobody has measured it."""
    folder.mkdir(parents=True)
    for file in MODEL.iterdir():
        if file.name != "model.json":
            shutil.copyfile(file, folder / file.name)
    config = json.loads((MODEL / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_id": model_id, **changes}))
    return folder


def exported(folder: Path) -> Path:
    """A model as sentence-transformers lays a multilingual E5 out."""
    tiny.model(folder)
    for name, content in {
        "config.json": {
            "architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "hidden_size": tiny.DIMENSION,
            "max_position_embeddings": 514, "max_length": 20,
            "_name_or_path": "intfloat/multilingual-e5-small",
        },
        "modules.json": [{"type": "sentence_transformers.models.Transformer"}],
        "1_Pooling/config.json": {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
        "tokenizer_config.json": {"model_max_length": 1e30},
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    (folder / "LICENSE").write_text("\nMIT License\n\nCopyright …\n")
    return folder


class TestFolders:
    def test_an_export_of_others_is_understood(self, tmp_path):
        found = read_folder(exported(tmp_path / "multilingual-e5-small"))
        config = found.config
        assert found.graph == tmp_path / "multilingual-e5-small" / "onnx" / "model.onnx"
        assert (config.pooling, config.normalise, config.dimension) == ("mean", True, tiny.DIMENSION)
        assert config.max_length == 512, (
            "not the 20 that text generation is told, nor positions that are reserved"
        )
        assert (config.query_prefix, config.passage_prefix) == ("query: ", "passage: ")
        assert found.model_id == "multilingual-e5-small"

    def test_a_snapshot_of_a_download_has_the_name_of_the_model(self, tmp_path):
        path = tmp_path / "models--intfloat--multilingual-e5-small" / "snapshots" / ("0a" * 20)
        tiny.model(path)
        found = read_folder(path)
        assert found.model_id == "multilingual-e5-small"

    @pytest.mark.parametrize(
        ("prompts", "expected"),
        [
            ({"query": "ask: ", "document": "text: "}, ("ask: ", "text: ")),
            ({"search_query": "q: ", "search_document": "d: "}, ("q: ", "d: ")),
            ({"query": "", "document": ""}, ("query: ", "passage: ")),
            ({}, ("query: ", "passage: ")),
        ],
    )
    def test_prompts_of_the_folder_come_before_those_of_its_name(self, tmp_path, prompts, expected):
        folder = exported(tmp_path / "my-e5")
        (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
        config = read_folder(folder).config
        assert (config.query_prefix, config.passage_prefix) == expected

    def test_a_model_that_is_told_its_task(self, tmp_path):
        config = read_folder(exported(tmp_path / "multilingual-e5-large-instruct")).config
        assert config.query_prefix.startswith("Instruct: ")
        assert config.passage_prefix == ""

    def test_a_name_with_e5_inside_a_word_wants_no_prefix(self, tmp_path):
        folder = exported(tmp_path / "base512-the5th")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "_name_or_path": "x/base512"}))
        assert read_folder(folder).config.query_prefix == ""

    @pytest.mark.parametrize(
        ("told", "pooling"),
        [
            ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
            ({"pooling_mode": "cls", "embedding_dimension": 64}, "cls"),
            ({"pooling_mode_mean_tokens": True, "include_prompt": True}, "mean"),
        ],
    )
    def test_pooling_is_read(self, tmp_path, told, pooling):
        folder = exported(tmp_path / "m")
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(told))
        assert read_folder(folder).config.pooling == pooling

    def test_an_unknown_pooling_is_refused_by_name(self, tmp_path):
        folder = exported(tmp_path / "m")
        (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_lasttoken": true}')
        with pytest.raises(ModelRefused, match="lasttoken; only mean and cls"):
            installing.looked_at(folder)

    @pytest.mark.parametrize("name", ["1_Pooling/config.json", "config.json", "modules.json"])
    def test_a_file_that_makes_no_sense_is_named(self, tmp_path, name):
        folder = exported(tmp_path / "m")
        (folder / name).write_text("{nope")
        with pytest.raises(ModelRefused, match=r"(config|modules)\.json in .* cannot be used"):
            installing.looked_at(folder)

    def test_what_makes_the_same_vectors_has_the_same_digest(self, tmp_path):
        one, other = copied(tmp_path / "a", "one"), copied(tmp_path / "b", "other", languages=["ru"])
        prefixed = copied(tmp_path / "c", "one", query_prefix="query: ")
        assert read_folder(one).digest() == read_folder(other).digest() == read_folder(MODEL).digest()
        assert read_folder(prefixed).digest() != read_folder(one).digest()

    @pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
    def test_a_missing_file_is_named(self, tmp_path, missing):
        folder = copied(tmp_path / "m")
        (folder / missing).unlink()
        with pytest.raises(ModelRefused, match=rf"^{missing} is missing in .*m\.$"):
            installing.looked_at(folder)

    @pytest.mark.parametrize("path", ["relative/path", "/nowhere/at/all", "/x\0y", "/" + "x" * 5_000])
    def test_a_path_to_nothing_is_refused(self, path):
        with pytest.raises(ModelRefused):
            installing.looked_at(Path(path))


async def refusal(call, folder: Path) -> str:
    with pytest.raises(ModelRefused) as refused:
        await model_actions.add_model(call, body=AddModel(folder=str(folder)))
    home = installing.models_folder(call.tower.home)
    assert not await asyncio.to_thread(lambda: home.exists() and list(home.iterdir())), (
        "nothing is left behind"
    )
    assert call.tower.settings.get(SearchSettings).model_folder == ""
    return str(refused.value)


class TestRefusals:
    async def test_a_graph_that_is_none(self, call, broken_model):
        assert "cannot be loaded" in await refusal(call, broken_model)

    async def test_a_tokenizer_that_is_none(self, call, tmp_path):
        folder = copied(tmp_path / "m")
        (folder / "tokenizer.json").write_text("{}")
        assert "cannot be loaded" in await refusal(call, folder)

    async def test_a_tokenizer_with_words_the_graph_has_none_for(self, call, tmp_path):
        folder = tiny.model(tmp_path / "m")
        (folder / "tokenizer.json").write_text(tiny.tokenizer({"[UNK]": 99_999}))
        assert "failed on a text" in await refusal(call, folder)

    async def test_a_tokenizer_of_another_model(self, call, tmp_path):
        """Its numbers are all in the graph, and mean other words."""
        folder = tiny.model(tmp_path / "m")
        vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
        numbers = list(vocabulary.values())
        mixed = dict(zip(vocabulary, [0, *numbers[2:], numbers[1]], strict=True))
        words = sorted(mixed)
        shuffled = np.random.default_rng(1).permutation(len(words))
        (folder / "tokenizer.json").write_text(
            tiny.tokenizer({word: int(place) for word, place in zip(words, shuffled, strict=True)})
        )
        told = await refusal(call, folder)
        assert "finds the right text for" in told
        assert "tokenizer, pooling or prefixes" in told

    async def test_numbers_that_are_none(self, call, tmp_path):
        table = np.full((4, 16), np.nan)
        folder = tiny.written(tmp_path / "m", tiny.graph(table), tiny.tokenizer({"[UNK]": 0}))
        assert "numbers that are none" in await refusal(call, folder)

    async def test_the_same_vector_of_everything(self, call, tmp_path):
        folder = tiny.written(tmp_path / "m", tiny.graph(np.ones((4, 16))), tiny.tokenizer({"[UNK]": 0}))
        assert "same vector of every text" in await refusal(call, folder)

    async def test_another_dimension_than_declared(self, call, tmp_path):
        assert "makes 384 numbers, config.json says 768" in await refusal(
            call, copied(tmp_path / "m", dimension=768)
        )

    async def test_inputs_that_no_text_has(self, call, tmp_path):
        onnx = tiny.graph(np.ones((4, 16)), asks="pixel_values")
        assert "pixel_values" in await refusal(
            call, tiny.written(tmp_path / "m", onnx, tiny.tokenizer({"[UNK]": 0}))
        )

    async def test_a_disk_without_room(self, call, tmp_path, monkeypatch):
        usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        folder = await asyncio.to_thread(copied, tmp_path / "m")
        with pytest.raises(StorageFull, match=r"needs 23 MB and 1 MB are free"):
            await model_actions.add_model(call, body=AddModel(folder=str(folder)))

    async def test_a_copy_that_breaks_off_leaves_nothing(self, call, tmp_path, monkeypatch):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        monkeypatch.setattr(installing, "MEASURED", "no/such/folder")
        with pytest.raises(StorageFailure, match="cannot be written"):
            await model_actions.add_model(call, body=AddModel(folder=str(folder)))
        assert [path.name for path in installing.models_folder(call.tower.home).iterdir()] == []


class TestAbility:
    async def test_the_shipped_model_is_measured_as_its_papers_say(self):
        folder = await asyncio.to_thread(read_folder, MODEL)
        embedder = Embedder(folder, threads=1)
        found = await ability.measure(embedder, await asyncio.to_thread(folder.digest))
        await embedder.stop()
        assert await ability.fits(folder.measured, found.digest), "run packaging/measure_model.py"
        for name, share in found.ability.shares().items():
            assert share == pytest.approx(folder.measured.ability.shares()[name], abs=0.05)
        assert found.ability.known == ["en"]

    async def test_one_that_makes_all_vectors_alike_finds_nothing(self):
        same = np.ones((5, 3), np.float32)
        assert ability.found_first(same, same) == 0.0
        assert ability.found_first(np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)) == 1.0

    def test_what_counts_as_known(self):
        assert Ability(KNOWN_FROM, KNOWN_FROM - 0.01, 1.0, 0.0).known == ["ru", "ru-en"]

    def test_the_texts_are_sixty_pairs_of_their_own(self):
        columns, _ = ability.tried_with()
        assert [len(set(column)) for column in columns] == [60] * 4

    async def test_a_measurement_of_other_files_or_texts_does_not_count(self):
        texts = (await asyncio.to_thread(ability.tried_with))[1]
        kept = Measured("d", texts, Ability(1, 1, 1, 1))
        assert await ability.fits(kept, "d")
        assert not await ability.fits(kept, "e")
        assert not await ability.fits(msgspec.structs.replace(kept, texts="old"), "d")
        assert not await ability.fits(None, "d")


async def listed(call):
    return {model.id: model for model in (await model_actions.list_models(call)).models}


class TestInstalling:
    async def test_a_multilingual_export_is_taken_in(self, call, tower, indexer, said, tmp_path):
        folder = await asyncio.to_thread(exported, tmp_path / "multilingual-e5-small")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model
        assert added.id.startswith("multilingual-e5-small-")
        assert (added.name, added.licence, added.dimension) == ("multilingual-e5-small", "MIT License", 64)
        assert added.known == ["ru", "en", "ru-en", "en-ru"]
        assert (added.chosen, added.in_place, added.state) == (True, False, "building")
        await asyncio.to_thread(shutil.rmtree, folder)  # a disk that is unplugged
        await said.message("Договор с печатью отправили курьером сегодня утром.")
        assert (await indexer.run(call.project_id)).model == added.id, (
            "a model that knows Russian has no glosses"
        )
        ready = await (await tower.part(Models)).wanted()
        assert ready.embedder.folder.config.query_prefix == "query: "
        assert ready.model.languages == ["ru", "en", "ru-en", "en-ru"]

    async def test_one_without_russian_is_given_glosses(self, call, tower, tmp_path):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "english", columns="en")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model
        assert added.known == ["en"]
        ready = await (await tower.part(Models)).wanted()
        assert ready.model.model_id == f"{added.id}+{GLOSSED}"

    async def test_what_a_folder_declares_is_only_a_hint(self, call, tower, tmp_path):
        folder = await asyncio.to_thread(copied, tmp_path / "boaster", languages=["ru", "en"])
        await tower.settings.change(SearchSettings, {"model_folder": str(folder)})
        ready = await (await tower.part(Models)).wanted()
        assert ready.model.languages == ["en"]
        assert ready.model.model_id.endswith(GLOSSED)

    async def test_a_model_left_in_place_is_read_there(self, call, tower, tmp_path):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "disk")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder), in_place=True))).model
        assert (added.in_place, added.folder) == (True, str(folder))
        kept = installing.models_folder(tower.home) / added.id
        assert sorted(path.name for path in kept.iterdir()) == ["config.json", "model.json"]
        ready = await (await tower.part(Models)).wanted()
        assert ready.embedder.folder.graph == folder / "onnx" / "model.onnx"
        await asyncio.to_thread(shutil.rmtree, folder)
        broken = (await listed(call))[added.id]
        assert (broken.state, broken.problem) == ("broken", f"model.onnx is missing in {folder}.")

    async def test_twice_is_once(self, call, tmp_path):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        ids = [
            (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model.id
            for _ in range(2)
        ]
        assert len(set(ids)) == 1
        assert len(await listed(call)) == 2

    async def test_what_a_killed_copy_left_is_swept(self, call, tower, tmp_path):
        left = installing.models_folder(tower.home) / ".old-1234.partial"
        left.mkdir(parents=True)
        (left / "model.onnx").write_bytes(b"half")
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder), use=False))).model
        assert not left.exists()
        assert (added.chosen, added.state) == (False, "idle")

    async def test_a_hostile_name_stays_inside(self, call, tower, tmp_path):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        (folder / "config.json").write_text(json.dumps({"model_id": "../../evil ; имя"}))
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model
        assert added.id.startswith("evil-")
        assert (installing.models_folder(tower.home) / added.id).is_dir()


class TestUsing:
    async def test_back_to_the_shipped_one(self, call, tower, tmp_path):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model
        back = (await model_actions.use_model(call, SHIPPED)).model
        assert (back.shipped, back.chosen) == (True, True)
        assert tower.settings.get(SearchSettings).model_folder == ""
        again = (await model_actions.use_model(call, added.id)).model
        assert again.chosen

    async def test_what_is_in_use_cannot_be_removed(self, call, tower, indexer, said, tmp_path):
        await said.message("Договор с печатью отправили курьером сегодня утром.")
        while await indexer.index_words():
            pass
        await indexer.embed_some()
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model
        for model_id in (SHIPPED, added.id):
            with pytest.raises(ModelInUse):
                await model_actions.remove_model(call, model_id)
        while await indexer.embed_some() is not None:
            pass
        await model_actions.use_model(call, SHIPPED)
        with pytest.raises(ModelInUse, match="wait until"):
            await model_actions.remove_model(call, added.id)
        while await indexer.embed_some() is not None:
            pass
        assert (await model_actions.remove_model(call, added.id)).removed == added.id
        assert list(await listed(call)) == [SHIPPED]
        with pytest.raises(ModelNotFound):
            await model_actions.use_model(call, added.id)

    async def test_what_the_environment_says_stands(self, call, tower, tmp_path):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        environment = {"CTOWER_SEARCH_MODEL_FOLDER": str(folder)}
        tower.settings = await Settings.open(
            tower.home.settings, Secrets(tower.home.secrets, "file"), environment
        )
        with pytest.raises(ModelFixed):
            await model_actions.use_model(call, SHIPPED)
        by_hand = (await listed(call))["m"]
        assert (by_hand.chosen, by_hand.folder) == (True, str(folder))


class TestTakingOver:
    async def test_the_old_one_answers_until_all_texts_have_new_vectors(
        self, tower, call, said, indexer, tmp_path
    ):
        for number in range(40):
            await said.message(
                f"The launch of site number {number} moves to October because payments are late"
            )
        while await indexer.index_words():
            pass
        while await indexer.embed_some() is not None:
            pass
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model
        await indexer.embed_some()
        half = (await listed(call))[added.id]
        assert half.state == "building"
        assert 0 < half.building.done < half.building.total == 40
        answer = await actions.query_lightrag(call, LightragQuery(query="why is the release postponed"))
        assert (answer.embedding_model, answer.search_config.vectors) == (f"{SHIPPED}+{GLOSSED}", "used")
        await said.message("A new message about the launch that came in the meantime, with its own words")
        while await indexer.index_words():
            pass
        while await indexer.embed_some() is not None:
            pass
        after = await actions.query_lightrag(call, LightragQuery(query="why is the release postponed?"))
        assert (after.embedding_model, after.search_config.vectors) == (added.id, "used")
        assert [m.state for m in await tower.index.read(vector_store.models)] == ["serving"]
        sizes = await tower.index.read(
            lambda db: list(db.execute("SELECT DISTINCT model, length(vector) FROM embedding"))
        )
        assert sizes == [(2, 64)], "no vector of the old one is left"
        models = await listed(call)
        assert {name: model.state for name, model in models.items()} == {SHIPPED: "idle", added.id: "serving"}

    async def test_a_question_asked_at_the_moment_of_the_change_is_answered_by_words(
        self, tower, call, said, indexer, tmp_path
    ):
        await said.message("The launch of the site moves to October because payments are late")
        await indexer.run(call.project_id)
        models = await tower.part(Models)
        before = await models.serving()
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        await model_actions.add_model(call, body=AddModel(folder=str(folder)))
        while await indexer.embed_some() is not None:
            pass
        vector = np.ones(384, np.float32)
        wanted = vector_store.Filter(project_id=call.project_id)
        assert await tower.index.read(vector_store.search, before.model.id, vector, wanted, 5) == []

    async def test_the_background_does_it_with_progress(self, tower, call, said, tmp_path):
        told, ready = [], asyncio.Event()
        for number in range(5):
            await said.message(
                f"The launch of site number {number} moves to October because payments are late"
            )
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model

        def tell(event):
            if isinstance(event, IndexProgress):
                told.append((event.done, event.total))
                if event.done == event.total == 5:
                    ready.set()

        tower.events.subscribe(tell)
        await tower.part(Indexer)
        await asyncio.wait_for(ready.wait(), 20)
        assert (await listed(call))[added.id].state == "serving"

    async def test_a_file_replaced_under_the_same_name_is_another_model(
        self, tower, call, said, indexer, tmp_path
    ):
        folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
        await tower.settings.change(SearchSettings, {"model_folder": str(folder)})
        await said.message("The launch of the site moves to October because payments are late")
        await indexer.run(call.project_id)
        await asyncio.to_thread(tiny.model, tmp_path / "m", columns="ru")
        os.utime(folder / "onnx" / "model.onnx", (1, 1))
        with pytest.raises(ModelUnavailable, match="being prepared"):
            await (await tower.part(Models)).serving()
        assert (await indexer.run(call.project_id)).processed == 1, "nothing of the old file is mixed in"


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
        while await indexer.embed_some() is not None:
            print("step", flush=True)
            await asyncio.to_thread(sys.stdin.readline)

    asyncio.run(main())
""")


@pytest.mark.slow
async def test_a_kill_while_it_takes_over_loses_nothing(tmp_path, home, clock):
    tower = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    from tests.search.test_indexing import a_project

    call, said = await a_project(tower)
    for number in range(100):
        await said.message(f"The launch of site number {number} moves to October because payments are late")
    indexer = Indexer(tower, await tower.part(Models))
    while await indexer.index_words():
        pass
    while await indexer.embed_some() is not None:
        pass
    folder = await asyncio.to_thread(tiny.model, tmp_path / "m")
    added = (await model_actions.add_model(call, body=AddModel(folder=str(folder)))).model
    await app.close_tower(tower)
    script = tmp_path / "child.py"
    script.write_text(CHILD, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(app.__file__).parent.parent)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(home.path),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
    )  # fmt: skip
    assert (await child.stdout.readline()).strip() == b"step"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    child._transport.close()

    tower = await app.open_tower(home, clock=clock, environment={}, secrets="file")
    call = desktop(tower, "t", call.project)
    indexer = Indexer(tower, await tower.part(Models))
    part = asyncio.get_running_loop().create_future()
    part.set_result(indexer)
    tower._parts[Indexer] = part  # it works only when asked to
    states = {model.id: model for model in (await model_actions.list_models(call)).models}
    assert states[SHIPPED].state == "serving"
    assert states[added.id].building.done == 32, "what was done before the kill is kept"
    answer = await actions.query_lightrag(call, LightragQuery(query="why is the release postponed"))
    assert answer.embedding_model.startswith("all-MiniLM")
    while await indexer.embed_some() is not None:
        pass
    after = (await model_actions.list_models(call)).models
    assert {model.id: model.state for model in after} == {SHIPPED: "idle", added.id: "serving"}
    counted = await tower.index.read(lambda db: next(db.execute("SELECT count(*) FROM vector_2"))[0])
    assert counted == 100
    await app.close_tower(tower)
