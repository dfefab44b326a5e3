"""Who speaks in a conversation, whose turn it is, and whether the last word needs an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ctower_desktop.insight.signals.intake_store import Said
from ctower_desktop.insight.signals.wording import Speaker
from ctower_desktop.insight.signals.wordlists import word_set
from ctower_desktop.search.words import fold

_CLIENT = frozenset({"contact", "customer", "client"})
_TEAM = frozenset({"user", "agent", "team"})
_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 8
_CLOSING = word_set("closing")


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is to speak next, since when, and about which message."""

    who: str
    since: str
    about: str


def speaker(sender_type: str | None, message_type: str) -> Speaker | None:
    """Client, team, or neither: a bot, an event, a template."""
    if message_type in ("2", "3"):
        return None
    said = (sender_type or "").lower()
    if said in _CLIENT:
        return "client"
    if said in _TEAM:
        return "team"
    return "client" if not said and message_type == "0" else None


def closes(text: str) -> bool:
    """Whether a message only thanks or agrees, so that nobody waits for an answer to it."""
    if "?" in text or not text.strip():
        return False  # a question, or a file without a word
    words = _WORD.findall(fold(text))
    return len(words) <= _MOST_WORDS and _CLOSING.issuperset(words)


def asks(text: str) -> bool:
    """Whether a message clearly wants an answer: a question."""
    return "?" in text


def turn(newest_first: Sequence[Said]) -> Turn | None:
    """Whose turn it is after these messages of one conversation, the newest first."""
    side: Speaker | None = None
    run: list[Said] = []
    for said in newest_first:
        who = speaker(said.sender_type, said.message_type)
        if who is None:
            continue
        if side is None:
            side = who
        if who != side:
            break
        run.append(said)
    if side == "team":
        return Turn("client", run[-1].created_at, run[-1].id)
    asking = [said for said in run if not closes(said.content)]
    if not asking:
        return None
    newest = next((said for said in asking if asks(said.content)), asking[0])
    return Turn("team", asking[-1].created_at, newest.id)


def last_of_client(newest_first: Sequence[Said]) -> str | None:
    """When the client wrote last."""
    found = (m.created_at for m in newest_first if speaker(m.sender_type, m.message_type) == "client")
    return next(found, None)
