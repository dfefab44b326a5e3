"""Text cut into pieces that can be found and quoted: whole sentences, never more than the limit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK_SIZE = 1_000
MIN_EMBED_CHARS = 30

_SPACE = re.compile(r"\s+")
_END = re.compile(r"[.!?…]+[\"»”’')\]]*\s+|\s*\n\s*")
_WORD_BEFORE = re.compile(r"([^\s\"«(\[]+)$")
_ABBREVIATION = re.compile(
    r"(?:[A-Za-zА-Яа-яЁё]"  # an initial: А. С. Пушкин, J. Smith; also т. д., т. е.
    r"|т\.д|т\.п|т\.е|т\.к|н\.э|и\.о|др|пр|проч|см|ср|стр|рис|табл|гл|п|пп|ст|ул|просп|пер|кв|корп|обл|гор|тел|доб|им"
    r"|руб|коп|тыс|млн|млрд|трлн|шт|экз|мин|макс|сек|ч|г|гг|в|вв|напр|прим|ред|изд|зам|нач|гос|акад|проф|рук"
    r"|e\.g|i\.e|etc|vs|cf|approx|dept|est|fig|figs|no|nos|vol|pp|inc|ltd|co|corp|mr|mrs|ms|dr|prof|sr|jr|st"
    r"|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|u\.s|p\.s|a\.m|p\.m)",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"\d{1,3}")


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk of a text: its place, its words, and a hash that changes only when they do."""

    index: int
    text: str
    text_hash: str
    tokens: int


def normalised(text: str) -> str:
    """Every run of white space as one space, none at the ends."""
    return _SPACE.sub(" ", text).strip()


def sentences(text: str) -> list[str]:
    """The sentences of a text. Abbreviations, initials, numbers and addresses end none; a line break does."""
    found, start = [], 0
    for end in _END.finditer(text):
        if "\n" in end[0] or _ends_sentence(text, start, end.start(), end.end()):
            found.append(text[start : end.end()])
            start = end.end()
    found.append(text[start:])
    return [sentence for piece in found if (sentence := normalised(piece))]


def _ends_sentence(text: str, start: int, dot: int, after: int) -> bool:
    if text[dot] != ".":
        return True
    if after < len(text) and text[after].islower():
        return False
    before = _WORD_BEFORE.search(text, start, dot)
    if before is None:
        return True
    word = before[1]
    if _LIST_NUMBER.fullmatch(word):  # «2. Дизайн» is an item of a list, «в 2025.» is an end
        return normalised(text[start:dot]) != word
    return _ABBREVIATION.fullmatch(word) is None  # «и т.д. Потом» may go on


def chunks(text: str, size: int = CHUNK_SIZE) -> list[Piece]:
    """Pieces of at most `size` characters that end where a sentence, else a word, ends.

    Joined by single spaces they are the normalised text, unless a word is longer than `size`.
    """
    return [
        Piece(index, piece, text_hash(piece), max(1, -(-len(piece) // 4)))
        for index, piece in enumerate(_packed(_parts(text, size), size))
    ]


def text_hash(text: str) -> str:
    """96 bits of the text's BLAKE2b, in hexadecimal: enough for a billion texts never to meet."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def embeddable(text: str, least: int = MIN_EMBED_CHARS) -> bool:
    """Whether a text says enough for a vector to mean something; shorter ones are found by their words."""
    return len(normalised(text)) >= least


def _parts(text: str, size: int) -> Iterator[tuple[bool, str]]:
    """Sentences, cut at words when they are too long; whether a space belongs before each."""
    for sentence in sentences(text):
        spaced, rest = True, sentence
        while len(rest) > size:
            cut = rest.rfind(" ", 0, size + 1)
            if cut <= 0:
                yield spaced, rest[:size]
                spaced, rest = False, rest[size:]
            else:
                yield spaced, rest[:cut]
                spaced, rest = True, rest[cut + 1 :]
        if rest:
            yield spaced, rest


def _packed(parts: Iterator[tuple[bool, str]], size: int) -> Iterator[str]:
    held = ""
    for spaced, part in parts:
        joined = f"{held} {part}" if held and spaced else held + part
        if held and len(joined) > size:
            yield held
            held = part
        else:
            held = joined
    if held:
        yield held
