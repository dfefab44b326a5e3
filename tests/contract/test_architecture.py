"""The house keeps its budgets: module and function sizes, no circles, a map that is true."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp
import pytest

import ctower_desktop
from ctower_desktop.cli.atlas import house_map

ROOT = Path(ctower_desktop.__file__).parent
README = ROOT.parent / "README.md"
MODULES = sorted(ROOT.rglob("*.py"))
LINES, FUNCTION = 400, 50


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
class TestModules:
    def test_is_short(self, path):
        assert len(path.read_text("utf-8").splitlines()) <= LINES

    def test_has_short_functions(self, path):
        long = [
            f"{node.name}: {node.end_lineno - node.lineno + 1}"
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno - node.lineno + 1 > FUNCTION
        ]
        assert long == []

    def test_says_what_it_is(self, path):
        tree = ast.parse(path.read_text("utf-8"))
        about = ast.get_docstring(tree) or ""
        assert about.partition("\n")[0].endswith("."), "the first line of the docstring enters the map"
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{node.name} does not say what it is"

    def test_has_no_database_of_its_own(self, path):
        """Only apsw opens the live files: older SQLite libraries can damage a write-ahead log."""
        imports = [
            name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        ]
        assert "sqlite3" not in imports
        if "apsw" in imports:
            place = path.relative_to(ROOT)
            assert place.parts[0] == "kernel" or place.name.endswith("store.py"), place


def test_imports_go_round_no_circle():
    graph = grimp.build_graph("ctower_desktop")
    modules = [m for m in graph.modules if m.startswith("ctower_desktop.")]
    reach = {m: graph.find_downstream_modules(m) for m in modules}
    circles = sorted({tuple(sorted((a, b))) for a in modules for b in reach[a] if a in reach.get(b, ())})
    assert circles == []


def test_the_map_in_the_readme_is_true():
    start, end = "<!-- map -->\n", "<!-- /map -->"
    text = README.read_text("utf-8")
    shown = text[text.index(start) + len(start) : text.index(end)].strip("`\n")
    assert shown == house_map().strip(), "run `python packaging/check.py --write` to renew it"
