"""Filters that somebody keeps under a name, for each list; they are remembered beside the window's size."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMenu

from ctower_desktop.gui.asking import Field, FieldsDialog
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button

State = dict[str, str]

_MOST = 20


class _Name(msgspec.Struct, frozen=True):
    """What a view is called."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]


class SavedViews(Button):
    """A button with a menu: the kept views of a list, keeping what is on screen, forgetting one."""

    def __init__(
        self, home: Path, of: str, state: Callable[[], State], restore: Callable[[State], object]
    ) -> None:
        super().__init__(tr("Views"))
        self._memory = QSettings(str(home / "window.ini"), QSettings.Format.IniFormat)
        self._place, self._state, self._restore = f"views/{of}", state, restore
        self.menu_ = QMenu(self)
        self.menu_.setAccessibleName(tr("Kept views"))
        self.menu_.aboutToShow.connect(self.fill)
        self.setMenu(self.menu_)

    @property
    def kept(self) -> dict[str, State]:
        """The kept views by name; what somebody broke in the file counts as none."""
        try:
            found = json.loads(str(self._memory.value(self._place, "{}")))
            return msgspec.convert(found, dict[str, State])
        except (ValueError, msgspec.ValidationError):
            return {}

    def fill(self) -> None:
        """Make the menu anew."""
        self.menu_.clear()
        kept = self.kept
        for name, state in kept.items():
            self.menu_.addAction(_plain(name), partial(self._restore, state))
        if kept:
            self.menu_.addSeparator()
        keep = self.menu_.addAction(tr("Keep this view…"), self.ask)
        keep.setEnabled(len(kept) < _MOST)
        if kept:
            forget = self.menu_.addMenu(tr("Forget"))
            for name in kept:
                forget.addAction(_plain(name), partial(self.forget, name))

    def ask(self) -> FieldsDialog:
        """Ask for a name and keep what is on screen under it."""
        dialog = FieldsDialog(
            self.window(),
            tr("Keep this view"),
            [Field("name", tr("Name"), hint=tr("Serious and new"))],
            _Name,
            send=self._keep,
            then=lambda _: None,
            does=tr("Keep it"),
        )
        dialog.open()
        return dialog

    async def _keep(self, body: _Name) -> None:
        self.keep(body.name)

    def keep(self, name: str) -> None:
        """Keep what is on screen under a name; the same name again replaces."""
        self._write(self.kept | {name: self._state()})

    def forget(self, name: str) -> None:
        """Keep a view no longer."""
        self._write({one: state for one, state in self.kept.items() if one != name})

    def _write(self, views: dict[str, State]) -> None:
        self._memory.setValue(self._place, json.dumps(views, ensure_ascii=False))
        self._memory.sync()


def _plain(name: str) -> str:
    return name.replace("&", "&&")
