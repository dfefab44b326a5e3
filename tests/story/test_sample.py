"""From the first run into the sample agency and back, in one process with one window at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.story.conftest import ANY_PORTS

pytestmark = pytest.mark.slow

DRIVER = """
import sys
from PySide6.QtCore import QTimer
from ctower_desktop.cli.main import main
from ctower_desktop.gui import window as gui

class Driven(gui.MainWindow):
    seen = []

    def __init__(self, *given):
        super().__init__(*given)
        self.driver = QTimer(self)
        self.driver.setInterval(50)
        self.driver.timeout.connect(self.drive)
        self.driver.start()

    def drive(self):
        first = self.first_run
        if not self.seen and first is not None:
            self.seen.append("first run")
            first.steps[0].sample.click()
        elif self.seen == ["first run"] and self._project is not None and self.sample_notice.isVisible():
            self.seen.append(self._project.name)
            print("sample", self._project.name, flush=True)
            self.sample_notice.action.click()
        elif len(self.seen) == 2 and first is not None:
            self.seen.append("own again")
            print("own again", flush=True)
            self.close()

import ctower_desktop.gui.run as run
run.MainWindow = Driven
sys.exit(main(sys.argv[1:]))
"""


def test_into_the_sample_and_back(tmp_path: Path):
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "HOME", "TMPDIR", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, "--home", str(tmp_path / "home"), *ANY_PORTS],
        env={**kept, "PYTHONUTF8": "1", "CTOWER_SECRETS": "file", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parent.parent.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split()[0] for line in done.stdout.splitlines()]
    assert lines.count("ready") == 3
    assert [line for line in lines if line in ("sample", "own")] == ["sample", "own"]
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "home" / "run").glob("endpoints.json"))
