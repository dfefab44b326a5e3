"""What a message says, by its words in Russian and English: triggers, what only looks like them, negation."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_args

from ctower_desktop.insight.signals.model import SignalType
from ctower_desktop.insight.signals.wordlists import folder, word_set
from ctower_desktop.search.words import fold, stem

Speaker = Literal["client", "team"]
Kind = SignalType | Literal["approval_given"]

LONGEST = 4_000  # characters of a message that are read
_LONGEST_QUOTE = 240
_GAP = 3  # words that `~` may stand for
_PREFIX = 3  # letters a `word*` is looked up by
_KINDS = frozenset((*get_args(SignalType), "approval_given"))

_ADDRESS = re.compile(r"https?://\S+|\S+@\S+\.\S+")
_REPLIED_TO = re.compile(
    r"^\s*(?:>.*|On .{4,100} wrote:.*|.{4,100}(?:написал(?:\(а\)|а)?|пишет):\s*$|-{2,} ?(?:Original Message"
    r"|Пересылаемое сообщение|Исходное сообщение).*)",
    re.IGNORECASE,
)
_MENTIONED = re.compile(r"[\"“«„][^\"“”«»„]{1,30}[\"”»]")  # a name or a label, nothing that is claimed
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_PIECE = re.compile(r"[^\W_]+(?:-[^\W_]+)*|[,;:()—–]| - ")
_CONTRACTED = re.compile(r"\b(ca|wo|do|does|did|is|are|was|were|has|have|had|would|could|should|need)n'?t\b")
_WHOLE = {"ca": "can", "wo": "will"}

_HARD = word_set("another_thought")
_SOFT_MARKS = frozenset(",:()—–-")

_NOTHING = word_set("nothing")
_NOT = frozenset({"not", "never", "cannot", "не"})
_SILENT = word_set("not_the_matter")
_TRANSPARENT = word_set("between_not_and_it")
_NOT_ONLY = word_set("not_only")
_TOLERATE = word_set("tolerate")
_AFTER = frozenset({"нет", "нету"})
_AFTER_NOT = word_set("after_not")
_IF = word_set("supposed")
_AGAIN = word_set("again")
_RESOLVED = word_set("over")
_DUTY = word_set("duty")
_WHENEVER = frozenset({"when", "когда"})  # not as the first word of a question
_HYPOTHETICAL = frozenset({"delivery_risk"})


@dataclass(frozen=True, slots=True)
class Hit:
    """A kind of thing a message speaks of, and the sentence that does."""

    kind: Kind
    quote: str
    words: str


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    stem: str
    gap: int  # what stands before it: 0 nothing, 1 a comma or its like, 2 the beginning of another thought


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of a wording: any of these stems, forms or beginnings."""

    stems: frozenset[str]
    forms: frozenset[str]
    beginnings: tuple[str, ...]

    def fits(self, token: _Token) -> bool:
        return token.text in self.forms or token.stem in self.stems or token.text.startswith(self.beginnings)


@dataclass(frozen=True, slots=True)
class _Wording:
    kind: Kind
    whose: str
    words: tuple[_Word, ...]
    gaps: tuple[bool, ...]  # whether words may stand before the word of that place


@dataclass(frozen=True, slots=True)
class _Found:
    wording: _Wording
    start: int
    end: int


@dataclass(slots=True)
class Triggers:
    """The wordings of resources/lexicon/signals/triggers.tsv, found by their first word."""

    by_stem: dict[str, list[_Wording]] = field(default_factory=lambda: defaultdict(list))
    by_form: dict[str, list[_Wording]] = field(default_factory=lambda: defaultdict(list))
    by_beginning: dict[str, list[_Wording]] = field(default_factory=lambda: defaultdict(list))

    def add(self, wording: _Wording) -> None:
        """Take a wording in."""
        first = wording.words[0]
        for key in first.stems:
            self.by_stem[key].append(wording)
        for key in first.forms:
            self.by_form[key].append(wording)
        for key in {beginning[:_PREFIX] for beginning in first.beginnings}:
            self.by_beginning[key].append(wording)

    def found(self, tokens: Sequence[_Token]) -> Iterator[_Found]:
        """Every wording that stands in a sentence, in the order of their first words."""
        for start, token in enumerate(tokens):
            for wording in (
                *self.by_stem.get(token.stem, ()),
                *self.by_form.get(token.text, ()),
                *self.by_beginning.get(token.text[:_PREFIX], ()),
            ):
                end = _matched(wording, tokens, start)
                if end is not None:
                    yield _Found(wording, start, end)


@cache
def triggers() -> Triggers:
    """The wordings that come with the program."""
    found = Triggers()
    path = folder() / "triggers.tsv"
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            found.add(parsed(line))
    return found


def parsed(line: str) -> _Wording:
    """One line of the list: kind, whose words, wording."""
    kind, whose, wording = line.split("\t")
    if kind not in _KINDS or whose not in ("client", "team", "any", "veto"):
        raise ValueError(f"not a trigger: {line}")
    words, gaps = [], []
    gap = False
    for piece in wording.split():
        if piece == "~":
            gap = True
            continue
        words.append(_word(piece))
        gaps.append(gap)
        gap = False
    if not words or gaps[0]:
        raise ValueError(f"a wording begins with a word: {line}")
    return _Wording(kind, whose, tuple(words), tuple(gaps))  # type: ignore[arg-type]


def _word(piece: str) -> _Word:
    stems, forms, beginnings = set(), set(), []
    for option in piece.split("|"):
        text = fold(option).replace("-", "")
        if text.startswith("="):
            forms.add(text[1:])
        elif text.endswith("*"):
            if len(text) <= _PREFIX:
                raise ValueError(f"too short a beginning: {option}")
            beginnings.append(text[:-1])
        else:
            stems.add(stem(text))
    return _Word(frozenset(stems), frozenset(forms), tuple(beginnings))


