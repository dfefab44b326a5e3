"""Everything one can do in the window, declared once: menu, palette, shortcuts and the key sheet read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget
from rapidfuzz import fuzz

from ctower_desktop.gui.text import counterpart

_RUSSIAN = "йцукенгшщзхъфывапролджэячсмитьбюё"
_ENGLISH = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_TO_RUSSIAN = str.maketrans(_ENGLISH, _RUSSIAN)
_TO_ENGLISH = str.maketrans(_RUSSIAN, _ENGLISH)
_ENOUGH = 62  # of 100: a letter wrong in a short word still finds it


@dataclass(frozen=True)
class Command:
    """One thing to do: `also` are further words it is found by, such as its name in the other language.

    The key of a command that is `within` a widget works only while the focus is in there.
    """

    id: str
    title: str
    run: Callable[[], object]
    shortcut: str = ""
    also: str = ""
    within: QWidget | None = None


class Commands:
    """The commands of one window."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._shortcuts: dict[str, QShortcut] = {}
        self.asleep = False  # while the first run is in front, nothing else can be done

    def add(self, window: QWidget, *commands: Command) -> None:
        """Declare commands; their keys work in the whole window unless told. The same id replaces."""
        for command in commands:
            self.remove(command.id)
            self._commands[command.id] = command
            if command.shortcut:
                shortcut = QShortcut(QKeySequence(command.shortcut), command.within or window)
                if command.within is not None:
                    shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                shortcut.activated.connect(lambda found=command.id: self.run(found))
                shortcut.activatedAmbiguously.connect(lambda key=command.shortcut: self._nearest(key))
                self._shortcuts[command.id] = shortcut

    def _nearest(self, key: str) -> None:
        """A key that means one thing everywhere and another where the focus is means the latter."""
        focus = QApplication.focusWidget()
        for command in self._commands.values():
            place = command.within
            if command.shortcut == key and place is not None and _holds(place, focus):
                command.run()
                return

    def remove(self, name: str) -> None:
        """Forget a command."""
        self._commands.pop(name, None)
        shortcut = self._shortcuts.pop(name, None)
        if shortcut is not None:
            shortcut.setEnabled(False)
            shortcut.deleteLater()

    def clear(self) -> None:
        """Forget all of them, with their keys."""
        for name in tuple(self._commands):
            self.remove(name)

    def run(self, name: str) -> None:
        """Do it."""
        if not self.asleep:
            self._commands[name].run()

    def all(self) -> list[Command]:
        """Every command, by title."""
        return sorted(self._commands.values(), key=lambda command: command.title.casefold())

    def find(self, text: str) -> list[Command]:
        """What fits `text`, the best first: in either language, also typed in the wrong keyboard layout."""
        if not text.strip():
            return self.all()
        scored = [(score(text, f"{c.title} {counterpart(c.title)} {c.also}"), c) for c in self.all()]
        return [c for points, c in sorted(scored, key=lambda pair: -pair[0]) if points >= _ENOUGH]


def _holds(place: QWidget, focus: QWidget | None) -> bool:
    return focus is not None and (place is focus or place.isAncestorOf(focus))


def layouts(text: str) -> tuple[str, str, str]:
    """The text as typed and as it would be in the other keyboard layout, both ways."""
    plain = text.casefold()
    return plain, plain.translate(_TO_RUSSIAN), plain.translate(_TO_ENGLISH)


def score(text: str, name: str) -> float:
    """How well `text` fits a name, 0 to 100; the beginning of a word counts as a hit."""
    name = name.casefold()
    best = 0.0
    for typed in layouts(text.strip()):
        if any(word.startswith(typed) for word in name.split()):
            return 100.0
        if len(typed) > 2:
            best = max(
                best, fuzz.partial_ratio(typed, name) if typed in name else fuzz.WRatio(typed, name) * 0.9
            )
    return best
