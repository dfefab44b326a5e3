"""Text as words: folding, tokens, stems, identifiers, and safe full-text queries in Russian and English."""

from __future__ import annotations

import math
import re
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import Stemmer

Language = Literal["ru", "en"]

_TOKEN = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-яА-ЯёЁ]")
_LATIN = re.compile(r"[a-zA-Z]")
_STATS_TOKEN = re.compile(r"[a-zа-я0-9_]+")
_QUOTED = re.compile(r"[\"«“„]([^\"«»“”„]{2,200})[\"»”“]")
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:[ \u00a0\u202f,.']\d{3})+(?![\d])(?:[.,]\d{1,2}(?!\d))?")
_DECIMALS = re.compile(r"[.,]\d{1,2}$")
_IDENTIFIER = re.compile(
    r"https?://[^\s<>«»\"]+"  # an address of a page
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|(?<![\w-])[A-Za-zА-Яа-яЁё]{1,10}[-#№]\d{1,9}(?![\w])"  # ENG-42, PR#17
    r"|[#№]\s?\d{2,12}(?!\w)"  # №10432
    r"|(?<![\w.,-])(?=\w*\d)(?=\w*[A-Za-z])[\w]{5,40}(?!\w)"  # codes of letters and digits: 3f9a11, INV2041
    r"|(?<![\w.,-])\d{4,12}(?![\w]|[.,]\d)",  # 10432
    re.UNICODE,
)
_TRAILING = ".,;:!?)]}'\""
_CITED = re.compile(r"\[(\d{1,3})\]")
_STEMMERS = threading.local()  # a stemmer must not be shared by threads
_ALGORITHMS: dict[Language, str] = {"ru": "russian", "en": "english"}

_RUSSIAN_STOP_WORDS = (
    "а без более бы был была были было быть в вам вас ваш ведь во вот все всего всех вы где да для до "
    "его ее если есть еще же за здесь и из или им их к как какая какие какой какого каком когда кем "
    "ко который кого кому кто ли либо лишь мне мной мы на над надо нам нас наш не него нее нет ни них "
    "почему зачем "
    "но ну о об обо он она они оно от очень по под при про с со так также такой там тебя то того тоже "
    "той только том ты у уж уже чего чей чем что чтобы эта эти это этого этой этом этот я ему ней "
    "сейчас можно "
)
_ENGLISH_STOP_WORDS = (
    "a about all am an and any are as at be been but by can could did do does for from had has have "
    "he her him his how i if in into is it its just me my no nor not of on or our out she should so "
    "some than that the their them then there these they this those to up us was we were what when "
    "where which who whom why will with would you your "
    "d ll m re s t ve "  # what an apostrophe leaves over
)
STOP_WORDS = frozenset(f"{_RUSSIAN_STOP_WORDS}{_ENGLISH_STOP_WORDS}".split())


@dataclass(frozen=True, slots=True)
class Question:
    """A query taken apart: what must match exactly, what may match by stem, and its language."""

    text: str
    language: Language
    tokens: tuple[str, ...]  # folded, stop words dropped unless nothing else is there
    stems: tuple[str, ...]
    identifiers: tuple[str, ...]
    phrases: tuple[str, ...]


def fold(text: str) -> str:
    """Lower case, composed letters, with `ё` as `е` and one kind of apostrophe."""
    lower = unicodedata.normalize("NFC", text).lower()
    return lower.replace("ё", "е").replace("’", "'").replace("ʼ", "'")


def tokens(text: str) -> list[str]:
    """Folded runs of letters and digits, in order."""
    return _TOKEN.findall(fold(text))


def is_cyrillic(text: str) -> bool:
    """Whether a text has a Russian letter."""
    return _CYRILLIC.search(text) is not None


def capitalised(text: str) -> list[tuple[str, bool]]:
    """Words that begin with a capital letter, folded, and whether that is because they begin a sentence."""
    found = []
    for match in _TOKEN.finditer(text):
        if match[0][0].isupper():
            before = text[: match.start()].rstrip()[-1:]
            found.append((fold(match[0]), not (before.isalnum() or before in {",", "(", "«", "-"})))
    return found


def language(text: str) -> Language:
    """`ru` when at least as many letters are Cyrillic as Latin, addresses not counted; `en` otherwise."""
    bare = _IDENTIFIER.sub(" ", text)
    cyrillic, latin = len(_CYRILLIC.findall(bare)), len(_LATIN.findall(bare))
    return "ru" if cyrillic and cyrillic * 2 >= latin else "en"


@lru_cache(maxsize=65_536)
def stem(token: str) -> str:
    """The stem of one folded token, by the script of its letters; numbers stay themselves."""
    if any(c.isdigit() for c in token):
        return token
    found: Language = "ru" if _CYRILLIC.search(token) else "en"
    return str(_stemmer(found).stemWord(token))


def _stemmer(of: Language) -> Stemmer.Stemmer:
    stemmers: dict[str, Stemmer.Stemmer] = _STEMMERS.__dict__
    if of not in stemmers:
        stemmers[of] = Stemmer.Stemmer(_ALGORITHMS[of])
    return stemmers[of]


def stems(text: str) -> list[str]:
    """Stems of every token, then every number written in groups («12 500») as one."""
    return [stem(token) for token in tokens(text)] + list(numbers(text))


def numbers(text: str) -> Iterator[str]:
    """Numbers written in groups, joined, without decimals: «12 500,00» is 12500."""
    for match in _GROUPED.finditer(text):
        yield "".join(c for c in _DECIMALS.sub("", match[0]) if c.isdigit())


def identifiers(text: str) -> list[str]:
    """What names one thing exactly, folded: ENG-42, an address, an e-mail address, an order number."""
    found = (fold(match[0]).rstrip(_TRAILING) for match in _IDENTIFIER.finditer(text))
    return list(dict.fromkeys(name for name in found if _TOKEN.search(name)))


def stats_tokens(query: str) -> list[str]:
    """The contract's six tokens of a query: of three letters or more, without repetition."""
    found = (token for token in _STATS_TOKEN.findall(fold(query)) if len(token) >= 3)
    return list(dict.fromkeys(found))[:6]


def question(text: str) -> Question:
    """Take a query apart."""
    found = list(dict.fromkeys(tokens(text)))[:64]
    told = [token for token in found if token not in STOP_WORDS] or found
    joined = [*(stem(token) for token in told), *numbers(text)]
    return Question(
        text=text,
        language=language(text),
        tokens=tuple(told),
        stems=tuple(dict.fromkeys(joined)),
        identifiers=tuple(identifiers(text)[:8]),
        phrases=tuple(" ".join(tokens(match[1])) for match in _QUOTED.finditer(text) if tokens(match[1]))[:4],
    )


def cited(answer: str) -> list[int]:
    """The numbers of evidence an answer cites as [n], each once."""
    return list(dict.fromkeys(int(number) for number in _CITED.findall(answer)))


def telling(rows: int, total: int) -> float:
    """How much a word found in `rows` of `total` texts says: the rarer, the more; never nothing."""
    return math.log(1 + (total - rows + 0.5) / (rows + 0.5)) if rows <= total else 0.1


def phrase(text: str) -> str:
    """A full-text phrase of the tokens in `text`, safe to put into a MATCH; empty when it has none."""
    found = tokens(text)
    return '"' + " ".join(found) + '"' if found else ""
