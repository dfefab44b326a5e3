"""The machinery all vendors share: transactions, single flight, cancellation, errors, quarantine."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ctower_desktop import app
from ctower_desktop.cli import calls
from ctower_desktop.connectors import ledger, ledger_store
from ctower_desktop.connectors.actions import (
    list_connector_errors,
    list_dead_letters,
    read_connector_state,
    retry_connector_errors,
    revive_dead_letter,
    run_chatwoot_sync,
    sync_connector,
    sync_connectors,
)
from ctower_desktop.connectors.answers import (
    ListDeadLetters,
    ListErrors,
    ListQuarantine,
    RetryErrors,
    RetryQuarantine,
)
from ctower_desktop.connectors.connecting import list_quarantine, retry_quarantine
from ctower_desktop.connectors.contract import CONNECTORS
from ctower_desktop.connectors.intake_store import Intake
from ctower_desktop.connectors.jobs import retry_errors, sync_cycle
from ctower_desktop.connectors.model import ErrorNotFound
from ctower_desktop.connectors.sync import Sync
from ctower_desktop.connectors.syncing import ConnectorNotFound, SyncFailed, sync_one
from ctower_desktop.kernel.errors import StorageFull
from ctower_desktop.kernel.events import SyncProgress
from ctower_desktop.kernel.system import from_text


async def test_rows_and_place_commit_together_or_not_at_all(bench, monkeypatch):
    """The database fails after the rows were written and before the page's transaction commits."""
    for n in range(60):
        bench.talk(f"hello {n}")
    whole, calls = Intake._account, []

    def breaks(self, *args):
        calls.append(1)
        if len(calls) == 5:
            raise OSError("the computer went down here")
        return whole(self, *args)

    monkeypatch.setattr(Intake, "_account", breaks)
    with pytest.raises(OSError, match="went down"):
        await bench.sync("chatwoot")
    stored = await bench.one("SELECT count(*) FROM remote_row WHERE stream = 'conversations'")
    place = await bench.one("SELECT resume ->> 'page' FROM stream_state WHERE stream = 'conversations'")
    assert (stored, place) == (25, 1), "the place is that of the last page that is stored"
    assert await bench.column("SELECT status FROM connector_sync_state") == ["idle"]
    monkeypatch.undo()
    await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM message") == 60


async def test_a_second_caller_joins_the_running_pull(bench):
    for n in range(10):
        bench.talk(f"hello {n}")
    bench.clock.advance(5)
    first, second = await asyncio.gather(*(sync_one(bench.call, CONNECTORS["chatwoot"]) for _ in range(2)))
    assert first.result["rows_read"] == second.result["rows_read"]
    assert bench.chatwoot.front.count("/inboxes") == 1
    assert bench.chatwoot.front.count("/messages") == 10


async def test_a_fresh_pull_serves_the_other_projects(bench):
    bench.talk("hello")
    await bench.sync("chatwoot")
    asked = len(bench.chatwoot.requests)
    await bench.sync("chatwoot", bench.by_schedule(), fresh_within=600)
    assert len(bench.chatwoot.requests) == asked
    bench.clock.advance(700)
    await bench.sync("chatwoot", bench.by_schedule(), fresh_within=600)
    assert len(bench.chatwoot.requests) > asked


