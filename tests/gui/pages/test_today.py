"""The page Today: one queue over real rows, decided by key, put aside, taken back, followed live."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget

from ctower_desktop.crm.actions import create_account
from ctower_desktop.crm.model import NewAccount
from ctower_desktop.crm.offers.actions import create_offer, read_offer
from ctower_desktop.crm.offers.model import NewOffer
from ctower_desktop.gui import text
from ctower_desktop.gui.pages.today import TodayPage
from ctower_desktop.gui.signals_view import SignalDetail
from ctower_desktop.gui.thread import ConversationView
from ctower_desktop.gui.today_tiles import _health
from ctower_desktop.gui.widgets import Label
from ctower_desktop.inbox.outbound.actions import draft_outbound, read_outbound
from ctower_desktop.inbox.outbound.model import NewOutbound
from ctower_desktop.insight.signals.actions import extract_signals, list_signals
from ctower_desktop.insight.signals.model import ListSignals
from ctower_desktop.kernel.errors import StorageFailure
from tests.gui.conftest import until
from tests.insight.signals.conftest import Sources


async def filled(stage, clock) -> Sources:
    """A client who waits, a signal, an overdue issue, an offer and a message to approve."""
    sources = Sources(stage.call(), clock)
    talk = await sources.talk(1, contact=await sources.contact(1, "Анна Петрова"))
    await sources.say(talk, "У нас задержка, всё заблокировано <b>опять</b>!", hours=3)
    await sources.issue(1, due="2026-11-01")
    await extract_signals(stage.call())
    account = (await create_account(stage.call(), NewAccount(name="Север"))).account
    await create_offer(
        stage.call(),
        NewOffer(title="Сайт", account_id=account.id, currency="EUR", subtotal=5000.0, discount_pct=10.0),
    )
    await draft_outbound(
        stage.call(),
        NewOutbound(
            channel="email",
            recipient_ref="anna@north.example",
            idempotency_key="1",
            payload={"subject": "Смета", "text": "Добрый день"},
        ),
    )
    return sources


async def ready(page) -> None:
    """Until the queue and the one in front have been read."""
    await until(lambda: page.queue.listing.model.rows and page.queue._shown_key is not None)


def kinds(page) -> list[str]:
    return [item.kind for item in page.queue.listing.model.rows]


async def bring(page, kind: str) -> None:
    """Bring the first of a kind to the front."""
    queue = page.queue
    place = kinds(page).index(kind)
    queue.listing.view.selectRow(place)
    await until(lambda: queue._shown_key == queue.key(queue.listing.model.rows[place]))


async def press(page, key) -> None:
    """A key, as from the keyboard: shortcuts see it only in the active window."""
    await until(lambda: page.window().activateWindow() or page.window().isActiveWindow())
    page.queue.listing.view.setFocus()
    QTest.keyClick(page.queue.listing.view, key)


def test_everything_stands_in_one_queue_with_its_words(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        assert set(kinds(page)) == {"waiting", "signal", "issue", "offer", "outbound"}
        rows = page.queue.listing.model.rows
        assert [row.urgency for row in rows] == sorted((row.urgency for row in rows), reverse=True)
        said = page.queue.line(next(row for row in rows if row.kind == "waiting")).spoken
        for words in ("задержка", "Анна Петрова", "Client waits", "Кофейня «Север»"):
            assert words in said
        assert "1 client waits" in page.summary.text()

    on_stage(body)


def test_each_kind_opens_its_record(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        facts = page.queue.facts
        await bring(page, "waiting")
        assert isinstance(facts.widget(), ConversationView)
        await bring(page, "signal")
        assert isinstance(facts.widget(), SignalDetail)
        await bring(page, "issue")
        assert facts.widget().heading.text()
        await bring(page, "offer")
        assert facts.widget().heading.text() == "Сайт"
        await bring(page, "outbound")
        assert facts.widget().heading.text() == "Смета"

    on_stage(body)


def test_a_signal_is_accepted_by_key_and_taken_back(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        await bring(page, "signal")
        signal = page.queue.listing.front.id
        await press(page, Qt.Key.Key_A)
        await until(lambda: signal not in [row.id for row in page.queue.listing.model.rows])
        found = (await list_signals(stage.call(), ListSignals(status="accepted"))).signals
        assert [one.id for one in found] == [signal]
        await until(lambda: stage.toasts)
        stage.commands.run("undo")
        await until(lambda: signal in [row.id for row in page.queue.listing.model.rows])

    on_stage(body)


def test_put_aside_until_tomorrow_and_back(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        await bring(page, "waiting")
        await press(page, Qt.Key.Key_H)
        await until(lambda: "waiting" not in kinds(page))
        assert "1 put aside" in page.summary.text()
        page.queue.scope.choose("aside")
        await until(lambda: kinds(page) == ["waiting"])
        assert "put aside until" in page.queue.line(page.queue.listing.model.rows[0]).meta
        await press(page, Qt.Key.Key_U)
        await until(lambda: not page.queue.listing.model.rows)
        page.queue.scope.choose("")
        await until(lambda: "waiting" in kinds(page))

    on_stage(body)


def test_several_are_dismissed_together_and_taken_back_together(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        count = len(kinds(page))
        page.queue.listing.view.selectAll()
        await press(page, Qt.Key.Key_D)
        await until(lambda: not page.queue.listing.model.rows)
        assert stage.toasts[-1][0] == f"{count} dismissed"
        stage.commands.run("undo")
        await until(lambda: len(kinds(page)) == count)

    on_stage(body)


def test_a_message_is_approved_and_taken_back(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        await bring(page, "outbound")
        message = page.queue.listing.front.id
        await press(page, Qt.Key.Key_A)
        await until(lambda: "outbound" not in kinds(page))
        assert (await read_outbound(stage.call(), message)).outbound.status == "approved"
        stage.commands.run("undo")
        await until(lambda: "outbound" in kinds(page))

    on_stage(body)


def test_an_offer_asks_before_its_next_step(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        await bring(page, "offer")
        offer = page.queue.listing.front
        dialog = page.queue.ask_offer(offer)
        assert "not taken back" in dialog.findChildren(type(page.summary))[1].text()
        dialog.send()
        await until(lambda: stage.toasts)
        assert (await read_offer(stage.call(), offer.id)).offer.status == "approved"

    on_stage(body)


def test_the_queue_follows_what_happens(on_stage, clock):
    async def body(stage):
        sources = await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        talk = await sources.talk(2, contact=await sources.contact(2, "Борис"))
        await sources.say(talk, "Добрый день, где счёт?", hours=1)
        await until(lambda: kinds(page).count("waiting") == 2)

    on_stage(body)


def test_tiles_say_their_figures_and_lead_on(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await until(lambda: page.tiles.tiles)
        by_title = {tile.title.text(): tile for tile in page.tiles.tiles}
        assert by_title["Clients who wait"].value.text() == "1"
        assert by_title["Overdue issues"].value.text() == "1"
        assert all(tile.accessibleName() and tile.accessibleDescription() for tile in page.tiles.tiles)
        QTest.keyClick(by_title["Health"], Qt.Key.Key_Return)
        assert stage.opened == ["portfolio"]

    on_stage(body)


@pytest.mark.parametrize(
    ("score", "course", "value", "look"),
    [(0.0, [], "—", "text_1"), (0.0, [0.0], "0.0", "danger"), (92.0, [90.0, 92.0], "92.0", "success")],
)
def test_health_that_nobody_counted_is_not_bad(score, course, value, look):
    figure = _health(score, course)
    assert (figure.value, figure.look) == (value, look)


def test_nothing_filtered_and_without_a_project(on_stage, clock):
    async def body(stage):
        page = stage.show(TodayPage)
        await until(lambda: page.queue.listing.state is not None)
        assert "Nothing has come in yet" in _words(page.queue.listing.state)
        await filled(stage, clock)
        page.queue.refresh()
        await ready(page)
        page.queue.search.setText("there is no such thing")
        await until(lambda: page.queue.listing.state is not None)
        assert "Nothing fits these filters" in _words(page.queue.listing.state)
        page.queue.show_all()
        await until(lambda: page.queue.listing.model.rows and page.queue.listing.state is None)

    on_stage(body)

    async def bare(stage):
        page = stage.show(TodayPage)
        await until(lambda: page.queue.listing.state is not None)
        assert "No project yet" in _words(page.queue.listing.state)
        assert not page.tiles.isVisible()

    on_stage(bare, project=False)


def test_a_failure_is_said_and_can_be_tried_again(on_stage, clock, monkeypatch):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)

        async def broken(*_args):
            raise StorageFailure("The database does not answer.")

        monkeypatch.setattr("ctower_desktop.gui.today_view.read_queue", broken)
        page.queue.refresh()
        await until(lambda: page.queue.listing.state is not None)
        assert "could not be read" in _words(page.queue.listing.state)
        monkeypatch.undo()
        page.queue.listing.start_over()
        await ready(page)

    on_stage(body)


def test_saved_as_a_table(on_stage, clock):
    async def body(stage):
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        sheet = await page.queue.sheet()
        assert sheet.columns[:2] == ["Urgency", "What"]
        assert len(sheet.rows) == len(kinds(page))

    on_stage(body)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_whatever_takes_the_focus_has_a_name(on_stage, clock, language):
    async def body(stage):
        text.set_language(language)
        await filled(stage, clock)
        page = stage.show(TodayPage)
        await ready(page)
        await asyncio.sleep(0.1)
        nameless = [
            widget
            for widget in page.findChildren(QWidget)
            if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
            and widget.isVisible()
            and not widget.accessibleName()
            and not isinstance(widget, QLabel)  # its words are its name
        ]
        assert nameless == []

    on_stage(body)


def _words(state) -> str:
    return " ".join(label.text() for label in state.findChildren(Label))
