"""Nothing is cut off on Today, Portfolio and Reports: both languages, large type, narrow windows."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from ctower_desktop.gui import text, theme
from ctower_desktop.gui.pages.portfolio import PortfolioPage
from ctower_desktop.gui.pages.reports import ReportsPage
from ctower_desktop.gui.pages.today import TodayPage
from tests.gui.conftest import until
from tests.gui.pages import test_portfolio, test_reports, test_today
from tests.gui.pages.test_fit import NARROW, WIDE, cut_off, settled

EACH = [
    pytest.param(language, scale, width, id=f"{language}-{scale}-{width}")
    for language in ("en", "ru")
    for scale, width in ((1.0, NARROW), (1.0, WIDE), (1.5, WIDE))
]


@pytest.mark.parametrize(("language", "scale", "width"), EACH)
def test_nothing_is_cut_off(on_stage, clock, qapp: QApplication, language, scale, width):
    async def body(stage):
        text.set_language(language)
        theme.apply(qapp, "light", scale)
        await test_today.filled(stage, clock)
        today = stage.show(TodayPage)
        stage.window.resize(width, 852)
        await test_today.ready(today)
        await until(lambda: today.tiles.tiles)
        await settled(today)
        assert cut_off(today) == []
        today.hide()
        portfolio = stage.show(PortfolioPage)
        await until(lambda: portfolio.view.listing.model.rows)
        for name in portfolio.names:
            portfolio.turn_to(name)
            await settled(portfolio)
            assert cut_off(portfolio) == [], name
        portfolio.turn_to("projects")
        portfolio.open_figure("health")
        await until(lambda: portfolio.pane.shown is not None)
        await settled(portfolio)
        assert cut_off(portfolio) == []
        portfolio.hide()
        reports = stage.show(ReportsPage)
        reports.maker.make_day()
        for name in reports.names:
            await test_reports.turned(reports, name)
            await settled(reports)
            assert cut_off(reports) == [], name

    on_stage(body)


def test_a_filled_portfolio_is_not_cut_off(on_stage, clock):
    async def body(stage):
        text.set_language("ru")
        await test_portfolio.filled(stage, clock)
        page = await test_portfolio.opened(stage)
        stage.window.resize(NARROW, 852)
        for name in page.names:
            page.turn_to(name)
            await settled(page)
            assert cut_off(page) == [], name

    on_stage(body)
