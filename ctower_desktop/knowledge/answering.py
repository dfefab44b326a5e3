"""An answer made of triples: sentences by path in the question's language, each with its citations. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ctower_desktop.knowledge import relations
from ctower_desktop.knowledge.model import Entity, Triple
from ctower_desktop.knowledge.scoring import Scored
from ctower_desktop.search.words import Language, stem

_MOST = 8  # sentences
_SUPPORT = 0.4  # how surely a relation must be what was asked about
_MEANT = 0.45  # how near to the question a fact without that must be
_WANTED = {
    "who": ("Person", "Member", "Company"),
    "whom": ("Person", "Member", "Company"),
    "кто": ("Person", "Member", "Company"),
    "кому": ("Person", "Member", "Company"),
    "кем": ("Person", "Member", "Company"),
    "when": ("Date",),
    "когда": ("Date",),
    "сколько": ("Amount",),
}
_PIECES = re.compile(r"\S+\s*")


class Asked(msgspec.Struct, frozen=True):
    """A question in words: all of them, and the stems of what is asked about the things in it."""

    words: tuple[str, ...]
    intent: tuple[str, ...]
    language: Language


class Answer(msgspec.Struct, frozen=True):
    """The answer with its citations in order of use, or a refusal that says what is missing."""

    text: str
    cited: tuple[Triple, ...]
    paths: tuple[tuple[Triple, ...], ...]
    answered: bool
    trust: float
    parts: dict[str, float]

    @property
    def pieces(self) -> list[str]:
        """The text as it is streamed, each piece with the blanks behind it."""
        return _PIECES.findall(self.text)


def answer(
    found: Sequence[Scored],
    topics: Mapping[int, float],
    things: Mapping[int, Entity],
    asked: Asked,
) -> Answer:
    """What the triples say about the topics; `topics` holds how surely each was linked."""
    wanted = {kind for word in asked.words for kind in _WANTED.get(word, ())}
    chosen = _chosen(found, topics, things, asked.intent, wanted)
    best = max((each.score for each in found), default=0.0)
    if not chosen:
        return _refusal(topics, things, asked, best)
    numbers: dict[int, int] = {}
    sentences = []
    for path in chosen:
        for each in path:
            numbers.setdefault(each.triple.id, len(numbers) + 1)
        marks = "".join(f"[{numbers[each.triple.id]}]" for each in path)
        said = ", ".join(
            relations.sentence(each.triple.head, each.triple.relation, each.triple.tail, asked.language)
            for each in path
        )
        sentences.append(f"{said} {marks}.")
    cited = {each.triple.id: each for path in chosen for each in path}
    parts = {
        "citation_validity": 1.0,
        "cited_relevance": round(sum(each.score for each in cited.values()) / len(cited), 4),
        "entity_link_confidence": round(max(topics.values()), 4),
        "answer_support": 1.0,
    }
    weights = (0.35, 0.25, 0.20, 0.20)
    trust = sum(weight * part for weight, part in zip(weights, parts.values(), strict=True))
    return Answer(
        text=" ".join(sentences),
        cited=tuple(each.triple for each in cited.values()),
        paths=tuple(tuple(each.triple for each in path) for path in chosen),
        answered=True,
        trust=round(min(1.0, trust), 4),
        parts=parts,
    )


def _chosen(
    found: Sequence[Scored],
    topics: Mapping[int, float],
    things: Mapping[int, Entity],
    intent: Sequence[str],
    wanted: set[str],
) -> list[tuple[Scored, ...]]:
    """The paths that answer: straight facts first, then those over one step between."""
    straight = [each for each in found if {each.triple.head_id, each.triple.tail_id} & topics.keys()]
    between = [
        each
        for each in straight
        if len(topics) > 1 and {each.triple.head_id, each.triple.tail_id} <= topics.keys()
    ]
    if not intent:
        fitting = between or _of_kind(straight, topics, things, wanted)
        return [(each,) for each in fitting[:_MOST]]
    told = [each for each in between or straight if each.said >= _SUPPORT or each.meant >= _MEANT]
    sure = [each for each in told if each.said >= _SUPPORT] or told
    if sure:
        top = max(each.said for each in sure)
        sure = [each for each in sure if each.said >= top - 0.15]
        return [(each,) for each in _of_kind(sure, topics, things, wanted)[:_MOST]]
    return list(_two_steps(found, straight, topics))[:_MOST]


def _of_kind(
    found: Sequence[Scored], topics: Mapping[int, float], things: Mapping[int, Entity], wanted: set[str]
) -> Sequence[Scored]:
    """Facts whose other end is of the kind that was asked for, if there are any."""
    fitting = [
        each
        for each in found
        for end in (each.triple.head_id, each.triple.tail_id)
        if end not in topics and end in things and things[end].type in wanted
    ]
    return list(dict.fromkeys(fitting)) or found


def _two_steps(
    found: Sequence[Scored], straight: Sequence[Scored], topics: Mapping[int, float]
) -> Iterator[tuple[Scored, ...]]:
    """Facts about a neighbour that say what was asked, each with the fact that leads to it."""
    leads: dict[int, Scored] = {}
    for each in straight:
        for end in (each.triple.head_id, each.triple.tail_id):
            if end not in topics:
                leads.setdefault(end, each)
    for each in found:
        if each.said < _SUPPORT or {each.triple.head_id, each.triple.tail_id} & topics.keys():
            continue
        lead = leads.get(each.triple.head_id) or leads.get(each.triple.tail_id)
        if lead is not None:
            yield (lead, each)


def _refusal(
    topics: Mapping[int, float],
    things: Mapping[int, Entity],
    asked: Asked,
    best: float,
) -> Answer:
    known = ", ".join(f"«{things[each].name}»" for each in topics if each in things)
    missing = ", ".join(f"«{word}»" for word in asked.words if stem(word) in asked.intent)
    if asked.language == "ru":
        text = f"В графе есть {known}, но нет фактов о том, что спрошено"
    else:
        text = f"The graph knows {known}, but holds no fact about what was asked"
    text += f": {missing}." if missing else "."
    parts = {"best_retrieval_score": best}
    return Answer(text, (), (), answered=False, trust=round(min(0.6, 1 - best), 4), parts=parts)
