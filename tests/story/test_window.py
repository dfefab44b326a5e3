"""The real window on a real X server: from the first start to a message at the client, by the keyboard alone.

Keys come from the X server, the window is read as a screen reader reads it (`watched.py`), and what came of
it is looked up where it counts: at the vendors, at the tower's own door, and in the database file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from ctower_desktop.app import MIGRATIONS
from ctower_desktop.gui import text
from ctower_desktop.gui.text import said, tr
from ctower_desktop.kernel.database import migrate
from ctower_desktop.sandbox.agency import load
from ctower_desktop.sandbox.attio import Attio
from ctower_desktop.sandbox.chatwoot import Chatwoot
from ctower_desktop.sandbox.chatwoot_state import Conversation
from ctower_desktop.sandbox.demo import Demo, fill
from ctower_desktop.sandbox.host import hosted_aside
from ctower_desktop.sandbox.linear import Linear
from ctower_desktop.sandbox.loops import Loops
from tests.story.conftest import ANY_PORTS, OWNER, Program, signed_in
from tests.story.screen import WATCHED, Piece, Row, Screen, Sight, x_server

pytestmark = pytest.mark.slow

QUESTION = "SEV-142 эквайринг: что с ключами?"
REPLY = "Да, ключи придут в среду. Спасибо!"
NEWS = "Ключи пришли, спасибо."
COUNTED = "SELECT count(*) FROM message WHERE content = ?"
NO_QUIET_HOURS = {"CTOWER_REGIONAL_QUIET_BEGINS": "00:00", "CTOWER_REGIONAL_QUIET_ENDS": "00:00"}
Begin = Callable[..., AbstractContextManager[Screen]]


@pytest.fixture
def display() -> Iterator[dict[str, str]]:
    with x_server() as environment:
        yield environment


@pytest.fixture
def _in_russian() -> Iterator[None]:
    """The words that are looked for are the Russian ones."""
    text.set_language("ru")
    yield
    text.set_language("en")


@pytest.fixture
def agency() -> Iterator[tuple[Demo, dict[str, str]]]:
    """The demo agency at its vendors, of which the program is told nothing but what is typed into it."""

    def clock() -> datetime:
        return datetime.now(UTC)

    chatwoot, linear, attio = Chatwoot(clock), Linear(clock), Attio(clock)
    demo = fill(load(), chatwoot, linear, attio, Loops(clock), now=clock())
    with hosted_aside(chatwoot=chatwoot, linear=linear, attio=attio) as aside:
        yield demo, aside.urls


@pytest.fixture
def on_screen(start: Callable[..., Program], display: dict[str, str], tmp_path: Path) -> Begin:
    """Start the program and look at its window."""
    environment = {**OWNER, **NO_QUIET_HOURS, **display}

    @contextmanager
    def begin() -> Iterator[Screen]:
        address = tmp_path / "screen"
        program = start(*ANY_PORTS, environment=environment, code=(str(WATCHED), str(address)))
        with closing(Screen(program, address, display)) as screen:
            screen.take()
            yield screen

    return begin


def stored(home: Path, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
    """Rows of the database file of a program that has ended; the file is sound."""
    db = apsw.Connection(str(home / "ctower.db"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        assert db.pragma("integrity_check") == "ok"
        return list(db.execute(sql, values))
    finally:
        db.close()


def ends_well(program: Program, began: float) -> None:
    """The promise of the launch contract: the end comes within five seconds, and cleanly."""
    assert program.process.wait(10) == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in program.complaints()


# -- the chapters


def begin(screen: Screen) -> None:
    """Language and the name of the project."""
    screen.until_at("Language: English")
    screen.press("Left")
    screen.until_says(tr("Welcome to the tower"))
    screen.do(tr("Next"))
    screen.until_at(tr("Name of the project"))
    screen.write("Кофейня Север")
    screen.press("Return")
    screen.until_says(tr("Where your data come from"))


def connect(screen: Screen, entries: dict[str, str]) -> None:
    """Fill the form in front, as far as it is not filled yet, and connect."""
    for name, value in entries.items():
        screen.fill(said(name), value)
    screen.do(tr("Connect"))


def connect_everything(screen: Screen, demo: Demo, urls: dict[str, str]) -> None:
    """Three vendors; the first at first with a wrong token, of which nothing is kept."""
    screen.until_at(said("Address"))
    account = {"Address": urls["chatwoot"], "Account": str(demo.chatwoot.account_id)}
    connect(screen, account | {"Access token": "wrong"})
    screen.until_says(tr("It does not work yet; nothing was stored."))
    connect(screen, {"Access token": demo.chatwoot.administrator.token})
    screen.until_says(tr("{vendor}: connected", vendor="Chatwoot"))
    screen.until_at(said("Address"))
    connect(screen, {"Address": f"{urls['linear']}/graphql", "API key": demo.linear.token})
    screen.until_says(tr("{vendor}: connected", vendor="Linear"))
    screen.until_at(said("Address"))
    connect(screen, {"Address": urls["attio"], "Access token": demo.attio.token})
    screen.until_says(tr("{vendor}: connected", vendor="Attio"))
    screen.do(tr("Next"))


def all_synced(url: str, demo: Demo) -> None:
    """The first sync has brought everything there is, as the tower's own door tells it."""
    deadline = time.monotonic() + 40
    with signed_in(url) as client:
        while True:
            state = {
                c["connector"]: c["status"] for c in client.get("/connectors/state").json()["connectors"]
            }
            if state == {"attio": "ok", "chatwoot": "ok", "linear": "ok"}:
                break
            assert time.monotonic() < deadline, state
            time.sleep(0.1)
        there = client.get("/lightrag/status").json()["sources"]
    assert there["linear_issues_total"] == len(demo.issues)
    assert there["messages_total"] > 600, "all three clients' conversations"


