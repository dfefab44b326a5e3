"""Whether a text speaks of an agreement: words by their stems, in both languages, unless it is denied."""

from __future__ import annotations

from ctower_desktop.search.words import stem, tokens

_ENGLISH = frozenset(
    stem(word) for word in ("agreement", "agree", "agreed", "commit", "commitment", "deadline")
)
_RUSSIAN = ("договор", "соглас", "услов", "дедлайн")
_DEADLINE = frozenset(
    ("срок", "срока", "сроку", "сроком", "сроке", "сроки", "сроков", "срокам", "сроками", "сроках")
)
_DENIALS = frozenset(
    ("не", "нет", "без", "not", "no", "never", "cannot", "dont", "don", "didn", "doesn", "isn", "won")
)
_REACH = 2  # words before, in which a denial counts
_LONGEST = 280


def speaks_of_agreement(text: str) -> bool:
    """Whether a word of agreement stands in the text and is not denied."""
    found = tokens(text)
    for place, token in enumerate(found):
        if _tells(token) and not _DENIALS & set(found[max(0, place - _REACH) : place]):
            return True
    return False


def _tells(token: str) -> bool:
    return token.startswith(_RUSSIAN) or token in _DEADLINE or (token.isascii() and stem(token) in _ENGLISH)


def summary(text: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"