async def test_cancelling_leaves_whole_pages_and_a_state_that_can_go_on(bench):
    for n in range(80):
        bench.talk(f"hello {n}")
    reached, wait = asyncio.Event(), asyncio.Event()

    async def hold(seconds):
        reached.set()
        await wait.wait()

    (await bench.tower.part(Sync)).sleep = hold
    bench.chatwoot.faults.answer(503, {"error": "x"}, on=lambda a: a.query.get("page") == "3", times=1)
    task = asyncio.create_task(bench.sync("chatwoot"))
    await asyncio.wait_for(reached.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await bench.one("SELECT count(*) FROM remote_row WHERE stream = 'conversations'") == 50
    assert await bench.one("SELECT status FROM connector_sync_state") == "idle"
    assert await bench.column("SELECT id FROM connector_error") == []
    (await bench.tower.part(Sync)).sleep = bench.sleep
    await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM message") == 80


async def test_one_cancelled_caller_does_not_stop_the_other(bench):
    bench.talk("hello")
    bench.chatwoot.faults.slow(0.2, on="/inboxes")
    bench.clock.advance(5)
    first = asyncio.create_task(sync_one(bench.call, CONNECTORS["chatwoot"]))
    second = asyncio.create_task(sync_one(bench.call, CONNECTORS["chatwoot"]))
    while bench.chatwoot.front.count("/agents") == 0:
        await asyncio.sleep(0.01)
    first.cancel()
    found = await second
    assert found.result["processed_messages"] == 1
    assert first.cancelled() or first.done()


async def test_errors_follow_the_ledger_to_the_dead_letter_and_back(bench):
    """Contract T18: 30, 60, 120, 240 s, the fifth is given up; a retry by hand; success resolves."""
    await bench.sync("chatwoot")
    await bench.sync("linear")
    bench.attio.faults.answer(400, {"code": "filter_error"}, times=None)
    bench.clock.advance(1)
    found = (await sync_connectors(bench.call)).result
    assert (found.total, found.ok, found.failed) == (3, 2, 1)
    assert [one.connector for one in found.results] == ["chatwoot", "linear", "attio"]
    waits = []
    for attempt in range(1, 6):
        errors = (await list_connector_errors(bench.call, ListErrors(connector="attio"))).errors
        assert [e.attempt for e in errors] == [attempt]
        waits.append((from_text(errors[0].next_retry_at) - bench.clock.now()).total_seconds())
        if attempt < 5:
            assert errors[0].status == ("pending" if attempt == 1 else "retrying")
            assert (await retry_errors(bench.by_schedule())).due == 0, "not before its time"
            bench.clock.advance(waits[-1])
            summary = (await retry_connector_errors(bench.call, RetryErrors())).result
            assert (summary.due, summary.succeeded, summary.failed) == (1, 0, 1)
    assert waits[:4] == [30, 60, 120, 240]
    dead = (await list_dead_letters(bench.call, ListDeadLetters())).errors
    assert [e.status for e in dead] == ["dead_letter"]

    with pytest.raises(ErrorNotFound):
        await revive_dead_letter(bench.call, 999_999)
    revived = (await revive_dead_letter(bench.call, int(dead[0].id))).error
    assert (revived.status, revived.attempt) == ("pending", 0)
    with pytest.raises(ErrorNotFound):
        await revive_dead_letter(bench.call, int(dead[0].id))

    bench.attio.faults.clear()
    summary = (await retry_connector_errors(bench.call, RetryErrors())).result
    assert [one.status for one in summary.retried] == ["resolved"]
    assert [e.status for e in (await list_connector_errors(bench.call, ListErrors())).errors] == ["resolved"]


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(0, 30), (1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 960), (11, 21_600), (40, 21_600)],
)
def test_the_delays_of_the_ledger(attempt, seconds):
    assert ledger.delay(attempt, 30) == seconds


async def test_a_failing_vendor_does_not_touch_the_others(bench):
    bench.talk("hello")
    bench.linear.faults.down()
    bench.clock.advance(5)
    found = (await sync_connectors(bench.call)).result
    assert {one.connector: one.status for one in found.results} == {
        "chatwoot": "ok", "linear": "failed", "attio": "ok",
    }  # fmt: skip
    assert await bench.one("SELECT count(*) FROM message") == 1
    state = {s.connector: s.status for s in (await read_connector_state(bench.call)).connectors}
    assert state == {"attio": "ok", "chatwoot": "ok", "linear": "failed"}


async def test_down_is_logged_once_and_back_once(bench, caplog):
    bench.chatwoot.faults.answer(500, {"error": "x"}, times=None)
    with caplog.at_level(logging.INFO, "ctower_desktop.connectors"):
        for _ in range(3):
            with pytest.raises(SyncFailed):
                await bench.sync("chatwoot")
            bench.clock.advance(40)
        bench.chatwoot.faults.clear()
        for _ in range(2):
            await bench.sync("chatwoot")
    said = [r.getMessage() for r in caplog.records if r.name.startswith("ctower_desktop.connectors")]
    assert len(said) == 2, said
    assert said[1] == "chatwoot is back"


