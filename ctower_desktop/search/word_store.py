"""Finding chunks by their words, in SQL: all in index.db."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apsw
import msgspec
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.search import understanding, words
from ctower_desktop.search.chunk_store import scoped
from ctower_desktop.search.generic import GENERIC, generic
from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.matching import Sought, Target, says
from ctower_desktop.search.model import KIND_OF
from ctower_desktop.search.terms import terms_of
from ctower_desktop.search.understanding import Concept, Understood
from ctower_desktop.search.vector_store import Filter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ids = NDArray[np.int64]

_DEEPEST = 300  # hits of one search by words
_ROWS_TO_SCORE = 5_000  # postings a search may walk; rarer words come first, the commonest are left out
_TYPO_FROM = 4  # letters
_CORRECTED = 0.9  # what a corrected word counts
_MOST_NAMED = 6  # identifiers in texts found that are followed
_LIKELY = 0.5  # how sure a way of saying something must be to tell how rare the thing is
_ALIKE = 64  # words with like trigrams that are compared letter by letter


class _Often(msgspec.Struct, frozen=True):
    term: str
    doc: int


class _Term(msgspec.Struct, frozen=True):
    text: str


class _Numbers(msgspec.Struct, frozen=True):
    numbers: list[int]


class _Scope(msgspec.Struct, frozen=True):
    id: int
    chunks: int


class _Terms(msgspec.Struct, frozen=True):
    id: int
    terms: str
    title: str | None
    metadata: dict[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a question is looked for: the scopes it may see, and the days it keeps to."""

    db: apsw.Connection
    scopes: tuple[_Scope, ...]
    wanted: Filter

    def often(self, terms: Iterable[str]) -> dict[str, int]:
        """How many chunks of the scopes have each term."""
        kept = {scoped(scope.id, term): term for scope in self.scopes for term in terms}
        found: dict[str, int] = {}
        for row in _OFTEN.rows(self.db, terms=as_json(sorted(kept))):
            term = kept[row.term]
            found[term] = found.get(term, 0) + row.doc
        return found

    def having(self, terms: Sequence[str]) -> Ids:
        """Chunks of the scopes with all these terms, in the order of their numbers."""
        import numpy as np

        every = (" AND ".join(f'"{scoped(scope.id, term)}"' for term in terms) for scope in self.scopes)
        match = " OR ".join(f"({of_scope})" for of_scope in every)
        return np.array(_WITH_TERM.one(self.db, match=match).numbers, np.int64)

    def in_time(self, found: Ids) -> NDArray[np.bool_]:
        """Which of the chunks are of the days that are wanted."""
        import numpy as np

        wanted = self.wanted
        if wanted.first is None and wanted.last is None:
            return np.ones(len(found), np.bool_)
        within = _WITHIN.one(
            self.db,
            project_id=wanted.project_id,
            kinds=as_json(list(wanted.kinds or KIND_OF)),
            first=wanted.first or "",
            last=wanted.last or "9999",
        )
        return np.isin(found, np.array(within.numbers, np.int64))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search by words brought: hits, how telling each concept is, and what was read as what."""

    hits: list[int]
    exact: list[int]  # chunks that hold an identifier or a quotation of the question word for word
    target: Target
    corrected: dict[str, str]


_SCOPES = Query(
    _Scope,
    """
    SELECT s.id, s.chunks FROM json_each(:names) AS wanted CROSS JOIN scope AS s
    ON s.project_id = :project_id AND s.name = wanted.value AND s.private <= :private
    """,
    file="index",
)
_OFTEN = Query(
    _Often,
    """
    SELECT o.term, o.doc FROM json_each(:terms) AS wanted CROSS JOIN words_of AS o ON o.term = wanted.value
    """,
    file="index",
)
_WITH_TERM = Query(
    _Numbers,
    "SELECT json_group_array(rowid) AS numbers FROM words WHERE words MATCH :match",
    file="index",
)
_WITHIN = Query(
    _Numbers,
    """
    SELECT json_group_array(c.id) AS numbers
    FROM json_each(:kinds) AS wanted CROSS JOIN chunk AS c INDEXED BY chunk_recent
    ON c.project_id = :project_id AND c.source_type = wanted.value
       AND c.occurred_at >= :first AND c.occurred_at < :last
    """,
    file="index",
)
_TERMS = Query(
    _Terms,
    """
    SELECT c.id, c.terms, c.title, c.metadata FROM json_each(:ids) AS wanted
    CROSS JOIN chunk AS c ON c.id = wanted.value
    """,
    file="index",
)
_KNOWN = Query(
    _Term,
    "SELECT t.text FROM json_each(:terms) AS wanted CROSS JOIN term AS t ON t.text = wanted.value",
    file="index",
)
_LIKE = Query(
    _Term,
    """
    SELECT t.text FROM term_grams CROSS JOIN term AS t ON t.id = term_grams.rowid
    WHERE term_grams MATCH :match ORDER BY bm25(term_grams) LIMIT :limit
    """,
    file="index",
)


def search(db: apsw.Connection, meant: Understood, wanted: Filter) -> Found:
    """Chunks with the words of a question, the best first; misspelt words are read as the likeliest known.

    A chunk counts as much as all that it says of the question, each thing in the surest of its ways.
    """
    place = _Place(db, _scopes(db, wanted), wanted)
    corrected = _corrections(place, meant.concepts)
    concepts = [_with(concept, corrected.get(concept.word)) for concept in meant.concepts]
    ways = {word for concept in concepts for way in concept.ways for word in way.split()}
    often = _often(concepts, place.often(ways))
    total = max(sum(scope.chunks for scope in place.scopes), 1)
    sought = tuple(_sought(concept, often, total) for concept in concepts)
    hits = _best(place, concepts, sought, _affordable(concepts, often)) if place.scopes else []
    # a single word in quotes is mostly a name that half of the texts have
    named = [*meant.asked.identifiers, *(phrase for phrase in meant.asked.phrases if " " in phrase)]
    exact = _word_for_word(place, named) if place.scopes else []
    absent = (n for n, concept in enumerate(concepts) if not any(way in often for way in concept.ways))
    return Found(hits, exact, Target(sought, frozenset(absent)), corrected)


def named_in(db: apsw.Connection, texts: Iterable[str], wanted: Filter) -> list[int]:
    """Issues, with their comments, whose identifiers the texts name."""
    found = dict.fromkeys(name for text in texts for name in words.identifiers(text) if "-" in name)
    kinds = tuple(kind for kind in wanted.kinds or KIND_OF if KIND_OF[kind] == "issues")
    place = _Place(db, _scopes(db, msgspec.structs.replace(wanted, kinds=kinds)), wanted)
    return _word_for_word(place, list(found)[:_MOST_NAMED]) if place.scopes else []


def _scopes(db: apsw.Connection, wanted: Filter) -> tuple[_Scope, ...]:
    """Where may be looked; nowhere when no kind is wanted."""
    kinds = KIND_OF if wanted.kinds is None else wanted.kinds
    names = as_json(sorted({KIND_OF[kind] for kind in kinds}))
    found = _SCOPES.all(db, project_id=wanted.project_id, names=names, private=wanted.include_private)
    return tuple(scope for scope in found if scope.chunks)


def _best(
    place: _Place, concepts: Sequence[Concept], sought: Sequence[Sought], ways: Sequence[str]
) -> list[int]:
    import numpy as np

    having = {way: place.having(way.split()) for way in ways}
    if not having:
        return []
    every = np.unique(np.concatenate(list(having.values())))
    every = every[place.in_time(every)]
    scores = np.zeros(len(every))
    for concept, weighed in zip(concepts, sought, strict=True):
        said = np.zeros(len(every))
        for way, sure in concept.ways.items():
            if way in having:
                has = np.isin(every, having[way], assume_unique=True)
                said[has] = np.maximum(said[has], sure)
        scores += weighed.weight * said
    order = np.lexsort((-every, -scores))[:_DEEPEST]
    return [int(number) for number in every[order]]


def _word_for_word(place: _Place, named: Sequence[str]) -> list[int]:
    """Chunks that say one of these, its words one after the other; the newest first."""
    found: dict[int, None] = {}
    for text in named:
        stems = [words.stem(token) for token in words.tokens(text)]
        if not stems:
            continue
        numbers = place.having(list(dict.fromkeys(stems)))
        numbers = numbers[place.in_time(numbers)][::-1][:_DEEPEST]
        for row in _TERMS.rows(place.db, ids=as_json(numbers.tolist())):
            around = terms_of(" ".join(str(part) for part in (row.title, *row.metadata.values()) if part))
            if says(row.terms.split(), stems) or says(around, stems):
                found[row.id] = None
    return list(found)


def _with(concept: Concept, read_as: str | None) -> Concept:
    """The concept with the word it was probably meant to be."""
    if read_as is None:
        return concept
    meant = understanding.ways_of(read_as, lexicon(), named=False)
    ways = {way: sure * _CORRECTED for way, sure in meant.items()}
    return Concept(concept.word, concept.own, {**ways, **concept.ways})


def _often(concepts: Sequence[Concept], rows: Mapping[str, int]) -> dict[str, int]:
    """How many chunks have each way of saying each concept; of a turn of phrase, its rarest word."""
    ways = {way for concept in concepts for way in concept.ways}
    counted = {way: min(rows.get(word, 0) for word in way.split()) for way in ways}
    return {way: count for way, count in counted.items() if count}


def _sought(concept: Concept, often: Mapping[str, int], total: int) -> Sought:
    """How telling a concept is: by its own word, else by the likely ways of saying it."""
    own = often.get(concept.own, 0)
    others = [often[way] for way, sure in concept.ways.items() if way in often and sure >= _LIKELY]
    count = own or max(others, default=0)
    light = GENERIC if concept.own in generic() else 1.0
    return Sought(
        light * words.telling(count, total),
        tuple(sorted(concept.ways.items(), key=lambda pair: -pair[1])),
        word=concept.word,
    )


def _affordable(concepts: Sequence[Concept], often: Mapping[str, int]) -> list[str]:
    """The rarest ways that together touch a bounded number of chunks; always at least one."""
    sure = {way: max(c.ways.get(way, 0.0) for c in concepts) for way in often}
    chosen: list[str] = []
    rows = 0
    for way, count in sorted(often.items(), key=lambda pair: (pair[1] / sure[pair[0]], pair[0])):
        if chosen and rows + count > _ROWS_TO_SCORE:
            break
        chosen.append(way)
        rows += count
    return chosen


def _corrections(place: _Place, concepts: Sequence[Concept]) -> dict[str, str]:
    found = {concept.word: concept.own for concept in concepts}
    doubtful = {w: own for w, own in found.items() if len(w) >= _TYPO_FROM and w.isalpha()}
    if not doubtful:
        return {}
    known = {row.text for row in _KNOWN.rows(place.db, terms=as_json(list(doubtful)))}
    stems = {own: word for word, own in doubtful.items() if word not in known and not lexicon().knows(word)}
    inflected = place.often(list(stems))
    corrected = {}
    for own, word in stems.items():
        if own not in inflected and (likeliest := _likeliest(word, _alike(place.db, word))):
            corrected[word] = likeliest
    return corrected


def _alike(db: apsw.Connection, token: str) -> list[str]:
    grams = dict.fromkeys(token[i : i + 3] for i in range(len(token) - 2))
    match = " OR ".join(f'"{gram}"' for gram in grams)
    return [row.text for row in _LIKE.rows(db, match=match, limit=_ALIKE)]


def _likeliest(token: str, candidates: Iterable[str]) -> str | None:
    most = 1 if len(token) < 7 else 2
    found = process.extractOne(token, list(candidates), scorer=OSA.distance, score_cutoff=most)
    return found[0] if found else None
