"""Precision and recall of reading by kind, on sentences: `python -m tests.insight.signals.measure`."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ctower_desktop.insight.signals.stories import SAID
from ctower_desktop.insight.signals.wording import read

SENTENCES = Path(__file__).with_name("sentences.toml")


class Figures(NamedTuple):
    """Right, wrongly raised and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def sentences(half: str) -> list[tuple[str, str, set[str]]]:
    """(who, text, kinds) of one half."""
    listed = tomllib.loads(SENTENCES.read_text("utf-8"))[half]
    return [
        ("team" if group.startswith("team") else "client", text, set(labels.split()))
        for group, rows in listed.items()
        for text, labels in rows
    ]


def measured(half: str, mistakes: list[str] | None = None) -> dict[str, Figures]:
    """Figures per kind, and of all kinds together under `all`."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for who, text, expected in sentences(half):
        found = {hit.kind for hit in read(text, who) if hit.kind in SAID}
        right.update(found & expected)
        wrong.update(found - expected)
        missed.update(expected - found)
        if mistakes is not None and found != expected:
            mistakes.append(f"{text!r}: wrong {sorted(found - expected)}, missed {sorted(expected - found)}")
    figures = {kind: Figures(right[kind], wrong[kind], missed[kind]) for kind in SAID}
    figures["all"] = Figures(right.total(), wrong.total(), missed.total())
    return figures


if __name__ == "__main__":
    import sys

    half = sys.argv[1] if len(sys.argv) > 1 else "held_out"
    told: list[str] = []
    for kind, figures in measured(half, told).items():
        print(f"{kind:22} precision {figures.precision:.2f} recall {figures.recall:.2f} {tuple(figures)}")
    if half == "tune":
        print(*told, sep="\n")
