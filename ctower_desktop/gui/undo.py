"""Taking back: a toast offers it at once, Ctrl+Z later; what was done last goes first."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from shiboken6 import isValid

from ctower_desktop.gui.commands import Command, Commands
from ctower_desktop.gui.page import Page
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr

Back = Callable[[], Awaitable[object]]

_MOST = 50


@dataclass(eq=False, frozen=True)
class _Step:
    """Something that was done, and how it is taken back."""

    page: Page
    back: Back


_steps: WeakKeyDictionary[Commands, deque[_Step]] = WeakKeyDictionary()  # one row of steps a window


def undoable(page: Page, said: str, back: Back) -> None:
    """Say in passing what was done and let it be taken back; every step can be taken back once."""
    commands = page.context.commands
    steps = _steps.setdefault(commands, deque(maxlen=_MOST))
    if not any(command.id == "undo" for command in commands.all()):
        last = partial(_last, steps)
        commands.add(page.window(), Command("undo", tr("Undo"), last, "Ctrl+Z", "undo отменить вернуть"))
    step = _Step(page, back)
    steps.append(step)
    page.context.toast(said, tr("Undo"), partial(_take_back, steps, step))


def _last(steps: deque[_Step]) -> None:
    if steps:
        _take_back(steps, steps[-1])


def _take_back(steps: deque[_Step], step: _Step) -> None:
    if step in steps:
        steps.remove(step)
        if isValid(step.page):
            start(step.page, step.back(), lambda _: step.page.context.toast(tr("Taken back.")))