def ask(screen: Screen) -> None:
    """The model is left as it is; the question of the last step is answered from what was just read."""
    screen.until_says(tr("How texts are understood"))
    screen.do(tr("Next"))
    screen.until_at(tr("Ask about the project…"))
    screen.write(QUESTION)
    screen.press("Return")
    answer = screen.until(lambda sight: _cited(sight.named(tr("Answer"))), "an answer with evidence")
    assert "SEV-142" in answer
    assert screen.look().says(tr("Evidence {number}: {about}", number=1, about="").strip())


def _cited(answer: Piece | None) -> str | None:
    return answer.text if answer is not None and "cite:" in answer.text else None


def answer_client(screen: Screen, demo: Demo, talk: Conversation) -> None:
    """From the list to the message at the client: found, answered, approved, sent, each by its key."""
    screen.open_page(tr("Inbox"))
    screen.fill(tr("Search conversations"), talk_words(demo, talk))
    screen.until(lambda sight: len(rows(sight)) == 1, "one conversation")
    screen.go_to(tr("Conversations"))
    screen.press("r")
    screen.until_at(tr("Reply"))
    screen.write(REPLY)
    screen.press("ctrl+Return")
    screen.until(lambda sight: sight.usable(tr("Approve")), "a draft")
    assert said_by_us(talk) == []
    screen.press("a")
    screen.until(lambda sight: sight.usable(tr("Send now")), "an approved message")
    assert said_by_us(talk) == []
    screen.press("s")
    screen.until_says(tr("Sent."))
    assert said_by_us(talk) == [REPLY]


def rows(sight: Sight) -> tuple[Row, ...]:
    """The conversations in sight."""
    found = sight.named(tr("Conversations"))
    return found.rows if found is not None else ()


def talk_words(demo: Demo, talk: Conversation) -> str:
    """What finds this conversation and no other."""
    return demo.chatwoot.contacts[talk.contact_id].name


def said_by_us(talk: Conversation) -> list[str]:
    """What the client got from this test."""
    return [message.content for message in talk.messages if message.content == REPLY]


