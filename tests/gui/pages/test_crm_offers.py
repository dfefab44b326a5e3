"""CRM: accounts and offers over a real tower; from the first line of an offer to the file of its document."""

from __future__ import annotations

import csv
import io

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QFileDialog

from ctower_desktop.crm.actions import create_account, list_accounts, read_account
from ctower_desktop.crm.model import ListAccounts, NewAccount
from ctower_desktop.crm.offers.actions import create_offer, list_offers, read_offer
from ctower_desktop.crm.offers.model import NewItem, NewOffer
from ctower_desktop.gui import text, theme
from ctower_desktop.kernel.errors import NotReady
from tests.gui.conftest import until
from tests.gui.pages.test_crm import account, change, deal, dialog, enter, filled, opened
from tests.gui.pages.test_fit import cut_off, settled

ITEMS = [
    NewItem(title="Магазин", unit_price=1000.0),
    NewItem(title="Обучение", kind="addon", quantity=2, unit_price=50.0),
]


async def offer(on, title="Магазин", **values):
    return (await create_offer(on.call(), NewOffer(title=title, currency="EUR", **values))).offer


async def in_full(on, offer_id):
    return await read_offer(on.call(), offer_id)


async def view(stage, name):
    page = await opened(stage)
    page.show_view(name)
    part = page.accounts if name == "accounts" else page.offers
    await until(lambda: part.list.model.rows or part.list.state)
    return page, part


async def at_offer(stage, found):
    page = await opened(stage)
    page.open_offer(found.id)
    await until(lambda: page.offer.offer is not None and page.offer.offer.id == found.id)
    return page, page.offer


class TestAccounts:
    def test_the_list_opens_what_is_in_front(self, on_stage):
        async def body(stage):
            accounts, _ = await filled(stage)
            page, part = await view(stage, "accounts")
            assert {row.name for row in part.list.model.rows} == {"Кофейня «Север»", "ООО «Юг»"}
            place = next(n for n, row in enumerate(part.list.model.rows) if row.id == accounts[1].id)
            part.list.view.selectRow(place)
            await until(lambda: page.account.account is not None)
            assert page.account.heading.text() == "ООО «Юг»"
            assert page.account.summary.text().startswith("1 open deal · €5,000")
            assert page.account.deals.texts[0].split(" · ")[0] in ("Поддержка", "Программа лояльности")
            page.account.deals.links[0].click()
            await until(lambda: page.deal.deal is not None)
            assert page.view == "board"

        on_stage(body)

    def test_it_is_narrowed_and_widened(self, on_stage):
        async def body(stage):
            await filled(stage)
            _, part = await view(stage, "accounts")
            part.stages.chips["active"].click()
            await until(lambda: [row.name for row in part.list.model.rows] == ["ООО «Юг»"])
            part.search.setText("север")
            await until(lambda: part.list.state is not None)
            part.list.state.findChild(QAbstractButton).click()
            await until(lambda: len(part.list.model.rows) == 2)

        on_stage(body)

    def test_several_are_archived_and_brought_back(self, on_stage):
        async def body(stage):
            for name in ("Альфа", "Бета"):
                await create_account(stage.call(), NewAccount(name=name))
            page, part = await view(stage, "accounts")
            part.list.view.selectAll()
            assert part.chosen_words.text() == "2 chosen" or part.chosen_words.isVisible()
            part.away.click()
            await until(lambda: part.list.state is not None)
            assert stage.toasts[-1][0] == "2 accounts archived"
            stage.commands.run("undo")
            await until(lambda: len(part.list.model.rows) == 2)
            assert page.account.account is None or not page.account.account.archived

        on_stage(body)

    def test_one_with_open_deals_stays_and_says_why(self, on_stage):
        async def body(stage):
            accounts, _ = await filled(stage)
            _, part = await view(stage, "accounts")
            part.list.view.selectAll()
            part.away.click()
            await until(lambda: "open opportunities" in stage.bar.text)
            assert len((await list_accounts(stage.call(), ListAccounts())).accounts) == 2
            assert not (await read_account(stage.call(), accounts[0].id)).account.archived

        on_stage(body)

    def test_facts_are_changed_and_taken_back(self, on_stage):
        async def body(stage):
            accounts, _ = await filled(stage)
            page, part = await view(stage, "accounts")
            page.open_account(accounts[0].id)
            await until(lambda: page.account.account is not None)
            name, stage_of = page.account.facts["name"], page.account.facts["stage"]
            change(name, "Север и партнёры")
            await until(lambda: page.account.heading.text() == "Север и партнёры")
            stage_of.box.setCurrentIndex(stage_of.box.findData("inactive"))
            stage_of.box.activated.emit(stage_of.box.currentIndex())
            await until(lambda: page.account.account.stage == "inactive")
            await until(lambda: len(stage.toasts) == 2)
            for _ in range(2):
                before = len(stage.toasts)
                stage.commands.run("undo")
                await until(lambda n=before: len(stage.toasts) > n)
            back = (await read_account(stage.call(), accounts[0].id)).account
            assert (back.name, back.stage) == (accounts[0].name, accounts[0].stage)
            change(name, "ООО «Юг»")  # that name is taken
            await until(name.problem.text)
            assert len(part.list.model.rows) == 2

        on_stage(body)

    def test_ten_thousand_are_read_as_they_come_into_sight(self, on_stage):
        async def body(stage):
            first = await account(stage)

            def copies(db):
                db.execute(
                    """
                    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                    INSERT INTO crm_account (id, project_id, account_scope_id, name, name_key, stage,
                                             created_at, updated_at, written_at)
                    SELECT printf('00000000-0000-4000-8000-%012d', i), project_id, account_scope_id,
                           'Клиент ' || i, 'клиент ' || i, stage, created_at, updated_at, written_at
                    FROM n, crm_account WHERE id = :id
                    """,
                    {"id": first.id},
                )

            await stage.tower.db.write(copies)
            _, part = await view(stage, "accounts")
            model = part.list.model
            assert len(model.rows) == 200
            assert not part.list.view.isSortingEnabled()
            part.list.view.scrollToBottom()
            await until(lambda: len(model.rows) >= 400)
            chosen = model.rows[250].id
            part.list.choose(chosen)
            await stage.put("UPDATE crm_account SET name = 'Другой', updated_at = '2026-12-01T00:00:00.000Z' "
                            "WHERE id = :id", id=model.rows[300].id)  # fmt: skip
            await until(lambda: model.rows[0].name == "Другой")
            assert len(model.rows) >= 400
            assert part.list.front.id == chosen
            assert len(await part.list.everything()) == 10_001

        on_stage(body)


