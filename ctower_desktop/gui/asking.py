"""A small dialog of named fields: what is typed is checked as at a door, problems stand beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from ctower_desktop.gui.editing import Parse, a_text
from ctower_desktop.gui.feedback import plain_words
from ctower_desktop.gui.tasks import start
from ctower_desktop.gui.text import tr
from ctower_desktop.gui.widgets import Button, Label, PrimaryButton, row
from ctower_desktop.kernel.check import check
from ctower_desktop.kernel.errors import Invalid, Issue, TowerError

_WIDTH, _AREA = 480, 84


@dataclass(frozen=True)
class Field:
    """One line: `choices` make it a list of values and words, `long` a text of several lines."""

    name: str
    title: str
    value: str = ""
    parse: Parse = a_text
    choices: Sequence[tuple[str, str]] = ()
    long: bool = False
    hint: str = ""


class FieldsDialog(QDialog):
    """Opened with `open()`; `send` gets the checked body, `then` what came of it."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        fields: Sequence[Field],
        shape: type[msgspec.Struct],
        *,
        send: Callable[[Any], Awaitable[Any]],
        then: Callable[[Any], object],
        does: str,
        about: str = "",
    ) -> None:
        super().__init__(parent)
        self._fields, self._shape, self._send, self._then = fields, shape, send, then
        self.editors: dict[str, QLineEdit | QPlainTextEdit | QComboBox] = {}
        self._problems: dict[str, Label] = {}
        self.setWindowTitle(title)
        self.setMinimumWidth(_WIDTH)
        self.problem = Label("", "meta", "danger", wrap=True)
        self.problem.hide()
        self.does, cancel = PrimaryButton(does), Button(tr("Cancel"))
        self.does.setDefault(True)
        self.does.clicked.connect(self.send)
        cancel.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(Label(title, "section", wrap=True))
        if about:
            column.addWidget(Label(about, "meta", "text_2", wrap=True))
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for field in fields:
            self._add(form, field)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addLayout(row(0, cancel, self.does))
        self.finished.connect(self.deleteLater)

    def _add(self, form: QFormLayout, field: Field) -> None:
        editor: QLineEdit | QPlainTextEdit | QComboBox
        if field.choices:
            editor = QComboBox()
            for value, word in field.choices:
                editor.addItem(word, value)
            editor.setCurrentIndex(max(0, editor.findData(field.value)))
        elif field.long:
            editor = QPlainTextEdit(field.value)
            editor.setFixedHeight(_AREA)
            editor.setTabChangesFocus(True)
            editor.setPlaceholderText(field.hint)
        else:
            editor = QLineEdit(field.value)
            editor.setPlaceholderText(field.hint)
        editor.setAccessibleName(field.title)
        label = Label(field.title, "label")
        label.setBuddy(editor)
        problem = Label("", "meta", "danger", wrap=True)
        problem.hide()
        form.addRow(label, editor)
        form.addRow("", problem)
        self.editors[field.name], self._problems[field.name] = editor, problem

    def typed(self, name: str) -> str:
        """What a field holds."""
        editor = self.editors[name]
        if isinstance(editor, QComboBox):
            return str(editor.currentData() or "")
        return (editor.text() if isinstance(editor, QLineEdit) else editor.toPlainText()).strip()

    def send(self) -> None:
        """Check everything and do it; an empty field that may be left out is left out."""
        for label in (*self._problems.values(), self.problem):
            label.hide()
        values: dict[str, Any] = {}
        for field in self._fields:
            try:
                values[field.name] = field.parse(self.typed(field.name))
            except ValueError as error:
                if self.typed(field.name):
                    self._say(field.name, str(error))
                    return
        required = {f.name for f in msgspec.structs.fields(self._shape) if f.required}
        given = {name: value for name, value in values.items() if value not in ("", None) or name in required}
        try:
            body = check(given, self._shape)
        except Invalid as error:
            self._refused(error)
            return
        self.does.setEnabled(False)

        async def work() -> Any:
            return await self._send(body)

        start(self, work(), self._done, self._refused)

    def _done(self, answer: Any) -> None:
        self.accept()
        self._then(answer)

    def _refused(self, error: TowerError) -> None:
        self.does.setEnabled(True)
        homeless = [issue for issue in error.issues if issue.path.partition(".")[0] not in self._problems]
        for issue in error.issues:
            if issue not in homeless:
                self._say(issue.path.partition(".")[0], what_is_wrong(issue))
        if homeless or not error.issues:
            self.problem.setText(plain_words(error))
            self.problem.show()

    def _say(self, name: str, sentence: str) -> None:
        self._problems[name].setText(sentence)
        self._problems[name].show()
        self.editors[name].setFocus()


def what_is_wrong(issue: Issue) -> str:
    """A problem with a field, for people."""
    known = {
        "too_small": tr("That is too short or too small."),
        "too_big": tr("That is too long or too large."),
        "invalid_type": tr("This is needed."),
        "invalid_format": tr("This does not look right."),
        "invalid_uuid": tr("Choose one of the list."),
    }
    return known.get(issue.code, issue.message)
