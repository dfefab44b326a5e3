"""The arguments of the program, and the commands that only describe."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ctower_desktop.cli import terminal
from ctower_desktop.cli.main import _with_link, main, parser


def test_shared_options_stand_before_or_after_the_command():
    before = parser().parse_args(["--home", "/x", "--port", "0", "serve"])
    after = parser().parse_args(["serve", "--home", "/x", "--port", "0"])
    assert (before.home, before.tower_port) == (after.home, after.tower_port)


def test_a_closed_door_and_any_port():
    given = parser().parse_args(["serve", "--graph-port", "off", "--agents-port", "0"])
    assert given.graph_port is None
    assert given.agents_port == 0
    assert not hasattr(given, "tower_port"), "what is not asked for is left to the settings"


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["ctower://page/inbox"], "open"),
        (["--home", "/x", "ctower://issue/1"], "open"),
        (["--home=/x", "--port", "0", "ctower://issue/1"], "open"),
        (["ask", "ctower://page/inbox"], "ask"),
        (["call", "x", "ctower://page/inbox"], "call"),
        (["serve", "--home", "ctower://page/inbox"], "serve"),
        (["open", "ctower://page/inbox"], "open"),
    ],
)
def test_a_link_alone_opens_the_window_there(arguments, command):
    given = parser().parse_args(_with_link(arguments))
    assert given.command == command
    if command == "open":
        assert given.link == arguments[-1]


def test_a_link_carries_no_options(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(_with_link(["ctower://page/x", "--settings=evil"]))
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http", ""])
def test_a_port_must_be_one(port, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["serve", "--port", port])
    assert "--port" in capsys.readouterr().err


def test_openapi_is_the_document_that_is_shipped(capsys):
    assert main(["openapi"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["openapi"].startswith("3.1")
    assert "/lightrag/query" in document["paths"]


def test_the_map_lists_rooms_and_endpoints(capsys):
    assert main(["map"]) == 0
    out = capsys.readouterr().out
    assert "kernel/" in out
    assert "POST" in out
    assert "search.query_lightrag" in out


def test_asks_and_calls_in_an_empty_home(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CTOWER_SECRETS", "file")
    home = ["--home", str(tmp_path / "home")]
    assert main([*home, "call", "create_project", "name=Acme"]) == 0
    assert json.loads(capsys.readouterr().out)["project"]["name"] == "Acme"
    assert main([*home, "ask", "Когда запуск?"]) == 0
    assert capsys.readouterr().out.strip()
    assert main([*home, "call", "no_such_endpoint"]) == 1
    assert "no_such_endpoint" in capsys.readouterr().err
    assert main([*home, "ask", "Когда?", "--project", "nowhere"]) == 1
    assert main([*home, "backup"]) == 0


def test_doctor_says_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CTOWER_SECRETS", "file")
    assert main(["--home", str(tmp_path / "home"), "doctor"]) == 0
    out = capsys.readouterr().out
    for word in ("database", "disk", "secrets", "ports", "model", "chatwoot", "linear", "attio", "loops"):
        assert word in out
    assert "→" in out


@pytest.mark.parametrize("command", [["serve"], ["demo"], ["doctor"], ["sync"], ["restore", "backup.db"]])
def test_a_home_that_cannot_be_is_told_in_a_sentence(tmp_path, capsys, command):
    (tmp_path / "file").write_text("no folder")
    assert main(["--home", str(tmp_path / "file"), *command]) == 1
    told = capsys.readouterr().err
    assert told.startswith("ctower: ")
    assert "cannot be written" in told


def test_a_terminal_of_few_letters_and_arguments_of_any_bytes_are_no_trouble(tmp_path):
    environment = {**os.environ, "CTOWER_SECRETS": "file", "PYTHONIOENCODING": "ascii"}
    start = [sys.executable, "-m", "ctower_desktop", "--home", str(tmp_path / "дом")]
    for command in (
        ["call", "create_project", "name=Кофейня \udcff"],
        ["ask", "Когда \udcff запуск?"],
        ["map"],
    ):
        done = subprocess.run([*start, *command], env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout.isascii()


@pytest.mark.parametrize("write", [terminal.show, terminal.complain])
def test_no_text_steers_the_terminal(capsys, write):
    write("said \x1b[2Jgone \x9b31m \u202etxt.exe\r\nКогда?\tда")
    out, err = capsys.readouterr()
    assert (out + err).endswith("said �[2Jgone �31m �txt.exe�\nКогда?\tда\n")


def test_the_demo_never_opens_a_home_with_data_of_its_own(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("CTOWER_SECRETS", "file")
    home = ["--home", str(tmp_path / "home")]
    assert main([*home, "call", "create_project", "name=Acme"]) == 0
    capsys.readouterr()
    before = (tmp_path / "home" / "ctower.db").read_bytes()
    assert main([*home, "demo"]) == 1
    assert "holds data of its own" in capsys.readouterr().err
    assert (tmp_path / "home" / "ctower.db").read_bytes() == before


def test_a_damaged_index_sends_nobody_to_a_backup(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("CTOWER_SECRETS", "file")
    home = ["--home", str(tmp_path / "home")]
    assert main([*home, "call", "create_project", "name=Acme"]) == 0
    (tmp_path / "home" / "index.db").write_bytes(b"no index at all " * 1_000)
    assert main([*home, "ask", "Когда запуск?"]) == 0
    assert "made anew" in caplog.text
    assert "backup" not in caplog.text
