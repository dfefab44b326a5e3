"""Text to vectors: one ONNX model from a folder, on a thread of its own, loaded when first needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from ctower_desktop.kernel.errors import TowerError
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search.embedding_model import Measured
from ctower_desktop.search.lexicon import GLOSSED, lexicon
from ctower_desktop.search.model_folder import (
    ModelFolder,
    ModelUnavailable,
    chosen_folder,
    read_folder,
    sha256_of,
)
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.words import is_cyrillic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

__all__ = ["Embedder", "EmbeddingFailed", "ModelUnavailable", "read_folder"]

log = logging.getLogger(__name__)

_TOKENS_A_RUN = 1_024  # measured: longer runs are no faster, hold more memory and let a query wait longer
_LONGEST = 8_000  # characters of one text; the model's own limit cuts far earlier
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_WHOLE = {"tensor(int64)": "int64", "tensor(int32)": "int32"}
_POOLED = "sentence_embedding"  # what exports call the one vector of a text


class EmbeddingFailed(TowerError):
    """The model could not make a vector of a text."""

    code, status = "embedding_failed", 500


class Embedder:
    """The model of one folder. Texts become vectors of length one.

    One thread runs the model. Passages go to it in short runs, one at a time: a query waits for one at most.
    """

    def __init__(self, folder: ModelFolder, *, threads: int = 0) -> None:
        self.folder = folder
        self._threads = threads
        self._glosses = not folder.knows("ru")
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="embedder")
        self._one_stream = asyncio.Lock()
        self._loaded: _Loaded | None = None
        self._stopped = False
        self._failed: tuple[tuple[int, int], str] | None = None

    @classmethod
    async def start(cls, tower: Tower) -> Embedder:
        """The embedder of the folder that is set; raise ModelUnavailable."""
        settings = tower.settings.get(SearchSettings)
        folder = await asyncio.to_thread(chosen_folder, settings)
        return cls(folder, threads=settings.threads)

    @property
    def model_id(self) -> str:
        return f"{self.folder.model_id}+{GLOSSED}" if self._glosses else self.folder.model_id

    @property
    def loaded(self) -> bool:
        return self._loaded is not None

    def settle(self, measured: Measured) -> None:
        """Go by what was measured: a model that does not know Russian is given glosses."""
        self.folder = msgspec.structs.replace(self.folder, measured=measured)
        self._glosses = not self.folder.knows("ru")

    async def embed_query(self, text: str) -> Vectors:
        """The vector of a question; raise ModelUnavailable."""
        found = await self._run(_Loaded.run, [text], self._prepared)
        return found[0]  # type: ignore[no-any-return]

    def _prepared(self, question: str) -> str:
        return self.folder.config.query_prefix + self._readable(question)

    async def embed_passages(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """The vectors of texts in their order, and how many tokens they had; raise ModelUnavailable."""
        prefix = self.folder.config.passage_prefix
        return await self._embed(
            await asyncio.to_thread(lambda: [prefix + self._readable(text) for text in texts])
        )

    async def embed_plainly(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts just as they are, without prefixes or glosses; raise ModelUnavailable."""
        return (await self._embed(texts))[0]

    async def _embed(self, prefixed: Sequence[str]) -> tuple[Vectors, int]:
        import numpy as np

        async with self._one_stream:
            coded = await self._run(_Loaded.code, prefixed)
            parts = [await self._run(_Loaded.vectors, run) for run in _runs(coded)]
        return np.concatenate(parts), sum(len(ids) for ids in coded)

    def _readable(self, text: str) -> str:
        """The text in words that the model knows: Russian is turned into English for one that has none."""
        if not self._glosses or not is_cyrillic(text):
            return text
        return lexicon().gloss(text[:_LONGEST])

    async def dimension(self) -> int:
        """How many numbers its vectors have; loads the model when its folder does not say."""
        declared = self.folder.config.dimension
        return declared if declared is not None else len(await self.embed_query("probe"))

    async def stop(self) -> None:
        """Finish the running run and let go of the model; whoever waits for it is told ModelUnavailable."""
        self._stopped = True
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
        self._loaded = None

    async def _run(
        self, step: Any, texts: Sequence[Any], prepared: Callable[[str], str] | None = None
    ) -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            return await loop.run_in_executor(self._executor, self._work, step, texts, prepared)
        except asyncio.CancelledError:
            if not self._stopped or (task is not None and task.cancelling()):
                raise
        except RuntimeError:
            if not self._stopped:
                raise
        raise ModelUnavailable("Another model has just taken over.")

    def _work(self, step: Any, texts: Sequence[Any], prepared: Callable[[str], str] | None) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        return step(self._loaded, [prepared(text) for text in texts] if prepared else texts)

    def _load(self) -> _Loaded:
        stamp = self.folder.stamp()
        if self._failed is not None and self._failed[0] == stamp:
            raise ModelUnavailable(self._failed[1])
        try:
            return _Loaded(self.folder, self._threads)
        except Exception as error:  # both libraries raise bare Exceptions for a file that they cannot read
            reason = f"The model in {self.folder.path} cannot be loaded: {str(error)[:200]}"
            log.warning("%s", reason)
            self._failed = (stamp, reason)
            raise ModelUnavailable(reason) from error


