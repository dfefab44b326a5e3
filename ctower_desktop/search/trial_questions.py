"""Questions with a known answer, made from a project's own texts without anybody writing them.

Three kinds: a part of a text with half of its words left out has to find the text; what somebody asked has to
find the reply; the heading of an issue, a deal or a conversation has to find what was said under it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from ctower_desktop.search import words
from ctower_desktop.search.chunk_store import Chunk
from ctower_desktop.search.chunking import sentences
from ctower_desktop.search.matching import asks
from ctower_desktop.search.trial_store import Listed, Said, Subject

TEXTS = 300
_MOST: Mapping[Kind, int] = {"part": 80, "reply": 60, "heading": 40}
_LEFT = 0.5  # share of a sentence's words that stay in a question
_LEAST_WORDS = 3  # of a question, stop words not counted
_LONG_SENTENCE = 6

Kind = Literal["part", "reply", "heading"]


@dataclass(frozen=True, slots=True)
class Known:
    """A question, the chunks that answer it, and those that would give the answer away."""

    kind: Kind
    text: str
    language: words.Language
    way: str  # its language, or the way from its language to that of the answer
    targets: frozenset[int]
    excluded: frozenset[int] = field(default_factory=frozenset)


def drawn(listed: Iterable[Listed], seed: int, most: int = TEXTS) -> list[int]:
    """The chunks of a sample in a random order that the seed decides."""
    pool = sorted(listed)
    return [chunk.id for chunk in _chance(seed).sample(pool, min(most, len(pool)))]


def once(chunks: Iterable[Chunk], order: Sequence[int]) -> list[Chunk]:
    """The drawn chunks in their order, each wording once."""
    found = {chunk.id: chunk for chunk in chunks}
    by_text: dict[str, Chunk] = {}
    for number in order:
        if number in found:
            by_text.setdefault(words.fold(found[number].text), found[number])
    return list(by_text.values())


def questions(
    sample: Sequence[Chunk], said: Sequence[Said], subjects: Sequence[Subject], seed: int
) -> list[Known]:
    """Questions about a sample, in an order that the seed decides; of each kind at most its number."""
    chance = _chance(seed)
    found: list[Known] = []
    for kind, made in (
        ("part", _parts(sample, chance)),
        ("reply", _replies(sample, said)),
        ("heading", _headings(sample, subjects)),
    ):
        every = list(made)
        chance.shuffle(every)
        found.extend(every[: _MOST[kind]])  # type: ignore[index]
    return found


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a sample, no secret


def _parts(sample: Sequence[Chunk], chance: random.Random) -> Iterator[Known]:
    for chunk in sample:
        long = [sentence for sentence in sentences(chunk.text) if len(_telling(sentence)) >= _LONG_SENTENCE]
        if not long:
            continue
        telling = _telling(chance.choice(long))
        count = max(_LEAST_WORDS, round(len(telling) * _LEFT))
        kept = sorted(chance.sample(range(len(telling)), count))
        yield _known("part", " ".join(telling[place] for place in kept), [chunk])


def _replies(sample: Sequence[Chunk], said: Sequence[Said]) -> Iterator[Known]:
    replied = {chunk.source_pk: chunk for chunk in sample if chunk.source_type == "message"}
    for before, after in pairwise(said):
        same_talk = before.parent_pk == after.parent_pk and before.sender != after.sender
        target = replied.get(after.source_pk)
        if (
            same_talk
            and target is not None
            and asks(before.text)
            and len(_telling(before.text)) >= _LEAST_WORDS
        ):
            yield _known("reply", before.text, [target], frozenset({before.id}))


def _headings(sample: Sequence[Chunk], subjects: Sequence[Subject]) -> Iterator[Known]:
    under: dict[str, list[Chunk]] = defaultdict(list)
    titles = {subject.id: subject.subject for subject in subjects}
    for chunk in sample:
        if chunk.parent_pk is None or chunk.source_type in {"issue", "deal"}:
            continue
        title = chunk.metadata.get("parent_title") or (
            chunk.title if chunk.source_type == "comment" else None
        )
        under[chunk.parent_pk].append(chunk)
        if title:
            titles.setdefault(chunk.parent_pk, str(title))
    for parent, chunks in sorted(under.items()):
        title = titles.get(parent, "")
        if len(_telling(title)) < _LEAST_WORDS:
            continue
        told = {chunk.id for chunk in chunks}
        folded = words.fold(title)
        giving_away = frozenset(
            chunk.id for chunk in sample if chunk.id not in told and folded in words.fold(chunk.text)
        )
        yield _known("heading", title, chunks, giving_away)


def _known(kind: Kind, text: str, targets: Sequence[Chunk], excluded: frozenset[int] = frozenset()) -> Known:
    asked, told = words.language(text), targets[0].language
    way = asked if asked == told else f"{asked}-{told}"
    return Known(kind, text, asked, way, frozenset(chunk.id for chunk in targets), excluded)


def _telling(text: str) -> list[str]:
    """The words of a text that say something, in their order."""
    return [token for token in words.tokens(text) if token not in words.STOP_WORDS]
