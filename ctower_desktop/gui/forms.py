"""A form drawn from a Struct: its fields, bounds and explanations are the declaration's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import inspect as shapes
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from ctower_desktop.gui.text import said, tr
from ctower_desktop.gui.widgets import Label
from ctower_desktop.kernel.errors import Issue

_LARGEST = 2**31 - 1


class _Line:
    """One field on the form."""

    def __init__(
        self, name: str, editor: QWidget, read: Callable[[], Any], write: Callable[[Any], None]
    ) -> None:
        self.name, self.editor, self.read, self.write = name, editor, read, write
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()


class StructForm(QWidget):
    """Fields of `shape`, filled with `values`. A secret that is stored shows only that it is."""

    def __init__(
        self,
        shape: type[msgspec.Struct],
        values: Mapping[str, Any] | None = None,
        *,
        only: Iterable[str] | None = None,
        stored_secrets: frozenset[str] = frozenset(),
        fixed: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__()
        self._lines: dict[str, _Line] = {}
        self._secrets: set[str] = set()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        info = shapes.type_info(shape)
        assert isinstance(info, shapes.StructType)
        wanted = None if only is None else set(only)
        for field in info.fields:
            if wanted is None or field.name in wanted:
                given = (values or {}).get(field.name, None if field.required else field.default)
                self._add(grid, field, given, stored=field.name in stored_secrets, fixed=field.name in fixed)

    def _add(self, grid: QGridLayout, field: shapes.Field, value: Any, *, stored: bool, fixed: bool) -> None:
        meta = field.type if isinstance(field.type, shapes.Metadata) else None
        schema: Mapping[str, Any] = (meta.extra_json_schema if meta else None) or {}
        secret = bool(((meta.extra if meta else None) or {}).get("secret"))
        title, about = said(schema.get("title", field.name)), schema.get("description", "")
        line = _line(field.name, _plain(field.type), secret=secret)
        if secret:
            self._secrets.add(field.name)
            if stored:
                line.editor.setProperty("placeholderText", tr("stored; leave empty to keep it"))
        elif value is not None and value is not msgspec.NODEFAULT:
            line.write(value)
        line.editor.setAccessibleName(title)
        line.editor.setAccessibleDescription(said(about) if about else "")
        line.editor.setEnabled(not fixed)
        place = grid.rowCount()
        label = Label(title, "label")
        label.setBuddy(line.editor)
        grid.addWidget(label, place, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(line.editor, place, 1)
        hint = tr("Set by the environment.") if fixed else (said(about) if about else "")
        grid.addWidget(Label(hint, "meta", "text_3", wrap=True), place + 1, 1)
        grid.addWidget(line.problem, place + 2, 1)
        grid.setRowMinimumHeight(place + 3, 8)
        self._lines[field.name] = line

    def values(self) -> dict[str, Any]:
        """What was entered; a secret left empty is not among it."""
        found = {name: line.read() for name, line in self._lines.items() if line.editor.isEnabled()}
        return {name: value for name, value in found.items() if not (name in self._secrets and not value)}

    def show_issues(self, issues: Iterable[Issue]) -> list[Issue]:
        """Put each problem beside its field; return those that belong to none."""
        self.clear_issues()
        homeless = []
        for issue in issues:
            line = self._lines.get(issue.path.partition(".")[0])
            if line is None:
                homeless.append(issue)
                continue
            line.problem.setText(issue.message)
            line.problem.show()
        return homeless

    def clear_issues(self) -> None:
        """Forget what was wrong."""
        for line in self._lines.values():
            line.problem.hide()

    def editor(self, name: str) -> QWidget:
        """The widget of a field."""
        return self._lines[name].editor


def _plain(kind: shapes.Type) -> shapes.Type:
    if isinstance(kind, shapes.Metadata):
        return _plain(kind.type)
    if isinstance(kind, shapes.UnionType):
        return _plain(next(t for t in kind.types if not isinstance(t, shapes.NoneType)))
    return kind


def _line(name: str, kind: shapes.Type, *, secret: bool) -> _Line:
    if isinstance(kind, shapes.BoolType):
        box = QCheckBox()
        return _Line(name, box, box.isChecked, box.setChecked)
    if isinstance(kind, shapes.LiteralType):
        combo = QComboBox()
        for value in kind.values:
            combo.addItem(said(str(value)), value)
        return _Line(name, combo, combo.currentData, lambda v: combo.setCurrentIndex(combo.findData(v)))
    if isinstance(kind, shapes.IntType):
        spin = QSpinBox()
        spin.setRange(
            int(kind.ge) if kind.ge is not None else -_LARGEST,
            int(kind.le) if kind.le is not None else _LARGEST,
        )
        return _Line(name, spin, spin.value, spin.setValue)
    if isinstance(kind, shapes.FloatType):
        real = QDoubleSpinBox()
        real.setRange(kind.ge if kind.ge is not None else -1e12, kind.le if kind.le is not None else 1e12)
        return _Line(name, real, real.value, real.setValue)
    text = QLineEdit()
    if secret:
        text.setEchoMode(QLineEdit.EchoMode.Password)
    if isinstance(kind, shapes.StrType) and kind.max_length is not None:
        text.setMaxLength(kind.max_length)
    return _Line(name, text, lambda: text.text().strip(), lambda v: text.setText(str(v)))
