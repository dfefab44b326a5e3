"""Russian and English meet: what a word is called in the other language, and glosses of whole texts.

The lists in resources/lexicon say for a Russian word or turn of phrase what it is called in English. They are
read once, when first needed.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ctower_desktop.kernel.system import resources
from ctower_desktop.search.words import STOP_WORDS, fold, stem, tokens

GLOSSED = "gloss"  # a part of the name of a model that is given Russian texts as glosses
_MOST = 12  # words of the other language that one word may stand for
_LONGEST = 4  # words of a turn of phrase
_LATER = 0.8  # what each later translation counts, against the one before it
_LEAST = 0.15
_WORD = re.compile(r"[^\W_]+|[^\w]+|_+")
_CYRILLIC = re.compile(r"[а-яё]")

_LATIN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u",
    "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e",
    "ю": "yu", "я": "ya",
}  # fmt: skip
_SOUNDS = (  # spellings of one sound, in the order they are made alike
    ("shch", "s"), ("sch", "s"), ("kh", "h"), ("ch", "c"), ("sh", "s"), ("zh", "j"), ("ts", "c"),
    ("tz", "c"), ("ck", "k"), ("ph", "f"), ("th", "t"), ("x", "ks"), ("qu", "kv"), ("yo", "o"),
    ("io", "o"), ("yu", "u"), ("iu", "u"), ("jo", "o"), ("ju", "u"), ("ja", "a"), ("je", "e"),
    ("ea", "eo"), ("ya", "a"), ("ia", "a"), ("ye", "e"), ("ie", "e"), ("w", "v"), ("q", "k"),
    ("c", "k"), ("y", "i"), ("j", "i"), ("z", "s"), ("g", "h"), ("ii", "i"), ("ei", "ai"),
)  # fmt: skip
_TWICE = re.compile(r"(.)\1")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Both directions, and the glosses; every key and every word is a stem or stems with spaces between."""

    meanings: Mapping[str, Mapping[str, float]]
    glosses: Mapping[str, str]
    version: str
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # of words that go together

    def meant(self, of: str) -> Mapping[str, float]:
        """What a word or turn of phrase may be called in the other language, and how surely."""
        return self.meanings.get(of, {})

    def kin(self, of: str) -> dict[str, float]:
        """Words of the same language that share a meaning, and how surely."""
        found: dict[str, float] = {}
        for other, sure in self.meant(of).items():
            if sure < 0.4:
                continue
            for back, again in self.meant(other).items():
                if back != of and again >= 0.3:
                    found[back] = max(found.get(back, 0.0), sure * again)
        best = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]
        return dict(best)

    def related(self, of: str) -> Mapping[str, float]:
        """Words of either language that stand for nearly the same in an agency's talk, and how surely."""
        return self.groups.get(of, {})

    def knows(self, token: str) -> bool:
        """Whether a word stands in the lists, or says nothing by itself."""
        return token in STOP_WORDS or stem(token) in self.meanings

    def gloss(self, text: str) -> str:
        """The text with its Russian words in English; those that the lists do not know in Latin letters."""
        pieces = _WORD.findall(fold(text))
        if not any(_CYRILLIC.search(piece) for piece in pieces):
            return text
        return "".join(self._glossed(pieces))

    def _glossed(self, pieces: Sequence[str]) -> Iterator[str]:
        place = 0
        while place < len(pieces):
            if not _CYRILLIC.search(pieces[place]):
                yield pieces[place]
                place += 1
                continue
            for size in range(_LONGEST, 0, -1):
                part = pieces[place : place + 2 * size - 1]
                if len(part) < 2 * size - 1 or any(gap != " " for gap in part[1::2]):
                    continue
                found = self.glosses.get(" ".join(stem(piece) for piece in part[::2]))
                if found is not None:
                    yield found
                    place += 2 * size - 1
                    break
            else:
                yield latin(pieces[place])
                place += 1


@cache
def lexicon() -> Lexicon:
    """The lists that come with the program."""
    return read(resources() / "lexicon")


def read(folder: Path) -> Lexicon:
    """Read every list of a folder: `word<TAB>meaning|meaning`, the likeliest first; # is a comment."""
    told: dict[str, dict[str, float]] = defaultdict(dict)
    glosses: dict[str, str] = {}
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.tsv")):
        text = path.read_text("utf-8")
        digest.update(text.encode())
        for russian, english in _entries(text):
            own = stems_of(russian)
            if not own:
                continue
            glosses.setdefault(own, english[0])
            for place, meaning in enumerate(english):
                other, sure = stems_of(meaning), _LATER**place
                if other:
                    told[own][other] = max(told[own].get(other, 0.0), sure)
                    told[other][own] = max(told[other].get(own, 0.0), sure)
    meanings = {of: _surest(meant) for of, meant in told.items()}
    return Lexicon(meanings, glosses, digest.hexdigest()[:8], _groups(folder / "related"))


def _groups(folder: Path) -> dict[str, dict[str, float]]:
    """Groups of related words, one a line; in a small group its members are surer of each other."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("#") or "|" not in line:
                continue
            members = list(dict.fromkeys(filter(None, (stems_of(word) for word in line.split("|")))))
            sure = min(1.0, (6 / len(members)) ** 0.5)
            for one in members:
                for other in members:
                    if other != one:
                        found[one][other] = max(found[one].get(other, 0.0), sure)
    return dict(found)


def _entries(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        russian, _, english = line.partition("\t")
        meanings = [meaning.strip() for meaning in english.split("|") if meaning.strip()]
        if meanings and not line.startswith("#"):
            yield russian, meanings


def _surest(meant: Mapping[str, float]) -> dict[str, float]:
    """The surest few; a word of many meanings is less sure of each."""
    best = sorted(meant.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]
    many = 1.0 if len(best) <= 3 else (3 / len(best)) ** 0.25
    return {of: sure * many for of, sure in best if sure * many >= _LEAST}


def _light(token: str) -> bool:
    return token in {"to", "a", "an", "the", "of", "be", "is"}


def stems_of(phrase: str) -> str:
    """The stems of a turn of phrase with spaces between."""
    found = tokens(phrase)
    if len(found) > 1:
        found = [token for token in found if not _light(token)] or found
    return " ".join(stem(token) for token in found) if len(found) <= _LONGEST else ""


def latin(token: str) -> str:
    """A folded Russian word in Latin letters."""
    return "".join(_LATIN.get(letter, letter) for letter in token)


def sound(token: str) -> str:
    """How a name sounds, roughly, in either alphabet: «Хенрик» and "Henrik" sound the same."""
    found = latin(token)
    for spelling, alike in _SOUNDS:
        found = found.replace(spelling, alike)
    return _TWICE.sub(r"\1", found).rstrip("aeiou")
