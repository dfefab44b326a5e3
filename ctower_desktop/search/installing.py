"""Taking an embedding model in: looked at, tried, measured, and kept in the home under a name of its own."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ctower_desktop.kernel.errors import Conflict, Invalid, NotFound, StorageFull
from ctower_desktop.kernel.settings import fields
from ctower_desktop.kernel.system import Home, writing
from ctower_desktop.kernel.tower import Tower
from ctower_desktop.search import ability, chunk_store, vector_store
from ctower_desktop.search.embedder import Embedder, EmbeddingFailed
from ctower_desktop.search.embedding_model import Building, InstalledModel, Measured
from ctower_desktop.search.model_folder import (
    MEASURED,
    ModelConfig,
    ModelFolder,
    ModelUnavailable,
    read_folder,
    set_folder,
    sha256_of,
    shipped_folder,
)
from ctower_desktop.search.models import Models
from ctower_desktop.search.settings import SearchSettings
from ctower_desktop.search.vector_store import Model

_PARTIAL = ".partial"
_PROBES = ("Когда вы пришлёте договор?", "The invoice was paid on Friday.", "x")
_PAPERS = re.compile(r"(licen[cs]e|notice|copying|readme)(\.\w+)?", re.IGNORECASE)
_LICENCE = re.compile(r"(licen[cs]e|copying)(\.\w+)?", re.IGNORECASE)
_LARGEST_PAPER = 1 << 20
_ROOM = 1.05  # what is kept free for the model, against its size
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class ModelRefused(Invalid):
    """This folder holds no model that can be used."""

    code = "model_refused"


class ModelNotFound(NotFound):
    """There is no such model."""

    code = "model_not_found"


class ModelInUse(Conflict):
    """This model is in use. Use another one first, and wait until that one is ready."""

    code = "model_in_use"


class ModelFixed(Conflict):
    """The environment says which model is used; it cannot be changed here."""

    code = "model_fixed"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A folder that looks like a model, and what of it would be copied: files with their new names."""

    folder: ModelFolder
    files: Sequence[tuple[Path, str]]
    size: int


def models_folder(home: Home) -> Path:
    """Where installed models lie."""
    return home.path / "models"


def looked_at(path: Path) -> Candidate:
    """What a folder offers; raise ModelRefused saying what is missing or wrong."""
    if not path.is_absolute():
        raise ModelRefused(f"{path} is not a whole path.")
    try:
        folder = read_folder(path)
        papers = sorted(
            found
            for found in path.iterdir()
            if _PAPERS.fullmatch(found.name) and found.is_file() and found.stat().st_size <= _LARGEST_PAPER
        )
        weights = folder.weights()
        files = [
            (folder.graph, "model.onnx"),
            *((apart, apart.name) for apart in weights[1:]),
            (folder.tokenizer, "tokenizer.json"),
            *((paper, paper.name) for paper in papers),
        ]
        size = sum(file.stat().st_size for file, _ in files)
    except ModelUnavailable as error:
        raise ModelRefused(str(error).removesuffix(" Search goes on by words alone.")) from error
    except (OSError, ValueError) as error:
        raise ModelRefused(f"{path} cannot be read: {error}.") from error
    return Candidate(folder, files, size)


async def proven(folder: ModelFolder, threads: int) -> tuple[Measured, int]:
    """What a model can do and how many numbers its vectors have; raise ModelRefused when it cannot serve."""
    embedder = Embedder(folder, threads=threads)
    try:
        vectors = await embedder.embed_plainly(_PROBES)
        if abs(vectors - vectors[0]).max() < 1e-4:
            raise ModelRefused("The model makes the same vector of every text.")
        digest = await asyncio.to_thread(folder.digest)
        kept = folder.measured
        if kept is None or not await ability.fits(kept, digest):
            kept = await ability.measure(embedder, digest)
    except (ModelUnavailable, EmbeddingFailed) as error:
        raise ModelRefused(str(error)) from error
    finally:
        await embedder.stop()
    if not kept.ability.known:
        best = max(kept.ability.shares().values())
        raise ModelRefused(
            f"The model finds the right text for {best:.0%} of the questions at best, in Russian and in "
            "English alike. Its tokenizer, pooling or prefixes may belong to another model."
        )
    return kept, int(vectors.shape[1])


async def install(
    tower: Tower, path: Path, *, in_place: bool = False, told: Callable[[str], None] = lambda _: None
) -> str:
    """Take a model in and return its id; one that is there already is not copied again.

    Raise ModelRefused, StorageFull or StorageFailure; then nothing is left behind.
    """
    found = await asyncio.to_thread(looked_at, path)
    told("measuring")
    measured, dimension = await proven(found.folder, tower.settings.get(SearchSettings).threads)
    name = _NOT_IN_A_NAME.sub("-", found.folder.model_id).strip("-._")[:60] or "model"
    model_id = f"{name}-{measured.digest[:8]}"
    config = msgspec.structs.replace(
        found.folder.config,
        model_id=model_id,
        dimension=dimension,
        languages=tuple(language for language in ("ru", "en") if language in measured.ability.known),
        sha256=await asyncio.to_thread(sha256_of, found.folder.graph),
        files=str(path) if in_place else "",
    )
    told("copying")
    await asyncio.to_thread(_kept, models_folder(tower.home) / model_id, found, config, measured)
    return model_id