def _matched(wording: _Wording, tokens: Sequence[_Token], start: int) -> int | None:
    """The place behind the last word of a wording that begins at `start`."""
    if not wording.words[0].fits(tokens[start]):
        return None
    place = start + 1
    for word, gap in zip(wording.words[1:], wording.gaps[1:], strict=True):
        for ahead in range((_GAP if gap else 0) + 1):
            at = place + ahead
            if at >= len(tokens) or tokens[at].gap > (1 if gap else 0):
                return None
            if word.fits(tokens[at]):
                place = at + 1
                break
        else:
            return None
    return place


def clean(text: str) -> str:
    """What was written now: without what it replies to, without addresses."""
    kept = []
    for line in text[:LONGEST].splitlines():
        if _REPLIED_TO.match(line):
            if not line.lstrip().startswith(">"):
                break
            continue
        kept.append(line)
    return _ADDRESS.sub(" ", "\n".join(kept))


def sentences(text: str) -> list[str]:
    """The sentences of a text, each trimmed."""
    return [found for part in _SENTENCE.split(text) if (found := part.strip())]


def tokens_of(sentence: str) -> list[_Token]:
    """The words of a sentence with what stands between them; "can't" is two words, "add-on" is one."""
    bare = _MENTIONED.sub(" , ", sentence)
    text = _CONTRACTED.sub(lambda m: f"{_WHOLE.get(m[1], m[1])} not", fold(bare))
    found: list[_Token] = []
    gap = 0
    for match in _PIECE.finditer(text):
        piece = match[0].strip()
        if piece in _SOFT_MARKS:
            gap = max(gap, 1)
        elif piece == ";":
            gap = 2
        else:
            word = piece.replace("-", "")
            if word in _HARD or piece in _HARD or (word == "а" and gap):
                gap = 2
            found.append(_Token(word, stem(word), gap))
            gap = 0
    return found


def read(text: str, speaker: Speaker) -> list[Hit]:
    """What a message of `speaker` speaks of: the first sentence for each kind that is not negated."""
    found: dict[Kind, Hit] = {}
    for sentence in sentences(clean(text)):
        tokens = tokens_of(sentence)
        for one in standing(tokens):
            wording = one.wording
            if wording.whose in ("any", speaker) and wording.kind not in found:
                words = " ".join(token.text for token in tokens[one.start : one.end])
                found[wording.kind] = Hit(wording.kind, shortened(sentence), words)
    return list(found.values())


def standing(tokens: Sequence[_Token]) -> Iterator[_Found]:
    """The wordings of a sentence that nothing takes away."""
    every = list(triggers().found(tokens))
    vetoes = [one for one in every if one.wording.whose == "veto"]
    denied_until = -1
    for one in every:
        if one.wording.whose == "veto" or any(_overlap(one, veto) for veto in vetoes):
            continue
        if _denied(tokens, one) or _listed(tokens, denied_until, one.start):
            denied_until = max(denied_until, one.end)
            continue
        if one.wording.kind in _HYPOTHETICAL and _unreal(tokens, one):
            continue
        yield one


def _overlap(one: _Found, veto: _Found) -> bool:
    return one.wording.kind == veto.wording.kind and one.start < veto.end and veto.start < one.end


def _denied(tokens: Sequence[_Token], one: _Found) -> bool:
    return _denied_before(tokens, one.start) or _denied_behind(tokens, one.end)


def _denied_before(tokens: Sequence[_Token], start: int) -> bool:
    """Whether «no», «without», «not», «нет», «без», «не» before it take it away."""
    between: list[str] = []
    soft = tokens[start].gap
    for place in range(start - 1, max(-1, start - 6), -1):
        if soft:
            return False
        text = tokens[place].text
        if text in _NOTHING:
            return len(between) <= 2 and not _SILENT.intersection(between)
        if text in _NOT:
            if _NOT_ONLY.intersection(between) or _TOLERATE.intersection(between):
                return False
            return _TRANSPARENT.issuperset(between)
        between.append(text)
        soft = tokens[place].gap
    return False


def _denied_behind(tokens: Sequence[_Token], end: int) -> bool:
    """Whether it is denied by what follows: «задержек нет», "a delay is not expected"."""
    window = tokens[end : end + 4]
    for place, token in enumerate(window):
        if token.gap == 2 or (token.gap == 1 and token.text not in _AFTER):
            return False
        if token.text in _AFTER:
            return True
        if token.text in _NOT and place + 1 < len(window):
            rest = [t.text for t in window[place + 1 :] if not t.gap]
            return any(text in _AFTER_NOT for text in rest)
    return False


def _listed(tokens: Sequence[_Token], denied_until: int, start: int) -> bool:
    """Whether it goes on a list that was taken away: "no delays, blockers or surprises"."""
    if not 0 <= denied_until <= start <= denied_until + 3:
        return False
    return all(t.text in {"and", "or", "nor", "и", "или", "ни"} for t in tokens[denied_until:start])


def _unreal(tokens: Sequence[_Token], one: _Found) -> bool:
    """Whether it is only supposed ("if you are blocked") or over ("the delay is resolved")."""
    texts = [token.text for token in tokens]
    before = {*texts[: one.start]} & _IF or {*texts[1 : one.start]} & _WHENEVER
    if before and not _AGAIN.intersection(texts):
        return True
    return bool(_RESOLVED.intersection(texts)) and not _DUTY.intersection(texts)


def shortened(sentence: str) -> str:
    """A sentence as it is quoted."""
    bare = " ".join(sentence.split())
    return bare if len(bare) <= _LONGEST_QUOTE else bare[: _LONGEST_QUOTE - 1].rstrip() + "…"
