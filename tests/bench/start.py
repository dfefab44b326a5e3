"""How long `ctower serve` takes until it is ready, and how much memory it then holds."""

from __future__ import annotations

import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ANY_PORTS = ("--port", "0", "--graph-port", "0", "--agents-port", "0", "--dashboard-port", "0")


def run(*, tiny: bool) -> list[dict[str, Any]]:
    """Start and stop the server several times in one home."""
    seconds, memory, stops = [], [], []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(2 if tiny else 6):
            began = time.perf_counter()
            server = subprocess.Popen(
                [sys.executable, "-m", "ctower_desktop", "serve", "--home", home, *ANY_PORTS],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert server.stdout is not None
            while not server.stdout.readline().startswith("ready "):
                assert server.poll() is None, "the server ended before it was ready"
            seconds.append(time.perf_counter() - began)
            memory.append(resident(server.pid))
            began = time.perf_counter()
            server.send_signal(signal.SIGTERM)
            assert server.wait(10) == 0
            stops.append(time.perf_counter() - began)
    ready, held, stop = statistics.median(seconds[1:]), max(memory), max(stops)
    return [
        {
            "name": "serve: ready (median of warm starts)",
            "value": ready,
            "unit": "s",
            "target": "<= 1.5",
            "ok": ready <= 1.5,
        },
        {
            "name": "serve: memory before the model is loaded",
            "value": held,
            "unit": "MB",
            "target": "<= 120",
            "ok": held <= 120,
        },
        {
            "name": "serve: from SIGTERM to the end (slowest)",
            "value": stop,
            "unit": "s",
            "target": "<= 5",
            "ok": stop <= 5,
        },
    ]


def resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
