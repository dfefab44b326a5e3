"""Embedding models of a few kilobytes, written by hand: one vector for each word, the mean for a text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from ctower_desktop.kernel.system import resources

DIMENSION = 64
_WORDS = re.compile(r"\w+|[^\w\s]+")  # as the tokenizer's Whitespace cuts


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _value(name: str, kind: int, *sizes: int | str) -> bytes:
    shape = b"".join(_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in sizes)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, shape)))


def graph(table: np.ndarray, *, asks: str = "input_ids") -> bytes:
    """An ONNX file that looks each token up in `table`: tokens in, one row for each out."""
    rows, columns = table.shape
    node = _field(1, "table") + _field(1, asks) + _field(2, "states") + _field(4, "Gather")
    tensor = _field(1, rows) + _field(1, columns) + _field(2, 1) + _field(8, "table")
    tensor += _field(9, table.astype("<f4").tobytes())
    body = _field(1, node) + _field(2, "tiny") + _field(5, tensor)
    body += _field(11, _value(asks, 7, "batch", "tokens"))
    body += _field(12, _value("states", 1, "batch", "tokens", columns))
    return _field(1, 8) + _field(7, body) + _field(8, _field(1, "") + _field(2, 13))


def tokenizer(vocabulary: dict[str, int]) -> str:
    """A tokenizer that knows whole words."""
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": None,
            "decoder": None,
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
        }
    )


def trial_rows() -> list[list[str]]:
    """The pairs that models are measured with."""
    lines = (resources() / "model_trial.tsv").read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def model(folder: Path, *, columns: str = "ruen", name: str = "onnx/model.onnx") -> Path:
    """A model that knows the languages named in `columns`, by heart: a word of pair n points along axis n."""
    rng, pairs = np.random.default_rng(7), {}
    for number, row in enumerate(trial_rows()):
        told = (row[:2] if "ru" in columns else []) + (row[2:] if "en" in columns else [])
        for word in _WORDS.findall(" ".join(told)):
            pairs.setdefault(word, set()).add(number)
    vocabulary = {"[UNK]": 0} | {word: place for place, word in enumerate(sorted(pairs), 1)}
    table = rng.normal(0, 0.02, (len(vocabulary), DIMENSION))
    for word, numbers in pairs.items():
        if len(numbers) == 1:
            table[vocabulary[word], next(iter(numbers))] += 1
    return written(folder, graph(table), tokenizer(vocabulary), name=name)


def written(folder: Path, onnx: bytes, tokens: str, *, name: str = "model.onnx") -> Path:
    """A folder of graph and tokenizer."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(onnx)
    (folder / "tokenizer.json").write_text(tokens, "utf-8")
    return folder
