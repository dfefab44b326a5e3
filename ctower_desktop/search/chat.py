"""A chat model that speaks the OpenAI dialect, or one of its kin: an answer as it is being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ctower_desktop.kernel.errors import Upstream
from ctower_desktop.kernel.http import Http, checked_url
from ctower_desktop.search.settings import SearchSettings

_SILENCE = 120.0  # seconds until the first word: a local model may have to be loaded first
_WHOLE = 600.0  # seconds for one answer
_LONGEST_ERROR = 300


class ChatFailed(Upstream):
    """The chat model did not finish its answer."""

    code = "chat_failed"


class ChatMessage(msgspec.Struct, frozen=True):
    """One message to the model."""

    role: str
    content: str


@dataclass(slots=True)
class Outcome:
    """What a stream said besides the words of the answer."""

    finished: bool = False
    reasoning: str = ""
    usage: dict[str, Any] = field(default_factory=dict)


async def chat(
    http: Http, settings: SearchSettings, messages: Sequence[ChatMessage], outcome: Outcome | None = None
) -> AsyncIterator[str]:
    """The pieces of the model's answer; raise ChatFailed when it does not come to its end.

    Nothing is tried again: a second try would repeat what was shown. Closing the iterator ends the call.
    """
    said = outcome if outcome is not None else Outcome()
    address = await checked_url(settings.chat_url, private=True)
    headers = {"accept": "text/event-stream"}
    if settings.chat_key:
        headers["authorization"] = f"Bearer {settings.chat_key}"
    body = {
        "model": settings.chat_model,
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.1,
    }
    deadline = asyncio.get_running_loop().time() + _WHOLE
    url = f"{address}/chat/completions"
    async with http.lines("POST", url, headers=headers, json=body, timeout=_SILENCE) as (status, lines):
        if status != 200:
            raise ChatFailed(f"The chat model answers {status}: {await _beginning(lines)}")
        async for data in events(lines):
            if asyncio.get_running_loop().time() > deadline:
                raise ChatFailed("The chat model took longer than ten minutes.")
            if data == "[DONE]":
                said.finished = True
                break
            for piece in pieces(data, said):
                yield piece
    if not said.finished:
        raise ChatFailed("The chat model's answer broke off.")


async def events(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """The data of server-sent events; comments and other fields are passed over."""
    held: list[str] = []
    async for line in lines:
        if not line:
            if held:
                yield "\n".join(held)
            held = []
        elif line.startswith("data:"):
            held.append(line[5:].removeprefix(" "))
    if held:
        yield "\n".join(held)


def pieces(data: str, said: Outcome) -> Iterable[str]:
    """The words in one event. Thinking aloud, usage and the end are noted in `said`."""
    try:
        found = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise ChatFailed(f"The chat model sent something that is not JSON: {data[:80]!r}") from error
    if not isinstance(found, dict):
        return
    if found.get("error"):
        raise ChatFailed(f"The chat model reports: {_told(found['error'])}")
    if isinstance(found.get("usage"), dict):
        said.usage = found["usage"]
    for choice in found.get("choices") or ():
        if not isinstance(choice, dict) or choice.get("index", 0) != 0:
            continue
        delta = choice.get("delta") or choice.get("message") or {}
        for name in ("reasoning_content", "reasoning"):
            if isinstance(delta.get(name), str):
                said.reasoning += delta[name]
                break
        if isinstance(delta.get("content"), str) and delta["content"]:
            yield delta["content"]
        if choice.get("finish_reason"):
            said.finished = True


def _told(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)[:_LONGEST_ERROR]


async def _beginning(lines: AsyncIterator[str]) -> str:
    text = ""
    async for line in lines:
        text += line
        if len(text) > 4 * _LONGEST_ERROR:
            break
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text[:_LONGEST_ERROR]
    return _told(found.get("error", found) if isinstance(found, dict) else found)
