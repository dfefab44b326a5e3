"""What a thing may be called, as names are compared: folded, as stems, as it sounds."""

from __future__ import annotations

import re

from ctower_desktop.search.lexicon import sound
from ctower_desktop.search.words import fold, stem, tokens

Keys = frozenset[tuple[str, str]]

_LEGAL = frozenset(
    ("inc", "llc", "ltd", "gmbh", "corp", "co", "plc", "ag", "sa", "srl", "company", "limited", "ооо", "оао")
) | {"corporation", "зао", "ао", "пао", "ип", "тоо"}
_SPACES = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_LONGEST = 200


def tidy(text: str) -> str:
    """A name without control characters and needless spaces."""
    return _SPACES.sub(" ", _CONTROL.sub(" ", text)).strip()[:_LONGEST].strip()


def key(name: str) -> str:
    """A name as it is compared: its words, folded; of one without words its characters."""
    return " ".join(tokens(name)) or fold(tidy(name))


def stem_key(name_key: str) -> str:
    """The stems of a folded name."""
    return " ".join(stem(token) for token in name_key.split(" "))


def sound_key(name_key: str) -> str:
    """How a folded name sounds in either alphabet; empty for what is too short to tell."""
    found = "".join(sound(token) for token in name_key.split(" "))
    return found if len(found) >= 3 else ""


def keys(name: str, aliases: tuple[str, ...] = ()) -> Keys:
    """Every key a thing is found by, each with its kind."""
    own = key(name)
    others = {key(alias) for alias in aliases if tidy(alias)}
    words = own.split(" ")
    bare = [word for word in words if word not in _LEGAL]
    if bare and len(bare) < len(words):
        others.add(" ".join(bare))
    others.discard(own)
    found = {("name", own)} | {("alias", other) for other in others}
    for each in (own, *others):
        found.add(("stem", stem_key(each)))
        if heard := sound_key(each):
            found.add(("sound", heard))
    return frozenset((kind, text) for kind, text in found if text)
