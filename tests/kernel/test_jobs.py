"""How jobs are declared."""

from __future__ import annotations

import pytest

from ctower_desktop.kernel import jobs
from ctower_desktop.kernel.jobs import Job, cascades_end, job


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> dict[str, Job]:
    """A registry of the test's own."""
    found: dict[str, Job] = {}
    monkeypatch.setattr(jobs, "JOBS", found)
    return found


async def sync(call):
    """Pull everything that is new.

    More about it.
    """


def test_a_declaration_says_everything(declared):
    assert job("sync", every=900, then=("index",), limit=60)(sync) is sync
    found = declared["sync"]
    assert (found.name, found.every, found.then, found.limit) == ("sync", 900, ("index",), 60)
    assert found.handler is sync
    assert found.about == "Pull everything that is new."


def test_a_name_is_declared_once():
    job("sync", every=900)(sync)
    with pytest.raises(TypeError, match="two jobs"):
        job("sync", every=900)(sync)


@pytest.mark.parametrize("wrong", [{"every": 0}, {"every": 900, "limit": 0}, {"every": 900, "limit": 1_801}])
def test_senseless_figures_are_refused(wrong, declared):
    with pytest.raises(TypeError, match="makes no sense"):
        job("sync", **wrong)(sync)
    assert declared == {}


def test_cascades_must_end(declared):
    job("a", every=1, then=("b", "elsewhere"))(sync)
    job("b", every=1, then=("c",))(sync)
    job("c", every=1)(sync)
    assert cascades_end(declared)
    declared["c"] = Job("c", 1, ("a",), 1, sync)
    assert not cascades_end(declared)