@pytest.mark.parametrize("bad", ["html", "truncate", "cut", "lose"])
async def test_a_torn_answer_costs_nothing_but_time(bench, bad):
    bench.talk("hello")
    order = getattr(bench.chatwoot.faults, bad)
    order(on="/conversations", times=1)
    try:
        await bench.sync("chatwoot")
    except SyncFailed:
        bench.clock.advance(60)
        await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM message") == 1
    assert await bench.column("SELECT id FROM connector_error WHERE status <> 'resolved'") == []


async def test_a_bad_row_is_put_aside_and_the_others_are_stored(bench):
    talk = bench.talk("good", "bad", "good too")

    def spoil(answer):
        answer["payload"][1]["conversation_id"] = "seven"

    bench.chatwoot.faults.rewrite(spoil, on=f"/conversations/{talk.id}/messages")
    found = await bench.sync("chatwoot")
    assert found.result["rows_quarantined"] == 1
    assert found.result["processed_messages"] == 2
    rows = (await list_quarantine(bench.call, ListQuarantine())).rows
    assert [(r.stream, r.external_id) for r in rows] == [("messages", "2")]
    assert "conversation_id" in rows[0].reason

    assert (await retry_quarantine(bench.call, RetryQuarantine(connector="chatwoot"))).understood == 0
    bench.clock.advance(60)
    bench.chatwoot.add_message(talk.id, "moves it")
    await bench.sync("chatwoot")
    assert (await list_quarantine(bench.call, ListQuarantine())).rows == []
    assert await bench.one("SELECT count(*) FROM message") == 4


async def test_a_bad_row_never_counts_as_deleted(bench):
    talk = bench.talk("one", "two")
    await bench.sync("chatwoot")
    bench.clock.advance(60)
    bench.chatwoot.add_message(talk.id, "three")
    bench.chatwoot.faults.rewrite(
        lambda a: a["payload"][0].update(id=None), on=f"/conversations/{talk.id}/messages"
    )
    await bench.sync("chatwoot")
    assert await bench.one("SELECT count(*) FROM message WHERE deleted_at IS NULL") == 3


async def test_unknown_fields_and_words_are_kept_not_refused(bench):
    bench.talk("hello")

    def future(answer):
        for row in answer["data"]["payload"]:
            row["status"], row["brand_new"] = "hibernating", {"x": [1]}

    bench.chatwoot.faults.rewrite(future, on=lambda a: a.path.endswith("/conversations"), times=None)
    found = await bench.sync("chatwoot")
    assert found.result["rows_quarantined"] == 0
    assert await bench.column("SELECT status FROM conversation") == ["hibernating"]
    body = await bench.one("SELECT body FROM remote_row WHERE stream = 'conversations'")
    assert "brand_new" in body


async def test_a_row_the_database_refuses_is_put_aside_too(bench):
    """Larger than SQLite's integers: the vendor's document allows it, the table does not."""
    talk = bench.talk("fine")
    bench.clock.advance(1)
    bench.chatwoot.add_message(talk.id, "huge file", attachments=["film.mp4"])

    def huge(answer):
        answer["payload"][1]["attachments"][0]["file_size"] = 2**63

    bench.chatwoot.faults.rewrite(huge, on=f"/conversations/{talk.id}/messages")
    await bench.sync("chatwoot")
    assert await bench.column("SELECT content FROM message") == ["fine"]
    rows = (await list_quarantine(bench.call, ListQuarantine())).rows
    assert [(r.stream, r.external_id) for r in rows] == [("messages", "2")]


async def test_syncing_twice_inserts_nothing_the_second_time(bench):
    """Contract T20."""
    bench.talk("hello", "again")
    bench.linear.add_issue(bench.linear.add_team("T", "T"), "issue")
    bench.attio.add_deal("deal")
    bench.clock.advance(5)
    await sync_connectors(bench.call)
    tables = ("message", "contact", "conversation", "issue", "deal", "crm_account", "remote_row")
    before = [await bench.one(f"SELECT count(*) FROM {t}") for t in tables]
    bench.clock.advance(60)
    found = (await sync_connectors(bench.call)).result
    assert [await bench.one(f"SELECT count(*) FROM {t}") for t in tables] == before
    assert all(one.result["rows_stored"] == 0 for one in found.results)


