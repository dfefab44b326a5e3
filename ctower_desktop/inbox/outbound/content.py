"""What a message says: the payload checked for its channel, and its placeholders filled. Pure."""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ctower_desktop.inbox.outbound.model import ChannelName, Payload
from ctower_desktop.kernel.errors import Invalid, Issue

LONGEST = {"email": 500_000, "chatwoot": 150_000, "telegram": 4_096, "loops": 0}
_SAME_AS_TEXT = ("text", "body", "message", "content")  # what other programs call it
_WORDS = ("subject", *_SAME_AS_TEXT, "html", "template")
_LONGEST_SUBJECT = 998
_PLACE = re.compile(r"{{\s*([\w.-]{1,100})\s*}}")
_LINE_BREAK = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_ONLY_HERE = {
    "subject": ("email", "A subject is for e-mail only."),
    "html": ("email", "HTML is for e-mail only; other channels take plain text."),
    "template": ("loops", "A template is for Loops only."),
    "conversation_id": ("chatwoot", "A conversation is for Chatwoot only."),
}


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is said, with every placeholder filled."""

    subject: str | None = None
    text: str = ""
    html: str | None = None
    template: str | None = None
    variables: dict[str, Any] = {}
    conversation_id: str | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to send."""
        return not (self.text or self.html or self.template)


def checked(channel: ChannelName, payload: Payload) -> Content:
    """The payload of a message for `channel`; raise Invalid with everything that is wrong with it.

    A payload without any text is an unfinished message: it may be kept, but not sent.
    """
    issues = list(_issues(channel, payload))
    if issues:
        raise Invalid(issues=tuple(issues))
    variables = payload.get("variables") or {}
    text = _text_of(payload)
    plain, rich = payload.get("subject"), payload.get("html")
    conversation = payload.get("conversation_id")
    return Content(
        subject=_filled(plain.strip(), variables) if plain else None,
        text=_filled(text, variables) if channel != "loops" else "",
        html=_filled(rich, variables, escape=True) if rich else None,
        template=payload.get("template") or None,
        variables=dict(variables),
        conversation_id=str(conversation) if conversation is not None else None,
    )


def wants_failure(payload: Payload) -> bool:
    """Whether the message is a drill: it is to fail as if the vendor had not taken it, and is never sent."""
    return bool(payload.get("force_fail")) and payload.get("force_fail") != "false"


def _issues(channel: ChannelName, payload: Payload) -> Iterator[Issue]:
    for name in _WORDS:
        value = payload.get(name)
        if value is not None and not isinstance(value, str):
            yield Issue(f"payload.{name}", "Expected text.", "invalid_type")
            return
    yield from _misplaced(channel, payload)
    variables = payload.get("variables")
    if variables is not None and not isinstance(variables, Mapping):
        yield Issue("payload.variables", "Expected an object.", "invalid_type")
        return
    conversation = payload.get("conversation_id")
    if conversation is not None and not (isinstance(conversation, str | int) and str(conversation).strip()):
        yield Issue("payload.conversation_id", "Expected the id of a conversation.", "invalid_type")
    yield from _badly_said(channel, payload)
    yield from _unfilled(payload, variables or {})


def _misplaced(channel: ChannelName, payload: Payload) -> Iterator[Issue]:
    for name, (only, sentence) in _ONLY_HERE.items():
        if payload.get(name) not in (None, "") and channel != only:
            yield Issue(f"payload.{name}", sentence, "invalid_value")
    text = _text_of(payload)
    if channel == "loops":
        if text:
            yield Issue(
                "payload.text", "Loops takes the text from its template; give it variables.", "invalid_value"
            )
        for name, value in (payload.get("variables") or {}).items() if not text else ():
            if not isinstance(value, str | int | float | list) or isinstance(value, bool):
                yield Issue(f"payload.variables.{name}", "Expected text or a number.", "invalid_type")
    said = payload.keys() - {"variables", "conversation_id", "force_fail"}
    if said and not (text or payload.get("html") or payload.get("template")):
        missing = "template" if channel == "loops" else "text"
        yield Issue(f"payload.{missing}", "Required.", "too_small")


def _badly_said(channel: ChannelName, payload: Payload) -> Iterator[Issue]:
    subject = payload.get("subject") or ""
    if _LINE_BREAK.search(subject.strip()):
        yield Issue("payload.subject", "A subject is one line.", "invalid_format")
    if len(subject) > _LONGEST_SUBJECT:
        yield Issue("payload.subject", f"At most {_LONGEST_SUBJECT} characters.", "too_big")
    variables = payload.get("variables") or {}
    values = variables if isinstance(variables, Mapping) else {}
    text, most = _filled(_text_of(payload), values), LONGEST[channel]
    if channel != "loops" and _length(channel, text) > most:
        yield Issue("payload.text", f"At most {most} characters on this channel.", "too_big")
    if _LINE_BREAK.search(_filled(subject.strip(), values)):
        yield Issue("payload.variables", "What goes into the subject must be one line.", "invalid_format")


def _unfilled(payload: Payload, variables: Mapping[str, Any]) -> Iterator[Issue]:
    for name in ("subject", *_SAME_AS_TEXT, "html"):
        for place in _PLACE.findall(payload.get(name) or ""):
            if variables.get(place) is None:
                yield Issue(f"payload.variables.{place}", f"{{{{{place}}}}} has no value.", "too_small")


def _length(channel: ChannelName, text: str) -> int:
    """Telegram counts in UTF-16, so that an emoji is two."""
    return len(text.encode("utf-16-le")) // 2 if channel == "telegram" else len(text)


def _text_of(payload: Payload) -> str:
    for name in _SAME_AS_TEXT:
        value = payload.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _filled(text: str, variables: Mapping[str, Any], *, escape: bool = False) -> str:
    """Placeholders replaced by what they stand for; in HTML the values are text, never markup."""

    def value(match: re.Match[str]) -> str:
        found = variables.get(match[1])
        shown = "" if found is None else str(found)
        return markup.escape(shown) if escape else shown

    return _PLACE.sub(value, text)