class _Loaded:
    """Session and tokenizer; used by the embedder's thread only."""

    def __init__(self, folder: ModelFolder, threads: int) -> None:
        import onnxruntime  # type: ignore[import-untyped,unused-ignore]
        from tokenizers import Tokenizer

        self.config = folder.config
        if self.config.sha256 and sha256_of(folder.graph) != self.config.sha256:
            raise ValueError("model.onnx is not the file that config.json describes")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle must cost nothing
        self.session = onnxruntime.InferenceSession(
            str(folder.graph), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = {given.name: _WHOLE.get(given.type) for given in self.session.get_inputs()}
        strange = sorted(name for name, kind in self.inputs.items() if kind is None or name not in _INPUTS)
        if strange:
            raise ValueError(f"the graph asks for {', '.join(strange)}, which no text has")
        outputs = [made.name for made in self.session.get_outputs()]
        self.output = _POOLED if _POOLED in outputs else outputs[0]
        self.tokenizer = Tokenizer.from_file(str(folder.tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.config.max_length)
        found = self.run(["probe"]).shape[1]
        if self.config.dimension not in (None, found):
            raise ValueError(f"the model makes {found} numbers, config.json says {self.config.dimension}")

    def code(self, texts: Sequence[str]) -> list[list[int]]:
        return [self.tokenizer.encode(text[:_LONGEST]).ids for text in texts]

    def run(self, texts: Sequence[str]) -> Vectors:
        return self.vectors(self.code(texts))

    def vectors(self, coded: Sequence[Sequence[int]]) -> Vectors:
        """Each text by itself: an int8 model takes its scales from all that it is given at once."""
        import numpy as np

        return np.concatenate([self._alone(ids) for ids in coded])

    def _alone(self, coded: Sequence[int]) -> Vectors:
        import numpy as np

        ids = np.array([coded], np.int64)
        mask = np.ones_like(ids)
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        fitting = {name: given[name].astype(kind) for name, kind in self.inputs.items()}
        try:
            made = self.session.run([self.output], fitting)[0]
        except Exception as error:  # what onnxruntime raises has no base but this one
            raise EmbeddingFailed(f"The model failed on a text: {str(error)[:200]}") from error
        pooled = self._pooled(np.asarray(made, np.float32), mask)
        if not np.isfinite(pooled).all():
            raise EmbeddingFailed("The model makes numbers that are none.")
        return pooled

    def _pooled(self, made: Vectors, mask: NDArray[np.int64]) -> Vectors:
        import numpy as np

        if self.config.pooling == "cls" and made.ndim == 3:
            made = made[:, 0]
        elif made.ndim == 3:
            share = mask[:, :, None].astype(np.float32)
            made = (made * share).sum(1) / np.maximum(share.sum(1), 1e-9)
        if made.ndim != 2:
            raise EmbeddingFailed(f"The model makes {made.ndim} dimensions of numbers where two are needed.")
        if self.config.normalise:
            made = made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)
        return made


def _runs(coded: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    """The texts in their order, in runs within the budget of tokens."""
    runs: list[list[Sequence[int]]] = []
    left = 0
    for ids in coded:
        if runs and len(ids) <= left:
            runs[-1].append(ids)
            left -= len(ids)
        else:
            runs.append([ids])
            left = _TOKENS_A_RUN - len(ids)
    return runs
