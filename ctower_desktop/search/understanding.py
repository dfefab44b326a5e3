"""What a question asks for: concepts with all the ways to say them, its days, the layout it was typed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ctower_desktop.search import words
from ctower_desktop.search.lexicon import Lexicon
from ctower_desktop.search.orders import without_commands
from ctower_desktop.search.periods import Period, period_of
from ctower_desktop.search.quantities import quantities
from ctower_desktop.search.terms import sounds_like

_TRANSLATED = 0.8  # what a translation counts, against the word itself
_KIN = 0.45  # what a word of the same language with the same meaning counts
_RELATED = 0.5  # what a word that goes together with it counts
_SOUND = 0.9
_MOST_WAYS = 24
_MOST_CONCEPTS = 32
_PHRASE = 3  # words of a turn of phrase that is looked up as a whole
_KNOWN = 0.6  # share of known words from which a text reads as typed in the right layout

_ASKING = frozenset(
    [
        "сколько",
        "каков",
        "какова",
        "каковы",
        "каким",
        "каких",
        "какими",
        "какую",
        "какое",
        "чему",
        "чему-то",
        "отчего",
        "откуда",
        "куда",
        "нужно",
        "надо",
        "лишь",
        "много",
        "many",
        "much",
        "long",
        "often",
        "far",
        "did",
        "does",
        "done",
        "get",
        "got",
        "let",
        "please",
        "tell",
        "show",
        "say",
        "says",
        "said",
    ]
)
_LATIN_KEYS = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.~QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>"
_RUSSIAN_KEYS = "ёйцукенгшщзхъфывапролджэячсмитьбюЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ"
_TO_RUSSIAN = str.maketrans(_LATIN_KEYS, _RUSSIAN_KEYS)
_TO_LATIN = str.maketrans(_RUSSIAN_KEYS, _LATIN_KEYS)


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing a question asks for: the word as typed, its own term, and every way to say it."""

    word: str
    own: str
    ways: Mapping[str, float]  # terms, or terms with spaces between; the own one counts 1


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it is looked for."""

    asked: words.Question
    concepts: tuple[Concept, ...]
    period: Period | None = None
    retyped: Mapping[str, str] = field(default_factory=dict)


def understand(text: str, today: date, lexicon: Lexicon) -> Understood:
    """Take a question apart, in the layout that makes sense of it."""
    meant = retyped(text, lexicon)
    asking = without_commands(meant)
    period = period_of(asking, today)
    bare = asking.replace(period.words, " ") if period else asking
    asked = words.question(meant)
    return Understood(asked, concepts(bare, lexicon), period, {text: meant} if meant != text else {})


def retyped(text: str, lexicon: Lexicon) -> str:
    """The text as it was meant when the other keyboard layout was on: «ghbdtn» is «привет»."""
    russian = words.is_cyrillic(text)
    other = text.translate(_TO_LATIN if russian else _TO_RUSSIAN)
    if words.identifiers(text) or any(c.isdigit() for c in text) or _makes_sense(text, lexicon) >= _KNOWN:
        return text
    return other if _makes_sense(other, lexicon) >= max(_KNOWN, 2 * _makes_sense(text, lexicon)) else text


def _makes_sense(text: str, lexicon: Lexicon) -> float:
    found = [token for token in words.tokens(text) if len(token) > 1]
    return sum(lexicon.knows(token) for token in found) / len(found) if found else 0.0


def concepts(text: str, lexicon: Lexicon) -> tuple[Concept, ...]:
    """What a text asks for, each thing once, with its translations and kin."""
    found: dict[str, Concept] = {}
    covered: set[int] = set()
    plain = text
    for quantity in quantities(text):
        written = text[quantity.start : quantity.end]
        spoken = dict.fromkeys(words.numbers(written), 1.0)
        bare = words.tokens(written)
        ways = {quantity.token: 1.0, **spoken}
        if len(bare) == 1 and bare[0].isdigit():
            ways[bare[0]] = 1.0
        found.setdefault(quantity.token, Concept(written, quantity.token, ways))
        blank = " " * (quantity.end - quantity.start)
        plain = plain[: quantity.start] + blank + plain[quantity.end :]
    tokens = words.tokens(plain)
    stems = [words.stem(token) for token in tokens]
    phrases = _phrases(stems, lexicon)
    named = {token for token, _ in words.capitalised(plain)}
    told = [token for token in tokens if token not in words.STOP_WORDS and token not in _ASKING]
    for place, (token, stem) in enumerate(zip(tokens, stems, strict=True)):
        if place in covered or (token not in told and (told or found)):
            continue
        ways = ways_of(token, lexicon, named=token in named)
        for phrase in phrases.get(place, ()):
            for other, sure in lexicon.meant(phrase).items():
                ways[other] = max(ways.get(other, 0.0), _TRANSLATED * sure)
            for other, sure in lexicon.related(phrase).items():
                ways[other] = max(ways.get(other, 0.0), _RELATED * sure)
        found.setdefault(stem, Concept(token, stem, ways))
    return tuple(found.values())[:_MOST_CONCEPTS]


def _phrases(stems: list[str], lexicon: Lexicon) -> dict[int, list[str]]:
    """Turns of phrase that the lists know, by the place of each of their words."""
    found: dict[int, list[str]] = {}
    for size in range(2, _PHRASE + 1):
        for place in range(len(stems) - size + 1):
            phrase = " ".join(stems[place : place + size])
            if lexicon.meant(phrase) or lexicon.related(phrase):
                for inside in range(place, place + size):
                    found.setdefault(inside, []).append(phrase)
    return found


def ways_of(token: str, lexicon: Lexicon, *, named: bool) -> dict[str, float]:
    """Every way to say a folded word, and how sure each is; `named` when it may be a name."""
    stem = words.stem(token)
    ways: dict[str, float] = {}
    for kin, sure in lexicon.kin(stem).items():
        ways[kin] = _KIN * sure
    for other, sure in lexicon.meant(stem).items():
        ways[other] = max(ways.get(other, 0.0), _TRANSLATED * sure)
    for other, sure in lexicon.related(stem).items():
        ways[other] = max(ways.get(other, 0.0), _RELATED * sure)
    if (named or not lexicon.knows(token)) and (term := sounds_like(token)):
        ways[term] = _SOUND
    best = sorted(ways.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_WAYS]
    return {stem: 1.0, **dict(best)}
