"""Text to vectors: one ONNX model from a folder, on a thread of its own, loaded when first needed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from ctower_desktop.kernel.errors import NotReady, TowerError
from ctower_desktop.kernel.system import resources
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search.lexicon import GLOSSED, lexicon
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.words import is_cyrillic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

log = logging.getLogger(__name__)

_TOKENS_A_RUN = 1_024  # measured: longer runs are no faster, hold more memory and let a query wait longer
_LONGEST = 8_000  # characters of one text; the model's own limit cuts far earlier


class ModelUnavailable(NotReady):
    """The embedding model cannot be loaded; search goes on by words alone."""

    code = "model_unavailable"


class EmbeddingFailed(TowerError):
    """The model could not make a vector of a text."""

    code, status = "embedding_failed", 500


class ModelConfig(msgspec.Struct, frozen=True):
    """How the graph of a model folder is to be used (its config.json); foreign keys are ignored."""

    model_id: str = ""
    dimension: Annotated[int, msgspec.Meta(ge=8, le=4096)] | None = None
    max_length: Annotated[int, msgspec.Meta(ge=8, le=8192)] = 256
    pooling: Literal["none", "mean", "cls"] = "mean"
    normalise: bool = True
    query_prefix: str = ""
    passage_prefix: str = ""
    languages: tuple[str, ...] = ()  # the languages it can be trusted in; none named: every one
    sha256: str = ""  # of model.onnx


class ModelFolder(msgspec.Struct, frozen=True):
    """A model as it lies on the disk, not loaded."""

    path: Path
    config: ModelConfig

    @property
    def model_id(self) -> str:
        return self.config.model_id or self.path.name

    def knows(self, language: str) -> bool:
        """Whether vectors of texts in `language` mean something."""
        return not self.config.languages or language in self.config.languages

    def stamp(self) -> tuple[int, int]:
        """What changes when the model file is replaced; zeros when there is none."""
        try:
            found = (self.path / "model.onnx").stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)


def read_folder(path: Path) -> ModelFolder:
    """Describe the model in a folder; raise ModelUnavailable when it is no model folder."""
    for name in ("model.onnx", "tokenizer.json"):
        if not (path / name).is_file():
            raise ModelUnavailable(f"{name} is missing in {path}. Search goes on by words alone.")
    try:
        config = msgspec.json.decode((path / "config.json").read_bytes(), type=ModelConfig)
    except FileNotFoundError:
        config = ModelConfig()
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelUnavailable(f"config.json in {path} cannot be used: {error}.") from error
    return ModelFolder(path, config)


def chosen_folder(settings: SearchSettings) -> ModelFolder:
    """The model that is set, else the one that comes with the program; raise ModelUnavailable."""
    if settings.model_folder:
        return read_folder(Path(settings.model_folder).expanduser())
    return read_folder(resources() / "model")


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

    async def embed_query(self, text: str) -> Vectors:
        """The vector of a question; raise ModelUnavailable."""
        found = await self._run(_Loaded.run, [text], self._prepared)
        return found[0]  # type: ignore[no-any-return]

    def _prepared(self, question: str) -> str:
        return self.folder.config.query_prefix + self._readable(question)

    async def embed_passages(self, texts: Sequence[str]) -> tuple[Vectors, int]:
        """The vectors of texts in their order, and how many tokens they had; raise ModelUnavailable."""
        import numpy as np

        prefix = self.folder.config.passage_prefix
        prefixed = await asyncio.to_thread(lambda: [prefix + self._readable(text) for text in texts])
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
        """Finish the running run and let go of the model."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
        self._loaded = None

    async def _run(
        self, step: Any, texts: Sequence[Any], prepared: Callable[[str], str] | None = None
    ) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._work, step, texts, prepared)

    def _work(self, step: Any, texts: Sequence[Any], prepared: Callable[[str], str] | None) -> Any:
        if self._loaded is None:
            self._loaded = self._load()
        try:
            return step(self._loaded, [prepared(text) for text in texts] if prepared else texts)
        except RuntimeError as error:  # what onnxruntime raises while it runs
            raise EmbeddingFailed(f"The model failed on a text: {str(error)[:200]}") from error

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
        model = (folder.path / "model.onnx").read_bytes()
        if self.config.sha256 and hashlib.sha256(model).hexdigest() != self.config.sha256:
            raise ValueError("model.onnx is not the file that config.json describes")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle must cost nothing
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.inputs = {given.name for given in self.session.get_inputs()}
        self.tokenizer = Tokenizer.from_file(str(folder.path / "tokenizer.json"))
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
        made = self.session.run(None, {k: v for k, v in given.items() if k in self.inputs})[0]
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
