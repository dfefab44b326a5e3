"""Vector search against the exact float32 scan: speed and recall, on clustered and on real vectors."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import sqlite_vec

from ctower_desktop import app
from ctower_desktop.kernel.database import migrate
from ctower_desktop.kernel.system import resources
from ctower_desktop.sandbox.agency import load
from ctower_desktop.search import vector_store
from ctower_desktop.search.chunking import sentences
from ctower_desktop.search.embedder import Embedder, read_folder
from ctower_desktop.search.vector_store import Filter

DIMENSION, TOP = 384, 10
PROJECT = "00000000-0000-4000-8000-0000000000aa"
_BLOCK = 20_000


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """100,000 and 1,000,000 clustered vectors, then the demo agency's own sentences."""
    few, many = (2_000, 4_000) if tiny else (100_000, 1_000_000)
    return [*_clustered(few, against_scan=True), *_clustered(many, against_scan=False), *_real()]


def demo_texts() -> list[str]:
    """Every sentence of the demo agency, once."""
    found: dict[str, None] = {}
    for client in load().clients:
        texts = [m.text for c in client.conversations for m in c.messages]
        texts += [f"{i.title}. {i.description}" for i in client.issues]
        texts += [c.text for i in client.issues for c in i.comments]
        for text in texts:
            found.update(dict.fromkeys(sentences(text)))
    return [text for text in found if len(text) >= 30]