class TestOffers:
    def test_from_a_deal_to_the_signature(self, on_stage):
        async def body(stage):
            _, deals = await filled(stage)
            page = await opened(stage)
            page.open_deal(deals[1].id)
            await until(lambda: page.deal.deal is not None)
            page.deal.offer.click()
            form = dialog(page)
            assert form.typed("title") == "Магазин"
            assert form.typed("subtotal") == "620000"
            enter(form, discount_pct="10", language="ru", valid_until="31.12.2026")
            form.does.click()
            await until(lambda: page.offer.offer is not None)
            pane = page.offer
            assert pane.offer.opportunity_id == deals[1].id
            assert (pane.status.text(), pane.total.text()) == ("Draft", "Total: ₽558,000")
            for step, status in (
                ("approve_discount", "Approved"),
                ("approve_send", "Sent"),
                ("sign", "Signed"),
            ):
                assert pane.steps[step].isVisible()
                pane.steps[step].click()
                form = dialog(page)
                enter(form, comment=f"да: {step}")
                form.does.click()
                await until(lambda s=status: pane.status.text() == s)
            assert [one.split(" · ")[0] for one in pane.approvals.texts] == [
                "Signed by the client", "Approved and sent", "Discount approved",
            ]  # fmt: skip
            assert "да: sign" in pane.approvals.texts[0]
            assert not pane.facts["title"].value.isEnabled()
            assert not any(button.isVisible() for button in pane.steps.values())
            await until(lambda: "Магазин" in pane.document.sheet.toPlainText())
            page.open_deal(deals[1].id)
            await until(lambda: page.deal.offers.texts == ["Магазин · Signed · ₽558,000"])

        on_stage(body)

    def test_lines_are_typed_kept_and_taken_back(self, on_stage):
        async def body(stage):
            found = await offer(stage, items=ITEMS)
            _, pane = await at_offer(stage, found)
            model = pane.lines.model
            assert not pane.lines.dirty
            assert not pane.facts["subtotal"].value.isEnabled()  # the lines make the price
            assert model.setData(model.index(0, 3), "1 200,50")
            assert not model.setData(model.index(0, 2), "много")
            assert pane.lines.problem.text()
            pane.lines.add.click()
            assert model.setData(model.index(2, 0), "Скидка за срок")
            assert model.setData(model.index(2, 1), "discount")
            assert model.setData(model.index(2, 3), "100")
            assert pane.lines.dirty
            pane.lines.keep.click()
            await until(lambda: pane.total.text() == "Total: €1,200.50")
            assert pane.granted.text() == "7.7 % let off"
            assert not pane.lines.dirty
            stage.commands.run("undo")
            await until(lambda: pane.total.text() == "Total: €1,100")
            assert [item.title for item in (await in_full(stage, found.id)).items] == ["Магазин", "Обучение"]
            assert len(model.lines) == 2
            pane.lines.view.setCurrentIndex(model.index(1, 0))
            pane.lines.remove.click()
            pane.lines.leave.click()
            assert len(model.lines) == 2

        on_stage(body)

    def test_lines_that_cannot_be_are_refused(self, on_stage):
        async def body(stage):
            found = await offer(stage, items=ITEMS)
            _, pane = await at_offer(stage, found)
            model = pane.lines.model
            model.setData(model.index(0, 1), "discount")
            pane.lines.keep.click()
            await until(pane.lines.problem.text)
            assert pane.lines.dirty
            assert (await in_full(stage, found.id)).offer.total == 1100.0

        on_stage(body)

    def test_facts_are_changed_and_taken_back(self, on_stage):
        async def body(stage):
            found = await offer(stage, subtotal=1000.0)
            _, pane = await at_offer(stage, found)
            change(pane.facts["discount_pct"], "12,5")
            await until(lambda: pane.total.text() == "Total: €875")
            assert pane.status.text() == "Draft"  # it lets something off: somebody has to agree
            await until(lambda: stage.toasts)
            stage.commands.run("undo")
            await until(lambda: pane.status.text() == "Approved")
            change(pane.facts["discount_pct"], "120")
            await until(pane.facts["discount_pct"].problem.text)
            notes = pane.facts["notes"]
            notes.value.click()
            notes.editor.setPlainText("Первая строка\nВторая")
            notes.keep()
            await until(lambda: pane.offer.notes == "Первая строка\nВторая")

        on_stage(body)

    def test_a_rejected_one_is_written_anew(self, on_stage):
        async def body(stage):
            found = await offer(stage, subtotal=1000.0)
            page, pane = await at_offer(stage, found)
            pane.steps["reject"].click()
            dialog(page).does.click()
            await until(lambda: pane.status.text() == "Rejected")
            pane.renew.click()
            await until(lambda: pane.offer.version == 2)
            assert pane.offer.previous_id == found.id
            await until(lambda: len(page.offers.list.model.rows) == 2)
            assert {page.offers._title(row) for row in page.offers.list.model.rows} == {
                "Магазин", "Магазин · version 2",
            }  # fmt: skip

        on_stage(body)

    def test_the_list_is_searched_and_narrowed(self, on_stage):
        async def body(stage):
            of = await account(stage)
            await offer(stage, "Портал", account_id=of.id)
            await offer(stage, "Сайт", discount_pct=10.0)
            _, part = await view(stage, "offers")
            assert len(part.list.model.rows) == 2
            part.search.setText("север портал")
            await until(lambda: [row.title for row in part.list.model.rows] == ["Портал"])
            part.search.clear()
            part.states.chips["draft"].click()
            await until(lambda: [row.title for row in part.list.model.rows] == ["Сайт"])
            part.states.chips["signed"].click()
            await until(lambda: part.list.state is not None)
            part.widen()
            await until(lambda: len(part.list.model.rows) == 2)
            assert part.list.state is None

        on_stage(body)

    def test_a_list_that_cannot_be_read_says_so(self, on_stage, monkeypatch):
        async def body(stage):
            await offer(stage)

            async def bad(*_):
                raise NotReady

            good = list_offers
            monkeypatch.setattr("ctower_desktop.gui.crm_lists.list_offers", bad)
            _, part = await view(stage, "offers")
            await until(lambda: part.list.state is not None)
            monkeypatch.setattr("ctower_desktop.gui.crm_lists.list_offers", good)
            part.list.state.findChild(QAbstractButton).click()
            await until(lambda: part.list.model.rows)

        on_stage(body)


