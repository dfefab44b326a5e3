"""The bus inside the process."""

from __future__ import annotations

from ctower_desktop.kernel.events import Events, JobCompleted


def done(number: int) -> JobCompleted:
    return JobCompleted(project_id="p", job_type=str(number), status="ok", at="t")


async def test_listeners_hear_what_comes_while_they_listen_in_order():
    events = Events()
    events.publish(done(0))
    with events.listen() as first, events.listen() as second:
        for number in (1, 2):
            events.publish(done(number))
        for queue in (first, second):
            assert [queue.get_nowait().job_type for _ in range(2)] == ["1", "2"]
    events.publish(done(3))
    assert first.empty()


async def test_a_slow_listener_loses_the_oldest_and_holds_up_nobody():
    events = Events()
    with events.listen() as slow:
        for number in range(300):
            events.publish(done(number))
        heard = [slow.get_nowait().job_type for _ in range(slow.qsize())]
    assert heard == [str(number) for number in range(44, 300)]


def test_one_may_stop_listening_while_being_told():
    events, heard = Events(), []

    def once(event):
        heard.append(event)
        stop()

    stop = events.subscribe(once)
    last = events.subscribe(heard.append)
    events.publish(done(1))
    events.publish(done(2))
    last()
    assert [event.job_type for event in heard] == ["1", "1", "2"]
