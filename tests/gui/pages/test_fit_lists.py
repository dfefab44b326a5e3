"""Nothing is cut off on Signals & links and on Risks, in both languages and with large type."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from ctower_desktop.gui import text, theme
from ctower_desktop.gui.pages.risks import RisksPage
from ctower_desktop.gui.pages.signals import SignalsPage
from tests.gui.conftest import until
from tests.gui.pages import test_risks, test_signals
from tests.gui.pages.test_fit import NARROW, cut_off, settled


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize(
    ("kind", "fill"), [(SignalsPage, test_signals.filled), (RisksPage, test_risks.filled)]
)
def test_nothing_is_cut_off(on_stage, clock, qapp: QApplication, language, scale, kind, fill):
    async def body(stage):
        text.set_language(language)
        theme.apply(qapp, "light", scale)
        await fill(stage, clock)
        page = stage.show(kind)
        stage.window.resize(NARROW, 852)
        for name in page.names:
            page.turn_to(name)
            if name == "health":
                await until(page.view.figure.text)
            else:
                await test_signals.ready(page.view)
            await settled(page)
            assert cut_off(page.view) == [], name

    on_stage(body)