def to_be_synced(screen: Screen) -> None:
    """The page of the sources has read how they are."""
    for vendor in ("Chatwoot", "Linear", "Attio"):
        sync = tr("{vendor}: {what}", vendor=vendor, what=tr("Sync now"))
        screen.until(lambda sight, sync=sync: sight.usable(sync), sync)


def close_while_syncing(screen: Screen, demo: Demo, talk: Conversation) -> None:
    """Something new is on its way, and does not come: the window is closed meanwhile."""
    path = f"/conversations/{talk.id}/messages"
    held = threading.Event()
    demo.chatwoot.add_message(talk.id, NEWS)
    demo.chatwoot.faults.before(held.set, on=path)
    demo.chatwoot.faults.slow(60, on=path, times=None)
    screen.open_page(tr("Connectors"))
    to_be_synced(screen)
    screen.do(tr("Sync everything now"))
    assert held.wait(20), "the sync reads the conversation"
    began = time.monotonic()
    screen.press_close()
    ends_well(screen.program, began)
    demo.chatwoot.faults.clear()


# -- the story


@pytest.mark.usefixtures("_in_russian")
def test_from_the_first_start_to_a_sent_message_and_back_again(on_screen, start, display, agency):
    demo, urls = agency
    talk = demo.conversations["sev-acquiring"]
    with on_screen() as screen:
        home = screen.program.home
        begin(screen)
        connect_everything(screen, demo, urls)
        all_synced(screen.program.ready(), demo)
        ask(screen)
        answer_client(screen, demo, talk)
        close_while_syncing(screen, demo, talk)
    before = set(stored(home, "SELECT id FROM message"))
    assert stored(home, "SELECT name FROM project") == [("Кофейня Север",)]
    assert stored(home, "SELECT status FROM outbound_message") == [("sent",)]
    assert stored(home, COUNTED, NEWS) == [(0,)]

    with on_screen() as screen:
        to_be_synced(screen)  # the page at which it was closed
        screen.press("ctrl+r")
        screen.leave()
        second = start("open", "ctower://page/inbox", *ANY_PORTS, environment={**OWNER, **display})
        assert second.process.wait(20) == 0
        assert "Traceback" not in second.complaints()
        screen.until(lambda sight: sight.window is not None, "the first window in front")
        screen.until(lambda sight: any(NEWS in row.text for row in rows(sight)), "what was not read before")
        began = time.monotonic()
        screen.strike("ctrl+q")
        ends_well(screen.program, began)
    assert before < set(stored(home, "SELECT id FROM message"))
    assert stored(home, COUNTED, NEWS) == [(1,)]
    assert stored(home, COUNTED, REPLY) == [(1,)]
    assert stored(home, "SELECT status FROM outbound_message") == [("sent",)]
    assert said_by_us(talk) == [REPLY], "exactly once, whatever was closed and begun again"


# -- bad days


def test_a_damaged_database_is_named_and_left_as_it_is(start, display, tmp_path):
    home, damaged = tmp_path / "home", b"this was a database once " * 400
    home.mkdir()
    (home / "ctower.db").write_bytes(damaged)
    program = start(*ANY_PORTS, home=home, environment=display)
    assert program.process.wait(30) == 1
    assert program.complaints() == (
        "ctower: The database file is damaged. Restore a backup with `ctower restore`.\n"
    )
    assert (home / "ctower.db").read_bytes() == damaged


def test_a_locked_database_is_waited_for_and_then_named(start, display, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    other = apsw.Connection(str(home / "ctower.db"))
    other.pragma("journal_mode", "wal")
    migrate(other, MIGRATIONS)
    other.execute("BEGIN IMMEDIATE")
    address = tmp_path / "screen"
    code = (str(WATCHED), str(address))
    program = start(*ANY_PORTS, home=home, environment=display, code=code)
    with closing(Screen(program, address, display)) as screen:
        screen.until_says("The tower is being opened…")
    assert program.process.wait(30) == 1
    assert program.complaints() == ("ctower: Another program holds the database. Close it and try again.\n")
    other.execute("ROLLBACK")
    other.close()
