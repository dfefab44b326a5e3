"""What a text is found by: its stems, its numbers and days in one form, its names by their sound."""

from __future__ import annotations

from functools import lru_cache

from ctower_desktop.search import words
from ctower_desktop.search.lexicon import lexicon, sound
from ctower_desktop.search.quantities import quantities

_NAME = "zz"  # begins the term of a sound, as no word does
_LEAST = 3  # letters of a name, and of its sound


@lru_cache(maxsize=8_192)
def terms_of(text: str) -> tuple[str, ...]:
    """Every term of a text: stems in their order, then numbers and days, then sounds of names."""
    quantified = (quantity.token for quantity in quantities(text))
    return (*words.stems(text), *quantified, *names(text))


def names(text: str) -> tuple[str, ...]:
    """The sounds of words with a capital letter; at the beginning of a sentence only of those in no list."""
    found = (
        sounds_like(token)
        for token, begins in words.capitalised(text)
        if not (begins and lexicon().knows(token))
    )
    return tuple(dict.fromkeys(term for term in found if term))


def sounds_like(token: str) -> str:
    """The term of a folded name's sound; empty for what is no name."""
    if len(token) < _LEAST or not token.isalpha():
        return ""
    found = sound(words.stem(token) if words.is_cyrillic(token) else token)
    return _NAME + found if len(found) >= _LEAST else ""
