"""What a model can do in Russian and in English, measured with sixty pairs of questions and texts.

The texts (resources/model_trial.tsv) are the same in both languages. A model is asked each question in
each language and has to find the one text of sixty that answers it, in the same language or in the other.
Their difficulty was set with the shipped model, which is known to be good in English.
"""

from __future__ import annotations

import asyncio
import hashlib
from functools import cache
from typing import TYPE_CHECKING

from ctower_desktop.kernel.system import resources
from ctower_desktop.search.embedder import Embedder, EmbeddingFailed
from ctower_desktop.search.embedding_model import Ability, Measured
from ctower_desktop.search.model_folder import ModelUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


@cache
def tried_with() -> tuple[tuple[tuple[str, ...], ...], str]:
    """The columns of the texts, questions and texts in Russian and in English, and their digest."""
    text = (resources() / "model_trial.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    columns = tuple(zip(*rows, strict=True))
    return columns, hashlib.sha256(repr(columns).encode()).hexdigest()[:16]


async def fits(measured: Measured | None, digest: str) -> bool:
    """Whether a measurement is of this very model and of the texts of today."""
    texts = (await asyncio.to_thread(tried_with))[1]
    return measured is not None and (measured.digest, measured.texts) == (digest, texts)


async def measure(embedder: Embedder, digest: str) -> Measured:
    """Try a model; raise ModelUnavailable when it cannot be used."""
    (asked_ru, said_ru, asked_en, said_en), texts = await asyncio.to_thread(tried_with)
    try:
        ru = await _vectors(embedder, asked_ru, said_ru)
        en = await _vectors(embedder, asked_en, said_en)
    except EmbeddingFailed as error:
        raise ModelUnavailable(f"The model in {embedder.folder.path} cannot be used: {error}") from error
    ability = Ability(
        ru=found_first(ru[0], ru[1]),
        en=found_first(en[0], en[1]),
        ru_en=found_first(ru[0], en[1]),
        en_ru=found_first(en[0], ru[1]),
    )
    return Measured(digest, texts, ability)


async def _vectors(
    embedder: Embedder, asked: tuple[str, ...], said: tuple[str, ...]
) -> tuple[Vectors, Vectors]:
    config = embedder.folder.config
    questions = await embedder.embed_plainly([config.query_prefix + text for text in asked])
    return questions, await embedder.embed_plainly([config.passage_prefix + text for text in said])


def found_first(questions: Vectors, texts: Vectors) -> float:
    """The share of questions whose own text is nearest; where several are equally near, none counts."""
    import numpy as np

    near = questions @ texts.T
    own = np.diagonal(near).copy()
    np.fill_diagonal(near, -np.inf)
    return round(float((own > near.max(axis=1)).mean()), 4)
