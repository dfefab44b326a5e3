"""`python -m tests.bench [--tiny] [PART …]`: runs the parts, prints one table, writes JSON.

Every figure is a ratio or a bound measured in this run on this machine. `--tiny` runs everything at toy
size, to show that it works; its figures mean nothing and no target is checked.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PARTS = ("vectors", "query", "embedding", "sync", "start", "stall", "overview", "graph", "gui")
RESULTS = Path(__file__).parent / "results"


def measure(part: str, *, tiny: bool) -> list[dict[str, Any]]:
    """Run one part in a process of its own, so that memory and caches of one do not colour the next."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as out:
        command = [
            sys.executable,
            "-m",
            "tests.bench",
            "--part",
            part,
            out.name,
            *(["--tiny"] if tiny else []),
        ]
        subprocess.run(command, check=True)
        return list(json.loads(out.read()))


def run_part(part: str, target: Path, *, tiny: bool) -> None:
    module = importlib.import_module(f"tests.bench.{part}")
    target.write_text(json.dumps(module.run(tiny=tiny)))


def show(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'figure':66} {'value':>12} {'unit':9} {'target':>14}  "]
    for row in rows:
        verdict = {True: "ok", False: "MISSED", None: ""}[row.get("ok")]
        lines.append(
            f"{row['name']:66} {row['value']:>12.4g} {row['unit']:9} {row.get('target') or '':>14}  {verdict}"
        )
    return "\n".join(lines)


def main() -> int:
    arguments = sys.argv[1:]
    tiny = "--tiny" in arguments
    if "--part" in arguments:
        place = arguments.index("--part")
        run_part(arguments[place + 1], Path(arguments[place + 2]), tiny=tiny)
        return 0
    rows: list[dict[str, Any]] = []
    for part in [a for a in arguments if not a.startswith("-")] or PARTS:
        print(f"… {part}", flush=True)
        rows += measure(part, tiny=tiny)
    if tiny:
        rows = [{**row, "ok": None} for row in rows]
    print(show(rows))
    RESULTS.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    (RESULTS / "bench.json").write_text(
        json.dumps({"machine": machine, "tiny": tiny, "rows": rows}, indent=1)
    )
    return 1 if any(row["ok"] is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
