"""The lists of words that messages are read with, in resources/lexicon/signals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ctower_desktop.kernel.system import resources


def folder() -> Path:
    """Where the lists are."""
    return resources() / "lexicon" / "signals"


@cache
def _sets() -> Mapping[str, frozenset[str]]:
    found = {}
    for line in (folder() / "words.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, words = line.split("\t")
            found[name] = frozenset(words.split())
    return found


def word_set(name: str) -> frozenset[str]:
    """The set of folded words called `name`."""
    return _sets()[name]
