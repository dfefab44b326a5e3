"""The embedder: right vectors in the right order, a thread of its own, clear words without a model."""

import asyncio
import hashlib
import json
import time

import msgspec
import numpy as np
import pytest

from ctower_desktop.kernel.system import resources
from ctower_desktop.search import embedder as module
from ctower_desktop.search.embedder import Embedder, EmbeddingFailed, ModelUnavailable, read_folder
from ctower_desktop.search.model_folder import ModelConfig

MODEL = resources() / "model"
TEXTS = [
    "The client promised to pay on Friday.",
    "a",
    "Клиент обещал оплатить в пятницу.",
    "The customer said the money will come at the end of the week. " * 20,
    "Safari crashes on the product page",
]


@pytest.fixture(scope="module")
def folder():
    return read_folder(MODEL)


@pytest.fixture
async def embedder(folder):
    made = Embedder(folder, threads=1)
    yield made
    await made.stop()


async def test_vectors_are_of_length_one_and_in_order(embedder):
    vectors, tokens = await embedder.embed_passages(TEXTS)
    assert vectors.shape == (5, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert tokens > 30
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert np.array_equal(await embedder.embed_query(text), vector), "whatever it is embedded with"


async def test_near_is_near(embedder):
    vectors, _ = await embedder.embed_passages(TEXTS)
    near, far = float(vectors[0] @ vectors[3]), float(vectors[0] @ vectors[4])
    assert near > far + 0.3


async def test_a_query_overtakes_a_long_queue_of_passages(embedder):
    await embedder.embed_query("warm up")
    ended = []

    async def passages():
        await embedder.embed_passages(TEXTS * 60)
        ended.append("passages")

    async def query():
        await embedder.embed_query("now, please")
        ended.append("query")

    long = asyncio.create_task(passages())
    await asyncio.sleep(0.01)
    await query()
    assert ended == ["query"]
    await long


async def test_the_loop_goes_on_while_the_model_works(embedder):
    await embedder.embed_query("warm up")
    gaps, last = [], time.perf_counter()
    work = asyncio.create_task(embedder.embed_passages(TEXTS * 20))
    while not work.done():
        await asyncio.sleep(0.001)
        gaps.append(time.perf_counter() - last)
        last = time.perf_counter()
    assert len(gaps) > 10


def test_runs_keep_the_order_within_the_budget():
    coded = [[7] * length for length in [5, 300, 5, 40, 256, 900, 5] * 20]
    runs = module._runs(coded)
    assert [ids for run in runs for ids in run] == coded
    assert all(sum(map(len, run)) <= module._TOKENS_A_RUN for run in runs)
    assert len(runs) < len(coded) / 2


async def test_it_loads_nothing_before_it_is_asked(folder):
    made = Embedder(folder)
    assert not made.loaded
    await made.embed_query("x")
    assert made.loaded
    await made.stop()
    assert not made.loaded


async def test_who_waits_for_a_model_that_is_let_go_is_told_so(folder):
    made = Embedder(folder, threads=1)
    await made.embed_query("warm up")
    waiting = [asyncio.create_task(made.embed_query(f"question {number}")) for number in range(50)]
    await asyncio.sleep(0)
    cancelled = asyncio.create_task(made.embed_query("nobody wants to know any more"))
    await asyncio.sleep(0)
    cancelled.cancel()
    await made.stop()
    found = await asyncio.gather(*waiting, cancelled, return_exceptions=True)
    assert isinstance(found.pop(), asyncio.CancelledError)
    assert {type(one) for one in found} <= {ModelUnavailable, np.ndarray}
    assert any(isinstance(one, ModelUnavailable) for one in found)
    with pytest.raises(ModelUnavailable, match="taken over"):
        await made.embed_query("too late")


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path, missing):
    for name in {"model.onnx", "tokenizer.json"} - {missing}:
        (tmp_path / name).touch()
    with pytest.raises(ModelUnavailable, match=missing):
        read_folder(tmp_path)


def test_a_config_that_makes_no_sense_is_refused(tmp_path):
    for name, text in (("model.onnx", ""), ("tokenizer.json", ""), ("config.json", '{"max_length": "long"}')):
        (tmp_path / name).write_text(text)
    with pytest.raises(ModelUnavailable, match=r"config\.json"):
        read_folder(tmp_path)


async def spoilt(tmp_path, **changes):
    for file in MODEL.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = {**json.loads((MODEL / "config.json").read_text()), **changes}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return Embedder(await asyncio.to_thread(read_folder, tmp_path), threads=1)


async def test_a_changed_model_file_is_noticed(tmp_path):
    made = await spoilt(tmp_path)
    weights = bytearray((tmp_path / "model.onnx").read_bytes())
    weights[len(weights) // 2] ^= 0xFF
    (tmp_path / "model.onnx").write_bytes(weights)
    with pytest.raises(ModelUnavailable, match="not the file"):
        await made.embed_query("x")
    await made.stop()


async def test_a_wrong_dimension_is_noticed(tmp_path):
    made = await spoilt(tmp_path, dimension=768)
    with pytest.raises(ModelUnavailable, match="384"):
        await made.embed_query("x")
    await made.stop()


async def test_a_broken_file_is_said_once_and_costs_nothing_again(broken_model):
    made = Embedder(await asyncio.to_thread(read_folder, broken_model))
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="cannot be loaded"):
            await made.embed_query("x")
    await made.stop()


async def test_prefixes_are_put_before_texts(tmp_path):
    made = await spoilt(tmp_path, query_prefix="query: ", passage_prefix="passage: ")
    plain = Embedder(await asyncio.to_thread(read_folder, MODEL), threads=1)
    for prefix, vector in (
        ("query: ", await made.embed_query("contract")),
        ("passage: ", (await made.embed_passages(["contract"]))[0][0]),
    ):
        assert float(vector @ await plain.embed_query(f"{prefix}contract")) > 0.9999
    await made.stop()
    await plain.stop()


async def test_numbers_that_are_none_are_refused(embedder, monkeypatch):
    await embedder.embed_query("x")
    monkeypatch.setattr(module._Loaded, "_pooled", lambda *_: np.full((1, 384), np.nan, np.float32))
    with pytest.raises(EmbeddingFailed):
        await embedder.embed_query("x")


def test_the_shipped_model_is_the_one_its_papers_describe(folder):
    digest = hashlib.sha256((MODEL / "model.onnx").read_bytes()).hexdigest()
    assert folder.config.sha256 == digest
    assert digest in (MODEL / "README.md").read_text("utf-8")
    assert folder.model_id == f"all-MiniLM-L6-v2-int8-{digest[:8]}"
    assert (folder.config.dimension, folder.config.languages) == (384, ("en",))
    assert "Apache License" in (MODEL / "LICENSE").read_text("utf-8")
    assert msgspec.json.decode((MODEL / "tokenizer.json").read_bytes())["truncation"] is None


def test_which_languages_a_model_knows(folder):
    assert folder.knows("en")
    assert not folder.knows("ru")
    declared = msgspec.structs.replace(folder, measured=None)
    assert (declared.knows("en"), declared.knows("ru")) == (True, False), (
        "the hint counts until it is measured"
    )
    assert msgspec.structs.replace(declared, config=ModelConfig()).knows("ru")
