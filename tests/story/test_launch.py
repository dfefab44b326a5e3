"""The launch contract: addresses, ready line, ports, one instance per home, a quick and clean end."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.story.conftest import ANY_PORTS

pytestmark = pytest.mark.slow


def test_serves_says_so_and_ends_cleanly(start):
    program = start("serve", *ANY_PORTS)
    url = program.ready()
    addresses = program.endpoints()
    assert addresses["tower"] == url
    assert set(addresses) == {"tower", "graph", "agents", "dashboard"}
    assert (program.home / "run" / "endpoints.json").stat().st_mode & 0o777 == 0o600
    answer = httpx.get(f"{url}/health")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    began = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - began < 5
    assert not (program.home / "run" / "endpoints.json").exists()


def test_never_loads_qt(start):
    program = start("serve", *ANY_PORTS)
    program.ready()
    maps = Path(f"/proc/{program.process.pid}/maps").read_text()
    assert "libQt6" not in maps
    assert program.stop(signal.SIGINT) == 0


def test_a_closed_door_is_not_listed(start):
    program = start(
        "serve", "--port", "0", "--graph-port", "off", "--agents-port", "off", "--dashboard-port", "off"
    )
    program.ready()
    assert set(program.endpoints()) == {"tower"}
    assert program.stop() == 0


def test_a_busy_default_port_gives_way(start):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8080))
        except OSError:
            pytest.skip("port 8080 is in use on this machine already")
        taken.listen()
        program = start("serve", "--graph-port", "off", "--agents-port", "off", "--dashboard-port", "off")
        url = program.ready()
        assert not url.endswith(":8080")
        assert "8080" in program.told(), "it says that the port was in use"
        assert program.stop() == 0


def test_a_second_start_in_one_home_says_who_is_there(start):
    first = start("serve", *ANY_PORTS)
    first.ready()
    second = start("serve", *ANY_PORTS)
    assert second.process.wait(20) == 1
    time.sleep(0.1)
    assert str(first.process.pid) in second.told()
    assert first.stop() == 0


def test_shows_the_owner_password_once(start):
    first = start("serve", *ANY_PORTS)
    url = first.ready()
    line = next(line for line in first.lines if line.startswith("owner "))
    username, password = line.split()[1:3]
    answer = httpx.post(f"{url}/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200
    assert first.stop() == 0
    second = start("serve", *ANY_PORTS)
    second.ready()
    assert password not in second.told()
    assert second.stop() == 0


def test_ends_in_time_with_an_open_stream(start):
    program = start("serve", *ANY_PORTS, environment={"AUTH_CREDENTIALS": "admin:a long password"})
    url = program.ready()
    with httpx.Client(base_url=url) as client:
        token = client.post("/auth/login", json={"username": "admin", "password": "a long password"}).json()
        headers = {"x-csrf-token": token["csrf_token"]}
        assert client.post("/projects", json={"name": "Acme"}, headers=headers).status_code == 200
        with client.stream("GET", "/events/stream") as stream:
            assert next(stream.iter_lines()) == "event: connected"
            began = time.monotonic()
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(10) == 0
            assert time.monotonic() - began < 5


def test_a_desktop_without_a_display_serves(start):
    program = start(*ANY_PORTS)
    url = program.ready()
    assert "display" in program.told()
    assert httpx.get(f"{url}/v1/health").status_code == 200
    assert program.stop() == 0
