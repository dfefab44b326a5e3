"""Finding chunks by their words, in SQL: all in index.db."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import apsw
import msgspec
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ctower_desktop.kernel.sql import Query, as_json
from ctower_desktop.search import understanding, words
from ctower_desktop.search.chunk_store import scope_word
from ctower_desktop.search.lexicon import lexicon
from ctower_desktop.search.matching import Sought
from ctower_desktop.search.understanding import Concept, Understood
from ctower_desktop.search.vector_store import Filter

_DEEPEST = 300  # hits of one search by words
_ROWS_TO_SCORE = 8_000  # postings a search may walk; rarer words come first, the commonest are left out
_TYPO_FROM = 4  # letters
_CORRECTED = 0.9  # what a corrected word counts
_LIKELY = 0.5  # how sure a way of saying something must be to tell how rare the thing is
_ALIKE = 64  # words with like trigrams that are compared letter by letter


class Hit(msgspec.Struct, frozen=True):
    """A chunk found by words; the better one has the lower score."""

    id: int
    score: float


class _Often(msgspec.Struct, frozen=True):
    term: str
    doc: int


class _Term(msgspec.Struct, frozen=True):
    text: str


class _Number(msgspec.Struct, frozen=True):
    value: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a search by words brought: hits, how telling each concept is, and what was read as what."""

    hits: list[int]
    exact: list[int]  # chunks that hold an identifier or a quotation of the question word for word
    sought: tuple[Sought, ...]
    corrected: dict[str, str]


_MATCH = Query(
    Hit,
    """
    SELECT rowid AS id, bm25(words, 1.0, 1.0, 0.0) AS score FROM words
    WHERE words MATCH :match ORDER BY score LIMIT :limit
    """,
    file="index",
)
_MATCH_DATED = Query(
    Hit,
    """
    SELECT words.rowid AS id, bm25(words, 1.0, 1.0, 0.0) AS score
    FROM words CROSS JOIN chunk AS c ON c.id = words.rowid
    WHERE words MATCH :match AND c.occurred_at >= :first AND c.occurred_at < :last
    ORDER BY score LIMIT :limit
    """,
    file="index",
)
_OFTEN = Query(
    _Often,
    """
    SELECT o.term, o.doc FROM json_each(:terms) AS wanted CROSS JOIN words_of AS o ON o.term = wanted.value
    WHERE o.col = 'stems'
    """,
    file="index",
)
_SIZE = Query(_Number, "SELECT coalesce(max(id), 0) AS value FROM chunk", file="index")
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
    """Chunks with the words of a question, the best first; misspelt words are read as the likeliest known."""
    corrected = _corrections(db, meant.concepts)
    concepts = [_with(concept, corrected.get(concept.word)) for concept in meant.concepts]
    often = _often(db, concepts)
    total = max(_SIZE.one(db).value, 1)
    scope = _scope(wanted)
    hits = _hits(db, words.match_any((), _affordable(concepts, often)), scope, wanted) if scope else []
    named = [*meant.asked.identifiers, *meant.asked.phrases]
    exact = _hits(db, words.match_phrases(named), scope, wanted) if scope else []
    sought = tuple(_sought(concept, often, total) for concept in concepts)
    return Found(hits, exact, sought, corrected)


def _with(concept: Concept, read_as: str | None) -> Concept:
    """The concept with the word it was probably meant to be."""
    if read_as is None:
        return concept
    meant = understanding.ways_of(read_as, lexicon(), named=False)
    ways = {way: sure * _CORRECTED for way, sure in meant.items()}
    return Concept(concept.word, concept.own, {**ways, **concept.ways})


def _often(db: apsw.Connection, concepts: Sequence[Concept]) -> dict[str, int]:
    """How many chunks have each way of saying each concept; of a turn of phrase, its rarest word."""
    ways = {way for concept in concepts for way in concept.ways}
    single = {word for way in ways for word in way.split()}
    rows = {row.term: row.doc for row in _OFTEN.rows(db, terms=as_json(sorted(single)))}
    counted = {way: min(rows.get(word, 0) for word in way.split()) for way in ways}
    return {way: count for way, count in counted.items() if count}


def _sought(concept: Concept, often: Mapping[str, int], total: int) -> Sought:
    """How telling a concept is: by its own word, else by the likely ways of saying it."""
    own = often.get(concept.own, 0)
    others = [often[way] for way, sure in concept.ways.items() if way in often and sure >= _LIKELY]
    count = own or max(others, default=0)
    return Sought(
        words.telling(count, total),
        tuple(sorted(concept.ways.items(), key=lambda pair: -pair[1])),
        word=concept.word,
    )


def begins(db: apsw.Connection, text: str, wanted: Filter) -> list[int]:
    """Chunks with all words of an unfinished question, the last one possibly unfinished too."""
    found = words.tokens(text)
    scope = _scope(wanted)
    if not found or not scope:
        return []
    last, rest = found[-1], [words.stem(token) for token in found[:-1]]
    match = words.match_any((), (), prefix=last)
    return _hits(db, f"({match}) AND ({words.match_all(rest)})" if rest else match, scope, wanted)


def _hits(db: apsw.Connection, match: str, scope: str, wanted: Filter) -> list[int]:
    if not match:
        return []
    whole = f"({match}) AND ({scope})"
    if wanted.first is None and wanted.last is None:
        return [hit.id for hit in _MATCH.rows(db, match=whole, limit=_DEEPEST)]
    first, last = wanted.first or "", wanted.last or "9999"
    found = _MATCH_DATED.rows(db, match=whole, first=first, last=last, limit=_DEEPEST)
    return [hit.id for hit in found]


def _scope(wanted: Filter) -> str:
    """The part of a MATCH that keeps a search inside its project; empty when nothing may be searched."""
    privacy = (False, True) if wanted.include_private else (False,)
    kinds = wanted.kinds if wanted.kinds is not None else (None,)
    found = [scope_word(wanted.project_id, kind, private=private) for private in privacy for kind in kinds]
    return f"project : ({' OR '.join(words.phrase(word) for word in found)})" if found else ""


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


def _corrections(db: apsw.Connection, concepts: Sequence[Concept]) -> dict[str, str]:
    found = {concept.word: concept.own for concept in concepts}
    doubtful = {w: own for w, own in found.items() if len(w) >= _TYPO_FROM and w.isalpha()}
    if not doubtful:
        return {}
    known = {row.text for row in _KNOWN.rows(db, terms=as_json(list(doubtful)))}
    stems = {own: word for word, own in doubtful.items() if word not in known and not lexicon().knows(word)}
    inflected = {row.term for row in _OFTEN.rows(db, terms=as_json(list(stems)))}
    corrected = {}
    for own, word in stems.items():
        if own not in inflected and (likeliest := _likeliest(word, _alike(db, word))):
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
