"""What the team has promised in a message: «пришлём макеты до пятницы», "we'll fix it tomorrow"."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

import msgspec

from ctower_desktop.insight.continuity.deadlines import deadline
from ctower_desktop.kernel.system import resources
from ctower_desktop.search.chunking import sentences
from ctower_desktop.search.words import fold, stem, tokens

MOST = 5  # promises of one message
LONGEST = 300
_TELLING = 2  # words without which a promise says nothing, unless it names a day
_READ = 6_000  # characters of a message: what stands below is a log or a quotation

_PROMISE = frozenset(
    tokens(
        "обещаю обещаем обязуюсь обязуемся гарантирую гарантируем постараюсь постараемся собираюсь "
        "собираемся планирую планируем буду будем успею успеем"
    )
)
_WEAK = frozenset(tokens("посмотрю посмотрим начну начнем узнаю узнаем смогу сможем"))  # only with a day
_STATES = frozenset(tokens("ждать ожидать знать иметь надеяться думать рад рада рады благодарен признателен"))
_INFINITIVE = re.compile(r"\w{2,}(?:ть|ти|чь)(?:ся|сь)?")
_IN_PASSING = 4  # words that may stand between «обещаем» and what is promised
_DONE_RU = re.compile(
    r"(?<!не )\b(?:буд(?:ет|ут)) (?:\w+ ){0,2}?"
    r"(?:готов[аоы]?|сделан\w*|исправлен\w*|отправлен\w*|выложен\w*|доставлен\w*|опубликован\w*|запущен\w*|"
    r"завершен\w*|обновлен\w*|добавлен\w*|подготовлен\w*|настроен\w*|у вас)\b|\bвы получите\b"
)
_NOT_RU = re.compile(
    r"\b(?:не|вряд ли|никак|давайте|давай|чтобы|если|когда|пока не|кто|что если|могу|можем|хотел\w*"
    r"|может быть)\b"
)
_IF = re.compile(r"\b(?:если|как только|когда|при условии|if|once|as soon as|provided|when|assuming)\b")

_EN = re.compile(
    r"\b(?:i|we|our team|the team|our designers?|our developers?)"
    r"(?:'ll| will| shall|'m going to| am going to|'re going to| are going to| promise(?: you)?(?: to)?"
    r"| commit to| undertake to| plan to| intend to)"
    r"(?P<passing>(?: (?:then|also|gladly|try to|be able to|make sure to|do our best to|do my best to|have to"
    r"|need to|just|now|start|begin|both|all|\w+ly))*)"
    r" (?P<verb>[a-z]+)(?P<next> [a-z]+)?"
)
_DONE_EN = re.compile(
    r"(?:\bwill|'ll) (?:be|have been) (?:\w+ly |all )?(?:ready|done|finished|fixed|sent|delivered|deployed"
    r"|live|completed?|available|shipped|published|uploaded|updated|released|resolved|implemented"
    r"|in your inbox|with you)\b|\b(?:promise|commit to) (?:to )?(?:deliver|send)\w*"
)
_YOURS = re.compile(r"\byou(?:'ll| will) (?:receive|get|have) \w+")
_STILL = frozenset(  # after "will" these promise nothing
    tokens(
        "be have not never need see wait love like want know understand appreciate hope miss think wish "
        "prefer remain stay keep assume leave let depend require expect suggest say agree happen join"
    )
)
_HAVE_DONE = frozenset(tokens("it this that them the a an everything something"))
_BE_DOING = re.compile(r"(?:\w+ing|back|ready|done|there)$")
_IDLE = frozenset(tokens("waiting hoping looking expecting wondering needing having being"))
_NOT_EN = re.compile(
    r"\b(?:won't|cannot|can't|will not|shall not|not be able|never|unable|unless|don't|doesn't|would"
    r"|could|might|shall we|should we|let's)\b"
)
_CLAUSE = re.compile(r"[,;:()—–\n]| - |\s(?:но|а|but|and then|however)\s")
_QUOTED = re.compile(r"^\s*(?:>|On .{5,80} wrote:|\d{1,2}.{5,60}(?:написал|пишет)\w*:)", re.MULTILINE)
_HINT = re.compile(
    r"\bwill\b|'ll\b|’ll\b|going to|promise|commit|plan to|intend to|undertake"
    r"|[юуеёи]м(?:ся|сь)?\b|[юу](?:сь)?\b|дам|будет|будут|получите",
    re.IGNORECASE,
)


@cache
def _will_do() -> frozenset[str]:
    text = (resources() / "continuity" / "will-do-ru.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


class Promise(msgspec.Struct, frozen=True):
    """One thing that was promised, in the words it was said in; `conditional`: if something else happens."""

    text: str
    due: date | None
    conditional: bool


def promises(message: str, said: date) -> list[Promise]:
    """What a message of the team promises, one for a sentence, in the order it was said."""
    found: list[Promise] = []
    if not _HINT.search(message):
        return found
    for sentence in sentences(own_words(message[:_READ])):
        promise = _promise(sentence, said)
        if promise is not None and len(found) < MOST:
            found.append(promise)
    return found


def own_words(message: str) -> str:
    """A message without what it quotes."""
    lines = []
    for line in message.splitlines():
        if _QUOTED.match(line):
            if not line.lstrip().startswith(">"):
                break  # everything below is the message that is answered
            continue
        lines.append(line)
    return "\n".join(lines)


def same_promise(text: str) -> str:
    """A promise as it is told from others: its stems, so that a corrected comma makes no second one."""
    return " ".join(stem(token) for token in tokens(text))


def _promise(sentence: str, said: date) -> Promise | None:
    if sentence.rstrip(" )»\"'").endswith("?"):
        return None
    plain = fold(sentence)
    clauses = [clause.strip() for clause in _CLAUSE.split(plain) if clause and clause.strip()]
    promising = [clause for clause in clauses if _promises(clause, said)]
    if not promising:
        return None
    due = next(
        filter(None, (deadline(c, said) for c in (*promising, *(c for c in clauses if not _refuses(c))))),
        None,
    )
    if due is None and len(tokens(sentence)) < _TELLING:
        return None  # «Поправлю.» answers something; by itself it is no task anybody could take up
    conditional = any(_IF.search(clause) for clause in clauses)
    return Promise(sentence[:LONGEST], due, conditional)


def _refuses(clause: str) -> bool:
    return bool(_NOT_RU.search(clause) or _NOT_EN.search(clause))


def _promises(clause: str, said: date) -> bool:
    if _NOT_EN.search(clause) is None and _IF.match(clause) is None and _english(clause, said):
        return True
    return _russian(clause, said)


def _english(clause: str, said: date) -> bool:
    if _DONE_EN.search(clause) or (_YOURS.search(clause) and deadline(clause, said)):
        return True
    for match in _EN.finditer(clause):
        verb, following = match["verb"], (match["next"] or "").strip()
        if verb == "be":
            if _BE_DOING.match(following) and following not in _IDLE:
                return True
        elif verb == "have":
            if following in _HAVE_DONE:
                return True
        elif verb not in _STILL:
            return True
    return False


def _russian(clause: str, said: date) -> bool:
    words, will_do = tokens(clause), _will_do()
    if _DONE_RU.search(clause) and not _NOT_RU.search(clause):
        return True
    for place, word in enumerate(words):
        if word not in will_do and word not in _PROMISE:
            continue
        if _NOT_RU.search(" ".join(words[: place + 1])):
            return False
        if word in _WEAK and deadline(clause, said) is None:
            continue
        if word not in _PROMISE:
            return True
        passing = words[place + 1 : place + 1 + _IN_PASSING]
        if any(other in _STATES for other in passing):
            continue
        if any(_INFINITIVE.fullmatch(other) for other in passing) or word in ("успею", "успеем"):
            return True
    return False
