"""How alike two names are: across alphabets, without legal forms, by whole words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import urlsplit

from ctower_desktop.kernel.system import resources
from ctower_desktop.search.lexicon import sound
from ctower_desktop.search.words import is_cyrillic, tokens

EQUAL, CONTAINED = 1.0, 0.86
_BY_SOUND = 0.97  # equal but for the alphabet, the legal form or a space
_BARE_EQUAL, _BARE_CONTAINED = 0.85, 0.8  # the same for names without their common words
LIKE = 0.9  # names that count as the same
_SHORTEST = 3  # letters of a sound that tells something


@dataclass(frozen=True, slots=True)
class CompanyWords:
    """Words that do not tell one company from another."""

    forms: frozenset[str]
    common: frozenset[str]


@cache
def free_mail() -> frozenset[str]:
    """Domains of mail services anybody may have an address at."""
    return frozenset(line for line in _lines("free-mail.txt"))


@cache
def company_words() -> CompanyWords:
    """Legal forms, and words that alone name no company."""
    found: dict[str, set[str]] = {"form": set(), "common": set()}
    for line in _lines("company-words.txt"):
        kind, _, told = line.partition(":")
        found[kind].update(told.split())
    return CompanyWords(frozenset(found["form"]), frozenset(found["common"]))


def _lines(name: str) -> list[str]:
    text = (resources() / "identity" / name).read_text("utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def similarity(one: str, other: str) -> float:
    """How alike two names are as they are written: 1 equal, .86 one within the other, else shared words."""
    return _alike(tuple(tokens(one)), tuple(tokens(other)))


def alike(one: str, other: str) -> float:
    """How alike two names are when alphabets, legal forms, spaces and common words do not count."""
    if similarity(one, other) == EQUAL:
        return EQUAL
    first, second = telling(one), telling(other)
    spoken = _contained_or_shared(first, second)
    if spoken == EQUAL or (_joined(first) and _joined(first) == _joined(second)):
        return _BY_SOUND
    bare = _contained_or_shared(_bare(first), _bare(second))
    return max(spoken, {EQUAL: _BARE_EQUAL, CONTAINED: _BARE_CONTAINED}.get(bare, 0.0))


def _contained_or_shared(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    found = _alike(tuple(_in_words_of(other, word) for word in one), other)
    short = one if len(one) < len(other) else other
    return 0.0 if found == CONTAINED and not _tells(short) else found


def _in_words_of(others: tuple[str, ...], word: str) -> str:
    """The word of the other name that is the same word in another alphabet; else the word itself."""
    script, key = is_cyrillic(word), word_key(word)
    return next((o for o in others if is_cyrillic(o) != script and word_key(o) == key), word)


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    if not one or not other:
        return 0.0
    if one == other:
        return EQUAL
    short, long = sorted((one, other), key=len)
    if any(long[at : at + len(short)] == short for at in range(len(long) - len(short) + 1)):
        return CONTAINED
    return round(len(set(one) & set(other)) / max(len(one), len(other)), 4)


@lru_cache(maxsize=16_384)
def telling(name: str) -> tuple[str, ...]:
    """The words of a name without legal forms; all of them when nothing else is left."""
    forms = company_words().forms
    found = tuple(word for word in tokens(name.replace(".", "")) if word not in forms)
    return found or tuple(tokens(name))


def _tells(words: tuple[str, ...]) -> bool:
    """Whether words name something, other than by a common word or a syllable."""
    return any(len(word) > _SHORTEST and word not in company_words().common for word in words)


def _bare(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in company_words().common)


@lru_cache(maxsize=65_536)
def word_key(word: str) -> str:
    """What a folded word is looked up by: its sound, or itself where that is too short to tell."""
    found = sound(word)
    return found if len(found) >= _SHORTEST else word


def _joined(words: tuple[str, ...]) -> str:
    joined = "".join(words)
    return joined if len(joined) > _SHORTEST and _tells(words) else ""


def blocking_keys(name: str) -> frozenset[str]:
    """Keys under which a company's name is compared at all."""
    words = telling(name)
    found = {word_key(word) for word in words if word not in company_words().common}
    if joined := _joined(words):
        found.add(word_key(joined))
    return frozenset(found or {word_key(word) for word in words})


def person_key(name: str) -> str:
    """The sounds of a person's given and family name in any order; empty for a single name."""
    found = sorted({word_key(word) for word in tokens(name) if len(word) > 1})
    return " ".join(found) if len(found) > 1 else ""


def domain_of(email: str | None) -> str:
    """The domain of an address, empty where anybody may have an address or there is none."""
    _, at, domain = (email or "").strip().lower().rpartition("@")
    found = domain.rstrip(".")
    return found if at and "." in found and not is_free_mail(found) else ""


def is_free_mail(domain: str) -> bool:
    """Whether a domain, or the one it is below, is a mail service for everybody."""
    parts = domain.lower().split(".")
    return any(".".join(parts[at:]) in free_mail() for at in range(len(parts) - 1))


def site_of(domain: str | None) -> str:
    """A company's domain as it is compared: without scheme, www and path; never a mail service."""
    text = (domain or "").strip().lower()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    found = host.removeprefix("www.").rstrip(".")
    return found if "." in found and not is_free_mail(found) else ""


def digits(phone: str | None) -> str:
    """The last ten digits of a telephone number, empty when there are fewer."""
    found = "".join(c for c in phone or "" if c.isdigit())
    return found[-10:] if len(found) >= 10 else ""


def spoken(name: str) -> str:
    """A name as evidence: the keys of its telling words, so that spelling alone is no news."""
    return " ".join(word_key(word) for word in telling(name))
