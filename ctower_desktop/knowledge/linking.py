"""From the words of a question to the things of the graph it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
from rapidfuzz import fuzz

from ctower_desktop.knowledge import names, relations
from ctower_desktop.knowledge.link_store import Named
from ctower_desktop.search.words import STOP_WORDS, capitalised, stem, tokens

ACCEPTED, CONSIDERED, GAP = 0.75, 0.60, 0.05
MOST_CANDIDATES = 5
_LONGEST = 8  # words of a name
_MOST_WORDS = 60  # of a question; the rest of a longer one is not looked at
_SURE = {"name": 1.0, "alias": 0.95, "stem": 0.92, "sound": 0.85}
_FUZZY = 0.9
_PLAIN_FUZZY = 0.80  # a word without a capital letter must be this near to a name
_TYPE_WORDS = {
    "Project": "project проект",
    "Issue": "issue задача тикет ticket",
    "Company": "company client customer компания клиент фирма",
    "Person": "person contact человек контакт",
    "Member": "colleague коллега сотрудник",
    "Deal": "deal opportunity сделка",
    "Offer": "offer предложение",
    "Cycle": "cycle sprint цикл спринт",
    "Conversation": "conversation разговор переписка диалог",
    "Document": "document документ",
    "Task": "task",
}
_TYPES = {stem(token): kind for kind, said in _TYPE_WORDS.items() for token in tokens(said)}
_RELATION_STEMS = frozenset(stem(token) for said in relations.SAID.values() for token in tokens(said.words))
_ASKING = frozenset(
    stem(token)
    for token in tokens(
        "tell show list give know happened something расскажи покажи дай список знаешь известно происходит"
    )
)


class Candidate(msgspec.Struct, frozen=True):
    """What a mention may mean."""

    entity_id: int
    name: str
    type: str
    score: float


class Mention(msgspec.Struct, frozen=True):
    """Some words of a question and the things they may mean, the likeliest first."""

    text: str
    words: frozenset[int]  # their places in the question
    candidates: tuple[Candidate, ...]

    @property
    def accepted(self) -> Candidate | None:
        """What it means, when that is clear."""
        best = self.candidates[0]
        second = self.candidates[1] if len(self.candidates) > 1 else None
        clear = second is None or best.score - second.score >= GAP
        return best if best.score >= ACCEPTED and clear else None


class Words(msgspec.Struct, frozen=True):
    """The words of a question, and which of them look like names."""

    tokens: tuple[str, ...]
    capital: frozenset[int]

    @classmethod
    def of(cls, question: str) -> Words:
        """The words of a text, the first sixty."""
        found = tuple(tokens(question[:4_000]))[:_MOST_WORDS]
        inside = {token for token, first in capitalised(question[:4_000]) if not first}
        begins = {token for token, first in capitalised(question[:4_000]) if first} - inside
        places = frozenset(
            place
            for place, token in enumerate(found)
            if token in inside or (token in begins and not plain(token))
        )
        return cls(found, places)


def plain(token: str) -> bool:
    """Whether a word says how things are, not which thing is meant."""
    found = stem(token)
    return token in STOP_WORDS or found in _RELATION_STEMS or found in _TYPES or found in _ASKING


def spans(words: Words) -> Iterator[tuple[frozenset[int], str]]:
    """Runs of words that may be a name, the longest first."""
    count = len(words.tokens)
    for size in range(min(_LONGEST, count), 0, -1):
        for start in range(count - size + 1):
            places = frozenset(range(start, start + size))
            part = words.tokens[start : start + size]
            if places & words.capital or not all(plain(token) for token in part):
                yield places, " ".join(part)


def keys(words: Words) -> set[str]:
    """Everything to look up at once."""
    found: set[str] = set()
    for places, text in spans(words):
        found |= {text, names.stem_key(text)}
        if places <= words.capital or not words.capital:
            found.add(names.sound_key(text))
    return found - {""}


def exact(words: Words, known: Iterable[Named]) -> list[Mention]:
    """Mentions whose words are a name, longer ones before shorter ones, no word in two of them."""
    by_key: dict[tuple[str, str], list[Named]] = {}
    for each in known:
        by_key.setdefault((each.kind, each.key), []).append(each)
    taken: set[int] = set()
    found: list[Mention] = []
    for places, text in spans(words):
        if places & taken:
            continue
        asked = [("name", text), ("alias", text), ("stem", names.stem_key(text))]
        if places <= words.capital or not words.capital:
            asked.append(("sound", names.sound_key(text)))
        scored: dict[int, Candidate] = {}
        for kind, key in asked:
            for each in by_key.get((kind, key), ()):
                made = Candidate(each.entity_id, each.name, each.type, _SURE[kind])
                scored.setdefault(each.entity_id, made)
        if scored:
            taken |= places
            found.append(Mention(text, places, ranked(scored.values())))
    return found


def left_over(words: Words, found: Collection[Mention]) -> Iterator[tuple[frozenset[int], str]]:
    """Runs of words that look like names and are none that is known."""
    taken = frozenset().union(*(mention.words for mention in found))
    run: list[int] = []
    for place in range(len(words.tokens) + 1):
        if place in words.capital and place not in taken:
            run.append(place)
            continue
        if run:
            yield frozenset(run), " ".join(words.tokens[each] for each in run)
        run = []
    if found or words.capital:
        return
    for place, token in enumerate(words.tokens):
        if len(token) >= 4 and not plain(token):
            yield frozenset({place}), token


def fuzzy(words: Words, places: frozenset[int], text: str, near: Iterable[Named]) -> Mention | None:
    """What a misspelt or shortened name may mean; None when nothing is near enough."""
    least = CONSIDERED if places & words.capital else _PLAIN_FUZZY
    scored: dict[int, Candidate] = {}
    stemmed = names.stem_key(text)
    for each in near:
        alike = max(fuzz.ratio(text, each.key), _within(stemmed, names.stem_key(each.key)))
        score = round(_FUZZY * alike / 100, 4)
        before = scored.get(each.entity_id)
        if score >= least and (before is None or score > before.score):
            scored[each.entity_id] = Candidate(each.entity_id, each.name, each.type, score)
    return Mention(text, places, ranked(scored.values())) if scored else None


def _within(mention: str, name: str) -> float:
    """How surely a mention is a part of a name: whole words only, so that «что» is no part of anything."""
    said, whole = set(mention.split(" ")), set(name.split(" "))
    return 100 * (0.85 + 0.15 * len(said) / len(whole)) if said <= whole else 0.0


def ranked(found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The likeliest first, in an order that is always the same."""
    return tuple(sorted(found, key=lambda each: (-each.score, each.entity_id)))


