"""The graph as clients see it: ids, nodes, links and paths. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ctower_desktop.knowledge.answering import Answer
from ctower_desktop.knowledge.asking import Linked, Retrieved
from ctower_desktop.knowledge.door_model import (
    CandidateShown,
    GraphData,
    LinkShown,
    NodeShown,
    PathShown,
    UnclearShown,
)
from ctower_desktop.knowledge.linking import MOST_CANDIDATES, Mention
from ctower_desktop.knowledge.model import Entity, Triple

_ENTITY = re.compile(r"entity(\d{1,18})")
_MOST_PATHS = 10


def entity_id(number: int) -> str:
    """How a thing is called outside."""
    return f"entity{number}"


def relation_id(number: int) -> str:
    """How a fact is called outside."""
    return f"rel{number}"


def entity_number(shown: str) -> int:
    """The thing that a client means; 0, which is none, for an id that was never given."""
    found = _ENTITY.fullmatch(shown)
    return int(found[1]) if found else 0


def candidates(mention: Mention) -> list[CandidateShown]:
    """What a mention may mean."""
    return [
        CandidateShown(entity_id(each.entity_id), each.name, each.type, each.score)
        for each in mention.candidates[:MOST_CANDIDATES]
    ]


def unclear(linked: Linked) -> list[UnclearShown]:
    """Every mention that may mean several things."""
    return [UnclearShown(mention.text, candidates(mention)) for mention in linked.unclear]


def nodes(entities: Mapping[int, Entity]) -> list[NodeShown]:
    """Things in the order of their ids."""
    return [
        NodeShown(entity_id(number), each.name, each.type, each.properties)
        for number, each in sorted(entities.items())
    ]


def links(triples: Sequence[Triple]) -> list[LinkShown]:
    """Facts as they come."""
    return [
        LinkShown(entity_id(t.head_id), entity_id(t.tail_id), relation_id(t.id), t.relation, {})
        for t in triples
    ]


def graph_data(linked: Linked, found: Retrieved, answer: Answer) -> GraphData:
    """The sub-graph of a question, with why each part is in it."""
    scores: dict[int, float] = dict.fromkeys(linked.topics, 1.0)
    cited = {t.id for t in answer.cited}
    answering = {end for t in answer.cited for end in (t.head_id, t.tail_id)} - linked.topics.keys()
    shown_links = []
    for each in found.triples:
        t = each.triple
        for end in (t.head_id, t.tail_id):
            scores[end] = max(scores.get(end, 0.0), each.score)
        reasons = ["part_of_retrieved_subgraph"]
        reasons += ["graph_candidate"] if each.near else ["word_candidate"]
        reasons += ["cited", "on_path"] if t.id in cited else []
        shown_links.append(
            LinkShown(
                entity_id(t.head_id),
                entity_id(t.tail_id),
                relation_id(t.id),
                t.relation,
                {},
                each.score,
                reasons,
            )
        )
    near = {end for each in found.triples if each.near for end in (each.triple.head_id, each.triple.tail_id)}
    shown_nodes = []
    for number, thing in sorted(found.things.items()):
        reason = "neighbor_hop_k" if number in near else "word_match"
        reason = "query_entity" if number in linked.topics else reason
        reason = "answer_entity" if number in answering else reason
        shown_nodes.append(
            NodeShown(
                entity_id(number),
                thing.name,
                thing.type,
                thing.properties,
                scores.get(number, 0.0),
                [reason],
            )
        )
    return GraphData(shown_nodes, shown_links, _paths(linked, found, answer))


def _paths(linked: Linked, found: Retrieved, answer: Answer) -> list[PathShown]:
    score = {each.triple.id: each.score for each in found.triples}
    shown = []
    for path in answer.paths[:_MOST_PATHS]:
        first = path[0]
        here = first.head_id if first.head_id in linked.topics else first.tail_id
        walked = [here]
        for t in path:
            here = t.tail_id if here == t.head_id else t.head_id
            walked.append(here)
        shown.append(
            PathShown(
                nodes=[entity_id(each) for each in walked],
                links=[relation_id(t.id) for t in path],
                score=round(sum(score[t.id] for t in path) / len(path), 4),
                length=len(path),
                start=entity_id(walked[0]),
                goal=entity_id(walked[-1]),
            )
        )
    return shown
