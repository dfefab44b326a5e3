"""A walk over every page: nothing cut off in any looks, a name for everything, all of it by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QApplication, QScrollArea, QWidget

from ctower_desktop.gui import tasks, text, theme
from ctower_desktop.gui.appearance import Appearance
from ctower_desktop.gui.pages import PAGES
from tests.gui.conftest import until
from tests.gui.pages.conftest import Stage, fill
from tests.gui.pages.test_fit import cut_off, settled

ONE = ("Кофейня «Север»",)
NAMES = [entry.id for entry in PAGES]
_MOST = 400  # presses of Tab


async def filled(window, tower):
    await until(lambda: window._project)
    await fill(Stage(tower, window._project))


async def opened(window, name):
    """The page in front, read to its end and at rest."""
    window.open_page(name)
    await tasks.settle()
    await settled(window.page)


def focusable(of: QWidget) -> list[QWidget]:
    """Everything that Tab should reach, Qt's own inner parts aside."""
    return [
        widget
        for widget in of.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and widget.isEnabled()
        and not widget.objectName().startswith("qt_")
        and widget.focusProxy() is None
        and not isinstance(widget.parent(), QAbstractScrollArea)
    ]


def spoken(widget: QWidget) -> str:
    """What a screen reader calls it."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def unnamed(window) -> list[str]:
    return [
        f"{type(widget).__name__} in {type(widget.parent()).__name__}"
        for widget in focusable(window)
        if not spoken(widget).strip()
    ]


def unreached(window) -> list[str]:
    """What no number of Tabs comes to; a plain area that scrolls counts as reached with what is in it."""
    front = window.page
    wanted = focusable(front)
    window.activateWindow()
    window.sidebar.switcher.setFocus()
    seen: list[QWidget] = []
    for _ in range(_MOST):
        here = QApplication.focusWidget()
        if here is None or (here in seen[1:] and len(seen) > 1):
            break
        seen.append(here)
        QTest.keyClick(here, Qt.Key.Key_Tab)
    return [
        f"{type(one).__name__} {spoken(one)!r}"
        for one in wanted
        if not ({one, *choices(one)} & set(seen)) and type(one) is not QScrollArea
    ]


def choices(one: QWidget) -> list[QWidget]:
    """The other ones of which one is chosen: Tab comes to the chosen one, arrows to the rest."""
    if not isinstance(one, QAbstractButton):
        return []
    group = one.group()
    if group is not None and group.exclusive():
        return group.buttons()
    beside = one.parentWidget().findChildren(
        QAbstractButton, options=Qt.FindChildOption.FindDirectChildrenOnly
    )
    return [other for other in beside if other.autoExclusive()] if one.autoExclusive() else []


async def walked(window, look) -> dict[str, list[str]]:
    """What `look` finds wrong on each page."""
    found = {}
    for name in NAMES:
        await opened(window, name)
        if wrong := look(window):
            found[name] = wrong
    return found


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ru"])
def test_everything_has_a_name_and_is_reached_by_keyboard(on_window, language):
    async def body(window, tower):
        await filled(window, tower)
        assert await walked(window, lambda window: [*unnamed(window), *unreached(window)]) == {}

    on_window(body, projects=ONE, language=language)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ru"])
def test_nothing_is_cut_off_with_the_largest_type(on_window, language):
    async def body(window, tower):
        await filled(window, tower)
        await tower.settings.change(Appearance, {"text_scale": 150})
        assert await walked(window, cut_off) == {}

    on_window(body, projects=ONE, language=language)


@pytest.mark.slow
def test_every_set_of_colours_is_put_on_live(on_window):
    async def body(window, tower):
        await filled(window, tower)
        for mode in ("dark", "contrast", "light"):
            await tower.settings.change(Appearance, {"theme": mode})
            assert theme.current().name == mode
            for name in NAMES:
                await opened(window, name)
                picture = window.grab().toImage()
                corner = picture.pixelColor(theme.SIDEBAR // 2, window.height() - 2).name().upper()
                bar = picture.pixelColor(theme.SIDEBAR + 6, 4).name().upper()
                assert (corner, bar) == (theme.current().canvas, theme.current().surface), name

    on_window(body, projects=ONE)


@pytest.mark.slow
def test_words_two_fifths_longer_still_fit(on_window, monkeypatch):
    """A language that does not exist, with every text longer and marked: finds what fits only by luck."""
    real = text.tr

    async def body(window, tower):
        await filled(window, tower)
        assert await walked(window, cut_off) == {}

    monkeypatch.setattr(text, "load", _Longer)
    text.set_language("ru")
    assert real("Settings").startswith("⟦")
    on_window(body, projects=ONE, language="ru")


class _Longer(dict):
    """Translates everything into itself, longer."""

    def get(self, source, default=None):
        del default
        return f"⟦{source}{'~' * (len(source) * 2 // 5)}⟧"
