"""`ctower model`: takes embedding models in, lists, chooses and removes them."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable

from ctower_desktop import app
from ctower_desktop.cli import terminal
from ctower_desktop.kernel.errors import Conflict
from ctower_desktop.kernel.system import FileLock, Home, new_id
from ctower_desktop.kernel.tower import Desktop, desktop
from ctower_desktop.search.embedding_model import AddModel, InstalledModel
from ctower_desktop.search.installing import looked_at
from ctower_desktop.search.model_actions import add_model, list_models, remove_model, use_model

Ask = Callable[[str], bool]
_NAMES = {"ru": "русский", "en": "English", "ru-en": "ru→en", "en-ru": "en→ru"}
_LATER = "Texts get their vectors while the tower runs; until all have, the model before it answers."


async def run(home: Home, given: argparse.Namespace, ask: Ask | None = None) -> int:
    """Do one order; raise Conflict when a tower works in the home, for it would not hear of a change."""
    tower = await app.open_tower(home, secrets=app.secrets_place(os.environ))
    lock = None
    try:
        call = desktop(tower, new_id())
        if given.order == "list":
            terminal.show("\n".join(_line(model) for model in (await list_models(call)).models))
            return 0
        lock = await asyncio.to_thread(FileLock.acquire, home.lock)
        if lock is None:
            raise Conflict("The tower is running: change its models in Settings → Search, or end it first.")
        return await _change(call, given, ask or _asked)
    finally:
        await app.close_tower(tower)
        if lock is not None:
            lock.release()


async def _change(call: Desktop, given: argparse.Namespace, ask: Ask) -> int:
    if given.order == "add":
        return await _add(call, given, ask)
    if given.order == "use":
        model = (await use_model(call, given.id)).model
        terminal.show(f"{_line(model)}\n{_LATER}")
        return 0
    terminal.show(f"removed {(await remove_model(call, given.id)).removed}")
    return 0


async def _add(call: Desktop, given: argparse.Namespace, ask: Ask) -> int:
    folder = await asyncio.to_thread(given.folder.absolute)
    found = await asyncio.to_thread(looked_at, folder)
    if not given.in_place:
        question = f"Copy {found.size / 1e6:,.0f} MB to {call.tower.home.path / 'models'}?"
        if not given.yes and not await asyncio.to_thread(ask, question):
            terminal.show("Nothing was changed. With --in-place the files stay where they are.")
            return 1
    terminal.show("The model is being measured in Russian and in English…")
    model = (await add_model(call, body=AddModel(folder=str(folder), in_place=given.in_place))).model
    terminal.show(f"{_line(model)}\n{_LATER}")
    return 0


def _asked(question: str) -> bool:
    """Whether somebody at the terminal says yes; where nobody sits, the order itself is the yes."""
    if not sys.stdin.isatty():
        terminal.show(question)
        return True
    return input(f"{question} [Y/n] ").strip().casefold() in {"", "y", "yes", "д", "да"}


def _line(model: InstalledModel) -> str:
    """One model on a line of its own, and under it what it can do or why it cannot."""
    mark = "*" if model.chosen else " "
    facts = [model.state, f"{model.size / 1e6:,.0f} MB"]
    if model.dimension:
        facts.append(f"{model.dimension} dimensions")
    if model.in_place:
        facts.append(f"in {model.folder}")
    if model.licence:
        facts.append(model.licence)
    if model.building is not None:
        facts[0] = f"building {model.building.done} of {model.building.total}"
    return f"{mark} {model.id}  {' · '.join(facts)}\n    {model.problem or _can(model)}"


def _can(model: InstalledModel) -> str:
    if model.ability is None:
        return "not measured yet"
    shares = model.ability.shares().items()
    known = " · ".join(f"{_NAMES[name]} {share:.2f}" for name, share in shares)
    return known if "ru" in model.known else f"{known} (Russian is turned into English for it)"
