"""The house keeps its budgets: module and function sizes, no circles, a map that is true."""

from __future__ import annotations

import ast
from pathlib import Path

import grimp
import pytest

import ctower_desktop
from ctower_desktop.cli.atlas import house_map, openapi_text, settings_table

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


RENEW = "run `python3 packaging/check.py --write` to renew it"


def _between(name: str) -> str:
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    text = README.read_text("utf-8")
    return text[text.index(start) + len(start) : text.index(end)]


def test_the_map_in_the_readme_is_true():
    assert _between("map").strip("`\n") == house_map().strip(), RENEW


def test_the_settings_in_the_readme_are_true():
    assert _between("settings").strip() == settings_table().strip(), RENEW


def test_the_shipped_openapi_document_is_true():
    shipped = (ROOT.parent / "resources" / "openapi.json").read_text("utf-8")
    assert shipped == openapi_text(), RENEW


@pytest.mark.parametrize("path", sorted((ROOT / "gui").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_window_never_runs_a_loop_inside_the_loop(path):
    """A nested event loop inside a coroutine loses other tasks for ever under qasync."""
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & {"exec", "exec_", "processEvents"}
