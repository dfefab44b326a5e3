"""A question on its way through the graph: linked, gathered, scored, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import msgspec

from ctower_desktop.kernel.tower import Tower
from ctower_desktop.knowledge import answering, context, link_store, linking, retrieval_store, scoring
from ctower_desktop.knowledge.answering import Answer
from ctower_desktop.knowledge.link_store import Named
from ctower_desktop.knowledge.linking import Mention, Words
from ctower_desktop.knowledge.model import Entity, Triple
from ctower_desktop.knowledge.scoring import Scored
from ctower_desktop.search.words import language

_MOST_RELATIONS = 12
_MENTIONS_LOOKED_UP = 8


class Linked(msgspec.Struct, frozen=True):
    """The things a question speaks of: those that are clear, and the mentions that are not."""

    words: Words
    mentions: tuple[Mention, ...]

    @property
    def topics(self) -> dict[int, float]:
        """What is clear, with how surely it was linked."""
        return {each.accepted.entity_id: each.accepted.score for each in self.mentions if each.accepted}

    @property
    def unclear(self) -> tuple[Mention, ...]:
        """Mentions that may mean several things."""
        return tuple(each for each in self.mentions if each.accepted is None)


class Retrieved(msgspec.Struct, frozen=True):
    """The sub-graph of a question."""

    triples: tuple[Scored, ...]
    things: dict[int, Entity]
    worded: frozenset[int]


async def link(tower: Tower, project_id: str, question: str) -> Linked:
    """The things of the graph that a question speaks of."""
    words = Words.of(question)
    known = await tower.db.read(link_store.named, project_id, linking.keys(words))
    found = linking.exact(words, known)
    near: dict[str, list[Named]] = {}
    for _, text in list(linking.left_over(words, found))[:_MENTIONS_LOOKED_UP]:
        near[text] = await tower.db.read(link_store.alike, project_id, text)
    mentions = linking.linked(words, known, lambda text: near.get(text, []))
    return Linked(words, await context.told_apart(tower, project_id, question, mentions))


async def retrieve(tower: Tower, project_id: str, linked: Linked) -> Retrieved:
    """The triples that have to do with a linked question, the best first, within the budget."""
    intent = linking.intent(linked.words, linked.mentions)
    known = await tower.db.read(retrieval_store.relations, project_id)
    topics = linked.topics
    asked, stems = await asyncio.to_thread(_asked, known, intent)
    triples, worded = await tower.db.read(retrieval_store.gather, project_id, topics.keys(), asked, stems)
    kept = await asyncio.to_thread(_best, triples, topics, intent, worded)
    ends = {end for each in kept for end in (each.triple.head_id, each.triple.tail_id)}
    things = await tower.db.read(retrieval_store.entities, project_id, ends | topics.keys())
    return Retrieved(tuple(kept), things, frozenset(worded))


def _asked(known: Collection[str], intent: tuple[str, ...]) -> tuple[list[str], set[str]]:
    """The relations that were asked about, the surest first, and the words to look for."""
    meant = [scoring.meanings(word) for word in intent]
    sure = {each: scoring.relation_match(each, meant) for each in known}
    best = sorted((each for each in known if sure[each] >= 0.4), key=lambda each: (-sure[each], each))
    return best[:_MOST_RELATIONS], {word for each in meant for word in each}


def _best(
    triples: list[Triple],
    topics: Mapping[int, float],
    intent: tuple[str, ...],
    worded: set[int],
) -> list[Scored]:
    return scoring.fused(scoring.scored(triples, topics.keys(), intent), worded)


def answer(linked: Linked, found: Retrieved, question: str) -> Answer:
    """What the sub-graph says."""
    intent = linking.intent(linked.words, linked.mentions)
    asked = answering.Asked(linked.words.tokens, intent, language(question[:4_000]))
    return answering.answer(found.triples, linked.topics, found.things, asked)