class TestDocument:
    def test_what_customers_wrote_is_text_and_nothing_is_fetched(self, on_stage):
        async def body(stage):
            evil = "<img src=file:///etc/passwd> ![x](https://evil.example/p.png) <script>alert(1)</script>"
            found = await offer(stage, evil, subtotal=10.0, notes=f"[тут](https://evil.example) {evil}")
            _, pane = await at_offer(stage, found)
            sheet = pane.document.sheet
            await until(lambda: "script" in sheet.toPlainText())
            assert "![x](https://evil.example/p.png)" in sheet.toPlainText()
            assert "<img" not in sheet.toHtml()
            assert "<a href" not in sheet.toHtml()
            assert sheet.loadResource(2, "https://evil.example/p.png") is None
            assert not sheet.openLinks()
            assert pane.heading.textFormat() is Qt.TextFormat.PlainText

        on_stage(body)

    @pytest.mark.parametrize(("form", "begins"), [("pdf", b"%PDF-"), ("markdown", "# Коммерческое".encode())])
    def test_it_is_saved_as_a_file(self, on_stage, tmp_path, form, begins):
        async def body(stage):
            found = await offer(stage, "Сайт: версия/1", subtotal=10.0, language="ru")
            page, pane = await at_offer(stage, found)
            (pane.document.pdf if form == "pdf" else pane.document.markdown).click()
            await until(lambda: page.findChildren(QFileDialog))
            asked = page.findChildren(QFileDialog)[0]
            target = tmp_path / "offer.out"
            asked.fileSelected.emit(str(target))
            await until(lambda: stage.toasts)
            assert target.read_bytes().startswith(begins)
            asked.fileSelected.emit(str(tmp_path / "nowhere" / "offer.pdf"))
            await until(lambda: "could not be written" in stage.bar.text)

        on_stage(body)


