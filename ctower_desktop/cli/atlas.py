"""The map of the house and of its endpoints, read off the code."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec

from ctower_desktop.kernel.endpoint import ENDPOINTS, TOWER, Door
from ctower_desktop.kernel.settings import SETTINGS, fields
from ctower_desktop.kernel.system import PACKAGE
from ctower_desktop.web.openapi import document


def house_map() -> str:
    """Every folder and module with the first sentence of its docstring."""
    lines = ["ctower_desktop/"]
    lines += [_entry(path, 1) for path in sorted(PACKAGE.glob("*.py")) if path.name != "__init__.py"]
    for folder in sorted(p for p in PACKAGE.iterdir() if (p / "__init__.py").is_file()):
        lines += _folder(folder, 1)
    return "\n".join(lines)


def _folder(folder: Path, depth: int) -> list[str]:
    lines = [f"{'  ' * depth}{folder.name + '/':22} {_about(folder / '__init__.py')}"]
    lines += [_entry(path, depth + 1) for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
    for inner in sorted(p for p in folder.iterdir() if (p / "__init__.py").is_file()):
        lines += _folder(inner, depth + 1)
    return lines


def _entry(path: Path, depth: int) -> str:
    return f"{'  ' * depth}{path.name:22} {_about(path)}"


def _about(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def endpoint_map() -> str:
    """Every endpoint: door, method, path, who may call, and the function behind it."""
    rows = [
        (e.door.name, e.method, e.path, e.caller.__name__, f"{e.room}.{e.name}")
        for e in sorted(ENDPOINTS.values(), key=lambda e: (e.door.name, e.path, e.method))
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)] if rows else [0] * 4
    return "\n".join(
        " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + f" → {row[4]}"
        for row in rows
    )


def settings_table() -> str:
    """Every setting as a Markdown table: name, environment names, default, meaning."""
    lines = ["| setting | environment | default | what it does |", "|---|---|---|---|"]
    for page in SETTINGS:
        for field in fields(page):
            default = (
                "secret" if field.secret else f"`{field.default}`" if field.default not in ("", None) else ""
            )
            names = " ".join(f"`{name}`" for name in field.environment)
            about = field.about.replace("|", "\\|")
            lines.append(f"| {page}.{field.name} | {names} | {default} | {about} |")
    return "\n".join(lines)


def openapi_text(door: Door = TOWER) -> str:
    """The OpenAPI document of a door, in a stable order."""
    return (
        msgspec.json.format(msgspec.json.encode(document(door), order="deterministic"), indent=1).decode()
        + "\n"
    )