def clustered(count: int, seed: int) -> Iterator[np.ndarray]:
    """Unit vectors around two hundred centres, in blocks."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(size=(200, DIMENSION))
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        block = centres[chance.integers(200, size=size)] + 1.2 * chance.normal(size=(size, DIMENSION))
        yield (block / np.linalg.norm(block, axis=1, keepdims=True)).astype(np.float32)


def open_index(path: Path) -> apsw.Connection:
    """An empty index, written without waiting for the disk."""
    db = apsw.Connection(str(path))
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    migrate(db, app.INDEX_MIGRATIONS)
    db.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL")
    return db


def fill(db: apsw.Connection, blocks: Iterator[np.ndarray], *, with_floats: bool) -> int:
    """Chunks with these vectors, as the indexer would have left them; return how many."""
    model = vector_store.add_model(db, "bench", DIMENSION, ["en"], "bench")
    if with_floats:
        db.execute(
            "CREATE VIRTUAL TABLE scan USING vec0(chunk_id INTEGER PRIMARY KEY,"
            f" project_id TEXT PARTITION KEY, v FLOAT[{DIMENSION}] distance_metric=cosine)"
        )
    number = 0
    for block in blocks:
        with db:
            for vector in block:
                number += 1
                _put(db, model, number, vector, with_floats=with_floats)
    db.execute("ANALYZE")
    return number


def _put(db: apsw.Connection, model: int, number: int, vector: np.ndarray, *, with_floats: bool) -> None:
    scale, packed = vector_store.quantised(vector)
    db.execute(
        "INSERT INTO chunk (id, project_id, source_type, source_pk, chunk_index, text, text_hash, terms,"
        " words_hash, tokens, language, private, occurred_at, updated_at, metadata, embeddable, embedded_by)"
        " VALUES (?1, ?2, 'message', ?1, 0, 'text', ?1, '', '', 1, 'en', 0, ?4, ?4, '{}', 1, ?3)",
        (number, PROJECT, model, "2026-11-20T10:00:00.000Z"),
    )
    db.execute(
        "INSERT INTO embedding (model, text_hash, scale, vector) VALUES (?, ?, ?, ?)",
        (model, str(number), scale, packed),
    )
    db.execute(
        f"INSERT INTO vector_{model:d} VALUES (?, ?, ?, vec_bit(?), 1, 20261120)",
        (number, PROJECT, vector_store.shard(number, private=False), vector_store.coarse_of_bytes(packed)),
    )
    if with_floats:
        db.execute("INSERT INTO scan VALUES (?, ?, ?)", (number, PROJECT, vector.tobytes()))


def _clustered(count: int, *, against_scan: bool) -> list[dict[str, Any]]:
    name = f"{count:,} vectors"
    with tempfile.TemporaryDirectory() as folder:
        db = open_index(Path(folder) / "index.db")
        fill(db, clustered(count, 2), with_floats=against_scan)
        questions = _near(next(clustered(min(count, _BLOCK), 2))[: 50 if against_scan else 30])
        truth = exact_top(clustered(count, 2), questions)
        ours, found = _ours(db, questions)
        recall = _recall(found, truth)
        rows = [
            _row(f"{name}: search, p50", 1000 * ours, "ms"),
        ]
        if not against_scan:
            rows.append(_row(f"{name}: recall@{TOP} against exact", recall, ""))
        if against_scan:
            scan = _scan(db, questions)
            rows += [
                _row(f"{name}: recall@{TOP} against exact", recall, "", ">= 0.95", recall >= 0.95),
                _row(f"{name}: exact float32 vec0 scan, p50", 1000 * scan, "ms"),
                _row(f"{name}: times as fast as the scan", scan / ours, "x", ">= 5", scan / ours >= 5),
            ]
        db.close()
    return rows


def _real() -> list[dict[str, Any]]:
    texts = demo_texts()
    vectors = asyncio.run(_embedded(texts))
    with tempfile.TemporaryDirectory() as folder:
        db = open_index(Path(folder) / "index.db")
        fill(db, iter([vectors]), with_floats=False)
        questions = vectors[:: max(1, len(vectors) // 100)]
        _, found = _ours(db, questions)
        recall = _recall(found, exact_top(iter([vectors]), questions))
        db.close()
    return [
        _row(f"{len(texts):,} sentences of the demo: recall@{TOP}", recall, "", ">= 0.95", recall >= 0.95)
    ]


async def _embedded(texts: Sequence[str]) -> np.ndarray:
    embedder = Embedder(await asyncio.to_thread(read_folder, resources() / "model"))
    vectors, _ = await embedder.embed_passages(texts)
    await embedder.stop()
    return vectors


def _near(vectors: np.ndarray) -> np.ndarray:
    """Questions: stored vectors, moved a little."""
    moved = vectors + 0.02 * np.random.default_rng(3).normal(size=vectors.shape)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def exact_top(blocks: Iterator[np.ndarray], questions: np.ndarray) -> list[set[int]]:
    """The true nearest, by full precision."""
    best: list[list[tuple[float, int]]] = [[] for _ in questions]
    number = 0
    for block in blocks:
        nearness = questions @ block.T
        top = np.argpartition(-nearness, min(TOP, len(block) - 1), axis=1)[:, :TOP]
        for row, places in enumerate(top):
            best[row] += [(float(nearness[row, place]), number + int(place) + 1) for place in places]
            best[row] = sorted(best[row], reverse=True)[:TOP]
        number += len(block)
    return [{found for _, found in one} for one in best]


def _ours(db: apsw.Connection, questions: np.ndarray) -> tuple[float, list[list[int]]]:
    wanted = Filter(project_id=PROJECT)
    found, seconds = [], []
    vector_store.search(db, 1, questions[0], wanted, TOP)
    for question in questions:
        began = time.perf_counter()
        hits = vector_store.search(db, 1, question, wanted, TOP)
        seconds.append(time.perf_counter() - began)
        found.append([number for number, _ in hits])
    return statistics.median(seconds), found


def _scan(db: apsw.Connection, questions: np.ndarray) -> float:
    sql = "SELECT chunk_id FROM scan WHERE v MATCH ? AND k = ? AND project_id = ?"
    seconds = []
    list(db.execute(sql, (questions[0].tobytes(), TOP, PROJECT)))
    for question in questions:
        began = time.perf_counter()
        list(db.execute(sql, (question.tobytes(), TOP, PROJECT)))
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _recall(found: Sequence[Sequence[int]], truth: Sequence[set[int]]) -> float:
    shares = [len(set(one[:TOP]) & true) / len(true) for one, true in zip(found, truth, strict=True)]
    return float(statistics.mean(shares))


def _row(name: str, value: float, unit: str, target: str = "", ok: bool | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}
