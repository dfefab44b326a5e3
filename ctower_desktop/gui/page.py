"""What every page is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from ctower_desktop.gui.commands import Command, Commands
from ctower_desktop.kernel.tower import Desktop, Tower


def _nowhere(_kind: str, _record: str) -> None:
    """A page by itself has no window that could travel."""


@dataclass(frozen=True)
class WindowContext:
    """What the window gives its pages.

    `call()` is a fresh call of the person at the screen, in the chosen project. `visited(kind, id)` tells
    that a record was opened on the page, so that one can come back to it; `open_record(kind, id)` opens
    a conversation, an issue or a deal wherever it is shown best.
    """

    tower: Tower
    call: Callable[[], Desktop]
    commands: Commands
    toast: Callable[..., None]
    open_page: Callable[[str], None]
    has_project: Callable[[], bool]
    visited: Callable[[str, str], None] = _nowhere
    open_record: Callable[[str, str], None] = _nowhere


@dataclass(frozen=True)
class PageEntry:
    """A page in the list at the left, named before it is built; `apart` leaves a gap before it."""

    id: str
    icon: str
    title: Callable[[], str]
    build: Callable[[WindowContext], Page]
    apart: bool = False


class Page(QWidget):
    """One screen of the window."""

    def __init__(self, context: WindowContext) -> None:
        super().__init__()
        self.context = context
        self.tower = context.tower

    @property
    def title(self) -> str:
        """What the top bar calls it."""
        raise LookupError(f"{type(self).__name__} has no title")

    def call(self) -> Desktop:
        """A call of the person at the screen."""
        return self.context.call()

    def activate(self) -> None:
        """The page came to the front: put the focus where work begins."""

    def project_changed(self) -> None:
        """Another project was chosen: show that one."""

    def open_record(self, kind: str, record: str) -> bool:
        """Show one record; False when this page has no place for its kind."""
        return False

    def commands(self) -> list[Command]:
        """What one can do here, for the palette and the keyboard."""
        return []

    def actions_bar(self) -> list[QWidget]:
        """Buttons for the right end of the top bar."""
        return []