class TestExport:
    def test_what_is_on_screen_without_formulas(self, on_stage, tmp_path):
        async def body(stage):
            accounts, _ = await filled(stage)
            await deal(stage, accounts[0], "=HYPERLINK(1)|a")
            page = await opened(stage)
            page.board.search.setText("hyperlink")
            await until(lambda: len(page.board.shown) == 1)
            stage.commands.run("crm.csv")
            await until(lambda: page.findChildren(QFileDialog))
            page.findChildren(QFileDialog)[0].fileSelected.emit(str(tmp_path / "deals.csv"))
            await until(lambda: stage.toasts)
            lines = list(csv.reader(io.StringIO((tmp_path / "deals.csv").read_text("utf-8-sig"))))
            assert lines[0][:4] == ["Title", "Account", "Stage", "Amount"]
            assert lines[1][:4] == ["'=HYPERLINK(1)|a", "Кофейня «Север»", "Discovery", "5000.0"]
            assert len(lines) == 2
            stage.commands.run("crm.markdown")
            await until(lambda: len(page.findChildren(QFileDialog)) == 2)
            page.findChildren(QFileDialog)[1].fileSelected.emit(str(tmp_path / "deals.md"))
            await until(lambda: len(stage.toasts) == 2)
            told = (tmp_path / "deals.md").read_text()
            assert told.startswith("# Deals\n\n| Title | Account |")
            assert "HYPERLINK(1)\\|a | Кофейня «Север» | Discovery | 5000 | EUR | 10 |" in told

        on_stage(body)

    def test_every_view_has_its_table(self, on_stage):
        async def body(stage):
            await filled(stage)
            await offer(stage)
            page = await opened(stage)
            found = {}
            for name in ("board", "accounts", "offers"):
                page.show_view(name)
                found[name] = await page.sheet()
            assert {name: len(sheet.rows) for name, sheet in found.items()} == {
                "board": 4, "accounts": 2, "offers": 1,
            }  # fmt: skip
            assert all(len(row) == len(sheet.columns) for sheet in found.values() for row in sheet.rows)
            assert found["offers"].rows[0][0] == "Магазин"

        on_stage(body)


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_nothing_of_an_offer_is_cut_off(on_stage, qapp, language, scale):
    async def body(stage):
        text.set_language(language)
        theme.apply(qapp, "light", scale)
        found = await offer(stage, "Очень длинное название предложения " * 4, items=ITEMS, discount_pct=5.0)
        page, pane = await at_offer(stage, found)
        await until(pane.document.sheet.toPlainText)
        await settled(page)
        assert cut_off(page) == []

    on_stage(body)
