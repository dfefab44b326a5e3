"""The page Portfolio: figures of all projects over real rows; every number opens what it rests on."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from ctower_desktop.gui import text
from ctower_desktop.gui.pages.portfolio import PortfolioPage
from ctower_desktop.gui.thread import ConversationView
from ctower_desktop.gui.widgets import Label
from ctower_desktop.insight.analytics.actions import add_cost, refresh_analytics
from ctower_desktop.insight.analytics.model import NewEntry, RefreshAnalytics
from ctower_desktop.insight.risk.actions import refresh_risk
from ctower_desktop.kernel.errors import StorageFailure
from ctower_desktop.kernel.tower import ProjectRef, desktop
from ctower_desktop.projects.actions import NewProject, create_project
from tests.gui.conftest import until
from tests.reports.conftest import Fill

CHARTS = (
    "health",
    "velocity",
    "overdue",
    "response",
    "agreements",
    "risks",
    "burn",
    "upsell",
    "completeness",
)


async def filled(stage, clock) -> tuple[Fill, Fill]:
    """Two projects with something of everything."""
    numbers = itertools.count(1)
    made = (await create_project(desktop(stage.tower, "test"), NewProject(name="Ясень"))).project
    north = Fill(stage.tower, stage.project, clock, numbers)
    south = Fill(stage.tower, ProjectRef(made.id, made.name, made.account_scope_id), clock, numbers)
    anna = await north.contact("Анна", email="anna@north.example")
    talk = await north.conversation(anna)
    await north.message(talk, "Какой срок по <b>договору</b>?", north.ago(hours=30))
    other = await south.conversation(await south.contact("Борис"))
    await south.message(other, "Когда?", south.ago(days=9))
    await south.message(
        other, "Завтра", south.ago(days=9) + (north.ago(hours=1) - north.ago(hours=2)), incoming=False
    )
    await north.issue("Эквайринг", due_date="2026-11-10")
    await north.issue("Вёрстка", state_type="completed", completed_at=north.ago(days=3))
    await south.issue("Логотип")
    await north.deal("Сайт", "proposal", 10_000.0)
    await south.deal("Стиль", "won", 4_000.0, currency="RUB")
    signal = await north.signal("Срок под угрозой", severity=5, source_ref=talk)
    await north.row(
        "signal_evidence",
        signal_id=signal,
        ref=f"{talk}",
        author="Анна",
        quote="Какой срок?",
        said_at=north.ago(hours=30),
    )
    await north.risk("Подрядчик занят", severity=4)
    await north.offer("Поддержка", 900.0, "signed")
    await north.row(
        "upsell_opportunity",
        id="5e000000-0000-4000-8000-000000000001",
        source_kind="conversation",
        source_ref=talk,
        title="Новый модуль",
        rationale="Спросили об интеграции.",
        score=0.72,
        dedupe_key="1",
        last_seen_at=north.ago(days=1),
        created_at=north.ago(days=1),
        updated_at=north.ago(days=1),
    )
    await add_cost(stage.call(), NewEntry(entry_type="cost", amount=300.0, currency="EUR"))
    for day, score in (("2026-11-18", 80.0), ("2026-11-19", 90.0)):
        await north.health(score, day)
    await refresh_risk(stage.call())
    await refresh_analytics(stage.call(), RefreshAnalytics())
    return north, south


async def opened(stage) -> PortfolioPage:
    page = stage.show(PortfolioPage)
    await until(lambda: page.overview is not None)
    await until(lambda: page.look_at("projects").listing.model.rows)
    return page


async def pick(page, project: str, column: int) -> None:
    """Click a cell of the projects."""
    rows = page.look_at("projects").listing.model.rows
    place = [row.project_name for row in rows].index(project)
    page.look_at("projects").listing.view.clicked.emit(
        page.look_at("projects").listing.model.index(place, column)
    )


def test_all_projects_stand_side_by_side(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        rows = page.look_at("projects").listing.model.rows
        assert [row.project_name for row in rows] == ["Кофейня «Север»", "Ясень"]
        model = page.look_at("projects").listing.model
        told = {
            model.headerData(n, Qt.Orientation.Horizontal): model.index(0, n).data()
            for n in range(model.columnCount())
        }
        assert (told["Waiting"], told["Overdue"], told["Risks"]) == ("1", "1", "2")
        assert told["Open deals"] == "€10,000"
        assert model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole).startswith(
            "100 less"
        )

    on_stage(body)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (1, "Pressure"),
        (2, "Анна"),
        (3, "Эквайринг"),
        (4, "Эквайринг"),
        (5, "Сайт"),
        (7, "Подрядчик"),
        (8, "Health"),
    ],
)
def test_every_number_opens_what_it_rests_on(on_stage, clock, column, expected):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        await pick(page, "Кофейня «Север»", column)
        await until(lambda: page.pane.shown is not None)
        assert expected in " ".join(line.words for group in page.pane.shown.groups for line in group.lines)
        assert page.pane.shown.meaning

    on_stage(body)


def test_from_the_number_to_the_words_and_back(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        await pick(page, "Кофейня «Север»", 0)
        await until(lambda: page.pane.shown is not None)
        waiting = next(
            link for link in page.pane.links if link.accessibleName().startswith("Clients who wait")
        )
        waiting.click()
        await until(
            lambda: page.pane.shown is not None and page.pane.shown.title.startswith("Clients who wait")
        )
        page.pane.links[0].click()
        await until(lambda: isinstance(page.pane.source.view, ConversationView))
        page.pane.escape()
        assert page.pane.stack.currentWidget() is page.pane.area
        page.pane.escape()
        await until(lambda: page.pane.shown is not None and page.pane.shown.title == "Кофейня «Север»")
        page.pane.escape()
        assert not page.pane.isVisible()

    on_stage(body)


def test_nine_charts_with_tables_behind_them(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        page.turn_to("dashboard")
        await until(lambda: page.look_at("dashboard").cards)
        assert tuple(page.look_at("dashboard").cards) == CHARTS
        card = page.look_at("dashboard").cards["health"]
        await until(card.isVisible)
        assert card.newest.text()
        assert "from 80 to" in card.chart.accessibleName()
        card.as_table.click()
        assert card.table.isVisible()
        assert card.table.model().index(0, 1).data() == "80"
        card.as_table.click()
        QTest.keyClick(card.chart, Qt.Key.Key_Home)
        assert card.point.text() == "18 November: 80"
        assert card.chart.accessibleName() == "18 November: 80"
        chart = page.look_at("dashboard").cards["velocity"].chart
        QTest.keyClick(chart, Qt.Key.Key_End)
        QTest.keyClick(chart, Qt.Key.Key_Return)
        await until(lambda: page.pane.shown is not None)
        assert "Вёрстка" in page.pane.links[0].accessibleName()
        assert [tile.value.text() for tile in page.look_at("dashboard").tiles.tiles][:3] == ["2", "1", "2"]

    on_stage(body)


def test_messages_agreements_risks_and_offers(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        page.turn_to("messages")
        await until(lambda: page.look_at("messages").listing.model.rows)
        row = page.look_at("messages").listing.model.rows[0]
        assert "<b>договору</b>" in row.content
        page.look_at("messages").picked.emit(row, 0)
        await until(lambda: isinstance(page.pane.source.view, ConversationView))
        page.turn_to("agreements")
        await until(lambda: page.look_at("agreements").listing.model.rows)
        page.look_at("agreements").picked.emit(page.look_at("agreements").listing.model.rows[0], 0)
        await until(lambda: page.pane.source.target.cited.startswith("cwmsg:"))
        page.turn_to("risks")
        await until(lambda: len(page.look_at("risks").listing.model.rows) >= 2)
        signal = next(row for row in page.look_at("risks").listing.model.rows if row.source == "signal")
        page.look_at("risks").picked.emit(signal, 0)
        await until(lambda: page.pane.shown is not None)
        assert page.pane.links[0].accessibleName().startswith("Какой срок?")
        page.turn_to("offers")
        await until(lambda: page.look_at("offers").front.listing.model.rows)
        page.look_at("offers").front.picked.emit(page.look_at("offers").front.listing.model.rows[0], 0)
        await until(lambda: page.pane.shown is not None and "Score 72" in page.pane.shown.meaning)
        page.look_at("offers").which.choose("discounts")
        await until(lambda: len(page.look_at("offers").front.listing.model.rows) == 2)
        page.look_at("offers").front.picked.emit(page.look_at("offers").front.listing.model.rows[0], 0)
        await until(lambda: page.pane.shown is not None and "18 %" in page.pane.shown.meaning)
        assert page.look_at("offers").people.text() == "1 contact with an e-mail · 1 address"

    on_stage(body)


def test_money_is_never_added_across_currencies(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        page.turn_to("finances")
        await until(page.look_at("finances").currencies.rowCount)
        assert {page.look_at("finances").currencies.index(n, 0).data() for n in range(2)} == {"EUR", "RUB"}
        assert page.look_at("finances").projects.index(0, 0).data() == "Кофейня «Север»"
        page.look_at("finances").row_picked.emit(
            page.look_at("finances").projects.row(page.look_at("finances").projects.index(0, 0))
        )
        await until(lambda: page.pane.shown is not None)
        costs = next(link for link in page.pane.links if link.accessibleName().startswith("Budget and costs"))
        costs.click()
        await until(lambda: page.pane.shown is not None and "€300" in str(page.pane.shown.groups))

    on_stage(body)


def test_some_projects_only(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        page.look_at("projects").listing.view.selectRow(1)
        page.narrow.click()
        await until(lambda: len(page.look_at("projects").listing.model.rows) == 1)
        assert page.widen.isVisible()
        page.turn_to("messages")
        await until(lambda: page.look_at("messages").person.count() == 2)
        page.look_at("messages").person.setCurrentIndex(1)
        page.look_at("messages").person.activated.emit(1)
        await until(
            lambda: (
                [row.content for row in page.look_at("messages").listing.model.rows] == ["Когда?", "Завтра"]
            )
        )
        page.widen.click()
        await until(lambda: len(page.overview.projects) == 2)

    on_stage(body)


def test_it_follows_what_happens(on_stage, clock):
    async def body(stage):
        north, _ = await filled(stage, clock)
        page = await opened(stage)
        await north.issue("Ещё одна", due_date="2026-11-01")
        await until(lambda: page.look_at("projects").listing.model.rows[0].linear_overdue_issues == 2)

    on_stage(body)


def test_empty_filtered_failed_and_without_a_project(on_stage, clock, monkeypatch):
    async def body(stage):
        page = stage.show(PortfolioPage)
        await until(lambda: page.state is not None)
        assert "Nothing has come in yet" in _words(page.state)
        await filled(stage, clock)
        page.refresh()
        await until(lambda: page.state is None and page.look_at("projects").listing.model.rows)
        page.look_at("projects").search.setText("нет такого")
        await until(lambda: page.look_at("projects").listing.state is not None)
        assert "Nothing fits" in _words(page.look_at("projects").listing.state)

        async def broken(*_args):
            raise StorageFailure("The database does not answer.")

        monkeypatch.setattr("ctower_desktop.gui.pages.portfolio.read_overview", broken)
        page.refresh()
        await until(lambda: page.state is not None)
        assert "could not be read" in _words(page.state)

    on_stage(body)
    monkeypatch.undo()

    async def bare(stage):
        page = stage.show(PortfolioPage)
        await until(lambda: page.state is not None)
        assert "No project yet" in _words(page.state)

    on_stage(bare, project=False)


def test_saved_as_tables(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = await opened(stage)
        for name in page.names:
            page.turn_to(name)
            await asyncio.sleep(0.05)
            sheet = await page.sheet()
            assert sheet.rows, name
            assert all(len(row) == len(sheet.columns) for row in sheet.rows)

    on_stage(body)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_whatever_takes_the_focus_has_a_name(on_stage, clock, language):
    async def body(stage):
        text.set_language(language)
        await filled(stage, clock)
        page = await opened(stage)
        for name in page.names:
            page.turn_to(name)
            await asyncio.sleep(0.05)
            nameless = [
                widget
                for widget in page.findChildren(QWidget)
                if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
                and widget.isVisible()
                and not widget.accessibleName()
                and not isinstance(widget, QLabel)
            ]
            assert nameless == [], name

    on_stage(body)


def _words(state) -> str:
    return " ".join(label.text() for label in state.findChildren(Label))
