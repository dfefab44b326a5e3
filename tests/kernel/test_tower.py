"""Parts of the tower, and who may ask it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from ctower_desktop.kernel.errors import ActiveProjectRequired
from ctower_desktop.kernel.tower import (
    ROLES,
    Asking,
    Caller,
    Desktop,
    OwnerSession,
    ProjectRef,
    Scoped,
    Who,
    by_job,
    desktop,
    outranks,
)

events: list[str] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    events.clear()


class Model:
    """A part that takes a moment to start."""

    @classmethod
    async def start(cls, tower):
        events.append("model starts")
        await asyncio.sleep(0)
        events.append("model is ready")
        return cls()

    async def stop(self):
        events.append("model stops")


class Worker:
    """A part that needs another."""

    def __init__(self, model):
        self.model = model

    @classmethod
    async def start(cls, tower):
        return cls(await tower.part(Model))

    async def stop(self):
        events.append("worker stops")


class Broken:
    """A part that does not start the first time, and does not stop well."""

    times = 0

    @classmethod
    async def start(cls, tower):
        cls.times += 1
        if cls.times == 1:
            raise LookupError("not today")
        return cls()

    async def stop(self):
        raise LookupError("nor does it stop")


class Endless:
    """A part that never gets ready."""

    @classmethod
    async def start(cls, tower):
        try:
            await asyncio.Event().wait()
        finally:
            events.append("start was given up")

    async def stop(self):
        raise AssertionError("it never began")


class TestParts:
    async def test_there_is_one_of_a_kind_however_many_ask(self, tower):
        found = await asyncio.gather(*(tower.part(Model) for _ in range(5)))
        assert len({id(model) for model in found}) == 1
        assert events == ["model starts", "model is ready"]

    async def test_what_others_need_stops_after_them(self, tower):
        worker = await tower.part(Worker)
        assert worker.model is await tower.part(Model)
        await tower.stop_parts()
        assert events[-2:] == ["worker stops", "model stops"]

    async def test_a_part_that_did_not_start_may_be_asked_for_again(self, tower):
        Broken.times = 0
        with pytest.raises(LookupError, match="not today"):
            await tower.part(Broken)
        assert isinstance(await tower.part(Broken), Broken)
        with pytest.raises(LookupError, match="nor does it stop"):
            await tower.stop_parts()

    async def test_one_that_stops_badly_holds_up_no_other(self, tower):
        Broken.times = 1
        await tower.part(Model)
        await tower.part(Broken)
        with pytest.raises(LookupError):
            await tower.stop_parts()
        assert events[-1] == "model stops"

    async def test_an_asker_that_goes_away_does_not_end_the_start(self, tower):
        asking = asyncio.create_task(tower.part(Model))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert isinstance(await tower.part(Model), Model)
        assert events == ["model starts", "model is ready"]

    async def test_an_asker_that_goes_away_at_the_last_moment_does_not_make_a_second_one(self, tower):
        first = asyncio.create_task(tower.part(Model))
        while "model is ready" not in events:
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})
        await tower.part(Model)
        assert events == ["model starts", "model is ready"]

    async def test_a_start_under_way_is_given_up(self, tower):
        asking = asyncio.create_task(tower.part(Endless))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await tower.stop_parts()
        assert events == ["start was given up"]
        with pytest.raises(asyncio.CancelledError):
            await asking

    async def test_stopping_twice_is_harmless(self, tower):
        await tower.part(Model)
        await tower.stop_parts()
        await tower.stop_parts()
        assert events.count("model stops") == 1


class TestCallers:
    project = ProjectRef("p", "Acme", "s")

    def test_a_scoped_call_has_a_project_or_says_so(self, tower):
        who = Who(username="pm", role="pm", kind="session")
        call = Scoped(tower, Asking(request_id="r"), who, self.project)
        assert (call.project_id, call.account_scope_id) == ("p", "s")
        with pytest.raises(ActiveProjectRequired) as caught:
            _ = Scoped(tower, Asking(request_id="r"), who).project_id
        assert (caught.value.status, caught.value.code) == (409, "active_project_required")

    def test_the_person_at_the_screen_may_do_everything(self, tower):
        call = desktop(tower, "r", self.project)
        assert isinstance(call, Desktop)
        assert isinstance(call, OwnerSession)
        assert isinstance(call, Scoped)
        assert (call.user.role, call.user.kind) == ("owner", "desktop")
        assert by_job(tower, "r", self.project).user.kind == "job"

    def test_what_is_noted_is_forgotten_in_a_fresh_call(self, tower):
        call = desktop(tower, "r", self.project)
        call.noted.about("offer", "1", status="partial", evidence_refs=["cw:1"], total=5)
        assert (call.noted.entity_type, call.noted.payload) == ("offer", {"total": 5})
        assert call.afresh().noted.entity_type == ""
        assert call.afresh().project is call.project

    def test_roles_are_a_ladder(self):
        for lower, higher in pairwise(ROLES):
            assert outranks(higher, lower)
            assert not outranks(lower, higher)
        assert ROLES == ("viewer", "executor", "delivery_lead", "pm", "owner")
        assert all(outranks(role, role) for role in ROLES)

    def test_a_caller_is_always_somebody(self, tower):
        with pytest.raises(AssertionError):
            _ = Caller(tower, Asking(request_id="r")).user