async def test_what_is_not_connected_is_said_and_skipped_by_schedule(bench):
    for name in ("linear", "attio"):
        await bench.tower.settings.change(CONNECTORS[name].settings, {"api_token": None})
    found = (await sync_connectors(bench.call)).result
    assert (found.ok, found.failed) == (1, 2)
    assert [one.error.partition(":")[0] for one in found.results[1:]] == ["connector_not_configured"] * 2
    assert await bench.column("SELECT id FROM connector_error") == []
    cycle = await sync_cycle(bench.by_schedule())
    assert (cycle.total, cycle.ok, cycle.failed) == (1, 1, 0)


async def test_a_run_by_hand_is_recorded(bench):
    bench.talk("hello")
    bench.clock.advance(5)
    await run_chatwoot_sync(bench.call)
    assert await bench.rows("SELECT job_name, status, processed_count FROM job_run") == [
        ("chatwoot_sync", "ok", 1)
    ]
    bench.chatwoot.faults.answer(500, {"error": "x"}, times=None)
    with pytest.raises(SyncFailed) as caught:
        await run_chatwoot_sync(bench.call)
    assert caught.value.code == "chatwoot_sync_failed"
    assert await bench.column("SELECT status FROM job_run ORDER BY id") == ["ok", "failed"]


async def test_progress_is_told_while_it_runs(bench):
    bench.talk("hello")
    with bench.tower.events.listen() as queue:
        await bench.sync("chatwoot")
        told = [queue.get_nowait() for _ in range(queue.qsize())]
    phases = [event.phase for event in told if isinstance(event, SyncProgress)]
    assert phases == ["agents", "inboxes", "contacts", "conversations", "messages"]


async def test_messages_become_events_once(bench):
    bench.talk("Согласуйте, пожалуйста, макет", "нужно дополнительно сделать баннер")
    await bench.sync("chatwoot")
    bench.clock.advance(60)
    await bench.sync("chatwoot")
    kinds = await bench.column(
        "SELECT event_type FROM connector_event WHERE event_type NOT LIKE 'process%' ORDER BY event_type"
    )
    assert kinds == ["approval_requested", "message_sent", "message_sent", "scope_change_detected"]
    assert await bench.column(
        "SELECT DISTINCT actor FROM connector_event WHERE event_type = 'message_sent'"
    ) == ["client"]


async def test_a_client_who_does_not_answer_is_noticed(bench):
    agent = bench.chatwoot.add_agent("Olga", "olga@agency.example")
    talk = bench.talk("hi")
    bench.clock.advance(1)
    bench.chatwoot.add_message(talk.id, "Ждём вашего ответа", agent=agent)
    await bench.sync("chatwoot")
    silent = "SELECT count(*) FROM connector_event WHERE event_type = 'client_silent_started'"
    assert await bench.one(silent) == 0
    bench.clock.advance(5 * 86_400)
    for _ in range(2):
        await bench.sync("chatwoot")
        assert await bench.one(silent) == 1


async def test_the_command_goes_well_when_all_that_is_connected_was_read(bench):
    bench.talk("hello")
    change = bench.tower.settings.change
    for name in ("linear", "attio"):
        await change(CONNECTORS[name].settings, {"api_token": None})
    text, well = await calls.sync(bench.tower, None)
    assert well, text
    assert "connector_not_configured" in text, "what is not connected is told all the same"
    bench.chatwoot.faults.answer(401, {"error": "Invalid Access Token"}, times=None)
    assert not (await calls.sync(bench.tower, None))[1]
    await change(CONNECTORS["chatwoot"].settings, {"api_token": None})
    assert not (await calls.sync(bench.tower, None))[1], "nothing is connected, nothing was read"


async def test_an_unknown_connector_is_not_found(bench):
    with pytest.raises(ConnectorNotFound):
        await sync_connector(bench.call, "jira")


async def test_a_vendor_that_was_running_when_the_program_ended_is_not_running(bench):
    await bench.sync("chatwoot")
    await bench.tower.db.write(
        lambda db: db.execute("UPDATE connector_sync_state SET status = 'running'") and None
    )
    await bench.tower.stop_parts()
    state = (await read_connector_state(bench.call)).connectors
    assert [s.status for s in state] == ["running"], "a command beside the program may only look"
    await (await bench.tower.part(Sync)).recover()
    state = (await read_connector_state(bench.call)).connectors
    assert [(s.status, s.last_error) for s in state] == [("failed", "interrupted")]


