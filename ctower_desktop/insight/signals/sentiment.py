"""How a client sounds, by a small lexicon in Russian and English, and how that moves with time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ctower_desktop.insight.signals.wording import clean, sentences, tokens_of
from ctower_desktop.insight.signals.wordlists import folder, word_set
from ctower_desktop.search.words import fold, stem

SOUR = -0.35  # a mood from here down is worth telling
BITTER = -0.6
CALMED = -0.15  # from here up it is over
FEWEST = 3  # messages a trend needs
_NEWEST = 0.4  # weight of the newest message in the moving average
_SCALE = 3.0
_BACK = 3  # words a «not» or a «very» reaches
_PREFIX = 3
_NOT = word_set("mood_not")
_VERY = word_set("very")


@dataclass(frozen=True, slots=True)
class Mood:
    """A moving average of how messages sound, -1 to 1, and from how many it was read."""

    value: float = 0.0
    messages: int = 0
    refs: tuple[str, ...] = ()  # those that sound bad, the newest first

    @property
    def sour(self) -> bool:
        return self.messages >= FEWEST and self.value <= SOUR


@dataclass(frozen=True, slots=True)
class _Weights:
    stems: dict[str, float]
    beginnings: dict[str, list[tuple[str, float]]]

    def of(self, text: str, stemmed: str) -> float:
        found = self.stems.get(stemmed)
        if found is not None:
            return found
        fitting = [w for begin, w in self.beginnings.get(text[:_PREFIX], ()) if text.startswith(begin)]
        return fitting[0] if fitting else 0.0


@cache
def _weights() -> _Weights:
    stems: dict[str, float] = {}
    beginnings: dict[str, list[tuple[str, float]]] = {}
    for language in ("en", "ru"):
        path = folder() / f"sentiment_{language}.tsv"
        for line in path.read_text("utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            word, weight = fold(line).split("\t")
            if word.endswith("*"):
                beginnings.setdefault(word[:_PREFIX], []).append((word[:-1], float(weight)))
            else:
                stems[stem(word)] = float(weight)
    for found in beginnings.values():
        found.sort(key=lambda pair: -len(pair[0]))
    return _Weights(stems, beginnings)


def tone(text: str) -> float | None:
    """How one message sounds, -1 to 1; None when nothing in it sounds like anything."""
    weights, total, heard = _weights(), 0.0, False
    for sentence in sentences(clean(text)):
        tokens = tokens_of(sentence)
        for place, token in enumerate(tokens):
            weight = weights.of(token.text, token.stem)
            if not weight:
                continue
            heard = True
            before = {t.text for t in tokens[max(0, place - _BACK) : place]}
            if before & _NOT:
                weight *= -0.7
            if before & _VERY:
                weight *= 1.4
            total += weight
    return math.tanh(total / _SCALE) if heard else None


def mood(messages: Sequence[tuple[str, str]]) -> Mood:
    """The mood after these messages, (id, text) from the oldest to the newest."""
    value, count, bad = 0.0, 0, []
    for ref, text in messages:
        heard = tone(text)
        if heard is None:
            continue
        value = heard if count == 0 else (1 - _NEWEST) * value + _NEWEST * heard
        count += 1
        if heard < 0:
            bad.append(ref)
    return Mood(round(value, 4), count, tuple(reversed(bad[-10:])))
