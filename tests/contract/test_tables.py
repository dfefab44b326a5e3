"""The tables of tests/README.md name tests that exist; every test that proves a fault absent is in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TEXT = (TESTS / "README.md").read_text("utf-8")
_NAMED = re.compile(r"`([\w/]+\.py)::([\w:]+)`")
NAMED = sorted(set(_NAMED.findall(TEXT)))
FAULTS, CHECKS = TEXT.split("## The check list of the contract")


def functions(path: Path) -> Iterator[tuple[str, str]]:
    """Every test of a module with its docstring, the class before the function."""
    for node in ast.parse(path.read_text("utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_"):
                yield before + each.name, ast.get_docstring(each) or ""


@pytest.mark.parametrize(("module", "name"), NAMED, ids=lambda part: part)
def test_what_is_named_exists(module, name):
    assert name in dict(functions(TESTS / module))


def test_every_row_names_a_test():
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line]
    for row in rows:
        assert _NAMED.search(row) or row.startswith(("| section", "| check")), row


def test_every_check_of_the_list_has_its_row():
    rows = re.findall(r"^\| (T\d+) \|", CHECKS, re.MULTILINE)
    assert rows == [f"T{number}" for number in range(1, 41)]


def test_what_proves_a_fault_absent_stands_in_the_table():
    proofs = {
        (str(path.relative_to(TESTS)), name)
        for path in TESTS.rglob("test_*.py")
        for name, said in functions(path)
        if said.startswith("Fault absent")
    }
    missing = proofs - set(_NAMED.findall(FAULTS))
    assert not missing, f"say in tests/README.md which fault these prove absent: {sorted(missing)}"
