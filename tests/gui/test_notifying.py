"""Notifications: what is new and matters, once, grouped, not in quiet hours, not when switched off."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from PySide6.QtWidgets import QFrame, QLabel

from ctower_desktop.gui.appearance import Notifications
from ctower_desktop.gui.notifying import Discretion, Newly, Notice, grouped, harmless
from ctower_desktop.gui.sidebar import Source
from ctower_desktop.gui.travel import Place
from ctower_desktop.gui.tray import Tray
from ctower_desktop.kernel.regional import Regional
from ctower_desktop.reports.queue import QueueItem
from tests.gui.conftest import until

DAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
UTC_TIME = Regional(time_zone="UTC")
ON = Notifications()


def item(kind="signal", id_="1", urgency=4, title="Клиент недоволен", about="Ольга"):
    return QueueItem(
        kind=kind, id=id_, project_id="p", project_name="P", account_scope_id="s", title=title, about=about,
        place="", since="2026-11-20T10:00:00.000Z", due=None, weight=urgency, status="proposed", stamp="x",
        amount=None, currency=None, urgency=urgency, late=False, deeds=[], put_aside=False, until=None,
    )  # fmt: skip


def notice(kind="clients", text="Когда запуск?"):
    return Notice(kind, "Ольга", text, Place("today"))


class TestNewly:
    def test_the_first_look_tells_nothing(self):
        assert Newly().urgent([item()]) == []

    def test_only_what_is_new_and_urgent_once(self):
        newly = Newly()
        newly.urgent([item()])
        assert newly.urgent([item(), item(id_="2", urgency=3), item("offer", "9")]) == []
        found = newly.urgent([item(), item(id_="2"), item("waiting", "7")])
        assert [(one.kind, one.title) for one in found] == [
            ("signals", "A new severe signal"),
            ("clients", "Ольга waits for an answer"),
        ]
        assert newly.urgent([item(), item(id_="2"), item("waiting", "7")]) == []
        assert newly.urgent([]) == []
        assert newly.urgent([item(id_="2")]) == [], "what comes back is not new"

    def test_a_source_that_fails_again_and_again_is_told_when_it_begins(self):
        newly = Newly()
        good = Source("chatwoot", "Chatwoot", "success", "just now")
        bad = Source("chatwoot", "Chatwoot", "warning", "will be retried", failed=True)
        assert newly.failed([good]) == []
        assert [one.title for one in newly.failed([bad])] == ["Chatwoot could not be read"]
        assert newly.failed([bad]) == []
        newly.failed([good])
        assert len(newly.failed([bad])) == 1


class TestDiscretion:
    def test_quiet_hours_hold_back_and_tell_in_one_line(self):
        discretion = Discretion()
        assert discretion.pass_([notice()] * 2, NIGHT, ON, UTC_TIME) == []
        assert discretion.pass_([notice()] * 2, NIGHT, ON, UTC_TIME) == []
        (told,) = discretion.pass_([], DAY, ON, UTC_TIME)
        assert told.title == "4 clients wait for an answer"
        assert discretion.pass_([], DAY, ON, UTC_TIME) == []

    def test_what_is_switched_off_is_not_told(self):
        off = Notifications(clients=False)
        told = Discretion().pass_([notice(), notice("signals")], DAY, off, UTC_TIME)
        assert [one.kind for one in told] == ["signals"]
        assert Discretion().pass_([notice()], DAY, Notifications(enabled=False), UTC_TIME) == []

    def test_two_are_two_and_three_are_one(self):
        assert len(grouped([notice()] * 2)) == 2
        assert len(grouped([notice()] * 3)) == 1


def test_the_desktop_gets_no_markup():
    assert "<" not in harmless("<img src='file:///etc/passwd'> <b>a</b>")


def test_without_a_notification_area_there_is_no_icon_and_no_error(qtbot):
    window = QFrame()
    qtbot.addWidget(window)
    tray = Tray(window, lambda: None, lambda: None, lambda: None)
    assert not tray.can_tell
    tray.tell("a", "b", lambda: None)
    tray.put_away()


class Heard:
    """A notification area that listens."""

    def __init__(self):
        self.told, self.can_tell = [], True

    def tell(self, title, text, chosen):
        self.told.append((title, text, chosen))

    def put_away(self):
        pass


async def new_signal(window, tower):
    at = tower.clock.text()
    row = {
        "id": "00000000-0000-4000-8000-000000000001", "project_id": window._project.id,
        "account_scope_id": window._project.account_scope_id, "signal_type": "delivery_risk", "severity": 5,
        "confidence": 0.9, "summary": "<b>Уходит</b>", "source_kind": "conversation", "source_ref": "x",
        "story": 1, "dedupe_key": "k", "language": "ru", "started_at": at, "last_seen_at": at,
        "created_at": at, "updated_at": at,
    }  # fmt: skip

    def write(db):
        places = ", ".join(f":{name}" for name in row)
        db.execute(f"INSERT INTO signal ({', '.join(row)}) VALUES ({places})", row)

    await tower.db.write(write)


@pytest.mark.qt_log_ignore("does not support raise")
@pytest.mark.parametrize("there", [True, False])
def test_a_severe_signal_reaches_the_user_and_leads_to_the_queue(on_window, clock, there):
    async def body(window, tower):
        await until(lambda: window._project)
        await tower.settings.change(Regional, {"quiet_begins": "00:00", "quiet_ends": "00:00"})
        heard = Heard()
        heard.can_tell = there
        window.watch.tray = heard
        window.isActiveWindow = lambda: False
        window.open_page("settings")
        window.watch._pause.setInterval(0)
        window.watch.look()
        await until(lambda: window.watch._newly._queue is not None)
        await new_signal(window, tower)
        await until(lambda: window.watch.told)
        assert window.watch.told[0].kind == "signals"
        if there:
            title, text, chosen = heard.told[0]
            assert (title, text) == ("A new severe signal", "‹b›Уходит‹/b›")
            chosen()
            assert window.stack.name == "today"
        else:
            assert any("A new severe signal" in label.text() for label in window.findChildren(QLabel))

    on_window(body, projects=("Кофейня",))
