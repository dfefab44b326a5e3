"""`ctower model`: from a folder on a disk to the model that answers, and every refusal in a sentence."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import pytest

from ctower_desktop.cli import models
from ctower_desktop.cli.main import main, parser
from ctower_desktop.kernel.system import FileLock, Home
from tests.search import tiny

SHIPPED = "all-MiniLM-L6-v2-int8-c5609d58"


@pytest.fixture
def order(tmp_path, capsys, monkeypatch):
    """Run `ctower model …`: the exit code, and what was said on either side."""
    monkeypatch.setenv("CTOWER_SECRETS", "file")

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["--home", str(tmp_path / "home"), "model", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def lines(listed: str) -> dict[str, str]:
    """The first line of each model by its id."""
    return {line[2:].partition(" ")[0]: line for line in listed.splitlines() if not line.startswith("    ")}


def test_a_model_is_added_listed_chosen_and_removed(order, tmp_path):
    folder = tiny.model(tmp_path / "disk" / "my-model")
    code, said, _ = order("add", str(folder))
    assert code == 0
    assert "MB to" in said
    assert "русский 0.98" in said or "русский 1.00" in said
    assert "until all have, the model before it answers" in said
    _, listed, _ = order("list")
    (own,) = lines(listed).keys() - {SHIPPED}
    assert own.startswith("my-model-")
    assert lines(listed)[own].startswith("* ")
    assert lines(listed)[SHIPPED].startswith("  ")
    assert "English 0.88" in listed
    assert "Russian is turned into English for it" in listed
    code, _, error = order("remove", own)
    assert (code, "in use" in error) == (1, True)
    assert order("use", SHIPPED)[0] == 0
    assert order("remove", own)[1] == f"removed {own}\n"
    assert lines(order("list")[1]).keys() == {SHIPPED}


def test_files_may_stay_where_they_are(order, tmp_path):
    folder = tiny.model(tmp_path / "disk")
    assert order("add", str(folder), "--in-place")[0] == 0
    assert f"in {folder}" in order("list")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "/nowhere/at/all"], "model.onnx is missing in /nowhere/at/all"),
        (["use", "nothing"], "No model is called nothing"),
        (["remove", SHIPPED], "belongs to the program"),
    ],
)
def test_a_refusal_is_a_sentence(order, words, said):
    code, _, error = order(*words)
    assert code == 1
    assert error.startswith("ctower: ")
    assert said in error


def test_a_no_changes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CTOWER_SECRETS", "file")
    asked = []
    given = parser().parse_args(["model", "add", str(tiny.model(tmp_path / "m"))])
    code = asyncio.run(models.run(Home(tmp_path / "home"), given, lambda text: bool(asked.append(text))))
    assert code == 1
    assert "Nothing was changed" in capsys.readouterr().out
    assert asked[0].endswith("models?")
    assert not (tmp_path / "home" / "models").exists()
    agreed = parser().parse_args(["model", "add", str(tmp_path / "m"), "--yes"])
    assert asyncio.run(models.run(Home(tmp_path / "home"), agreed, lambda _: pytest.fail("asked"))) == 0


def test_a_running_tower_is_not_changed_behind_its_back(order, tmp_path):
    folder = tiny.model(tmp_path / "m")
    assert order("list")[0] == 0
    lock = FileLock.acquire(Home(tmp_path / "home").lock)
    try:
        code, _, error = order("add", str(folder))
    finally:
        lock.release()
    assert code == 1
    assert "The tower is running" in error
    assert order("add", str(folder))[0] == 0


def test_an_order_is_needed(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["model"])
    assert "ORDER" in capsys.readouterr().err


def test_a_relative_folder_is_meant_from_here(order, tmp_path, monkeypatch):
    tiny.model(tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    assert order("add", "m")[0] == 0
    given: argparse.Namespace = parser().parse_args(["model", "add", "m"])
    assert given.folder == Path("m")
