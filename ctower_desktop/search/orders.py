"""Sentences that try to command whoever answers: they are neither looked for nor quoted in an answer."""

from __future__ import annotations

import re

from ctower_desktop.search.chunking import sentences

_RULES = r"rules?|instructions?|prompts?|above|previous|прав\w+|инструкц\w+|указани\w+|промпт\w*|сказанн\w+"
_ORDER = re.compile(
    rf"\b(?:ignore|disregard|forget|bypass|override)\b.{{0,40}}\b(?:{_RULES})"
    rf"|\b(?:за|про)?(?:игнорир\w+|забудь\w*|отбрось\w*|отмени\w*)\b.{{0,40}}\b(?:{_RULES})"
    r"|^\W*(?:system|assistant|система|new rule|новое правило)\s*:"
    r"|\byou are (?:now )?(?:in )?\w+ mode\b|\b(?:maintenance|developer|debug|admin) mode\b"
    r"|\bрежим\w* (?:разработчика|отладки|обслуживания|администратора)"
    r"|\b(?:answer|reply|respond|say) (?:only|just|with the word)\b"
    r"|\b(?:отвечай|ответь|скажи|напиши)\w* (?:только|лишь|одним словом|, что)\b|\b(?:ответь|скажи), что\b",
    re.IGNORECASE,
)


def commands(sentence: str) -> bool:
    """Whether a sentence commands whoever answers rather than telling or asking something."""
    return _ORDER.search(sentence) is not None


def without_commands(text: str) -> str:
    """The text without such sentences; empty when nothing else is there."""
    told = sentences(text)
    if not any(commands(sentence) for sentence in told):
        return text
    return " ".join(sentence for sentence in told if not commands(sentence))
