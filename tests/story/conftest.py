"""The running program: started as a stranger would, in a home of its own, with nobody's environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import httpx
import pytest

ANY_PORTS = ("--port", "0", "--graph-port", "0", "--agents-port", "0", "--dashboard-port", "0")
OWNER = {"AUTH_CREDENTIALS": "admin:a long password"}
PROGRAM = ("-m", "ctower_desktop")


class Program:
    """One started program: its lines as they come, its addresses, its end."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
        code: tuple[str, ...] = PROGRAM,
    ) -> None:
        self.home = home
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "HOME", "TMPDIR", "PYTHONPATH")}
        self.process = subprocess.Popen(
            [sys.executable, *code, *arguments, "--home", str(home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**kept, "PYTHONUTF8": "1", "CTOWER_SECRETS": "file", **(environment or {})},
        )
        self.lines: list[str] = []
        self._queue: Queue[str | None] = Queue()
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._drain, args=(pipe, take), daemon=True)
            for pipe, take in (
                (self.process.stdout, self._queue.put),
                (self.process.stderr, self._errors.append),
            )
        ]
        for reader in self._readers:
            reader.start()

    def _drain(self, pipe, take) -> None:
        for line in pipe:
            take(line)
        if take == self._queue.put:
            self._queue.put(None)

    def wait_for(self, start: str, seconds: float = 60) -> str:
        """The first line that begins with `start`."""
        while True:
            try:
                line = self._queue.get(timeout=seconds)
            except Empty:
                raise AssertionError(f"no line {start!r} in {seconds} s\n{self.told()}") from None
            assert line is not None, f"the program ended without {start!r}\n{self.told()}"
            self.lines.append(line)
            if line.startswith(start):
                return line

    def told(self) -> str:
        return "".join(self.lines) + "".join(self._errors)

    def complaints(self) -> str:
        """All that came on standard error, once the program has ended."""
        for reader in self._readers:
            reader.join(10)
        return "".join(self._errors)

    def ready(self) -> str:
        """The tower's address, once it is ready."""
        return self.wait_for("ready ").split()[1]

    def endpoints(self) -> dict[str, str]:
        return json.loads((self.home / "run" / "endpoints.json").read_text("utf-8"))

    def stop(self, with_signal: int = signal.SIGTERM, seconds: float = 10) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(seconds)


@contextmanager
def signed_in(url: str) -> Iterator[httpx.Client]:
    """The owner of `OWNER` at the tower's door."""
    with httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post("/auth/login", json={"username": "admin", "password": "a long password"}).json()
        client.headers["x-csrf-token"] = answer["csrf_token"]
        yield client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start programs; whatever still runs at the end is killed."""
    started: list[Program] = []

    def begin(
        *arguments: str,
        home: Path | None = None,
        environment: dict[str, str] | None = None,
        code: tuple[str, ...] = PROGRAM,
    ) -> Program:
        program = Program(home or tmp_path / "home", *arguments, environment=environment, code=code)
        started.append(program)
        return program

    yield begin
    for program in started:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()
        for pipe in (program.process.stdout, program.process.stderr):
            pipe.close()
