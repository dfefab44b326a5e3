"""How much each triple has to do with a question: nearness in the graph, words, and verdicts. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from ctower_desktop.knowledge import names, relations
from ctower_desktop.knowledge.model import Triple
from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.words import stem, tokens

ROUNDS = 2  # hops that the encoding looks in each direction
_MEANING, _NEARNESS, _FEEDBACK = 0.7, 0.3, 0.15
_NEAR = {0: 1.0, 1: 0.5, 2: 0.25}
_KIN = 0.4
_A_TOKEN = 4  # characters, roughly
BUDGET = 4_000  # tokens


class Scored(msgspec.Struct, frozen=True):
    """A triple with what it was scored by, each from 0 to 1."""

    triple: Triple
    score: float
    rank: float  # the score before it was cut to be between 0 and 1: what is ordered by
    near: float  # the encoding of directed distances
    said: float  # how much of what was asked its relation says
    meant: float  # how much of what was asked all its words say


def directed(triples: Iterable[Triple], topics: Collection[int]) -> tuple[dict[int, int], dict[int, int]]:
    """How many steps each thing is away from the topics: along the arrows, and against them."""
    along, against = defaultdict(list), defaultdict(list)
    for t in triples:
        along[t.head_id].append(t.tail_id)
        against[t.tail_id].append(t.head_id)
    return _steps(along, topics), _steps(against, topics)


def _steps(edges: Mapping[int, Sequence[int]], topics: Collection[int]) -> dict[int, int]:
    found = dict.fromkeys(topics, 0)
    waiting = deque(topics)
    while waiting:
        here = waiting.popleft()
        if found[here] < ROUNDS:
            for there in edges.get(here, ()):
                if there not in found:
                    found[there] = found[here] + 1
                    waiting.append(there)
    return found


def nearness(triple: Triple, along: Mapping[int, int], against: Mapping[int, int]) -> float:
    """The encoding of a triple as one number: both ends, both directions, at most 1."""
    total = sum(
        _NEAR.get(steps.get(end, ROUNDS + 1), 0.0)
        for steps in (along, against)
        for end in (triple.head_id, triple.tail_id)
    )
    return min(1.0, total * 0.4)


def meanings(of: str) -> dict[str, float]:
    """A stem, and what it is called in the other language or by another word, each with how surely."""
    words = lexicon()
    found = {other: sure for other, sure in words.meant(of).items() if sure >= _KIN and " " not in other}
    for other, sure in words.kin(of).items():
        found[other] = max(found.get(other, 0.0), sure * 0.8)
    return {**found, of: 1.0}


def relation_match(relation: str, asked: Iterable[Mapping[str, float]]) -> float:
    """How surely a relation is what was asked about."""
    own = {stem(token) for token in tokens(relations.words_of(relation))}
    return max((sure for word in asked for other, sure in word.items() if other in own), default=0.0)


def _words_match(triple: Triple, asked: Sequence[Mapping[str, float]]) -> float:
    """Which part of what was asked the words of a triple say."""
    if not asked:
        return 0.0
    own = set(names.stem_key(names.key(f"{triple.head} {triple.tail}")).split(" "))
    own |= {stem(token) for token in tokens(relations.words_of(triple.relation))}
    return sum(max((s for o, s in word.items() if o in own), default=0.0) for word in asked) / len(asked)


def scored(
    triples: Sequence[Triple],
    topics: Collection[int],
    intent: Sequence[str],
) -> list[Scored]:
    """Triples by score, the best first: 0.7 for what they say, 0.3 for nearness, and past verdicts."""
    along, against = directed(triples, topics)
    asked = [meanings(word) for word in intent]
    relation_cache: dict[str, float] = {}
    found = []
    for t in triples:
        if t.relation not in relation_cache:
            relation_cache[t.relation] = relation_match(t.relation, asked)
        near, said = nearness(t, along, against), relation_cache[t.relation]
        meant = max(_words_match(t, asked), said)
        score = _MEANING * meant + _NEARNESS * near + _FEEDBACK * t.feedback
        found.append(Scored(t, round(min(1.0, max(0.0, score)), 4), round(score, 6), near, said, meant))
    return sorted(found, key=lambda each: (-each.rank, each.triple.id))


def fused(found: Sequence[Scored], worded: Collection[int], budget: int = BUDGET) -> list[Scored]:
    """What is kept: the best of the neighbourhood, room for what words found elsewhere, within the budget."""
    near = [each for each in found if each.near > 0][:80]
    far = [each for each in found if each.near == 0 and each.triple.id in worded][:20]
    left, kept = budget, []
    for each in sorted((*near, *far), key=lambda one: (-one.rank, one.triple.id)):
        cost = len(each.triple.text) // _A_TOKEN + 4  # its number in the list costs as well
        if cost <= left:
            kept.append(each)
            left -= cost
    return kept
