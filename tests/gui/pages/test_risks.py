"""The page Risks: risks, patterns, health and money over real rows."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Qt

from ctower_desktop.gui.asking import FieldsDialog
from ctower_desktop.gui.pages.risks import RisksPage
from ctower_desktop.gui.risks_health import FactorRow
from ctower_desktop.gui.risks_items import RiskDetail
from ctower_desktop.gui.risks_money import MoneyView
from ctower_desktop.insight.analytics.actions import add_cost, list_costs
from ctower_desktop.insight.analytics.model import ListEntries, NewEntry
from ctower_desktop.insight.risk.actions import add_risk, list_risks, read_risk_overview, refresh_risk
from ctower_desktop.insight.risk.model import ListRisks, NewRisk
from ctower_desktop.insight.signals.actions import extract_signals
from ctower_desktop.kernel.errors import StorageFailure
from tests.gui.conftest import until
from tests.gui.pages.test_signals import press, ready
from tests.insight.signals.conftest import Sources


async def filled(stage, clock) -> None:
    """A project under pressure: signals, overdue work, a budget nearly spent, a risk somebody saw."""
    sources = Sources(stage.call(), clock)
    talk = await sources.talk(1)
    await sources.say(talk, "У нас задержка, сроки горят, всё заблокировано!", hours=3)
    for number in range(1, 6):
        await sources.issue(number, due="2026-11-01")
    await add_cost(stage.call(), NewEntry(entry_type="budget", amount=100_000, currency="RUB"))
    await add_cost(stage.call(), NewEntry(entry_type="cost", amount=92_000, currency="RUB", note="=Подряд"))
    await add_cost(stage.call(), NewEntry(entry_type="cost", amount=300, currency="EUR"))
    await extract_signals(stage.call())
    await refresh_risk(stage.call())
    clock.advance(timedelta(days=1).total_seconds())
    await refresh_risk(stage.call())
    await add_risk(stage.call(), NewRisk(title="Дизайнер уходит в отпуск", severity=2))


class TestRisks:
    def test_the_worst_first_with_what_they_stand_on(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(RisksPage)
            view = page.view
            await ready(view)
            rows = view.listing.model.rows
            assert [row.severity for row in rows] == sorted((row.severity for row in rows), reverse=True)
            place = next(i for i, row in enumerate(rows) if row.title.startswith("Deadlines slip"))
            view.listing.view.selectRow(place)
            await until(lambda: view._shown_key == rows[place].id)
            detail = view.facts.widget()
            assert isinstance(detail, RiskDetail)
            assert not detail.title.value.isEnabled()
            detail.links[0].click()
            await until(lambda: view.source.view is not None)
            place = next(i for i, row in enumerate(rows) if row.title.startswith("Budget"))
            view.listing.view.selectRow(place)
            await until(lambda: view._shown_key == rows[place].id)
            view.facts.widget().links[0].click()
            assert isinstance(page.view, MoneyView)

        on_stage(body)

    def test_keys_move_a_risk_and_undo_moves_it_back(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(RisksPage)
            view = page.view
            await ready(view)
            risk = view.listing.front
            await press(view, Qt.Key.Key_A)
            await until(lambda: len(stage.toasts) == 1)
            await press(view, Qt.Key.Key_E)
            await until(lambda: risk.id not in {row.id for row in view.listing.model.rows})
            stage.commands.run("undo")
            stage.commands.run("undo")
            await until(lambda: len(stage.toasts) == 4)
            found = (await list_risks(stage.call(), ListRisks(status="open"))).items
            assert risk.id in {one.id for one in found}

        on_stage(body)

    def test_writing_one_down_and_changing_it(self, on_stage, clock):
        async def body(stage):
            page = stage.show(RisksPage)
            await until(lambda: page.view.listing.state is not None)
            page.view.add()
            dialog = page.view.findChild(FieldsDialog)
            dialog.does.click()
            assert dialog.isVisible(), "a risk needs a title"
            dialog.editors["title"].setText("Подрядчик молчит")
            dialog.editors["probability"].setText("40 %")
            dialog.does.click()
            view = page.view
            await until(lambda: view.listing.model.rows and view._shown_key is not None)
            detail = view.facts.widget()
            assert detail.risk.probability == 0.4
            detail.mitigation.begin()
            detail.mitigation.editor.setPlainText("Позвонить")
            detail.mitigation.keep()
            await until(lambda: detail.mitigation.value.words == "Позвонить")
            await until(lambda: len(stage.toasts) == 2)
            stage.commands.run("undo")
            await until(lambda: detail.mitigation.value.words != "Позвонить")

        on_stage(body)

    def test_a_failure_says_so(self, on_stage, clock, monkeypatch):
        async def body(stage):
            page = stage.show(RisksPage)

            async def broken(*_):
                raise StorageFailure("The disk does not answer.")

            monkeypatch.setattr(page.view, "read", broken)
            await until(lambda: page.view.listing.state is not None)
            page.view.refresh()
            await until(lambda: "could not be read" in page.view.listing.state.findChildren(
                type(page.view.count))[1].text())  # fmt: skip

        on_stage(body)


def test_patterns_have_steps_and_are_ignored_and_back(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(RisksPage)
        page.turn_to("patterns")
        view = page.view
        await ready(view)
        pattern = view.listing.front
        assert pattern.mitigation_playbook
        await press(view, Qt.Key.Key_D)
        await until(lambda: stage.toasts)
        now = {one.id: one.status for one in (await read_risk_overview(stage.call())).patterns}
        assert now[pattern.id] == "ignored"
        stage.commands.run("undo")
        await until(lambda: len(stage.toasts) == 2)
        now = {one.id: one.status for one in (await read_risk_overview(stage.call())).patterns}
        assert now[pattern.id] == pattern.status

    on_stage(body)


class TestHealth:
    def test_the_figure_its_factors_and_the_line(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(RisksPage)
            page.turn_to("health")
            view = page.view
            await until(lambda: len(view.shown) == 2)
            health = (await read_risk_overview(stage.call())).health
            assert str(int(health.score)) in view.figure.text()
            assert len(view.findChildren(FactorRow)) == len(health.factors)
            assert len((await view.sheet()).rows) == 2
            before = view.figure.text()
            sources = Sources(stage.call(), clock)
            for number in range(10, 16):
                await sources.issue(number, due="2026-11-02")
            await refresh_risk(stage.call())
            await until(lambda: view.figure.text() != before)

        on_stage(body)

    def test_before_it_was_counted(self, on_stage):
        async def body(stage):
            page = stage.show(RisksPage)
            page.turn_to("health")
            view = page.view
            await until(lambda: view.state is not None)
            page.view.focus()
            view.look_again()
            await until(lambda: view.state is None)

        on_stage(body)

    def test_its_line_has_a_table_and_leads_to_signals(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(RisksPage)
            page.turn_to("health")
            view = page.view
            await until(lambda: len(view.shown) == 2)
            view.trend.as_table.click()
            assert view.trend.table.model().rowCount() == 2
            view.trend.evidence.click()
            assert stage.opened == ["signals"]

        on_stage(body)


class TestMoney:
    def test_sums_by_currency_and_deleting_is_taken_back(self, on_stage, clock):
        async def body(stage):
            await filled(stage, clock)
            page = stage.show(RisksPage)
            page.turn_to("money")
            view = page.view
            await ready(view)
            words = "\n".join(label.text() for label in view.facts.widget().findChildren(type(view.count)))
            assert "92 %" in words
            view.kind.choose("cost")
            await until(lambda: len(view.listing.model.rows) == 2)
            await press(view, Qt.Key.Key_D)
            await until(lambda: len(view.listing.model.rows) == 1)
            stage.commands.run("undo")
            await until(lambda: len(view.listing.model.rows) == 2)

        on_stage(body)

    def test_adding_an_entry(self, on_stage, clock):
        async def body(stage):
            page = stage.show(RisksPage)
            page.turn_to("money")
            page.view.add()
            dialog = page.view.findChild(FieldsDialog)
            dialog.editors["amount"].setText("1 250,50")
            dialog.editors["currency"].setText("rub")
            dialog.editors["date"].setText("05.11.2026")
            dialog.does.click()
            await until(lambda: stage.toasts)
            found = (await list_costs(stage.call(), ListEntries())).entries
            assert [(one.amount, one.currency, one.date) for one in found] == [(1250.5, "RUB", "2026-11-05")]

        on_stage(body)
