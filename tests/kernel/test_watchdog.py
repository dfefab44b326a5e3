"""What holds the loop up is measured, named, and seen where it happens."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from ctower_desktop.kernel.watchdog import Stall, Watchdog, watch


@pytest.fixture(autouse=True)
def _loop_is_never_blocked() -> None:
    """Here the loop is blocked on purpose."""


def hold(seconds: float) -> None:
    """Keep the loop busy, without giving it back."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


async def holds_the_loop(seconds: float) -> None:
    await asyncio.sleep(0)
    hold(seconds)
    await asyncio.sleep(0)


class TestWatch:
    async def test_names_the_coroutine_and_how_long_it_took(self):
        found: list[Stall] = []
        with watch(found.append):
            await asyncio.create_task(holds_the_loop(0.04), name="culprit")
        (stall,) = [each for each in found if "culprit" in each.what]
        assert 0.04 <= stall.seconds < 1
        assert stall.what.startswith("holds_the_loop (culprit, now at ")
        assert "test_watchdog.py:" in stall.what
        assert str(stall).startswith("the loop was held for ")

    async def test_names_a_plain_callback(self):
        found: list[Stall] = []
        with watch(found.append):
            asyncio.get_running_loop().call_soon(hold, 0.04)
            await asyncio.sleep(0.001)
        assert "hold" in [each.what for each in found]

    async def test_shows_the_stack_of_the_moment(self):
        found: list[Stall] = []
        with watch(found.append, stacks=True):
            for seconds in (0.15, 1.0, 4.0):  # on a busy machine the looking thread gets its turn late
                await asyncio.create_task(holds_the_loop(seconds), name="culprit")
                stall = next(each for each in reversed(found) if "culprit" in each.what)
                if stall.stack:
                    break
        assert ", in hold" in stall.stack

    async def test_what_gives_the_loop_back_is_not_told(self):
        found: list[Stall] = []
        with watch(found.append, over=0.5):
            await asyncio.sleep(0.55)
            await asyncio.to_thread(time.sleep, 0.55)
        assert found == []

    async def test_other_loops_are_not_watched(self):
        found: list[Stall] = []

        def another() -> None:
            asyncio.run(holds_the_loop(0.06))

        with watch(found.append, over=0.05):
            thread = threading.Thread(target=another)
            thread.start()
            await asyncio.to_thread(thread.join)
        assert [each.what for each in found if "holds_the_loop" in each.what] == []

    async def test_leaves_the_loop_as_it_was(self):
        before = vars(asyncio.Handle)["_run"]
        with watch(lambda _: None), watch(lambda _: None, stacks=True):
            assert vars(asyncio.Handle)["_run"] is not before
        assert vars(asyncio.Handle)["_run"] is before
        assert "watchdog" not in [thread.name for thread in threading.enumerate()]

    async def test_a_failing_callback_is_measured_like_any_other(self):
        found: list[Stall] = []

        async def fails() -> None:
            hold(0.04)
            raise LookupError("of our own")

        with watch(found.append), pytest.raises(LookupError):
            await asyncio.create_task(fails(), name="failing")
        assert [each for each in found if "failing" in each.what]


class TestWatchdog:
    async def test_logs_and_counts(self, tower, caplog):
        dog = await tower.part(Watchdog)
        await asyncio.create_task(holds_the_loop(0.06))
        assert any("holds_the_loop" in stall.what for stall in dog.stalls)
        assert "the loop was held for" in caplog.text
        text = tower.metrics.text().decode()
        assert 'app_loop_held_seconds_bucket{le="0.02"}' in text
        count = next(line for line in text.splitlines() if line.startswith("app_loop_held_seconds_count"))
        assert float(count.split()[1]) >= 1
        await tower.stop_parts()
        seen = len(dog.stalls)
        await asyncio.create_task(holds_the_loop(0.06))
        assert len(dog.stalls) == seen


async def test_the_fixture_for_other_tests_fails_on_a_stall(no_stalls):
    """`no_stalls` is what a test asks for that must never hold the loop for more than 50 ms."""
    with pytest.raises(AssertionError, match="holds_the_loop"), no_stalls():
        await asyncio.create_task(holds_the_loop(0.08))
    with no_stalls(limit=5):
        await asyncio.create_task(holds_the_loop(0.01))
