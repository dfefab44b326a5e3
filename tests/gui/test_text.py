"""Words: every text is translated, plurals and numbers follow the language, nothing is glued together."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ctower_desktop.gui as gui
from ctower_desktop import app
from ctower_desktop.gui import text
from ctower_desktop.kernel.settings import SETTINGS, fields
from ctower_desktop.kernel.system import resources

ROOT = Path(gui.__file__).parent
SHOWING = {"setText", "setPlaceholderText", "setToolTip", "setAccessibleName", "setAccessibleDescription"}
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def catalogue() -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted((resources() / "translations").glob("*.toml")):
        for key, value in tomllib.loads(path.read_text("utf-8"))["ru"].items():
            assert key not in found, f"{key!r} is translated twice"
            found[key] = value
    return found


def calls(*names: str) -> list[tuple[Path, ast.Call]]:
    return [
        (path, node)
        for path in sorted(ROOT.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in names)
            or (isinstance(node.func, ast.Attribute) and node.func.attr in names)
        )
    ]


def sources() -> dict[str, str]:
    """Every English text on screen and where it stands."""
    found = {}
    for path, call in calls("tr", "trn"):
        if path.name == "text.py" and not isinstance(call.args[0], ast.Constant):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        for argument in call.args[: 2 if name == "trn" else 1]:
            assert isinstance(argument, ast.Constant), (
                f"{path.name}:{call.lineno}: only whole texts are translated"
            )
        key = call.args[1 if name == "trn" else 0].value
        found[key] = f"{path.name}:{call.lineno}"
    return found


def test_every_text_is_translated():
    known = catalogue()
    missing = {key: where for key, where in sources().items() if key not in known}
    assert missing == {}


def test_translations_keep_the_places_for_values():
    for key, value in catalogue().items():
        names = {name for _, name, _, _ in string.Formatter().parse(key) if name}
        for form in [value] if isinstance(value, str) else value:
            assert {name for _, name, _, _ in string.Formatter().parse(form) if name} == names, key


def test_no_bare_words_reach_the_screen():
    found = [
        f"{path.name}:{call.lineno}"
        for path, call in calls(*SHOWING)
        for argument in call.args
        if isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and re.search(r"[^\W\d_]{2}", argument.value)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("count", "form"),
    [(0, 2), (1, 0), (2, 1), (4, 1), (5, 2), (11, 2), (12, 2), (14, 2), (21, 0), (22, 1), (111, 2), (101, 0)],
)
def test_russian_plurals(count, form):
    assert text.russian_form(count) == form


def test_numbers_and_money_follow_the_language():
    assert text.number(1234.5, 2) == "1,234.50"
    assert text.money(48500, "EUR") == "€48,500"
    text.set_language("ru")
    assert text.number(1234.5, 2) == "1\u00a0234,50"
    assert text.money(620000, "RUB") == "620\u00a0000\u00a0₽"
    assert text.money(0.5, "USD") == "0,50\u00a0$"
    assert text.size(214_000_000) == "214 МБ"


def test_times_are_named_as_people_name_them(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    assert text.when("2026-11-20T10:12:00.000Z", NOW).startswith("today")
    assert text.when("2026-11-19T10:12:00.000Z", NOW).startswith("yesterday")
    assert text.when("2026-11-02T10:12:00.000Z", NOW).startswith("2 November")
    assert text.when("2025-11-02T10:12:00.000Z", NOW) == "2 November 2025"
    assert text.ago("2026-11-20T11:58:00.000Z", NOW) == "2 min ago"
    text.set_language("ru")
    assert text.ago("2026-11-20T11:58:00.000Z", NOW) == "2 мин назад"
    assert text.ago("2026-11-15T12:00:00.000Z", NOW) == "5 дней назад"
    assert text.ago("2026-11-20T11:59:30.000Z", NOW) == "только что"


def test_every_setting_is_translated():
    app.import_rooms()
    known, wanted = catalogue(), set()
    for page, shape in SETTINGS.items():
        wanted.add((shape.__doc__ or "").strip().partition("\n")[0])
        for field in fields(page):
            wanted |= {field.title, field.about}
    assert {text for text in wanted if text not in known} == set()


def test_a_tool_tip_is_never_markup():
    assert text.tip("5 & 6 > 4") == "5 & 6 > 4"
    assert text.tip("<img src=file:///etc/passwd>") == "<span>&lt;img src=file:///etc/passwd&gt;</span>"
