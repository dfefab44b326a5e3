"""CRM: the board of deals over a real tower: moved, changed, taken back, narrowed, empty."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit

from ctower_desktop.connectors.answers import Overview, Overviews
from ctower_desktop.crm import mirroring_store as mirroring
from ctower_desktop.crm.actions import (
    archive_opportunity,
    create_account,
    create_opportunity,
    list_opportunities,
    read_opportunity,
)
from ctower_desktop.crm.model import ListOpportunities, NewAccount, NewOpportunity
from ctower_desktop.gui import text, theme
from ctower_desktop.gui.asking import FieldsDialog
from ctower_desktop.gui.pages.crm import CrmPage
from ctower_desktop.kernel.errors import NotReady
from tests.gui.conftest import until
from tests.gui.pages.conftest import fill
from tests.gui.pages.test_fit import cut_off, settled

AT = "2026-11-01T00:00:00.000Z"


async def account(on, name="Кофейня «Север»", **values):
    return (await create_account(on.call(), NewAccount(name=name, **values))).account


async def deal(on, of, title="Сайт", **values):
    given = {"next_step": "позвонить", "amount_estimate": 5000.0, "currency": "EUR"} | values
    body = NewOpportunity(title=title, account_id=of.id, **given)
    return (await create_opportunity(on.call(), body)).opportunity


async def filled(on):
    """Two accounts and four deals; the first is late."""
    north, south = await account(on), await account(on, "ООО «Юг»", stage="active")
    deals = [
        await deal(on, north, "Сайт", expected_close_date="2026-01-10"),
        await deal(on, north, "Магазин", stage="proposal", amount_estimate=620_000.0, currency="RUB"),
        await deal(on, south, "Программа лояльности", stage="proposal", owner_username="Полина"),
        await deal(on, south, "Поддержка", stage="won", expected_close_date="2026-12-15"),
    ]
    return [north, south], deals


async def mirrored(on):
    """A company and a deal as Attio has them."""
    scope = {"project_id": on.project.id, "account_scope_id": on.project.account_scope_id}
    times = {"created_at": AT, "updated_at": AT}
    company = scope | times | {"external_id": "c1", "name": "Acme", "domain": None, "stage": "Customer"}
    await on.tower.db.write(mirroring.mirror_accounts, [company], AT)
    row = scope | times | {
        "external_id": "d1", "account_external_id": "c1", "title": "Портал", "stage": "Qualified",
        "amount": 9000.0, "currency": "EUR", "probability": 0.4, "expected_close_date": "2027-01-15",
        "next_step": None, "owner_name": "Ирина",
    }  # fmt: skip
    await on.tower.db.write(mirroring.mirror_opportunities, [row], AT)
    found = await list_opportunities(on.call(), ListOpportunities(q="портал"))
    return found.opportunities[0]


async def opened(on):
    page = on.show(CrmPage)
    await until(lambda: page.board.shown or page.board.state)
    return page


def titles(page, name):
    return [one.title for one in page.board.columns[name].cards.deals]


def choose(page, name, *places):
    cards = page.board.columns[name].list
    cards.setFocus()
    selection = cards.selectionModel()
    selection.setCurrentIndex(cards.model().index(places[0]), selection.SelectionFlag.ClearAndSelect)
    for place in places[1:]:
        selection.select(cards.model().index(place), selection.SelectionFlag.Select)
    return cards


def dialog(page):
    return next(one for one in page.findChildren(FieldsDialog) if one.isVisible())


def enter(form, **values):
    for name, value in values.items():
        editor = form.editors[name]
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(editor.findData(value))
        elif isinstance(editor, QLineEdit):
            editor.setText(value)
        else:
            editor.setPlainText(value)


def change(fact, typed):
    """Type another value into a fact and press Enter."""
    fact.value.click()
    fact.editor.setText(typed)
    QTest.keyClick(fact.editor, Qt.Key.Key_Return)


async def stored(on, deal_id):
    return await read_opportunity(on.call(), deal_id)


class TestBoard:
    def test_every_stage_has_its_count_its_sums_and_its_cards(self, on_stage):
        async def body(stage):
            await filled(stage)
            page = await opened(stage)
            assert titles(page, "discovery") == ["Сайт"]
            assert sorted(titles(page, "proposal")) == ["Магазин", "Программа лояльности"]
            column = page.board.columns["proposal"]
            assert (column.count.text(), column.sums.text()) == ("2", "₽620,000 · €5,000")
            first = page.board.columns["discovery"].cards
            spoken = first.data(first.index(0), Qt.ItemDataRole.AccessibleTextRole)
            assert spoken == (
                "Сайт, Кофейня «Север», Discovery, €5,000, 10 %, late: 10 January, "
                "next step: позвонить, desktop"
            )

        on_stage(body)

    def test_a_card_is_carried_by_keyboard_and_taken_back(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await opened(stage)
            choose(page, "discovery", 0)
            stage.commands.run("crm.after")
            assert titles(page, "qualified") == ["Сайт"]  # at once, before it is stored
            await until(lambda: stage.toasts)
            assert (await stored(stage, deals[0].id)).opportunity.stage == "qualified"
            assert stage.toasts[0][0] == "1 deal moved: Qualified"
            assert page.board.columns["qualified"].list.hasFocus()
            stage.commands.run("undo")
            await until(lambda: titles(page, "discovery") == ["Сайт"])
            events = (await stored(stage, deals[0].id)).events
            assert [(e.from_stage, e.to_stage, e.reason) for e in events] == [
                ("qualified", "discovery", "taken back"),
                ("discovery", "qualified", None),
            ]
            stage.commands.run("undo")  # nothing is left to take back
            assert len((await stored(stage, deals[0].id)).events) == 2

        on_stage(body)

    def test_several_cards_are_dropped_on_another_stage(self, on_stage):
        async def body(stage):
            await filled(stage)
            page = await opened(stage)
            cards = choose(page, "proposal", 0, 1)
            assert page.board.bulk.isVisible()
            source, target = cards.model(), page.board.columns["negotiation"].cards
            carried = source.mimeData(cards.selectionModel().selectedIndexes())
            move = Qt.DropAction.MoveAction
            assert target.canDropMimeData(carried, move, -1, -1, QModelIndex())
            assert not target.dropMimeData(carried, move, -1, -1, QModelIndex())
            assert len(titles(page, "negotiation")) == 2
            await until(lambda: stage.toasts)
            found = await list_opportunities(stage.call(), ListOpportunities(stage="negotiation"))
            assert len(found.opportunities) == 2
            stage.toasts[0][2]()  # the button of the toast
            await until(lambda: len(titles(page, "proposal")) == 2)

        on_stage(body)

    def test_what_cannot_be_moved_goes_back_and_is_told(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await opened(stage)
            choose(page, "discovery", 0)
            page.hide()  # a page out of sight does not follow
            await archive_opportunity(stage.call(), deals[0].id)
            stage.commands.run("crm.after")
            await until(lambda: "archived" in stage.bar.text)
            await until(lambda: not titles(page, "qualified"))
            assert not stage.toasts

        on_stage(body)

    def test_a_stage_is_chosen_with_a_reason(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await opened(stage)
            choose(page, "discovery", 0)
            stage.commands.run("crm.move")
            form = dialog(page)
            enter(form, stage="lost", reason="Выбрали других")
            form.does.click()
            await until(lambda: stage.toasts)
            event = (await stored(stage, deals[0].id)).events[0]
            assert (event.to_stage, event.reason) == ("lost", "Выбрали других")

        on_stage(body)

    def test_keys_walk_between_stages_open_and_close(self, on_stage):
        async def body(stage):
            await filled(stage)
            page = await opened(stage)
            cards = choose(page, "discovery", 0)
            QTest.keyClick(cards, Qt.Key.Key_Right)  # qualified is empty
            proposal = page.board.columns["proposal"].list
            await until(proposal.hasFocus)
            assert not page.deal.isVisible()
            QTest.keyClick(proposal, Qt.Key.Key_Return)
            await until(lambda: page.deal.deal is not None)
            assert page.deal.isVisible()
            QTest.keyClick(proposal, Qt.Key.Key_Down)  # walking shows the next one
            second = page.board.columns["proposal"].cards.deals[1]
            await until(lambda: page.deal.deal.id == second.id)
            QTest.keyClick(proposal, Qt.Key.Key_Escape)
            assert not page.deal.isVisible()

        on_stage(body)

    def test_others_changes_appear_by_themselves(self, on_stage):
        async def body(stage):
            accounts, _ = await filled(stage)
            page = await opened(stage)
            choose(page, "discovery", 0)
            await deal(stage, accounts[1], "Новый портал")
            await until(lambda: "Новый портал" in titles(page, "discovery"))
            assert [one.title for one in page.board.chosen] == ["Сайт"]

        on_stage(body)

    def test_it_is_narrowed_by_words_days_and_owners(self, on_stage):
        async def body(stage):
            await filled(stage)
            page = await opened(stage)
            board = page.board
            board.search.setText("юг")
            await until(lambda: len(board.shown) == 2)
            board.search.clear()
            await until(lambda: len(board.shown) == 4)
            board.late.click()
            assert [one.title for one in board.shown] == ["Сайт"]
            assert board.columns["won"].count.text() == "0"
            board.late.click()
            board.owner.setCurrentIndex(board.owner.findData("Полина"))
            board.owner.activated.emit(board.owner.currentIndex())
            assert [one.title for one in board.shown] == ["Программа лояльности"]
            board.late.click()
            assert board.state is not None
            assert board.filtered
            board.state.findChild(QAbstractButton).click()
            await until(lambda: len(board.shown) == 4)
            assert board.state is None

        on_stage(body)

    def test_many_deals_of_a_stage_come_in_parts(self, on_stage):
        async def body(stage):
            of = await account(stage)
            first = await deal(stage, of, "Проект 0")

            def copies(db):
                db.execute(
                    """
                    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
                    INSERT INTO crm_opportunity (id, project_id, account_scope_id, account_id, title,
                        title_key, stage, stage_changed_at, amount_estimate, currency, probability,
                        next_step, created_at, updated_at, written_at)
                    SELECT printf('00000000-0000-4000-8000-%012d', i), project_id, account_scope_id,
                           account_id, 'Проект ' || i, 'проект ' || i, stage, stage_changed_at, 10,
                           currency, probability, next_step, created_at, updated_at, written_at
                    FROM n, crm_opportunity WHERE id = :id
                    """,
                    {"id": first.id},
                )

            await stage.tower.db.write(copies)
            page = await opened(stage)
            column = page.board.columns["discovery"]
            assert column.count.text() == "701"
            await until(lambda: len(column.cards.deals) == 701)
            assert column.sums.text() == "€12,000"

        on_stage(body)


class TestStates:
    def test_without_a_project(self, on_stage):
        async def body(stage):
            page = stage.show(CrmPage)
            assert page.no_project.isVisible()
            page.new_deal()
            page.new_offer()
            page.new_account()
            assert not page.findChildren(FieldsDialog)

        on_stage(body, project=False)

    def test_nothing_synced_leads_to_the_connectors(self, on_stage):
        async def body(stage):
            page = await opened(stage)
            await until(lambda: page.board.state is not None)
            page.board.state.findChild(QAbstractButton).click()
            assert stage.opened == ["connectors"]
            page.show_view("accounts")
            await until(lambda: page.accounts.list.state is not None)
            page.show_view("offers")
            await until(lambda: page.offers.list.state is not None)

        on_stage(body)

    def test_synced_without_deals_offers_to_add_one(self, on_stage, monkeypatch):
        async def body(stage):
            async def connections(_):
                one = Overview(
                    connector="attio", title="Attio", configured=True, account=None, bound=True, status="ok",
                    breaker="closed", last_success_at=AT, last_error=None, next_step=None, quarantined=0,
                    held_deletes=0,
                )  # fmt: skip
                return Overviews([one])

            monkeypatch.setattr("ctower_desktop.gui.crm_states.list_connections", connections)
            page = await opened(stage)
            await until(lambda: page.board.state is not None)
            page.board.state.findChild(QAbstractButton).click()
            await until(lambda: any(one.isVisible() for one in page.findChildren(FieldsDialog)))

        on_stage(body)

    def test_a_failure_is_told_and_can_be_tried_again(self, on_stage, monkeypatch):
        async def body(stage):
            await filled(stage)
            good = list_opportunities

            async def bad(*_):
                raise NotReady

            monkeypatch.setattr("ctower_desktop.gui.crm_board.list_opportunities", bad)
            page = await opened(stage)
            await until(lambda: page.board.state is not None)
            monkeypatch.setattr("ctower_desktop.gui.crm_board.list_opportunities", good)
            page.board.state.findChild(QAbstractButton).click()
            await until(lambda: len(page.board.shown) == 4)
            assert page.board.state is None

        on_stage(body)

    def test_another_project_leaves_nothing_behind(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await opened(stage)
            page.open_deal(deals[0].id)
            await until(lambda: page.deal.deal is not None)
            stage.project = None
            page.project_changed()
            assert page.no_project.isVisible()
            assert not page.deal.record_id

        on_stage(body)


class TestDeal:
    async def open(self, stage, deal_id):
        page = await opened(stage)
        page.open_deal(deal_id)
        await until(lambda: page.deal.deal is not None and page.deal.deal.id == deal_id)
        return page

    def test_facts_are_changed_in_place_and_taken_back(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await self.open(stage, deals[0].id)
            facts = page.deal.facts
            for count, (name, typed, shown) in enumerate((
                ("amount_estimate", "12 345,50", "€12,345.50"),
                ("probability", "65 %", "65 %"),
                ("expected_close_date", "15.12.2026", "15 December"),
                ("next_step", "Отправить договор", "Отправить договор"),
                ("owner_username", "Полина", "Полина"),
            ), 1):  # fmt: skip
                change(facts[name], typed)
                await until(lambda n=name, s=shown: facts[n].value.words == s)
                await until(lambda n=count: len(stage.toasts) == n)
            found = (await stored(stage, deals[0].id)).opportunity
            assert (found.amount_estimate, found.probability, found.owner_username) == (
                12345.5,
                0.65,
                "Полина",
            )
            assert found.expected_close_date.startswith("2026-12-15")
            for _ in range(5):
                before = len(stage.toasts)
                stage.commands.run("undo")
                await until(lambda n=before: len(stage.toasts) > n)
            back = (await stored(stage, deals[0].id)).opportunity
            for name in facts:
                assert getattr(back, name) == getattr(deals[0], name)

        on_stage(body)

    def test_what_cannot_be_is_said_beside_the_field(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await self.open(stage, deals[0].id)
            amount, step = page.deal.facts["amount_estimate"], page.deal.facts["next_step"]
            change(amount, "много")
            assert amount.editing
            assert amount.problem.text() == "This is not a number."
            QTest.keyClick(amount.editor, Qt.Key.Key_Escape)
            assert not amount.editing
            change(step, "ок")  # the door wants four letters
            await until(step.problem.text)
            assert step.editor.text() == "ок"
            assert (await stored(stage, deals[0].id)).opportunity.next_step == "позвонить"

        on_stage(body)

    def test_typing_outlasts_what_others_change(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await self.open(stage, deals[0].id)
            step = page.deal.facts["next_step"]
            step.value.click()
            step.editor.setText("начато")
            await page.deeds.edit_deal(deals[0].id, {"amount_estimate": 77.0})
            await until(lambda: page.deal.facts["amount_estimate"].value.words == "€77")
            assert step.editing
            assert step.editor.text() == "начато"

        on_stage(body)

    def test_what_is_yours_is_marked_and_given_back(self, on_stage):
        async def body(stage):
            theirs = await mirrored(stage)
            page = await self.open(stage, theirs.id)
            amount = page.deal.facts["amount_estimate"]
            assert not amount.release.isVisible()
            change(amount, "100")
            await until(lambda: amount.note.text() == "yours; Attio says: €9,000")
            amount.release.click()
            await until(lambda: amount.value.words == "€9,000")
            assert not amount.release.isVisible()
            stage.commands.run("undo")
            await until(lambda: amount.value.words == "€100")
            page.deal.stage.box.setCurrentIndex(page.deal.stage.box.findData("won"))
            page.deal.stage.box.activated.emit(page.deal.stage.box.currentIndex())
            await until(lambda: page.deal.stage.note.text() == "yours; Attio says: Qualified")
            page.deal.stage.release.click()
            await until(lambda: page.deal.deal.stage == "qualified")
            assert page.deal.events.texts[0].startswith("Won → Qualified · given back to the vendor")

        on_stage(body)

    def test_archived_restored_and_taken_back(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await self.open(stage, deals[0].id)
            page.deal.away.click()
            await until(page.deal.archived.isVisible)
            assert not page.deal.facts["title"].value.isEnabled()
            await until(lambda: "Сайт" not in titles(page, "discovery"))
            page.board.archived.click()
            await until(lambda: titles(page, "discovery") == ["Сайт"])
            choose(page, "discovery", 0)
            stage.commands.run("crm.archive")
            await until(lambda: not page.deal.archived.isVisible())
            stage.commands.run("undo")
            await until(page.deal.archived.isVisible)

        on_stage(body)

    def test_a_new_deal_asks_for_an_account_when_there_is_none(self, on_stage):
        async def body(stage):
            page = await opened(stage)
            page.new_deal()
            await until(lambda: any(one.isVisible() for one in page.findChildren(FieldsDialog)))
            form = dialog(page)
            enter(form, name="К")
            form.does.click()
            assert form._problems["name"].isVisible()
            enter(form, name="Кофейня")
            form.does.click()
            await until(
                lambda: any(
                    "account_id" in one.editors and one.isVisible() for one in page.findChildren(FieldsDialog)
                )
            )
            form = dialog(page)
            enter(form, title="Сайт", next_step="позвонить", amount_estimate="1500", probability="30")
            form.does.click()
            await until(lambda: page.deal.deal is not None)
            made = page.deal.deal
            assert (made.title, made.account_name, made.amount_estimate) == ("Сайт", "Кофейня", 1500.0)
            assert made.probability == pytest.approx(0.3)

        on_stage(body)

    def test_evidence_opens_where_it_was_written(self, on_stage):
        async def body(stage):
            await fill(stage)
            of = await account(stage)
            talk = f"cw:{stage.project.id}:1:318"
            refs = [
                {"source": "cw_conversations", "ref": talk, "snippet": "<b>Когда</b> запуск?"},
                {"source": "external", "ref": "звонок 3 ноября"},
            ]
            made = await deal(stage, of, evidence_refs=refs)
            page = await self.open(stage, made.id)
            assert page.deal.evidence.texts == [
                "Conversation · <b>Когда</b> запуск?",
                "Outside · звонок 3 ноября",
            ]
            page.deal.evidence.links[0].click()
            await until(lambda: page.deal.source is not None and page.deal.source.view is not None)
            page.deal.leave_source()
            assert page.deal.stack.currentWidget() is page.deal.area

        on_stage(body)


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_everything_is_named_and_nothing_is_cut_off(on_stage, qapp, language, scale):
    async def body(stage):
        text.set_language(language)
        theme.apply(qapp, "light", scale)
        accounts, _ = await filled(stage)
        theirs = await mirrored(stage)
        page = await opened(stage)
        await page.deeds.edit_deal(theirs.id, {"next_step": "очень длинный следующий шаг " * 9})
        for view, open_ in (
            ("board", lambda: page.open_deal(theirs.id)),
            ("accounts", lambda: page.open_account(accounts[0].id)),
        ):
            page.show_view(view)
            open_()
            await until(lambda: page.deal.deal is not None)
            await settled(page)
            assert [found for found in cut_off(page) if "Board" not in found and "Доска" not in found] == []
        kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView)
        nameless = [
            widget
            for kind in kinds
            for widget in stage.window.findChildren(kind)
            if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
            and not widget.accessibleName()
            and not isinstance(widget.parent(), QAbstractSpinBox | QComboBox)
            and widget.window() is stage.window
        ]
        assert nameless == []

    on_stage(body)
