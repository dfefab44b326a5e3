"""`python -m tests.eval.ablation`: what each part of the search is worth, by taking it away alone.

Prints recall@5 of the final order on both halves, whole and for the kinds that the part is there for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from ctower_desktop.search import (
    embedder,
    lexicon,
    link_store,
    matching,
    retrieval,
    terms,
    understanding,
    weighing,
    word_store,
)
from ctower_desktop.search.candidate_store import Gathered
from tests.eval.__main__ import judge
from tests.eval.question import HALVES, load_questions
from tests.eval.table import figures_of

Part = Callable[[ExitStack], None]


def _put(module: Any, name: str, value: Any) -> Part:
    return lambda stack: stack.enter_context(patch.object(module, name, value))


def _without(*features: str) -> Part:
    weights = tuple(
        0.0 if name in features else weight
        for name, weight in zip(weighing.NAMES, weighing.WEIGHTS, strict=True)
    )
    return _put(weighing.likelihood, "__defaults__", (weights,))


def _nothing(*_: Any, **__: Any) -> dict[Any, Any]:
    return {}


def _unlinked(*_: Any, **__: Any) -> Gathered:
    return Gathered([], {}, {})


PARTS: dict[str, tuple[Part, ...]] = {
    "nothing taken away": (),
    "translations of words": (
        _put(lexicon.Lexicon, "meant", _nothing),
        _put(lexicon.Lexicon, "kin", _nothing),
    ),
    "words of like meaning": (_put(lexicon.Lexicon, "kin", _nothing),),
    "words that go together": (_put(lexicon.Lexicon, "related", _nothing),),
    "glosses for the model": (_put(embedder.Embedder, "_readable", lambda _, text: text),),
    "names by their sound": (
        _put(terms, "names", lambda _: ()),
        _put(understanding, "sounds_like", lambda _: ""),
    ),
    "numbers and days in one form": (
        _put(terms, "quantities", lambda _: []),
        _put(understanding, "quantities", lambda _: []),
    ),
    "time words": (_put(understanding, "period_of", lambda *_: None),),
    "keyboard layouts": (_put(understanding, "retyped", lambda text, _: text),),
    "typos": (_put(word_store, "_corrections", _nothing),),
    "generic words weigh less": (_put(word_store, "generic", frozenset),),
    "what was said beside": (_without("beside", "replies"),),
    "links followed": (_put(link_store, "_followed", _unlinked),),
    "vectors": (_put(retrieval._Search, "_near", lambda *_: retrieval._nothing()), _without("in_vectors")),
}
KINDS = ("ru-ru", "en-en", "paraphrase", "ru-en", "en-ru", "typos", "numbers", "time", "hops")


@contextmanager
def taken_away(parts: tuple[Part, ...]) -> Iterator[None]:
    """The search without these parts; what it remembers of texts is forgotten before and after."""
    remembered = (terms.terms_of, matching.asks)
    with ExitStack() as stack:
        for part in parts:
            part(stack)
        for function in remembered:
            getattr(function, "cache_clear", lambda: None)()
        yield
    for function in remembered:
        getattr(function, "cache_clear", lambda: None)()


def main() -> None:
    questions = load_questions()
    print(f"{'without':30} half   {'all':>6}", *(f"{kind:>10}" for kind in KINDS))
    for name, parts in PARTS.items():
        with taken_away(parts):
            figures = figures_of(asyncio.run(judge(questions)))
        for half in HALVES:
            cells = [figures[half][f"kind {kind}"]["final recall@5"] for kind in KINDS]
            print(
                f"{name:30} {half:6} {figures[half]['all']['final recall@5']:6.3f}",
                *(f"{c:10.2f}" for c in cells),
            )


if __name__ == "__main__":
    main()
