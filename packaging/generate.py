"""Renew what is generated: the map and the settings table in README.md, resources/openapi.json."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ctower_desktop import app  # noqa: E402
from ctower_desktop.cli.atlas import house_map, openapi_text, settings_table  # noqa: E402


def between(text: str, name: str, content: str) -> str:
    """`text` with what stands between the two marks of `name` replaced."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    head, _, rest = text.partition(start)
    _, _, tail = rest.partition(end)
    return f"{head}{start}{content}\n{end}{tail}"


def main() -> None:
    """Write the files."""
    app.import_rooms()
    readme = ROOT / "README.md"
    text = readme.read_text("utf-8")
    text = between(text, "map", f"```\n{house_map()}\n```")
    text = between(text, "settings", settings_table())
    readme.write_text(text, "utf-8")
    (ROOT / "resources" / "openapi.json").write_text(openapi_text(), "utf-8")


if __name__ == "__main__":
    main()
