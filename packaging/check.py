"""All checks, one command: sets up .venv, then format, lint, types, imports, tests, a small benchmark.

python3 packaging/check.py            everything
python3 packaging/check.py tests      only the named steps
python3 packaging/check.py --write    renew what is generated: format, map, openapi.json, settings table
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "ready"

STEPS: dict[str, list[str]] = {
    "format": ["-m", "ruff", "format", "--check", "."],
    "lint": ["-m", "ruff", "check", "."],
    "types": ["-m", "mypy"],
    "imports": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "tests": ["-m", "pytest"],
    "bench": ["-m", "tests.bench", "--tiny"],
}


def set_up() -> None:
    """Make .venv and install the program in it, once for every state of pyproject.toml."""
    wanted = (ROOT / "pyproject.toml").read_text("utf-8")
    if STAMP.is_file() and STAMP.read_text("utf-8") == wanted:
        return
    if not PYTHON.exists():
        print("making .venv", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    print("installing", flush=True)
    subprocess.run([str(PYTHON), "-m", "pip", "install", "--quiet", "-e", f"{ROOT}[dev]"], check=True)
    STAMP.write_text(wanted, "utf-8")


def environment() -> dict[str, str]:
    """As outside, but windows are drawn off screen and nothing of this user is read."""
    found = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("CTOWER_HOME", "CHATWOOT_", "LINEAR_", "ATTIO_"))
    }
    found.setdefault("QT_QPA_PLATFORM", "offscreen")
    found["PYTHONUTF8"] = "1"
    return found


def main() -> int:
    """Run the steps; the exit code is the number of steps that failed."""
    set_up()
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    if "--write" in sys.argv[1:]:
        for step in (["-m", "ruff", "format", "."], ["-m", "ruff", "check", "--fix", "."]):
            subprocess.run([str(PYTHON), *step], cwd=ROOT, check=False, env=environment())
        subprocess.run([str(PYTHON), "packaging/generate.py"], cwd=ROOT, check=True, env=environment())
        return 0
    failed = []
    for name in names or STEPS:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        done = subprocess.run([str(PYTHON), *STEPS[name]], cwd=ROOT, check=False, env=environment())
        print(
            f"== {name}: {'ok' if done.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s",
            flush=True,
        )
        if done.returncode:
            failed.append(name)
    print("all checks passed" if not failed else f"failed: {', '.join(failed)}", flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