async def test_the_program_that_starts_clears_up_after_one_that_was_killed(bench):
    for connector in CONNECTORS.values():  # so that the scheduler, which starts too, reads nothing
        await bench.tower.settings.change(connector.settings, {"api_token": None})
    project = bench.call.project_ref
    await bench.tower.db.write(ledger_store.running, project, "chatwoot", bench.clock.text())
    running = await app.start(bench.tower, {door.name: None for door in app.DOORS}, print)
    try:
        state = (await read_connector_state(bench.call)).connectors
    finally:
        await running.stop()
    assert [(s.status, s.last_error) for s in state] == [("failed", "interrupted")]


async def test_a_storm_of_errors_opens_the_breaker_and_one_cheap_call_probes(bench):
    await bench.sync("attio")
    bench.attio.faults.answer(500, {"message": "storm"}, content_type="application/json", times=None)
    for _ in range(3):
        with pytest.raises(SyncFailed):
            await bench.sync("attio", bench.by_schedule())
    asked = len(bench.attio.requests)
    with pytest.raises(SyncFailed, match="vendor_circuit_open"):
        await bench.sync("attio", bench.by_schedule())
    assert len(bench.attio.requests) == asked, "left alone"
    assert b'app_circuit_breaker_state{host="attio",state="open"} 1.0' in bench.tower.metrics.text()
    bench.clock.advance(40)
    with pytest.raises(SyncFailed):
        await bench.sync("attio", bench.by_schedule())
    assert [seen.path for seen in bench.attio.requests[asked:]] == ["/v2/self"], "one cheap probe"
    bench.attio.faults.clear()
    bench.clock.advance(40)
    await bench.sync("attio", bench.by_schedule())


async def test_a_full_disk_loses_nothing_and_blames_no_vendor(bench):
    for n in range(60):
        bench.talk(f"hello {n} " * 50)

    def limit(db, pages):
        db.pragma("max_page_count", pages)

    pages = await bench.one("SELECT page_count FROM pragma_page_count()")
    await bench.tower.db.write(limit, pages + 40)
    with pytest.raises(StorageFull):
        await bench.sync("chatwoot")
    assert await bench.column("SELECT id FROM connector_error") == []
    await bench.tower.db.write(limit, 1_000_000)
    found = await bench.sync("chatwoot")
    assert found.connector == "chatwoot"
    assert await bench.one("SELECT count(*) FROM message") == 60
    assert await bench.column("SELECT status FROM connector_sync_state") == ["ok"]


async def test_errors_of_one_project_are_not_there_for_another(bench):
    """Contract T14."""
    await bench.sync("attio")
    bench.attio.faults.answer(400, {"code": "filter_error"}, times=None)
    bench.clock.advance(1)
    await sync_connectors(bench.call)
    own = (await list_connector_errors(bench.call, ListErrors())).errors
    other = await bench.project("Другой проект")
    assert (await list_connector_errors(other, ListErrors())).errors == []
    assert (await read_connector_state(other)).connectors == []
    with pytest.raises(ErrorNotFound):
        await revive_dead_letter(other, int(own[0].id))


async def test_what_was_done_is_in_the_audit_trail(bench):
    bench.linear.faults.down()
    await sync_connectors(bench.call)
    await sync_connector(bench.call, "chatwoot")
    lines = await bench.rows(
        "SELECT action, status FROM audit_event WHERE action LIKE 'connectors.sync%' ORDER BY id"
    )
    assert lines == [("connectors.sync_all", "partial"), ("connectors.sync_one", "ok")]


@pytest.mark.parametrize("given", ["0", "abc", "99999"])
def test_limits_are_clamped(given):
    """Contract T37."""
    for endpoint, default, most in ((list_connector_errors, 100, 500), (list_dead_letters, 50, 500)):
        found = endpoint.arguments({}, {"limit": given}, b"")["query"].limit
        assert found == {"0": 1, "abc": default, "99999": most}[given]
