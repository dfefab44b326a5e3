"""The settings of search."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.settings import page


@page("search")
class SearchSettings(msgspec.Struct, frozen=True):
    """How texts are found, and who writes the answer."""

    model_folder: Annotated[
        str,
        Meta(
            title="Embedding model",
            description="A folder with model.onnx and tokenizer.json; empty: the one of the program.",
        ),
    ] = ""
    threads: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            title="Threads of the model",
            description="0: as many as cores.",
            extra={"restart": True},
        ),
    ] = 0
    chunk_size: Annotated[
        int,
        Meta(
            ge=200,
            le=4000,
            title="Longest chunk",
            description="In characters; a change indexes everything again.",
            extra={"env": ["CHUNK_SIZE"], "restart": True},
        ),
    ] = 1000
    min_embed_chars: Annotated[
        int,
        Meta(
            ge=1,
            le=2000,
            title="Shortest text with a vector",
            description="Shorter ones are found by their words.",
            extra={"env": ["MIN_EMBED_CHARS"], "restart": True},
        ),
    ] = 30
    chat_url: Annotated[
        str,
        Meta(
            title="Chat model: address",
            description="An OpenAI-compatible service, such as http://localhost:11434/v1. "
            "Empty: answers are made of the best sentences, and no text leaves this computer.",
            extra={"env": ["OPENAI_BASE_URL"]},
        ),
    ] = ""
    chat_model: Annotated[str, Meta(title="Chat model: name", description="As the service calls it.")] = ""
    chat_key: Annotated[
        str,
        Meta(
            title="Chat model: key",
            description="If the service asks for one.",
            extra={"secret": True, "env": ["OPENAI_API_KEY"]},
        ),
    ] = ""

    @property
    def chats(self) -> bool:
        """Whether a chat model writes the answers."""
        return bool(self.chat_url and self.chat_model)
