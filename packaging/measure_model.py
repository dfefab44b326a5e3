"""Measure what the shipped model can do in Russian and English; keep it beside the model as model.json.

    python packaging/measure_model.py [FOLDER]

Run after build_model.py, and after a change of resources/model_trial.tsv.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ctower_desktop.search.ability import measure  # noqa: E402
from ctower_desktop.search.embedder import Embedder  # noqa: E402
from ctower_desktop.search.model_folder import MEASURED, read_folder  # noqa: E402


async def measured(path: Path) -> bytes:
    """The measurement of the model in a folder, as it is kept."""
    folder = read_folder(path)
    embedder = Embedder(folder, threads=1)
    try:
        found = await measure(embedder, folder.digest())
    finally:
        await embedder.stop()
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def main() -> None:
    """Write the file."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "model"
    content = asyncio.run(measured(path))
    (path / MEASURED).write_bytes(content)
    print(content.decode(), end="")


if __name__ == "__main__":
    main()
