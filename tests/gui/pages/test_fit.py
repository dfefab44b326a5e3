"""Nothing is cut off: both pages in both languages, with large type, with words that never end."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QScrollArea, QWidget

from ctower_desktop.gui import text, theme
from ctower_desktop.gui.pages.ask import AskPage
from ctower_desktop.gui.pages.connectors import ConnectorsPage
from ctower_desktop.gui.records import LinkLine
from tests.gui.conftest import until
from tests.gui.pages.conftest import fill

NARROW, WIDE = 900, 1208  # what is left of windows of 1132 and 1440 pixels beside the sidebar


def cut_off(page) -> list[str]:
    """Visible texts that have less room than they need."""
    found = []
    for label in page.findChildren(QLabel):
        if label.isVisible() and label.text() and not label.wordWrap():
            need = label.fontMetrics().horizontalAdvance(label.text())
            if label.contentsRect().width() < need:
                found.append(f"{label.text()!r} has {label.width()} of {need}")
        elif label.isVisible() and label.wordWrap() and label.height() < label.heightForWidth(label.width()):
            found.append(f"{label.text()[:60]!r} is {label.height()} high")
    for button in page.findChildren(QPushButton):
        if button.isVisible() and button.text() and not isinstance(button, LinkLine):
            need = button.fontMetrics().horizontalAdvance(button.text().replace("&&", "&"))
            if button.width() < need:
                found.append(f"button {button.text()!r} has {button.width()} of {need}")
    for area in page.findChildren(QScrollArea):
        if area.isVisible() and area.widget() is not None and area.widget().width() > area.viewport().width():
            room = f"{area.widget().width()} in {area.viewport().width()}"
            found.append(f"{area.accessibleName()!r} is wider than its view: {room}")
    return found


async def settled(page) -> None:
    """Let the layout come to rest: the same sizes in several turns of the loop."""
    before, same = [], 0
    while same < 5:
        await asyncio.sleep(0.01)
        now = [widget.geometry().getRect() for widget in page.findChildren(QWidget)]
        before, same = now, same + 1 if now == before else 0


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_nothing_is_cut_off(on_stage, qapp: QApplication, language, scale, width):
    async def body(stage):
        text.set_language(language)
        theme.apply(qapp, "light", scale)
        await fill(stage)
        p = stage.project.id
        await stage.put(
            "UPDATE message SET content = content || ' https://shop.example/' || :long WHERE id = :id",
            id=f"cwmsg:{p}:1:2", long="x" * 300,
        )  # fmt: skip
        await stage.put("UPDATE issue SET title = title || :long", long=" и ещё много слов в названии" * 6)
        await stage.indexed()
        ask = stage.show(AskPage)
        stage.window.resize(width, 852)
        ask.bar.ask("когда запуск магазина")
        await until(lambda: ask.answered is not None and ask.detail.view is not None)
        await settled(ask)
        assert cut_off(ask) == []
        ask.hide()
        connectors = stage.show(ConnectorsPage)
        await until(lambda: all(card.state.text() for card in connectors.cards.values()))
        await settled(connectors)
        assert cut_off(connectors) == []

    on_stage(body)