def by_type(words: Words, mention: Mention) -> Mention:
    """Only the candidates of the kind that stands beside the mention: «проект Весна» is no cycle."""
    beside = {min(mention.words) - 1, max(mention.words) + 1} & set(range(len(words.tokens)))
    kinds = {_TYPES[s] for place in beside if (s := stem(words.tokens[place])) in _TYPES}
    fitting = tuple(each for each in mention.candidates if each.type in kinds)
    return msgspec.structs.replace(mention, candidates=fitting) if fitting else mention


def by_context(mention: Mention, closeness: Mapping[int, float]) -> Mention:
    """Half of the score is how near the question is to what is known of each candidate."""
    if len(mention.candidates) < 2 or not closeness:
        return mention
    found = [
        msgspec.structs.replace(each, score=round(0.5 * each.score + 0.5 * closeness[each.entity_id], 4))
        if each.entity_id in closeness
        else each
        for each in mention.candidates
    ]
    # what was sure by its letters stays so: context orders, it does not refuse
    lift = max(0.0, mention.candidates[0].score - max(each.score for each in found))
    lifted = (msgspec.structs.replace(each, score=round(each.score + lift, 4)) for each in found)
    return msgspec.structs.replace(mention, candidates=ranked(lifted))


def intent(words: Words, mentions: Sequence[Mention]) -> tuple[str, ...]:
    """The stems of what is asked about the things: words that are no name, no stop word and no kind."""
    taken = frozenset().union(*(mention.words for mention in mentions))
    found = (
        stem(token)
        for place, token in enumerate(words.tokens)
        if place not in taken and token not in STOP_WORDS
    )
    return tuple(dict.fromkeys(s for s in found if s not in _TYPES and s not in _ASKING))


Near = Callable[[str], list[Named]]


def linked(words: Words, known: Iterable[Named], near: Near) -> list[Mention]:
    """Every mention of a question with its candidates."""
    found = exact(words, known)
    for places, text in left_over(words, found):
        mention = fuzzy(words, places, text, near(text))
        if mention is not None:
            found.append(mention)
    return sorted((by_type(words, each) for each in found), key=lambda each: min(each.words))