def _kept(target: Path, found: Candidate, config: ModelConfig, measured: Measured) -> None:
    """Write the folder of a model whole or not at all."""
    if (target / "config.json").is_file():
        return
    partial = target.with_name(f".{target.name}{_PARTIAL}")
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in target.parent.glob(f".*{_PARTIAL}"):
            shutil.rmtree(left)
        free = shutil.disk_usage(target.parent).free
    if not config.files and free < found.size * _ROOM:
        raise StorageFull(
            f"The model needs {found.size / 1e6:.0f} MB and {free / 1e6:.0f} MB are free. "
            "Free some space, or leave the model where it is."
        )
    try:
        with writing(partial):
            partial.mkdir(mode=0o700)
            for source, name in () if config.files else found.files:
                shutil.copyfile(source, partial / name)
            (partial / MEASURED).write_bytes(msgspec.json.encode(measured))
            (partial / "config.json").write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2))
            partial.replace(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


async def installed(tower: Tower) -> list[InstalledModel]:
    """Every model that can be used: the shipped one, those in the home, and one that was set by hand."""
    known = {model.folder: model for model in await (await tower.part(Models)).all()}
    chosen = set_folder(tower.settings.get(SearchSettings))
    building = next((model for model in known.values() if model.state == "building"), None)
    progress = None
    if building is not None:
        total = await tower.index.read(chunk_store.embeddable)
        left = await tower.index.read(vector_store.left, building.id)
        progress = Building(total - left, total)
    return await asyncio.to_thread(_all, tower.home, chosen, known, progress)


def _all(
    home: Home, chosen: Path, known: dict[str, Model], progress: Building | None
) -> list[InstalledModel]:
    shipped = shipped_folder().path
    homed = [path for path in sorted(_in(models_folder(home))) if (path / "config.json").is_file()]
    found = []
    for path in dict.fromkeys((shipped, *homed, chosen)):
        told = _described(path, known.get(str(path)), progress)
        soon = path == chosen and told.state == "idle"
        found.append(
            msgspec.structs.replace(
                told,
                shipped=path == shipped,
                chosen=path == chosen,
                state="building" if soon else told.state,
            )
        )
    return found


def _in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []


def _described(path: Path, row: Model | None, progress: Building | None) -> InstalledModel:
    measured = None if row is None else row.measured
    try:
        found = looked_at(path)
    except ModelRefused as error:
        told = InstalledModel(id=path.name, name=path.name, folder=str(path), problem=str(error))
    else:
        folder = found.folder
        files = Path(folder.config.files) if folder.config.files else path
        measured = measured or folder.measured
        told = InstalledModel(
            id=folder.model_id,
            name=folder.model_id.removesuffix(f"-{measured.digest[:8]}" if measured else ""),
            folder=str(files),
            in_place=files != path,
            state="idle" if row is None else row.state,
            dimension=folder.config.dimension if row is None else row.dimension,
            size=found.size,
            licence=_licence(files),
        )
    return msgspec.structs.replace(
        told,
        building=progress if row is not None and row.state == "building" else None,
        ability=None if measured is None else measured.ability,
        known=[] if measured is None else measured.ability.known,
    )


def _licence(folder: Path) -> str | None:
    for path in sorted(folder.iterdir()):
        if _LICENCE.fullmatch(path.name) and path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                lines = (" ".join(line.split()) for line in file.read(4_096).splitlines())
                return next((line[:120] for line in lines if line), None)
    return None


async def found_model(tower: Tower, model_id: str) -> InstalledModel:
    """An installed model; raise ModelNotFound."""
    for model in await installed(tower):
        if model.id == model_id:
            return model
    raise ModelNotFound(f"No model is called {model_id}.")


async def use(tower: Tower, model_id: str) -> None:
    """Let a model answer as soon as its vectors are made; until then the one before goes on.

    Raise ModelNotFound, ModelFixed, or ModelRefused for a model whose files are gone.
    """
    model = await found_model(tower, model_id)
    if model.state == "broken":
        raise ModelRefused(model.problem or "")
    declared = next(field for field in fields("search") if field.name == "model_folder")
    if tower.settings.source(declared) == "environment":
        raise ModelFixed
    path = None if model.shipped else models_folder(tower.home) / model_id
    if path is None:
        await tower.settings.change(SearchSettings, {"model_folder": None})
    elif not model.chosen:  # one that was set by hand is the chosen one, and lies elsewhere
        await tower.settings.change(SearchSettings, {"model_folder": str(path)})


async def remove(tower: Tower, model_id: str) -> None:
    """Delete an installed model from the home; what lies elsewhere stays. Raise ModelNotFound, ModelInUse."""
    model = await found_model(tower, model_id)
    path = models_folder(tower.home) / model_id
    if model.shipped:
        raise ModelInUse("This model belongs to the program.")
    if model.chosen or model.state in ("serving", "building"):
        raise ModelInUse
    with writing(path):
        await asyncio.to_thread(shutil.rmtree, path)
