"""What the window itself can do: travel, palette, keys, projects, looks and languages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from ctower_desktop.gui import text
from ctower_desktop.gui.commands import Command
from ctower_desktop.gui.text import tr


class Frame(Protocol):
    """The window as its commands see it."""

    def open_page(self, name: str) -> None: ...

    def go_back(self) -> None: ...

    def go_forward(self) -> None: ...

    def new_project(self) -> None: ...

    def open_palette(self) -> None: ...

    def show_keys(self) -> None: ...

    def copy_link(self) -> None: ...

    def set_look(self, **values: object) -> None: ...

    def close(self) -> bool: ...


def window_commands(window: Frame) -> list[Command]:
    """The commands that belong to no page."""
    found = [
        Command("palette", tr("Find or do…"), window.open_palette, "Ctrl+K"),
        Command("keys", tr("Show all keys"), window.show_keys, "?", "keys клавиши"),
        Command("back", tr("Back"), window.go_back, "Alt+Left", "back назад"),
        Command("forward", tr("Forward"), window.go_forward, "Alt+Right", "forward вперёд"),
        Command("link", tr("Copy a link to this place"), window.copy_link, "", "link ссылка url"),
        Command("project.new", tr("New project…"), window.new_project, "Ctrl+N", "project проект"),
        Command("quit", tr("Close the tower"), window.close, "Ctrl+Q", "quit exit выход"),
    ]
    themes = {
        "light": tr("Light colours"),
        "dark": tr("Dark colours"),
        "contrast": tr("High contrast"),
        "system": tr("Colours of the computer"),
    }
    found += [
        Command(f"theme.{mode}", title, partial(window.set_look, theme=mode), "", f"theme тема {mode}")
        for mode, title in themes.items()
    ]
    found += [
        Command(
            f"language.{code}",
            name,
            partial(window.set_look, language=code),
            "",
            "language язык русский english",
        )
        for code, name in text.LANGUAGES.items()
    ]
    return found


def page_command(place: int, name: str, title: str, go: Callable[[], object]) -> Command:
    """Going to a page; the first nine have a digit."""
    key = f"Ctrl+{place}" if place < 10 else ""
    also = f"{name} {text.counterpart(title)}"
    return Command(f"go.{name}", tr("Go to: {page}", page=title), go, key, also)
