"""Models to choose from, taking one in, and trying one on the project's own texts."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ctower_desktop.kernel.endpoint import TOWER
from ctower_desktop.kernel.errors import Invalid, Issue
from ctower_desktop.kernel.tower import Owner, OwnerScoped
from ctower_desktop.search import installing
from ctower_desktop.search.embedding_model import (
    AddModel,
    ModelAnswer,
    ModelId,
    ModelsAnswer,
    NewTrial,
    RemovedModel,
    Trial,
)
from ctower_desktop.search.installing import (
    ModelFixed,
    ModelInUse,
    ModelNotFound,
    ModelRefused,
    looked_at,
    models_folder,
)
from ctower_desktop.search.trial import TrialRunning, Trials


@TOWER.get("/search/models")
async def list_models(call: Owner) -> ModelsAnswer:
    """Every embedding model that can be used: what it can do, and which one answers now."""
    return ModelsAnswer(await installing.installed(call.tower))


@TOWER.post(
    "/search/models",
    raises=(ModelRefused, ModelFixed, ModelNotFound),
    status=201,
    pace="expensive",
    audit="search.model_added",
    role="owner",
)
async def add_model(call: Owner, body: AddModel) -> ModelAnswer:
    """Take a model in from a folder of this computer: tried, measured, copied unless told not to."""
    model_id = await installing.install(call.tower, Path(body.folder), in_place=body.in_place)
    if body.use:
        await installing.use(call.tower, model_id)
    model = await installing.found_model(call.tower, model_id)
    call.noted.about("model", model_id, folder=body.folder, known=model.known)
    call.noted.unbound = True
    return ModelAnswer(model)


@TOWER.post(
    "/search/models/{model_id}/use",
    raises=(ModelNotFound, ModelRefused, ModelFixed),
    audit="search.model_chosen",
    role="owner",
)
async def use_model(call: Owner, model_id: ModelId) -> ModelAnswer:
    """Let a model answer as soon as all texts have its vectors; until then the one before goes on."""
    await installing.use(call.tower, model_id)
    call.noted.about("model", model_id)
    call.noted.unbound = True
    return ModelAnswer(await installing.found_model(call.tower, model_id))


@TOWER.post(
    "/search/models/{model_id}/remove",
    raises=(ModelNotFound, ModelInUse),
    audit="search.model_removed",
    role="owner",
)
async def remove_model(call: Owner, model_id: ModelId) -> RemovedModel:
    """Delete a model that is not in use; files that were left where they lay stay."""
    await installing.remove(call.tower, model_id)
    call.noted.about("model", model_id)
    call.noted.unbound = True
    return RemovedModel(model_id)


@TOWER.post(
    "/search/models/trial",
    raises=(ModelRefused, ModelNotFound, TrialRunning),
    status=202,
    pace="expensive",
    role="owner",
)
async def start_trial(call: OwnerScoped, body: NewTrial) -> Trial:
    """Begin to compare a model with the one in use on the project's own texts.

    Up to 300 are drawn, private notes left out. It goes on in the background: GET the same path for its
    progress and result.
    """
    if (body.folder is None) == (body.model_id is None):
        raise Invalid(issues=(Issue("folder", "Name either a folder or an installed model.", "invalid"),))
    path = Path(body.folder or "")
    if body.model_id is not None:
        model = await installing.found_model(call.tower, body.model_id)
        path = models_folder(call.tower.home) / model.id
        if model.shipped or not await asyncio.to_thread(path.is_dir):
            path = Path(model.folder)
    found = await asyncio.to_thread(looked_at, path)
    trials = await call.tower.part(Trials)
    return trials.begin(call.project_id, found.folder, body.seed)


@TOWER.get("/search/models/trial")
async def read_trial(call: Owner) -> Trial:
    """The trial that runs or ran last: its progress, then its figures."""
    return (await call.tower.part(Trials)).state


@TOWER.post("/search/models/trial/cancel", role="owner")
async def cancel_trial(call: Owner) -> Trial:
    """Give up the trial that runs."""
    return await (await call.tower.part(Trials)).cancel()
