"""A folder with an embedding model, as the program keeps it or as common exports lay it out."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from ctower_desktop.kernel.errors import NotReady
from ctower_desktop.kernel.system import resources
from ctower_desktop.search.embedding_model import Measured
from ctower_desktop.search.settings import SearchSettings

T = TypeVar("T")
Pooling = Literal["none", "mean", "cls"]
MEASURED = "model.json"

_GRAPHS = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
_TOKENIZERS = ("tokenizer.json", "onnx/tokenizer.json")
_OWN_KEYS = frozenset({"model_id", "pooling", "normalise", "query_prefix", "passage_prefix", "files"})
_LONGEST = 8_192  # tokens
_TWO_RESERVED = frozenset({"roberta", "xlm-roberta", "camembert"})  # positions that start at two
_SNAPSHOT = re.compile(r"[0-9a-f]{40}")
_E5 = re.compile(r"(?:^|[-_/])e5(?:[-_]|$)", re.IGNORECASE)
_QUERY_PROMPTS = ("query", "search_query", "retrieval.query")
_PASSAGE_PROMPTS = ("passage", "document", "search_document", "retrieval.passage")
_TASK = "Instruct: Given a question, find the messages that answer it\nQuery: "


class ModelUnavailable(NotReady):
    """The embedding model cannot be loaded; search goes on by words alone."""

    code = "model_unavailable"


class ModelConfig(msgspec.Struct, frozen=True):
    """How the graph of a model folder is to be used (its config.json); foreign keys are ignored."""

    model_id: str = ""
    dimension: Annotated[int, Meta(ge=8, le=4096)] | None = None
    max_length: Annotated[int, Meta(ge=8, le=_LONGEST)] = 256
    pooling: Pooling = "mean"
    normalise: bool = True
    query_prefix: str = ""
    passage_prefix: str = ""
    languages: tuple[str, ...] = ()  # a hint until the model is measured; none named: every one
    sha256: str = ""  # of model.onnx
    files: str = ""  # where the graph and the tokenizer lie when they are not beside this file


class ModelFolder(msgspec.Struct, frozen=True):
    """A model as it lies on the disk, not loaded."""

    path: Path
    config: ModelConfig
    graph: Path
    tokenizer: Path
    name: str
    measured: Measured | None = None

    @property
    def model_id(self) -> str:
        return self.config.model_id or self.name

    def knows(self, language: str) -> bool:
        """Whether vectors of texts in `language` mean something: as measured, else as declared."""
        if self.measured is not None:
            return language in self.measured.ability.known
        return not self.config.languages or language in self.config.languages

    def stamp(self) -> tuple[int, int]:
        """What changes when the model file is replaced; zeros when there is none."""
        try:
            found = self.graph.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)

    def weights(self) -> list[Path]:
        """The graph, and the files its weights lie in when they are apart."""
        apart = (self.graph.with_name(f"{self.graph.name}{suffix}") for suffix in ("_data", ".data"))
        return [self.graph, *(path for path in apart if path.is_file())]

    def digest(self) -> str:
        """What two models share exactly when they make the same vectors; reads all of the files."""
        found = hashlib.sha256()
        for path in (*self.weights(), self.tokenizer):
            found.update(sha256_of(path).encode())
        used = self.config
        found.update(
            repr(
                (used.max_length, used.pooling, used.normalise, used.query_prefix, used.passage_prefix)
            ).encode()
        )
        return found.hexdigest()


class _ForeignConfig(msgspec.Struct, frozen=True):
    """What other programs say in config.json."""

    name: str = msgspec.field(default="", name="_name_or_path")
    model_type: str = ""
    hidden_size: int | None = None
    max_position_embeddings: int | None = None


class _Limit(msgspec.Struct, frozen=True):
    max_seq_length: int | None = None


class _TokenizerConfig(msgspec.Struct, frozen=True):
    model_max_length: float | None = None


class _Prompts(msgspec.Struct, frozen=True):
    prompts: dict[str, str] = {}


class _Part(msgspec.Struct, frozen=True):
    type: str = ""


def read_folder(path: Path) -> ModelFolder:
    """Describe the model in a folder; raise ModelUnavailable when it is no model folder."""
    raw = _read(path / "config.json", dict[str, Any]) or {}
    foreign = bool(raw.keys() & {"model_type", "architectures"}) and not raw.keys() & _OWN_KEYS
    config = ModelConfig() if foreign else _converted(path / "config.json", raw, ModelConfig)
    files = Path(config.files) if config.files else path
    graph, tokenizer = _first(files, _GRAPHS), _first(files, _TOKENIZERS)
    if foreign or not raw:
        config = _adopted(path, raw)
    return ModelFolder(path, config, graph, tokenizer, _name(path, raw), _measured(path))


def chosen_folder(settings: SearchSettings) -> ModelFolder:
    """The model that is set, else the one that comes with the program; raise ModelUnavailable."""
    return read_folder(set_folder(settings))


def set_folder(settings: SearchSettings) -> Path:
    """The folder that the settings name; the shipped one when they name none."""
    if not settings.model_folder:
        return resources() / "model"
    return Path(os.path.expanduser(settings.model_folder))  # the home of nobody is no error


def shipped_folder() -> ModelFolder:
    """The model that comes with the program."""
    return read_folder(resources() / "model")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, however large; raise ModelUnavailable when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read: {error.strerror}.") from error


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if _is_file(folder / name):
            return folder / name
    raise ModelUnavailable(f"{names[0]} is missing in {folder}. Search goes on by words alone.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, or a disk that went away
        return False


def _read(path: Path, kind: type[T]) -> T | None:
    """The JSON of a file, or None when there is none; raise ModelUnavailable when it makes no sense."""
    if not _is_file(path):
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from error


def _converted(path: Path, raw: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.MsgspecError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> ModelUnavailable:
    return ModelUnavailable(f"{path.name} in {path.parent} cannot be used: {error}.")


def _measured(path: Path) -> Measured | None:
    """The measurement kept beside a model; one that cannot be read is made anew."""
    try:
        return _read(path / MEASURED, Measured)
    except ModelUnavailable:
        return None


def _name(path: Path, raw: dict[str, Any]) -> str:
    """What a model is called: its folder, unless that is a mere snapshot of a download."""
    if not _SNAPSHOT.fullmatch(path.name):
        return path.name
    held = path.parent.parent.name.rpartition("--")[2]
    return str(raw.get("_name_or_path") or held or path.name).rstrip("/").rpartition("/")[2]


def _adopted(path: Path, raw: dict[str, Any]) -> ModelConfig:
    """How to use a model that other programs describe; what nobody says stays as it is by default."""
    told = _converted(path / "config.json", raw, _ForeignConfig)
    parts = _read(path / "modules.json", list[_Part]) or []
    dense = any(part.type.endswith("Dense") for part in parts)
    limits = [
        (_read(path / "sentence_bert_config.json", _Limit) or _Limit()).max_seq_length,
        (_read(path / "tokenizer_config.json", _TokenizerConfig) or _TokenizerConfig()).model_max_length,
        told.max_position_embeddings,
    ]
    if told.max_position_embeddings and told.model_type in _TWO_RESERVED:
        limits[2] = told.max_position_embeddings - 2
    named = [int(limit) for limit in limits if limit and limit < _LONGEST * 4]
    query, passage = _prefixes(path, (path.name, told.name, _name(path, raw)))
    return ModelConfig(
        dimension=None if dense else told.hidden_size,
        max_length=max(8, min([*named, _LONGEST])) if named else ModelConfig().max_length,
        pooling=_pooling(path / "1_Pooling" / "config.json"),
        query_prefix=query,
        passage_prefix=passage,
    )


def _pooling(path: Path) -> Pooling:
    """How the vectors of words become one; raise ModelUnavailable for a way that is not known here."""
    raw = _read(path, dict[str, Any]) or {}
    chosen = {key.removeprefix("pooling_mode_") for key, on in raw.items() if on is True}
    if isinstance(raw.get("pooling_mode"), str):
        chosen = {raw["pooling_mode"]}
    chosen -= {"include_prompt"}
    if not chosen or chosen & {"mean_tokens", "mean"} == chosen:
        return "mean"
    if chosen <= {"cls_token", "cls"}:
        return "cls"
    raise ModelUnavailable(
        f"{path} asks for the pooling {' + '.join(sorted(chosen))}; only mean and cls are known here."
    )


def _prefixes(path: Path, names: tuple[str, ...]) -> tuple[str, str]:
    """What is put before questions and before texts: as the folder says, else as models of that name want."""
    prompts = (_read(path / "config_sentence_transformers.json", _Prompts) or _Prompts()).prompts
    query = next((prompts[name] for name in _QUERY_PROMPTS if prompts.get(name)), "")
    passage = next((prompts[name] for name in _PASSAGE_PROMPTS if prompts.get(name)), "")
    if query or passage or not any(_E5.search(name) for name in names):
        return query, passage
    if any("instruct" in name.lower() for name in names):
        return _TASK, ""
    return "query: ", "passage: "
