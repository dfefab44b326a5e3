"""The wheel carries all it needs and works outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.story.conftest import ANY_PORTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files in a folder of their own."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip(f"the build backend cannot be had here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize(
    "name",
    [
        "resources/model/model.onnx",
        "resources/model/tokenizer.json",
        "resources/demo/agency.json",
        "resources/fonts/Inter-Regular.otf",
        "resources/icons/ask.svg",
        "resources/themes/window.qss",
        "resources/translations/ru.toml",
        "resources/openapi.json",
        "migrations/0001_accounts.sql",
        "migrations/index/0001_index.sql",
        "sandbox/linear.graphql",
        "py.typed",
    ],
)
def test_carries_what_the_program_reads(unpacked, name):
    assert (unpacked / "ctower_desktop" / name).is_file()


def test_works_outside_the_checkout(unpacked, start, tmp_path):
    program = start("serve", *ANY_PORTS, environment={"PYTHONPATH": str(unpacked)})
    program.ready()
    loaded = Path(f"/proc/{program.process.pid}/cmdline").read_text()
    assert "ctower_desktop" in loaded
    assert program.stop() == 0
    told = subprocess.run(
        [sys.executable, "-c", "import ctower_desktop; print(ctower_desktop.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(unpacked)},
    )
    assert told.stdout.strip().startswith(str(unpacked)), "it is the wheel that was started"


def test_answers_with_the_shipped_model(unpacked, tmp_path):
    """The demo's question path needs model, tokenizer and migrations from the wheel."""
    script = (
        "import asyncio, pathlib\n"
        "from ctower_desktop import app\n"
        "from ctower_desktop.kernel.system import Home\n"
        "from ctower_desktop.search.embedder import Embedder\n"
        "async def main():\n"
        "    home = Home(pathlib.Path('home').absolute())\n"
        "    tower = await app.open_tower(home, environment={}, secrets='file')\n"
        "    embedder = await tower.part(Embedder)\n"
        "    print(len(await embedder.embed_query('a quick check')))\n"
        "    await app.close_tower(tower)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(unpacked)},
    )
    assert done.stdout.strip() == "384"
